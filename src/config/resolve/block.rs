//! One block `[TYPE.LABEL]` → the resources of all its instances.
//!
//! In: a block. Out: one [`DesiredResource`] for each instance. What is the same for all instances
//! is evaluated once, and what is wrong with it is said once.

use std::sync::Arc;

use super::Work;
use super::attr::Tree;
use super::condition::Rule;
use super::depends::Before;
use super::instances::{Each, Instances};
use super::link::Declarer;
use super::module::{Here, ModuleIx};
use crate::address::Address;
use crate::config::syntax::{Block, Literal, Node};
use crate::config::{DesiredLink, DesiredResource, Lifecycle, Trigger};
use crate::diag::Span;
use crate::schema::{ResourceType, TypeIx};
use crate::value::Value;

/// A block, and what all its instances share.
pub(super) struct Common<'b> {
    pub block: &'b Block,
    pub ty: TypeIx,
    pub resource: Arc<ResourceType>,
    /// Without a key.
    pub address: Address,
    pub spans: Arc<[Option<Span>]>,
    pub lifecycle: Arc<Lifecycle>,
    /// The lifecycle of the elements of its parts.
    pub of_elements: Arc<Lifecycle>,
    /// By entry of the block.
    pub entries: Vec<Shared>,
    pub provider: Option<Arc<str>>,
    pub depends_on: Option<Before>,
    pub preconditions: Vec<Rule<'b>>,
    pub replaced_by: Option<Arc<[Trigger]>>,
}

/// An entry of a block, as far as it is the same for all instances.
#[derive(Clone)]
pub(super) enum Shared {
    /// It depends on the instance.
    No,
    /// It is the same and has not been evaluated yet.
    Open,
    Tree(Option<Tree>),
    /// The value of an attribute; `None`: there is none, which has been reported.
    Value(Option<Value>),
}

impl<'a> Work<'a> {
    pub(super) fn block(
        &mut self,
        of: ModuleIx,
        block: &'a Block,
        out: (&mut Vec<DesiredResource>, &mut Vec<DesiredLink>),
    ) {
        // The type of a part's elements has a name that no block can mean.
        let known = self.schemas.find(&block.kind.text);
        match known.filter(|ty| self.schemas.get(*ty).part_of.is_none()) {
            None => self.unknown_type(block),
            Some(ty) if self.schemas.get(ty).data_only() => self.only_data(block),
            Some(ty) => self.instances_of(of, (block, ty), out),
        }
    }

    fn instances_of(
        &mut self,
        of: ModuleIx,
        (block, ty): (&'a Block, TypeIx),
        (resources, links): (&mut Vec<DesiredResource>, &mut Vec<DesiredLink>),
    ) {
        let kind = self.schemas.get(ty).name.clone();
        let Some(found) = self.addresses(of, (&kind, &block.label.text)) else { return };
        self.here = Here::module(of);
        let mut common = self.common(of, block, ty);
        match found {
            Instances::One(address) => {
                self.resource(&mut common, &address, (resources, links));
                self.preconditions(&common, &address);
            }
            Instances::Many(many) => {
                resources.reserve(many.list.len());
                for (each, address) in &many.list {
                    self.here.each = each.clone();
                    self.resource(&mut common, address, (resources, links));
                    self.preconditions(&common, address);
                }
                if many.list.is_empty() {
                    self.without_instances(&mut common);
                }
            }
            Instances::Open => self.judge_only(&mut common),
        }
        self.here = Here::module(of);
    }

    /// Judges a block whose instances are not known: whatever depends on the instance is not.
    pub(super) fn judge_only(&mut self, common: &mut Common<'_>) {
        self.here.each = Each::Open;
        let address = common.address.clone();
        self.resource(common, &address, (&mut Vec::new(), &mut Vec::new()));
    }

    fn common(&mut self, of: ModuleIx, block: &'a Block, ty: TypeIx) -> Common<'a> {
        let resource = self.schemas.get(ty).clone();
        let address = match self.module(of).block(&resource.name, &block.label.text) {
            Some(state) => state.address.clone(),
            None => Address::new(&block.kind.text, &block.label.text),
        };
        let mut spans = vec![None; resource.attrs.len()];
        for entry in &block.entries {
            if let Some(ix) = resource.find_attr(&entry.key.text) {
                spans[usize::from(ix.0)] = Some(entry.value.span);
            }
        }
        let lifecycle = self.lifecycle(block, &resource);
        let preconditions = self.lifecycle_rules(block, "precondition");
        let of_elements =
            Lifecycle { timeouts: lifecycle.timeouts.clone(), ..Lifecycle::default() };
        let varies =
            |work: &mut Self, node| if work.varies(node) { Shared::No } else { Shared::Open };
        let entries = block.entries.iter().map(|entry| varies(self, &entry.value)).collect();
        Common {
            block,
            ty,
            resource,
            address,
            spans: spans.into(),
            lifecycle: Arc::new(lifecycle),
            of_elements: Arc::new(of_elements),
            entries,
            provider: None,
            depends_on: None,
            preconditions,
            replaced_by: None,
        }
    }

    /// Whether a written value can differ from instance to instance.
    pub(super) fn varies(&mut self, node: &Node) -> bool {
        match &node.value {
            Literal::Str(text) if text.is_template() => {
                self.templates.get(&text.text).is_ok_and(|parsed| parsed.varies)
            }
            Literal::List(items) => items.iter().any(|item| self.varies(item)),
            Literal::Table(entries) => entries.iter().any(|entry| self.varies(&entry.value)),
            _ => false,
        }
    }

    /// The value of an entry for this instance.
    pub(super) fn entry(
        &mut self,
        common: &mut Common<'_>,
        at: usize,
        by: &Declarer<'_>,
    ) -> Option<Tree> {
        let entry = &common.block.entries[at];
        match &common.entries[at] {
            Shared::Tree(tree) => tree.clone(),
            Shared::Open => {
                let on = common.address.clone();
                let tree = self.tree(&entry.value, Some(&on));
                common.entries[at] = Shared::Tree(tree.clone());
                tree
            }
            Shared::No | Shared::Value(_) => self.tree(&entry.value, Some(by.address)),
        }
    }
}

/// Whether there is an expression in a written value.
pub(super) fn is_computed(node: &Node) -> bool {
    match &node.value {
        Literal::Str(text) => text.is_template(),
        Literal::List(items) => items.iter().any(is_computed),
        Literal::Table(entries) => entries.iter().any(|entry| is_computed(&entry.value)),
        _ => false,
    }
}
