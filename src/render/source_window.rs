//! The few lines of a source file that a finding shows.
//!
//! In: a `Source` and spans. Out: [`Window`], which miette reads like a file of its own. miette
//! scans a source from its start for every label, so that handing it a large file would cost
//! time for each of many findings; and it prints what it reads, so that control characters are
//! blanked here.

use miette::{MietteError, MietteSpanContents, SourceCode, SourceSpan, SpanContents};

use crate::diag::{Source, Span};

/// Lines around a label.
pub(super) const CONTEXT: u32 = 1;
/// A label over more lines is shown by its first line: the rest would only push text away.
const TALLEST: u32 = 8;
/// Labels further away from the primary one get a window of their own.
const NEAR: u32 = 20;
/// A window with longer lines than this (in bytes) shows only the place itself.
const WIDEST: u32 = 16 * 1024;
/// What is shown on either side of a label inside an overlong line, in bytes.
const CUT: u32 = 60;

/// A cut-out of a file with its position in it.
#[derive(Debug)]
pub(super) struct Window {
    name: String,
    text: String,
    /// Byte offset of the cut-out in the file.
    start: u32,
    /// Line of its first byte, from 0.
    line: usize,
    /// Characters of that line before it.
    column: usize,
}

impl Window {
    /// The window around a span and those of `others` that are near enough, and which those are.
    pub fn around(source: &Source, span: Span, others: &[Span]) -> (Self, Vec<bool>) {
        let first = source.line(span.start);
        let near = |other: &Span| {
            other.file == span.file && source.line(other.start).abs_diff(first) <= NEAR
        };
        let fits: Vec<bool> = others.iter().map(near).collect();
        let shown = || others.iter().zip(&fits).filter(|(_, fits)| **fits).map(|(s, _)| s);
        let lines = || shown().chain([&span]).map(|s| Self::lines(source, *s));
        let top = lines().map(|(top, _)| top).min().unwrap_or(first).saturating_sub(CONTEXT).max(1);
        let bottom = lines().map(|(_, bottom)| bottom).max().unwrap_or(first) + CONTEXT;
        let length = clamp(source.text.len());
        let start = source.line_start(top).unwrap_or(0);
        let end = source.line_start(bottom + 1).unwrap_or(length);
        if end - start <= WIDEST {
            return (Self::cut(source, start, end), fits);
        }
        let start = span.start.saturating_sub(CUT).max(source.line_start(first).unwrap_or(0));
        let end = span.end.min(span.start.saturating_add(CUT)).saturating_add(CUT).min(length);
        (Self::cut(source, start, end.max(start)), vec![false; others.len()])
    }

    /// First and last line of a span, the last one cut where it is tall.
    fn lines(source: &Source, span: Span) -> (u32, u32) {
        let first = source.line(span.start);
        let last = source.line(span.end.saturating_sub(1).max(span.start));
        (first, if last - first > TALLEST { first } else { last })
    }

    fn cut(source: &Source, start: u32, end: u32) -> Self {
        let (from, to) = (floor(&source.text, start), floor(&source.text, end));
        let line = source.line(clamp(from));
        let line_start = source.line_start(line).map_or(0, |at| at as usize);
        Self {
            name: super::clean(&source.name).to_string(),
            text: blank(&source.text[from..to]),
            start: clamp(from),
            line: (line as usize).saturating_sub(1),
            column: source.text.get(line_start..from).map_or(0, |t| t.chars().count()),
        }
    }

    /// A span of the file as one of the window; what lies outside is cut off.
    pub fn local(&self, span: Span) -> SourceSpan {
        let at = |offset: u32| floor(&self.text, offset.saturating_sub(self.start));
        let (start, mut end) = (at(span.start), at(span.end));
        let inside = self.text.get(start..end).unwrap_or_default();
        if inside.lines().count() > TALLEST as usize + 1 {
            end = start + inside.find('\n').unwrap_or(inside.len());
        }
        // A table's span may end with its line break; the caret line must not go on to the next.
        let inside = self.text.get(start..end).unwrap_or_default();
        SourceSpan::new(start.into(), inside.trim_end_matches(['\n', '\r']).len())
    }
}

impl SourceCode for Window {
    fn read_span<'a>(
        &'a self,
        span: &SourceSpan,
        before: usize,
        after: usize,
    ) -> Result<Box<dyn SpanContents<'a> + 'a>, MietteError> {
        let inner = self.text.as_str().read_span(span, before, after)?;
        // miette counts bytes for the column it prints; people count characters.
        let start = inner.span().offset();
        let head = self.text.get(..start).unwrap_or_default();
        let (line_start, base) = head.rfind('\n').map_or((0, self.column), |at| (at + 1, 0));
        let column = base + head[line_start..].chars().count();
        Ok(Box::new(MietteSpanContents::new_named(
            self.name.clone(),
            inner.data(),
            *inner.span(),
            self.line + inner.line(),
            column,
            inner.line_count(),
        )))
    }
}

/// The same text with what would steer a terminal blanked, byte for byte, so that spans hold. A
/// carriage return stays only as part of a line break.
fn blank(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        let harmless = match c {
            '\n' | '\t' => true,
            '\r' => chars.peek() == Some(&'\n'),
            c => !super::steers(c),
        };
        if harmless {
            out.push(c);
        } else {
            out.extend(std::iter::repeat_n('?', c.len_utf8()));
        }
    }
    out
}

/// The nearest character boundary at or before an offset.
fn floor(text: &str, offset: u32) -> usize {
    let mut at = (offset as usize).min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

/// Files over 4 GiB are refused on reading, so offsets fit.
fn clamp(offset: usize) -> u32 {
    u32::try_from(offset).unwrap_or(u32::MAX)
}
