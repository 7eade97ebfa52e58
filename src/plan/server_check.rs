//! `plan --server-check`: which steps the server can be asked about before they are sent, and what
//! came of asking.
//!
//! In: a plan and the state that it was made from. Out: requests to check, reasons why others
//! cannot be, and later a [`Report`] with findings. A dry run sees the cloud as it is now, so that
//! only steps whose objects are all there can be judged by it. Sends nothing; how a server is told
//! that a call is a dry run is the provider's affair.

use std::collections::HashMap;
use std::sync::Arc;

use crate::address::Address;
use crate::config::Desired;
use crate::diag::{Diagnostic, Diagnostics, Span};
use crate::plan::lint::verb;
use crate::plan::{Action, Change, Op, Plan, Step, StepIx};
use crate::schema::Schemas;
use crate::state::identity::client_id;
use crate::state::{State, is_attachment};
use crate::wire::fill::fill;
use crate::wire::{Fill, FillError, Method, Request};

/// A step that can be checked. Holds secrets, like the request that an apply sends.
pub struct Candidate {
    pub step: StepIx,
    pub provider: Arc<str>,
    pub request: Request,
}

/// Why a step was not checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unchecked {
    /// A dry run of such a call would be carried out.
    Executes(Method),
    /// Something that it refers to is not there yet.
    NotCreated(Address),
    /// A hole of its request that nothing fills.
    Unknown(String),
    /// The server has no dry run, or did not prove that it honours one.
    Unproven(Arc<str>),
    /// The server would refuse it now, but steps that run before may change that.
    AfterOthers(String),
    /// The server did not say.
    NoAnswer(String),
}

/// What a server said against a step.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Refusal {
    pub code: Option<String>,
    pub text: String,
    /// Causes in the server's words, outermost first.
    pub causes: Vec<String>,
    pub help: Option<String>,
}

/// What came of a check.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Why nothing was checked at a provider.
    pub unproven: Vec<(Arc<str>, String)>,
    pub accepted: usize,
    /// A step that the server carried out though it was asked for a dry run. Nothing more was
    /// asked after it.
    pub executed: Option<StepIx>,
    pub refused: Vec<(StepIx, Refusal)>,
    pub unchecked: Vec<(StepIx, Unchecked)>,
    pub requests: u64,
}

/// What fills the holes of steps before anything is created.
struct Now<'a> {
    /// Objects that are there and stay.
    live: HashMap<Address, Arc<str>>,
    /// The object that the step itself makes.
    own: Option<(&'a Address, Arc<str>)>,
    desired: &'a Desired,
    schemas: &'a Schemas,
}

impl Fill for Now<'_> {
    fn id(&self, address: &Address) -> Option<Arc<str>> {
        let own = self.own.as_ref().filter(|(made, _)| *made == address);
        own.map(|(_, id)| id).or_else(|| self.live.get(address)).cloned()
    }
    fn secret(&self, address: &Address, attr: &str) -> Option<Arc<str>> {
        self.desired.text(self.schemas, address, attr)
    }
}

/// Splits the steps of a plan into those that can be checked and those that cannot.
pub fn candidates(
    plan: &Plan,
    state: &State,
    desired: &Desired,
    schemas: &Schemas,
) -> (Vec<Candidate>, Vec<(StepIx, Unchecked)>) {
    let mut now = Now { live: live(plan, state), own: None, desired, schemas };
    let (mut checkable, mut unchecked) = (Vec::new(), Vec::new());
    for (ix, step) in (0..).map(StepIx).zip(&plan.steps) {
        // What another step brings about is only read back: there is nothing to ask about.
        let Some(template) = &step.request else { continue };
        let method = template.method;
        if !matches!(method, Method::Post | Method::Put) || template.body.is_none() {
            unchecked.push((ix, Unchecked::Executes(method)));
            continue;
        }
        now.own = (step.op == Op::Create)
            .then(|| (&step.address, id_to_be(&plan.changes[step.change as usize], state)));
        match fill(template, &now) {
            Ok(request) => {
                let provider = step.provider.clone();
                checkable.push(Candidate { step: ix, provider, request });
            }
            Err(FillError::Id(of)) => unchecked.push((ix, Unchecked::NotCreated(of))),
            Err(error) => unchecked.push((ix, Unchecked::Unknown(error.to_string()))),
        }
    }
    (checkable, unchecked)
}

/// Ids of the objects that are there now and that the plan leaves there.
fn live(plan: &Plan, state: &State) -> HashMap<Address, Arc<str>> {
    let own = state.entries.iter().filter(|(address, e)| !is_attachment(address, &e.kind));
    let mut live: HashMap<_, _> = own.map(|(a, entry)| (a.clone(), entry.id.clone())).collect();
    for change in plan.changes.iter().filter(|c| !c.is_attachment()) {
        match (change.action, &change.id) {
            (Action::Create | Action::Replace | Action::Delete | Action::Forget, _) | (_, None) => {
                live.remove(&change.address);
            }
            (Action::Update | Action::Adopt | Action::Record, Some(id)) => {
                live.insert(change.address.clone(), id.clone());
            }
        }
    }
    live
}

/// The id that a create sends. Before the first apply there is none yet; any other that nobody
/// has is checked in the same way.
fn id_to_be(change: &Change, state: &State) -> Arc<str> {
    let predicted = change.predicted.clone();
    predicted
        .unwrap_or_else(|| client_id(&state.lineage, &change.address, change.record.incarnation))
}

impl Report {
    /// Enters a refusal. One of a step that runs after others is no finding: they may well remove
    /// its cause (a unique key is freed, an attachment made).
    pub fn refuse(&mut self, plan: &Plan, step: StepIx, refusal: Refusal) {
        if stands_alone(plan, step) {
            self.refused.push((step, refusal));
        } else {
            self.unchecked.push((step, Unchecked::AfterOthers(refusal.sentence())));
        }
    }

    /// Brings everything into the order of the plan: answers come as they come.
    pub fn sort(&mut self) {
        self.refused.sort_by_key(|(step, _)| *step);
        self.unchecked.sort_by_key(|(step, _)| *step);
    }

    /// Steps that the server judged.
    pub fn checked(&self) -> usize {
        self.accepted + self.refused.len()
    }

    /// Refusals as findings.
    pub fn findings(&self, plan: &Plan) -> Diagnostics {
        let mut findings = Diagnostics::default();
        for (ix, refusal) in &self.refused {
            let step = &plan.steps[ix.0 as usize];
            let change = &plan.changes[step.change as usize];
            findings.push(finding(step, change, refusal));
        }
        if let Some(StepIx(ix)) = self.executed {
            findings.push(carried_out(&plan.changes[plan.steps[ix as usize].change as usize]));
        }
        findings
    }
}

/// A dry run that was none: what the plan wants there is done now.
fn carried_out(change: &Change) -> Diagnostic {
    let finding = Diagnostic::error(
        "dry_run_carried_out",
        "the server carried out a call that it was asked to check only".to_owned(),
    )
    .on(&change.address)
    .detail("It honoured a dry run of another call before. Nothing more was asked after this one.")
    .help("plan again to see what is there now, and leave --server-check out with this server");
    match change.origin {
        Some(span) => finding.at(span, "this change"),
        None => finding,
    }
}

/// Whether no step before this one can change the server's mind. Updates of the same object that
/// take effect at once only set other attributes.
fn stands_alone(plan: &Plan, ix: StepIx) -> bool {
    let mut at = &plan.steps[ix.0 as usize];
    loop {
        match at.after[..] {
            [] => return at.gates.iter().all(|g| plan.gates[g.0 as usize].after.is_empty()),
            [StepIx(before)] => {
                let before = &plan.steps[before as usize];
                let harmless = matches!(before.op, Op::Update(_)) && before.wait.is_empty();
                if !harmless || before.change != at.change || !at.gates.is_empty() {
                    return false;
                }
                at = before;
            }
            _ => return false,
        }
    }
}

fn finding(step: &Step, change: &Change, refusal: &Refusal) -> Diagnostic {
    let text = format!("the server would refuse this {}: {}", verb(&step.op), refusal.sentence());
    let mut finding = Diagnostic::error("server_refuses", text).on(&step.address);
    if let Some(span) = place(step, change) {
        finding = finding.at(span, "declared here");
    }
    if !refusal.causes.is_empty() {
        finding = finding.detail(refusal.causes.join("\n"));
    }
    match &refusal.help {
        Some(help) => finding.help(help.clone()),
        None => finding,
    }
}

/// Where the configuration says so: for an update the first attribute that it sends.
fn place(step: &Step, change: &Change) -> Option<Span> {
    let sent = |name: &Arc<str>| {
        step.expect.iter().any(|(n, _)| n == name) || step.confirms.contains(name)
    };
    let of_update = matches!(step.op, Op::Update(_));
    let changed = change.diffs.iter().filter(|d| of_update && sent(&d.name));
    changed.filter_map(|d| d.origin).next().or(change.origin)
}

impl Refusal {
    /// `TEXT (CODE)`.
    fn sentence(&self) -> String {
        match &self.code {
            Some(code) => format!("{} ({code})", self.text),
            None => self.text.clone(),
        }
    }
}

impl Unchecked {
    /// Why, for people.
    pub fn reason(&self) -> String {
        match self {
            Self::Executes(Method::Delete) => "a delete would be carried out".to_owned(),
            Self::Executes(_) => "a call without a body would be carried out".to_owned(),
            Self::NotCreated(of) => format!("{of} is not created yet"),
            Self::Unknown(why) => why.clone(),
            Self::Unproven(provider) => format!("nothing is checked at provider.{provider}"),
            Self::AfterOthers(said) => {
                format!("refused as things are now, but steps before it may change that: {said}")
            }
            Self::NoAnswer(why) => format!("no answer: {why}"),
        }
    }
}
