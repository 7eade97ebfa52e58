//! What a plan would destroy beyond what it says, and what it may not do without consent.
//!
//! In: a plan and, for [`weigh`], the answers of live queries. Out: [`Question`]s for
//! `observe::casualties`, casualties in the plan, and [`Refusal`]s, each naming the flag that
//! allows it. The queries themselves are not made here.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use wildmatch::WildMatch;

use crate::address::Address;
use crate::config::Settings;
use crate::plan::{Action, Attributes, Change, Op, Plan, Reason, Step, schedule};
use crate::schema::{Casualty, Count, Piece, ResourceType, Schemas, Side, Target};
use crate::state::State;
use crate::state::journal::Intent;

/// A live count that a plan needs before it can be weighed.
#[derive(Clone, Debug, PartialEq)]
pub struct Question {
    /// Index into [`Plan::changes`].
    pub change: u32,
    pub provider: Arc<str>,
    /// `VMs stopped`.
    pub label: String,
    /// Shared by the questions that differ in ids only, so that they can be asked together.
    pub target: Arc<Target>,
    /// The object's own id, for `{id}`.
    pub id: Arc<str>,
    /// The other end's id, for `{to}`.
    pub to: Option<Arc<str>>,
}

/// The counts to ask for, in the order in which the calls will be sent. What does not exist yet
/// has nothing to lose.
pub fn questions(plan: &Plan, schemas: &Schemas) -> Vec<Question> {
    let mut questions = Vec::new();
    let mut targets: HashMap<*const Target, Arc<Target>> = HashMap::new();
    for ix in schedule::in_order(plan) {
        let step = &plan.steps[ix.0 as usize];
        let change = &plan.changes[step.change as usize];
        let Some((id, to)) = ids(change) else { continue };
        for casualty in casualties(schemas.get(step.ty), step) {
            let Count::Query(target) = &casualty.count else { continue };
            let shared = || Arc::new(target.clone());
            let target = match casualty.names_an_attribute() {
                true => Arc::new(filled(target, &change.seen)),
                false => targets.entry(std::ptr::from_ref(target)).or_insert_with(shared).clone(),
            };
            questions.push(Question {
                change: step.change,
                provider: step.provider.clone(),
                label: casualty.label.clone(),
                target,
                id: id.clone(),
                to: to.clone(),
            });
        }
    }
    questions
}

/// The query with the values of the object's attributes.
fn filled(target: &Target, seen: &Attributes) -> Target {
    let fill = |piece: &Piece| match piece {
        Piece::Field(name) => {
            let value = seen.iter().find(|(known, _)| known == name).map(|(_, value)| value);
            let text = value.map(|v| v.as_str().map_or_else(|| v.to_string(), str::to_owned));
            Piece::Lit(text.unwrap_or_default().into())
        }
        other => other.clone(),
    };
    let all = |pieces: &[Piece]| pieces.iter().map(fill).collect();
    let query = target.query.iter().map(|(name, value)| (name.clone(), all(value)));
    Target { method: target.method, path: all(&target.path), query: query.collect() }
}

/// Ids for `{id}` and `{to}`.
fn ids(change: &Change) -> Option<(Arc<str>, Option<Arc<str>>)> {
    let id = change.id.clone()?;
    if !change.is_attachment() {
        Some((id, None))
    } else {
        Some((change.owner_id.clone()?, Some(id)))
    }
}

fn casualties<'a>(ty: &'a ResourceType, step: &Step) -> &'a [Casualty] {
    match &step.op {
        Op::Create | Op::Attach => &[],
        Op::Delete => &ty.cascade,
        Op::Update(name) => ty
            .updates
            .iter()
            .find(|call| {
                let sends = |attr: &Arc<str>| ty.find_attr(attr).is_some_and(|ix| call.sends(ix));
                call.body.as_deref() == Some(name)
                    && step.expect.iter().any(|(attr, _)| sends(attr))
                    && matches_when(ty, call, step)
            })
            .map_or(&[], |call| &call.cascade),
        Op::Action(name) => ty.find_action(name).map_or(&[], |ix| &ty.action(ix).call.cascade),
        Op::Detach => {
            let member = step.address.member_of();
            let link = member.and_then(|m| ty.find_link(&m.name)).map(|ix| &ty.link(ix).side);
            match link {
                Some(Side::Owner { detach, .. }) => &detach.cascade,
                _ => &[],
            }
        }
    }
}

fn matches_when(ty: &ResourceType, call: &crate::schema::Call, step: &Step) -> bool {
    call.when.iter().all(|condition| {
        let name = &ty.attr(condition.attr).name;
        step.expect.iter().any(|(attr, value)| {
            let text = match value {
                crate::plan::Expected::Value(value) => value.as_str(),
                crate::plan::Expected::Id(_) => None,
            };
            attr == name && text.is_some_and(|t| condition.values.iter().any(|v| &**v == t))
        })
    })
}

/// Enters the casualties into the plan: ids found by each question, less what the plan itself
/// deletes and less what an earlier step with the same label takes already.
pub fn weigh(plan: &mut Plan, questions: &[Question], answers: &[BTreeSet<Arc<str>>]) {
    let own: HashSet<Arc<str>> = plan
        .changes
        .iter()
        .filter(|c| matches!(c.action, Action::Delete | Action::Replace))
        .filter(|c| c.address.member_of().is_none())
        .filter_map(|c| c.id.clone())
        .collect();
    let mut counted: HashSet<(&str, &Arc<str>)> = HashSet::new();
    for change in &mut plan.changes {
        change.casualties.clear();
    }
    for (question, ids) in questions.iter().zip(answers) {
        let fresh = ids.iter().filter(|id| !own.contains(*id));
        let count = fresh.filter(|id| counted.insert((&question.label, id))).count() as u64;
        if count > 0 {
            let casualties = &mut plan.changes[question.change as usize].casualties;
            match casualties.iter_mut().find(|(label, _)| *label == question.label) {
                Some((_, n)) => *n += count,
                None => casualties.push((question.label.clone(), count)),
            }
        }
    }
}

/// What the user has allowed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Consent {
    /// `--allow-destroy ADDR=COUNT`: patterns of addresses and upper bounds.
    pub destroy: Vec<(String, u64)>,
    /// `--allow-delete TYPE=COUNT`.
    pub delete: BTreeMap<String, u64>,
    /// `--allow-missing TYPE=COUNT`.
    pub missing: BTreeMap<String, u64>,
}

/// Something a plan may not do without consent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    pub text: String,
    /// The flag that allows it.
    pub flag: String,
    /// Whether a typed confirmation is enough.
    pub confirmable: bool,
}

/// What is left of the casualties that the user has allowed.
pub struct Bounds(Vec<(WildMatch, u64)>);

impl Bounds {
    pub fn of(consent: &Consent) -> Self {
        let bounds = consent.destroy.iter();
        Self(bounds.map(|(pattern, n)| (WildMatch::new(pattern), *n)).collect())
    }
    /// Whether so many may go down with this address; what is allowed is used up.
    pub fn allow(&mut self, address: &str, total: u64) -> bool {
        let bound = self.0.iter_mut().find(|(p, left)| p.matches(address) && *left >= total);
        if let Some((_, left)) = bound {
            *left -= total;
            return true;
        }
        false
    }
}

/// Casualties that nobody has allowed.
pub fn casualties_refused(plan: &Plan, consent: &Consent) -> Vec<Refusal> {
    let mut bounds = Bounds::of(consent);
    let mut refusals = Vec::new();
    for change in plan.changes.iter().filter(|c| !c.casualties.is_empty()) {
        let total: u64 = change.casualties.iter().map(|(_, n)| n).sum();
        let address = change.address.as_str();
        if bounds.allow(address, total) {
            continue;
        }
        let listed: Vec<String> =
            change.casualties.iter().map(|(label, n)| format!("{label}: {n}")).collect();
        refusals.push(Refusal {
            text: format!("{address} takes with it what is not in the plan: {}", listed.join(", ")),
            flag: allowing(change),
            confirmable: true,
        });
    }
    refusals
}

/// The flag that allows everything that a change takes with it.
pub fn allowing(change: &Change) -> String {
    let total: u64 = change.casualties.iter().map(|(_, n)| n).sum();
    format!("--allow-destroy '{}={total}'", change.address)
}

/// More deletes of a type than one apply may do.
pub fn budget_refused(
    plan: &Plan,
    state: &State,
    settings: &Settings,
    consent: &Consent,
) -> Vec<Refusal> {
    if plan.destroy {
        return Vec::new();
    }
    let totals = totals(state);
    let deleted = count(plan, |c| matches!(c.action, Action::Delete | Action::Replace));
    let over = deleted.into_iter().filter(|(kind, n)| {
        let total = totals.get(kind).copied().unwrap_or(0);
        total >= BUDGET_FROM
            && n * 100 > total * u64::from(settings.max_delete)
            && consent.delete.get(&**kind).is_none_or(|allowed| allowed < n)
    });
    over.map(|(kind, n)| Refusal {
        text: format!(
            "the plan deletes {n} of {} objects of type {kind}; at most {} % are allowed",
            totals.get(&kind).copied().unwrap_or(0),
            settings.max_delete
        ),
        flag: format!("--allow-delete {kind}={n}"),
        confirmable: false,
    })
    .collect()
}

/// Below this number of objects of a type the budget does not apply.
const BUDGET_FROM: u64 = 10;

/// Many objects gone at once: more likely the wrong account or endpoint than an accident. Those
/// that a cut-off apply was working on (`unfinished`) do not count: it may have deleted them.
/// At another endpoint than before (`moved`) a single one is enough.
pub fn missing_refused(
    plan: &Plan,
    state: &State,
    unfinished: &[Intent],
    (consent, moved): (&Consent, bool),
) -> Vec<Refusal> {
    let totals = totals(state);
    let from = if moved { 1 } else { MISSING_FROM };
    let worked_on: HashSet<&Address> = unfinished.iter().map(|intent| &intent.address).collect();
    let gone = count(plan, |c| c.reason == Reason::Vanished && !worked_on.contains(&c.address));
    let over = gone.into_iter().filter(|(kind, n)| {
        let total = totals.get(kind).copied().unwrap_or(0);
        *n >= from
            && (moved || n * MISSING_SHARE > total)
            && consent.missing.get(&**kind).is_none_or(|allowed| allowed < n)
    });
    over.map(|(kind, n)| Refusal {
        text: format!(
            "{n} of {} objects of type {kind} are gone from the cloud: wrong account or endpoint?",
            totals.get(&kind).copied().unwrap_or(0)
        ),
        flag: format!("--allow-missing {kind}={n}"),
        confirmable: false,
    })
    .collect()
}

const MISSING_FROM: u64 = 3;
/// One in this many.
const MISSING_SHARE: u64 = 10;

fn totals(state: &State) -> BTreeMap<Arc<str>, u64> {
    let mut totals = BTreeMap::new();
    for (address, entry) in &state.entries {
        if address.member_of().is_none() {
            *totals.entry(entry.kind.clone()).or_default() += 1;
        }
    }
    totals
}

fn count(plan: &Plan, wanted: impl Fn(&Change) -> bool) -> BTreeMap<Arc<str>, u64> {
    let mut counts = BTreeMap::new();
    for change in &plan.changes {
        if change.address.member_of().is_none() && wanted(change) {
            *counts.entry(change.record.kind.clone()).or_default() += 1;
        }
    }
    counts
}
