//! Resources: desired × prior × live → what happens to each, and why.
//!
//! Parents are decided before children, so that a replaced parent is seen by its children as a
//! changed reference. Attachments follow in `links`. Makes no request and no order.

use std::borrow::Cow;
use std::collections::HashSet;
use std::sync::Arc;

use crate::address::Address;
use crate::address::prefix::Prefix;
use crate::config::{Desired, DesiredResource, End, Repeated};
use crate::diag::{Diagnostics, Span};
use crate::inventory::LiveObject;
use crate::plan::diff::{self, Difference, Ids};
use crate::plan::drift;
use crate::plan::import::Imports;
use crate::plan::known::{self, Known, Live};
use crate::plan::maintenance;
use crate::plan::parents;
use crate::plan::part;
use crate::plan::record;
use crate::plan::refusal;
use crate::plan::removed::Removals;
use crate::plan::trigger::Triggers;
use crate::plan::verdict::{Verdict, triggered, verdict};
use crate::plan::{Action, Attributes, Drift, Inputs, Note, Reason};
use crate::schema::{IdRule, LinkIx, ResourceType, TypeIx};
use crate::state::{Entry, Pending, is_attachment};
use crate::value::Value;

/// Decisions about all objects, before there are steps.
pub struct Draft<'a> {
    pub decisions: Vec<Decision<'a>>,
    pub drift: Vec<Drift>,
    pub notes: Vec<Note>,
    pub unchanged: usize,
    pub refreshed: Vec<(Address, Attributes)>,
    pub known: Known,
    pub removals: Removals<'a>,
    pub imports: Imports<'a>,
    triggers: Triggers,
}

/// What happens to one object. Objects to which nothing happens have none.
pub struct Decision<'a> {
    pub address: Address,
    pub ty: TypeIx,
    pub provider: Arc<str>,
    pub action: Action,
    pub reason: Reason,
    pub differences: Vec<Difference>,
    pub desired: Option<&'a DesiredResource>,
    pub prior: Option<&'a Entry>,
    pub live: Option<Cow<'a, LiveObject>>,
    /// For attachments.
    pub link: Option<LinkEnds>,
    /// Where the configuration says so.
    pub origin: Option<Span>,
    /// Incarnation after the change.
    pub incarnation: u32,
    pub declared_by: Option<String>,
}

impl Decision<'_> {
    /// What `prevent_destroy` is from now on, if that is switched.
    pub fn protection(&self) -> Option<bool> {
        let (desired, prior) = (self.desired?, self.prior?);
        let now = desired.lifecycle.prevent_destroy;
        (now != prior.prevent_destroy).then_some(now)
    }
}

/// The two ends of an attachment.
#[derive(Clone, Debug, PartialEq)]
pub struct LinkEnds {
    pub link: LinkIx,
    pub owner: End,
    pub to: End,
}

/// Decides about every object of the configuration and the state.
pub fn decide<'a>(inputs: &Inputs<'a>, findings: &mut Diagnostics) -> Draft<'a> {
    let mut draft = Draft {
        decisions: Vec::new(),
        drift: Vec::new(),
        notes: Vec::new(),
        unchanged: 0,
        refreshed: Vec::new(),
        known: Known::new(inputs.state),
        removals: Removals::of(inputs.desired),
        imports: Imports::of(inputs),
        triggers: Triggers::of(inputs.desired),
    };
    for address in inputs.state.entries.keys().filter(|a| draft.removals.forgotten(a).is_some()) {
        draft.known.leaves(address);
    }
    for (address, live) in draft.imports.found(inputs) {
        draft.known.learn(address, &live.id);
    }
    if !inputs.options.destroy {
        for ix in parents::in_order(inputs.desired, &draft.known) {
            resource(inputs, &inputs.desired.resources[ix as usize], &mut draft, findings);
        }
    }
    for (address, entry) in &inputs.state.entries {
        let kept = inputs.desired.index.contains_key(address) && !inputs.options.destroy;
        if !is_attachment(address, &entry.kind) && !kept && !succeeded(inputs, address, entry) {
            orphan(inputs, address, entry, &mut draft, findings);
        }
    }
    for (address, pending) in &inputs.state.pending {
        let kept = inputs.desired.index.contains_key(address) && !inputs.options.destroy;
        let entry = inputs.state.entries.get(address);
        let known = entry.is_some_and(|entry| !succeeded(inputs, address, entry));
        // Without a look at the cloud there is no telling whether it is there: it stays pending.
        if !is_attachment(address, &pending.kind) && !kept && !known && inputs.live.is_some() {
            unfinished_orphan(inputs, address, pending, &mut draft);
        }
    }
    if !inputs.options.destroy {
        parents::ending(inputs.desired, &draft.known, findings);
    }
    draft
}

fn resource<'a>(
    inputs: &Inputs<'a>,
    desired: &'a DesiredResource,
    draft: &mut Draft<'a>,
    findings: &mut Diagnostics,
) {
    let address = &desired.address;
    if let Some(entry) = inputs.state.entries.get(address) {
        if entry.provider != desired.provider {
            findings.push(refusal::other_provider(desired, &entry.provider));
            return;
        }
        match known::live_of(inputs, desired.ty, entry) {
            Live::Object(live) => {
                existing(inputs, desired, Some(entry), live, draft, findings);
                return;
            }
            Live::Gone if made(inputs, desired).is_none() => {
                draft.drift.push(Drift { address: address.clone(), attrs: None });
                draft.known.ends(address);
                create(inputs, desired, Some(entry), Reason::Vanished, draft);
                return;
            }
            Live::Gone => {}
        }
    }
    let pending = inputs.state.pending.get(address);
    let imported = draft.imports.live(inputs, desired).or_else(|| made(inputs, desired));
    let live = imported.or_else(|| part::unclaimed(inputs, desired, &draft.known));
    match live {
        Some(live) => {
            draft.known.learn(address, &live.id);
            existing(inputs, desired, None, Cow::Borrowed(live), draft, findings);
        }
        None => {
            if let Some(there) = part::undiscovered(inputs, desired, &draft.known) {
                let ty = inputs.schemas.get(desired.ty);
                findings.push(refusal::not_discovered(ty, desired, &there));
                return;
            }
            let found = inputs.schemas.get(desired.ty).id == IdRule::Found;
            let reason = match pending {
                _ if found => Reason::Discovered,
                Some(_) => Reason::Unfinished,
                None => Reason::New,
            };
            create(inputs, desired, None, reason, draft);
        }
    }
}

/// The live object that an earlier apply made for a resource without entering it in the state: it
/// was cut off, or its state and journal are lost.
fn made<'a>(inputs: &Inputs<'a>, desired: &DesiredResource) -> Option<&'a LiveObject> {
    pending_live(inputs, desired.ty, &desired.address)
        .or_else(|| known::unrecorded(inputs, desired))
}

/// The live object that a cut-off apply created at an address.
fn pending_live<'a>(inputs: &Inputs<'a>, ty: TypeIx, address: &Address) -> Option<&'a LiveObject> {
    let pending = inputs.state.pending.get(address)?;
    known::live_candidate(inputs, ty, pending)
}

/// Whether a cut-off apply has deleted the object to replace it, and its successor is there.
fn succeeded(inputs: &Inputs<'_>, address: &Address, entry: &Entry) -> bool {
    let Some(ty) = inputs.schemas.find(&entry.kind) else { return false };
    pending_live(inputs, ty, address).is_some()
        && matches!(known::live_of(inputs, ty, entry), Live::Gone)
}

fn create<'a>(
    inputs: &Inputs<'a>,
    desired: &'a DesiredResource,
    prior: Option<&'a Entry>,
    reason: Reason,
    draft: &mut Draft<'a>,
) {
    let ty = inputs.schemas.get(desired.ty);
    let pending = inputs.state.pending.get(&desired.address);
    let incarnation = match (prior, pending) {
        _ if ty.part_of.is_some() => 0,
        (Some(entry), None) => entry.incarnation + 1,
        (Some(entry), Some(pending)) => pending.incarnation.max(entry.incarnation + 1),
        (None, Some(pending)) => pending.incarnation,
        (None, None) => inputs.state.next_incarnation(&desired.address),
    };
    let differences = diff::all_new(ty, desired, &draft.known);
    draft.decisions.push(Decision {
        action: Action::Create,
        reason,
        differences,
        prior,
        incarnation,
        ..blank(desired)
    });
}

/// A decision about a resource of the configuration, to be filled in.
fn blank(desired: &DesiredResource) -> Decision<'_> {
    Decision {
        address: desired.address.clone(),
        ty: desired.ty,
        provider: desired.provider.clone(),
        action: Action::Record,
        reason: Reason::New,
        differences: Vec::new(),
        desired: Some(desired),
        prior: None,
        live: None,
        link: None,
        origin: Some(desired.declared),
        incarnation: 0,
        declared_by: None,
    }
}

fn existing<'a>(
    inputs: &Inputs<'a>,
    desired: &'a DesiredResource,
    prior: Option<&'a Entry>,
    live: Cow<'a, LiveObject>,
    draft: &mut Draft<'a>,
    findings: &mut Diagnostics,
) {
    static NONE: Vec<Arc<str>> = Vec::new();
    let ty = inputs.schemas.get(desired.ty);
    let rotated = inputs.rotated.get(&desired.address).unwrap_or(&NONE);
    let all = diff::compare(ty, desired, &live.attrs, (rotated, prior), &draft.known);
    let managed = |d: &&Difference| {
        !desired.lifecycle.ignore_changes.contains(&d.attr)
            || loses_parent(&live.attrs[usize::from(d.attr.0)], &draft.known)
    };
    let mut differences: Vec<Difference> = all.iter().filter(managed).cloned().collect();
    if maintenance::on_its_way(ty, &desired.attrs, &live) {
        differences.retain(|d| maintenance::maintained(ty) != Some(d.attr));
        draft.notes.push(maintenance::still_moving(&desired.address));
    }
    let outside = match prior {
        Some(entry) if inputs.live.is_some() => drift::between(ty, entry, &live, &draft.known),
        _ => Vec::new(),
    };
    let drifted: HashSet<Arc<str>> = outside.iter().map(|diff| diff.name.clone()).collect();
    if !outside.is_empty() {
        draft.drift.push(Drift { address: desired.address.clone(), attrs: Some(outside) });
    }
    let requested = inputs.options.replace.contains(&desired.address);
    let verdict = verdict(&differences, requested, &draft.known);
    let (action, reason) = match triggered(verdict, desired, &mut draft.triggers) {
        Verdict::Replace(reason) => {
            let allowed = inputs.options.preview;
            if ty.bears_data() && !requested && !allowed {
                findings.push(refusal::data_at_stake(desired, &differences, &reason));
            }
            if protected(desired, prior) && !allowed {
                findings.push(refusal::protected(&desired.address, desired.declared, "replaced"));
            }
            if let Some(there) = part::undiscovered(inputs, desired, &draft.known) {
                findings.push(refusal::not_discovered(ty, desired, &there));
            }
            draft.known.ends(&desired.address);
            // A create sends what is ignored too.
            differences = all;
            (Action::Replace, reason)
        }
        Verdict::Update => {
            // What the configuration changed as well is not somebody else's doing.
            let drifted = differences.iter().all(|d| drifted.contains(&d.diff.name));
            (Action::Update, if drifted { Reason::Drifted } else { Reason::Differs })
        }
        Verdict::Nothing => match prior {
            None if draft.imports.is_open(&desired.address) => (Action::Adopt, Reason::Imported),
            None if made(inputs, desired).is_some() => (Action::Adopt, Reason::Unfinished),
            None => (Action::Adopt, Reason::New),
            Some(entry) if owes(ty, entry, &live) => (Action::Update, Reason::Unfinished),
            Some(entry) if entry.prevent_destroy != desired.lifecycle.prevent_destroy => {
                (Action::Record, Reason::Protection)
            }
            Some(entry) if parents::changed(desired, &entry.dependencies, &draft.known) => {
                (Action::Record, Reason::Dependencies)
            }
            Some(_) if inputs.moved.contains_key(&desired.address) => {
                (Action::Record, Reason::Moved)
            }
            Some(entry) => {
                draft.unchanged += 1;
                let seen = record::seen(ty, Some(&desired.attrs), &live.attrs);
                if inputs.live.is_some() && record::outdated(ty, &entry.attrs, &seen) {
                    draft.refreshed.push((desired.address.clone(), seen));
                }
                return;
            }
        },
    };
    if action == Action::Replace || !differences.is_empty() {
        draft.triggers.changed(&desired.address, &differences);
    }
    let before = match (prior, inputs.state.pending.get(&desired.address)) {
        (Some(entry), _) => entry.incarnation,
        (None, Some(pending)) => pending.incarnation,
        // An element is known by its key.
        (None, None) if ty.part_of.is_some() => 0,
        (None, None) => known::incarnation(inputs.state, &desired.address),
    };
    // An element is known by its key: the same one comes again.
    let again = action == Action::Replace && ty.part_of.is_none();
    let incarnation = before + u32::from(again);
    draft.decisions.push(Decision {
        action,
        reason,
        differences,
        prior,
        live: Some(live),
        incarnation,
        ..blank(desired)
    });
}

/// Whether a live reference is to an object of ours that this plan replaces: it takes with it what
/// refers to it, ignored or not.
fn loses_parent(live: &Value, known: &Known) -> bool {
    let parent = live.as_str().and_then(|id| known.address_of(id));
    parent.is_some_and(|parent| known.is_ending(parent))
}

/// Whether an earlier apply changed it and was cut off before the action that goes with that.
/// In Maintenance, where actions are refused, nothing is owed yet.
fn owes(ty: &ResourceType, entry: &Entry, live: &LiveObject) -> bool {
    entry.owed.iter().any(|name| ty.find_action(name).is_some())
        && !maintenance::in_maintenance(ty, live)
}

/// Switching protection off takes effect for the next plan, not for the one that would profit.
fn protected(desired: &DesiredResource, prior: Option<&Entry>) -> bool {
    desired.lifecycle.prevent_destroy || prior.is_some_and(|entry| entry.prevent_destroy)
}

/// In the state, not in the configuration.
fn orphan<'a>(
    inputs: &Inputs<'a>,
    address: &Address,
    entry: &'a Entry,
    draft: &mut Draft<'a>,
    findings: &mut Diagnostics,
) {
    let Some(ty) = inputs.schemas.find(&entry.kind) else {
        findings.push(refusal::unknown_type(address, &entry.kind));
        return;
    };
    let removed = draft.removals.find(address);
    let declared = inputs.desired.get(address).map(|d| d.declared);
    let declared = declared.or(removed.map(|r| r.declared));
    let part = inputs.schemas.get(ty).part_of.is_some();
    let gone = gone_reason(inputs.desired, address);
    let reason = match inputs.options.destroy {
        true => Reason::Destroy,
        false if removed.is_some() => Reason::Removed,
        false if part => Reason::NotInConfiguration,
        false => gone.clone(),
    };
    let live = match known::live_of(inputs, ty, entry) {
        Live::Object(live) => Some(live),
        Live::Gone => None,
    };
    let left = removed.is_some_and(|removed| !removed.destroy);
    let of_part = match left {
        true => None,
        false => part::orphan(inputs, (address, ty), live.is_some(), &draft.known),
    };
    let (action, reason) = match of_part {
        None if left => (Action::Forget, Reason::Removed),
        Some(part::Orphan::Unmanaged) => (Action::Forget, Reason::Unmanaged),
        Some(part::Orphan::Stays) => {
            findings.push(refusal::stays(address, inputs.desired.get(&address.owner())));
            return;
        }
        Some(part::Orphan::Goes) => (Action::Delete, reason),
        None => {
            let can_delete = inputs.schemas.get(ty).delete.is_some();
            let deletes = live.is_some() && can_delete;
            (if deletes { Action::Delete } else { Action::Forget }, reason)
        }
    };
    if action == Action::Delete && entry.prevent_destroy {
        findings.push(refusal::protected_orphan(address, declared, &gone));
    }
    if !left {
        draft.known.ends(address);
    }
    draft.decisions.push(Decision {
        address: address.clone(),
        ty,
        provider: entry.provider.clone(),
        action,
        reason: if live.is_some() { reason } else { Reason::Vanished },
        differences: Vec::new(),
        desired: None,
        prior: Some(entry),
        live,
        link: None,
        origin: declared,
        incarnation: if part { 0 } else { entry.incarnation + 1 },
        declared_by: None,
    });
}

/// What is gone of an address that nothing declares: the instance of a module that is still called,
/// the instance of a block, or the block.
fn gone_reason(desired: &Desired, address: &Address) -> Reason {
    let Repeated { blocks, modules } = &desired.repeated;
    let steps = address.modules();
    for called in (1..=steps.len()).filter_map(|depth| steps.get(..depth)).map(Prefix::module) {
        if !modules.contains(&called.to_string()) {
            let module = called.clone().whole().to_string();
            let keyed = called.key().is_some() && blocks.contains_key(&module);
            return if keyed {
                Reason::ModuleKeyGone(module.into())
            } else {
                Reason::NotInConfiguration
            };
        }
    }
    let keyed = address.key().is_some() && blocks.contains_key(address.block().as_str());
    if keyed { Reason::KeyGone } else { Reason::NotInConfiguration }
}

/// A dead runner had begun to create it, and the configuration no longer wants it.
fn unfinished_orphan<'a>(
    inputs: &Inputs<'a>,
    address: &Address,
    pending: &'a Pending,
    draft: &mut Draft<'a>,
) {
    let Some(ty) = inputs.schemas.find(&pending.kind) else { return };
    let live = known::live_candidate(inputs, ty, pending);
    let left = draft.removals.forgotten(address);
    if let (Some(live), None) = (live, left) {
        draft.known.learn(address, &live.id);
        draft.known.ends(address);
    }
    let can_delete = inputs.schemas.get(ty).delete.is_some() && left.is_none();
    draft.decisions.push(Decision {
        address: address.clone(),
        ty,
        provider: pending.provider.clone(),
        action: if live.is_some() && can_delete { Action::Delete } else { Action::Forget },
        reason: Reason::Unfinished,
        differences: Vec::new(),
        desired: None,
        prior: None,
        live: live.map(Cow::Borrowed),
        link: None,
        origin: None,
        incarnation: pending.incarnation + 1,
        declared_by: None,
    });
}

/// Whether an id lasts through the plan, for `links`.
pub fn lasting_id(known: &Known, end: &End) -> Option<Arc<str>> {
    match end {
        End::Ours(address) => known.lasting(address).cloned(),
        End::Foreign(id) => Some(id.clone()),
    }
}
