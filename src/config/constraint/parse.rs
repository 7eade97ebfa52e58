//! The text of a constraint → [`Type`].
//!
//! In: what stands in `type = "…"`. Out: the type, or every mistake in it with its range.
//! `hcl-edit` has the grammar: a constraint is written like an expression.

use std::collections::BTreeMap;
use std::ops::Range;

use hcl_edit::Span as _;
use hcl_edit::expr::{Expression, FuncCall, Object};

use super::literal::{key_text, literal};
use super::{Attribute, Kind, Type, path};
use crate::config::expr::Fault;
use crate::diag::nearest;
use crate::value::Value;

/// Names of types, and of what makes types.
const NAMES: [&str; 9] =
    ["any", "bool", "list", "map", "number", "object", "set", "string", "tuple"];
/// What other languages call them.
const FOREIGN: [(&str, &str); 16] = [
    ("array", "list"),
    ("boolean", "bool"),
    ("dict", "map"),
    ("dictionary", "map"),
    ("double", "number"),
    ("dynamic", "any"),
    ("float", "number"),
    ("int", "number"),
    ("integer", "number"),
    ("record", "object"),
    ("str", "string"),
    ("struct", "object"),
    ("table", "map"),
    ("text", "string"),
    ("vec", "list"),
    ("vector", "list"),
];
const HELP: &str = "types are string, number, bool, any, list(T), set(T), map(T), \
                    object({name = T, other = optional(T, default)}) and tuple([T, T])";
/// Code of mistakes in types.
const CODE: &str = "bad_type";

impl Type {
    /// Reads a constraint.
    ///
    /// # Errors
    /// Every mistake, with its range in the text.
    pub fn parse(text: &str) -> Result<Self, Vec<Fault>> {
        let trimmed = text.trim_start();
        let offset = text.len() - trimmed.len();
        let trimmed = trimmed.trim_end();
        let mut reader =
            Reader { offset, whole: offset..offset + trimmed.len(), faults: Vec::new() };
        let ty = match trimmed.parse::<Expression>() {
            Ok(expression) => reader.ty(&expression),
            Err(error) => {
                let at = (0..=error.location().offset().min(trimmed.len()))
                    .rev()
                    .find(|at| trimmed.is_char_boundary(*at))
                    .unwrap_or(0);
                let end = trimmed[at..].chars().next().map_or(at, |c| at + c.len_utf8());
                let problem = format!("this type cannot be read: {}", error.message());
                reader.wrong(problem, Some(at..end), HELP);
                None
            }
        };
        match ty {
            Some(ty) if reader.faults.is_empty() => Ok(ty),
            _ => Err(reader.faults),
        }
    }
}

struct Reader {
    /// Where the expression starts in the text.
    offset: usize,
    /// The place of what has none.
    whole: Range<usize>,
    faults: Vec<Fault>,
}

impl Reader {
    fn place(&self, range: Option<Range<usize>>) -> Range<usize> {
        range.map_or(self.whole.clone(), |r| r.start + self.offset..r.end + self.offset)
    }

    fn wrong(&mut self, problem: impl Into<String>, range: Option<Range<usize>>, help: &str) {
        let place = self.place(range);
        self.faults.push(Fault::new(CODE, problem).help(help).at(Some(place)));
    }

    /// The type; `None` with a mistake on record.
    fn ty(&mut self, node: &Expression) -> Option<Type> {
        let mut place = node.span();
        let kind = match node {
            Expression::Variable(name) => self.named(name.as_str(), node.span())?,
            Expression::FuncCall(call) => {
                // The word alone: what is in parentheses may go over many lines.
                place = call.name.name.span().or(place);
                self.made(call, node.span())?
            }
            Expression::Parenthesis(inner) => return self.ty(inner.inner()),
            _ => {
                self.wrong("this is not a type", node.span(), HELP);
                return None;
            }
        };
        Some(Type { kind, range: self.place(place) })
    }

    fn named(&mut self, name: &str, at: Option<Range<usize>>) -> Option<Kind> {
        let any = || Box::new(Type { kind: Kind::Any, range: self.place(at.clone()) });
        Some(match name {
            "any" => Kind::Any,
            "string" => Kind::String,
            "number" => Kind::Number,
            "bool" => Kind::Bool,
            "list" => Kind::List(any()),
            "set" => Kind::Set(any()),
            "map" => Kind::Map(any()),
            "object" => {
                let help = "write object({name = T, other = optional(T, default)})";
                self.wrong("`object` needs its attributes", at, help);
                return None;
            }
            "tuple" => {
                self.wrong("`tuple` needs its elements", at, "write tuple([T, T])");
                return None;
            }
            _ => {
                self.unknown(name, at);
                return None;
            }
        })
    }

    fn unknown(&mut self, name: &str, at: Option<Range<usize>>) {
        let foreign = FOREIGN.iter().find(|(other, _)| *other == name).map(|(_, ours)| *ours);
        let help = match foreign.or_else(|| nearest(name, NAMES)) {
            Some(near) => format!("did you mean `{near}`?"),
            None => HELP.to_owned(),
        };
        self.wrong(format!("there is no type `{name}`"), at, &help);
    }

    fn made(&mut self, call: &FuncCall, at: Option<Range<usize>>) -> Option<Kind> {
        let name = call.name.name.as_str();
        let given = call.args.len();
        let only = call.args.get(0).filter(|_| given == 1);
        match name {
            "list" | "set" | "map" => {
                let Some(of) = only else {
                    self.count(name, "the type of its elements", at);
                    return None;
                };
                let of = Box::new(self.ty(of)?);
                Some(match name {
                    "list" => Kind::List(of),
                    "set" => Kind::Set(of),
                    _ => Kind::Map(of),
                })
            }
            "object" => match only {
                Some(Expression::Object(attributes)) => self.object(attributes),
                _ => {
                    self.count(name, "its attributes in braces: object({name = T})", at);
                    None
                }
            },
            "tuple" => match only {
                Some(Expression::Array(types)) => {
                    // All are read before one mistake drops the tuple: all are reported.
                    let types: Vec<_> = types.iter().map(|ty| self.ty(ty)).collect();
                    types.into_iter().collect::<Option<_>>().map(Kind::Tuple)
                }
                _ => {
                    self.count(name, "its elements in brackets: tuple([T, T])", at);
                    None
                }
            },
            "optional" => {
                let help = "only attributes can be absent: object({name = optional(T)})";
                self.wrong("`optional` stands only in an object", at, help);
                None
            }
            "string" | "number" | "bool" | "any" => {
                self.wrong(format!("`{name}` takes nothing in parentheses"), at, HELP);
                None
            }
            _ => {
                self.unknown(name, call.name.name.span().or(at));
                None
            }
        }
    }

    fn count(&mut self, name: &str, what: &str, at: Option<Range<usize>>) {
        self.wrong(format!("`{name}` takes one thing in parentheses: {what}"), at, HELP);
    }

    fn object(&mut self, attributes: &Object) -> Option<Kind> {
        let mut all = BTreeMap::new();
        let mut complete = true;
        for (key, value) in attributes.iter() {
            let attribute = match key_text(key) {
                Ok(name) => {
                    self.attribute(&name, value.expr()).map(|(ty, default)| (name, ty, default))
                }
                Err(_) => {
                    self.wrong("an attribute has a plain name", key.span(), HELP);
                    None
                }
            };
            let Some((name, ty, default)) = attribute else {
                complete = false;
                continue;
            };
            let (optional, default) = (default.is_some(), default.unwrap_or_default());
            let range = self.place(key.span());
            all.insert(name, Attribute { ty, optional, default, range });
        }
        complete.then_some(Kind::Object(all))
    }

    /// The type of an attribute and, of an optional one, its default.
    fn attribute(&mut self, name: &str, node: &Expression) -> Option<(Type, Option<Value>)> {
        let Expression::FuncCall(call) = node else { return Some((self.ty(node)?, None)) };
        if call.name.name.as_str() != "optional" {
            return Some((self.ty(node)?, None));
        }
        let (Some(ty), 1..=2) = (call.args.get(0), call.args.len()) else {
            let help = "write optional(T) or optional(T, default)";
            self.wrong("`optional` takes a type and perhaps a default", node.span(), help);
            return None;
        };
        let ty = self.ty(ty)?;
        let Some(default) = call.args.get(1) else { return Some((ty, Some(Value::Null))) };
        let value = match literal(default) {
            Ok(value) => value,
            Err(fault) => {
                let place = self.place(fault.range.clone());
                self.faults.push(Fault { code: CODE, range: Some(place), ..fault });
                return None;
            }
        };
        match ty.convert(&value, false) {
            Ok(converted) => Some((ty, Some(converted.value))),
            Err(mismatches) => {
                for mismatch in mismatches {
                    let what = path(name, &mismatch.steps, false);
                    let problem = format!("the default of {what} {}", mismatch.problem);
                    let help = mismatch.help.as_deref().unwrap_or("change it, or the type");
                    self.wrong(problem, default.span(), help);
                }
                None
            }
        }
    }
}
