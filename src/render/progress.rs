//! A running apply → one line an event, for pipes and logs; and the sentence at its end.
//!
//! In: [`Event`], [`Style`]. Out: text without a line break at the end. What a live view on a
//! terminal needs is in `live`. Holds no clock: elapsed times come with the events.

use std::fmt::{self, Write};
use std::time::Duration;

use crate::address::Address;
use crate::event::{Event, Failure, Skip, Summary};
use crate::plan::{Action, Op};

use super::{Ink, Style, clean, words};

/// The line or lines that tell of an event; `None` for what a log need not hold.
pub fn line(event: &Event, style: &Style) -> Option<String> {
    let dots = if style.unicode { "…" } else { "..." };
    let text = match event {
        Event::Started { steps: 0 } | Event::Recovering { intents: 0 } => return None,
        Event::Started { steps } => format!("Applying {}{dots}", words::many(*steps, "step")),
        Event::Recovering { intents } => {
            let open = words::many(*intents, "call");
            format!("Looking up {open} that an earlier apply left open{dots}")
        }
        Event::StepStarted { address, action, op, .. } => {
            let why =
                if *action == Action::Replace && *op == Op::Delete { " to replace it" } else { "" };
            format!("{}: {}{why}{dots}", clean(address), doing(op))
        }
        Event::StepProgress { address, op, elapsed, waiting_for, .. } => {
            let elapsed = words::seconds(*elapsed);
            let waiting = waiting(waiting_for);
            format!("{}: still {}{dots} [{elapsed} elapsed{waiting}]", clean(address), doing(op))
        }
        Event::StepRetried { address, reason, delay, .. } => {
            let delay = words::duration(*delay);
            format!("{}: sent again in {delay}: {}", clean(address), clean(reason))
        }
        Event::StepDone { address, op, id, elapsed, .. } => {
            finished(address, op, id.as_deref(), *elapsed, style)
        }
        Event::StepFailed { address, op, failure, elapsed, .. } => {
            failed(address, op, failure, *elapsed, style)
        }
        Event::StepSkipped { address, op, because, .. } => {
            let text = format!("{}: {}: {}", clean(address), undone(op), skipped(because));
            style.ink(Ink::Change, text).to_string()
        }
        Event::Settling { objects: 0 } => return None,
        Event::Settling { objects } => {
            format!("Waiting for {} to come up{dots}", words::many(*objects, "object"))
        }
        Event::Unsettled { address, waiting_for, elapsed } => {
            let text = format!(
                "{}: not up after {}: still waiting for {}",
                clean(address),
                words::duration(*elapsed),
                clean(waiting_for)
            );
            style.ink(Ink::Alarm, text).to_string()
        }
        Event::Stopping { running } => {
            let running = words::many(*running, "step");
            let text = format!(
                "Stopping: nothing new starts, {running} in progress will finish. \
                 Press Ctrl-C again to stop at once; the next apply finds what is left."
            );
            style.ink(Ink::Alarm, text).to_string()
        }
        Event::Finished(end) => summary(end, style),
    };
    Some(text)
}

/// What a running step does: `creating`.
pub(super) fn doing(op: &Op) -> String {
    match op {
        Op::Create => "creating".to_owned(),
        Op::Update(call) => format!("updating by {}", clean(call)),
        Op::Delete => "destroying".to_owned(),
        Op::Attach => "attaching".to_owned(),
        Op::Detach => "detaching".to_owned(),
        Op::Action(name) => format!("running {}", clean(name)),
    }
}

/// What a finished step has done: `created`.
pub(super) fn done(op: &Op) -> String {
    match op {
        Op::Create => "created".to_owned(),
        Op::Update(call) => format!("updated by {}", clean(call)),
        Op::Delete => "destroyed".to_owned(),
        Op::Attach => "attached".to_owned(),
        Op::Detach => "detached".to_owned(),
        Op::Action(name) => format!("{} done", clean(name)),
    }
}

/// What was not done: `not created`, and `reconnect not run` for what has no participle.
fn undone(op: &Op) -> String {
    match op {
        Op::Action(name) => format!("{} not run", clean(name)),
        _ => format!("not {}", done(op)),
    }
}

/// `, waiting for status Connected`, or nothing.
fn waiting(what: &str) -> String {
    if what.is_empty() { String::new() } else { format!(", waiting for {}", clean(what)) }
}

fn finished(address: &Address, op: &Op, id: Option<&str>, took: Duration, style: &Style) -> String {
    let took = words::duration(took);
    let text = style.ink(Ink::Add, done(op));
    let id = id.map(|id| format!(" {}", style.ink(Ink::Dim, format_args!("[id={}]", clean(id)))));
    format!("{}: {text} in {took}{}", clean(address), id.unwrap_or_default())
}

/// The failure with the server's words, the request and the way out, on indented lines.
fn failed(address: &Address, op: &Op, failure: &Failure, took: Duration, style: &Style) -> String {
    let took = words::duration(took);
    let head = format!("{}: {} failed after {took}: {}", clean(address), doing(op), said(failure));
    let mut text = style.ink(Ink::Alarm, head).to_string();
    let unknown = failure.unknown.then_some(
        "whether it took effect is unknown; the next apply looks before it sends anything",
    );
    let more = [
        ("server", failure.detail.as_deref()),
        ("request", failure.request.as_deref()),
        ("outcome", unknown),
        ("help", failure.help.as_deref()),
    ];
    for (word, lines) in more {
        for (at, line) in lines.into_iter().flat_map(str::lines).enumerate() {
            let lead = if at == 0 { format!("{word}:") } else { String::new() };
            // Writing into a String does not fail.
            let _ = write!(text, "\n    {lead:<9}{}", clean(line));
        }
    }
    text
}

/// `cannot reach the host [SYS.1007]`.
pub(super) fn said(failure: &Failure) -> String {
    let code = failure.code.as_ref().map(|code| format!(" [{}]", clean(code)));
    format!("{}{}", clean(&failure.summary), code.unwrap_or_default())
}

/// Why a step was not run.
pub(super) fn skipped(because: &Skip) -> String {
    match because {
        Skip::Failed(address) => format!("{} failed", clean(address)),
        Skip::Unavailable(why) => clean(why).to_string(),
        Skip::Interrupted => "interrupted".to_owned(),
    }
}

/// How the run ended, in one sentence.
pub fn summary(end: &Summary, style: &Style) -> String {
    let whole = end.failed == 0 && end.skipped == 0 && end.unsettled == 0 && !end.interrupted;
    let (word, ink) = match (whole, end.interrupted) {
        (true, _) => ("complete", Ink::Add),
        (false, true) => ("interrupted", Ink::Alarm),
        (false, false) => ("stopped", Ink::Alarm),
    };
    let requests = words::many(usize::try_from(end.requests).unwrap_or(usize::MAX), "request");
    let took = words::duration(end.elapsed);
    let head = style.ink(ink, format_args!("Apply {word}:")).to_string();
    let rest = if whole { "." } else { "; run `rackform apply` again to finish." };
    format!("{head} {} in {took} ({requests}){rest}", Counts(end))
}

/// `3 added, 1 changed, 0 destroyed`, and the rarer kinds where there are some.
pub(super) struct Counts<'a>(pub &'a Summary);

impl fmt::Display for Counts<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let end = self.0;
        let number = |n: usize| words::count(n as u64);
        let (added, destroyed) = (end.created + end.replaced, end.deleted + end.replaced);
        let changed = number(end.updated);
        write!(f, "{} added, {changed} changed, {} destroyed", number(added), number(destroyed))?;
        let rare = [
            (end.adopted, "imported"),
            (end.forgotten, "forgotten"),
            (end.failed, "failed"),
            (end.skipped, "not started"),
        ];
        for (count, word) in rare.into_iter().filter(|(n, _)| *n > 0) {
            write!(f, ", {} {word}", number(count))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::StepIx;
    use crate::render::samples::{address, events};

    fn lines(style: Style) -> String {
        let lines: Vec<String> = events().iter().filter_map(|e| line(e, &style)).collect();
        lines.join("\n")
    }

    #[test]
    fn a_log_reads_like_a_story() {
        insta::assert_snapshot!(lines(Style::PLAIN), @r#"
        Applying 3 steps...
        Looking up 2 calls that an earlier apply left open...
        host.kvm["01"]: creating...
        host.kvm["01"]: still creating... [30s elapsed, waiting for status Connected]
        host.kvm["01"]: created in 31.2s [id=6f1f04c2a3714c1f8d3c0a55b6e0c001]
        zone.old: destroying to replace it...
        zone.old: destroying failed after 2m 5s: the zone cannot be deleted [SYS.1006]
            server:  operation error
                     cause: \u{1b}[31mcluster 0a5c is busy
            request: DELETE /zones/6f1f, job 41aa
            outcome: whether it took effect is unknown; the next apply looks before it sends anything
            help:    wait for the running jobs of the cluster
        Stopping: nothing new starts, 1 step in progress will finish. Press Ctrl-C again to stop at once; the next apply finds what is left.
        zone.old: not created: zone.old failed
        Apply stopped: 1 added, 0 changed, 0 destroyed, 1 failed, 1 not started in 2m 6s (1,027 requests); run `rackform apply` again to finish.
        "#);
    }

    #[test]
    fn what_did_not_run_is_said_in_words_of_its_own() {
        assert_eq!(undone(&Op::Delete), "not destroyed");
        assert_eq!(undone(&Op::Action("reconnect".into())), "reconnect not run");
    }

    #[test]
    fn colours_mark_what_went_wrong() {
        let style = Style { color: true, unicode: true, width: 80 };
        insta::assert_snapshot!(lines(style).replace('\u{1b}', "^"), @r#"
        Applying 3 steps…
        Looking up 2 calls that an earlier apply left open…
        host.kvm["01"]: creating…
        host.kvm["01"]: still creating… [30s elapsed, waiting for status Connected]
        host.kvm["01"]: ^[32mcreated^[0m in 31.2s ^[2m[id=6f1f04c2a3714c1f8d3c0a55b6e0c001]^[0m
        zone.old: destroying to replace it…
        ^[1m^[31mzone.old: destroying failed after 2m 5s: the zone cannot be deleted [SYS.1006]^[0m
            server:  operation error
                     cause: \u{1b}[31mcluster 0a5c is busy
            request: DELETE /zones/6f1f, job 41aa
            outcome: whether it took effect is unknown; the next apply looks before it sends anything
            help:    wait for the running jobs of the cluster
        ^[1m^[31mStopping: nothing new starts, 1 step in progress will finish. Press Ctrl-C again to stop at once; the next apply finds what is left.^[0m
        ^[33mzone.old: not created: zone.old failed^[0m
        ^[1m^[31mApply stopped:^[0m 1 added, 0 changed, 0 destroyed, 1 failed, 1 not started in 2m 6s (1,027 requests); run `rackform apply` again to finish.
        "#);
    }

    #[test]
    fn the_end_in_one_sentence() {
        let mut end = Summary {
            created: 2,
            updated: 1,
            replaced: 1,
            adopted: 4,
            requests: 27,
            elapsed: Duration::from_millis(4_100),
            ..Summary::default()
        };
        let complete = summary(&end, &Style::PLAIN);
        assert_eq!(
            complete,
            "Apply complete: 3 added, 1 changed, 1 destroyed, 4 imported in 4.1s (27 requests)."
        );
        (end.skipped, end.interrupted, end.adopted) = (1_000, true, 0);
        let cut = summary(&end, &Style::PLAIN);
        assert_eq!(
            cut,
            "Apply interrupted: 3 added, 1 changed, 1 destroyed, 1,000 not started in 4.1s \
             (27 requests); run `rackform apply` again to finish."
        );
    }

    #[test]
    fn server_words_stay_on_their_lines() {
        let event = Event::StepRetried {
            step: StepIx(0),
            address: address("zone.east"),
            reason: "busy\r\n\u{1b}[2J".to_owned(),
            delay: Duration::from_millis(500),
        };
        let text = line(&event, &Style::PLAIN).unwrap_or_default();
        assert_eq!(text, "zone.east: sent again in 0.5s: busy\\r\\n\\u{1b}[2J");
    }
}
