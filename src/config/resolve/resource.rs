//! One instance of a block → [`DesiredResource`] and its attachments.
//!
//! In: the block, what its instances share, and the address of this one. Out: a row in schema order with defaults filled in, and what was
//! wrong with single attributes. What needs several resources is judged in `check`.

use std::sync::Arc;

use super::block::{Common, Shared};
use super::depends::Before;
use super::kind::Target;
use super::link::Declarer;
use super::meta::META;
use super::{Work, applies};
use crate::address::Address;
use crate::config::syntax::Entry;
use crate::config::{DesiredLink, DesiredResource};
use crate::diag::{Diagnostic, Span};
use crate::schema::{AttrIx, Attribute, Condition, ResourceType, Row};
use crate::value::Value;

impl Work<'_> {
    pub(super) fn resource(
        &mut self,
        common: &mut Common<'_>,
        address: &Address,
        (resources, links): (&mut Vec<DesiredResource>, &mut Vec<DesiredLink>),
    ) {
        let (block, resource, ty) = (common.block, common.resource.clone(), common.ty);
        let by = Declarer { address, ty, resource: &resource };
        let mut row = RowInWork::new(&resource, common.spans.clone());
        let (mut mentions, mut part_mentions) = (Vec::new(), Vec::new());
        let mut elements = Vec::new();
        for (at, entry) in block.entries.iter().enumerate() {
            if let Some(ix) = resource.find_attr(&entry.key.text) {
                self.attribute((common, at), ix, &by, &mut row);
            } else if let Some(ix) = resource.find_link(&entry.key.text) {
                let tree = self.entry(common, at, &by);
                if self.links(&by, ix, tree, links) {
                    mentions.push(ix);
                }
            } else if let Some(ix) = resource.find_part(&entry.key.text) {
                let tree = self.entry(common, at, &by);
                if self.elements_of(&by, ix, (entry, tree), &mut elements) {
                    part_mentions.push(ix);
                }
            } else {
                self.other(entry, &resource);
            }
        }
        mentions.sort_unstable();
        self.complete(block.declared, &by, &mut row);
        self.baremetal_together(block.declared, &by, &row);
        self.missing_parts(&by, (&part_mentions, block.declared));
        let provider = self.provider_once(common, address);
        for element in &mut elements {
            element.provider = provider.clone();
            element.lifecycle = common.of_elements.clone();
        }
        resources.append(&mut elements);
        let depends_on = self.depends_on_once(common, address);
        let replaced_by = self.triggers_once(common, address);
        resources.push(DesiredResource {
            provider,
            lifecycle: common.lifecycle.clone(),
            depends_on,
            replaced_by,
            address: address.clone(),
            ty,
            attrs: row.values,
            spans: row.spans,
            declared: block.declared,
            mentions,
            part_mentions,
        });
    }

    /// One attribute. What is the same for all instances is converted once.
    fn attribute(
        &mut self,
        (common, at): (&mut Common<'_>, usize),
        ix: AttrIx,
        by: &Declarer<'_>,
        row: &mut RowInWork,
    ) {
        let attr = by.resource.attr(ix);
        let place = usize::from(ix.0);
        let entry = &common.block.entries[at];
        let value = match &common.entries[at] {
            Shared::Value(value) => value.clone(),
            Shared::No if !attr.computed => {
                let tree = self.tree(&entry.value, Some(by.address));
                let to = Target { on: by.address, attr, kind: &attr.kind };
                tree.and_then(|tree| self.convert(tree, to))
            }
            _ => {
                let value = self.shared_attribute(entry, attr, &common.address);
                common.entries[at] = Shared::Value(value.clone());
                value
            }
        };
        match value {
            Some(value) => row.values[place] = value,
            None => row.broken[place] = true,
        }
    }

    fn shared_attribute(&mut self, entry: &Entry, attr: &Attribute, on: &Address) -> Option<Value> {
        if attr.computed {
            self.computed(&attr.name, entry.key.span, on);
            return None;
        }
        let tree = self.tree(&entry.value, Some(on))?;
        self.convert(tree, Target { on, attr, kind: &attr.kind })
    }

    fn provider_once(&mut self, common: &mut Common<'_>, address: &Address) -> Arc<str> {
        if let Some(known) = &common.provider {
            return known.clone();
        }
        let provider = self.provider_of(common.block, &common.resource, address);
        let entry = common.block.get("provider");
        if !entry.is_some_and(|entry| self.varies(&entry.value)) {
            common.provider = Some(provider.clone());
        }
        provider
    }

    fn depends_on_once(&mut self, common: &mut Common<'_>, address: &Address) -> Before {
        if let Some(known) = &common.depends_on {
            return known.clone();
        }
        let found = self.before(common.block, address);
        let entry = common.block.get("depends_on");
        if !entry.is_some_and(|entry| self.varies(&entry.value)) {
            common.depends_on = Some(found.clone());
        }
        found
    }

    /// What is neither attribute nor link.
    fn other(&mut self, entry: &Entry, resource: &ResourceType) {
        let name = &*entry.key.text;
        match name {
            name if META.contains(&name) => {}
            _ => {
                let attrs = resource.attrs.iter().filter(|a| a.writable()).map(|a| &*a.name);
                let links = resource.links.iter().map(|l| &*l.name);
                let parts = resource.parts.iter().map(|p| &*p.name);
                let known = attrs.chain(links).chain(parts).chain(META);
                self.unknown_attribute(&format!("`{}`", resource.name), &entry.key, known);
            }
        }
    }

    /// Name, defaults, required attributes and those that do not apply.
    pub(super) fn complete(&mut self, declared: Span, by: &Declarer<'_>, row: &mut RowInWork) {
        for (ix, attr) in by.resource.attrs() {
            let at = usize::from(ix.0);
            if row.broken[at] || !row.values[at].is_null() || attr.computed {
                continue;
            }
            // What is discovered has its own name.
            if &*attr.name == "name" && by.resource.create.is_some() {
                row.values[at] = Value::str(&by.address.default_name());
            } else if let Some(default) = &attr.default
                && attr.when.is_empty()
            {
                row.values[at] = default.clone();
            }
        }
        // A second round: conditions may look at the defaults of the first.
        for (ix, attr) in by.resource.attrs() {
            let at = usize::from(ix.0);
            if row.broken[at] || self.any_broken(&attr.when, row) {
                continue;
            }
            let applies = applies(attr, &row.values);
            if row.values[at].is_null() && applies {
                match &attr.default {
                    Some(default) => row.values[at] = default.clone(),
                    // What only newer servers require is judged when the server is known.
                    None if attr.always_required() => {
                        self.missing(&attr.name, declared, by.address);
                    }
                    None => {}
                }
            } else if !applies
                && let (false, Some(span)) = (row.values[at].is_null(), row.spans[at])
            {
                self.does_not_apply(ix, span, by, row);
            }
        }
    }

    fn any_broken(&self, conditions: &[Condition], row: &RowInWork) -> bool {
        conditions.iter().any(|c| row.broken.get(usize::from(c.attr.0)).copied().unwrap_or(true))
    }

    fn does_not_apply(&mut self, ix: AttrIx, at: Span, by: &Declarer<'_>, row: &RowInWork) {
        let attr = by.resource.attr(ix);
        let mut finding =
            Diagnostic::error("not_applicable", format!("`{}` does not apply here", attr.name))
                .at(at, "remove this")
                .on(by.address);
        let mut needs = Vec::new();
        for condition in &attr.when {
            let other = &by.resource.attr(condition.attr).name;
            let values: Vec<_> = condition.values.iter().map(|v| format!("\"{v}\"")).collect();
            needs.push(match values.as_slice() {
                [] => format!("`{other}` is set"),
                values => format!("`{other}` is {}", values.join(" or ")),
            });
            if let Some(span) = row.spans.get(usize::from(condition.attr.0)).copied().flatten() {
                finding = finding.at(span, format!("because of this `{other}`"));
            }
        }
        self.findings
            .push(finding.detail(format!("It exists only where {}.", needs.join(" and "))));
    }
}

/// A row while it is being filled.
pub(super) struct RowInWork {
    pub values: Row,
    pub spans: Arc<[Option<Span>]>,
    /// Written, but of no use; reported already.
    pub broken: Vec<bool>,
}

impl RowInWork {
    pub fn new(resource: &ResourceType, spans: Arc<[Option<Span>]>) -> Self {
        let count = resource.attrs.len();
        Self { values: resource.empty_row(), spans, broken: vec![false; count] }
    }
}
