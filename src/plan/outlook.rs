//! The objects as they are after an apply, or as far as a plan leaves them alone.
//!
//! In: a state, and perhaps a plan. Out: [`Objects`] for whoever evaluates outputs and conditions.
//! What the plan changes is not known here: then the configuration says it, or nobody does.

use std::collections::HashMap;
use std::sync::Arc;

use super::{Action, Attributes, Change, Plan};
use crate::address::Address;
use crate::config::Objects;
use crate::state::{self, State};
use crate::value::Value;

/// What is known of objects.
pub struct Outlook<'a> {
    state: &'a State,
    changes: HashMap<&'a Address, &'a Change>,
    /// Attributes that are newer than those of the state.
    refreshed: HashMap<&'a Address, &'a Attributes>,
}

impl<'a> Outlook<'a> {
    /// After an apply: all as the state has it.
    pub fn after(state: &'a State) -> Self {
        Self { state, changes: HashMap::new(), refreshed: HashMap::new() }
    }

    /// While planning.
    pub fn planned(state: &'a State, plan: &'a Plan) -> Self {
        let changes = plan.changes.iter().map(|change| (&change.address, change)).collect();
        let refreshed = plan.refreshed.iter().map(|(at, attrs)| (at, attrs)).collect();
        Self { state, changes, refreshed }
    }
}

impl Objects for Outlook<'_> {
    fn id(&self, of: &Address) -> Option<Arc<str>> {
        let known = || self.state.entries.get(of).map(|entry| entry.id.clone());
        match self.changes.get(of) {
            None => known(),
            Some(change) => match change.action {
                Action::Update | Action::Record => known().or_else(|| change.id.clone()),
                Action::Adopt => change.id.clone(),
                Action::Create | Action::Replace | Action::Delete | Action::Forget => None,
            },
        }
    }

    fn attribute(&self, of: &Address, name: &str) -> Option<Value> {
        self.id(of)?;
        let attrs = match self.changes.get(of) {
            Some(change) if change.diffs.iter().any(|diff| *diff.name == *name) => return None,
            Some(change) if change.action == Action::Adopt || change.importing => &change.seen,
            _ => match self.refreshed.get(of) {
                Some(attrs) => *attrs,
                None => &self.state.entries.get(of)?.attrs,
            },
        };
        let found = attrs.iter().find(|(n, _)| **n == *name);
        // The configuration has what the state may not hold.
        let found = found.filter(|(_, value)| !state::is_hidden(value));
        Some(found.map_or(Value::Null, |(_, value)| value.clone()))
    }
}
