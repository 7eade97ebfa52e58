//! Desired × prior × live → [`Plan`].
//!
//! `diff` compares rows, `decide` turns differences into actions with reasons, `order` and
//! `steps` make the ordered requests, `guard` weighs what a plan would destroy, `lint` checks the
//! result, `schedule` says which step may run when. A plan is data: everything that will be sent,
//! nothing that decides. Pure: no clock, no randomness, no I/O; the same inputs give the same
//! plan, byte for byte.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::address::Address;
use crate::diag::Span;
use crate::schema::{Condition, TypeIx};
use crate::value::Value;
use crate::wire::RequestTemplate;

pub mod barrier;
pub mod conflict;
pub mod decide;
pub mod diff;
pub mod drift;
pub mod foreign;
pub mod guard;
mod handover;
pub mod import;
pub mod key;
pub mod known;
pub mod links;
pub mod lint;
pub mod luns;
pub mod maintenance;
pub mod order;
pub mod outlook;
pub mod outputs;
pub mod parents;
pub mod part;
pub mod phases;
pub mod record;
pub mod refusal;
pub mod removed;
pub mod rename;
pub mod schedule;
pub mod server_check;
pub mod settle;
mod spots;
pub mod steps;
pub mod trigger;
mod verdict;
pub mod version;

#[cfg(test)]
mod tests;

use crate::config::Desired;
use crate::diag::{Diagnostic, Diagnostics};
use crate::inventory::Inventory;
use crate::schema::Schemas;
use crate::state::moved::Previous;
use crate::state::{State, is_attachment};

/// Everything a plan is made of.
#[derive(Clone, Copy)]
pub struct Inputs<'a> {
    pub desired: &'a Desired,
    pub state: &'a State,
    /// `None` with `--refresh=false`: the state stands in for the cloud.
    pub live: Option<&'a Inventory>,
    pub schemas: &'a Schemas,
    /// Sensitive attributes whose value is not the one that the state has a digest of.
    pub rotated: &'a BTreeMap<Address, Vec<Arc<str>>>,
    /// Where resources were before the configuration renamed them; the state has the new addresses.
    pub moved: &'a Previous,
    pub options: &'a Options,
}

/// What the command line asks of a plan.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// Destroy everything.
    pub destroy: bool,
    /// Objects to replace though nothing forces it.
    pub replace: BTreeSet<Address>,
    /// Nobody carries this plan out: it shows a replacement that an apply would refuse.
    pub preview: bool,
}

/// Makes the plan.
///
/// # Errors
/// What cannot be planned: a protected object to destroy, a unique key that somebody else holds,
/// a ring of steps.
pub fn plan(inputs: &Inputs<'_>) -> Result<Plan, Diagnostics> {
    let mut findings = Diagnostics::default();
    let mut draft = decide::decide(inputs, &mut findings);
    links::decide(inputs, &mut draft);
    let renamed = rename::hint(inputs, &draft);
    handover::keep(&mut draft);
    draft.notes.extend(part::foreign_notes(inputs, &draft.known));
    draft.decisions.sort_by(|a, b| a.address.cmp(&b.address));
    draft.drift.sort_by(|a, b| a.address.cmp(&b.address));
    foreign::check(inputs, &mut findings);
    import::check(inputs, &mut findings);
    conflict::check(inputs, &draft, &mut findings);
    if findings.has_errors() {
        // What is in the way may be that nobody said that it was renamed.
        findings.extend(renamed.map(Note::into_warning).unwrap_or_default());
        return Err(findings);
    }
    draft.notes.extend(renamed);
    let mut plan = steps::build(inputs, &mut draft);
    order::connect(inputs, &draft, &mut plan);
    settle::add(inputs, &mut plan);
    lint::check(&plan).map_err(Diagnostic::into_diagnostics)?;
    Ok(plan)
}

/// What will be done, in data.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Plan {
    /// What changes, ordered by address; objects without a change are only counted.
    pub changes: Vec<Change>,
    /// The calls. A step's index is its id.
    pub steps: Vec<Step>,
    /// Differences between state and live, for people.
    pub drift: Vec<Drift>,
    /// Things worth knowing that change nothing.
    pub notes: Vec<Note>,
    /// Objects that are as desired.
    pub unchanged: usize,
    /// Unchanged objects whose attributes in the state are out of date: address and attributes
    /// as seen now. An apply writes them down; nothing is sent.
    pub refreshed: Vec<(Address, Attributes)>,
    /// Whether this plan destroys everything (`destroy`).
    pub destroy: bool,
    /// Conditions that hold at the end of a run though no single step brings them about.
    pub settles: Vec<settle::Settle>,
    /// Outputs of the root module, also those that stay, by name. Filled in by whoever concludes
    /// them.
    pub outputs: Vec<outputs::OutputChange>,
    /// Barriers between many steps and many others: one node instead of a product of edges.
    pub gates: Vec<Gate>,
}

/// A barrier: opens when all its steps have succeeded.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Gate {
    /// What it stands for, for people: `attachments to cluster.a`.
    pub scope: String,
    pub after: Vec<StepIx>,
}

/// Index into [`Plan::gates`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct GateIx(pub u32);

/// Attributes by name, as the state holds them.
pub type Attributes = Vec<(Arc<str>, Value)>;

/// Index into [`Plan::steps`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct StepIx(pub u32);

/// One object that changes.
#[derive(Clone, Debug, PartialEq)]
pub struct Change {
    pub address: Address,
    /// Whether it becomes ours with this change, because an import names it.
    pub importing: bool,
    /// Where it was before the configuration renamed it.
    pub previous: Option<Address>,
    pub ty: TypeIx,
    pub provider: Arc<str>,
    pub action: Action,
    pub reason: Reason,
    /// What `prevent_destroy` is from now on, where the change switches it: its only reason, or
    /// beside another one.
    pub protection: Option<bool>,
    /// Attributes that change; for a create all that are set, for a delete none.
    pub diffs: Vec<AttrDiff>,
    /// Id of the live object.
    pub id: Option<Arc<str>>,
    /// The id that a create will use, where we choose it and the state has a lineage. Another one
    /// is used only if this one turns out to be taken.
    pub predicted: Option<Arc<str>>,
    /// For an attachment: the id of its owner, when it exists. (`id` is that of the other end.)
    pub owner_id: Option<Arc<str>>,
    /// Where the configuration says so.
    pub origin: Option<Span>,
    /// What the state will say beside the row: see [`Record`].
    pub record: Record,
    /// Attributes as seen now, for what is adopted or recorded without a step, and for what goes
    /// where its casualties are counted by an attribute.
    pub seen: Attributes,
    /// What the state has of an object that goes or is left alone from now on.
    pub last: record::Last,
    /// Live objects that are not in the plan and go down with this change, by label.
    pub casualties: Vec<(String, u64)>,
}

impl Change {
    /// Whether it is about an attachment, and not an object or an element of a part.
    pub fn is_attachment(&self) -> bool {
        is_attachment(&self.address, &self.record.kind)
    }
}

/// What happens to an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Action {
    Create,
    Update,
    /// Destroy, then create: unique keys are free only after the delete.
    Replace,
    Delete,
    /// A live object becomes ours; nothing is sent.
    Adopt,
    /// The state forgets it; nothing is sent.
    Forget,
    /// Only what the state knows about it changes (`prevent_destroy`); nothing is sent.
    Record,
}

/// Why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reason {
    /// In the configuration, not in the state.
    New,
    /// The same, and the server discovers it: nothing is sent to create it.
    Discovered,
    /// In the state, gone from the cloud.
    Vanished,
    /// An earlier apply was cut off while it made it, or before an action that belongs to it.
    Unfinished,
    /// Attributes differ.
    Differs,
    /// Attributes differ because somebody changed them outside.
    Drifted,
    /// These attributes cannot be changed in place.
    CannotUpdate(Vec<Arc<str>>),
    /// `--replace` names it.
    Requested,
    /// An object that it refers to is replaced.
    ParentReplaced(Address),
    /// Its `replace_triggered_by` names this, and it changes: all of it, or the attribute.
    Triggered(Address, Option<Arc<str>>),
    /// No block declares it any more.
    NotInConfiguration,
    /// The same, and a `[[removed]]` says so.
    Removed,
    /// An instance key is gone.
    KeyGone,
    /// The key of a module that it is in is gone; the module.
    ModuleKeyGone(Arc<str>),
    /// `destroy`.
    Destroy,
    /// Its attribute was removed: attachments are no longer managed.
    Unmanaged,
    /// `prevent_destroy` was switched.
    Protection,
    /// It depends on other objects of ours than before: what counts when it is deleted.
    Dependencies,
    /// A `[[moved]]` gave it another address.
    Moved,
    /// An `[[import]]` names it.
    Imported,
}

/// One attribute that changes.
#[derive(Clone, Debug, PartialEq)]
pub struct AttrDiff {
    pub name: Arc<str>,
    pub before: Shown,
    pub after: Shown,
    pub origin: Option<Span>,
    /// Whether this attribute forces a replacement.
    pub forces_replace: bool,
}

/// A value as a plan may show it.
#[derive(Clone, Debug, PartialEq)]
pub enum Shown {
    Value(Value),
    /// Known once something is created; the address of what.
    AfterApply(Address),
    /// A secret, or a value of which only the digest is known.
    Sensitive,
    Absent,
}

/// A difference between state and live.
#[derive(Clone, Debug, PartialEq)]
pub struct Drift {
    pub address: Address,
    /// `None`: the object is gone.
    pub attrs: Option<Vec<AttrDiff>>,
}

/// Something to know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    pub address: Option<Address>,
    pub text: String,
    pub help: Option<String>,
}

impl Note {
    /// The same where there is no plan to stand in.
    fn into_warning(self) -> Diagnostics {
        let warning = Diagnostic::warning("note", self.text);
        match self.help {
            Some(help) => warning.help(help).into(),
            None => warning.into(),
        }
    }
}

/// What the state will hold for the object beside what the server says.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Record {
    pub kind: Arc<str>,
    pub dependencies: Vec<Address>,
    pub schema_version: u32,
    pub prevent_destroy: bool,
    pub declared_by: Option<String>,
    /// Incarnation of the object after the change.
    pub incarnation: u32,
    /// Names of sensitive attributes that are set; their digests are stored once confirmed.
    pub secrets: Vec<Arc<str>>,
    /// Its unique key, for types whose id the server assigns.
    pub unique: Vec<(Arc<str>, String)>,
    /// Actions that an earlier apply left to be run; those among the steps are, the others stay.
    pub owed: Vec<Arc<str>>,
}

/// One call.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// The object it acts on.
    pub address: Address,
    pub ty: TypeIx,
    pub provider: Arc<str>,
    pub op: Op,
    /// `None`: another step of the plan has this effect too (an object is created with elements of
    /// its parts, and takes them with it), or the server has (devices are discovered): it is only
    /// read back.
    pub request: Option<RequestTemplate>,
    /// Steps that must have succeeded before.
    pub after: Vec<StepIx>,
    /// Barriers that must have opened before.
    pub gates: Vec<GateIx>,
    /// Index into [`Plan::changes`].
    pub change: u32,
    /// What must read back: attribute name and value; checked by re-reading the object.
    pub expect: Vec<(Arc<str>, Expected)>,
    /// Conditions on the object before the step counts as done.
    pub wait: Vec<Condition>,
    /// Sensitive attributes that this step confirms: their digests may be stored after it.
    pub confirms: Vec<Arc<str>>,
    /// The cluster whose hosts this step makes unavailable, as address or id.
    pub disrupts: Option<Arc<str>>,
    /// Whether the object stays unavailable after this step, until a later step of its change: a
    /// replaced host is away from its delete to its create.
    pub stays_away: bool,
    /// Whether this is the last step of its change.
    pub last: bool,
    /// Seconds until the executor gives up waiting.
    pub deadline: u64,
}

/// What a step does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Op {
    Create,
    /// The body wrapper or call name, for people: `updateKVMHost`.
    Update(String),
    Delete,
    Attach,
    Detach,
    Action(String),
}

/// A value that must read back.
#[derive(Clone, Debug, PartialEq)]
pub enum Expected {
    Value(Value),
    /// The id of this object.
    Id(Address),
}
