//! Whether an answer has what an example shows. In: two JSON values. Out: the members that are
//! missing or of another type. Values are not compared: the examples' are invented, and some
//! contradict their own request.

use std::fmt;

use serde_json::Value;

use crate::common::raw::is_uuid;

/// Something that an example shows and an answer does not.
#[derive(Debug, PartialEq)]
pub struct Lack {
    /// The path of member names, without the places in lists: `inventory.mons.monAddr`.
    pub member: String,
    /// False: it is there, with another type.
    pub is_missing: bool,
}

impl fmt::Display for Lack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = if self.is_missing { "is missing" } else { "has another type" };
        write!(f, "{} {what}", self.member)
    }
}

/// Everything that `answer` lacks of `example`.
pub fn lacks(example: &Value, answer: &Value) -> Vec<Lack> {
    let mut found = Vec::new();
    walk(example, answer, "", &mut found);
    found
}

fn walk(example: &Value, answer: &Value, at: &str, found: &mut Vec<Lack>) {
    let lack = |is_missing| Lack { member: at.to_string(), is_missing };
    match (example, answer) {
        (Value::Object(shown), Value::Object(given)) => {
            for (name, value) in shown {
                let at = if at.is_empty() { name.clone() } else { format!("{at}.{name}") };
                // The member names of a map are ids of the example's own.
                let member = match is_uuid(name) {
                    true => given.values().next(),
                    false => given.get(name),
                };
                match member {
                    Some(member) => walk(value, member, &at, found),
                    None => found.push(Lack { member: at, is_missing: true }),
                }
            }
        }
        (Value::Array(shown), Value::Array(given)) => {
            for value in shown {
                // An empty list of names has every type; objects have to be shown.
                let nearest = given.iter().map(|given| lacks_at(value, given, at));
                match nearest.min_by_key(Vec::len) {
                    Some(lacks) => found.extend(lacks),
                    None if value.is_object() => found.push(lack(true)),
                    None => {}
                }
            }
        }
        (Value::String(_), Value::String(_))
        | (Value::Number(_), Value::Number(_))
        | (Value::Bool(_), Value::Bool(_)) => {}
        _ => found.push(lack(false)),
    }
}

fn lacks_at(example: &Value, answer: &Value, at: &str) -> Vec<Lack> {
    let mut found = Vec::new();
    walk(example, answer, at, &mut found);
    found
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn said(example: Value, answer: Value) -> Vec<String> {
        lacks(&example, &answer).iter().map(Lack::to_string).collect()
    }

    #[test]
    fn members_and_types_count_values_do_not() {
        let example = json!({"inventory": {"name": "a", "size": 1.5E9, "mons": [{"addr": "x"}]}});
        let same = json!({"inventory": {"name": "b", "size": 7, "mons": [{"addr": "y"}], "z": 1}});
        assert_eq!(said(example.clone(), same), Vec::<String>::new());
        let poor = json!({"inventory": {"name": 1, "mons": []}});
        let expected = [
            "inventory.name has another type",
            "inventory.size is missing",
            "inventory.mons is missing",
        ];
        assert_eq!(said(example, poor), expected);
    }

    #[test]
    fn lists_and_maps() {
        let one = json!({"rows": [{"a": 1, "b": 2}]});
        assert!(said(one.clone(), json!({"rows": [{"a": 1}, {"a": 1, "b": 1}]})).is_empty());
        assert_eq!(said(one, json!({"rows": [{"b": 1}]})), ["rows.a is missing"]);
        assert!(said(json!({"names": ["x"]}), json!({"names": []})).is_empty());
        let id = "0123456789abcdef0123456789abcdef";
        let map = json!({ id: {"code": 0} });
        assert!(said(map.clone(), json!({"other": {"code": 3}})).is_empty());
        assert_eq!(said(map, json!({})).len(), 1);
    }
}
