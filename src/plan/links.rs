//! Attachments: objects of their own between two resources.
//!
//! Authoritative only over what rackform attached or adopted: foreign attachments are noted and
//! never detached. Decided after the resources, whose ids and fates they follow.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use crate::address::Address;
use crate::config::{DesiredLink, End};
use crate::inventory::LiveObject;
use crate::plan::decide::{Decision, Draft, LinkEnds, lasting_id};
use crate::plan::known::Known;
use crate::plan::{Action, Drift, Inputs, Note, Reason};
use crate::schema::{LinkIx, TypeIx};
use crate::state::{Entry, Pending, State, is_attachment};

/// Decides about every attachment of the configuration and the state.
pub fn decide<'a>(inputs: &Inputs<'a>, draft: &mut Draft<'a>) {
    let fates = fates(draft);
    let declared = by_address(inputs);
    if !inputs.options.destroy {
        for link in &inputs.desired.links {
            desired(inputs, link, &fates, draft);
        }
        note_foreign(inputs, &declared, draft);
    }
    note_in_the_way(inputs, draft);
    let mentions = mentions(inputs);
    for (address, entry) in &inputs.state.entries {
        let kept = declared.contains_key(address) && !inputs.options.destroy;
        if is_attachment(address, &entry.kind) && !kept {
            orphan(inputs, (address, entry), &mentions, draft);
        }
    }
    for (address, pending) in &inputs.state.pending {
        let kept = declared.contains_key(address) && !inputs.options.destroy;
        let known = inputs.state.entries.contains_key(address);
        // Without a look at the cloud there is no telling whether it is there: it stays pending.
        if is_attachment(address, &pending.kind) && !kept && !known && inputs.live.is_some() {
            unfinished_orphan(inputs, (address, pending), draft);
        }
    }
}

/// What happens to the resources, by address.
fn fates(draft: &Draft<'_>) -> HashMap<Address, Action> {
    draft.decisions.iter().map(|d| (d.address.clone(), d.action)).collect()
}

fn by_address<'a>(inputs: &Inputs<'a>) -> BTreeMap<&'a Address, &'a DesiredLink> {
    inputs.desired.links.iter().map(|link| (&link.address, link)).collect()
}

/// `RESOURCE.attribute` of every list of links that the configuration has.
fn mentions(inputs: &Inputs<'_>) -> HashSet<String> {
    let mut mentions = HashSet::new();
    for resource in &inputs.desired.resources {
        let ty = inputs.schemas.get(resource.ty);
        for link in &resource.mentions {
            mentions.insert(format!("{}.{}", resource.address, ty.link(*link).name));
        }
    }
    mentions
}

fn desired<'a>(
    inputs: &Inputs<'a>,
    link: &'a DesiredLink,
    fates: &HashMap<Address, Action>,
    draft: &mut Draft<'a>,
) {
    let prior = inputs.state.entries.get(&link.address);
    let attached = attached(inputs, link, prior, &draft.known);
    let replaced = [&link.owner, &link.to].into_iter().find_map(|end| match end {
        End::Ours(address) if fates.get(address) == Some(&Action::Replace) => Some(address.clone()),
        _ => None,
    });
    let declared_by = Some(format!("{}.{}", link.declared_by.0, link.declared_by.1));
    let (action, reason) = match (attached, prior, replaced) {
        (true, Some(_), Some(parent)) => (Action::Replace, Reason::ParentReplaced(parent)),
        (true, None, Some(parent)) => (Action::Replace, Reason::ParentReplaced(parent)),
        (true, Some(entry), None) if entry.declared_by == declared_by => {
            draft.unchanged += 1;
            return;
        }
        (true, Some(_), None) => (Action::Record, Reason::Differs),
        (true, None, None) => (Action::Adopt, Reason::New),
        (false, None, _) => (Action::Create, Reason::New),
        (false, Some(_), _) => {
            draft.drift.push(Drift { address: link.address.clone(), attrs: None });
            (Action::Create, Reason::Vanished)
        }
    };
    draft.decisions.push(Decision {
        address: link.address.clone(),
        ty: link.owner_ty,
        provider: provider(inputs, link),
        action,
        reason,
        differences: Vec::new(),
        desired: None,
        prior,
        live: None,
        link: Some(LinkEnds { link: link.link, owner: link.owner.clone(), to: link.to.clone() }),
        origin: Some(link.declared),
        incarnation: 0,
        declared_by,
    });
}

fn provider(inputs: &Inputs<'_>, link: &DesiredLink) -> Arc<str> {
    let ours = [&link.owner, &link.to].into_iter().find_map(|end| match end {
        End::Ours(address) => inputs.desired.get(address),
        End::Foreign(_) => None,
    });
    ours.map_or_else(|| inputs.schemas.get(link.owner_ty).provider.clone(), |r| r.provider.clone())
}

/// Whether the two ends are attached now. Without refresh, what the state says.
fn attached(inputs: &Inputs<'_>, link: &DesiredLink, prior: Option<&Entry>, known: &Known) -> bool {
    let Some(inventory) = inputs.live else { return prior.is_some() };
    let id = |end: &End| match end {
        End::Ours(address) => known.current(address).cloned(),
        End::Foreign(id) => Some(id.clone()),
    };
    let (Some(owner), Some(to)) = (id(&link.owner), id(&link.to)) else { return false };
    inventory
        .get(&provider(inputs, link), link.owner_ty, &owner)
        .is_some_and(|live| live.linked(link.link).contains(&to))
}

/// An attachment of the state that no list declares any more.
fn orphan<'a>(
    inputs: &Inputs<'a>,
    (address, entry): (&Address, &'a Entry),
    mentions: &HashSet<String>,
    draft: &mut Draft<'a>,
) {
    let Some(member) = address.member_of() else { return };
    let Some(ty) = inputs.schemas.find(&entry.kind) else { return };
    let Some(link) = inputs.schemas.get(ty).find_link(&member.name) else { return };
    let to = match Address::parse(&member.key) {
        Ok(address) => End::Ours(address),
        Err(_) => End::Foreign(entry.id.clone()),
    };
    let ends = LinkEnds { link, owner: end_of(&address.owner(), inputs), to };
    let object = (&entry.provider, ty);
    let live = inputs.live.is_none()
        || still_attached(inputs, object, (&ends, Some(&entry.id)), &draft.known);
    let left = draft.removals.forgotten_attachment(address);
    let (action, reason) = if !live {
        (Action::Forget, Reason::Vanished)
    } else if left.is_some() && !ends_with(&ends, &draft.known) {
        (Action::Forget, Reason::Removed)
    } else if inputs.options.destroy {
        (Action::Delete, Reason::Destroy)
    } else if unmanaged(inputs, entry, mentions) && !ends_with(&ends, &draft.known) {
        (Action::Forget, Reason::Unmanaged)
    } else {
        (Action::Delete, Reason::NotInConfiguration)
    };
    draft.decisions.push(Decision {
        address: address.clone(),
        ty,
        provider: entry.provider.clone(),
        action,
        reason,
        differences: Vec::new(),
        desired: None,
        prior: Some(entry),
        live: None,
        link: Some(ends),
        origin: None,
        incarnation: 0,
        declared_by: None,
    });
}

/// An attachment that a dead runner was about to make, and that the configuration no longer wants.
fn unfinished_orphan<'a>(
    inputs: &Inputs<'a>,
    (address, pending): (&Address, &'a Pending),
    draft: &mut Draft<'a>,
) {
    let Some(member) = address.member_of() else { return };
    let Some(ty) = inputs.schemas.find(&pending.kind) else { return };
    let Some(link) = inputs.schemas.get(ty).find_link(&member.name) else { return };
    let to = match Address::parse(&member.key) {
        Ok(address) => End::Ours(address),
        Err(_) => End::Foreign(member.key.clone()),
    };
    let ends = LinkEnds { link, owner: end_of(&address.owner(), inputs), to };
    let live = still_attached(inputs, (&pending.provider, ty), (&ends, None), &draft.known)
        && draft.removals.forgotten_attachment(address).is_none();
    draft.decisions.push(Decision {
        address: address.clone(),
        ty,
        provider: pending.provider.clone(),
        action: if live { Action::Delete } else { Action::Forget },
        reason: Reason::Unfinished,
        differences: Vec::new(),
        desired: None,
        prior: None,
        live: None,
        link: Some(ends),
        origin: None,
        incarnation: 0,
        declared_by: None,
    });
}

/// An end as the state has it: an address while it is ours or about to be, its id otherwise.
fn end_of(address: &Address, inputs: &Inputs<'_>) -> End {
    let State { entries, pending, .. } = inputs.state;
    if entries.contains_key(address) || pending.contains_key(address) {
        End::Ours(address.clone())
    } else {
        End::Foreign(address.label().into())
    }
}

/// Whether an attachment of the state is there; `to`: the id of the other end, where it is known.
fn still_attached(
    inputs: &Inputs<'_>,
    (provider, ty): (&Arc<str>, TypeIx),
    (ends, to): (&LinkEnds, Option<&Arc<str>>),
    known: &Known,
) -> bool {
    let Some(inventory) = inputs.live else { return false };
    let id = |end: &End| match end {
        End::Ours(address) => known.current(address).cloned(),
        End::Foreign(id) => Some(id.clone()),
    };
    let Some((owner, to)) = id(&ends.owner).zip(to.cloned().or_else(|| id(&ends.to))) else {
        return false;
    };
    let owner = inventory.get(provider, ty, &owner);
    owner.is_some_and(|live| live.linked(ends.link).contains(&to))
}

/// Whether the plan deletes an object at one of the ends: the server refuses that while it is
/// attached (reference 3.4), and an attachment that is forgotten would stay for good.
fn ends_with(ends: &LinkEnds, known: &Known) -> bool {
    let ending = |end: &End| matches!(end, End::Ours(address) if known.is_ending(address));
    ending(&ends.owner) || ending(&ends.to)
}

/// Whether the attribute that declared it was removed while its resource stays: the attachments
/// are forgotten, not detached (design section 2).
fn unmanaged(inputs: &Inputs<'_>, entry: &Entry, mentions: &HashSet<String>) -> bool {
    let Some(by) = &entry.declared_by else { return false };
    let Some((resource, _)) = by.rsplit_once('.') else { return false };
    let stays = Address::parse(resource).is_ok_and(|a| inputs.desired.index.contains_key(&a));
    stays && !mentions.contains(by)
}

/// Attachments of our storage that somebody else made.
fn note_foreign(
    inputs: &Inputs<'_>,
    declared: &BTreeMap<&Address, &DesiredLink>,
    draft: &mut Draft<'_>,
) {
    // By the id of the owner: a device may have passed from one block to another.
    let mut ours: HashMap<(Arc<str>, LinkIx), HashSet<Arc<str>>> = HashMap::new();
    let id = |owner: &Address| draft.known.current(owner).cloned();
    for link in declared.values() {
        if let (End::Ours(owner), Some(to)) = (&link.owner, lasting_id(&draft.known, &link.to))
            && let Some(owner) = id(owner)
        {
            ours.entry((owner, link.link)).or_default().insert(to);
        }
    }
    for (address, entry) in &inputs.state.entries {
        let Some(member) = address.member_of() else { continue };
        let ty = inputs.schemas.by_name(&entry.kind);
        let link = ty.and_then(|ty| ty.find_link(&member.name));
        if let (Some(owner), Some(link)) = (id(&address.owner()), link) {
            ours.entry((owner, link)).or_default().insert(entry.id.clone());
        }
    }
    for resource in &inputs.desired.resources {
        let ty = inputs.schemas.get(resource.ty);
        let Some(live) = live(inputs, resource, &draft.known) else { continue };
        for (link, ids) in &live.links {
            let known = ours.get(&(live.id.clone(), *link));
            let foreign = ids.iter().filter(|id| known.is_none_or(|k| !k.contains(*id)));
            for id in foreign {
                let other =
                    draft.known.address_of(id).map_or_else(|| id.to_string(), Address::to_string);
                draft.notes.push(foreign_note(&resource.address, &ty.link(*link).name, &other));
            }
        }
    }
}

/// Attachments of somebody else to what the plan deletes: the server refuses while they are there
/// (reference 4.4), and no step of ours takes them away.
fn note_in_the_way(inputs: &Inputs<'_>, draft: &mut Draft<'_>) {
    let members = inputs.state.entries.iter().filter_map(|(address, entry)| {
        Some((address.owner(), address.member_of()?.name.to_string(), entry.id.clone()))
    });
    let ours: HashSet<(Address, String, Arc<str>)> = members.collect();
    let mut notes = Vec::new();
    for decision in &draft.decisions {
        let (Action::Delete, Some(live)) = (decision.action, &decision.live) else { continue };
        let ty = inputs.schemas.get(decision.ty);
        for (link, id) in
            live.links.iter().flat_map(|(link, ids)| ids.iter().map(move |i| (link, i)))
        {
            let going = draft.known.address_of(id).is_some_and(|a| draft.known.is_ending(a));
            let attachment =
                (decision.address.clone(), ty.link(*link).name.to_string(), id.clone());
            if !going && !ours.contains(&attachment) {
                notes.push(Note {
                    address: Some(decision.address.clone()),
                    text: format!("is attached to {id}, which rackform did not attach"),
                    help: Some("the server may refuse to delete it: detach it there first".into()),
                });
            }
        }
    }
    draft.notes.extend(notes);
}

fn live<'a>(
    inputs: &Inputs<'a>,
    resource: &crate::config::DesiredResource,
    known: &Known,
) -> Option<&'a LiveObject> {
    let id = known.current(&resource.address)?;
    inputs.live?.get(&resource.provider, resource.ty, id)
}

fn foreign_note(address: &Address, link: &str, other: &str) -> Note {
    Note {
        address: Some(address.clone()),
        text: format!("is attached to {other}, which rackform did not attach and leaves alone"),
        help: Some(format!("to manage it, add it to `{link}`")),
    }
}
