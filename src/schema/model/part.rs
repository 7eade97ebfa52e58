//! Parts of objects, and what is special about the type of their elements.
//!
//! In: what `schema::parse` read. Out: answers for every later stage: an element is an object like
//! any other, with an owner and a key in place of an id.

use std::sync::Arc;

use super::{AttrIx, Attribute, PartIx, Piece, ResourceType};
use crate::value::Value;

/// Keyed pieces of an object with calls of their own (Ceph monitors, LUNs, tags). An element is an
/// object of a type of its own, whose first attribute is its owner.
#[derive(Clone, Debug)]
pub struct Part {
    pub name: Arc<str>,
    pub doc: String,
    /// Member of the owner's row that lists the elements; for a part with a list of its own, the
    /// member of an element's row that names the owner.
    pub wire_read: Arc<str>,
    /// Parameter of the owner's create that takes the elements.
    pub wire_sent: Arc<str>,
    /// How many an object may have.
    pub range: Option<(i64, i64)>,
    /// The type of an element: also in [`Schemas::types`].
    pub element: Arc<ResourceType>,
}

impl Part {
    fn of(&self) -> Option<&PartOf> {
        self.element.part_of.as_ref()
    }
    /// Attributes of an element that people see: all but its owner.
    pub fn attrs(&self) -> &[Attribute] {
        &self.element.attrs[1..]
    }
    /// Whether elements are read by a list of their own, and not in the owner's row.
    pub fn listed(&self) -> bool {
        self.of().is_some_and(|of| of.listed)
    }
    /// The attribute that stands for the whole element, where it is written as a plain value.
    pub fn plain(&self) -> Option<AttrIx> {
        self.element.plain()
    }
    /// An object must have at least one, so the configuration must say which.
    pub fn required(&self) -> bool {
        self.range.is_some_and(|(least, _)| least > 0)
    }
}

/// What makes a type the type of a part's elements.
#[derive(Clone, Debug, PartialEq)]
pub struct PartOf {
    /// Name of the owner's type.
    pub owner: Arc<str>,
    pub part: PartIx,
    /// The attributes that tell the elements of one owner apart.
    pub key: Vec<AttrIx>,
    /// How an element is sent as a text.
    pub format: Option<Vec<Piece>>,
    /// Whether elements are read by a list of their own.
    pub listed: bool,
}

/// The attribute of an element that holds its owner.
pub const OWNER: AttrIx = AttrIx(0);

impl ResourceType {
    /// The only attribute of an element that can be written, if there is one.
    pub fn plain(&self) -> Option<AttrIx> {
        self.part_of.as_ref()?;
        let mut writable = self.attrs().filter(|(ix, a)| *ix != OWNER && a.writable());
        match (writable.next(), writable.next()) {
            (Some((ix, _)), None) => Some(ix),
            _ => None,
        }
    }
    /// Whether an attribute of an element goes wherever the element as a whole does.
    pub fn in_element(&self, ix: AttrIx) -> bool {
        let Some(of) = &self.part_of else { return false };
        let name = &self.attr(ix).name;
        ix == OWNER
            || match &of.format {
                Some(format) => format.iter().any(|p| matches!(p, Piece::Field(f) if f == name)),
                None => self.plain() == Some(ix),
            }
    }
    /// The key of an element's row as text; `None` while a value of it is missing.
    pub fn part_key(&self, row: &[Value]) -> Option<String> {
        let of = self.part_of.as_ref()?;
        let texts = of.key.iter().map(|ix| match row.get(usize::from(ix.0))?.reveal() {
            Value::Str(text) => Some(text.to_string()),
            Value::Int(n) => Some(n.to_string()),
            Value::Bool(b) => Some(b.to_string()),
            _ => None,
        });
        Some(texts.collect::<Option<Vec<_>>>()?.join(" "))
    }
}
