//! Templates in TOML strings → values.
//!
//! In: a [`Text`] and a [`Scope`] that knows the names. Out: a [`Value`], or a finding that points
//! at the exact characters. `hcl-edit` has the grammar and the spans; evaluation is our own,
//! because values of ours can be secret or not known yet and a name must cost one look-up. Knows
//! no schema and no TOML.

mod eval;
pub mod function;
mod known;
mod operator;
mod roots;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::Range;
use std::sync::Arc;

use hcl_edit::expr::Expression;
use hcl_edit::template::Template;

pub(in crate::config) use eval::ID;
pub use known::unset;
pub use roots::data_tables;

use super::Need;
use super::syntax::Text;
use crate::diag::{Diagnostic, FileId, Span};
use crate::value::Value;

/// The names that an expression may use.
pub trait Scope {
    /// The value of `var.NAME`.
    ///
    /// # Errors
    /// [`Stop`], without a range: the evaluator knows the place.
    fn variable(&self, name: &str) -> Result<Value, Stop>;
    /// The object `TYPE.LABEL` or `TYPE.LABEL["key"]`.
    ///
    /// # Errors
    /// As above.
    fn object(&self, kind: &str, label: &str, key: Option<&str>) -> Result<Value, Stop>;
    /// What `data.TYPE.LABEL` found: an object, or a list of them; `next` is what is done with it.
    ///
    /// # Errors
    /// As above; also for an attribute that the type does not have, known or not.
    fn data(&self, kind: &str, label: &str, next: &Next<'_>) -> Result<Value, Stop>;
}

/// What follows a reference to looked-up objects.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Next<'t> {
    /// Whether an element is taken, or all of them: `[0]`, `[*]`.
    pub element: bool,
    /// The attribute that is read then.
    pub attribute: Option<&'t str>,
}

/// Why there is no value.
#[derive(Clone, Debug, PartialEq)]
pub enum Stop {
    /// A need is open, the value is not known, or the cause has been reported elsewhere: say
    /// nothing.
    Silent,
    Fault(Box<Fault>),
}

/// What is wrong with an expression.
#[derive(Clone, Debug, PartialEq)]
pub struct Fault {
    pub code: &'static str,
    pub summary: String,
    pub label: String,
    pub help: Option<String>,
    /// In the decoded text.
    pub range: Option<Range<usize>>,
}

impl Fault {
    pub fn new(code: &'static str, summary: impl Into<String>) -> Self {
        let label = "here".to_owned();
        Self { code, summary: summary.into(), label, help: None, range: None }
    }
    #[must_use]
    pub fn label(mut self, text: impl Into<String>) -> Self {
        self.label = text.into();
        self
    }
    #[must_use]
    pub fn help(mut self, text: impl Into<String>) -> Self {
        self.help = Some(text.into());
        self
    }
    /// The finding at a place of the source.
    pub fn into_diagnostic(self, span: Span) -> Diagnostic {
        let mut finding = Diagnostic::error(self.code, self.summary).at(span, self.label);
        finding.help = self.help;
        finding
    }
    /// Gives the fault a place, unless it has one already.
    #[must_use]
    pub fn at(mut self, range: Option<Range<usize>>) -> Self {
        self.range = self.range.or(range);
        self
    }
}

impl From<Fault> for Stop {
    fn from(fault: Fault) -> Self {
        Self::Fault(Box::new(fault))
    }
}

impl Stop {
    fn at(self, range: Option<Range<usize>>) -> Self {
        match self {
            Self::Silent => Self::Silent,
            Self::Fault(fault) => fault.at(range).into(),
        }
    }

    /// The finding, placed in the source; nothing when there is nothing to say.
    pub fn into_diagnostic(self, text: &Text, file: FileId) -> Option<Diagnostic> {
        let Self::Fault(fault) = self else { return None };
        let range = fault.range.clone().unwrap_or(0..text.text.len());
        Some(fault.into_diagnostic(text.locate(file, range.start, range.end)))
    }
}

/// What an expression came to.
#[derive(Clone, Debug, PartialEq)]
pub struct Evaluated {
    pub value: Value,
    /// An environment variable that the value depends on and that is not set.
    pub unset: Option<Arc<str>>,
}

/// Evaluates templates; parses each distinct text once.
pub struct Evaluator<'a> {
    env: &'a BTreeMap<String, Option<String>>,
    parsed: HashMap<Arc<str>, Result<Arc<Template>, Stop>>,
    /// What must be known before the next try.
    pub needs: BTreeSet<Need>,
    /// What is not set has no value, and nothing is said about it; otherwise it is null.
    pub unset_is_unknown: bool,
    unset: Option<Arc<str>>,
}

impl<'a> Evaluator<'a> {
    /// `env` holds the environment variables asked for so far.
    pub fn new(env: &'a BTreeMap<String, Option<String>>) -> Self {
        let (parsed, needs) = (HashMap::new(), BTreeSet::new());
        Self { env, parsed, needs, unset_is_unknown: false, unset: None }
    }

    /// The value of a template. One that is a single interpolation keeps its type.
    ///
    /// # Errors
    /// [`Stop`] with a range in the decoded text.
    pub fn template(&mut self, text: &Arc<str>, scope: &dyn Scope) -> Result<Evaluated, Stop> {
        let template = match self.parsed.get(text) {
            Some(known) => known.clone()?,
            None => {
                let parsed = parse(text);
                self.parsed.insert(text.clone(), parsed.clone());
                parsed?
            }
        };
        self.unset = None;
        let value = self.eval_template(&template, scope)?;
        Ok(Evaluated { value, unset: self.unset.take() })
    }

    /// The value of a bare expression, as given to `--var` for a list or map.
    ///
    /// # Errors
    /// [`Stop`] with a range in the text.
    pub fn expression(&mut self, text: &str, scope: &dyn Scope) -> Result<Evaluated, Stop> {
        let text = text.trim();
        let expression: Expression = text.parse().map_err(|e| syntax(text, &e))?;
        self.unset = None;
        let value = self.eval(&expression, scope)?;
        Ok(Evaluated { value, unset: self.unset.take() })
    }
}

fn parse(text: &str) -> Result<Arc<Template>, Stop> {
    text.parse::<Template>().map(Arc::new).map_err(|e| syntax(text, &e))
}

fn syntax(text: &str, error: &hcl_edit::parser::Error) -> Stop {
    // The library counts bytes and stops at the last one: the whole character is meant.
    let at = error.location().offset();
    let start = (0..=at).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
    let end = text[start..].chars().next().map_or(start, |c| start + c.len_utf8());
    Fault::new("bad_expression", format!("this expression cannot be read: {}", error.message()))
        .help("expressions stand in `${…}`; a literal `${` is written `$${`")
        .at(Some(start..end))
        .into()
}
