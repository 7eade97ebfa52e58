//! Attributes: an `attr` table → [`Attribute`]s in file order, those of the provider first.
//!
//! In: a table of the file. Out: attributes and where each is written. Must not know calls or
//! other types: whether a `ref` names a type is decided by `schema::check`.

use std::sync::Arc;

use toml::de::DeValue;

use super::fields::{Entry, Node, Reader};
use crate::address::is_identifier;
use crate::diag::{Diagnostic, Span, nearest};
use crate::schema::model::{
    AttrIx, Attribute, Condition, Kind, Method, OwnRead, Piece, Quirk, Target,
};
use crate::schema::version::Version;
use crate::value::Value;

/// How a provider spells members whose attribute has no `wire`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum WireCase {
    /// `management_ip` is `management_ip`.
    #[default]
    Same,
    /// `management_ip` is `managementIp`.
    Camel,
}

impl WireCase {
    pub fn spell(self, name: &str) -> Arc<str> {
        match self {
            Self::Same => name.into(),
            Self::Camel => camel(name).into(),
        }
    }
}

fn camel(name: &str) -> String {
    let mut words = name.split('_');
    let mut text = words.next().unwrap_or_default().to_owned();
    for word in words {
        let mut letters = word.chars();
        text.extend(letters.next().into_iter().flat_map(char::to_uppercase));
        text.push_str(letters.as_str());
    }
    text
}

/// Attributes and where each is written; provider-wide ones have no place in this file.
#[derive(Clone, Debug, Default)]
pub(super) struct Attrs {
    pub list: Vec<Attribute>,
    pub places: Vec<Option<Span>>,
}

impl Attrs {
    pub fn find(&self, name: &str) -> Option<AttrIx> {
        (0..).map(AttrIx).zip(&self.list).find(|(_, a)| &*a.name == name).map(|(ix, _)| ix)
    }
    pub fn get(&self, ix: AttrIx) -> &Attribute {
        &self.list[usize::from(ix.0)]
    }
    /// Finds an attribute or says that there is none.
    pub fn named(&self, r: &mut Reader, name: &str, span: Span) -> Option<AttrIx> {
        let found = self.find(name);
        if found.is_none() {
            let text = format!("there is no attribute `{name}`");
            let mut finding = Diagnostic::error("unknown_attribute", text).at(span, "here");
            if let Some(near) = nearest(name, self.list.iter().map(|a| &*a.name)) {
                finding = finding.help(format!("did you mean `{near}`?"));
            }
            r.found.push(finding);
        }
        found
    }
}

/// Words of the configuration that no attribute, link or part may take.
const TAKEN: [&str; 9] = [
    "id",
    "for_each",
    "for_each_key",
    "count",
    "depends_on",
    "provider",
    "timeouts",
    "lifecycle",
    "all",
];

/// Whether a name can be an attribute, link or part.
pub(super) fn check_name(r: &mut Reader, entry: &Entry<'_>) {
    if TAKEN.contains(&entry.key) {
        let text = format!("`{}` has a meaning of its own in every resource", entry.key);
        r.fail("reserved_name", entry.span, text);
    } else if !is_identifier(entry.key) || entry.key.contains('-') {
        r.fail("bad_name", entry.span, format!("`{}` cannot be an attribute's name", entry.key));
    }
}

/// Reads an `attr` table. An attribute of the provider that is written again is replaced in place;
/// one that this type lacks is written `false`.
pub(super) fn read(
    r: &mut Reader,
    node: Option<Node<'_>>,
    case: WireCase,
    base: &[Attribute],
) -> Attrs {
    let entries = r.named(node);
    let (lacked, entries): (Vec<_>, Vec<_>) =
        entries.into_iter().partition(|e| matches!(e.node.value, DeValue::Boolean(false)));
    let list = without(r, base, &lacked);
    let mut all = Attrs { places: vec![None; list.len()], list };
    let mut conditions = Vec::new();
    for entry in entries {
        check_name(r, &entry);
        let Some((attribute, when)) = one(r, &entry, case) else { continue };
        let at = match all.find(entry.key) {
            Some(AttrIx(at)) => usize::from(at),
            None => all.list.len(),
        };
        if let Some(when) = when {
            conditions.push((at, when));
        }
        if at == all.list.len() {
            all.list.push(attribute);
            all.places.push(Some(entry.span));
        } else {
            all.list[at] = attribute;
            all.places[at] = Some(entry.span);
        }
    }
    for (at, when) in conditions {
        all.list[at].when = read_conditions(r, when, &all);
    }
    all
}

/// The attributes of the provider without those that this type lacks.
fn without(r: &mut Reader, base: &[Attribute], lacked: &[Entry<'_>]) -> Vec<Attribute> {
    for entry in lacked {
        if base.iter().all(|a| &*a.name != entry.key) {
            let text = format!("the provider has no attribute `{}` to leave out", entry.key);
            r.fail("unknown_attribute", entry.span, text);
        }
    }
    let kept = base.iter().filter(|a| lacked.iter().all(|e| e.key != &*a.name));
    kept.cloned().collect()
}

fn one<'t>(
    r: &mut Reader,
    entry: &Entry<'t>,
    case: WireCase,
) -> Option<(Attribute, Option<Node<'t>>)> {
    let mut f = r.words(entry.node, "an attribute")?;
    let doc = f.take("doc").and_then(|n| r.text(n)).unwrap_or_default().to_owned();
    let nested = f.take("attr").map(|n| read(r, Some(n), case, &[]).list);
    let kind_node = f.take("kind");
    let kind = match kind_node {
        Some(node) => r.text(node).and_then(|text| kind(r, text, node.span, nested)),
        None => {
            r.fail("missing_key", entry.span, format!("`{}` has no `kind`", entry.key));
            None
        }
    };
    let mut attribute = Attribute {
        wire_read: case.spell(entry.key),
        wire_sent: case.spell(entry.key),
        since: f.take("since").and_then(|n| since(r, n)),
        quirk: f.take("quirk").and_then(|n| quirk(r, n)),
        read: f.take("read").and_then(|n| own_read(r, n)).map(Box::new),
        doc,
        ..Attribute::new(entry.key, kind.clone().unwrap_or(Kind::Text))
    };
    if let Some(quirk) = attribute.quirk.filter(|quirk| quirk.of_action()) {
        let text = format!("`{}` is a quirk of actions, not of attributes", quirk.name());
        r.fail("unknown_quirk", entry.span, text);
    }
    if let Some(node) = f.take("is") {
        read_is(r, node, &mut attribute);
    }
    if let Some(node) = f.take("wire") {
        (attribute.wire_read, attribute.wire_sent) = wire(r, node).unwrap_or_default();
    }
    if let Some(node) = f.take("values") {
        attribute.values = values(r, node);
    }
    attribute.range = f.take("range").and_then(|n| r.range(n));
    let default = f.take("default");
    let when = f.take("when");
    r.finish(f);
    // One of an unknown kind stays, so that what names it is not a second finding.
    if kind.is_some() {
        agree(r, &attribute, entry.span);
        attribute.default = default.and_then(|node| read_default(r, node, &attribute));
    }
    Some((attribute, when))
}

fn read_is(r: &mut Reader, node: Node<'_>, attribute: &mut Attribute) {
    for (word, span) in r.texts(node) {
        match word {
            "required" => attribute.required = true,
            "computed" => attribute.computed = true,
            "sensitive" => attribute.sensitive = true,
            "write_only" => attribute.write_only = true,
            _ => r.fail(
                "unknown_word",
                span,
                format!("`{word}` is none of required, computed, sensitive, write_only"),
            ),
        }
    }
}

/// `"NAME"`, or `["READ", "SENT"]` where they differ.
pub(super) fn wire(r: &mut Reader, node: Node<'_>) -> Option<(Arc<str>, Arc<str>)> {
    if let DeValue::String(name) = node.value {
        let name: Arc<str> = Arc::from(&**name);
        return Some((name.clone(), name));
    }
    match r.texts(node)[..] {
        [(read, _), (sent, _)] => Some((read.into(), sent.into())),
        _ => r.wrong(node, "a name, or the names as read and as sent"),
    }
}

fn values(r: &mut Reader, node: Node<'_>) -> Vec<(Arc<str>, Arc<str>)> {
    if let DeValue::Table(table) = node.value {
        let entries = r.entries(table);
        let pair = |e: Entry<'_>| r.text(e.node).map(|sent| (e.key.into(), sent.into()));
        return entries.into_iter().filter_map(pair).collect();
    }
    r.texts(node).into_iter().map(|(value, _)| (value.into(), value.into())).collect()
}

/// `{ call = "GET /path/{id}/more", reply = "member" }`.
fn own_read(r: &mut Reader, node: Node<'_>) -> Option<OwnRead> {
    let mut f = r.words(node, "the read of an attribute")?;
    let (call, reply) = (f.take("call"), f.take("reply"));
    r.finish(f);
    let (Some(call), Some(reply)) = (call, reply) else {
        r.fail("missing_key", node.span, "`read` needs `call` and `reply`");
        return None;
    };
    let text = r.text(call)?;
    let reply = r.text(reply)?.into();
    let path = text.strip_prefix("GET ").filter(|path| path.starts_with('/'));
    let path = path.and_then(|path| path.split_once("{id}"));
    let Some((before, after)) =
        path.filter(|_| !text.contains('?') && text.matches('{').count() == 1)
    else {
        let text = format!("`{text}` does not read one attribute of one object");
        let finding = Diagnostic::error("bad_call", text).at(call.span, "here");
        r.found.push(finding.help("written `GET /path/{id}/more`"));
        return None;
    };
    let mut path = vec![Piece::Lit(before.into()), Piece::Id];
    path.extend((!after.is_empty()).then(|| Piece::Lit(after.into())));
    Some(OwnRead { target: Target { method: Method::Get, path, query: Vec::new() }, reply })
}

fn since(r: &mut Reader, node: Node<'_>) -> Option<String> {
    let text = r.text(node)?;
    if Version::parse(text).is_none() {
        r.fail("bad_version", node.span, format!("`{text}` is no version such as 5.2"));
        return None;
    }
    Some(text.to_owned())
}

/// A quirk by its name.
pub(super) fn quirk(r: &mut Reader, node: Node<'_>) -> Option<Quirk> {
    let text = r.text(node)?;
    let found = Quirk::ALL.into_iter().find(|quirk| quirk.name() == text);
    if found.is_none() {
        let names = Quirk::ALL.map(Quirk::name).join(", ");
        r.fail("unknown_quirk", node.span, format!("`{text}` is none of the quirks: {names}"));
    }
    found
}

fn kind(r: &mut Reader, text: &str, span: Span, nested: Option<Vec<Attribute>>) -> Option<Kind> {
    let inner = |name: &str| text.strip_prefix(name)?.strip_prefix('(')?.strip_suffix(')');
    let unused = nested.is_some();
    let found = match text {
        "text" => Kind::Text,
        "int" => Kind::Int,
        "bool" => Kind::Bool,
        "host" => Kind::Host,
        "path" => Kind::Path,
        "bytes" => Kind::Bytes,
        "object" => return Some(Kind::Object(nested.unwrap_or_default())),
        _ => {
            if let Some(item) = inner("set") {
                return kind(r, item, span, nested).map(|k| Kind::Set(k.into()));
            }
            if let Some(item) = inner("list") {
                return kind(r, item, span, nested).map(|k| Kind::List(k.into()));
            }
            match inner("ref") {
                Some(name) if is_identifier(name) => Kind::Ref(name.into()),
                _ => {
                    let detail = "one of text, int, bool, host, path, bytes, ref(TYPE), set(KIND), list(KIND), object";
                    let finding = Diagnostic::error("unknown_kind", format!("`{text}` is no kind"));
                    r.found.push(finding.at(span, "here").help(detail));
                    return None;
                }
            }
        }
    };
    if unused {
        r.fail("unknown_key", span, "`attr` means nothing here: only an object has attributes");
    }
    Some(found)
}

/// Words that exclude each other.
fn agree(r: &mut Reader, a: &Attribute, span: Span) {
    let mut refuse = |text: &str| {
        r.fail("contradiction", span, format!("`{}` {text}", a.name));
    };
    if a.computed && (a.required || a.write_only) {
        refuse("is computed, so it cannot be written");
    }
    if a.read.is_some() && (a.computed || a.sensitive || a.write_only) {
        refuse("has a `read` of its own, so it must be one that is set and reads back");
    }
    let counted = matches!(a.kind, Kind::Bool | Kind::Ref(_) | Kind::Object(_));
    if a.range.is_some() && counted {
        refuse("has a range, but its kind has no size");
    }
    if !a.values.is_empty() && innermost(&a.kind) != &Kind::Text {
        refuse("has values, but is no text");
    }
}

fn innermost(kind: &Kind) -> &Kind {
    match kind {
        Kind::Set(item) | Kind::List(item) => innermost(item),
        other => other,
    }
}

fn read_default(r: &mut Reader, node: Node<'_>, a: &Attribute) -> Option<Value> {
    if a.required || a.computed || a.sensitive {
        let text = format!("`{}` is required, computed or sensitive: it has no default", a.name);
        r.fail("contradiction", node.span, text);
        return None;
    }
    if a.since.is_some() {
        let text =
            format!("`{}` is not in all servers: older ones would be sent its default", a.name);
        r.fail("contradiction", node.span, text);
        return None;
    }
    let value = match (node.value, &a.kind) {
        (DeValue::Boolean(b), Kind::Bool) => Value::Bool(*b),
        (DeValue::Integer(_), Kind::Int | Kind::Bytes) => Value::Int(r.int(node)?),
        (DeValue::String(text), Kind::Text | Kind::Host | Kind::Path) => Value::str(text),
        _ => return r.wrong(node, "a default of the attribute's kind"),
    };
    let size = match &value {
        Value::Int(n) => *n,
        Value::Str(text) => i64::try_from(text.chars().count()).unwrap_or(i64::MAX),
        _ => 0,
    };
    let outside = a.range.is_some_and(|(low, high)| size < low || size > high);
    let strange = value.as_str().is_some_and(|text| !allowed(a, text));
    if outside || strange {
        let text = format!("the default of `{}` is not one of its own values", a.name);
        r.fail("contradiction", node.span, text);
        return None;
    }
    Some(value)
}

fn allowed(a: &Attribute, value: &str) -> bool {
    a.values.is_empty() || a.values.iter().any(|(read, _)| &**read == value)
}

/// `{ attr = [values] }`.
pub(super) fn read_conditions(r: &mut Reader, node: Node<'_>, attrs: &Attrs) -> Vec<Condition> {
    let mut all = Vec::new();
    for entry in r.named(Some(node)) {
        let Some(attr) = attrs.named(r, entry.key, entry.span) else { continue };
        let mut values: Vec<Arc<str>> = Vec::new();
        for (value, span) in r.texts(entry.node) {
            if allowed(attrs.get(attr), value) {
                values.push(value.into());
            } else {
                r.fail("unknown_value", span, format!("`{}` is never `{value}`", entry.key));
            }
        }
        all.push(Condition { attr, values });
    }
    all
}
