//! Imports whose object was not found: what there is under their ids, if anything.
//!
//! In: a plan's inputs. Out: nothing, or findings. Costs requests only where something is missing.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use crate::cli::failure::Failure;
use crate::cli::session::Session;
use crate::diag::Diagnostic;
use crate::observe::lookup;
use crate::plan::{Inputs, import};
use crate::provider::{Connection, Fault};

/// Refuses imports of what is not there.
///
/// # Errors
/// An object is missing or of another type, or a query failed.
pub async fn check(
    session: &Session,
    connections: &HashMap<Arc<str>, Connection>,
    inputs: &Inputs<'_>,
) -> Result<(), Failure> {
    let missing = import::missing(inputs);
    if missing.is_empty() {
        return Ok(());
    }
    let mut kinds = BTreeMap::new();
    for (provider, connection) in connections {
        let of_it = missing.iter().filter(|(_, resource)| resource.provider == *provider);
        let ids: Vec<Arc<str>> = of_it.map(|(one, _)| one.id.clone()).collect();
        if inputs.live.is_some() && !ids.is_empty() {
            let found = kinds_of(session, connection, &ids).await;
            kinds.extend(found.map_err(|fault| unreadable(&fault))?);
        }
    }
    let findings = import::not_found(inputs, &missing, &kinds);
    Err(Failure::findings(findings, &session.sources))
}

/// The types of the objects that have these ids.
async fn kinds_of(
    session: &Session,
    connection: &Connection,
    ids: &[Arc<str>],
) -> Result<BTreeMap<Arc<str>, Arc<str>>, Fault> {
    let mut providers = session.desired.providers.iter();
    let kind = providers.find(|p| p.name == *connection.name()).map(|p| &p.kind);
    let mut kinds = BTreeMap::new();
    let types =
        session.schemas.types.iter().filter(|ty| {
            Some(&ty.provider) == kind && ty.part_of.is_none() && ty.read.send.is_none()
        });
    for ty in types {
        let found = lookup::reread(connection, ty, ids).await?;
        kinds.extend(found.into_iter().map(|row| (row.id, ty.name.clone())));
    }
    Ok(kinds)
}

/// A look-up for an import failed.
pub fn unreadable(fault: &Fault) -> Diagnostic {
    Diagnostic::error("import_failed", format!("the object could not be looked up: {fault}"))
        .help("nothing was changed; run it again when the server answers")
}
