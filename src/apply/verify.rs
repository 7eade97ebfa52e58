//! Did the call have its effect? A live object against what its step promised.
//!
//! Pure: `step` asks again as long as the verdict says so. "The job succeeded" is not enough: some
//! servers accept values and ignore them (`UpdatePrimaryStorage` a url, reference 3.4).

use std::sync::Arc;

use crate::inventory::LiveObject;
use crate::plan::diff::same;
use crate::plan::{AttrDiff, Expected, Shown, Step};
use crate::schema::{Attribute, Condition, ResourceType};
use crate::value::Value;
use crate::wire::Fill;

/// What a live object says about a step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    Met,
    /// On its way; what it waits for, for people.
    Waiting(String),
    /// A sent attribute reads as something else.
    Differs {
        attr: Arc<str>,
        now: String,
        as_before: bool,
    },
}

/// Judges a live object. `diffs` are the changes that the plan showed.
pub fn verify(
    ty: &ResourceType,
    step: &Step,
    diffs: &[AttrDiff],
    live: &LiveObject,
    ids: &dyn Fill,
) -> Verdict {
    for (name, expected) in &step.expect {
        let Some(ix) = ty.find_attr(name) else { continue };
        let now = &live.attrs[usize::from(ix.0)];
        if reads_as(expected, now, ids) {
            continue;
        }
        if in_transit(ty.attr(ix), now) {
            return Verdict::Waiting(format!("{name}, now {now}"));
        }
        let before = diffs.iter().find(|d| d.name == *name).map(|d| &d.before);
        let as_before = before.is_some_and(|before| is_before(before, now, ids));
        return Verdict::Differs { attr: name.clone(), now: now.to_string(), as_before };
    }
    unmet(ty, &step.wait, live).map_or(Verdict::Met, Verdict::Waiting)
}

/// The first condition that a live object does not meet, for people.
pub fn unmet(ty: &ResourceType, wait: &[Condition], live: &LiveObject) -> Option<String> {
    wait.iter().find_map(|condition| {
        let now = &live.attrs[usize::from(condition.attr.0)];
        let met = now.as_str().is_some_and(|text| condition.values.iter().any(|v| &**v == text));
        let name = &ty.attr(condition.attr).name;
        (!met).then(|| format!("{name} {}, now {now}", condition.values.join(" or ")))
    })
}

/// A value that can be read but not set is passed through on the way to one that can
/// (`PreMaintenance`, reference 3.3).
fn in_transit(attr: &Attribute, now: &Value) -> bool {
    !attr.values.is_empty()
        && now.as_str().is_some_and(|text| attr.values.iter().all(|(read, _)| &**read != text))
}

fn reads_as(expected: &Expected, now: &Value, ids: &dyn Fill) -> bool {
    match expected {
        Expected::Value(wanted) => {
            same(wanted, now, &|address, id| ids.id(address).as_deref() == Some(id))
        }
        Expected::Id(address) => ids.id(address).is_some_and(|id| now.as_str() == Some(&*id)),
    }
}

fn is_before(before: &Shown, now: &Value, ids: &dyn Fill) -> bool {
    match before {
        Shown::Absent => now.is_null(),
        Shown::Value(Value::Object(address)) => {
            ids.id(address).is_some_and(|id| now.as_str() == Some(&*id))
        }
        Shown::Value(value) => value == now,
        Shown::AfterApply(_) | Shown::Sensitive => false,
    }
}
