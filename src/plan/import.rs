//! `[[import]]`: live objects that become ours with a plan.
//!
//! In: the configuration, the state, the live inventory. Out: which imports are still to be made,
//! their objects, and what is in the way. An object that the state already has under its address
//! is no import any more, and nothing is said about it.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use crate::address::Address;
use crate::config::{Desired, DesiredLink, DesiredResource, End, Import, ImportPlace};
use crate::diag::{Diagnostic, Diagnostics, Span};
use crate::inventory::LiveObject;
use crate::plan::known::{Known, live_candidate};
use crate::plan::{Inputs, parents};
use crate::state::State;

/// Imports that are still to be made, by address.
#[derive(Default)]
pub struct Imports<'a>(HashMap<&'a Address, &'a Import>);

impl<'a> Imports<'a> {
    /// Of a configuration and a state: those whose address the state does not have.
    pub fn open(desired: &'a Desired, state: &State) -> Self {
        let open = desired.imports.iter().filter(|one| !state.entries.contains_key(&one.to));
        Self(open.map(|one| (&one.to, one)).collect())
    }
    /// Of a plan; none where everything is destroyed.
    pub fn of(inputs: &Inputs<'a>) -> Self {
        match inputs.options.destroy {
            true => Self::default(),
            false => Self::open(inputs.desired, inputs.state),
        }
    }
    pub fn is_open(&self, address: &Address) -> bool {
        self.0.contains_key(address)
    }
    pub fn id(&self, address: &Address) -> Option<&'a Arc<str>> {
        self.0.get(address).map(|one| &one.id)
    }
    /// The live object that a resource is to stand for.
    pub fn live(&self, inputs: &Inputs<'a>, desired: &DesiredResource) -> Option<&'a LiveObject> {
        let id = self.id(&desired.address)?;
        inputs.live?.get(&desired.provider, desired.ty, id)
    }
    /// Resources to import that are there, with their objects.
    pub fn found(&self, inputs: &Inputs<'a>) -> Vec<(&'a Address, &'a LiveObject)> {
        let resources = self.0.keys().filter_map(|to| inputs.desired.get(to));
        resources.filter_map(|one| Some((&one.address, self.live(inputs, one)?))).collect()
    }
}

/// Imports whose object the inventory does not have.
pub fn missing<'a>(inputs: &Inputs<'a>) -> Vec<(&'a Import, &'a DesiredResource)> {
    let imports = Imports::of(inputs);
    let open = inputs.desired.imports.iter().filter(|one| imports.is_open(&one.to));
    let resources = open.filter_map(|one| Some((one, inputs.desired.get(&one.to)?)));
    resources.filter(|(_, resource)| imports.live(inputs, resource).is_none()).collect()
}

/// What is said of [`missing`] objects. `kinds`: the types of those that are there after all.
pub fn not_found(
    inputs: &Inputs<'_>,
    missing: &[(&Import, &DesiredResource)],
    kinds: &BTreeMap<Arc<str>, Arc<str>>,
) -> Diagnostics {
    let mut findings = Diagnostics::default();
    for (one, resource) in missing {
        let kind = &inputs.schemas.get(resource.ty).name;
        let finding = match (inputs.live.is_some(), kinds.get(&one.id)) {
            (false, _) => Diagnostic::error(
                "import_unseen",
                format!("`{}` cannot be imported without a look at the cloud", one.to),
            )
            .help("leave out --refresh=false"),
            (true, Some(other)) => {
                let text = format!("`{}` is a {other}, and `{}` is a {kind}", one.id, one.to);
                Diagnostic::error("import_other_type", text)
                    .help(format!("correct the id, or import it to the address of a {other}"))
            }
            (true, None) => {
                let text = format!("there is no {kind} with the id `{}`", one.id);
                Diagnostic::error("not_found", text)
                    .detail("An object that this account may not see is not found either.")
                    .help("an id has 32 hexadecimal digits; the console shows it with the object's details")
            }
        };
        findings.push(at(finding, one.place.map(|place| place.id)));
    }
    findings
}

/// Imports that contradict the state.
pub fn check(inputs: &Inputs<'_>, findings: &mut Diagnostics) {
    if inputs.options.destroy || inputs.desired.imports.is_empty() {
        return;
    }
    let entries = inputs.state.entries.iter().filter(|(a, _)| a.member_of().is_none());
    let holders: HashMap<(&str, &str), &Address> =
        entries.map(|(address, entry)| ((&*entry.provider, &*entry.id), address)).collect();
    for one in &inputs.desired.imports {
        let Some(resource) = inputs.desired.get(&one.to) else { continue };
        match inputs.state.entries.get(&one.to) {
            Some(entry) if entry.id == one.id => continue,
            Some(entry)
                if inputs.live.is_some_and(|live| {
                    live.get(&resource.provider, resource.ty, &one.id).is_some()
                }) =>
            {
                findings.push(taken(one, &entry.id));
                continue;
            }
            // It was imported once, and another object has taken its place since.
            Some(_) => continue,
            None => {}
        }
        if let Some(holder) = holders.get(&(&*resource.provider, &*one.id)) {
            findings.push(already_ours(one, holder));
        }
        let pending = inputs.state.pending.get(&one.to);
        let made = pending.and_then(|p| live_candidate(inputs, resource.ty, p));
        if let Some(made) = made.filter(|made| made.id != one.id) {
            findings.push(taken(one, &made.id));
        }
    }
}

fn taken(one: &Import, holder: &str) -> Diagnostic {
    let text = format!("`{}` is already {holder}", one.to);
    let finding = Diagnostic::error("import_taken", text).help(format!(
        "correct the import; or forget that one first: rackform state rm '{}'",
        one.to
    ));
    at(finding, one.place.map(|ImportPlace { to, .. }| to))
}

fn already_ours(one: &Import, holder: &Address) -> Diagnostic {
    let text = format!("{} is already ours, as `{holder}`", one.id);
    let finding = Diagnostic::error("already_ours", text);
    let finding = finding.help(match one.place {
        Some(_) => format!(
            "to rename it, write a [[moved]] from '{holder}' to '{}' instead of this [[import]]",
            one.to
        ),
        None => format!("to rename it: rackform state mv '{holder}' '{}'", one.to),
    });
    at(finding, one.place.map(|place| place.id))
}

fn at(finding: Diagnostic, place: Option<Span>) -> Diagnostic {
    match place {
        Some(span) => finding.at(span, "imported here"),
        None => finding,
    }
}

/// What a plan of one object alone has to know: the object, what it refers to, and what of ours is
/// attached to it. Whatever else a configuration has cannot be in the way then.
pub fn around(desired: &Desired, state: &State, address: &Address) -> (Desired, State) {
    let known = Known::new(state);
    // An end that the state does not have yet comes with the link when it is imported itself.
    let there = |end: &End| match end {
        End::Ours(other) => other == address || state.entries.contains_key(other),
        End::Foreign(_) => true,
    };
    let touches = |link: &&DesiredLink| {
        let ends = [&link.owner, &link.to];
        ends.contains(&&End::Ours(address.clone())) && ends.into_iter().all(there)
    };
    let mut next = vec![address.clone()];
    for link in desired.links.iter().filter(touches) {
        next.extend([&link.owner, &link.to].into_iter().filter_map(|end| match end {
            End::Ours(address) => Some(address.clone()),
            End::Foreign(_) => None,
        }));
    }
    let elements = desired.resources.iter().filter(|r| r.address.owner() == *address);
    next.extend(elements.map(|r| r.address.clone()));
    let mut all = BTreeSet::new();
    while let Some(one) = next.pop() {
        if let Some(resource) = desired.get(&one).filter(|_| all.insert(one.clone())) {
            next.extend(parents::of(resource, &known));
        }
    }
    let kept = |r: &&DesiredResource| all.contains(&r.address);
    let resources: Vec<_> = desired.resources.iter().filter(kept).cloned().collect();
    let index = (0..).zip(&resources).map(|(at, r)| (r.address.clone(), at)).collect();
    let links: Vec<_> = desired.links.iter().filter(touches).cloned().collect();
    let mut near = state.clone();
    let attached = |address: &Address| links.iter().any(|link| link.address == *address);
    near.entries.retain(|address, _| all.contains(address) || attached(address));
    near.pending.retain(|address, _| all.contains(address) || attached(address));
    let settings = desired.settings.clone();
    let providers = desired.providers.clone();
    (Desired { resources, index, links, settings, providers, ..Desired::default() }, near)
}
