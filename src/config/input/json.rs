//! A JSON file of values → values with places.
//!
//! In: the text. Out: the members of its one object, or why it cannot be read. `serde_json` has the
//! grammar and reads every scalar; it tells no places, so that the braces, brackets, commas and
//! colons of the text that it found valid are walked once more here.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use serde::de::IgnoredAny;

use super::places::Inside;
use super::{Places, Read, Written};
use crate::diag::{Diagnostic, Diagnostics, FileId, Span};
use crate::value::Value;

/// As deep as expressions may be.
const DEEPEST: usize = 64;

/// Reads a file.
pub fn read(file: FileId, text: &str) -> Read {
    if let Err(error) = serde_json::from_str::<IgnoredAny>(text) {
        return Err(syntax(file, text, &error).into());
    }
    let mut scanner =
        Scanner { file, text, at: 0, names: HashMap::new(), mistakes: Diagnostics::default() };
    match scanner.value(0) {
        Err(TooDeep(at)) => {
            let span = span(file, at, at + 1);
            let problem = format!("this is nested more than {DEEPEST} levels deep");
            Err(Diagnostic::error("too_deep", problem).at(span, "one level too many").into())
        }
        Ok((Value::Map(items), Places { inside: Inside::Map(places), .. })) => {
            let written = |(name, at, places): (Arc<str>, Span, Places)| {
                let value = items.get(&name).cloned().unwrap_or_default();
                Written { name, at, value, places }
            };
            Ok((places.into_iter().map(written).collect(), scanner.mistakes))
        }
        Ok((other, places)) => {
            let problem = "a file of values is one JSON object";
            Err(Diagnostic::error("json_syntax", problem)
                .at(places.span, format!("this is {}", other.kind_name()))
                .help("write {\"NAME\": VALUE, …}")
                .into())
        }
    }
}

fn syntax(file: FileId, text: &str, error: &serde_json::Error) -> Diagnostic {
    // The library counts lines from 1, and bytes in a line from 1.
    let line: usize =
        text.split_inclusive('\n').take(error.line().saturating_sub(1)).map(str::len).sum();
    let at = (line + error.column().saturating_sub(1)).min(text.len());
    let start = (0..=at).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
    let end = text[start..].chars().next().map_or(start, |c| start + c.len_utf8());
    let message = error.to_string();
    let message = message.split(" at line ").next().unwrap_or_default();
    Diagnostic::error("json_syntax", format!("this is not valid JSON: {message}"))
        .at(span(file, start, end), "this cannot be read")
}

/// Too many levels, at this offset.
struct TooDeep(usize);

struct Scanner<'t> {
    file: FileId,
    text: &'t str,
    at: usize,
    /// The same few names stand in thousands of objects.
    names: HashMap<&'t str, Arc<str>>,
    mistakes: Diagnostics,
}

impl<'t> Scanner<'t> {
    fn value(&mut self, depth: usize) -> Result<(Value, Places), TooDeep> {
        let start = self.skip_blank();
        let (value, inside) = match self.peek() {
            Some(b'{' | b'[') if depth == DEEPEST => return Err(TooDeep(start)),
            Some(b'{') => self.object(depth)?,
            Some(b'[') => self.list(depth)?,
            _ => {
                let json = serde_json::from_str(self.scalar()).unwrap_or_default();
                (self.number_checked(&json, start), Inside::Nothing)
            }
        };
        Ok((value, Places { span: span(self.file, start, self.at), inside }))
    }

    /// A number that neither a 64-bit integer nor a double holds exactly would silently be another.
    fn number_checked(&mut self, json: &serde_json::Value, start: usize) -> Value {
        let value = Value::from_json(json);
        let integer = json.as_number().is_some_and(|n| n.is_u64() && n.as_i64().is_none());
        if integer {
            let at = span(self.file, start, self.at);
            let problem = "this integer does not fit in 64 bits";
            self.mistakes.push(
                Diagnostic::error("invalid_value", problem)
                    .at(at, "here")
                    .help("write it as a string in quotes"),
            );
        }
        value
    }

    fn object(&mut self, depth: usize) -> Result<(Value, Inside), TooDeep> {
        let mut items = BTreeMap::new();
        let mut places: Vec<(Arc<str>, Span, Places)> = Vec::new();
        self.at += 1;
        loop {
            let start = self.skip_blank();
            match self.peek() {
                Some(b'"') => {}
                Some(b',') => {
                    self.at += 1;
                    continue;
                }
                _ => break,
            }
            let name = self.name();
            let at = span(self.file, start, self.at);
            self.skip_blank();
            self.at += 1; // the colon
            let (value, inside) = self.value(depth + 1)?;
            if items.insert(name.clone(), value).is_some() {
                self.twice(&name, at, &mut places);
            }
            places.push((name, at, inside));
        }
        self.close();
        Ok((Value::map(items), Inside::Map(places)))
    }

    fn twice(&mut self, name: &str, at: Span, places: &mut Vec<(Arc<str>, Span, Places)>) {
        let finding = Diagnostic::error("duplicate_key", format!("the key `{name}` stands twice"))
            .at(at, "again here")
            .help("remove one of them");
        let first = places.iter().position(|(n, _, _)| **n == *name).map(|at| places.remove(at));
        self.mistakes.push(match first {
            Some((_, first, _)) => finding.at(first, "first here"),
            None => finding,
        });
    }

    fn list(&mut self, depth: usize) -> Result<(Value, Inside), TooDeep> {
        let (mut items, mut places) = (Vec::new(), Vec::new());
        self.at += 1;
        loop {
            self.skip_blank();
            match self.peek() {
                Some(b',') => self.at += 1,
                None | Some(b']') => break,
                Some(_) => {
                    let (value, inside) = self.value(depth + 1)?;
                    items.push(value);
                    places.push(inside);
                }
            }
        }
        self.close();
        Ok((Value::list(items), Inside::List(places)))
    }

    fn name(&mut self) -> Arc<str> {
        let raw = self.scalar();
        if let Some(known) = self.names.get(raw) {
            return known.clone();
        }
        let name: String = serde_json::from_str(raw).unwrap_or_default();
        let name: Arc<str> = name.into();
        self.names.insert(raw, name.clone());
        name
    }

    /// A string with its quotes, a number or a word; never stands still within the text.
    fn scalar(&mut self) -> &'t str {
        let bytes = self.text.as_bytes();
        let start = self.at;
        if self.peek() == Some(b'"') {
            self.at += 1;
            while let Some(byte) = bytes.get(self.at) {
                self.at += if *byte == b'\\' { 2 } else { 1 };
                if *byte == b'"' {
                    break;
                }
            }
        } else {
            let ends = |b: &u8| b.is_ascii_whitespace() || matches!(b, b',' | b']' | b'}' | b':');
            self.at += 1;
            while bytes.get(self.at).is_some_and(|b| !ends(b)) {
                self.at += 1;
            }
        }
        self.at = self.at.min(bytes.len());
        self.text.get(start..self.at).unwrap_or_default()
    }

    fn close(&mut self) {
        self.at = (self.at + 1).min(self.text.len());
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn skip_blank(&mut self) -> usize {
        while self.peek().is_some_and(|b| b.is_ascii_whitespace()) {
            self.at += 1;
        }
        self.at
    }
}

fn span(file: FileId, start: usize, end: usize) -> Span {
    // `source` refuses files over 64 MiB, so offsets fit.
    let narrow = |n| u32::try_from(n).unwrap_or(u32::MAX);
    Span { file, start: narrow(start), end: narrow(end) }
}
