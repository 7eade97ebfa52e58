//! `[output.NAME]` and `[check.NAME]` as written: their keys, and what can be said of them before
//! anything is applied.
//!
//! In: blocks. Out: findings; and for each its parts. What they come to when all is known is
//! `conclude`.

use super::Work;
use super::condition::Rule;
use super::instances::{Each, Instances};
use super::module::{Here, ModuleIx, Values, is_true};
use crate::address::Address;
use crate::config::syntax::{Block, Entry, Literal};
use crate::diag::Diagnostic;

/// What an output has.
const OUTPUT: [&str; 4] = ["value", "sensitive", "description", "precondition"];
/// What a check has.
const CHECK: [&str; 2] = ["assert", "description"];

impl<'a> Work<'a> {
    /// Locals, outputs, checks and postconditions, used or not: what is wrong with them is said. What is
    /// known only after an apply is no mistake here.
    pub(super) fn named_values(&mut self) {
        self.deferring = true;
        for of in self.module_numbers() {
            let written = self.module(of).written;
            self.validations(of);
            for entry in &written.locals {
                let _ = self.value(of, Values::Local, &entry.key.text);
            }
            for block in &written.outputs {
                self.judge_output(of, block);
            }
            for block in &written.checks {
                let rules = self.asserts(block);
                self.judge_rules(Here::module(of), &rules);
            }
            for block in &written.resources {
                self.judge_postconditions(of, block);
            }
        }
        self.deferring = false;
    }

    fn judge_output(&mut self, of: ModuleIx, block: &'a Block) {
        for entry in &block.entries {
            match &*entry.key.text {
                "sensitive" if !matches!(entry.value.value, Literal::Bool(_)) => {
                    self.must_be(entry, "true or false");
                }
                "description" if !matches!(entry.value.value, Literal::Str(_)) => {
                    self.must_be(entry, "text");
                }
                name if OUTPUT.contains(&name) => {}
                _ => self.unknown_attribute("an output", &entry.key, OUTPUT),
            }
        }
        let rules = self.output_rules(block);
        self.judge_rules(Here::module(of), &rules);
        let value = self.value(of, Values::Output, &block.label.text);
        if let (true, Ok(found)) = (of == ModuleIx::ROOT, value)
            && found.value.is_sensitive()
        {
            self.secret_output(block);
        }
    }

    /// The conditions under which an output has a value.
    pub(super) fn output_rules(&mut self, block: &'a Block) -> Vec<Rule<'a>> {
        match block.get("precondition") {
            Some(entry) => self.rules(entry, "a precondition"),
            None => Vec::new(),
        }
    }

    /// What the user sees on every terminal and in every log must not be a secret by accident.
    pub(super) fn secret_output(&mut self, block: &Block) {
        if block.get("sensitive").is_some_and(is_true) {
            return;
        }
        let name = &block.label.text;
        let place = block.get("value").map_or(block.declared, |entry| entry.value.span);
        let problem = format!("the value of the output `{name}` is a secret");
        let finding = Diagnostic::error("secret_output", problem)
            .at(place, "computed from a secret")
            .help("say so: sensitive = true; nonsensitive() says that a value is no secret");
        self.findings.push(finding);
    }

    /// The assertions of a check; what is wrong with its keys is said.
    pub(super) fn asserts(&mut self, block: &'a Block) -> Vec<Rule<'a>> {
        for entry in block.entries.iter().filter(|e| !CHECK.contains(&&*e.key.text)) {
            self.unknown_attribute("a check", &entry.key, CHECK);
        }
        let Some(entry) = block.get("assert") else {
            let problem = format!("the check `{}` has no `assert`", block.label.text);
            let finding =
                Diagnostic::error("missing_attribute", problem).at(block.declared, "here");
            let help = "write assert = [{ condition = '${…}', error_message = \"…\" }]";
            self.findings.push(finding.help(help));
            return Vec::new();
        };
        self.rules(entry, "an assertion")
    }

    /// Says what is wrong with conditions, whatever they come to.
    fn judge_rules(&mut self, here: Here, rules: &[Rule<'a>]) {
        self.at(here, |work| {
            for rule in rules {
                let _ = work.verdict(*rule, None);
                if super::block::is_computed(rule.message) {
                    let _ = work.tree(rule.message, None);
                }
            }
        });
    }

    fn judge_postconditions(&mut self, of: ModuleIx, block: &'a Block) {
        let rules = self.lifecycle_rules(block, "postcondition");
        if rules.is_empty() {
            return;
        }
        let Some((each, address)) = self.first_instance(of, block) else { return };
        self.judge_rules(Here { each, this: Some(address), ..Here::module(of) }, &rules);
    }

    /// One instance stands for all where only the writing is judged.
    fn first_instance(&mut self, of: ModuleIx, block: &Block) -> Option<(Each, Address)> {
        match self.addresses(of, (&block.kind.text, &block.label.text))? {
            Instances::One(address) => Some((Each::None, address)),
            Instances::Many(many) => many.list.first().cloned(),
            Instances::Open => None,
        }
    }

    /// The conditions of a resource.
    pub(super) fn lifecycle_rules(&mut self, block: &'a Block, which: &str) -> Vec<Rule<'a>> {
        let Some(Literal::Table(entries)) = block.get("lifecycle").map(|e| &e.value.value) else {
            return Vec::new();
        };
        match entries.iter().find(|entry| &*entry.key.text == which) {
            Some(entry) => self.rules(entry, &format!("a {which}")),
            None => Vec::new(),
        }
    }

    fn must_be(&mut self, entry: &Entry, expected: &str) {
        let problem = format!("`{}` must be {expected}", entry.key.text);
        self.findings.push(Diagnostic::error("wrong_kind", problem).at(entry.value.span, "here"));
    }
}
