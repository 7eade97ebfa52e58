//! The server's own dry run of steps (`plan --server-check`).
//!
//! In: requests that a plan would send. Out: what the server says to each, in a report. A server
//! that does not know the dry run would carry everything out, so that first of all it has to prove
//! that it does: by an update of an existing object with a value that it already has. Without that
//! proof nothing is sent.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use crate::plan::Plan;
use crate::plan::server_check::{Candidate, Refusal, Report, Unchecked};
use crate::provider::{Connection, DryRun, Fault, FaultKind, Outcome};
use crate::wire::{Method, Request};

/// A dry run does not wait for hosts; a server that takes this long is busy otherwise.
const DEADLINE: Duration = Duration::from_secs(120);

/// Asks the servers about all candidates and enters the answers; at most `parallelism` at a time.
pub async fn run(
    plan: &Plan,
    candidates: Vec<Candidate>,
    connections: &HashMap<Arc<str>, Connection>,
    parallelism: usize,
    report: &mut Report,
) {
    let before: u64 = connections.values().map(Connection::requests).sum();
    let mut of: BTreeMap<Arc<str>, Vec<Candidate>> = BTreeMap::new();
    for candidate in candidates {
        of.entry(candidate.provider.clone()).or_default().push(candidate);
    }
    for (provider, candidates) in of {
        let proven = match connections.get(&provider) {
            Some(connection) => prove(connection).await.map(|dry_run| (connection, dry_run)),
            None => Err("it is not configured".to_owned()),
        };
        match proven {
            Ok(proven) => ask(plan, candidates, proven, parallelism, report).await,
            Err(why) => {
                let reason = Unchecked::Unproven(provider.clone());
                let all = candidates.iter().map(|c| (c.step, reason.clone()));
                report.unchecked.extend(all);
                report.unproven.push((provider, why));
            }
        }
    }
    report.requests = connections.values().map(Connection::requests).sum::<u64>() - before;
    report.sort();
}

/// Whether the server honours dry runs. `Err` says why that is not proven.
async fn prove(connection: &Connection) -> Result<&'static dyn DryRun, String> {
    let dry_run = connection.dry_run().ok_or("its API has no dry run")?;
    let asked = connection.read(&dry_run.subject()).await;
    let answer = asked.map_err(|fault| format!("no object to prove it on: {fault}"))?;
    let answer = serde_json::from_slice(&answer).unwrap_or(serde_json::Value::Null);
    let proof = dry_run.proof(&answer).ok_or_else(|| {
        format!("there is no {} to prove on that the server honours a dry run", dry_run.noun())
    })?;
    match connection.send(&proof, None, DEADLINE).await {
        Outcome::Done(result) if dry_run.proven(&result) => Ok(dry_run),
        Outcome::Done(_) => {
            let noun = dry_run.noun();
            Err(format!(
                "the server does not honour a dry run: it carried out an update of a {noun} with \
                 its own name, which changes nothing"
            ))
        }
        Outcome::Failed(fault) => Err(format!("its proof failed: {fault}")),
        Outcome::Unknown { why, .. } => Err(format!("its proof failed: {why}")),
    }
}

async fn ask(
    plan: &Plan,
    candidates: Vec<Candidate>,
    (connection, dry_run): (&Connection, &'static dyn DryRun),
    parallelism: usize,
    report: &mut Report,
) {
    // The proof is of one call. Each other kind is tried once before all of it is asked about, so
    // that a server that honours dry runs of some calls only carries out one at most.
    let mut kinds = HashSet::new();
    let (first, rest): (Vec<_>, Vec<_>) =
        candidates.into_iter().partition(|c| kinds.insert(kind(&c.request)));
    for (candidates, parallelism) in [(first, 1), (rest, parallelism)] {
        if report.executed.is_some() {
            let why = "the server does not honour all dry runs".to_owned();
            let left = candidates.iter().map(|c| (c.step, Unchecked::NoAnswer(why.clone())));
            report.unchecked.extend(left);
            continue;
        }
        ask_some(plan, candidates, (connection, dry_run), parallelism, report).await;
    }
}

/// Calls of one API: method, path without ids, wrapper.
fn kind(request: &Request) -> (Method, String, String) {
    let id = |segment: &&str| segment.len() == 32 && segment.bytes().all(|b| b.is_ascii_hexdigit());
    let path: Vec<&str> = request.path.split('/').filter(|segment| !id(segment)).collect();
    let wrapper = request.body.as_ref().and_then(|body| body.as_object()?.keys().next().cloned());
    (request.method, path.join("/"), wrapper.unwrap_or_default())
}

async fn ask_some(
    plan: &Plan,
    candidates: Vec<Candidate>,
    (connection, dry_run): (&Connection, &'static dyn DryRun),
    parallelism: usize,
    report: &mut Report,
) {
    let permits = Arc::new(Semaphore::new(parallelism.max(1)));
    let mut running = JoinSet::new();
    let mut asked = BTreeSet::new();
    for Candidate { step, request, .. } in candidates {
        let method = request.method;
        let Some(request) = dry_run.mark(request) else {
            report.unchecked.push((step, Unchecked::Executes(method)));
            continue;
        };
        let (connection, permits) = (connection.clone(), permits.clone());
        asked.insert(step);
        running.spawn(async move {
            // Never closed: it lives as long as one of these tasks.
            let _permit = permits.acquire_owned().await;
            (step, connection.send(&request, None, DEADLINE).await)
        });
    }
    while let Some(joined) = running.join_next().await {
        // A task ends without a result when it is stopped.
        let Ok((step, outcome)) = joined else { continue };
        asked.remove(&step);
        match outcome {
            Outcome::Done(result) if dry_run.proven(&result) => report.accepted += 1,
            Outcome::Done(_) => {
                report.executed.get_or_insert(step);
                running.abort_all();
            }
            Outcome::Failed(fault) if says_no(&fault) => {
                report.refuse(plan, step, refusal(fault));
            }
            Outcome::Failed(fault) => {
                report.unchecked.push((step, Unchecked::NoAnswer(fault.to_string())));
            }
            Outcome::Unknown { why, .. } => {
                report.unchecked.push((step, Unchecked::NoAnswer(why)));
            }
        }
    }
    let stopped = || Unchecked::NoAnswer("stopped before it answered".to_owned());
    report.unchecked.extend(asked.into_iter().map(|step| (step, stopped())));
}

/// Whether the server judged the call, or could not be asked.
fn says_no(fault: &Fault) -> bool {
    match fault.kind {
        FaultKind::Session | FaultKind::Throttled | FaultKind::Unavailable => false,
        FaultKind::Gone
        | FaultKind::IdTaken
        | FaultKind::Conflict
        | FaultKind::Denied
        | FaultKind::Invalid
        | FaultKind::Failed => true,
    }
}

fn refusal(fault: Fault) -> Refusal {
    Refusal { code: fault.code, text: fault.text, causes: fault.causes, help: fault.help }
}
