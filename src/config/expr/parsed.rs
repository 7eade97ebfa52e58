//! Texts of templates → syntax trees, each distinct text once.
//!
//! In: a decoded text. Out: its tree, with what can be told without evaluating it: whether it is
//! the same for all instances of a block.

use std::collections::HashMap;
use std::sync::Arc;

use hcl_edit::template::Template;

use super::roots::{Root, roots_of};
use super::{Fault, Need, Stop};

/// A template that was read.
#[derive(Debug)]
pub struct Parsed {
    pub(super) template: Template,
    /// Whether it depends on the instance: it mentions `each`, `count` or `self`.
    pub varies: bool,
    /// Environment variables and files that it names in full.
    pub outside: Vec<Need>,
}

/// Every template that was read so far.
#[derive(Debug, Default)]
pub struct Templates(HashMap<Arc<str>, Result<Arc<Parsed>, Stop>>);

impl Templates {
    /// The tree of a text.
    ///
    /// # Errors
    /// It cannot be parsed; the fault has its place.
    pub fn get(&mut self, text: &Arc<str>) -> Result<Arc<Parsed>, Stop> {
        if let Some(known) = self.0.get(text) {
            return known.clone();
        }
        let parsed = parse(text).map(Arc::new);
        self.0.insert(text.clone(), parsed.clone());
        parsed
    }
}

fn parse(text: &str) -> Result<Parsed, Stop> {
    let template: Template = text.parse().map_err(|e| syntax(text, &e))?;
    let (mut varies, mut outside) = (false, Vec::new());
    for root in roots_of(&template) {
        match root {
            Root::Instance => varies = true,
            Root::Outside(need) => outside.push(need),
        }
    }
    Ok(Parsed { template, varies, outside })
}

/// The finding for a text that is no expression or template.
pub(super) fn syntax(text: &str, error: &hcl_edit::parser::Error) -> Stop {
    // The library counts bytes and stops at the last one: the whole character is meant.
    let at = error.location().offset();
    let start = (0..=at).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
    let end = text[start..].chars().next().map_or(start, |c| start + c.len_utf8());
    Fault::new("bad_expression", format!("this expression cannot be read: {}", error.message()))
        .help("expressions stand in `${…}`; a literal `${` is written `$${`")
        .at(Some(start..end))
        .into()
}
