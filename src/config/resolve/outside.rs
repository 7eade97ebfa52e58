//! What expressions need of the environment and of files, found without evaluating them.
//!
//! In: the configuration as written. Out: needs, all at once. What this misses (a name that is
//! computed) is asked for when it is evaluated.

use super::Work;
use crate::config::Need;
use crate::config::expr::Parsed;
use crate::config::syntax::{Entry, Literal, Module, Node};

impl Work<'_> {
    pub(super) fn needs_written_out(&mut self) {
        let config = self.config;
        for module in std::iter::once(&config.root).chain(config.called.values()) {
            each_entry(module, &mut |entry| self.needs_of(&entry.value));
        }
    }

    fn needs_of(&mut self, node: &Node) {
        match &node.value {
            Literal::Str(text) if text.is_template() => {
                if let Ok(parsed) = self.templates.get(&text.text) {
                    self.ask_all(&parsed);
                }
            }
            Literal::List(items) => items.iter().for_each(|item| self.needs_of(item)),
            Literal::Table(entries) => entries.iter().for_each(|e| self.needs_of(&e.value)),
            _ => {}
        }
    }

    fn ask_all(&mut self, parsed: &Parsed) {
        for need in &parsed.outside {
            let known = match need {
                Need::Env(name) => self.facts.env.contains_key(name),
                other => self.facts.files.contains_key(other),
            };
            if !known {
                self.needs.insert(need.clone());
            }
        }
    }
}

fn each_entry(module: &Module, run: &mut impl FnMut(&Entry)) {
    let calls = module.calls.iter().map(|call| &call.block);
    let blocks = module.resources.iter().chain(&module.data).chain(&module.providers);
    let blocks = blocks.chain(&module.variables).chain(&module.outputs).chain(&module.checks);
    blocks.chain(calls).flat_map(|block| &block.entries).chain(&module.locals).for_each(run);
}
