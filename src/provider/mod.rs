//! Clouds: how each speaks ([`Dialect`]) and one engine for all ([`Connection`]).
//!
//! In: requests from plans and schemas. Out: outcomes, and pages of live objects. A dialect is
//! synchronous and pure: replies in, meaning out. The engine (`connection`) owns the client, the
//! session and all waiting, and matches on [`FaultKind`], never on a provider. Knows no resource
//! type by name. A new provider is a folder here and one line in [`dialect`].

use std::sync::Arc;

use crate::http::Reply;
use crate::schema::Target;
use crate::wire::decode::Convention;
use crate::wire::{FillError, Request};

mod backoff;
pub mod connection;
pub mod fault;
mod job;
pub mod long_job;
mod session;
pub mod settings;
#[cfg(test)]
mod tests;
mod zstack;

pub use connection::{Connection, Outcome};
pub use fault::{Fault, FaultKind, Retry};
pub use job::{attempt_id, job_id};
pub use long_job::{LongJob, LongState};
pub use settings::{ProviderError, Settings};

/// The dialect of a provider kind.
pub fn dialect(kind: &str) -> Option<&'static dyn Dialect> {
    match kind {
        "zstack" => Some(&zstack::ZStack),
        _ => None,
    }
}

/// Every provider kind that this build speaks, for messages.
pub const KINDS: [&str; 1] = ["zstack"];

/// How a cloud speaks. No clock, no keys, no I/O: all of that are arguments.
pub trait Dialect: Send + Sync {
    /// What comes between the endpoint and the path of a request: `/zstack/v1`.
    fn base(&self) -> &'static str;
    /// What the API bears.
    fn limits(&self) -> Limits;
    /// What its replies have in common.
    fn convention(&self) -> Convention;

    /// The call that opens a session.
    fn login(&self, account: &str, password: &str) -> Request;
    /// Reads the reply of `login`.
    ///
    /// # Errors
    /// The fault, worded for somebody who has to correct settings.
    fn session(&self, reply: &Reply) -> Result<Session, Box<Fault>>;
    /// The call that ends a session.
    fn logout(&self, session: &Session) -> Request;
    /// Headers of a call.
    fn authorize(&self, session: &Session, job: Option<&str>) -> Vec<(&'static str, String)>;

    /// The call that asks for the server's version; needs no session.
    fn version(&self) -> Request;
    /// Reads the reply of `version`.
    fn version_of(&self, body: &serde_json::Value) -> Option<String>;

    /// What a reply to a call means.
    fn classify(&self, request: &Request, reply: &Reply) -> Answer;
    /// The call that asks how a job stands; needs no session.
    fn poll(&self, job: &str) -> Request;
    /// What a reply to that means. `request` is the call that started the job, when known.
    fn classify_poll(&self, request: Option<&Request>, reply: &Reply) -> Answer;

    /// The long job that a call has started, by its reply.
    fn long_job(&self, reply: &serde_json::Value) -> Option<LongJob>;
    /// The query that asks how a long job stands.
    ///
    /// # Errors
    /// [`FillError`] when the id would change what is addressed.
    fn ask_long_job(&self, id: &str) -> Result<Request, FillError>;
    /// What a reply to that means.
    fn long_state(&self, reply: &serde_json::Value) -> LongState;
    /// The query that asks how far a long job is; `None` where it cannot be told.
    fn ask_progress(&self, job: &LongJob) -> Option<Request>;
    /// What a reply to that says, for people.
    fn progress_of(&self, reply: &serde_json::Value) -> Option<String>;

    /// Whether a text can be the id of an object. Others are never asked for: in a query they
    /// would mean something else.
    fn is_id(&self, text: &str) -> bool;
    /// The call that lists objects.
    ///
    /// # Errors
    /// [`FillError`] when an id would change what is addressed.
    fn list(&self, list: &List<'_>) -> Result<Request, FillError>;
    /// The member that identifies a row of this list.
    fn row_id(&self, target: &Target) -> &'static str;

    /// The server's own dry run, where its API has one.
    fn dry_run(&self) -> Option<&'static dyn DryRun> {
        None
    }
}

/// How a server is asked to check a call and not to carry it out.
pub trait DryRun: Send + Sync {
    /// The call as a dry run; `None` for one that would be carried out all the same.
    fn mark(&self, request: Request) -> Option<Request>;
    /// What `subject` looks for: `zone`.
    fn noun(&self) -> &'static str;
    /// A query for an object to prove on that the server honours a dry run.
    fn subject(&self) -> Request;
    /// The dry run of an update that changes nothing even if it is carried out; `None` if the
    /// answer to `subject` has no object.
    fn proof(&self, answer: &serde_json::Value) -> Option<Request>;
    /// Whether the result of `proof` shows that it was not carried out.
    fn proven(&self, result: &serde_json::Value) -> bool;
}

/// What an API bears.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// HTTP calls at once.
    pub calls_at_once: usize,
    /// Rows of a page.
    pub page: u64,
    /// Ids in one query.
    pub ids: usize,
}

/// An open session.
#[derive(Clone)]
pub struct Session {
    /// A secret: whoever has it is logged in.
    pub token: Arc<str>,
    /// The account's id, as the server gave it.
    pub account_id: Option<String>,
}

/// What a reply means.
#[derive(Clone, Debug, PartialEq)]
pub enum Answer {
    /// It is done; the body has the result.
    Done,
    /// It will be done by this job.
    Accepted { job: String },
    /// The job is not finished.
    Running,
    /// The server has this job already: the call was accepted before.
    Duplicate,
    /// The server knows no such job: never accepted, or expired.
    Unknown,
    /// The reply comes from something between us and the server, or the server gave up waiting:
    /// whether the call was acted upon cannot be told.
    Lost(Fault),
    /// It definitely failed.
    Fault(Fault),
}

/// A list query.
#[derive(Clone, Copy)]
pub struct List<'a> {
    /// Path and conditions of the schema.
    pub target: &'a Target,
    /// Ids for the target's `{id}`; more than one turns its condition into "one of".
    pub id: &'a [Arc<str>],
    /// The same for `{to}`.
    pub to: &'a [Arc<str>],
    /// Only objects with these ids.
    pub only: &'a [Arc<str>],
    pub ask: Ask<'a>,
}

/// What a list query is to return.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ask<'a> {
    /// Rows from an offset, ordered by id; with the number of all objects when `total`.
    Rows { start: u64, limit: u64, total: bool },
    /// The same, but of each row these members only.
    Members { start: u64, limit: u64, members: &'a [&'a str] },
    /// Only the number of objects.
    Count,
    /// What the call answers: it is no query and takes nothing but its own parameters.
    Plain,
}
