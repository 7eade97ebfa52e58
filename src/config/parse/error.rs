//! TOML's own errors → diagnostics with a way out.
//!
//! In: the text of one file and what the TOML parser said. Out: one finding per line. Knows the
//! two mistakes that users make most: a basic string around an expression with quotes, and the
//! same table or key twice.

use crate::config::secret_name::line_is_sensitive;
use crate::diag::{Diagnostic, Diagnostics, FileId, Span};

/// More errors than this in one file are not read by anybody.
const MOST: usize = 100;

/// The findings of one file, one per line: what follows on the same line is a consequence.
pub fn findings(file: FileId, text: &str, errors: &[toml::de::Error]) -> Diagnostics {
    let end = text.len()..text.len();
    let range = |error: &toml::de::Error| error.span().unwrap_or(end.clone());
    let mut errors: Vec<_> = errors.iter().take(MOST).map(|e| (range(e), e)).collect();
    errors.sort_by_key(|(range, _)| range.start);
    let mut all = Diagnostics::default();
    let mut last_line = None;
    let mut doubled = None;
    for (range, error) in errors {
        let start = boundary(text, range.start);
        let line = line_around(text, start);
        if last_line == Some(line.start) {
            continue;
        }
        last_line = Some(line.start);
        let span = span(file, start, range.end.clamp(start, text.len()));
        let found = finding(text, error.message(), span, &text[line.clone()]);
        if found.code == "duplicate_address" {
            doubled = Some(line.start);
        } else if found.code == "duplicate_key" && doubled.is_some_and(|d| d == header(text, start))
        {
            // The keys of a table that stands twice are told as duplicates too.
            continue;
        }
        all.push(found);
    }
    all
}

fn finding(text: &str, message: &str, span: Span, line: &str) -> Diagnostic {
    if message.starts_with("duplicate key") {
        return duplicate(text, span, line);
    }
    let (what, label) = match message.split_once(", expected ") {
        Some((what, expected)) => (what, format!("expected {expected}")),
        None => (message, "this cannot be read".to_owned()),
    };
    let problem =
        Diagnostic::error("toml_syntax", format!("this is not valid TOML: {what}")).at(span, label);
    let before = &text[..span.start as usize];
    let before = &before[before.rfind('\n').map_or(0, |at| at + 1)..];
    if cut_expression(before).is_none() {
        return match habit(message, line) {
            Some(help) => problem.help(help),
            None => problem,
        };
    }
    problem
        .detail("The first `\"` inside a basic string ends it, also inside `${…}`.")
        .help(rewritten(line))
}

/// The way out for what somebody writes who is used to HCL.
fn habit(message: &str, line: &str) -> Option<&'static str> {
    let line = line.trim();
    if line.ends_with('{') && !line.contains('=') {
        return Some(
            "a block is a TOML table: [host.LABEL], and its attributes below, without braces",
        );
    }
    message.starts_with("string values must be quoted").then_some(
        "text stands in quotes, a reference too (\"zone.east\"); an expression is '${var.NAME}'",
    )
}

/// Where a basic string opens that ends within its expression: `"${env("`.
fn cut_expression(line: &str) -> Option<usize> {
    line.match_indices('"').map(|(at, _)| at).find(|at| {
        let inner = line[at + 1..].split('"').next().unwrap_or_default();
        let open = inner.rfind("${").max(inner.rfind("%{"));
        open.is_some_and(|open| !inner[open..].contains('}'))
    })
}

/// The line with a literal string, which needs no escapes.
fn rewritten(line: &str) -> String {
    let general = "write the expression in a literal string: '${…}'".to_owned();
    let (Some(open), Some(close)) = (cut_expression(line), line.rfind('"')) else { return general };
    if close <= open || line_is_sensitive(line) {
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
    let key = if header { header_of(line) } else { text[at..span.end as usize].to_owned() };
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

/// Where the header above an offset starts.
fn header(text: &str, at: usize) -> usize {
    let above = &text[..line_around(text, at).start];
    let mut end = above.len();
    for line in above.split_inclusive('\n').rev() {
        end -= line.len();
        if line.trim_start().starts_with('[') {
            return end;
        }
    }
    0
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
