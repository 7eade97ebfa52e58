//! Written values → trees of evaluated values with places.
//!
//! In: a [`Node`]. Out: a [`Tree`], which keeps the place of each element of a written list, so
//! that a mistake in one of them points there. Knows no schema.

use std::sync::Arc;

use super::Work;
use crate::address::Address;
use crate::config::expr;
use crate::config::syntax::{Literal, Node, Word};
use crate::diag::Span;
use crate::value::Value;

/// An evaluated value and where it is written.
#[derive(Clone, Debug)]
pub(super) struct Tree {
    pub span: Span,
    pub shape: Shape,
    /// Written as it is, not computed by an expression.
    pub literal: bool,
    /// The value is null because this environment variable is not set.
    pub unset: Option<Arc<str>>,
}

#[derive(Clone, Debug)]
pub(super) enum Shape {
    Leaf(Value),
    List(Vec<Tree>),
    Map(Vec<(Word, Tree)>),
}

impl Tree {
    /// The elements, if this is a list.
    pub fn items(self) -> Result<Vec<Tree>, Tree> {
        match self.shape {
            Shape::List(items) => Ok(items),
            Shape::Leaf(ref value) => match value.reveal() {
                Value::List(items) => {
                    let secret = matches!(value, Value::Sensitive(_));
                    Ok(items.iter().map(|item| self.part(item, secret)).collect())
                }
                _ => Err(self),
            },
            Shape::Map(_) => Err(self),
        }
    }

    /// Names and values, if this is a map.
    pub fn entries(self) -> Result<Vec<(Word, Tree)>, Tree> {
        match self.shape {
            Shape::Map(items) => Ok(items),
            Shape::Leaf(ref value) => match value.reveal() {
                Value::Map(items) => {
                    let secret = matches!(value, Value::Sensitive(_));
                    let word = |key: &Arc<str>| Word { text: key.clone(), span: self.span };
                    Ok(items.iter().map(|(k, v)| (word(k), self.part(v, secret))).collect())
                }
                _ => Err(self),
            },
            Shape::List(_) => Err(self),
        }
    }

    fn part(&self, value: &Value, secret: bool) -> Tree {
        let value = if secret { value.clone().sensitive() } else { value.clone() };
        Tree { span: self.span, shape: Shape::Leaf(value), literal: false, unset: None }
    }

    /// The word for its kind in messages.
    pub fn kind_name(&self) -> &'static str {
        match &self.shape {
            Shape::Leaf(value) => value.kind_name(),
            Shape::List(_) => "a list",
            Shape::Map(_) => "a table",
        }
    }

    /// The value without its places.
    pub fn into_value(self) -> Value {
        match self.shape {
            Shape::Leaf(value) => value,
            Shape::List(items) => Value::list(items.into_iter().map(Tree::into_value).collect()),
            Shape::Map(items) => {
                Value::map(items.into_iter().map(|(k, v)| (k.text, v.into_value())).collect())
            }
        }
    }

    /// Whether a secret could be read in the file: text that is written out, not computed.
    pub fn is_written_out(&self) -> bool {
        match &self.shape {
            Shape::Leaf(value) => {
                self.literal && value.as_str().is_some_and(|text| !text.is_empty())
            }
            Shape::List(items) => items.iter().any(Tree::is_written_out),
            Shape::Map(items) => items.iter().any(|(_, item)| item.is_written_out()),
        }
    }
}

impl Work<'_> {
    /// Evaluates with all names; `None` when there is no value, which then has been reported.
    pub(super) fn tree(&mut self, node: &Node, on: Option<&Address>) -> Option<Tree> {
        self.depth += 1;
        let tree = self.tree_of(node, on);
        self.depth -= 1;
        tree
    }

    fn tree_of(&mut self, node: &Node, on: Option<&Address>) -> Option<Tree> {
        let leaf = |value| Some(Shape::Leaf(value));
        let mut literal = true;
        let mut unset = None;
        let shape = match &node.value {
            Literal::Invalid => None,
            Literal::Bool(b) => leaf(Value::Bool(*b)),
            Literal::Int(n) => leaf(Value::Int(*n)),
            Literal::Float(n) => leaf(Value::Float(*n)),
            Literal::Str(text) if !text.is_template() => leaf(Value::Str(text.text.clone())),
            Literal::Str(text) => {
                literal = false;
                let parsed = self.templates.get(&text.text);
                match parsed.and_then(|parsed| expr::template(&parsed, self)) {
                    Ok(result) => {
                        unset = result.unset;
                        leaf(result.value)
                    }
                    Err(stop) => {
                        self.stopped(stop, text, node, on);
                        None
                    }
                }
            }
            Literal::List(items) => {
                // All elements are evaluated before one failure drops the list: all is reported.
                let items: Vec<_> = items.iter().map(|item| self.tree(item, on)).collect();
                items.into_iter().collect::<Option<Vec<_>>>().map(Shape::List)
            }
            Literal::Table(entries) => {
                let entries: Vec<_> = entries
                    .iter()
                    .map(|e| self.tree(&e.value, on).map(|tree| (e.key.clone(), tree)))
                    .collect();
                entries.into_iter().collect::<Option<Vec<_>>>().map(Shape::Map)
            }
        }?;
        Some(Tree { span: node.span, shape, literal, unset })
    }
}
