//! Actions: calls of a live object beside create, update and delete.

use std::sync::Arc;

use super::{AttrIx, Attribute, Call, Quirk, SendSource};

/// A day-two operation, and what `then` runs.
#[derive(Clone, Debug)]
pub struct ActionDef {
    pub name: Arc<str>,
    pub doc: String,
    /// What whoever runs it may set. In `call`, an [`AttrIx`] of `send` means one of these; those
    /// of `wait` mean attributes of the type.
    pub params: Vec<Attribute>,
    pub quirk: Option<Quirk>,
    pub call: Call,
}

impl ActionDef {
    pub fn params(&self) -> impl Iterator<Item = (AttrIx, &Attribute)> {
        (0..).map(AttrIx).zip(&self.params)
    }
    /// Whether one call can be for several objects.
    pub fn takes_many(&self) -> bool {
        self.call.send.iter().any(|item| item.source == SendSource::Ids)
    }
    /// Whether it may take something down.
    pub fn disrupts(&self) -> bool {
        !self.call.cascade.is_empty()
    }
}
