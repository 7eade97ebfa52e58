//! Parts: lists of tables, or of plain values, inside a resource → one [`DesiredResource`] each.
//!
//! In: the attribute of a part as written. Out: its elements as resources of the element's type,
//! which refer to their owner. A key that comes twice is reported here.

use std::collections::HashMap;
use std::sync::Arc;

use super::Work;
use super::attr::{Shape, Tree};
use super::kind::Target;
use super::link::Declarer;
use super::resource::RowInWork;
use crate::config::syntax::Entry;
use crate::config::{DesiredResource, Lifecycle};
use crate::diag::{Diagnostic, Span};
use crate::schema::{AttrIx, OWNER, Part, PartIx};
use crate::value::Value;

impl Work<'_> {
    /// The elements of one part. Says whether the attribute counts as mentioned: a null one does
    /// not. Their provider and lifecycle are those of the owner: the caller fills them in.
    pub(super) fn elements_of(
        &mut self,
        by: &Declarer<'_>,
        ix: PartIx,
        (entry, tree): (&Entry, Option<Tree>),
        out: &mut Vec<DesiredResource>,
    ) -> bool {
        let part = by.resource.part(ix);
        let Some(tree) = tree else { return true };
        if matches!(&tree.shape, Shape::Leaf(value) if value.is_null()) {
            return false;
        }
        let (span, items) = match tree.items() {
            Ok(items) => (entry.value.span, items),
            Err(tree) => {
                self.no_part_list(by, part, &tree);
                return true;
            }
        };
        self.count(by, part, items.len(), span);
        let mut seen = HashMap::new();
        for item in items {
            let Some(element) = self.element(by, part, item) else { continue };
            let key = element.address.member_of().map(|m| m.key.clone()).unwrap_or_default();
            match seen.insert(key, element.declared) {
                None => out.push(element),
                Some(first) => self.element_twice(by, part, (first, element.declared)),
            }
        }
        true
    }

    fn no_part_list(&mut self, by: &Declarer<'_>, part: &Part, tree: &Tree) {
        let what = if part.plain().is_some() { "values" } else { "tables" };
        let problem = format!("`{}` must be a list of {what}", part.name);
        let finding = Diagnostic::error("wrong_kind", problem)
            .at(tree.span, format!("this is {}", tree.kind_name()))
            .help("put it in brackets: […]");
        self.findings.push(finding.on(by.address));
    }

    fn count(&mut self, by: &Declarer<'_>, part: &Part, count: usize, span: Span) {
        let Some((least, most)) = part.range else { return };
        let count = i64::try_from(count).unwrap_or(i64::MAX);
        if (least..=most).contains(&count) {
            return;
        }
        let problem = format!("`{}` has {count} elements", part.name);
        let finding = Diagnostic::error("out_of_range", problem)
            .at(span, format!("{least} to {most} are possible"));
        self.findings.push(finding.on(by.address));
    }

    fn element(&mut self, by: &Declarer<'_>, part: &Part, item: Tree) -> Option<DesiredResource> {
        let ty = &part.element;
        let declared = item.span;
        let mut row = RowInWork::new(ty, vec![None; ty.attrs.len()].into());
        row.values[usize::from(OWNER.0)] = Value::Object(by.address.clone());
        let by = Declarer { resource: ty, ..*by };
        match part.plain() {
            Some(ix) if !matches!(item.shape, Shape::Map(_)) => {
                self.element_attribute(&by, ix, item, &mut row);
            }
            _ => self.element_table(&by, part, item, &mut row)?,
        }
        self.complete(declared, &by, &mut row);
        self.no_secret_key(&by, &row)?;
        let key = ty.part_key(&row.values)?;
        Some(DesiredResource {
            address: by.address.member(&part.name, &key),
            ty: self.schemas.element(part)?,
            provider: "".into(),
            attrs: row.values,
            spans: row.spans,
            declared,
            mentions: Vec::new(),
            part_mentions: Vec::new(),
            lifecycle: Arc::new(Lifecycle::default()),
            depends_on: Arc::default(),
            replaced_by: Arc::default(),
        })
    }

    /// A key stands in addresses, which are shown and stored.
    fn no_secret_key(&mut self, by: &Declarer<'_>, row: &RowInWork) -> Option<()> {
        let keys = by.resource.part_of.iter().flat_map(|of| &of.key);
        let secret = |ix: &&AttrIx| row.values[usize::from(ix.0)].is_sensitive();
        let Some(ix) = keys.copied().find(|ix| secret(&ix)) else { return Some(()) };
        let problem = format!("`{}` cannot be a secret here", by.resource.attr(ix).name);
        let mut finding = Diagnostic::error("secret_key", problem)
            .help("it stands in the element's address, which plans show and the state keeps");
        if let Some(span) = row.spans[usize::from(ix.0)] {
            finding = finding.at(span, "a secret");
        }
        self.findings.push(finding.on(by.address));
        None
    }

    fn element_table(
        &mut self,
        by: &Declarer<'_>,
        part: &Part,
        item: Tree,
        row: &mut RowInWork,
    ) -> Option<()> {
        let entries = match item.entries() {
            Ok(entries) => entries,
            Err(tree) => {
                let problem = format!("an element of `{}` is a table", part.name);
                let finding = Diagnostic::error("wrong_kind", problem)
                    .at(tree.span, format!("this is {}", tree.kind_name()))
                    .help(example(part));
                self.findings.push(finding.on(by.address));
                return None;
            }
        };
        for (key, tree) in entries {
            let found = by.resource.find_attr(&key.text).filter(|ix| *ix != OWNER);
            let Some(ix) = found else {
                let known = part.attrs().iter().filter(|a| a.writable()).map(|a| &*a.name);
                self.unknown_attribute(&format!("`{}`", part.name), &key, known);
                continue;
            };
            if by.resource.attr(ix).computed {
                row.broken[usize::from(ix.0)] = true;
                self.computed(&key.text, key.span, by.address);
                continue;
            }
            self.element_attribute(by, ix, tree, row);
        }
        Some(())
    }

    fn element_attribute(
        &mut self,
        by: &Declarer<'_>,
        ix: AttrIx,
        tree: Tree,
        row: &mut RowInWork,
    ) {
        let (attr, at) = (by.resource.attr(ix), usize::from(ix.0));
        Arc::make_mut(&mut row.spans)[at] = Some(tree.span);
        match self.convert(tree, Target { on: by.address, attr, kind: &attr.kind }) {
            Some(value) => row.values[at] = value,
            None => row.broken[at] = true,
        }
    }

    fn element_twice(&mut self, by: &Declarer<'_>, part: &Part, (first, again): (Span, Span)) {
        let names: Vec<_> = part
            .element
            .part_of
            .iter()
            .flat_map(|of| &of.key)
            .map(|ix| format!("`{}`", part.element.attr(*ix).name))
            .collect();
        let names = names.join(" and ");
        let place = self.place(first);
        let problem = format!("two elements of `{}` have the same {names}", part.name);
        let finding = Diagnostic::error("duplicate_key", problem)
            .at(again, "again here")
            .at(first, "first here")
            .detail(format!("The first stands at {place}."))
            .help("remove one of them");
        self.findings.push(finding.on(by.address));
    }

    /// Parts that an object cannot be without.
    pub(super) fn missing_parts(
        &mut self,
        by: &Declarer<'_>,
        (mentioned, declared): (&[PartIx], Span),
    ) {
        for (ix, part) in by.resource.parts() {
            if part.required() && !mentioned.contains(&ix) {
                self.missing(&part.name, declared, by.address);
            }
        }
    }
}

fn example(part: &Part) -> String {
    let required = part.attrs().iter().filter(|a| a.required);
    let members: Vec<_> = required.map(|a| format!("{} = …", a.name)).collect();
    format!("write {} = [{{ {} }}]", part.name, members.join(", "))
}
