//! What `validate` says of a configuration without mistakes. In: its size. Out: a sentence.

use crate::config::Judged;

use super::words::many;

/// `The configuration is valid: 3 resources, 1 attachment.`
pub fn sentence(judged: &Judged) -> String {
    let elements = match judged.elements {
        0 => String::new(),
        n => format!(", {}", many(n, "list element")),
    };
    let (resources, links) = (many(judged.resources, "resource"), many(judged.links, "attachment"));
    format!("The configuration is valid: {resources}, {links}{elements}.")
}
