//! Calls: a `create`, `update`, `delete`, `action` table → [`Call`].
//!
//! In: a table and what may be named in it ([`Scope`]). Out: the call, with attributes and actions
//! as indices. Must not know other types or how a request is written.

use std::sync::Arc;

use toml::de::DeValue;

use super::attr::{Attrs, read_conditions};
use super::fields::{Fields, Node, Reader};
use super::lookup;
use crate::diag::{Diagnostic, Span};
use crate::schema::model::{
    ActionIx, AttrIx, Call, Casualty, Count, Method, OWNER, PartIx, Piece, Read, SendItem,
    SendSource, Target, Wait,
};

/// What a call may name.
#[derive(Clone, Copy)]
pub(super) struct Scope<'a> {
    pub attrs: &'a Attrs,
    /// Parts, and the parameter of a create that takes their elements.
    pub parts: &'a [(Arc<str>, Arc<str>)],
    pub actions: &'a [Arc<str>],
    /// The API's name of the type.
    pub wire: Option<&'a str>,
    pub place: Place,
}

/// What a call belongs to.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// Every list of a type: nothing can be filled in.
    List,
    /// The read of a type that is only looked up: its attributes can be filled in.
    Lookup,
    Object,
    Link,
    Part,
}

/// What a call is for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    Create,
    Update,
    Delete,
    Action,
}

/// Reads a table that is a call and nothing else.
pub(super) fn read(r: &mut Reader, node: Node<'_>, role: Role, scope: Scope<'_>) -> Option<Call> {
    let mut f = r.words(node, "a call")?;
    let call = members(r, &mut f, node.span, (role, scope));
    r.finish(f);
    call
}

/// Reads the members of a call from a table that may hold others (an action has a `doc`).
pub(super) fn members(
    r: &mut Reader,
    f: &mut Fields<'_>,
    place: Span,
    (role, scope): (Role, Scope<'_>),
) -> Option<Call> {
    let target_node = f.take("call");
    let target = target_node.and_then(|node| target(r, node, scope));
    if target_node.is_none() {
        r.fail("missing_key", place, "a call has no `call`");
    }
    let text = |r: &mut Reader, node: Option<Node<'_>>| {
        node.and_then(|n| r.text(n)).map(ToOwned::to_owned)
    };
    let body = text(r, f.take("body"));
    let send_node = f.take("send");
    let send = match send_node {
        Some(node) => send(r, node, scope),
        None => default_send(role, scope, target.as_ref()),
    };
    let wait = f.take("wait").map_or(Wait::Done, |node| wait(r, node, scope.attrs));
    let mut call = Call {
        target: target?,
        body,
        reply: None,
        send,
        wait,
        then: Vec::new(),
        when: Vec::new(),
        cascade: Vec::new(),
    };
    if role != Role::Delete {
        call.reply = text(r, f.take("reply"));
    }
    if role == Role::Update {
        call.then = f.take("then").map_or_else(Vec::new, |node| then(r, node, scope));
        call.when = f.take("when").map_or_else(Vec::new, |n| read_conditions(r, n, scope.attrs));
    }
    if matches!(role, Role::Update | Role::Action) {
        call.cascade = f.take("cascade").map_or_else(Vec::new, |n| cascade(r, n, scope));
    }
    check_method(r, &call, role, target_node.map_or(place, |n| n.span));
    Some(call)
}

/// A body belongs to POST and PUT only, and without one nothing can be sent by them.
fn check_method(r: &mut Reader, call: &Call, role: Role, span: Span) {
    let in_query = matches!(call.target.method, Method::Get | Method::Delete);
    if in_query && call.body.is_some() {
        r.fail("no_body", span, "GET and DELETE send in the query and have no `body`");
    }
    if !in_query && call.body.is_none() && !call.send.is_empty() {
        r.fail("no_body", span, "attributes are sent, but there is no `body` to hold them");
    }
    if role == Role::Update && call.send.is_empty() {
        r.fail("nothing_sent", span, "an update that sends nothing changes nothing");
    }
}

/// Without a `send`: all attributes that can be written, and all parameters of an action but those
/// that stand in its path.
fn default_send(role: Role, scope: Scope<'_>, target: Option<&Target>) -> Vec<SendItem> {
    let fits = role != Role::Delete && matches!(scope.place, Place::Object | Place::Part);
    let path = target.map_or(&[][..], |target| &target.path);
    let in_path =
        |name: &Arc<str>| role == Role::Action && path.contains(&Piece::Field(name.clone()));
    let all = (0..).map(AttrIx).zip(&scope.attrs.list);
    let owner = |ix: AttrIx| scope.place == Place::Part && ix == OWNER;
    all.filter(|(ix, a)| fits && a.writable() && !owner(*ix) && !in_path(&a.name))
        .map(|(ix, a)| SendItem { wire: a.wire_sent.clone(), source: SendSource::Attr(ix) })
        .collect()
}

pub(super) fn send(r: &mut Reader, node: Node<'_>, scope: Scope<'_>) -> Vec<SendItem> {
    if let DeValue::Table(table) = node.value {
        let mut all = Vec::new();
        for entry in r.entries(table) {
            let source = r.text(entry.node).and_then(|t| source(r, t, entry.node.span, scope));
            all.extend(source.map(|source| SendItem { wire: entry.key.into(), source }));
        }
        return all;
    }
    let mut all = Vec::new();
    for (name, span) in r.texts(node) {
        if let Some(item) = elements(name, scope) {
            all.push(item);
        } else if let Some(ix) = writable(r, name, span, scope) {
            let wire = scope.attrs.get(ix).wire_sent.clone();
            all.push(SendItem { wire, source: SendSource::Attr(ix) });
        }
    }
    all
}

/// A part by its name: the elements that an object is created with.
fn elements(name: &str, scope: Scope<'_>) -> Option<SendItem> {
    let at = scope.parts.iter().position(|(part, _)| &**part == name)?;
    let source = SendSource::Elements(PartIx(u16::try_from(at).ok()?));
    Some(SendItem { wire: scope.parts[at].1.clone(), source })
}

fn source(r: &mut Reader, text: &str, span: Span, scope: Scope<'_>) -> Option<SendSource> {
    let of_part = scope.place == Place::Part;
    match (text, text.strip_prefix('[').and_then(|t| t.strip_suffix(']'))) {
        ("." | "[.]", _) if !of_part => {
            r.fail("not_a_part", span, format!("`{text}` is the part itself: only a part has one"));
            None
        }
        (".", _) => Some(SendSource::Part),
        ("[{id}]", _) if scope.place == Place::Object => Some(SendSource::Ids),
        ("[.]", _) => Some(SendSource::PartList),
        (text, None) if text.contains('{') => pieces(r, text, span, scope).map(SendSource::Text),
        (_, Some(name)) => scope.attrs.named(r, name, span).map(SendSource::FieldList),
        (name, None) => writable(r, name, span, scope).map(SendSource::Attr),
    }
}

fn writable(r: &mut Reader, name: &str, span: Span, scope: Scope<'_>) -> Option<AttrIx> {
    let ix = scope.attrs.named(r, name, span)?;
    if !scope.attrs.get(ix).writable() {
        r.fail("computed_sent", span, format!("`{name}` is computed and cannot be sent"));
        return None;
    }
    Some(ix)
}

fn then(r: &mut Reader, node: Node<'_>, scope: Scope<'_>) -> Vec<ActionIx> {
    let mut all = Vec::new();
    for (name, span) in r.texts(node) {
        match (0..).map(ActionIx).zip(scope.actions).find(|(_, action)| &***action == name) {
            Some((ix, _)) => all.push(ix),
            None => r.fail("unknown_action", span, format!("there is no action `{name}`")),
        }
    }
    all
}

/// `"gone"`, or `{ attr = [values] }`.
pub(super) fn wait(r: &mut Reader, node: Node<'_>, attrs: &Attrs) -> Wait {
    match node.value {
        DeValue::String(word) if &**word == "gone" => Wait::Gone,
        DeValue::Table(_) => Wait::Attrs(read_conditions(r, node, attrs)),
        _ => r.wrong(node, "\"gone\" or { attribute = [values] }").unwrap_or_default(),
    }
}

/// label → count query, or `#part`.
pub(super) fn cascade(r: &mut Reader, node: Node<'_>, scope: Scope<'_>) -> Vec<Casualty> {
    let mut all = Vec::new();
    for entry in r.named(Some(node)) {
        let Some(text) = r.text(entry.node) else { continue };
        let span = entry.node.span;
        let count = match text.strip_prefix('#') {
            Some(name) if scope.parts.iter().any(|(part, _)| &**part == name) => {
                Some(Count::Part(name.into()))
            }
            Some(name) => {
                r.fail("unknown_part", span, format!("there is no part `{name}`"));
                None
            }
            None => target(r, entry.node, scope).and_then(|query| {
                if query.method != Method::Get {
                    r.fail("bad_call", span, "only a GET counts without changing anything");
                    return None;
                }
                Some(Count::Query(query))
            }),
        };
        all.extend(count.map(|count| Casualty { label: entry.key.to_owned(), count }));
    }
    all
}

/// Reads a `read`: how all objects of a type, or elements of a part, are listed.
pub(super) fn list(r: &mut Reader, node: Node<'_>, scope: Scope<'_>) -> Option<Read> {
    let mut f = r.words(node, "a list call")?;
    let attrs = scope.attrs;
    let (call, reply) = (f.take("call"), f.take("reply"));
    if call.is_none() || reply.is_none() {
        r.fail("missing_key", node.span, "`read` needs `call` and `reply`");
    }
    let target = call.and_then(|n| target(r, n, scope));
    let reply = reply.and_then(|n| r.text(n)).map(ToOwned::to_owned);
    let settled = f.take("wait").map_or_else(Vec::new, |n| read_conditions(r, n, attrs));
    let send = match (f.take("send"), &target, &reply) {
        (Some(node), ..) => Some(send(r, node, scope)),
        (None, Some(target), Some(reply)) => lookup::plain(target, reply),
        _ => None,
    };
    r.finish(f);
    if send.is_some() && scope.place != Place::Lookup {
        r.fail("bad_call", node.span, "a list that the plan reads takes no attributes");
    }
    if target.as_ref().is_some_and(|t| t.method != Method::Get) {
        r.fail("bad_call", node.span, "a list is read with GET");
    }
    Some(Read { target: target?, settled, reply: reply?, send })
}

/// A text with placeholders.
pub(super) fn text(r: &mut Reader, node: Node<'_>, scope: Scope<'_>) -> Option<Vec<Piece>> {
    let text = r.text(node)?;
    pieces(r, text, node.span, scope)
}

/// `METHOD /path?name=value&…` with placeholders.
pub(super) fn target(r: &mut Reader, node: Node<'_>, scope: Scope<'_>) -> Option<Target> {
    let text = r.text(node)?;
    let Some((method, rest)) = text.split_once(' ') else {
        return bad_call(r, node.span, text);
    };
    let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
    let method = match method {
        "GET" => Method::Get,
        "POST" => Method::Post,
        "PUT" => Method::Put,
        "DELETE" => Method::Delete,
        _ => return bad_call(r, node.span, text),
    };
    if !path.starts_with('/') {
        return bad_call(r, node.span, text);
    }
    let path = pieces(r, path, node.span, scope)?;
    Some(Target { method, path, query: read_query(r, query, node.span, scope)? })
}

pub(super) fn read_query(
    r: &mut Reader,
    text: &str,
    span: Span,
    scope: Scope<'_>,
) -> Option<Vec<(String, Vec<Piece>)>> {
    let mut all = Vec::new();
    for pair in text.split('&').filter(|pair| !pair.is_empty()) {
        let Some((name, value)) = pair.split_once('=') else {
            return bad_call(r, span, pair);
        };
        all.push((name.to_owned(), pieces(r, value, span, scope)?));
    }
    Some(all)
}

fn bad_call<T>(r: &mut Reader, span: Span, text: &str) -> Option<T> {
    let finding = Diagnostic::error("bad_call", format!("`{text}` is no call"));
    r.found.push(
        finding
            .at(span, "here")
            .help("written `GET /path?name=value`; the methods are GET, POST, PUT and DELETE"),
    );
    None
}

fn pieces(r: &mut Reader, text: &str, span: Span, scope: Scope<'_>) -> Option<Vec<Piece>> {
    let mut all = Vec::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('{') {
        if !before.is_empty() {
            all.push(Piece::Lit(before.into()));
        }
        let Some((name, more)) = after.split_once('}') else { return bad_call(r, span, text) };
        all.push(placeholder(r, name, span, scope)?);
        rest = more;
    }
    if !rest.is_empty() {
        all.push(Piece::Lit(rest.into()));
    }
    Some(all)
}

fn placeholder(r: &mut Reader, name: &str, span: Span, scope: Scope<'_>) -> Option<Piece> {
    let refuse = |r: &mut Reader, text: String| {
        r.fail("unknown_placeholder", span, text);
        None
    };
    match (name, scope.wire) {
        ("type", Some(wire)) => return Some(Piece::Lit(wire.into())),
        ("type", None) => {
            return refuse(r, "`{type}` is the type's `wire`: it has none".to_owned());
        }
        _ => {}
    }
    match name {
        _ if scope.place == Place::List => {
            refuse(r, format!("a list query has nothing to put in for `{{{name}}}`"))
        }
        "id" if scope.place == Place::Lookup => {
            refuse(r, "an object that is only looked up has no `{id}` before".to_owned())
        }
        "id" => Some(Piece::Id),
        "to" if scope.place == Place::Link => Some(Piece::To),
        "to" => refuse(r, "`{to}` is the other end of a link: only a link has one".to_owned()),
        _ if scope.attrs.find(name).is_some() => Some(Piece::Field(name.into())),
        _ => refuse(r, format!("`{{{name}}}` is neither `id` nor an attribute")),
    }
}
