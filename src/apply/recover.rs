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

/// A call of a dead runner whose job did not end in time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StillRunning {
    pub intent: Intent,
    pub waited: Duration,
}

/// Follows the jobs of open intents, at most `deadline` long each.
///
/// Returns those that still run then: their objects must not be planned for. A job that the
/// server does not know was never accepted or is long over.
pub async fn settle(
    intents: &[(Arc<str>, Intent)],
    connections: &HashMap<Arc<str>, Connection>,
    deadline: Duration,
) -> Vec<StillRunning> {
    let mut running = Vec::new();
    let mut polls: FuturesUnordered<_> = intents
        .iter()
        .filter_map(|(provider, intent)| {
            let connection = connections.get(provider)?;
            Some(async move { (intent, connection.resolve(&intent.job, deadline).await) })
        })
        .collect();
    while let Some((intent, outcome)) = polls.next().await {
        if matches!(outcome, Some(Outcome::Unknown { .. })) {
            running.push(StillRunning { intent: intent.clone(), waited: deadline });
        }
    }
    running
}
