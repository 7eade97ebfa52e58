//! Secrets out of the texts of values that messages quote.
//!
//! In: a text, what was read from it, and the declared variables. Out: a copy with every byte of a
//! secret overwritten, of the same length. Secret is what goes to a sensitive variable, to one that
//! is not declared (its name may be misspelt) and to anything named like a secret.

use std::collections::{BTreeMap, HashMap};

use super::places::Inside;
use super::{Places, Written};
use crate::config::parse::opening;
use crate::config::secret_name::name_is_sensitive;
use crate::config::syntax::{Block, Literal};
use crate::diag::Span;

/// The declared variables, and which of them are secret.
pub struct Names<'b>(BTreeMap<&'b str, bool>);

impl<'b> Names<'b> {
    pub fn of(variables: &'b [Block]) -> Self {
        let secret = |block: &Block| {
            let written = block.get("sensitive").map(|entry| &entry.value.value);
            // What is neither true nor false is a mistake; until it is mended, caution.
            let sensitive = written.is_some_and(|value| !matches!(value, Literal::Bool(false)));
            sensitive || name_is_sensitive(&block.label.text)
        };
        Self(variables.iter().map(|block| (&*block.label.text, secret(block))).collect())
    }

    pub fn declared(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    pub fn is_secret(&self, name: &str) -> bool {
        self.0.get(name).copied().unwrap_or(true)
    }

    pub fn all(&self) -> impl Iterator<Item = &str> {
        self.0.keys().copied()
    }

    /// The text of a file that was read.
    pub fn masked(&self, text: &str, entries: &[Written]) -> String {
        let mut mask = Mask { bytes: text.as_bytes().to_vec(), known: HashMap::new() };
        for entry in entries {
            mask.value(&entry.places, self.is_secret(&entry.name));
        }
        // Only whole characters are overwritten, by ASCII: it stays UTF-8.
        String::from_utf8_lossy(&mask.bytes).into_owned()
    }

    /// The text of a file that could not be read: a line stays if it starts with the name of a
    /// variable that is no secret, or goes on with its value.
    pub fn masked_unread(&self, text: &str) -> String {
        let mut open = false;
        let mut shown = String::with_capacity(text.len());
        for line in text.split_inclusive('\n') {
            let name = line.trim_start().trim_start_matches(['[', '"', '\'']);
            let length = name.find(|c: char| !(c.is_alphanumeric() || c == '_' || c == '-'));
            let (name, rest) = name.split_at(length.unwrap_or(name.len()));
            let rest = rest.trim_start_matches(['"', '\'']).trim_start();
            if !name.is_empty() && rest.starts_with(['=', ':', ']', '.']) {
                open = !self.is_secret(name);
            }
            // Of two values in one line the second may be the secret one.
            open &= !self.names_secret(line);
            match open {
                true => shown.push_str(line),
                false => shown.push_str(&all(line)),
            }
        }
        shown
    }

    fn names_secret(&self, line: &str) -> bool {
        let declared = |(name, secret): (&&str, &bool)| *secret && line.contains(*name);
        name_is_sensitive(line) || self.0.iter().any(declared)
    }
}

/// A text of which nothing may be read.
pub fn all(text: &str) -> String {
    let mut bytes = text.as_bytes().to_vec();
    overwrite(&mut bytes);
    String::from_utf8_lossy(&bytes).into_owned()
}

fn overwrite(bytes: &mut [u8]) {
    bytes.iter_mut().filter(|b| !matches!(b, b'\n' | b'\r')).for_each(|b| *b = b'*');
}

struct Mask<'p> {
    bytes: Vec<u8>,
    /// Whether a name alone is sensitive: the same few stand in thousands of objects.
    known: HashMap<&'p str, bool>,
}

impl<'p> Mask<'p> {
    fn value(&mut self, places: &'p Places, secret: bool) {
        match &places.inside {
            Inside::Nothing if secret => self.whole(places.span),
            Inside::Nothing => {}
            Inside::List(items) => items.iter().for_each(|item| self.value(item, secret)),
            Inside::Map(items) => {
                for (name, at, value) in items {
                    if secret {
                        self.whole(*at);
                    }
                    let named = || name_is_sensitive(name);
                    let secret = secret || *self.known.entry(&**name).or_insert_with(named);
                    self.value(value, secret);
                }
            }
        }
    }

    /// Overwrites what stands between the quotes, or all.
    fn whole(&mut self, at: Span) {
        let Some(bytes) = self.bytes.get_mut(at.start as usize..at.end as usize) else { return };
        let raw = std::str::from_utf8(bytes).unwrap_or_default();
        let quotes = if raw.starts_with(['"', '\'']) { opening(raw).0 } else { 0 };
        let end = bytes.len().saturating_sub(quotes).max(quotes);
        if let Some(inner) = bytes.get_mut(quotes..end) {
            overwrite(inner);
        }
    }
}
