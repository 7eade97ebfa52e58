//! What a reply means: done, accepted, still running, or a fault (reference 1.3 and 1.6).
//!
//! In: a reply, and the call it answers. Out: an [`Answer`]. Content types are not relied on:
//! 3.0 sends none.

use super::fault;
use crate::http::Reply;
use crate::provider::{Answer, Fault, FaultKind};
use crate::wire::Request;

/// The reply to a call.
pub(super) fn classify(request: &Request, reply: &Reply) -> Answer {
    match reply.status {
        200 | 202 if is_html(reply) => Answer::Fault(not_the_api()),
        200 => Answer::Done,
        202 => match location(&reply.body) {
            Some(job) => Answer::Accepted { job },
            None => Answer::Fault(Fault::new(FaultKind::Failed, "accepted, but no job named")),
        },
        300..400 => Answer::Fault(redirected(reply)),
        _ => failure(Some(request), reply),
    }
}

/// The reply to a poll.
pub(super) fn classify_poll(request: Option<&Request>, reply: &Reply) -> Answer {
    match reply.status {
        // A proxy's error page: the job is where it was.
        _ if is_html(reply) => Answer::Lost(not_the_api()),
        200 => Answer::Done,
        202 => Answer::Running,
        // "the job has been expired", said of jobs that never were as well.
        404 => Answer::Unknown,
        _ => failure(request, reply),
    }
}

/// The job of `{"location": "http://HOST/zstack/v1/api-jobs/JOB"}`. The host is the management
/// node's own view of itself and often unreachable from here: only the id is taken.
fn location(body: &[u8]) -> Option<String> {
    let reply: serde_json::Value = serde_json::from_slice(body).ok()?;
    let (_, job) = reply.get("location")?.as_str()?.rsplit_once("/api-jobs/")?;
    let plain = !job.is_empty() && job.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    plain.then(|| job.to_owned())
}

fn failure(request: Option<&Request>, reply: &Reply) -> Answer {
    if let Some(fault) = fault::from_envelope(request, &reply.body) {
        return Answer::Fault(fault);
    }
    let text = plain_text(reply);
    match reply.status {
        // 5.2; 3.0 answers 500, which the engine resolves by asking for the job.
        400 if text.starts_with("Duplicate job uuid") => Answer::Duplicate,
        401 | 403 => Answer::Fault(Fault::new(FaultKind::Denied, text)),
        408 | 429 => {
            let fault = Fault::new(FaultKind::Throttled, text);
            Answer::Fault(Fault { wait: reply.retry_after, ..fault })
        }
        404 if is_html(reply) => Answer::Fault(not_the_api()),
        // Plain texts of the REST front end: the call itself is wrong.
        400..500 => Answer::Fault(Fault::new(FaultKind::Invalid, text)),
        500 if !is_html(reply) => Answer::Fault(Fault::new(FaultKind::Failed, text)),
        // From a proxy, or from a web server whose application is starting or gone.
        _ => Answer::Lost(
            Fault::new(FaultKind::Unavailable, format!("HTTP {}: {text}", reply.status))
                .help("the management node or a proxy before it does not serve now; try again"),
        ),
    }
}

fn redirected(reply: &Reply) -> Fault {
    let to = reply.location.as_deref().unwrap_or("another address");
    // Not beyond the host: a path could repeat a secret of the call.
    let host = to.splitn(4, '/').take(3).collect::<Vec<_>>().join("/");
    Fault::new(FaultKind::Invalid, format!("the endpoint redirects to {host}"))
        .help("set `endpoint` to the address that answers itself; redirects are not followed")
}

fn not_the_api() -> Fault {
    Fault::new(FaultKind::Invalid, "a web page answered, not the API")
        .help("check `endpoint`: a ZStack management node serves its API on port 8080")
}

fn is_html(reply: &Reply) -> bool {
    let start = reply.body.iter().position(|b| !b.is_ascii_whitespace()).unwrap_or(0);
    reply.content_type == "text/html" || reply.body[start..].starts_with(b"<")
}

/// A plain text reply, cut to what fits a message.
fn plain_text(reply: &Reply) -> String {
    const LONGEST: usize = 300;
    if reply.body.is_empty() || is_html(reply) {
        return format!("the server answers with status {}", reply.status);
    }
    String::from_utf8_lossy(&reply.body).trim().chars().take(LONGEST).collect()
}
