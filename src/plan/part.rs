//! What is special about elements of parts and about discovered objects: nobody creates them by
//! an id. They are found by what they are: an owner and a key.
//!
//! In: configuration, state and live tables. Out: answers for `decide`, and notes about elements
//! of our objects that somebody else added. They are never taken away.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use crate::address::Address;
use crate::config::DesiredResource;
use crate::inventory::{LiveObject, element_id};
use crate::plan::diff::Ids;
use crate::plan::key;
use crate::plan::known::Known;
use crate::plan::{Inputs, Note};
use crate::schema::{IdRule, Kind, OWNER, TypeIx};
use crate::value::Value;

/// The live object that a resource without an entry means, if it is found and not created.
pub fn unclaimed<'a>(
    inputs: &Inputs<'a>,
    desired: &DesiredResource,
    known: &Known,
) -> Option<&'a LiveObject> {
    let table = inputs.live?.table(&desired.provider, desired.ty)?;
    match inputs.schemas.get(desired.ty).id {
        IdRule::Part => {
            let owner = known.lasting(&desired.address.owner())?;
            table.get(&element_id(owner, &desired.address.member_of()?.key))
        }
        IdRule::Found => {
            let same = |live: &&LiveObject| key::same(inputs, desired, live, known);
            table.objects.iter().find(same)
        }
        IdRule::Client { .. } | IdRule::Attr(_) | IdRule::Server { .. } => None,
        // No configuration declares one.
        IdRule::Row | IdRule::None => None,
    }
}

/// For a discovered object that should be there by now, since what it belongs to is live, and is
/// not: what the server has found there instead, by its key, for people.
pub fn undiscovered(
    inputs: &Inputs<'_>,
    desired: &DesiredResource,
    known: &Known,
) -> Option<Vec<String>> {
    const MOST: usize = 10;
    let live = inputs.live.filter(|_| inputs.schemas.get(desired.ty).id == IdRule::Found)?;
    let place = place(inputs, desired, known)?;
    if unclaimed(inputs, desired, known).is_some() {
        return None;
    }
    let there = live.table(&desired.provider, desired.ty).into_iter().flat_map(|t| &t.objects);
    let here = |live: &&LiveObject| live.attrs.iter().any(|v| v.as_str() == Some(&*place));
    let keys = there.filter(here).filter_map(|live| key::own(inputs, desired.ty, live));
    Some(keys.take(MOST).collect())
}

/// The id of what a discovered object belongs to, if that is live and stays.
fn place(inputs: &Inputs<'_>, desired: &DesiredResource, known: &Known) -> Option<Arc<str>> {
    let ty = inputs.schemas.get(desired.ty);
    let (ix, _) = ty.attrs().find(|(_, a)| a.required && matches!(a.kind, Kind::Ref(_)))?;
    match &desired.attrs[usize::from(ix.0)] {
        Value::Object(address) | Value::Id(address) => known.lasting(address).cloned(),
        Value::Str(id) => Some(id.clone()),
        _ => None,
    }
}

/// What becomes of an element that no list declares any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Orphan {
    /// Its attribute was removed: it is forgotten.
    Unmanaged,
    /// The API has no call that takes it away.
    Stays,
    /// It is taken away, or goes with its owner.
    Goes,
}

/// `None` when it is no element, or not there any more.
pub fn orphan(
    inputs: &Inputs<'_>,
    (address, ty): (&Address, TypeIx),
    there: bool,
    known: &Known,
) -> Option<Orphan> {
    let ty = inputs.schemas.get(ty);
    let of = ty.part_of.as_ref().filter(|_| there)?;
    let owner = address.owner();
    let stays = inputs.desired.get(&owner).filter(|_| !inputs.options.destroy);
    let going = known.is_ending(&owner);
    if going || stays.is_none_or(|owner| owner.part_mentions.contains(&of.part)) {
        // Elements of an owner that somebody else manages now can still be taken away.
        return Some(if going || ty.delete.is_some() { Orphan::Goes } else { Orphan::Stays });
    }
    Some(Orphan::Unmanaged)
}

/// Elements of our objects that rackform did not add: one note for each object and part. Parts
/// with a list of their own have many that are nobody's business (tags).
pub fn foreign_notes(inputs: &Inputs<'_>, known: &Known) -> Vec<Note> {
    let Some(live) = inputs.live.filter(|_| !inputs.options.destroy) else { return Vec::new() };
    let mut counts: BTreeMap<(Address, Arc<str>), Vec<String>> = BTreeMap::new();
    let pending: HashSet<&Arc<str>> =
        inputs.state.pending.values().flat_map(|p| &p.candidates).collect();
    for ((_, ix), table) in &live.tables {
        let ty = inputs.schemas.get(*ix);
        let Some(of) = ty.part_of.as_ref().filter(|of| !of.listed) else { continue };
        for element in &table.objects {
            let owner = element.attrs[usize::from(OWNER.0)].as_str();
            let Some(owner) = owner.and_then(|id| known.owner_of(id)) else { continue };
            let managed = inputs.desired.get(owner);
            if managed.is_none_or(|owner| !owner.part_mentions.contains(&of.part))
                || known.address_of(&element.id).is_some()
                || pending.contains(&element.id)
            {
                continue;
            }
            let part = ty.name.rsplit('.').next().unwrap_or_default().into();
            let key = ty.part_key(&element.attrs).unwrap_or_default();
            counts.entry((owner.clone(), part)).or_default().push(key);
        }
    }
    let note = |((owner, part), keys): ((Address, Arc<str>), Vec<String>)| Note {
        address: Some(owner),
        text: format!(
            "has {} in `{part}`, which rackform did not add and leaves alone",
            some(&keys)
        ),
        help: Some(format!("to manage it, add it to `{part}`")),
    };
    counts.into_iter().map(note).collect()
}

/// The first few, and how many more.
fn some(keys: &[String]) -> String {
    const SHOWN: usize = 3;
    let shown = keys.iter().take(SHOWN).map(|k| format!("{k:?}")).collect::<Vec<_>>().join(", ");
    match keys.len().saturating_sub(SHOWN) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}
