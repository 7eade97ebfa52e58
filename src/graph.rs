//! A directed graph of dependencies over `u32` nodes; petgraph goes no further than this file.
//!
//! In: edges from a dependent to what it depends on. Out: an order in which dependencies come
//! first, or the shortest cycle. Names of nodes are the callers' business.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};

use petgraph::Direction::{Incoming, Outgoing};
use petgraph::algo::tarjan_scc;
use petgraph::graph::{DiGraph, NodeIndex};
use petgraph::visit::EdgeRef;

/// Nodes `0..n` and edges dependent → dependency with a payload (a source span, a reason).
#[derive(Clone, Debug)]
pub struct Graph<E> {
    inner: DiGraph<(), E, u32>,
}

/// The shortest cycle: `nodes[i]` depends on `nodes[i + 1]` by `edges[i]`, the last on the first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cycle<E> {
    pub nodes: Vec<u32>,
    pub edges: Vec<E>,
}

impl<E: Clone> Graph<E> {
    pub fn new(nodes: usize) -> Self {
        let mut inner = DiGraph::with_capacity(nodes, nodes);
        (0..nodes).for_each(|_| {
            inner.add_node(());
        });
        Self { inner }
    }

    pub fn add_edge(&mut self, dependent: u32, dependency: u32, payload: E) {
        self.inner.add_edge(
            NodeIndex::new(dependent as usize),
            NodeIndex::new(dependency as usize),
            payload,
        );
    }

    pub fn dependencies(&self, node: u32) -> impl Iterator<Item = u32> + '_ {
        self.inner.neighbors_directed(NodeIndex::new(node as usize), Outgoing).map(number)
    }

    pub fn dependents(&self, node: u32) -> impl Iterator<Item = u32> + '_ {
        self.inner.neighbors_directed(NodeIndex::new(node as usize), Incoming).map(number)
    }

    /// Dependencies first; among those that are free, the smallest number first, so that the
    /// order depends on nothing but the graph.
    ///
    /// # Errors
    /// The shortest cycle.
    pub fn order(&self) -> Result<Vec<u32>, Cycle<E>> {
        let nodes = self.inner.node_count();
        let mut missing: Vec<u32> = vec![0; nodes];
        for edge in self.inner.edge_references() {
            missing[edge.source().index()] += 1;
        }
        let free = (0u32..).zip(&missing).filter(|(_, m)| **m == 0).map(|(n, _)| Reverse(n));
        let mut ready: BinaryHeap<Reverse<u32>> = free.collect();
        let mut order = Vec::with_capacity(nodes);
        while let Some(Reverse(node)) = ready.pop() {
            order.push(node);
            for dependent in self.dependents(node) {
                missing[dependent as usize] -= 1;
                if missing[dependent as usize] == 0 {
                    ready.push(Reverse(dependent));
                }
            }
        }
        if order.len() == nodes { Ok(order) } else { Err(self.shortest_cycle()) }
    }

    /// The shortest cycle through the first node (by number) of each strongly connected
    /// component; exact for the component it is found in when that is one ring.
    fn shortest_cycle(&self) -> Cycle<E> {
        let mut best: Option<Cycle<E>> = None;
        for component in tarjan_scc(&self.inner) {
            for start in component.iter().take(TRIES) {
                let found = self.cycle_through(*start);
                if let Some(cycle) =
                    found.filter(|c| best.as_ref().is_none_or(|b| c.nodes.len() < b.nodes.len()))
                {
                    best = Some(cycle);
                }
            }
        }
        best.unwrap_or(Cycle { nodes: Vec::new(), edges: Vec::new() })
    }

    fn cycle_through(&self, start: NodeIndex<u32>) -> Option<Cycle<E>> {
        let mut came: Vec<Option<petgraph::graph::EdgeIndex<u32>>> =
            vec![None; self.inner.node_count()];
        let mut queue = VecDeque::from([start]);
        while let Some(node) = queue.pop_front() {
            for edge in self.inner.edges_directed(node, Outgoing) {
                if edge.target() == start {
                    return Some(self.walk_back(start, edge.id(), &came));
                }
                if came[edge.target().index()].is_none() {
                    came[edge.target().index()] = Some(edge.id());
                    queue.push_back(edge.target());
                }
            }
        }
        None
    }

    fn walk_back(
        &self,
        start: NodeIndex<u32>,
        last: petgraph::graph::EdgeIndex<u32>,
        came: &[Option<petgraph::graph::EdgeIndex<u32>>],
    ) -> Cycle<E> {
        let (mut nodes, mut edges) = (Vec::new(), Vec::new());
        let mut at = Some(last);
        while let Some(edge) = at {
            let Some((source, _)) = self.inner.edge_endpoints(edge) else { break };
            nodes.push(number(source));
            edges.push(self.inner[edge].clone());
            at = if source == start { None } else { came[source.index()] };
        }
        nodes.reverse();
        edges.reverse();
        Cycle { nodes, edges }
    }
}

/// Starting points per component: enough to find a short ring, without a search from every one
/// of 100,000 nodes.
const TRIES: usize = 64;

fn number(node: NodeIndex<u32>) -> u32 {
    u32::try_from(node.index()).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dependencies_come_first_and_ties_by_number() {
        let mut graph = Graph::new(4);
        graph.add_edge(0, 3, ());
        graph.add_edge(1, 3, ());
        assert_eq!(graph.order(), Ok(vec![2, 3, 0, 1]));
    }

    #[test]
    fn the_shortest_ring_is_named_with_its_edges() {
        let mut graph = Graph::new(5);
        for (from, to, why) in [(0, 1, "a"), (1, 2, "b"), (2, 0, "c"), (1, 0, "d"), (4, 3, "e")] {
            graph.add_edge(from, to, why);
        }
        let cycle = graph.order().expect_err("a cycle");
        assert_eq!(cycle.nodes.len(), 2);
        assert!(cycle.edges.contains(&"a") && cycle.edges.contains(&"d"), "{cycle:?}");
    }

    #[test]
    fn a_node_that_depends_on_itself_is_a_ring_of_one() {
        let mut graph = Graph::new(1);
        graph.add_edge(0, 0, "self");
        assert_eq!(graph.order(), Err(Cycle { nodes: vec![0], edges: vec!["self"] }));
    }
}
