//! The functions of expressions: a table with one row each, with Terraform's names, order of
//! arguments and results.
//!
//! In: values of the arguments. Out: a value, or what is wrong with which argument. A new function
//! is a row in the table of its group and a few cases in `tests`; its documentation is made from
//! the row. What needs more than its arguments stands in `special`. Here is decided for all of
//! them what becomes of secrets and of values that are not known yet.

mod args;
mod collection;
mod common;
mod convert;
mod csv;
mod encode;
mod format;
mod ip;
mod json;
mod map;
mod number;
mod pattern;
mod reference;
mod set;
mod special;
#[cfg(test)]
mod tests;
mod text;
mod yaml;

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use super::{Fault, Stop};
use crate::diag::nearest;
use crate::value::Value;

pub use args::{Args, Misuse};
pub use reference::reference;

/// No function builds a longer text, in bytes: a slip of the pen must not take all memory.
pub const MAX_TEXT: usize = 64 << 20;
/// No function builds a longer list.
pub const MAX_ITEMS: usize = 10_000_000;

/// What a function comes to.
pub type Outcome = Result<Value, Misuse>;

/// What a function is about; the reference has a table for each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Group {
    Number,
    Text,
    Collection,
    Set,
    Encoding,
    Network,
    Type,
    Outside,
}

/// How far a function looks into its arguments.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Depth {
    /// At the list or map, not at its elements: these may be not known yet, and keep their own
    /// marks. Costs no walk over them.
    Shallow,
    /// At everything: all must be known, and a secret anywhere makes the result a secret.
    Whole,
    /// At the mark of a secret itself.
    Marks,
}

/// How many arguments a function takes; `max` is `None` where there may be any number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Arity {
    pub min: usize,
    pub max: Option<usize>,
}

/// One function.
pub struct Function {
    pub name: &'static str,
    pub group: Group,
    /// Names of the arguments, as documentation shows them: `[x]` may be left out, `x...` stands
    /// for any number of them. The arity is read from it.
    pub parameters: &'static str,
    pub arguments: Arity,
    /// One sentence of the reference.
    pub summary: &'static str,
    /// An expression and what it comes to; a test evaluates both.
    pub example: (&'static str, &'static str),
    pub depth: Depth,
    /// `None`: it needs more than its arguments, and `expr::special` runs it.
    run: Option<fn(Args<'_>) -> Outcome>,
}

impl Function {
    /// A row of a table. Looks at everything, until [`Function::shallow`] says otherwise.
    const fn new(
        group: Group,
        (name, parameters): (&'static str, &'static str),
        run: fn(Args<'_>) -> Outcome,
    ) -> Self {
        let arguments = arity(parameters);
        let run = Some(run);
        let (summary, example, depth) = ("", ("", ""), Depth::Whole);
        Self { name, group, parameters, arguments, summary, example, depth, run }
    }
    const fn says(mut self, summary: &'static str) -> Self {
        self.summary = summary;
        self
    }
    const fn example(mut self, expression: &'static str, result: &'static str) -> Self {
        self.example = (expression, result);
        self
    }
    const fn depth(mut self, depth: Depth) -> Self {
        self.depth = depth;
        self
    }
    const fn shallow(self) -> Self {
        self.depth(Depth::Shallow)
    }

    /// `lookup(map, key, [default])`.
    pub fn signature(&self) -> String {
        format!("{}({})", self.name, self.parameters)
    }

    /// Runs it. A secret among the arguments makes the result secret, and what is wrong with one
    /// is said without quoting it.
    ///
    /// # Errors
    /// [`Misuse`]: what is wrong with which argument.
    pub fn run(&'static self, given: &[Value]) -> Outcome {
        let secret = match self.depth {
            Depth::Marks => false,
            Depth::Shallow => given.iter().any(|value| matches!(value, Value::Sensitive(_))),
            Depth::Whole => {
                for (at, value) in given.iter().enumerate() {
                    super::known::known(value).map_err(|stop| Misuse::of(at, stop))?;
                }
                given.iter().any(Value::is_sensitive)
            }
        };
        if !secret {
            return self.compute(given).map_err(|misuse| misuse.help_from(self));
        }
        let reveal = match self.depth {
            Depth::Whole => revealed,
            Depth::Shallow | Depth::Marks => |value: &Value| value.reveal().clone(),
        };
        let plain: Vec<Value> = given.iter().map(reveal).collect();
        match self.compute(&plain) {
            Ok(value) => Ok(value.sensitive()),
            Err(misuse) => Err(misuse.quoting_nothing(self)),
        }
    }

    fn compute(&'static self, given: &[Value]) -> Outcome {
        let args = Args::new(self, given);
        let Some(run) = self.run else { return Err(Misuse { argument: None, stop: Stop::Silent }) };
        let value = run(args)?;
        match &value {
            Value::Str(text) if text.len() > MAX_TEXT => Err(args.too_long()),
            _ => Ok(value),
        }
    }
}

/// The number of arguments that the names of parameters allow.
const fn arity(parameters: &str) -> Arity {
    let names = parameters.as_bytes();
    let (mut min, mut all, mut any, mut at) = (0, 0, false, 0);
    let mut starts = true;
    while at < names.len() {
        match names[at] {
            b' ' => {}
            b',' => starts = true,
            b'.' => any = true,
            letter if starts => {
                starts = false;
                all += 1;
                if letter != b'[' {
                    min += 1;
                }
            }
            _ => {}
        }
        at += 1;
    }
    // The name with dots stands for none, too.
    Arity { min: if any { min - 1 } else { min }, max: if any { None } else { Some(all) } }
}

/// A value without any marks.
pub fn revealed(value: &Value) -> Value {
    match value.reveal() {
        Value::List(items) if items.iter().any(Value::is_sensitive) => {
            Value::list(items.iter().map(revealed).collect())
        }
        Value::Map(items) if items.values().any(Value::is_sensitive) => {
            Value::Map(Arc::new(items.iter().map(|(k, v)| (k.clone(), revealed(v))).collect()))
        }
        other => other.clone(),
    }
}

static TABLES: [&[Function]; 13] = [
    number::TABLE,
    text::TABLE,
    format::TABLE,
    pattern::TABLE,
    collection::TABLE,
    map::TABLE,
    set::TABLE,
    encode::TABLE,
    csv::TABLE,
    yaml::TABLE,
    ip::TABLE,
    convert::TABLE,
    special::TABLE,
];

static BY_NAME: LazyLock<BTreeMap<&'static str, &'static Function>> =
    LazyLock::new(|| TABLES.iter().copied().flatten().map(|f| (f.name, f)).collect());

/// All functions in the order of their names.
pub fn all() -> impl Iterator<Item = &'static Function> {
    BY_NAME.values().copied()
}

/// Functions that Terraform has and that are left out on purpose.
const ABSENT: [(&str, &str); 11] = [
    ("abspath", "it would differ from machine to machine; use `path.module`"),
    ("bcrypt", "it differs at every call, so that no plan would ever be empty"),
    ("list", "write `[a, b]`; `tolist` makes a list of something else"),
    ("map", "write `{ key = value }`; `tomap` makes a map of something else"),
    ("md5", "MD5 is broken; use `sha256`"),
    ("pathexpand", "it would differ from user to user"),
    ("plantimestamp", "it differs at every run, so that no plan would ever be empty"),
    ("rsadecrypt", "a key would have to stand in the configuration; use `env` or a variable"),
    ("sha1", "SHA-1 is broken; use `sha256`"),
    ("timestamp", "it differs at every run, so that no plan would ever be empty"),
    ("uuid", "it differs at every run, so that no plan would ever be empty"),
];

/// The function of this name, for this many arguments.
///
/// # Errors
/// An unknown name, with the nearest; or a wrong number of arguments.
pub fn find(name: &str, given: usize) -> Result<&'static Function, Fault> {
    let Some(function) = BY_NAME.get(name) else { return Err(unknown(name)) };
    let Arity { min, max } = function.arguments;
    if given >= min && max.is_none_or(|max| given <= max) {
        return Ok(function);
    }
    let plural = |count: usize| if count == 1 { "" } else { "s" };
    let wanted = match max {
        None => format!("at least {min} argument{}", plural(min)),
        Some(max) if max == min => format!("{min} argument{}", plural(min)),
        Some(max) if max == min + 1 => format!("{min} or {max} arguments"),
        Some(max) => format!("{min} to {max} arguments"),
    };
    let problem = format!("`{name}` takes {wanted}, not {given}");
    let fault = Fault::new("bad_argument", problem).label(format!("{given} given"));
    Err(fault.help(function.signature()))
}

fn unknown(name: &str) -> Fault {
    let fault = Fault::new("unknown_function", format!("there is no function `{name}`"));
    if let Some((_, reason)) = ABSENT.iter().find(|(absent, _)| *absent == name) {
        return fault.label("left out on purpose").help(*reason);
    }
    match nearest(name, BY_NAME.keys().copied()) {
        Some(near) => fault.help(format!("did you mean `{near}`?")),
        None => fault.help("schemas/FUNCTIONS.md lists all functions; most are Terraform's"),
    }
}
