//! A call of a schema and the attributes of an object → [`RequestTemplate`].
//!
//! In: schema data, addresses and values. Out: a template whose ids and secrets are holes. This
//! is the only file that turns values into JSON for the wire; it sends nothing and knows no
//! value of a secret.

use std::sync::Arc;

use crate::address::Address;
use crate::config::End;
use crate::schema::{
    AttrIx, Attribute, Call, IdRule, Method, Piece, ResourceType, Row, SendSource, Target,
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
}

/// The request that creates an object: everything that `create` sends and the row sets.
pub fn create(subject: Subject<'_>, call: &Call) -> RequestTemplate {
    let mut params = params(subject, call, |_| true);
    if let IdRule::Client { wire } = &subject.ty.id {
        params.push((wire.to_string(), Json::Text(own_id(subject.address))));
    }
    request(call, params, &Holes { id: own_id(subject.address), to: None })
}

/// The request that sends these attributes of an object: only what changed, since some servers
/// refuse an unchanged value (`UpdateKVMHost` its own management IP, reference 3.3).
pub fn update(subject: Subject<'_>, call: &Call, changed: &[AttrIx]) -> RequestTemplate {
    let params = params(subject, call, |ix| changed.contains(&ix));
    request(call, params, &Holes { id: own_id(subject.address), to: None })
}

/// A request that needs nothing but the object's id: delete, actions without parameters.
pub fn bare(address: &Address, call: &Call) -> RequestTemplate {
    request(call, Vec::new(), &Holes { id: own_id(address), to: None })
}

/// The request that attaches or detaches.
pub fn link(owner: &End, to: &End, call: &Call) -> RequestTemplate {
    request(call, Vec::new(), &Holes { id: end(owner), to: Some(end(to)) })
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

struct Holes {
    id: Text,
    to: Option<Text>,
}

fn request(call: &Call, params: Vec<(String, Json)>, holes: &Holes) -> RequestTemplate {
    let Target { method, path, query } = &call.target;
    let mut query: Vec<(String, Text)> =
        query.iter().map(|(name, value)| (name.clone(), pieces(value, holes))).collect();
    let in_query = matches!(method, Method::Get | Method::Delete);
    let body = match &call.body {
        Some(wrapper) if !in_query => Some(Json::Map(vec![(wrapper.clone(), Json::Map(params))])),
        _ => {
            query.extend(params.into_iter().flat_map(|(name, json)| as_query(&name, json)));
            None
        }
    };
    RequestTemplate { method: *method, path: segments(path, holes), query, body }
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
fn segments(path: &[Piece], holes: &Holes) -> Vec<Text> {
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

fn pieces(pieces: &[Piece], holes: &Holes) -> Text {
    pieces.iter().flat_map(|piece| hole(piece, holes)).collect()
}

fn hole(piece: &Piece, holes: &Holes) -> Text {
    match piece {
        Piece::Lit(text) => vec![Part::Lit(text.clone())],
        Piece::Id => holes.id.clone(),
        Piece::To => holes.to.clone().unwrap_or_default(),
        // Parts and parameters of actions; `schema::check` refuses them elsewhere.
        Piece::Field(_) => Vec::new(),
    }
}

fn params(
    subject: Subject<'_>,
    call: &Call,
    wanted: impl Fn(AttrIx) -> bool,
) -> Vec<(String, Json)> {
    let mut params = Vec::new();
    for item in &call.send {
        let SendSource::Attr(ix) = item.source else { continue };
        let value = &subject.attrs[usize::from(ix.0)];
        if wanted(ix) && !value.is_null() {
            let attr = subject.ty.attr(ix);
            params.push((item.wire.to_string(), json(subject.address, attr, value)));
        }
    }
    params
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
