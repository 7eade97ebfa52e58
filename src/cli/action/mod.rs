//! `rackform action`: one day-two call of live objects: check, count, ask, send, follow, show.
//!
//! `order` reads what is asked for, `objects` finds ids, `watch` shows progress and the end. The
//! state is locked meanwhile, so that no apply crosses it, and is not changed.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use crate::apply::Stop;
use crate::apply::action::{self as apply, Ended, Errand};
use crate::cli::apply::lock;
use crate::cli::args::{Action, ObjectName};
use crate::cli::confirm;
use crate::cli::failure::{Exit, Failure};
use crate::cli::output::{Output, line};
use crate::cli::planning::{self, Clouds};
use crate::cli::session::{Session, schemas};
use crate::cli::signals::{self, Caught};
use crate::diag::{Diagnostic, Diagnostics, Sources};
use crate::observe::casualties::{self, Question};
use crate::observe::lookup;
use crate::plan::guard::{Bounds, Consent, Refusal};
use crate::provider::{Connection, job_id};
use crate::schema::{self, Count, Schemas, Version};
use crate::store::random_hex;
use crate::value::Value;
use crate::wire::fill::fill;
use crate::wire::{Request, encode};

mod objects;
mod order;
mod watch;

use objects::{Holes, Object};
use order::Order;
use watch::Watch;

pub fn run(dir: &Path, args: &Action, output: &mut Output) -> Result<Exit, Failure> {
    output.json = args.json;
    if let Some(object) = &args.list {
        return list(&schemas()?, object, output);
    }
    let session = Session::open(dir, &args.vars, output)?;
    output.findings(&session.warnings, &session.sources);
    let order = Order::read(&session.schemas, args, dir)?;
    let mut guard = lock(dir, "action", args.lock_timeout, output)?;
    let state = guard.read()?.state;
    let (objects, provider) = objects::resolve(&session, &state, (&order, args))?;
    let holes = Holes::find(&session, &state, (&order, &objects))?;
    signals::block_on(async {
        let signals = signals::listen()?;
        let clouds = match signals::until_signal(Clouds::open(&session, &state), &signals).await {
            Ok(clouds) => clouds?,
            Err(exit) => return Ok(exit),
        };
        let result = match clouds.connections.get(&provider) {
            Some(connection) => {
                let (order, objects, holes, output) = (&order, &objects[..], &holes, &*output);
                let command = Command {
                    session: &session,
                    order,
                    objects,
                    holes,
                    connection,
                    args,
                    output,
                    signals,
                };
                command.run().await
            }
            None => {
                let text = format!("provider.{provider} is not configured");
                Err(Diagnostic::error("no_provider", text).into())
            }
        };
        clouds.close().await;
        result
    })
}

fn list(schemas: &Schemas, object: &ObjectName, output: &Output) -> Result<Exit, Failure> {
    let ty = order::type_of(schemas, object)?;
    if output.json {
        output.data(&line(schema::actions_json(ty).to_string()));
    } else if ty.actions.is_empty() {
        output.say(&format!("Type {} has no actions.", ty.name));
    } else {
        output.data(&schema::actions(ty));
    }
    Ok(Exit::Done)
}

struct Command<'a> {
    session: &'a Session,
    order: &'a Order<'a>,
    objects: &'a [Object],
    holes: &'a Holes<'a>,
    connection: &'a Connection,
    args: &'a Action,
    output: &'a Output,
    signals: (tokio::sync::watch::Receiver<Stop>, Caught),
}

/// What goes down with one object: label and number.
type Taken = Vec<(String, u64)>;

impl Command<'_> {
    async fn run(&self) -> Result<Exit, Failure> {
        let watch = Watch::new(self.output, self.order.action, self.objects, self.holes.secrets());
        if let Some(job) = &self.args.follow {
            let report = |progress| watch.progress(&progress);
            let work = apply::follow(self.connection, job, &report);
            return Ok(self.watched(work, &watch).await);
        }
        let request = match signals::until_signal(self.prepare(), &self.signals).await {
            Ok(request) => request?,
            Err(exit) => {
                self.output.say("\nInterrupted before anything was sent.");
                return Ok(exit);
            }
        };
        let job = job_id("action", &random_hex(16)?, 0, 0);
        let ids: Vec<Arc<str>> = self.objects.iter().map(|object| object.id.clone()).collect();
        let (ty, action) = (self.order.ty, self.order.action);
        let provider = self.session.schemas.providers.get(&ty.provider);
        let deadline = provider.map(|p| p.deadlines).unwrap_or_default().update;
        let errand = Errand { ty, action, ids: &ids, job: &job, deadline };
        watch.started(&job);
        let report = |progress| watch.progress(&progress);
        let work = apply::run(self.connection, &errand, &request, &report);
        Ok(self.watched(work, &watch).await)
    }

    /// Watches until the end or a signal: then the server goes on alone.
    async fn watched(&self, work: impl Future<Output = Ended>, watch: &Watch<'_>) -> Exit {
        match signals::until_signal(work, &self.signals).await {
            Ok(ended) => watch.ended(ended),
            Err(exit) => {
                watch.left();
                exit
            }
        }
    }

    /// The request to send, once everything is in order and approved.
    async fn prepare(&self) -> Result<Request, Failure> {
        self.check_version().await?;
        self.check_live().await?;
        self.approve().await?;
        let ends: Vec<_> = self.objects.iter().map(|object| object.end.clone()).collect();
        let on = order::on(&self.args.objects[0]);
        let mut params = self.order.params.clone();
        self.leave_out_newer(&mut params).await?;
        let template = encode::action(self.order.action, &ends, &params, &on);
        let request = fill(&template, self.holes);
        Ok(request.map_err(|error| Diagnostic::error("unfillable", error.to_string()))?)
    }

    /// A parameter that the server does not know yet would be ignored by it.
    async fn check_version(&self) -> Result<(), Failure> {
        let mut findings = Diagnostics::default();
        let given = self.order.action.params.iter().zip(&self.order.given);
        for (param, _) in given.filter(|(_, given)| **given) {
            if let Some(since) = &param.since
                && let Some(server) = self.older(since).await?
            {
                let name = &param.name;
                let text = format!(
                    "the parameter `{name}` needs server version {since} or later; the server runs {server}"
                );
                findings.push(Diagnostic::error("server_too_old", text).help("leave it out"));
            }
        }
        if findings.is_empty() {
            return Ok(());
        }
        Err(Failure::findings(findings, &Sources::default()))
    }

    /// Defaults of parameters that the server does not know yet are not sent.
    async fn leave_out_newer(&self, params: &mut [Value]) -> Result<(), Failure> {
        for (param, value) in self.order.action.params.iter().zip(params) {
            if let Some(since) = &param.since
                && !value.is_null()
                && self.older(since).await?.is_some()
            {
                *value = Value::Null;
            }
        }
        Ok(())
    }

    /// The server's version if it is older than this one. The server is asked once.
    async fn older(&self, since: &str) -> Result<Option<&str>, Failure> {
        let version = self.connection.version().await.map_err(|fault| {
            Diagnostic::error(
                "unknown_version",
                format!("cannot ask the server's version: {fault}"),
            )
            .help("nothing was sent; run it again when the server answers")
        })?;
        let parsed = version.and_then(Version::parse).zip(Version::parse(since));
        Ok(version.filter(|_| parsed.is_some_and(|(version, since)| version < since)))
    }

    /// The objects are there, and of this type: an id may be that of anything.
    async fn check_live(&self) -> Result<(), Failure> {
        let ids: Vec<Arc<str>> = self.objects.iter().map(|object| object.id.clone()).collect();
        let ty = self.order.ty;
        let live = lookup::reread(self.connection, ty, &ids).await.map_err(|fault| {
            Diagnostic::error(
                "not_looked_up",
                format!("the objects could not be looked up: {fault}"),
            )
            .help("nothing was sent; run it again when the server answers")
        })?;
        let live: BTreeSet<&Arc<str>> = live.iter().map(|live| &live.id).collect();
        let mut findings = Diagnostics::default();
        for object in self.objects.iter().filter(|object| !live.contains(&object.id)) {
            let text =
                format!("{}: there is no {} with the id {}", object.name, ty.name, object.id);
            let help = "it is gone, of another type, or not visible to this account; \
                        `rackform plan` shows what became of an object of the state";
            findings.push(Diagnostic::error("not_found", text).help(help));
        }
        if findings.is_empty() {
            return Ok(());
        }
        Err(Failure::findings(findings, &Sources::default()))
    }

    /// What it takes down is counted and shown; what no flag allows is asked for.
    async fn approve(&self) -> Result<(), Failure> {
        if !self.order.action.disrupts() {
            return Ok(());
        }
        let taken = self.count().await?;
        let refusals = self.refused(&taken);
        if refusals.is_empty() {
            return Ok(());
        }
        if self.args.auto_approve || !self.output.asks {
            return Err(refuse(&refusals));
        }
        for refusal in &refusals {
            self.output.say(&format!("! {}", refusal.text));
        }
        let before = total(&taken);
        let question = format!("This affects {before} objects. Type their number to go on.");
        if !confirm::typed(self.output, &question, &before.to_string()).await {
            let finding = Diagnostic::error("not_approved", "not approved: nothing was sent");
            return Err(finding.into());
        }
        // People think for a while.
        let taken = self.count().await?;
        if total(&taken) > before {
            return Err(refuse(&self.refused(&taken)));
        }
        Ok(())
    }

    async fn count(&self) -> Result<Vec<Taken>, Failure> {
        let cascade = &self.order.action.call.cascade;
        let queries = cascade.iter().filter_map(|casualty| match &casualty.count {
            Count::Query(target) => Some((&casualty.label, target)),
            Count::Part(_) => None,
        });
        let queries: Vec<_> = queries.collect();
        let asked = self.objects.iter().flat_map(|object| {
            queries.iter().map(|(_, target)| Question { target, id: object.id.clone(), to: None })
        });
        let asked: Vec<Question<'_>> = asked.collect();
        let counted = casualties::count(self.connection, &asked).await.map_err(|fault| {
            Diagnostic::error("uncounted", format!("cannot count what it takes down: {fault}"))
                .help("nothing was sent; run it again when the server answers")
        })?;
        let mut counted = counted.into_iter().map(|ids| ids.len() as u64);
        let of_one = |_: &Object| {
            let numbers = queries.iter().zip(counted.by_ref());
            numbers.map(|((label, _), n)| ((*label).clone(), n)).filter(|(_, n)| *n > 0).collect()
        };
        Ok(self.objects.iter().map(of_one).collect())
    }

    fn refused(&self, taken: &[Taken]) -> Vec<Refusal> {
        let consent = Consent { destroy: self.args.allow_destroy.clone(), ..Consent::default() };
        let mut bounds = Bounds::of(&consent);
        let mut refusals = Vec::new();
        for (object, taken) in self.objects.iter().zip(taken).filter(|(_, taken)| !taken.is_empty())
        {
            let total = taken.iter().map(|(_, n)| n).sum();
            if bounds.allow(&object.name, total) {
                continue;
            }
            let listed: Vec<String> =
                taken.iter().map(|(label, n)| format!("{label}: {n}")).collect();
            let (name, action) = (&object.name, &self.order.action.name);
            refusals.push(Refusal {
                text: format!("{name}: {action} affects what runs: {}", listed.join(", ")),
                flag: format!("--allow-destroy '{name}={total}'"),
                confirmable: true,
            });
        }
        refusals
    }
}

fn refuse(refusals: &[Refusal]) -> Failure {
    Failure::refused(planning::refused(refusals), &Sources::default())
}

fn total(taken: &[Taken]) -> u64 {
    taken.iter().flatten().map(|(_, n)| n).sum()
}
