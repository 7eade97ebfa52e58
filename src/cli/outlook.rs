//! Outputs, postconditions and checks of a plan, as far as they are known.
//!
//! In: a session, a state and a plan. Out: what they come to. Asks this machine, and no cloud.

use crate::cli::failure::Failure;
use crate::cli::output::Output;
use crate::cli::outside;
use crate::cli::session::Session;
use crate::config::{Conclude, Conclusion, Facts, Objects};
use crate::plan::Plan;
use crate::plan::outlook::Outlook;
use crate::state::State;

/// Concludes everything, with what is known of the objects.
pub fn all(session: &Session, facts: &Facts, objects: &dyn Objects, complete: bool) -> Conclusion {
    let Session { config, schemas, sources, .. } = session;
    Conclude { config, schemas, facts, sources, objects, complete }.all()
}

/// What is known while planning. What only a cloud can answer is not.
pub fn planned(session: &Session, state: &State, plan: &Plan) -> Conclusion {
    if !Conclude::has_any(&session.config) {
        return Conclusion::default();
    }
    let objects = Outlook::planned(state, plan);
    let mut facts = session.facts.clone();
    loop {
        let concluded = all(session, &facts, &objects, false);
        let mut needs = concluded.needs.clone();
        needs.retain(|need| !need.of_cloud());
        if needs.is_empty() {
            return concluded;
        }
        outside::answer(&session.dir, needs, &mut facts);
    }
}

/// Tells what was found while planning.
///
/// # Errors
/// Postconditions of objects that do not change, and preconditions of outputs that do not hold.
pub fn told(concluded: &Conclusion, session: &Session, output: &Output) -> Result<(), Failure> {
    output.findings(&concluded.warnings, &session.sources);
    if concluded.errors.has_errors() {
        return Err(Failure::findings(concluded.errors.clone(), &session.sources));
    }
    Ok(())
}
