//! The integration tests: one binary, one module per subject.

mod common;
mod config_errors;
mod conformance;
mod resources;
mod schemas;
mod store;
