//! Unique keys of rows, desired or live, in one spelling: so that both sides can be compared.
//!
//! In: a row and who is who. Out: [`Key`]s. Who holds and who wants them is for `conflict`.

use std::sync::Arc;

use crate::address::Address;
use crate::config::DesiredResource;
use crate::inventory::LiveObject;
use crate::plan::Inputs;
use crate::plan::known::Known;
use crate::schema::{AttrIx, Kind, ResourceType, Row, TypeIx, UniqueItem};
use crate::value::Value;

/// A key of a type: which set, and its values as text (references as ids or addresses).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Key {
    pub ty: TypeIx,
    pub set: usize,
    pub values: Vec<String>,
}

/// Whether a live object has the unique key that a resource wants.
pub fn same(
    inputs: &Inputs<'_>,
    desired: &DesiredResource,
    live: &LiveObject,
    known: &Known,
) -> bool {
    let ty = inputs.schemas.get(desired.ty);
    let wanted = keys(desired.ty, ty, &desired.attrs, known);
    let held = keys(desired.ty, ty, &live.attrs, known);
    wanted.iter().any(|key| held.contains(key))
}

/// The unique key of a live object without the references in it, for people.
pub fn own(inputs: &Inputs<'_>, ty: TypeIx, live: &LiveObject) -> Option<String> {
    let ty = inputs.schemas.get(ty);
    let own = ty.unique.first()?.iter().filter_map(|item| match item {
        UniqueItem::Attr(ix) if !matches!(ty.attr(*ix).kind, Kind::Ref(_)) => {
            live.attrs[usize::from(ix.0)].as_str()
        }
        _ => None,
    });
    Some(own.collect::<Vec<_>>().join(" "))
}

/// A member of a key, for people.
pub fn item_name(ty: &ResourceType, item: &UniqueItem) -> String {
    match item {
        UniqueItem::Attr(ix) => ty.attr(*ix).name.to_string(),
        UniqueItem::Nested(ix, path) => format!("{}/{}", ty.attr(*ix).name, path.join("/")),
        UniqueItem::Part(ix) => ty.part(*ix).name.to_string(),
    }
}

/// Names of the attributes of a key.
pub fn names(ty: &ResourceType, set: usize) -> Vec<Arc<str>> {
    set_attrs(ty, set).map(|ix| ty.attr(ix).name.clone()).collect()
}

/// The attributes of a key.
pub fn set_attrs(ty: &ResourceType, set: usize) -> impl Iterator<Item = AttrIx> + '_ {
    ty.unique.get(set).into_iter().flatten().filter_map(|item| match item {
        UniqueItem::Attr(ix) | UniqueItem::Nested(ix, _) => Some(*ix),
        UniqueItem::Part(_) => None,
    })
}

/// The complete keys of a row; a set with an absent value identifies nothing. References count
/// by the address of our object, else by id, so that both sides spell them alike.
pub fn keys(ty: TypeIx, schema: &ResourceType, row: &Row, known: &Known) -> Vec<Key> {
    let value = |item: &UniqueItem| match item {
        UniqueItem::Attr(ix) => spell(&row[usize::from(ix.0)], known),
        // Nested keys and parts come with the types that have them.
        UniqueItem::Nested(..) | UniqueItem::Part(_) => None,
    };
    schema
        .unique
        .iter()
        .enumerate()
        .filter_map(|(set, items)| {
            let values = items.iter().map(value).collect::<Option<Vec<_>>>()?;
            Some(Key { ty, set, values })
        })
        .collect()
}

/// A value in the one spelling: a reference by the address of our object, else by id.
pub(super) fn spell(value: &Value, known: &Known) -> Option<String> {
    match value.reveal() {
        Value::Str(text) => {
            Some(known.address_of(text).map_or_else(|| text.to_string(), Address::to_string))
        }
        Value::Object(address) | Value::Id(address) => Some(address.to_string()),
        Value::Int(n) => Some(n.to_string()),
        Value::Bool(b) => Some(b.to_string()),
        _ => None,
    }
}
