//! Changing what we remember by hand: `state mv` and `state rm`.
//!
//! In: a state and addresses. Out: the changed state and what was touched, or why not. Nothing
//! is sent to any cloud.

use crate::address::Address;
use crate::state::{Entry, State, secret};

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
    let touches = |other: &Address| {
        other == address || (address.member_of().is_none() && is_attached(other, address))
    };
    let gone: Vec<Address> = state.entries.keys().filter(|a| touches(a)).cloned().collect();
    for address in &gone {
        if let Some(entry) = state.entries.remove(address) {
            retire(state, address, &entry);
        }
    }
    Ok(gone)
}

/// Whether an attachment has this resource at either end.
fn is_attached(member: &Address, resource: &Address) -> bool {
    member.member_of().is_some_and(|m| member.owner() == *resource || *m.key == *resource.as_str())
}

/// The address stops denoting the object: its id is never computed again (design section 4).
fn retire(state: &mut State, address: &Address, entry: &Entry) {
    if address.member_of().is_none() {
        let next = state.incarnations.entry(address.clone()).or_default();
        *next = (*next).max(entry.incarnation.saturating_add(1));
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
    let entries = std::mem::take(&mut state.entries);
    let mut moved = Vec::new();
    for (address, mut entry) in entries {
        let next = renamed(&address, from, to);
        for dependency in &mut entry.dependencies {
            *dependency = renamed(dependency, from, to);
        }
        if let Some(by) = &entry.declared_by {
            entry.declared_by = Some(redeclared(by, from, to));
        }
        if address == *from {
            retire(state, from, &entry);
            entry.incarnation = entry.incarnation.max(state.next_incarnation(to));
            state.incarnations.remove(to);
        }
        if next != address {
            for digest in entry.digests.values_mut() {
                *digest = secret::moved(digest, &address);
            }
            moved.push((address, next.clone()));
        }
        state.entries.insert(next, entry);
    }
    Ok(moved)
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

fn renamed(address: &Address, from: &Address, to: &Address) -> Address {
    let Some(member) = address.member_of() else {
        return if address == from { to.clone() } else { address.clone() };
    };
    let owner = renamed(&address.owner(), from, to);
    let key = if *member.key == *from.as_str() { to.as_str() } else { &*member.key };
    owner.member(&member.name, key)
}

/// `RESOURCE.attribute` after the move.
fn redeclared(by: &str, from: &Address, to: &Address) -> String {
    match by.rsplit_once('.') {
        Some((resource, attribute)) if resource == from.as_str() => format!("{to}.{attribute}"),
        _ => by.to_owned(),
    }
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
