//! Progress as data: what a running apply tells whoever shows it.
//!
//! Made by `apply`, rendered by `render::progress`, printed by `cli`. Holds no secret.

use std::time::Duration;

use crate::address::Address;
use crate::plan::{Action, Op, StepIx};

/// One thing that happened.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// The run starts; `steps` calls are planned.
    Started {
        steps: usize,
    },
    /// Jobs and objects of an earlier, cut-off apply are looked up.
    Recovering {
        intents: usize,
    },
    StepStarted {
        step: StepIx,
        address: Address,
        action: Action,
        op: Op,
    },
    /// Still waiting, said at growing intervals.
    StepProgress {
        step: StepIx,
        address: Address,
        op: Op,
        elapsed: Duration,
        waiting_for: String,
    },
    /// A call is sent again because a repeat is safe.
    StepRetried {
        step: StepIx,
        address: Address,
        reason: String,
        delay: Duration,
    },
    StepDone {
        step: StepIx,
        address: Address,
        action: Action,
        op: Op,
        id: Option<String>,
        elapsed: Duration,
        last: bool,
    },
    StepFailed {
        step: StepIx,
        address: Address,
        op: Op,
        failure: Failure,
        elapsed: Duration,
    },
    /// Not run because something before it failed, or because of an interrupt.
    StepSkipped {
        step: StepIx,
        address: Address,
        op: Op,
        because: Skip,
    },
    /// All steps are over; objects that come up through others are waited for.
    Settling {
        objects: usize,
    },
    /// It does not, and is not waited for any longer.
    Unsettled {
        address: Address,
        waiting_for: String,
        elapsed: Duration,
    },
    /// First Ctrl-C: nothing new starts, `running` steps finish.
    Stopping {
        running: usize,
    },
    Finished(Summary),
}

/// Why a step failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// Provider code, if any: `SYS.1007`.
    pub code: Option<String>,
    /// One sentence.
    pub summary: String,
    /// The server's own words and causes.
    pub detail: Option<String>,
    pub help: Option<String>,
    /// Request that failed: `POST /hosts/kvm`, and its job id.
    pub request: Option<String>,
    /// Whether the effect is unknown (the state keeps it as pending).
    pub unknown: bool,
}

/// Why a step was not run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Skip {
    /// A step of this object failed.
    Failed(Address),
    /// Too many hosts of the cluster would be unavailable.
    Unavailable(String),
    Interrupted,
}

/// How a run ended.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    pub created: usize,
    pub updated: usize,
    pub replaced: usize,
    pub deleted: usize,
    pub adopted: usize,
    pub forgotten: usize,
    pub failed: usize,
    pub skipped: usize,
    /// Objects that did not come up though all steps succeeded.
    pub unsettled: usize,
    pub interrupted: bool,
    pub requests: u64,
    pub elapsed: Duration,
}
