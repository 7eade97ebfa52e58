//! The `rackform` binary: everything is in the library.

fn main() -> std::process::ExitCode {
    rackform::cli::run()
}
