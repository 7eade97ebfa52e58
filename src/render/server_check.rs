//! What `plan --server-check` came to, for people: one sentence, and the steps that could not be
//! checked with the reason of each.
//!
//! In: a report and its plan. Out: text, as a paragraph or as Markdown. Refusals are findings and
//! rendered as such.

use std::fmt::Write;

use crate::plan::Plan;
use crate::plan::lint::verb;
use crate::plan::server_check::{Report, Unchecked};

use super::{Ink, Style, clean, words};

/// The paragraph below a plan.
pub fn text(report: &Report, plan: &Plan, style: &Style) -> String {
    let mut out = String::new();
    // Writing into a String does not fail, here and below.
    let _ = writeln!(out, "\n{}", style.ink(Ink::Bold, sentence(report)));
    for line in lines(report, plan) {
        let _ = writeln!(out, "  {}", style.ink(Ink::Dim, line));
    }
    out
}

/// The same for a merge request.
pub fn markdown(report: &Report, plan: &Plan) -> String {
    let mut out = format!("{}\n", sentence(report));
    let lines = lines(report, plan);
    if !lines.is_empty() {
        let _ = writeln!(out, "\n```text\n{}\n```", lines.join("\n").replace("```", "'''"));
    }
    out
}

/// `Server check: 4 steps accepted, 1 refused, 2 not checked (9 requests).`
pub fn sentence(report: &Report) -> String {
    let requests = words::many(usize::try_from(report.requests).unwrap_or(usize::MAX), "request");
    let unchecked = report.unchecked.len();
    let mut text = match (report.checked(), unchecked) {
        (0, 0) => "Server check: there is no step to check".to_owned(),
        (0, _) => format!("Server check: none of {} checked", words::many(unchecked, "step")),
        _ => format!("Server check: {} accepted", words::many(report.accepted, "step")),
    };
    if !report.refused.is_empty() {
        let _ = write!(text, ", {} refused", words::count(report.refused.len() as u64));
    }
    if report.checked() > 0 && unchecked > 0 {
        let _ = write!(text, ", {} not checked", words::count(unchecked as u64));
    }
    let _ = write!(text, " ({requests}).");
    text
}

fn lines(report: &Report, plan: &Plan) -> Vec<String> {
    let unproven = report.unproven.iter().map(|(provider, why)| {
        format!("Nothing is checked at provider.{}: {}.", clean(provider), clean(why))
    });
    // Said once for all steps of a provider.
    let single = |why: &Unchecked| !matches!(why, Unchecked::Unproven(_));
    let unchecked = report.unchecked.iter().filter(|(_, why)| single(why)).map(|(ix, why)| {
        let step = &plan.steps[ix.0 as usize];
        let (what, why) = (verb(&step.op), why.reason());
        format!("not checked: {}, {}: {}", clean(&step.address), clean(what), clean(why))
    });
    unproven.chain(unchecked).collect()
}
