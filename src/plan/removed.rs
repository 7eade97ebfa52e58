//! What `[[removed]]` says of objects that nothing declares any more.
//!
//! In: the configuration. Out: for an address, whether it is to be destroyed or only forgotten.
//! Found in a few look-ups, however many there are.

use std::collections::HashMap;

use crate::address::Address;
use crate::address::prefix::names;
use crate::config::{Desired, Removed};

/// All `[[removed]]`, by what they name.
pub struct Removals<'a>(HashMap<(String, bool), &'a Removed>);

impl<'a> Removals<'a> {
    pub fn of(desired: &'a Desired) -> Self {
        let name = |r: &Removed| (r.from.what.to_string(), r.from.what.key().is_none());
        Self(desired.removed.iter().map(|r| (name(r), r)).collect())
    }

    /// What is said of an address or of what it belongs to; the most specific counts.
    pub fn find(&self, address: &Address) -> Option<&'a Removed> {
        if self.0.is_empty() {
            return None;
        }
        names(address).find_map(|name| self.0.get(&name).copied())
    }

    /// The same, if it is only to be forgotten.
    pub fn forgotten(&self, address: &Address) -> Option<&'a Removed> {
        self.find(address).filter(|removed| !removed.destroy)
    }

    /// The same for an attachment, which is forgotten with either of its ends.
    pub fn forgotten_attachment(&self, address: &Address) -> Option<&'a Removed> {
        if self.0.is_empty() {
            return None;
        }
        let other = || Address::parse(&address.member_of()?.key).ok();
        self.forgotten(address).or_else(|| self.forgotten(&other()?))
    }
}
