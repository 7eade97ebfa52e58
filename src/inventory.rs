//! Live objects as rows, found by id or unique key.
//!
//! In: rows that `wire::decode` made of list replies, collected by `observe`. Out: [`Inventory`],
//! which `plan` compares with the configuration and the state. A type whose query failed is
//! absent, never empty: absence of evidence is not evidence of absence.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use crate::schema::{LinkIx, PartIx, Row, TypeIx};

/// One live object.
#[derive(Clone, Debug, PartialEq)]
pub struct LiveObject {
    /// Empty for rows of types that have none (`IdRule::None`).
    pub id: Arc<str>,
    /// Attributes in schema order. References are ids ([`crate::value::Value::Str`]).
    pub attrs: Row,
    /// Ids of the other ends, by link of the type (owning side only).
    pub links: Box<[(LinkIx, Vec<Arc<str>>)]>,
    /// Elements that the object's own row lists, by part. `observe` gives them tables of their own.
    pub elements: Vec<(PartIx, Vec<LiveObject>)>,
}

/// The id of an element: that of its owner and its own key.
pub fn element_id(owner: &str, key: &str) -> Arc<str> {
    format!("{owner}/{key}").into()
}

/// The owner's id in that of an element, and the key.
pub fn split_element_id(id: &str) -> Option<(&str, &str)> {
    id.split_once('/')
}

impl LiveObject {
    /// Ids that the object is attached to by this link.
    pub fn linked(&self, link: LinkIx) -> &[Arc<str>] {
        self.links.iter().find(|(l, _)| *l == link).map_or(&[], |(_, ids)| ids)
    }
}

/// All objects of one type.
#[derive(Clone, Debug, Default)]
pub struct Table {
    pub objects: Vec<LiveObject>,
    by_id: HashMap<Arc<str>, u32>,
}

impl Table {
    /// Builds the index; a row that appears twice (pages moved while reading) counts once.
    pub fn new(rows: Vec<LiveObject>) -> Self {
        let mut table = Self::default();
        for row in rows {
            table.insert(row);
        }
        table
    }
    /// Adds an object or replaces the one with its id.
    pub fn insert(&mut self, row: LiveObject) {
        let next = u32::try_from(self.objects.len()).unwrap_or(u32::MAX);
        match self.by_id.get(&row.id) {
            Some(at) => self.objects[*at as usize] = row,
            None => {
                self.by_id.insert(row.id.clone(), next);
                self.objects.push(row);
            }
        }
    }
    pub fn get(&self, id: &str) -> Option<&LiveObject> {
        self.by_id.get(id).map(|at| &self.objects[*at as usize])
    }
}

/// What the clouds hold now.
#[derive(Clone, Debug, Default)]
pub struct Inventory {
    /// By provider configuration and type.
    pub tables: BTreeMap<(Arc<str>, TypeIx), Table>,
    /// Requests it took.
    pub requests: u64,
}

impl Inventory {
    pub fn table(&self, provider: &Arc<str>, ty: TypeIx) -> Option<&Table> {
        self.tables.get(&(provider.clone(), ty))
    }
    pub fn get(&self, provider: &Arc<str>, ty: TypeIx, id: &str) -> Option<&LiveObject> {
        self.table(provider, ty)?.get(id)
    }
}
