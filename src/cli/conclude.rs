//! Outputs, postconditions and checks after an apply.
//!
//! In: a session, and what is known of the objects. Out: what they come to. What that needs of this
//! machine or of a cloud is answered here.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::cli::failure::Failure;
use crate::cli::output::{Output, line, now};
use crate::cli::planning::Clouds;
use crate::cli::session::Session;
use crate::cli::{lookups, outlook, outside};
use crate::config::{Conclude, Conclusion, Need};
use crate::diag::Diagnostics;
use crate::plan::outlook::Outlook;
use crate::plan::outputs;
use crate::render;
use crate::state::{self, State};

/// How an apply ended.
#[derive(Clone, Copy)]
pub struct Ending {
    /// Everything was done.
    pub complete: bool,
    /// It was a `destroy`.
    pub destroyed: bool,
}

/// What is said and kept at the end of an apply.
pub struct Ended {
    pub outputs: BTreeMap<Arc<str>, state::Output>,
    pub findings: Diagnostics,
}

/// What is known at the end of an apply.
pub async fn ended((session, clouds): (&Session, &Clouds), state: &State, ending: Ending) -> Ended {
    if ending.destroyed {
        let outputs = if ending.complete { BTreeMap::new() } else { state.outputs.clone() };
        return Ended { outputs, findings: Diagnostics::default() };
    }
    if !Conclude::has_any(&session.config) {
        return Ended { outputs: BTreeMap::new(), findings: Diagnostics::default() };
    }
    match after((session, clouds), state, ending.complete).await {
        Ok(concluded) => {
            let mut findings = concluded.errors;
            findings.extend(concluded.warnings);
            Ended { outputs: outputs::kept(state, &concluded.outputs), findings }
        }
        Err(failure) => Ended { outputs: state.outputs.clone(), findings: failure.findings },
    }
}

async fn after(
    (session, clouds): (&Session, &Clouds),
    state: &State,
    complete: bool,
) -> Result<Conclusion, Failure> {
    let objects = Outlook::after(state);
    let mut facts = session.facts.clone();
    // What had no id while planning may have one now.
    facts.ids.retain(|_, id| id.is_some());
    loop {
        let mut concluded = outlook::all(session, &facts, &objects, complete);
        if concluded.needs.is_empty() {
            return Ok(concluded);
        }
        let needs = std::mem::take(&mut concluded.needs);
        if needs.iter().any(Need::of_cloud) {
            let asked = (&needs, &concluded.places);
            lookups::answer((session, clouds), state, asked, &mut facts).await?;
        }
        outside::answer(&session.dir, needs, &mut facts);
    }
}

/// Prints outputs.
pub fn show(outputs: &BTreeMap<Arc<str>, state::Output>, output: &Output) {
    if output.json {
        if let Some(text) = render::json::outputs(&now(), outputs) {
            output.data(&line(text));
        }
        return;
    }
    output.data(&render::outputs::titled(outputs, &output.out));
}
