//! What a configuration renames (`[[moved]]`, and by itself a block or module that gets or loses its
//! `count`): applied to the state before anything is planned.
//!
//! In: the configuration and a state. Out: the state with new addresses, and where each resource
//! was before; or why that cannot be. Nothing is sent to any cloud, and nothing is ever destroyed
//! by it: what would be lost is a finding.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::address::Address;
use crate::address::prefix::{self, Renames};
use crate::config::{Desired, Moved};
use crate::diag::{Diagnostic, Diagnostics, nearest};
use crate::state::{State, edit};

/// Where resources were before, by the address that they have now.
pub type Previous = BTreeMap<Address, Address>;

/// Renames what the configuration says. What is not in the state is not an error: the same
/// configuration may be applied long after.
///
/// # Errors
/// Two objects would get one address, or an object an address that nothing declares; the state is
/// as it was.
pub fn apply(desired: &Desired, state: &mut State) -> Result<Previous, Diagnostics> {
    let mut findings = Diagnostics::default();
    let mut renames: HashMap<Address, Address> = HashMap::new();
    // By the new address: the old one, and what moves it there.
    let mut arrivals: BTreeMap<Address, (Address, &Moved)> = BTreeMap::new();
    // The same without a `[[moved]]`.
    let mut counted = Previous::new();
    let all = renames_of(&desired.moved);
    for address in resources(state) {
        match all.follow(address) {
            Ok(None) => counted.extend(by_count(desired, address).map(|to| (to, address.clone()))),
            Ok(Some((to, at))) => {
                let by = &desired.moved[at];
                let to = by_count(desired, &to).unwrap_or(to);
                if !expected(desired, &to) {
                    findings.push(to_nothing((address, &to), by, desired));
                } else if let Some((other, _)) = arrivals.insert(to.clone(), (address.clone(), by))
                {
                    findings.push(both((&other, address), &to, by));
                }
                renames.insert(address.clone(), to);
            }
            Err(ring) => findings.push(goes_round(address, &desired.moved[ring.at])),
        }
    }
    // What nobody wrote gives way to what is there and to what was written.
    let there = |to: &Address| state.entries.contains_key(to) || state.pending.contains_key(to);
    let taken_by_others = |to: &Address| there(to) && !renames.contains_key(to);
    counted.retain(|to, _| !arrivals.contains_key(to) && !taken_by_others(to));
    renames.extend(counted.iter().map(|(to, from)| (from.clone(), to.clone())));
    for (to, (from, by)) in &arrivals {
        if there(to) && !renames.contains_key(to) {
            findings.push(taken((from, to), by));
        }
    }
    if findings.has_errors() {
        return Err(findings);
    }
    let written = arrivals.into_iter().map(|(to, (from, _))| (to, from));
    let previous = written.chain(counted).collect();
    if !renames.is_empty() {
        edit::relocate(state, &renames);
    }
    Ok(previous)
}

/// Whether the configuration says what becomes of an address.
fn expected(desired: &Desired, address: &Address) -> bool {
    let removed = || desired.removed.iter().any(|r| r.from.what.covers(address, true));
    desired.get(address).is_some() || removed()
}

/// The address that an object has because its block or module has got or lost its `count`: it is
/// the first one, or the only one.
fn by_count(desired: &Desired, address: &Address) -> Option<Address> {
    if desired.get(address).is_some() {
        return None;
    }
    let to = counted(desired, address).filter(|to| desired.get(to).is_some())?;
    (!expected(desired, address)).then_some(to)
}

fn counted(desired: &Desired, address: &Address) -> Option<Address> {
    prefix::by_count(address, |what| desired.repeated.blocks.get(&what.to_string()).copied())
}

/// Where the resources of a state are to move, by the new address, whether that can be or not.
/// `desired` need not be complete.
pub fn arrivals(desired: &Desired, state: &State) -> Previous {
    let all = renames_of(&desired.moved);
    let mut arrivals = Previous::new();
    for from in resources(state) {
        let moved = all.follow(from).ok().flatten().map(|(to, _)| to);
        // What is declared is not known here: whoever asks for an address knows that it is.
        if let Some(to) = counted(desired, moved.as_ref().unwrap_or(from))
            && !state.entries.contains_key(&to)
        {
            arrivals.entry(to).or_insert_with(|| from.clone());
        }
        arrivals.extend(moved.map(|to| (to, from.clone())));
    }
    arrivals
}

fn renames_of(moved: &[Moved]) -> Renames {
    Renames::new(moved.iter().map(|m| (m.from.what.clone(), m.to.what.clone())))
}

/// The resources that the state knows of, made or half made.
fn resources(state: &State) -> BTreeSet<&Address> {
    let all = state.entries.keys().chain(state.pending.keys());
    all.filter(|address| address.member_of().is_none()).collect()
}

fn to_nothing((from, to): (&Address, &Address), by: &Moved, desired: &Desired) -> Diagnostic {
    let names = desired.resources.iter().map(|r| r.address.as_str());
    let finding = Diagnostic::error(
        "moved_to_nothing",
        format!("`{from}` would move to `{to}`, which is not declared"),
    )
    .on(from)
    .at(by.to.span, "nothing declares this")
    .detail("An object without a block is destroyed, and a move never destroys.");
    match nearest(to.as_str(), names) {
        Some(near) => finding.help(format!("did you mean `{near}`?")),
        None => finding
            .help("declare it there; or remove the `[[moved]]` if the object is to be destroyed"),
    }
}

fn both((first, second): (&Address, &Address), to: &Address, by: &Moved) -> Diagnostic {
    Diagnostic::error(
        "moved_together",
        format!("`{first}` and `{second}` would both become `{to}`"),
    )
    .on(to)
    .at(by.declared, "by this")
    .detail("Both are in the state, and an address stands for one object.")
    .help("give one of them another address, or forget one: rackform state rm")
}

fn taken((from, to): (&Address, &Address), by: &Moved) -> Diagnostic {
    let problem = format!("`{from}` cannot become `{to}`: the state has that already");
    Diagnostic::error("moved_to_taken", problem)
        .on(to)
        .at(by.to.span, "taken")
        .detail("They are two objects, and an address stands for one.")
        .help(format!(
            "to keep the one that is there, remove the `[[moved]]`; to give it up, forget it \
             first: rackform state rm '{to}'"
        ))
}

/// `resolve` refuses rings of the same names; what is left are rings through modules.
fn goes_round(address: &Address, by: &Moved) -> Diagnostic {
    Diagnostic::error("moved_in_a_ring", format!("`{address}` would move for ever"))
        .on(address)
        .at(by.declared, "this leads back to where it was")
        .help("remove one of these `[[moved]]`")
}

#[cfg(test)]
mod tests;
