//! Unique keys: who holds them now and who wants them.
//!
//! In: decisions and live tables. Out: findings where a key is held by an object that is not
//! ours (with the import command), and the order in which keys change hands, for `order`. Two
//! claims within the configuration are `config`'s business.

use std::collections::HashMap;
use std::sync::Arc;

use crate::address::Address;
use crate::diag::{Diagnostic, Diagnostics};
use crate::inventory::LiveObject;
use crate::plan::decide::{Decision, Draft};
use crate::plan::known::Known;
use crate::plan::{Action, Inputs};
use crate::schema::{AttrIx, ResourceType, Row, TypeIx, UniqueItem};
use crate::value::Value;

/// A key of a type: which set, and its values as text (references as ids or addresses).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Key {
    pub ty: TypeIx,
    pub set: usize,
    pub values: Vec<String>,
}

/// Finds creates and updates whose key somebody else holds.
pub fn check(inputs: &Inputs<'_>, draft: &Draft<'_>, findings: &mut Diagnostics) {
    let Some(inventory) = inputs.live else { return };
    let mut holders: HashMap<Key, Arc<str>> = HashMap::new();
    let takers: Vec<(&Decision<'_>, Vec<Key>)> = draft
        .decisions
        .iter()
        .map(|d| (d, taken(inputs, draft, d)))
        .filter(|t| !t.1.is_empty())
        .collect();
    for ty in takers
        .iter()
        .map(|(d, _)| (d.provider.clone(), d.ty))
        .collect::<std::collections::BTreeSet<_>>()
    {
        let Some(table) = inventory.table(&ty.0, ty.1) else { continue };
        let schema = inputs.schemas.get(ty.1);
        for live in &table.objects {
            if draft.known.address_of(&live.id).is_some() {
                continue;
            }
            for key in keys(ty.1, schema, &live.attrs, &draft.known) {
                holders.insert(key, live.id.clone());
            }
        }
    }
    for (decision, keys) in takers {
        for key in keys {
            if let Some(holder) = holders.get(&key) {
                let live = inventory.get(&decision.provider, decision.ty, holder);
                findings.push(held(inputs, decision, &key, live, holder));
            }
        }
    }
}

fn held(
    inputs: &Inputs<'_>,
    decision: &Decision<'_>,
    key: &Key,
    live: Option<&LiveObject>,
    holder: &str,
) -> Diagnostic {
    let ty = inputs.schemas.get(key.ty);
    let names = ty.unique[key.set].iter().map(|item| item_name(ty, item)).collect::<Vec<_>>();
    let name = live
        .and_then(|l| ty.find_attr("name").and_then(|ix| l.attrs[usize::from(ix.0)].as_str()))
        .unwrap_or("(unnamed)");
    let shown = key.values.last().map_or("", String::as_str);
    let finding = Diagnostic::error(
        "unique_key_taken",
        format!("another {} already has {} = {shown:?}", ty.name, names.join(" and ")),
    )
    .on(&decision.address)
    .detail(format!("{name:?} (id {holder}) is live and not managed here."))
    .help(format!(
        "change the value, or take the object over: rackform import '{}' {holder}",
        decision.address
    ));
    match place(decision, ty, key.set).or(decision.origin) {
        Some(span) => finding.at(span, "declared here"),
        None => finding,
    }
}

fn place(decision: &Decision<'_>, ty: &ResourceType, set: usize) -> Option<crate::diag::Span> {
    let desired = decision.desired?;
    ty.unique[set].iter().rev().find_map(|item| match item {
        UniqueItem::Attr(ix) | UniqueItem::Nested(ix, _) => {
            desired.spans.get(usize::from(ix.0)).copied().flatten()
        }
        UniqueItem::Part(_) => None,
    })
}

fn item_name(ty: &ResourceType, item: &UniqueItem) -> String {
    match item {
        UniqueItem::Attr(ix) => ty.attr(*ix).name.to_string(),
        UniqueItem::Nested(ix, path) => format!("{}/{}", ty.attr(*ix).name, path.join("/")),
        UniqueItem::Part(ix) => ty.part(*ix).name.to_string(),
    }
}

/// Keys that a change takes.
pub fn taken(inputs: &Inputs<'_>, draft: &Draft<'_>, decision: &Decision<'_>) -> Vec<Key> {
    let Some(desired) = decision.desired else { return Vec::new() };
    let ty = inputs.schemas.get(decision.ty);
    let wanted = || keys(decision.ty, ty, &desired.attrs, &draft.known);
    match decision.action {
        Action::Create | Action::Replace => wanted(),
        Action::Update => {
            let changed = |ix: &AttrIx| decision.differences.iter().any(|d| d.attr == *ix);
            wanted()
                .into_iter()
                .filter(|key| set_attrs(ty, key.set).any(|ix| changed(&ix)))
                .collect()
        }
        Action::Delete | Action::Adopt | Action::Forget | Action::Record => Vec::new(),
    }
}

/// Keys that a change gives up.
pub fn freed(inputs: &Inputs<'_>, draft: &Draft<'_>, decision: &Decision<'_>) -> Vec<Key> {
    let Some(live) = &decision.live else { return Vec::new() };
    let ty = inputs.schemas.get(decision.ty);
    let held = || keys(decision.ty, ty, &live.attrs, &draft.known);
    match decision.action {
        Action::Delete | Action::Replace => held(),
        Action::Update => {
            let changed = |ix: &AttrIx| decision.differences.iter().any(|d| d.attr == *ix);
            held().into_iter().filter(|key| set_attrs(ty, key.set).any(|ix| changed(&ix))).collect()
        }
        Action::Create | Action::Adopt | Action::Forget | Action::Record => Vec::new(),
    }
}

/// Names of the attributes of a key.
pub fn names(ty: &ResourceType, set: usize) -> Vec<Arc<str>> {
    set_attrs(ty, set).map(|ix| ty.attr(ix).name.clone()).collect()
}

fn set_attrs(ty: &ResourceType, set: usize) -> impl Iterator<Item = AttrIx> + '_ {
    ty.unique[set].iter().filter_map(|item| match item {
        UniqueItem::Attr(ix) | UniqueItem::Nested(ix, _) => Some(*ix),
        UniqueItem::Part(_) => None,
    })
}

/// The complete keys of a row; a set with an absent value identifies nothing. References count
/// by the address of our object, else by id, so that both sides spell them alike.
fn keys(ty: TypeIx, schema: &ResourceType, row: &Row, known: &Known) -> Vec<Key> {
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

fn spell(value: &Value, known: &Known) -> Option<String> {
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
