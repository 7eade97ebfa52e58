//! Why a step failed, in words for people. Holds no secret: faults come without.

use crate::event::Failure;
use crate::plan::Step;
use crate::provider::Fault;
use crate::store::StoreError;

pub fn failure(text: impl Into<String>, step: &Step) -> Failure {
    Failure {
        code: None,
        summary: text.into(),
        detail: None,
        help: None,
        request: Some(request_line(step)),
        unknown: false,
    }
}

pub fn request_line(step: &Step) -> String {
    format!("{} of {}", crate::plan::lint::verb(&step.op), step.address)
}

pub fn from_fault(fault: Fault, step: &Step) -> Failure {
    Failure {
        code: fault.code,
        summary: fault.text,
        detail: (!fault.causes.is_empty()).then(|| fault.causes.join("\n")),
        help: fault.help,
        request: fault.request.or_else(|| Some(request_line(step))),
        unknown: false,
    }
}

pub fn not_applied(attr: &str, now: &str, as_before: bool, step: &Step) -> Failure {
    let now = if now == "null" { "nothing" } else { now };
    let text = if as_before {
        format!("the server accepted `{attr}` but did not apply it: it still reads {now}")
    } else {
        format!("the server accepted `{attr}`, but it reads back as {now}")
    };
    failure(text, step)
}

pub fn ledger_failure(error: &StoreError, step: &Step) -> Failure {
    Failure {
        help: Some("nothing more is sent while the journal cannot be written".to_owned()),
        ..failure(error.to_string(), step)
    }
}
