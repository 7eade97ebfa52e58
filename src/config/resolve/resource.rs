//! One block `[TYPE.LABEL]` → [`DesiredResource`] and its attachments.
//!
//! In: the block and its type. Out: a row in schema order with defaults filled in, and what was
//! wrong with single attributes. What needs several resources is judged in `check`.

use std::sync::Arc;

use super::kind::Target;
use super::link::Declarer;
use super::meta::META;
use super::provider::Choice;
use super::{Work, applies};
use crate::address::Address;
use crate::config::syntax::{Block, Entry};
use crate::config::{DesiredLink, DesiredResource, Lifecycle};
use crate::diag::{Diagnostic, Span};
use crate::schema::{AttrIx, Condition, ResourceType, Row, TypeIx};
use crate::value::Value;

impl Work<'_> {
    pub(super) fn resource(
        &mut self,
        block: &Block,
        ty: TypeIx,
        choice: &Choice,
        (resources, links): (&mut Vec<DesiredResource>, &mut Vec<DesiredLink>),
    ) {
        let resource = self.schemas.get(ty).clone();
        let address = match self.names.address(&block.kind.text, &block.label.text) {
            Some(known) => known.clone(),
            None => Address::new(&block.kind.text, &block.label.text),
        };
        let by = Declarer { address: &address, ty, resource: &resource };
        let mut row = RowInWork::new(&resource);
        let (mut mentions, mut part_mentions) = (Vec::new(), Vec::new());
        let mut elements = Vec::new();
        for entry in &block.entries {
            if let Some(ix) = resource.find_attr(&entry.key.text) {
                self.attribute(entry, ix, &by, &mut row);
            } else if let Some(ix) = resource.find_link(&entry.key.text) {
                if self.links(&by, ix, entry, links) {
                    mentions.push(ix);
                }
            } else if let Some(ix) = resource.find_part(&entry.key.text) {
                if self.elements_of(&by, ix, entry, &mut elements) {
                    part_mentions.push(ix);
                }
            } else {
                self.other(entry, &resource);
            }
        }
        mentions.sort_unstable();
        self.complete(block.declared, &by, &mut row);
        self.missing_parts(&by, (&part_mentions, block.declared));
        let provider = self.provider_of(block, &resource, choice, &address);
        let lifecycle = self.lifecycle(block, &resource);
        let of_elements =
            Arc::new(Lifecycle { timeouts: lifecycle.timeouts.clone(), ..Lifecycle::default() });
        for element in &mut elements {
            element.provider = provider.clone();
            element.lifecycle = of_elements.clone();
        }
        resources.append(&mut elements);
        let depends_on = self.depends_on(block, &address);
        resources.push(DesiredResource {
            provider,
            lifecycle: Arc::new(lifecycle),
            depends_on,
            address,
            ty,
            attrs: row.values,
            spans: row.spans.into(),
            declared: block.declared,
            mentions,
            part_mentions,
        });
    }

    fn attribute(&mut self, entry: &Entry, ix: AttrIx, by: &Declarer<'_>, row: &mut RowInWork) {
        let attr = by.resource.attr(ix);
        let at = usize::from(ix.0);
        row.spans[at] = Some(entry.value.span);
        if attr.computed {
            row.broken[at] = true;
            return self.computed(&attr.name, entry.key.span, by.address);
        }
        let tree = self.tree(&entry.value, Some(by.address));
        let to = Target { on: by.address, attr, kind: &attr.kind };
        match tree.and_then(|tree| self.convert(tree, to)) {
            Some(value) => row.values[at] = value,
            None => row.broken[at] = true,
        }
    }

    /// What is neither attribute nor link.
    fn other(&mut self, entry: &Entry, resource: &ResourceType) {
        let name = &*entry.key.text;
        match name {
            "for_each" | "for_each_key" | "count" => self.later(entry),
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
    pub spans: Vec<Option<Span>>,
    /// Written, but of no use; reported already.
    pub broken: Vec<bool>,
}

impl RowInWork {
    pub fn new(resource: &ResourceType) -> Self {
        let count = resource.attrs.len();
        Self { values: resource.empty_row(), spans: vec![None; count], broken: vec![false; count] }
    }
}
