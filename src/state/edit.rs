//! Changing what we remember by hand: `state mv` and `state rm`.
//!
//! In: a state and addresses. Out: the changed state and what was touched, or why not. Nothing
//! is sent to any cloud.

use std::collections::HashMap;

use crate::address::Address;
use crate::state::{State, is_attachment, secret};

/// Why a state cannot be changed as asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EditError {
    #[error("the state has no `{0}`")]
    Absent(Address),
    #[error("the state already has a `{0}`")]
    Taken(Address),
    #[error("`{from}` is a {}, `{to}` would be a {}", .from.kind(), .to.kind())]
    OtherType { from: Address, to: Address },
    #[error("`{0}` is an attachment: it follows its resource and cannot be moved alone")]
    Member(Address),
    #[error("an apply was cut off while it created `{0}`")]
    Pending(Address),
}

impl EditError {
    /// What to do next.
    pub fn help(&self) -> &'static str {
        match self {
            Self::Absent(_) => "`rackform state list` shows what there is",
            Self::Taken(_) => "forget that one first (`rackform state rm`), or choose another name",
            Self::OtherType { .. } => "an object keeps its type",
            Self::Member(_) => "move or remove its resource, or change the list that declares it",
            Self::Pending(_) => "run `rackform apply` first: it finds out what became of it",
        }
    }
}

/// Forgets an object and its attachments. Returns the addresses that are gone.
///
/// # Errors
/// [`EditError::Absent`].
pub fn remove(state: &mut State, address: &Address) -> Result<Vec<Address>, EditError> {
    if !state.entries.contains_key(address) {
        return Err(EditError::Absent(address.clone()));
    }
    let touches = |other: &Address, kind: &str| {
        other == address || (address.member_of().is_none() && belongs_to((other, kind), address))
    };
    let all = state.entries.iter().filter(|(a, e)| touches(a, &e.kind));
    let gone: Vec<Address> = all.map(|(a, _)| a.clone()).collect();
    for address in &gone {
        if let Some(entry) = state.entries.remove(address) {
            retire(state, address, entry.incarnation);
        }
    }
    Ok(gone)
}

/// Whether something is a member of this resource, or attached to it. The key of a part's element
/// is no address, whatever it looks like.
pub fn belongs_to((member, kind): (&Address, &str), resource: &Address) -> bool {
    member.member_of().is_some_and(|m| {
        let attached = is_attachment(member, kind) && *m.key == *resource.as_str();
        attached || member.owner() == *resource
    })
}

/// The address stops denoting the object: its id is never computed again (design section 4).
fn retire(state: &mut State, address: &Address, incarnation: u32) {
    if address.member_of().is_none() {
        let next = state.incarnations.entry(address.clone()).or_default();
        *next = (*next).max(incarnation.saturating_add(1));
    }
}

/// Gives an object another address; its attachments and everything that refers to it follow.
/// Returns the new address of each object that moved.
///
/// # Errors
/// [`EditError`].
pub fn rename(
    state: &mut State,
    from: &Address,
    to: &Address,
) -> Result<Vec<(Address, Address)>, EditError> {
    check(state, from, to)?;
    Ok(relocate(state, &HashMap::from([(from.clone(), to.clone())])))
}

/// Gives resources other addresses, all at once; what belongs to them and what refers to them
/// follows. Nothing may be at the new addresses that stays there. Returns the new address of each
/// object that moved.
pub fn relocate(state: &mut State, renames: &HashMap<Address, Address>) -> Vec<(Address, Address)> {
    let lifts = retire_all(state, renames);
    let lift = |address: &Address| lifts.get(address).copied().unwrap_or(0);
    let mut moved = Vec::new();
    let entries = std::mem::take(&mut state.entries);
    for (address, mut entry) in entries {
        let next = renamed(&address, &entry.kind, renames);
        for dependency in &mut entry.dependencies {
            follow(dependency, renames);
        }
        if let Some(by) = &entry.declared_by {
            entry.declared_by = Some(redeclared(by, renames));
        }
        if let Some(next) = &next {
            for digest in entry.digests.values_mut() {
                *digest = secret::moved(digest, &address);
            }
            entry.incarnation += lift(&address);
            moved.push((address.clone(), next.clone()));
        }
        state.entries.insert(next.unwrap_or(address), entry);
    }
    let pending = std::mem::take(&mut state.pending);
    for (address, mut pending) in pending {
        let next = renamed(&address, &pending.kind, renames);
        for dependency in &mut pending.dependencies {
            follow(dependency, renames);
        }
        if next.is_some() {
            for digest in pending.digests.values_mut() {
                *digest = secret::moved(digest, &address);
            }
            pending.incarnation += lift(&address);
        }
        state.pending.insert(next.unwrap_or(address), pending);
    }
    for to in renames.values().filter(|to| state.entries.contains_key(*to)) {
        state.incarnations.remove(to);
    }
    moved
}

fn check(state: &State, from: &Address, to: &Address) -> Result<(), EditError> {
    if from.member_of().is_some() || to.member_of().is_some() {
        return Err(EditError::Member(if from.member_of().is_some() { from } else { to }.clone()));
    }
    if from.kind() != to.kind() {
        return Err(EditError::OtherType { from: from.clone(), to: to.clone() });
    }
    if !state.entries.contains_key(from) {
        return Err(EditError::Absent(from.clone()));
    }
    if state.entries.contains_key(to) {
        return Err(EditError::Taken(to.clone()));
    }
    let pending = [from, to].into_iter().find(|a| state.pending.contains_key(*a));
    pending.map_or(Ok(()), |address| Err(EditError::Pending(address.clone())))
}

/// The old addresses stop denoting what they did. Says by how much the incarnations of what leaves
/// them rise, so that no id of an earlier object at the new address is computed again. All old
/// addresses come before all new ones: one may take the place that another leaves.
fn retire_all(state: &mut State, renames: &HashMap<Address, Address>) -> HashMap<Address, u32> {
    let mut lowest = Vec::new();
    for (from, to) in renames {
        let entry = state.entries.get(from).map(|entry| entry.incarnation);
        let pending = state.pending.get(from).map(|pending| pending.incarnation);
        if let Some(used) = entry.max(pending) {
            retire(state, from, used);
            lowest.push((from, to, entry.min(pending).unwrap_or(used)));
        }
    }
    let lift = |(from, to, lowest): (&Address, &Address, u32)| {
        (from.clone(), state.next_incarnation(to).saturating_sub(lowest))
    };
    lowest.into_iter().map(lift).collect()
}

/// The new address of an object, if it has one: its own, that of its owner, or for an attachment
/// that of its other end. The key of a part's element is no address, whatever it looks like.
fn renamed(address: &Address, kind: &str, renames: &HashMap<Address, Address>) -> Option<Address> {
    let Some(member) = address.member_of() else { return renames.get(address).cloned() };
    let owner = renames.get(&address.owner());
    let other = is_attachment(address, kind)
        .then(|| Address::parse(&member.key).ok().and_then(|end| renames.get(&end)))
        .flatten();
    if owner.is_none() && other.is_none() {
        return None;
    }
    let owner = owner.cloned().unwrap_or_else(|| address.owner());
    let key = other.map_or(&*member.key, Address::as_str);
    Some(owner.member(&member.name, key))
}

/// What something depends on, after the move.
fn follow(dependency: &mut Address, renames: &HashMap<Address, Address>) {
    if let Some(to) = renames.get(dependency) {
        *dependency = to.clone();
    }
}

/// `RESOURCE.attribute` after the move.
fn redeclared(by: &str, renames: &HashMap<Address, Address>) -> String {
    let split = by.rsplit_once('.');
    let to = split.and_then(|(resource, attribute)| {
        let to = renames.get(&Address::parse(resource).ok()?)?;
        Some(format!("{to}.{attribute}"))
    });
    to.unwrap_or_else(|| by.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::testing;

    fn state() -> (State, Address, Address) {
        let (storage, cluster) =
            (Address::new("nfs_primary_storage", "s"), Address::new("cluster", "a"));
        let mut state = State::default();
        let link = storage.member("clusters", cluster.as_str());
        let mut attached = testing::zone("link");
        attached.dependencies = vec![storage.clone(), cluster.clone()];
        attached.declared_by = Some(format!("{storage}.clusters"));
        state.entries.insert(storage.clone(), testing::zone("s"));
        state.entries.insert(cluster.clone(), testing::zone("a"));
        state.entries.insert(link, attached);
        (state, storage, cluster)
    }

    #[test]
    fn what_refers_to_a_moved_object_follows_it() {
        let (mut state, storage, cluster) = state();
        let to = Address::new("cluster", "b");
        let moved = rename(&mut state, &cluster, &to).expect("free address");
        assert_eq!(moved.len(), 2);
        let link = &state.entries[&storage.member("clusters", "cluster.b")];
        assert_eq!(link.dependencies, [storage.clone(), to]);
        assert_eq!(state.next_incarnation(&cluster), 1);
        let other = Address::new("nfs_primary_storage", "t");
        rename(&mut state, &storage, &other).expect("free address");
        let link = &state.entries[&other.member("clusters", "cluster.b")];
        assert_eq!(link.declared_by.as_deref(), Some("nfs_primary_storage.t.clusters"));
    }

    #[test]
    fn what_is_forgotten_takes_its_attachments_and_never_gets_its_id_back() {
        let (mut state, storage, cluster) = state();
        let gone = remove(&mut state, &cluster).expect("present");
        assert_eq!(gone.len(), 2);
        assert_eq!(state.entries.keys().collect::<Vec<_>>(), [&storage]);
        assert_eq!(state.next_incarnation(&cluster), 1);
        assert_eq!(remove(&mut state, &cluster), Err(EditError::Absent(cluster)));
    }

    #[test]
    fn a_move_that_makes_no_sense_changes_nothing() {
        let (mut state, storage, cluster) = state();
        let before = state.clone();
        let zone = Address::new("zone", "z");
        assert!(rename(&mut state, &cluster, &zone).is_err());
        assert!(rename(&mut state, &zone, &Address::new("zone", "y")).is_err());
        assert!(rename(&mut state, &storage, &storage.clone()).is_err());
        assert_eq!(state, before);
    }
}
