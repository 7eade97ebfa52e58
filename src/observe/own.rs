//! Attributes that the list of objects does not have: one call per object and attribute, made only
//! for objects whose configuration sets the attribute.
//!
//! In: ids of one type. Out: values in rows that were read before. A failed call is a [`Fault`],
//! never "there is no value".

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::reader::{Reader, all};
use crate::inventory::{LiveObject, Table};
use crate::provider::{Fault, FaultKind};
use crate::schema::{AttrIx, Piece};
use crate::value::Value;
use crate::wire::fill::Path;
use crate::wire::{Method, Request};

/// Objects to read an attribute of.
pub type Own = BTreeMap<AttrIx, BTreeSet<Arc<str>>>;

/// Reads these attributes of objects that the table has.
///
/// # Errors
/// A call failed.
pub async fn fill(reader: &Reader, table: &mut Table, own: &Own) -> Result<(), Fault> {
    let there = own.iter().flat_map(|(ix, ids)| ids.iter().map(move |id| (*ix, id)));
    let there = there.filter(|(_, id)| table.get(id).is_some());
    let calls: Vec<_> = there.map(|(ix, id)| one(reader.clone(), ix, id.clone())).collect();
    let mut rows: BTreeMap<Arc<str>, LiveObject> = BTreeMap::new();
    for (ix, id, value) in all(calls).await? {
        let row = rows.remove(&id).or_else(|| table.get(&id).cloned());
        if let Some(mut row) = row {
            row.attrs[usize::from(ix.0)] = value;
            rows.insert(id, row);
        }
    }
    rows.into_values().for_each(|row| table.insert(row));
    Ok(())
}

/// Reads these attributes of one object.
///
/// # Errors
/// A call failed.
pub async fn fill_one(
    reader: &Reader,
    mut row: LiveObject,
    own: &[AttrIx],
) -> Result<LiveObject, Fault> {
    let calls: Vec<_> = own.iter().map(|ix| one(reader.clone(), *ix, row.id.clone())).collect();
    for (ix, _, value) in all(calls).await? {
        row.attrs[usize::from(ix.0)] = value;
    }
    Ok(row)
}

async fn one(reader: Reader, ix: AttrIx, id: Arc<str>) -> Result<(AttrIx, Arc<str>, Value), Fault> {
    let Some(read) = &reader.ty.attr(ix).read else { return Ok((ix, id, Value::Null)) };
    let hole = |piece: &Piece| matches!(piece, Piece::Id).then(|| id.to_string());
    let path = Path::from_pieces(&read.target.path, hole)?.finish();
    let request = Request { method: Method::Get, path, body: None };
    let body = match reader.connection.read(&request).await {
        Ok(body) => body,
        // Deleted since the list was read: what is there now is found out by the next list.
        Err(fault) if fault.kind == FaultKind::Gone => return Ok((ix, id, Value::Null)),
        Err(fault) => return Err(fault),
    };
    let value = reader.decoder.own(ix, &body);
    let value = value.map_err(|e| Fault::new(FaultKind::Invalid, e.to_string()))?;
    Ok((ix, id, value))
}
