//! Where the steps of each change stand in a plan. In: a plan whose steps are made. Out: look-ups.

use std::collections::HashMap;

use crate::address::Address;
use crate::plan::{Op, Plan, StepIx};

/// Where the steps of a change begin and end.
#[derive(Clone, Copy, Default)]
pub struct Spot {
    /// Deletes or detaches.
    pub delete: Option<StepIx>,
    /// Creates or attaches.
    pub create: Option<StepIx>,
    /// First step that is neither.
    pub update: Option<StepIx>,
    pub last: Option<StepIx>,
}

impl Spot {
    /// The first step of bringing the object to what is desired.
    pub fn begin(&self) -> Option<StepIx> {
        self.create.or(self.update)
    }
}

/// The spots of all changes.
pub struct Spots {
    /// By index of the change, which is that of the decision.
    pub by_change: Vec<Spot>,
    pub by_address: HashMap<Address, usize>,
}

impl Spots {
    pub fn of(plan: &Plan) -> Self {
        let mut by_change = vec![Spot::default(); plan.changes.len()];
        for (ix, step) in (0u32..).map(StepIx).zip(&plan.steps) {
            let spot = &mut by_change[step.change as usize];
            let place = match step.op {
                Op::Delete | Op::Detach => &mut spot.delete,
                Op::Create | Op::Attach => &mut spot.create,
                Op::Update(_) | Op::Action(_) => &mut spot.update,
            };
            place.get_or_insert(ix);
            spot.last = Some(ix);
        }
        let addresses = plan.changes.iter().map(|c| c.address.clone());
        Self { by_change, by_address: addresses.zip(0..).collect() }
    }
    pub fn get(&self, address: &Address) -> Spot {
        self.by_address.get(address).map(|ix| self.by_change[*ix]).unwrap_or_default()
    }
}
