//! Unique keys: who holds them now and who wants them.
//!
//! In: decisions and live tables. Out: findings where a key is held by an object that is not
//! ours (with the import command), and the order in which keys change hands, for `order`. Two
//! claims within the configuration are `config`'s business.

use std::collections::HashMap;
use std::sync::Arc;

use crate::diag::{Diagnostic, Diagnostics};
use crate::inventory::{LiveObject, split_element_id};
use crate::plan::decide::{Decision, Draft};
use crate::plan::key::{Key, item_name, keys, set_attrs};
use crate::plan::{Action, Inputs};
use crate::schema::{AttrIx, IdRule, ResourceType, UniqueItem};

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
    // An element of a part is taken over with the object that owns it.
    let (subject, holder) = match split_element_id(holder) {
        Some((owner, _)) => (decision.address.owner(), owner),
        None => (decision.address.clone(), holder),
    };
    let secret = |item: &UniqueItem| match item {
        UniqueItem::Attr(ix) | UniqueItem::Nested(ix, _) => {
            decision.desired.is_some_and(|desired| desired.attrs[usize::from(ix.0)].is_sensitive())
        }
        UniqueItem::Part(_) => false,
    };
    let pairs = names.iter().zip(&key.values).zip(&ty.unique[key.set]);
    let shown: Vec<String> = pairs
        .map(|((name, value), item)| match secret(item) {
            true => format!("{name} = (sensitive)"),
            false => format!("{name} = {value:?}"),
        })
        .collect();
    let finding = Diagnostic::error(
        "unique_key_taken",
        format!("another {} already has {}", ty.name, shown.join(" and ")),
    )
    .on(&decision.address)
    .detail(format!("{name:?} (id {holder}) is live and not managed here."))
    .help(format!(
        "change the value, or take the object over: rackform import '{subject}' {holder}"
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

/// Keys that a change takes.
pub fn taken(inputs: &Inputs<'_>, draft: &Draft<'_>, decision: &Decision<'_>) -> Vec<Key> {
    let Some(desired) = decision.desired else { return Vec::new() };
    let ty = inputs.schemas.get(decision.ty);
    let wanted = || keys(decision.ty, ty, &desired.attrs, &draft.known);
    match decision.action {
        // A discovered object is not made, and nobody else can hold its place.
        _ if ty.id == IdRule::Found => Vec::new(),
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
