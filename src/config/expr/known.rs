//! Which values can be looked into now, and as text.
//!
//! In: a value. Out: whether it is known before apply, its text, or the finding that says why not.

use super::{Fault, Stop};
use crate::value::Value;

/// A value as part of a text.
pub fn text(value: &Value) -> Result<String, Stop> {
    Ok(match value {
        Value::Str(text) => text.to_string(),
        Value::Int(n) => n.to_string(),
        Value::Float(n) => n.to_string(),
        Value::Bool(b) => b.to_string(),
        Value::Sensitive(inner) => text(inner)?,
        Value::Object(_) | Value::Id(_) => return Err(not_yet(value).into()),
        Value::Found(found) => {
            let problem = format!("a whole {} cannot be part of a text", found.kind);
            let help = "use one of its attributes, such as `.name` or `.id`";
            return Err(Fault::new("wrong_kind", problem)
                .label("this is an object")
                .help(help)
                .into());
        }
        Value::Null | Value::List(_) | Value::Map(_) => {
            let found = value.kind_name();
            let problem = format!("{found} cannot be part of a text");
            let label = format!("this is {found}");
            return Err(Fault::new("wrong_kind", problem).label(label).into());
        }
    })
}

/// Refuses what is not known before apply.
pub fn known(value: &Value) -> Result<(), Stop> {
    match value.reveal() {
        Value::Object(_) | Value::Id(_) => Err(not_yet(value).into()),
        Value::Found(found) if found.attrs.is_none() => Err(Stop::Silent),
        Value::List(items) => items.iter().try_for_each(known),
        Value::Map(items) => items.values().try_for_each(known),
        _ => Ok(()),
    }
}

fn not_yet(value: &Value) -> Fault {
    Fault::new("not_yet_known", format!("`{value}` is not yet known"))
        .label("known only after apply")
        .help("use it as the whole value of an attribute; a condition on it is a postcondition")
}

/// The finding for a value that needs an environment variable.
pub fn unset(name: &str) -> Fault {
    Fault::new("unset_env", format!("the environment variable {name} is not set"))
        .label("needed here")
        .help(format!("export {name}=… before running rackform"))
}
