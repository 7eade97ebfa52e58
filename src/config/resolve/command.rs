//! `command` of a sensitive variable: a program that prints its value.
//!
//! In: a list of texts. Out: what the program prints, or a need: whoever has the machine runs it.
//! Never while a configuration is only judged.

use super::Work;
use super::attr::Tree;
use super::module::{Here, ModuleIx, Stage, Values};
use super::variable::{Declaration, Origin};
use crate::config::Need;
use crate::config::expr::{Outside, Scope, Stop};
use crate::config::syntax::{Block, Entry};
use crate::diag::{Diagnostic, Span};
use crate::value::Value;

impl<'a> Work<'a> {
    /// Whether nothing but its program sets a variable.
    pub(super) fn by_command(&self, of: ModuleIx, block: &Block) -> bool {
        let name = &block.label.text;
        block.get("command").is_some()
            && match &self.module(of).caller {
                None => !self.facts.variables.contains_key(&**name),
                Some((_, call, _)) => call.get(name).is_none(),
            }
    }

    /// What the program of a variable prints, as the variable's type.
    pub(super) fn printed(
        &mut self,
        declaration: &Declaration<'_>,
        entry: &Entry,
    ) -> Option<Value> {
        let command = self.command(declaration.block, declaration.secret, entry)?;
        if self.judging {
            return None;
        }
        let program = command.first().cloned().unwrap_or_default();
        match self.outside(Need::Command(command)) {
            Ok(Outside::Text(text)) => {
                let origin = Origin::Text("its program", Some(entry.value.span));
                self.accept_text(declaration, &text, &origin)
            }
            Ok(Outside::Failed(why)) => {
                let name = &declaration.block.label.text;
                let problem = format!("the program for `{name}` failed: {why}");
                let finding = Diagnostic::error("command_failed", problem)
                    .at(entry.value.span, "this program")
                    .help(format!(
                        "run {program} by hand in the directory of the configuration, or set RACKFORM_VAR_{name}"
                    ));
                self.findings.push(finding);
                None
            }
            Ok(Outside::Nothing | Outside::Names(_)) | Err(Stop::Silent) => None,
            Err(Stop::Fault(fault)) => {
                self.findings.push(fault.into_diagnostic(entry.value.span));
                None
            }
        }
    }

    /// The words of a command. Its arguments are seen by everybody on the machine.
    fn command(&mut self, block: &Block, secret: bool, entry: &Entry) -> Option<Vec<String>> {
        if !secret {
            let problem = "only a sensitive variable can come from a program";
            let finding = Diagnostic::error("bad_command", problem).at(entry.key.span, "here");
            self.findings.push(finding.help("add sensitive = true"));
            return None;
        }
        if let Some(default) = block.get("default") {
            let problem = "a variable has a default or a command, not both";
            let finding = Diagnostic::error("bad_command", problem)
                .at(entry.key.span, "this")
                .at(default.key.span, "and this");
            self.findings.push(finding.help("remove one of them"));
            return None;
        }
        let here = Here { stage: Stage::Settings, ..self.here.clone() };
        let tree = self.at(here, |work| work.tree(&entry.value, None))?;
        let span = tree.span;
        let words = match tree.items() {
            Ok(words) if !words.is_empty() => words,
            _ => {
                self.no_command(span, "here");
                return None;
            }
        };
        let words: Vec<Option<String>> = words.into_iter().map(|w| self.word_of(w)).collect();
        words.into_iter().collect()
    }

    fn word_of(&mut self, tree: Tree) -> Option<String> {
        let span = tree.span;
        let value = tree.into_value();
        if value.is_sensitive() {
            let problem = "a secret cannot be an argument of a program";
            let finding = Diagnostic::error("bad_command", problem)
                .at(span, "every user of the machine can see it");
            self.findings.push(finding.help("let the program find it by itself"));
            return None;
        }
        let word = value.as_str().filter(|word| !word.contains('\0')).map(str::to_owned);
        if word.is_none() {
            self.no_command(span, "this is no text");
        }
        word
    }

    fn no_command(&mut self, at: Span, label: &str) {
        let problem = "`command` must be a list of texts: a program and its arguments";
        let finding = Diagnostic::error("bad_command", problem).at(at, label);
        self.findings.push(finding.help("write command = [\"PROGRAM\", \"ARGUMENT\"]"));
    }

    /// Judges the table of a variable that nothing has asked for, so that no program was run.
    pub(super) fn unused(&mut self, of: ModuleIx, block: &'a Block) {
        let key = (Values::Variable, block.label.text.clone());
        if !self.by_command(of, block) || self.module(of).values.contains_key(&key) {
            return;
        }
        if let Some(declaration) = self.declaration(block)
            && let Some(entry) = block.get("command")
        {
            let _ =
                self.at(Here::module(of), |work| work.command(block, declaration.secret, entry));
        }
    }
}
