//! Objects to destroy and to create that are the same but for their address: probably renamed.
//!
//! In: what has been decided, parents before children. Out: one note with the `[[moved]]` to paste.
//! Nothing is changed by it. Objects are found by what they are, not compared each with each; where
//! several are the same in everything that is known, none is guessed.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fmt::Write;
use std::sync::Arc;

use crate::address::Address;
use crate::address::prefix::{Prefix, names, of_all};
use crate::config::DesiredResource;
use crate::plan::decide::{Decision, Draft};
use crate::plan::known::Known;
use crate::plan::{Action, Inputs, Note, Reason};
use crate::schema::{AttrIx, ResourceType, TypeIx};
use crate::value::Value;

/// `[[moved]]` that are printed; the others are counted.
const SHOWN: usize = 5;
/// Sets of attributes by which objects of one type are looked for.
const MASKS: usize = 16;

/// The note, if there is something to say.
pub fn hint(inputs: &Inputs<'_>, draft: &Draft<'_>) -> Option<Note> {
    if inputs.options.destroy {
        return None;
    }
    let pairs = Search::new(inputs, draft).pairs();
    if pairs.is_empty() {
        return None;
    }
    let moves = general(inputs, &pairs);
    let text = match pairs.as_slice() {
        [(from, to)] => format!("`{from}` and `{to}` are the same but for their address"),
        pairs => format!(
            "{} objects to destroy are the same as {} to create, but for their addresses",
            pairs.len(),
            pairs.len()
        ),
    };
    let mut help = "if they were renamed, say so, and nothing is destroyed:".to_owned();
    for (from, to) in moves.iter().take(SHOWN) {
        // Writing into a String does not fail.
        let _ = write!(help, "\n[[moved]]\nfrom = {}\nto   = {}", quoted(from), quoted(to));
    }
    if moves.len() > SHOWN {
        let _ = write!(help, "\n# and {} more like these", moves.len() - SHOWN);
    }
    Some(Note { address: None, text, help: Some(help) })
}

/// An address as a TOML string; one with quotes inside stands in single ones.
fn quoted(prefix: &Prefix) -> String {
    let text = prefix.to_string();
    match (text.contains(['"', '\\']), text.contains('\'')) {
        (false, _) => format!("\"{text}\""),
        (true, false) => format!("'{text}'"),
        (true, true) => format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"")),
    }
}

/// What an object is looked for by.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Mask {
    ty: TypeIx,
    provider: Arc<str>,
    attrs: Vec<AttrIx>,
    /// Whether the name is only what follows from the address.
    named_by_address: bool,
}

struct Search<'a> {
    inputs: &'a Inputs<'a>,
    known: &'a Known,
    /// What is to be created, by how many of its parents are to be created too, in a row.
    creates: BTreeMap<usize, Vec<&'a DesiredResource>>,
    deletes: HashMap<TypeIx, Vec<&'a Decision<'a>>>,
    /// What is to be destroyed, by mask and by what it is.
    index: HashMap<Mask, HashMap<String, Vec<&'a Address>>>,
    masks: HashMap<TypeIx, usize>,
    /// What was found so far: the old address by the new one.
    old: HashMap<&'a Address, &'a Address>,
}

impl<'a> Search<'a> {
    fn new(inputs: &'a Inputs<'a>, draft: &'a Draft<'a>) -> Self {
        let mut depth: HashMap<&Address, usize> = HashMap::new();
        let mut creates: BTreeMap<usize, Vec<&DesiredResource>> = BTreeMap::new();
        let mut deletes: HashMap<TypeIx, Vec<&Decision<'_>>> = HashMap::new();
        for decision in draft.decisions.iter().filter(|d| d.address.member_of().is_none()) {
            match (decision.action, &decision.reason, decision.desired) {
                (Action::Create, Reason::New, Some(desired)) => {
                    let mut own = 0;
                    let mut deeper = |of: &Address| {
                        own = own.max(depth.get(of).map_or(0, |parent| parent + 1));
                    };
                    desired.attrs.iter().for_each(|value| parents(value, &mut deeper));
                    depth.insert(&desired.address, own);
                    creates.entry(own).or_default().push(desired);
                }
                (Action::Delete, reason, _) if unclaimed(reason) => {
                    deletes.entry(decision.ty).or_default().push(decision);
                }
                _ => {}
            }
        }
        let (index, masks, old) = (HashMap::new(), HashMap::new(), HashMap::new());
        Self { inputs, known: &draft.known, creates, deletes, index, masks, old }
    }

    /// Old and new addresses, ordered by the old ones.
    fn pairs(mut self) -> Vec<(&'a Address, &'a Address)> {
        // Children are compared by their parents: those must be found first.
        for level in std::mem::take(&mut self.creates).into_values() {
            let mut alike: HashMap<(Mask, String), Vec<&Address>> = HashMap::new();
            for desired in level.into_iter().filter(|d| self.deletes.contains_key(&d.ty)) {
                let mask = mask(self.inputs.schemas.get(desired.ty), desired);
                let text = self.wanted(&mask, desired);
                alike.entry((mask, text)).or_default().push(&desired.address);
            }
            for ((mask, text), new) in alike {
                let Some(old) = self.of_mask(&mask).and_then(|all| all.get(&text)) else {
                    continue;
                };
                let found = matched(old, &new);
                self.old.extend(found);
            }
        }
        let mut pairs: Vec<_> = self.old.into_iter().map(|(new, old)| (old, new)).collect();
        pairs.sort();
        pairs
    }

    /// What is to be destroyed, by what it is under a mask.
    fn of_mask(&mut self, mask: &Mask) -> Option<&HashMap<String, Vec<&'a Address>>> {
        if !self.index.contains_key(mask) {
            let count = self.masks.entry(mask.ty).or_default();
            *count += 1;
            if *count > MASKS {
                return None;
            }
            let mut all: HashMap<String, Vec<&Address>> = HashMap::new();
            let deletes = self.deletes.get(&mask.ty).map(Vec::as_slice).unwrap_or_default();
            for decision in deletes.iter().filter(|d| d.provider == mask.provider) {
                if let Some(text) = self.there(mask, decision) {
                    all.entry(text).or_default().push(&decision.address);
                }
            }
            self.index.insert(mask.clone(), all);
        }
        self.index.get(mask)
    }

    fn wanted(&self, mask: &Mask, desired: &DesiredResource) -> String {
        let address = |of: &Address| self.old.get(of).map_or_else(|| of.clone(), |a| (*a).clone());
        let values = mask.attrs.iter().map(|ix| &desired.attrs[usize::from(ix.0)]);
        self.text(values, &address)
    }

    /// `None` when it has a name of its own, and what it is looked for by has none.
    fn there(&self, mask: &Mask, decision: &Decision<'_>) -> Option<String> {
        let row = &decision.live.as_ref()?.attrs;
        if mask.named_by_address {
            let ix = self.inputs.schemas.get(mask.ty).find_attr(NAME)?;
            let name = row[usize::from(ix.0)].as_str()?;
            if name != decision.address.default_name() {
                return None;
            }
        }
        let values = mask.attrs.iter().map(|ix| &row[usize::from(ix.0)]);
        Some(self.text(values, &Address::clone))
    }

    /// Values as one text, equal where they mean the same.
    fn text<'v>(
        &self,
        values: impl Iterator<Item = &'v Value>,
        address: &dyn Fn(&Address) -> Address,
    ) -> String {
        let mut out = String::new();
        values.for_each(|value| self.value(value, address, &mut out));
        out
    }

    fn value(&self, value: &Value, address: &dyn Fn(&Address) -> Address, out: &mut String) {
        let _ = match value.reveal() {
            Value::Object(of) | Value::Id(of) => writeln!(out, "@{}", address(of)),
            Value::Str(text) => match self.known.address_of(text) {
                Some(of) => writeln!(out, "@{}", address(of)),
                // The server omits an empty text.
                None if text.is_empty() => writeln!(out, "{}", Value::Null),
                None => writeln!(out, "{value}"),
            },
            Value::List(items) => {
                let _ = writeln!(out, "{}:", items.len());
                items.iter().for_each(|item| self.value(item, address, out));
                Ok(())
            }
            other => writeln!(out, "{other}"),
        };
    }
}

const NAME: &str = "name";

/// What both an object to create and one to destroy know: what the configuration sets and the
/// server shows. Secrets are left out.
fn mask(ty: &ResourceType, desired: &DesiredResource) -> Mask {
    let name = ty.find_attr(NAME).filter(|ix| desired.spans[usize::from(ix.0)].is_none());
    let written = ty.attrs().zip(&desired.attrs).filter(|((ix, attr), value)| {
        let shown = attr.writable() && !attr.unread() && attr.read.is_none();
        shown && !value.is_null() && !value.is_sensitive() && Some(*ix) != name
    });
    Mask {
        ty: desired.ty,
        provider: desired.provider.clone(),
        attrs: written.map(|((ix, _), _)| ix).collect(),
        named_by_address: name.is_some(),
    }
}

/// Whether something goes because nothing declares it any more.
fn unclaimed(reason: &Reason) -> bool {
    matches!(reason, Reason::NotInConfiguration | Reason::KeyGone | Reason::ModuleKeyGone(_))
}

fn parents(value: &Value, found: &mut impl FnMut(&Address)) {
    match value.reveal() {
        Value::Object(of) | Value::Id(of) => found(of),
        Value::List(items) => items.iter().for_each(|item| parents(item, found)),
        _ => {}
    }
}

/// Of objects that are the same in everything else, those that have the same label and key, or the
/// same key; then the only one that is left on either side.
fn matched<'a>(old: &[&'a Address], new: &[&'a Address]) -> Vec<(&'a Address, &'a Address)> {
    let mut pairs = Vec::new();
    let mut left: (Vec<&Address>, Vec<&Address>) = (old.to_vec(), new.to_vec());
    let by: [fn(&Address) -> Option<String>; 3] = [
        |a| Some(a.default_name()).filter(|_| !a.modules().is_empty()),
        |a| a.key().map(str::to_owned),
        |_| Some(String::new()),
    ];
    for name in by {
        let (old, new) = (only(&left.0, name), only(&left.1, name));
        let found: Vec<_> =
            new.iter().filter_map(|(name, new)| Some((*new, *old.get(name)?))).collect();
        let done: HashSet<&Address> = found.iter().flat_map(|(new, old)| [*new, *old]).collect();
        left.0.retain(|a| !done.contains(a));
        left.1.retain(|a| !done.contains(a));
        pairs.extend(found);
    }
    pairs
}

/// Addresses by a name that only one of them has.
fn only<'a>(
    all: &[&'a Address],
    name: fn(&Address) -> Option<String>,
) -> HashMap<String, &'a Address> {
    let mut by_name: HashMap<String, Option<&Address>> = HashMap::new();
    for address in all {
        if let Some(name) = name(address) {
            by_name.entry(name).and_modify(|only| *only = None).or_insert(Some(address));
        }
    }
    by_name.into_iter().filter_map(|(name, only)| Some((name, only?))).collect()
}

/// As few moves as say the same: a module or a block where all of it has moved.
fn general(inputs: &Inputs<'_>, pairs: &[(&Address, &Address)]) -> Vec<(Prefix, Prefix)> {
    let mut moved: HashMap<(String, String), usize> = HashMap::new();
    let mut there: HashMap<(String, bool), usize> = HashMap::new();
    for (from, to) in pairs {
        for (from, to) in wider(from, to) {
            there.insert((from.to_string(), of_all(&from, &to)), 0);
            *moved.entry((from.to_string(), to.to_string())).or_default() += 1;
        }
    }
    let resources =
        inputs.state.entries.keys().chain(inputs.desired.resources.iter().map(|r| &r.address));
    for address in resources.filter(|address| address.member_of().is_none()) {
        for name in names(address) {
            if let Some(count) = there.get_mut(&name) {
                *count += 1;
            }
        }
    }
    let mut out = Vec::new();
    let mut said = HashSet::new();
    for (from, to) in pairs {
        let all_of_it = |(from, to): &(Prefix, Prefix)| {
            let name = (from.to_string(), of_all(from, to));
            there.get(&name) == moved.get(&(from.to_string(), to.to_string()))
        };
        let one = (Prefix::resource(from), Prefix::resource(to));
        let widest = wider(from, to).into_iter().find(all_of_it).unwrap_or(one);
        if said.insert((widest.0.to_string(), widest.1.to_string())) {
            out.push(widest);
        }
    }
    out
}

/// The module and the block that may have been renamed if this was.
fn wider(from: &Address, to: &Address) -> Vec<(Prefix, Prefix)> {
    let mut all = Vec::new();
    let same_name = from.label() == to.label() && from.key() == to.key();
    let (outer_from, outer_to) = (from.modules(), to.modules());
    let pairs = outer_from.iter().rev().zip(outer_to.iter().rev());
    let inner = pairs.take_while(|(a, b)| a == b).count();
    let outer_from = &outer_from[..outer_from.len() - inner];
    let outer_to = &outer_to[..outer_to.len() - inner];
    if let (true, Some(a), Some(b)) = (same_name, outer_from.last(), outer_to.last()) {
        let pair = (Prefix::module(outer_from), Prefix::module(outer_to));
        all.push(if a.key == b.key { (pair.0.whole(), pair.1.whole()) } else { pair });
    }
    let block = (Prefix::resource(from).whole(), Prefix::resource(to).whole());
    if from.key() == to.key() && block.0 != block.1 {
        all.push(block);
    }
    all
}
