//! `[variable.NAME]`: declarations and given values → the values of `var.NAME`.
//!
//! In: blocks, inputs from outside the configuration, arguments of module calls. Out: values of the
//! declared type, secret ones marked. Knows where a value came from only as words and places for
//! messages.

use hcl_edit::expr::Expression;

use super::Work;
use super::attr::Tree;
use super::module::{ModuleIx, Values};
use super::provider::LITERAL_SECRET;
use crate::config::constraint::{Dropped, Mismatch, Step, Type, literal, path};
use crate::config::expr::{Fault, unset};
use crate::config::input::{Places, VariableInput};
use crate::config::syntax::{Block, Entry, Literal, Node, Text};
use crate::diag::{Diagnostic, FileId, Span};
use crate::value::Value;

const KEYS: [&str; 7] =
    ["type", "default", "sensitive", "nullable", "description", "command", "validation"];

/// What sets a variable.
pub(super) enum Given<'g> {
    /// Nothing but its own table.
    Nothing,
    /// Something outside the configuration.
    Input(&'g VariableInput),
    /// The call of its module: the value, and where it is written.
    Argument(Tree, &'g Node),
}

/// A variable as its table declares it.
pub(super) struct Declaration<'b> {
    pub block: &'b Block,
    pub ty: Type,
    /// The text of `type`, where there is one.
    asked: Option<(&'b Text, FileId)>,
    pub secret: bool,
    nullable: bool,
}

/// Where a value comes from.
pub(super) enum Origin<'v> {
    /// A text: what gave it, and where messages can quote it.
    Text(&'v str, Option<Span>),
    /// A file of values.
    File(&'v Places),
    /// The argument of a module call.
    Argument(&'v Node),
    /// The variable's own default.
    Default(&'v Node),
}

impl Origin<'_> {
    fn find(&self, steps: &[Step]) -> Option<Span> {
        match self {
            Self::Text(_, span) => *span,
            Self::File(places) => Some(places.find(steps)),
            Self::Argument(node) | Self::Default(node) => Some(Places::of(node).find(steps)),
        }
    }
    /// The place of a name, where a person wrote it for this variable: a name that the type lacks
    /// is likely a mistake then. What else is given may well have more than is asked for.
    fn name(&self, steps: &[Step], name: &str) -> Option<Span> {
        match self {
            Self::Text(..) | Self::Argument(_) => None,
            Self::File(places) => Some(places.name(steps, name)),
            Self::Default(node) => Some(Places::of(node).name(steps, name)),
        }
    }
    fn code(&self) -> &'static str {
        match self {
            Self::Argument(_) | Self::Default(_) => "wrong_kind",
            Self::Text(..) | Self::File(_) => "bad_variable",
        }
    }
}

impl<'a> Work<'a> {
    /// Evaluates every variable of a module, so that what is wrong with one is said. A program is
    /// run only for a variable that something uses.
    pub(super) fn variables(&mut self, of: ModuleIx) {
        let blocks: &'a [Block] = &self.module(of).written.variables;
        for block in blocks {
            if !self.by_command(of, block) {
                let _ = self.value(of, Values::Variable, &block.label.text);
            }
        }
    }

    /// The value of a variable; `None` where there is none, which has been reported or hangs on
    /// something open.
    pub(super) fn variable(&mut self, block: &Block, given: Given<'_>) -> Option<Value> {
        let declaration = self.declaration(block)?;
        let given = match given {
            Given::Nothing => None,
            Given::Input(input) => Some(self.given(&declaration, input)?),
            Given::Argument(tree, node) => Some(self.argument(&declaration, tree, node)?),
        };
        // Null asks for the default where null itself cannot be the value.
        let given = given.filter(|value| declaration.nullable || !value.is_null());
        let value = match given {
            Some(value) => value,
            None => match block.get("command") {
                Some(entry) => self.printed(&declaration, entry)?,
                None => self.default(&declaration)?,
            },
        };
        Some(if declaration.secret { value.sensitive() } else { value })
    }

    /// Reads a table; `None` if a mistake in it leaves its values without a meaning.
    pub(super) fn declaration<'b>(&mut self, block: &'b Block) -> Option<Declaration<'b>> {
        for entry in &block.entries {
            if !KEYS.contains(&&*entry.key.text) {
                self.unknown_attribute("a variable", &entry.key, KEYS);
            }
        }
        let secret = self.flag(block, "sensitive", false);
        let nullable = self.flag(block, "nullable", true);
        self.description(block);
        let (ty, asked) = match block.get("type") {
            Some(entry) => self.constraint(entry)?,
            None => (Type::any(), None),
        };
        Some(Declaration { block, ty, asked, secret: secret?, nullable: nullable? })
    }

    fn flag(&mut self, block: &Block, key: &str, absent: bool) -> Option<bool> {
        let Some(entry) = block.get(key) else { return Some(absent) };
        if let Literal::Bool(b) = entry.value.value {
            return Some(b);
        }
        let problem = format!("`{key}` must be true or false");
        self.findings.push(Diagnostic::error("wrong_kind", problem).at(entry.value.span, "here"));
        None
    }

    fn description(&mut self, block: &Block) {
        if let Some(entry) = block.get("description")
            && !matches!(entry.value.value, Literal::Str(_))
        {
            let problem = "`description` must be text";
            self.findings
                .push(Diagnostic::error("wrong_kind", problem).at(entry.value.span, "here"));
        }
    }

    fn constraint<'b>(&mut self, entry: &'b Entry) -> Option<(Type, Option<(&'b Text, FileId)>)> {
        let span = entry.value.span;
        let Literal::Str(text) = &entry.value.value else {
            let finding = Diagnostic::error("bad_type", "`type` must be text").at(span, "here");
            self.findings.push(finding.help("a type stands in quotes: type = 'list(string)'"));
            return None;
        };
        match Type::parse(&text.text) {
            Ok(ty) => Some((ty, Some((text, span.file)))),
            Err(faults) => {
                for fault in faults {
                    let range = fault.range.clone().unwrap_or(0..text.text.len());
                    let at = text.locate(span.file, range.start, range.end);
                    self.findings.push(fault.into_diagnostic(at));
                }
                None
            }
        }
    }

    fn default(&mut self, declaration: &Declaration<'_>) -> Option<Value> {
        let block = declaration.block;
        let name = &block.label.text;
        let Some(entry) = block.get("default") else {
            // From outside it may come later; a call is complete.
            if !(self.judging && self.current().caller.is_none()) {
                self.missing_variable(block);
            }
            return None;
        };
        let tree = self.tree(&entry.value, None)?;
        if declaration.secret && tree.is_written_out() {
            let problem = format!("the default of `{name}` is a secret written into a file");
            self.written_secret(problem, name, tree.span);
        }
        let value = self.set_value(tree, Some(name))?;
        if value.is_null() && !declaration.nullable {
            let problem = format!("the default of `{name}` must not be null");
            let finding =
                Diagnostic::error("missing_variable", problem).at(entry.value.span, "null");
            self.findings.push(finding.help("remove `nullable = false`, or give another default"));
            return None;
        }
        self.accept(declaration, &value, &Origin::Default(&entry.value))
    }

    fn written_secret(&mut self, problem: String, name: &str, at: Span) {
        let variable = name.to_uppercase();
        self.findings.push(
            Diagnostic::warning(LITERAL_SECRET, problem)
                .at(at, "secret in clear")
                .help(format!("remove it and set RACKFORM_VAR_{name}, or use env(\"{variable}\")")),
        );
    }

    /// The value, unless it is absent because an environment variable is; `name` is the variable
    /// of the configuration that can be set instead.
    fn set_value(&mut self, tree: Tree, name: Option<&str>) -> Option<Value> {
        let (span, variable) = (tree.span, tree.unset.clone());
        let value = tree.into_value();
        let Some(env) = variable.filter(|_| value.is_null()) else { return Some(value) };
        let fault = unset(&env);
        let fault = match name {
            Some(name) if self.current().caller.is_none() => {
                fault.help(format!("export {env}=… or set --var {name}=…"))
            }
            _ => fault,
        };
        self.findings.push(fault.into_diagnostic(span));
        None
    }

    /// What the call of a module gives.
    fn argument(
        &mut self,
        declaration: &Declaration<'_>,
        tree: Tree,
        node: &Node,
    ) -> Option<Value> {
        let name = &declaration.block.label.text;
        if declaration.secret && tree.is_written_out() {
            let problem = format!("`{name}` is a secret written into a file");
            self.written_secret(problem, name, tree.span);
        }
        let value = self.set_value(tree, None)?;
        self.accept(declaration, &value, &Origin::Argument(node))
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

    fn given(&mut self, declaration: &Declaration<'_>, input: &VariableInput) -> Option<Value> {
        match input {
            VariableInput::Value { value, places } => {
                self.accept(declaration, value, &Origin::File(places))
            }
            VariableInput::Text { text, origin, span } => {
                self.accept_text(declaration, text, &Origin::Text(origin, *span))
            }
        }
    }

    /// A text as the declared type.
    pub(super) fn accept_text(
        &mut self,
        declaration: &Declaration<'_>,
        text: &str,
        origin: &Origin<'_>,
    ) -> Option<Value> {
        // Without a `type` a text is that text, as in Terraform.
        if declaration.asked.is_none() || declaration.ty.is_primitive() {
            return self.accept(declaration, &Value::str(text), origin);
        }
        match value_of(text) {
            Ok(value) => self.accept(declaration, &value, origin),
            Err(fault) => {
                self.unreadable(declaration, fault, origin);
                None
            }
        }
    }

    /// A text that is no value.
    fn unreadable(&mut self, declaration: &Declaration<'_>, fault: Fault, origin: &Origin<'_>) {
        let Origin::Text(origin, span) = origin else { return };
        let block = declaration.block;
        // The library's message can quote the input.
        let why = if declaration.secret { "it cannot be read" } else { &fault.summary };
        let name = &block.label.text;
        let problem = format!("{origin} gives `{name}` no value: {why}");
        let finding = Diagnostic::error("bad_variable", problem);
        let finding = match span {
            Some(span) if !declaration.secret => {
                let range = fault.range.unwrap_or(0..0);
                let offset = |at: usize| span.start.saturating_add(u32::try_from(at).unwrap_or(0));
                let at = Span { start: offset(range.start), end: offset(range.end), ..*span };
                finding.at(at, fault.label)
            }
            _ => finding.at(block.declared, "declared here"),
        };
        let ty = &declaration.ty;
        let general = format!(
            "it must be {}: lists are written [\"a\", \"b\"], maps {{\"a\": 1}}",
            ty.expected()
        );
        let help = fault.help.filter(|_| !declaration.secret).unwrap_or(general);
        self.findings.push(finding.help(help));
    }

    /// The value as the declared type, if it can have it.
    pub(super) fn accept(
        &mut self,
        declaration: &Declaration<'_>,
        value: &Value,
        origin: &Origin<'_>,
    ) -> Option<Value> {
        match declaration.ty.convert(value, declaration.secret) {
            Ok(converted) => {
                for dropped in &converted.dropped {
                    self.dropped(declaration, dropped, origin);
                }
                Some(converted.value)
            }
            Err(wrong) => {
                for mismatch in wrong {
                    self.mismatch(declaration, mismatch, origin);
                }
                None
            }
        }
    }

    fn mismatch(&mut self, declaration: &Declaration<'_>, wrong: Mismatch, origin: &Origin<'_>) {
        let block = declaration.block;
        let name = path(&block.label.text, &wrong.steps, declaration.secret);
        let problem = match origin {
            Origin::Default(_) => format!("the default of {name} {}", wrong.problem),
            _ => format!("{name} {}", wrong.problem),
        };
        let mut finding = Diagnostic::error(origin.code(), problem);
        match origin.find(&wrong.steps) {
            Some(span) => finding = finding.at(span, wrong.found),
            None => finding = finding.at(block.declared, wrong.found),
        }
        if let Some((text, file)) = declaration.asked {
            let at = text.locate(file, wrong.asked.start, wrong.asked.end);
            finding = finding.at(at, "asked for here");
        }
        let from = match origin {
            Origin::Text(words, _) => Some((*words).to_owned()),
            Origin::File(places) => Some(self.place(places.find(&wrong.steps))),
            Origin::Argument(_) | Origin::Default(_) => None,
        };
        if let Some(from) = from {
            finding = finding.detail(format!("The value comes from {from}."));
        }
        if let Some(help) = wrong.help {
            finding = finding.help(help);
        }
        finding.count = wrong.count;
        self.findings.push(finding);
    }

    fn dropped(&mut self, declaration: &Declaration<'_>, extra: &Dropped, origin: &Origin<'_>) {
        let Some(at) = origin.name(&extra.steps, &extra.name) else { return };
        let object = path(&declaration.block.label.text, &extra.steps, declaration.secret);
        let name = &extra.name;
        let problem = format!("`{name}` of {object} is not in its type and is left out");
        let mut finding = Diagnostic::warning("dropped_attribute", problem).at(at, "left out");
        if let Some((text, file)) = declaration.asked {
            let place = text.locate(file, extra.asked.start, extra.asked.end);
            finding = finding.at(place, "the type");
        }
        finding.count = extra.count;
        self.findings.push(match &extra.near {
            Some(near) => finding.help(format!("did you mean `{near}`?")),
            None => finding.help("remove it, or add it to the type"),
        });
    }
}

/// The value that a text writes: JSON, or a literal expression.
fn value_of(text: &str) -> Result<Value, Fault> {
    let trimmed = text.trim_start();
    let offset = text.len() - trimmed.len();
    let trimmed = trimmed.trim_end();
    if let Ok(json) = serde_json::from_str::<serde_json::Value>(trimmed) {
        return Ok(Value::from_json(&json));
    }
    let read = trimmed.parse::<Expression>().map_err(|error| {
        let at = error.location().offset().min(trimmed.len());
        let start = (0..=at).rev().find(|at| trimmed.is_char_boundary(*at)).unwrap_or(0);
        let end = trimmed[start..].chars().next().map_or(start, |c| start + c.len_utf8());
        Fault::new("bad_literal", error.message()).label("this cannot be read").at(Some(start..end))
    });
    read.and_then(|expression| literal(&expression)).map_err(|fault| {
        let range = fault.range.clone().map(|r| r.start + offset..r.end + offset);
        Fault { range, ..fault }
    })
}
