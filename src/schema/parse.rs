//! The schema language: the text of one file of `schemas/` → [`ResourceType`].
//!
//! In: text. Out: the type and [`Mention`]s of other types, which `check` looks up once all files
//! are read; or findings with places, all of them. Must not know any type or provider by name.

mod action;
mod attr;
mod call;
mod fields;
mod lookup;
mod part;
mod ty;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use toml::de::{DeTable, DeValue};

use self::attr::{Attrs, WireCase};
use self::call::{Place, Scope};
pub(super) use self::fields::KEYS;
use self::fields::{Node, Reader};
use crate::diag::{Diagnostic, Diagnostics, FileId, Span};
use crate::schema::model::{Attribute, Deadlines, Piece, Provider, ResourceType};

/// What a file says about another type, and where.
#[derive(Clone, Debug)]
pub(super) struct Mention {
    pub span: Span,
    pub what: Named,
}

/// What is named.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Named {
    /// `ref(TYPE)`; a computed one orders nothing.
    Ref { kind: Arc<str>, orders: bool },
    /// The other end of a link.
    End { link: Arc<str>, kind: Arc<str> },
    /// `after = ["TYPE"]`.
    After { kind: Arc<str> },
    /// `after = ["TYPE.LINK"]`.
    AfterLink { kind: Arc<str>, link: Arc<str> },
    /// A link declared from this side whose owner is `TYPE.LINK`.
    Owner { kind: Arc<str>, link: Arc<str> },
}

/// One file, read.
#[derive(Clone, Debug)]
pub(super) struct Parsed {
    pub ty: ResourceType,
    pub file: FileId,
    pub mentions: Vec<Mention>,
}

/// What all types of a provider share: its `provider.toml`.
#[derive(Clone, Debug, Default)]
pub(super) struct Shared {
    pub provider: Provider,
    attrs: Vec<Attribute>,
    case: WireCase,
    /// The text of the file, if it has parts: they are read anew for each type.
    parts: Option<(String, FileId)>,
    /// Names of these parts.
    part_names: Vec<String>,
    /// Goes into every `delete` that has no query of its own.
    delete_query: Vec<(String, Vec<Piece>)>,
}

impl Shared {
    fn has_part(&self, name: &str) -> bool {
        self.part_names.iter().any(|part| part == name)
    }
}

/// Reads a type's file. Its name is the type's.
pub(super) fn resource_type(
    (provider, name): (&str, &str),
    text: &str,
    file: FileId,
    shared: &Shared,
) -> (Option<Parsed>, Diagnostics) {
    let mut r = Reader { file, found: Diagnostics::default() };
    let Some(table) = document(&mut r, text) else { return (None, r.found) };
    let parsed = ty::read(&mut r, table.get_ref(), (provider, name), shared);
    (parsed, r.found)
}

/// Reads a `provider.toml`.
pub(super) fn shared(text: &str, file: FileId) -> (Shared, Diagnostics) {
    let mut r = Reader { file, found: Diagnostics::default() };
    let shared = document(&mut r, text).map(|table| read_shared(&mut r, table.get_ref()));
    let mut shared = shared.unwrap_or_default();
    shared.parts = (!shared.part_names.is_empty()).then(|| (text.to_owned(), file));
    (shared, r.found)
}

/// The tables of a file; every syntax error of it is a finding.
fn document<'t>(r: &mut Reader, text: &'t str) -> Option<toml::Spanned<DeTable<'t>>> {
    let (table, errors) = DeTable::parse_recoverable(text);
    for error in &errors {
        let span = r.span(error.span().unwrap_or(0..0));
        r.found.push(Diagnostic::error("toml_syntax", error.message()).at(span, "here"));
    }
    errors.is_empty().then_some(table)
}

fn read_shared(r: &mut Reader, table: &DeTable<'_>) -> Shared {
    let mut f = r.fields(table, "provider.toml");
    let mut shared = Shared::default();
    shared.provider.doc = f.take("doc").and_then(|n| r.text(n)).unwrap_or_default().to_owned();
    shared.provider.quirk = f.take("quirk").and_then(|n| attr::quirk(r, n));
    if let Some(node) = f.take("wire") {
        shared.case = wire_case(r, node).unwrap_or_default();
    }
    shared.attrs = attr::read(r, f.take("attr"), shared.case, &[]).list;
    shared.part_names = r.named(f.take("part")).iter().map(|e| e.key.to_owned()).collect();
    let mut deadlines = Deadlines::default();
    for (key, deadline) in [
        ("create", &mut deadlines.create),
        ("update", &mut deadlines.update),
        ("delete", &mut deadlines.delete),
    ] {
        let Some(mut words) = f.take(key).and_then(|n| r.words(n, "a call of provider.toml"))
        else {
            continue;
        };
        if let Some(wait) = words.take("wait").and_then(|n| duration(r, n)) {
            *deadline = wait;
        }
        if key == "delete" {
            shared.delete_query = words.take("call").map_or_else(Vec::new, |n| delete_query(r, n));
        }
        r.finish(words);
    }
    shared.provider.deadlines = deadlines;
    r.finish(f);
    shared
}

fn wire_case(r: &mut Reader, node: Node<'_>) -> Option<WireCase> {
    match r.text(node)? {
        "same" => Some(WireCase::Same),
        "camelCase" => Some(WireCase::Camel),
        _ => r.wrong(node, "\"same\" or \"camelCase\""),
    }
}

/// `DELETE ?name=value`: a call without a path.
fn delete_query(r: &mut Reader, node: Node<'_>) -> Vec<(String, Vec<Piece>)> {
    let none = Attrs::default();
    let scope = Scope { attrs: &none, parts: &[], actions: &[], wire: None, place: Place::List };
    let query = r.text(node).and_then(|text| text.strip_prefix("DELETE ?"));
    match query {
        Some(query) => call::read_query(r, query, node.span, scope).unwrap_or_default(),
        None => r.wrong(node, "\"DELETE ?name=value\"").unwrap_or_default(),
    }
}

/// `30s`, `5m`, `2h`.
fn duration(r: &mut Reader, node: Node<'_>) -> Option<Duration> {
    let units = BTreeMap::from([('s', 1), ('m', 60), ('h', 3600)]);
    if let DeValue::String(text) = node.value
        && let Some((last, unit)) = text.char_indices().last()
        && let Some(seconds) = units.get(&unit)
        && let Ok(number) = text[..last].parse::<u32>()
    {
        return Some(Duration::from_secs(u64::from(number) * seconds));
    }
    r.wrong(node, "a time such as \"30m\"")
}
