//! Decisions → changes to read and steps to run.
//!
//! Every step is a complete request template with what must be true afterwards; the executor
//! adds nothing. Edges between the steps of one object are set here, all others in `order`.

use std::collections::HashMap;
use std::sync::Arc;

use crate::address::Address;
use crate::config::{DesiredResource, End};
use crate::plan::decide::{Decision, Draft, LinkEnds};
use crate::plan::known::Known;
use crate::plan::phases::{Phases, sends_element};
use crate::plan::{Action, Change, Inputs, Note, Op, Plan, Record, Step, StepIx};
use crate::plan::{diff, parents, record};
use crate::schema::{
    ActionIx, AttrIx, Call, Casualty, Condition, IdRule, Kind, PartIx, ResourceType, Schemas,
    SendSource, Side, Wait,
};
use crate::state::identity::client_id;
use crate::value::Value;
use crate::wire::RequestTemplate;
use crate::wire::encode::{self, Subject};

/// Makes changes and steps of all decisions, in address order.
pub fn build(inputs: &Inputs<'_>, draft: &mut Draft<'_>) -> Plan {
    let mut plan = Plan {
        drift: std::mem::take(&mut draft.drift),
        notes: std::mem::take(&mut draft.notes),
        unchanged: draft.unchanged,
        refreshed: std::mem::take(&mut draft.refreshed),
        destroy: inputs.options.destroy,
        ..Plan::default()
    };
    let fates = draft.decisions.iter().map(|d| (d.address.clone(), d.action)).collect();
    let elements = elements(inputs);
    for decision in &draft.decisions {
        let change = u32::try_from(plan.changes.len()).unwrap_or(u32::MAX);
        plan.changes.push(change_of(inputs, draft, decision));
        let known = &draft.known;
        let around = Around { fates: &fates, elements: &elements };
        let mut maker =
            Maker { inputs, known, decision, around, change, plan: &mut plan, previous: None };
        match &decision.link {
            Some(ends) => maker.link(ends),
            None => maker.resource(),
        }
        maker.finish();
    }
    plan
}

fn change_of(inputs: &Inputs<'_>, draft: &Draft<'_>, decision: &Decision<'_>) -> Change {
    Change {
        address: decision.address.clone(),
        importing: draft.imports.is_open(&decision.address) && decision.live.is_some(),
        previous: inputs.moved.get(&decision.address).cloned(),
        ty: decision.ty,
        provider: decision.provider.clone(),
        action: decision.action,
        reason: decision.reason.clone(),
        protection: decision.protection(),
        diffs: decision.differences.iter().map(|d| d.diff.clone()).collect(),
        id: known_id(draft, decision),
        predicted: predicted(inputs, decision),
        owner_id: decision.link.as_ref().and_then(|ends| id_of(draft, &ends.owner)),
        origin: decision.origin,
        record: record_of(inputs, draft, decision),
        seen: seen(inputs.schemas, decision),
        last: record::last(inputs.schemas.get(decision.ty), decision.prior, decision.action),
        casualties: Vec::new(),
    }
}

/// For what changes only in the state, or enters it before anything is sent: the attributes that
/// it will hold. For what goes: those that its casualties are counted by.
fn seen(schemas: &Schemas, decision: &Decision<'_>) -> Vec<(Arc<str>, Value)> {
    let ty = schemas.get(decision.ty);
    match (&decision.live, decision.action) {
        (Some(live), action)
            if decision.prior.is_none() || matches!(action, Action::Adopt | Action::Record) =>
        {
            record::seen(ty, decision.desired.map(|d| &d.attrs), &live.attrs)
        }
        // What counts its casualties by an attribute needs the value that goes.
        (Some(live), Action::Delete | Action::Replace)
            if ty.cascade.iter().any(Casualty::names_an_attribute) =>
        {
            record::seen(ty, None, &live.attrs)
        }
        _ => Vec::new(),
    }
}

/// The id of the object that a change is about; for an attachment that of the other end.
fn known_id(draft: &Draft<'_>, decision: &Decision<'_>) -> Option<Arc<str>> {
    match &decision.link {
        Some(ends) => id_of(draft, &ends.to),
        None if decision.action == Action::Create => None,
        None => draft.known.current(&decision.address).cloned(),
    }
}

/// The id of the object that a create will make.
fn predicted(inputs: &Inputs<'_>, decision: &Decision<'_>) -> Option<Arc<str>> {
    let ours = matches!(inputs.schemas.get(decision.ty).id, IdRule::Client { .. });
    let creates = matches!(decision.action, Action::Create | Action::Replace);
    let lineage = &inputs.state.lineage;
    (ours && creates && decision.link.is_none() && !lineage.is_empty())
        .then(|| client_id(lineage, &decision.address, decision.incarnation))
}

fn id_of(draft: &Draft<'_>, end: &End) -> Option<Arc<str>> {
    match end {
        End::Ours(address) => draft.known.current(address).cloned(),
        End::Foreign(id) => Some(id.clone()),
    }
}

fn record_of(inputs: &Inputs<'_>, draft: &Draft<'_>, decision: &Decision<'_>) -> Record {
    let ty = inputs.schemas.get(decision.ty);
    let mut record = Record {
        kind: ty.name.clone(),
        schema_version: ty.version,
        declared_by: decision.declared_by.clone(),
        incarnation: decision.incarnation,
        ..Record::default()
    };
    if let Some(desired) = decision.desired {
        record.dependencies = parents::of(desired, &draft.known).into_iter().collect();
        record.prevent_destroy = desired.lifecycle.prevent_destroy;
        record.secrets = secrets(ty, desired);
        record.unique = record::unique(ty, desired);
    } else if let Some(ends) = &decision.link {
        record.dependencies =
            [&ends.owner, &ends.to].into_iter().filter_map(ours).cloned().collect();
    } else if let Some(prior) = decision.prior {
        record.dependencies.clone_from(&prior.dependencies);
        record.prevent_destroy = prior.prevent_destroy;
    } else if let Some(pending) = inputs.state.pending.get(&decision.address) {
        // Without them what a dead runner left half made would be deleted in any order.
        record.dependencies.clone_from(&pending.dependencies);
    }
    if let (Some(prior), Action::Update) = (decision.prior, decision.action) {
        record.owed.clone_from(&prior.owed);
    }
    record
}

fn ours(end: &End) -> Option<&Address> {
    match end {
        End::Ours(address) => Some(address),
        End::Foreign(_) => None,
    }
}

fn secrets(ty: &ResourceType, desired: &DesiredResource) -> Vec<Arc<str>> {
    ty.attrs()
        .zip(&desired.attrs)
        .filter(|((_, attr), value)| attr.unread() && !value.is_null())
        .map(|((_, attr), _)| attr.name.clone())
        .collect()
}

/// The elements of the configuration, by what owns them.
type Elements<'a> = HashMap<Address, Vec<(PartIx, &'a DesiredResource)>>;

fn elements<'a>(inputs: &Inputs<'a>) -> Elements<'a> {
    let mut elements = Elements::new();
    for resource in &inputs.desired.resources {
        if let Some(of) = &inputs.schemas.get(resource.ty).part_of {
            elements.entry(resource.address.owner()).or_default().push((of.part, resource));
        }
    }
    elements
}

/// What the steps of a change must know of others.
#[derive(Clone, Copy)]
struct Around<'a, 'b> {
    /// What happens to the other objects.
    fates: &'a HashMap<Address, Action>,
    elements: &'a Elements<'b>,
}

/// Appends the steps of one change, each after the one before.
struct Maker<'a, 'b> {
    inputs: &'a Inputs<'b>,
    around: Around<'a, 'b>,
    known: &'a Known,
    decision: &'a Decision<'b>,
    change: u32,
    plan: &'a mut Plan,
    previous: Option<StepIx>,
}

impl<'b> Maker<'_, 'b> {
    fn ty(&self) -> &'b Arc<ResourceType> {
        let schemas: &'b Schemas = self.inputs.schemas;
        schemas.get(self.decision.ty)
    }

    fn resource(&mut self) {
        let ty = self.ty();
        match self.decision.action {
            Action::Create => self.create(ty),
            Action::Update => self.update(ty),
            // With its owner went the old element.
            Action::Replace if self.goes_with_owner(&[Action::Replace]) => self.create(ty),
            Action::Replace => {
                self.delete(ty);
                let gone = self.previous;
                self.create(ty);
                self.away_between(gone);
            }
            Action::Delete => self.delete(ty),
            Action::Adopt | Action::Forget | Action::Record => {}
        }
    }

    /// For an element: whether one of these things happens to its owner.
    fn owner_is(&self, actions: &[Action]) -> bool {
        let owner = self.decision.address.owner();
        let fate = self.around.fates.get(&owner);
        self.ty().part_of.is_some() && fate.is_some_and(|fate| actions.contains(fate))
    }

    /// The same, where that takes the element away: one that is only forgotten or found elsewhere
    /// keeps what it has.
    fn goes_with_owner(&self, actions: &[Action]) -> bool {
        let of = self.ty().part_of.as_ref();
        let owner = of.and_then(|of| self.inputs.schemas.by_name(&of.owner));
        owner.is_some_and(|owner| owner.delete.is_some()) && self.owner_is(actions)
    }

    /// Whether an element is created by the call that creates its owner.
    fn comes_with_owner(&self) -> bool {
        let Some(of) = &self.ty().part_of else { return false };
        let owner = self.inputs.schemas.by_name(&of.owner).and_then(|ty| ty.create.as_ref());
        let sends = owner.is_some_and(|call| {
            call.send.iter().any(|s| s.source == SendSource::Elements(of.part))
        });
        sends && self.owner_is(&[Action::Create, Action::Replace])
    }

    fn create(&mut self, ty: &ResourceType) {
        let Some(desired) = self.decision.desired else { return };
        let carried = self.comes_with_owner();
        let call = ty.create.as_ref().filter(|_| !carried);
        if call.is_none() && !carried && ty.id != IdRule::Found {
            return;
        }
        let whole = carried || call.is_some_and(sends_element);
        let sends =
            |ix: AttrIx| (whole && ty.in_element(ix)) || call.is_some_and(|call| call.sends(ix));
        let sent = set_attrs(ty, desired, sends);
        let request = call.map(|call| encode::create(self.subject(ty, desired), call));
        let mut step = self.step(Op::Create, call, request);
        step.expect = diff::expected(ty, &desired.attrs, &sent);
        step.confirms = confirmed(ty, &sent);
        step.deadline = self.deadline("create");
        self.push(step);
        // What `create` does not take is sent by the `update` that does.
        let rest = set_attrs(ty, desired, |ix| !sends(ix) && ty.updatable(ix));
        self.updates(ty, desired, &rest);
    }

    fn subject<'s>(&'s self, ty: &'s ResourceType, desired: &'s DesiredResource) -> Subject<'s> {
        let elements = self.around.elements.get(&desired.address);
        Subject {
            live: self.decision.live.as_ref().map(|live| &live.attrs),
            elements: elements.map(Vec::as_slice).unwrap_or_default(),
            ..Subject::new(ty, &desired.address, &desired.attrs)
        }
    }

    fn update(&mut self, ty: &ResourceType) {
        let Some(desired) = self.decision.desired else { return };
        let changed: Vec<AttrIx> = self.decision.differences.iter().map(|d| d.attr).collect();
        self.updates(ty, desired, &changed);
    }

    fn updates(&mut self, ty: &ResourceType, desired: &DesiredResource, changed: &[AttrIx]) {
        let phases = Phases::of(ty, desired, changed, self.decision);
        for call in &phases.first {
            self.one_update(ty, desired, call, changed, &phases);
        }
        for call in &phases.middle {
            self.one_update(ty, desired, call, changed, &phases);
        }
        if phases.deferred {
            if !phases.then.is_empty() {
                self.note_deferred(ty, &phases);
            }
        } else {
            for action in &phases.then {
                self.then(ty, desired, *action, &phases);
            }
        }
        for call in &phases.last {
            self.one_update(ty, desired, call, changed, &phases);
        }
    }

    fn one_update(
        &mut self,
        ty: &ResourceType,
        desired: &DesiredResource,
        call: &Call,
        changed: &[AttrIx],
        phases: &Phases<'_>,
    ) {
        let sent: Vec<AttrIx> = changed.iter().copied().filter(|ix| call.sends(*ix)).collect();
        let request = encode::update(self.subject(ty, desired), call, &sent);
        let name = call.body.clone().unwrap_or_else(|| "update".to_owned());
        let disrupts = !call.cascade.is_empty();
        let mut step = self.step(Op::Update(name), Some(call), Some(request));
        step.expect = diff::expected(ty, &desired.attrs, &sent);
        // A secret is proven by the action that uses it; without one, by the call itself.
        if call.then.is_empty() || phases.deferred {
            step.confirms = confirmed(ty, &sent);
        }
        step.disrupts = disrupts.then(|| self.neighbourhood()).flatten();
        step.deadline = self.deadline("update");
        self.push(step);
    }

    fn then(
        &mut self,
        ty: &ResourceType,
        desired: &DesiredResource,
        action: ActionIx,
        phases: &Phases<'_>,
    ) {
        let def = ty.action(action);
        // The actions of an element are its owner's. What they wait for is the owner's too; the
        // job alone says here that it is done.
        let element = ty.part_of.is_some();
        let on = if element { desired.address.owner() } else { desired.address.clone() };
        let request = encode::bare(&on, &def.call);
        let op = Op::Action(def.name.to_string());
        let mut step = self.step(op, Some(&def.call).filter(|_| !element), Some(request));
        step.confirms = confirmed(ty, &phases.proven);
        step.disrupts = self.neighbourhood();
        step.deadline = self.deadline("update");
        self.push(step);
    }

    fn delete(&mut self, ty: &ResourceType) {
        let goes_along = self.goes_with_owner(&[Action::Delete, Action::Replace]);
        let call = ty.delete.as_ref().filter(|_| !goes_along);
        let request = match (call, &self.decision.live) {
            (Some(call), Some(live)) if ty.part_of.is_some() => {
                Some(encode::remove(Subject::new(ty, &self.decision.address, &live.attrs), call))
            }
            (Some(call), _) => Some(encode::bare(&self.decision.address, call)),
            (None, _) if goes_along => None,
            (None, _) => return,
        };
        let mut step = self.step(Op::Delete, call, request);
        step.disrupts = self.neighbourhood();
        step.deadline = self.deadline("delete");
        self.push(step);
    }

    /// The object counts as unavailable from its delete to the end of the step that follows.
    fn away_between(&mut self, delete: Option<StepIx>) {
        let Some(StepIx(delete)) = delete else { return };
        let scope = self.plan.steps[delete as usize].disrupts.clone();
        if let (Some(scope), Some(create)) = (scope, self.plan.steps.get_mut(delete as usize + 1)) {
            create.disrupts = Some(scope);
            self.plan.steps[delete as usize].stays_away = true;
        }
    }

    fn link(&mut self, ends: &LinkEnds) {
        let Side::Owner { attach, detach, .. } = &self.ty().link(ends.link).side else { return };
        let action = self.decision.action;
        if matches!(action, Action::Delete | Action::Replace) {
            let request = encode::link(&ends.owner, &ends.to, detach);
            let step = self.step(Op::Detach, Some(detach), Some(request));
            self.push(step);
        }
        if matches!(action, Action::Create | Action::Replace) {
            let request = encode::link(&ends.owner, &ends.to, attach);
            let step = self.step(Op::Attach, Some(attach), Some(request));
            self.push(step);
        }
    }

    fn note_deferred(&mut self, ty: &ResourceType, phases: &Phases<'_>) {
        let names: Vec<&str> = phases.then.iter().map(|ix| &*ty.action(*ix).name).collect();
        self.plan.notes.push(Note {
            address: Some(self.decision.address.clone()),
            text: format!(
                "stays in Maintenance, where the server refuses `{}`: it is left out",
                names.join("`, `")
            ),
            help: Some(
                "the server reconnects the host itself when it leaves Maintenance".to_owned(),
            ),
        });
    }

    fn step(&self, op: Op, call: Option<&Call>, request: Option<RequestTemplate>) -> Step {
        Step {
            address: self.decision.address.clone(),
            ty: self.decision.ty,
            provider: self.decision.provider.clone(),
            op,
            request,
            after: Vec::new(),
            gates: Vec::new(),
            change: self.change,
            expect: Vec::new(),
            wait: call.map(wait).unwrap_or_default(),
            confirms: Vec::new(),
            disrupts: None,
            stays_away: false,
            last: false,
            deadline: self.deadlines().update.as_secs(),
        }
    }

    fn push(&mut self, mut step: Step) {
        step.after.extend(self.previous);
        let ix = StepIx(u32::try_from(self.plan.steps.len()).unwrap_or(u32::MAX));
        self.plan.steps.push(step);
        self.previous = Some(ix);
    }

    fn finish(self) {
        if let Some(StepIx(last)) = self.previous {
            self.plan.steps[last as usize].last = true;
        }
    }

    fn deadline(&self, operation: &str) -> u64 {
        let own = self.decision.desired.and_then(|d| d.lifecycle.timeouts.get(operation));
        let deadlines = self.deadlines();
        let default = match operation {
            "create" => deadlines.create,
            "delete" => deadlines.delete,
            _ => deadlines.update,
        };
        own.copied().unwrap_or(default.as_secs())
    }

    fn deadlines(&self) -> crate::schema::Deadlines {
        let providers = &self.inputs.schemas.providers;
        providers.get(&self.ty().provider).map(|p| p.deadlines).unwrap_or_default()
    }

    /// The parent whose other children must not be made unavailable at the same time: for types
    /// that connect (they have an action that waits), the first object they refer to. One that
    /// goes itself has nobody left to protect.
    fn neighbourhood(&self) -> Option<Arc<str>> {
        let ty = self.ty();
        if ty.part_of.is_some() || !ty.actions.iter().any(|a| a.call.wait != Wait::Done) {
            return None;
        }
        let (ix, _) = ty.attrs().find(|(_, a)| a.required && matches!(a.kind, Kind::Ref(_)))?;
        let desired = self.decision.desired.map(|d| &d.attrs[usize::from(ix.0)]);
        let live = self.decision.live.as_ref().map(|l| &l.attrs[usize::from(ix.0)]);
        let address = match live.or(desired)? {
            Value::Object(address) => address,
            Value::Str(id) => match self.known.address_of(id) {
                Some(address) => address,
                None => return Some(id.clone()),
            },
            _ => return None,
        };
        (!self.known.is_ending(address)).then(|| address.as_str().into())
    }
}

fn wait(call: &Call) -> Vec<Condition> {
    match &call.wait {
        Wait::Attrs(conditions) => conditions.clone(),
        Wait::Done | Wait::Gone => Vec::new(),
    }
}

fn set_attrs(
    ty: &ResourceType,
    desired: &DesiredResource,
    wanted: impl Fn(AttrIx) -> bool,
) -> Vec<AttrIx> {
    ty.attrs()
        .zip(&desired.attrs)
        .filter(|((ix, _), value)| !value.is_null() && wanted(*ix))
        .map(|((ix, _), _)| ix)
        .collect()
}

fn confirmed(ty: &ResourceType, sent: &[AttrIx]) -> Vec<Arc<str>> {
    let attrs = sent.iter().map(|ix| ty.attr(*ix));
    attrs.filter(|a| a.unread()).map(|a| a.name.clone()).collect()
}
