//! What stands on which line, and where the `=` are.
//!
//! In: the entries of a file. Out: its lines, each with the comment behind it. Decides what is
//! broken over lines and what is aligned; knows nothing of where comments go in their line.

use std::mem;
use std::ops::Range;

use super::WIDTH;
use super::lines::Line;
use super::tree::{Comment, Container, Entry, Item, Value};

/// Columns that entries between brackets stand further in.
const INDENT: usize = 2;

/// The lines of a file.
pub fn lines<'s>(entries: &[Entry<'s>]) -> Vec<Line<'s>> {
    let mut printer = Printer::default();
    printer.entries(entries, &Level { indent: 0, comma: "" });
    printer.lines
}

/// Where entries stand.
struct Level {
    indent: usize,
    /// What ends each of them.
    comma: &'static str,
}

/// How a pair of a run is written.
#[derive(Clone, Copy, Default)]
struct Place {
    /// Columns of the key with the blanks behind it.
    key: usize,
    /// Whether the value is an array that is broken for its length.
    broken: bool,
}

#[derive(Default)]
struct Printer<'s> {
    lines: Vec<Line<'s>>,
    current: String,
}

impl<'s> Printer<'s> {
    fn entries(&mut self, entries: &[Entry<'s>], level: &Level) {
        let mut at = 0;
        while at < entries.len() {
            match &entries[at] {
                Entry::Blank => self.end(None),
                Entry::Comment(text) => {
                    self.blanks(level.indent);
                    self.current.push_str(text);
                    self.end(None);
                }
                Entry::Header(text, comment) => {
                    self.current.push_str(text);
                    self.end(*comment);
                }
                Entry::Item(_) => {
                    at += self.run(&entries[at..], level);
                    continue;
                }
            }
            at += 1;
        }
    }

    /// Writes the items on lines one after another that entries begin with; returns how many.
    fn run(&mut self, entries: &[Entry<'s>], level: &Level) -> usize {
        let items: Vec<&Item<'s>> = entries
            .iter()
            .map_while(|entry| match entry {
                Entry::Item(item) => Some(item),
                _ => None,
            })
            .collect();
        for (item, place) in items.iter().zip(places(&items, level)) {
            self.blanks(level.indent);
            if let Some(key) = &item.key {
                self.current.push_str(key);
                self.blanks(place.key.saturating_sub(columns(key)));
                self.current.push_str(" = ");
            }
            self.value(&item.value, level.indent, place.broken);
            self.current.push_str(level.comma);
            self.end(item.comment);
        }
        items.len()
    }

    fn value(&mut self, value: &Value<'s>, indent: usize, broken: bool) {
        match value {
            Value::Scalar(text) => self.current.push_str(text),
            Value::Container(container) if broken || container.open => {
                self.open(container, indent);
            }
            Value::Container(container) => self.closed(container, indent),
        }
    }

    /// One entry a line.
    fn open(&mut self, container: &Container<'s>, indent: usize) {
        let (open, close) = if container.array { ('[', ']') } else { ('{', '}') };
        self.current.push(open);
        self.end(container.opening);
        self.entries(&container.entries, &Level { indent: indent + INDENT, comma: "," });
        self.blanks(indent);
        self.current.push(close);
    }

    /// All entries on this line.
    fn closed(&mut self, container: &Container<'s>, indent: usize) {
        let items = container.entries.iter().filter_map(|entry| match entry {
            Entry::Item(item) => Some(item),
            _ => None,
        });
        let (open, close) = match (container.array, container.entries.is_empty()) {
            (true, _) => ("[", "]"),
            (false, true) => ("{", "}"),
            (false, false) => ("{ ", " }"),
        };
        self.current.push_str(open);
        for (at, item) in items.enumerate() {
            if at > 0 {
                self.current.push_str(", ");
            }
            if let Some(key) = &item.key {
                self.current.push_str(key);
                self.current.push_str(" = ");
            }
            self.value(&item.value, indent, false);
        }
        self.current.push_str(close);
    }

    fn blanks(&mut self, count: usize) {
        self.current.extend(std::iter::repeat_n(' ', count));
    }

    fn end(&mut self, comment: Option<Comment<'s>>) {
        self.lines.push(Line { text: mem::take(&mut self.current), comment });
    }
}

/// Decides upon the items of a run. What is aligned depends on which arrays are broken, and that on
/// how far the alignment moves them: an array that is too long in its run is broken, which ends the
/// run there, and the pieces are looked at again. In a piece whose widest key is as wide as before
/// everything still fits, so this ends soon.
fn places(items: &[&Item<'_>], level: &Level) -> Vec<Place> {
    let own = |at: usize| items[at].key.as_ref().map_or(0, |key| columns(key));
    let mut places: Vec<Place> =
        (0..items.len()).map(|at| Place { key: own(at), broken: false }).collect();
    let mut runs = pieces(0..items.len(), |at| items[at].value.width().is_none());
    while let Some(run) = runs.pop() {
        let key = run.clone().map(own).max().unwrap_or(0);
        for at in run.clone() {
            places[at].broken = too_long(items[at], key, level);
        }
        if run.clone().any(|at| places[at].broken) {
            runs.extend(pieces(run, |at| places[at].broken));
        } else {
            run.for_each(|at| places[at].key = key);
        }
    }
    places
}

/// What is left of a range between those that `ends` names.
fn pieces(range: Range<usize>, ends: impl Fn(usize) -> bool) -> Vec<Range<usize>> {
    let mut pieces = Vec::new();
    let mut start = range.start;
    for at in range.clone().filter(|at| ends(*at)) {
        pieces.push(start..at);
        start = at + 1;
    }
    pieces.push(start..range.end);
    pieces
}

/// Whether an array with elements goes beyond the width when its key takes so many columns.
fn too_long(item: &Item<'_>, key: usize, level: &Level) -> bool {
    let Value::Container(container) = &item.value else { return false };
    let key = if item.key.is_some() { key + " = ".len() } else { 0 };
    let value = container.width.unwrap_or(0);
    let all = level.indent + key + value + level.comma.len();
    container.array && !container.entries.is_empty() && all > WIDTH
}

fn columns(text: &str) -> usize {
    text.chars().count()
}
