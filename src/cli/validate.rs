//! `rackform validate`: the configuration alone, without a network and without secrets.

use std::path::Path;

use crate::cli::args::Validate;
use crate::cli::failure::{Exit, Failure};
use crate::cli::output::Output;
use crate::cli::session;
use crate::render::words;

pub fn run(dir: &Path, args: &Validate, output: &mut Output) -> Result<Exit, Failure> {
    output.json = args.json;
    let (judged, warnings, sources) = session::judge(dir, &args.vars)?;
    output.findings(&warnings, &sources);
    if !args.json {
        let links = words::many(judged.links, "attachment");
        let elements = match judged.elements {
            0 => String::new(),
            n => format!(", {}", words::many(n, "list element")),
        };
        output.data(&format!(
            "The configuration is valid: {}, {links}{elements}.\n",
            words::many(judged.resources, "resource")
        ));
    }
    Ok(Exit::Done)
}
