//! `replace_triggered_by`: what stands in it → [`Trigger`]s.
//!
//! In: the list as written, and the module that it stands in. Out: resources, instances or
//! attributes. Then, when everything is known: whether they are declared.

use std::collections::HashSet;
use std::sync::Arc;

use super::Work;
use crate::address::prefix::Prefix;
use crate::address::{Address, ModuleStep, is_identifier};
use crate::config::syntax::{Entry, Literal, Node};
use crate::config::{Desired, Lifecycle, Trigger};
use crate::diag::{Diagnostic, nearest};

impl Work<'_> {
    /// The triggers of a resource in the module that these steps lead to.
    pub(super) fn triggers(&mut self, entry: &Entry, module: &[ModuleStep]) -> Vec<Trigger> {
        let Literal::List(items) = &entry.value.value else {
            let problem = "`replace_triggered_by` must be a list of references";
            let finding = Diagnostic::error("wrong_kind", problem).at(entry.value.span, "here");
            self.findings.push(finding.help("put it in brackets: [\"cluster.rack\"]"));
            return Vec::new();
        };
        items.iter().filter_map(|item| self.trigger(item, module)).collect()
    }

    fn trigger(&mut self, item: &Node, module: &[ModuleStep]) -> Option<Trigger> {
        let text = match &item.value {
            Literal::Str(text) if !text.is_template() => &*text.text,
            _ => "",
        };
        let Some((of, attr)) = read(text).filter(|(of, _)| !of.is_inside_a_module()) else {
            let finding = Diagnostic::error(
                "bad_reference",
                "this names no resource of this module",
            )
            .at(item.span, "not a resource, instance or attribute")
            .help(
                "write it out: \"cluster.rack\", 'host.kvm[\"01\"]' or \"zone.east.description\"",
            );
            self.findings.push(finding);
            return None;
        };
        let kind = of.kind()?;
        let Some(ty) = self.schemas.by_name(kind).filter(|ty| ty.part_of.is_none()) else {
            let problem = format!("there is no resource type `{kind}`");
            let finding = Diagnostic::error("unknown_type", problem).at(item.span, "unknown type");
            self.findings.push(match self.names.near_type(kind, self.schemas) {
                Some(near) => finding.help(format!("did you mean `{near}`?")),
                None => finding.help("`rackform schema` lists the types"),
            });
            return None;
        };
        if let Some(attr) = attr.as_ref().filter(|attr| ty.find_attr(attr).is_none()) {
            let problem = format!("`{kind}` has no attribute `{attr}`");
            let finding = Diagnostic::error("unknown_attribute", problem).at(item.span, "unknown");
            self.findings.push(match nearest(attr, ty.attrs.iter().map(|a| &*a.name)) {
                Some(near) => finding.help(format!("did you mean `{near}`?")),
                None => finding,
            });
            return None;
        }
        Some(Trigger { of: of.within(module), attr, span: item.span })
    }

    /// Whether what triggers is declared.
    pub(super) fn check_triggers(&mut self, desired: &Desired) {
        let mut blocks: Option<HashSet<Address>> = None;
        let mut last: Option<&Arc<Lifecycle>> = None;
        for resource in &desired.resources {
            let lifecycle = &resource.lifecycle;
            // The instances of a block share it.
            if lifecycle.replaced_by.is_empty() || last.is_some_and(|l| Arc::ptr_eq(l, lifecycle)) {
                continue;
            }
            last = Some(lifecycle);
            for trigger in &lifecycle.replaced_by {
                let Some(of) = trigger.of.address() else { continue };
                let blocks = blocks.get_or_insert_with(|| blocks_of(desired));
                if desired.index.contains_key(&of) || blocks.contains(&of) {
                    continue;
                }
                let problem = format!("`{of}` is not declared");
                let finding = Diagnostic::error("unknown_reference", problem)
                    .at(trigger.span, "not declared")
                    .on(&resource.address);
                let known = desired.resources.iter().map(|r| r.address.as_str());
                self.findings.push(match nearest(of.as_str(), known) {
                    Some(near) => finding.help(format!("did you mean `{near}`?")),
                    None => finding,
                });
            }
        }
    }
}

/// A resource or instance, perhaps with an attribute.
fn read(text: &str) -> Option<(Prefix, Option<Arc<str>>)> {
    let resource = |text: &str| Prefix::parse(text).ok().filter(|of| of.kind().is_some());
    if let Some(of) = resource(text) {
        return Some((of, None));
    }
    let (of, attr) = text.rsplit_once('.')?;
    Some((resource(of)?, Some(attr.into()))).filter(|_| is_identifier(attr))
}

fn blocks_of(desired: &Desired) -> HashSet<Address> {
    let resources = desired.resources.iter().filter(|r| r.address.key().is_some());
    resources.map(|r| r.address.block()).collect()
}
