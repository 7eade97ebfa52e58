//! TOML's own errors → diagnostics with a way out.
//!
//! In: the text of one file and what the TOML parser said. Out: one finding per line. Knows the
//! two mistakes that users make most: a basic string around an expression with quotes, and the
//! same table or key twice.

use crate::config::mask;
use crate::diag::{Diagnostic, Diagnostics, FileId, Span};

/// The findings of one file, one per line: what follows on the same line is a consequence.
pub fn findings(file: FileId, text: &str, errors: &[toml::de::Error]) -> Diagnostics {
    let mut all = Diagnostics::default();
    let mut last_line = None;
    for error in errors {
        let range = error.span().unwrap_or(text.len()..text.len());
        let start = boundary(text, range.start);
        let line = line_around(text, start);
        if last_line == Some(line.start) {
            continue;
        }
        last_line = Some(line.start);
        let span = span(file, start, range.end.clamp(start, text.len()));
        all.push(finding(text, error.message(), span, &text[line.clone()]));
    }
    all
}

fn finding(text: &str, message: &str, span: Span, line: &str) -> Diagnostic {
    if message.starts_with("duplicate key") {
        return duplicate(text, span, line);
    }
    let problem = Diagnostic::error("toml_syntax", format!("this is not valid TOML: {message}"))
        .at(span, "here");
    let before = &text[..span.start as usize];
    let before = &before[before.rfind('\n').map_or(0, |at| at + 1)..];
    match before.find("\"${").or_else(|| before.find("\"%{")) {
        Some(_) => problem
            .detail("The first `\"` inside a basic string ends it, also inside `${…}`.")
            .help(rewritten(line)),
        None => problem,
    }
}

/// The line with a literal string, which needs no escapes.
fn rewritten(line: &str) -> String {
    let general = "write the expression in a literal string: '${…}'".to_owned();
    let open = line.find("\"${").or_else(|| line.find("\"%{"));
    let (Some(open), Some(close)) = (open, line.rfind('"')) else { return general };
    if close <= open || mask::line_is_sensitive(line) {
        return general;
    }
    let inner = &line[open + 1..close];
    let quotes = if inner.contains('\'') { "'''" } else { "'" };
    let (start, rest) = (&line[..open], &line[close + 1..]);
    format!(
        "write it with a literal string: {}",
        format_args!("{}{quotes}{inner}{quotes}{rest}", start.trim_start())
    )
}

/// The same table or key twice in one file. The library keeps the first place to itself.
fn duplicate(text: &str, span: Span, line: &str) -> Diagnostic {
    let at = span.start as usize;
    let header = line.trim_start().starts_with('[');
    let key = if header { header_of(line) } else { key_of(line) };
    let code = if header { "duplicate_address" } else { "duplicate_key" };
    let what = if header { "table" } else { "key" };
    let problem = Diagnostic::error(code, format!("the {what} `{key}` stands twice"))
        .at(span, "again here")
        .help(format!(
            "remove one of them, or give it another {}",
            if header { "label" } else { "key" }
        ));
    match first_place(text, at, header, &key) {
        Some(first) => problem.at(Span { file: span.file, ..first }, "first here"),
        None => problem,
    }
}

/// Looks upwards for the line that says the same; a key only as far as its own table.
fn first_place(text: &str, at: usize, header: bool, key: &str) -> Option<Span> {
    let start = line_around(text, at).start;
    let mut found = None;
    let mut offset = 0;
    for line in text[..start].split_inclusive('\n') {
        let is_header = line.trim_start().starts_with('[');
        let same = if header { is_header && header_of(line) == key } else { key_of(line) == key };
        if same {
            let indent = line.len() - line.trim_start().len();
            found = Some(span(FileId(0), offset + indent, offset + line.trim_end().len()));
        } else if is_header && !header {
            found = None;
        }
        offset += line.len();
    }
    if header { found } else { found.map(|s| Span { end: s.start + narrow(key.len()), ..s }) }
}

fn header_of(line: &str) -> String {
    let inner = line.trim().trim_start_matches('[');
    let inner = &inner[..inner.find(']').unwrap_or(inner.len())];
    inner.chars().filter(|c| !c.is_whitespace() && *c != '"' && *c != '\'').collect()
}

fn key_of(line: &str) -> String {
    line.split('=').next().unwrap_or_default().trim().to_owned()
}

/// The last character boundary up to `at`.
fn boundary(text: &str, at: usize) -> usize {
    (0..=at.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0)
}

/// The line of an offset, without its newline.
fn line_around(text: &str, at: usize) -> std::ops::Range<usize> {
    let start = text[..at].rfind('\n').map_or(0, |n| n + 1);
    let end = text[at..].find('\n').map_or(text.len(), |n| at + n);
    start..end.max(start)
}

fn span(file: FileId, start: usize, end: usize) -> Span {
    Span { file, start: narrow(start), end: narrow(end) }
}

fn narrow(offset: usize) -> u32 {
    u32::try_from(offset).unwrap_or(u32::MAX)
}
