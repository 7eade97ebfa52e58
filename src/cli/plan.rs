//! `rackform plan`: shows what would change.

use std::path::Path;

use crate::cli::args::{Format, Plan};
use crate::cli::failure::{Exit, Failure};
use crate::cli::lookups;
use crate::cli::output::{Output, line, now};
use crate::cli::planning::{self, Clouds};
use crate::cli::session::Session;
use crate::cli::signals;
use crate::render;
use crate::store::LocalStore;

pub fn run(dir: &Path, args: &Plan, output: &mut Output) -> Result<Exit, Failure> {
    output.json = args.json;
    let mut session = Session::open(dir, &args.planning.vars)?;
    output.findings(&session.warnings, &session.sources);
    let snapshot = LocalStore::open(dir).read()?;
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
        let planning = (&args.planning, args.destroy);
        let planned = async {
            lookups::complete(&mut session, &snapshot.state, &clouds, output).await?;
            planning::make(&session, &snapshot.state, &clouds, planning).await
        };
        let planned = signals::until_signal(planned, &signals).await;
        clouds.close().await;
        let planned = match planned {
            Ok(planned) => planned?,
            Err(exit) => return Ok(exit),
        };
        show(&planned, &session, output, args);
        let consent = planning::consent(&args.planning);
        let missing = planning::missing_refusals(&planned.plan, &snapshot, &session, &consent);
        if !missing.is_empty() {
            return Err(Failure::refused(planning::refused(&missing), &session.sources));
        }
        let changes = !planned.plan.changes.is_empty();
        Ok(if args.detailed_exitcode && changes { Exit::Changes } else { Exit::Done })
    })
}

fn show(planned: &planning::Planned, session: &Session, output: &Output, args: &Plan) {
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
