//! Desired row × live row → attribute differences.
//!
//! Rows were normalised before (`config::resolve`, `wire::decode`), so that comparing is `==`.
//! The only translation left is between a reference in the configuration (an address) and in a
//! live row (an id). Decides nothing.

use std::sync::Arc;

use crate::address::Address;
use crate::config::DesiredResource;
use crate::plan::{AttrDiff, Expected, Shown};
use crate::schema::{AttrIx, Attribute, OWNER, ResourceType, Row};
use crate::state::{self, Entry};
use crate::value::Value;

/// What is known of the ids of our objects while planning.
pub trait Ids {
    /// The id that our object has and will keep.
    fn lasting(&self, address: &Address) -> Option<&Arc<str>>;
    /// Our object with this id, if it will keep it.
    fn owner_of(&self, id: &str) -> Option<&Address>;
}

/// One differing attribute.
#[derive(Clone, Debug, PartialEq)]
pub struct Difference {
    pub attr: AttrIx,
    pub diff: AttrDiff,
}

/// Differences between what is desired and what is live, also of attributes that `ignore_changes`
/// leaves as they are: whether they count is for `decide`. `rotated`: attributes that never read
/// back and whose value is not the one that the state has a digest of.
pub fn compare(
    ty: &ResourceType,
    desired: &DesiredResource,
    live: &Row,
    (rotated, prior): (&[Arc<str>], Option<&Entry>),
    ids: &dyn Ids,
) -> Vec<Difference> {
    let lasts = |address: &Address, id: &str| ids.lasting(address).is_some_and(|own| **own == *id);
    written(ty, desired)
        .filter_map(|(ix, attr, wanted)| {
            let (before, after) = if attr.unread() {
                if !rotated.contains(&attr.name) {
                    return None;
                }
                let after =
                    if attr.sensitive { Shown::Sensitive } else { desired_shown(wanted, ids) };
                (Shown::Sensitive, after)
            } else {
                let now = &live[usize::from(ix.0)];
                if same(wanted, now, &lasts) {
                    return None;
                }
                // What comes from a secret is one, also as the cloud has it.
                match wanted.is_sensitive() {
                    true => (Shown::Sensitive, Shown::Sensitive),
                    false if was_secret(prior, &attr.name) => {
                        (Shown::Sensitive, desired_shown(wanted, ids))
                    }
                    false => (live_shown(now, ids), desired_shown(wanted, ids)),
                }
            };
            Some(difference(ty, desired, ix, before, after))
        })
        .collect()
}

/// Whether the last apply made an attribute from a secret: it is one until something else is there.
fn was_secret(prior: Option<&Entry>, name: &str) -> bool {
    prior.and_then(|entry| entry.attr(name)).is_some_and(state::is_hidden)
}

/// All attributes that a create sets, against nothing.
pub fn all_new(ty: &ResourceType, desired: &DesiredResource, ids: &dyn Ids) -> Vec<Difference> {
    // An element's address names its owner.
    let shown = |ix: AttrIx| ty.part_of.is_none() || ix != OWNER;
    written(ty, desired)
        .filter(|(ix, ..)| shown(*ix))
        .map(|(ix, attr, wanted)| {
            let after = if attr.sensitive { Shown::Sensitive } else { desired_shown(wanted, ids) };
            let mut difference = difference(ty, desired, ix, Shown::Absent, after);
            difference.diff.forces_replace = false;
            difference
        })
        .collect()
}

fn difference(
    ty: &ResourceType,
    desired: &DesiredResource,
    ix: AttrIx,
    before: Shown,
    after: Shown,
) -> Difference {
    let origin = desired.spans.get(usize::from(ix.0)).copied().flatten();
    let name = ty.attr(ix).name.clone();
    let forces_replace = !ty.updatable(ix);
    Difference { attr: ix, diff: AttrDiff { name, before, after, origin, forces_replace } }
}

/// The attributes that the configuration sets.
fn written<'a>(
    ty: &'a ResourceType,
    desired: &'a DesiredResource,
) -> impl Iterator<Item = (AttrIx, &'a Attribute, &'a Value)> {
    let all = ty.attrs().zip(&desired.attrs);
    all.filter(|((_, attr), wanted)| attr.writable() && !wanted.is_null())
        .map(|((ix, attr), wanted)| (ix, attr, wanted))
}

/// Whether a desired value is what a live row holds. `has_id` says whether our object at an
/// address has this id: one that will last while planning, the one it got while applying.
pub fn same(wanted: &Value, live: &Value, has_id: &dyn Fn(&Address, &str) -> bool) -> bool {
    match (wanted.reveal(), live) {
        (Value::Object(address) | Value::Id(address), Value::Str(id)) => has_id(address, id),
        (Value::List(a), Value::List(b)) => {
            a.len() == b.len() && a.iter().zip(b.iter()).all(|(a, b)| same(a, b, has_id))
        }
        // An empty text clears an attribute, and the server then omits it or returns it empty.
        (Value::Str(text), Value::Null) => text.is_empty(),
        (a, b) => a == b,
    }
}

fn desired_shown(value: &Value, ids: &dyn Ids) -> Shown {
    match value {
        Value::Object(of) | Value::Id(of) if ids.lasting(of).is_none() => {
            Shown::AfterApply(of.clone())
        }
        value if value.is_sensitive() => Shown::Sensitive,
        value => Shown::Value(value.clone()),
    }
}

/// A live value for people: the id of an object of ours is shown as its address.
pub fn live_shown(value: &Value, ids: &dyn Ids) -> Shown {
    match value {
        Value::Null => Shown::Absent,
        Value::Str(id) => match ids.owner_of(id) {
            Some(address) => Shown::Value(Value::Object(address.clone())),
            None => Shown::Value(value.clone()),
        },
        value => Shown::Value(value.clone()),
    }
}

/// What must read back after these attributes were sent.
pub fn expected(ty: &ResourceType, attrs: &Row, sent: &[AttrIx]) -> Vec<(Arc<str>, Expected)> {
    let readable = sent.iter().map(|ix| (ty.attr(*ix), &attrs[usize::from(ix.0)]));
    readable
        .filter(|(attr, value)| !attr.unread() && !value.is_sensitive() && !value.is_null())
        .map(|(attr, value)| {
            let expected = match value {
                Value::Object(of) | Value::Id(of) => Expected::Id(of.clone()),
                other => Expected::Value(other.clone()),
            };
            (attr.name.clone(), expected)
        })
        .collect()
}
