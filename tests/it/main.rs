//! The integration tests: one binary, one module per subject.

mod bad_days;
mod bad_input;
mod cli;
mod common;
mod config_errors;
mod conformance;
mod observe;
mod schemas;
mod store;
