//! Where the parts of a literal value stand.
//!
//! In: a written value. Out: the value without places, and its places as a tree beside it, so that a
//! mistake deep inside points at the exact characters.

use std::sync::Arc;

use crate::config::constraint::Step;
use crate::config::syntax::{Entry, Literal, Node};
use crate::diag::Span;
use crate::value::Value;

/// Places of a value and of what is in it.
#[derive(Clone, Debug, PartialEq)]
pub struct Places {
    pub span: Span,
    pub inside: Inside,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Inside {
    Nothing,
    List(Vec<Places>),
    /// Names with their places, and the places of the values.
    Map(Vec<(Arc<str>, Span, Places)>),
}

impl Places {
    /// The places of a written value.
    pub fn of(node: &Node) -> Self {
        let inside = match &node.value {
            Literal::List(items) => Inside::List(items.iter().map(Self::of).collect()),
            Literal::Table(entries) => {
                let of = |e: &Entry| (e.key.text.clone(), e.key.span, Self::of(&e.value));
                Inside::Map(entries.iter().map(of).collect())
            }
            _ => Inside::Nothing,
        };
        Self { span: node.span, inside }
    }

    /// The place of a part; where it is not known, of the nearest thing around it.
    pub fn find(&self, steps: &[Step]) -> Span {
        self.part(steps).span
    }

    /// The place of a name in the part.
    pub fn name(&self, steps: &[Step], name: &str) -> Span {
        let part = self.part(steps);
        match &part.inside {
            Inside::Map(items) => {
                items.iter().find(|(n, _, _)| **n == *name).map_or(part.span, |(_, at, _)| *at)
            }
            _ => part.span,
        }
    }

    fn part(&self, steps: &[Step]) -> &Self {
        let Some((first, rest)) = steps.split_first() else { return self };
        let inner = match (&self.inside, first) {
            (Inside::List(items), Step::Index(at)) => items.get(*at),
            (Inside::Map(items), Step::Attribute(name) | Step::Key(name)) => {
                items.iter().find(|(n, _, _)| n == name).map(|(_, _, places)| places)
            }
            _ => None,
        };
        inner.map_or(self, |inner| inner.part(rest))
    }
}

/// A written value, read literally: `${` is two characters of a text.
pub fn plain(node: &Node) -> Value {
    match &node.value {
        Literal::Bool(b) => Value::Bool(*b),
        Literal::Int(n) => Value::Int(*n),
        Literal::Float(n) => Value::Float(*n),
        Literal::Str(text) => Value::Str(text.text.clone()),
        Literal::List(items) => Value::list(items.iter().map(plain).collect()),
        Literal::Table(entries) => {
            Value::map(entries.iter().map(|e| (e.key.text.clone(), plain(&e.value))).collect())
        }
        // Among the mistakes already.
        Literal::Invalid => Value::Null,
    }
}
