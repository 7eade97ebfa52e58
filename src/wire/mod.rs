//! Requests as data, and rows from replies.
//!
//! `encode`: a call of a schema and attributes become a [`RequestTemplate`]. `decode`: JSON rows
//! become attribute rows, secrets dropped. Knows schemas and values; knows no client, session or
//! job, and never sends anything.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::address::Address;
pub use crate::schema::model::Method;

pub mod decode;
pub mod encode;
pub mod fill;
pub mod secrets;
pub mod shell;

/// A request with holes: what a plan says will be sent. JSON strings are lists of [`Part`]s, so
/// the executor only substitutes and sends.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RequestTemplate {
    pub method: Method,
    /// Path below the provider's base, one text per segment, each percent-encoded when filled.
    pub path: Vec<Text>,
    /// Query parameters, percent-encoded when filled.
    pub query: Vec<(String, Text)>,
    pub body: Option<Json>,
}

/// A text with holes.
pub type Text = Vec<Part>;

/// A piece of a text.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Part {
    Lit(Arc<str>),
    /// The id of an object: known when the step runs.
    Id(Address),
    /// The value of a sensitive attribute: kept in memory only, never in a plan.
    Secret(Address, Arc<str>),
}

/// JSON whose strings have holes. A text that is one [`Part::Secret`] becomes the secret's own
/// JSON kind.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Json {
    Null,
    Bool(bool),
    Int(i64),
    Float(f64),
    Text(Text),
    List(Vec<Json>),
    Map(Vec<(String, Json)>),
}

/// A request ready to be sent. May hold secrets: neither `Debug` nor `Serialize`.
#[derive(Clone, PartialEq)]
pub struct Request {
    pub method: Method,
    /// Encoded path and query, below the provider's base.
    pub path: String,
    pub body: Option<serde_json::Value>,
}

/// What fills the holes of a template.
pub trait Fill {
    /// The id of an object, once known.
    fn id(&self, address: &Address) -> Option<Arc<str>>;
    /// The value of a sensitive attribute.
    fn secret(&self, address: &Address, attr: &str) -> Option<Arc<str>>;
}

/// A hole that nothing fills: the object was not created, or the secret is not in the
/// configuration.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FillError {
    #[error("the id of {0} is not known")]
    Id(Address),
    #[error("the value of {0}.{1} is not in the configuration")]
    Secret(Address, Arc<str>),
    #[error("`{0}` cannot stand in a path: it would address something else")]
    Segment(String),
}
