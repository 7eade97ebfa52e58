//! [`Config`] × schemas × facts → [`Desired`]: everything evaluated, checked and in order.
//!
//! In: the configuration as written, the resource types, and answers to earlier needs. Out: the
//! desired resources and attachments, or every mistake there is. Asks for what it lacks by name
//! and is called again; knows no resource type by name, no file and no environment.

mod attr;
mod block;
mod call;
mod check;
mod command;
mod conclude;
#[cfg(test)]
mod conclude_tests;
mod condition;
mod data;
mod empty;
#[cfg(test)]
mod data_tests;
mod depends;
mod kind;
#[cfg(test)]
mod kind_tests;
#[cfg(test)]
mod language_tests;
mod import;
mod instances;
mod link;
mod matches;
mod meta;
mod module;
mod moved;
mod output;
mod outside;
mod pair;
mod parameter;
mod part;
mod precondition;
mod problem;
mod provider;
mod quirk;
mod reference;
mod resource;
mod scope;
mod setting;
mod table;
mod trigger;
mod validation;
mod variable;
#[cfg(test)]
mod tests;

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use super::expr::{Stop, Templates};
use super::syntax::{Block, Config, Node};
use super::{Desired, DesiredLink, DesiredResource, Facts, Lookup, Need, Objects, Turn};
use crate::address::{Address, ModuleStep};
use crate::diag::{Diagnostic, Diagnostics, Sources, Span};
use crate::schema::{AttrIx, Schemas};
use crate::value::Value;
use instances::Instances;
use module::{Here, ModuleInstance, ModuleIx, Once};

pub use check::edges;
pub use conclude::{Answer, Conclude, Conclusion, OutputValue};
pub use parameter::parameter;

/// Turns a configuration into what is desired. With it come warnings.
///
/// While [`Desired::needs`] is not empty, nothing else of the result may be used: answer the needs
/// and call again.
///
/// # Errors
/// Every mistake that was found, in the order of the sources.
pub fn expand(
    config: &Config,
    schemas: &Schemas,
    facts: &Facts,
    sources: &Sources,
) -> Result<(Desired, Diagnostics), Diagnostics> {
    Work::new(config, schemas, facts, sources).expand()
}

/// What can be said of a configuration whose environment is not there.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Judged {
    pub resources: usize,
    /// Attachments.
    pub links: usize,
    /// Elements of lists inside resources: monitors, disks, tags.
    pub elements: usize,
    /// As [`Desired::needs`].
    pub needs: BTreeSet<Need>,
}

/// Judges a configuration without planning it: environment variables that are not set and
/// variables without a value are unknown, and what depends on them is not judged. Such a result
/// has gaps, so it is not given away: only its size is. With it come warnings.
///
/// # Errors
/// As [`expand`].
pub fn judge(
    config: &Config,
    schemas: &Schemas,
    facts: &Facts,
    sources: &Sources,
) -> Result<(Judged, Diagnostics), Diagnostics> {
    let mut work = Work::new(config, schemas, facts, sources);
    work.judging = true;
    let (desired, warnings) = work.expand()?;
    let Desired { resources, links, needs, refused, .. } = desired;
    if refused.has_errors() {
        return Err(refused);
    }
    let members = resources.iter().filter(|r| r.address.member_of().is_some()).count();
    let resources = resources.len() - members;
    Ok((Judged { resources, links: links.len(), elements: members, needs }, warnings))
}

/// What the parts of this stage share.
struct Work<'a> {
    schemas: &'a Schemas,
    sources: &'a Sources,
    config: &'a Config,
    facts: &'a Facts,
    /// Objects as they are after an apply, when that is what is asked about.
    objects: Option<&'a dyn Objects>,
    /// What is not yet known is no fault.
    deferring: bool,
    /// What is not set is unknown, and nothing is said about it; otherwise it is null.
    judging: bool,
    templates: Templates,
    /// Module instances; the root is the first.
    modules: Vec<ModuleInstance<'a>>,
    by_path: HashMap<Arc<[ModuleStep]>, ModuleIx>,
    choice: provider::Choice,
    /// Where expressions are evaluated now.
    here: Here,
    /// What is being evaluated because something else asked for it.
    frames: Vec<module::Frame>,
    depth: u32,
    /// Whether it has been said that there are too many modules.
    crowded: bool,
    /// Instances of all blocks so far.
    instances_made: usize,
    /// Attributes that expressions read of other resources.
    attributes: HashMap<(Address, AttrIx), Once<Result<Value, Stop>>>,
    suggestions: Cell<u32>,
    /// What must be known before the next try.
    needs: BTreeSet<Need>,
    findings: Diagnostics,
    /// Preconditions that do not hold.
    refused: Diagnostics,
    /// The tables that look-ups are for.
    places: BTreeMap<Lookup, Span>,
}

impl<'a> Work<'a> {
    fn new(
        config: &'a Config,
        schemas: &'a Schemas,
        facts: &'a Facts,
        sources: &'a Sources,
    ) -> Self {
        let root = ModuleInstance::new(&config.root, Arc::default(), None, schemas);
        let mut findings = config.root.mistakes.clone();
        config.called.values().for_each(|module| findings.extend(module.mistakes.clone()));
        Self {
            schemas,
            sources,
            config,
            facts,
            objects: None,
            deferring: false,
            judging: false,
            templates: Templates::default(),
            modules: vec![root],
            by_path: HashMap::new(),
            choice: provider::Choice::default(),
            here: Here::default(),
            frames: Vec::new(),
            depth: 0,
            crowded: false,
            instances_made: 0,
            attributes: HashMap::new(),
            suggestions: Cell::new(0),
            needs: BTreeSet::new(),
            findings,
            refused: Diagnostics::default(),
            places: BTreeMap::new(),
        }
    }

    fn expand(mut self) -> Result<(Desired, Diagnostics), Diagnostics> {
        let root = &self.config.root;
        let settings = self.settings(root.settings.as_ref());
        self.needs_written_out();
        self.variables(ModuleIx::ROOT);
        let providers = self.providers(&root.providers);
        // Most needs stand here: to answer them costs no second round over all resources.
        if self.needs.iter().any(|need| need.turn() == Turn::Machine)
            && let Some(asking) = self.asking()
        {
            return Ok((asking, Diagnostics::default()));
        }
        self.choice = provider::Choice::new(&providers);
        let (mut resources, mut links) = (Vec::new(), Vec::new());
        self.module_tree(ModuleIx::ROOT, &mut resources, &mut links);
        let imports = self.imports();
        self.missing_providers();
        self.named_values();
        resources.sort_by(|a, b| a.address.cmp(&b.address));
        links.sort_by(|a, b| a.address.cmp(&b.address));
        if let Some(asking) = self.asking() {
            // Neither a cloud nor a person is bothered with a configuration that is wrong anyway.
            if asking.needs.iter().all(|need| need.turn() > Turn::Machine)
                && self.findings.has_errors()
            {
                self.forget_harmless(&providers);
                return Err(in_source_order(self.findings));
            }
            // Ids are looked up in the state by the addresses that it has.
            let (moved, _) = self.moves();
            let repeated = self.repeated();
            let asking = Desired { providers, settings, moved, repeated, ..asking };
            return Ok((asking, Diagnostics::default()));
        }
        let (needs, places) = (BTreeSet::new(), BTreeMap::new());
        let index = (0..).zip(&resources).map(|(at, r)| (r.address.clone(), at)).collect();
        let (moved, removed) = self.moves();
        let refused = in_source_order(std::mem::take(&mut self.refused));
        let desired = Desired {
            resources,
            index,
            links,
            providers,
            settings,
            refused,
            imports,
            moved,
            removed,
            repeated: self.repeated(),
            needs,
            places,
        };
        self.check(&desired);
        self.check_moves(&desired);
        self.check_imports(&desired);
        self.forget_harmless(&desired.providers);
        in_source_order(self.findings).into_result(desired)
    }

    /// Everything that a module instance declares, and the modules that it calls.
    fn module_tree(
        &mut self,
        of: ModuleIx,
        resources: &mut Vec<DesiredResource>,
        links: &mut Vec<DesiredLink>,
    ) {
        let written = self.module(of).written;
        if of != ModuleIx::ROOT {
            self.variables(of);
            self.no_root_tables(written);
        }
        self.here = Here::module(of);
        for at in 0..written.data.len() {
            self.tables(of, at);
        }
        for block in &written.resources {
            self.block(of, block, (resources, links));
        }
        for call in &written.calls {
            self.check_call(call);
            match self.called(of, &call.block.label.text) {
                Some(Instances::One(ix)) => self.module_tree(ix, resources, links),
                Some(Instances::Many(many)) => {
                    many.list.iter().for_each(|(_, ix)| self.module_tree(*ix, resources, links));
                }
                Some(Instances::Open) | None => {}
            }
        }
    }

    /// What only the root may declare.
    fn no_root_tables(&mut self, written: &'a super::syntax::Module) {
        for block in written.providers.iter().chain(&written.settings) {
            let name = &block.kind.text;
            let problem = format!("`{name}` stands only in the root module");
            let finding = Diagnostic::error("not_here", problem)
                .at(block.declared, "in a called module")
                .help("modules use the providers of the root; a call may name one: provider = \"NAME\"");
            self.findings.push(finding);
        }
    }

    /// A secret of the built-in server is none.
    fn forget_harmless(&mut self, providers: &[super::ProviderConfig]) {
        if provider::only_the_emulator(providers) {
            self.findings.forget(provider::LITERAL_SECRET);
        }
    }

    /// What to answer with while there are needs.
    fn asking(&mut self) -> Option<Desired> {
        let mut needs = std::mem::take(&mut self.needs);
        let first = needs.iter().map(Need::turn).min();
        needs.retain(|need| Some(need.turn()) == first);
        let places = std::mem::take(&mut self.places);
        (!needs.is_empty()).then(|| Desired { needs, places, ..Desired::default() })
    }

    fn only_data(&mut self, block: &Block) {
        let name = block.name();
        let problem = format!("`{}` is no resource: it can only be looked up", block.kind.text);
        let finding = Diagnostic::error("only_data", problem)
            .at(block.kind.span, "only as data")
            .help(format!("write [data.{name}]"));
        self.findings.push(finding);
    }

    fn unknown_type(&mut self, block: &Block) {
        let kind = &block.kind.text;
        let problem =
            Diagnostic::error("unknown_type", format!("there is no resource type `{kind}`"))
                .at(block.kind.span, "unknown type");
        let help = match self.near_type(kind) {
            Some(near) => format!("did you mean `{near}`?"),
            None => "`rackform schema` lists the types".to_owned(),
        };
        self.findings.push(problem.help(help));
    }

    /// Reports why there is no value, if there is something to say.
    fn stopped(
        &mut self,
        stop: Stop,
        text: &super::syntax::Text,
        node: &Node,
        on: Option<&Address>,
    ) {
        if self.deferring && stop.is_not_yet_known() {
            return;
        }
        if let Some(mut finding) = stop.into_diagnostic(text, node.span.file) {
            finding.address = on.cloned();
            self.findings.push(finding);
        }
    }

    /// An attribute that the type, part or table does not have.
    fn unknown_attribute<'n>(
        &mut self,
        what: &str,
        key: &super::syntax::Word,
        known: impl IntoIterator<Item = &'n str>,
    ) {
        let name = &key.text;
        let problem = format!("{what} has no attribute `{name}`");
        let finding = Diagnostic::error("unknown_attribute", problem).at(key.span, "unknown");
        self.findings.push(match crate::diag::nearest(name, known) {
            Some(near) => finding.help(format!("did you mean `{near}`?")),
            None => match what.trim_matches('`') {
                ty if self.schemas.by_name(ty).is_some() => {
                    finding.help(format!("`rackform schema {ty}` lists its attributes"))
                }
                _ => finding,
            },
        });
    }

    /// `file:line` of a span, for the text of a message.
    fn place(&self, span: Span) -> String {
        self.sources.display(span)
    }
}

/// Findings are made type by type; people read them file by file.
fn in_source_order(findings: Diagnostics) -> Diagnostics {
    let mut all: Vec<Diagnostic> = findings.into_iter().collect();
    all.sort_by_key(|d| d.labels.first().map(|l| (l.span.file, l.span.start)));
    let mut sorted = Diagnostics::default();
    all.into_iter().for_each(|finding| sorted.push(finding));
    sorted
}

/// Whether an attribute applies, given the values of the others.
pub(crate) fn applies(attr: &crate::schema::Attribute, row: &[Value]) -> bool {
    attr.when.iter().all(|condition| {
        if condition.values.is_empty() {
            return row.get(usize::from(condition.attr.0)).is_some_and(|value| !value.is_null());
        }
        let value = row.get(usize::from(condition.attr.0)).map(Value::reveal);
        let text = match value {
            Some(Value::Str(text)) => text.to_string(),
            Some(Value::Bool(b)) => b.to_string(),
            Some(Value::Int(n)) => n.to_string(),
            _ => return false,
        };
        condition.values.iter().any(|v| **v == *text)
    })
}

type Seen<K> = HashMap<K, (Address, Span)>;
