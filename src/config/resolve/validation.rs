//! `validation` of variables: conditions that their values must fulfil.
//!
//! In: tables with `condition` and `error_message`, and the values. Out: a finding for each
//! condition that is not true, with where the value came from; never the value itself.

use super::Work;
use super::condition::{Rule, Verdict};
use super::module::{Here, ModuleIx, Once, Values};
use crate::config::input::VariableInput;
use crate::config::syntax::Block;
use crate::diag::{Diagnostic, Span};

impl<'a> Work<'a> {
    /// Judges the variables of a module that have a value.
    pub(super) fn validations(&mut self, of: ModuleIx) {
        let blocks: &'a [Block] = &self.module(of).written.variables;
        for block in blocks {
            self.unused(of, block);
            let Some(entry) = block.get("validation") else { continue };
            let key = (Values::Variable, block.label.text.clone());
            let has_value = matches!(self.module(of).values.get(&key), Some(Once::Done(Ok(_))));
            for rule in self.rules(entry, "a validation") {
                if has_value {
                    self.validation((of, block), rule);
                }
            }
        }
    }

    fn validation(&mut self, (of, block): (ModuleIx, &'a Block), rule: Rule<'_>) {
        let verdict = self.at(Here::module(of), |work| work.verdict(rule, None));
        let Verdict::Fails(message) = verdict else { return };
        let name = &block.label.text;
        let said = message.or(&format!("the value of var.{name} is not valid"));
        let mut finding = Diagnostic::error("invalid_variable", said)
            .at(rule.condition.span, format!("var.{name} does not fulfil this"));
        let (words, place) = self.came_from(of, block);
        if let Some(place) = place {
            finding = finding.at(place, "the value");
        }
        self.findings.push(finding.detail(format!("The value of var.{name} comes from {words}.")));
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
