//! A running apply as a model for a live view: counts, and what runs now.
//!
//! In: [`Event`]s and the time since the start of the run, as an argument. Out: [`Live`], whose
//! texts `cli` draws; nothing here knows a terminal or a clock. One event costs a map operation.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::address::Address;
use crate::event::Event;
use crate::plan::StepIx;

use super::progress::doing;
use super::{Ink, Style, clean, words};

/// Where a run stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Live {
    /// Steps that are planned.
    pub total: usize,
    pub done: usize,
    pub failed: usize,
    pub skipped: usize,
    pub running: BTreeMap<StepIx, Running>,
    /// Whether nothing new starts any more.
    pub stopping: bool,
}

/// A step that runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Running {
    pub address: Address,
    /// `creating`.
    pub doing: String,
    /// Since the start of the run.
    pub since: Duration,
    /// What it waits for, when it said so.
    pub waiting_for: Option<String>,
}

impl Live {
    /// Takes in an event; `now` is the time since the start of the run.
    pub fn observe(&mut self, event: &Event, now: Duration) {
        match event {
            Event::Started { steps } => self.total = *steps,
            Event::StepStarted { step, address, op, .. } => {
                let row = Running {
                    address: address.clone(),
                    doing: doing(op),
                    since: now,
                    waiting_for: None,
                };
                self.running.insert(*step, row);
            }
            Event::StepProgress { step, waiting_for, .. } => self.wait(*step, waiting_for),
            Event::StepRetried { step, reason, .. } => self.wait(*step, reason),
            Event::StepDone { step, .. } => {
                self.running.remove(step);
                self.done += 1;
            }
            Event::StepFailed { step, .. } => {
                self.running.remove(step);
                self.failed += 1;
            }
            Event::StepSkipped { .. } => self.skipped += 1,
            Event::Stopping { .. } => self.stopping = true,
            Event::Recovering { .. }
            | Event::Settling { .. }
            | Event::Unsettled { .. }
            | Event::Finished(_) => {}
        }
    }

    fn wait(&mut self, step: StepIx, what: &str) {
        if let Some(row) = self.running.get_mut(&step) {
            row.waiting_for = Some(clean(what).to_string()).filter(|text| !text.is_empty());
        }
    }

    /// Steps that need no more work, whatever became of them: the length of a bar.
    pub fn settled(&self) -> usize {
        self.done + self.failed + self.skipped
    }

    /// `12/1,000 steps, 64 running, 1 failed, 4.1s`.
    pub fn headline(&self, now: Duration, style: &Style) -> String {
        let (settled, total) =
            (words::count(self.settled() as u64), words::count(self.total as u64));
        let mut text = format!("{settled}/{total} steps, {} running", self.running.len());
        if self.failed > 0 {
            let failed = format!("{} failed", words::count(self.failed as u64));
            text.push_str(&format!(", {}", style.ink(Ink::Alarm, failed)));
        }
        if self.stopping {
            text.push_str(&format!(", {}", style.ink(Ink::Alarm, "stopping")));
        }
        text.push_str(&format!(", {}", words::seconds(now)));
        text
    }

    /// The steps that run longest, first, at most `most` lines; the last one counts the rest.
    pub fn lines(&self, now: Duration, most: usize, style: &Style) -> Vec<String> {
        let mut rows: Vec<&Running> = self.running.values().collect();
        rows.sort_by(|a, b| (a.since, &a.address).cmp(&(b.since, &b.address)));
        let shown = if rows.len() > most { most.saturating_sub(1) } else { rows.len() };
        let mut lines: Vec<String> = rows[..shown].iter().map(|row| row.line(now, style)).collect();
        if rows.len() > shown && most > 0 {
            let rest = format!("and {} more", words::count((rows.len() - shown) as u64));
            lines.push(style.ink(Ink::Dim, rest).to_string());
        }
        lines
    }
}

impl Running {
    fn line(&self, now: Duration, style: &Style) -> String {
        let elapsed = words::seconds(now.saturating_sub(self.since));
        let waiting = self.waiting_for.as_ref().map(|what| format!(", waiting for {what}"));
        let more = format!("{elapsed}{}", waiting.unwrap_or_default());
        format!("{}: {} {}", clean(&self.address), self.doing, style.ink(Ink::Dim, more))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::{Action, Op};
    use crate::render::samples::{address, events};

    fn started(step: u32) -> Event {
        Event::StepStarted {
            step: StepIx(step),
            address: address(&format!("host.kvm[\"{step}\"]")),
            action: Action::Create,
            op: Op::Create,
        }
    }

    #[test]
    fn every_step_ends_in_one_count() {
        let mut live = Live::default();
        for event in events() {
            live.observe(&event, Duration::from_secs(1));
        }
        assert!(live.running.is_empty(), "{live:?}");
        assert_eq!((live.total, live.settled()), (3, 3));
        let head = live.headline(Duration::from_secs(4), &Style::PLAIN);
        assert_eq!(head, "3/3 steps, 0 running, 1 failed, stopping, 4s");
    }

    #[test]
    fn the_longest_running_stand_first_and_the_rest_is_counted() {
        let mut live = Live { total: 2_000, ..Live::default() };
        for step in (0..1_500).rev() {
            live.observe(&started(step), Duration::from_secs(u64::from(step)));
        }
        let progress = Event::StepProgress {
            step: StepIx(1),
            address: address("host.kvm[\"1\"]"),
            op: Op::Create,
            elapsed: Duration::ZERO,
            waiting_for: "status Connected".to_owned(),
        };
        live.observe(&progress, Duration::from_secs(2_000));
        let lines = live.lines(Duration::from_secs(2_000), 3, &Style::PLAIN);
        insta::assert_snapshot!(lines.join("\n"), @r#"
        host.kvm["0"]: creating 33m 20s
        host.kvm["1"]: creating 33m 19s, waiting for status Connected
        and 1,498 more
        "#);
        assert!(live.lines(Duration::ZERO, 0, &Style::PLAIN).is_empty());
    }
}
