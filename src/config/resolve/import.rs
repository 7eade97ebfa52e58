//! `[[import]]`: what stands in it → [`Import`], one for each key of its `for_each`.
//!
//! In: the tables of all modules. Out: addresses as the root module sees them, and ids. Then, when
//! everything is known: whether they make sense together. What is in the state or in the cloud is
//! no question here.

use std::collections::HashMap;
use std::sync::Arc;

use super::Work;
use super::instances::{Each, Instances};
use super::module::{Here, ModuleIx};
use crate::address::Address;
use crate::config::syntax::{Block, Entry};
use crate::config::{Desired, Import, ImportPlace};
use crate::diag::{Diagnostic, Span, nearest};
use crate::value::Value;

const KEYS: [&str; 4] = ["to", "id", "for_each", "for_each_key"];

/// What to write for an address that is none.
const ADDRESS: &str = "write an address: \"host.kvm\" or 'host.kvm[\"01\"]'";

impl Work<'_> {
    /// The tables of all module instances.
    pub(super) fn imports(&mut self) -> Vec<Import> {
        let mut all = Vec::new();
        for of in self.module_numbers() {
            let written = self.module(of).written;
            for block in &written.imports {
                self.import(of, block, &mut all);
            }
        }
        all
    }

    fn import(&mut self, of: ModuleIx, block: &Block, all: &mut Vec<Import>) {
        self.only(block, &KEYS);
        let (to, id) = (self.needed(block, "to"), self.needed(block, "id"));
        let (Some(to), Some(id)) = (to, id) else { return };
        let found = self.at(Here::module(of), |work| work.instances(block, None));
        let mut one = |work: &mut Self, each: &Each| {
            let here = Here { each: each.clone(), ..Here::module(of) };
            let made = work.at(here, |work| {
                let (address, text) = (work.import_to(to), work.import_id(id));
                Some((address?, text?))
            });
            let Some((address, text)) = made else { return };
            let place = ImportPlace { to: to.value.span, id: id.value.span };
            all.push(Import { to: address, id: text, place: Some(place) });
        };
        match found {
            Instances::One(()) => one(self, &Each::None),
            Instances::Many(many) => many.list.iter().for_each(|(each, ())| one(self, each)),
            Instances::Open => {}
        }
    }

    fn needed<'b>(&mut self, block: &'b Block, key: &str) -> Option<&'b Entry> {
        let entry = block.get(key);
        if entry.is_none() {
            let example = if key == "to" { "TYPE.LABEL" } else { "ID OF THE OBJECT" };
            let finding =
                Diagnostic::error("missing_attribute", format!("this `[[import]]` has no `{key}`"))
                    .at(block.declared, format!("`{key}` is missing"))
                    .help(format!("write {key} = \"{example}\""));
            self.findings.push(finding);
        }
        entry
    }

    /// The address that a table names, seen from the root module.
    fn import_to(&mut self, entry: &Entry) -> Option<Address> {
        let address = match self.import_value(entry, ADDRESS)? {
            Value::Str(text) => match Address::parse(&text) {
                Ok(address) => {
                    let path = self.current().path.clone();
                    path.iter().rev().fold(address, |inner, step| inner.within(step.clone()))
                }
                Err(error) => {
                    let problem = format!("`to` must be an address: {}", error.reason);
                    return self.import_wrong(("bad_address", problem), entry, ADDRESS);
                }
            },
            Value::Object(address) => address,
            _ => {
                let problem = "`to` must be an address in quotes".to_owned();
                return self.import_wrong(("bad_address", problem), entry, ADDRESS);
            }
        };
        if address.member_of().is_some() {
            let problem = format!("`{address}` is imported with `{}`", address.owner());
            let help = "import its resource: attachments and parts come along";
            return self.import_wrong(("import_member", problem), entry, help);
        }
        Some(address)
    }

    fn import_id(&mut self, entry: &Entry) -> Option<Arc<str>> {
        let help = "write the id in quotes; the console shows it with the object's details";
        match self.import_value(entry, help)? {
            Value::Str(id) if !id.is_empty() => Some(id),
            Value::Found(found) if !found.id.is_empty() => Some(found.id.clone()),
            Value::Object(_) | Value::Id(_) => {
                let problem = "`id` is that of an object of this configuration".to_owned();
                self.import_wrong(("not_yet_known", problem), entry, help)
            }
            _ => {
                let problem = "`id` must be the id of an object".to_owned();
                self.import_wrong(("wrong_kind", problem), entry, help)
            }
        }
    }

    /// What an entry comes to; `None` when it is not known yet, or when there is a mistake.
    fn import_value(&mut self, entry: &Entry, help: &str) -> Option<Value> {
        match self.tree(&entry.value, None)?.into_value() {
            // A configuration that is only judged looks nothing up.
            Value::Found(found) if found.attrs.is_none() => None,
            Value::Sensitive(_) => {
                let problem = format!("`{}` is a secret: plans show it", entry.key.text);
                self.import_wrong(("secret_key", problem), entry, help)
            }
            value => Some(value),
        }
    }

    fn import_wrong<T>(
        &mut self,
        (code, problem): (&'static str, String),
        entry: &Entry,
        help: &str,
    ) -> Option<T> {
        let finding = Diagnostic::error(code, problem).at(entry.value.span, "here").help(help);
        self.findings.push(finding);
        None
    }

    /// What the tables of all modules say together.
    pub(super) fn check_imports(&mut self, desired: &Desired) {
        let (mut by_to, mut by_id) = (HashMap::new(), HashMap::new());
        for one in &desired.imports {
            let Some(place) = one.place else { continue };
            let Some(resource) = desired.get(&one.to) else {
                self.import_to_nothing(one, place, desired);
                continue;
            };
            if let Some(first) = by_to.insert(&one.to, place.to) {
                let problem = format!("two objects are imported as `{}`", one.to);
                self.import_twice(problem, (first, place.to));
            } else if let Some(first) = by_id.insert((&resource.provider, &one.id), place.id) {
                let problem = format!("`{}` is imported under two addresses", one.id);
                self.import_twice(problem, (first, place.id));
            }
        }
    }

    fn import_twice(&mut self, problem: String, (first, again): (Span, Span)) {
        let finding = Diagnostic::error("import_twice", problem)
            .at(again, "again here")
            .at(first, "first here")
            .detail(format!("The first stands at {}.", self.place(first)))
            .help("remove one of them");
        self.findings.push(finding);
    }

    fn import_to_nothing(&mut self, one: &Import, place: ImportPlace, desired: &Desired) {
        // What is only judged has gaps: instances of which nothing is known yet.
        if self.judging && self.has_block(&one.to) {
            return;
        }
        let names = desired.resources.iter().filter(|r| r.address.member_of().is_none());
        let near = nearest(one.to.as_str(), names.map(|r| r.address.as_str()));
        let problem = format!("the configuration has no `{}`", one.to);
        let finding = Diagnostic::error("import_to_nothing", problem).at(place.to, "not declared");
        self.findings.push(match near {
            Some(near) => finding.help(format!("did you mean `{near}`?")),
            None => finding.help("write its block: an import gives an object to an address"),
        });
    }

    /// Whether a block declares such an address, as far as its module is known.
    fn has_block(&self, address: &Address) -> bool {
        let of = match address.modules() {
            [] => Some(ModuleIx::ROOT),
            path => self.by_path.get(path).copied(),
        };
        let declares =
            |of: ModuleIx| self.module(of).block(address.kind(), address.label()).is_some();
        of.is_none_or(declares)
    }
}
