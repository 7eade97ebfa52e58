//! `plan --server-check`: asks the servers what they would say to the plan, and shows it.

use crate::cli::args::{Format, Plan as Args};
use crate::cli::failure::Failure;
use crate::cli::output::{Output, line, now};
use crate::cli::planning::{Clouds, Planned};
use crate::cli::session::Session;
use crate::diag::Diagnostic;
use crate::observe;
use crate::plan::server_check::{self, Report};
use crate::render;
use crate::state::State;

/// Refuses what cannot be checked: the state alone does not say which objects are there.
pub fn usable(args: &Args) -> Result<(), Failure> {
    if args.server_check && !args.planning.refresh {
        let text = "--server-check needs to know which objects are there";
        return Err(Diagnostic::error("usage", text)
            .help("leave out --refresh=false, or --server-check")
            .into());
    }
    Ok(())
}

/// Asks the servers about every step that can be checked.
pub async fn run(
    session: &Session,
    state: &State,
    clouds: &Clouds,
    planned: &Planned,
    parallelism: u16,
) -> Report {
    let plan = &planned.plan;
    let (candidates, unchecked) =
        server_check::candidates(plan, state, &session.desired, &session.schemas);
    let mut report = Report { unchecked, ..Report::default() };
    let connections = &clouds.connections;
    let parallelism = usize::from(parallelism);
    observe::server_check::run(plan, candidates, connections, parallelism, &mut report).await;
    report
}

/// Shows the report below the plan. Where the plan is one JSON document, it goes to stderr.
pub fn show(report: &Report, planned: &Planned, args: &Args, output: &Output) {
    let plan = &planned.plan;
    if args.json {
        output.data(&line(render::json::server_check(&now(), report, plan)));
        return;
    }
    match args.format {
        Format::Human => output.data(&render::server_check::text(report, plan, &output.out)),
        Format::Markdown => output.data(&render::server_check::markdown(report, plan)),
        Format::Json => {
            output.say(render::server_check::text(report, plan, &output.err).trim());
        }
    }
}

/// What the server would refuse, as a failure of the command.
pub fn refusals(report: &Report, planned: &Planned, session: &Session) -> Result<(), Failure> {
    let findings = report.findings(&planned.plan);
    if findings.is_empty() { Ok(()) } else { Err(Failure::findings(findings, &session.sources)) }
}
