//! A call of a schema and the attributes of an object → [`RequestTemplate`].
//!
//! In: schema data, addresses and values. Out: a template whose ids and secrets are holes. This
//! is the only file that turns values into JSON for the wire; it sends nothing and knows no
//! value of a secret.

use std::sync::Arc;

use crate::address::Address;
use crate::config::{DesiredResource, End};
use crate::schema::{
    ActionDef, AttrIx, Attribute, Call, IdRule, Method, PartIx, Piece, ResourceType, Row,
    SendSource, Target,
};
use crate::value::Value;
use crate::wire::{Json, Part, RequestTemplate, Text};

/// The object that a call is about.
#[derive(Clone, Copy)]
pub struct Subject<'a> {
    pub ty: &'a ResourceType,
    pub address: &'a Address,
    /// Its desired row.
    pub attrs: &'a Row,
    /// The live row, where there is one: what the server chose can only be read there.
    pub live: Option<&'a Row>,
    /// Elements of its parts, in the order of their addresses.
    pub elements: &'a [(PartIx, &'a DesiredResource)],
}

impl<'a> Subject<'a> {
    /// An object without parts that is not live.
    pub fn new(ty: &'a ResourceType, address: &'a Address, attrs: &'a Row) -> Self {
        Self { ty, address, attrs, live: None, elements: &[] }
    }
    /// Whose id `{id}` is: an element's calls are about its owner.
    fn id(&self) -> Text {
        match self.ty.part_of {
            Some(_) => own_id(&self.address.owner()),
            None => own_id(self.address),
        }
    }
    fn holes(self) -> Holes<'a> {
        Holes { id: self.id(), subject: Some(self), ..Holes::default() }
    }
    /// The value of an attribute: what is desired, else what is live.
    fn value(&self, ix: AttrIx) -> &'a Value {
        let at = usize::from(ix.0);
        match (&self.attrs[at], self.live) {
            (Value::Null, Some(live)) => &live[at],
            (value, _) => value,
        }
    }
}

/// The request that creates an object: everything that `create` sends and the row sets.
pub fn create(subject: Subject<'_>, call: &Call) -> RequestTemplate {
    let mut params = params(subject, call, |_| true);
    if let IdRule::Client { wire } = &subject.ty.id {
        params.push((wire.to_string(), Json::Text(own_id(subject.address))));
    }
    request(call, params, &subject.holes())
}

/// The request that sends these attributes of an object: only what changed, since some servers
/// refuse an unchanged value (`UpdateKVMHost` its own management IP, reference 3.3).
pub fn update(subject: Subject<'_>, call: &Call, changed: &[AttrIx]) -> RequestTemplate {
    let params = params(subject, call, |ix| changed.contains(&ix));
    request(call, params, &subject.holes())
}

/// The request that takes an element of a part away, by what it is called there.
pub fn remove(subject: Subject<'_>, call: &Call) -> RequestTemplate {
    request(call, params(subject, call, |_| true), &subject.holes())
}

/// A request that needs nothing but the object's id: delete, actions without parameters.
pub fn bare(address: &Address, call: &Call) -> RequestTemplate {
    request(call, Vec::new(), &Holes { id: own_id(address), ..Holes::default() })
}

/// The request that runs an action. `objects` is one, or as many as the action takes; `params` are
/// the values of its parameters in their order. Secrets among them are asked for under `on`.
pub fn action(
    action: &ActionDef,
    objects: &[End],
    params: &[Value],
    on: &Address,
) -> RequestTemplate {
    let first = objects.first().map(end).unwrap_or_default();
    let as_json = |ix: AttrIx| {
        let at = usize::from(ix.0);
        params.get(at).filter(|value| !value.is_null()).map(|v| json(on, &action.params[at], v))
    };
    let fields = action.params().filter_map(|(ix, param)| match as_json(ix)? {
        Json::Text(text) => Some((param.name.clone(), text)),
        Json::Int(n) => Some((param.name.clone(), vec![Part::Lit(n.to_string().into())])),
        _ => None,
    });
    let holes = Holes { id: first, params: fields.collect(), ..Holes::default() };
    let sent = action.call.send.iter().filter_map(|item| {
        let value = match &item.source {
            SendSource::Attr(ix) => as_json(*ix)?,
            SendSource::Text(text) => Json::Text(pieces(text, &holes)),
            SendSource::Ids => Json::List(objects.iter().map(|o| Json::Text(end(o))).collect()),
            // Of parts; `schema::parse` refuses them in an action.
            SendSource::Elements(_)
            | SendSource::Part
            | SendSource::PartList
            | SendSource::FieldList(_) => return None,
        };
        Some((item.wire.to_string(), value))
    });
    let sent = sent.collect();
    request(&action.call, sent, &holes)
}

/// The request that attaches or detaches.
pub fn link(owner: &End, to: &End, call: &Call) -> RequestTemplate {
    let holes = Holes { id: end(owner), to: Some(end(to)), ..Holes::default() };
    let texts = call.send.iter().filter_map(|item| match &item.source {
        SendSource::Text(text) => Some((item.wire.to_string(), Json::Text(pieces(text, &holes)))),
        _ => None,
    });
    request(call, texts.collect(), &holes)
}

/// The id of an end: a hole when the object is ours.
fn end(end: &End) -> Text {
    match end {
        End::Ours(address) => own_id(address),
        End::Foreign(id) => vec![Part::Lit(id.clone())],
    }
}

fn own_id(address: &Address) -> Text {
    vec![Part::Id(address.clone())]
}

#[derive(Default)]
struct Holes<'a> {
    id: Text,
    to: Option<Text>,
    subject: Option<Subject<'a>>,
    /// Parameters of an action.
    params: Vec<(Arc<str>, Text)>,
}

fn request(call: &Call, params: Vec<(String, Json)>, holes: &Holes<'_>) -> RequestTemplate {
    let Target { method, path, query } = &call.target;
    let mut query: Vec<(String, Text)> =
        query.iter().map(|(name, value)| (name.clone(), pieces(value, holes))).collect();
    let in_query = matches!(method, Method::Get | Method::Delete);
    let body = match &call.body {
        Some(wrapper) if !in_query => Some(wrapped(wrapper, params)),
        _ => {
            query.extend(params.into_iter().flat_map(|(name, json)| as_query(&name, json)));
            None
        }
    };
    RequestTemplate { method: *method, path: segments(path, holes), query, body }
}

/// The parameters in their wrapper; those whose name starts with `/` beside it.
fn wrapped(wrapper: &str, params: Vec<(String, Json)>) -> Json {
    let (beside, inside): (Vec<_>, Vec<_>) =
        params.into_iter().partition(|(name, _)| name.starts_with('/'));
    let beside = beside.into_iter().map(|(name, json)| (name[1..].to_owned(), json));
    let all = std::iter::once((wrapper.to_owned(), Json::Map(inside))).chain(beside);
    Json::Map(all.collect())
}

/// Lists are sent by repeating the parameter (reference 1.4).
fn as_query(name: &str, json: Json) -> Vec<(String, Text)> {
    let text = match json {
        Json::Null | Json::Map(_) => return Vec::new(),
        Json::Bool(b) => vec![Part::Lit(b.to_string().into())],
        Json::Int(n) => vec![Part::Lit(n.to_string().into())],
        Json::Float(n) => vec![Part::Lit(n.to_string().into())],
        Json::Text(text) => text,
        Json::List(items) => {
            return items.into_iter().flat_map(|item| as_query(name, item)).collect();
        }
    };
    vec![(name.to_owned(), text)]
}

/// `/hosts/{id}/actions` → one text per segment.
fn segments(path: &[Piece], holes: &Holes<'_>) -> Vec<Text> {
    let mut segments: Vec<Text> = Vec::new();
    for piece in path {
        match piece {
            Piece::Lit(text) => {
                for (at, segment) in text.split('/').enumerate() {
                    if at > 0 {
                        segments.push(Vec::new());
                    }
                    if !segment.is_empty() {
                        push(&mut segments, vec![Part::Lit(segment.into())]);
                    }
                }
            }
            other => push(&mut segments, hole(other, holes)),
        }
    }
    segments
}

fn push(segments: &mut Vec<Text>, text: Text) {
    match segments.last_mut() {
        Some(last) => last.extend(text),
        None => segments.push(text),
    }
}

fn pieces(pieces: &[Piece], holes: &Holes<'_>) -> Text {
    pieces.iter().flat_map(|piece| hole(piece, holes)).collect()
}

fn hole(piece: &Piece, holes: &Holes<'_>) -> Text {
    match piece {
        Piece::Lit(text) => vec![Part::Lit(text.clone())],
        Piece::Id => holes.id.clone(),
        Piece::To => holes.to.clone().unwrap_or_default(),
        Piece::Field(name) => match &holes.subject {
            Some(subject) => field(subject, name),
            None => {
                let param = holes.params.iter().find(|(param, _)| param == name);
                param.map(|(_, text)| text.clone()).unwrap_or_default()
            }
        },
    }
}

fn params(
    subject: Subject<'_>,
    call: &Call,
    wanted: impl Fn(AttrIx) -> bool,
) -> Vec<(String, Json)> {
    let mut params = Vec::new();
    for item in &call.send {
        let sent = match &item.source {
            SendSource::Attr(ix) => {
                let value = &subject.attrs[usize::from(ix.0)];
                let sent = wanted(*ix) && !value.is_null();
                sent.then(|| json(subject.address, subject.ty.attr(*ix), value))
            }
            SendSource::Elements(part) => elements(subject, *part),
            SendSource::Text(text) => Some(Json::Text(pieces(text, &subject.holes()))),
            SendSource::Ids => Some(Json::List(vec![Json::Text(subject.id())])),
            SendSource::Part => Some(element(subject)),
            SendSource::PartList => Some(Json::List(vec![element(subject)])),
            SendSource::FieldList(ix) => {
                let value = json(subject.address, subject.ty.attr(*ix), subject.value(*ix));
                Some(Json::List(vec![value]))
            }
        };
        params.extend(sent.map(|json| (item.wire.to_string(), json)));
    }
    params
}

/// The elements of a part as their owner's create takes them; none, when there are none.
fn elements(owner: Subject<'_>, part: PartIx) -> Option<Json> {
    let own = owner.elements.iter().filter(|(ix, _)| *ix == part);
    let all: Vec<Json> = own
        .map(|(_, e)| element(Subject::new(&owner.ty.part(part).element, &e.address, &e.attrs)))
        .collect();
    (!all.is_empty()).then_some(Json::List(all))
}

/// An element as it is sent whole: in its format, or its only attribute.
fn element(subject: Subject<'_>) -> Json {
    let format = subject.ty.part_of.as_ref().and_then(|of| of.format.as_ref());
    match (format, subject.ty.plain()) {
        (Some(format), _) => Json::Text(pieces(format, &subject.holes())),
        (None, Some(ix)) => json(subject.address, subject.ty.attr(ix), subject.value(ix)),
        (None, None) => Json::Null,
    }
}

/// An attribute inside a text.
fn field(subject: &Subject<'_>, name: &str) -> Text {
    let Some(ix) = subject.ty.find_attr(name) else { return Vec::new() };
    match json(subject.address, subject.ty.attr(ix), subject.value(ix)) {
        Json::Text(text) => text,
        Json::Int(n) => vec![Part::Lit(n.to_string().into())],
        Json::Bool(b) => vec![Part::Lit(b.to_string().into())],
        Json::Null | Json::Float(_) | Json::List(_) | Json::Map(_) => Vec::new(),
    }
}

/// One attribute's value as it is sent.
fn json(address: &Address, attr: &Attribute, value: &Value) -> Json {
    if attr.sensitive || value.is_sensitive() {
        return Json::Text(vec![Part::Secret(address.clone(), attr.name.clone())]);
    }
    match value {
        Value::Null | Value::Sensitive(_) => Json::Null,
        Value::Bool(b) => Json::Bool(*b),
        Value::Int(n) => Json::Int(*n),
        Value::Float(n) => Json::Float(*n),
        Value::Str(text) => Json::Text(vec![Part::Lit(spelling(attr, text))]),
        Value::Object(of) | Value::Id(of) => Json::Text(own_id(of)),
        Value::Found(found) => Json::Text(vec![Part::Lit(found.id.clone())]),
        Value::List(items) => {
            Json::List(items.iter().map(|item| json(address, attr, item)).collect())
        }
        Value::Map(items) => {
            Json::Map(items.iter().map(|(k, v)| (k.to_string(), json(address, attr, v))).collect())
        }
    }
}

/// The word to send for a value as read: `Disabled` is sent as `disable`.
fn spelling(attr: &Attribute, text: &Arc<str>) -> Arc<str> {
    attr.values
        .iter()
        .find(|(read, _)| read == text)
        .map_or_else(|| text.clone(), |(_, s)| s.clone())
}
