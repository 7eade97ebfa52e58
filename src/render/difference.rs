//! Two values → the lines that show what differs, by key and by element.
//!
//! In: a value before and after. Out: text with `+`, `-` and `~`; what stays is only counted.
//! Values are written as HCL writes them: secrets are masked. Knows neither plan nor output.

use std::collections::BTreeMap;
use std::fmt::{self, Write};
use std::sync::Arc;

use similar::{Algorithm, DiffTag, capture_diff_slices};

use crate::value::Value;

use super::{Ink, Style, hcl, words};

/// Longer lists are only counted: the time to compare grows with the square of what differs.
const MAX_ITEMS: usize = 2_000;
/// Columns that a value may take to stand on one line.
const SHORT: usize = 60;

/// Where lines stand: their signs `indent` columns in.
#[derive(Clone, Copy)]
pub(super) struct Difference<'a> {
    pub style: &'a Style,
    pub indent: usize,
}

/// A value on one line if it is short, else on several; these stand `indent` columns in.
pub(super) fn whole(value: &Value, indent: usize) -> String {
    short(value).unwrap_or_else(|| hcl::value(value, indent))
}

/// A value on one line; of a long one only how much is in it.
pub(super) fn brief(value: &Value) -> String {
    let length = match value {
        Value::List(items) => items.len(),
        Value::Map(items) => items.len(),
        _ => 0,
    };
    short(value).unwrap_or_else(|| format!("({})", words::many(length, "element")))
}

fn short(value: &Value) -> Option<String> {
    let text = hcl::line(value);
    let scalar = !matches!(value, Value::List(_) | Value::Map(_));
    (scalar || text.chars().count() <= SHORT).then_some(text)
}

impl Difference<'_> {
    /// What stands behind `name = ` of a value that changes, and the end of the line.
    pub fn change(&self, before: &Value, after: &Value, out: &mut dyn Write) -> fmt::Result {
        let arrow = self.style.arrow();
        if let (Some(old), Some(new)) = (short(before), short(after))
            && (!nested(before, after) || old.chars().count() + new.chars().count() <= SHORT)
        {
            // Two secrets differ and look alike.
            return match old == new {
                true => writeln!(out, "{new}"),
                false => writeln!(out, "{old} {arrow} {new}"),
            };
        }
        let brackets = match (before, after) {
            (Value::Map(_), Value::Map(_)) => Some(('{', '}')),
            (Value::List(_), Value::List(_)) => Some(('[', ']')),
            _ => None,
        };
        match brackets {
            Some((opening, closing)) => {
                writeln!(out, "{opening}")?;
                let inner = Self { style: self.style, indent: self.indent + 4 };
                inner.lines(before, after, out)?;
                writeln!(out, "{:pad$}  {closing}", "", pad = self.indent)
            }
            None => {
                let column = self.indent + 2;
                writeln!(out, "{} {arrow} {}", whole(before, column), whole(after, column))
            }
        }
    }

    /// What differs inside of two maps or two lists, without their brackets.
    pub fn lines(&self, before: &Value, after: &Value, out: &mut dyn Write) -> fmt::Result {
        match (before, after) {
            (Value::Map(old), Value::Map(new)) => self.map(old, new, out),
            (Value::List(old), Value::List(new)) => self.list(old, new, out),
            _ => {
                self.one(('-', Ink::Remove), "", before, out)?;
                self.one(('+', Ink::Add), "", after, out)
            }
        }
    }

    fn map(&self, old: &Entries, new: &Entries, out: &mut dyn Write) -> fmt::Result {
        let mut same = 0;
        let added = new.iter().filter(|(key, _)| !old.contains_key(*key)).map(|(key, _)| key);
        let mut keys: Vec<_> = old.keys().chain(added).collect();
        keys.sort();
        for key in keys {
            let name = hcl::line(&Value::Str(key.clone()));
            match (old.get(key), new.get(key)) {
                (Some(old), Some(new)) if old == new => same += 1,
                (Some(old), Some(new)) => {
                    self.sign('~', Ink::Change, out)?;
                    write!(out, " {name} = ")?;
                    self.change(old, new, out)?;
                }
                (Some(old), None) => {
                    self.one(('-', Ink::Remove), &format!("{name} = "), old, out)?
                }
                (None, Some(new)) => self.one(('+', Ink::Add), &format!("{name} = "), new, out)?,
                (None, None) => {}
            }
        }
        self.unchanged(same, out)
    }

    fn list(&self, old: &[Value], new: &[Value], out: &mut dyn Write) -> fmt::Result {
        if old.len().max(new.len()) > MAX_ITEMS {
            let (old, new) = (words::count(old.len()), words::many(new.len(), "element"));
            return self.note(&format!("({old} {} {new})", self.style.arrow()), out);
        }
        let texts = |items: &[Value]| items.iter().map(hcl::line).collect::<Vec<_>>();
        let mut same = 0;
        for op in capture_diff_slices(Algorithm::Myers, &texts(old), &texts(new)) {
            let (gone, come) = (&old[op.old_range()], &new[op.new_range()]);
            match op.tag() {
                DiffTag::Equal => same += gone.len(),
                _ => self.replaced(gone, come, out)?,
            }
        }
        self.unchanged(same, out)
    }

    /// Elements in the place of others: maps and lists in the same place are taken for the same.
    fn replaced(&self, gone: &[Value], come: &[Value], out: &mut dyn Write) -> fmt::Result {
        let pairs = gone.iter().zip(come).take_while(|(old, new)| nested(old, new)).count();
        for (old, new) in gone.iter().zip(come).take(pairs) {
            self.sign('~', Ink::Change, out)?;
            out.write_char(' ')?;
            self.change(old, new, out)?;
        }
        gone[pairs..].iter().try_for_each(|old| self.one(('-', Ink::Remove), "", old, out))?;
        come[pairs..].iter().try_for_each(|new| self.one(('+', Ink::Add), "", new, out))
    }

    fn one(&self, sign: Sign, name: &str, value: &Value, out: &mut dyn Write) -> fmt::Result {
        self.sign(sign.0, sign.1, out)?;
        writeln!(out, " {name}{}", whole(value, self.indent + 2))
    }

    fn sign(&self, sign: char, ink: Ink, out: &mut dyn Write) -> fmt::Result {
        write!(out, "{:pad$}{}", "", self.style.ink(ink, sign), pad = self.indent)
    }

    fn unchanged(&self, same: usize, out: &mut dyn Write) -> fmt::Result {
        match same {
            0 => Ok(()),
            _ => self.note(&format!("({} unchanged)", words::count(same)), out),
        }
    }

    fn note(&self, text: &str, out: &mut dyn Write) -> fmt::Result {
        writeln!(out, "{:pad$}  {}", "", self.style.ink(Ink::Dim, text), pad = self.indent)
    }
}

type Sign = (char, Ink);
type Entries = BTreeMap<Arc<str>, Value>;

/// Whether two values are compared by what is in them.
fn nested(before: &Value, after: &Value) -> bool {
    matches!((before, after), (Value::Map(_), Value::Map(_)) | (Value::List(_), Value::List(_)))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value as Json, json};

    use super::*;

    fn shown(before: &Json, after: &Json) -> String {
        let mut out = String::new();
        let difference = Difference { style: &Style::PLAIN, indent: 2 };
        difference
            .change(&Value::from_json(before), &Value::from_json(after), &mut out)
            .expect("a String");
        out
    }

    fn hosts(count: usize) -> Json {
        let one = |n: usize| {
            (format!("host{n:02}"), json!({ "management_ip": format!("10.0.0.{n}"), "port": 22 }))
        };
        Json::Object((0..count).map(one).collect())
    }

    #[test]
    fn a_long_map_shows_only_what_differs() {
        let (before, mut after) = (hosts(40), hosts(41));
        after["host03"]["port"] = json!(2222);
        after["host07"]["management_ip"] = json!("10.0.9.7");
        after.as_object_mut().expect("a map").remove("host09");
        insta::assert_snapshot!(shown(&before, &after), @r#"
        {
              ~ "host03" = {
                  ~ "port" = 22 -> 2222
                    (1 unchanged)
                }
              ~ "host07" = {
                  ~ "management_ip" = "10.0.0.7" -> "10.0.9.7"
                    (1 unchanged)
                }
              - "host09" = { "management_ip" = "10.0.0.9", "port" = 22 }
              + "host40" = { "management_ip" = "10.0.0.40", "port" = 22 }
                (37 unchanged)
            }
        "#);
    }

    #[test]
    fn lists_of_objects_are_compared_in_their_places() {
        let long = "a name that is long enough to need a line of its own";
        let before = json!([{ "name": long, "ip": "10.0.0.1" }, { "name": "b" }, { "name": "c" }]);
        let after = json!([{ "name": long, "ip": "10.0.0.9" }, { "name": "b" }]);
        insta::assert_snapshot!(shown(&before, &after), @r#"
        [
              ~ {
                  ~ "ip" = "10.0.0.1" -> "10.0.0.9"
                    (1 unchanged)
                }
              - { "name" = "c" }
                (1 unchanged)
            ]
        "#);
    }

    #[test]
    fn short_values_stand_on_one_line() {
        assert_eq!(shown(&json!(["a"]), &json!(["a", "b"])), "[\"a\"] -> [\"a\", \"b\"]\n");
        assert_eq!(shown(&json!(null), &json!({})), "null -> {}\n");
        let long = Value::str(&"x".repeat(99)).sensitive();
        let mut out = String::new();
        let difference = Difference { style: &Style::PLAIN, indent: 2 };
        difference.change(&long, &Value::str("y").sensitive(), &mut out).expect("a String");
        assert_eq!(out, "(sensitive value)\n");
    }

    #[test]
    fn a_huge_list_is_only_counted() {
        let (before, after) = (json!(vec![1; 5_000]), json!(vec![2; 5_001]));
        insta::assert_snapshot!(shown(&before, &after), @r#"
        [
                (5,000 -> 5,001 elements)
            ]
        "#);
    }
}
