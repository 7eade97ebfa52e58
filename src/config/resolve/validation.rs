//! `validation` of variables: conditions that their values must fulfil.
//!
//! In: tables with `condition` and `error_message`, and the values. Out: a finding for each
//! condition that is not true, with where the value came from; never the value itself.

use super::Work;
use super::module::{Here, ModuleIx, Once, Values};
use crate::config::input::VariableInput;
use crate::config::syntax::{Block, Entry, Literal, Node};
use crate::diag::{Diagnostic, Span};
use crate::value::Value;

const KEYS: [&str; 2] = ["condition", "error_message"];

impl<'a> Work<'a> {
    /// Judges the variables of a module that have a value.
    pub(super) fn validations(&mut self, of: ModuleIx) {
        let blocks: &'a [Block] = &self.module(of).written.variables;
        for block in blocks {
            self.unused(of, block);
            let Some(entry) = block.get("validation") else { continue };
            let key = (Values::Variable, block.label.text.clone());
            let has_value = matches!(self.module(of).values.get(&key), Some(Once::Done(Ok(_))));
            for table in tables(&entry.value) {
                match &table.value {
                    Literal::Table(entries) => {
                        self.validation((of, block), (entries, table.span), has_value);
                    }
                    _ => {
                        let finding =
                            Diagnostic::error("wrong_kind", "a validation must be a table")
                                .at(table.span, "here");
                        let help =
                            "write [[variable.NAME.validation]] with condition and error_message";
                        self.findings.push(finding.help(help));
                    }
                }
            }
        }
    }

    fn validation(
        &mut self,
        (of, block): (ModuleIx, &'a Block),
        (entries, at): (&'a [Entry], Span),
        has_value: bool,
    ) {
        for entry in entries.iter().filter(|e| !KEYS.contains(&&*e.key.text)) {
            self.unknown_attribute("a validation", &entry.key, KEYS);
        }
        let [condition, message] = KEYS.map(|key| entries.iter().find(|e| &*e.key.text == key));
        let (Some(condition), Some(message)) = (condition, message) else {
            let problem = "a validation needs `condition` and `error_message`";
            self.findings
                .push(Diagnostic::error("missing_attribute", problem).at(at, "one is missing"));
            return;
        };
        if !has_value {
            return;
        }
        let Some(false) = self.holds(of, &condition.value) else { return };
        let name = &block.label.text;
        let said = self.message(of, &message.value, name);
        let mut finding = Diagnostic::error("invalid_variable", said)
            .at(condition.value.span, format!("var.{name} does not fulfil this"));
        let (words, place) = self.came_from(of, block);
        if let Some(place) = place {
            finding = finding.at(place, "the value");
        }
        self.findings.push(finding.detail(format!("The value of var.{name} comes from {words}.")));
    }

    /// Whether a condition is true; `None` if that is not known, or has no answer, which has been
    /// reported.
    fn holds(&mut self, of: ModuleIx, node: &Node) -> Option<bool> {
        let tree = self.at(Here::module(of), |work| work.tree(node, None))?;
        let value = tree.into_value();
        match value.reveal() {
            Value::Bool(holds) => Some(*holds),
            Value::Str(text) if &**text == "true" => Some(true),
            Value::Str(text) if &**text == "false" => Some(false),
            other => {
                let problem = "a condition must be true or false";
                let label = format!("this is {}", other.kind_name());
                self.findings.push(Diagnostic::error("wrong_kind", problem).at(node.span, label));
                None
            }
        }
    }

    /// The message as a sentence of ours: on one line, without a full stop, without a secret.
    fn message(&mut self, of: ModuleIx, node: &Node, name: &str) -> String {
        let value = self.at(Here::module(of), |work| work.tree(node, None));
        let value = value.map(super::attr::Tree::into_value).unwrap_or_default();
        let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
        match &value {
            Value::Str(text) if !text.trim().is_empty() => {
                words(text).trim_end_matches('.').to_owned()
            }
            Value::Sensitive(_) => {
                format!("the value of var.{name} is not valid (the message would show a secret)")
            }
            _ => format!("the value of var.{name} is not valid"),
        }
    }

    /// Where the value of a variable came from, in words, and the place if messages can show it.
    fn came_from(&self, of: ModuleIx, block: &Block) -> (String, Option<Span>) {
        let name = &*block.label.text;
        let written = match &self.module(of).caller {
            Some((_, call, _)) => call.get(name).map(|entry| entry.value.span),
            None => match self.facts.variables.get(name) {
                Some(VariableInput::Text { origin, span, .. }) => return (origin.clone(), *span),
                Some(VariableInput::Value { places, .. }) => Some(places.span),
                None => None,
            },
        };
        match written {
            Some(span) => (self.place(span), Some(span)),
            None if block.get("command").is_some() => ("its program".to_owned(), None),
            None => ("its default".to_owned(), block.get("default").map(|e| e.value.span)),
        }
    }
}

/// One table, or a list of them.
fn tables(node: &Node) -> &[Node] {
    match &node.value {
        Literal::List(items) => items,
        _ => std::slice::from_ref(node),
    }
}
