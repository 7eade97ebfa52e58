//! `rackform import ADDR ID`: a live object becomes ours, under an address that the configuration
//! has. Nothing is sent but queries; the next plan shows what differs.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use crate::cli::apply::lock;
use crate::cli::args::Import;
use crate::cli::failure::{Exit, Failure};
use crate::cli::identity;
use crate::cli::lookups;
use crate::cli::output::Output;
use crate::cli::planning::Clouds;
use crate::cli::session::Session;
use crate::cli::signals;
use crate::cli::state::settled;
use crate::config::DesiredResource;
use crate::diag::{Diagnostic, nearest};
use crate::inventory::LiveObject;
use crate::observe::lookup::{self, Reader};
use crate::observe::own;
use crate::plan::known::Known;
use crate::plan::{parents, record};
use crate::provider::Fault;
use crate::render;
use crate::state::secret::UNVERIFIED;
use crate::state::{Entry, State};

pub fn run(dir: &Path, args: &Import, output: &mut Output) -> Result<Exit, Failure> {
    let mut session = Session::open(dir, &args.vars, output)?;
    output.findings(&session.warnings, &session.sources);
    if !session.is_open() {
        declared(&session, args)?;
    }
    let mut guard = lock(dir, "import", args.lock_timeout, output)?;
    let mut state = settled(&mut guard)?;
    check_free(&state, args)?;
    signals::block_on(async {
        let clouds = Clouds::open(&session, &state).await?;
        let found = async {
            lookups::complete(&mut session, &state, &clouds, output).await?;
            find(&session, &clouds, declared(&session, args)?, &args.id).await
        };
        let found = found.await;
        let known = clouds.clouds.clone();
        clouds.close().await;
        let live = found?;
        let desired = declared(&session, args)?;
        identity::draw(&mut state)?;
        state.clouds.extend(known);
        state.secrets.seal = None;
        let mut entry = entry(&session, desired, &live, state.next_incarnation(&args.address));
        entry.dependencies = parents::of(desired, &Known::new(&state)).into_iter().collect();
        state.entries.insert(args.address.clone(), entry);
        guard.write(&mut state)?;
        let address = render::clean(&args.address);
        output.say(&format!(
            "Imported: {address} is {}. `rackform plan` shows what differs.",
            live.id
        ));
        Ok(Exit::Done)
    })
}

fn declared<'s>(session: &'s Session, args: &Import) -> Result<&'s DesiredResource, Failure> {
    session.desired.get(&args.address).ok_or_else(|| undeclared(session, args))
}

async fn find(
    session: &Session,
    clouds: &Clouds,
    desired: &DesiredResource,
    id: &str,
) -> Result<LiveObject, Failure> {
    let ty = session.schemas.get(desired.ty);
    let Some(connection) = clouds.connections.get(&desired.provider) else {
        let text = format!("provider {} is not configured", desired.provider);
        return Err(Diagnostic::error("no_provider", text).into());
    };
    let ids = [Arc::from(id)];
    let rows = lookup::reread(connection, ty, &ids).await.map_err(|fault| unreadable(&fault))?;
    let own = ty.own_reads(&desired.attrs);
    if let Some(row) = rows.first().filter(|_| !own.is_empty()) {
        let filled = own::fill_one(&Reader::new(connection, ty), row.clone(), &own).await;
        return Ok(filled.map_err(|fault| unreadable(&fault))?);
    }
    rows.into_iter().next().ok_or_else(|| {
        Diagnostic::error("not_found", format!("there is no {} with the id `{id}`", ty.name))
            .detail("An object of another type, or one that this account may not see, is not found either.")
            .help("an id has 32 hexadecimal digits; the console shows it with the object's details")
            .into()
    })
}

fn unreadable(fault: &Fault) -> Diagnostic {
    Diagnostic::error("import_failed", format!("the object could not be looked up: {fault}"))
        .help("nothing was changed; run it again when the server answers")
}

/// Its secrets are not known to be those of the configuration: nothing is sent for them until
/// they change.
fn entry(
    session: &Session,
    desired: &DesiredResource,
    live: &LiveObject,
    incarnation: u32,
) -> Entry {
    let ty = session.schemas.get(desired.ty);
    let secrets = ty
        .attrs()
        .zip(&desired.attrs)
        .filter(|((_, attr), value)| attr.unread() && !value.is_null());
    let digests: BTreeMap<Arc<str>, String> =
        secrets.map(|((_, attr), _)| (attr.name.clone(), UNVERIFIED.to_owned())).collect();
    Entry {
        kind: ty.name.clone(),
        provider: desired.provider.clone(),
        id: live.id.clone(),
        attrs: record::seen(ty, Some(&desired.attrs), &live.attrs),
        schema_version: ty.version,
        digests,
        incarnation,
        prevent_destroy: desired.lifecycle.prevent_destroy,
        ..Entry::default()
    }
}

fn check_free(state: &State, args: &Import) -> Result<(), Failure> {
    if let Some(entry) = state.entries.get(&args.address) {
        let text = format!("`{}` is already {}", args.address, entry.id);
        return Err(Diagnostic::error("taken", text)
            .help("forget that one first: rackform state rm")
            .into());
    }
    if state.pending.contains_key(&args.address) {
        let text = format!("a cut-off apply may have created `{}`", args.address);
        return Err(Diagnostic::error("pending", text)
            .help("run `rackform apply` first: it finds out what became of it")
            .into());
    }
    let own = |entry: &&Entry| *entry.id == *args.id;
    let holder = state.entries.iter().find(|(a, e)| a.member_of().is_none() && own(e));
    if let Some((address, _)) = holder {
        let text = format!("{} is already ours, as `{address}`", args.id);
        return Err(Diagnostic::error("already_ours", text)
            .help(format!("to rename it: rackform state mv '{address}' '{}'", args.address))
            .into());
    }
    Ok(())
}

fn undeclared(session: &Session, args: &Import) -> Failure {
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
