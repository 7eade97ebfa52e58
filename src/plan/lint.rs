//! The last check of a plan before anybody sees it: whatever stage made a mistake, it stops here.
//!
//! In: a plan. Out: nothing, or the ring of steps that wait for each other.

use std::collections::BTreeSet;

use crate::diag::Diagnostic;
use crate::graph::Graph;
use crate::plan::{Op, Plan, Step};

/// Checks that the steps can be run in some order.
///
/// # Errors
/// The shortest ring of steps, each with what it does.
pub fn check(plan: &Plan) -> Result<(), Diagnostic> {
    let steps = plan.steps.len();
    let mut graph = Graph::new(steps + plan.gates.len());
    let node = |gate: usize| u32::try_from(steps + gate).unwrap_or(u32::MAX);
    for (ix, step) in (0u32..).zip(&plan.steps) {
        step.after.iter().for_each(|before| graph.add_edge(ix, before.0, ()));
        step.gates.iter().for_each(|gate| graph.add_edge(ix, node(gate.0 as usize), ()));
    }
    for (gate, barrier) in plan.gates.iter().enumerate() {
        barrier.after.iter().for_each(|before| graph.add_edge(node(gate), before.0, ()));
    }
    match graph.order() {
        Ok(_) => Ok(()),
        Err(cycle) => {
            let nodes = cycle.edges.iter().map(|edge| edge.dependent);
            let ring: Vec<_> = nodes.filter_map(|n| plan.steps.get(n as usize)).collect();
            Err(places(plan, &ring, ring_of(&ring)))
        }
    }
}

/// Where the changes of a ring are declared.
fn places(plan: &Plan, ring: &[&Step], finding: Diagnostic) -> Diagnostic {
    let changes: BTreeSet<u32> = ring.iter().map(|step| step.change).collect();
    changes.iter().fold(finding, |finding, change| {
        let change = &plan.changes[*change as usize];
        match change.origin {
            Some(span) => finding.at(span, format!("`{}`", change.address)),
            None => finding,
        }
    })
}

fn ring_of(ring: &[&Step]) -> Diagnostic {
    let lines: Vec<String> =
        ring.iter().map(|step| format!("  {} of {}", verb(&step.op), step.address)).collect();
    let mut addresses: Vec<&str> = ring.iter().map(|step| step.address.as_str()).collect();
    addresses.sort_unstable();
    addresses.dedup();
    Diagnostic::error("ring_of_steps", "these changes wait for each other")
        .detail(format!("Each needs what the next one gives up:\n{}", lines.join("\n")))
        .help(format!(
            "change one of them ({}) to a free value first, apply, then to the value you want",
            addresses.join(", ")
        ))
}

/// What a step does, for people.
pub fn verb(op: &Op) -> String {
    match op {
        Op::Create => "create".to_owned(),
        Op::Update(name) => format!("update ({name})"),
        Op::Delete => "delete".to_owned(),
        Op::Attach => "attach".to_owned(),
        Op::Detach => "detach".to_owned(),
        Op::Action(name) => name.clone(),
    }
}
