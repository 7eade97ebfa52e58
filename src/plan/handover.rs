//! Objects that are found and not made (devices) can pass from one block to another: renamed, or
//! because blocks change places. In: decisions. Out: the same, so that what both blocks declare
//! stays, and edges, so that what the old one gives up is gone before the new one has anything.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use crate::address::{Address, Member};
use crate::plan::decide::{Decision, Draft};
use crate::plan::key::{Key, keys};
use crate::plan::spots::Spots;
use crate::plan::{Action, Inputs, Plan, StepIx};
use crate::schema::IdRule;

/// An attachment or element of an object is only forgotten where another block takes it over.
pub fn keep(draft: &mut Draft<'_>) {
    let known = &draft.known;
    let place = |decision: &Decision<'_>| -> Option<(Arc<str>, Member)> {
        let member = decision.address.member_of()?.clone();
        Some((known.current(&decision.address.owner())?.clone(), member))
    };
    let adopts = draft.decisions.iter().filter(|d| d.action == Action::Adopt);
    let adopted: HashSet<_> = adopts.filter_map(place).collect();
    if adopted.is_empty() {
        return;
    }
    let passes = |d: &&mut Decision<'_>| {
        d.action == Action::Delete && place(d).is_some_and(|place| adopted.contains(&place))
    };
    draft.decisions.iter_mut().filter(passes).for_each(|d| d.action = Action::Forget);
}

/// What the new block attaches or adds comes after what the old one takes away.
pub fn order(inputs: &Inputs<'_>, draft: &Draft<'_>, spots: &Spots, plan: &mut Plan) {
    let schema = |d: &Decision<'_>| inputs.schemas.get(d.ty);
    let found = |d: &&Decision<'_>| d.link.is_none() && schema(d).id == IdRule::Found;
    let mut givers: HashMap<Key, &Address> = HashMap::new();
    let lets_go = |d: &&Decision<'_>| matches!(d.action, Action::Forget | Action::Replace);
    for giver in draft.decisions.iter().filter(found).filter(lets_go) {
        let Some(live) = &giver.live else { continue };
        let held = keys(giver.ty, schema(giver), &live.attrs, &draft.known);
        givers.extend(held.into_iter().map(|key| (key, &giver.address)));
    }
    let mut before: HashMap<&Address, &Address> = HashMap::new();
    for taker in draft.decisions.iter().filter(found).filter(|_| !givers.is_empty()) {
        let Some(desired) = taker.desired else { continue };
        let wanted = keys(taker.ty, schema(taker), &desired.attrs, &draft.known);
        let from = wanted.iter().find_map(|key| givers.get(key).copied());
        before.extend(from.filter(|from| **from != taker.address).map(|f| (&taker.address, f)));
    }
    if before.is_empty() {
        return;
    }
    let members = || {
        let all = draft.decisions.iter().zip(&spots.by_change);
        all.filter(|(d, _)| d.address.member_of().is_some())
    };
    let mut leaving: HashMap<Address, Vec<StepIx>> = HashMap::new();
    for (decision, spot) in members() {
        leaving.entry(decision.address.owner()).or_default().extend(spot.delete);
    }
    for (decision, spot) in members() {
        let from = before.get(&decision.address.owner()).and_then(|from| leaving.get(*from));
        if let (Some(StepIx(begin)), Some(from)) = (spot.begin(), from) {
            plan.steps[begin as usize].after.extend(from);
        }
    }
}
