//! A type's file: the tables at its top level → [`ResourceType`].
//!
//! In: the file's table and what the provider shares. Out: the type and its mentions of others.
//! Must not know how attributes and calls are written (`attr`, `call`).

use std::sync::Arc;

use toml::de::{DeTable, DeValue};

use super::attr::{self, Attrs, WireCase, check_name};
use super::call::{self, Place, Role, Scope};
use super::fields::{Entry, Fields, Node, Reader};
use super::{Mention, Named, Parsed, Shared, lookup};
use crate::address::is_identifier;
use crate::diag::Span;
use crate::schema::model::{
    ActionDef, After, AttrIx, Call, IdRule, Kind, Link, Method, Part, PartIx, Piece, Read,
    ResourceType, SendSource, Side, UniqueItem,
};

pub(super) fn read(
    r: &mut Reader,
    table: &DeTable<'_>,
    (provider, name): (&str, &str),
    shared: &Shared,
) -> Option<Parsed> {
    let mut f = r.fields(table, "a type");
    let mut mentions = Vec::new();
    let id_node = f.take("id");
    let data_only = lookup::is_data_only(id_node);
    // What all objects have, a capacity or a candidate need not have.
    let base: &[_] = if data_only { &[] } else { &shared.attrs };
    let attrs = attr::read(r, f.take("attr"), shared.case, base);
    mention_refs(r, (&attrs, data_only), &mut mentions);
    let part_entries = r.named(f.take("part"));
    let action_entries = r.named(f.take("action"));
    let names = |entries: &[Entry<'_>]| entries.iter().map(|e| e.key.into()).collect();
    let (parts, actions): (Vec<Arc<str>>, Vec<Arc<str>>) =
        (names(&part_entries), names(&action_entries));
    let scope = Scope { attrs: &attrs, parts: &parts, actions: &actions, place: Place::Object };

    let version = f.take("version").and_then(|n| r.int(n)).and_then(|n| u32::try_from(n).ok());
    let doc = f.take("doc").and_then(|n| r.text(n)).map(ToOwned::to_owned);
    let id = match id_node {
        Some(node) => id_rule(r, node, &attrs),
        None => Some(IdRule::None),
    };
    let unique = f.take("unique").map_or_else(Vec::new, |n| unique(r, n, scope));
    let after = f.take("after").map_or_else(Vec::new, |n| after(r, n, &mut mentions));
    let cascade = f.take("cascade").map_or_else(Vec::new, |n| call::cascade(r, n, scope));
    let read = f.take("read").and_then(|n| list(r, n, (&attrs, data_only)));
    let (create, updates, delete) = calls(r, &mut f, scope, shared);
    let links = r.named(f.take("link"));
    let links = links.iter().filter_map(|e| link(r, e, scope, &mut mentions)).collect();
    let parts = part_entries.iter().filter_map(|e| part(r, e, scope, shared.case)).collect();
    let actions = action_entries.iter().filter_map(|e| action(r, e, scope)).collect();
    r.finish(f);

    let whole = r.span(0..0);
    for (key, absent) in
        [("version", version.is_none()), ("doc", doc.is_none()), ("read", read.is_none())]
    {
        if absent && !r.found.has_errors() {
            r.fail("missing_key", whole, format!("the type has no `{key}`"));
        }
    }
    let mut ty = ResourceType {
        name: name.into(),
        provider: provider.into(),
        version: version?,
        doc: doc?,
        id: id?,
        unique,
        after,
        cascade,
        attrs: attrs.list.clone(),
        links,
        parts,
        actions,
        read: read?,
        create,
        updates,
        delete,
    };
    check_names(r, &ty);
    if data_only {
        lookup::finish(r, &mut ty);
    } else {
        check_sent(r, &ty, &attrs);
    }
    Some(Parsed { ty, file: r.file, mentions })
}

/// What is only looked up orders no steps.
fn mention_refs(r: &Reader, (attrs, data_only): (&Attrs, bool), mentions: &mut Vec<Mention>) {
    fn target(kind: &Kind) -> Option<&Arc<str>> {
        match kind {
            Kind::Ref(name) => Some(name),
            Kind::Set(item) | Kind::List(item) => target(item),
            _ => None,
        }
    }
    for (attribute, place) in attrs.list.iter().zip(&attrs.places) {
        if let Some(kind) = target(&attribute.kind) {
            let what =
                Named::Ref { kind: kind.clone(), orders: attribute.writable() && !data_only };
            mentions.push(Mention { span: place.unwrap_or_else(|| r.span(0..0)), what });
        }
    }
}

fn id_rule(r: &mut Reader, node: Node<'_>, attrs: &Attrs) -> Option<IdRule> {
    let text = r.text(node)?;
    match text.split_once(':') {
        None if text == "found" => Some(IdRule::Found),
        None if text == lookup::ROW => Some(IdRule::Row),
        Some(("client", wire)) if !wire.is_empty() => Some(IdRule::Client { wire: wire.into() }),
        Some(("attr", name)) => attrs.named(r, name, node.span).map(IdRule::Attr),
        Some(("server", pointer)) if pointer.starts_with('/') => {
            Some(IdRule::Server { pointer: pointer.to_owned() })
        }
        _ => r.wrong(node, "client:WIRE, attr:NAME, server:/POINTER, found or row"),
    }
}

fn unique(r: &mut Reader, node: Node<'_>, scope: Scope<'_>) -> Vec<Vec<UniqueItem>> {
    let sets = r.items(node);
    sets.into_iter()
        .map(|set| {
            let names = r.texts(set);
            names.into_iter().filter_map(|(name, span)| unique_item(r, name, span, scope)).collect()
        })
        .collect()
}

fn unique_item(r: &mut Reader, name: &str, span: Span, scope: Scope<'_>) -> Option<UniqueItem> {
    if let Some(at) = scope.parts.iter().position(|part| &**part == name) {
        return u16::try_from(at).ok().map(|at| UniqueItem::Part(PartIx(at)));
    }
    let (head, path) = match name.split_once('/') {
        Some((head, path)) => (head, Some(path)),
        None => (name, None),
    };
    let attr = scope.attrs.named(r, head, span)?;
    Some(match path {
        None => UniqueItem::Attr(attr),
        Some(path) => UniqueItem::Nested(attr, path.split('/').map(ToOwned::to_owned).collect()),
    })
}

fn after(r: &mut Reader, node: Node<'_>, mentions: &mut Vec<Mention>) -> Vec<After> {
    let mut all = Vec::new();
    for (text, span) in r.texts(node) {
        let (after, what) = match text.split_once('.') {
            None => {
                let kind: Arc<str> = text.into();
                (After::Type(kind.clone()), Named::After { kind })
            }
            Some((kind, link)) => {
                let (kind, link): (Arc<str>, Arc<str>) = (kind.into(), link.into());
                let after = After::Link { kind: kind.clone(), link: link.clone() };
                (after, Named::AfterLink { kind, link })
            }
        };
        all.push(after);
        mentions.push(Mention { span, what });
    }
    all
}

fn list(r: &mut Reader, node: Node<'_>, (attrs, data_only): (&Attrs, bool)) -> Option<Read> {
    let mut f = r.words(node, "a list call")?;
    let place = if data_only { Place::Lookup } else { Place::List };
    let scope = Scope { attrs, parts: &[], actions: &[], place };
    let (call, reply) = (f.take("call"), f.take("reply"));
    if call.is_none() || reply.is_none() {
        r.fail("missing_key", node.span, "`read` needs `call` and `reply`");
    }
    let target = call.and_then(|n| call::target(r, n, scope));
    let reply = reply.and_then(|n| r.text(n)).map(ToOwned::to_owned);
    let settled = f.take("wait").map_or_else(Vec::new, |n| attr::read_conditions(r, n, attrs));
    let send = match (f.take("send"), &target, &reply) {
        (Some(node), ..) => Some(call::send(r, node, scope)),
        (None, Some(target), Some(reply)) => lookup::plain(target, reply),
        _ => None,
    };
    r.finish(f);
    if send.is_some() && !data_only {
        r.fail("bad_call", node.span, "a list that the plan reads takes no attributes");
    }
    if target.as_ref().is_some_and(|t| t.method != Method::Get) {
        r.fail("bad_call", node.span, "a list is read with GET");
    }
    Some(Read { target: target?, settled, reply: reply?, send })
}

type Calls = (Option<Call>, Vec<Call>, Option<Call>);

fn calls(r: &mut Reader, f: &mut Fields<'_>, scope: Scope<'_>, shared: &Shared) -> Calls {
    let create = f.take("create").and_then(|n| call::read(r, n, Role::Create, scope));
    let updates = match f.take("update") {
        None => Vec::new(),
        Some(node) if matches!(node.value, DeValue::Table(_)) => vec![node],
        Some(node) => r.items(node),
    };
    let updates =
        updates.into_iter().filter_map(|n| call::read(r, n, Role::Update, scope)).collect();
    let delete_node = f.take("delete");
    let mut delete = delete_node.and_then(|n| call::read(r, n, Role::Delete, scope));
    if let (Some(delete), Some(node)) = (&mut delete, delete_node)
        && !has_query(node)
    {
        delete.target.query.extend(shared.delete_query.iter().cloned());
    }
    (create, updates, delete)
}

/// Whether a call is written with a query, be it an empty one.
fn has_query(node: Node<'_>) -> bool {
    let DeValue::Table(table) = node.value else { return false };
    let call = table.iter().find(|(key, _)| key.get_ref() == "call");
    matches!(call.map(|(_, v)| v.get_ref()), Some(DeValue::String(text)) if text.contains('?'))
}

fn link(
    r: &mut Reader,
    entry: &Entry<'_>,
    scope: Scope<'_>,
    mentions: &mut Vec<Mention>,
) -> Option<Link> {
    check_name(r, entry);
    let mut f = r.words(entry.node, "a link")?;
    let scope = Scope { place: Place::Link, ..scope };
    let doc = f.take("doc").and_then(|n| r.text(n)).unwrap_or_default().to_owned();
    let kind = f.take("kind");
    let ends = kind.and_then(|n| ends(r, n));
    let side = match (kind, ends, f.take("create"), f.take("delete")) {
        (Some(kind), Some(ends), Some(create), Some(delete)) => {
            let to = owned_end(r, kind.span, &ends);
            mentions.extend(to.iter().map(|to| Mention {
                span: kind.span,
                what: Named::End { link: entry.key.into(), kind: to.clone() },
            }));
            let attach = call::read(r, create, Role::Create, scope);
            let detach = call::read(r, delete, Role::Delete, scope);
            owner(r, &mut f, (entry.span, scope), (to, attach, detach))
        }
        (Some(kind), Some(ends), None, None) => other(r, kind.span, &ends, mentions),
        _ => {
            let text = "a link has a `kind`, and both `create` and `delete` or neither";
            r.fail("missing_key", entry.span, text);
            None
        }
    };
    r.finish(f);
    Some(Link { name: entry.key.into(), doc, side: side? })
}

type OwnerParts = (Option<Arc<str>>, Option<Call>, Option<Call>);

fn owner(
    r: &mut Reader,
    f: &mut Fields<'_>,
    (place, scope): (Span, Scope<'_>),
    (to, attach, detach): OwnerParts,
) -> Option<Side> {
    let wire = f.take("wire");
    if wire.is_none() {
        r.fail("missing_key", place, "a link needs `wire`: where the row lists the other ends");
    }
    let wire = wire.and_then(|n| r.text(n)).map(ToOwned::to_owned);
    let cascade = f.take("cascade").map_or_else(Vec::new, |n| call::cascade(r, n, scope));
    let detach = Call { cascade, ..detach? };
    Some(Side::Owner { to: to?, wire: wire?, attach: attach?.into(), detach: detach.into() })
}

/// The names in `ref(A)` or `ref(A.B|C.D)`.
fn ends<'t>(r: &mut Reader, node: Node<'t>) -> Option<Vec<&'t str>> {
    let names = r.text(node)?.strip_prefix("ref(").and_then(|t| t.strip_suffix(')'));
    match names {
        Some(names) => Some(names.split('|').collect()),
        None => r.wrong(node, "ref(TYPE), or ref(TYPE.LINK|…) for a link of another type"),
    }
}

fn owned_end(r: &mut Reader, span: Span, ends: &[&str]) -> Option<Arc<str>> {
    match ends {
        [to] if is_identifier(to) => Some((*to).into()),
        _ => {
            r.fail("unknown_kind", span, "the owning side of a link is written `ref(TYPE)`");
            None
        }
    }
}

fn other(r: &mut Reader, span: Span, ends: &[&str], mentions: &mut Vec<Mention>) -> Option<Side> {
    let mut owners = Vec::new();
    for end in ends {
        let Some((kind, link)) = end.split_once('.') else {
            r.fail("unknown_kind", span, "a link without calls is written `ref(TYPE.LINK|…)`");
            return None;
        };
        let (kind, link): (Arc<str>, Arc<str>) = (kind.into(), link.into());
        mentions
            .push(Mention { span, what: Named::Owner { kind: kind.clone(), link: link.clone() } });
        owners.push((kind, link));
    }
    Some(Side::Other { owners })
}

fn part(r: &mut Reader, entry: &Entry<'_>, scope: Scope<'_>, case: WireCase) -> Option<Part> {
    check_name(r, entry);
    let mut f = r.words(entry.node, "a part")?;
    let attrs = attr::read(r, f.take("attr"), case, &[]);
    let scope = Scope { attrs: &attrs, place: Place::Part, ..scope };
    let default = || (case.spell(entry.key), case.spell(entry.key));
    let (wire_read, wire_sent) =
        f.take("wire").and_then(|n| attr::wire(r, n)).unwrap_or_else(default);
    let unique = f.take("unique").map_or_else(Vec::new, |n| part_key(r, n, &attrs));
    if unique.is_empty() {
        r.fail(
            "missing_key",
            entry.span,
            "a part needs `unique = [[…]]`: one set of its attributes",
        );
    }
    let part = Part {
        name: entry.key.into(),
        doc: f.take("doc").and_then(|n| r.text(n)).unwrap_or_default().to_owned(),
        wire_read,
        wire_sent,
        unique,
        range: f.take("range").and_then(|n| r.range(n)),
        format: f.take("format").and_then(|n| format(r, n, &attrs)),
        create: f.take("create").and_then(|n| call::read(r, n, Role::Create, scope)),
        update: f.take("update").and_then(|n| call::read(r, n, Role::Update, scope)),
        delete: f.take("delete").and_then(|n| call::read(r, n, Role::Delete, scope)),
        attrs: attrs.list.clone(),
    };
    r.finish(f);
    Some(part)
}

fn part_key(r: &mut Reader, node: Node<'_>, attrs: &Attrs) -> Vec<AttrIx> {
    match r.items(node)[..] {
        [set] => {
            let names = r.texts(set);
            names.into_iter().filter_map(|(name, span)| attrs.named(r, name, span)).collect()
        }
        _ => Vec::new(),
    }
}

/// A text with `{attribute}`s of the part.
fn format(r: &mut Reader, node: Node<'_>, attrs: &Attrs) -> Option<String> {
    let text = r.text(node)?;
    for piece in text.split('{').skip(1) {
        match piece.split_once('}') {
            Some((name, _)) => {
                attrs.named(r, name, node.span)?;
            }
            None => return r.wrong(node, "a text whose `{` are closed"),
        }
    }
    Some(text.to_owned())
}

fn action(r: &mut Reader, entry: &Entry<'_>, scope: Scope<'_>) -> Option<ActionDef> {
    let mut f = r.words(entry.node, "an action")?;
    let doc = f.take("doc").and_then(|n| r.text(n)).unwrap_or_default().to_owned();
    let call = call::members(r, &mut f, entry.span, (Role::Action, scope));
    r.finish(f);
    Some(ActionDef { name: entry.key.into(), doc, call: call? })
}

/// Attributes, links and parts share one table in the configuration.
fn check_names(r: &mut Reader, ty: &ResourceType) {
    let mut seen = std::collections::BTreeSet::new();
    let names = ty.attrs.iter().map(|a| &a.name);
    let names = names.chain(ty.links.iter().map(|l| &l.name));
    for name in names.chain(ty.parts.iter().map(|p| &p.name)) {
        if !seen.insert(name) {
            let text = format!("`{name}` names two of the attributes, links and parts");
            r.fail("name_twice", r.span(0..0), text);
        }
    }
}

/// What can be written must reach the server, and what is required must reach it with the create.
fn check_sent(r: &mut Reader, ty: &ResourceType, attrs: &Attrs) {
    let created = ty.create.as_ref();
    for (ix, attribute) in ty.attrs() {
        let in_create = created.is_some_and(|call| reaches(call, ix, &attribute.name));
        let span = attrs.places[usize::from(ix.0)].unwrap_or_else(|| r.span(0..0));
        if attribute.required && created.is_some() && !in_create {
            let text = format!("`{}` is required, but `create` does not send it", attribute.name);
            r.fail("never_sent", span, text);
        } else if attribute.writable() && !in_create && !ty.updatable(ix) {
            let text = format!("`{}` can be written, but no call sends it", attribute.name);
            r.fail("never_sent", span, text);
        }
    }
}

fn reaches(call: &Call, ix: AttrIx, name: &str) -> bool {
    let listed = call.send.iter().any(|s| matches!(s.source, SendSource::FieldList(a) if a == ix));
    let in_path =
        call.target.path.iter().any(|p| matches!(p, Piece::Field(field) if &**field == name));
    call.sends(ix) || listed || in_path
}
