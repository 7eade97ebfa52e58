//! The `--json` stream: one object a line, in the shape of the Terraform UI stream 1.2.
//!
//! In: plans, events and findings, and the time of each line as text (there is no clock here).
//! Out: lines without a line break at the end. Consumers of that stream (CI dashboards, jq
//! scripts) read ours unchanged; what it has no name for is a `log` line or an extra key. Strings
//! are exact, with characters that would steer a terminal as `\u` escapes.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;

use serde::Serialize;

use crate::address::Address;
use crate::config::Judged;
use crate::diag::{Diagnostic, Severity, Sources};
use crate::event::{Event, Failure, Summary};
use crate::plan::lint::verb;
use crate::plan::server_check::Report;
use crate::plan::{Action, Change, Drift, Op, Plan, Reason};
use crate::state::Output;

use super::finding::Finding;
use super::progress;
use super::tally::Tally;
use super::{Style, json_text};

/// Version of the stream's shape.
const UI: &str = "1.2";
const MODULE: &str = "rackform.ui";

#[derive(Serialize)]
struct Line<'a> {
    #[serde(rename = "@level")]
    level: &'a str,
    #[serde(rename = "@message")]
    message: String,
    #[serde(rename = "@module")]
    module: &'a str,
    #[serde(rename = "@timestamp")]
    timestamp: &'a str,
    #[serde(flatten)]
    body: Body<'a>,
}

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Body<'a> {
    Version { rackform: &'a str, ui: &'a str },
    Log {},
    Diagnostic { diagnostic: Finding },
    ResourceDrift { change: PlannedChange<'a> },
    PlannedChange { change: PlannedChange<'a> },
    ChangeSummary { changes: Changes<'a> },
    ApplyStart { hook: Hook<'a> },
    ApplyProgress { hook: Hook<'a> },
    ApplyComplete { hook: Hook<'a> },
    ApplyErrored { hook: Hook<'a> },
    Outputs { outputs: serde_json::Value },
    ServerCheck { server_check: Checked<'a> },
    Validation { validation: Valid },
}

/// `validate`; Terraform has one object for it and no line.
#[derive(Serialize)]
struct Valid {
    valid: bool,
    warning_count: usize,
    resources: usize,
    attachments: usize,
    list_elements: usize,
}

/// `plan --server-check`; Terraform has nothing like it.
#[derive(Serialize)]
struct Checked<'a> {
    accepted: usize,
    refused: usize,
    unchecked: Vec<NotChecked<'a>>,
    /// Why nothing was checked, by provider.
    unproven: BTreeMap<&'a str, &'a str>,
    requests: u64,
}

#[derive(Serialize)]
struct NotChecked<'a> {
    addr: &'a Address,
    step: String,
    reason: String,
}

#[derive(Serialize)]
struct PlannedChange<'a> {
    resource: Resource,
    /// Where it was before a `[[moved]]`.
    #[serde(skip_serializing_if = "Option::is_none")]
    previous_resource: Option<Resource>,
    action: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    importing: Option<Importing<'a>>,
    /// What it is from now on, where it is switched; Terraform has no key for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    prevent_destroy: Option<bool>,
    /// What goes down with it and is not in the plan, by label; Terraform has no key for it.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    casualties: BTreeMap<&'a str, u64>,
}

#[derive(Serialize)]
struct Importing<'a> {
    id: &'a str,
}

/// An address in its pieces.
#[derive(Serialize)]
struct Resource {
    addr: Address,
    module: String,
    resource: String,
    /// The type's word before the first `_` in Terraform; ours are not prefixed.
    implied_provider: &'static str,
    resource_type: String,
    resource_name: String,
    resource_key: Option<String>,
}

#[derive(Serialize)]
struct Changes<'a> {
    add: usize,
    change: usize,
    import: usize,
    remove: usize,
    forget: usize,
    operation: &'a str,
}

#[derive(Serialize)]
struct Hook<'a> {
    resource: Resource,
    action: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    id_key: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    id_value: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    elapsed_seconds: Option<u64>,
}

/// The first line of every stream.
pub fn version(at: &str) -> String {
    let rackform = env!("CARGO_PKG_VERSION");
    line(at, "info", format!("rackform {rackform}"), Body::Version { rackform, ui: UI })
}

/// A plain message.
pub fn log(at: &str, message: &str) -> String {
    line(at, "info", message.to_owned(), Body::Log {})
}

/// A finding.
pub fn diagnostic(at: &str, finding: &Diagnostic, sources: &Sources) -> String {
    let (level, word) = match finding.severity {
        Severity::Error => ("error", "Error"),
        Severity::Warning => ("warn", "Warning"),
    };
    let message = format!("{word}: {}", finding.summary);
    line(at, level, message, Body::Diagnostic { diagnostic: Finding::new(finding, sources) })
}

/// A plan: drift, changes, notes, the summary, and outputs, if there are any, as the last line.
pub fn plan<'a>(at: &'a str, plan: &'a Plan) -> impl Iterator<Item = String> + 'a {
    let drift = plan.drift.iter().map(move |found| drift_line(at, found));
    let changes = plan.changes.iter().map(move |change| change_line(at, change));
    let notes = plan.notes.iter().map(move |note| {
        let about = note.address.as_ref().map(|a| format!("{a}: ")).unwrap_or_default();
        log(at, &format!("{about}{}", note.text))
    });
    let summary = std::iter::once_with(move || plan_summary(at, plan));
    let outputs = (!plan.outputs.is_empty()).then(|| {
        let number = plan.outputs.len();
        outputs_line(at, number, &super::outputs::planned(&plan.outputs))
    });
    drift.chain(changes).chain(notes).chain(summary).chain(outputs)
}

/// What the outputs have come to; nothing when there are none.
pub fn outputs(at: &str, outputs: &BTreeMap<Arc<str>, Output>) -> Option<String> {
    let shown = super::outputs::json_of(outputs);
    (!outputs.is_empty()).then(|| outputs_line(at, outputs.len(), &shown))
}

fn outputs_line<T: Serialize>(at: &str, number: usize, outputs: &T) -> String {
    let outputs = serde_json::to_value(outputs).unwrap_or_default();
    line(at, "info", format!("Outputs: {number}"), Body::Outputs { outputs })
}

/// What the server says to a plan; what it refuses are findings.
pub fn server_check(at: &str, report: &Report, plan: &Plan) -> String {
    let unchecked = report.unchecked.iter().map(|(ix, why)| {
        let step = &plan.steps[ix.0 as usize];
        NotChecked { addr: &step.address, step: verb(&step.op), reason: why.reason() }
    });
    let checked = Checked {
        accepted: report.accepted,
        refused: report.refused.len(),
        unchecked: unchecked.collect(),
        unproven: report.unproven.iter().map(|(name, why)| (&**name, why.as_str())).collect(),
        requests: report.requests,
    };
    let message = super::server_check::sentence(report);
    line(at, "info", message, Body::ServerCheck { server_check: checked })
}

/// A configuration without mistakes, and what is in it.
pub fn validation(at: &str, judged: &Judged, warnings: usize) -> String {
    let validation = Valid {
        valid: true,
        warning_count: warnings,
        resources: judged.resources,
        attachments: judged.links,
        list_elements: judged.elements,
    };
    line(at, "info", super::validation::sentence(judged), Body::Validation { validation })
}

/// What an event says; two lines for a failure, none for what the stream does not tell.
pub fn event(at: &str, event: &Event) -> Vec<String> {
    let message = progress::line(event, &Style::PLAIN).unwrap_or_default();
    match event {
        Event::StepStarted { address, op, .. } => {
            vec![line(at, "info", message, Body::ApplyStart { hook: hook(address, op) })]
        }
        Event::StepProgress { address, op, elapsed, .. } => {
            let hook = Hook { elapsed_seconds: Some(elapsed.as_secs()), ..hook(address, op) };
            vec![line(at, "info", message, Body::ApplyProgress { hook })]
        }
        Event::StepDone { address, op, id, elapsed, .. } => {
            let hook = Hook {
                id_key: id.as_ref().map(|_| "id"),
                id_value: id.as_deref(),
                elapsed_seconds: Some(elapsed.as_secs()),
                ..hook(address, op)
            };
            vec![line(at, "info", message, Body::ApplyComplete { hook })]
        }
        Event::StepFailed { address, op, failure, elapsed, .. } => {
            let hook = Hook { elapsed_seconds: Some(elapsed.as_secs()), ..hook(address, op) };
            let head = message.lines().next().unwrap_or_default().to_owned();
            let errored = line(at, "error", head, Body::ApplyErrored { hook });
            vec![errored, failure_line(at, address, failure)]
        }
        Event::Finished(end) => vec![apply_summary(at, end)],
        Event::StepRetried { .. }
        | Event::StepSkipped { .. }
        | Event::Unsettled { .. }
        | Event::Stopping { .. } => {
            vec![line(at, "warn", message, Body::Log {})]
        }
        Event::Started { .. } | Event::Recovering { .. } | Event::Settling { .. } => {
            if message.is_empty() { Vec::new() } else { vec![log(at, &message)] }
        }
    }
}

fn line(at: &str, level: &str, message: String, body: Body<'_>) -> String {
    json_text::line(&Line { level, message, module: MODULE, timestamp: at, body })
}

fn drift_line(at: &str, found: &Drift) -> String {
    let (action, what) = match found.attrs {
        None => ("delete", "is gone"),
        Some(_) => ("update", "was changed outside"),
    };
    let change = PlannedChange {
        resource: Resource::new(&found.address),
        previous_resource: None,
        action,
        reason: None,
        importing: None,
        prevent_destroy: None,
        casualties: BTreeMap::new(),
    };
    line(at, "info", format!("{}: {what}", found.address), Body::ResourceDrift { change })
}

fn change_line(at: &str, change: &Change) -> String {
    let words = match change.action {
        Action::Forget => "forget",
        Action::Record => "change the state only",
        other => super::change::meaning(other),
    };
    let moved = change.reason == Reason::Moved;
    let action = if moved { "move" } else { action(change.action) };
    let mut message = format!("{}: Plan to {words}", change.address);
    if let (true, Some(previous)) = (moved, &change.previous) {
        message = format!("{previous} has moved to {}", change.address);
    } else if let Some(why) = super::change::why(change) {
        // Writing into a String does not fail.
        let _ = write!(message, " ({why})");
    }
    if let Some(text) = super::change::protection(change) {
        let _ = write!(message, "; {text}");
    }
    let planned = PlannedChange {
        resource: Resource::new(&change.address),
        previous_resource: change.previous.as_ref().map(Resource::new),
        action,
        reason: reason(&change.reason),
        importing: importing(change),
        prevent_destroy: change.protection,
        casualties: casualties(change),
    };
    line(at, "info", message, Body::PlannedChange { change: planned })
}

fn importing(change: &Change) -> Option<Importing<'_>> {
    let id = change.id.as_deref().filter(|_| change.action == Action::Adopt || change.importing)?;
    Some(Importing { id })
}

fn casualties(change: &Change) -> BTreeMap<&str, u64> {
    let lost = change.casualties.iter().filter(|(_, number)| *number > 0);
    lost.map(|(label, number)| (label.as_str(), *number)).collect()
}

fn plan_summary(at: &str, plan: &Plan) -> String {
    let Tally { add, change, destroy, import, forget, record: _ } = Tally::of(plan);
    let changes = Changes { add, change, import, remove: destroy, forget, operation: "plan" };
    line(at, "info", super::plan::sentence(plan), Body::ChangeSummary { changes })
}

fn apply_summary(at: &str, end: &Summary) -> String {
    let changes = Changes {
        add: end.created + end.replaced,
        change: end.updated,
        import: end.adopted,
        remove: end.deleted + end.replaced,
        forget: end.forgotten,
        operation: "apply",
    };
    let level = if end.failed > 0 || end.interrupted { "error" } else { "info" };
    line(at, level, progress::summary(end, &Style::PLAIN), Body::ChangeSummary { changes })
}

fn failure_line(at: &str, address: &Address, failure: &Failure) -> String {
    let said = progress::said(failure);
    let message = format!("Error: {said}");
    line(at, "error", message, Body::Diagnostic { diagnostic: Finding::failure(address, failure) })
}

fn hook<'a>(address: &Address, op: &'a Op) -> Hook<'a> {
    let action = match op {
        Op::Create | Op::Attach => "create",
        Op::Update(_) | Op::Action(_) => "update",
        Op::Delete | Op::Detach => "delete",
    };
    Hook {
        resource: Resource::new(address),
        action,
        id_key: None,
        id_value: None,
        elapsed_seconds: None,
    }
}

fn action(action: Action) -> &'static str {
    match action {
        Action::Create => "create",
        Action::Update => "update",
        Action::Replace => "replace",
        Action::Delete => "delete",
        Action::Adopt => "import",
        Action::Forget => "forget",
        Action::Record => "noop",
    }
}

/// The stream's words for reasons; most of ours have none there.
fn reason(reason: &Reason) -> Option<&'static str> {
    match reason {
        Reason::CannotUpdate(_) => Some("cannot_update"),
        Reason::Requested => Some("requested"),
        Reason::ParentReplaced(_) | Reason::Triggered(..) => Some("replace_triggered_by"),
        Reason::NotInConfiguration | Reason::Removed => Some("delete_because_no_resource_config"),
        Reason::KeyGone => Some("delete_because_each_key"),
        Reason::ModuleKeyGone(_) => Some("delete_because_no_module"),
        Reason::New
        | Reason::Discovered
        | Reason::Vanished
        | Reason::Unfinished
        | Reason::Differs
        | Reason::Drifted
        | Reason::Destroy
        | Reason::Unmanaged
        | Reason::Protection
        | Reason::Dependencies
        | Reason::Moved
        | Reason::Imported => None,
    }
}

impl Resource {
    fn new(address: &Address) -> Self {
        let (module, resource) = split(address);
        Self {
            addr: address.clone(),
            module: module.to_owned(),
            resource: resource.to_owned(),
            implied_provider: "rackform",
            resource_type: type_name(address),
            resource_name: address.label().to_owned(),
            resource_key: address.key().map(str::to_owned),
        }
    }
}

/// `module.hall` and `zone.east` of `module.hall.zone.east`.
pub(super) fn split(address: &Address) -> (&str, &str) {
    let text = address.as_str();
    if address.modules().is_empty() {
        return ("", text);
    }
    let mut own = Address::new(address.kind(), address.label());
    if let Some(key) = address.key() {
        own = own.instance(key);
    }
    if let Some(member) = address.member_of() {
        own = own.member(&member.name, &member.key);
    }
    let at = text.len().saturating_sub(own.as_str().len());
    (text.get(..at).unwrap_or_default().trim_end_matches('.'), text.get(at..).unwrap_or(text))
}

/// The type; for an attachment or part with its name (`local_primary_storage.clusters`), so that
/// a policy on storages does not take a detach for the loss of a storage.
pub(super) fn type_name(address: &Address) -> String {
    match address.member_of() {
        None => address.kind().to_owned(),
        Some(member) => format!("{}.{}", address.kind(), member.name),
    }
}

#[cfg(test)]
mod tests;
