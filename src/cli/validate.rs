//! `rackform validate`: the configuration alone, without a network.

use std::path::Path;

use crate::cli::args::Validate;
use crate::cli::failure::{Exit, Failure};
use crate::cli::output::Output;
use crate::cli::session::Session;
use crate::render::words;

pub fn run(dir: &Path, args: &Validate, output: &mut Output) -> Result<Exit, Failure> {
    output.json = args.json;
    let session = Session::open(dir, &args.vars)?;
    output.findings(&session.warnings, &session.sources);
    if !args.json {
        let (resources, links) = (session.desired.resources.len(), session.desired.links.len());
        let links = words::many(links, "attachment");
        output.data(&format!(
            "The configuration is valid: {}, {links}.\n",
            words::many(resources, "resource")
        ));
    }
    Ok(Exit::Done)
}
