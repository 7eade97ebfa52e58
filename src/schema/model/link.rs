//! Links: relations to objects that live on their own, declared from either side.

use std::sync::Arc;

use super::Call;

/// A relation to objects that live on their own: storage attached to clusters.
#[derive(Clone, Debug)]
pub struct Link {
    pub name: Arc<str>,
    pub doc: String,
    /// How many other ends an owner may have.
    pub range: Option<(i64, i64)>,
    pub side: Side,
}

impl Link {
    /// Whether an owner has one other end at most, so that it must leave one before it takes another.
    pub fn single(&self) -> bool {
        self.range.is_some_and(|(_, most)| most == 1)
    }
}

/// The side of a link that an attribute declares.
#[derive(Clone, Debug)]
pub enum Side {
    /// The owning side, with the calls.
    Owner {
        /// Type of the other end.
        to: Arc<str>,
        /// Where the owner's row lists the other ends: a member name, or a pointer with `*`.
        wire: String,
        attach: Box<Call>,
        detach: Box<Call>,
    },
    /// The same links, declared from the other end: `(TYPE, LINK)` of each owner.
    Other { owners: Vec<(Arc<str>, Arc<str>)> },
}
