//! The integration tests: one binary, one module per subject.

mod actions;
mod api_table;
mod architecture;
mod bad_days;
mod bad_input;
mod cli;
mod common;
mod config_errors;
mod conformance;
mod data;
mod examples;
mod foreseen;
mod fmt;
mod manual;
mod mutants;
mod observe;
mod own_reads;
mod properties;
mod readme;
mod recovery;
mod resources;
mod schemas;
mod secrets;
mod server_check;
mod store;
mod versions;
