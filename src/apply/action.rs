//! A day-two action: one call, its long job, and the wait after it.
//!
//! In: a request, and what the schema says of the action. Out: how it ended. Nothing is written
//! down and nothing is read back but what the action waits for: what it did cannot be seen in the
//! object, so that a call of unknown outcome is reported and never repeated. Asks nobody and
//! prints nothing.

use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use tokio::time::Instant;

use crate::apply::verify::unmet;
use crate::apply::waits::Waits;
use crate::observe::lookup;
use crate::provider::{Connection, Fault, LongState, Outcome, Retry};
use crate::schema::{ActionDef, Condition, Quirk, ResourceType, Wait};
use crate::wire::Request;

/// What is to be done.
pub struct Errand<'a> {
    pub ty: &'a Arc<ResourceType>,
    pub action: &'a ActionDef,
    /// Ids of the objects.
    pub ids: &'a [Arc<str>],
    /// `X-Job-UUID` of the call.
    pub job: &'a str,
    /// For the call and the wait after it together.
    pub deadline: Duration,
}

/// News of a running action.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Progress {
    /// A long job runs; how far it is, where the server says so.
    LongJob { id: String, progress: Option<String> },
    /// The call is done; what the object is waited for.
    Waiting(String),
}

/// How an action ended.
#[derive(Clone, Debug, PartialEq)]
pub enum Ended {
    /// The reply, without secrets.
    Done(Value),
    Failed(Fault),
    /// Whether it had or will have an effect is not known.
    Unknown {
        job: Option<String>,
        why: String,
    },
    /// The call is done, but the object is not as promised in time.
    Unsettled(String),
}

/// The server itself gives a long job this time (reference 1.3: 24 h for UpdateClusterOS).
const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);

/// Sends the call and follows it to its end.
pub async fn run(
    connection: &Connection,
    errand: &Errand<'_>,
    request: &Request,
    report: &dyn Fn(Progress),
) -> Ended {
    let until = Instant::now() + errand.deadline;
    let reply = match connection.send(request, Some(errand.job), errand.deadline).await {
        Outcome::Done(reply) => reply,
        Outcome::Failed(fault) => return Ended::Failed(fault),
        Outcome::Unknown { job, why } => return Ended::Unknown { job, why },
    };
    if errand.action.quirk == Some(Quirk::LongJob) {
        return match connection.long_job(&reply) {
            Some(job) => follow(connection, &job.id, report).await,
            None => Ended::Unknown { job: None, why: "the answer names no long job".to_owned() },
        };
    }
    match &errand.action.call.wait {
        Wait::Attrs(wait) => settle(connection, errand, wait, (until, report), reply).await,
        Wait::Done | Wait::Gone => Ended::Done(reply),
    }
}

/// Follows a long job to its end. A server that is away for a while changes nothing for the job.
pub async fn follow(connection: &Connection, id: &str, report: &dyn Fn(Progress)) -> Ended {
    let mut wait = Waits::new(Instant::now() + LONGEST);
    let unknown = |why: String| Ended::Unknown { job: Some(id.to_owned()), why };
    loop {
        match connection.long_state(id).await {
            Ok(LongState::Done(result)) => return Ended::Done(result),
            Ok(LongState::Failed(fault)) => return Ended::Failed(fault),
            Ok(LongState::Unknown) => return unknown("the server knows no such long job".into()),
            Ok(LongState::Running(job)) => {
                let progress = connection.progress(&job).await;
                report(Progress::LongJob { id: job.id, progress });
            }
            Err(fault) if fault.retry == Retry::Never => return unknown(fault.to_string()),
            Err(fault) => {
                let progress = Some(format!("the server does not answer: {fault}"));
                report(Progress::LongJob { id: id.to_owned(), progress });
            }
        }
        if wait.over() {
            return unknown("the long job did not end in a day".to_owned());
        }
        wait.pause().await;
    }
}

/// Reads the objects until all are as the action promises.
async fn settle(
    connection: &Connection,
    errand: &Errand<'_>,
    wanted: &[Condition],
    (until, report): (Instant, &dyn Fn(Progress)),
    reply: Value,
) -> Ended {
    let mut wait = Waits::new(until);
    loop {
        let what = match lookup::reread(connection, errand.ty, errand.ids).await {
            Ok(live) if live.len() < errand.ids.len() => "it is no longer there".to_owned(),
            Ok(live) => match live.iter().find_map(|live| unmet(errand.ty, wanted, live)) {
                None => return Ended::Done(reply),
                Some(what) => what,
            },
            Err(fault) => fault.to_string(),
        };
        if wait.over() {
            return Ended::Unsettled(what);
        }
        report(Progress::Waiting(what));
        wait.pause().await;
    }
}
