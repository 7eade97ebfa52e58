//! `lifecycle.precondition`: what must hold before anything is done about a resource.
//!
//! In: the conditions of a block, and one of its instances. Out: refusals. They are kept apart from
//! mistakes of the configuration: only who changes something is refused.

use super::Work;
use super::block::Common;
use super::condition::Verdict;
use crate::address::Address;
use crate::diag::Diagnostic;

impl Work<'_> {
    /// Judges an instance. Everything that a precondition speaks of must be known while planning.
    pub(super) fn preconditions(&mut self, common: &Common<'_>, address: &Address) {
        for rule in &common.preconditions {
            if let Verdict::Fails(message) = self.verdict(*rule, Some(address)) {
                let said = message.or("a precondition does not hold");
                let refusal = Diagnostic::error("precondition_failed", said)
                    .at(rule.condition.span, "this precondition does not hold")
                    .on(address);
                self.refused.push(refusal);
            }
        }
    }
}
