//! `{"error": {"code", "description", "details", "cause"}}` → [`Fault`] (reference 1.5).
//!
//! In: the body of a 503, and the call. Out: a fault whose kind comes from the code alone: texts
//! are translated by the server.

use serde::Deserialize;

use crate::provider::{Fault, FaultKind, Retry};
use crate::wire::{Method, Request};

#[derive(Deserialize)]
struct Envelope {
    error: ErrorCode,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct ErrorCode {
    code: Option<String>,
    description: Option<String>,
    details: Option<String>,
    cause: Option<Box<ErrorCode>>,
    causes: Vec<ErrorCode>,
}

/// The fault in a body; `None` when it is no error envelope.
pub(super) fn from_envelope(request: Option<&Request>, body: &[u8]) -> Option<Fault> {
    let Envelope { error } = serde_json::from_slice(body).ok()?;
    let code = error.code.clone().unwrap_or_default();
    let (kind, retry) = meaning(&code, request);
    let mut fault = Fault::new(kind, error.text());
    fault.retry = retry.unwrap_or(fault.retry);
    fault.code = error.code.clone();
    error.collect_causes(&mut fault.causes);
    Some(fault)
}

fn meaning(code: &str, request: Option<&Request>) -> (FaultKind, Option<Retry>) {
    use FaultKind as K;
    match code {
        // A duplicate primary key has no code of its own. Objects are deleted softly, so that the
        // id can be taken though no query shows it (reference 3.0).
        "SYS.1000" if request.is_none_or(chooses_id) => (K::IdTaken, None),
        // The server stopped waiting for one of its parts, which may still be at work.
        "SYS.1001" => (K::Unavailable, Some(Retry::IfRead)),
        "SYS.1003" => (K::Gone, None),
        "SYS.1005" | "TAG.1000" => (K::Conflict, None),
        "SYS.1007" | "SYS.1013" | "SYS.1014" => (K::Invalid, None),
        // Not ready to serve: refused before anything was done.
        "SYS.1010" => (K::Unavailable, Some(Retry::Safe)),
        "ID.1001" => (K::Session, None),
        "ID.1000" | "ID.1002" | "ID.1003" => (K::Denied, None),
        // Too many sessions (5.2).
        "ID.1006" => (K::Throttled, None),
        _ => (K::Failed, None),
    }
}

/// Whether the call creates an object under an id of our choice.
fn chooses_id(request: &Request) -> bool {
    let id = |body: &serde_json::Value| body.pointer("/params/resourceUuid").is_some();
    request.method == Method::Post && request.body.as_ref().is_some_and(id)
}

impl ErrorCode {
    fn text(&self) -> String {
        let texts = [&self.details, &self.description, &self.code];
        let text = texts.into_iter().flatten().map(|t| t.trim()).find(|t| !t.is_empty());
        text.unwrap_or("the server gives no reason").to_owned()
    }

    fn collect_causes(&self, into: &mut Vec<String>) {
        // The server nests a handful; a limit keeps a hostile reply from filling the screen.
        const MOST: usize = 8;
        for cause in self.cause.as_deref().into_iter().chain(&self.causes) {
            let text = match (cause.text(), &cause.code) {
                (text, Some(code)) if *code != text => format!("{text} ({code})"),
                (text, _) => text,
            };
            if into.len() < MOST {
                if !into.contains(&text) {
                    into.push(text);
                }
                cause.collect_causes(into);
            }
        }
    }
}
