//! `rackform import ADDR ID`: a live object becomes ours, under an address that the configuration
//! has. Nothing is sent but queries.
//!
//! It is planned as an `[[import]]` would be, by itself: what would change is shown, and what needs
//! no call is written down.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use crate::address::Address;
use crate::apply::without_calls;
use crate::cli::apply::lock;
use crate::cli::args;
use crate::cli::failure::{Exit, Failure};
use crate::cli::imports;
use crate::cli::lookups;
use crate::cli::output::Output;
use crate::cli::planning::{self, Clouds};
use crate::cli::session::Session;
use crate::cli::signals;
use crate::cli::state::settled;
use crate::cli::{identity, named};
use crate::config::{DesiredResource, Import};
use crate::diag::{Diagnostic, nearest};
use crate::plan::import::around;
use crate::plan::{self, Action, Change, Inputs, Options, Plan};
use crate::render;
use crate::state::State;
use crate::state::edit::belongs_to;
use crate::state::moved::{self, Previous};

pub fn run(dir: &Path, args: &args::Import, output: &mut Output) -> Result<Exit, Failure> {
    let mut session = Session::open(dir, &args.vars, output)?;
    output.findings(&session.warnings, &session.sources);
    if !session.is_open() {
        declared(&session, args)?;
    }
    let mut guard = lock(dir, "import", args.lock_timeout, output)?;
    let mut state = settled(&mut guard)?;
    signals::block_on(async {
        let clouds = Clouds::open(&session, &state).await?;
        let made = async {
            lookups::complete(&mut session, &state, &clouds, output).await?;
            let id = identify(&session, &state, &clouds, args).await?;
            Ok::<_, Failure>((
                id.clone(),
                preview(&mut session, &state, &clouds, (args, id)).await?,
            ))
        };
        let made = made.await;
        let known = clouds.clouds.clone();
        clouds.close().await;
        let (id, plan) = made?;
        let differs = show(&plan, &session, output);
        refuse(&plan, args, &session)?;
        identity::draw(&mut state)?;
        state.clouds.extend(known);
        state.secrets.seal = None;
        let mut state = without_calls(&adoption(plan), state);
        guard.write(&mut state)?;
        let address = render::clean(&args.address);
        let end = match differs {
            true => "`rackform apply` makes these changes.",
            false => "Nothing differs from its configuration.",
        };
        output.say(&format!("Imported: {address} is {id}. {end}"));
        Ok(Exit::Done)
    })
}

fn declared<'s>(session: &'s Session, args: &args::Import) -> Result<&'s DesiredResource, Failure> {
    if args.address.member_of().is_some() {
        let owner = args.address.owner();
        let text = format!("`{}` is imported with `{owner}`", args.address);
        return Err(Diagnostic::error("import_member", text)
            .help("import its resource: attachments and parts come along")
            .into());
    }
    session.desired.get(&args.address).ok_or_else(|| undeclared(session, args))
}

/// The id of the object that is meant, if nothing in the state is in the way.
async fn identify(
    session: &Session,
    state: &State,
    clouds: &Clouds,
    args: &args::Import,
) -> Result<Arc<str>, Failure> {
    let desired = declared(session, args)?;
    check_free(session, state, &args.address)?;
    let Some(connection) = clouds.connections.get(&desired.provider) else {
        let text = format!("provider {} is not configured", desired.provider);
        return Err(Diagnostic::error("no_provider", text).into());
    };
    if connection.is_id(&args.id) {
        return Ok(args.id.as_str().into());
    }
    named::find(connection, &session.schemas, desired, &args.id).await
}

fn check_free(session: &Session, state: &State, address: &Address) -> Result<(), Failure> {
    if let Some(entry) = state.entries.get(address) {
        let text = format!("`{address}` is already {}", entry.id);
        return Err(Diagnostic::error("taken", text)
            .help("forget that one first: rackform state rm")
            .into());
    }
    if state.pending.contains_key(address) {
        let text = format!("a cut-off apply may have created `{address}`");
        return Err(Diagnostic::error("pending", text)
            .help("run `rackform apply` first: it finds out what became of it")
            .into());
    }
    if let Some(from) = moved::arrivals(&session.desired, state).get(address) {
        let text = format!("a [[moved]] gives `{address}` to what is `{from}` now");
        return Err(Diagnostic::error("taken", text)
            .help("run `rackform apply` first, or remove that table")
            .into());
    }
    Ok(())
}

/// The plan of this object alone, with the import in it.
async fn preview(
    session: &mut Session,
    state: &State,
    clouds: &Clouds,
    (args, id): (&args::Import, Arc<str>),
) -> Result<Plan, Failure> {
    let (mut desired, mut near) = around(&session.desired, state, &args.address);
    desired.imports = vec![Import { to: args.address.clone(), id: id.clone(), place: None }];
    // Whose it is already is told by the whole state.
    let holds = |(address, entry): (&Address, &crate::state::Entry)| {
        address.member_of().is_none() && entry.id == id
    };
    let holder = state.entries.iter().find(|(a, e)| holds((a, e)));
    near.entries.extend(holder.map(|(address, entry)| (address.clone(), entry.clone())));
    session.desired = desired;
    let live = planning::refresh(session, &near, clouds).await?;
    let (rotated, moved) = (BTreeMap::new(), Previous::new());
    let options = Options { destroy: false, replace: BTreeSet::new(), preview: true };
    let inputs = Inputs {
        desired: &session.desired,
        state: &near,
        live: Some(&live),
        schemas: &session.schemas,
        rotated: &rotated,
        moved: &moved,
        options: &options,
    };
    imports::check(session, &clouds.connections, &inputs).await?;
    let plan =
        plan::plan(&inputs).map_err(|findings| Failure::findings(findings, &session.sources))?;
    let mut plan = Plan { steps: Vec::new(), settles: Vec::new(), gates: Vec::new(), ..plan };
    let about = |change: &Change| {
        let of = (&change.address, &*change.record.kind);
        change.address == args.address || belongs_to(of, &args.address)
    };
    plan.changes.retain(about);
    plan.notes.retain(|note| note.address.as_ref() == Some(&args.address));
    plan.drift.clear();
    plan.refreshed.clear();
    Ok(plan)
}

/// Shows what the next plan would change; whether there is anything.
fn show(plan: &Plan, session: &Session, output: &Output) -> bool {
    let changes = plan.changes.iter().filter(|change| change.action != Action::Adopt);
    let changes: Vec<Change> = changes.cloned().collect();
    if changes.is_empty() {
        return false;
    }
    let shown = Plan { changes, notes: plan.notes.clone(), ..Plan::default() };
    let view = render::plan::View {
        plan: &shown,
        sources: &session.sources,
        requests: None,
        style: output.out,
    };
    output.data(&render::plan::text(&view));
    true
}

fn refuse(plan: &Plan, args: &args::Import, session: &Session) -> Result<(), Failure> {
    let lost = |c: &&Change| matches!(c.action, Action::Replace | Action::Delete);
    let Some(change) = plan.changes.iter().find(lost).filter(|_| !args.allow_replace) else {
        return Ok(());
    };
    let word = if change.action == Action::Replace { "replace" } else { "destroy" };
    let text = format!("the next plan would {word} `{}`: nothing was imported", change.address);
    let finding = Diagnostic::error("refused", text).help(
        "make the configuration say what the object is; or, if that is what you want: --allow-replace",
    );
    Err(Failure::refused(finding.into(), &session.sources))
}

/// Only what enters the state; the rest is for an apply.
fn adoption(mut plan: Plan) -> Plan {
    plan.changes.retain(|change| change.action == Action::Adopt || change.importing);
    plan
}

fn undeclared(session: &Session, args: &args::Import) -> Failure {
    let names = session.desired.resources.iter().map(|r| r.address.as_str());
    let near = nearest(args.address.as_str(), names);
    let text = format!("the configuration has no `{}`", args.address);
    Diagnostic::error("unknown_address", text)
        .help(near.map_or_else(
            || "write its block first: an import gives a live object to an address".to_owned(),
            |near| format!("did you mean `{near}`?"),
        ))
        .into()
}
