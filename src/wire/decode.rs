//! Rows of list replies → live objects, normalised so that comparing is `==`.
//!
//! In: the bytes of a page, or one row as JSON. Out: [`Page`]s of [`LiveObject`]s. A page is read
//! in one pass, straight into rows; members that the schema does not name are skipped unread, so
//! that neither the reply's own `schema` (as large as the rows) nor a secret is ever built.
//! Knows no provider by name: what is common to all types of one is a [`Convention`].

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::sync::Arc;

use serde::de::{
    Deserialize as _, DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, Visitor,
};

use super::secrets;
use crate::inventory::{LiveObject, element_id};
use crate::schema::{AttrIx, IdRule, LinkIx, OWNER, PartIx, ResourceType, Row, Side};
use crate::value::Value;

mod element;
mod value;
#[cfg(test)]
mod tests;

use value::{Idents, Scalar, Shape};

/// What the replies of a provider have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Convention {
    /// Member that holds an object's id.
    pub id: &'static str,
    /// Member of a page that holds its rows, where no schema says so.
    pub rows: &'static str,
    /// Member of a page that holds the number of all objects.
    pub total: &'static str,
}

impl Convention {
    /// ZStack: reference 1.7 and 2c.
    pub const ZSTACK: Self = Self { id: "uuid", rows: "inventories", total: "total" };
    /// Huawei Cloud SMS and CBR: reference 1.2.
    pub const HUAWEI: Self = Self { id: "id", rows: "items", total: "count" };

    /// The convention of a schema's provider. This is the one place that tells where ids stand in
    /// replies; a type whose id is an attribute (`id = "attr:x"`) has it there instead.
    pub fn of(provider: &str) -> Self {
        if provider == "zstack" { Self::ZSTACK } else { Self::HUAWEI }
    }
}

/// One page of a list.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Page {
    pub rows: Vec<LiveObject>,
    /// Number of all objects, when the reply says it.
    pub total: Option<u64>,
}

/// A reply that is not what the API promises.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the server's list of {kind} objects cannot be read: {reason}")]
pub struct DecodeError {
    pub kind: Arc<str>,
    pub reason: String,
}

/// Reads the rows of one type. Cheap to use again, so made once per type and run.
#[derive(Clone, Debug)]
pub struct RowDecoder {
    ty: Arc<ResourceType>,
    /// What each member of a row is for. Sensitive and write-only attributes are not in it.
    slots: HashMap<Box<str>, Vec<Slot>>,
    convention: Convention,
}

/// What a member of a row is for; one member can serve more than one.
#[derive(Clone, Debug)]
enum Slot {
    Id,
    Attr(AttrIx),
    /// The value at this pointer below the member.
    Inner(AttrIx, String),
    /// The ids at this path below the member.
    Link(LinkIx, Vec<Box<str>>),
    /// Elements of a part.
    Part(PartIx, Arc<RowDecoder>),
}

impl RowDecoder {
    pub fn new(ty: &Arc<ResourceType>) -> Self {
        let convention = Convention::of(&ty.provider);
        let mut slots: HashMap<Box<str>, Vec<Slot>> = HashMap::new();
        let mut add = |name: &str, slot| slots.entry(name.into()).or_default().push(slot);
        match &ty.id {
            IdRule::Attr(ix) => add(&ty.attr(*ix).wire_read, Slot::Id),
            IdRule::Client { .. } | IdRule::Server { .. } | IdRule::Found | IdRule::Row => {
                add(convention.id, Slot::Id);
            }
            IdRule::None => {}
            // Made of its owner's id and its key once the row is read.
            IdRule::Part => {}
        }
        let readable = |a: &crate::schema::Attribute| {
            !a.sensitive
                && a.read.is_none()
                && !a.write_only
                && !a.wire_read.is_empty()
                && a.read.is_none()
                && !secrets::is_secret(&a.wire_read)
        };
        for (ix, attr) in ty.attrs().filter(|(_, a)| readable(a)) {
            match attr.wire_read.split_once('/') {
                Some((member, inner)) => add(member, Slot::Inner(ix, format!("/{inner}"))),
                None => add(&attr.wire_read, Slot::Attr(ix)),
            }
        }
        for (ix, link) in ty.links() {
            if let Side::Owner { wire, .. } = &link.side {
                let mut path = wire.split('/').filter(|s| !s.is_empty());
                if let Some(member) = path.next() {
                    add(member, Slot::Link(ix, path.map(Into::into).collect()));
                }
            }
        }
        for (ix, part) in ty.parts().filter(|(_, p)| !p.listed()) {
            let slot = Slot::Part(ix, Arc::new(Self::new(&part.element)));
            slots.entry((*part.wire_read).into()).or_default().push(slot);
        }
        Self { ty: ty.clone(), slots, convention }
    }

    /// Reads a page `{"inventories": [...], "total": N}`; the member that holds the rows is the
    /// schema's. A reply that is its own row is a page of one.
    ///
    /// # Errors
    /// [`DecodeError`] when it is no JSON, has no rows, or a row is not what the schema says.
    pub fn page(&self, body: &[u8]) -> Result<Page, DecodeError> {
        let mut json = serde_json::Deserializer::from_slice(body);
        if self.ty.read.whole() {
            let mut shared = Shared::new(&self.ty);
            let row = RowSeed { decoder: self, shared: &mut shared }.deserialize(&mut json);
            let rows = vec![row.map_err(|e| self.error(&e))?];
            json.end().map_err(|e| self.error(&e))?;
            return Ok(Page { rows, total: None });
        }
        let page = PageSeed { decoder: self, shared: Shared::new(&self.ty) };
        let page = page.deserialize(&mut json).map_err(|e| self.error(&e))?;
        json.end().map_err(|e| self.error(&e))?;
        Ok(page)
    }

    /// Reads one object.
    ///
    /// # Errors
    /// [`DecodeError`] when it is not what the schema says.
    pub fn object(&self, row: &serde_json::Value) -> Result<LiveObject, DecodeError> {
        let mut shared = Shared::new(&self.ty);
        RowSeed { decoder: self, shared: &mut shared }.deserialize(row).map_err(|e| self.error(&e))
    }

    /// Reads the reply of an attribute's own call: `{"state": "Enabled"}`.
    ///
    /// # Errors
    /// [`DecodeError`] when it is no object, or the value is not what the schema says.
    pub fn own(&self, ix: AttrIx, body: &[u8]) -> Result<Value, DecodeError> {
        let attr = self.ty.attr(ix);
        let member = attr.read.as_ref().map_or(&attr.wire_read, |own| &own.reply);
        let reply: HashMap<String, serde_json::Value> =
            serde_json::from_slice(body).map_err(|e| self.error(&e))?;
        let Some(value) = reply.get(&**member) else { return Ok(Value::Null) };
        let shape = Shape { name: &attr.name, kind: &attr.kind };
        let mut shared = Shared::new(&self.ty);
        let value = Scalar { shape, attr: ix, shared: &mut shared }.deserialize(value);
        value.map_err(|e| self.error(&e))
    }

    fn error(&self, error: &serde_json::Error) -> DecodeError {
        DecodeError { kind: self.ty.name.clone(), reason: error.to_string() }
    }
}

/// Reads one object of a type; a [`RowDecoder`] is cheaper for many.
///
/// # Errors
/// [`DecodeError`] when it is not what the schema says.
pub fn decode(ty: &Arc<ResourceType>, row: &serde_json::Value) -> Result<LiveObject, DecodeError> {
    RowDecoder::new(ty).object(row)
}

/// Texts that repeat from row to row: states, versions and ids of parents are kept once a page.
struct Shared {
    /// The last text of each attribute.
    last: Vec<Option<Arc<str>>>,
    ids: HashSet<Arc<str>>,
}

impl Shared {
    fn new(ty: &ResourceType) -> Self {
        Self { last: vec![None; ty.attrs.len()], ids: HashSet::new() }
    }
    fn text(&mut self, attr: AttrIx, text: &str) -> Arc<str> {
        let last = &mut self.last[usize::from(attr.0)];
        match last {
            Some(known) if **known == *text => known.clone(),
            _ => last.insert(text.into()).clone(),
        }
    }
    fn id(&mut self, text: &str) -> Arc<str> {
        if let Some(known) = self.ids.get(text) {
            return known.clone();
        }
        let id: Arc<str> = text.into();
        self.ids.insert(id.clone());
        id
    }
}

struct PageSeed<'a> {
    decoder: &'a RowDecoder,
    shared: Shared,
}

impl<'de> DeserializeSeed<'de> for PageSeed<'_> {
    type Value = Page;
    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Page, D::Error> {
        from.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for PageSeed<'_> {
    type Value = Page;
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "an object with `{}`", self.decoder.ty.read.reply)
    }
    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<Page, A::Error> {
        let (rows_at, total_at) = (&*self.decoder.ty.read.reply, self.decoder.convention.total);
        let mut rows = None;
        let mut total = None;
        while let Some(member) = map.next_key::<std::borrow::Cow<'de, str>>()? {
            if member == rows_at {
                let seed = RowsSeed { decoder: self.decoder, shared: &mut self.shared };
                rows = Some(map.next_value_seed(seed)?);
            } else if member == total_at {
                // Whole doubles are numbers here too (reference 1.8).
                total = map.next_value::<Value>()?.as_int().and_then(|n| u64::try_from(n).ok());
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        let rows = rows.ok_or_else(|| A::Error::custom(format_args!("no `{rows_at}` in it")))?;
        Ok(Page { rows, total })
    }
}

struct RowsSeed<'a> {
    decoder: &'a RowDecoder,
    shared: &'a mut Shared,
}

impl<'de> DeserializeSeed<'de> for RowsSeed<'_> {
    type Value = Vec<LiveObject>;
    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Self::Value, D::Error> {
        from.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for RowsSeed<'_> {
    type Value = Vec<LiveObject>;
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of objects")
    }
    fn visit_seq<A: serde::de::SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        let mut rows = Vec::new();
        let Self { decoder, shared } = self;
        while let Some(row) = seq.next_element_seed(RowSeed { decoder, shared })? {
            rows.push(row);
        }
        Ok(rows)
    }
}

struct RowSeed<'a> {
    decoder: &'a RowDecoder,
    shared: &'a mut Shared,
}

impl<'de> DeserializeSeed<'de> for RowSeed<'_> {
    type Value = LiveObject;
    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<LiveObject, D::Error> {
        from.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for RowSeed<'_> {
    type Value = LiveObject;
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a {} object", self.decoder.ty.name)
    }
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<LiveObject, A::Error> {
        let mut draft = Draft {
            id: None,
            attrs: self.decoder.ty.empty_row(),
            links: Vec::new(),
            elements: Vec::new(),
        };
        while let Some(slots) = map.next_key_seed(MemberSeed(self.decoder))? {
            let mut target =
                Target { ty: &self.decoder.ty, draft: &mut draft, shared: self.shared };
            match slots {
                None => _ = map.next_value::<IgnoredAny>()?,
                Some([slot]) => map.next_value_seed(SlotSeed { slot, target: &mut target })?,
                Some(slots) => {
                    let json: serde_json::Value = map.next_value()?;
                    for slot in slots {
                        SlotSeed { slot, target: &mut target }
                            .deserialize(&json)
                            .map_err(A::Error::custom)?;
                    }
                }
            }
        }
        let ty = &self.decoder.ty;
        if ty.id == IdRule::Part {
            // Its owner, if only the owner's row lists it, is put in there (`element`).
            let owner = draft.attrs[usize::from(OWNER.0)].as_str().unwrap_or_default();
            draft.id = ty.part_key(&draft.attrs).map(|key| element_id(owner, &key));
        }
        let id = match (draft.id, &ty.id) {
            (Some(id), _) => id,
            (None, IdRule::None) => "".into(),
            (None, _) => return Err(A::Error::custom("an object has no id")),
        };
        let mut elements = draft.elements;
        element::adopt(&id, &mut elements);
        Ok(LiveObject { id, attrs: draft.attrs, links: draft.links.into(), elements })
    }
}

/// A row under construction.
struct Draft {
    id: Option<Arc<str>>,
    attrs: Row,
    links: Vec<(LinkIx, Vec<Arc<str>>)>,
    elements: Vec<(PartIx, Vec<LiveObject>)>,
}

struct Target<'a> {
    ty: &'a ResourceType,
    draft: &'a mut Draft,
    shared: &'a mut Shared,
}

/// Looks a member's name up without keeping it.
struct MemberSeed<'a>(&'a RowDecoder);

impl<'de, 'a> DeserializeSeed<'de> for MemberSeed<'a> {
    type Value = Option<&'a [Slot]>;
    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Self::Value, D::Error> {
        from.deserialize_identifier(self)
    }
}

impl<'a> Visitor<'_> for MemberSeed<'a> {
    type Value = Option<&'a [Slot]>;
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a member name")
    }
    fn visit_str<E>(self, name: &str) -> Result<Self::Value, E> {
        Ok(self.0.slots.get(name).map(Vec::as_slice))
    }
}

struct SlotSeed<'a, 'b> {
    slot: &'a Slot,
    target: &'a mut Target<'b>,
}

impl<'de> DeserializeSeed<'de> for SlotSeed<'_, '_> {
    type Value = ();
    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<(), D::Error> {
        let Target { ty, draft, shared } = self.target;
        match self.slot {
            Slot::Id => {
                let mut ids = Vec::new();
                Idents { path: &[], found: &mut ids, shared }.deserialize(from)?;
                draft.id = ids.pop().filter(|id| !id.is_empty());
            }
            Slot::Attr(ix) => {
                let attr = ty.attr(*ix);
                let shape = Shape { name: &attr.name, kind: &attr.kind };
                let value = Scalar { shape, attr: *ix, shared }.deserialize(from)?;
                draft.attrs[usize::from(ix.0)] = value;
            }
            Slot::Inner(ix, pointer) => {
                let attr = ty.attr(*ix);
                let json = serde_json::Value::deserialize(from)?;
                let shape = Shape { name: &attr.name, kind: &attr.kind };
                let inner = json.pointer(pointer).unwrap_or(&serde_json::Value::Null);
                let value = Scalar { shape, attr: *ix, shared }.deserialize(inner);
                draft.attrs[usize::from(ix.0)] = value.map_err(D::Error::custom)?;
            }
            Slot::Link(ix, path) => {
                let mut found = Vec::new();
                Idents { path, found: &mut found, shared }.deserialize(from)?;
                found.sort();
                found.dedup();
                draft.links.push((*ix, found));
            }
            Slot::Part(ix, decoder) => {
                let rows = element::Elements { decoder, shared: &mut Shared::new(&decoder.ty) };
                draft.elements.push((*ix, rows.deserialize(from)?));
            }
        }
        Ok(())
    }
}
