//! What people and programs see of a running action, and of its end.

use std::cell::RefCell;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde_json::{Value as Json, json};
use tokio::time::Instant;

use super::objects::Object;
use crate::apply::action::{Ended, Progress};
use crate::cli::failure::Exit;
use crate::cli::output::{Output, line};
use crate::diag::{Diagnostic, Sources};
use crate::provider::Fault;
use crate::render::action::{self as render, Ending};
use crate::render::{clean, words};
use crate::schema::{ActionDef, Quirk};
use crate::wire::secrets;
use crate::wire::shell::ShellResult;

const REDRAW: Duration = Duration::from_millis(100);

/// Shows one action.
pub struct Watch<'a> {
    output: &'a Output,
    action: &'a ActionDef,
    objects: &'a [Object],
    secrets: Vec<String>,
    started: Instant,
    /// On a terminal.
    bar: Option<ProgressBar>,
    seen: RefCell<Seen>,
}

/// What has been learnt and shown so far.
#[derive(Default)]
struct Seen {
    job: Option<String>,
    long_job: Option<String>,
    last: String,
}

impl<'a> Watch<'a> {
    pub fn new(
        output: &'a Output,
        action: &'a ActionDef,
        objects: &'a [Object],
        secrets: Vec<String>,
    ) -> Self {
        let bar = (output.live && !output.json).then(|| {
            let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
            // The template is a constant without placeholders that could be wrong.
            let style = ProgressStyle::with_template("{msg} [{elapsed}]");
            bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
            bar
        });
        let (started, seen) = (Instant::now(), RefCell::default());
        Self { output, action, objects, secrets, started, bar, seen }
    }

    /// The call is about to leave.
    pub fn started(&self, job: &str) {
        self.seen.borrow_mut().job = Some(job.to_owned());
        self.show(format!("{}: running {}…", self.names(), self.action.name));
    }

    pub fn progress(&self, progress: &Progress) {
        let (names, action) = (self.names(), &self.action.name);
        match progress {
            Progress::LongJob { id, progress } => {
                self.seen.borrow_mut().long_job = Some(id.clone());
                let far = progress.as_ref().map(|p| format!(", {}", clean(p))).unwrap_or_default();
                self.show(format!("{names}: {action} runs on the server{far} (long job {id})"));
            }
            Progress::Waiting(what) => {
                self.show(format!("{names}: {action}: waiting for {}", clean(what)));
            }
        }
    }

    /// On a terminal the line is redrawn; elsewhere a line is written when there is news.
    fn show(&self, text: String) {
        if self.output.json {
            return;
        }
        match &self.bar {
            Some(bar) => {
                bar.set_message(text);
                bar.enable_steady_tick(REDRAW);
            }
            None if self.seen.borrow().last != text => {
                self.output.say(&text);
                self.seen.borrow_mut().last = text;
            }
            None => {}
        }
    }

    fn clear(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }

    /// It is over. Returns how the command ends.
    pub fn ended(&self, ended: Ended) -> Exit {
        self.clear();
        match ended {
            Ended::Done(reply) => self.done(reply),
            Ended::Failed(fault) => {
                self.failed(&fault);
                Exit::Error
            }
            Ended::Unknown { job, why } => {
                self.unknown(job, &why);
                Exit::Error
            }
            Ended::Unsettled(what) => {
                let text = format!(
                    "{}: {} is done, but still waiting for {what}",
                    self.names(),
                    self.action.name
                );
                self.bad("unsettled", Diagnostic::error("unsettled", text), None);
                Exit::Error
            }
        }
    }

    fn done(&self, mut reply: Json) -> Exit {
        self.mask(&mut reply);
        let member =
            self.action.call.reply.as_ref().filter(|_| self.action.quirk != Some(Quirk::LongJob));
        let reply = match (member, self.action.quirk) {
            (Some(member), _) => reply.get_mut(member).map(Json::take).unwrap_or_default(),
            (None, Some(Quirk::LongJob)) => reply,
            (None, _) => Json::Null,
        };
        if self.action.quirk == Some(Quirk::ShellResults) {
            return self.shell(&reply);
        }
        for object in self.objects {
            if self.output.json {
                self.json(object, "done", (reply.clone(), None, None));
            } else if let Some(text) = render::reply(&reply) {
                self.output.data(&line(text));
            }
        }
        if !self.output.json {
            let time = words::duration(self.started.elapsed());
            self.output.say(&format!("{}: {} done in {time}", self.names(), self.action.name));
        }
        Exit::Done
    }

    /// A result for each host; one that failed makes the command fail.
    fn shell(&self, results: &Json) -> Exit {
        let mut all = true;
        for object in self.objects {
            let result = ShellResult::of(results, &object.id);
            all &= result.succeeded();
            if self.output.json {
                let outcome = if result.succeeded() { "done" } else { "failed" };
                let own = results.get(&*object.id).cloned().unwrap_or_default();
                self.json(object, outcome, (own, None, None));
            } else {
                self.output.data(&line(render::shell(&object.name, &result, &self.output.out)));
            }
        }
        if all { Exit::Done } else { Exit::Error }
    }

    fn failed(&self, fault: &Fault) {
        let fault = fault.clone().map_texts(|text| secrets::mask(text, &self.secrets));
        let code = fault.code.as_ref().map(|code| format!(" [{code}]")).unwrap_or_default();
        let text = format!("{}: {} failed: {}{code}", self.names(), self.action.name, fault.text);
        let mut detail: Vec<String> = fault.causes.iter().map(|c| format!("server: {c}")).collect();
        detail.extend(fault.request.as_ref().map(|request| format!("request: {request}")));
        detail.extend(fault.request_id.as_ref().map(|job| format!("job: {job}")));
        let mut finding = Diagnostic::error("action_failed", text);
        finding.detail = (!detail.is_empty()).then(|| detail.join("\n"));
        finding.help = fault.help;
        self.bad("failed", finding, fault.request_id.as_deref());
    }

    fn unknown(&self, job: Option<String>, why: &str) {
        let (names, action) = (self.names(), &self.action.name);
        let why = secrets::mask(why, &self.secrets);
        let text = format!("{names}: whether {action} took effect is not known: {why}");
        let job = job.or_else(|| self.seen.borrow().job.clone());
        let its = job.as_ref().map(|job| format!(" Its job is {job}.")).unwrap_or_default();
        let detail = format!("It was not sent again: twice may be worse than not at all.{its}");
        let mut finding = Diagnostic::error("outcome_unknown", text).detail(detail);
        finding.help = Some(self.again().unwrap_or_else(|| {
            "look at the object before you run it again; the server's log has the job".to_owned()
        }));
        self.bad("unknown", finding, job.as_deref());
    }

    /// Somebody pressed Ctrl-C.
    pub fn left(&self) {
        self.clear();
        let (job, long_job) = {
            let seen = self.seen.borrow();
            (seen.job.clone(), seen.long_job.clone())
        };
        let job = long_job.or(job);
        if self.output.json {
            for object in self.objects {
                self.json(object, "running", (Json::Null, None, job.as_deref()));
            }
            return;
        }
        let job = job.map(|job| format!(" (job {job})")).unwrap_or_default();
        let (names, action) = (self.names(), &self.action.name);
        self.output.say(&format!("\nInterrupted. {names}: the server goes on with {action}{job}."));
        self.output.say(&match self.again() {
            Some(again) => format!("To {again}"),
            None => "Look at the object before you run it again.".to_owned(),
        });
    }

    /// How to see what becomes of a long job.
    fn again(&self) -> Option<String> {
        let seen = self.seen.borrow();
        let (job, object) = (seen.long_job.as_ref()?, self.objects.first()?);
        let action = &self.action.name;
        Some(format!("look again: rackform action {action} '{}' --follow {job}", object.name))
    }

    fn bad(&self, outcome: &str, finding: Diagnostic, job: Option<&str>) {
        if self.output.json {
            let error = json!({
                "code": finding.code,
                "summary": finding.summary,
                "detail": finding.detail,
                "help": finding.help,
            });
            for object in self.objects {
                self.json(object, outcome, (Json::Null, Some(error.clone()), job));
            }
        } else {
            self.output.findings(&finding.into(), &Sources::default());
        }
    }

    fn json(&self, object: &Object, outcome: &str, (reply, error, job): Told<'_>) {
        let ending = Ending {
            action: &self.action.name,
            address: &object.name,
            id: &object.id,
            outcome,
            reply,
            error,
            job,
        };
        self.output.data(&line(render::json(&ending)));
    }

    /// `host.a`, or `host.a and 2 more`.
    fn names(&self) -> String {
        let first = self.objects.first().map(|o| clean(&o.name).to_string()).unwrap_or_default();
        match self.objects.len() {
            0 | 1 => first,
            n => format!("{first} and {} more", words::count(n - 1)),
        }
    }

    /// What was sent as a secret may come back anywhere.
    fn mask(&self, json: &mut Json) {
        match json {
            _ if self.secrets.is_empty() => {}
            Json::String(text) => *text = secrets::mask(text, &self.secrets),
            Json::Array(items) => items.iter_mut().for_each(|item| self.mask(item)),
            Json::Object(members) => members.values_mut().for_each(|item| self.mask(item)),
            _ => {}
        }
    }
}

/// Reply, error and job.
type Told<'a> = (Json, Option<Json>, Option<&'a str>);
