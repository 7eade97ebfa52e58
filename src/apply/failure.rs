//! Why a step failed, in the words of events.
//!
//! In: a step and what went wrong. Out: a [`Failure`], which says what was asked of whom.

use crate::event::Failure;
use crate::plan::Step;
use crate::provider::Fault;
use crate::store::StoreError;

/// A failure without a code of the server.
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

fn request_line(step: &Step) -> String {
    format!("{} of {}", crate::plan::lint::verb(&step.op), step.address)
}

/// What the provider reported, tied to the step.
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

/// A call that was accepted and had no effect, or another one.
pub fn not_applied(attr: &str, now: &str, as_before: bool, step: &Step) -> Failure {
    let text = if as_before {
        format!("the server accepted `{attr}` but did not apply it: it still reads {now}")
    } else {
        format!("the server accepted `{attr}`, but it reads back as {now}")
    };
    failure(text, step)
}

/// The journal or the state cannot be written.
pub fn ledger_failure(error: &StoreError, step: &Step) -> Failure {
    Failure {
        help: Some("nothing more is sent while the journal cannot be written".to_owned()),
        ..failure(error.to_string(), step)
    }
}
