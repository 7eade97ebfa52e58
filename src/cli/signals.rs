//! Signals and the runtime: built only by commands that talk to something.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use tokio::sync::watch;

use crate::apply::Stop;
use crate::cli::failure::{Exit, Failure};
use crate::diag::Diagnostic;

/// Runs a command that talks to something. A thread that still waits for somebody's answer does
/// not keep the process.
pub fn block_on(command: impl Future<Output = Result<Exit, Failure>>) -> Result<Exit, Failure> {
    let built = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime = built
        .map_err(|error| Diagnostic::error("runtime", format!("cannot start threads: {error}")))?;
    let result = runtime.block_on(command);
    runtime.shutdown_background();
    result
}

/// Work that changes nothing, ended at once by any signal: `Err` holds the exit code.
pub async fn until_signal<T>(
    work: impl Future<Output = T>,
    (stop, caught): &(watch::Receiver<Stop>, Caught),
) -> Result<T, Exit> {
    let mut stop = stop.clone();
    tokio::select! {
        biased;
        _ = stop.wait_for(|stop| *stop != Stop::No) => {
            Err(caught.exit().unwrap_or(Exit::Interrupted))
        }
        done = work => Ok(done),
    }
}

/// What arrived, for the exit code.
#[derive(Clone, Default)]
pub struct Caught(Arc<AtomicU8>);

impl Caught {
    pub fn exit(&self) -> Option<Exit> {
        match self.0.load(Ordering::Relaxed) {
            1 => Some(Exit::Interrupted),
            2 => Some(Exit::Terminated),
            3 => Some(Exit::HungUp),
            _ => None,
        }
    }
}

/// First Ctrl-C: drain. Second, SIGTERM or SIGHUP: stop at once. Needs a runtime.
pub fn listen() -> Result<(watch::Receiver<Stop>, Caught), Failure> {
    use tokio::signal::unix::{SignalKind, signal};
    let open = |kind| {
        signal(kind)
            .map_err(|e| Diagnostic::error("signals", format!("cannot listen for signals: {e}")))
    };
    let mut interrupt = open(SignalKind::interrupt())?;
    let mut terminate = open(SignalKind::terminate())?;
    let mut hang_up = open(SignalKind::hangup())?;
    let (sender, receiver) = watch::channel(Stop::No);
    let caught = Caught::default();
    let seen = caught.clone();
    tokio::spawn(async move {
        loop {
            let (code, stop) = tokio::select! {
                _ = interrupt.recv() => {
                    let again = *sender.borrow() != Stop::No;
                    (1, if again { Stop::Now } else { Stop::Drain })
                }
                _ = terminate.recv() => (2, Stop::Now),
                _ = hang_up.recv() => (3, Stop::Now),
            };
            seen.0.store(code, Ordering::Relaxed);
            if sender.send(stop).is_err() {
                return;
            }
        }
    });
    Ok((receiver, caught))
}
