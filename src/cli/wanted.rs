//! Which objects a plan has to see.
//!
//! In: a configuration and a state. Out: what to read of a provider, by type. Asks nothing.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::address::Address;
use crate::cli::session::Session;
use crate::config::DesiredResource;
use crate::inventory::element_id;
use crate::observe::inventory;
use crate::plan::import::Imports;
use crate::plan::{foreign, known};
use crate::schema::TypeIx;
use crate::state::{State, is_attachment};

/// Which objects of a provider to read: ours by id, and whole types where a unique key could be
/// held by somebody else's.
pub fn wanted(
    session: &Session,
    state: &State,
    provider: &Arc<str>,
) -> BTreeMap<TypeIx, inventory::Wanted> {
    let mut want: BTreeMap<TypeIx, inventory::Wanted> = BTreeMap::new();
    for entry in
        state.entries.iter().filter(|(a, e)| !is_attachment(a, &e.kind) && e.provider == *provider)
    {
        if let Some(ty) = session.schemas.find(&entry.1.kind) {
            want.entry(ty).or_default().ids.insert(entry.1.id.clone());
        }
    }
    for pending in state.pending.values().filter(|p| p.provider == *provider) {
        if let Some(ty) = session.schemas.find(&pending.kind) {
            want.entry(ty).or_default().ids.extend(pending.candidates.iter().cloned());
        }
    }
    // One that the state has is asked for as well: whether it is still there decides what is said.
    let imports = session.desired.imports.iter();
    for (one, resource) in imports.filter_map(|one| Some((one, session.desired.get(&one.to)?))) {
        if resource.provider == *provider {
            want.entry(resource.ty).or_default().hoped.insert(one.id.clone());
        }
    }
    let imports = Imports::open(&session.desired, state);
    for resource in session.desired.resources.iter().filter(|r| r.provider == *provider) {
        let wanted = want.entry(resource.ty).or_default();
        for ix in session.schemas.get(resource.ty).own_reads(&resource.attrs) {
            wanted.own.entry(ix).or_default().extend(
                known_ids(state, &resource.address).chain(imports.id(&resource.address).cloned()),
            );
        }
        let unique = !session.schemas.get(resource.ty).unique.is_empty();
        wanted.whole |= unique;
        wanted.hoped.extend(hoped(session, (state, &imports), resource));
        for (ty, id) in foreign::references(&session.schemas, resource) {
            want.entry(ty).or_default().ids.insert(id);
        }
    }
    for link in &session.desired.links {
        let declarer = session.desired.get(&link.declared_by.0);
        if declarer.is_none_or(|declarer| declarer.provider != *provider) {
            continue;
        }
        for (ty, id) in foreign::ends(&session.schemas, link) {
            want.entry(ty).or_default().ids.insert(id);
        }
    }
    want
}

/// Ids under which a resource may be there without the state knowing: an element, with an owner that
/// is there; anything else, if an apply made it whose record is lost (`plan::known::unrecorded`).
fn hoped(
    session: &Session,
    (state, imports): (&State, &Imports<'_>),
    resource: &DesiredResource,
) -> Vec<Arc<str>> {
    if state.entries.contains_key(&resource.address) {
        return Vec::new();
    }
    let unrecorded = |at: &Address| {
        let recorded = state.entries.contains_key(at) || state.pending.contains_key(at);
        let ty = session.schemas.by_name(at.kind()).filter(|_| !recorded)?;
        known::next_id(state, ty, at)
    };
    let Some(member) = resource.address.member_of() else {
        return unrecorded(&resource.address).into_iter().collect();
    };
    let owner = resource.address.owner();
    let owners = known_ids(state, &owner).chain(unrecorded(&owner));
    let owners = owners.chain(imports.id(&owner).cloned());
    owners.map(|owner| element_id(&owner, &member.key)).collect()
}

/// Ids under which an object of ours may be there.
fn known_ids(state: &State, address: &Address) -> impl Iterator<Item = Arc<str>> {
    let entry = state.entries.get(address).map(|entry| entry.id.clone());
    let pending = state.pending.get(address);
    entry.into_iter().chain(pending.into_iter().flat_map(|p| p.candidates.iter().cloned()))
}
