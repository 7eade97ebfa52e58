//! Diagnostics as data: what is wrong, where, why, and what to do next.
//!
//! In: findings of any stage. Out: [`Diagnostics`], collected rather than thrown, so that one run
//! shows every mistake. Rendering is `render::diag`; nothing here prints or knows a terminal.

use crate::address::Address;

/// A source file, as an index into [`Sources`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FileId(pub u32);

/// A byte range of a source file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Span {
    pub file: FileId,
    pub start: u32,
    pub end: u32,
}

/// The source files of a run, for messages only. `text` is a masked copy: literal secrets are
/// overwritten before a file is added, byte for byte, so that spans keep their meaning.
#[derive(Clone, Debug, Default)]
pub struct Sources(Vec<Source>);

/// One file of [`Sources`].
#[derive(Clone, Debug)]
pub struct Source {
    /// As the user would write it, relative to `-C DIR`.
    pub name: String,
    pub text: String,
    /// Byte offset of the start of every line.
    lines: Vec<u32>,
}

impl Sources {
    pub fn add(&mut self, name: impl Into<String>, text: impl Into<String>) -> FileId {
        let text = text.into();
        let starts = text.bytes().enumerate().filter(|(_, b)| *b == b'\n').map(|(at, _)| at + 1);
        let lines = std::iter::once(0).chain(starts).map(clamp).collect();
        self.0.push(Source { name: name.into(), text, lines });
        FileId(clamp(self.0.len() - 1))
    }
    /// How many there are: the number of the next one.
    pub fn len(&self) -> usize {
        self.0.len()
    }
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
    pub fn get(&self, file: FileId) -> Option<&Source> {
        self.0.get(file.0 as usize)
    }
    /// `file:line` of a span's start, lines counted from 1.
    pub fn place(&self, span: Span) -> Option<(&str, u32)> {
        let source = self.get(span.file)?;
        Some((&source.name, source.line(span.start)))
    }
    /// `file:line` as text, empty when the file is unknown.
    pub fn display(&self, span: Span) -> String {
        self.place(span).map_or_else(String::new, |(name, line)| format!("{name}:{line}"))
    }
}

impl Source {
    /// The line of a byte offset, from 1.
    pub fn line(&self, offset: u32) -> u32 {
        clamp(self.lines.partition_point(|start| *start <= offset))
    }
    /// Byte offset at which a line (from 1) starts.
    pub fn line_start(&self, line: u32) -> Option<u32> {
        self.lines.get((line as usize).checked_sub(1)?).copied()
    }
}

/// Files over 4 GiB are refused on reading (`config::source`), so offsets fit.
fn clamp(offset: usize) -> u32 {
    u32::try_from(offset).unwrap_or(u32::MAX)
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    Error,
    Warning,
}

/// A place in a source file and what to say about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Label {
    pub span: Span,
    pub text: String,
}

/// One finding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    pub severity: Severity,
    /// Stable word for the kind of finding (`unknown_attribute`), for `--json` and tests.
    pub code: &'static str,
    /// One sentence without a full stop: what happened.
    pub summary: String,
    /// Why, in whole sentences.
    pub detail: Option<String>,
    /// What to do next.
    pub help: Option<String>,
    /// The object concerned.
    pub address: Option<Address>,
    /// The primary place first. Empty for findings outside the configuration.
    pub labels: Vec<Label>,
    /// How many instances share this cause (1 unless merged).
    pub count: usize,
}

impl Diagnostic {
    pub fn error(code: &'static str, summary: impl Into<String>) -> Self {
        Self::new(Severity::Error, code, summary)
    }
    pub fn warning(code: &'static str, summary: impl Into<String>) -> Self {
        Self::new(Severity::Warning, code, summary)
    }
    fn new(severity: Severity, code: &'static str, summary: impl Into<String>) -> Self {
        Self {
            severity,
            code,
            summary: summary.into(),
            detail: None,
            help: None,
            address: None,
            labels: Vec::new(),
            count: 1,
        }
    }
    /// Adds a place; the first one added is the primary one.
    #[must_use]
    pub fn at(mut self, span: Span, text: impl Into<String>) -> Self {
        self.labels.push(Label { span, text: text.into() });
        self
    }
    #[must_use]
    pub fn detail(mut self, text: impl Into<String>) -> Self {
        self.detail = Some(text.into());
        self
    }
    #[must_use]
    pub fn help(mut self, text: impl Into<String>) -> Self {
        self.help = Some(text.into());
        self
    }
    /// A list of this one finding.
    pub fn into_diagnostics(self) -> Diagnostics {
        self.into()
    }
    #[must_use]
    pub fn on(mut self, address: &Address) -> Self {
        self.address = Some(address.clone());
        self
    }
}

/// Findings in the order they were made.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Diagnostics(Vec<Diagnostic>);

impl Diagnostics {
    /// Adds a finding; one with the same cause (code, summary and primary place) as an earlier
    /// one is counted there instead.
    pub fn push(&mut self, finding: Diagnostic) {
        let same = |d: &Diagnostic| {
            d.code == finding.code
                && !finding.labels.is_empty()
                && d.labels.first().map(|l| l.span) == finding.labels.first().map(|l| l.span)
                && d.summary == finding.summary
        };
        match self.0.iter_mut().rev().take(MERGE_WINDOW).find(|d| same(d)) {
            Some(earlier) => earlier.count += finding.count,
            None => self.0.push(finding),
        }
    }
    pub fn extend(&mut self, others: Diagnostics) {
        for finding in others.0 {
            self.push(finding);
        }
    }
    /// Takes back all findings of a code.
    pub fn forget(&mut self, code: &str) {
        self.0.retain(|d| d.code != code);
    }
    pub fn has_errors(&self) -> bool {
        self.0.iter().any(|d| d.severity == Severity::Error)
    }
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
    pub fn len(&self) -> usize {
        self.0.len()
    }
    pub fn iter(&self) -> std::slice::Iter<'_, Diagnostic> {
        self.0.iter()
    }
    /// `Err` when there is an error among them; warnings alone pass.
    ///
    /// # Errors
    /// The findings themselves.
    pub fn into_result<T>(self, value: T) -> Result<(T, Diagnostics), Diagnostics> {
        if self.has_errors() { Err(self) } else { Ok((value, self)) }
    }
}

/// Instances of one block are evaluated one after another, so equal causes stand close together;
/// looking further back would make many errors quadratic.
const MERGE_WINDOW: usize = 32;

impl From<Diagnostic> for Diagnostics {
    fn from(finding: Diagnostic) -> Self {
        Self(vec![finding])
    }
}
impl IntoIterator for Diagnostics {
    type Item = Diagnostic;
    type IntoIter = std::vec::IntoIter<Diagnostic>;
    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}
impl<'a> IntoIterator for &'a Diagnostics {
    type Item = &'a Diagnostic;
    type IntoIter = std::slice::Iter<'a, Diagnostic>;
    fn into_iter(self) -> Self::IntoIter {
        self.0.iter()
    }
}

/// The candidate nearest to a misspelt word, if one is near enough to be meant.
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    const ENOUGH: f64 = 0.7;
    candidates
        .into_iter()
        .map(|c| (strsim::normalized_damerau_levenshtein(word, c), c))
        .filter(|(likeness, _)| *likeness >= ENOUGH)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_counted_from_one() {
        let mut sources = Sources::default();
        let file = sources.add("main.rack.toml", "a\nbb\n\nc");
        let place = |start| sources.display(Span { file, start, end: start });
        assert_eq!(place(0), "main.rack.toml:1");
        assert_eq!(place(2), "main.rack.toml:2");
        assert_eq!(place(5), "main.rack.toml:3");
        assert_eq!(place(6), "main.rack.toml:4");
    }

    #[test]
    fn one_cause_in_many_instances_is_said_once() {
        let span = Span { file: FileId(0), start: 1, end: 2 };
        let mut all = Diagnostics::default();
        for _ in 0..10_000 {
            all.push(Diagnostic::error("bad_ip", "not an address").at(span, "here"));
        }
        assert_eq!(all.len(), 1);
        assert_eq!(all.iter().next().map(|d| d.count), Some(10_000));
    }

    #[test]
    fn near_misses_are_suggested_and_strangers_are_not() {
        let names = ["hypervisor_type", "zone", "description"];
        assert_eq!(nearest("hypervisor_typ", names), Some("hypervisor_type"));
        assert_eq!(nearest("colour", names), None);
    }
}
