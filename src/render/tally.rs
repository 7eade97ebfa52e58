//! A plan's changes, counted as Terraform counts them.
//!
//! In: [`Plan`]. Out: [`Tally`] and its sentence. A replacement is one to add and one to destroy.

use std::collections::BTreeMap;
use std::fmt;

use crate::plan::{Action, Plan};

use super::words::count;

/// How many objects a plan touches, by what happens to them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    pub add: usize,
    pub change: usize,
    pub destroy: usize,
    pub import: usize,
    pub forget: usize,
    /// Changes of the state alone (`prevent_destroy`).
    pub record: usize,
}

impl Tally {
    pub fn of(plan: &Plan) -> Self {
        let mut tally = Self::default();
        for change in &plan.changes {
            // What else happens to it counts by itself.
            if change.importing && change.action != Action::Adopt {
                tally.import += 1;
            }
            match change.action {
                Action::Create => tally.add += 1,
                Action::Update => tally.change += 1,
                Action::Replace => {
                    tally.add += 1;
                    tally.destroy += 1;
                }
                Action::Delete => tally.destroy += 1,
                Action::Adopt => tally.import += 1,
                Action::Forget => tally.forget += 1,
                Action::Record => tally.record += 1,
            }
        }
        tally
    }
}

/// `3 to add, 1 to change, 0 to destroy`, and the rarer kinds only where there are some.
impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { add, change, destroy, import, forget, record } = *self;
        let (a, c, d) = (count(add as u64), count(change as u64), count(destroy as u64));
        write!(f, "{a} to add, {c} to change, {d} to destroy")?;
        let rare = [(import, "to import"), (forget, "to forget"), (record, "only in the state")];
        for (number, what) in rare.into_iter().filter(|(n, _)| *n > 0) {
            write!(f, ", {} {what}", count(number as u64))?;
        }
        Ok(())
    }
}

/// What is not in the plan and goes down with it, summed up by label; empty when nothing does.
pub fn casualties(plan: &Plan) -> BTreeMap<&str, u64> {
    let mut sums = BTreeMap::new();
    for (label, number) in plan.changes.iter().flat_map(|c| &c.casualties) {
        if *number > 0 {
            let sum: &mut u64 = sums.entry(label.as_str()).or_default();
            *sum = sum.saturating_add(*number);
        }
    }
    sums
}
