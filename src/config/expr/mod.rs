//! Templates in TOML strings → values.
//!
//! In: a parsed template and a [`Scope`] that knows the names. Out: a [`Value`], or a finding that
//! points at the exact characters. `hcl-edit` has the grammar and the spans; evaluation is our own,
//! because values of ours can be secret or not known yet and a name must cost one look-up. Knows
//! no schema and no TOML.

mod collect;
mod eval;
mod evaluation;
pub mod function;
mod known;
mod member;
mod operator;
mod parsed;
mod render;
mod roots;
mod special;
#[cfg(test)]
mod tests;
mod traverse;

use std::ops::Range;
use std::sync::Arc;

pub use eval::{DEEPEST, expression, template};
pub use known::unset;
pub(in crate::config) use member::{ID, element, keys as keys_of};
pub(in crate::config) use operator::whole;
pub use parsed::{Parsed, Templates};

use super::Need;
use super::syntax::Text;
use crate::address::Address;
use crate::diag::{Diagnostic, FileId, Span};
use crate::value::Value;

/// What an expression is evaluated in. Values are made when they are asked for: a scope may
/// evaluate other expressions to answer.
pub trait Scope {
    /// The value that a name stands for.
    ///
    /// # Errors
    /// [`Stop`], without a range: the evaluator knows the place.
    fn name(&mut self, name: &Name<'_>) -> Result<Evaluated, Stop>;
    /// An attribute of an object of the configuration; never its id.
    ///
    /// # Errors
    /// As above.
    fn attribute(&mut self, of: &Address, attribute: &str) -> Result<Value, Stop>;
    /// The id of an object, if it is known here.
    fn id(&mut self, of: &Address) -> Option<Arc<str>>;
    /// Something outside the configuration.
    ///
    /// # Errors
    /// [`Stop::Silent`] while it is not known.
    fn outside(&mut self, need: Need) -> Result<Outside, Stop>;
    /// The path of the file that this very text was read from.
    fn file_of(&mut self, text: &Arc<str>) -> Option<String>;
    /// The parsed form of a template; each distinct text is parsed once.
    ///
    /// # Errors
    /// It cannot be parsed.
    fn parsed(&mut self, text: &Arc<str>) -> Result<Arc<Parsed>, Stop>;
    /// How deep evaluations are nested now. A scope that evaluates something else to answer adds
    /// [`CROSSING`] meanwhile.
    fn depth(&mut self) -> &mut u32;
}

/// A reference, with as much of what follows as its meaning depends on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Name<'t> {
    /// `var.NAME`
    Variable(&'t str),
    /// `local.NAME`
    Local(&'t str),
    /// `each.key`, `each.value`
    Each(&'t str),
    /// `count.index`
    Count(&'t str),
    /// `path.module`, `path.root`
    Path(&'t str),
    /// `self`
    This,
    /// `TYPE.LABEL`, and then.
    Object { kind: &'t str, label: &'t str, pick: Pick<'t> },
    /// `data.TYPE.LABEL`: an object, or a list or map of them.
    Data { kind: &'t str, label: &'t str, next: Next<'t> },
    /// `module.NAME`, and then; `output` is what follows that.
    Module { name: &'t str, pick: Pick<'t>, output: Option<&'t str> },
}

/// What it adds to the depth that one value asks for another.
pub const CROSSING: u32 = 3;

/// Which instances of a block are meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pick<'t> {
    /// `["key"]`
    Key(&'t str),
    /// `[*]`: as a list, in the order of the keys.
    Every,
    /// Nothing follows that says so: the only one, or all by key. With what follows.
    Whole(Option<&'t str>),
}

/// What follows a reference to looked-up objects.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Next<'t> {
    /// Whether an element is taken, or all of them: `[0]`, `[*]`.
    pub element: bool,
    /// Whether it is all of them.
    pub splat: bool,
    /// The attribute that is read then.
    pub attribute: Option<&'t str>,
}

/// An answer from outside.
#[derive(Clone, PartialEq)]
pub enum Outside {
    /// Not set, or not there.
    Nothing,
    Text(Arc<str>),
    Names(Arc<Vec<Value>>),
    /// It is there and cannot be read; why.
    Failed(Arc<str>),
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

    /// Whether an apply makes it known.
    pub fn is_not_yet_known(&self) -> bool {
        matches!(self, Self::Fault(fault) if fault.code == "not_yet_known")
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

impl From<Value> for Evaluated {
    fn from(value: Value) -> Self {
        Self { value, unset: None }
    }
}
