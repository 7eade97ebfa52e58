//! TOML tables with places: every value is handed out with its span, every key must be asked for.
//!
//! In: a `toml` table and its file. Out: nodes, and findings for keys that nobody asked for. Must
//! not know what a key means.

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::diag::{Diagnostic, Diagnostics, FileId, Span, nearest};

/// The words of the language. At most 30: see the module documentation of `schema::check`.
pub(in crate::schema) const KEYS: [&str; 30] = [
    "version", "doc", "id", "unique", "after", "cascade", // type
    "kind", "is", "wire", "default", "values", "range", "when", "since", // attribute
    "quirk", // escape
    "attr", "link", "part", "action", // tables
    "create", "read", "update", "delete", // calls
    "call", "body", "reply", "send", "then", "wait",   // inside calls
    "format", // part
];

/// A value and where it stands.
#[derive(Clone, Copy, Debug)]
pub(super) struct Node<'t> {
    pub value: &'t DeValue<'t>,
    pub span: Span,
}

/// A key, where it stands, and its value.
#[derive(Clone, Copy, Debug)]
pub(super) struct Entry<'t> {
    pub key: &'t str,
    pub span: Span,
    pub node: Node<'t>,
}

/// A table whose keys are words of the language.
pub(super) struct Fields<'t> {
    entries: Vec<Entry<'t>>,
    asked: Vec<&'static str>,
    what: &'static str,
}

impl<'t> Fields<'t> {
    /// Hands a value out, once.
    pub fn take(&mut self, key: &'static str) -> Option<Node<'t>> {
        debug_assert!(KEYS.contains(&key), "`{key}` is no word of the language");
        self.asked.push(key);
        let at = self.entries.iter().position(|e| e.key == key)?;
        Some(self.entries.remove(at).node)
    }
}

/// What reading one file has found so far.
pub(super) struct Reader {
    pub file: FileId,
    pub found: Diagnostics,
}

impl Reader {
    pub fn span(&self, range: std::ops::Range<usize>) -> Span {
        // A schema file is far below 4 GiB; a longer one would only point at its end.
        let clamp = |at| u32::try_from(at).unwrap_or(u32::MAX);
        Span { file: self.file, start: clamp(range.start), end: clamp(range.end) }
    }
    pub fn fail(&mut self, code: &'static str, span: Span, text: impl Into<String>) {
        self.found.push(Diagnostic::error(code, text).at(span, "here"));
    }

    /// The entries of a table in the order of the file.
    pub fn entries<'t>(&self, table: &'t DeTable<'t>) -> Vec<Entry<'t>> {
        let mut all: Vec<_> = table.iter().map(|(key, value)| self.entry(key, value)).collect();
        all.sort_by_key(|e| e.span.start);
        all
    }
    fn entry<'t>(
        &self,
        key: &'t Spanned<std::borrow::Cow<'t, str>>,
        value: &'t Spanned<DeValue<'t>>,
    ) -> Entry<'t> {
        Entry { key: key.get_ref(), span: self.span(key.span()), node: self.node(value) }
    }
    fn node<'t>(&self, value: &'t Spanned<DeValue<'t>>) -> Node<'t> {
        Node { value: value.get_ref(), span: self.span(value.span()) }
    }

    /// A table of words; `what` names it in messages.
    pub fn fields<'t>(&self, table: &'t DeTable<'t>, what: &'static str) -> Fields<'t> {
        Fields { entries: self.entries(table), asked: Vec::new(), what }
    }
    /// The same for a value that must be a table.
    pub fn words<'t>(&mut self, node: Node<'t>, what: &'static str) -> Option<Fields<'t>> {
        self.table(node).map(|table| self.fields(table, what))
    }
    /// Every key that nobody asked for is an error.
    pub fn finish(&mut self, fields: Fields<'_>) {
        for entry in fields.entries {
            let text = format!("`{}` means nothing in {}", entry.key, fields.what);
            let mut finding = Diagnostic::error("unknown_key", text).at(entry.span, "here");
            finding = match nearest(entry.key, fields.asked.iter().copied()) {
                Some(word) => finding.help(format!("did you mean `{word}`?")),
                None => finding.help(format!("allowed here: {}", fields.asked.join(", "))),
            };
            self.found.push(finding);
        }
    }

    pub fn table<'t>(&mut self, node: Node<'t>) -> Option<&'t DeTable<'t>> {
        match node.value {
            DeValue::Table(table) => Some(table),
            _ => self.wrong(node, "a table"),
        }
    }
    /// The named tables of an `attr`, `link`, `part` or `action`.
    pub fn named<'t>(&mut self, node: Option<Node<'t>>) -> Vec<Entry<'t>> {
        let table = node.and_then(|node| self.table(node));
        table.map_or_else(Vec::new, |table| self.entries(table))
    }
    pub fn text<'t>(&mut self, node: Node<'t>) -> Option<&'t str> {
        match node.value {
            DeValue::String(text) => Some(text),
            _ => self.wrong(node, "a string"),
        }
    }
    pub fn items<'t>(&mut self, node: Node<'t>) -> Vec<Node<'t>> {
        match node.value {
            DeValue::Array(items) => items.iter().map(|item| self.node(item)).collect(),
            _ => self.wrong(node, "an array").unwrap_or_default(),
        }
    }
    /// An array of strings.
    pub fn texts<'t>(&mut self, node: Node<'t>) -> Vec<(&'t str, Span)> {
        let items = self.items(node);
        items.into_iter().filter_map(|n| self.text(n).map(|t| (t, n.span))).collect()
    }
    pub fn int(&mut self, node: Node<'_>) -> Option<i64> {
        let DeValue::Integer(number) = node.value else { return self.wrong(node, "an integer") };
        let read = i64::from_str_radix(number.as_str(), number.radix()).ok();
        read.or_else(|| self.wrong(node, "an integer of 64 bits"))
    }
    /// `[low, high]`, both inclusive.
    pub fn range(&mut self, node: Node<'_>) -> Option<(i64, i64)> {
        let items = self.items(node);
        let bounds: Vec<_> = items.into_iter().filter_map(|item| self.int(item)).collect();
        match bounds[..] {
            [low, high] if low <= high => Some((low, high)),
            _ => self.wrong(node, "two integers, the smaller one first"),
        }
    }
    pub fn wrong<T>(&mut self, node: Node<'_>, wanted: &str) -> Option<T> {
        let found = node.value.type_str();
        self.fail("wrong_kind", node.span, format!("expected {wanted}, found {found}"));
        None
    }
}
