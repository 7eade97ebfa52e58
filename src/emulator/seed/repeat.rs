//! Many alike in a few lines. In: a seed as it was written. Out: the same without `count`: each
//! table of a list that has one stands there so many times, its patterns filled in.
//!
//! ```toml
//! [[zones.clusters.hosts]]
//! count        = 10000
//! name         = "kvm-{n:05}"         # kvm-00001, kvm-00002, …
//! managementIp = "{n:10.0.0.9}"       # the address so many after it: 10.0.0.10, 10.0.0.11, …
//! ```
//!
//! `from` is the first number (1 where it is absent); `index` names it in patterns, for a list
//! within a list: `{ count = 20, index = "rack", name = "rack-{rack}", hosts = [{ count = 40, name =
//! "r{rack}-{n:02}" }] }`. A pattern with a name that no `count` around it has is plain text.

use std::net::Ipv4Addr;

use serde_json::{Map, Value};

/// More than anybody means; a slip of the pen must not fill the memory.
const MOST: u64 = 1_000_000;

/// Writes out every `count`. Errors: a `count` that is no number up to a million, a pattern that
/// cannot be filled in.
pub fn expand(value: &Value) -> Result<Value, String> {
    match value {
        Value::Array(items) => {
            let mut all = Vec::with_capacity(items.len());
            for item in items {
                // What is within comes first: an inner `{n}` is that of the inner list.
                match expand(item)? {
                    Value::Object(members) if members.contains_key("count") => {
                        repeated(members, &mut all)?;
                    }
                    item => all.push(item),
                }
            }
            Ok(Value::Array(all))
        }
        Value::Object(members) => {
            let pairs = members.iter().map(|(name, value)| Ok((name.clone(), expand(value)?)));
            Ok(Value::Object(pairs.collect::<Result<_, String>>()?))
        }
        other => Ok(other.clone()),
    }
}

fn repeated(mut members: Map<String, Value>, all: &mut Vec<Value>) -> Result<(), String> {
    let count = members.shift_remove("count").and_then(|count| count.as_u64());
    let count = count.filter(|count| *count <= MOST);
    let count = count.ok_or_else(|| format!("'count' is a number from 0 to {MOST}"))?;
    let from = match members.shift_remove("from") {
        None => 1,
        Some(from) => {
            from.as_u64().filter(|from| *from <= u64::from(u32::MAX)).ok_or_else(|| {
                format!("'from' is the first number of a 'count', from 0 to {}", u32::MAX)
            })?
        }
    };
    let index = match members.shift_remove("index") {
        None => "n".to_owned(),
        Some(Value::String(name)) if !name.is_empty() => name,
        Some(_) => return Err("'index' is the name of the number in patterns, a text".to_owned()),
    };
    let template = Value::Object(members);
    for number in from..from + count {
        all.push(filled(&template, &index, number)?);
    }
    Ok(())
}

/// A copy with every pattern of this name filled in.
fn filled(value: &Value, index: &str, number: u64) -> Result<Value, String> {
    Ok(match value {
        Value::String(text) => Value::String(text_of(text, index, number)?),
        Value::Array(items) => {
            let items = items.iter().map(|item| filled(item, index, number));
            Value::Array(items.collect::<Result<_, _>>()?)
        }
        Value::Object(members) => {
            let pairs = members.iter().map(|(name, value)| {
                Ok((text_of(name, index, number)?, filled(value, index, number)?))
            });
            Value::Object(pairs.collect::<Result<_, String>>()?)
        }
        other => other.clone(),
    })
}

fn text_of(text: &str, index: &str, number: u64) -> Result<String, String> {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('{') {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        let inner = rest[1..].find('}').map(|end| &rest[1..=end]);
        let form = inner.and_then(|inner| inner.strip_prefix(index));
        match (inner, form) {
            (Some(inner), Some(form)) if form.is_empty() || form.starts_with(':') => {
                out.push_str(&formatted(form.trim_start_matches(':'), number).ok_or_else(|| {
                    format!(
                        "the pattern {{{inner}}} is not known; there are {{{index}}}, {{{index}:04}} for leading zeros and {{{index}:10.0.0.9}} for the address so many after it"
                    )
                })?);
                rest = &rest[inner.len() + 2..];
            }
            _ => {
                out.push('{');
                rest = &rest[1..];
            }
        }
    }
    out.push_str(rest);
    Ok(out)
}

/// The number as the form says: nothing, a width with leading zeros, or an address to add it to.
fn formatted(form: &str, number: u64) -> Option<String> {
    if form.is_empty() {
        return Some(number.to_string());
    }
    if let Some(width) = form.strip_prefix('0') {
        let width: usize = width.parse().ok().filter(|width| *width <= 20)?;
        return Some(format!("{number:0width$}"));
    }
    let base: Ipv4Addr = form.parse().ok()?;
    let address = u32::from(base).checked_add(u32::try_from(number).ok()?)?;
    Some(Ipv4Addr::from(address).to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn lists_within_lists_have_numbers_of_their_own() {
        let seed = json!({ "racks": [{ "count": 2, "index": "rack", "from": 0, "name": "r{rack}",
            "hosts": [{ "count": 2, "from": 9, "name": "r{rack}-{n:03}", "ip": "{n:10.0.0.250}",
                "{n}": 1, "m": { "n": "{other} {" } }] }, { "name": "{n}" }] });
        let host = |rack: u32, n: u32, ip: &str| {
            json!({ "name": format!("r{rack}-{n:03}"), "ip": ip, n.to_string(): 1,
                "m": { "n": "{other} {" } })
        };
        let rack = |rack: u32| {
            json!({ "name": format!("r{rack}"),
                "hosts": [host(rack, 9, "10.0.1.3"), host(rack, 10, "10.0.1.4")] })
        };
        assert_eq!(expand(&seed), Ok(json!({ "racks": [rack(0), rack(1), { "name": "{n}" }] })));
    }

    #[test]
    fn what_cannot_be_counted_is_refused() {
        for (item, complaint) in [
            (json!({ "count": -1 }), "'count' is a number"),
            (json!({ "count": 2_000_000 }), "'count' is a number"),
            (json!({ "count": 1, "from": "a" }), "'from' is the first number"),
            (json!({ "count": 1, "index": 3 }), "'index' is the name"),
            (json!({ "count": 1, "a": "{n:x}" }), "the pattern {n:x} is not known"),
            (json!({ "count": 1, "a": "{n:255.255.255.255}" }), "is not known"),
            (json!({ "count": 1, "a": "{n:0999}" }), "is not known"),
        ] {
            let error = expand(&json!([item])).expect_err("refused");
            assert!(error.contains(complaint), "{error}");
        }
    }
}
