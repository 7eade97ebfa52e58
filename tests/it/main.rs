//! Integration tests: one binary, one module per subject.

mod observe;
mod schemas;
mod store;
