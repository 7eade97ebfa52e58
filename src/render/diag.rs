//! Findings → reports that show place, reason and way out.
//!
//! In: [`Diagnostics`] and [`Sources`] (masked copies). Out: text by miette, drawn with Unicode or
//! ASCII and with or without colour as [`Style`] says; without colour it is the same report, so
//! that a log holds `file:line:column`, caret, reason and help too. miette goes no further than
//! this file and `source_window`.

use std::fmt::{self, Write};

use miette::{GraphicalReportHandler, GraphicalTheme, LabeledSpan, SourceCode};
use textwrap::{WordSeparator, WordSplitter};

use crate::diag::{Diagnostic, Diagnostics, Label, Severity, Sources};

use super::source_window::{CONTEXT, Window};
use super::{Ink, Style, clean, clean_lines, words};

/// More findings than this are counted, not shown: the first ones are the ones to mend.
const SHOWN: usize = 20;
/// Places in other files or far away that one finding shows.
const PLACES: usize = 8;
/// Narrower than this miette has no room for its gutter.
const NARROWEST: usize = 40;

/// All findings as text, errors first, with [`summary`] at the end; empty when there are none.
pub fn text(findings: &Diagnostics, sources: &Sources, style: &Style) -> String {
    let mut out = String::new();
    // Writing into a String does not fail.
    let _ = write(findings, sources, style, &mut out);
    out
}

/// Writes what [`text`] returns.
///
/// # Errors
/// Those of `out`.
pub fn write(
    findings: &Diagnostics,
    sources: &Sources,
    style: &Style,
    out: &mut dyn Write,
) -> fmt::Result {
    let of = |severity| findings.iter().filter(move |d| d.severity == severity);
    for finding in of(Severity::Error).chain(of(Severity::Warning)).take(SHOWN) {
        one(finding, sources, style, out)?;
        out.write_char('\n')?;
    }
    if findings.len() > SHOWN {
        let more = words::count((findings.len() - SHOWN) as u64);
        writeln!(out, "... and {more} more; mend these first.\n")?;
    }
    let Some(summary) = summary(findings) else { return Ok(()) };
    let ink = if findings.has_errors() { Ink::Alarm } else { Ink::Change };
    writeln!(out, "{}", style.ink(ink, summary))
}

/// One finding.
///
/// # Errors
/// Those of `out`.
pub fn one(
    finding: &Diagnostic,
    sources: &Sources,
    style: &Style,
    out: &mut dyn Write,
) -> fmt::Result {
    let mut text = String::new();
    for report in Report::all(finding, sources) {
        handler(style).render_report(&mut text, &report)?;
    }
    // miette pads the lines of its frame.
    text.lines().try_for_each(|line| writeln!(out, "{}", line.trim_end()))
}

/// `3 errors, 1 warning`; `None` when there is nothing.
pub fn summary(findings: &Diagnostics) -> Option<String> {
    let errors = findings.iter().filter(|d| d.severity == Severity::Error).count();
    let warnings = findings.len() - errors;
    match (errors, warnings) {
        (0, 0) => None,
        (0, n) => Some(words::many(n, "warning")),
        (n, 0) => Some(words::many(n, "error")),
        (e, w) => Some(format!("{}, {}", words::many(e, "error"), words::many(w, "warning"))),
    }
}

fn handler(style: &Style) -> GraphicalReportHandler {
    // Every theme is named: the defaults of miette look at the environment.
    let mut theme =
        if style.unicode { GraphicalTheme::unicode_nocolor() } else { GraphicalTheme::none() };
    if style.color {
        theme.styles = miette::ThemeStyles::ansi();
    }
    GraphicalReportHandler::new_themed(theme)
        .with_links(false)
        .with_width(style.width.max(NARROWEST))
        .with_context_lines(CONTEXT as usize)
        // Addresses, paths and commands are copied from here.
        .with_break_words(false)
        .with_word_separator(WordSeparator::AsciiSpace)
        .with_word_splitter(WordSplitter::NoHyphenation)
}

/// A finding in miette's shape.
#[derive(Debug)]
struct Report {
    severity: miette::Severity,
    code: Option<String>,
    summary: String,
    detail: Option<Detail>,
    help: Option<String>,
    window: Option<Window>,
    labels: Vec<LabeledSpan>,
}

impl Report {
    /// The finding at its primary place, then one report for each place in another file or far
    /// away. (miette's own `related` would put these below the help, under a heading.)
    fn all(finding: &Diagnostic, sources: &Sources) -> Vec<Self> {
        let severity = match finding.severity {
            Severity::Error => miette::Severity::Error,
            Severity::Warning => miette::Severity::Warning,
        };
        let mut first = Self {
            code: Some(headline(finding)),
            detail: finding.detail.as_ref().map(|text| Detail(clean_lines(text))),
            ..Self::bare(severity, counted(finding))
        };
        let far = first.place(&finding.labels, sources);
        let mut reports = vec![first];
        let hidden = far.len().saturating_sub(PLACES);
        for label in far.into_iter().take(PLACES) {
            let mut report = Self::bare(miette::Severity::Advice, clean_lines(&label.text));
            report.place(&[Label { span: label.span, text: String::new() }], sources);
            reports.push(report);
        }
        if hidden > 0 {
            let text = format!("and {}", words::many(hidden, "more place"));
            reports.push(Self::bare(miette::Severity::Advice, text));
        }
        if let Some(last) = reports.last_mut() {
            last.help = finding.help.as_ref().map(|text| clean_lines(text));
        }
        reports
    }

    fn bare(severity: miette::Severity, summary: String) -> Self {
        Self {
            severity,
            code: None,
            summary,
            detail: None,
            help: None,
            window: None,
            labels: Vec::new(),
        }
    }

    /// Puts the first label with its neighbours into a window; returns the rest.
    fn place<'l>(&mut self, labels: &'l [Label], sources: &Sources) -> Vec<&'l Label> {
        let mut known = labels.iter().filter(|l| sources.get(l.span.file).is_some());
        let Some(primary) = known.next() else { return Vec::new() };
        let Some(source) = sources.get(primary.span.file) else { return Vec::new() };
        let others: Vec<&Label> = known.collect();
        let spans: Vec<_> = others.iter().map(|l| l.span).collect();
        let (window, fits) = Window::around(source, primary.span, &spans);
        self.labels.push(labeled(&window, primary, true));
        let mut far = Vec::new();
        for (label, fits) in others.into_iter().zip(fits) {
            if fits {
                self.labels.push(labeled(&window, label, false));
            } else {
                far.push(label);
            }
        }
        self.window = Some(window);
        far
    }
}

fn labeled(window: &Window, label: &Label, primary: bool) -> LabeledSpan {
    let text = (!label.text.is_empty()).then(|| clean(&label.text).to_string());
    let span = window.local(label.span);
    if primary {
        LabeledSpan::new_primary_with_span(text, span)
    } else {
        LabeledSpan::new_with_span(text, span)
    }
}

/// The stable word of the finding, and the object concerned.
fn headline(finding: &Diagnostic) -> String {
    match &finding.address {
        Some(address) => format!("{} in {}", finding.code, clean(address)),
        None => finding.code.to_owned(),
    }
}

fn counted(finding: &Diagnostic) -> String {
    let summary = clean_lines(&finding.summary);
    match finding.count.saturating_sub(1) {
        0 => summary,
        1 => format!("{summary} (and 1 other instance)"),
        n => format!("{summary} (and {} other instances)", words::count(n as u64)),
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.summary)
    }
}

impl std::error::Error for Report {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.detail.as_ref().map(|detail| detail as _)
    }
}

impl miette::Diagnostic for Report {
    fn code<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        self.code.as_ref().map(|code| Box::new(code) as _)
    }
    fn severity(&self) -> Option<miette::Severity> {
        Some(self.severity)
    }
    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        self.help.as_ref().map(|help| Box::new(help) as _)
    }
    fn source_code(&self) -> Option<&dyn SourceCode> {
        self.window.as_ref().map(|window| window as _)
    }
    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        (!self.labels.is_empty()).then(|| Box::new(self.labels.iter().cloned()) as _)
    }
}

/// Why: miette shows it as the cause.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Detail(String);

#[cfg(test)]
mod tests;
