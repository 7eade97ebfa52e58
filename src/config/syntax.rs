//! The configuration as written: tables and values with their places, unjudged.
//!
//! Made by `parse`, read by `mask` and `resolve`. Says exactly what stands in the files; knows no
//! schema and evaluates nothing.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::diag::{Diagnostics, FileId, Span};

/// The root module, and those that it calls.
#[derive(Clone, Debug, Default)]
pub struct Config {
    pub root: Module,
    /// Modules in other directories, by directory as seen from the root.
    pub called: BTreeMap<Arc<str>, Module>,
}

/// All files of a directory, merged.
#[derive(Clone, Debug, Default)]
pub struct Module {
    /// As seen from the root, which is `.`.
    pub dir: Arc<str>,
    /// `[TYPE.LABEL]`, ordered by type and label.
    pub resources: Vec<Block>,
    /// `[data.TYPE.LABEL]`, ordered by type and label.
    pub data: Vec<Block>,
    /// `[provider.NAME]`, ordered by name.
    pub providers: Vec<Block>,
    /// `[variable.NAME]`, ordered by name.
    pub variables: Vec<Block>,
    /// `[locals]` of all files, ordered by name.
    pub locals: Vec<Entry>,
    /// `[output.NAME]`, ordered by name.
    pub outputs: Vec<Block>,
    /// `[module.NAME]`, ordered by name.
    pub calls: Vec<Call>,
    /// `[check.NAME]`, ordered by name.
    pub checks: Vec<Block>,
    /// `[[moved]]`, in the order of the files.
    pub moved: Vec<Block>,
    /// `[[removed]]`.
    pub removed: Vec<Block>,
    /// `[[import]]`.
    pub imports: Vec<Block>,
    /// `[rackform]`.
    pub settings: Option<Block>,
    /// What is wrong with the arrangement of tables (not with the TOML): `resolve` adds its own
    /// findings, so that one run shows all.
    pub mistakes: Diagnostics,
}

/// One `[module.NAME]`.
#[derive(Clone, Debug)]
pub struct Call {
    pub block: Block,
    /// The directory that its `source` means, as seen from the root. `None`: there is none, or it
    /// calls itself in the end; that is among the mistakes.
    pub dir: Option<Arc<str>>,
}

/// A name with its place.
#[derive(Clone, Debug)]
pub struct Word {
    pub text: Arc<str>,
    pub span: Span,
}

/// One table.
#[derive(Clone, Debug)]
pub struct Block {
    /// The first name of the header: a resource type or a reserved word.
    pub kind: Word,
    /// The second name; the same as the first where there is none: `[rackform]`, `[[moved]]`.
    pub label: Word,
    /// The header.
    pub declared: Span,
    pub entries: Vec<Entry>,
}

impl Block {
    pub fn get(&self, key: &str) -> Option<&Entry> {
        self.entries.iter().find(|e| &*e.key.text == key)
    }
    /// `TYPE.LABEL`, as an address without a module.
    pub fn name(&self) -> String {
        format!("{}.{}", self.kind.text, self.label.text)
    }
}

/// `key = value`.
#[derive(Clone, Debug)]
pub struct Entry {
    pub key: Word,
    pub value: Node,
}

/// A value with its place.
#[derive(Clone, Debug)]
pub struct Node {
    /// With the quotes or brackets.
    pub span: Span,
    pub value: Literal,
}

/// What is written as a value.
#[derive(Clone, Debug)]
pub enum Literal {
    Bool(bool),
    Int(i64),
    Float(f64),
    Str(Text),
    List(Vec<Node>),
    Table(Vec<Entry>),
    /// No value of ours (a date, a number that does not fit); already among the mistakes.
    Invalid,
}

/// A string, perhaps a template.
#[derive(Clone, Debug)]
pub struct Text {
    pub text: Arc<str>,
    pub place: Place,
}

/// Where the characters of a decoded string stand in the source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// Byte for byte from this offset.
    At(u32),
    /// In pieces: decoded offset and source offset at the start of each, both rising.
    Pieces(Box<[(u32, u32)]>),
}

impl Text {
    /// Whether there is something to evaluate or unescape.
    pub fn is_template(&self) -> bool {
        self.text.contains("${") || self.text.contains("%{")
    }

    /// The source range of a range of the decoded text.
    pub fn locate(&self, file: FileId, start: usize, end: usize) -> Span {
        Span { file, start: self.place.find(start), end: self.place.find(end.max(start)) }
    }
}

impl Place {
    /// The source offset of a decoded offset.
    pub fn find(&self, offset: usize) -> u32 {
        // Files are limited to 64 MiB, so offsets fit.
        let offset = u32::try_from(offset).unwrap_or(u32::MAX);
        match self {
            Self::At(start) => start.saturating_add(offset),
            Self::Pieces(pieces) => {
                let at = pieces.partition_point(|(decoded, _)| *decoded <= offset);
                match at.checked_sub(1).and_then(|at| pieces.get(at)) {
                    Some((decoded, source)) => source.saturating_add(offset - decoded),
                    None => offset,
                }
            }
        }
    }
}
