//! Names → objects: `zone.east`, `"zone.east"`, `var.x`, and ids of foreign objects.
//!
//! In: what a reference is written as. Out: [`Value::Object`] (ours) or [`Value::Str`] (a foreign
//! id). One look-up per name; a miss says what was probably meant.

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use super::Work;
use super::attr::{Shape, Tree};
use super::table::{DataTable, written};
use crate::address::Address;
use crate::config::expr::{Fault, Next, Scope, Stop};
use crate::config::syntax::Block;
use crate::diag::nearest;
use crate::schema::{IdRule, Schemas};
use crate::value::{Found, Value};

/// Looking for what was meant compares with every label: bounded, or 10,000 dangling references
/// among 10,000 objects would take minutes.
const SUGGESTIONS: u32 = 50;
const SMALL: usize = 500;
/// Tables with labels that are no resources, as far as they are supported.
const TABLES: [&str; 3] = ["data", "provider", "variable"];

/// Everything that an expression can name.
#[derive(Default)]
pub(super) struct Names {
    pub variables: BTreeMap<Arc<str>, Value>,
    /// Declared variables without a value, which has been reported.
    pub broken: BTreeSet<Arc<str>>,
    objects: HashMap<Arc<str>, BTreeMap<Arc<str>, Address>>,
    /// `[data.TYPE.LABEL]`.
    data: BTreeMap<Arc<str>, BTreeMap<Arc<str>, DataTable>>,
    stage: Stage,
    suggestions: Cell<u32>,
}

/// What may be named: values are evaluated in this order.
#[derive(Clone, Copy, Default, PartialEq)]
pub(super) enum Stage {
    /// In a variable's default.
    #[default]
    Nothing,
    /// In provider settings.
    Variables,
    All,
}

impl Names {
    pub fn enter(&mut self, stage: Stage) {
        self.stage = stage;
    }

    /// Makes the resources known. Those of unknown types are too: they are reported as such, and
    /// not once more by each reference.
    pub fn declare(&mut self, blocks: &[Block], schemas: &Schemas) {
        self.stage = Stage::All;
        for block in blocks {
            let kind = match schemas.by_name(&block.kind.text) {
                Some(ty) => ty.name.clone(),
                None => block.kind.text.clone(),
            };
            let address = Address::new(&kind, &block.label.text);
            self.objects.entry(kind).or_default().insert(block.label.text.clone(), address);
        }
    }

    /// Makes a table known, or known better.
    pub fn put_data(&mut self, block: &Block, table: DataTable) {
        let labels = self.data.entry(block.kind.text.clone()).or_default();
        labels.insert(block.label.text.clone(), table);
    }

    pub fn address(&self, kind: &str, label: &str) -> Option<&Address> {
        self.objects.get(kind)?.get(label)
    }

    pub fn near_type<'s>(&self, kind: &str, schemas: &'s Schemas) -> Option<&'s str> {
        let types = schemas.resources().map(|t| &*t.name);
        nearest(kind, types.chain(TABLES))
    }

    /// The object that was probably meant.
    fn near(&self, kind: &str, label: &str, wanted: &[&Arc<str>]) -> Option<&Address> {
        let same_label = wanted.iter().find_map(|k| self.address(k, label));
        if same_label.is_some() {
            return same_label;
        }
        let kind = if self.objects.contains_key(kind) {
            kind
        } else {
            nearest(kind, self.objects.keys().map(|k| &**k))?
        };
        let labels = self.objects.get(kind)?;
        if labels.len() > SMALL {
            if self.suggestions.get() >= SUGGESTIONS {
                return None;
            }
            self.suggestions.set(self.suggestions.get() + 1);
        }
        labels.get(nearest(label, labels.keys().map(|l| &**l))?)
    }

    fn find(&self, address: &Address, wanted: &[&Arc<str>]) -> Result<&Address, Fault> {
        let miss = |summary: String| Fault::new("missing_object", summary).label("not declared");
        if !address.modules().is_empty() {
            return Err(Fault::new("not_supported_yet", "`module` is not supported yet"));
        }
        if address.member_of().is_some() {
            let problem = format!("`{address}` is an attachment, not an object");
            return Err(Fault::new("bad_reference", problem));
        }
        let Some(found) = self.address(address.kind(), address.label()) else {
            let fault = miss(format!("there is no `{address}` in this configuration"));
            return Err(match self.near(address.kind(), address.label(), wanted) {
                Some(near) => fault.help(format!("did you mean `{near}`?")),
                None => {
                    fault.help("an object that is not declared here is given by id: \"id:UUID\"")
                }
            });
        };
        if address.key().is_some() {
            let fault = miss(format!("`{found}` has no instances"));
            return Err(fault.help(format!("write `{found}`")));
        }
        Ok(found)
    }
}

/// The finding for a name in a place that is evaluated before it is known.
pub(super) fn not_here(what: &str) -> Fault {
    Fault::new("not_here", format!("{what} cannot be used here"))
        .help("variables take literals and env(), providers also variables")
}

impl Scope for Names {
    fn variable(&self, name: &str) -> Result<Value, Stop> {
        if self.stage == Stage::Nothing {
            return Err(not_here("variables").into());
        }
        if let Some(value) = self.variables.get(name) {
            return Ok(value.clone());
        }
        if self.broken.contains(name) {
            return Err(Stop::Silent);
        }
        let fault = Fault::new("unknown_variable", format!("there is no variable `{name}`"));
        let known = self.variables.keys().chain(&self.broken).map(|n| &**n);
        Err(match nearest(name, known) {
            Some(near) => fault.help(format!("did you mean `var.{near}`?")),
            None => fault.help(format!("declare it: [variable.{name}]")),
        }
        .into())
    }

    fn object(&self, kind: &str, label: &str, key: Option<&str>) -> Result<Value, Stop> {
        if self.stage != Stage::All {
            return Err(not_here("resources").into());
        }
        let address = Address::new(kind, label);
        let address = key.map_or(address.clone(), |key| address.instance(key));
        Ok(Value::Object(self.find(&address, &[])?.clone()))
    }

    fn data(&self, kind: &str, label: &str, next: &Next<'_>) -> Result<Value, Stop> {
        if self.stage != Stage::All {
            return Err(not_here("`data`").into());
        }
        let address = format!("data.{kind}.{label}");
        let labels = self.data.get(kind);
        if let Some(table) = labels.and_then(|labels| labels.get(label)) {
            return table.value(&address, next);
        }
        let problem = format!("there is no `{address}` in this configuration");
        let fault = Fault::new("missing_data", problem).label("not declared");
        let near = labels.and_then(|labels| nearest(label, labels.keys().map(|l| &**l)));
        Err(match near {
            Some(near) => fault.help(format!("did you mean `data.{kind}.{near}`?")),
            None => fault.help(format!("declare it: [{address}]")),
        }
        .into())
    }
}

impl Work<'_> {
    /// An object of one of these types, or a foreign one by id.
    pub(super) fn reference(
        &mut self,
        tree: &Tree,
        wanted: &[&Arc<str>],
        on: &Address,
    ) -> Option<Value> {
        let looked_up = match &tree.shape {
            Shape::Leaf(Value::Str(text)) => match written(text) {
                Some((kind, label)) => match self.names.data(kind, label, &Next::default()) {
                    Ok(value) => Some(value),
                    Err(Stop::Silent) => return None,
                    Err(Stop::Fault(fault)) => {
                        self.findings.push(fault.into_diagnostic(tree.span).on(on));
                        return None;
                    }
                },
                None => None,
            },
            _ => None,
        };
        let found = match &tree.shape {
            Shape::Leaf(value) => match looked_up.as_ref().unwrap_or(value) {
                Value::Found(object) => match self.looked_up(object, wanted) {
                    Ok(Some(id)) => Ok(Value::Str(id)),
                    Ok(None) => return None,
                    Err(fault) => Err(fault),
                },
                Value::Sensitive(_) => Err(Fault::new("bad_reference", "a secret is no reference")
                    .label("ids and addresses are shown")),
                Value::Object(address) | Value::Id(address) => Ok(Value::Object(address.clone())),
                Value::Str(text) => self.read(text, wanted),
                other => Err(bad_reference(other.kind_name(), wanted)),
            },
            _ => Err(bad_reference(tree.kind_name(), wanted)),
        };
        let found = found.and_then(|value| match &value {
            Value::Object(to) if !wanted.iter().any(|kind| self.schemas.suits(to.kind(), kind)) => {
                let kinds = either(wanted);
                let problem = format!("`{to}` stands where a reference to {kinds} is needed");
                let forms: Vec<_> = wanted.iter().map(|k| format!("`\"{k}.LABEL\"`")).collect();
                Err(Fault::new("wrong_type", problem)
                    .label(format!("of type {}", to.kind()))
                    .help(format!("write it as {}", forms.join(" or "))))
            }
            _ => Ok(value),
        });
        match found {
            Ok(value) => Some(value),
            Err(fault) => {
                self.findings.push(fault.into_diagnostic(tree.span).on(on));
                None
            }
        }
    }

    /// The id of a looked-up object, if it is of a type that is wanted. One of a type that is only
    /// looked up may stand for any: its rows are objects of other types. `None`: not known yet.
    fn looked_up(&self, object: &Found, wanted: &[&Arc<str>]) -> Result<Option<Arc<str>>, Fault> {
        let ty = self.schemas.by_name(&object.kind);
        let suits = wanted.iter().any(|kind| self.schemas.suits(&object.kind, kind))
            || ty.is_some_and(|ty| ty.data_only());
        if !suits {
            let (kind, kinds) = (&object.kind, either(wanted));
            let problem = format!("a {kind} stands where a reference to {kinds} is needed");
            return Err(Fault::new("wrong_type", problem).label(format!("looked up as {kind}")));
        }
        if ty.is_some_and(|ty| ty.id == IdRule::None) {
            let problem = format!("a {} has no id: nothing can refer to it", object.kind);
            return Err(Fault::new("bad_reference", problem).label("has no id"));
        }
        Ok(object.attrs.is_some().then(|| object.id.clone()))
    }

    fn read(&self, text: &str, wanted: &[&Arc<str>]) -> Result<Value, Fault> {
        if let Some(id) = foreign_id(text)? {
            return Ok(Value::str(id));
        }
        match Address::parse(text) {
            Ok(address) => self.names.find(&address, wanted).cloned().map(Value::Object),
            Err(_) => {
                let by_label = wanted.iter().find_map(|kind| self.names.address(kind, text));
                let kinds = either(wanted);
                let fault = Fault::new("bad_reference", format!("`{text}` is not a reference"))
                    .label("names are not accepted");
                Err(match by_label {
                    Some(meant) => fault.help(format!("did you mean \"{meant}\"?")),
                    None => fault.help(format!("write TYPE.LABEL ({kinds}.…), or \"id:UUID\"")),
                })
            }
        }
    }

    /// An address of this configuration, for `depends_on`.
    pub(super) fn dependency(&mut self, tree: &Tree, on: &Address) -> Option<Address> {
        let found = match &tree.shape {
            Shape::Leaf(Value::Object(address) | Value::Id(address)) => Ok(address.clone()),
            Shape::Leaf(Value::Str(text)) => match Address::parse(text) {
                Ok(address) => self.names.find(&address, &[]).cloned(),
                Err(error) => Err(Fault::new("bad_reference", error.to_string())
                    .help("write the address of a resource: \"TYPE.LABEL\"")),
            },
            _ => Err(bad_reference(tree.kind_name(), &[])),
        };
        found
            .map_err(|fault| {
                self.findings.push(fault.into_diagnostic(tree.span).on(on));
            })
            .ok()
    }
}

/// The id of an object that somebody else manages: `id:…`, or 32 hex digits as ZStack writes them.
/// Ids stand in paths and queries, so that nothing else may be in them than what ids consist of.
pub(super) fn foreign_id(text: &str) -> Result<Option<&str>, Fault> {
    const LONGEST: usize = 64;
    let bare = text.len() == 32 && text.bytes().all(|b| b.is_ascii_hexdigit());
    let Some(id) = text.strip_prefix("id:") else { return Ok(bare.then_some(text)) };
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_');
    if id.is_empty() || id.len() > LONGEST || !id.bytes().all(plain) {
        let problem = format!("`{text}` is no id");
        return Err(Fault::new("bad_reference", problem)
            .label("letters, digits, `-` and `_`, at most 64")
            .help("an id is what the API calls `uuid` or `id`, such as \"id:5f1c0f8be2a74d0c9a3d1f0f6f3a2b1c\""));
    }
    Ok(Some(id))
}

fn bad_reference(found: &str, wanted: &[&Arc<str>]) -> Fault {
    let kinds = if wanted.is_empty() {
        "TYPE.LABEL".to_owned()
    } else {
        format!("{}.LABEL", either(wanted))
    };
    Fault::new("wrong_kind", format!("a reference is needed, such as \"{kinds}\""))
        .label(format!("this is {found}"))
}

fn either(kinds: &[&Arc<str>]) -> String {
    kinds.iter().map(|k| &***k).collect::<Vec<_>>().join(" or ")
}
