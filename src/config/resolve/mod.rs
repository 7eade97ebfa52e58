//! [`Config`] × schemas × facts → [`Desired`]: everything evaluated, checked and in order.
//!
//! In: the configuration as written, the resource types, and answers to earlier needs. Out: the
//! desired resources and attachments, or every mistake there is. Asks for what it lacks by name
//! and is called again; knows no resource type by name, no file and no environment.

mod attr;
mod check;
mod data;
#[cfg(test)]
mod data_tests;
mod kind;
#[cfg(test)]
mod kind_tests;
mod link;
mod matches;
mod meta;
mod moved;
mod parameter;
mod part;
mod problem;
mod provider;
mod quirk;
mod reference;
mod resource;
mod setting;
mod table;
mod trigger;
mod variable;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::expr::{Evaluator, Next, Scope, Stop};
use super::syntax::{Block, Config, Node};
use super::{Desired, DesiredLink, DesiredResource, Facts, Lookup, Need};
use crate::address::Address;
use crate::diag::{Diagnostic, Diagnostics, Sources, Span};
use crate::schema::Schemas;
use crate::value::Value;
use reference::Names;

pub use check::edges;
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
    Work::new(config, schemas, facts, sources).expand(config, facts)
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
    work.evaluator.unset_is_unknown = true;
    let (desired, warnings) = work.expand(config, facts)?;
    let Desired { resources, links, needs, .. } = desired;
    let members = resources.iter().filter(|r| r.address.member_of().is_some()).count();
    let resources = resources.len() - members;
    Ok((Judged { resources, links: links.len(), elements: members, needs }, warnings))
}

/// What the parts of this stage share.
struct Work<'a> {
    schemas: &'a Schemas,
    sources: &'a Sources,
    evaluator: Evaluator<'a>,
    names: Names,
    findings: Diagnostics,
    /// The tables that look-ups are for.
    places: BTreeMap<Lookup, Span>,
}

impl<'a> Work<'a> {
    fn new(config: &Config, schemas: &'a Schemas, facts: &'a Facts, sources: &'a Sources) -> Self {
        let evaluator = Evaluator::new(&facts.env);
        let findings = config.mistakes.clone();
        let (names, places) = (Names::default(), BTreeMap::new());
        Self { schemas, sources, evaluator, names, findings, places }
    }

    fn expand(
        mut self,
        config: &Config,
        facts: &Facts,
    ) -> Result<(Desired, Diagnostics), Diagnostics> {
        let settings = self.settings(config.settings.as_ref());
        self.variables(&config.variables, facts);
        let providers = self.providers(&config.providers);
        let moved = self.moved(&config.moved, &[]);
        let removed = self.removed(&config.removed, &[]);
        // Most needs stand here: to answer them costs no second round over all resources.
        if let Some(asking) = self.asking() {
            return Ok((asking, Diagnostics::default()));
        }
        self.names.declare(&config.resources, self.schemas);
        let choice = provider::Choice::new(&providers);
        self.data(&config.data, &choice, facts);
        let (mut resources, mut links) = self.resources(&config.resources, &choice);
        resources.sort_by(|a, b| a.address.cmp(&b.address));
        links.sort_by(|a, b| a.address.cmp(&b.address));
        if let Some(asking) = self.asking() {
            // No cloud is bothered with a configuration that is wrong anyway.
            if asking.needs.iter().all(Need::of_cloud) && self.findings.has_errors() {
                self.forget_harmless(&providers);
                return Err(in_source_order(self.findings));
            }
            // Ids are looked up in the state by the addresses that it has.
            let asking = Desired { providers, settings, moved, removed, ..asking };
            return Ok((asking, Diagnostics::default()));
        }
        let (needs, places) = (BTreeSet::new(), BTreeMap::new());
        let index = (0..).zip(&resources).map(|(at, r)| (r.address.clone(), at)).collect();
        let desired =
            Desired { resources, index, links, providers, settings, moved, removed, needs, places };
        self.check(&desired);
        self.check_moves(&desired);
        self.check_triggers(&desired);
        self.forget_harmless(&desired.providers);
        in_source_order(self.findings).into_result(desired)
    }

    /// A secret of the built-in server is none.
    fn forget_harmless(&mut self, providers: &[super::ProviderConfig]) {
        if provider::only_the_emulator(providers) {
            self.findings.forget(provider::LITERAL_SECRET);
        }
    }

    /// What to answer with while there are needs. The environment first: what a cloud is asked may
    /// depend on it.
    fn asking(&mut self) -> Option<Desired> {
        let mut needs = std::mem::take(&mut self.evaluator.needs);
        if needs.iter().any(|need| !need.of_cloud()) {
            needs.retain(|need| !need.of_cloud());
        }
        let places = std::mem::take(&mut self.places);
        (!needs.is_empty()).then(|| Desired { needs, places, ..Desired::default() })
    }

    fn resources(
        &mut self,
        blocks: &[Block],
        choice: &provider::Choice,
    ) -> (Vec<DesiredResource>, Vec<DesiredLink>) {
        let mut resources = Vec::with_capacity(blocks.len());
        let mut links = Vec::new();
        for block in blocks {
            // The type of a part's elements has a name that no block can mean.
            let known = self.schemas.find(&block.kind.text);
            match known.filter(|ty| self.schemas.get(*ty).part_of.is_none()) {
                None => self.unknown_type(block),
                Some(ty) if self.schemas.get(ty).data_only() => self.only_data(block),
                Some(ty) => self.resource(block, ty, choice, (&mut resources, &mut links)),
            }
        }
        self.missing_providers(choice);
        (resources, links)
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
        let help = match self.names.near_type(kind, self.schemas) {
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
            None => finding,
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

/// A scope without names: for defaults of variables and values from the command line.
struct NoNames;

impl Scope for NoNames {
    fn variable(&self, _: &str) -> Result<Value, Stop> {
        Err(reference::not_here("variables").into())
    }
    fn object(&self, _: &str, _: &str, _: Option<&str>) -> Result<Value, Stop> {
        Err(reference::not_here("resources").into())
    }
    fn data(&self, _: &str, _: &str, _: &Next<'_>) -> Result<Value, Stop> {
        Err(reference::not_here("`data`").into())
    }
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
