//! A block of which there is no instance: `count = 0`, an empty `for_each`.
//!
//! In: such a block. Out: what is wrong with its names. What its values are worth is not said:
//! `url = '${var.nfs}'` beside `count = '${var.nfs == null ? 0 : 1}'` is right, though there is no
//! `url`.

use super::Work;
use super::block::Common;
use crate::address::Address;
use crate::config::syntax::{Block, Entry};
use crate::diag::{Diagnostic, Span};

/// What is wrong whatever the values are.
const NAMES: [&str; 14] = [
    "bad_expression",
    "computed_attribute",
    "cycle",
    "missing_data",
    "missing_module",
    "not_here",
    "not_supported_yet",
    "unknown_attribute",
    "unknown_function",
    "unknown_local",
    "unknown_name",
    "unknown_output",
    "unknown_provider",
    "unknown_variable",
];

impl Work<'_> {
    /// Judges the block as if it had an instance, and keeps what is wrong in any case. Values that
    /// are made on the way for others too (locals, variables) are judged as always.
    pub(super) fn without_instances(&mut self, common: &mut Common<'_>) {
        let before = std::mem::take(&mut self.findings);
        self.judge_only(common);
        let found = std::mem::replace(&mut self.findings, before);
        for finding in found {
            if !is_inside(&finding, common.block) || NAMES.contains(&finding.code) {
                self.findings.push(finding);
            }
        }
        self.not_written(common);
    }

    /// Required attributes that are not even written.
    fn not_written(&mut self, common: &Common<'_>) {
        let Common { block, resource, .. } = common;
        let on: &Address = &common.address;
        let attrs = resource.attrs.iter().filter(|attr| {
            attr.always_required() && attr.when.is_empty() && attr.default.is_none()
        });
        let attrs = attrs.filter(|attr| &*attr.name != "name").map(|attr| &attr.name);
        let parts = resource.parts.iter().filter(|part| part.required()).map(|part| &part.name);
        for name in attrs.chain(parts).filter(|name| block.get(name).is_none()) {
            self.missing(name, block.declared, on);
        }
    }
}

/// Whether a finding is about something that stands in the block.
fn is_inside(finding: &Diagnostic, block: &Block) -> bool {
    finding.labels.first().is_some_and(|label| {
        let (at, own) = (label.span, |entry: &Entry| entry.value.span);
        let within = |own: Span| own.file == at.file && own.start <= at.start && at.end <= own.end;
        at == block.declared || block.entries.iter().map(own).any(within)
    })
}
