//! `[variable.NAME]`: declarations and given values → the values of `var.NAME`.
//!
//! In: blocks, and texts from the command line and the environment. Out: values of the declared
//! type, secret ones marked. Knows where a value came from only as words for messages.

use std::sync::Arc;

use hcl_edit::expr::Expression;

use super::Work;
use super::attr::Tree;
use super::module::{ModuleIx, Values};
use super::provider::LITERAL_SECRET;
use crate::config::VariableInput;
use crate::config::expr::{self, unset};
use crate::config::syntax::{Block, Entry, Literal};
use crate::diag::{Diagnostic, nearest};
use crate::value::Value;

const KEYS: [&str; 5] = ["type", "default", "sensitive", "nullable", "description"];
const LATER: [&str; 2] = ["command", "validation"];

/// A type constraint.
#[derive(Clone, Debug, PartialEq)]
enum Type {
    /// `any`, or no `type` at all.
    Any,
    String,
    Number,
    Bool,
    List(Box<Type>),
    Set(Box<Type>),
    Map(Box<Type>),
}

/// Where the value of a variable comes from.
pub(super) enum Given<'g> {
    /// From its default.
    Nothing,
    /// From outside the configuration.
    Input(&'g VariableInput),
    /// From the call of its module.
    Tree(Tree),
}

impl Work<'_> {
    /// Evaluates every variable of a module, so that what is wrong with one is said.
    pub(super) fn variables(&mut self, of: ModuleIx) {
        let written = self.module(of).written;
        for block in &written.variables {
            let _ = self.value(of, Values::Variable, &block.label.text);
        }
    }

    /// Values from outside for variables that do not exist.
    pub(super) fn undeclared_variables(&mut self) {
        let (facts, blocks) = (self.facts, &self.config.root.variables);
        for (name, input) in &facts.variables {
            if !blocks.iter().any(|b| *b.label.text == **name) {
                self.undeclared(name, input, blocks);
            }
        }
    }

    fn undeclared(&mut self, name: &str, input: &VariableInput, blocks: &[Block]) {
        let problem = format!("{} sets `{name}`, which is not declared", input.origin);
        let finding = Diagnostic::error("unknown_variable", problem);
        self.findings.push(match nearest(name, blocks.iter().map(|b| &*b.label.text)) {
            Some(near) => finding.help(format!("did you mean `{near}`?")),
            None => finding.help(format!("declare it: [variable.{name}]")),
        });
    }

    pub(super) fn variable(&mut self, block: &Block, given: Given<'_>) -> Option<Value> {
        for entry in &block.entries {
            let key = &*entry.key.text;
            if LATER.contains(&key) {
                let what = format!("`{key}` of a variable");
                self.findings.push(crate::config::parse::not_supported_yet(&what, entry.key.span));
            } else if !KEYS.contains(&key) {
                self.unknown_attribute("a variable", &entry.key, KEYS);
            }
        }
        let secret = self.flag(block, "sensitive")?.unwrap_or(false);
        let nullable = self.flag(block, "nullable")?.unwrap_or(true);
        let (ty, bare) = match block.get("type") {
            Some(entry) => (self.constraint(entry)?, false),
            None => (Type::Any, true),
        };
        let value = match given {
            // Without a `type` a given value is text, as in Terraform.
            Given::Input(input) if bare => Value::str(&input.text),
            Given::Input(input) => self.given(block, input, &ty, secret)?,
            Given::Tree(tree) => self.input(block, tree, &ty)?,
            Given::Nothing => self.default(block, &ty, secret)?,
        };
        if value.is_null() && !nullable {
            let name = &block.label.text;
            let problem = format!("the variable `{name}` must not be null");
            self.findings
                .push(Diagnostic::error("missing_variable", problem).at(block.declared, "here"));
            return None;
        }
        Some(if secret { value.sensitive() } else { value })
    }

    fn flag(&mut self, block: &Block, key: &str) -> Option<Option<bool>> {
        match block.get(key).map(|e| &e.value) {
            None => Some(None),
            Some(node) => match node.value {
                Literal::Bool(b) => Some(Some(b)),
                _ => {
                    let problem = format!("`{key}` must be true or false");
                    self.findings
                        .push(Diagnostic::error("wrong_kind", problem).at(node.span, "here"));
                    None
                }
            },
        }
    }

    fn default(&mut self, block: &Block, ty: &Type, secret: bool) -> Option<Value> {
        let name = &block.label.text;
        let Some(entry) = block.get("default") else {
            if !(self.judging && self.current().caller.is_none()) {
                self.missing_variable(block);
            }
            return None;
        };
        let tree = self.tree(&entry.value, None)?;
        if secret && tree.is_written_out() {
            let problem = format!("the default of `{name}` is a secret written into a file");
            let variable = name.to_uppercase();
            self.findings.push(
                Diagnostic::warning(LITERAL_SECRET, problem).at(tree.span, "secret in clear").help(
                    format!("remove it and set RACKFORM_VAR_{name}, or use env(\"{variable}\")"),
                ),
            );
        }
        let (span, variable) = (tree.span, tree.unset.clone());
        let value = tree.into_value();
        if let Some(env) = variable.filter(|_| value.is_null()) {
            let fault = unset(&env).help(format!("export {env}=… or set --var {name}=…"));
            self.findings.push(fault.into_diagnostic(span));
            return None;
        }
        match convert(&value, ty) {
            Ok(value) => Some(value),
            Err(expected) => {
                let problem = format!("the default of `{name}` must be {expected}");
                let label = format!("this is {}", value.kind_name());
                self.findings.push(Diagnostic::error("wrong_kind", problem).at(span, label));
                None
            }
        }
    }

    /// What the caller of a module gives.
    fn input(&mut self, block: &Block, tree: Tree, ty: &Type) -> Option<Value> {
        let (span, value) = (tree.span, tree.into_value());
        match convert(&value, ty) {
            Ok(value) => Some(value),
            Err(expected) => {
                let problem = format!("`{}` must be {expected}", block.label.text);
                let finding = Diagnostic::error("wrong_kind", problem)
                    .at(span, format!("this is {}", value.kind_name()))
                    .at(block.declared, "declared here");
                self.findings.push(finding);
                None
            }
        }
    }

    /// The finding for a variable that has no value.
    fn missing_variable(&mut self, block: &Block) {
        let name = &block.label.text;
        let caller = self.current().caller.as_ref().map(|(_, call, _)| *call);
        self.findings.push(match caller {
            Some(call) => {
                let problem = format!("the module `{}` needs `{name}`", call.label.text);
                Diagnostic::error("missing_variable", problem)
                    .at(call.declared, format!("`{name}` is missing here"))
                    .at(block.declared, "declared here, without a default")
            }
            None => {
                Diagnostic::error("missing_variable", format!("the variable `{name}` has no value"))
                    .at(block.declared, "declared here, without a default")
                    .help(format!("set it with --var {name}=… or RACKFORM_VAR_{name}"))
            }
        });
    }

    fn given(
        &mut self,
        block: &Block,
        input: &VariableInput,
        ty: &Type,
        secret: bool,
    ) -> Option<Value> {
        let name = &block.label.text;
        let value = match ty {
            Type::String | Type::Number | Type::Bool => Ok(Value::str(&input.text)),
            _ => expr::expression(&input.text, self).map(|e| e.value),
        };
        let problem = match value.map(|value| convert(&value, ty)) {
            Ok(Ok(value)) => return Some(value),
            Ok(Err(expected)) => format!("{} must be {expected}", input.origin),
            Err(super::Stop::Silent) => return None,
            // The library's message can quote the input.
            Err(super::Stop::Fault(_)) if secret => format!("{} cannot be read", input.origin),
            Err(super::Stop::Fault(fault)) => format!("{}: {}", input.origin, fault.summary),
        };
        let problem = format!("the variable `{name}` has a wrong value: {problem}");
        let finding =
            Diagnostic::error("bad_variable", problem).at(block.declared, "declared here");
        self.findings.push(finding.help("lists are written [\"a\", \"b\"], maps {\"a\": 1}"));
        None
    }

    fn constraint(&mut self, entry: &Entry) -> Option<Type> {
        let parsed = match &entry.value.value {
            Literal::Str(text) => {
                text.text.parse::<Expression>().ok().as_ref().and_then(constraint)
            }
            _ => None,
        };
        if parsed.is_none() {
            let finding = Diagnostic::error("bad_type", "this is not a type of variables")
                .at(entry.value.span, "here")
                .help("types are string, number, bool, any, list(T), set(T) and map(T)");
            self.findings.push(finding);
        }
        parsed
    }
}

fn constraint(expression: &Expression) -> Option<Type> {
    match expression {
        Expression::Variable(name) => match name.as_str() {
            "any" => Some(Type::Any),
            "string" => Some(Type::String),
            "number" => Some(Type::Number),
            "bool" => Some(Type::Bool),
            "list" => Some(Type::List(Box::new(Type::Any))),
            "set" => Some(Type::Set(Box::new(Type::Any))),
            "map" => Some(Type::Map(Box::new(Type::Any))),
            _ => None,
        },
        Expression::FuncCall(call) if call.args.len() == 1 => {
            let of = Box::new(constraint(call.args.get(0)?)?);
            match call.name.name.as_str() {
                "list" => Some(Type::List(of)),
                "set" => Some(Type::Set(of)),
                "map" => Some(Type::Map(of)),
                _ => None,
            }
        }
        _ => None,
    }
}

/// The value as this type; the error says what was expected.
fn convert(value: &Value, ty: &Type) -> Result<Value, String> {
    if value.is_null() {
        return Ok(Value::Null);
    }
    if let Value::Sensitive(inner) = value {
        return convert(inner, ty).map(Value::sensitive);
    }
    match (ty, value) {
        (Type::Any, _) | (Type::String, Value::Str(_)) | (Type::Bool, Value::Bool(_)) => {
            Ok(value.clone())
        }
        (Type::String, Value::Int(n)) => Ok(Value::str(&n.to_string())),
        (Type::String, Value::Float(n)) => Ok(Value::str(&n.to_string())),
        (Type::String, Value::Bool(b)) => Ok(Value::str(&b.to_string())),
        (Type::Bool, Value::Str(text)) if &**text == "true" => Ok(Value::Bool(true)),
        (Type::Bool, Value::Str(text)) if &**text == "false" => Ok(Value::Bool(false)),
        (Type::Number, Value::Int(_) | Value::Float(_)) => Ok(value.clone()),
        (Type::Number, Value::Str(text)) => number(text).ok_or_else(|| ty.expected()),
        (Type::List(of), Value::List(items)) => {
            items.iter().map(|i| convert(i, of)).collect::<Result<_, _>>().map(Value::list)
        }
        (Type::Set(of), Value::List(items)) => {
            items.iter().map(|i| convert(i, of)).collect::<Result<_, _>>().map(Value::set)
        }
        (Type::Map(of), Value::Map(items)) => items
            .iter()
            .map(|(k, v)| Ok((Arc::clone(k), convert(v, of)?)))
            .collect::<Result<_, _>>()
            .map(Value::map),
        _ => Err(ty.expected()),
    }
}

fn number(text: &str) -> Option<Value> {
    let text = text.trim();
    let whole = text.parse::<i64>().ok().map(Value::Int);
    whole.or_else(|| text.parse::<f64>().ok().filter(|n| n.is_finite()).map(Value::from_float))
}

impl Type {
    fn expected(&self) -> String {
        match self {
            Self::Any => "any value".to_owned(),
            Self::String => "text".to_owned(),
            Self::Number => "a number".to_owned(),
            Self::Bool => "true or false".to_owned(),
            Self::List(_) => "a list".to_owned(),
            Self::Set(_) => "a list (as a set)".to_owned(),
            Self::Map(_) => "a map".to_owned(),
        }
    }
}
