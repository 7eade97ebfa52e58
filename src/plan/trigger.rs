//! `replace_triggered_by`: resources that are replaced because others change.
//!
//! In: what has been decided so far; what triggers comes before what is triggered
//! (`parents::in_order`). Out: what has set off a trigger. Linear in resources and triggers: what a
//! block of many instances does is looked at once.

use std::collections::HashMap;
use std::sync::Arc;

use crate::address::Address;
use crate::config::{Desired, Trigger};
use crate::plan::diff::Difference;

/// The updates and replacements that triggers look for.
pub struct Triggers {
    /// Whether there are any triggers.
    wanted: bool,
    by_block: HashMap<Address, Vec<Changed>>,
    /// Answers for whole blocks.
    known: HashMap<(String, Option<Arc<str>>), Option<Address>>,
}

struct Changed {
    address: Address,
    attrs: Vec<Arc<str>>,
}

impl Triggers {
    pub fn of(desired: &Desired) -> Self {
        let wanted = desired.resources.iter().any(|r| !r.replaced_by.is_empty());
        Self { wanted, by_block: HashMap::new(), known: HashMap::new() }
    }

    /// A resource is updated or replaced.
    pub fn changed(&mut self, address: &Address, differences: &[Difference]) {
        if self.wanted {
            let attrs = differences.iter().map(|d| d.diff.name.clone()).collect();
            let changed = Changed { address: address.clone(), attrs };
            self.by_block.entry(address.block()).or_default().push(changed);
        }
    }

    /// The first resource whose change sets off one of these, with the trigger.
    pub fn set_off<'t>(&mut self, triggers: &'t [Trigger]) -> Option<(Address, &'t Trigger)> {
        triggers.iter().find_map(|trigger| Some((self.source(trigger)?, trigger)))
    }

    fn source(&mut self, trigger: &Trigger) -> Option<Address> {
        let key = (trigger.of.to_string(), trigger.attr.clone());
        if let Some(known) = self.known.get(&key) {
            return known.clone();
        }
        let block = trigger.of.clone().whole().address()?;
        let of_block = self.by_block.get(&block).map(Vec::as_slice).unwrap_or_default();
        let sets_off = |changed: &&Changed| {
            trigger.of.covers(&changed.address, true)
                && trigger.attr.as_ref().is_none_or(|attr| changed.attrs.contains(attr))
        };
        let source = of_block.iter().find(sets_off).map(|changed| changed.address.clone());
        if trigger.of.key().is_none() {
            self.known.insert(key, source.clone());
        }
        source
    }
}
