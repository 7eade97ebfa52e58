//! `replace_triggered_by` as edges: what must be decided before what.
//!
//! In: the desired resources. Out: edges between their positions. A block with instances is one
//! node between those that wait for it and its instances, so that there are sums of edges, never
//! products.

use std::collections::HashMap;

use super::Desired;
use crate::address::Address;
use crate::diag::Span;

/// Edges over the resources and, numbered after them, blocks.
#[derive(Default)]
pub struct TriggerEdges {
    /// Blocks that something waits for as a whole.
    pub blocks: Vec<Address>,
    /// Dependent, dependency, and where the trigger stands.
    pub edges: Vec<(u32, u32, Span)>,
}

/// The edges of all triggers.
pub fn trigger_edges(desired: &Desired) -> TriggerEdges {
    let mut out = TriggerEdges::default();
    let first = u32::try_from(desired.resources.len()).unwrap_or(u32::MAX);
    let mut nodes: HashMap<Address, (u32, Span)> = HashMap::new();
    for (at, resource) in (0_u32..).zip(&desired.resources) {
        for trigger in &resource.replaced_by[..] {
            let Some(of) = trigger.of.address() else { continue };
            let node = match desired.index.get(&of) {
                Some(node) => *node,
                None => {
                    let next = first.saturating_add(u32::try_from(nodes.len()).unwrap_or(u32::MAX));
                    let (node, _) = nodes.entry(of.clone()).or_insert_with(|| {
                        out.blocks.push(of);
                        (next, trigger.span)
                    });
                    *node
                }
            };
            out.edges.push((at, node, trigger.span));
        }
    }
    if nodes.is_empty() {
        return out;
    }
    for (at, resource) in (0_u32..).zip(&desired.resources) {
        let keyed = resource.address.key().is_some() && resource.address.member_of().is_none();
        let node = keyed.then(|| nodes.get(&resource.address.block())).flatten();
        if let Some((node, span)) = node {
            out.edges.push((*node, at, *span));
        }
    }
    out
}
