//! Ids and secrets that fill the holes of request templates while a plan runs.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use crate::address::Address;
use crate::config::Desired;
use crate::schema::Schemas;
use crate::state::{State, is_attachment};
use crate::wire::Fill;

/// Ids of our objects by address; grows as creates succeed.
pub struct Ids<'a> {
    known: Mutex<HashMap<Address, Arc<str>>>,
    desired: &'a Desired,
    schemas: &'a Schemas,
}

impl<'a> Ids<'a> {
    pub fn new(state: &State, desired: &'a Desired, schemas: &'a Schemas) -> Self {
        let own = state.entries.iter().filter(|(address, e)| !is_attachment(address, &e.kind));
        let known = own.map(|(address, entry)| (address.clone(), entry.id.clone())).collect();
        Self { known: Mutex::new(known), desired, schemas }
    }

    pub fn set(&self, address: &Address, id: Arc<str>) {
        self.lock().insert(address.clone(), id);
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<Address, Arc<str>>> {
        // No code that holds it can panic; a poisoned table would still be whole.
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Fill for Ids<'_> {
    fn id(&self, address: &Address) -> Option<Arc<str>> {
        self.lock().get(address).cloned()
    }

    fn secret(&self, address: &Address, attr: &str) -> Option<Arc<str>> {
        self.desired.text(self.schemas, address, attr)
    }
}
