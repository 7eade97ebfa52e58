//! JSON → one attribute's value or the ids of a link, by what the schema says it is.
//!
//! In: a JSON value within a row. Out: [`Value`]s in normal form: integers from doubles and
//! decimal texts (reference 1.8), sets sorted, absent members `Null`. What does not fit is an
//! error that names the attribute and never the value.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::Shared;
use crate::schema::{AttrIx, Kind};
use crate::value::Value;
use crate::wire::secrets;

/// What a value must be.
#[derive(Clone, Copy)]
pub(super) struct Shape<'a> {
    /// The attribute, for messages.
    pub name: &'a str,
    pub kind: &'a Kind,
}

impl Shape<'_> {
    fn misfit<E: Error>(&self, found: &str) -> E {
        E::custom(format_args!("attribute `{}` is {found}", self.name))
    }
}

/// Reads a value of this shape.
pub(super) struct Scalar<'a> {
    pub shape: Shape<'a>,
    /// The top-level attribute that it belongs to.
    pub attr: AttrIx,
    pub shared: &'a mut Shared,
}

impl<'a> Scalar<'a> {
    fn again<'b>(&'b mut self, kind: &'b Kind) -> Scalar<'b>
    where
        'a: 'b,
    {
        let shape = Shape { name: self.shape.name, kind };
        Scalar { shape, attr: self.attr, shared: self.shared }
    }
    fn number<E: Error>(self, number: Value) -> Result<Value, E> {
        match (self.shape.kind, number) {
            (Kind::Int | Kind::Bytes, n @ Value::Int(_)) => Ok(n),
            (Kind::Text, n @ (Value::Int(_) | Value::Float(_))) => Ok(Value::str(&n.to_string())),
            _ => Err(self.shape.misfit("a number")),
        }
    }
}

impl<'de> DeserializeSeed<'de> for Scalar<'_> {
    type Value = Value;
    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Value, D::Error> {
        from.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Scalar<'_> {
    type Value = Value;
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the value of `{}`", self.shape.name)
    }
    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }
    fn visit_bool<E: Error>(self, b: bool) -> Result<Value, E> {
        match self.shape.kind {
            Kind::Bool => Ok(Value::Bool(b)),
            Kind::Text => Ok(Value::str(if b { "true" } else { "false" })),
            _ => Err(self.shape.misfit("a boolean")),
        }
    }
    fn visit_i64<E: Error>(self, n: i64) -> Result<Value, E> {
        self.number(Value::Int(n))
    }
    fn visit_u64<E: Error>(self, n: u64) -> Result<Value, E> {
        self.number(i64::try_from(n).map_or(Value::Null, Value::Int))
    }
    fn visit_f64<E: Error>(self, n: f64) -> Result<Value, E> {
        self.number(
            serde_json::Number::from_f64(n)
                .map_or(Value::Null, |n| Value::from_json(&serde_json::Value::Number(n))),
        )
    }
    fn visit_str<E: Error>(self, text: &str) -> Result<Value, E> {
        match self.shape.kind {
            Kind::Text | Kind::Host | Kind::Path => {
                Ok(Value::Str(self.shared.text(self.attr, text)))
            }
            Kind::Ref(_) => Ok(Value::Str(self.shared.id(text))),
            Kind::Int | Kind::Bytes => match text.trim().parse() {
                Ok(n) => Ok(Value::Int(n)),
                Err(_) => Err(self.shape.misfit("a text that is no integer")),
            },
            Kind::Bool => match text.trim().parse() {
                Ok(b) => Ok(Value::Bool(b)),
                Err(_) => Err(self.shape.misfit("a text that is no boolean")),
            },
            Kind::Set(_) | Kind::List(_) | Kind::Object(_) => Err(self.shape.misfit("a text")),
        }
    }
    fn visit_seq<A: SeqAccess<'de>>(mut self, mut seq: A) -> Result<Value, A::Error> {
        let (Kind::Set(of) | Kind::List(of)) = self.shape.kind else {
            return Err(self.shape.misfit("a list"));
        };
        let sorted = matches!(self.shape.kind, Kind::Set(_));
        let mut items = Vec::new();
        while let Some(item) = seq.next_element_seed(self.again(of))? {
            items.push(item);
        }
        Ok(if sorted { Value::set(items) } else { Value::list(items) })
    }
    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<Value, A::Error> {
        let Kind::Object(attrs) = self.shape.kind else {
            return Err(self.shape.misfit("an object"));
        };
        let mut members = BTreeMap::new();
        while let Some(name) = map.next_key::<Cow<'de, str>>()? {
            let known = |a: &&crate::schema::Attribute| *a.wire_read == *name;
            match attrs.iter().find(known) {
                Some(a) if !a.sensitive && !a.write_only && !secrets::is_secret(&name) => {
                    let value = map.next_value_seed(self.again(&a.kind))?;
                    if !value.is_null() {
                        members.insert(a.name.clone(), value);
                    }
                }
                _ => _ = map.next_value::<IgnoredAny>()?,
            }
        }
        Ok(Value::map(members))
    }
}

/// Collects the ids at a path below a value; `*` goes over a list. An empty path takes a text, or
/// the texts of a list.
pub(super) struct Idents<'a> {
    pub path: &'a [Box<str>],
    pub found: &'a mut Vec<Arc<str>>,
    pub shared: &'a mut Shared,
}

impl Idents<'_> {
    fn below<'b>(&'b mut self, path: &'b [Box<str>]) -> Idents<'b> {
        Idents { path, found: self.found, shared: self.shared }
    }
}

impl<'de> DeserializeSeed<'de> for Idents<'_> {
    type Value = ();
    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<(), D::Error> {
        from.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Idents<'_> {
    type Value = ();
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an id or ids")
    }
    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }
    fn visit_str<E: Error>(self, id: &str) -> Result<(), E> {
        if !self.path.is_empty() {
            return Err(E::custom("a text where an object with an id belongs"));
        }
        let id = self.shared.id(id);
        self.found.push(id);
        Ok(())
    }
    fn visit_seq<A: SeqAccess<'de>>(mut self, mut seq: A) -> Result<(), A::Error> {
        let path = match self.path {
            [star, rest @ ..] if **star == *"*" => rest,
            path => path,
        };
        while seq.next_element_seed(self.below(path))?.is_some() {}
        Ok(())
    }
    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<(), A::Error> {
        let [member, rest @ ..] = self.path else {
            return Err(A::Error::custom("an object where an id belongs"));
        };
        while let Some(name) = map.next_key::<Cow<'de, str>>()? {
            if *name == **member {
                map.next_value_seed(self.below(rest))?;
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(())
    }
}
