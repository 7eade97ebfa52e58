//! The integration tests: one binary, one module per subject.

mod architecture;
mod common;
mod config_errors;
mod conformance;
mod examples;
mod observe;
mod properties;
mod readme;
mod recovery;
mod resources;
mod schemas;
mod store;
