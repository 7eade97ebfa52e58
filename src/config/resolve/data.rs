//! `[data.TYPE.LABEL]` → what was looked up, or what is to be.
//!
//! In: blocks, and the rows that earlier look-ups brought. Out: [`DataTable`]s that expressions can
//! name, needs, and findings: a filter that cannot be one, nothing found, too much found. A table
//! that is not looked up yet is checked as far as its type tells. Must not know how rows are got.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::Work;
use super::instances::{Each, Instances};
use super::kind::Target;
use super::matches;
use super::module::{Here, ModuleIx, Once};
use super::table::{DataTable, Looked, is_owner};
use crate::address::Address;
use crate::config::expr::ID;
use crate::config::syntax::{Block, Entry};
use crate::config::{Facts, Lookup, Need, Term};
use crate::diag::{Diagnostic, Span};
use crate::inventory::LiveObject;
use crate::schema::{Attribute, IdRule, Kind, ResourceType, TypeIx};
use crate::value::{Found, Value};

/// Arguments of every table that no schema names.
const META: [&str; 5] = ["all", "provider", "for_each", "for_each_key", "count"];

/// A table while it is read.
struct Table<'b> {
    block: &'b Block,
    address: Address,
    resource: Arc<ResourceType>,
}

impl<'a> Work<'a> {
    /// The table at this position of a module's list, looked up or on its way; with `for_each` one
    /// for each instance.
    pub(super) fn tables(&mut self, of: ModuleIx, at: usize) -> Instances<DataTable> {
        let block: &'a Block = &self.module(of).written.data[at];
        let key = (block.kind.text.clone(), block.label.text.clone());
        let shown = format!("data.{}", block.name());
        match self.module(of).data.get(&key) {
            Some(Once::Done(known)) => return known.clone(),
            Some(Once::Busy) => {
                self.circle(&shown);
                return Instances::Open;
            }
            Some(Once::Not) | None => {}
        }
        self.module_mut(of).data.insert(key.clone(), Once::Busy);
        let found = self.at(Here::module(of), |work| {
            work.framed((shown, block.declared), |work| work.read_tables(block))
        });
        self.module_mut(of).data.insert(key, Once::Done(found.clone()));
        found
    }

    fn read_tables(&mut self, block: &Block) -> Instances<DataTable> {
        let kind: Arc<str> = format!("data.{}", block.kind.text).into();
        let address = Address::in_module(&self.current().path, &kind, &block.label.text);
        let instances = self.instances(block, Some(&address));
        if matches!(instances, Instances::Open) {
            self.here.each = Each::Open;
            self.read_table(block, address);
            return Instances::Open;
        }
        instances.map(|each, ()| {
            self.here.each = each.clone();
            let address = match each.key() {
                Some(key) => address.instance(key),
                None => address.clone(),
            };
            self.read_table(block, address)
        })
    }

    fn read_table(&mut self, block: &Block, address: Address) -> DataTable {
        let Some(ty) = self.schemas.find(&block.kind.text) else {
            self.unknown_type(block);
            return DataTable { ty: None, all: false, state: Looked::Broken };
        };
        let resource = self.schemas.get(ty).clone();
        let table = Table { block, address, resource };
        let all = self.wants_all(&table);
        let state = self.look(&table, (ty, all));
        DataTable { ty: Some(table.resource), all, state }
    }

    fn wants_all(&mut self, table: &Table<'_>) -> bool {
        let Some(entry) = table.block.get("all") else { return false };
        match self.tree(&entry.value, Some(&table.address)).map(super::attr::Tree::into_value) {
            Some(Value::Bool(all)) => all,
            Some(_) => {
                let problem = "`all` must be true or false";
                let finding = Diagnostic::error("wrong_kind", problem).at(entry.value.span, "here");
                self.findings.push(finding.on(&table.address));
                false
            }
            None => false,
        }
    }

    fn look(&mut self, table: &Table<'_>, (ty, all): (TypeIx, bool)) -> Looked {
        let facts = self.facts;
        let provider = self.provider_of(table.block, &table.resource, &table.address);
        let mut lookup = Lookup { provider, ty, id: None, filters: Vec::new() };
        let mut asked = Asked::Fine;
        for entry in &table.block.entries {
            asked = asked.max(self.filter(table, entry, &mut lookup, facts));
        }
        for (ix, attr) in table.resource.attrs() {
            let given = table.block.get(&attr.name).is_some();
            if !attr.computed && attr.required && !given && table.resource.data_only() {
                self.missing(&attr.name, table.block.declared, &table.address);
                asked = Asked::Broken;
            } else if let (false, Some(term)) = (given, attr.default.as_ref().and_then(Term::of))
                && table.resource.data_only()
            {
                lookup.filters.push((ix, term));
            }
        }
        lookup.filters.sort();
        match asked {
            Asked::Broken => return Looked::Broken,
            Asked::Open => return Looked::Open,
            Asked::Fine if self.judging => return Looked::Open,
            Asked::Fine => {}
        }
        let Some(rows) = facts.data.get(&lookup) else {
            self.places.insert(lookup.clone(), table.block.declared);
            self.needs.insert(Need::Data(lookup));
            return Looked::Open;
        };
        let resource = &table.resource;
        let found: Vec<&LiveObject> = rows.iter().filter(|r| lookup.admits(resource, r)).collect();
        if all {
            let objects = found.into_iter().map(|row| object(resource, &lookup, row)).collect();
            return Looked::Known(Value::list(objects));
        }
        match found[..] {
            [one] => Looked::Known(object(resource, &lookup, one)),
            _ => {
                let finding = matches::not_one(resource, &lookup, &found, &table.address);
                self.findings.push(matches::placed(finding, table.block.declared, &found));
                Looked::Broken
            }
        }
    }

    fn filter(
        &mut self,
        table: &Table<'_>,
        entry: &Entry,
        lookup: &mut Lookup,
        facts: &Facts,
    ) -> Asked {
        let (name, resource) = (&*entry.key.text, &table.resource);
        if META.contains(&name) {
            return Asked::Fine;
        }
        let ix = resource.find_attr(name);
        if ix.is_none() && ID.contains(&name) && resource.id != IdRule::None {
            let (asked, term) = self.term(table, entry, &Attribute::new(name, Kind::Text), facts);
            if let Some(Term::Text(id)) = term {
                lookup.id = Some(id);
            }
            return asked;
        }
        let Some(ix) = ix else {
            return self.no_filter(table, entry);
        };
        let attr = resource.attr(ix);
        if let Some(why) = resource.no_filter(ix) {
            let problem = format!("`{name}` cannot be a filter: {why}");
            let finding = Diagnostic::error("not_a_filter", problem).at(entry.key.span, "here");
            self.findings.push(finding.on(&table.address));
            return Asked::Broken;
        }
        let (asked, term) = self.term(table, entry, attr, facts);
        lookup.filters.extend(term.map(|term| (ix, term)));
        asked
    }

    fn no_filter(&mut self, table: &Table<'_>, entry: &Entry) -> Asked {
        let resource = &table.resource;
        let names = resource.attrs().filter(|(ix, _)| resource.no_filter(*ix).is_none());
        let names = names.map(|(_, a)| &*a.name);
        let id = (resource.id != IdRule::None).then_some(ID[1]);
        let known: Vec<&str> = names.chain(id).chain(META).collect();
        self.unknown_attribute(&format!("`{}`", resource.name), &entry.key, known);
        Asked::Broken
    }

    /// The value of a filter; none for null, which filters nothing.
    fn term(
        &mut self,
        table: &Table<'_>,
        entry: &Entry,
        attr: &Attribute,
        facts: &Facts,
    ) -> (Asked, Option<Term>) {
        let to = Target { on: &table.address, attr, kind: &attr.kind };
        let tree = self.tree(&entry.value, Some(&table.address));
        let Some(value) = tree.and_then(|tree| self.convert(tree, to)) else {
            return (Asked::Broken, None);
        };
        if value.is_sensitive() {
            let problem = format!("`{}` cannot be a secret here", attr.name);
            let finding = Diagnostic::error("secret_key", problem)
                .at(entry.value.span, "a secret")
                .help("filters stand in requests and messages");
            self.findings.push(finding.on(&table.address));
            return (Asked::Broken, None);
        }
        let mut asked = Asked::Fine;
        let known = self.with_ids(value, (table, entry.value.span), facts, &mut asked);
        (asked, known.as_ref().and_then(Term::of))
    }

    /// Ids of ours in place of references; `None` while one is not known.
    fn with_ids(
        &mut self,
        value: Value,
        (table, span): (&Table<'_>, Span),
        facts: &Facts,
        asked: &mut Asked,
    ) -> Option<Value> {
        match value {
            Value::List(items) => {
                let items = items.iter().cloned();
                let known: Vec<_> =
                    items.map(|i| self.with_ids(i, (table, span), facts, asked)).collect();
                known.into_iter().collect::<Option<_>>().map(Value::list)
            }
            Value::Object(of) | Value::Id(of) => match facts.ids.get(&of) {
                Some(Some(id)) => Some(Value::Str(id.clone())),
                Some(None) => {
                    let problem = format!("the id of `{of}` is not known before it is created");
                    let finding = Diagnostic::error("not_yet_known", problem)
                        .at(span, "known only after apply")
                        .help(format!(
                            "apply once without [{}] and what uses it, then add it",
                            table.address
                        ));
                    self.findings.push(finding.on(&table.address));
                    *asked = Asked::Broken;
                    None
                }
                None => {
                    if !self.judging {
                        self.needs.insert(Need::Id(of));
                    }
                    *asked = (*asked).max(Asked::Open);
                    None
                }
            },
            other => Some(other),
        }
    }
}

/// Whether a filter has its value, from best to worst.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Asked {
    Fine,
    Open,
    Broken,
}

/// A row as expressions see it.
fn object(ty: &ResourceType, lookup: &Lookup, row: &LiveObject) -> Value {
    let mut attrs = BTreeMap::new();
    for ((ix, attr), value) in ty.attrs().zip(&row.attrs) {
        if attr.sensitive || attr.write_only {
            continue;
        }
        // What a table asked by, its row has, whether the reply says so or not.
        let asked = || lookup.term(ix).map_or(Value::Null, Term::value);
        let value = if value.is_null() { asked() } else { value.clone() };
        attrs.insert(attr.name.clone(), value);
    }
    for (ix, link) in ty.links().filter(|(_, link)| is_owner(&link.side)) {
        let ids = row.linked(ix).iter().map(|id| Value::Str(id.clone()));
        attrs.insert(link.name.clone(), Value::list(ids.collect()));
    }
    let (kind, id) = (ty.name.clone(), row.id.clone());
    Value::Found(Arc::new(Found { kind, id, attrs: Some(attrs) }))
}
