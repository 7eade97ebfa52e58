//! The dialect of ZStack 3.0 to 5.2 (reference section 1; "manual" is that of 3.0.0).
//!
//! `session`: login and headers. `job`: what replies mean. `fault`: error envelopes and codes.
//! `long_job`: what outlives its call.
//! Here: paths and queries. Pure; knows no resource type but where an API's rows differ.

use std::sync::Arc;

use serde_json::json;

use super::{Answer, Ask, Dialect, DryRun, Limits, List, LongJob, LongState, Session};
use crate::http::Reply;
use crate::provider::Fault;
use crate::schema::{Piece, Target};
use crate::wire::decode::Convention;
use crate::wire::fill::Path;
use crate::wire::{FillError, Method, Request};

mod dry_run;
mod fault;
mod job;
mod long_job;
mod session;
#[cfg(test)]
mod tests;

/// The dialect.
pub(super) struct ZStack;

impl Dialect for ZStack {
    fn base(&self) -> &'static str {
        "/zstack/v1"
    }

    fn limits(&self) -> Limits {
        Limits {
            // A management node has 5 API workers (reference 1.3). Polls of jobs need none, so
            // that a few calls more keep the workers busy without a queue.
            calls_at_once: 8,
            // The server's own default and bound (reference 1.7).
            page: 1000,
            // 33 bytes each, and a request line must stay below the 8 KiB of its web server.
            ids: 100,
        }
    }

    fn convention(&self) -> Convention {
        Convention::ZSTACK
    }

    fn login(&self, account: &str, password: &str) -> Request {
        session::login(account, password)
    }
    fn session(&self, reply: &Reply) -> Result<Session, Box<Fault>> {
        session::read(reply)
    }
    fn logout(&self, session: &Session) -> Request {
        session::logout(session)
    }
    fn authorize(&self, session: &Session, job: Option<&str>) -> Vec<(&'static str, String)> {
        session::headers(session, job)
    }

    fn version(&self) -> Request {
        let body = Some(json!({"getVersion": {}}));
        Request { method: Method::Put, path: "/management-nodes/actions".to_owned(), body }
    }
    fn version_of(&self, body: &serde_json::Value) -> Option<String> {
        body.get("version")?.as_str().map(str::to_owned)
    }

    fn classify(&self, request: &Request, reply: &Reply) -> Answer {
        job::classify(request, reply)
    }
    fn poll(&self, job: &str) -> Request {
        Request { method: Method::Get, path: format!("/api-jobs/{job}"), body: None }
    }
    fn classify_poll(&self, request: Option<&Request>, reply: &Reply) -> Answer {
        job::classify_poll(request, reply)
    }

    fn long_job(&self, reply: &serde_json::Value) -> Option<LongJob> {
        long_job::started(reply)
    }
    fn ask_long_job(&self, id: &str) -> Result<Request, FillError> {
        long_job::ask(id)
    }
    fn long_state(&self, reply: &serde_json::Value) -> LongState {
        long_job::state(reply)
    }
    fn ask_progress(&self, job: &LongJob) -> Option<Request> {
        long_job::ask_progress(job)
    }
    fn progress_of(&self, reply: &serde_json::Value) -> Option<String> {
        long_job::progress(reply)
    }

    /// 32 hex digits (reference 3.0). A comma or quote in an id would change a query: values are
    /// split at every comma, and 3.0 does not escape quotes (reference 1.7).
    fn is_id(&self, text: &str) -> bool {
        text.len() == 32 && text.bytes().all(|b| b.is_ascii_hexdigit())
    }

    fn list(&self, list: &List<'_>) -> Result<Request, FillError> {
        let hole = |piece: &Piece| match piece {
            Piece::Id => list.id.first().map(ToString::to_string),
            Piece::To => list.to.first().map(ToString::to_string),
            Piece::Lit(_) | Piece::Field(_) => None,
        };
        let mut path = Path::from_pieces(&list.target.path, hole)?;
        for (name, pieces) in &list.target.query {
            path.query(name, &condition(pieces, list));
        }
        let id = row_id(&list.target.path);
        if !list.only.is_empty() {
            path.query("q", &format!("{id}?={}", list.only.join(",")));
        }
        match list.ask {
            Ask::Plain => {}
            Ask::Count => path.query("count", "true"),
            Ask::Rows { start, limit, total } => {
                rows(&mut path, id, start, limit);
                if total {
                    path.query("replyWithCount", "true");
                }
            }
            Ask::Members { start, limit, members } => {
                rows(&mut path, id, start, limit);
                // Only the first `fields` counts (reference 1.7).
                path.query("fields", &members.join(","));
            }
        }
        Ok(Request { method: Method::Get, path: path.finish(), body: None })
    }

    fn row_id(&self, target: &Target) -> &'static str {
        row_id(&target.path)
    }

    fn dry_run(&self) -> Option<&'static dyn DryRun> {
        Some(&dry_run::Validation)
    }
}

fn rows(path: &mut Path, id: &str, start: u64, limit: u64) {
    path.query("limit", &limit.to_string());
    if start > 0 {
        path.query("start", &start.to_string());
    }
    path.query("sort", &format!("+{id}"));
}

/// A condition with its holes filled. With several ids `hostUuid=` becomes `hostUuid?=a,b`.
fn condition(pieces: &[Piece], list: &List<'_>) -> String {
    let mut out = String::new();
    for piece in pieces {
        match piece {
            Piece::Lit(lit) => out.push_str(lit),
            Piece::Id => push_ids(&mut out, list.id),
            Piece::To => push_ids(&mut out, list.to),
            // Attributes of parts do not occur in queries.
            Piece::Field(_) => {}
        }
    }
    out
}

fn push_ids(out: &mut String, ids: &[Arc<str>]) {
    if ids.len() > 1 && out.ends_with('=') {
        out.pop();
        out.push_str("?=");
    }
    out.push_str(&ids.join(","));
}

/// The member that identifies a row: all inventories have `uuid`, but relations are known by their
/// first end (`LocalStorageResourceRefInventory` and the like, reference 2c).
fn row_id(path: &[Piece]) -> &'static str {
    match path {
        [Piece::Lit(lit)] => match &**lit {
            lit if lit.ends_with("/local-storage/resource-refs") => "resourceUuid",
            "/sharedblock-group/host-refs" => "hostUuid",
            "/pci-devices/pci-devices/pci-device-offerings" => "pciDeviceUuid",
            _ => "uuid",
        },
        _ => "uuid",
    }
}
