//! `rackform plan`: shows what would change.

use std::path::Path;

use crate::cli::args::{Format, Plan};
use crate::cli::failure::{Exit, Failure};
use crate::cli::lookups;
use crate::cli::outlook;
use crate::cli::output::{Output, line, now};
use crate::cli::planning::{self, Clouds, Planned};
use crate::cli::server_check;
use crate::cli::session::Session;
use crate::cli::signals;
use crate::plan::server_check::Report;
use crate::render;
use crate::state::State;
use crate::state::moved::Previous;
use crate::store::LocalStore;

pub fn run(dir: &Path, args: &Plan, output: &mut Output) -> Result<Exit, Failure> {
    output.json = args.json;
    server_check::usable(args)?;
    let mut session = Session::open(dir, &args.planning.vars, output)?;
    output.findings(&session.warnings, &session.sources);
    let mut snapshot = LocalStore::open(dir).read()?;
    if let Some(holder) = &snapshot.running {
        output.say(&format!(
            "Note: the state is in use{}; this plan may be out of date.",
            holder.sentence()
        ));
    } else if !snapshot.unfinished.is_empty() {
        output.say(
            "Note: the last apply was cut off; the next one finds out what became of its calls.",
        );
    }
    signals::block_on(async {
        let signals = signals::listen()?;
        let clouds = Clouds::open(&session, &snapshot.state);
        let clouds = match signals::until_signal(clouds, &signals).await {
            Ok(clouds) => clouds?,
            Err(exit) => return Ok(exit),
        };
        let planned = async {
            lookups::complete(&mut session, &snapshot.state, &clouds, output).await?;
            let moved = planning::rename(&session, &mut snapshot, args.destroy)?;
            make(&session, &snapshot.state, &clouds, (args, &moved)).await
        };
        let planned = signals::until_signal(planned, &signals).await;
        clouds.close().await;
        let (planned, report) = match planned {
            Ok(planned) => planned?,
            Err(exit) => return Ok(exit),
        };
        show(&planned, &session, output, args);
        if let Some(report) = report {
            server_check::show(&report, &planned, args, output);
            server_check::refusals(&report, &planned, &session)?;
        }
        outlook::told(&planned.concluded, &session, output)?;
        let consent = planning::consent(&args.planning);
        let missing = planning::missing_refusals(&planned.plan, &snapshot, &session, &consent);
        if !missing.is_empty() {
            return Err(Failure::refused(planning::refused(&missing), &session.sources));
        }
        let over = planning::over_budget(&planned.plan, &snapshot.state, &session, &consent);
        output.findings(&over, &session.sources);
        let changes = !planned.plan.changes.is_empty() || planned.plan.changes_outputs();
        Ok(if args.detailed_exitcode && changes { Exit::Changes } else { Exit::Done })
    })
}

/// The plan, and what the server says to it if it is asked.
async fn make(
    session: &Session,
    state: &State,
    clouds: &Clouds,
    (args, moved): (&Plan, &Previous),
) -> Result<(Planned, Option<Report>), Failure> {
    let planned =
        planning::make(session, state, clouds, (&args.planning, args.destroy, moved)).await?;
    if !args.server_check {
        return Ok((planned, None));
    }
    let parallelism = args.planning.parallelism;
    let report = server_check::run(session, state, clouds, &planned, parallelism).await;
    Ok((planned, Some(report)))
}

fn show(planned: &Planned, session: &Session, output: &Output, args: &Plan) {
    let view = render::plan::View {
        plan: &planned.plan,
        sources: &session.sources,
        requests: Some(planned.requests),
        style: output.out,
    };
    if args.json {
        output.plan_stream(&planned.plan);
        return;
    }
    match args.format {
        Format::Human => output.data(&render::plan::text(&view)),
        Format::Markdown => output.data(&render::markdown::text(&view, usize::MAX)),
        Format::Json => {
            output.data(&line(render::plan_json::text(&planned.plan, Some(&now()))));
        }
    }
}
