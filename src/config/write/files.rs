//! Files → files as they should be, and what is wrong with those that cannot be read.
//!
//! In: names and bytes. Out: texts before and after, findings, and the masked texts that messages
//! and differences quote. One broken file does not keep the others from being formatted.

use rayon::prelude::*;

use crate::config::source::{self, SourceFile, SourceText};
use crate::config::{mask, parse};
use crate::diag::{Diagnostics, FileId, Sources};
use crate::schema::Schemas;

use super::{format, veil};

/// Suffix of files with blocks.
pub const CONFIGURATION_SUFFIX: &str = ".rack.toml";
/// Suffix of files with values of variables.
pub const VARIABLES_SUFFIX: &str = ".vars.toml";

/// The name of a text from stdin.
pub const STDIN: &str = "<stdin>";

/// Several files, formatted.
pub struct Rewritten {
    /// In the order given. `None`: the file cannot be read.
    pub texts: Vec<Option<Texts>>,
    pub findings: Diagnostics,
    /// Masked: `findings` are about these.
    pub sources: Sources,
}

/// One file. May hold secrets: no `Debug`.
pub struct Texts {
    pub before: String,
    pub after: String,
}

/// Formats files.
pub fn rewrite(files: Vec<SourceFile>, schemas: &Schemas) -> Rewritten {
    let sizes: Vec<usize> = files.iter().map(|file| file.bytes.len()).collect();
    let mut findings = Diagnostics::default();
    let texts = source::read(files, 0, &mut findings);
    let damaged: Vec<FileId> =
        findings.iter().flat_map(|d| &d.labels).map(|label| label.span.file).collect();
    let done: Vec<One> = texts
        .into_par_iter()
        .zip(sizes)
        .map(|(text, size)| {
            // Of a file that is too large nothing was kept.
            let whole = text.text.len() == size && !damaged.contains(&text.file);
            one(text, whole, schemas)
        })
        .collect();
    let mut sources = Sources::default();
    let mut texts = Vec::with_capacity(done.len());
    for file in done {
        texts.push(file.texts);
        findings.extend(file.syntax);
        sources.add(file.name, file.masked);
    }
    Rewritten { texts, findings, sources }
}

struct One {
    name: String,
    texts: Option<Texts>,
    syntax: Diagnostics,
    /// Empty where nothing is wrong.
    masked: String,
}

fn one(text: SourceText, whole: bool, schemas: &Schemas) -> One {
    let syntax = parse::parse(text.file, &text.text).syntax;
    let SourceText { name, text, .. } = text;
    if whole && syntax.is_empty() {
        let texts = Some(Texts { after: format(&text), before: text });
        return One { name, texts, syntax, masked: String::new() };
    }
    let masked = shown(&name, &text, schemas);
    One { name, texts: None, syntax, masked }
}

/// A text as it may be shown: without literal secrets, byte for byte as long.
pub fn shown(name: &str, text: &str, schemas: &Schemas) -> String {
    let file = FileId(0);
    let parsed = parse::parse(file, text);
    if !(name.ends_with(CONFIGURATION_SUFFIX) || name == STDIN) {
        return veil::veiled(text, !parsed.syntax.is_empty());
    }
    let text = SourceText { file, name: name.to_owned(), text: text.to_owned() };
    let masked = mask::sources(vec![text], &[parsed], schemas);
    masked.get(file).map(|source| source.text.clone()).unwrap_or_default()
}
