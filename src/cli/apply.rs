//! `rackform apply` and `destroy`: plan, show, guard, ask, carry out.

use std::path::Path;
use std::time::Duration;

use tokio::sync::mpsc;

use crate::apply::{self, Ledger, Run};
use crate::cli::args::Apply;
use crate::cli::conclude::{self, Ending};
use crate::cli::failure::{Exit, Failure};
use crate::cli::output::{Output, now};
use crate::cli::planning::{self, Clouds, Planned};
use crate::cli::secrets::{self, Digests};
use crate::cli::session::Session;
use crate::cli::signals::{self, Caught};
use crate::cli::{confirm, identity, lookups, outlook, progress};
use crate::diag::Diagnostic;
use crate::event::{Event, Summary};
use crate::plan::Plan;
use crate::plan::guard::{self, Consent, Refusal};
use crate::render;
use crate::state::State;
use crate::state::journal::{Intent, Record};
use crate::store::{Guard, LocalStore, Snapshot, random_hex};

pub fn run(dir: &Path, args: &Apply, destroy: bool, output: &mut Output) -> Result<Exit, Failure> {
    output.json = args.json;
    let mut session = Session::open(dir, &args.planning.vars, output)?;
    output.findings(&session.warnings, &session.sources);
    if !args.auto_approve && !output.asks {
        return Err(cannot_ask(destroy).into());
    }
    let mut guard =
        lock(dir, if destroy { "destroy" } else { "apply" }, args.planning.lock_timeout, output)?;
    let snapshot = guard.read()?;
    signals::block_on(async {
        let signals = signals::listen()?;
        let clouds = Clouds::open(&session, &snapshot.state);
        let clouds = match signals::until_signal(clouds, &signals).await {
            Ok(clouds) => clouds?,
            Err(exit) => return Ok(exit),
        };
        let looked_up = lookups::complete(&mut session, &snapshot.state, &clouds, output);
        match signals::until_signal(looked_up, &signals).await {
            Ok(Ok(())) => {}
            Ok(Err(failure)) => {
                clouds.close().await;
                return Err(failure);
            }
            Err(exit) => {
                clouds.close().await;
                return Ok(exit);
            }
        }
        let command =
            Command { session: &session, clouds: &clouds, args, destroy, output, signals };
        let result = command.run(guard, snapshot).await;
        clouds.close().await;
        result
    })
}

/// Takes the lock, telling who holds it while waiting.
pub fn lock(
    dir: &Path,
    operation: &str,
    patience: Duration,
    output: &Output,
) -> Result<Guard, Failure> {
    let mut told = false;
    let guard =
        LocalStore::open(dir).lock(&identity::claim(operation), patience, &mut |holder| {
            if !told {
                told = true;
                output.say(&format!("Waiting for the state, held{}…", holder.sentence()));
            }
        })?;
    Ok(guard)
}

fn cannot_ask(destroy: bool) -> Diagnostic {
    let (command, preview) =
        if destroy { ("destroy", "plan --destroy") } else { ("apply", "plan") };
    Diagnostic::error(
        "cannot_ask",
        format!("`{command}` asks before it changes anything, and there is no terminal to ask on"),
    )
    .help(format!("review `rackform {preview}`, then run: rackform {command} --auto-approve"))
}

struct Command<'a> {
    session: &'a Session,
    clouds: &'a Clouds,
    args: &'a Apply,
    destroy: bool,
    output: &'a Output,
    signals: (tokio::sync::watch::Receiver<apply::Stop>, Caught),
}

impl Command<'_> {
    async fn run(&self, guard: Guard, mut snapshot: Snapshot) -> Result<Exit, Failure> {
        match signals::until_signal(self.prepare(&mut snapshot), &self.signals).await {
            Ok(Ok(Some(plan))) => self.carry_out(guard, snapshot.state, &plan).await,
            Ok(Ok(None)) => Ok(Exit::Done),
            Ok(Err(failure)) => Err(failure),
            Err(exit) => {
                self.output.say("\nInterrupted before anything was changed.");
                Ok(exit)
            }
        }
    }

    /// The plan to carry out, shown, weighed and approved; `None` when there is nothing to do. The
    /// state in the snapshot gets the addresses that the configuration says.
    async fn prepare(&self, snapshot: &mut Snapshot) -> Result<Option<Plan>, Failure> {
        self.recover(snapshot).await;
        let moved = planning::rename(self.session, snapshot, self.destroy)?;
        let planning = (&self.args.planning, self.destroy, &moved);
        let planned = planning::make(self.session, &snapshot.state, self.clouds, planning).await;
        let mut planned = planned.map_err(Failure::by_guard)?;
        self.show(&planned);
        outlook::told(&planned.concluded, self.session, self.output)?;
        let cut_off = snapshot.unfolded.is_some();
        let plan = &planned.plan;
        let same = plan.changes.is_empty() && plan.refreshed.is_empty();
        if same && !plan.changes_outputs() && !cut_off {
            conclude::show(&snapshot.state.outputs, self.output);
            return Ok(None);
        }
        let consent = planning::consent(&self.args.planning);
        self.guard(&planned.plan, snapshot, &consent)?;
        if !self.approve(&mut planned, &consent).await? {
            return Err(
                Diagnostic::error("not_approved", "not approved: nothing was changed").into()
            );
        }
        Ok(Some(planned.plan))
    }

    /// Follows the jobs of a cut-off apply to their end, so that the plan sees what they did. Not
    /// for longer than a step of this apply would wait for them, nor past a Ctrl-C: a job that the
    /// server has lost in a restart is in processing for ever. What one that ends later makes is
    /// found by the id that was written down.
    async fn recover(&self, snapshot: &Snapshot) {
        if snapshot.unfinished.is_empty() {
            return;
        }
        self.event(&Event::Recovering { intents: snapshot.unfinished.len() });
        let calls = snapshot.unfinished.iter().map(|intent| (intent, self.patience(intent)));
        let calls: Vec<_> = calls.collect();
        let mut stop = self.signals.0.clone();
        let left = tokio::select! {
            left = apply::recover::settle(&calls, &self.clouds.connections) => left,
            _ = stop.changed() => return,
        };
        for intent in left {
            let (address, job) = (&intent.address, &intent.job);
            self.output.say(&format!(
                "The call of the last apply for {address} has not ended (job {job}): what it has \
                 done so far is compared with the configuration like everything else."
            ));
        }
    }

    /// What is left of the time that a step at this address may take.
    fn patience(&self, intent: &Intent) -> Duration {
        let session = self.session;
        let own = session.desired.get(&intent.address.owner());
        let timeouts = own.map(|desired| &desired.lifecycle.timeouts);
        let longest = timeouts.and_then(|t| t.values().max()).map(|s| Duration::from_secs(*s));
        let longest = longest.unwrap_or_else(|| {
            let kind = self.clouds.clouds.get(&intent.provider).map(|cloud| &cloud.kind);
            let provider = kind.and_then(|kind| session.schemas.providers.get(kind));
            let deadlines = provider.map(|p| p.deadlines).unwrap_or_default();
            deadlines.create.max(deadlines.delete)
        });
        let since = apply::unix_now().saturating_sub(intent.sent);
        longest.saturating_sub(Duration::from_secs(since)).max(LAST_LOOK)
    }

    fn guard(&self, plan: &Plan, snapshot: &Snapshot, consent: &Consent) -> Result<(), Failure> {
        let mut refusals = planning::hard_refusals(plan, snapshot, self.session, consent);
        let casualties = guard::casualties_refused(plan, consent);
        if self.args.auto_approve {
            refusals.extend(casualties);
        }
        self.refuse(&refusals)
    }

    fn refuse(&self, refusals: &[Refusal]) -> Result<(), Failure> {
        if refusals.is_empty() {
            return Ok(());
        }
        Err(Failure::refused(planning::refused(refusals), &self.session.sources))
    }

    /// Asks; with casualties that no flag allows, for their number. They are counted again after
    /// the answer: people think for a while.
    async fn approve(&self, planned: &mut Planned, consent: &Consent) -> Result<bool, Failure> {
        if self.args.auto_approve || planned.plan.changes.is_empty() {
            return Ok(true);
        }
        let casualties = guard::casualties_refused(&planned.plan, consent);
        let approved = if casualties.is_empty() {
            let what = if self.destroy { "Destroy all of this?" } else { "Do this?" };
            confirm::typed(self.output, what, "yes").await
        } else {
            let total = total(&planned.plan);
            for refusal in &casualties {
                self.output.say(&format!("! {}", refusal.text));
            }
            let question = format!(
                "This also takes down {total} objects that are not in the plan. Type their number to go on."
            );
            confirm::typed(self.output, &question, &total.to_string()).await
        };
        if !approved {
            return Ok(false);
        }
        let before = total(&planned.plan);
        planning::weigh(self.session, self.clouds, &mut planned.plan).await?;
        if total(&planned.plan) > before {
            self.refuse(&guard::casualties_refused(&planned.plan, consent))?;
        }
        Ok(true)
    }

    async fn carry_out(&self, guard: Guard, state: State, plan: &Plan) -> Result<Exit, Failure> {
        let run_id = random_hex(16)?;
        let (state, digests, seal) = self.begin_with(state, plan)?;
        let salt = state.secrets.salt.clone();
        let recording = guard.begin(state.clone(), run_id.clone(), now())?;
        let ledger = Ledger::new(recording.writer(), &state, &run_id);
        let (events, received) = mpsc::channel(EVENTS);
        let run = Run {
            plan,
            desired: &self.session.desired,
            schemas: &self.session.schemas,
            connections: &self.clouds.connections,
            ledger: &ledger,
            digests: &digests,
            parallelism: usize::from(self.args.planning.parallelism),
            max_unavailable: self.session.desired.settings.max_unavailable,
            events,
            stop: self.signals.0.clone(),
        };
        let shown = progress::show(received, self.output);
        let applied = async {
            let summary = apply::run(&run, &state).await;
            drop(run);
            summary
        };
        let (summary, ()) = tokio::join!(applied, shown);
        if confirmed(&digests, &ledger) {
            ledger.queue(Record::Seal { salt, seal });
        } else {
            ledger.queue(Record::Seal { salt, seal: None });
        }
        let stopped = tokio::task::spawn_blocking(move || recording.stop()).await;
        let summary = summary?;
        let mut recorded = stopped.map_err(|e| unwritten(&e))??;
        let exit = self.exit(&summary);
        let ended =
            conclude::ended((self.session, self.clouds), recorded.state(), self.ending(exit)).await;
        let outputs = ended.outputs.clone();
        recorded.set_outputs(outputs);
        let finished = tokio::task::spawn_blocking(move || recorded.write()).await;
        finished.map_err(|e| unwritten(&e))??;
        self.output.findings(&ended.findings, &self.session.sources);
        conclude::show(&ended.outputs, self.output);
        Ok(if ended.findings.has_errors() && exit == Exit::Done { Exit::Error } else { exit })
    }

    fn ending(&self, exit: Exit) -> Ending {
        Ending { complete: exit == Exit::Done, destroyed: self.destroy }
    }

    /// The state that the run begins with: lineage and salt drawn, pending objects named.
    fn begin_with(
        &self,
        mut state: State,
        plan: &Plan,
    ) -> Result<(State, Digests, Option<String>), Failure> {
        identity::draw(&mut state)?;
        state.clouds.extend(self.clouds.clouds.clone());
        let session = self.session;
        let (digests, seal) =
            secrets::digests(&session.desired, &session.schemas, &state.secrets.salt)?;
        secrets::settle_moved((&session.desired, &session.schemas), &digests, &mut state)?;
        let state = apply::beginning(plan, &session.schemas, &digests, state);
        Ok((state, digests, seal))
    }

    fn exit(&self, summary: &Summary) -> Exit {
        if let (true, Some(exit)) = (summary.interrupted, self.signals.1.exit()) {
            return exit;
        }
        if summary.failed + summary.skipped + summary.unsettled > 0 {
            Exit::Error
        } else {
            Exit::Done
        }
    }

    fn show(&self, planned: &Planned) {
        if self.args.json {
            self.output.plan_stream(&planned.plan);
            return;
        }
        let view = render::plan::View {
            plan: &planned.plan,
            sources: &self.session.sources,
            requests: Some(planned.requests),
            style: self.output.out,
        };
        self.output.data(&render::plan::text(&view));
    }

    fn event(&self, event: &Event) {
        progress::one(event, self.output);
    }
}

/// Events that may wait for a slow terminal before the apply waits for it.
const EVENTS: usize = 4096;

/// For a job whose time is over: enough to be told that it has ended.
const LAST_LOOK: Duration = Duration::from_secs(2);

fn total(plan: &Plan) -> u64 {
    plan.changes.iter().flat_map(|c| &c.casualties).map(|(_, n)| n).sum()
}

/// Whether the state has the current digest of every secret of the configuration.
fn confirmed(digests: &Digests, ledger: &Ledger) -> bool {
    digests.iter().all(|(address, wanted)| {
        let known = ledger.digests(address);
        wanted.iter().all(|(attr, digest)| known.get(attr) == Some(digest))
    })
}

fn unwritten(error: &tokio::task::JoinError) -> Diagnostic {
    Diagnostic::error("finish", format!("the state could not be written: {error}"))
}
