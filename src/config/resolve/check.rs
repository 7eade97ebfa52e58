//! Rules between resources.
//!
//! In: what is desired. Out: findings: the same unique key twice, the same attachment twice, ends
//! of an attachment that belong to different parents, references in a circle.

use std::collections::HashMap;

use super::{Seen, Work};
use crate::address::Address;
use crate::config::{Desired, DesiredLink, DesiredResource, End, trigger_edges};
use crate::diag::{Diagnostic, Span};
use crate::graph::Graph;
use crate::schema::{AttrIx, Kind, ResourceType, Schemas, UniqueItem};
use crate::value::Value;

/// Who refers to whom: dependent, dependency, and where that is written. Attachments are not
/// among them: they depend on both their ends, and nothing depends on them by reference.
pub fn edges(desired: &Desired) -> Vec<(Address, Address, Span)> {
    let mut edges = Vec::new();
    for resource in &desired.resources {
        for (value, span) in resource.attrs.iter().zip(resource.spans.iter()) {
            let span = span.unwrap_or(resource.declared);
            mentioned(value, &mut |to| {
                edges.push((resource.address.clone(), to.clone(), span));
            });
        }
        for (to, span) in resource.depends_on.iter() {
            edges.push((resource.address.clone(), to.clone(), *span));
        }
    }
    edges
}

fn mentioned(value: &Value, found: &mut impl FnMut(&Address)) {
    match value {
        Value::Object(address) | Value::Id(address) => found(address),
        Value::List(items) => items.iter().for_each(|item| mentioned(item, found)),
        Value::Map(items) => items.values().for_each(|item| mentioned(item, found)),
        Value::Sensitive(inner) => mentioned(inner, found),
        Value::Null | Value::Bool(_) | Value::Int(_) | Value::Float(_) => {}
        Value::Str(_) | Value::Found(_) => {}
    }
}

impl Work<'_> {
    pub(super) fn check(&mut self, desired: &Desired) {
        self.unique_keys(desired);
        self.one_cloud(desired);
        self.links_once(desired);
        for link in &desired.links {
            self.same_parents(link, desired);
        }
        self.cycle(desired);
    }

    fn unique_keys(&mut self, desired: &Desired) {
        let mut seen: Seen<(u16, usize, &str, String)> = HashMap::new();
        for resource in &desired.resources {
            let ty = self.schemas.get(resource.ty);
            for (at, set) in ty.unique.iter().enumerate() {
                let Some((key, span)) = unique_key(resource, set) else { continue };
                let key = (resource.ty.0, at, &*resource.provider, key);
                match seen.get(&key) {
                    None => drop(seen.insert(key, (resource.address.clone(), span))),
                    Some((first, first_span)) => {
                        let finding = twice(resource, span, first, *first_span, ty, set);
                        let place = self.place(*first_span);
                        self.findings.push(finding.detail(format!("The first stands at {place}.")));
                    }
                }
            }
        }
    }

    /// What refers to each other must be of one provider: an id of one cloud means nothing to
    /// another.
    fn one_cloud(&mut self, desired: &Desired) {
        let mut judge = |from: &DesiredResource, to: &Address, span: Span| {
            let Some(to) = desired.get(to).filter(|to| to.provider != from.provider) else {
                return;
            };
            let problem =
                format!("`{}` and `{}` are of different providers", from.address, to.address);
            let finding = Diagnostic::error("other_provider", problem)
                .at(span, format!("from \"{}\" to \"{}\"", from.provider, to.provider))
                .at(to.declared, format!("this is of \"{}\"", to.provider))
                .help("give both the same `provider`");
            self.findings.push(finding.on(&from.address));
        };
        for resource in &desired.resources {
            for (value, span) in resource.attrs.iter().zip(resource.spans.iter()) {
                let span = span.unwrap_or(resource.declared);
                mentioned(value, &mut |to| judge(resource, to, span));
            }
        }
        for link in &desired.links {
            if let (End::Ours(owner), End::Ours(to)) = (&link.owner, &link.to)
                && let Some(owner) = desired.get(owner)
            {
                judge(owner, to, link.declared);
            }
        }
    }

    fn links_once(&mut self, desired: &Desired) {
        // Ordered by address: equal pairs stand side by side, except those of a foreign owner.
        let mut seen: HashMap<(&End, u16, u16, &End), &DesiredLink> = HashMap::new();
        for link in &desired.links {
            let key = (&link.owner, link.owner_ty.0, link.link.0, &link.to);
            let Some(first) = seen.get(&key) else {
                seen.insert(key, link);
                continue;
            };
            let (first, again) =
                if first.declared <= link.declared { (*first, link) } else { (link, *first) };
            let place = self.place(first.declared);
            let (by, attribute) = &again.declared_by;
            let both = first.declared_by == again.declared_by;
            let finding = Diagnostic::error(
                "duplicate_link",
                format!("the attachment `{}` is declared twice", link.address),
            )
            .at(again.declared, format!("again here, by `{by}.{attribute}`"))
            .at(
                first.declared,
                format!("first here, by `{}.{}`", first.declared_by.0, first.declared_by.1),
            )
            .detail(format!("The first stands at {place}."))
            .help(if both {
                "remove one of them"
            } else {
                "declare it on one of the two sides"
            });
            self.findings.push(finding.on(&link.address));
        }
    }

    /// Both ends of a link that refer to an object of the same type must refer to the same one.
    fn same_parents(&mut self, link: &DesiredLink, desired: &Desired) {
        let (End::Ours(owner), End::Ours(to)) = (&link.owner, &link.to) else { return };
        let (Some(owner), Some(to)) = (desired.get(owner), desired.get(to)) else { return };
        let ours = parents(owner, self.schemas);
        for (kind, there, there_span) in parents(to, self.schemas) {
            let Some((_, here, here_span)) = ours.iter().find(|(k, ..)| *k == kind) else {
                continue;
            };
            // A foreign id may be that of an object of ours: only equals can be compared.
            let comparable = std::mem::discriminant(*here) == std::mem::discriminant(there);
            if !comparable || *here == there {
                continue;
            }
            let finding = Diagnostic::error(
                "different_parents",
                format!("`{}` and `{}` are not in the same {kind}", owner.address, to.address),
            )
            .at(link.declared, "attached here")
            .at(*here_span, format!("`{}` is in {}", owner.address, shown(here)))
            .at(there_span, format!("`{}` is in {}", to.address, shown(there)))
            .detail(format!(
                "They refer to their {kind} at {} and {}.",
                self.place(*here_span),
                self.place(there_span)
            ))
            .help(format!("attach objects of one {kind} only"));
            self.findings.push(finding.on(&link.address));
        }
    }

    fn cycle(&mut self, desired: &Desired) {
        let count = desired.resources.len();
        let triggers = trigger_edges(desired);
        let mut graph = Graph::new(count + triggers.blocks.len());
        for (from, to, span) in edges(desired) {
            if let (Some(from), Some(to)) = (desired.index.get(&from), desired.index.get(&to)) {
                graph.add_edge(*from, *to, span);
            }
        }
        for (from, to, span) in triggers.edges {
            graph.add_edge(from, to, span);
        }
        let Err(cycle) = graph.order() else { return };
        let name = |at: u32| match (at as usize).checked_sub(count) {
            None => &desired.resources[at as usize].address,
            Some(block) => &triggers.blocks[block],
        };
        let mut chain = String::new();
        let mut finding = Diagnostic::error("cycle", "resources depend on each other in a circle");
        for edge in &cycle.edges {
            let (from, to) = (name(edge.dependent), name(edge.dependency));
            finding = finding.at(*edge.payload, format!("`{from}` needs `{to}`"));
            let place = self.place(*edge.payload);
            chain.push_str(&format!("`{from}` needs `{to}` ({place}). "));
        }
        let finding = finding.detail(chain.trim_end()).help("remove one of these references");
        self.findings.push(finding);
    }
}

fn twice(
    again: &DesiredResource,
    span: Span,
    first: &Address,
    first_span: Span,
    ty: &ResourceType,
    set: &[UniqueItem],
) -> Diagnostic {
    let names: Vec<_> = set.iter().map(|item| format!("`{}`", item_name(item, ty))).collect();
    let names = names.join(" and ");
    Diagnostic::error(
        "duplicate_key",
        format!("`{}` and `{first}` have the same {names}", again.address),
    )
    .at(span, "again here")
    .at(first_span, format!("first here, by `{first}`"))
    .help(format!("each {} needs its own {names}", ty.name))
    .on(&again.address)
}

fn item_name(item: &UniqueItem, ty: &ResourceType) -> String {
    match item {
        UniqueItem::Attr(ix) => ty.attr(*ix).name.to_string(),
        UniqueItem::Nested(ix, path) => format!("{}/{}", ty.attr(*ix).name, path.join("/")),
        UniqueItem::Part(ix) => ty.part(*ix).name.to_string(),
    }
}

/// The values of a unique set as one text, and where the last one that is written stands. None
/// when a value is missing: then nothing is identified yet.
fn unique_key(resource: &DesiredResource, set: &[UniqueItem]) -> Option<(String, Span)> {
    let mut key = String::new();
    let mut place = None;
    for item in set {
        let (ix, value) = match item {
            UniqueItem::Attr(ix) => (*ix, value_of(resource, *ix)),
            UniqueItem::Nested(ix, path) => (*ix, dig(value_of(resource, *ix), path)?),
            UniqueItem::Part(_) => return None,
        };
        if value.is_null() {
            return None;
        }
        // Quoted by Display, so that two values never run into one.
        key.push_str(&value.reveal().to_string());
        key.push('\n');
        place = resource.spans.get(usize::from(ix.0)).copied().flatten().or(place);
    }
    Some((key, place.unwrap_or(resource.declared)))
}

fn dig<'v>(value: &'v Value, path: &[String]) -> Option<&'v Value> {
    path.iter().try_fold(value, |value, step| match value.reveal() {
        Value::Map(items) => items.get(step.as_str()),
        Value::List(items) => items.get(step.parse::<usize>().ok()?),
        _ => None,
    })
}

fn value_of(resource: &DesiredResource, ix: AttrIx) -> &Value {
    resource.attrs.get(usize::from(ix.0)).unwrap_or(&Value::Null)
}

/// The objects that a resource belongs to: type, value and place of each plain reference.
fn parents<'d>(resource: &'d DesiredResource, schemas: &Schemas) -> Vec<(String, &'d Value, Span)> {
    let ty = schemas.get(resource.ty);
    let refs = ty.attrs().filter_map(|(ix, attr)| match &attr.kind {
        Kind::Ref(kind) => Some((ix, kind)),
        _ => None,
    });
    refs.filter_map(|(ix, kind)| {
        let value = value_of(resource, ix);
        let span = resource.spans.get(usize::from(ix.0)).copied().flatten()?;
        (!value.is_null()).then(|| (kind.to_string(), value, span))
    })
    .collect()
}

fn shown(value: &Value) -> String {
    match value.reveal() {
        Value::Object(address) => format!("`{address}`"),
        Value::Str(id) => format!("`id:{id}`"),
        other => other.kind_name().to_owned(),
    }
}
