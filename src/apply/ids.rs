//! Ids and secrets that fill the holes of request templates while a plan runs, and whose an id is.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use crate::address::Address;
use crate::config::Desired;
use crate::schema::Schemas;
use crate::state::{State, is_attachment};
use crate::wire::Fill;

/// Ids of our objects by address; grows as creates succeed.
pub struct Ids<'a> {
    known: Mutex<Known>,
    desired: &'a Desired,
    schemas: &'a Schemas,
}

#[derive(Default)]
struct Known {
    id_of: HashMap<Address, Arc<str>>,
    /// Also ids that an address had before.
    address_of: HashMap<Arc<str>, Address>,
}

impl Known {
    fn learn(&mut self, address: &Address, id: Arc<str>) {
        self.address_of.insert(id.clone(), address.clone());
        self.id_of.insert(address.clone(), id);
    }
}

impl<'a> Ids<'a> {
    pub fn new(state: &State, desired: &'a Desired, schemas: &'a Schemas) -> Self {
        let own = state.entries.iter().filter(|(address, e)| !is_attachment(address, &e.kind));
        let mut known = Known::default();
        own.for_each(|(address, entry)| known.learn(address, entry.id.clone()));
        Self { known: Mutex::new(known), desired, schemas }
    }

    pub fn set(&self, address: &Address, id: Arc<str>) {
        self.lock().learn(address, id);
    }

    /// Our object that has or had this id.
    pub fn address_of(&self, id: &str) -> Option<Address> {
        self.lock().address_of.get(id).cloned()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Known> {
        // No code that holds it can panic; a poisoned table would still be whole.
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Fill for Ids<'_> {
    fn id(&self, address: &Address) -> Option<Arc<str>> {
        self.lock().id_of.get(address).cloned()
    }

    fn secret(&self, address: &Address, attr: &str) -> Option<Arc<str>> {
        self.desired.text(self.schemas, address, attr)
    }
}
