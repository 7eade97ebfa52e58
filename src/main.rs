//! The `rackform` binary: everything is in the library.

use std::process::ExitCode;
use std::thread;

fn main() -> ExitCode {
    // Expressions and tables within each other are followed by recursion; the first thread's stack
    // has whatever size the shell gave it. Of this one only the pages that are used cost memory.
    let roomy = thread::Builder::new().name("main".to_owned()).stack_size(rackform::cli::STACK);
    match roomy.spawn(rackform::cli::run).map(thread::JoinHandle::join) {
        Ok(Ok(code)) => code,
        // A bug, of which the panic has told: the code that a panic of the first thread has.
        Ok(Err(_)) => ExitCode::from(101),
        // So little address space is there under a strict `ulimit -v`.
        Err(_) => rackform::cli::run(),
    }
}
