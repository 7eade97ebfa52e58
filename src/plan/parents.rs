//! What resources refer to: the order to decide in, and references that a plan would break.
//!
//! In: the configuration and who is who. Out: addresses, and findings.

use std::collections::BTreeSet;

use crate::address::Address;
use crate::config::{Desired, DesiredResource, End, trigger_edges};
use crate::diag::Diagnostics;
use crate::graph::Graph;
use crate::plan::known::Known;
use crate::plan::refusal;
use crate::value::Value;

/// Ids in the configuration that are those of our objects and will be so no longer.
pub fn ending(desired: &Desired, known: &Known, findings: &mut Diagnostics) {
    let ending = |id: &str| known.address_of(id).filter(|address| known.is_ending(address));
    for resource in &desired.resources {
        for (value, span) in resource.attrs.iter().zip(resource.spans.iter()) {
            if let Some(to) = value.as_str().filter(|s| s.len() == ID_LENGTH).and_then(ending) {
                let place = span.unwrap_or(resource.declared);
                findings.push(refusal::ending_reference(&resource.address, to, place));
            }
        }
    }
    for link in &desired.links {
        for end in [&link.owner, &link.to] {
            if let End::Foreign(id) = end
                && let Some(to) = ending(id)
            {
                findings.push(refusal::ending_reference(&link.address, to, link.declared));
            }
        }
    }
}

/// The resources in an order in which every reference and trigger points backwards. `config` refused cycles.
pub fn in_order(desired: &Desired, known: &Known) -> Vec<u32> {
    let count = desired.resources.len();
    let triggers = trigger_edges(desired);
    let mut graph = Graph::new(count + triggers.blocks.len());
    for (ix, resource) in (0u32..).zip(&desired.resources) {
        for parent in of(resource, known) {
            if let Some(parent) = desired.index.get(&parent) {
                graph.add_edge(ix, *parent, ());
            }
        }
    }
    for (from, to, _) in triggers.edges {
        graph.add_edge(from, to, ());
    }
    let mut order = graph.order().unwrap_or_else(|_| (0u32..).take(count).collect());
    // Blocks are nodes only to order their instances.
    order.retain(|at| (*at as usize) < count);
    order
}

/// Our objects that a resource refers to, also by id, and what it depends on explicitly.
pub fn of(resource: &DesiredResource, known: &Known) -> BTreeSet<Address> {
    let mut parents = BTreeSet::new();
    for value in &resource.attrs {
        collect(value, known, &mut parents);
    }
    parents.extend(resource.depends_on.iter().map(|(address, _)| address.clone()));
    parents.remove(&resource.address);
    parents
}

/// Whether a resource depends on other objects than the state says, in whatever order.
pub fn changed(resource: &DesiredResource, before: &[Address], known: &Known) -> bool {
    let now = of(resource, known);
    now.len() != before.len() || !before.iter().all(|address| now.contains(address))
}

fn collect(value: &Value, known: &Known, parents: &mut BTreeSet<Address>) {
    match value {
        Value::Object(address) | Value::Id(address) => {
            parents.insert(address.clone());
        }
        Value::Str(text) if text.len() == ID_LENGTH => {
            parents.extend(known.address_of(text).cloned());
        }
        Value::List(items) => items.iter().for_each(|item| collect(item, known, parents)),
        _ => {}
    }
}

/// Length of an id; shorter and longer texts are not looked up.
const ID_LENGTH: usize = 32;
