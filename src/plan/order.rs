//! Edges between the steps of different objects.
//!
//! Creates follow references, deletes run against them, detaching comes before deleting, and a
//! step that takes a unique key waits for the one that frees it. What a schema's `after` says is for
//! `barrier`.

use std::collections::HashMap;
use std::sync::Arc;

use crate::address::Address;
use crate::plan::conflict;
use crate::plan::decide::Draft;
use crate::plan::key::{self, Key};
use crate::plan::spots::{Spot, Spots};
use crate::plan::{Action, Inputs, Plan, Reason, StepIx, barrier, handover};

/// Adds all edges between objects.
pub fn connect(inputs: &Inputs<'_>, draft: &Draft<'_>, plan: &mut Plan) {
    let spots = Spots::of(plan);
    references(draft, &spots, plan);
    barrier::raise(inputs, draft, &spots, plan);
    barrier::adds_before_removes(inputs, draft, &spots, plan);
    barrier::leaves_before_enters(inputs, draft, &spots, plan);
    keys(inputs, draft, &spots, plan);
    handover::order(inputs, draft, &spots, plan);
    for step in &mut plan.steps {
        step.after.sort_unstable();
        step.after.dedup();
        step.gates.sort_unstable();
        step.gates.dedup();
    }
}

fn after(plan: &mut Plan, step: Option<StepIx>, first: Option<StepIx>) {
    if let (Some(StepIx(step)), Some(first)) = (step, first)
        && step != first.0
    {
        plan.steps[step as usize].after.push(first);
    }
}

fn references(draft: &Draft<'_>, spots: &Spots, plan: &mut Plan) {
    for (decision, spot) in draft.decisions.iter().zip(&spots.by_change) {
        let now = plan.changes[spots.by_address[&decision.address]].record.dependencies.clone();
        for parent in &now {
            after(plan, spot.begin(), spots.get(parent).create);
        }
        let explicit = decision.desired.map(|d| &d.depends_on[..]).unwrap_or_default();
        for (parent, _) in explicit {
            after(plan, spot.begin(), spots.get(parent).last);
        }
        if let Reason::Triggered(by, _) = &decision.reason {
            after(plan, spot.begin(), spots.get(by).last);
        }
        let before = decision.prior.map(|prior| prior.dependencies.as_slice()).unwrap_or_default();
        let now = if spot.delete.is_some() { now.as_slice() } else { &[] };
        for parent in before.iter().chain(now) {
            let of_parent = spots.get(parent);
            // What goes along with its owner is gone after it.
            if spot.delete.is_some_and(|StepIx(at)| plan.steps[at as usize].request.is_none()) {
                after(plan, spot.delete, of_parent.delete);
                continue;
            }
            let held_until = match decision.action {
                Action::Delete | Action::Replace => spot.delete,
                // A replaced parent is deleted first whatever refers to it; only one that goes
                // for good waits to be let go.
                Action::Update if of_parent.create.is_none() => spot.last,
                _ => None,
            };
            for gone in ends(draft, spots, parent) {
                after(plan, Some(gone), held_until);
            }
        }
    }
}

/// The steps that end an object: its delete, or, for one that is found and not made and so has
/// none (a device), those of what it is found on: it goes with that. One that is found elsewhere
/// ends when that is looked up: from then on its address means the other.
fn ends(draft: &Draft<'_>, spots: &Spots, object: &Address) -> Vec<StepIx> {
    let Some(ix) = spots.by_address.get(object).copied() else { return Vec::new() };
    if let Some(delete) = spots.by_change[ix].delete {
        return vec![delete];
    }
    let decision = &draft.decisions[ix];
    match (decision.action, decision.prior) {
        // References have no rings, so that this ends.
        (Action::Delete | Action::Forget | Action::Replace, Some(prior)) => {
            let with = prior.dependencies.iter().flat_map(|of| ends(draft, spots, of));
            with.chain(spots.by_change[ix].create).collect()
        }
        _ => Vec::new(),
    }
}

/// A step that takes a unique key waits for the step that frees it, whatever their addresses.
fn keys(inputs: &Inputs<'_>, draft: &Draft<'_>, spots: &Spots, plan: &mut Plan) {
    let mut freed: HashMap<Key, usize> = HashMap::new();
    for (ix, decision) in draft.decisions.iter().enumerate() {
        for key in conflict::freed(inputs, draft, decision) {
            freed.insert(key, ix);
        }
    }
    for (ix, decision) in draft.decisions.iter().enumerate() {
        for key in conflict::taken(inputs, draft, decision) {
            let Some(from) = freed.get(&key).copied().filter(|from| *from != ix) else { continue };
            let names = key::names(inputs.schemas.get(key.ty), key.set);
            let (taker, giver) = (&spots.by_change[ix], &spots.by_change[from]);
            let frees = match draft.decisions[from].action {
                Action::Delete | Action::Replace => giver.delete,
                _ => sender(plan, giver, &names).or(giver.last),
            };
            let takes = sender(plan, taker, &names).or(taker.begin());
            // An element that comes or goes with its owner takes or frees its key by that call.
            let owner = |at: usize| spots.get(&draft.decisions[at].address.owner());
            let takes = sent(plan, takes).or_else(|| owner(ix).create).or(takes);
            let frees = sent(plan, frees).or_else(|| owner(from).delete).or(frees);
            after(plan, takes, frees);
        }
    }
}

/// The step, if it has a call of its own.
fn sent(plan: &Plan, step: Option<StepIx>) -> Option<StepIx> {
    step.filter(|StepIx(at)| plan.steps[*at as usize].request.is_some())
}

/// The step of a change that sends one of these attributes. Steps of a change stand together.
fn sender(plan: &Plan, spot: &Spot, names: &[Arc<str>]) -> Option<StepIx> {
    let (StepIx(first), StepIx(last)) = (spot.begin()?, spot.last?);
    let sends = |ix: &u32| {
        let expect = &plan.steps[*ix as usize].expect;
        expect.iter().any(|(attr, _)| names.contains(attr))
    };
    (first..=last).find(sends).map(StepIx)
}
