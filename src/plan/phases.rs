//! The order of the updates of one change.
//!
//! In: what changed of an object, and how it is now. Out: the calls of its type by when they go,
//! and the actions after them.

use std::collections::BTreeSet;

use crate::config::DesiredResource;
use crate::plan::Action;
use crate::plan::decide::Decision;
use crate::plan::maintenance;
use crate::schema::{ActionIx, AttrIx, Call, Condition, ResourceType, SendSource};

/// Which updates go when: leaving Maintenance, then the rest, then actions, then entering it
/// (`ReconnectHost` is refused in Maintenance, reference 3.3).
pub struct Phases<'a> {
    pub first: Vec<&'a Call>,
    pub middle: Vec<&'a Call>,
    pub last: Vec<&'a Call>,
    pub then: BTreeSet<ActionIx>,
    /// Attributes sent by calls that are followed by an action: the action proves them.
    pub proven: Vec<AttrIx>,
    /// The actions cannot run because the object stays in Maintenance.
    pub deferred: bool,
}

impl<'a> Phases<'a> {
    pub fn of(
        ty: &'a ResourceType,
        desired: &DesiredResource,
        changed: &[AttrIx],
        decision: &Decision<'_>,
    ) -> Self {
        let state = maintenance::maintained(ty);
        let in_maintenance = decision.action == Action::Update
            && decision.live.as_ref().is_some_and(|live| maintenance::in_maintenance(ty, live));
        let prior = decision.prior.filter(|_| decision.action == Action::Update);
        let owed = prior.map(|prior| prior.owed.as_slice()).unwrap_or_default();
        let moves = state.is_some_and(|ix| changed.contains(&ix));
        let mut phases = Self {
            first: Vec::new(),
            middle: Vec::new(),
            last: Vec::new(),
            then: owed.iter().filter_map(|name| ty.find_action(name)).collect(),
            proven: Vec::new(),
            deferred: in_maintenance && !moves,
        };
        for call in &ty.updates {
            let sent: Vec<AttrIx> = changed.iter().copied().filter(|ix| call.sends(*ix)).collect();
            if sent.is_empty() || !holds(&call.when, desired) {
                continue;
            }
            let is_state = state.is_some_and(|ix| call.sends(ix));
            match (is_state, in_maintenance) {
                (true, true) => phases.first.push(call),
                (true, false) => phases.last.push(call),
                (false, _) => phases.middle.push(call),
            }
            if !call.then.is_empty() {
                phases.then.extend(&call.then);
                phases.proven.extend(sent);
            }
        }
        phases
    }
}

/// Whether a call sends an element as a whole.
pub fn sends_element(call: &Call) -> bool {
    call.send.iter().any(|s| matches!(s.source, SendSource::Part | SendSource::PartList))
}

/// Whether all conditions hold for the desired values.
fn holds(conditions: &[Condition], desired: &DesiredResource) -> bool {
    conditions.iter().all(|c| {
        let value = desired.attrs[usize::from(c.attr.0)].as_str();
        value.is_some_and(|v| c.values.iter().any(|allowed| &**allowed == v))
    })
}
