//! `[[moved]]` and `[[removed]]`: what stands in them → [`Moved`] and [`Removed`].
//!
//! In: the tables of one module, and where that module is. Out: addresses as the root module sees
//! them. Then, when everything is known: whether what they name is still declared, and whether
//! they make sense together. What is in the state is no question here.

use std::collections::HashMap;

use super::Work;
use super::instances::Instances;
use super::module::{ModuleIx, Once};
use crate::address::ModuleStep;
use crate::address::prefix::{Prefix, names, of_all};
use crate::config::syntax::{Block, Entry, Literal};
use crate::config::{Desired, DesiredResource, MoveEnd, Moved, Removed, Repeated};
use crate::diag::{Diagnostic, Span};
use crate::graph::Graph;

impl Work<'_> {
    /// The tables of all module instances.
    pub(super) fn moves(&mut self) -> (Vec<Moved>, Vec<Removed>) {
        let (mut moved, mut removed) = (Vec::new(), Vec::new());
        for of in self.module_numbers() {
            let (written, path) = (self.module(of).written, self.module(of).path.clone());
            moved.extend(self.moved(&written.moved, &path));
            removed.extend(self.removed(&written.removed, &path));
        }
        (moved, removed)
    }

    /// What has keys, as far as that is known yet.
    pub(super) fn repeated(&self) -> Repeated {
        fn counted<T>(instances: &Once<Instances<T>>) -> Option<bool> {
            match instances {
                Once::Done(Instances::Many(many)) => Some(many.counted),
                _ => None,
            }
        }
        let mut all = Repeated::default();
        for of in self.module_numbers() {
            let module = self.module(of);
            if of != ModuleIx::ROOT {
                all.modules.insert(Prefix::module(&module.path).to_string());
            }
            for block in module.blocks.values().flat_map(|blocks| blocks.values()) {
                let counted = counted(&block.instances);
                all.blocks.extend(counted.map(|counted| (block.address.to_string(), counted)));
            }
            for (name, instances) in &module.calls {
                let step = ModuleStep { name: name.clone(), key: None };
                let called = Prefix::module(&[step]).within(&module.path);
                all.blocks.extend(counted(instances).map(|c| (called.to_string(), c)));
            }
        }
        all
    }

    /// The `[[moved]]` of the module that these steps lead to.
    fn moved(&mut self, blocks: &[Block], module: &[ModuleStep]) -> Vec<Moved> {
        let mut all = Vec::with_capacity(blocks.len());
        for block in blocks {
            self.only(block, &["from", "to"]);
            let from = self.move_end(block, "from", module);
            let to = self.move_end(block, "to", module);
            let (Some(from), Some(to)) = (from, to) else { continue };
            if from.what.kind() != to.what.kind() {
                self.findings.push(other_kind(&from, &to));
            } else if from.what == to.what {
                let finding = Diagnostic::error("moved_nowhere", "`from` and `to` are the same");
                self.findings.push(finding.at(to.span, "the same").help("remove this `[[moved]]`"));
            } else {
                all.push(Moved { from, to, declared: block.declared });
            }
        }
        all
    }

    /// The `[[removed]]` of the module that these steps lead to.
    fn removed(&mut self, blocks: &[Block], module: &[ModuleStep]) -> Vec<Removed> {
        let mut all = Vec::with_capacity(blocks.len());
        for block in blocks {
            self.only(block, &["from", "destroy"]);
            let destroy = match block.get("destroy").map(|entry| &entry.value) {
                None => true,
                Some(node) => match node.value {
                    Literal::Bool(destroy) => destroy,
                    _ => {
                        let finding =
                            Diagnostic::error("wrong_kind", "`destroy` must be true or false");
                        self.findings.push(finding.at(node.span, "here"));
                        continue;
                    }
                },
            };
            if let Some(from) = self.move_end(block, "from", module) {
                all.push(Removed { from, destroy, declared: block.declared });
            }
        }
        self.removed_once(&all);
        all
    }

    /// The same twice may say two things, and order has no meaning.
    fn removed_once(&mut self, all: &[Removed]) {
        let mut seen: HashMap<String, Span> = HashMap::new();
        for removed in all {
            let name = removed.from.what.to_string();
            if let Some(first) = seen.get(&name) {
                let problem = format!("`{name}` is removed twice");
                let finding = Diagnostic::error("duplicate_address", problem)
                    .at(removed.declared, "again here")
                    .at(*first, "first here")
                    .help("remove one of them");
                self.findings.push(finding);
            }
            seen.entry(name).or_insert(removed.declared);
        }
    }

    pub(super) fn only(&mut self, block: &Block, known: &[&str]) {
        for entry in block.entries.iter().filter(|e| !known.contains(&&*e.key.text)) {
            let what = format!("`[[{}]]`", block.kind.text);
            self.unknown_attribute(&what, &entry.key, known.iter().copied());
        }
    }

    fn move_end(&mut self, block: &Block, key: &str, module: &[ModuleStep]) -> Option<MoveEnd> {
        let Some(entry) = block.get(key) else {
            let problem = format!("this `[[{}]]` has no `{key}`", block.kind.text);
            let finding = Diagnostic::error("missing_attribute", problem)
                .at(block.declared, format!("`{key}` is missing"))
                .help(format!("write {key} = \"TYPE.LABEL\""));
            self.findings.push(finding);
            return None;
        };
        let read = self.prefix(entry)?;
        self.known_kind(entry, &read)?;
        Some(MoveEnd { what: read.within(module), span: entry.value.span })
    }

    fn prefix(&mut self, entry: &Entry) -> Option<Prefix> {
        let name = &entry.key.text;
        let problem = |reason: &str| {
            Diagnostic::error("bad_address", format!("`{name}` {reason}"))
                .at(entry.value.span, "here")
                .help("write an address: \"host.kvm\", 'host.kvm[\"01\"]' or \"module.hall\"")
        };
        let finding = match &entry.value.value {
            Literal::Str(text) if text.is_template() => {
                problem("must be written out: it says what was, and that does not change")
            }
            Literal::Str(text) => match Prefix::parse(&text.text) {
                Ok(prefix) => return Some(prefix),
                Err(error) => problem(&format!("must be an address: {}", error.reason)),
            },
            _ => problem("must be an address in quotes"),
        };
        self.findings.push(finding);
        None
    }

    fn known_kind(&mut self, entry: &Entry, read: &Prefix) -> Option<()> {
        let Some(kind) = read.kind() else { return Some(()) };
        let known = self.schemas.find(kind).filter(|ty| {
            let ty = self.schemas.get(*ty);
            ty.part_of.is_none() && !ty.data_only()
        });
        if known.is_some() {
            return Some(());
        }
        let finding =
            Diagnostic::error("unknown_type", format!("there is no resource type `{kind}`"))
                .at(entry.value.span, "unknown type");
        let finding = match self.near_type(kind) {
            Some(near) => finding.help(format!("did you mean `{near}`?")),
            None => finding.help("`rackform schema` lists the types"),
        };
        self.findings.push(finding);
        None
    }

    /// What the tables of all modules say together.
    pub(super) fn check_moves(&mut self, desired: &Desired) {
        self.moves_once(&desired.moved);
        self.move_rings(&desired.moved);
        if desired.moved.is_empty() && desired.removed.is_empty() {
            return;
        }
        let declared = declared(desired);
        for one in &desired.moved {
            let all = of_all(&one.from.what, &one.to.what);
            self.still_declared(("moved", &one.from, all), &declared);
        }
        for one in &desired.removed {
            let all = one.from.what.key().is_none();
            self.still_declared(("removed", &one.from, all), &declared);
        }
    }

    /// Nothing moves to two places, and nothing comes from two.
    fn moves_once(&mut self, moved: &[Moved]) {
        let (mut from, mut to) = (HashMap::new(), HashMap::new());
        for one in moved {
            let all = of_all(&one.from.what, &one.to.what);
            let first: &Moved = from.entry((one.from.what.to_string(), all)).or_insert(one);
            if first.to.what != one.to.what {
                let problem = format!("`{}` moves to two places", one.from.what);
                self.two_moves(problem, (first.from.span, one.from.span));
            }
            let first: &Moved = to.entry((one.to.what.to_string(), all)).or_insert(one);
            if first.from.what != one.from.what {
                let problem = format!("two things move to `{}`", one.to.what);
                self.two_moves(problem, (first.to.span, one.to.span));
            }
        }
    }

    fn two_moves(&mut self, problem: String, (first, again): (Span, Span)) {
        let finding = Diagnostic::error("moved_twice", problem)
            .at(again, "again here")
            .at(first, "first here")
            .detail(format!("The first stands at {}.", self.place(first)))
            .help("remove one of them");
        self.findings.push(finding);
    }

    /// Moves that lead back to where they came from.
    fn move_rings(&mut self, moved: &[Moved]) {
        let key =
            |m: &Moved, end: &MoveEnd| (end.what.to_string(), of_all(&m.from.what, &m.to.what));
        let by_from: HashMap<_, u32> =
            moved.iter().zip(0_u32..).map(|(m, at)| (key(m, &m.from), at)).collect();
        let mut graph = Graph::new(moved.len());
        for (m, at) in moved.iter().zip(0_u32..) {
            if let Some(next) = by_from.get(&key(m, &m.to)) {
                graph.add_edge(at, *next, ());
            }
        }
        let Err(ring) = graph.order() else { return };
        let mut finding = Diagnostic::error("moved_in_a_ring", "these moves lead in a circle");
        let mut chain = Vec::new();
        for edge in &ring.edges {
            let one = &moved[edge.dependent as usize];
            finding = finding.at(one.declared, "this leads to the next");
            let place = self.place(one.declared);
            chain.push(format!("`{}` moves to `{}` ({place}).", one.from.what, one.to.what));
        }
        let finding = finding.detail(chain.join(" ")).help("remove one of these `[[moved]]`");
        self.findings.push(finding);
    }

    fn still_declared(
        &mut self,
        (table, from, all): (&str, &MoveEnd, bool),
        declared: &HashMap<(String, bool), &DesiredResource>,
    ) {
        let Some(there) = declared.get(&(from.what.to_string(), all)) else { return };
        let (problem, help) = match table {
            "moved" => (
                format!("`{}` has moved, and is still declared", from.what),
                "remove its block, or this `[[moved]]`",
            ),
            _ => (
                format!("`{}` is removed, and is still declared", from.what),
                "remove its block, or this `[[removed]]`",
            ),
        };
        let finding = Diagnostic::error("still_declared", problem)
            .at(from.span, format!("`[[{table}]]` says that it is gone"))
            .at(there.declared, format!("`{}` stands here", there.address))
            .detail(format!("It is declared at {}.", self.place(there.declared)));
        self.findings.push(finding.help(help));
    }
}

/// What is declared, by all that it is under (see [`names`]): one resource of each.
fn declared(desired: &Desired) -> HashMap<(String, bool), &DesiredResource> {
    let mut declared = HashMap::new();
    for resource in desired.resources.iter().filter(|r| r.address.member_of().is_none()) {
        for name in names(&resource.address) {
            declared.entry(name).or_insert(resource);
        }
    }
    declared
}

fn other_kind(from: &MoveEnd, to: &MoveEnd) -> Diagnostic {
    let name = |end: &MoveEnd| match end.what.kind() {
        Some(kind) => format!("a {kind}"),
        None => "a module".to_owned(),
    };
    let problem = format!("`{}` is {}, `{}` is {}", from.what, name(from), to.what, name(to));
    Diagnostic::error("moved_to_other_type", problem)
        .at(to.span, format!("this must be {}", name(from)))
        .detail("An object keeps its type.")
        .help("to make a new object of another type, remove this `[[moved]]`")
}
