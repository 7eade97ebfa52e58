//! What the user wants: `*.rack.toml` texts → [`Desired`].
//!
//! Stages: `loading` (files of the root and of the modules it calls) → `source` (bytes → texts) →
//! `parse` (TOML with spans, as `syntax` has it) → `mask` (the copies that messages quote) → `expr`
//! (templates) → `resolve` (modules, instances, types, defaults, references; names are evaluated
//! when something asks for them). Pure: what it needs from outside (environment variables, files,
//! programs, objects of a cloud) it names as [`Need`]s and is called again with [`Facts`].
//! Beside these stages, `input` reads the values of variables by the types of `constraint`, and
//! `write` makes texts: formatted ones for `fmt`, strings for `import`.

pub mod constraint;
pub mod expr;
pub mod input;
mod loading;
mod lookup;
mod mask;
pub mod parse;
pub mod resolve;
mod rest;
mod secret_name;
pub mod source;
pub mod syntax;
mod trigger;
pub mod write;

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use crate::address::Address;
use crate::address::prefix::Prefix;
use crate::diag::{Diagnostics, Span};
use crate::inventory::LiveObject;
use crate::schema::{AttrIx, LinkIx, PartIx, Row, Schemas, TypeIx};
use crate::value::Value;

pub use expr::Outside;
pub use input::VariableInput;
pub use loading::{Loaded, Loader, ROOT, load};
pub use lookup::{Lookup, Term};
pub(crate) use resolve::applies;
pub use resolve::{
    Answer, Conclude, Conclusion, Judged, OutputValue, edges, expand, judge, parameter,
};
pub use source::SourceFile;
pub use syntax::Config;
pub use trigger::{TriggerEdges, trigger_edges};

/// Something outside the configuration that its values depend on.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Need {
    /// An environment variable.
    Env(String),
    /// The text of a file; a relative path starts at the root module.
    File(String),
    /// The paths below a directory that match a pattern.
    Files { dir: String, pattern: String },
    /// What a program prints: its name and arguments.
    Command(Vec<String>),
    /// The id of an object of ours, if it has one by now: the state knows.
    Id(Address),
    /// Objects of a cloud.
    Data(Lookup),
}

/// The order in which needs are answered: what one asks may depend on an earlier one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Turn {
    /// Silently: environment and files.
    Machine,
    /// Programs, which may ask a person something.
    Program,
    Cloud,
}

impl Need {
    /// Whether nobody but a cloud and what is known of it has the answer.
    pub fn of_cloud(&self) -> bool {
        self.turn() == Turn::Cloud
    }

    /// When it is answered.
    pub(crate) fn turn(&self) -> Turn {
        match self {
            Self::Env(_) | Self::File(_) | Self::Files { .. } => Turn::Machine,
            Self::Command(_) => Turn::Program,
            Self::Id(_) | Self::Data(_) => Turn::Cloud,
        }
    }
}

/// Answers to [`Need`]s. Holds secrets: no `Debug`.
#[derive(Clone, Default)]
pub struct Facts {
    /// `None`: asked for and not set.
    pub env: BTreeMap<String, Option<String>>,
    /// Texts of files, what directories hold and what programs print.
    pub files: BTreeMap<Need, Outside>,
    /// What sets variables of the root module from outside, by name.
    pub variables: BTreeMap<String, VariableInput>,
    /// `None`: asked for, and it does not exist yet.
    pub ids: BTreeMap<Address, Option<Arc<str>>>,
    /// Rows among which are all that the look-up means.
    pub data: BTreeMap<Lookup, Arc<Vec<LiveObject>>>,
}

/// Objects as they are known after an apply, or while planning as far as it leaves them alone.
pub trait Objects {
    /// `None`: it does not exist yet.
    fn id(&self, of: &Address) -> Option<Arc<str>>;
    /// What was last seen; never a secret. `None`: it is not known now, or never read;
    /// [`Value::Null`]: it is known not to be set.
    fn attribute(&self, of: &Address, name: &str) -> Option<Value>;
}

/// The configuration with everything evaluated.
#[derive(Clone, Debug, Default)]
pub struct Desired {
    /// Ordered by address.
    pub resources: Vec<DesiredResource>,
    /// Position in `resources`.
    pub index: HashMap<Address, u32>,
    /// Attachments as objects of their own, ordered by address.
    pub links: Vec<DesiredLink>,
    pub providers: Vec<ProviderConfig>,
    pub settings: Settings,
    /// Preconditions that do not hold: nothing may be created or changed while there are any.
    pub refused: Diagnostics,
    /// `[[import]]`, of all modules.
    pub imports: Vec<Import>,
    /// `[[moved]]`, of all modules.
    pub moved: Vec<Moved>,
    /// `[[removed]]`, of all modules.
    pub removed: Vec<Removed>,
    /// Blocks and modules that have keys.
    pub repeated: Repeated,
    /// What was asked for and is not in the facts yet: answer it and call again. While there is
    /// any, nothing else here may be used; while it is all of a cloud, `providers` and `places`
    /// may.
    pub needs: BTreeSet<Need>,
    /// The tables that the look-ups among the needs are for.
    pub places: BTreeMap<Lookup, Span>,
}

impl Desired {
    pub fn get(&self, address: &Address) -> Option<&DesiredResource> {
        self.index.get(address).map(|ix| &self.resources[*ix as usize])
    }
    /// The text of an attribute, also of a sensitive one.
    pub fn text(&self, schemas: &Schemas, address: &Address, attr: &str) -> Option<Arc<str>> {
        let resource = self.get(address)?;
        let ix = schemas.get(resource.ty).find_attr(attr)?;
        match resource.attrs[usize::from(ix.0)].reveal() {
            Value::Str(text) => Some(text.clone()),
            _ => None,
        }
    }
}

/// What has instances by `for_each` or `count`, and which modules there are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Repeated {
    /// Resource blocks and modules that have either, named without the key at their end (see
    /// [`Prefix`]); and whether it is `count`.
    pub blocks: HashMap<String, bool>,
    /// Module instances, with their keys.
    pub modules: HashSet<String>,
}

/// `[[import]]`: a live object that becomes ours under an address. Of a `for_each` one for each key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Import {
    pub to: Address,
    pub id: Arc<str>,
    /// Where the configuration says `to` and `id`; `None`: somebody else does.
    pub place: Option<ImportPlace>,
}

/// Where an `[[import]]` says what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ImportPlace {
    pub to: Span,
    pub id: Span,
}

/// `[[moved]]`: objects that have other addresses from now on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Moved {
    pub from: MoveEnd,
    pub to: MoveEnd,
    /// The table header.
    pub declared: Span,
}

/// `[[removed]]`: objects that the configuration does not declare any more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Removed {
    pub from: MoveEnd,
    /// Whether they are destroyed; otherwise they are only forgotten.
    pub destroy: bool,
    /// The table header.
    pub declared: Span,
}

/// What a `[[moved]]` or `[[removed]]` names, seen from the root module, and where it says so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MoveEnd {
    pub what: Prefix,
    pub span: Span,
}

/// `[rackform]`.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    /// Largest share of a type that one apply may delete, in percent.
    pub max_delete: u8,
    /// Hosts of one cluster that may be unavailable at a time.
    pub max_unavailable: u32,
}

impl Default for Settings {
    fn default() -> Self {
        Self { max_delete: 30, max_unavailable: 1 }
    }
}

/// `[provider.NAME]`.
#[derive(Clone, Debug)]
pub struct ProviderConfig {
    pub name: Arc<str>,
    /// Which dialect it speaks: `zstack`.
    pub kind: Arc<str>,
    /// Evaluated settings by name (`endpoint`, `account`, `password`, `ca_file`, …); secrets marked.
    pub settings: BTreeMap<Arc<str>, Value>,
    pub spans: BTreeMap<Arc<str>, Span>,
    pub declared: Span,
}

/// One resource instance, or an element of a part of one: its address is a member of its owner's,
/// and its first attribute refers to it.
#[derive(Clone, Debug)]
pub struct DesiredResource {
    pub address: Address,
    pub ty: TypeIx,
    /// Name of the provider configuration.
    pub provider: Arc<str>,
    /// Values in schema order; `Null` where not managed. References are [`Value::Object`] (ours)
    /// or [`Value::Str`] (a foreign id); a text can be a [`Value::Id`] of ours. Sensitive values
    /// are marked.
    pub attrs: Row,
    /// Where each attribute is written; shared by the instances of a block.
    pub spans: Arc<[Option<Span>]>,
    /// The table header.
    pub declared: Span,
    /// Links that this resource mentions, from either side: with an empty list it still is
    /// authoritative, unmentioned it is not.
    pub mentions: Vec<LinkIx>,
    /// Parts that it mentions, in the same sense.
    pub part_mentions: Vec<PartIx>,
    pub lifecycle: Arc<Lifecycle>,
    pub depends_on: Arc<[(Address, Span)]>,
    /// `replace_triggered_by`.
    pub replaced_by: Arc<[Trigger]>,
}

/// `lifecycle = { … }` and `timeouts = { … }`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Lifecycle {
    pub prevent_destroy: bool,
    pub ignore_changes: Vec<AttrIx>,
    /// Deadlines in seconds by operation: `create`, `update`, `delete`.
    pub timeouts: BTreeMap<Arc<str>, u64>,
}

/// What replaces a resource when it is updated or replaced itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trigger {
    /// A resource, or an instance of one; without a key all instances.
    pub of: Prefix,
    /// Only a change of this attribute counts.
    pub attr: Option<Arc<str>>,
    pub span: Span,
}

/// One attachment. Its address is always on the owning side, whichever side declared it.
#[derive(Clone, Debug)]
pub struct DesiredLink {
    /// `OWNER.LINK["other end"]`.
    pub address: Address,
    pub owner: End,
    pub owner_ty: TypeIx,
    pub link: LinkIx,
    pub to: End,
    /// The element of the list that declares it.
    pub declared: Span,
    /// `RESOURCE.attribute` that declares it.
    pub declared_by: (Address, Arc<str>),
}

/// An end of an attachment or reference.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum End {
    /// An object of this configuration.
    Ours(Address),
    /// An object that somebody else manages, by id.
    Foreign(Arc<str>),
}
