//! The text as its author arranged it: tables, keys, values, comments and blank lines in order.
//!
//! In: a valid TOML text. Out: [`Document`]. Knows what stands on one line with what, and how wide a
//! value is; decides nothing about the layout but where blank lines belong.

use std::borrow::Cow;
use std::iter::Peekable;

use toml_parser::Source;
use toml_parser::parser::{Event, EventKind, RecursionGuard, parse_document};

use super::quote;

/// Brackets in brackets; a text that goes deeper is refused when it is read as values.
const DEEPEST: u32 = 128;

/// A whole file.
pub struct Document<'s> {
    pub entries: Vec<Entry<'s>>,
    /// That of the first line.
    pub newline: &'static str,
}

/// What stands on a line of its own, in a file or between brackets.
pub enum Entry<'s> {
    Blank,
    Comment(&'s str),
    /// `[zone.east]`
    Header(String, Option<Comment<'s>>),
    Item(Item<'s>),
}

/// `key = value`, or an element of an array.
pub struct Item<'s> {
    pub key: Option<Cow<'s, str>>,
    pub value: Value<'s>,
    pub comment: Option<Comment<'s>>,
}

/// A comment behind something.
#[derive(Clone, Copy)]
pub struct Comment<'s> {
    pub text: &'s str,
    /// Where it stood, in characters from the start of its line, if somebody put it there: more
    /// than one blank behind what is before it.
    pub column: Option<usize>,
}

pub enum Value<'s> {
    /// As it is to be written; a string may span lines.
    Scalar(Cow<'s, str>),
    Container(Container<'s>),
}

/// An array or an inline table.
pub struct Container<'s> {
    pub array: bool,
    /// Behind the opening bracket.
    pub opening: Option<Comment<'s>>,
    pub entries: Vec<Entry<'s>>,
    /// Whether each entry needs a line of its own, however short they are.
    pub open: bool,
    /// Columns on one line, if it can stand on one.
    pub width: Option<usize>,
}

impl Value<'_> {
    /// Columns on one line, if it can stand on one.
    pub fn width(&self) -> Option<usize> {
        match self {
            Value::Scalar(text) if text.contains('\n') => None,
            Value::Scalar(text) => Some(text.chars().count()),
            Value::Container(container) => container.width,
        }
    }
}

/// Reads a valid text; what is not TOML in an invalid one is left out.
pub fn read(text: &str) -> Document<'_> {
    let source = Source::new(text);
    let tokens = source.lex().into_vec();
    let mut events = Vec::with_capacity(tokens.len());
    parse_document(&tokens, &mut RecursionGuard::new(&mut events, DEEPEST), &mut ());
    drop(tokens);
    let first = events.iter().find(|e| e.kind() == EventKind::Newline);
    let crlf = first.is_some_and(|e| source.get(e).is_some_and(|raw| raw.as_str() == "\r\n"));
    let mut reader = Reader { text, source, events: events.into_iter().peekable() };
    let entries = spaced(reader.document());
    Document { entries, newline: if crlf { "\r\n" } else { "\n" } }
}

struct Reader<'s> {
    text: &'s str,
    source: Source<'s>,
    events: Peekable<std::vec::IntoIter<Event>>,
}

impl<'s> Reader<'s> {
    fn document(&mut self) -> Vec<Entry<'s>> {
        let mut entries = Vec::new();
        let mut fresh = true;
        while let Some(event) = self.events.next() {
            match event.kind() {
                EventKind::Newline => {
                    if fresh {
                        entries.push(Entry::Blank);
                    }
                    fresh = true;
                    continue;
                }
                EventKind::Comment => self.comment(&event, fresh, &mut entries),
                EventKind::StdTableOpen | EventKind::ArrayTableOpen => {
                    entries.push(Entry::Header(self.header(&event), None));
                }
                EventKind::SimpleKey => {
                    let item = self.pair(&event);
                    entries.extend(item.map(Entry::Item));
                }
                _ => continue,
            }
            fresh = false;
        }
        entries
    }

    /// A comment belongs to what stands before it on its line.
    fn comment(&self, event: &Event, fresh: bool, entries: &mut Vec<Entry<'s>>) {
        let comment = self.comment_at(event);
        match entries.last_mut() {
            Some(Entry::Header(_, place) | Entry::Item(Item { comment: place, .. }))
                if !fresh && place.is_none() =>
            {
                *place = Some(comment);
            }
            _ => entries.push(Entry::Comment(comment.text)),
        }
    }

    fn comment_at(&self, event: &Event) -> Comment<'s> {
        let start = event.span().start();
        let line = self.text[..start].rfind('\n').map_or(0, |at| at + 1);
        let before = self.text[line..start].trim_start_matches('\u{feff}');
        let placed = before.ends_with("  ") || before.ends_with('\t');
        let column = placed.then(|| before.chars().count());
        Comment { text: self.raw(event).trim_end(), column }
    }

    fn raw(&self, event: &Event) -> &'s str {
        self.source.get(event).map_or("", |raw| raw.as_str())
    }

    /// From behind the opening bracket to the closing one.
    fn header(&mut self, open: &Event) -> String {
        let mut header = self.raw(open).to_owned();
        for event in self.events.by_ref() {
            let text = self.source.get(event).map_or("", |raw| raw.as_str());
            match event.kind() {
                EventKind::SimpleKey | EventKind::KeySep => header.push_str(text),
                EventKind::StdTableClose | EventKind::ArrayTableClose => {
                    header.push_str(text);
                    break;
                }
                _ => {}
            }
        }
        header
    }

    /// From the first part of the key to the end of the value.
    fn pair(&mut self, first: &Event) -> Option<Item<'s>> {
        let mut key = Cow::Borrowed(self.raw(first));
        while let Some(event) = self.events.next() {
            match event.kind() {
                EventKind::SimpleKey | EventKind::KeySep => *key.to_mut() += self.raw(&event),
                EventKind::Whitespace | EventKind::KeyValSep => {}
                _ => {
                    let value = self.value(&event)?;
                    return Some(Item { key: Some(key), value, comment: None });
                }
            }
        }
        None
    }

    fn value(&mut self, event: &Event) -> Option<Value<'s>> {
        match event.kind() {
            EventKind::Scalar => {
                let raw = self.source.get(event)?;
                Some(Value::Scalar(quote::rewritten(raw, event.encoding())))
            }
            EventKind::ArrayOpen => Some(Value::Container(self.container(true))),
            EventKind::InlineTableOpen => Some(Value::Container(self.container(false))),
            _ => None,
        }
    }

    /// From behind the opening bracket to the closing one.
    fn container(&mut self, array: bool) -> Container<'s> {
        let (mut entries, mut opening) = (Vec::new(), None);
        let (mut fresh, mut breaks) = (false, false);
        while let Some(event) = self.events.next() {
            match event.kind() {
                EventKind::ArrayClose | EventKind::InlineTableClose => break,
                EventKind::Newline => {
                    if fresh && !entries.is_empty() {
                        entries.push(Entry::Blank);
                    }
                    breaks |= entries.is_empty();
                    fresh = true;
                    continue;
                }
                EventKind::Comment if entries.is_empty() && !fresh => {
                    opening = Some(self.comment_at(&event));
                }
                EventKind::Comment => self.comment(&event, fresh, &mut entries),
                EventKind::SimpleKey => {
                    let item = self.pair(&event);
                    entries.extend(item.map(Entry::Item));
                }
                EventKind::ValueSep => {}
                _ => {
                    let Some(value) = self.value(&event) else { continue };
                    entries.push(Entry::Item(Item { key: None, value, comment: None }));
                }
            }
            fresh = false;
        }
        Container::new(array, opening, spaced(entries), breaks)
    }
}

impl<'s> Container<'s> {
    fn new(
        array: bool,
        opening: Option<Comment<'s>>,
        entries: Vec<Entry<'s>>,
        breaks: bool,
    ) -> Self {
        let commented = opening.is_some()
            || entries.iter().any(|entry| match entry {
                Entry::Comment(_) => true,
                Entry::Item(item) => item.comment.is_some(),
                _ => false,
            });
        let items = entries.iter().filter_map(|entry| match entry {
            Entry::Item(item) => Some(item),
            _ => None,
        });
        let widths: Option<Vec<usize>> = items
            .map(|item| {
                let key = item.key.as_ref().map_or(0, |key| key.chars().count() + " = ".len());
                Some(key + item.value.width()?)
            })
            .collect();
        let lines = array && widths.is_none();
        let open = commented || lines || breaks && !entries.is_empty();
        let width = widths.filter(|_| !open).map(|widths| {
            let blanks = if array || widths.is_empty() { 0 } else { 2 };
            let commas = 2 * widths.len().saturating_sub(1);
            2 + blanks + commas + widths.iter().sum::<usize>()
        });
        Self { array, opening, entries, open, width }
    }
}

/// Blank lines where they belong: one above a table, none below its header, never two together,
/// none at either end.
fn spaced(entries: Vec<Entry<'_>>) -> Vec<Entry<'_>> {
    let mut out: Vec<Entry<'_>> = Vec::with_capacity(entries.len());
    for entry in entries {
        match &entry {
            Entry::Blank => {
                if matches!(out.last(), None | Some(Entry::Blank)) {
                    continue;
                }
            }
            Entry::Header(..) => {
                let own = out.iter().rev().take_while(|e| matches!(e, Entry::Comment(_))).count();
                let at = out.len() - own;
                if at > 0 && !matches!(out[at - 1], Entry::Blank) {
                    out.insert(at, Entry::Blank);
                }
            }
            Entry::Item(_) => {
                if let [.., Entry::Header(..), Entry::Blank] = out[..] {
                    out.pop();
                }
            }
            Entry::Comment(_) => {}
        }
        out.push(entry);
    }
    if let Some(Entry::Blank) = out.last() {
        out.pop();
    }
    out
}
