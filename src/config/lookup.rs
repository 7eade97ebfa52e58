//! What a `[data.TYPE.LABEL]` table asks of a cloud: [`Lookup`].
//!
//! Made by `resolve`, answered by `observe`. Two tables that ask the same have equal look-ups, and
//! one answer. Knows how a row is judged, not how it is fetched.

use std::sync::Arc;

use crate::inventory::LiveObject;
use crate::schema::{AttrIx, ResourceType, TypeIx};
use crate::value::Value;

/// "The objects of this type with these attributes."
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Lookup {
    /// Name of the provider configuration.
    pub provider: Arc<str>,
    pub ty: TypeIx,
    pub id: Option<Arc<str>>,
    /// By attribute, each once.
    pub filters: Vec<(AttrIx, Term)>,
}

/// A value that an attribute must have.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Term {
    Bool(bool),
    Int(i64),
    Text(Arc<str>),
    List(Vec<Term>),
}

impl Lookup {
    /// Whether a row is one of those meant. Compared exactly: a server may take `A` for `a`. What
    /// is an argument of the call is judged only where the row has it.
    pub fn admits(&self, ty: &ResourceType, row: &LiveObject) -> bool {
        let same_id = self.id.as_ref().is_none_or(|id| *id == row.id);
        same_id
            && self.filters.iter().all(|(ix, wanted)| {
                let found = row.attrs.get(usize::from(ix.0)).unwrap_or(&Value::Null);
                (ty.argument(*ix) && found.is_null())
                    || Term::of(found).is_some_and(|t| t == *wanted)
            })
    }

    /// What the table gives for an attribute.
    pub fn term(&self, ix: AttrIx) -> Option<&Term> {
        self.filters.iter().find(|(own, _)| *own == ix).map(|(_, term)| term)
    }
}

impl Term {
    /// A known value of a kind that can be compared; `None` for others, null among them.
    pub fn of(value: &Value) -> Option<Self> {
        match value {
            Value::Bool(b) => Some(Self::Bool(*b)),
            Value::Int(n) => Some(Self::Int(*n)),
            Value::Str(text) => Some(Self::Text(text.clone())),
            Value::List(items) => items.iter().map(Self::of).collect::<Option<_>>().map(Self::List),
            _ => None,
        }
    }

    pub fn value(&self) -> Value {
        match self {
            Self::Bool(b) => Value::Bool(*b),
            Self::Int(n) => Value::Int(*n),
            Self::Text(text) => Value::Str(text.clone()),
            Self::List(items) => Value::list(items.iter().map(Self::value).collect()),
        }
    }

    /// The texts in which a query writes it: one, or those of its elements.
    pub fn texts(&self) -> Vec<Arc<str>> {
        match self {
            Self::Bool(b) => vec![if *b { "true" } else { "false" }.into()],
            Self::Int(n) => vec![n.to_string().into()],
            Self::Text(text) => vec![text.clone()],
            Self::List(items) => items.iter().flat_map(Self::texts).collect(),
        }
    }
}
