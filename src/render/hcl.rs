//! Values as HCL writes them: what outputs and the console show.
//!
//! In: a [`Value`]. Out: text, over several lines where there is more than one element. Secrets are
//! masked, what is not known is said to be so, and nothing in a text can steer a terminal.

use std::fmt::Write;

use crate::value::Value;

use super::steers;

/// In the place of a secret.
pub(super) const SECRET: &str = "(sensitive value)";
/// In the place of what is not known yet.
pub const UNKNOWN: &str = "(known after apply)";

/// A value; its further lines stand `indent` columns in.
pub fn value(value: &Value, indent: usize) -> String {
    let mut out = String::new();
    write(value, indent, &mut out);
    out
}

/// A value on one line, however long.
pub(super) fn line(value: &Value) -> String {
    let mut out = String::new();
    write_line(value, &mut out);
    out
}

fn write_line(value: &Value, out: &mut String) {
    match value {
        Value::List(items) => {
            out.push('[');
            for (at, item) in items.iter().enumerate() {
                out.push_str(if at > 0 { ", " } else { "" });
                write_line(item, out);
            }
            out.push(']');
        }
        Value::Map(items) if items.is_empty() => out.push_str("{}"),
        Value::Map(items) => {
            for (at, (key, item)) in items.iter().enumerate() {
                out.push_str(if at > 0 { ", " } else { "{ " });
                quoted(key, out);
                out.push_str(" = ");
                write_line(item, out);
            }
            out.push_str(" }");
        }
        plain => write(plain, 0, out),
    }
}

fn write(value: &Value, indent: usize, out: &mut String) {
    match value {
        Value::Null => out.push_str("null"),
        Value::Str(text) => quoted(text, out),
        Value::List(items) if items.is_empty() => out.push_str("[]"),
        Value::Map(items) if items.is_empty() => out.push_str("{}"),
        Value::List(items) => {
            out.push_str("[\n");
            for item in items.iter() {
                pad(indent + 2, out);
                write(item, indent + 2, out);
                out.push_str(",\n");
            }
            pad(indent, out);
            out.push(']');
        }
        Value::Map(items) => {
            out.push_str("{\n");
            for (key, item) in items.iter() {
                pad(indent + 2, out);
                quoted(key, out);
                out.push_str(" = ");
                write(item, indent + 2, out);
                out.push('\n');
            }
            pad(indent, out);
            out.push('}');
        }
        Value::Object(_) | Value::Id(_) => out.push_str(UNKNOWN),
        Value::Found(found) => quoted(&found.id, out),
        Value::Sensitive(_) => out.push_str(SECRET),
        // Writing into a String does not fail, here and below.
        Value::Bool(_) | Value::Int(_) | Value::Float(_) => drop(write!(out, "{value}")),
    }
}

fn pad(columns: usize, out: &mut String) {
    (0..columns).for_each(|_| out.push(' '));
}

/// A text in quotes, with HCL's escapes.
fn quoted(text: &str, out: &mut String) {
    out.push('"');
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '$' | '%' if rest.peek() == Some(&'{') => out.extend([c, c]),
            c if steers(c) => drop(write!(out, "\\u{:04X}", u32::from(c))),
            c => out.push(c),
        }
    }
    out.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::address::Address;

    #[test]
    fn values_are_written_as_hcl_has_them() {
        let id = Value::Id(Address::new("zone", "east"));
        let value = Value::from_json(&serde_json::json!({
            "none": [], "empty": {}, "n": 1.5, "yes": true, "nil": null,
            "hosts": ["a", { "ip": "10.0.0.1" }], "evil": "a\"\\\n${x}$\u{1b}[2J",
        }));
        let Value::Map(items) = &value else { panic!() };
        let mut items = (**items).clone();
        items.insert("id".into(), id);
        items.insert("password".into(), Value::str("hunter2").sensitive());
        insta::assert_snapshot!(super::value(&Value::map(items), 0), @r#"
        {
          "empty" = {}
          "evil" = "a\"\\\n$${x}$\u001B[2J"
          "hosts" = [
            "a",
            {
              "ip" = "10.0.0.1"
            },
          ]
          "id" = (known after apply)
          "n" = 1.5
          "nil" = null
          "none" = []
          "password" = (sensitive value)
          "yes" = true
        }
        "#);
    }
}
