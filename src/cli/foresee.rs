//! What the servers would refuse of a finished plan, found out by reading. In: a plan. Out: nothing,
//! or why it cannot be carried out. Costs requests only where the plan takes away what somebody may
//! stand on.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use crate::cli::failure::Failure;
use crate::cli::session::Session;
use crate::diag::{Diagnostic, Diagnostics};
use crate::inventory::Inventory;
use crate::observe::inventory::{self, Wanted};
use crate::plan::{Inputs, Plan, luns};
use crate::provider::Connection;
use crate::schema::TypeIx;

/// Refuses a plan that takes LUNs away from under a storage.
pub async fn check(
    session: &Session,
    connections: &HashMap<Arc<str>, Connection>,
    inputs: &Inputs<'_>,
    plan: &Plan,
) -> Result<(), Failure> {
    let mut want: BTreeMap<Arc<str>, BTreeMap<TypeIx, Wanted>> = BTreeMap::new();
    for question in luns::questions(plan, inputs.schemas) {
        let whole = question.ids.is_none();
        let ids = question.ids.unwrap_or_default();
        let wanted = Wanted { ids, whole, ..Wanted::default() };
        want.entry(question.provider).or_default().insert(question.ty, wanted);
    }
    if want.is_empty() {
        return Ok(());
    }
    let mut live = Inventory::default();
    for (provider, want) in want {
        let Some(connection) = connections.get(&provider) else { continue };
        let found = inventory::refresh(connection, inputs.schemas, &want).await;
        let found = found.map_err(|error| {
            Diagnostic::error("refresh_failed", error.to_string())
                .help("nothing was changed; run it again when the server answers")
        })?;
        live.tables.extend(found.tables);
    }
    let mut findings = Diagnostics::default();
    luns::check(inputs, plan, &live, &mut findings);
    match findings.is_empty() {
        true => Ok(()),
        false => Err(Failure::findings(findings, &session.sources)),
    }
}
