//! The command line: the only place that prints, reads the environment and starts a runtime.
//!
//! `args` says what can be asked, `session` gathers what the commands share, and each command has
//! a file of its own whose body is the pipeline. Commands return an [`Exit`] or a [`Failure`].

use std::io::Write;
use std::process::ExitCode;

use clap::error::ErrorKind;
use clap::{CommandFactory, Parser};

mod action;
mod apply;
mod args;
mod ask;
mod command;
mod completions;
mod conclude;
mod confirm;
mod console;
mod emulate;
mod failure;
mod foresee;
mod fmt;
mod graph;
mod identity;
mod import;
mod imports;
mod lookups;
mod named;
mod output;
mod outlook;
mod outputs;
mod outside;
mod plan;
mod planning;
mod progress;
mod reading;
mod schema;
mod secrets;
mod server_check;
mod session;
mod signals;
mod state;
mod tips;
mod validate;
mod variables;
mod wanted;

use args::{Cli, Command};
pub use failure::{Exit, Failure};
use output::Output;

/// Stack in bytes that the deepest evaluation needs, with room to spare; `config::expr` limits how
/// deep that is, and a test holds both against each other.
pub const STACK: usize = 256 << 20;

/// Runs the command line of this process.
pub fn run() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return usage(error),
    };
    let mut output = Output::new(cli.color);
    output::trace(cli.verbose, &output.err);
    let result = match &cli.command {
        Command::Validate(args) => validate::run(&cli.dir, args, &mut output),
        Command::Plan(args) => plan::run(&cli.dir, args, &mut output),
        Command::Apply(args) => apply::run(&cli.dir, args, false, &mut output),
        Command::Destroy(args) => apply::run(&cli.dir, args, true, &mut output),
        Command::Import(args) => import::run(&cli.dir, args, &mut output),
        Command::State(args) => state::run(&cli.dir, args, &mut output),
        Command::Action(args) => action::run(&cli.dir, args, &mut output),
        Command::Output(args) => outputs::run(&cli.dir, args, &mut output),
        Command::Console(args) => console::run(&cli.dir, args, &mut output),
        Command::Graph(args) => graph::run(&cli.dir, args, &mut output),
        Command::Fmt(args) => fmt::run(&cli.dir, args, &mut output),
        Command::Schema(args) => schema::run(args, &mut output),
        Command::Emulate(args) => emulate::run(args, &mut output),
        Command::Completions(args) => completions::run(args, &mut output),
    };
    let exit = result.unwrap_or_else(|failure| {
        output.failure(&failure);
        failure.exit
    });
    ExitCode::from(exit.code())
}

/// Help and version go to stdout with 0; a usage error is an error like any other (1, not 2:
/// that means changes).
fn usage(error: clap::Error) -> ExitCode {
    let typed: Vec<String> =
        std::env::args_os().skip(1).map(|arg| arg.to_string_lossy().into_owned()).collect();
    let error = tips::with_tip(error, &Cli::command(), &typed);
    // A closed pipe while printing help is nobody's loss.
    let _ = match error.kind() {
        // Somebody who types the bare name wants to know what there is.
        ErrorKind::MissingSubcommand if typed.is_empty() => {
            write!(std::io::stderr(), "{}", Cli::command().render_help())
        }
        _ => error.print(),
    };
    ExitCode::from(u8::from(error.use_stderr()))
}
