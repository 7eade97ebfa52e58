//! One type for all elements.
//!
//! In: elements of a list, set or map. Out: whether their types differ, and each as text.

use super::args::plain_text;
use crate::value::Value;

/// Whether texts, numbers and booleans stand side by side.
pub fn is_mixed<'v>(items: impl Iterator<Item = &'v Value>) -> bool {
    let mut seen = None;
    for item in items {
        let kind = match item.reveal() {
            Value::Bool(_) => 0,
            Value::Int(_) | Value::Float(_) => 1,
            Value::Str(_) | Value::Id(_) => 2,
            _ => continue,
        };
        if *seen.get_or_insert(kind) != kind {
            return true;
        }
    }
    false
}

/// A number or boolean as text, with its mark; anything else as it is.
pub fn as_text(value: &Value) -> Value {
    match (value, plain_text(value.reveal())) {
        (Value::Sensitive(_), Some(text)) => Value::str(&text).sensitive(),
        (Value::Int(_) | Value::Float(_) | Value::Bool(_), Some(text)) => Value::str(&text),
        _ => value.clone(),
    }
}
