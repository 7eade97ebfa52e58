//! A type's file: the tables at its top level → [`ResourceType`].
//!
//! In: the file's table and what the provider shares. Out: the type and its mentions of others.
//! Must not know how attributes and calls are written (`attr`, `call`).

use std::sync::Arc;

use toml::de::{DeTable, DeValue};

use super::action;
use super::attr::{self, Attrs, check_name};
use super::call::{self, Place, Role, Scope};
use super::fields::{Entry, Fields, Node, Reader};
use super::{Mention, Named, Parsed, Shared, lookup, part};
use crate::address::is_identifier;
use crate::diag::{Diagnostics, Span};
use crate::schema::model::{
    ActionDef, After, AttrIx, Call, IdRule, Kind, Link, Part, PartIx, Piece, ResourceType,
    SendItem, SendSource, Side, UniqueItem,
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
    let action_entries = r.named(f.take("action"));
    let actions: Vec<Arc<str>> = action_entries.iter().map(|e| e.key.into()).collect();
    let version = f.take("version").and_then(|n| r.int(n)).and_then(|n| u32::try_from(n).ok());
    let wire = f.take("wire").and_then(|n| r.text(n));
    let alone = Scope { attrs: &attrs, parts: &[], actions: &actions, wire, place: Place::Object };
    let place = if data_only { Place::Lookup } else { Place::List };
    let read = f.take("read").and_then(|n| call::list(r, n, Scope { place, ..alone }));
    let mut parts = match &read {
        None => Vec::new(),
        Some(read) => {
            let owner = part::Owner {
                name,
                provider,
                version: version.unwrap_or_default(),
                wire,
                case: shared.case,
                actions: &actions,
                read,
            };
            parts(r, f.take("part"), &owner, shared)
        }
    };
    let sent: Vec<_> = parts.iter().map(|p| (p.name.clone(), p.wire_sent.clone())).collect();
    let scope = Scope { parts: &sent, ..alone };

    let doc = f.take("doc").and_then(|n| r.text(n)).map(ToOwned::to_owned);
    let id = match id_node {
        Some(node) => id_rule(r, node, &attrs),
        None => Some(IdRule::None),
    };
    let unique = f.take("unique").map_or_else(Vec::new, |n| unique(r, n, scope));
    let after = f.take("after").map_or_else(Vec::new, |n| after(r, n, &mut mentions));
    let cascade = f.take("cascade").map_or_else(Vec::new, |n| call::cascade(r, n, scope));
    let (mut create, updates, delete) = calls(r, &mut f, scope, shared);
    let links = r.named(f.take("link"));
    let links = links.iter().filter_map(|e| link(r, e, scope, &mut mentions)).collect();
    let actions = action_entries.iter();
    let actions: Vec<ActionDef> =
        actions.filter_map(|e| action::read(r, e, (scope, shared.case), &mut mentions)).collect();
    r.finish(f);
    complete(&mut parts, &unique, &actions);
    if let Some(create) = &mut create {
        send_shared_parts(create, &parts, shared);
    }

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
        part_of: None,
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
    check_own_reads(r, &ty);
    Some(Parsed { ty, file: r.file, mentions })
}

/// The parts of the file, and those that all types of the provider have.
fn parts(
    r: &mut Reader,
    node: Option<Node<'_>>,
    owner: &part::Owner<'_>,
    shared: &Shared,
) -> Vec<Part> {
    let mut all = Vec::new();
    let ix = |all: &Vec<Part>| PartIx(u16::try_from(all.len()).unwrap_or(u16::MAX));
    for entry in r.named(node) {
        let at = ix(&all);
        all.extend(part::read(r, &entry, owner, at));
    }
    // Only what the API has a name for can be named in calls that go for every type.
    if let (Some((text, file)), Some(_)) = (&shared.parts, owner.wire)
        && let Ok(table) = DeTable::parse(text)
    {
        let mut own = Reader { file: *file, found: Diagnostics::default() };
        let mut f = own.fields(table.get_ref(), "provider.toml");
        for entry in own.named(f.take("part")) {
            let at = ix(&all);
            all.extend(part::read(&mut own, &entry, owner, at));
        }
        r.found.extend(own.found);
    }
    all
}

/// What elements take from their owner once it is read: its actions, which an update of theirs
/// may run, and its unique keys, where an element is one.
fn complete(parts: &mut [Part], unique: &[Vec<UniqueItem>], actions: &[ActionDef]) {
    for (at, part) in (0..).zip(parts) {
        let element = Arc::make_mut(&mut part.element);
        if element.updates.iter().any(|call| !call.then.is_empty()) {
            element.actions = actions.to_vec();
        }
        if unique.iter().any(|set| *set == [UniqueItem::Part(PartIx(at))])
            && let Some(of) = &element.part_of
        {
            element.unique = vec![of.key.iter().map(|ix| UniqueItem::Attr(*ix)).collect()];
        }
    }
}

/// Every create takes the parts that all types of the provider have.
fn send_shared_parts(create: &mut Call, parts: &[Part], shared: &Shared) {
    for (at, part) in (0..).map(PartIx).zip(parts) {
        if shared.has_part(&part.name) && create.body.is_some() {
            let source = SendSource::Elements(at);
            create.send.push(SendItem { wire: part.wire_sent.clone(), source });
        }
    }
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
    if let Some(at) = scope.parts.iter().position(|(part, _)| &**part == name) {
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
    let range = f.take("range").and_then(|n| r.range(n));
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
    Some(Link { name: entry.key.into(), doc, range, side: side? })
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
        } else if attribute.writable() && !in_create && !ty.updatable(ix) && !finds(ty, ix) {
            let text = format!("`{}` can be written, but no call sends it", attribute.name);
            r.fail("never_sent", span, text);
        }
    }
}

/// Whether a discovered object is looked up by this attribute.
fn finds(ty: &ResourceType, ix: AttrIx) -> bool {
    ty.id == IdRule::Found && ty.unique.iter().flatten().any(|item| *item == UniqueItem::Attr(ix))
}

/// Only an attribute of the object itself is read by a call of its own.
fn check_own_reads(r: &mut Reader, ty: &ResourceType) {
    fn inside(kind: &Kind) -> &[crate::schema::Attribute] {
        match kind {
            Kind::Object(attrs) => attrs,
            Kind::Set(item) | Kind::List(item) => inside(item),
            _ => &[],
        }
    }
    let nested = ty.attrs.iter().flat_map(|a| inside(&a.kind));
    for attribute in nested.chain(ty.parts.iter().flat_map(|part| part.attrs())) {
        if attribute.read.is_some() {
            let text = format!("`{}` is no attribute of the object itself", attribute.name);
            r.fail("bad_call", r.span(0..0), format!("{text}: it cannot have a `read`"));
        }
    }
}

fn reaches(call: &Call, ix: AttrIx, name: &str) -> bool {
    let listed = call.send.iter().any(|s| matches!(s.source, SendSource::FieldList(a) if a == ix));
    let in_path =
        call.target.path.iter().any(|p| matches!(p, Piece::Field(field) if &**field == name));
    call.sends(ix) || listed || in_path
}
