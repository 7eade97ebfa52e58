//! The state that a run begins with: what needs no call is done in it, and what is about to be
//! sent is named in it.
//!
//! In: a plan and the state it was made from. Out: the state to write before the first request.
//! Pure. A runner that dies after that write leaves nothing unnamed, even if its journal is lost
//! with it, whatever the configuration becomes.

use std::collections::{BTreeMap, BTreeSet};

use std::sync::Arc;

use crate::address::Address;
use crate::apply::step::{self, Digests};
use crate::inventory::element_id;
use crate::plan::{Action, Change, Op, Plan};
use crate::schema::{IdRule, Schemas};
use crate::state::fold::Fold;
use crate::state::identity::client_id;
use crate::state::journal::Record;
use crate::state::secret::UNVERIFIED;
use crate::state::{Entry, State};

/// Makes the state. `digests` are those of the configuration's secrets; the state has its lineage.
pub fn beginning(
    plan: &Plan,
    schemas: &Schemas,
    digests: &BTreeMap<Address, Digests>,
    state: State,
) -> State {
    let mut state = without_calls(plan, state);
    let creates: BTreeSet<&Address> = creates(plan).map(|c| &c.address).collect();
    // A create that an earlier apply left open, of an object that was never replaced after all.
    state.pending.retain(|a, _| creates.contains(a) || !state.entries.contains_key(a));
    for change in self::creates(plan) {
        name_pending(change, schemas, digests, &mut state);
    }
    doubt_secrets(plan, schemas, &mut state);
    for step in &plan.steps {
        if let (Op::Action(name), Some(entry)) = (&step.op, state.entries.get_mut(&step.address)) {
            entry.owe(name);
        }
    }
    state
}

/// From here on a secret that is to be sent may be the old or the new one: no digest stands until a
/// step has confirmed it. Without this, a rotation that is cut off and then taken back in the
/// configuration would look as if the old secret were still in place.
fn doubt_secrets(plan: &Plan, schemas: &Schemas, state: &mut State) {
    for change in plan.changes.iter().filter(|c| c.action == Action::Update) {
        let Some(entry) = state.entries.get_mut(&change.address) else { continue };
        let ty = schemas.get(change.ty);
        let is_secret = |name: &str| ty.find_attr(name).is_some_and(|attr| ty.attr(attr).unread());
        for diff in change.diffs.iter().filter(|diff| is_secret(&diff.name)) {
            entry.digests.remove(&diff.name);
            state.secrets.seal = None;
        }
    }
}

/// Changes that need no call: adopted, forgotten and recorded objects, those that a cut-off apply
/// created though the plan does more to them, and rows that are out of date.
pub fn without_calls(plan: &Plan, state: State) -> State {
    let run = state.run.clone();
    let mut fold = Fold::new(state, run);
    for change in &plan.changes {
        let address = change.address.clone();
        match change.action {
            Action::Adopt | Action::Record => {
                let entry = entry_of(change, change.record.incarnation, &fold.state);
                fold.add(Record::Entry { address, entry: Box::new(entry) });
            }
            Action::Forget => fold.add(Record::Forgotten { address }),
            Action::Update | Action::Replace | Action::Delete => {
                if let Some(entry) = found(change, &fold.state) {
                    fold.add(Record::Entry { address, entry: Box::new(entry) });
                }
            }
            Action::Create => {}
        }
    }
    for (address, attrs) in &plan.refreshed {
        if let Some(entry) = fold.state.entries.get_mut(address) {
            entry.attrs.clone_from(attrs);
        }
    }
    fold.state
}

/// The entry of an imported object, or of a pending one that turned out to be live, that has none yet. Without it, a call
/// that fails would leave an object that nobody knows.
fn found(change: &Change, state: &State) -> Option<Entry> {
    let id = change.id.as_ref()?;
    if change.importing {
        return Some(entry_of(change, state.next_incarnation(&change.address), state));
    }
    let pending = state.pending.get(&change.address)?;
    let known = state.entries.get(&change.address).is_some_and(|entry| entry.id == *id);
    (!known).then(|| entry_of(change, pending.incarnation, state))
}

fn entry_of(change: &Change, incarnation: u32, state: &State) -> Entry {
    let id = change.id.clone().unwrap_or_default();
    if change.is_attachment() {
        return step::link_entry(change, &id);
    }
    let prior = state.entries.get(&change.address).filter(|entry| entry.id == id);
    Entry {
        kind: change.record.kind.clone(),
        provider: change.provider.clone(),
        id,
        attrs: change.seen.clone(),
        dependencies: change.record.dependencies.clone(),
        schema_version: change.record.schema_version,
        digests: digests_of(state, change),
        incarnation,
        prevent_destroy: change.record.prevent_destroy,
        declared_by: None,
        owed: prior.map(|entry| entry.owed.clone()).unwrap_or_default(),
    }
}

/// Digests that the state has for an object, also for one that a cut-off apply created. The secrets
/// of an adopted object that it knows nothing of are those that the object was made with: nothing
/// is sent for them until they change.
fn digests_of(state: &State, change: &Change) -> Digests {
    let pending = state.pending.get(&change.address).map(|pending| &pending.digests);
    let entry = state.entries.get(&change.address).map(|entry| &entry.digests);
    match pending.or(entry).filter(|_| !change.importing) {
        Some(known) => known.clone(),
        None if change.action == Action::Adopt || change.importing => {
            let secrets = change.record.secrets.iter();
            secrets.map(|name| (name.clone(), UNVERIFIED.to_owned())).collect()
        }
        None => Digests::new(),
    }
}

/// The ids that an element can have: its owner is there, or pending under one of several ids.
fn elements_of(change: &Change, state: &State) -> Vec<Arc<str>> {
    let owner = change.address.owner();
    let key = change.address.member_of().map(|m| m.key.clone()).unwrap_or_default();
    let entry = state.entries.get(&owner).map(|entry| &entry.id);
    let pending = state.pending.get(&owner).into_iter().flat_map(|p| &p.candidates);
    entry.into_iter().chain(pending).map(|owner| element_id(owner, &key)).collect()
}

fn creates(plan: &Plan) -> impl Iterator<Item = &Change> {
    plan.changes.iter().filter(|c| matches!(c.action, Action::Create | Action::Replace))
}

fn name_pending(
    change: &Change,
    schemas: &Schemas,
    digests: &BTreeMap<Address, Digests>,
    state: &mut State,
) {
    let candidates = match schemas.get(change.ty).id {
        IdRule::Client { .. } if !change.is_attachment() => {
            vec![client_id(&state.lineage, &change.address, change.record.incarnation)]
        }
        IdRule::Part if !change.is_attachment() => elements_of(change, state),
        _ => Vec::new(),
    };
    let earlier = state.pending.remove(&change.address);
    // A call of the earlier apply may be under way with the secrets of then: until the object has
    // been seen to be made by this one, those are what it may have.
    let digests = match &earlier {
        Some(earlier) if !earlier.digests.is_empty() => earlier.digests.clone(),
        _ => digests.get(&change.address).cloned().unwrap_or_default(),
    };
    let mut all = earlier.map(|p| p.candidates).unwrap_or_default();
    all.retain(|id| !candidates.contains(id));
    all.extend(candidates);
    let pending = step::pending(change, all, change.record.incarnation, digests);
    state.pending.insert(change.address.clone(), pending);
}

#[cfg(test)]
mod tests;
