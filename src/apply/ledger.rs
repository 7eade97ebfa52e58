//! Journal records of a running apply, and what they say about secrets so far.
//!
//! In: records. Out: durability: a note has reached the disk when it returns. The journal's own
//! thread folds them into the state (`store`).

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use crate::address::Address;
use crate::state::State;
use crate::state::journal::Record;
use crate::store::{JournalWriter, StoreError};

/// Where a run writes down what it does.
pub struct Ledger {
    writer: JournalWriter,
    lineage: String,
    run: String,
    /// Digests per object as last written down.
    digests: Mutex<HashMap<Address, BTreeMap<Arc<str>, String>>>,
}

impl Ledger {
    /// The ledger of a run on this state.
    pub fn new(writer: JournalWriter, state: &State, run: &str) -> Self {
        let pending = state.pending.iter().map(|(a, p)| (a, &p.digests));
        let entries = state.entries.iter().map(|(a, e)| (a, &e.digests));
        let known = pending.chain(entries).filter(|(_, digests)| !digests.is_empty());
        let digests = known.map(|(a, digests)| (a.clone(), digests.clone())).collect();
        Self {
            writer,
            lineage: state.lineage.clone(),
            run: run.to_owned(),
            digests: Mutex::new(digests),
        }
    }

    pub fn lineage(&self) -> &str {
        &self.lineage
    }
    pub fn run(&self) -> &str {
        &self.run
    }

    /// Writes a record; durable when this returns.
    ///
    /// # Errors
    /// [`StoreError`]: nothing more may be sent.
    pub async fn note(&self, record: Record) -> Result<(), StoreError> {
        if let Record::Entry { address, entry } = &record
            && !entry.digests.is_empty()
        {
            self.lock().insert(address.clone(), entry.digests.clone());
        }
        self.writer.append(record).durable().await
    }

    /// Writes a record some time before the run ends, without waiting for it.
    pub fn queue(&self, record: Record) {
        drop(self.writer.append(record));
    }

    /// Digests of an object's secrets as last written down.
    pub fn digests(&self, address: &Address) -> BTreeMap<Arc<str>, String> {
        self.lock().get(address).cloned().unwrap_or_default()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<Address, BTreeMap<Arc<str>, String>>> {
        // No code that holds it can panic; a poisoned table would still be whole.
        self.digests.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
