//! Refresh: everything a plan must know, in as few requests as it takes.
//!
//! In: types, and ids of ours. Out: an [`Inventory`]. Per type one paged list, ordered by id: the
//! first page says how many there are, the others follow in parallel; or batches of ids (of owners,
//! for elements) when few of many are ours: whichever takes fewer requests. An object of ours that the pages did not show is asked for again by id
//! before it counts as gone: rows move between pages when others come and go meanwhile.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::ObserveError;
use super::own::{self, Own};
use super::reader::{Reader, all, owners_of, stopped};
use crate::inventory::{Inventory, LiveObject, Table};
use crate::provider::{Ask, Connection, Fault};
use crate::schema::{Schemas, TypeIx};
use crate::wire::decode::Page;

/// What is wanted of a type.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wanted {
    /// Objects of ours: in the state, pending, or named in the configuration. What a list does not
    /// show of them is asked for again.
    pub ids: BTreeSet<Arc<str>>,
    /// Objects that may be there without our knowing: once a list is complete, what it does not
    /// show of them is not there.
    pub hoped: BTreeSet<Arc<str>>,
    /// Attributes that cost a call per object, with the objects that they are managed of.
    pub own: Own,
    /// All objects, ours or not: to find holders of unique keys, or to import.
    pub whole: bool,
}

/// Who wants elements wants the rows that they stand in.
fn by_rows(schemas: &Schemas, want: &BTreeMap<TypeIx, Wanted>) -> BTreeMap<TypeIx, Wanted> {
    let owners: BTreeMap<TypeIx, TypeIx> = schemas.embedded().collect();
    let mut rows: BTreeMap<TypeIx, Wanted> = BTreeMap::new();
    for (ix, wanted) in want {
        let Some(owner) = owners.get(ix) else {
            let row = rows.entry(*ix).or_default();
            row.ids.extend(wanted.ids.iter().cloned());
            row.hoped.extend(wanted.hoped.iter().cloned());
            row.own.clone_from(&wanted.own);
            row.whole |= wanted.whole;
            continue;
        };
        let row = rows.entry(*owner).or_default();
        row.ids.extend(owners_of(&wanted.ids));
        row.hoped.extend(owners_of(&wanted.hoped));
        row.whole |= wanted.whole;
    }
    rows
}

/// Gives the elements that rows list tables of their own.
fn spread(schemas: &Schemas, tables: &mut BTreeMap<(Arc<str>, TypeIx), Table>, name: &Arc<str>) {
    for (ix, owner) in schemas.embedded() {
        let Some(owners) = tables.get_mut(&(name.clone(), owner)) else { continue };
        let part = schemas.get(ix).part_of.as_ref().map(|of| of.part);
        let mut elements = Vec::new();
        for (_, all) in owners
            .objects
            .iter_mut()
            .flat_map(|o| &mut o.elements)
            .filter(|(p, _)| Some(*p) == part)
        {
            elements.append(all);
        }
        tables.insert((name.clone(), ix), Table::new(elements));
    }
}

/// Reads all wanted types side by side.
///
/// # Errors
/// The first failed list in the order of types; then no table is to be believed.
pub async fn refresh(
    connection: &Connection,
    schemas: &Schemas,
    want: &BTreeMap<TypeIx, Wanted>,
) -> Result<Inventory, ObserveError> {
    let before = connection.requests();
    let want = by_rows(schemas, want);
    let mut running = tokio::task::JoinSet::new();
    for (ix, wanted) in &want {
        let (ix, wanted) = (*ix, wanted.clone());
        let reader = Reader::new(connection, schemas.get(ix));
        running.spawn(async move { (ix, filled(&reader, &wanted).await) });
    }
    let mut tables = BTreeMap::new();
    let mut failed: BTreeMap<TypeIx, Fault> = BTreeMap::new();
    while let Some(joined) = running.join_next().await {
        match joined {
            Ok((ix, Ok(table))) => _ = tables.insert((connection.name().clone(), ix), table),
            Ok((ix, Err(fault))) => _ = failed.insert(ix, fault),
            // Its type stays without a table, which is looked at below.
            Err(_) => {}
        }
    }
    for ix in want.keys() {
        if !tables.contains_key(&(connection.name().clone(), *ix)) {
            failed.entry(*ix).or_insert_with(stopped);
        }
    }
    match failed.pop_first() {
        None => {
            spread(schemas, &mut tables, connection.name());
            Ok(Inventory { tables, requests: connection.requests() - before })
        }
        Some((ix, fault)) => Err(ObserveError {
            provider: connection.name().clone(),
            kind: schemas.get(ix).name.clone(),
            fault,
        }),
    }
}

async fn filled(reader: &Reader, wanted: &Wanted) -> Result<Table, Fault> {
    let mut table = table(reader, wanted).await?;
    own::fill(reader, &mut table, &wanted.own).await?;
    Ok(table)
}

async fn table(reader: &Reader, wanted: &Wanted) -> Result<Table, Fault> {
    let all = || wanted.ids.iter().chain(&wanted.hoped);
    if !wanted.whole && reader.batches(all()) <= 1 {
        // One request, or none: no list can be cheaper.
        return Ok(Table::new(reader.by_ids(all()).await?));
    }
    let first = page(reader, 0).await?;
    let limit = reader.connection.limits().page;
    let pages = first.total.map_or(u64::MAX, |total| total.div_ceil(limit));
    let mut table = Table::default();
    if !wanted.whole {
        table = Table::new(first.rows.clone());
        let absent: Vec<_> = all().filter(|id| table.get(id).is_none()).cloned().collect();
        if reader.batches(&absent) < pages.saturating_sub(1) {
            add(&mut table, reader.by_ids(&absent).await?);
            return Ok(table);
        }
    }
    let (whole, agrees) = complete(reader, first).await?;
    add(&mut table, whole);
    let again: Vec<_> = match agrees {
        true => wanted.ids.iter().filter(|id| table.get(id).is_none()).cloned().collect(),
        false => all().cloned().collect(),
    };
    add(&mut table, reader.by_ids(&again).await?);
    Ok(table)
}

fn add(table: &mut Table, rows: Vec<LiveObject>) {
    rows.into_iter().for_each(|row| table.insert(row));
}

/// All rows of a list, in any order; read a second time when their number is not the one that the
/// server names, if they have ids to tell.
pub(super) async fn whole(reader: &Reader, has_ids: bool) -> Result<Vec<LiveObject>, Fault> {
    let first = page(reader, 0).await?;
    if !has_ids {
        return Ok(rest(reader, first).await?.0);
    }
    let (rows, _) = complete(reader, first).await?;
    Ok(Table::new(rows).objects)
}

/// All rows, and whether their number is the one that the server names. Reads everything a second
/// time when it is not.
async fn complete(reader: &Reader, first: Page) -> Result<(Vec<LiveObject>, bool), Fault> {
    let (rows, agrees) = rest(reader, first).await?;
    if agrees {
        return Ok((rows, true));
    }
    rest(reader, page(reader, 0).await?).await
}

async fn rest(reader: &Reader, first: Page) -> Result<(Vec<LiveObject>, bool), Fault> {
    let limit = reader.connection.limits().page;
    let Page { mut rows, total } = first;
    let Some(total) = total else {
        let mut start = limit;
        let mut last = rows.len() as u64;
        while last == limit {
            let next = page(reader, start).await?.rows;
            (start, last) = (start + limit, next.len() as u64);
            rows.extend(next);
        }
        return Ok((rows, true));
    };
    let starts = (1..total.div_ceil(limit)).map(|n| n * limit);
    let pages = starts.map(|start| {
        let reader = reader.clone();
        async move { page(&reader, start).await }
    });
    for page in all(pages).await? {
        rows.extend(page.rows);
    }
    let distinct = rows.iter().map(|row| &row.id).collect::<std::collections::HashSet<_>>().len();
    Ok((rows, distinct as u64 == total))
}

async fn page(reader: &Reader, start: u64) -> Result<Page, Fault> {
    let limit = reader.connection.limits().page;
    reader.ask(&[], Ask::Rows { start, limit, total: start == 0 }).await
}
