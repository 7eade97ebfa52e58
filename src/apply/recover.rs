//! After a runner died: its jobs may still run. Before anything is planned, they are followed to
//! their end, so that the refresh sees their result.
//!
//! In: open intents of the journal. Out: nothing but time passed: what became of the objects is
//! read by the refresh like everything else, and matched by the ids that were written down.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;

use crate::provider::{Connection, Outcome};
use crate::state::journal::Intent;

/// Follows the jobs of open intents, each as long as is given with it, and returns those that have
/// not ended then. A job that the server does not know was never accepted or is long over; one of
/// a provider that is not configured cannot be asked for.
pub async fn settle<'a>(
    intents: &[(&'a Intent, Duration)],
    connections: &HashMap<Arc<str>, Connection>,
) -> Vec<&'a Intent> {
    let mut running = Vec::new();
    let mut polls: FuturesUnordered<_> = intents
        .iter()
        .filter_map(|(intent, patience)| {
            let connection = connections.get(&intent.provider)?;
            Some(async move { (*intent, connection.resolve(&intent.job, *patience).await) })
        })
        .collect();
    while let Some((intent, outcome)) = polls.next().await {
        if matches!(outcome, Some(Outcome::Unknown { .. })) {
            running.push(intent);
        }
    }
    running
}
