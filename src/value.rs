//! Values of attributes: what TOML, expressions, live rows and the state are turned into.
//!
//! In and out: [`Value`]. Shared strings, lists and maps: a clone never copies text. A value can
//! be sensitive (never shown, stored or sent to a log) and can be an id that is not known before
//! apply. Knows nothing of schemas, files or the wire.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use serde::ser::{SerializeMap, SerializeSeq};

use crate::address::Address;

/// A value of an attribute, variable or expression.
#[derive(Clone, PartialEq, Default)]
pub enum Value {
    /// Absent: for an attribute, "not managed".
    #[default]
    Null,
    Bool(bool),
    Int(i64),
    Float(f64),
    Str(Arc<str>),
    List(Arc<Vec<Value>>),
    Map(Arc<BTreeMap<Arc<str>, Value>>),
    /// A whole object of the configuration: what a `ref` attribute holds, and what an expression
    /// such as `zone.east` yields. Its id may not be known yet.
    Object(Address),
    /// The id of an object of the configuration (`zone.east.id`), known or not.
    Id(Address),
    /// An object that was looked up (`data.zone.main`).
    Found(Arc<Found>),
    /// A secret. Never displayed or serialised; equality looks inside.
    Sensitive(Arc<Value>),
}

/// An object that a `[data.TYPE.LABEL]` table found. Used whole it stands for its id.
#[derive(Clone, Debug, PartialEq)]
pub struct Found {
    /// Its type.
    pub kind: Arc<str>,
    /// Empty where objects of the type have none.
    pub id: Arc<str>,
    /// Every attribute that can be read, absent ones as [`Value::Null`]. `None`: the object is not
    /// looked up, because the configuration is only judged.
    pub attrs: Option<BTreeMap<Arc<str>, Value>>,
}

/// Why a sensitive value cannot be serialised: a bug in the caller, stopped here.
const REFUSED: &str = "a sensitive value must not be serialised";

impl Value {
    pub fn str(text: &str) -> Self {
        Self::Str(text.into())
    }
    pub fn list(items: Vec<Value>) -> Self {
        Self::List(Arc::new(items))
    }
    pub fn map(items: BTreeMap<Arc<str>, Value>) -> Self {
        Self::Map(Arc::new(items))
    }

    /// The normal form of a set: sorted, each value once, so that equal sets are `==`.
    pub fn set(mut items: Vec<Value>) -> Self {
        items.sort_by(Self::canonical_cmp);
        items.dedup();
        Self::list(items)
    }
    /// A total order for normal forms: by kind, then by content. Means nothing to people.
    pub fn canonical_cmp(&self, other: &Self) -> std::cmp::Ordering {
        match (self, other) {
            (Self::Bool(a), Self::Bool(b)) => a.cmp(b),
            (Self::Int(a), Self::Int(b)) => a.cmp(b),
            (Self::Float(a), Self::Float(b)) => a.total_cmp(b),
            (Self::Str(a), Self::Str(b)) => a.cmp(b),
            (Self::Object(a), Self::Object(b)) | (Self::Id(a), Self::Id(b)) => a.cmp(b),
            (Self::Sensitive(a), Self::Sensitive(b)) => a.canonical_cmp(b),
            (Self::Found(a), Self::Found(b)) => (&a.kind, &a.id).cmp(&(&b.kind, &b.id)),
            (Self::List(a), Self::List(b)) => cmp_all(a.iter(), b.iter(), Self::canonical_cmp),
            (Self::Map(a), Self::Map(b)) => cmp_all(a.iter(), b.iter(), |(ka, va), (kb, vb)| {
                ka.cmp(kb).then_with(|| va.canonical_cmp(vb))
            }),
            _ => self.rank().cmp(&other.rank()),
        }
    }
    fn rank(&self) -> u8 {
        match self {
            Self::Null => 0,
            Self::Bool(_) => 1,
            Self::Int(_) => 2,
            Self::Float(_) => 3,
            Self::Str(_) => 4,
            Self::List(_) => 5,
            Self::Map(_) => 6,
            Self::Object(_) => 7,
            Self::Id(_) => 8,
            Self::Found(_) => 9,
            Self::Sensitive(_) => 10,
        }
    }

    /// Marks a value as secret; marking twice is marking once.
    #[must_use]
    pub fn sensitive(self) -> Self {
        match self {
            Self::Sensitive(_) => self,
            other => Self::Sensitive(Arc::new(other)),
        }
    }
    /// Whether this value or anything in it is secret.
    pub fn is_sensitive(&self) -> bool {
        match self {
            Self::Sensitive(_) => true,
            Self::List(items) => items.iter().any(Self::is_sensitive),
            Self::Map(items) => items.values().any(Self::is_sensitive),
            _ => false,
        }
    }
    /// Whether lists and maps in it are nested deeper than some levels, or hold more than some
    /// values, counting what is shared as often as it stands there: whoever walks over it would.
    pub fn exceeds(&self, levels: u32, values: u64) -> bool {
        let mut left = values;
        self.spend(levels, &mut left).is_none()
    }
    fn spend(&self, levels: u32, left: &mut u64) -> Option<()> {
        *left = left.checked_sub(1)?;
        match self {
            Self::List(items) => {
                let below = levels.checked_sub(1)?;
                items.iter().try_for_each(|item| item.spend(below, left))
            }
            Self::Map(items) => {
                let below = levels.checked_sub(1)?;
                items.values().try_for_each(|item| item.spend(below, left))
            }
            Self::Sensitive(inner) => inner.spend(levels, left),
            _ => Some(()),
        }
    }
    /// The value under the outermost sensitive mark.
    pub fn reveal(&self) -> &Value {
        match self {
            Self::Sensitive(inner) => inner,
            other => other,
        }
    }
    /// The value without any mark: for who asked for a secret by name.
    #[must_use]
    pub fn revealed(self) -> Self {
        match self {
            Self::Sensitive(inner) => (*inner).clone().revealed(),
            Self::List(items) => Self::list(items.iter().cloned().map(Self::revealed).collect()),
            Self::Map(items) => Self::map(
                items.iter().map(|(key, item)| (key.clone(), item.clone().revealed())).collect(),
            ),
            plain => plain,
        }
    }
    pub fn is_null(&self) -> bool {
        matches!(self.reveal(), Self::Null)
    }
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::Str(text) => Some(text),
            _ => None,
        }
    }
    pub fn as_int(&self) -> Option<i64> {
        match self {
            Self::Int(n) => Some(*n),
            _ => None,
        }
    }
    pub fn as_bool(&self) -> Option<bool> {
        match self {
            Self::Bool(b) => Some(*b),
            _ => None,
        }
    }
    pub fn as_list(&self) -> Option<&[Value]> {
        match self {
            Self::List(items) => Some(items),
            _ => None,
        }
    }
    /// A number from a double; a whole one becomes an integer.
    pub fn from_float(number: f64) -> Self {
        whole(Some(number))
    }
    /// The word for this kind of value in messages.
    pub fn kind_name(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "a boolean",
            Self::Int(_) => "an integer",
            Self::Float(_) => "a number",
            Self::Str(_) => "a string",
            Self::List(_) => "a list",
            Self::Map(_) => "a map",
            Self::Object(_) | Self::Found(_) => "an object",
            Self::Id(_) => "an id",
            Self::Sensitive(inner) => inner.kind_name(),
        }
    }

    /// A value from JSON; numbers that are whole become integers (`3260.0` too, as some servers
    /// write them).
    pub fn from_json(json: &serde_json::Value) -> Self {
        use serde_json::Value as Json;
        match json {
            Json::Null => Self::Null,
            Json::Bool(b) => Self::Bool(*b),
            Json::Number(n) => n.as_i64().map_or_else(|| whole(n.as_f64()), Self::Int),
            Json::String(s) => Self::str(s),
            Json::Array(items) => Self::list(items.iter().map(Self::from_json).collect()),
            Json::Object(items) => Self::map(
                items.iter().map(|(k, v)| (k.as_str().into(), Self::from_json(v))).collect(),
            ),
        }
    }
}

/// Lexicographic order of two sequences.
fn cmp_all<T>(
    a: impl Iterator<Item = T>,
    mut b: impl Iterator<Item = T>,
    cmp: impl Fn(T, T) -> std::cmp::Ordering,
) -> std::cmp::Ordering {
    for left in a {
        match b.next().map_or(std::cmp::Ordering::Greater, |right| cmp(left, right)) {
            std::cmp::Ordering::Equal => {}
            unequal => return unequal,
        }
    }
    b.next().map_or(std::cmp::Ordering::Equal, |_| std::cmp::Ordering::Less)
}

/// 2^53: beyond it a double no longer holds every integer.
const EXACT: f64 = 9_007_199_254_740_992.0;

#[allow(clippy::cast_possible_truncation)] // guarded: whole and within ±2^53
fn whole(number: Option<f64>) -> Value {
    match number {
        Some(n) if n.fract() == 0.0 && n.abs() <= EXACT => Value::Int(n as i64),
        Some(n) => Value::Float(n),
        None => Value::Null,
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::str(text)
    }
}
impl From<i64> for Value {
    fn from(n: i64) -> Self {
        Self::Int(n)
    }
}
impl From<bool> for Value {
    fn from(b: bool) -> Self {
        Self::Bool(b)
    }
}

/// As people read it in a plan or message: strings quoted, secrets masked.
impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("null"),
            Self::Bool(b) => write!(f, "{b}"),
            Self::Int(n) => write!(f, "{n}"),
            Self::Float(n) => write!(f, "{n}"),
            Self::Str(text) => write!(f, "{text:?}"),
            Self::List(items) => {
                f.write_str("[")?;
                for (i, item) in items.iter().enumerate() {
                    if i > 0 {
                        f.write_str(", ")?;
                    }
                    write!(f, "{item}")?;
                }
                f.write_str("]")
            }
            Self::Map(items) => {
                f.write_str("{")?;
                for (i, (key, item)) in items.iter().enumerate() {
                    let comma = if i > 0 { ", " } else { " " };
                    write!(f, "{comma}{key} = {item}")?;
                }
                f.write_str(" }")
            }
            Self::Object(address) => write!(f, "{address}"),
            Self::Id(address) => write!(f, "{address}.id"),
            Self::Found(found) => write!(f, "{} {}", found.kind, found.id),
            Self::Sensitive(_) => f.write_str("(sensitive)"),
        }
    }
}

/// The same as displayed: a debug line must not leak a secret either.
impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Plain JSON; an object or id is its address. Refuses secrets.
impl serde::Serialize for Value {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Null => to.serialize_unit(),
            Self::Bool(b) => to.serialize_bool(*b),
            Self::Int(n) => to.serialize_i64(*n),
            Self::Float(n) => to.serialize_f64(*n),
            Self::Str(text) => to.serialize_str(text),
            Self::List(items) => {
                let mut seq = to.serialize_seq(Some(items.len()))?;
                for item in items.iter() {
                    seq.serialize_element(item)?;
                }
                seq.end()
            }
            Self::Map(items) => {
                let mut map = to.serialize_map(Some(items.len()))?;
                for (key, item) in items.iter() {
                    map.serialize_entry(&**key, item)?;
                }
                map.end()
            }
            Self::Object(address) => to.serialize_str(address.as_str()),
            Self::Id(address) => to.collect_str(&format_args!("{address}.id")),
            Self::Found(found) => to.serialize_str(&found.id),
            Self::Sensitive(_) => Err(serde::ser::Error::custom(REFUSED)),
        }
    }
}

impl<'de> serde::Deserialize<'de> for Value {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(ValueVisitor)
    }
}

struct ValueVisitor;

impl<'de> serde::de::Visitor<'de> for ValueVisitor {
    type Value = Value;
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }
    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }
    fn visit_bool<E>(self, b: bool) -> Result<Value, E> {
        Ok(Value::Bool(b))
    }
    fn visit_i64<E>(self, n: i64) -> Result<Value, E> {
        Ok(Value::Int(n))
    }
    fn visit_u64<E>(self, n: u64) -> Result<Value, E> {
        #[allow(clippy::cast_precision_loss)] // beyond i64 a number is only ever shown
        Ok(i64::try_from(n).map_or(Value::Float(n as f64), Value::Int))
    }
    fn visit_f64<E>(self, n: f64) -> Result<Value, E> {
        Ok(whole(Some(n)))
    }
    fn visit_str<E>(self, text: &str) -> Result<Value, E> {
        Ok(Value::str(text))
    }
    fn visit_seq<A: serde::de::SeqAccess<'de>>(self, mut seq: A) -> Result<Value, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = seq.next_element()? {
            items.push(item);
        }
        Ok(Value::list(items))
    }
    fn visit_map<A: serde::de::MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let mut items = BTreeMap::new();
        while let Some((key, item)) = map.next_entry::<String, Value>()? {
            items.insert(key.into(), item);
        }
        Ok(Value::map(items))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_small() {
        assert!(size_of::<Value>() <= 24);
    }

    #[test]
    fn secrets_are_neither_shown_nor_serialised() {
        let secret = Value::list(vec![Value::str("hunter2").sensitive()]);
        assert!(secret.is_sensitive());
        assert!(!secret.to_string().contains("hunter2"));
        assert!(serde_json::to_string(&secret).is_err());
    }

    #[test]
    fn equal_sets_have_one_form() {
        let a = Value::set(vec!["b".into(), 2.into(), "a".into(), "b".into()]);
        let b = Value::set(vec!["a".into(), "b".into(), "a".into(), 2.into()]);
        assert_eq!(a, b);
        assert_eq!(a.to_string(), "[2, \"a\", \"b\"]");
        let nested = |x: &str| Value::list(vec![x.into(), 1.into()]);
        assert_eq!(
            Value::set(vec![nested("b"), nested("a")]),
            Value::set(vec![nested("a"), nested("b")])
        );
    }

    #[test]
    fn whole_doubles_are_integers() {
        let json = serde_json::json!({"port": 3260.0, "load": 0.5});
        let text = Value::from_json(&json).to_string();
        assert_eq!(text, "{ load = 0.5, port = 3260 }");
    }
}
