//! What is evaluated when all is known: outputs, postconditions, checks, and expressions that
//! somebody types.
//!
//! In: the configuration, and the objects as they are after an apply, or as far as a plan leaves
//! them alone. Out: values of outputs and the conditions that do not hold. Evaluates on demand: of
//! 100,000 resources only those that an expression names are looked at. Plans nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::condition::{Rule, Verdict};
use super::instances::{Each, Instances};
use super::module::{Here, ModuleIx, Values, is_true};
use super::scope::UNMANAGED;
use super::{Work, in_source_order, provider};
use crate::address::Address;
use crate::config::expr::{self, Stop};
use crate::config::syntax::{Block, Config, Literal, Module, Place, Text};
use crate::config::{Facts, Lookup, Need, Objects};
use crate::diag::{Diagnostic, Diagnostics, FileId, Severity, Sources, Span};
use crate::schema::Schemas;
use crate::value::Value;

/// A configuration, and what is known of its objects.
#[derive(Clone, Copy)]
pub struct Conclude<'a> {
    pub config: &'a Config,
    pub schemas: &'a Schemas,
    pub facts: &'a Facts,
    pub sources: &'a Sources,
    pub objects: &'a dyn Objects,
    /// Whether everything is applied: then a value that is not known is a mistake.
    pub complete: bool,
}

/// What outputs and conditions came to.
#[derive(Clone, Debug, Default)]
pub struct Conclusion {
    /// Of the root module, by name.
    pub outputs: BTreeMap<Arc<str>, OutputValue>,
    /// Postconditions and preconditions of outputs that do not hold, and mistakes that show only
    /// now.
    pub errors: Diagnostics,
    /// Checks that do not hold.
    pub warnings: Diagnostics,
    /// As [`crate::config::Desired::needs`]: while there are any, nothing else here may be used.
    pub needs: BTreeSet<Need>,
    /// The tables that the look-ups among the needs are for.
    pub places: BTreeMap<Lookup, Span>,
}

/// What an output came to.
#[derive(Clone, Debug, PartialEq)]
pub struct OutputValue {
    /// `None`: it is not known, or has none because of a mistake. Ids and objects in it are known
    /// only after apply. A secret one is marked.
    pub value: Option<Value>,
    /// Whether it is declared as a secret, or is one.
    pub sensitive: bool,
    /// Whether a precondition does not hold: people may see the value, nothing may use it.
    pub refused: bool,
}

/// What an expression came to.
#[derive(Clone, Debug)]
pub enum Answer {
    Value(Value),
    /// An apply makes it known.
    Unknown,
    /// Answer these and ask again.
    Needs(BTreeSet<Need>, BTreeMap<Lookup, Span>),
    /// There is no value; why.
    Wrong(Diagnostics),
}

impl<'a> Conclude<'a> {
    /// Whether the configuration has anything to conclude.
    pub fn has_any(config: &Config) -> bool {
        let any = |module: &Module| {
            let guarded = module.resources.iter().any(has_postcondition);
            !module.outputs.is_empty() || !module.checks.is_empty() || guarded
        };
        any(&config.root) || config.called.values().any(any)
    }

    /// Evaluates all outputs of the root, all postconditions and all checks.
    pub fn all(&self) -> Conclusion {
        let mut work = self.work();
        let mut outputs = BTreeMap::new();
        for block in &self.config.root.outputs {
            outputs.insert(block.label.text.clone(), work.concluded_output(block));
        }
        let mut modules = vec![ModuleIx::ROOT];
        // Checks come last: what is wrong with anything else is no warning.
        let mut checks = Vec::new();
        while let Some(of) = modules.pop() {
            let written = work.module(of).written;
            checks.extend(written.checks.iter().map(|block| (of, block)));
            written.resources.iter().for_each(|block| work.postconditions(of, block));
            modules.extend(written.calls.iter().rev().flat_map(|call| {
                match work.called(of, &call.block.label.text) {
                    Some(Instances::One(ix)) => vec![ix],
                    Some(Instances::Many(many)) => {
                        many.list.iter().rev().map(|(_, ix)| *ix).collect()
                    }
                    Some(Instances::Open) | None => Vec::new(),
                }
            }));
        }
        let errors = std::mem::take(&mut work.findings);
        checks.into_iter().for_each(|(of, block)| work.check_table(of, block));
        let warnings = std::mem::take(&mut work.findings);
        let warn = |finding: Diagnostic| Diagnostic { severity: Severity::Warning, ..finding };
        Conclusion {
            outputs,
            errors: in_source_order(only_errors(errors)),
            warnings: in_source_order(each(only_errors(warnings), warn)),
            needs: work.needs,
            places: work.places,
        }
    }

    /// Evaluates one output of the root.
    pub fn output(&self, name: &str) -> Conclusion {
        let mut work = self.work();
        let mut outputs = BTreeMap::new();
        for block in self.config.root.outputs.iter().filter(|b| *b.label.text == *name) {
            outputs.insert(block.label.text.clone(), work.concluded_output(block));
        }
        let Work { findings, needs, places, .. } = work;
        Conclusion {
            outputs,
            errors: only_errors(findings),
            needs,
            places,
            ..Conclusion::default()
        }
    }

    /// Evaluates an expression, or a text that is a template, in the root module; `file` is where
    /// messages quote it from.
    pub fn expression(&self, text: &str, file: FileId) -> Answer {
        let mut work = self.work();
        let text = Text { text: text.into(), place: Place::At(0) };
        let found = if text.text.starts_with("${") {
            let parsed = work.templates.get(&text.text);
            parsed.and_then(|parsed| expr::template(&parsed, &mut work))
        } else {
            expr::expression(&text.text, &mut work)
        };
        let found = found.map(|found| work.settled(found.value));
        if !work.needs.is_empty() {
            return Answer::Needs(work.needs, work.places);
        }
        let mut findings = only_errors(work.findings);
        match found {
            Ok(value) if !findings.has_errors() => return Answer::Value(value),
            Ok(_) => {}
            Err(stop) if stop.is_not_yet_known() && findings.is_empty() => return Answer::Unknown,
            Err(stop) => {
                if let Some(finding) = stop.into_diagnostic(&text, file) {
                    findings.push(finding);
                }
            }
        }
        if findings.is_empty() {
            let finding = Diagnostic::error("not_yet_known", "this is not known");
            findings.push(finding.at(text.locate(file, 0, text.text.len()), "here"));
        }
        Answer::Wrong(findings)
    }

    fn work(&self) -> Work<'a> {
        let mut work = Work::new(self.config, self.schemas, self.facts, self.sources);
        // Whoever read the configuration has told these.
        work.findings = Diagnostics::default();
        work.objects = Some(self.objects);
        work.deferring = !self.complete;
        // Their names are enough: settings need secrets that nobody has to give here.
        work.choice = provider::Choice::written(&self.config.root.providers);
        work
    }
}

fn has_postcondition(block: &Block) -> bool {
    match block.get("lifecycle").map(|entry| &entry.value.value) {
        Some(Literal::Table(entries)) => entries.iter().any(|e| &*e.key.text == "postcondition"),
        _ => false,
    }
}

/// Warnings about the configuration have been told when it was read.
fn only_errors(findings: Diagnostics) -> Diagnostics {
    let mut errors = Diagnostics::default();
    let all = findings.into_iter().filter(|finding| finding.severity == Severity::Error);
    all.for_each(|finding| errors.push(finding));
    errors
}

fn each(findings: Diagnostics, make: impl Fn(Diagnostic) -> Diagnostic) -> Diagnostics {
    let mut made = Diagnostics::default();
    findings.into_iter().for_each(|finding| made.push(make(finding)));
    made
}

impl<'a> Work<'a> {
    fn concluded_output(&mut self, block: &'a Block) -> OutputValue {
        let declared = block.get("sensitive").is_some_and(is_true);
        let rules = self.output_rules(block);
        let mut refused = false;
        for rule in rules {
            let verdict = self.at(Here::module(ModuleIx::ROOT), |work| work.verdict(rule, None));
            if let Verdict::Fails(message) = verdict {
                refused = true;
                let said = message.or("a precondition of this output does not hold");
                let label = format!("precondition of the output `{}`", block.label.text);
                let finding = Diagnostic::error("precondition_failed", said);
                self.findings.push(finding.at(rule.condition.span, label));
            }
        }
        // What goes wrong with a value that a precondition refuses is what the precondition is for.
        let told = refused.then(|| self.findings.clone());
        let value = match self.value(ModuleIx::ROOT, Values::Output, &block.label.text) {
            Ok(found) => Some(self.settled(found.value)),
            Err(Stop::Silent | Stop::Fault(_)) => None,
        };
        if let Some(told) = told {
            self.findings = told;
        }
        let secret = value.as_ref().is_some_and(Value::is_sensitive);
        if secret {
            self.secret_output(block);
        }
        let sensitive = declared || secret;
        let mark = |value: Value| if sensitive { value.sensitive() } else { value };
        OutputValue { value: value.map(mark), sensitive, refused }
    }

    fn postconditions(&mut self, of: ModuleIx, block: &'a Block) {
        if !has_postcondition(block) {
            return;
        }
        let rules = self.lifecycle_rules(block, "postcondition");
        match self.addresses(of, (&block.kind.text, &block.label.text)) {
            Some(Instances::One(address)) => self.postcondition(of, &rules, (Each::None, address)),
            Some(Instances::Many(many)) => {
                many.list.iter().for_each(|one| self.postcondition(of, &rules, one.clone()));
            }
            Some(Instances::Open) | None => {}
        }
    }

    fn postcondition(&mut self, of: ModuleIx, rules: &[Rule<'a>], (each, on): (Each, Address)) {
        // After a failed apply, and for what a plan creates: nothing can be said of it yet.
        if self.objects.is_none_or(|objects| objects.id(&on).is_none()) {
            return;
        }
        let here = Here { each, this: Some(on.clone()), ..Here::module(of) };
        for rule in rules {
            let verdict = self.at(here.clone(), |work| work.verdict(*rule, Some(&on)));
            if let Verdict::Fails(message) = verdict {
                let said = message.or("a postcondition does not hold");
                let finding = Diagnostic::error("postcondition_failed", said)
                    .at(rule.condition.span, "this postcondition does not hold")
                    .on(&on);
                self.findings.push(finding);
            }
        }
    }

    fn check_table(&mut self, of: ModuleIx, block: &'a Block) {
        for rule in self.asserts(block) {
            let verdict = self.at(Here::module(of), |work| work.verdict(rule, None));
            if let Verdict::Fails(message) = verdict {
                let said = message.or("an assertion does not hold");
                let label = format!("assertion of the check `{}`", block.label.text);
                let finding = Diagnostic::error("check_failed", said);
                self.findings.push(finding.at(rule.condition.span, label));
            }
        }
    }

    /// A value with the ids of known objects in it, and whole objects as maps. What is not known
    /// stays as it is.
    fn settled(&mut self, value: Value) -> Value {
        match value {
            Value::Id(of) => self.known_id(&of).unwrap_or(Value::Id(of)),
            Value::Object(of) => self.whole_object(&of).unwrap_or(Value::Object(of)),
            Value::List(items) => {
                Value::list(items.iter().map(|item| self.settled(item.clone())).collect())
            }
            Value::Map(items) => {
                let all = items.iter().map(|(k, v)| (k.clone(), self.settled(v.clone())));
                Value::map(all.collect())
            }
            Value::Sensitive(inner) => self.settled((*inner).clone()).sensitive(),
            Value::Found(found) => {
                let Some(attrs) = &found.attrs else { return Value::Found(found) };
                let mut all: BTreeMap<Arc<str>, Value> =
                    attrs.iter().map(|(k, v)| (k.clone(), self.settled(v.clone()))).collect();
                if !found.id.is_empty() {
                    all.entry("id".into()).or_insert_with(|| Value::Str(found.id.clone()));
                }
                Value::map(all)
            }
            plain => plain,
        }
    }

    fn known_id(&self, of: &Address) -> Option<Value> {
        self.objects.and_then(|objects| objects.id(of)).map(Value::Str)
    }

    /// The id and the attributes of an object that are set and no secrets; references as ids.
    /// `None` while one of them is not known.
    fn whole_object(&mut self, of: &Address) -> Option<Value> {
        let id = self.known_id(of)?;
        let ty = self.schemas.by_name(of.kind())?.clone();
        let mut all = BTreeMap::from([("id".into(), id)]);
        for attr in ty.attrs.iter().filter(|attr| !attr.unread()) {
            let value = match self.attribute_of(of, &attr.name) {
                Ok(Value::Object(to) | Value::Id(to)) => self.known_id(&to)?,
                Ok(value) => self.settled(value),
                Err(Stop::Fault(fault)) if fault.code == UNMANAGED => continue,
                Err(_) => return None,
            };
            if !value.is_null() {
                all.insert(attr.name.clone(), value);
            }
        }
        Some(Value::map(all))
    }
}
