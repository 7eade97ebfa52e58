//! A finding as JSON: the `diagnostic` object of the Terraform UI stream, and one object a line
//! for `validate --json`.
//!
//! In: `Diagnostic`, `Sources`. Out: `Finding`. Lines and columns count from 1, columns in
//! characters; `byte` is the offset in the file.

use serde::Serialize;

use crate::address::Address;
use crate::diag::{Diagnostic, Severity, Source, Sources, Span};
use crate::event::Failure;

use super::json_text;

/// Bytes of a line that a snippet holds at most.
const SNIPPET: usize = 2_000;

#[derive(Clone, Debug, Serialize)]
pub(super) struct Finding {
    severity: Severity,
    code: String,
    summary: String,
    /// Always there in the stream's shape.
    detail: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    help: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    address: Option<Address>,
    #[serde(skip_serializing_if = "Option::is_none")]
    range: Option<Range>,
    #[serde(skip_serializing_if = "Option::is_none")]
    snippet: Option<Snippet>,
    /// The other places of the finding.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    related: Vec<Related>,
    count: usize,
}

#[derive(Clone, Debug, Serialize)]
struct Range {
    filename: String,
    start: Position,
    end: Position,
}

#[derive(Clone, Copy, Debug, Serialize)]
struct Position {
    line: u32,
    column: usize,
    byte: u32,
}

#[derive(Clone, Debug, Serialize)]
struct Snippet {
    context: Option<String>,
    code: String,
    start_line: u32,
    highlight_start_offset: usize,
    highlight_end_offset: usize,
    values: [(); 0],
}

#[derive(Clone, Debug, Serialize)]
struct Related {
    message: String,
    range: Range,
}

/// One finding as one line of JSON.
pub fn line(finding: &Diagnostic, sources: &Sources) -> String {
    json_text::line(&Finding::new(finding, sources))
}

impl Finding {
    pub fn new(finding: &Diagnostic, sources: &Sources) -> Self {
        let mut places = finding.labels.iter().filter_map(|l| Some((l, sources.get(l.span.file)?)));
        let primary = places.next();
        Self {
            severity: finding.severity,
            code: finding.code.to_owned(),
            summary: finding.summary.clone(),
            detail: finding.detail.clone().unwrap_or_default(),
            help: finding.help.clone(),
            address: finding.address.clone(),
            range: primary.map(|(label, source)| Range::new(source, label.span)),
            snippet: primary.map(|(label, source)| Snippet::new(source, label.span)),
            related: places
                .map(|(label, source)| Related {
                    message: label.text.clone(),
                    range: Range::new(source, label.span),
                })
                .collect(),
            count: finding.count,
        }
    }

    /// A failed step: no place in the configuration, but the server's words.
    pub fn failure(address: &Address, failure: &Failure) -> Self {
        let detail = [failure.detail.as_deref(), failure.request.as_deref()];
        let detail: Vec<&str> = detail.into_iter().flatten().collect();
        let code = if failure.unknown { "outcome_unknown" } else { "step_failed" };
        Self {
            severity: Severity::Error,
            code: failure.code.clone().unwrap_or_else(|| code.to_owned()),
            summary: failure.summary.clone(),
            detail: detail.join("\n"),
            help: failure.help.clone(),
            address: Some(address.clone()),
            range: None,
            snippet: None,
            related: Vec::new(),
            count: 1,
        }
    }
}

impl Range {
    fn new(source: &Source, span: Span) -> Self {
        let end = span.end.max(span.start);
        Self {
            filename: source.name.clone(),
            start: Position::new(source, span.start),
            end: Position::new(source, end),
        }
    }
}

impl Position {
    fn new(source: &Source, offset: u32) -> Self {
        let line = source.line(offset);
        let start = source.line_start(line).map_or(0, |at| at as usize);
        let before = source.text.as_bytes().get(start..offset as usize).unwrap_or_default();
        // Bytes that begin a character: the offset may be inside one.
        let column = before.iter().filter(|byte| (**byte & 0xc0) != 0x80).count() + 1;
        Self { line, column, byte: offset }
    }
}

impl Snippet {
    /// The first line of the span, cut where it is overlong; offsets are bytes of `code`.
    fn new(source: &Source, span: Span) -> Self {
        let start_line = source.line(span.start);
        let start = source.line_start(start_line).map_or(0, |at| at as usize);
        let rest = source.text.get(start..).unwrap_or_default();
        let line = rest.lines().next().unwrap_or_default();
        let mut cut = line.len().min(SNIPPET);
        while !line.is_char_boundary(cut) {
            cut -= 1;
        }
        let at = |offset: u32| (offset as usize).saturating_sub(start).min(cut);
        Self {
            context: None,
            code: line[..cut].to_owned(),
            start_line,
            highlight_start_offset: at(span.start),
            highlight_end_offset: at(span.end.max(span.start)),
            values: [],
        }
    }
}
