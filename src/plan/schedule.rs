//! Which step may run when: a state machine without clock or I/O.
//!
//! In: a plan, then `ready`, `effective` and `finished` as things happen. Out: steps to start and
//! steps that will not run, with the reason. Ready steps run longest-remaining-path first; steps
//! that make a host unavailable run a few per cluster at a time, and a failure among them stops
//! the next ones there.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap, HashMap, HashSet};
use std::sync::Arc;

use crate::address::Address;
use crate::plan::{Op, Plan, Step, StepIx};

/// Why a step will not run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Because {
    /// A step of this object, which it waits for, failed.
    Failed(Address),
    /// A host of this neighbourhood failed to come back.
    Neighbourhood(Arc<str>),
    /// The run was stopped.
    Stopped,
}

/// The state of a run.
pub struct Schedule<'p> {
    plan: &'p Plan,
    /// Per node (steps, then gates): unmet requirements.
    missing: Vec<u32>,
    /// Per node: who waits for it.
    waiting: Waiting,
    state: Vec<Phase>,
    priority: Vec<u64>,
    ready: BinaryHeap<(u64, Reverse<u32>)>,
    /// Ready steps whose neighbourhood is busy.
    parked: BTreeMap<Arc<str>, BTreeSet<(Reverse<u64>, u32)>>,
    busy: HashMap<Arc<str>, u32>,
    /// Steps by neighbourhood, for the first failure there.
    neighbours: HashMap<Arc<str>, Vec<u32>>,
    /// Changes whose object is away between two of their steps.
    away: HashSet<u32>,
    max_unavailable: u32,
    open: usize,
    running: usize,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Phase {
    Waiting,
    Running,
    /// Its effect is there; others may build on it, but it is not verified yet.
    Effective,
    Over,
}

impl<'p> Schedule<'p> {
    pub fn new(plan: &'p Plan, max_unavailable: u32) -> Self {
        let waiting = Waiting::of(plan);
        let nodes = plan.steps.len() + plan.gates.len();
        let mut missing = vec![0u32; nodes];
        for list in &waiting.lists {
            missing[*list as usize] += 1;
        }
        let mut schedule = Self {
            plan,
            priority: remaining(plan, &waiting),
            missing,
            waiting,
            state: vec![Phase::Waiting; nodes],
            ready: BinaryHeap::new(),
            parked: BTreeMap::new(),
            busy: HashMap::new(),
            neighbours: neighbours(plan),
            away: HashSet::new(),
            max_unavailable: max_unavailable.max(1),
            open: plan.steps.len(),
            running: 0,
        };
        for node in (0u32..).take(nodes) {
            if schedule.missing[node as usize] == 0 {
                schedule.enable(node);
            }
        }
        schedule
    }

    /// The next step to start, if any may start now. It counts as running from here on.
    pub fn ready(&mut self) -> Option<StepIx> {
        while let Some((priority, Reverse(ix))) = self.ready.pop() {
            if self.state[ix as usize] == Phase::Waiting && self.may_disrupt(ix, priority) {
                return Some(self.start(ix));
            }
        }
        if self.running > 0 {
            return None;
        }
        // An object that is away waits for one that may not go away before it is back: rather one
        // too many than a run that never ends.
        while let Some((_, ix)) = self.parked.values_mut().find_map(BTreeSet::pop_first) {
            if self.state[ix as usize] == Phase::Waiting {
                self.enter(ix);
                return Some(self.start(ix));
            }
        }
        None
    }

    fn start(&mut self, ix: u32) -> StepIx {
        self.state[ix as usize] = Phase::Running;
        self.running += 1;
        StepIx(ix)
    }

    /// Takes a place in the step's neighbourhood; parks the step when there is none.
    fn may_disrupt(&mut self, ix: u32, priority: u64) -> bool {
        let step = &self.plan.steps[ix as usize];
        let Some(scope) = &step.disrupts else { return true };
        let back = self.away.contains(&step.change);
        if !back && self.busy.get(scope).copied().unwrap_or(0) >= self.max_unavailable {
            self.parked.entry(scope.clone()).or_default().insert((Reverse(priority), ix));
            return false;
        }
        self.enter(ix);
        true
    }

    /// One more unavailable, unless the object is away already.
    fn enter(&mut self, ix: u32) {
        let step = &self.plan.steps[ix as usize];
        if let Some(scope) = &step.disrupts
            && !self.away.remove(&step.change)
        {
            *self.busy.entry(scope.clone()).or_default() += 1;
        }
    }

    /// The step's effect is there (its job is done): other objects that wait for it may go on,
    /// while the step itself is still being read back. The next step of the same object waits
    /// for that: it may build on an attribute, not only on the id.
    pub fn effective(&mut self, step: StepIx) {
        if self.state[step.0 as usize] == Phase::Running {
            self.state[step.0 as usize] = Phase::Effective;
            self.release(step.0, |own| !own);
        }
    }

    /// The step is over. Returns the steps that will not run because of it.
    pub fn finished(&mut self, step: StepIx, succeeded: bool) -> Vec<(StepIx, Because)> {
        let phase = std::mem::replace(&mut self.state[step.0 as usize], Phase::Over);
        self.open -= 1;
        self.running -= 1;
        let mut skipped = Vec::new();
        if succeeded {
            self.release(step.0, |own| own || phase == Phase::Running);
        }
        let of = &self.plan.steps[step.0 as usize];
        if !succeeded {
            self.skip_dependants(step.0, &Because::Failed(of.address.clone()), &mut skipped);
        }
        if let Some(scope) = &of.disrupts {
            if succeeded && of.stays_away {
                self.away.insert(of.change);
            } else {
                self.leave(scope, succeeded, &mut skipped);
            }
        }
        self.never_back(&mut skipped);
        skipped
    }

    /// Starts nothing new. Returns the steps that will not run.
    pub fn stop(&mut self) -> Vec<(StepIx, Because)> {
        let mut skipped = Vec::new();
        for ix in (0u32..).take(self.plan.steps.len()) {
            self.skip(ix, &Because::Stopped, &mut skipped);
        }
        skipped
    }

    /// Whether every step has run or been skipped.
    pub fn is_over(&self) -> bool {
        self.open == 0
    }
    /// Steps that have started and are not over.
    pub fn running(&self) -> usize {
        self.running
    }

    fn enable(&mut self, node: u32) {
        if (node as usize) < self.plan.steps.len() {
            self.ready.push((self.priority[node as usize], Reverse(node)));
        } else if self.state[node as usize] == Phase::Waiting {
            self.state[node as usize] = Phase::Over;
            self.release(node, |_| true);
        }
    }

    /// Tells those that wait for a node; `wanted` is asked whether also a step of the same object.
    fn release(&mut self, node: u32, wanted: impl Fn(bool) -> bool) {
        for at in self.waiting.range(node) {
            let next = self.waiting.lists[at];
            if !wanted(self.same_object(node, next)) {
                continue;
            }
            self.missing[next as usize] -= 1;
            if self.missing[next as usize] == 0 {
                self.enable(next);
            }
        }
    }

    /// An object that is away and whose next step was skipped does not come back in this run.
    fn never_back(&mut self, skipped: &mut Vec<(StepIx, Because)>) {
        let mut at = 0;
        while let Some((StepIx(ix), _)) = skipped.get(at).cloned() {
            let step = &self.plan.steps[ix as usize];
            if let Some(scope) = &step.disrupts
                && self.away.remove(&step.change)
            {
                self.leave(scope, false, skipped);
            }
            at += 1;
        }
    }

    fn same_object(&self, a: u32, b: u32) -> bool {
        let change = |ix: u32| self.plan.steps.get(ix as usize).map(|step| step.change);
        change(a).is_some() && change(a) == change(b)
    }

    /// One fewer unavailable in this neighbourhood; after a failure nobody else there is touched.
    fn leave(&mut self, scope: &Arc<str>, succeeded: bool, skipped: &mut Vec<(StepIx, Because)>) {
        if let Some(busy) = self.busy.get_mut(scope) {
            *busy -= 1;
        }
        if !succeeded {
            for ix in self.neighbours.remove(scope).unwrap_or_default() {
                let because = Because::Neighbourhood(scope.clone());
                if self.skip(ix, &because, skipped) {
                    self.skip_dependants(ix, &because, skipped);
                }
            }
        }
        for (Reverse(priority), ix) in self.parked.remove(scope).unwrap_or_default() {
            self.ready.push((priority, Reverse(ix)));
        }
    }

    fn skip_dependants(
        &mut self,
        node: u32,
        because: &Because,
        skipped: &mut Vec<(StepIx, Because)>,
    ) {
        let mut queue = vec![node];
        while let Some(node) = queue.pop() {
            for at in self.waiting.range(node) {
                let next = self.waiting.lists[at];
                if (next as usize) >= self.plan.steps.len() {
                    if self.state[next as usize] == Phase::Waiting {
                        self.state[next as usize] = Phase::Over;
                        queue.push(next);
                    }
                } else if self.skip(next, because, skipped) {
                    queue.push(next);
                }
            }
        }
    }

    fn skip(&mut self, ix: u32, because: &Because, skipped: &mut Vec<(StepIx, Because)>) -> bool {
        if self.state[ix as usize] != Phase::Waiting {
            return false;
        }
        self.state[ix as usize] = Phase::Over;
        self.open -= 1;
        skipped.push((StepIx(ix), because.clone()));
        true
    }
}

fn neighbours(plan: &Plan) -> HashMap<Arc<str>, Vec<u32>> {
    let mut neighbours: HashMap<Arc<str>, Vec<u32>> = HashMap::new();
    for (ix, step) in (0u32..).zip(&plan.steps) {
        if let Some(scope) = &step.disrupts {
            neighbours.entry(scope.clone()).or_default().push(ix);
        }
    }
    neighbours
}

/// Who waits for whom, as one flat list per node.
struct Waiting {
    starts: Vec<u32>,
    lists: Vec<u32>,
}

impl Waiting {
    fn of(plan: &Plan) -> Self {
        let steps = plan.steps.len();
        let mut starts = vec![0u32; steps + plan.gates.len() + 1];
        edges(plan, |before, _| starts[before as usize + 1] += 1);
        for at in 1..starts.len() {
            starts[at] += starts[at - 1];
        }
        let mut next = starts.clone();
        let mut lists = vec![0u32; starts.last().copied().unwrap_or(0) as usize];
        edges(plan, |before, after| {
            lists[next[before as usize] as usize] = after;
            next[before as usize] += 1;
        });
        Self { starts, lists }
    }
    fn range(&self, node: u32) -> std::ops::Range<usize> {
        self.starts[node as usize] as usize..self.starts[node as usize + 1] as usize
    }
}

/// All edges as (before, after) over steps and, behind them, gates.
fn edges(plan: &Plan, mut edge: impl FnMut(u32, u32)) {
    let steps = u32::try_from(plan.steps.len()).unwrap_or(u32::MAX);
    for (ix, step) in (0u32..).zip(&plan.steps) {
        step.after.iter().for_each(|before| edge(before.0, ix));
        step.gates.iter().for_each(|gate| edge(steps + gate.0, ix));
    }
    for (ix, gate) in (steps..).zip(&plan.gates) {
        gate.after.iter().for_each(|before| edge(before.0, ix));
    }
}

/// Length of the longest path that hangs on each node, in rough units of time.
fn remaining(plan: &Plan, waiting: &Waiting) -> Vec<u64> {
    let order = topological(plan, waiting);
    let mut length = vec![0u64; waiting.starts.len() - 1];
    for node in order.iter().rev() {
        let own = plan.steps.get(*node as usize).map_or(0, cost);
        let rest = waiting.range(*node).map(|at| length[waiting.lists[at] as usize]).max();
        length[*node as usize] = own + rest.unwrap_or(0);
    }
    length
}

/// A call that waits for an object to come up takes minutes, others seconds (reference 3.3).
fn cost(step: &Step) -> u64 {
    const SLOW: u64 = 60;
    match (&step.op, step.wait.is_empty()) {
        (Op::Create | Op::Update(_) | Op::Action(_), false) => SLOW,
        _ => 1,
    }
}

fn topological(plan: &Plan, waiting: &Waiting) -> Vec<u32> {
    let nodes = waiting.starts.len() - 1;
    let mut missing = vec![0u32; nodes];
    edges(plan, |_, after| missing[after as usize] += 1);
    let mut order: Vec<u32> = (0u32..).take(nodes).filter(|n| missing[*n as usize] == 0).collect();
    let mut at = 0;
    while at < order.len() {
        for next in waiting.range(order[at]) {
            let next = waiting.lists[next];
            missing[next as usize] -= 1;
            if missing[next as usize] == 0 {
                order.push(next);
            }
        }
        at += 1;
    }
    order
}

/// All steps in an order in which they could be run one by one.
pub fn in_order(plan: &Plan) -> Vec<StepIx> {
    let steps = u32::try_from(plan.steps.len()).unwrap_or(u32::MAX);
    let order = topological(plan, &Waiting::of(plan));
    order.into_iter().filter(|n| *n < steps).map(StepIx).collect()
}
