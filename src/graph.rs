//! Dependency graphs over numbered nodes.
//!
//! In: edges "dependent needs dependency", each with a payload that says why. Out: an order, or the
//! shortest cycle. Nodes are indices of the caller's own tables; petgraph goes no further than this
//! file. Same edges, same answers.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap, VecDeque};

use petgraph::Direction;
use petgraph::algo::tarjan_scc;
use petgraph::graph::{DiGraph, NodeIndex};
use petgraph::visit::EdgeRef;

/// A directed graph. An edge points from the dependent to its dependency.
#[derive(Clone, Debug)]
pub struct Graph<E> {
    inner: DiGraph<(), E, u32>,
}

/// A dependency, with its reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Edge<'a, E> {
    pub dependent: u32,
    pub dependency: u32,
    pub payload: &'a E,
}

/// Nodes that need each other: the dependency of each edge is the dependent of the next, that of
/// the last the dependent of the first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cycle<'a, E> {
    pub edges: Vec<Edge<'a, E>>,
}

impl<E> Graph<E> {
    /// A graph of the nodes `0..nodes` without edges.
    pub fn new(nodes: usize) -> Self {
        let mut inner = DiGraph::with_capacity(nodes, nodes);
        for _ in 0..nodes {
            inner.add_node(());
        }
        Self { inner }
    }

    pub fn len(&self) -> usize {
        self.inner.node_count()
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Adds an edge; parallel ones are kept. Nodes that do not exist are ignored.
    pub fn add_edge(&mut self, dependent: u32, dependency: u32, payload: E) {
        let known = |node: u32| (node as usize) < self.len();
        if known(dependent) && known(dependency) {
            self.inner.add_edge(
                NodeIndex::new(dependent as usize),
                NodeIndex::new(dependency as usize),
                payload,
            );
        }
    }

    /// What a node needs, with parallel edges one by one.
    pub fn dependencies(&self, node: u32) -> impl Iterator<Item = u32> {
        self.neighbours(node, Direction::Outgoing)
    }

    /// What needs a node, with parallel edges one by one.
    pub fn dependents(&self, node: u32) -> impl Iterator<Item = u32> {
        self.neighbours(node, Direction::Incoming)
    }

    fn neighbours(&self, node: u32, direction: Direction) -> impl Iterator<Item = u32> {
        self.inner.neighbors_directed(NodeIndex::new(node as usize), direction).map(number)
    }

    /// All nodes, dependencies first; among those that are ready the smallest number first.
    ///
    /// # Errors
    /// The shortest [`Cycle`] of the first tangle of nodes.
    pub fn order(&self) -> Result<Vec<u32>, Cycle<'_, E>> {
        let mut open: Vec<usize> =
            self.inner.node_indices().map(|n| self.inner.neighbors(n).count()).collect();
        let nodes = (0_u32..).zip(&open);
        let mut ready: BinaryHeap<Reverse<u32>> =
            nodes.filter(|(_, open)| **open == 0).map(|(node, _)| Reverse(node)).collect();
        let mut order = Vec::with_capacity(open.len());
        while let Some(Reverse(node)) = ready.pop() {
            order.push(node);
            for dependent in self.dependents(node) {
                let left = &mut open[dependent as usize];
                *left -= 1;
                if *left == 0 {
                    ready.push(Reverse(dependent));
                }
            }
        }
        if order.len() == open.len() { Ok(order) } else { Err(self.shortest_cycle()) }
    }

    /// A shortest cycle within the strongly connected component that has the smallest node.
    fn shortest_cycle(&self) -> Cycle<'_, E> {
        let tangled = |nodes: &Vec<NodeIndex<u32>>| {
            nodes.len() > 1 || nodes.iter().any(|n| self.inner.contains_edge(*n, *n))
        };
        let components = tarjan_scc(&self.inner).into_iter().filter(tangled);
        let Some(mut nodes) = components.min_by_key(|nodes| nodes.iter().map(|n| n.index()).min())
        else {
            return Cycle { edges: Vec::new() };
        };
        nodes.sort_unstable();
        let member: HashMap<_, _> = nodes.iter().map(|n| (*n, ())).collect();
        let mut best: Option<Vec<Edge<'_, E>>> = None;
        for start in nodes.into_iter().take(STARTS) {
            let found = self.way_back(start, &member);
            if best.as_ref().is_none_or(|b| found.len() < b.len()) {
                best = Some(found);
            }
            if best.as_ref().is_some_and(|b| b.len() <= 2) {
                break;
            }
        }
        Cycle { edges: best.unwrap_or_default() }
    }

    /// Breadth first from a node back to itself, inside its component.
    fn way_back(
        &self,
        start: NodeIndex<u32>,
        member: &HashMap<NodeIndex<u32>, ()>,
    ) -> Vec<Edge<'_, E>> {
        let mut came_by = HashMap::new();
        let mut queue = VecDeque::from([start]);
        while let Some(node) = queue.pop_front() {
            // petgraph lists the newest edge first; the oldest is what people wrote first.
            let mut edges: Vec<_> = self.inner.edges(node).collect();
            edges.sort_by_key(|e| e.id());
            for edge in edges {
                let to = edge.target();
                if to == start {
                    let mut path = vec![edge];
                    let mut at = node;
                    while at != start {
                        let Some(edge) = came_by.get(&at).copied() else { break };
                        path.push(edge);
                        at = edge.source();
                    }
                    path.reverse();
                    return path
                        .into_iter()
                        .map(|e| Edge {
                            dependent: number(e.source()),
                            dependency: number(e.target()),
                            payload: e.weight(),
                        })
                        .collect();
                }
                if member.contains_key(&to) && !came_by.contains_key(&to) {
                    came_by.insert(to, edge);
                    queue.push_back(to);
                }
            }
        }
        Vec::new()
    }
}

/// A search from every node of a huge tangle would be quadratic; from this many starts the result
/// is short enough to read.
const STARTS: usize = 256;

fn number(node: NodeIndex<u32>) -> u32 {
    // The graph's own index type is u32.
    u32::try_from(node.index()).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn graph(nodes: usize, edges: &[(u32, u32)]) -> Graph<()> {
        let mut graph = Graph::new(nodes);
        edges.iter().for_each(|(a, b)| graph.add_edge(*a, *b, ()));
        graph
    }

    #[test]
    fn dependencies_come_first_and_ties_go_by_number() {
        assert_eq!(graph(5, &[(0, 3), (3, 4), (1, 4)]).order().expect("no cycle"), [2, 4, 1, 3, 0]);
    }

    #[test]
    fn the_shortest_cycle_is_told_with_its_edges() {
        let mut graph = Graph::new(6);
        for (at, (a, b)) in [(0, 1), (1, 2), (2, 3), (3, 0), (2, 1), (4, 0)].into_iter().enumerate()
        {
            graph.add_edge(a, b, at);
        }
        let cycle = graph.order().expect_err("a cycle");
        let seen: Vec<_> =
            cycle.edges.iter().map(|e| (e.dependent, e.dependency, *e.payload)).collect();
        assert_eq!(seen, [(1, 2, 1), (2, 1, 4)]);
    }

    #[test]
    fn a_node_that_needs_itself_is_a_cycle_of_one() {
        let graph = graph(2, &[(1, 1)]);
        assert_eq!(graph.order().expect_err("a cycle").edges.len(), 1);
    }

    proptest! {
        #[test]
        fn an_order_or_a_true_cycle(edges in prop::collection::vec((0_u32..12, 0_u32..12), 0..30)) {
            let graph = graph(12, &edges);
            match graph.order() {
                Ok(order) => {
                    let at = |n: u32| order.iter().position(|o| *o == n);
                    prop_assert_eq!(order.len(), 12);
                    prop_assert!(edges.iter().all(|(a, b)| at(*b) < at(*a)));
                }
                Err(cycle) => {
                    prop_assert!(!cycle.edges.is_empty());
                    let next = cycle.edges.iter().cycle().skip(1);
                    for (edge, next) in cycle.edges.iter().zip(next) {
                        prop_assert!(edges.contains(&(edge.dependent, edge.dependency)));
                        prop_assert_eq!(edge.dependency, next.dependent);
                    }
                }
            }
        }
    }
}
