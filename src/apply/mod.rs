//! Carrying out a plan: substitute, send, read back, write down.
//!
//! In: a [`Plan`], the configuration's secrets, connections and the locked store. Out: events and
//! a [`Summary`](crate::event::Summary). It decides nothing about *what* to do: an `if` about that
//! belongs into `plan`. `beginning` makes the state that a run begins with, `executor` runs the
//! schedule, `step` one call, `verify` judges what reads back, `ledger` keeps journal and state in
//! step, `recover` looks after what a dead runner left behind. `action` is a call outside of any plan.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use tokio::sync::{mpsc, watch};

use crate::address::Address;
use crate::config::Desired;
use crate::event::Event;
use crate::plan::Plan;
use crate::provider::Connection;
use crate::schema::Schemas;

pub mod action;
mod attach;
mod beginning;
mod executor;
mod failures;
mod found;
mod ids;
mod ledger;
pub mod recover;
mod settle;
mod step;
mod verify;
mod waits;

pub use beginning::{beginning, without_calls};
pub use executor::run;
pub use ledger::Ledger;
pub use step::unix_now;

/// What the user asks of a running apply.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Stop {
    #[default]
    No,
    /// Start nothing new, finish what runs.
    Drain,
    /// Return at once; what runs is found again by the next apply.
    Now,
}

/// Everything that a run needs.
pub struct Run<'a> {
    pub plan: &'a Plan,
    pub desired: &'a Desired,
    pub schemas: &'a Schemas,
    /// By provider configuration.
    pub connections: &'a HashMap<Arc<str>, Connection>,
    pub ledger: &'a Ledger,
    /// Digests of the configuration's secrets, by address and attribute.
    pub digests: &'a BTreeMap<Address, BTreeMap<Arc<str>, String>>,
    /// Steps in flight at a time.
    pub parallelism: usize,
    /// Hosts of one cluster that may be unavailable at a time.
    pub max_unavailable: u32,
    pub events: mpsc::Sender<Event>,
    pub stop: watch::Receiver<Stop>,
}
