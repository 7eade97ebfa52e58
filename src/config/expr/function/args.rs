//! The arguments of one call, as the kinds that a function wants.
//!
//! In: values without marks. Out: texts, numbers, lists, maps, converted as Terraform does (a
//! number is a text where a text is wanted, decimal text is a number); or a [`Misuse`] that names
//! the argument.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use super::super::{known, operator};
use super::{Fault, Function, MAX_ITEMS, MAX_TEXT, Stop};
use crate::value::Value;

/// Why a call has no result.
#[derive(Clone, Debug, PartialEq)]
pub struct Misuse {
    /// The argument at fault, from 0; `None`: the call as a whole.
    pub argument: Option<usize>,
    pub stop: Stop,
}

impl Misuse {
    pub(super) fn of(argument: usize, stop: Stop) -> Self {
        Self { argument: Some(argument), stop }
    }

    /// Adds the signature where there is no better advice.
    pub(super) fn help_from(mut self, function: &Function) -> Self {
        if let Stop::Fault(fault) = &mut self.stop {
            fault.help.get_or_insert_with(|| function.signature());
        }
        self
    }

    /// The same for a call with secrets: their text could stand in the sentence.
    pub(super) fn quoting_nothing(self, function: &Function) -> Self {
        // That something is not known yet names an address and quotes no value.
        if self.stop == Stop::Silent || self.stop.is_not_yet_known() {
            return self;
        }
        let problem = format!("`{}` has no result for these arguments", function.name);
        let label = "the reason is not shown: a secret is among the arguments";
        let fault = Fault::new("bad_argument", problem).label(label).help(function.signature());
        Self { argument: self.argument, stop: fault.into() }
    }
}

/// The arguments of a call.
#[derive(Clone, Copy)]
pub struct Args<'a> {
    function: &'static Function,
    given: &'a [Value],
}

impl<'a> Args<'a> {
    pub(super) fn new(function: &'static Function, given: &'a [Value]) -> Self {
        Self { function, given }
    }

    pub fn all(&self) -> &'a [Value] {
        self.given
    }
    /// An argument, as it is; null when it is not given.
    pub fn value(&self, at: usize) -> &'a Value {
        static ABSENT: Value = Value::Null;
        self.given.get(at).unwrap_or(&ABSENT)
    }

    /// Text; also numbers and booleans, written out.
    pub fn text(&self, at: usize) -> Result<Cow<'a, str>, Misuse> {
        match self.value(at) {
            Value::Str(text) => Ok(Cow::Borrowed(text)),
            other => match plain_text(other) {
                Some(text) => Ok(Cow::Owned(text)),
                None => Err(self.kind(at, "text")),
            },
        }
    }

    /// A number; also decimal text.
    pub fn number(&self, at: usize) -> Result<Value, Misuse> {
        operator::number(self.value(at)).ok_or_else(|| self.kind(at, "a number"))
    }
    pub fn float(&self, at: usize) -> Result<f64, Misuse> {
        self.number(at).map(|n| operator::float(&n))
    }
    /// A whole number.
    pub fn int(&self, at: usize) -> Result<i64, Misuse> {
        match self.number(at)? {
            Value::Int(n) => Ok(n),
            other => Err(self.wrong(at, format!("{other} is not a whole number"))),
        }
    }
    /// A whole number from 0.
    pub fn count(&self, at: usize) -> Result<usize, Misuse> {
        let n = self.int(at)?;
        usize::try_from(n).map_err(|_| self.wrong(at, format!("{n} is negative")))
    }

    pub fn list(&self, at: usize) -> Result<&'a Arc<Vec<Value>>, Misuse> {
        match self.value(at) {
            Value::List(items) => Ok(items),
            _ => Err(self.kind(at, "a list")),
        }
    }
    pub fn map(&self, at: usize) -> Result<&'a Arc<BTreeMap<Arc<str>, Value>>, Misuse> {
        match self.value(at) {
            Value::Map(items) => Ok(items),
            _ => Err(self.kind(at, "a map")),
        }
    }
    /// A list of which each element is text (numbers are written out).
    pub fn texts(&self, at: usize) -> Result<Vec<Arc<str>>, Misuse> {
        self.list(at)?
            .iter()
            .map(|item| match item {
                Value::Str(text) => Ok(text.clone()),
                other => plain_text(other).map(Arc::from).ok_or_else(|| {
                    let found = other.kind_name();
                    self.wrong(at, format!("{found} among the elements, where text is needed"))
                }),
            })
            .collect()
    }

    /// An argument of the wrong kind; or one that is not known yet.
    pub fn kind(&self, at: usize, wanted: &str) -> Misuse {
        let value = self.value(at);
        if let Err(stop) = known::known(value) {
            return Misuse::of(at, stop);
        }
        let problem = format!("`{}` needs {wanted} here", self.function.name);
        let label = format!("this is {}", value.kind_name());
        Misuse::of(at, Fault::new("bad_argument", problem).label(label).into())
    }

    /// An argument of the right kind that does not serve.
    pub fn wrong(&self, at: usize, label: impl Into<String>) -> Misuse {
        let problem = format!("`{}` cannot use this argument", self.function.name);
        Misuse::of(at, Fault::new("bad_argument", problem).label(label).into())
    }

    /// A call of which no single argument is at fault.
    pub fn impossible(&self, label: impl Into<String>) -> Misuse {
        let problem = format!("`{}` has no result for these arguments", self.function.name);
        let stop = Fault::new("bad_argument", problem).label(label).into();
        Misuse { argument: None, stop }
    }

    /// Adds advice to what is wrong.
    pub fn advice(mut misuse: Misuse, help: impl Into<String>) -> Misuse {
        if let Stop::Fault(fault) = &mut misuse.stop {
            fault.help = Some(help.into());
        }
        misuse
    }

    pub fn too_long(&self) -> Misuse {
        self.impossible(format!("the text would be longer than {} MiB", MAX_TEXT >> 20))
    }
    pub fn too_many(&self) -> Misuse {
        self.impossible(format!("the list would have more than {MAX_ITEMS} elements"))
    }
}

/// Numbers, booleans and texts as text.
pub fn plain_text(value: &Value) -> Option<String> {
    match value {
        Value::Str(_) | Value::Int(_) | Value::Float(_) | Value::Bool(_) => known::text(value).ok(),
        _ => None,
    }
}
