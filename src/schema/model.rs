//! What a resource type is and how its API is called, as data.
//!
//! Made by `schema::parse` from one file of `schemas/`; read by every later stage. Attributes,
//! links and parts are addressed by their index in file order (provider-wide ones first), so that
//! a row of values is a plain slice. Knows no type by name and no wire protocol.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use crate::value::Value;

mod action;
mod link;
mod lookup;
mod part;
mod quirk;

pub use action::ActionDef;
pub use link::{Link, Side};
pub use part::{OWNER, Part, PartOf};
pub use quirk::Quirk;

/// Index of a type in [`Schemas`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TypeIx(pub u16);
/// Index of an attribute in [`ResourceType::attrs`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct AttrIx(pub u16);
/// Index of a link in [`ResourceType::links`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LinkIx(pub u16);
/// Index of a part in [`ResourceType::parts`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PartIx(pub u16);
/// Index of an action in [`ResourceType::actions`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ActionIx(pub u16);

/// Values of an object's attributes in schema order; [`Value::Null`] where there is none.
pub type Row = Box<[Value]>;

/// Every resource type that this build knows.
#[derive(Clone, Debug, Default)]
pub struct Schemas {
    pub types: Vec<Arc<ResourceType>>,
    pub by_name: HashMap<Arc<str>, TypeIx>,
    pub providers: BTreeMap<Arc<str>, Provider>,
}

/// What is said once for all types of a provider.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Provider {
    pub doc: String,
    pub deadlines: Deadlines,
    /// What holds for all types.
    pub quirk: Option<Quirk>,
}

/// How long a job and the wait after it may take together, unless the block has `timeouts`.
/// Actions have the deadline of updates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deadlines {
    pub create: Duration,
    pub update: Duration,
    pub delete: Duration,
}

impl Default for Deadlines {
    fn default() -> Self {
        const HALF_AN_HOUR: Duration = Duration::from_secs(30 * 60);
        Self { create: HALF_AN_HOUR, update: HALF_AN_HOUR, delete: HALF_AN_HOUR }
    }
}

impl Schemas {
    pub fn get(&self, ix: TypeIx) -> &Arc<ResourceType> {
        &self.types[usize::from(ix.0)]
    }
    pub fn find(&self, name: &str) -> Option<TypeIx> {
        self.by_name.get(name).copied()
    }
    pub fn by_name(&self, name: &str) -> Option<&Arc<ResourceType>> {
        self.find(name).map(|ix| self.get(ix))
    }
    /// The types that a configuration can declare: not those of parts, nor those that can only be
    /// looked up.
    pub fn resources(&self) -> impl Iterator<Item = &Arc<ResourceType>> {
        self.lookups().filter(|ty| !ty.data_only())
    }
    /// The type that owns a part's elements, for the type of a part.
    pub fn owner_of(&self, ty: &ResourceType) -> Option<TypeIx> {
        ty.part_of.as_ref().and_then(|of| self.find(&of.owner))
    }
    /// The type of the elements of a part.
    pub fn element(&self, part: &Part) -> Option<TypeIx> {
        self.find(&part.element.name)
    }
    /// The parts whose elements stand in their owners' rows: their type, and that of the owners.
    pub fn embedded(&self) -> impl Iterator<Item = (TypeIx, TypeIx)> + '_ {
        self.iter().filter_map(|(ix, ty)| {
            let of = ty.part_of.as_ref().filter(|of| !of.listed)?;
            Some((ix, self.find(&of.owner)?))
        })
    }
    /// All types with their index, in load order; those of parts last.
    pub fn iter(&self) -> impl Iterator<Item = (TypeIx, &Arc<ResourceType>)> {
        (0..).map(TypeIx).zip(&self.types)
    }
}

/// One resource type.
#[derive(Clone, Debug)]
pub struct ResourceType {
    /// For the elements of a part `TYPE.PART`, which no configuration can write as a type.
    pub name: Arc<str>,
    pub provider: Arc<str>,
    /// What the elements of a part need beside what every type has.
    pub part_of: Option<PartOf>,
    /// Rises when the meaning of stored attributes changes.
    pub version: u32,
    pub doc: String,
    pub id: IdRule,
    /// Each set of attributes identifies an object in its scope.
    pub unique: Vec<Vec<UniqueItem>>,
    pub after: Vec<After>,
    /// What `delete` takes with it.
    pub cascade: Vec<Casualty>,
    pub attrs: Vec<Attribute>,
    pub links: Vec<Link>,
    pub parts: Vec<Part>,
    pub actions: Vec<ActionDef>,
    pub read: Read,
    /// Absent for types that are discovered, not created.
    pub create: Option<Call>,
    pub updates: Vec<Call>,
    /// Absent where removing the block can only forget the object.
    pub delete: Option<Call>,
}

impl ResourceType {
    pub fn attr(&self, ix: AttrIx) -> &Attribute {
        &self.attrs[usize::from(ix.0)]
    }
    pub fn link(&self, ix: LinkIx) -> &Link {
        &self.links[usize::from(ix.0)]
    }
    pub fn part(&self, ix: PartIx) -> &Part {
        &self.parts[usize::from(ix.0)]
    }
    pub fn action(&self, ix: ActionIx) -> &ActionDef {
        &self.actions[usize::from(ix.0)]
    }
    pub fn find_attr(&self, name: &str) -> Option<AttrIx> {
        (0..).map(AttrIx).zip(&self.attrs).find(|(_, a)| &*a.name == name).map(|(ix, _)| ix)
    }
    pub fn find_link(&self, name: &str) -> Option<LinkIx> {
        (0..).map(LinkIx).zip(&self.links).find(|(_, l)| &*l.name == name).map(|(ix, _)| ix)
    }
    pub fn find_part(&self, name: &str) -> Option<PartIx> {
        self.parts().find(|(_, p)| &*p.name == name).map(|(ix, _)| ix)
    }
    pub fn parts(&self) -> impl Iterator<Item = (PartIx, &Part)> {
        (0..).map(PartIx).zip(&self.parts)
    }
    pub fn find_action(&self, name: &str) -> Option<ActionIx> {
        (0..).map(ActionIx).zip(&self.actions).find(|(_, a)| &*a.name == name).map(|(ix, _)| ix)
    }
    pub fn attrs(&self) -> impl Iterator<Item = (AttrIx, &Attribute)> {
        (0..).map(AttrIx).zip(&self.attrs)
    }
    pub fn links(&self) -> impl Iterator<Item = (LinkIx, &Link)> {
        (0..).map(LinkIx).zip(&self.links)
    }
    /// Whether a change of this attribute can be sent: exactly when some `update` sends it.
    pub fn updatable(&self, ix: AttrIx) -> bool {
        self.updates.iter().any(|call| call.sends(ix))
    }
    /// Whether its delete destroys data that a new object would not have: its cascade counts
    /// volumes or images. Such a type is replaced only when `--replace` names it.
    pub fn bears_data(&self) -> bool {
        let carries = |path: &[Piece]| matches!(path.first(), Some(Piece::Lit(p)) if p.starts_with("/volumes") || p.starts_with("/images"));
        self.cascade.iter().any(|c| matches!(&c.count, Count::Query(q) if carries(&q.path)))
    }
    /// The attributes of a desired row that need a call of their own to be read.
    pub fn own_reads(&self, desired: &Row) -> Vec<AttrIx> {
        let set = self.attrs().zip(desired).filter(|((_, a), v)| a.read.is_some() && !v.is_null());
        set.map(|((ix, _), _)| ix).collect()
    }
    /// A row of nothing.
    pub fn empty_row(&self) -> Row {
        vec![Value::Null; self.attrs.len()].into()
    }
}

/// Where an object's id comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum IdRule {
    /// Computed by us and sent under this wire name.
    Client { wire: Arc<str> },
    /// The value of an attribute.
    Attr(AttrIx),
    /// Assigned by the server; JSON pointer into the create reply.
    Server { pointer: String },
    /// Discovered: looked up by a unique key; delete means forget.
    Found,
    /// Only looked up; its rows have the id that all objects of the provider have.
    Row,
    /// Only looked up, and nothing that has an id: a capacity, a word, a relation.
    None,
    /// An element of a part: the owner's id and its own key.
    Part,
}

/// One member of a unique key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UniqueItem {
    Attr(AttrIx),
    /// A value inside a nested attribute (`networks/0/mac`).
    Nested(AttrIx, Vec<String>),
    /// The keys of a part (Ceph monitors).
    Part(PartIx),
}

/// Steps of other objects that come first where references do not say so.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum After {
    /// Creation of every object of this type in the same scope.
    Type(Arc<str>),
    /// The attachments `TYPE.LINK` in the same scope.
    Link { kind: Arc<str>, link: Arc<str> },
}

/// Something that a call takes with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Casualty {
    /// As people read it: `VMs stopped`.
    pub label: String,
    pub count: Count,
}

impl Casualty {
    /// Whether it is counted by an attribute of the object: `{pool_name}`.
    pub fn names_an_attribute(&self) -> bool {
        let Count::Query(target) = &self.count else { return false };
        let mut pieces = target.query.iter().flat_map(|(_, value)| value).chain(&target.path);
        pieces.any(|piece| matches!(piece, Piece::Field(_)))
    }
}

/// How casualties are counted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Count {
    /// The rows of this list query.
    Query(Target),
    /// The entries of this part of the object (`#paths`).
    Part(Arc<str>),
}

/// An HTTP method that schemas use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Method {
    Get,
    Post,
    Put,
    Delete,
}

impl Method {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Delete => "DELETE",
        }
    }
}

/// `METHOD /path?query` with placeholders. Path and query values are unencoded here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    pub method: Method,
    pub path: Vec<Piece>,
    pub query: Vec<(String, Vec<Piece>)>,
}

/// A piece of a path or query.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Piece {
    Lit(Arc<str>),
    /// `{id}`: the object's own id.
    Id,
    /// `{to}`: the id of a link's other end.
    To,
    /// `{name}`: an attribute of the object, in calls of a part one of the part.
    Field(Arc<str>),
}

/// One attribute.
#[derive(Clone, Debug, PartialEq)]
pub struct Attribute {
    pub name: Arc<str>,
    pub kind: Kind,
    pub required: bool,
    /// Filled by the API; cannot be written.
    pub computed: bool,
    /// Never shown, stored or logged.
    pub sensitive: bool,
    /// Never in replies: a change is noticed by its digest.
    pub write_only: bool,
    /// Name in replies.
    pub wire_read: Arc<str>,
    /// Name in requests.
    pub wire_sent: Arc<str>,
    pub default: Option<Value>,
    /// Allowed values as read; with the spelling to send where it differs.
    pub values: Vec<(Arc<str>, Arc<str>)>,
    /// Bounds of a number, of a text's length in characters, of how many items a list has; both
    /// inclusive.
    pub range: Option<(i64, i64)>,
    pub when: Vec<Condition>,
    /// First server version that has it; if it is required, the first that requires it.
    pub since: Option<String>,
    pub quirk: Option<Quirk>,
    /// Where it is read, when the list of objects does not have it.
    pub read: Option<Box<OwnRead>>,
    pub doc: String,
}

/// A call that reads one attribute of one object. It is made only for objects whose configuration
/// sets the attribute.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnRead {
    /// A GET whose only hole is `{id}`.
    pub target: Target,
    /// Member of the reply that holds the value.
    pub reply: Arc<str>,
}

impl Attribute {
    /// An optional attribute of which only name and kind are known; the API calls it the same.
    pub fn new(name: &str, kind: Kind) -> Self {
        Self {
            name: name.into(),
            kind,
            required: false,
            computed: false,
            sensitive: false,
            write_only: false,
            wire_read: name.into(),
            wire_sent: name.into(),
            default: None,
            values: Vec::new(),
            range: None,
            when: Vec::new(),
            since: None,
            quirk: None,
            read: None,
            doc: String::new(),
        }
    }
    /// Whether the configuration may set it.
    pub fn writable(&self) -> bool {
        !self.computed
    }
    /// Whether it never reads back, so that a change is noticed by the digest that the state has of
    /// what was sent.
    pub fn unread(&self) -> bool {
        self.sensitive || self.write_only
    }
    /// Whether every server requires it. With `since`, only those from that version on do.
    pub fn always_required(&self) -> bool {
        self.required && self.since.is_none()
    }
}

/// The kind of an attribute's values.
#[derive(Clone, Debug, PartialEq)]
pub enum Kind {
    Text,
    Int,
    Bool,
    /// IPv4 address or host name.
    Host,
    /// Absolute file path.
    Path,
    /// A number of bytes.
    Bytes,
    /// An object of this type.
    Ref(Arc<str>),
    Set(Box<Kind>),
    List(Box<Kind>),
    Object(Vec<Attribute>),
}

/// Holds when the attribute has one of the values (as read); without values, when it has any. In calls of a part, an attribute of
/// the part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Condition {
    pub attr: AttrIx,
    pub values: Vec<Arc<str>>,
}

/// How all objects of a type are listed.
#[derive(Clone, Debug)]
pub struct Read {
    pub target: Target,
    /// How an object reads once everything that it needs is there (`wait` of `read`): an end
    /// condition of a run, not of its create.
    pub settled: Vec<Condition>,
    /// Member of the reply that holds the rows; `.` when the reply itself is the one row.
    pub reply: String,
    /// `None`: a query, with conditions and pages. Otherwise one plain request that takes these
    /// attributes, and those that stand in its path (only of types that are only looked up).
    pub send: Option<Vec<SendItem>>,
}

/// One call of the API.
#[derive(Clone, Debug)]
pub struct Call {
    pub target: Target,
    /// Key that wraps the parameters in the body; `None`: no body (GET and DELETE always).
    pub body: Option<String>,
    /// Member of the reply that holds the object.
    pub reply: Option<String>,
    pub send: Vec<SendItem>,
    pub wait: Wait,
    /// Run once after the last update of the change.
    pub then: Vec<ActionIx>,
    /// Only for these target values.
    pub when: Vec<Condition>,
    pub cascade: Vec<Casualty>,
}

impl Call {
    /// Whether this call sends the attribute.
    pub fn sends(&self, ix: AttrIx) -> bool {
        self.send.iter().any(|s| matches!(s.source, SendSource::Attr(a) if a == ix))
    }
}

/// One parameter of a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SendItem {
    pub wire: Arc<str>,
    pub source: SendSource,
}

/// Where a parameter's value comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SendSource {
    Attr(AttrIx),
    /// The elements of a part, with the object that owns them.
    Elements(PartIx),
    /// A text with placeholders: `{id}`, `{to}`.
    Text(Vec<Piece>),
    /// `"[{id}]"`: a list of ids, the object's own or those of all objects that the call is for.
    Ids,
    /// `"."`: the part itself, in its `format`.
    Part,
    /// `"[.]"`: a list with the part.
    PartList,
    /// `"[x]"`: a list with one attribute of the part.
    FieldList(AttrIx),
}

/// When a call has had its effect.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub enum Wait {
    /// When the call is done.
    #[default]
    Done,
    /// When the attributes have one of the values.
    Attrs(Vec<Condition>),
    /// When the object is no longer listed.
    Gone,
}
