//! What people and programs read: plans, findings, progress and graphs → text.
//!
//! In: the data of the stages above (`Plan`, `Event`, `Diagnostics`, `State`). Out: text, returned
//! or written to a [`fmt::Write`]. Width and colour are arguments ([`Style`]); nothing here prints,
//! reads the environment, looks at a clock or knows a terminal. Secrets never get here as text; what
//! a server or a file said passes through [`clean`], so that it cannot command the terminal.

use std::fmt;

use anstyle::{AnsiColor, Effects};

pub mod words;
pub mod validation;
pub mod hcl;
mod difference;
mod texts;
pub mod unified;
pub mod tally;
mod change;
pub mod plan;
pub mod markdown;
mod json_text;
pub mod outputs;
pub mod finding;
pub mod json;
pub mod plan_json;
pub mod diag;
mod source_window;
pub mod progress;
pub mod live;
pub mod graph;
pub mod server_check;
pub mod state;
pub mod action;

#[cfg(test)]
mod samples;

/// How text may look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Style {
    /// Whether ANSI escapes are wanted.
    pub color: bool,
    /// Whether the reader shows more than ASCII (`→`, `×`, box lines).
    pub unicode: bool,
    /// Columns to wrap at; longer words and addresses are never cut.
    pub width: usize,
}

impl Style {
    /// No colour, ASCII, 80 columns: for files and pipes.
    pub const PLAIN: Self = Self { color: false, unicode: false, width: 80 };

    /// `before → after`.
    pub(crate) fn arrow(&self) -> &'static str {
        if self.unicode { "→" } else { "->" }
    }
    /// Wraps a text in an ink, if there is colour.
    pub(crate) fn ink<T: fmt::Display>(&self, ink: Ink, text: T) -> Inked<T> {
        Inked { ink: if self.color { Some(ink.style()) } else { None }, text }
    }
}

/// The meanings that have a colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ink {
    Add,
    Change,
    Remove,
    Import,
    /// Explanations: there when looked for.
    Dim,
    Bold,
    /// What must not be overlooked.
    Alarm,
    /// The words that differ inside an added or removed line.
    AddWord,
    RemoveWord,
}

impl Ink {
    fn style(self) -> anstyle::Style {
        let plain = anstyle::Style::new();
        let color = |c: AnsiColor| plain.fg_color(Some(c.into()));
        match self {
            Self::Add => color(AnsiColor::Green),
            Self::Change => color(AnsiColor::Yellow),
            Self::Remove => color(AnsiColor::Red),
            Self::Import => color(AnsiColor::Cyan),
            Self::Dim => plain.dimmed(),
            Self::Bold => plain.bold(),
            Self::Alarm => color(AnsiColor::Red).bold(),
            Self::AddWord => color(AnsiColor::Green) | Effects::BOLD | Effects::UNDERLINE,
            Self::RemoveWord => color(AnsiColor::Red) | Effects::BOLD | Effects::UNDERLINE,
        }
    }
}

/// A text with its colour, for `{}`.
pub(crate) struct Inked<T> {
    ink: Option<anstyle::Style>,
    text: T,
}

impl<T: fmt::Display> fmt::Display for Inked<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.ink {
            None => self.text.fmt(f),
            Some(style) => write!(f, "{style}{}{style:#}", self.text),
        }
    }
}

/// Shows a text on one line with everything that could steer a terminal or reorder what is read
/// (controls, escapes, bidirectional overrides, line breaks) spelt out as `\u{1b}` or `\n`.
pub fn clean<T: fmt::Display>(text: T) -> Clean<T> {
    Clean(text)
}

/// See [`clean`].
pub struct Clean<T>(T);

impl<T: fmt::Display> fmt::Display for Clean<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        use fmt::Write as _;
        write!(Cleaner(f), "{}", self.0)
    }
}

/// The same for a text of several lines: its line breaks stay.
pub fn clean_lines(text: &str) -> String {
    let lines: Vec<String> = text.lines().map(|line| clean(line).to_string()).collect();
    lines.join("\n")
}

struct Cleaner<'a, 'b>(&'a mut fmt::Formatter<'b>);

impl fmt::Write for Cleaner<'_, '_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let mut from = 0;
        for (at, c) in text.char_indices().filter(|(_, c)| steers(*c)) {
            self.0.write_str(&text[from..at])?;
            write!(self.0, "{}", c.escape_default())?;
            from = at + c.len_utf8();
        }
        self.0.write_str(&text[from..])
    }
}

/// Whether a character acts on the display instead of being shown: C0 and C1 controls, line and
/// paragraph separators, bidirectional marks, embeddings, overrides and isolates.
pub(crate) fn steers(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{61c}')
}

#[cfg(test)]
mod tests;
