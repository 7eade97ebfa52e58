//! What comes first where no reference says so: the `after` of the schemas.
//!
//! In: decisions and where their steps stand. Out: gates, one per rule and scope, so that H hosts
//! and A attachments cost H + A edges. On the way up what `after` names comes first: storage is
//! attached to a cluster before its hosts are added. On the way down it comes last. A rule whose
//! other side has no steps makes no gate. And elements of a part: one gate per owner, so that new
//! ones are there before old ones go.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use crate::address::Address;
use crate::config::End;
use crate::plan::decide::{Decision, Draft, LinkEnds};
use crate::plan::key::spell;
use crate::plan::known::Known;
use crate::plan::spots::Spots;
use crate::plan::{Action, Gate, GateIx, Inputs, Plan, StepIx};
use crate::schema::{After, AttrIx, Kind, LinkIx, ResourceType, Row, Schemas, Side, TypeIx};

/// The direction of the steps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
enum Way {
    Up,
    Down,
}

/// What a rule names, in one scope: `local_primary_storage.clusters in cluster.a`, `host in
/// cluster.a`.
type Place = (Way, String);

/// Adds the gates and who waits for them.
pub(super) fn raise(inputs: &Inputs<'_>, draft: &Draft<'_>, spots: &Spots, plan: &mut Plan) {
    let named = named(inputs, draft, spots);
    if named.is_empty() {
        return;
    }
    let coming = ends(draft, spots);
    let lasting = lasting(inputs, draft);
    let mut gates: BTreeMap<Place, GateIx> = BTreeMap::new();
    for (decision, spot) in draft.decisions.iter().zip(&spots.by_change) {
        let scopes = Scopes { schemas: inputs.schemas, known: &draft.known, ends: &coming };
        let bound = bound(inputs, &scopes, &lasting, decision);
        if let Some(step) = spot.create.filter(|step| sends(plan, *step, decision, inputs)) {
            for place in bound.iter().filter(|(way, _)| *way == Way::Up) {
                let Some(first) = named.get(place) else { continue };
                let gate = gate(plan, &mut gates, place.clone());
                let after = &mut plan.gates[gate.0 as usize].after;
                if after.is_empty() {
                    after.clone_from(first);
                }
                plan.steps[step.0 as usize].gates.push(gate);
            }
        }
        if let Some(step) = spot.delete {
            let down = bound.into_iter().filter(|(way, _)| *way == Way::Down);
            for place in down.filter(|place| named.contains_key(place)) {
                let gate = gate(plan, &mut gates, place);
                plan.gates[gate.0 as usize].after.push(step);
            }
        }
    }
    for (place, gate) in gates.iter().filter(|((way, _), _)| *way == Way::Down) {
        for StepIx(step) in &named[place] {
            plan.steps[*step as usize].gates.push(*gate);
        }
    }
}

/// Whether a step sends something: an element that its owner's create carries does not, and waits
/// for that alone.
fn sends(plan: &Plan, step: StepIx, decision: &Decision<'_>, inputs: &Inputs<'_>) -> bool {
    let element = inputs.schemas.get(decision.ty).part_of.is_some();
    !element || plan.steps[step.0 as usize].request.is_some()
}

/// The places that a change is bound to: by the rules of its type, and by those of what it is an
/// attachment or an element of. A shared block storage needs its disks seen in a cluster that it
/// is attached to later as well, and for a disk that it gets later.
fn bound(
    inputs: &Inputs<'_>,
    scopes: &Scopes<'_>,
    lasting: &Ends<'_>,
    decision: &Decision<'_>,
) -> Vec<Place> {
    let ty = inputs.schemas.get(decision.ty);
    if let Some(LinkEnds { link, to, .. }) = &decision.link {
        let to = spell_end(to, scopes.known);
        let both =
            |rule| [Way::Up, Way::Down].map(|way| scopes.at_end(way, rule, (ty, *link), &to));
        return ty.after.iter().flat_map(both).flatten().collect();
    }
    // Tags, which have a list of their own, are bound to nothing.
    if let Some(of) = &ty.part_of {
        if of.listed {
            return Vec::new();
        }
        let address = decision.address.owner();
        let Some(owner) = inputs.desired.get(&address) else { return Vec::new() };
        let ty = inputs.schemas.get(owner.ty);
        let scopes = Scopes { ends: lasting, ..*scopes };
        let up = |rule| scopes.places(Way::Up, rule, (ty, &address), Some(&owner.attrs));
        return ty.after.iter().flat_map(up).collect();
    }
    // An object that moves leaves the scope that it is in, not the one that it goes to.
    let now = decision.live.as_ref().map(|live| &live.attrs);
    let wanted = decision.desired.map(|desired| &desired.attrs);
    let object = (&**ty, &decision.address);
    let both = |rule| {
        let up = scopes.places(Way::Up, rule, object, wanted);
        up.into_iter().chain(scopes.places(Way::Down, rule, object, now))
    };
    ty.after.iter().flat_map(both).collect()
}

fn gate(plan: &mut Plan, gates: &mut BTreeMap<Place, GateIx>, place: Place) -> GateIx {
    let scope = place.1.clone();
    *gates.entry(place).or_insert_with(|| new_gate(plan, scope, Vec::new()))
}

fn new_gate(plan: &mut Plan, scope: String, after: Vec<StepIx>) -> GateIx {
    let ix = GateIx(u32::try_from(plan.gates.len()).unwrap_or(u32::MAX));
    plan.gates.push(Gate { scope, after });
    ix
}

/// The steps of everything that some rule names, by scope.
fn named(inputs: &Inputs<'_>, draft: &Draft<'_>, spots: &Spots) -> BTreeMap<Place, Vec<StepIx>> {
    let wanted: BTreeSet<&After> = inputs.schemas.types.iter().flat_map(|ty| &ty.after).collect();
    let mut all: BTreeMap<Place, Vec<StepIx>> = BTreeMap::new();
    for (decision, spot) in draft.decisions.iter().zip(&spots.by_change) {
        let ty = inputs.schemas.get(decision.ty);
        let mut add = |way, name: &str, scope: String, step: Option<StepIx>| {
            if let Some(step) = step {
                all.entry((way, format!("{name} in {scope}"))).or_default().push(step);
            }
        };
        if let Some(link) = &decision.link {
            let name = &ty.link(link.link).name;
            let rule = After::Link { kind: ty.name.clone(), link: name.clone() };
            if wanted.contains(&rule) {
                let name = format!("{}.{name}", ty.name);
                let to = spell_end(&link.to, &draft.known);
                add(Way::Up, &name, to.clone(), spot.create);
                add(Way::Down, &name, to, spot.delete);
            }
        } else if wanted.contains(&After::Type(ty.name.clone())) {
            let now = decision.live.as_ref().map(|live| &live.attrs);
            let wanted = decision.desired.map(|desired| &desired.attrs);
            for (ix, _) in parents(ty) {
                let scope = |row: Option<&Row>| spell(&row?[usize::from(ix.0)], &draft.known);
                if let Some(scope) = scope(wanted) {
                    add(Way::Up, &ty.name, scope, spot.create);
                }
                if let Some(scope) = scope(now) {
                    add(Way::Down, &ty.name, scope, spot.delete);
                }
            }
        }
    }
    all
}

/// Where the attachments of an object lead that come or go: by owner.
type Ends<'a> = HashMap<(Way, &'a Address), Vec<(LinkIx, String)>>;

fn ends<'a>(draft: &'a Draft<'_>, spots: &Spots) -> Ends<'a> {
    let mut all: Ends<'a> = HashMap::new();
    for (decision, spot) in draft.decisions.iter().zip(&spots.by_change) {
        let Some(LinkEnds { link, owner: End::Ours(owner), to }) = &decision.link else { continue };
        for (way, step) in [(Way::Up, spot.create), (Way::Down, spot.delete)] {
            if step.is_some() {
                let to = spell_end(to, &draft.known);
                all.entry((way, owner)).or_default().push((*link, to));
            }
        }
    }
    all
}

/// Where the attachments of the configuration lead whose owners have rules: also those that are
/// there already.
fn lasting<'a>(inputs: &Inputs<'a>, draft: &Draft<'_>) -> Ends<'a> {
    let mut all: Ends<'a> = HashMap::new();
    for link in &inputs.desired.links {
        let End::Ours(owner) = &link.owner else { continue };
        if !inputs.schemas.get(link.owner_ty).after.is_empty() {
            let to = spell_end(&link.to, &draft.known);
            all.entry((Way::Up, owner)).or_default().push((link.link, to));
        }
    }
    all
}

/// Where rules hold.
struct Scopes<'a> {
    schemas: &'a Schemas,
    known: &'a Known,
    /// Where attachments lead.
    ends: &'a Ends<'a>,
}

impl Scopes<'_> {
    /// What a rule names in each scope that the object is in, on the way to this row: scopes are
    /// the objects that both it and what the rule names refer to, or that its own attachments lead
    /// to.
    fn places(
        &self,
        way: Way,
        rule: &After,
        (ty, address): (&ResourceType, &Address),
        row: Option<&Row>,
    ) -> Vec<Place> {
        let Some((name, scope)) = self.meeting(rule, ty) else { return Vec::new() };
        let place = |at: String| (way, format!("{name} in {at}"));
        if let Some(ix) = refers(ty, &scope) {
            let value = row.and_then(|row| spell(&row[usize::from(ix.0)], self.known));
            return value.map(place).into_iter().collect();
        }
        let ends = self.ends.get(&(way, address));
        let ends = ends.into_iter().flatten().filter(|(link, _)| leads_to(ty, *link, &scope));
        ends.map(|(_, to)| place(to.clone())).collect()
    }

    /// The same for one attachment of an object of the type.
    fn at_end(
        &self,
        way: Way,
        rule: &After,
        (ty, link): (&ResourceType, LinkIx),
        to: &str,
    ) -> Option<Place> {
        let (name, scope) = self.meeting(rule, ty)?;
        leads_to(ty, link, &scope).then(|| (way, format!("{name} in {to}")))
    }

    /// How a rule is called, and the type of its scopes.
    fn meeting(&self, rule: &After, ty: &ResourceType) -> Option<(String, Arc<str>)> {
        match rule {
            After::Link { kind, link } => {
                let owner = self.schemas.by_name(kind)?;
                match &owner.link(owner.find_link(link)?).side {
                    Side::Owner { to, .. } => Some((format!("{kind}.{link}"), to.clone())),
                    Side::Other { .. } => None,
                }
            }
            After::Type(kind) => {
                let other = self.schemas.by_name(kind)?;
                let shared = |scope: &&Arc<str>| {
                    refers(ty, scope).is_some() || ty.links().any(|(ix, _)| leads_to(ty, ix, scope))
                };
                let scope = parents(other).map(|(_, scope)| scope).find(shared)?;
                Some((kind.to_string(), scope.clone()))
            }
        }
    }
}

/// The attributes by which an object says what it belongs to, and the types of that.
fn parents(ty: &ResourceType) -> impl Iterator<Item = (AttrIx, &Arc<str>)> {
    ty.attrs().filter(|(_, attr)| attr.writable()).filter_map(|(ix, attr)| match &attr.kind {
        Kind::Ref(to) => Some((ix, to)),
        _ => None,
    })
}

fn refers(ty: &ResourceType, scope: &Arc<str>) -> Option<AttrIx> {
    parents(ty).find(|(_, to)| *to == scope).map(|(ix, _)| ix)
}

fn leads_to(ty: &ResourceType, link: LinkIx, scope: &Arc<str>) -> bool {
    matches!(&ty.link(link).side, Side::Owner { to, .. } if to == scope)
}

fn spell_end(end: &End, known: &Known) -> String {
    match end {
        End::Ours(address) => address.to_string(),
        End::Foreign(id) => known.address_of(id).map_or_else(|| id.to_string(), Address::to_string),
    }
}

/// Elements of a part are added before others of the same owner are taken away, so that it is
/// never without (a Ceph storage without its last monitor, reference 3.4).
pub(super) fn adds_before_removes(
    inputs: &Inputs<'_>,
    draft: &Draft<'_>,
    spots: &Spots,
    plan: &mut Plan,
) {
    let mut removes: BTreeMap<(Address, TypeIx), Vec<StepIx>> = BTreeMap::new();
    let mut adds: BTreeMap<(Address, TypeIx), Vec<StepIx>> = BTreeMap::new();
    for (decision, spot) in draft.decisions.iter().zip(&spots.by_change) {
        if inputs.schemas.get(decision.ty).part_of.is_none() {
            continue;
        }
        let key = (decision.address.owner(), decision.ty);
        match decision.action {
            Action::Create => adds.entry(key).or_default().extend(spot.create),
            // Those of an owner that is replaced are those of the old one.
            Action::Delete if !is_replaced(draft, spots, &key.0) => {
                removes.entry(key).or_default().extend(spot.delete);
            }
            _ => {}
        }
    }
    for (key, steps) in removes {
        let Some(adds) = adds.remove(&key) else { continue };
        let ix = new_gate(plan, format!("additions to {}", key.0), adds);
        for StepIx(step) in steps {
            // One that goes along with its owner waits for nobody.
            if plan.steps[step as usize].request.is_some() {
                plan.steps[step as usize].gates.push(ix);
            }
        }
    }
}

fn is_replaced(draft: &Draft<'_>, spots: &Spots, object: &Address) -> bool {
    let change = spots.by_address.get(object);
    change.is_some_and(|ix| draft.decisions[*ix].action == Action::Replace)
}

/// An object that can have one other end only (a device and its virtual machine) leaves the one
/// before it takes the next.
pub(super) fn leaves_before_enters(
    inputs: &Inputs<'_>,
    draft: &Draft<'_>,
    spots: &Spots,
    plan: &mut Plan,
) {
    let single = |ty: TypeIx, link: LinkIx| inputs.schemas.get(ty).link(link).single();
    let ends = draft.decisions.iter().zip(&spots.by_change).filter_map(|(decision, spot)| {
        let link = decision.link.as_ref()?.link;
        single(decision.ty, link).then(|| ((decision.address.owner(), link), spot))
    });
    let ends: Vec<_> = ends.collect();
    let mut leaves: BTreeMap<&(Address, LinkIx), Vec<StepIx>> = BTreeMap::new();
    for (key, spot) in &ends {
        leaves.entry(key).or_default().extend(spot.delete);
    }
    for (key, spot) in ends.iter().filter(|(_, spot)| spot.delete.is_none()) {
        if let Some(StepIx(enter)) = spot.create {
            let before = leaves.get(key).into_iter().flatten();
            plan.steps[enter as usize].after.extend(before);
        }
    }
}
