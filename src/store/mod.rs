//! Where the state lives: reading it, locking it, writing it so that nothing is ever lost.
//!
//! In: a directory (`local`; other backends later). Out: a [`Snapshot`] for whoever only looks, a
//! [`Guard`] for the one who writes, and under it a [`Recording`] while an apply runs. `disk` is
//! the seam for tests that pull the plug, `lock` the operating system's lock, `writer` the thread
//! that makes journal records durable. What a state or a record means is `state`'s business.

pub mod disk;
pub mod error;
pub mod local;
pub mod lock;
pub mod random;
pub mod writer;

pub use error::StoreError;
pub use local::{Guard, LocalStore, Recorded, Recording};
pub use lock::{Claim, Holder, LockInfo};
pub use random::random_hex;
pub use writer::{Ack, JournalWriter};

use crate::state::State;
use crate::state::journal::{Intent, Run};

/// What was found: the state with everything that a journal adds to it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Snapshot {
    /// Fresh (no lineage) when there is none yet.
    pub state: State,
    /// The apply whose journal was folded in memory: it runs, or was cut off.
    pub unfolded: Option<Run>,
    /// Whether that apply recorded its own end: then only its state was not written, or outcomes
    /// are unknown.
    pub ended: bool,
    /// Calls of that apply whose outcome is not recorded.
    pub unfinished: Vec<Intent>,
    /// Bytes of an unfinished last journal line that were ignored. Normal while an apply runs,
    /// and after one was cut off.
    pub torn: usize,
    /// Who holds the lock at this moment, seen by a reader without it.
    pub running: Option<Holder>,
}
