//! One expression on its way to a value: what its parts share.
//!
//! In: a scope. Out: [`Evaluation`], which the files beside this one carry on: `eval` operators and
//! calls, `traverse` references, `collect` `for` expressions, `render` templates, `special` the
//! functions that need more than values.

use std::sync::Arc;

use super::{Fault, Scope};
use crate::value::Value;

/// One expression on its way to a value.
pub(super) struct Evaluation<'s> {
    pub scope: &'s mut dyn Scope,
    /// What `for` names, innermost last.
    pub bound: Vec<(Arc<str>, Value)>,
    /// The last environment variable that was asked for and is not set.
    pub unset: Option<Arc<str>>,
    /// Whether a secret was named.
    pub secret: bool,
    /// Whether nothing but `bound` may be named: in the template of a file.
    pub closed: bool,
}

impl<'s> Evaluation<'s> {
    pub fn new(scope: &'s mut dyn Scope) -> Self {
        Self { scope, bound: Vec::new(), unset: None, secret: false, closed: false }
    }

    /// What a `for` around here calls by this name.
    pub fn bound(&self, name: &str) -> Option<Value> {
        self.bound.iter().rev().find(|(n, _)| **n == *name).map(|(_, value)| value.clone())
    }
}

pub(super) fn secret_key() -> Fault {
    Fault::new("secret_key", "a secret cannot be a key")
        .label("keys stand in addresses and messages")
}

pub(super) fn bare(name: &str) -> Fault {
    let fault = Fault::new("unknown_name", format!("`{name}` alone is not a value"));
    fault.help(format!("text stands in quotes: \"{name}\"; references are TYPE.LABEL or var.NAME"))
}

pub(super) fn marked(result: Value, from: &[&Value]) -> Value {
    if from.iter().any(|v| v.is_sensitive()) { result.sensitive() } else { result }
}
