//! What `[data.TYPE.LABEL]` tables ask, answered: ids of ours by the state, the rest by clouds.
//!
//! In: a session with open needs. Out: facts for the next evaluation.

use std::collections::{BTreeMap, BTreeSet};

use crate::cli::failure::Failure;
use crate::cli::output::Output;
use crate::cli::planning::Clouds;
use crate::cli::session::Session;
use crate::config::{Facts, Lookup, Need};
use crate::diag::{Diagnostic, Span};
use crate::observe::{ObserveError, data};
use crate::state::{State, moved};

/// Looks up what a session asks for, and shows the warnings that it had to keep back till then.
///
/// # Errors
/// A request failed, or what it brought shows a mistake in the configuration.
pub async fn complete(
    session: &mut Session,
    state: &State,
    clouds: &Clouds,
    output: &Output,
) -> Result<(), Failure> {
    if !session.is_open() {
        return Ok(());
    }
    let before = clouds.requests();
    while session.is_open() {
        let mut facts = std::mem::take(&mut session.facts);
        let asked = (&session.desired.needs, &session.desired.places);
        let answered = answer((session, clouds), state, asked, &mut facts).await;
        session.facts = facts;
        answered?;
        session.evaluate()?;
    }
    session.asked = clouds.requests() - before;
    output.findings(&session.warnings, &session.sources);
    Ok(())
}

/// What is to be answered, and the tables that it is for.
pub type Asked<'a> = (&'a BTreeSet<Need>, &'a BTreeMap<Lookup, Span>);

/// Answers every open need.
///
/// # Errors
/// A request failed; the finding stands at the first table of its type.
pub async fn answer(
    (session, clouds): (&Session, &Clouds),
    state: &State,
    (needs, places): Asked<'_>,
    facts: &mut Facts,
) -> Result<(), Failure> {
    let mut lookups: BTreeSet<Lookup> = BTreeSet::new();
    let moved = moved::arrivals(&session.desired, state);
    for need in needs {
        match need {
            // This machine has answered those.
            Need::Env(_) | Need::File(_) | Need::Files { .. } | Need::Command(_) => {}
            Need::Id(address) => {
                let before = moved.get(address).unwrap_or(address);
                let id = state.entries.get(before).map(|entry| entry.id.clone());
                facts.ids.insert(address.clone(), id);
            }
            Need::Data(lookup) => drop(lookups.insert(lookup.clone())),
        }
    }
    for connection in clouds.connections.values() {
        let found = data::look_up(connection, &session.schemas, &lookups).await;
        facts.data.extend(found.map_err(|error| failed(session, places, &error))?);
    }
    // What no connection answered would be asked for ever.
    match lookups.into_iter().find(|lookup| !facts.data.contains_key(lookup)) {
        None => Ok(()),
        Some(lookup) => {
            let text = format!("provider.{} is not configured", lookup.provider);
            Err(Diagnostic::error("no_provider", text).into())
        }
    }
}

fn failed(session: &Session, places: &BTreeMap<Lookup, Span>, error: &ObserveError) -> Failure {
    let of_type = |lookup: &&Lookup| {
        lookup.provider == error.provider && session.schemas.get(lookup.ty).name == error.kind
    };
    let place = places.iter().find(|(lookup, _)| of_type(lookup));
    let mut finding = Diagnostic::error("lookup_failed", error.to_string());
    if let Some((_, span)) = place {
        finding = finding.at(*span, "looked up here");
    }
    let again = "nothing was changed; run it again when the server answers";
    let help = error.fault.help.clone().unwrap_or_else(|| again.to_owned());
    Failure::findings(finding.help(help).into(), &session.sources)
}
