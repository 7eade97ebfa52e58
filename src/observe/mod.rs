//! Live clouds → rows: what is there now.
//!
//! `inventory`: all types that a plan needs. `lookup`: single objects again, many at once. `own`:
//! attributes with a call of their own. `casualties`: what a call would take with it. `data`: what
//! configurations look up. `server_check`: what the server would say to a plan. In: a connection
//! and schemas. Out: live objects, counts, answers. A query that failed is an error, never "there
//! is nothing". Sends only what changes nothing.

pub mod casualties;
pub mod data;
pub mod inventory;
pub mod lookup;
pub mod own;
mod reader;
pub mod server_check;

use std::sync::Arc;

use crate::provider::Fault;

/// A list that could not be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{kind} objects of provider.{provider} cannot be listed: {fault}")]
pub struct ObserveError {
    pub provider: Arc<str>,
    /// Resource type.
    pub kind: Arc<str>,
    pub fault: Fault,
}
