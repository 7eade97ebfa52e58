//! [`State`] ↔ JSON text, version by version.
//!
//! In: a state or a text. Out: the other, or a typed error that says what kind of file this is
//! instead. One order, so that two states can be compared with `diff`: keys as below, entries by
//! address, attributes as the schema has them. Must not know files: the path is added by `store`.

use std::collections::btree_map::Entry as Slot;
use std::collections::{BTreeMap, HashSet};
use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};
use std::sync::Arc;

use serde::de::{Deserializer, MapAccess, Visitor};
use serde::{Deserialize, Serialize};

use super::{Cloud, Entry, Output, Pending, Secrets, State, VERSION};
use crate::address::Address;
use crate::diag::Diagnostic;
use crate::value::Value;

/// Marks the file as ours: other tools' states have `version`, `lineage` and `serial` too.
const FORMAT: &str = "rackform state";

/// Why a text is not a state that this build can use.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FormatError {
    #[error("it is empty")]
    Empty,
    #[error("it is not JSON: {reason} (line {line}, column {column})")]
    NotJson { line: usize, column: usize, reason: String },
    #[error("it is JSON, but not a rackform state{}", .maker.map_or(String::new(), |m| format!(": it looks like one of {m}")))]
    Foreign { maker: Option<&'static str> },
    #[error(
        "it was written by a newer rackform, version {version}; this one reads up to {VERSION}"
    )]
    Newer { version: u64 },
    #[error("it is damaged: {reason} (line {line}, column {column})")]
    Damaged { line: usize, column: usize, reason: String },
    #[error("it cannot be written: {0}")]
    Unwritable(String),
}

impl FormatError {
    /// What to do next.
    pub fn help(&self) -> &'static str {
        match self {
            Self::Empty | Self::NotJson { .. } | Self::Damaged { .. } => {
                "rackform never leaves a half-written state, so something else changed the file: \
                 restore it from version control or from the .backup beside it, then run `rackform \
                 plan`"
            }
            Self::Foreign { .. } => {
                "move the file away if it belongs to another tool; `rackform import --all` takes \
                 over what already exists"
            }
            Self::Newer { .. } => "use the rackform that wrote it, or a later one",
            Self::Unwritable(_) => "nothing was changed on disk; please report this as a bug",
        }
    }

    /// As a finding about a file.
    pub fn diagnostic(&self, file: &str) -> Diagnostic {
        let code = match self {
            Self::Newer { .. } => "state_newer",
            Self::Foreign { .. } => "state_foreign",
            Self::Unwritable(_) => "state_unwritable",
            Self::Empty | Self::NotJson { .. } | Self::Damaged { .. } => "state_damaged",
        };
        Diagnostic::error(code, format!("the state `{file}` cannot be used"))
            .detail(format!("{}.", sentence(&self.to_string())))
            .help(self.help())
    }
}

/// With a capital letter.
pub(super) fn sentence(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}

/// The document as written; the order of its members is the order in the text.
#[derive(Serialize)]
struct Written<'a> {
    version: u32,
    lineage: &'a str,
    serial: u64,
    format: &'a str,
    run: &'a str,
    clouds: &'a BTreeMap<Arc<str>, Cloud>,
    secrets: &'a Secrets,
    entries: &'a BTreeMap<Address, Entry>,
    pending: &'a BTreeMap<Address, Pending>,
    incarnations: &'a BTreeMap<Address, u32>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    outputs: &'a BTreeMap<Arc<str>, Output>,
}

/// The document as read.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Read {
    version: u32,
    lineage: String,
    serial: u64,
    format: String,
    run: String,
    clouds: BTreeMap<Arc<str>, Cloud>,
    secrets: Secrets,
    #[serde(deserialize_with = "entries")]
    entries: BTreeMap<Address, Entry>,
    pending: BTreeMap<Address, Pending>,
    incarnations: BTreeMap<Address, u32>,
    /// States from before there were outputs have none.
    #[serde(default)]
    outputs: BTreeMap<Arc<str>, Output>,
}

/// Writes a state as it goes, without building a tree of the whole.
///
/// # Errors
/// [`FormatError::Unwritable`] when the target fails, or for a secret among the attributes.
pub fn write<W: std::io::Write>(state: &State, mut to: W) -> Result<(), FormatError> {
    // Destructured, so that a new member of the state must be thought of here.
    let State { lineage, serial, run, clouds, secrets, entries, pending, incarnations, outputs } =
        state;
    let document = Written {
        version: VERSION,
        lineage,
        serial: *serial,
        format: FORMAT,
        run,
        clouds,
        secrets,
        entries,
        pending,
        incarnations,
        outputs,
    };
    serde_json::to_writer_pretty(&mut to, &document)
        .map_err(std::io::Error::from)
        .and_then(|()| to.write_all(b"\n"))
        .map_err(|e| FormatError::Unwritable(e.to_string()))
}

/// The text of a state.
///
/// # Errors
/// [`FormatError::Unwritable`] for a secret among the attributes.
pub fn to_text(state: &State) -> Result<Vec<u8>, FormatError> {
    let mut text = Vec::new();
    write(state, &mut text)?;
    Ok(text)
}

/// Reads a state.
///
/// # Errors
/// [`FormatError`]: what is wrong with the text, and where.
pub fn read(text: &[u8]) -> Result<State, FormatError> {
    if text.iter().all(u8::is_ascii_whitespace) {
        return Err(FormatError::Empty);
    }
    let read: Read = serde_json::from_slice(text).map_err(|e| classify(text, &e))?;
    if read.format != FORMAT {
        return Err(FormatError::Foreign { maker: None });
    }
    if read.version != VERSION {
        return Err(version_error(u64::from(read.version)));
    }
    let Read {
        lineage, serial, run, clouds, secrets, entries, pending, incarnations, outputs, ..
    } = read;
    Ok(State { lineage, serial, run, clouds, secrets, entries, pending, incarnations, outputs })
}

/// Says what a text is that could not be read. Only then is it looked at a second time.
fn classify(text: &[u8], error: &serde_json::Error) -> FormatError {
    use serde_json::error::Category;
    /// Members of any version, and of other tools' states; whatever their types.
    #[derive(Deserialize)]
    struct Head {
        version: Option<serde_json::Value>,
        format: Option<serde_json::Value>,
        terraform_version: Option<serde::de::IgnoredAny>,
    }
    let not_json = |e: &serde_json::Error| FormatError::NotJson {
        line: e.line(),
        column: e.column(),
        reason: reason(e),
    };
    if error.classify() != Category::Data {
        return not_json(error);
    }
    match serde_json::from_slice::<Head>(text) {
        Err(e) if e.classify() == Category::Data => FormatError::Foreign { maker: None },
        Err(e) => not_json(&e),
        Ok(head) if head.format.as_ref().and_then(|f| f.as_str()) != Some(FORMAT) => {
            let maker = head.terraform_version.map(|_| "Terraform or OpenTofu");
            FormatError::Foreign { maker }
        }
        Ok(head) => match head.version.as_ref().and_then(serde_json::Value::as_u64) {
            Some(version) if version != u64::from(VERSION) => version_error(version),
            _ => FormatError::Damaged {
                line: error.line(),
                column: error.column(),
                reason: reason(error),
            },
        },
    }
}

fn version_error(version: u64) -> FormatError {
    if version > u64::from(VERSION) {
        return FormatError::Newer { version };
    }
    let reason = format!("there never was a version {version}");
    FormatError::Damaged { line: 1, column: 1, reason }
}

/// The words of an error without its place, which is told apart.
pub(super) fn reason(error: &serde_json::Error) -> String {
    let text = error.to_string();
    match text.rfind(" at line ") {
        Some(end) => text[..end].to_owned(),
        None => text,
    }
}

/// A member that is there, also as null.
pub(super) fn present<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(from).map(Some)
}

/// A text borrowed from the input where it holds no escapes.
#[derive(Deserialize)]
struct Text<'a>(#[serde(borrow)] std::borrow::Cow<'a, str>);

/// Attributes ↔ a JSON object, in their own order.
pub(super) mod attributes {
    use std::fmt;
    use std::sync::Arc;

    use serde::Serializer;

    use super::{Deserializer, MapAccess, Text, Value, Visitor};

    pub fn serialize<S: Serializer>(attrs: &[(Arc<str>, Value)], to: S) -> Result<S::Ok, S::Error> {
        to.collect_map(attrs.iter().map(|(name, value)| (name, value)))
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(
        from: D,
    ) -> Result<Vec<(Arc<str>, Value)>, D::Error> {
        from.deserialize_map(Attributes)
    }

    struct Attributes;

    impl<'de> Visitor<'de> for Attributes {
        type Value = Vec<(Arc<str>, Value)>;
        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an object with the attributes")
        }
        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
            let mut attrs = Vec::new();
            while let Some((Text(name), value)) = map.next_entry::<Text<'de>, Value>()? {
                attrs.push((name.as_ref().into(), value));
            }
            attrs.shrink_to_fit();
            Ok(attrs)
        }
    }
}

/// Reads the entries and lets equal texts share their memory.
fn entries<'de, D: Deserializer<'de>>(from: D) -> Result<BTreeMap<Address, Entry>, D::Error> {
    struct Entries;
    impl<'de> Visitor<'de> for Entries {
        type Value = BTreeMap<Address, Entry>;
        fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("an object with an entry for every address")
        }
        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
            let mut shared = Shared::default();
            let mut entries = BTreeMap::new();
            while let Some((address, mut entry)) = map.next_entry::<Address, Entry>()? {
                shared.share_entry(&mut entry);
                match entries.entry(address) {
                    Slot::Vacant(slot) => {
                        slot.insert(entry);
                    }
                    Slot::Occupied(slot) => {
                        let twice = format!("`{}` stands twice", slot.key());
                        return Err(serde::de::Error::custom(twice));
                    }
                }
            }
            Ok(entries)
        }
    }
    from.deserialize_map(Entries)
}

/// Texts seen lately, so that 100,000 entries hold `hypervisor_type` and `Enabled` once. A table
/// of fixed size in which the later text displaces the earlier: names recur all the time, while
/// values that never recur cost no memory.
struct Shared {
    slots: Vec<Option<Arc<str>>>,
    hasher: BuildHasherDefault<DefaultHasher>,
    addresses: HashSet<Address>,
}

/// A power of two; more distinct names and states than any schema set has.
const SLOTS: usize = 4096;

impl Default for Shared {
    fn default() -> Self {
        let slots = vec![None; SLOTS];
        Self { slots, hasher: BuildHasherDefault::default(), addresses: HashSet::new() }
    }
}

impl Shared {
    fn share(&mut self, text: &mut Arc<str>) {
        #[allow(clippy::cast_possible_truncation)] // only the low bits are used
        let slot = self.hasher.hash_one(&**text) as usize % SLOTS;
        match &self.slots[slot] {
            Some(known) if known == text => *text = known.clone(),
            _ => self.slots[slot] = Some(text.clone()),
        }
    }

    fn share_entry(&mut self, entry: &mut Entry) {
        self.share(&mut entry.kind);
        self.share(&mut entry.provider);
        for (name, value) in &mut entry.attrs {
            self.share(name);
            if let Value::Str(text) = value {
                self.share(text);
            }
        }
        for address in &mut entry.dependencies {
            match self.addresses.get(address) {
                Some(known) => *address = known.clone(),
                None => drop(self.addresses.insert(address.clone())),
            }
        }
        entry.dependencies.shrink_to_fit();
    }
}

#[cfg(test)]
mod tests;
