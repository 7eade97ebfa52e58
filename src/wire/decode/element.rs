//! The elements of a part in their owner's row → live objects of their own.
//!
//! In: the member that lists them: tables, or plain values where an element has one attribute.
//! Out: rows that name their owner and have ids made of it.

use std::fmt;
use std::sync::Arc;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};

use super::value::{Scalar, Shape};
use super::{RowDecoder, RowSeed, Shared};
use crate::inventory::{LiveObject, element_id, split_element_id};
use crate::schema::{OWNER, PartIx};
use crate::value::Value;

/// Reads the list.
pub(super) struct Elements<'a> {
    pub decoder: &'a RowDecoder,
    pub shared: &'a mut Shared,
}

impl<'de> DeserializeSeed<'de> for Elements<'_> {
    type Value = Vec<LiveObject>;
    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Self::Value, D::Error> {
        from.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Elements<'_> {
    type Value = Vec<LiveObject>;
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a list of {} elements", self.decoder.ty.name)
    }
    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(Vec::new())
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        let Self { decoder, shared } = self;
        let mut rows = Vec::new();
        while let Some(row) = seq.next_element_seed(One { decoder, shared })? {
            rows.push(row);
        }
        Ok(rows)
    }
}

/// Reads one: a table, or its only value.
struct One<'a> {
    decoder: &'a RowDecoder,
    shared: &'a mut Shared,
}

impl<'de> DeserializeSeed<'de> for One<'_> {
    type Value = LiveObject;
    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Self::Value, D::Error> {
        from.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for One<'_> {
    type Value = LiveObject;
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a {} element", self.decoder.ty.name)
    }
    fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
        let ty = &self.decoder.ty;
        let Some(ix) = ty.plain() else { return Err(E::custom("a text where a table belongs")) };
        let shape = Shape { name: &ty.attr(ix).name, kind: &ty.attr(ix).kind };
        let mut attrs = ty.empty_row();
        attrs[usize::from(ix.0)] =
            Scalar { shape, attr: ix, shared: self.shared }.visit_str(text)?;
        let key = ty.part_key(&attrs).unwrap_or_default();
        let (id, links) = (element_id("", &key), Box::default());
        Ok(LiveObject { id, attrs, links, elements: Vec::new() })
    }
    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
        RowSeed { decoder: self.decoder, shared: self.shared }.visit_map(map)
    }
}

/// Names the owner in the elements that its row lists.
pub(super) fn adopt(owner: &Arc<str>, elements: &mut [(PartIx, Vec<LiveObject>)]) {
    for element in elements.iter_mut().flat_map(|(_, all)| all) {
        let key = split_element_id(&element.id).map_or("", |(_, key)| key);
        element.id = element_id(owner, key);
        element.attrs[usize::from(OWNER.0)] = Value::Str(owner.clone());
    }
}
