//! Live clouds → rows: what is there now.
//!
//! `inventory`: all types that a plan needs. `lookup`: single objects again, many at once.
//! `casualties`: what a call would take with it. `data`: what configurations look up. In: a connection and schemas. Out: live objects
//! and counts. A query that failed is an error, never "there is nothing". Sends only reads.

pub mod casualties;
pub mod data;
pub mod inventory;
pub mod lookup;

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
