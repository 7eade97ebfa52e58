//! What sets variables from outside the configuration → one input per variable.
//!
//! In: texts of the environment, the command line and a terminal, and files of values, weakest
//! first; and the declared variables. Out: the strongest input of each, and the masked sources that
//! messages quote. Values are literal: nothing in them is evaluated. Reads no file and no
//! environment; what a value must be is judged where the variable is.

mod hide;
mod json;
mod places;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::Arc;

use super::parse;
use super::source::{self, SourceFile, SourceText};
use super::syntax::{Block, Entry, Literal};
use crate::diag::{Diagnostic, Diagnostics, FileId, Sources, Span, nearest};
use crate::value::Value;

pub use hide::Names;
pub use places::Places;

/// A variable's value from outside the configuration. May be a secret: no `Debug`.
#[derive(Clone, PartialEq)]
pub enum VariableInput {
    /// Text, which is read by the variable's type.
    Text {
        text: String,
        /// As people know it: `--var`, `RACKFORM_VAR_x`.
        origin: String,
        /// The whole text, where messages can quote it.
        span: Option<Span>,
    },
    /// A value of a file.
    Value { value: Value, places: Arc<Places> },
}

impl VariableInput {
    /// Text that messages do not quote.
    pub fn text(text: impl Into<String>, origin: impl Into<String>) -> Self {
        Self::Text { text: text.into(), origin: origin.into(), span: None }
    }
}

/// Something that sets variables.
pub enum Layer {
    /// `RACKFORM_VAR_NAME`. A name that is not declared may be meant for another configuration.
    Environment { name: String, text: String },
    /// `--var NAME=TEXT`.
    Flag { name: String, text: String },
    /// What somebody typed when asked for it.
    Typed { name: String, text: String },
    /// A file of values: JSON if its name ends so or it starts with `{`, otherwise TOML.
    File(SourceFile),
}

/// The inputs of declared variables.
#[derive(Clone, Default)]
pub struct Given {
    pub values: BTreeMap<String, VariableInput>,
    /// Names that are not declared, and values that are none.
    pub mistakes: Diagnostics,
}

/// Gathers what the layers give, weakest first.
///
/// # Errors
/// Files that cannot be read: what they set is not known then, so that nothing else can be judged.
pub fn given(
    layers: Vec<Layer>,
    variables: &[Block],
    sources: &mut Sources,
) -> Result<Given, Diagnostics> {
    let mut work = Work {
        names: Names::of(variables),
        sources,
        given: Given::default(),
        broken: Diagnostics::default(),
    };
    for layer in layers {
        match layer {
            Layer::Environment { name, text } => {
                if work.names.declared(&name) {
                    work.text(&name, text, &format!("RACKFORM_VAR_{name}"), None);
                }
            }
            Layer::Flag { name, text } => work.flag(&name, text),
            Layer::Typed { name, text } => {
                work.text(&name, text, "the terminal", Some("what was typed for"));
            }
            Layer::File(file) => work.file(file),
        }
    }
    if work.broken.has_errors() { Err(work.broken) } else { Ok(work.given) }
}

/// What a person is to be asked: a variable that has no value otherwise.
#[derive(Clone, Debug, PartialEq)]
pub struct Question {
    pub name: String,
    pub description: Option<String>,
    /// Not to be shown while it is typed.
    pub secret: bool,
}

/// The declared variables that nothing sets, by name.
pub fn questions(variables: &[Block], given: &BTreeMap<String, VariableInput>) -> Vec<Question> {
    let names = Names::of(variables);
    let open = |block: &&Block| {
        let set = ["default", "command"].iter().any(|key| block.get(key).is_some());
        !set && !given.contains_key(&*block.label.text)
    };
    let question = |block: &Block| {
        let name = block.label.text.to_string();
        let description = match block.get("description").map(|entry| &entry.value.value) {
            Some(Literal::Str(text)) => Some(text.text.to_string()),
            _ => None,
        };
        Question { secret: names.is_secret(&name), name, description }
    };
    variables.iter().filter(open).map(question).collect()
}

struct Work<'a> {
    names: Names<'a>,
    sources: &'a mut Sources,
    given: Given,
    /// Why files cannot be read.
    broken: Diagnostics,
}

impl Work<'_> {
    fn flag(&mut self, name: &str, text: String) {
        if self.names.declared(name) {
            return self.text(name, text, "--var", Some("--var"));
        }
        let problem = format!("--var sets `{name}`, which is not declared");
        let finding = Diagnostic::error("unknown_variable", problem);
        self.given.mistakes.push(finding.help(self.declare(name)));
    }

    /// `quoted`: what messages call the text, with the variable's name; without it, the origin.
    fn text(&mut self, name: &str, text: String, origin: &str, quoted: Option<&str>) {
        let label = quoted.map_or_else(|| origin.to_owned(), |quoted| format!("{quoted} {name}"));
        let shown = if self.names.is_secret(name) { hide::all(&text) } else { text.clone() };
        let end = u32::try_from(text.len()).unwrap_or(u32::MAX);
        let file = self.sources.add(label, shown);
        let span = Some(Span { file, start: 0, end });
        let input = VariableInput::Text { text, origin: origin.to_owned(), span };
        self.given.values.insert(name.to_owned(), input);
    }

    fn declare(&self, name: &str) -> String {
        match nearest(name, self.names.all()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("declare it: [variable.{name}]"),
        }
    }

    fn file(&mut self, file: SourceFile) {
        let mut findings = Diagnostics::default();
        let texts = source::read(vec![file], self.sources.len(), &mut findings);
        for SourceText { file, name, text } in texts {
            if findings.has_errors() {
                // What is not text, or too much of it, is quoted nowhere.
                self.sources.add(name, hide::all(&text));
                continue;
            }
            let read =
                if is_json(&name, &text) { json::read(file, &text) } else { toml(file, &text) };
            match read {
                Ok((entries, mistakes)) => {
                    self.sources.add(name.clone(), self.names.masked(&text, &entries));
                    self.given.mistakes.extend(mistakes);
                    entries.into_iter().for_each(|written| self.written(&name, written));
                }
                Err(found) => {
                    self.sources.add(name, self.names.masked_unread(&text));
                    findings.extend(found);
                }
            }
        }
        self.broken.extend(findings);
    }

    fn written(&mut self, file: &str, written: Written) {
        let Written { name, at, value, places } = written;
        if self.names.declared(&name) {
            let places = Arc::new(places);
            let input = VariableInput::Value { value, places };
            self.given.values.insert(name.to_string(), input);
            return;
        }
        let problem = format!("{file} sets `{name}`, which is not declared");
        let finding = Diagnostic::warning("unknown_variable", problem).at(at, "not declared");
        self.given.mistakes.push(finding.help(self.declare(&name)));
    }
}

/// One value of a file.
pub struct Written {
    pub name: Arc<str>,
    /// The name.
    pub at: Span,
    pub value: Value,
    pub places: Places,
}

/// The values of a file and what is wrong with some of them; `Err`: it cannot be read.
type Read = Result<(Vec<Written>, Diagnostics), Diagnostics>;

/// TOML never starts with a brace; a pipe has no name to go by.
fn is_json(name: &str, text: &str) -> bool {
    let toml = name.ends_with(".toml");
    name.ends_with(".json") || (!toml && text.trim_start().starts_with('{'))
}

fn toml(file: FileId, text: &str) -> Read {
    let values = parse::values(file, text)?;
    let written = |entry: Entry| {
        let (value, places) = (places::plain(&entry.value), Places::of(&entry.value));
        Written { name: entry.key.text, at: entry.key.span, value, places }
    };
    let valid = |entry: &Entry| !matches!(entry.value.value, Literal::Invalid);
    Ok((values.entries.into_iter().filter(valid).map(written).collect(), values.mistakes))
}
