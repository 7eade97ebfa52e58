//! `rackform state`: look at or change what is remembered. Nothing is sent to any cloud.

use std::path::Path;
use std::time::Duration;

use wildmatch::WildMatch;

use crate::address::Address;
use crate::cli::apply::lock;
use crate::cli::args;
use crate::cli::failure::{Exit, Failure};
use crate::cli::output::{Output, line};
use crate::diag::{Diagnostic, nearest};
use crate::render;
use crate::state::State;
use crate::state::edit::{self, EditError};
use crate::store::LocalStore;

pub fn run(dir: &Path, args: &args::State, output: &mut Output) -> Result<Exit, Failure> {
    match args {
        args::State::List { patterns } => list(dir, patterns, output),
        args::State::Show { address, json } => show(dir, address, *json, output),
        args::State::Rm { addresses, lock_timeout } => {
            remove(dir, addresses, *lock_timeout, output)
        }
        args::State::Mv { from, to, lock_timeout } => {
            rename(dir, (from, to), *lock_timeout, output)
        }
    }
}

fn list(dir: &Path, patterns: &[String], output: &Output) -> Result<Exit, Failure> {
    if !dir.is_dir() {
        // Without this a slip in -C reads like an empty state.
        let text = format!("`{}` is not a directory", dir.display());
        let help = "-C names the directory with the configuration";
        return Err(Diagnostic::error("unreadable", text).help(help).into());
    }
    let state = LocalStore::open(dir).read()?.state;
    let patterns: Vec<WildMatch> = patterns.iter().map(|p| WildMatch::new(p)).collect();
    let wanted = |address: &Address| {
        patterns.is_empty() || patterns.iter().any(|p| p.matches(address.as_str()))
    };
    let mut text = String::new();
    for address in state.entries.keys().filter(|a| wanted(a)) {
        text.push_str(&render::clean(address).to_string());
        text.push('\n');
    }
    output.data(&text);
    if state.entries.is_empty() && state.pending.is_empty() {
        output.say("The state is empty.");
    }
    if !state.pending.is_empty() {
        output.say(render::state::list_pending(&state).trim_end());
    }
    Ok(Exit::Done)
}

fn show(dir: &Path, address: &Address, json: bool, output: &Output) -> Result<Exit, Failure> {
    let state = LocalStore::open(dir).read()?.state;
    let text = match (state.entries.get(address), state.pending.get(address)) {
        (Some(entry), _) if json => serde_json::to_string_pretty(entry)
            .map_err(|e| Diagnostic::error("unwritable", e.to_string()))?,
        (Some(entry), _) => render::state::show(address, entry, &output.out),
        (None, Some(pending)) => render::state::pending(address, pending, &output.out),
        (None, None) => return Err(refused(&EditError::Absent(address.clone()), &state, address)),
    };
    output.data(&line(text));
    Ok(Exit::Done)
}

fn remove(
    dir: &Path,
    addresses: &[Address],
    patience: Duration,
    output: &Output,
) -> Result<Exit, Failure> {
    let mut guard = lock(dir, "state rm", patience, output)?;
    let mut state = settled(&mut guard)?;
    let mut gone = Vec::new();
    for address in addresses {
        if gone.contains(address) {
            continue;
        }
        let removed = edit::remove(&mut state, address);
        gone.extend(removed.map_err(|error| refused(&error, &state, address))?);
    }
    guard.write(&mut state)?;
    for address in &gone {
        output.say(&format!("Forgotten: {}", render::clean(address)));
    }
    Ok(Exit::Done)
}

fn rename(
    dir: &Path,
    (from, to): (&Address, &Address),
    patience: Duration,
    output: &Output,
) -> Result<Exit, Failure> {
    let mut guard = lock(dir, "state mv", patience, output)?;
    let mut state = settled(&mut guard)?;
    let moved =
        edit::rename(&mut state, from, to).map_err(|error| refused(&error, &state, from))?;
    guard.write(&mut state)?;
    for (from, to) in &moved {
        output.say(&format!("Moved: {} is now {}", render::clean(from), render::clean(to)));
    }
    Ok(Exit::Done)
}

/// The state, if nothing of a cut-off apply is open: writing would forget its jobs.
pub fn settled(guard: &mut crate::store::Guard) -> Result<State, Failure> {
    let snapshot = guard.read()?;
    if snapshot.unfinished.is_empty() {
        return Ok(snapshot.state);
    }
    let count = snapshot.unfinished.len();
    Err(Diagnostic::error("unfinished", format!("{count} calls of a cut-off apply are still open"))
        .help("run `rackform apply` first: it finds out what became of them")
        .into())
}

fn refused(error: &EditError, state: &State, address: &Address) -> Failure {
    let near = nearest(address.as_str(), state.entries.keys().map(Address::as_str));
    let help = match (error, near) {
        (EditError::Absent(_), Some(near)) => format!("did you mean `{near}`?"),
        _ => error.help().to_owned(),
    };
    Diagnostic::error("state_edit", error.to_string()).help(help).into()
}
