//! A plan as one JSON document with the keys of Terraform's plan JSON 1.2, for policy checks
//! (`conftest`, OPA) and reports; and the small report that GitLab shows in merge requests.
//!
//! In: [`Plan`]. Out: text. `before` and `after` hold the attributes that change, and `before` of
//! what is destroyed or forgotten all that the state has of it; secrets are null and marked in
//! `before_sensitive` and `after_sensitive`. What Terraform has no key for (`casualties`, `notes`,
//! `prevent_destroy`) stands beside its keys. Streams over the plan; no tree is built.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Serialize;
use serde::ser::{SerializeMap, SerializeSeq, Serializer};

use crate::address::Address;
use crate::plan::{Action, AttrDiff, Change, Drift, Note, Plan, Reason, Shown};
use crate::value::Value;

use super::json::{split, type_name};
use super::json_text;
use super::outputs;
use super::tally::Tally;

/// Version of the document's shape.
const FORMAT: &str = "1.2";

/// The plan as one line of JSON; `at` is the time it was made, if that is to be said.
pub fn text(plan: &Plan, at: Option<&str>) -> String {
    json_text::line(&Document {
        format_version: FORMAT,
        rackform_version: env!("CARGO_PKG_VERSION"),
        timestamp: at,
        applyable: !plan.changes.is_empty() || plan.changes_outputs(),
        complete: true,
        errored: false,
        resource_changes: Each(&plan.changes, changed),
        resource_drift: Each(&plan.drift, drifted),
        output_changes: outputs::differences(&plan.outputs),
        notes: Each(&plan.notes, noted),
    })
}

/// What GitLab reads as `artifacts:reports:terraform`.
pub fn gitlab_report(plan: &Plan) -> String {
    #[derive(Serialize)]
    struct Report {
        create: usize,
        update: usize,
        delete: usize,
    }
    let tally = Tally::of(plan);
    let report = Report { create: tally.add, update: tally.change, delete: tally.destroy };
    json_text::line(&report)
}

#[derive(Serialize)]
struct Document<'a> {
    format_version: &'static str,
    rackform_version: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    timestamp: Option<&'a str>,
    applyable: bool,
    complete: bool,
    errored: bool,
    resource_changes: Each<'a, Change, Resource<'a>>,
    resource_drift: Each<'a, Drift, Resource<'a>>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    output_changes: BTreeMap<&'a str, outputs::OutputDifference>,
    notes: Each<'a, Note, Noted<'a>>,
}

/// A list whose elements are made while they are written.
struct Each<'a, T, U>(&'a [T], fn(&'a T) -> U);

impl<T, U: Serialize> Serialize for Each<'_, T, U> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_seq(self.0.iter().map(self.1))
    }
}

#[derive(Serialize)]
struct Resource<'a> {
    address: &'a Address,
    /// Where it was before a `[[moved]]`.
    #[serde(skip_serializing_if = "Option::is_none")]
    previous_address: Option<&'a Address>,
    #[serde(skip_serializing_if = "str::is_empty")]
    module_address: &'a str,
    mode: &'static str,
    #[serde(rename = "type")]
    kind: String,
    name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    index: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    provider_name: Option<&'a str>,
    change: Difference<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    action_reason: Option<&'static str>,
    /// What it is from now on, where the change switches it.
    #[serde(skip_serializing_if = "Option::is_none")]
    prevent_destroy: Option<bool>,
    /// What goes down with it and is not in the plan, by label.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    casualties: BTreeMap<&'a str, u64>,
}

#[derive(Serialize)]
struct Difference<'a> {
    actions: &'static [&'static str],
    before: Option<Side<'a>>,
    after: Option<Side<'a>>,
    after_unknown: Marks<'a>,
    before_sensitive: Marks<'a>,
    after_sensitive: Marks<'a>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    replace_paths: Vec<[&'a str; 1]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    importing: Option<Importing<'a>>,
}

#[derive(Serialize)]
struct Importing<'a> {
    id: &'a str,
}

#[derive(Serialize)]
struct Noted<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    address: Option<&'a Address>,
    text: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    help: Option<&'a str>,
}

fn noted(note: &Note) -> Noted<'_> {
    Noted { address: note.address.as_ref(), text: &note.text, help: note.help.as_deref() }
}

fn changed(change: &Change) -> Resource<'_> {
    let Change { address, provider, diffs, id, casualties, .. } = change;
    let exists = change.action != Action::Create;
    let stays = !matches!(change.action, Action::Delete | Action::Forget);
    // After a replacement the object has another id, which nothing here can say.
    let new_id = id.as_deref().filter(|_| change.action != Action::Replace);
    let adopts = change.action == Action::Adopt || change.importing;
    // An attachment or part is known by its key.
    let creates =
        matches!(change.action, Action::Create | Action::Replace) && address.member_of().is_none();
    let difference = Difference {
        actions: actions(change.action),
        before: exists.then_some(Side {
            id: id.as_deref(),
            last: &change.last.attrs,
            diffs,
            pick: before,
        }),
        after: stays.then_some(Side { id: new_id, last: &[], diffs, pick: after }),
        after_unknown: Marks { id: creates && new_id.is_none(), diffs, holds: unknown },
        before_sensitive: Marks { id: false, diffs, holds: secret_before },
        after_sensitive: Marks { id: false, diffs, holds: secret_after },
        replace_paths: diffs.iter().filter(|d| d.forces_replace).map(|d| [&*d.name]).collect(),
        importing: id.as_deref().filter(|_| adopts).map(|id| Importing { id }),
    };
    Resource {
        previous_address: change.previous.as_ref(),
        provider_name: Some(&**provider),
        action_reason: reason(&change.reason),
        prevent_destroy: change.protection,
        casualties: sums(casualties),
        ..resource(address, difference)
    }
}

/// By label; two calls of a change may count the same kind.
fn sums(casualties: &[(String, u64)]) -> BTreeMap<&str, u64> {
    let mut sums: BTreeMap<&str, u64> = BTreeMap::new();
    for (label, number) in casualties {
        let sum = sums.entry(label).or_default();
        *sum = sum.saturating_add(*number);
    }
    sums
}

fn drifted(drift: &Drift) -> Resource<'_> {
    let diffs: &[AttrDiff] = drift.attrs.as_deref().unwrap_or_default();
    let gone = drift.attrs.is_none();
    let difference = Difference {
        actions: actions(if gone { Action::Delete } else { Action::Update }),
        before: Some(Side { id: None, last: &[], diffs, pick: before }),
        after: (!gone).then_some(Side { id: None, last: &[], diffs, pick: after }),
        after_unknown: Marks { id: false, diffs, holds: unknown },
        before_sensitive: Marks { id: false, diffs, holds: secret_before },
        after_sensitive: Marks { id: false, diffs, holds: secret_after },
        replace_paths: Vec::new(),
        importing: None,
    };
    resource(&drift.address, difference)
}

fn resource<'a>(address: &'a Address, change: Difference<'a>) -> Resource<'a> {
    Resource {
        address,
        previous_address: None,
        module_address: split(address).0,
        mode: "managed",
        kind: type_name(address),
        name: address.label(),
        index: address.key(),
        provider_name: None,
        change,
        action_reason: None,
        prevent_destroy: None,
        casualties: BTreeMap::new(),
    }
}

fn actions(action: Action) -> &'static [&'static str] {
    match action {
        Action::Create => &["create"],
        Action::Update => &["update"],
        Action::Replace => &["delete", "create"],
        Action::Delete => &["delete"],
        // In Terraform's document an import without a difference is a no-op with `importing`.
        Action::Adopt | Action::Record => &["no-op"],
        Action::Forget => &["forget"],
    }
}

fn reason(reason: &Reason) -> Option<&'static str> {
    match reason {
        Reason::CannotUpdate(_) => Some("replace_because_cannot_update"),
        Reason::Requested => Some("replace_by_request"),
        Reason::ParentReplaced(_) | Reason::Triggered(..) => Some("replace_by_triggers"),
        Reason::NotInConfiguration | Reason::Removed => Some("delete_because_no_resource_config"),
        Reason::KeyGone => Some("delete_because_each_key"),
        Reason::ModuleKeyGone(_) => Some("delete_because_no_module"),
        Reason::New
        | Reason::Discovered
        | Reason::Vanished
        | Reason::Unfinished
        | Reason::Differs
        | Reason::Drifted
        | Reason::Destroy
        | Reason::Unmanaged
        | Reason::Protection
        | Reason::Dependencies
        | Reason::Moved
        | Reason::Imported => None,
    }
}

fn before(diff: &AttrDiff) -> &Shown {
    &diff.before
}
fn after(diff: &AttrDiff) -> &Shown {
    &diff.after
}
fn unknown(diff: &AttrDiff) -> bool {
    matches!(diff.after, Shown::AfterApply(_))
}
fn secret_before(diff: &AttrDiff) -> bool {
    secret(&diff.before)
}
fn secret_after(diff: &AttrDiff) -> bool {
    secret(&diff.after)
}
fn secret(shown: &Shown) -> bool {
    match shown {
        Shown::Sensitive => true,
        Shown::Value(value) => value.is_sensitive(),
        Shown::AfterApply(_) | Shown::Absent => false,
    }
}

/// The object before or after, as far as the plan knows it.
struct Side<'a> {
    id: Option<&'a str>,
    /// Attributes of what goes; it has no differences.
    last: &'a [(Arc<str>, Value)],
    diffs: &'a [AttrDiff],
    pick: fn(&AttrDiff) -> &Shown,
}

impl Serialize for Side<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let mut map = to.serialize_map(None)?;
        if let Some(id) = self.id {
            map.serialize_entry("id", id)?;
        }
        for (name, value) in self.last {
            map.serialize_entry(&**name, &Masked(value))?;
        }
        for diff in self.diffs {
            match (self.pick)(diff) {
                Shown::Value(value) => map.serialize_entry(&*diff.name, &Masked(value))?,
                Shown::Sensitive | Shown::Absent => map.serialize_entry(&*diff.name, &())?,
                // Terraform leaves unknown attributes out and marks them in `after_unknown`.
                Shown::AfterApply(_) => {}
            }
        }
        map.end()
    }
}

/// The names for which something holds, each `true`.
struct Marks<'a> {
    id: bool,
    diffs: &'a [AttrDiff],
    holds: fn(&AttrDiff) -> bool,
}

impl Serialize for Marks<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let mut map = to.serialize_map(None)?;
        if self.id {
            map.serialize_entry("id", &true)?;
        }
        for diff in self.diffs.iter().filter(|diff| (self.holds)(diff)) {
            map.serialize_entry(&*diff.name, &true)?;
        }
        map.end()
    }
}

/// A value with null in the place of secrets.
struct Masked<'a>(&'a Value);

impl Serialize for Masked<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Value::Sensitive(_) => to.serialize_unit(),
            Value::List(items) => {
                let mut seq = to.serialize_seq(Some(items.len()))?;
                items.iter().try_for_each(|item| seq.serialize_element(&Masked(item)))?;
                seq.end()
            }
            Value::Map(items) => to.collect_map(items.iter().map(|(k, v)| (&**k, Masked(v)))),
            plain => plain.serialize(to),
        }
    }
}

#[cfg(test)]
mod tests;
