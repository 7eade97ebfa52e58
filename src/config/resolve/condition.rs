//! Conditions with messages: `validation`, `precondition`, `postcondition`, `assert`.
//!
//! In: lists of tables with `condition` and `error_message`. Out: whether a condition holds, and
//! its message where it does not; never a secret. What follows from a failed one, the owner says.

use super::Work;
use super::attr::Tree;
use crate::address::Address;
use crate::config::syntax::{Entry, Literal, Node};
use crate::diag::Diagnostic;
use crate::value::Value;

pub(super) const KEYS: [&str; 2] = ["condition", "error_message"];

/// One condition as written.
#[derive(Clone, Copy)]
pub(super) struct Rule<'c> {
    pub condition: &'c Node,
    pub message: &'c Node,
}

/// What a condition came to.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Verdict {
    /// It holds, or nothing can be said: it is not known, or why it has no answer has been reported.
    Fine,
    /// It does not hold. Its message, if there is one that may be shown.
    Fails(Message),
}

/// The text of an `error_message`.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Message {
    Text(String),
    /// It would show a secret.
    Secret,
    /// It has no text.
    None,
}

impl Message {
    /// The text, or another one in its place.
    pub fn or(self, instead: &str) -> String {
        match self {
            Self::Text(text) => text,
            Self::Secret => format!("{instead} (the message would show a secret)"),
            Self::None => instead.to_owned(),
        }
    }
}

impl Work<'_> {
    /// The conditions of a list of tables, or of a single one; `what` is one of them, with its
    /// article.
    pub(super) fn rules<'c>(&mut self, entry: &'c Entry, what: &str) -> Vec<Rule<'c>> {
        let nodes = match &entry.value.value {
            Literal::List(items) => items,
            _ => std::slice::from_ref(&entry.value),
        };
        nodes.iter().filter_map(|node| self.rule(node, what)).collect()
    }

    fn rule<'c>(&mut self, node: &'c Node, what: &str) -> Option<Rule<'c>> {
        let Literal::Table(entries) = &node.value else {
            let problem = format!("{what} must be a table");
            let finding = Diagnostic::error("wrong_kind", problem).at(node.span, "here");
            let help =
                "write { condition = '${…}', error_message = \"…\" }, as an element of a list";
            self.findings.push(finding.help(help));
            return None;
        };
        for entry in entries.iter().filter(|e| !KEYS.contains(&&*e.key.text)) {
            self.unknown_attribute(what, &entry.key, KEYS);
        }
        let [condition, message] = KEYS.map(|key| entries.iter().find(|e| &*e.key.text == key));
        let (Some(condition), Some(message)) = (condition, message) else {
            let problem = format!("{what} needs `condition` and `error_message`");
            let finding = Diagnostic::error("missing_attribute", problem);
            self.findings.push(finding.at(node.span, "one is missing"));
            return None;
        };
        Some(Rule { condition: &condition.value, message: &message.value })
    }

    /// Evaluates a condition where the evaluation stands now. Its message is evaluated only when it
    /// is needed.
    pub(super) fn verdict(&mut self, rule: Rule<'_>, on: Option<&Address>) -> Verdict {
        match self.holds(rule.condition, on) {
            Some(false) => Verdict::Fails(self.message(rule.message, on)),
            Some(true) | None => Verdict::Fine,
        }
    }

    /// Whether a condition is true; `None` if that is not known, or has no answer, which has been
    /// reported.
    fn holds(&mut self, node: &Node, on: Option<&Address>) -> Option<bool> {
        let value = self.tree(node, on)?.into_value();
        match value.reveal() {
            Value::Bool(holds) => Some(*holds),
            Value::Str(text) if &**text == "true" => Some(true),
            Value::Str(text) if &**text == "false" => Some(false),
            Value::Found(found) if found.attrs.is_none() => None,
            other => {
                let problem = "a condition must be true or false";
                let label = format!("this is {}", other.kind_name());
                let mut finding = Diagnostic::error("wrong_kind", problem).at(node.span, label);
                finding.address = on.cloned();
                self.findings.push(finding);
                None
            }
        }
    }

    /// The message as a sentence of ours: on one line, without a full stop, without a secret.
    fn message(&mut self, node: &Node, on: Option<&Address>) -> Message {
        let value = self.tree(node, on).map(Tree::into_value).unwrap_or_default();
        match &value {
            Value::Sensitive(_) => Message::Secret,
            Value::Str(text) if !text.trim().is_empty() => {
                let words: Vec<_> = text.split_whitespace().collect();
                Message::Text(words.join(" ").trim_end_matches('.').to_owned())
            }
            _ => Message::None,
        }
    }
}
