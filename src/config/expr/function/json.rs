//! Values as JSON text, as Terraform writes it.
//!
//! In: values that are known and not secret. Out: compact JSON with keys in order; `<`, `>` and
//! `&` are escaped, as `jsonencode` of Terraform does for the sake of text within HTML.

use super::MAX_TEXT;
use super::args::plain_text;
use crate::value::Value;

/// A value as JSON; `None` when that would be too long.
pub fn text(value: &Value) -> Option<String> {
    let mut out = String::new();
    write(value, &mut out).then_some(out)
}

/// A text in quotes.
pub fn quoted(text: &str) -> String {
    // Text always becomes JSON.
    let plain = serde_json::to_string(text).unwrap_or_default();
    let mut out = String::with_capacity(plain.len());
    for letter in plain.chars() {
        match letter {
            '<' => out.push_str("\\u003c"),
            '>' => out.push_str("\\u003e"),
            '&' => out.push_str("\\u0026"),
            '\u{2028}' => out.push_str("\\u2028"),
            '\u{2029}' => out.push_str("\\u2029"),
            other => out.push(other),
        }
    }
    out
}

/// Numbers, booleans, null and texts; an object stands for its id.
pub fn scalar(value: &Value) -> String {
    match value {
        Value::Str(text) => quoted(text),
        Value::Found(found) => quoted(&found.id),
        other => plain_text(other).unwrap_or_else(|| "null".to_owned()),
    }
}

/// Says whether there is room.
fn write(value: &Value, out: &mut String) -> bool {
    match value {
        Value::List(items) => {
            out.push('[');
            for (at, item) in items.iter().enumerate() {
                if at > 0 {
                    out.push(',');
                }
                if !write(item, out) {
                    return false;
                }
            }
            out.push(']');
        }
        Value::Map(items) => {
            out.push('{');
            for (at, (key, item)) in items.iter().enumerate() {
                if at > 0 {
                    out.push(',');
                }
                out.push_str(&quoted(key));
                out.push(':');
                if !write(item, out) {
                    return false;
                }
            }
            out.push('}');
        }
        Value::Sensitive(inner) => return write(inner, out),
        other => out.push_str(&scalar(other)),
    }
    out.len() <= MAX_TEXT
}
