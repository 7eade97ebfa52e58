//! Why a step failed, in words for people. Holds no secret: faults come without.

use crate::address::Address;
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

/// The same with the addresses of our objects behind their ids: servers know ids only.
pub fn named(failure: Failure, whose: impl Fn(&str) -> Option<Address>) -> Failure {
    let summary = with_addresses(&failure.summary, &whose);
    let detail = failure.detail.as_deref().map(|text| with_addresses(text, &whose));
    Failure { summary, detail, ..failure }
}

/// Digits of an id.
const ID_LENGTH: usize = 32;

fn with_addresses(text: &str, whose: &impl Fn(&str) -> Option<Address>) -> String {
    let mut out = String::with_capacity(text.len());
    for piece in text.split_inclusive(|c: char| !c.is_ascii_alphanumeric()) {
        let id = piece.trim_end_matches(|c: char| !c.is_ascii_alphanumeric());
        out.push_str(id);
        if id.len() == ID_LENGTH
            && let Some(address) = whose(id)
        {
            out.push_str(&format!(" ({address})"));
        }
        out.push_str(&piece[id.len()..]);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_of_ours_get_their_address() {
        let (ours, other) = ("0".repeat(32), "1".repeat(32));
        let whose = |id: &str| (id == ours).then(|| Address::new("cluster", "c"));
        let named = |text: &str| with_addresses(text, &whose);
        assert_eq!(
            named(&format!("storage[uuid:{other}] is on cluster[uuid:{ours}].")),
            format!("storage[uuid:{other}] is on cluster[uuid:{ours} (cluster.c)].")
        );
        assert_eq!(named(&ours), format!("{ours} (cluster.c)"));
        assert_eq!(named(&format!("{ours}{ours} é")), format!("{ours}{ours} é"));
        assert_eq!(named(""), "");
    }
}
