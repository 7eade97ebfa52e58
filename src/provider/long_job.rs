//! Work on a server that goes on after the call that started it has ended.
//!
//! In: the reply of such a call. Out: how the work stands. The dialect knows the queries; whoever
//! waits decides how often to ask.

use serde_json::Value;

use super::{Connection, Fault};

/// A long job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LongJob {
    pub id: String,
    /// What its progress is asked for under, where the server says so.
    pub task: Option<String>,
}

/// How a long job stands.
#[derive(Clone, Debug, PartialEq)]
pub enum LongState {
    /// It waits or runs; the job again, as the server describes it now.
    Running(LongJob),
    /// It succeeded; what the server says of it.
    Done(Value),
    /// It failed or was cancelled.
    Failed(Fault),
    /// The server knows no such job.
    Unknown,
}

impl Connection {
    /// The long job that a call has started, by its reply.
    pub fn long_job(&self, reply: &Value) -> Option<LongJob> {
        self.dialect().long_job(reply)
    }

    /// How a long job stands.
    ///
    /// # Errors
    /// The query failed; the job goes on all the same.
    pub async fn long_state(&self, id: &str) -> Result<LongState, Fault> {
        let request = self.dialect().ask_long_job(id)?;
        Ok(self.dialect().long_state(&self.read_json(&request).await?))
    }

    /// How far a long job is, for people. Only a convenience: a failed query is no answer.
    pub async fn progress(&self, job: &LongJob) -> Option<String> {
        let request = self.dialect().ask_progress(job)?;
        let reply = self.read_json(&request).await.ok()?;
        self.dialect().progress_of(&reply)
    }
}
