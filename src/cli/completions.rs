//! `rackform completions`: scripts for shells.

use clap::CommandFactory;

use crate::cli::args::{Cli, Completions};
use crate::cli::failure::{Exit, Failure};
use crate::cli::output::Output;

#[allow(clippy::unnecessary_wraps)] // every command has this shape
pub fn run(args: &Completions, output: &mut Output) -> Result<Exit, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "rackform", &mut script);
    output.data(&String::from_utf8_lossy(&script));
    Ok(Exit::Done)
}
