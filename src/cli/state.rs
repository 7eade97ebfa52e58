//! `rackform state`: look at or change what is remembered. Nothing is sent to any cloud.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use wildmatch::WildMatch;

use crate::address::prefix::Prefix;
use crate::address::{Address, is_identifier};
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
    let wanted: Vec<Wanted<'_>> = patterns.iter().map(|text| Wanted::new(text)).collect();
    for (text, wanted) in patterns.iter().zip(&wanted) {
        if !all(&state).any(|address| wanted.is(address)) {
            return Err(nothing_there(text, &state).into());
        }
    }
    let shown = |address: &&Address| wanted.is_empty() || wanted.iter().any(|w| w.is(address));
    output.data(&render::state::list(state.entries.keys().filter(shown)));
    if state.entries.is_empty() && state.pending.is_empty() {
        output.say("The state is empty.");
    }
    // Not data for a pipe, but worth a message.
    let pending = render::state::list(state.pending.keys().filter(shown));
    if !pending.is_empty() {
        output.say(pending.trim_end());
    }
    Ok(Exit::Done)
}

/// What an argument of `state list` asks for.
enum Wanted<'a> {
    Pattern(WildMatch),
    /// All of a type, in any module.
    Type(&'a str),
    /// A module, a block or an instance with all that is in it.
    Under(Prefix),
    /// Anything else that addresses begin with, such as the attachments of an object.
    Start(&'a str),
}

impl<'a> Wanted<'a> {
    fn new(text: &'a str) -> Self {
        if text.contains(['*', '?']) {
            return Self::Pattern(WildMatch::new(text));
        }
        match Prefix::parse(text) {
            _ if is_identifier(text) => Self::Type(text),
            Ok(prefix) => Self::Under(prefix),
            Err(_) => Self::Start(text),
        }
    }

    fn is(&self, address: &Address) -> bool {
        match self {
            Self::Pattern(pattern) => pattern.matches(address.as_str()),
            Self::Type(name) => address.kind() == *name,
            Self::Under(prefix) => prefix.covers(address, true),
            Self::Start(text) => {
                let rest = address.as_str().strip_prefix(text);
                rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
            }
        }
    }
}

fn all(state: &State) -> impl Iterator<Item = &Address> {
    state.entries.keys().chain(state.pending.keys())
}

fn nothing_there(text: &str, state: &State) -> Diagnostic {
    let found =
        Diagnostic::error("unknown_address", format!("nothing in the state matches `{text}`"));
    let names: BTreeSet<String> = all(state)
        .flat_map(|a| [a.to_string(), a.block().to_string(), a.kind().to_owned()])
        .collect();
    match nearest(text, names.iter().map(String::as_str)) {
        Some(near) => found.help(format!("did you mean `{near}`?")),
        None => found.help("`rackform state list` shows what there is"),
    }
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
