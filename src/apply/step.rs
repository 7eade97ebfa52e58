//! One step: write the intent down, send, wait, read back, write the result down.
//!
//! Beside `action`, the only place that sends a call which changes anything. In: a step of the plan. Out:
//! [`End`]. Between intent and result the process may die at any point; `recover` and the ids in
//! the journal put the pieces together again.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use tokio::sync::mpsc;
use tokio::time::Instant;

use crate::address::Address;
use crate::apply::Run;
use crate::apply::failures::{failure, from_fault, ledger_failure, not_applied};
use crate::apply::ids::Ids;
use crate::apply::ledger::Ledger;
use crate::apply::verify::{Verdict, verify};
use crate::apply::waits::Waits;
use crate::event::{Event, Failure};
use crate::inventory::LiveObject;
use crate::observe::lookup::Coalescer;
use crate::plan::{Change, Op, Reason, Step, StepIx, record};
use crate::provider::{Connection, Fault, FaultKind, Outcome};
use crate::schema::{IdRule, ResourceType};
use crate::state::identity::{self, CallId};
use crate::state::journal::{Intent, Record};
use crate::state::{Entry, Pending};
use crate::wire::fill::fill;
use crate::wire::{Fill, Request};

/// How a step ended.
#[derive(Clone, Debug, PartialEq)]
pub enum End {
    Done { id: Option<Arc<str>> },
    Failed(Failure),
}

/// What all steps of a run share.
pub struct Context<'a> {
    pub run: &'a Run<'a>,
    pub ids: Ids<'a>,
    /// By provider configuration.
    pub lookups: HashMap<Arc<str>, Coalescer>,
    /// Steps whose effect is there though they are not read back yet.
    pub effective: mpsc::UnboundedSender<StepIx>,
    /// What running steps wait for, for people.
    pub waiting: Mutex<HashMap<StepIx, String>>,
}

impl Context<'_> {
    fn waiting(&self) -> MutexGuard<'_, HashMap<StepIx, String>> {
        // No code that holds it can panic; a poisoned table would still be whole.
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Ids to try before giving up on a create: each may be held by a deleted object that no query
/// shows (reference 3.0, "Soft delete").
const INCARNATIONS: u32 = 8;

/// Runs one step to its end.
pub async fn run(context: &Context<'_>, ix: StepIx) -> End {
    let step = &context.run.plan.steps[ix.0 as usize];
    let worker = Worker {
        context,
        ix,
        step,
        change: &context.run.plan.changes[step.change as usize],
        ty: context.run.schemas.get(step.ty),
        deadline: Instant::now() + Duration::from_secs(step.deadline),
    };
    match worker.run().await {
        Ok(id) => End::Done { id },
        Err(failure) => End::Failed(failure),
    }
}

pub(super) struct Worker<'a> {
    pub(super) context: &'a Context<'a>,
    ix: StepIx,
    pub(super) step: &'a Step,
    pub(super) change: &'a Change,
    pub(super) ty: &'a Arc<ResourceType>,
    pub(super) deadline: Instant,
}

/// What the sent call came to.
pub(super) enum Sent {
    Effective,
    /// A create was refused: perhaps because an earlier, cut-off apply has got there before.
    Refused(Fault),
}

impl Worker<'_> {
    async fn run(&self) -> Result<Option<Arc<str>>, Failure> {
        match self.step.op {
            Op::Create => self.create().await,
            Op::Update(_) | Op::Action(_) => self.change().await,
            Op::Delete => self.delete().await,
            Op::Attach | Op::Detach => self.link().await,
        }
    }

    async fn create(&self) -> Result<Option<Arc<str>>, Failure> {
        match self.ty.id {
            IdRule::Part => return self.create_element().await,
            IdRule::Found => return self.discover().await,
            _ => {}
        }
        if !matches!(self.ty.id, IdRule::Client { .. }) {
            let text = format!("objects of type {} cannot be created yet", self.ty.name);
            return Err(failure(text, self.step));
        }
        let first = self.change.record.incarnation;
        for incarnation in first..first + INCARNATIONS {
            let id = identity::client_id(self.ledger().lineage(), &self.step.address, incarnation);
            if incarnation > first {
                self.note_candidate(incarnation).await?;
            }
            self.context.ids.set(&self.step.address, id.clone());
            let made = match self.send(incarnation - first).await? {
                Sent::Effective => true,
                Sent::Refused(fault) => match self.read(&id).await? {
                    Some(live) if self.is_ours(&live) => {
                        self.claim(&live, incarnation, fault).await?;
                        false
                    }
                    None if fault.kind == FaultKind::IdTaken => continue,
                    _ => return Err(self.refuse(fault, incarnation).await),
                },
            };
            self.read_back(&id, incarnation, made).await?;
            return Ok(Some(id));
        }
        let text = format!("{INCARNATIONS} ids in a row are taken by objects that no query shows");
        let fault = Fault::new(FaultKind::IdTaken, text);
        Err(self.refuse(fault, first + INCARNATIONS - 1).await)
    }

    /// A create was refused, but the object is there under our id and with our unique key. If the
    /// id was taken, or an earlier apply left the create open, that one has made it: it is waited
    /// for like our own. Otherwise it is what the failure left behind: it is written down, so
    /// that it is not lost, and the failure stands.
    async fn claim(
        &self,
        live: &LiveObject,
        incarnation: u32,
        fault: Fault,
    ) -> Result<(), Failure> {
        let expected = fault.kind == FaultKind::IdTaken || self.change.reason == Reason::Unfinished;
        if expected {
            return Ok(());
        }
        self.enter(live, incarnation, false).await?;
        Err(from_fault(fault, self.step))
    }

    /// A create has definitely failed: its id is not used again, because it can stay taken though
    /// no query shows it (reference 3.0).
    async fn refuse(&self, fault: Fault, incarnation: u32) -> Failure {
        let address = self.step.address.clone();
        let failure = self.definite(fault).await;
        let record = Record::Incarnation { address, incarnation: incarnation + 1 };
        match self.ledger().note(record).await {
            Ok(()) => failure,
            Err(error) => ledger_failure(&error, self.step),
        }
    }

    /// A later candidate is durable before it is tried.
    async fn note_candidate(&self, incarnation: u32) -> Result<(), Failure> {
        let address = &self.step.address;
        let (lineage, record) = (self.ledger().lineage(), &self.change.record);
        let candidates = (record.incarnation..=incarnation)
            .map(|n| identity::client_id(lineage, address, n))
            .collect();
        let digests = self.context.run.digests.get(address).cloned().unwrap_or_default();
        let pending = pending(self.change, candidates, incarnation, digests);
        self.note(Record::Pending { address: address.clone(), pending }).await
    }

    /// An object under our id is ours when it has our unique key (reference: the id alone could
    /// be anybody's only by a collision of 122 bits, but its type and key are checked all the
    /// same).
    fn is_ours(&self, live: &LiveObject) -> bool {
        self.change.record.unique.iter().all(|(name, wanted)| {
            self.ty.find_attr(name).is_none_or(|ix| {
                let now = &live.attrs[usize::from(ix.0)];
                now.as_str().is_none_or(|text| text == wanted || self.is_reference(wanted, text))
            })
        })
    }

    fn is_reference(&self, wanted: &str, id: &str) -> bool {
        let address = Address::parse(wanted).ok();
        address.and_then(|a| self.context.ids.id(&a)).is_some_and(|known| &*known == id)
    }

    async fn change(&self) -> Result<Option<Arc<str>>, Failure> {
        let id = self.own_id()?;
        self.send(0).await?;
        self.read_back(&id, self.change.record.incarnation, true).await?;
        Ok(Some(id))
    }

    async fn delete(&self) -> Result<Option<Arc<str>>, Failure> {
        let id = self.own_id()?;
        self.send(0).await?;
        // What goes along with its owner went with a call that was verified.
        let mut wait = Waits::new(self.deadline);
        while self.step.request.is_some() && self.read(&id).await?.is_some() {
            if wait.settled() {
                let text = "the server accepted the delete, but the object is still there";
                return Err(self.without_effect(text).await);
            }
            wait.pause().await;
        }
        let incarnation = self.change.record.incarnation;
        self.note(Record::Removed { address: self.step.address.clone(), incarnation }).await?;
        Ok(Some(id))
    }

    fn own_id(&self) -> Result<Arc<str>, Failure> {
        let known = self.context.ids.id(&self.step.address).or_else(|| self.change.id.clone());
        known.ok_or_else(|| failure("the object does not exist", self.step))
    }

    /// Sends the call, if there is one. Its intent is durable before it leaves.
    pub(super) async fn send(&self, attempt: u32) -> Result<Sent, Failure> {
        let Some(request) = &self.step.request else { return Ok(Sent::Effective) };
        let request =
            fill(request, &self.context.ids).map_err(|e| failure(e.to_string(), self.step))?;
        let call = CallId { step: self.ix.0, call: 0, attempt };
        let job = identity::job_id(self.ledger().lineage(), self.ledger().run(), call);
        self.note(Record::Intent(self.intent(&request, &job, attempt))).await?;
        let left = self.deadline.saturating_duration_since(Instant::now());
        match self.connection()?.send(&request, Some(&job), left).await {
            Outcome::Done(_) => {
                // Only a receiver that is gone (the run was stopped) does not hear it.
                let _ = self.context.effective.send(self.ix);
                Ok(Sent::Effective)
            }
            Outcome::Failed(fault) => self.refused(fault).await,
            Outcome::Unknown { why, .. } => {
                Err(Failure { unknown: true, ..failure(why, self.step) })
            }
        }
    }

    async fn refused(&self, fault: Fault) -> Result<Sent, Failure> {
        match (&self.step.op, fault.kind) {
            (Op::Create, _) => Ok(Sent::Refused(fault)),
            // Deleting what is not there is done (reference 3.0).
            (Op::Delete | Op::Detach, FaultKind::Gone) => Ok(Sent::Effective),
            // "Already attached" and the like: reading back decides.
            (Op::Attach | Op::Detach, FaultKind::Conflict | FaultKind::Invalid)
                if self.link_is_as_wanted().await =>
            {
                Ok(Sent::Effective)
            }
            _ => Err(self.definite(fault).await),
        }
    }

    /// A definite failure: nothing is under way any more.
    pub(super) async fn definite(&self, fault: Fault) -> Failure {
        let failed = Record::Failed {
            address: self.step.address.clone(),
            step: self.ix.0,
            attempt: 0,
            definite: true,
            text: fault.text.clone(),
        };
        match self.ledger().note(failed).await {
            Ok(()) => from_fault(fault, self.step),
            Err(error) => ledger_failure(&error, self.step),
        }
    }

    /// The server said "done", and nothing has changed.
    pub(super) async fn without_effect(&self, text: &str) -> Failure {
        self.definite(Fault::new(FaultKind::Failed, text)).await
    }

    /// Reads the object until it is as promised, and writes it down as it is then: also where it
    /// is not, so that the next plan starts from what is there. `made`: whether our call made it
    /// so, and not one of an earlier apply, which may have sent other secrets.
    pub(super) async fn read_back(
        &self,
        id: &Arc<str>,
        incarnation: u32,
        made: bool,
    ) -> Result<(), Failure> {
        let mut wait = Waits::new(self.deadline);
        loop {
            let Some(live) = self.read(id).await? else {
                if wait.settled() {
                    let text = "the server says it is done, but no query shows the object";
                    return Err(Failure { unknown: true, ..failure(text, self.step) });
                }
                wait.pause().await;
                continue;
            };
            match verify(self.ty, self.step, &self.change.diffs, &live, &self.context.ids) {
                Verdict::Met => return self.enter(&live, incarnation, made).await,
                Verdict::Waiting(what) if wait.over() => {
                    let text = format!("it did not come up in time: still waiting for {what}");
                    return Err(Failure { unknown: true, ..failure(text, self.step) });
                }
                Verdict::Differs { attr, now, as_before } if wait.settled() => {
                    self.enter(&live, incarnation, false).await?;
                    return Err(not_applied(&attr, &now, as_before, self.step));
                }
                Verdict::Waiting(what) => {
                    self.context.waiting().insert(self.ix, what);
                    wait.pause().await;
                }
                Verdict::Differs { .. } => wait.pause().await,
            }
        }
    }

    pub(super) async fn read(&self, id: &Arc<str>) -> Result<Option<LiveObject>, Failure> {
        let lookup =
            self.context.lookups.get(&self.step.provider).ok_or_else(|| self.no_provider())?;
        let desired = self.context.run.desired.get(&self.step.address);
        let own = desired.map_or_else(Vec::new, |d| self.ty.own_reads(&d.attrs));
        lookup
            .read_with(self.step.ty, id, &own)
            .await
            .map_err(|fault| Failure { unknown: true, ..from_fault(fault, self.step) })
    }

    /// Writes the object down as it is now; with the digests of what the step proves if it `met`
    /// what it promised.
    async fn enter(&self, live: &LiveObject, incarnation: u32, met: bool) -> Result<(), Failure> {
        let address = &self.step.address;
        let record = &self.change.record;
        let desired = self.context.run.desired.get(address);
        let mut digests = self.ledger().digests(address);
        digests.retain(|name, _| record.secrets.contains(name));
        let confirmed = self.context.run.digests.get(address);
        for name in self.step.confirms.iter().filter(|_| met) {
            if let Some(digest) = confirmed.and_then(|d| d.get(name)) {
                digests.insert(name.clone(), digest.clone());
            }
        }
        let entry = Entry {
            kind: record.kind.clone(),
            provider: self.change.provider.clone(),
            id: live.id.clone(),
            attrs: record::seen(self.ty, desired.map(|d| &d.attrs), &live.attrs),
            dependencies: record.dependencies.clone(),
            schema_version: record.schema_version,
            digests,
            incarnation,
            prevent_destroy: record.prevent_destroy,
            declared_by: None,
            owed: self.owed(),
        };
        self.note(Record::Entry { address: address.clone(), entry: Box::new(entry) }).await
    }

    /// Actions of this change that are still to be run after this step.
    fn owed(&self) -> Vec<Arc<str>> {
        let mut owed = self.change.record.owed.clone();
        let steps = (0u32..).map(StepIx).zip(&self.context.run.plan.steps);
        // The steps of a change stand together.
        let from = steps.skip_while(|(_, step)| step.change != self.step.change);
        for (ix, step) in from.take_while(|(_, step)| step.change == self.step.change) {
            let Op::Action(name) = &step.op else { continue };
            owed.retain(|owed| **owed != **name);
            if ix > self.ix {
                owed.push(name.as_str().into());
            }
        }
        owed
    }

    fn intent(&self, request: &Request, job: &str, attempt: u32) -> Intent {
        Intent {
            step: self.ix.0,
            call: 0,
            attempt,
            job: job.to_owned(),
            address: self.step.address.clone(),
            provider: self.step.provider.clone(),
            request: format!("{} {}", request.method.as_str(), request.path),
            sent: unix_now(),
        }
    }

    pub(super) async fn note(&self, record: Record) -> Result<(), Failure> {
        self.ledger().note(record).await.map_err(|e| ledger_failure(&e, self.step))
    }

    fn ledger(&self) -> &Ledger {
        self.context.run.ledger
    }

    pub(super) fn connection(&self) -> Result<&Connection, Failure> {
        let connections = self.context.run.connections;
        connections.get(&self.step.provider).ok_or_else(|| self.no_provider())
    }

    fn no_provider(&self) -> Failure {
        failure(format!("provider {} is not configured", self.step.provider), self.step)
    }
}

/// Seconds of Unix time; 0 by a clock that is before it.
pub fn unix_now() -> u64 {
    SystemTime::UNIX_EPOCH.elapsed().map_or(0, |since| since.as_secs())
}

/// The entry of an attachment; `to` is the id of the other end.
pub fn link_entry(change: &Change, to: &Arc<str>) -> Entry {
    Entry {
        kind: change.record.kind.clone(),
        provider: change.provider.clone(),
        id: to.clone(),
        attrs: Vec::new(),
        dependencies: change.record.dependencies.clone(),
        schema_version: change.record.schema_version,
        digests: Digests::new(),
        incarnation: 0,
        prevent_destroy: false,
        declared_by: change.record.declared_by.clone(),
        owed: Vec::new(),
    }
}

/// Digests of an object's secrets, by attribute.
pub type Digests = BTreeMap<Arc<str>, String>;

/// What is written down before a create is sent.
pub fn pending(
    change: &Change,
    candidates: Vec<Arc<str>>,
    incarnation: u32,
    digests: Digests,
) -> Pending {
    Pending {
        kind: change.record.kind.clone(),
        provider: change.provider.clone(),
        candidates,
        incarnation,
        unique: change.record.unique.clone(),
        dependencies: change.record.dependencies.clone(),
        digests,
    }
}

/// Progress of a step that takes long, for whoever watches.
pub fn progress(context: &Context<'_>, ix: StepIx, elapsed: Duration) -> Event {
    let step = &context.run.plan.steps[ix.0 as usize];
    Event::StepProgress {
        step: ix,
        address: step.address.clone(),
        op: step.op.clone(),
        elapsed,
        waiting_for: context.waiting().get(&ix).cloned().unwrap_or_default(),
    }
}
