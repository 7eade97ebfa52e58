//! The one task that owns the schedule of a run.
//!
//! In: a [`Run`]. Out: events as things happen, and the summary. Starts what the schedule says is
//! ready, tells it what has become effective or finished, and stops when asked. What a step does
//! is `step`'s business.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use tokio::sync::mpsc;
use tokio::time::Instant;

use crate::apply::failures;
use crate::apply::ids::Ids;
use crate::apply::settle;
use crate::apply::step::{self, Context, End};
use crate::apply::{Run, Stop};
use crate::event::{Event, Skip, Summary};
use crate::observe::lookup::Coalescer;
use crate::plan::schedule::{Because, Schedule};
use crate::plan::{Action, Op, Plan, Reason, StepIx};
use crate::state::State;
use crate::state::journal::Record;
use crate::store::StoreError;

/// How often a waiting step says that it still waits.
const PROGRESS: Duration = Duration::from_secs(10);

/// Carries out the plan on this state (the one that the run began with).
///
/// # Errors
/// The journal cannot be written; nothing was sent after that.
pub async fn run(run: &Run<'_>, state: &State) -> Result<Summary, StoreError> {
    let started = Instant::now();
    let requests = requests(run);
    tell(run, Event::Started { steps: run.plan.steps.len() }).await;
    let mut summary = Summary::default();
    let (effective, became_effective) = mpsc::unbounded_channel();
    let lookups = run
        .connections
        .iter()
        .map(|(name, connection)| (name.clone(), Coalescer::new(connection, run.schemas)));
    let context = Context {
        run,
        ids: Ids::new(state, run.desired, run.schemas),
        lookups: lookups.collect(),
        effective,
        waiting: std::sync::Mutex::default(),
    };
    for change in &run.plan.changes {
        if let (Some(id), false) = (&change.id, change.is_attachment()) {
            context.ids.set(&change.address, id.clone());
        }
    }
    let mut executor = Executor {
        context: &context,
        schedule: Schedule::new(run.plan, run.max_unavailable),
        outcomes: Outcomes::new(run.plan),
        running: HashMap::new(),
        in_flight: HashSet::new(),
        stopped: false,
    };
    let interrupted = executor.drive(became_effective).await;
    executor.outcomes.count(run.plan, &mut summary);
    summary.interrupted = interrupted;
    if !interrupted && summary.failed == 0 && summary.skipped == 0 {
        summary.unsettled = settle::settle(&context).await?;
    }
    summary.requests = self::requests(run) - requests;
    summary.elapsed = started.elapsed();
    tell(run, Event::Finished(summary.clone())).await;
    Ok(summary)
}

fn requests(run: &Run<'_>) -> u64 {
    run.connections.values().map(crate::provider::Connection::requests).sum()
}

/// A renderer that is gone (a closed pipe) stops no apply.
async fn tell(run: &Run<'_>, event: Event) {
    let _ = run.events.send(event).await;
}

struct Executor<'a> {
    context: &'a Context<'a>,
    schedule: Schedule<'a>,
    outcomes: Outcomes,
    running: HashMap<StepIx, Instant>,
    /// Running steps whose call has not ended. Only these count against the parallelism: reading
    /// an object back costs the server next to nothing, many at a time.
    in_flight: HashSet<StepIx>,
    stopped: bool,
}

impl Executor<'_> {
    /// Runs until nothing is left or the user wants it to end. Returns whether it was cut short.
    async fn drive(&mut self, mut effective: mpsc::UnboundedReceiver<StepIx>) -> bool {
        let context = self.context;
        let mut stop = context.run.stop.clone();
        let mut steps = FuturesUnordered::new();
        let mut tick = tokio::time::interval(PROGRESS);
        tick.tick().await;
        loop {
            while self.has_room() {
                let Some(ix) = self.schedule.ready() else { break };
                self.announce(ix).await;
                steps.push(async move { (ix, step::run(context, ix).await) });
            }
            if steps.is_empty() {
                return self.stopped;
            }
            tokio::select! {
                Some((ix, end)) = steps.next() => self.finish(ix, end).await,
                Some(ix) = effective.recv() => {
                    self.in_flight.remove(&ix);
                    self.schedule.effective(ix);
                }
                Ok(()) = stop.changed() => {
                    match *stop.borrow_and_update() {
                        Stop::No => {}
                        Stop::Drain => self.drain().await,
                        // Dropping the steps is safe at any point: their intents are durable.
                        Stop::Now => return true,
                    }
                }
                _ = tick.tick() => self.progress().await,
            }
        }
    }

    /// Whether another step may start. One at a time means strictly one after the other.
    fn has_room(&self) -> bool {
        match self.context.run.parallelism {
            1 => self.running.is_empty(),
            most => self.in_flight.len() < most,
        }
    }

    async fn announce(&mut self, ix: StepIx) {
        self.running.insert(ix, Instant::now());
        self.in_flight.insert(ix);
        let (step, action) = self.step(ix);
        let (address, op) = (step.address.clone(), step.op.clone());
        self.tell(Event::StepStarted { step: ix, address, action, op }).await;
    }

    async fn finish(&mut self, ix: StepIx, end: End) {
        let elapsed = self.running.remove(&ix).map(|at| at.elapsed()).unwrap_or_default();
        self.in_flight.remove(&ix);
        let (step, action) = self.step(ix);
        let (address, op, last) = (step.address.clone(), step.op.clone(), step.last);
        let succeeded = matches!(end, End::Done { .. });
        self.outcomes.set(ix, if succeeded { Outcome::Done } else { Outcome::Failed });
        self.tell(match end {
            End::Done { id } => {
                let id = id.map(|id| id.to_string());
                Event::StepDone { step: ix, address, action, op, id, elapsed, last }
            }
            End::Failed(failure) => {
                let ids = &self.context.ids;
                let failure = failures::named(failure, |id| ids.address_of(id));
                Event::StepFailed { step: ix, address, op, failure, elapsed }
            }
        })
        .await;
        let skipped = self.schedule.finished(ix, succeeded);
        self.skip(skipped).await;
    }

    async fn drain(&mut self) {
        if !self.stopped {
            self.stopped = true;
            let skipped = self.schedule.stop();
            self.tell(Event::Stopping { running: self.running.len() }).await;
            self.skip(skipped).await;
        }
    }

    async fn skip(&mut self, skipped: Vec<(StepIx, Because)>) {
        for (ix, because) in skipped {
            self.outcomes.set(ix, Outcome::Skipped);
            let (step, _) = self.step(ix);
            let (address, op) = (step.address.clone(), step.op.clone());
            if matches!(op, Op::Create | Op::Attach) && !self.unfinished(ix) {
                // It never left, so that nothing is pending. Losing this record costs a look-up.
                let (address, text) = (address.clone(), "not started".to_owned());
                let attempt = 0;
                self.context.run.ledger.queue(Record::Failed {
                    address,
                    step: ix.0,
                    attempt,
                    definite: true,
                    text,
                });
            }
            let because = match because {
                Because::Failed(address) => Skip::Failed(address),
                Because::Neighbourhood(scope) => Skip::Unavailable(scope.to_string()),
                Because::Stopped => Skip::Interrupted,
            };
            self.tell(Event::StepSkipped { step: ix, address, op, because }).await;
        }
    }

    /// Whether a call of an earlier apply may still be at work on it.
    fn unfinished(&self, ix: StepIx) -> bool {
        let plan = self.context.run.plan;
        let change = plan.steps[ix.0 as usize].change;
        plan.changes[change as usize].reason == Reason::Unfinished
    }

    async fn progress(&self) {
        let mut waiting: Vec<(StepIx, Duration)> =
            self.running.iter().map(|(ix, at)| (*ix, at.elapsed())).collect();
        waiting.retain(|(_, elapsed)| *elapsed >= PROGRESS);
        waiting.sort_unstable();
        for (ix, elapsed) in waiting {
            self.tell(step::progress(self.context, ix, elapsed)).await;
        }
    }

    fn step(&self, ix: StepIx) -> (&crate::plan::Step, Action) {
        let plan = self.context.run.plan;
        let step = &plan.steps[ix.0 as usize];
        (step, plan.changes[step.change as usize].action)
    }

    async fn tell(&self, event: Event) {
        tell(self.context.run, event).await;
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Outcome {
    /// Not started, or cut off while it ran.
    Open,
    Done,
    Failed,
    Skipped,
}

/// What became of every step.
struct Outcomes(Vec<Outcome>);

impl Outcomes {
    fn new(plan: &Plan) -> Self {
        Self(vec![Outcome::Open; plan.steps.len()])
    }
    fn set(&mut self, ix: StepIx, outcome: Outcome) {
        self.0[ix.0 as usize] = outcome;
    }
    /// Counts changes: one is done when all its steps are.
    fn count(&self, plan: &Plan, summary: &mut Summary) {
        let mut changes = vec![Outcome::Done; plan.changes.len()];
        for (step, outcome) in plan.steps.iter().zip(&self.0) {
            let change = &mut changes[step.change as usize];
            *change = match (*change, *outcome) {
                (Outcome::Failed, _) | (_, Outcome::Failed) => Outcome::Failed,
                (Outcome::Done, outcome) => outcome,
                (change, _) => change,
            };
        }
        for (change, outcome) in plan.changes.iter().zip(changes) {
            if change.importing && change.action != Action::Adopt {
                summary.adopted += 1;
            }
            match (outcome, change.action) {
                (Outcome::Done, Action::Create) => summary.created += 1,
                (Outcome::Done, Action::Update) => summary.updated += 1,
                (Outcome::Done, Action::Replace) => summary.replaced += 1,
                (Outcome::Done, Action::Delete) => summary.deleted += 1,
                // Done with the state that the run began with.
                (_, Action::Adopt) => summary.adopted += 1,
                (_, Action::Forget) => summary.forgotten += 1,
                (_, Action::Record) => {}
                (Outcome::Failed, _) => summary.failed += 1,
                (Outcome::Skipped | Outcome::Open, _) => summary.skipped += 1,
            }
        }
    }
}
