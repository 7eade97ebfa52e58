//! The integration tests: one binary, one module per subject.

mod common;
mod config_errors;
mod conformance;
mod observe;
mod schemas;
mod store;
