//! `depends_on`: what comes first although nothing refers to it.
//!
//! In: lists of addresses on resources and on calls of modules. Out: the resources that each
//! resource waits for: its own and those of the calls that it is in. A module stands for everything
//! in it.

use std::sync::Arc;

use super::Work;
use super::attr::{Shape, Tree};
use super::instances::Instances;
use super::module::{Here, ModuleIx, Once};
use super::reference::{bad_reference, object};
use crate::address::{Address, ModuleStep};
use crate::config::expr::{Fault, Stop};
use crate::config::syntax::Block;
use crate::diag::Span;
use crate::value::Value;

/// Resources, and where it is written that they come first.
pub(super) type Before = Arc<[(Address, Span)]>;

impl<'a> Work<'a> {
    /// What a resource waits for.
    pub(super) fn before(&mut self, block: &Block, on: &Address) -> Before {
        let inherited = self.before_module(self.here.module);
        if block.get("depends_on").is_none() {
            return inherited;
        }
        let own = self.depends_on(block, on);
        in_order(own.into_iter().chain(inherited.iter().cloned()))
    }

    /// What everything in a module waits for.
    fn before_module(&mut self, of: ModuleIx) -> Before {
        let Some((caller, call, each)) = self.module(of).caller.clone() else {
            return Before::default();
        };
        match &self.module(of).before {
            Once::Done(known) => return known.clone(),
            // It waits for something that is in itself, which is reported as a circle.
            Once::Busy => return Before::default(),
            Once::Not => {}
        }
        self.module_mut(of).before = Once::Busy;
        let outer = self.before_module(caller);
        let found = if call.get("depends_on").is_none() {
            outer
        } else {
            let on =
                Address::in_module(&self.module(caller).path, &"module".into(), &call.label.text);
            let here = Here { each, ..Here::module(caller) };
            let own = self.at(here, |work| work.depends_on(call, &on));
            in_order(own.into_iter().chain(outer.iter().cloned()))
        };
        self.module_mut(of).before = Once::Done(found.clone());
        found
    }

    fn depends_on(&mut self, block: &Block, on: &Address) -> Vec<(Address, Span)> {
        let Some(entry) = block.get("depends_on") else { return Vec::new() };
        let Some(tree) = self.tree(&entry.value, Some(on)) else { return Vec::new() };
        let items = match tree.items() {
            Ok(items) => items,
            Err(Tree { shape: Shape::Leaf(value), .. }) if value.is_null() => Vec::new(),
            Err(_) => {
                self.meta_kind(entry, "a list of addresses");
                Vec::new()
            }
        };
        let mut all: Vec<(Address, Span)> = Vec::with_capacity(items.len());
        for item in items {
            match self.named(&item) {
                Ok(found) => all.extend(found.into_iter().map(|address| (address, item.span))),
                Err(stop) => self.no_reference(stop, &item, on).unwrap_or_default(),
            }
        }
        all
    }

    /// The resources that an element names: one, all instances of a block, all in a module.
    fn named(&mut self, tree: &Tree) -> Result<Vec<Address>, Stop> {
        match &tree.shape {
            Shape::Leaf(Value::Object(address) | Value::Id(address)) => Ok(vec![address.clone()]),
            Shape::Leaf(Value::Map(items)) => Ok(items.values().filter_map(object).collect()),
            Shape::Leaf(Value::List(items)) => Ok(items.iter().filter_map(object).collect()),
            Shape::Leaf(Value::Str(text)) => match (Address::parse(text), module(text)) {
                (Ok(address), _) => self.block_or_instance(&address),
                (Err(_), Some(step)) => self.all_called(&step),
                (Err(error), None) => Err(Fault::new("bad_reference", error.to_string())
                    .help("write the address of a resource or module: \"TYPE.LABEL\"")
                    .into()),
            },
            Shape::Leaf(value) => Err(bad_reference(value, &[]).into()),
            Shape::List(_) => Err(bad_reference(&Value::list(Vec::new()), &[]).into()),
            Shape::Map(_) => Err(bad_reference(&Value::map(Default::default()), &[]).into()),
        }
    }

    fn block_or_instance(&mut self, address: &Address) -> Result<Vec<Address>, Stop> {
        if address.key().is_none()
            && address.modules().is_empty()
            && address.member_of().is_none()
            && let Some(Instances::Many(many)) =
                self.addresses(self.here.module, (address.kind(), address.label()))
        {
            return Ok(many.list.iter().map(|(_, found)| found.clone()).collect());
        }
        Ok(vec![self.find(address, &[])?])
    }

    /// Everything in a module that is called here, in one of its instances or in all.
    fn all_called(&mut self, step: &ModuleStep) -> Result<Vec<Address>, Stop> {
        let of = self.here.module;
        let Some(found) = self.called(of, &step.name) else {
            return Err(self.unknown_module(&step.name).into());
        };
        let chosen: Vec<ModuleIx> = match (found, step.key.as_deref()) {
            (Instances::Open, _) => return Err(Stop::Silent),
            (Instances::One(ix), None) => vec![ix],
            (Instances::Many(many), None) => many.list.iter().map(|(_, ix)| *ix).collect(),
            (Instances::One(_), Some(_)) => {
                return Err(super::module::no_instances(&format!("module.{}", step.name)).into());
            }
            (Instances::Many(many), Some(key)) => match many.get(key) {
                Some((_, ix)) => vec![*ix],
                None => {
                    let shown = format!("module.{}", step.name);
                    return Err(super::module::no_instance(&shown, key, &many).into());
                }
            },
        };
        let mut all = Vec::new();
        chosen.into_iter().for_each(|ix| self.everything_in(ix, &mut all));
        Ok(all)
    }

    fn everything_in(&mut self, of: ModuleIx, all: &mut Vec<Address>) {
        let written = self.module(of).written;
        for block in &written.resources {
            let kind = match self.schemas.by_name(&block.kind.text) {
                Some(ty) => ty.name.clone(),
                None => continue,
            };
            match self.addresses(of, (&kind, &block.label.text)) {
                Some(Instances::One(address)) => all.push(address),
                Some(Instances::Many(many)) => {
                    all.extend(many.list.iter().map(|(_, address)| address.clone()));
                }
                Some(Instances::Open) | None => {}
            }
        }
        for call in &written.calls {
            match self.called(of, &call.block.label.text) {
                Some(Instances::One(ix)) => self.everything_in(ix, all),
                Some(Instances::Many(many)) => {
                    many.list.iter().for_each(|(_, ix)| self.everything_in(*ix, all));
                }
                Some(Instances::Open) | None => {}
            }
        }
    }
}

/// `module.NAME` or `module.NAME["key"]`, seen from where it is called.
fn module(text: &str) -> Option<ModuleStep> {
    if !text.starts_with("module.") {
        return None;
    }
    // An address of a resource in it has its steps.
    let inside = Address::parse(&format!("{text}.type.label")).ok()?;
    match inside.modules() {
        [step] if inside.kind() == "type" => Some(step.clone()),
        _ => None,
    }
}

/// Each resource once.
fn in_order(all: impl Iterator<Item = (Address, Span)>) -> Before {
    let mut all: Vec<_> = all.collect();
    all.sort();
    all.dedup_by(|a, b| a.0 == b.0);
    all.into()
}
