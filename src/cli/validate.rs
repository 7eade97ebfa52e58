//! `rackform validate`: the configuration alone, without a network and without secrets.

use std::path::Path;

use crate::cli::args::Validate;
use crate::cli::failure::{Exit, Failure};
use crate::cli::output::{Output, line, now};
use crate::cli::session;
use crate::render;

pub fn run(dir: &Path, args: &Validate, output: &mut Output) -> Result<Exit, Failure> {
    output.json = args.json;
    let (judged, warnings, sources) = session::judge(dir, &args.vars)?;
    output.findings(&warnings, &sources);
    output.data(&line(match args.json {
        true => render::json::validation(&now(), &judged, warnings.iter().count()),
        false => render::validation::sentence(&judged),
    }));
    Ok(Exit::Done)
}
