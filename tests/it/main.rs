//! The integration tests: one binary, one module per subject.

mod common;
mod config_errors;
mod conformance;
mod mutants;
mod observe;
mod properties;
mod recovery;
mod schemas;
mod secrets;
mod store;
