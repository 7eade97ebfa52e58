//! What records do to a state.

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;
use crate::state::Pending;
use crate::state::journal::Run;
use crate::state::testing::{any_record, any_state, folded, intent, pending, run_on, small, zone};

fn west() -> Address {
    Address::new("zone", "west")
}
fn entry(incarnation: u32) -> Record {
    let entry = crate::state::Entry { incarnation, ..zone("west") };
    Record::Entry { address: west(), entry: Box::new(entry) }
}
fn failed(step: u32, definite: bool) -> Record {
    Record::Failed { address: west(), step, attempt: 0, definite, text: "SYS.1000".into() }
}
fn open(fold: &Fold) -> Vec<(u32, u32)> {
    fold.unfinished().map(|i| (i.step, i.call)).collect()
}

#[test]
fn a_finished_create_is_an_entry_and_nothing_is_open() {
    let fold = folded(small(), [intent(&west(), 0, 0), intent(&west(), 0, 1), entry(0)]);
    assert!(fold.state.entries.contains_key(&west()));
    assert!(!fold.state.pending.contains_key(&west()));
    assert_eq!(open(&fold), []);
}

#[test]
fn a_cut_off_create_stays_pending_with_its_job() {
    let new = Record::Pending { address: west(), pending: pending(&["c0", "c1"]) };
    let fold = folded(small(), [new, intent(&west(), 3, 0)]);
    assert_eq!(fold.state.pending[&west()].candidates.len(), 2);
    assert_eq!(fold.unfinished().map(|i| &*i.job).collect::<Vec<_>>(), ["job-3-0"]);
}

#[test]
fn an_unknown_outcome_keeps_what_a_definite_failure_clears() {
    let unknown = folded(small(), [intent(&west(), 0, 0), failed(0, false)]);
    assert_eq!(open(&unknown), [(0, 0)]);
    assert!(unknown.state.pending.contains_key(&west()));
    let definite = folded(small(), [intent(&west(), 0, 0), failed(0, true)]);
    assert_eq!(open(&definite), []);
    assert!(!definite.state.pending.contains_key(&west()));
    // Step 1 failed for good, but the create of step 0 may still arrive.
    let both = [intent(&west(), 0, 0), failed(0, false), intent(&west(), 1, 0), failed(1, true)];
    let both = folded(small(), both);
    assert_eq!(open(&both), [(0, 0)]);
    assert!(both.state.pending.contains_key(&west()));
}

/// The new object of a replacement is pending from the start of the apply, through everything
/// that happens to the old one.
#[test]
fn a_replacement_stays_pending_until_it_exists() {
    let mut state = folded(small(), [entry(0)]).state;
    let new = Pending { incarnation: 1, ..pending(&["c1"]) };
    state.pending.insert(west(), new);
    let removed = Record::Removed { address: west(), incarnation: 1 };
    let mut fold = folded(state, [entry(0), removed, intent(&west(), 1, 0)]);
    assert_eq!(fold.state.pending[&west()].candidates, ["c1".into()]);
    assert!(!fold.state.entries.contains_key(&west()));
    let mut forgotten = fold.clone();
    forgotten.add(Record::Forgotten { address: west() });
    assert!(!forgotten.state.pending.contains_key(&west()));
    fold.add(entry(1));
    assert!(!fold.state.pending.contains_key(&west()));
}

#[test]
fn what_was_only_pending_ends_with_its_removal_or_adoption() {
    let removed = Record::Removed { address: west(), incarnation: 1 };
    assert!(!folded(small(), [removed]).state.pending.contains_key(&west()));
    // Found under the first of two candidates.
    let mut state = small();
    let found = zone("west").id;
    state.pending.insert(west(), Pending { incarnation: 1, ..pending(&[&found, "c1"]) });
    assert!(!folded(state, [entry(0)]).state.pending.contains_key(&west()));
}

#[test]
fn incarnations_only_rise() {
    let removed = |incarnation| Record::Removed { address: west(), incarnation };
    let next = |records: Vec<Record>| folded(small(), records).state.next_incarnation(&west());
    assert_eq!(next(vec![entry(0), removed(1)]), 1);
    assert_eq!(next(vec![entry(4), removed(1)]), 5, "4 was used, whatever the record says");
    assert_eq!(next(vec![entry(2), Record::Forgotten { address: west() }]), 3);
    assert_eq!(next(vec![entry(0), removed(6), entry(0), removed(1)]), 6);
    let raised = Record::Incarnation { address: west(), incarnation: 2 };
    assert_eq!(next(vec![raised.clone()]), 2);
    assert_eq!(next(vec![raised, entry(2)]), 0, "the entry carries it");
}

#[test]
fn a_detached_attachment_leaves_nothing_behind() {
    let link = Address::new("storage", "s").member("clusters", "cluster.a");
    let attached = Record::Entry { address: link.clone(), entry: Box::new(zone("a")) };
    let detached = Record::Removed { address: link.clone(), incarnation: 0 };
    let fold = folded(small(), [attached, intent(&link, 4, 0), detached]);
    assert_eq!(fold.state.incarnations, small().incarnations);
    assert!(!fold.state.entries.contains_key(&link));
    assert_eq!(open(&fold), []);
}

#[test]
fn a_journal_belongs_to_one_state() {
    let journal = |run: Run| Journal { run, records: vec![entry(0)], torn: 0 };
    let state = small();
    let good = run_on(&state);
    assert!(fold(journal(good.clone()), state.clone()).is_ok());
    let lineage = Run { lineage: "other".into(), ..good.clone() };
    let refused = fold(journal(lineage), state.clone());
    assert!(matches!(refused, Err(JournalError::Lineage { .. })));
    for serial in [6, 8] {
        let refused = fold(journal(Run { serial, ..good.clone() }), state.clone());
        assert_eq!(refused, Err(JournalError::Serial { journal: serial, state: 7 }));
    }
}

proptest! {
    #[test]
    fn a_journal_is_folded_once(state in any_state(), records in vec(any_record(), 0..9)) {
        let journal = Journal { run: run_on(&state), records, torn: 0 };
        let mut once = fold(journal.clone(), state).expect("its own state").state;
        prop_assert_eq!(fold(journal.clone(), once.clone()), Err(JournalError::AlreadyFolded));
        once.serial = once.serial.wrapping_add(1); // as written
        prop_assert_eq!(fold(journal, once), Err(JournalError::AlreadyFolded));
    }

    /// The same whether read at once or in two pieces, as a live reader sees it.
    #[test]
    fn what_is_open_or_pending_never_contradicts_an_entry(
        state in any_state(), records in vec(any_record(), 0..12),
    ) {
        let fold = folded(State { pending: BTreeMap::new(), ..state }, records.clone());
        for (address, incarnation) in &fold.state.incarnations {
            let before = records.iter().filter_map(|r| match r {
                Record::Incarnation { address: a, incarnation } if a == address => Some(*incarnation),
                _ => None,
            });
            prop_assert!(before.max().is_none_or(|max| *incarnation >= max
                || fold.state.entries.contains_key(address)));
        }
        if let Some(Record::Entry { address, .. }) = records.last() {
            prop_assert!(fold.unfinished().all(|i| i.address != *address));
            prop_assert!(!fold.state.pending.contains_key(address));
        }
    }
}

/// An attachment has no id of its own that could be used up.
#[test]
fn a_forgotten_attachment_uses_up_no_incarnation() {
    let address = Address::new("nfs_primary_storage", "n").member("clusters", "cluster.a");
    let entry = crate::state::Entry { id: "c".into(), ..Default::default() };
    let made = Record::Entry { address: address.clone(), entry: Box::new(entry) };
    let fold = folded(State::default(), [made, Record::Forgotten { address }]);
    assert_eq!((fold.state.entries.len(), fold.state.incarnations.len()), (0, 0));
}

/// A detach that makes way for a new attach of the same pair leaves that pending.
#[test]
fn an_attachment_that_is_made_anew_stays_pending_over_its_detach() {
    let address = Address::new("nfs_primary_storage", "n").member("clusters", "cluster.a");
    let entry = || Box::new(crate::state::Entry { id: "c".into(), ..Default::default() });
    let made = || Record::Entry { address: address.clone(), entry: entry() };
    let next = Record::Pending { address: address.clone(), pending: pending(&[]) };
    let gone = Record::Removed { address: address.clone(), incarnation: 0 };
    let fold = folded(State::default(), [made(), next, gone]);
    assert!(fold.state.pending.contains_key(&address));
    let mut fold = fold;
    fold.add(made());
    assert!(fold.state.pending.is_empty());
}
