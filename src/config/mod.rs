//! What the user wants: `*.rack.toml` texts → [`Desired`].
//!
//! Stages: `source` (bytes → texts) → `parse` (TOML with spans, as `syntax` has it) → `mask` (the
//! copies that messages quote) → `expr` (templates) → `resolve` (types, defaults, references). Pure: what it needs from outside (environment
//! variables, objects of a cloud) it names as [`Need`]s and is called again with [`Facts`].
//! Beside these stages, `write` makes texts: formatted ones for `fmt`, strings for `import`.

pub mod expr;
mod loading;
mod lookup;
mod mask;
pub mod parse;
pub mod resolve;
mod rest;
mod secret_name;
pub mod source;
pub mod syntax;
pub mod write;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use crate::address::Address;
use crate::diag::Span;
use crate::inventory::LiveObject;
use crate::schema::{AttrIx, LinkIx, PartIx, Row, Schemas, TypeIx};
use crate::value::Value;

pub use expr::Outside;
pub use loading::{Loaded, Loader, ROOT, load};
pub use lookup::{Lookup, Term};
pub(crate) use resolve::applies;
pub use resolve::{Judged, edges, expand, judge, parameter};
pub use source::SourceFile;
pub use syntax::Config;

/// Something outside the configuration that its values depend on.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Need {
    /// An environment variable.
    Env(String),
    /// The text of a file; a relative path starts at the root module.
    File(String),
    /// The paths below a directory that match a pattern.
    Files { dir: String, pattern: String },
    /// The id of an object of ours, if it has one by now: the state knows.
    Id(Address),
    /// Objects of a cloud.
    Data(Lookup),
}

impl Need {
    /// Whether nobody but a cloud and what is known of it has the answer.
    pub fn of_cloud(&self) -> bool {
        matches!(self, Self::Id(_) | Self::Data(_))
    }
}

/// Answers to [`Need`]s. Holds secrets: no `Debug`.
#[derive(Clone, Default)]
pub struct Facts {
    /// `None`: asked for and not set.
    pub env: BTreeMap<String, Option<String>>,
    /// Texts of files and what directories hold.
    pub files: BTreeMap<Need, Outside>,
    /// Values of variables given on the command line and in the environment, by name, as text.
    pub variables: BTreeMap<String, VariableInput>,
    /// `None`: asked for, and it does not exist yet.
    pub ids: BTreeMap<Address, Option<Arc<str>>>,
    /// Rows among which are all that the look-up means.
    pub data: BTreeMap<Lookup, Arc<Vec<LiveObject>>>,
}

/// Objects as they are known after an apply.
pub trait Objects {
    fn id(&self, of: &Address) -> Option<Arc<str>>;
    /// `None`: unknown to the state, or not set.
    fn attribute(&self, of: &Address, name: &str) -> Option<Value>;
}

/// A variable's value from outside the configuration. May be a secret: no `Debug`.
#[derive(Clone, PartialEq)]
pub struct VariableInput {
    pub text: String,
    /// As people know it: `--var`, `RACKFORM_VAR_x`.
    pub origin: String,
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
}

/// `lifecycle = { … }` and `timeouts = { … }`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Lifecycle {
    pub prevent_destroy: bool,
    pub ignore_changes: Vec<AttrIx>,
    /// Deadlines in seconds by operation: `create`, `update`, `delete`.
    pub timeouts: BTreeMap<Arc<str>, u64>,
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
