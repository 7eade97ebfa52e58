//! End conditions of a run: objects that come up only when others are there.
//!
//! NFS storage stays Disconnected until an attached cluster has a connected host (reference 4.5),
//! and hosts are added after the attachments, so that no step may wait for it. In: the
//! configuration and the plan's steps. Out: what must be true at the end of the run, and notes
//! where it cannot become true yet.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use crate::address::Address;
use crate::config::{DesiredLink, DesiredResource, End};
use crate::plan::{Action, Inputs, Note, Plan};
use crate::schema::{After, Condition, Kind, ResourceType, TypeIx};
use crate::value::Value;

/// An object and how it must read at the end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settle {
    pub address: Address,
    pub ty: TypeIx,
    pub provider: Arc<str>,
    pub wait: Vec<Condition>,
    /// Seconds that it may take once everything it needs is there: its `timeouts.create`.
    pub patience: u64,
}

/// Mounting takes seconds, and capacity is recalculated within 2 to 3 (reference 6, d).
const PATIENCE: u64 = 60;

/// Adds end conditions for what the plan touches.
pub fn add(inputs: &Inputs<'_>, plan: &mut Plan) {
    if inputs.options.destroy || plan.steps.is_empty() {
        return;
    }
    let touched: HashSet<Address> = plan.steps.iter().map(|step| step.address.owner()).collect();
    let (usable, links) = (usable(inputs), links(inputs));
    for resource in &inputs.desired.resources {
        let ty = inputs.schemas.get(resource.ty);
        if ty.read.settled.is_empty() {
            continue;
        }
        let own = links.get(&resource.address).map(Vec::as_slice).unwrap_or_default();
        let helpers = helpers(inputs, ty, own, &usable);
        let concerned = touched.contains(&resource.address)
            || helpers.iter().any(|helper| touched.contains(*helper));
        if concerned && !helpers.is_empty() {
            plan.settles.push(Settle {
                address: resource.address.clone(),
                ty: resource.ty,
                provider: resource.provider.clone(),
                wait: ty.read.settled.clone(),
                patience: resource.lifecycle.timeouts.get("create").map_or(PATIENCE, |s| *s),
            });
        } else if concerned && is_new(plan, &resource.address) {
            plan.notes.push(note(ty, &resource.address));
        }
    }
}

fn is_new(plan: &Plan, address: &Address) -> bool {
    let at = plan.changes.binary_search_by(|change| change.address.cmp(address));
    at.is_ok_and(|at| matches!(plan.changes[at].action, Action::Create | Action::Replace))
}

fn note(ty: &ResourceType, address: &Address) -> Note {
    let wanted = |c: &Condition| format!("{} {}", ty.attr(c.attr).name, c.values.join(" or "));
    let wanted: Vec<String> = ty.read.settled.iter().map(wanted).collect();
    Note {
        address: Some(address.clone()),
        text: format!("will not reach {} in this run", wanted.join(", ")),
        help: Some("it comes up by itself once something that uses it is connected".to_owned()),
    }
}

/// By type and object that they refer to: resources that the configuration keeps in service.
type Usable<'a> = BTreeMap<(TypeIx, &'a Address), BTreeSet<&'a Address>>;

fn usable<'a>(inputs: &Inputs<'a>) -> Usable<'a> {
    let mut usable = Usable::new();
    for resource in &inputs.desired.resources {
        let ty = inputs.schemas.get(resource.ty);
        if ty.after.is_empty() || !in_service(ty, resource) {
            continue;
        }
        for ((_, attr), value) in ty.attrs().zip(&resource.attrs) {
            if let (Kind::Ref(_), Value::Object(to)) = (&attr.kind, value) {
                usable.entry((resource.ty, to)).or_default().insert(&resource.address);
            }
        }
    }
    usable
}

/// Not taken out of service by its `state`.
fn in_service(ty: &ResourceType, resource: &DesiredResource) -> bool {
    ty.find_attr("state").is_none_or(|ix| {
        resource.attrs[usize::from(ix.0)].as_str().is_none_or(|state| state == "Enabled")
    })
}

/// Attachments by the resource that owns them.
fn links<'a>(inputs: &Inputs<'a>) -> HashMap<&'a Address, Vec<&'a DesiredLink>> {
    let mut links: HashMap<&Address, Vec<&DesiredLink>> = HashMap::new();
    for link in &inputs.desired.links {
        if let End::Ours(owner) = &link.owner {
            links.entry(owner).or_default().push(link);
        }
    }
    links
}

/// Resources whose creation waits for attachments of this one, in what it is attached to: they
/// are what brings it up.
fn helpers<'a>(
    inputs: &Inputs<'a>,
    ty: &ResourceType,
    links: &[&'a DesiredLink],
    usable: &Usable<'a>,
) -> BTreeSet<&'a Address> {
    let mut helpers = BTreeSet::new();
    for link in links {
        let End::Ours(to) = &link.to else { continue };
        let name = &ty.link(link.link).name;
        for (ix, helper) in inputs.schemas.iter() {
            let waits = helper.after.iter().any(|rule| match rule {
                After::Link { kind, link } => *kind == ty.name && link == name,
                After::Type(_) => false,
            });
            if waits && let Some(found) = usable.get(&(ix, to)) {
                helpers.extend(found);
            }
        }
    }
    helpers
}
