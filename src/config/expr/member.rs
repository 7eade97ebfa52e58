//! What is inside a value: members of maps, elements of lists, attributes of looked-up objects.
//!
//! In: a value and a name or index. Out: what stands there, or what was probably meant.

use super::{Fault, Stop, operator};
use crate::diag::nearest;
use crate::value::{Found, Value};

/// The names of an object's id.
pub(in crate::config) const ID: [&str; 2] = ["id", "uuid"];
/// How many keys of a map a message lists.
const SHOWN: usize = 10;
/// Maps with more keys are not searched for what was meant: with many mistakes that takes minutes.
const SEARCHED: usize = 1000;

/// What a splat goes over: a list's elements, secret ones of a secret, nothing for null, otherwise
/// the value alone.
pub(super) fn elements(value: &Value) -> Vec<Value> {
    match (value.reveal(), value) {
        (Value::List(items), Value::Sensitive(_)) => {
            items.iter().cloned().map(Value::sensitive).collect()
        }
        (Value::List(items), _) => items.to_vec(),
        (Value::Null, _) => Vec::new(),
        _ => vec![value.clone()],
    }
}

/// The same fault about a value that is secret: nothing that the value holds stands in it.
pub(super) fn unquoted(stop: Stop) -> Stop {
    match stop {
        Stop::Fault(fault) if fault.code == "unknown_key" => {
            let problem = "a secret has nothing of this name";
            Fault::new("unknown_key", problem).label("what it has is not shown").into()
        }
        other => other,
    }
}

/// A member of a looked-up object: an attribute, or the id under one of its names.
fn found(object: &Found, name: &str) -> Result<Value, Stop> {
    let Some(attrs) = &object.attrs else { return Err(Stop::Silent) };
    if let Some(value) = attrs.get(name) {
        return Ok(value.clone());
    }
    let kind = &object.kind;
    if ID.contains(&name) && !object.id.is_empty() {
        return Ok(Value::Str(object.id.clone()));
    }
    let fault = Fault::new("unknown_attribute", format!("`{kind}` has no attribute `{name}`"));
    Err(match nearest(name, attrs.keys().map(|k| &**k)) {
        Some(near) => fault.help(format!("did you mean `{near}`?")),
        None => fault.help(format!("`rackform schema {kind}` lists its attributes")),
    }
    .into())
}

pub(super) fn attribute(value: &Value, name: &str) -> Result<Value, Stop> {
    if let Value::Found(object) = value {
        return found(object, name);
    }
    member(value, name).map_err(Stop::from)
}

fn member(value: &Value, name: &str) -> Result<Value, Fault> {
    match value {
        Value::Map(items) => items.get(name).cloned().ok_or_else(|| {
            let fault = Fault::new("unknown_key", format!("there is no `{name}` in this map"));
            let near = match items.len() {
                ..SEARCHED => nearest(name, items.keys().map(|k| &**k)),
                _ => None,
            };
            match near {
                Some(near) => fault.help(format!("did you mean `{near}`?")),
                None => fault.help(keys(items.keys().map(|k| &**k), items.len())),
            }
        }),
        other => {
            let found = other.kind_name();
            let label = format!("this is {found}");
            Err(Fault::new("unknown_key", format!("{found} has no `.{name}`")).label(label))
        }
    }
}

/// "it has: a, b": what could have been meant.
pub fn keys<'k>(keys: impl Iterator<Item = &'k str>, count: usize) -> String {
    if count == 0 {
        return "it is empty".to_owned();
    }
    let names: Vec<_> = keys.take(SHOWN).collect();
    let more = count.saturating_sub(SHOWN);
    let rest = if more > 0 { format!(" and {more} more") } else { String::new() };
    format!("it has: {}{rest}", names.join(", "))
}

pub fn element(value: &Value, key: &Value) -> Result<Value, Fault> {
    match (value, key) {
        (Value::Map(_), Value::Str(name)) => member(value, name),
        // As in HCL, the keys of a map are texts.
        (Value::Map(_), Value::Int(n)) => member(value, &n.to_string()),
        (Value::List(items), key) => {
            let at = operator::number(key).and_then(|n| n.as_int()).ok_or_else(|| {
                Fault::new("unknown_key", format!("a list has no element {}", key.kind_name()))
            })?;
            let found = usize::try_from(at).ok().and_then(|at| items.get(at));
            found.cloned().ok_or_else(|| {
                let count = items.len();
                Fault::new("unknown_key", format!("there is no element {at} in a list of {count}"))
            })
        }
        (other, _) => {
            let found = other.kind_name();
            let label = format!("this is {found}");
            Err(Fault::new("unknown_key", format!("{found} has no elements")).label(label))
        }
    }
}
