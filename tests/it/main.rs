//! Integration tests: one binary, one module per subject.

mod config_errors;
mod schemas;
