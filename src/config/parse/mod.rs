//! `*.rack.toml` texts → [`Config`]: what is written, with places, unjudged.
//!
//! In: texts and their file numbers. Out: blocks per file, then all files merged. All syntax
//! errors of all files come at once. Knows the reserved table names, no resource type.

mod error;
mod offsets;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::sync::Arc;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

pub use offsets::opening;

use super::syntax::{Block, Call, Entry, Literal, Module, Node, Text, Word};
use crate::address::is_identifier;
use crate::diag::{Diagnostic, Diagnostics, FileId, Sources, Span};

/// Tables of the language that this version does not carry out.
const LATER: [&str; 1] = ["backend"];

/// Tables that stand many times and have no name.
const LISTS: [&str; 3] = ["import", "moved", "removed"];

/// The table of values that are named once.
const LOCALS: &str = "locals";

/// The table of what is looked up.
const DATA: &str = "data";

/// Lists and tables within each other. The parser stops at 80 brackets and at 80 names in a row,
/// which together make thousands: more than anybody writes, and more than a small stack holds.
const DEEPEST: u32 = 100;

/// The finding for a part of the language that is designed and does not work yet.
pub fn not_supported_yet(what: &str, span: Span) -> Diagnostic {
    Diagnostic::error("not_supported_yet", format!("{what} is not supported yet"))
        .at(span, "not supported yet")
}

/// One file, read.
#[derive(Debug, Default)]
pub struct Parsed {
    pub blocks: Vec<Block>,
    /// `[data.TYPE.LABEL]`.
    pub data: Vec<Block>,
    /// `[locals]`.
    pub locals: Vec<Entry>,
    /// `[[moved]]` and the like.
    pub lists: Vec<Block>,
    /// TOML errors: nothing of the configuration can be judged while there are any.
    pub syntax: Diagnostics,
    /// Tables in the wrong place.
    pub mistakes: Diagnostics,
}

/// Reads one file.
pub fn parse(file: FileId, text: &str) -> Parsed {
    let (table, errors) = DeTable::parse_recoverable(text);
    if !errors.is_empty() {
        return Parsed { syntax: error::findings(file, text, &errors), ..Parsed::default() };
    }
    let (words, out) = (HashMap::new(), Parsed::default());
    let mut reader = Reader { file, text, words, depth: 0, out };
    for (key, value) in table.get_ref() {
        reader.top(key, value);
    }
    reader.out
}

/// The values of a file that holds nothing else.
#[derive(Debug)]
pub struct Values {
    pub entries: Vec<Entry>,
    /// What no value can be: dates, numbers that do not fit.
    pub mistakes: Diagnostics,
}

/// Reads a file of values.
///
/// # Errors
/// TOML errors.
pub fn values(file: FileId, text: &str) -> Result<Values, Diagnostics> {
    let (table, errors) = DeTable::parse_recoverable(text);
    if !errors.is_empty() {
        return Err(error::findings(file, text, &errors));
    }
    let (words, out) = (HashMap::new(), Parsed::default());
    let mut reader = Reader { file, text, words, depth: 0, out };
    let entries = reader.entries(table.get_ref());
    Ok(Values { entries, mistakes: reader.out.mistakes })
}

/// Merges the files of a directory. The same address twice is a mistake that shows both places.
pub fn merge(dir: &str, files: Vec<Parsed>, sources: &Sources) -> Module {
    let mut module = Module { dir: dir.into(), ..Module::default() };
    let (mut blocks, mut data, mut lists) = (Vec::new(), Vec::new(), Vec::new());
    for file in files {
        module.mistakes.extend(file.mistakes);
        blocks.extend(file.blocks);
        data.extend(file.data);
        module.locals.extend(file.locals);
        lists.extend(file.lists);
    }
    module.data = once(data, (sources, "data."), &mut module.mistakes);
    locals_once(&mut module, sources);
    for block in once(blocks, (sources, ""), &mut module.mistakes) {
        match &*block.kind.text {
            "provider" => module.providers.push(block),
            "variable" => module.variables.push(block),
            "output" => module.outputs.push(block),
            "check" => module.checks.push(block),
            "module" => module.calls.push(Call { block, dir: None }),
            "rackform" => module.settings = Some(block),
            _ => module.resources.push(block),
        }
    }
    for block in lists {
        match &*block.kind.text {
            "import" => module.imports.push(block),
            "moved" => module.moved.push(block),
            _ => module.removed.push(block),
        }
    }
    module
}

fn locals_once(module: &mut Module, sources: &Sources) {
    module.locals.sort_by(|a, b| a.key.text.cmp(&b.key.text));
    let mistakes = &mut module.mistakes;
    module.locals.dedup_by(|again, first| {
        let same = again.key.text == first.key.text;
        if same {
            let name = format!("local.{}", first.key.text);
            mistakes.push(declared_twice(&name, (first.key.span, again.key.span), sources));
        }
        same
    });
}

/// Blocks in order, each name once.
fn once(
    mut blocks: Vec<Block>,
    (sources, prefix): (&Sources, &str),
    mistakes: &mut Diagnostics,
) -> Vec<Block> {
    // A stable sort: of two equal names the one of the earlier file comes first and is kept.
    blocks.sort_by(|a, b| (&a.kind.text, &a.label.text).cmp(&(&b.kind.text, &b.label.text)));
    blocks.dedup_by(|again, first| {
        let same = again.kind.text == first.kind.text && again.label.text == first.label.text;
        if same {
            mistakes.push(twice(first, again, (sources, prefix)));
        }
        same
    });
    blocks
}

fn twice(first: &Block, again: &Block, (sources, prefix): (&Sources, &str)) -> Diagnostic {
    let name = match &*first.kind.text {
        "rackform" => "rackform".to_owned(),
        _ => format!("{prefix}{}", first.name()),
    };
    declared_twice(&name, (first.declared, again.declared), sources)
}

fn declared_twice(name: &str, (first, again): (Span, Span), sources: &Sources) -> Diagnostic {
    let first_at = sources.display(first);
    Diagnostic::error("duplicate_address", format!("`{name}` is declared twice"))
        .at(again, format!("declared first at {first_at}"))
        .at(first, "first here")
        .help("files of a directory are one module: remove one, or give it another label")
}

struct Reader<'a> {
    file: FileId,
    text: &'a str,
    /// Keys repeat thousands of times: each is kept once.
    words: HashMap<String, Arc<str>>,
    /// Lists and tables around what is read.
    depth: u32,
    out: Parsed,
}

type Key<'i> = Spanned<std::borrow::Cow<'i, str>>;

impl Reader<'_> {
    fn top(&mut self, key: &Key<'_>, value: &Spanned<DeValue<'_>>) {
        let kind = self.word(key);
        let name = &*kind.text;
        if LATER.contains(&name) {
            let what = format!("`{name}`");
            self.out.mistakes.push(not_supported_yet(&what, self.span(value.span())));
            return;
        }
        match value.get_ref() {
            DeValue::Table(body) if name == "rackform" => {
                let declared = self.span(value.span());
                let entries = self.entries(body);
                self.out.blocks.push(Block { label: kind.clone(), kind, declared, entries });
            }
            DeValue::Table(types) if name == DATA => self.data(types),
            DeValue::Table(body) if name == LOCALS => self.locals(body),
            DeValue::Table(labels) if labels.is_empty() => self.empty(name, kind.span),
            DeValue::Array(items) if LISTS.contains(&name) => self.list(&kind, items),
            DeValue::Table(_) if LISTS.contains(&name) => {
                let problem = format!("`{name}` is one of many: it stands in double brackets");
                let help = format!("write [[{name}]]");
                self.mistake("expected_table", problem, self.span(value.span()), help);
            }
            DeValue::Table(labels) => self.labels(&kind, labels),
            _ => {
                let problem = format!("`{name}` stands outside a table");
                let help = "every value belongs under a header such as [zone.east]";
                self.mistake("expected_table", problem, kind.span, help);
            }
        }
    }

    fn locals(&mut self, body: &DeTable<'_>) {
        for entry in self.entries(body) {
            if is_identifier(&entry.key.text) {
                self.out.locals.push(entry);
                continue;
            }
            let problem = format!("`{}` cannot be a name", entry.key.text);
            let help = "names are letters, digits, `_` and `-`, and start with a letter";
            self.mistake("bad_label", problem, entry.key.span, help);
        }
    }

    /// `[[moved]]`.
    fn list(&mut self, kind: &Word, items: &toml::de::DeArray<'_>) {
        for item in items {
            let declared = self.span(item.span());
            let DeValue::Table(body) = item.get_ref() else {
                let problem = format!("`{}` holds tables", kind.text);
                let help = format!("write [[{}]]", kind.text);
                self.mistake("expected_table", problem, declared, help);
                continue;
            };
            let entries = self.entries(body);
            let (kind, label) = (kind.clone(), kind.clone());
            self.out.lists.push(Block { kind, label, declared, entries });
        }
    }

    /// `[data.TYPE.LABEL]`: the same as a resource, one level further in.
    fn data(&mut self, types: &DeTable<'_>) {
        let resources = std::mem::take(&mut self.out.blocks);
        for (key, value) in types {
            let kind = self.word(key);
            match value.get_ref() {
                DeValue::Table(labels) if labels.is_empty() => {
                    self.empty(&format!("{DATA}.{}", kind.text), kind.span);
                }
                DeValue::Table(labels) => self.labels(&kind, labels),
                _ => {
                    let problem = format!("`{}` stands outside a table", kind.text);
                    let help = "what is looked up stands in [data.TYPE.LABEL]";
                    self.mistake("expected_table", problem, kind.span, help);
                }
            }
        }
        self.out.data.extend(std::mem::replace(&mut self.out.blocks, resources));
    }

    /// A table that says nothing: somebody who writes `[zone]` or `[data.zone]` means more.
    fn empty(&mut self, name: &str, at: Span) {
        let label = if name == DATA { "TYPE.LABEL" } else { "LABEL" };
        let help = format!("write [{name}.{label}], or remove it");
        self.mistake("missing_label", format!("the table `{name}` has no label"), at, help);
    }

    fn labels(&mut self, kind: &Word, labels: &DeTable<'_>) {
        for (key, value) in labels {
            let label = self.word(key);
            let DeValue::Table(body) = value.get_ref() else {
                self.no_block(kind, &label, value);
                continue;
            };
            if !is_identifier(&label.text) {
                let problem = format!("`{}` cannot be a label", label.text);
                let help = "labels are letters, digits, `_` and `-`, and start with a letter";
                self.mistake("bad_label", problem, label.span, help);
                continue;
            }
            let declared = self.span(value.span());
            let entries = self.entries(body);
            self.out.blocks.push(Block { kind: kind.clone(), label, declared, entries });
        }
    }

    fn no_block(&mut self, kind: &Word, label: &Word, value: &Spanned<DeValue<'_>>) {
        let (kind, text) = (&kind.text, &label.text);
        let tables = |items: &toml::de::DeArray<'_>| items.iter().any(|i| i.get_ref().is_table());
        if value.get_ref().as_array().is_some_and(tables) {
            let problem = format!("`{kind}.{text}` is a list of tables");
            let help = format!("a resource is one table: [{kind}.{text}]");
            self.mistake("expected_table", problem, label.span, help);
        } else {
            let problem = format!("the table `{kind}` has no label");
            let help = format!("write [{kind}.LABEL] above `{text}`");
            self.mistake("missing_label", problem, label.span, help);
        }
    }

    fn entries(&mut self, table: &DeTable<'_>) -> Vec<Entry> {
        table
            .iter()
            .map(|(key, value)| Entry { key: self.word(key), value: self.node(value) })
            .collect()
    }

    fn node(&mut self, value: &Spanned<DeValue<'_>>) -> Node {
        let span = self.span(value.span());
        let value = match value.get_ref() {
            DeValue::String(text) => self.string(text, value.span()),
            DeValue::Boolean(b) => Literal::Bool(*b),
            DeValue::Integer(n) => match i64::from_str_radix(n.as_str(), n.radix()) {
                Ok(n) => Literal::Int(n),
                Err(_) => self.invalid("this integer does not fit in 64 bits", span),
            },
            DeValue::Float(n) => match n.as_str().parse::<f64>() {
                Ok(n) if n.is_finite() => Literal::Float(n),
                _ => self.invalid("infinity and nan are no values here", span),
            },
            DeValue::Datetime(_) => self.invalid("a date is no value here", span),
            DeValue::Array(_) | DeValue::Table(_) if self.depth >= DEEPEST => {
                self.out.mistakes.push(
                    Diagnostic::error("too_deep", "lists and tables are nested too deeply")
                        .at(span, format!("{DEEPEST} levels are possible")),
                );
                Literal::Invalid
            }
            DeValue::Array(items) => {
                self.depth += 1;
                let items = items.iter().map(|item| self.node(item)).collect();
                self.depth -= 1;
                Literal::List(items)
            }
            DeValue::Table(table) => {
                self.depth += 1;
                let entries = self.entries(table);
                self.depth -= 1;
                Literal::Table(entries)
            }
        };
        Node { span, value }
    }

    fn string(&mut self, text: &str, range: std::ops::Range<usize>) -> Literal {
        let raw = self.text.get(range.clone()).unwrap_or_default();
        let place = offsets::place(raw, range.start, text);
        Literal::Str(Text { text: text.into(), place })
    }

    fn invalid(&mut self, problem: &str, span: Span) -> Literal {
        self.mistake("invalid_value", problem.to_owned(), span, "write it as a string in quotes");
        Literal::Invalid
    }

    fn mistake(&mut self, code: &'static str, problem: String, at: Span, help: impl Into<String>) {
        self.out.mistakes.push(Diagnostic::error(code, problem).at(at, "here").help(help));
    }

    fn word(&mut self, key: &Key<'_>) -> Word {
        let text = match self.words.get(&**key.get_ref()) {
            Some(known) => known.clone(),
            None => {
                let new: Arc<str> = (&**key.get_ref()).into();
                self.words.insert(new.to_string(), new.clone());
                new
            }
        };
        Word { text, span: self.span(key.span()) }
    }

    fn span(&self, range: std::ops::Range<usize>) -> Span {
        // `source` refuses files over 64 MiB, so offsets fit.
        let narrow = |n| u32::try_from(n).unwrap_or(u32::MAX);
        Span { file: self.file, start: narrow(range.start), end: narrow(range.end) }
    }
}
