//! `rackform emulate`: the server on its own, until Ctrl-C.

use crate::cli::args::{Emulate, ServerVersion};
use crate::cli::failure::{Exit, Failure};
use crate::cli::output::Output;
use crate::cli::signals;
use crate::diag::Diagnostic;
use crate::emulator::{self, EmulatorError, FaultRule, Options};

pub fn run(args: &Emulate, output: &mut Output) -> Result<Exit, Failure> {
    let options = options(args)?;
    signals::block_on(async {
        let (mut stop, caught) = signals::listen()?;
        let running = emulator::start(options).await.map_err(|error| {
            let text = error.to_string();
            match error {
                EmulatorError::Listen { .. } => Diagnostic::error("emulator", text)
                    .help("another --listen ADDR, or port 0 for a free one"),
                EmulatorError::Seed(_) => Diagnostic::error("bad_seed", text)
                    .help("the README shows seeds in its section on the emulator"),
                _ => Diagnostic::error("emulator", text),
            }
        })?;
        // A line of its own on stdout, so that scripts can read the port.
        output.data(&format!("{}\n", running.url()));
        if args.seed.is_some() && !running.planted() {
            output.say(
                "Note: of --seed only devices were taken, because --data has objects already.",
            );
        }
        output.say("Emulating ZStack: account admin, password `password`. Ctrl-C ends it.");
        let _ = stop.changed().await;
        running.stop().await;
        match caught.exit() {
            Some(Exit::Interrupted) | None => Ok(Exit::Done),
            Some(exit) => Ok(exit),
        }
    })
}

fn options(args: &Emulate) -> Result<Options, Failure> {
    let mut faults = Vec::new();
    for rule in &args.fail {
        faults.push(
            rule.parse::<FaultRule>().map_err(|error| {
                Diagnostic::error("bad_rule", format!("--fail {rule}: {error}"))
            })?,
        );
    }
    let seed = match &args.seed {
        None => None,
        Some(path) => {
            let unusable = |why: String| {
                Diagnostic::error("bad_seed", format!("--seed {}: {why}", path.display()))
            };
            let text = std::fs::read_to_string(path).map_err(|e| unusable(e.to_string()))?;
            Some(emulator::read_seed(path, &text).map_err(unusable)?)
        }
    };
    Ok(Options {
        listen: args.listen,
        data: args.data.clone(),
        seed,
        latency: args.latency,
        job_latency: args.job_latency,
        faults,
        version: match args.server_version {
            ServerVersion::V3_0 => emulator::ServerVersion::V3_0,
            ServerVersion::V5_2 => emulator::ServerVersion::V5_2,
        },
    })
}
