//! Differences of one object → whether it is left, updated or replaced, and why it is replaced.
//!
//! In: what differs, and what has been decided about others. Out: a [`Verdict`]. Whether it may be
//! carried out is for `decide`.

use crate::config::DesiredResource;
use crate::plan::diff::Difference;
use crate::plan::known::Known;
use crate::plan::trigger::Triggers;
use crate::plan::{AttrDiff, Reason, Shown};

/// What has to be done about an object that is there.
pub enum Verdict {
    Nothing,
    Update,
    Replace(Reason),
}

/// What follows from the differences between what is desired and what is live.
pub fn verdict(differences: &[Difference], requested: bool, known: &Known) -> Verdict {
    let forcing: Vec<&AttrDiff> =
        differences.iter().map(|d| &d.diff).filter(|d| d.forces_replace).collect();
    if forcing.is_empty() {
        return match (requested, differences.is_empty()) {
            (true, _) => Verdict::Replace(Reason::Requested),
            (false, true) => Verdict::Nothing,
            (false, false) => Verdict::Update,
        };
    }
    let parent = |d: &AttrDiff| match &d.after {
        Shown::AfterApply(of) if known.current(of).is_some() => Some(of.clone()),
        _ => None,
    };
    match forcing.iter().map(|d| parent(d)).collect::<Option<Vec<_>>>().as_deref() {
        Some([first, ..]) => Verdict::Replace(Reason::ParentReplaced(first.clone())),
        _ => {
            Verdict::Replace(Reason::CannotUpdate(forcing.iter().map(|d| d.name.clone()).collect()))
        }
    }
}

/// The same, unless something that it names in `replace_triggered_by` changes.
pub fn triggered(verdict: Verdict, desired: &DesiredResource, triggers: &mut Triggers) -> Verdict {
    if let Verdict::Replace(_) = verdict {
        return verdict;
    }
    match triggers.set_off(&desired.replaced_by) {
        Some((of, by)) => Verdict::Replace(Reason::Triggered(of, by.attr.clone())),
        None => verdict,
    }
}
