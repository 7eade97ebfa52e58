//! Resource types as data: `schemas/<provider>/<type>.toml` → [`Schemas`].
//!
//! `model` holds the types, `parse` reads one file, `check` has the rules across files, and
//! `reference`/`json_schema` write what people and editors read. The files are compiled in
//! (`src/build.rs`), so that adding a type edits no Rust. Knows no resource by name.

pub mod model;

pub use model::*;
