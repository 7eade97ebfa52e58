//! Long jobs: `LongJobInventory` and task progress (reference 2b; server classes `LongJobState`,
//! `LongJobUtils`, `TaskProgressInventory`).
//!
//! In: replies as JSON. Out: queries, and what their replies mean. A long job is asked for by a
//! query: no path of one is known not to do something else (reference 1.1).

use serde_json::{Value, json};

use super::fault;
use crate::provider::{Fault, FaultKind, LongJob, LongState};
use crate::wire::fill::Path;
use crate::wire::{FillError, Method, Request};

/// `{"inventory": LongJobInventory}`.
pub(super) fn started(reply: &Value) -> Option<LongJob> {
    reply.get("inventory").and_then(job)
}

fn job(row: &Value) -> Option<LongJob> {
    let text = |name: &str| row.get(name).and_then(Value::as_str).map(str::to_owned);
    Some(LongJob { id: text("uuid")?, task: text("apiId") })
}

pub(super) fn ask(id: &str) -> Result<Request, FillError> {
    if id.is_empty() || !id.bytes().all(|b| b.is_ascii_alphanumeric()) {
        return Err(FillError::Segment(id.to_owned()));
    }
    let mut path = Path::default();
    path.segment("longjobs")?;
    path.query("q", &format!("uuid={id}"));
    Ok(Request { method: Method::Get, path: path.finish(), body: None })
}

/// Waiting, Suspended and Running go on; so does Canceling, until it is Canceled.
pub(super) fn state(reply: &Value) -> LongState {
    let Some(row) = reply.pointer("/inventories/0") else { return LongState::Unknown };
    let text = |name: &str| row.get(name).and_then(Value::as_str);
    let Some(job) = job(row) else { return LongState::Unknown };
    match text("state") {
        Some("Succeeded") => {
            // Not `jobData`: it repeats the parameters as a text, secrets among them.
            let result = text("jobResult").filter(|result| *result != "Succeeded");
            LongState::Done(json!({ "uuid": job.id, "state": "Succeeded", "jobResult": result }))
        }
        Some("Failed") => LongState::Failed(failure(text("jobResult"), &job)),
        Some("Canceled") => {
            let fault = Fault::new(FaultKind::Failed, "the long job was cancelled on the server");
            LongState::Failed(Fault { request_id: Some(job.id), ..fault })
        }
        _ => LongState::Running(job),
    }
}

/// `jobResult` of a failed job is an error code as JSON, in some versions behind a prefix, or a
/// plain text.
fn failure(result: Option<&str>, job: &LongJob) -> Fault {
    const LONGEST: usize = 1000;
    let result = result.unwrap_or_default();
    let code = result.find('{').and_then(|at| serde_json::from_str::<Value>(&result[at..]).ok());
    let fault = code.and_then(|code| {
        let body = if code.get("error").is_some() { code } else { json!({ "error": code }) };
        fault::from_envelope(None, body.to_string().as_bytes())
    });
    let fault = fault.unwrap_or_else(|| {
        let text: String = result.trim().chars().take(LONGEST).collect();
        let text = if text.is_empty() { "the server gives no reason".to_owned() } else { text };
        Fault::new(FaultKind::Failed, text)
    });
    let fault = fault.map_texts(|text| crate::wire::secrets::mask(text, &[]));
    Fault { request_id: Some(job.id.clone()), ..fault }
}

pub(super) fn ask_progress(job: &LongJob) -> Option<Request> {
    let mut path = Path::default();
    path.segment("task-progresses").ok()?;
    path.segment(job.task.as_deref()?).ok()?;
    Some(Request { method: Method::Get, path: path.finish(), body: None })
}

/// The latest of `{"inventories": [TaskProgressInventory]}`: a percentage where `type` is
/// Progress, words otherwise.
pub(super) fn progress(reply: &Value) -> Option<String> {
    let rows = reply.get("inventories")?.as_array()?;
    let time = |row: &&Value| row.get("time").and_then(Value::as_f64).unwrap_or(0.0);
    let row = rows.iter().max_by(|a, b| time(a).total_cmp(&time(b)))?;
    let content = row.get("content")?.as_str()?.trim();
    if content.is_empty() {
        return None;
    }
    let percent = row.get("type").and_then(Value::as_str) == Some("Progress")
        && content.parse::<f64>().is_ok();
    Some(if percent { format!("{content} %") } else { content.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(state: &str, result: Option<&str>) -> LongState {
        let row = json!({"uuid": "j1", "apiId": "a1", "state": state, "jobResult": result});
        super::state(&json!({ "inventories": [row] }))
    }

    fn fault(state: LongState) -> (Option<String>, String) {
        let LongState::Failed(fault) = state else { panic!("{state:?}") };
        (fault.code, fault.text)
    }

    #[test]
    fn a_job_runs_until_it_has_ended() {
        let job = LongJob { id: "j1".into(), task: Some("a1".into()) };
        assert_eq!(
            started(&json!({"inventory": {"uuid": "j1", "apiId": "a1"}})),
            Some(job.clone())
        );
        for state in ["Waiting", "Suspended", "Running", "Canceling", "Anything"] {
            assert_eq!(of(state, None), LongState::Running(job.clone()), "{state}");
        }
        let done = json!({"uuid": "j1", "state": "Succeeded", "jobResult": null});
        assert_eq!(of("Succeeded", Some("Succeeded")), LongState::Done(done));
        assert_eq!(state(&json!({"inventories": []})), LongState::Unknown);
        assert!(fault(of("Canceled", None)).1.contains("cancelled"));
    }

    #[test]
    fn reasons_are_read_however_they_are_written() {
        let code = r#"{"code":"SYS.1006","description":"d","details":"yum failed"}"#;
        let expected = (Some("SYS.1006".to_owned()), "yum failed".to_owned());
        assert_eq!(fault(of("Failed", Some(code))), expected);
        assert_eq!(fault(of("Failed", Some(&format!("Failed : {code}")))), expected);
        assert_eq!(fault(of("Failed", Some("no space {left"))).1, "no space {left");
        assert_eq!(fault(of("Failed", None)).1, "the server gives no reason");
    }

    #[test]
    fn progress_is_a_percentage_or_words() {
        let of = |rows: Value| progress(&json!({ "inventories": rows }));
        let old = json!({"type": "Progress", "content": "10", "time": 1.0});
        let new = json!({"type": "Progress", "content": "42", "time": 2});
        assert_eq!(of(json!([new, old])), Some("42 %".to_owned()));
        let words = json!([{"type": "Task", "content": "upgrading host a"}]);
        assert_eq!(of(words), Some("upgrading host a".to_owned()));
        assert_eq!(of(json!([])), None);
        let job = LongJob { id: "j1".into(), task: Some("a 1".into()) };
        let path = ask_progress(&job).map(|request| request.path);
        assert_eq!(path.as_deref(), Some("/task-progresses/a%201"));
        assert!(ask("../x").is_err() && ask("").is_err());
    }
}
