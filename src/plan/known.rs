//! Who is who: addresses and ids of our objects while a plan is made.
//!
//! In: state and live inventory. Out: [`Known`], which answers "which id has this address" and
//! "whose id is this", and [`Live`], the row that stands for the cloud. Decides nothing.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use crate::address::Address;
use crate::config::DesiredResource;
use crate::inventory::LiveObject;
use crate::plan::Inputs;
use crate::plan::diff::Ids;
use crate::schema::{IdRule, ResourceType, TypeIx};
use crate::state::identity::client_id;
use crate::state::{Entry, Pending, State, is_attachment};

/// Ids of our objects, kept up to date as decisions are made (parents before children).
#[derive(Default)]
pub struct Known {
    id_of: HashMap<Address, Arc<str>>,
    address_of: HashMap<Arc<str>, Address>,
    /// Objects whose id ends with this plan: replaced ones.
    ending: HashSet<Address>,
}

impl Known {
    /// Resources of the state, by id.
    pub fn new(state: &State) -> Self {
        let mut known = Self::default();
        for (address, entry) in &state.entries {
            if !is_attachment(address, &entry.kind) {
                known.learn(address, &entry.id);
            }
        }
        known
    }
    pub fn learn(&mut self, address: &Address, id: &Arc<str>) {
        self.id_of.insert(address.clone(), id.clone());
        self.address_of.insert(id.clone(), address.clone());
    }
    /// The id will not last: dependants must wait for a new one.
    pub fn ends(&mut self, address: &Address) {
        self.ending.insert(address.clone());
    }
    /// The object stays and is ours no longer: who refers to its id refers to a foreign one.
    pub fn leaves(&mut self, address: &Address) {
        if let Some(id) = self.id_of.get(address) {
            self.address_of.remove(id);
        }
    }
    /// Whether an object of ours is deleted or replaced by this plan.
    pub fn is_ending(&self, address: &Address) -> bool {
        self.ending.contains(address)
    }
    /// The id that an address has now, lasting or not.
    pub fn current(&self, address: &Address) -> Option<&Arc<str>> {
        self.id_of.get(address)
    }
    /// Our object that has this id now.
    pub fn address_of(&self, id: &str) -> Option<&Address> {
        self.address_of.get(id)
    }
}

impl Ids for Known {
    fn lasting(&self, address: &Address) -> Option<&Arc<str>> {
        if self.ending.contains(address) { None } else { self.id_of.get(address) }
    }
    fn owner_of(&self, id: &str) -> Option<&Address> {
        self.address_of.get(id).filter(|address| !self.ending.contains(*address))
    }
}

/// What the cloud says of an object that we should have.
pub enum Live<'a> {
    /// It is there.
    Object(Cow<'a, LiveObject>),
    /// It was looked for and is not there.
    Gone,
}

/// The live object of an entry; without refresh the state stands in.
pub fn live_of<'a>(inputs: &Inputs<'a>, ty: TypeIx, entry: &Entry) -> Live<'a> {
    let Some(inventory) = inputs.live else {
        return Live::Object(Cow::Owned(from_state(inputs, ty, entry)));
    };
    match inventory.get(&entry.provider, ty, &entry.id) {
        Some(object) => Live::Object(Cow::Borrowed(object)),
        // A query that failed stops the run before planning, so a missing table means none.
        None => Live::Gone,
    }
}

/// The candidate of a pending create that exists.
pub fn live_candidate<'a>(
    inputs: &Inputs<'a>,
    ty: TypeIx,
    pending: &Pending,
) -> Option<&'a LiveObject> {
    let table = inputs.live?.table(&pending.provider, ty)?;
    pending.candidates.iter().rev().find_map(|id| table.get(id))
}

/// The object that nothing recorded and nobody but us can have made: it has the id that the next
/// object at this address would get. So it is after a state was put back from a copy that is older
/// than the objects, and the journal is gone.
pub fn unrecorded<'a>(inputs: &Inputs<'a>, desired: &DesiredResource) -> Option<&'a LiveObject> {
    let id = next_id(inputs.state, inputs.schemas.get(desired.ty), &desired.address)?;
    inputs.live?.get(&desired.provider, desired.ty, &id)
}

/// The id of the next object at an address, for types whose ids we choose; `None` before the first
/// apply.
pub fn next_id(state: &State, ty: &ResourceType, address: &Address) -> Option<Arc<str>> {
    let ours = matches!(ty.id, IdRule::Client { .. }) && !state.lineage.is_empty();
    ours.then(|| client_id(&state.lineage, address, incarnation(state, address)))
}

/// The incarnation of the next object at an address that nothing is pending for.
pub fn incarnation(state: &State, address: &Address) -> u32 {
    let after = state.entries.get(address).map_or(0, |entry| entry.incarnation + 1);
    after.max(state.next_incarnation(address))
}

fn from_state(inputs: &Inputs<'_>, ty: TypeIx, entry: &Entry) -> LiveObject {
    let schema = inputs.schemas.get(ty);
    let attrs = row(schema, entry);
    LiveObject { id: entry.id.clone(), attrs, links: Box::default(), elements: Vec::new() }
}

/// The attributes of an entry in schema order.
pub fn row(schema: &ResourceType, entry: &Entry) -> crate::schema::Row {
    let mut row = schema.empty_row();
    for (name, value) in &entry.attrs {
        if let Some(ix) = schema.find_attr(name) {
            row[usize::from(ix.0)] = value.clone();
        }
    }
    row
}
