//! Journal + state → state: what an apply recorded becomes what we remember.
//!
//! In: a state and the records of the apply that builds on it, one by one or from a journal. Out:
//! the state after them, and the calls whose outcome nobody recorded. Folding is a pure function
//! of both, so that a reader without the lock and the holder of the lock see the same.

use std::collections::BTreeMap;

use super::journal::{Intent, Journal, JournalError, Record};
use super::{Entry, State};
use crate::address::Address;

/// A state to which records are being added.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Fold {
    pub state: State,
    /// Whether the apply recorded its end.
    pub ended: bool,
    /// Open intents by address; within one, by step and call.
    open: BTreeMap<Address, BTreeMap<(u32, u32), Intent>>,
}

/// Folds a journal onto its state.
///
/// # Errors
/// [`JournalError::Lineage`] and [`JournalError::Serial`] when it builds on another state,
/// [`JournalError::AlreadyFolded`] when the state contains it: the apply (or whoever folded it)
/// was cut off between writing the state and removing the journal.
pub fn fold(journal: Journal, state: State) -> Result<Fold, JournalError> {
    let Journal { run, records, torn: _ } = journal;
    if run.lineage != state.lineage {
        return Err(JournalError::Lineage { journal: run.lineage, state: state.lineage });
    }
    if run.run == state.run {
        return Err(JournalError::AlreadyFolded);
    }
    if run.serial != state.serial {
        return Err(JournalError::Serial { journal: run.serial, state: state.serial });
    }
    let mut fold = Fold::new(state, run.run);
    records.into_iter().for_each(|record| fold.add(record));
    Ok(fold)
}

impl Fold {
    /// The start of a run: the state will say that it contains it.
    pub fn new(state: State, run: String) -> Self {
        Self { state: State { run, ..state }, ended: false, open: BTreeMap::new() }
    }

    /// Calls that were about to be sent and whose outcome is not known, by address, step and call.
    pub fn unfinished(&self) -> impl Iterator<Item = &Intent> {
        self.open.values().flat_map(BTreeMap::values)
    }

    /// Adds what one record says. O(log n).
    pub fn add(&mut self, record: Record) {
        let state = &mut self.state;
        match record {
            Record::Run(_) => {} // the head; `fold` has judged it
            Record::Pending { address, pending } => drop(state.pending.insert(address, pending)),
            Record::Intent(intent) => {
                // A later attempt takes the place of the earlier: attempts rise only after a
                // definite result.
                let calls = self.open.entry(intent.address.clone()).or_default();
                calls.insert((intent.step, intent.call), intent);
            }
            Record::Entry { address, entry } => self.insert(address, *entry),
            Record::Seen { address, attrs } => {
                if let Some(entry) = state.entries.get_mut(&address) {
                    entry.attrs = attrs;
                }
            }
            Record::Removed { address, incarnation } => {
                let next = self.remove(&address).max(incarnation);
                // An attachment has no id of its own that could be used up.
                if incarnation > 0 || address.member_of().is_none() {
                    self.raise(address, next);
                }
            }
            Record::Forgotten { address } => {
                self.state.pending.remove(&address);
                let next = self.remove(&address);
                // As for `Removed`.
                if address.member_of().is_none() {
                    self.raise(address, next);
                }
            }
            Record::Failed { address, step, attempt: _, definite, text: _ } => {
                if definite {
                    self.failed(&address, step);
                }
            }
            Record::Incarnation { address, incarnation } => self.raise(address, incarnation),
            Record::Digests { address, digests } => {
                if let Some(entry) = state.entries.get_mut(&address) {
                    entry.digests.extend(digests);
                }
            }
            Record::Seal { salt, seal } => state.secrets = super::Secrets { salt, seal },
            Record::Cloud { provider, cloud } => drop(state.clouds.insert(provider, cloud)),
            Record::End => self.ended = true,
        }
    }

    /// The outcome of everything sent for the address is known. What is pending ends too when this
    /// is the object that was; in a replacement, the old object says nothing about the new one.
    fn insert(&mut self, address: Address, entry: Entry) {
        self.open.remove(&address);
        let state = &mut self.state;
        let link = address.member_of().is_some();
        let awaited = link
            || state.pending.get(&address).is_some_and(|pending| {
                pending.candidates.contains(&entry.id) || pending.incarnation <= entry.incarnation
            });
        if awaited {
            state.pending.remove(&address);
        }
        // The entry carries the incarnation from now on, unless it is an adopted object and later
        // ones are used up.
        if state.incarnations.get(&address).is_some_and(|used| *used <= entry.incarnation) {
            state.incarnations.remove(&address);
        }
        let now = entry.incarnation;
        let before = state.entries.insert(address.clone(), entry).map(|old| old.incarnation);
        if let Some(used) = before.filter(|used| *used > now) {
            self.raise(address, used.saturating_add(1));
        }
    }

    /// Returns the incarnation after that of the removed object. As for [`Fold::insert`], what is
    /// pending stays when it is to follow.
    fn remove(&mut self, address: &Address) -> u32 {
        self.open.remove(address);
        let removed = self.state.entries.remove(address).map(|entry| entry.incarnation);
        let successor = self.state.pending.get(address).map(|pending| pending.incarnation);
        // An attachment that is made anew has no incarnation to tell it from the one before.
        let replaced = address.member_of().is_some() && removed.is_some();
        if removed.is_none() || (successor <= removed && !replaced) {
            self.state.pending.remove(address);
        }
        removed.map_or(0, |used| used.saturating_add(1))
    }

    /// Incarnations only rise: an id that was used once may be taken for good.
    fn raise(&mut self, address: Address, incarnation: u32) {
        if incarnation == 0 {
            return; // what an address without a past has anyway
        }
        let known = self.state.incarnations.entry(address).or_default();
        *known = incarnation.max(*known);
    }

    /// A step had no effect. What was pending is so no longer, unless another call for the same
    /// address is still open and may yet create it.
    fn failed(&mut self, address: &Address, step: u32) {
        if let Some(calls) = self.open.get_mut(address) {
            calls.retain(|(of, _), _| *of != step);
            if !calls.is_empty() {
                return;
            }
        }
        self.open.remove(address);
        self.state.pending.remove(address);
    }
}

#[cfg(test)]
mod tests;
