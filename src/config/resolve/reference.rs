//! References: `"zone.east"`, `'cluster.rack["a"]'`, values of expressions, ids of foreign objects.
//!
//! In: what a reference is written as. Out: [`Value::Object`] (ours) or [`Value::Str`] (a foreign
//! id). One look-up per name; a miss says what was probably meant.

use std::sync::Arc;

use super::Work;
use super::attr::{Shape, Tree};
use super::instances::Instances;
use super::module::{no_instance, no_instances, which_instance};
use super::table::written;
use crate::address::Address;
use crate::config::expr::{Fault, Next, Stop};
use crate::diag::nearest;
use crate::schema::IdRule;
use crate::value::{Found, Value};

/// Looking for what was meant compares with every label: bounded, or 10,000 dangling references
/// among 10,000 objects would take minutes.
const SUGGESTIONS: u32 = 50;
const SMALL: usize = 500;
/// Tables with labels that are no resources.
const TABLES: [&str; 7] = ["check", "data", "locals", "module", "output", "provider", "variable"];

impl Work<'_> {
    pub(super) fn near_type(&self, kind: &str) -> Option<&str> {
        let types = self.schemas.resources().map(|t| &*t.name);
        nearest(kind, types.chain(TABLES))
    }

    fn address_of(&self, kind: &str, label: &str) -> Option<&Address> {
        self.current().block(kind, label).map(|state| &state.address)
    }

    /// The object that was probably meant.
    pub(super) fn near(&self, kind: &str, label: &str, wanted: &[&Arc<str>]) -> Option<String> {
        let short = |address: &Address| format!("{}.{}", address.kind(), address.label());
        if let Some(same_label) = wanted.iter().find_map(|k| self.address_of(k, label)) {
            return Some(short(same_label));
        }
        let blocks = &self.current().blocks;
        let kind = if blocks.contains_key(kind) {
            kind
        } else {
            nearest(kind, blocks.keys().map(|k| &**k))?
        };
        let labels = blocks.get(kind)?;
        if labels.len() > SMALL {
            if self.suggestions.get() >= SUGGESTIONS {
                return None;
            }
            self.suggestions.set(self.suggestions.get() + 1);
        }
        labels.get(nearest(label, labels.keys().map(|l| &**l))?).map(|s| short(&s.address))
    }

    /// The object with an address that is relative to this module.
    pub(super) fn find(
        &mut self,
        address: &Address,
        wanted: &[&Arc<str>],
    ) -> Result<Address, Stop> {
        if let Some(step) = address.modules().first() {
            let problem = format!("`{address}` reaches into the module `{}`", step.name);
            let help =
                format!("only outputs of a module can be named: ${{module.{}.OUTPUT}}", step.name);
            return Err(Fault::new("bad_reference", problem).help(help).into());
        }
        if address.member_of().is_some() {
            let problem = format!("`{address}` is an attachment, not an object");
            return Err(Fault::new("bad_reference", problem).into());
        }
        let (kind, label) = (address.kind(), address.label());
        let Some(found) = self.addresses(self.here.module, (kind, label)) else {
            return Err(self.missing_object(kind, label, wanted).into());
        };
        let block = format!("{kind}.{label}");
        match (found, address.key()) {
            (Instances::Open, _) => Err(Stop::Silent),
            (Instances::One(found), None) => Ok(found),
            (Instances::One(_), Some(_)) => Err(no_instances(&block).into()),
            (Instances::Many(many), None) => Err(which_instance(&block, many.keys().next()).into()),
            (Instances::Many(many), Some(key)) => match many.get(key) {
                Some((_, found)) => Ok(found.clone()),
                None => Err(no_instance(&block, key, &many).into()),
            },
        }
    }

    /// What a text that speaks of a looked-up object means; `None`: it is no such text.
    fn written_data(&mut self, text: &str) -> Option<Result<Value, Stop>> {
        let address = Address::parse(text.strip_prefix("data.")?).ok();
        let Some(address) = address.filter(|a| a.modules().is_empty() && a.member_of().is_none())
        else {
            let (kind, label) = written(text)?;
            return Some(self.looked_up_table(kind, label, &Next::default()));
        };
        let (kind, label) = (address.kind(), address.label());
        let next = Next { element: address.key().is_some(), ..Next::default() };
        let found = self.looked_up_table(kind, label, &next);
        let Some(key) = address.key() else { return Some(found) };
        Some(found.and_then(|value| {
            crate::config::expr::element(&value, &Value::str(key)).map_err(Stop::from)
        }))
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
            Shape::Leaf(Value::Str(text)) => match self.written_data(text) {
                Some(Ok(value)) => Some(value),
                Some(Err(stop)) => return self.no_reference(stop, tree, on),
                None => None,
            },
            _ => None,
        };
        let found = match &tree.shape {
            Shape::Leaf(value) => match looked_up.as_ref().unwrap_or(value) {
                Value::Found(object) => match self.looked_up(object, wanted) {
                    Ok(Some(id)) => Ok(Value::Str(id)),
                    Ok(None) => return None,
                    Err(fault) => Err(fault.into()),
                },
                Value::Sensitive(_) => Err(Fault::new("bad_reference", "a secret is no reference")
                    .label("ids and addresses are shown")
                    .into()),
                Value::Object(address) | Value::Id(address) => Ok(Value::Object(address.clone())),
                Value::Str(text) => self.read(text, wanted),
                other => Err(bad_reference(other, wanted).into()),
            },
            Shape::List(_) => Err(bad_reference(&Value::list(Vec::new()), wanted).into()),
            Shape::Map(_) => Err(bad_reference(&Value::map(Default::default()), wanted).into()),
        };
        let found = found.and_then(|value| match &value {
            Value::Object(to) if !wanted.iter().any(|kind| self.schemas.suits(to.kind(), kind)) => {
                let kinds = either(wanted);
                let problem = format!("`{to}` stands where a reference to {kinds} is needed");
                let forms: Vec<_> = wanted.iter().map(|k| format!("`\"{k}.LABEL\"`")).collect();
                Err(Fault::new("wrong_type", problem)
                    .label(format!("of type {}", to.kind()))
                    .help(format!("write it as {}", forms.join(" or ")))
                    .into())
            }
            _ => Ok(value),
        });
        match found {
            Ok(value) => Some(value),
            Err(stop) => self.no_reference(stop, tree, on),
        }
    }

    /// Reports why there is no object, if there is something to say.
    pub(super) fn no_reference<T>(&mut self, stop: Stop, tree: &Tree, on: &Address) -> Option<T> {
        if let Stop::Fault(fault) = stop {
            self.findings.push(fault.into_diagnostic(tree.span).on(on));
        }
        None
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

    fn read(&mut self, text: &str, wanted: &[&Arc<str>]) -> Result<Value, Stop> {
        if let Some(id) = foreign_id(text)? {
            return Ok(Value::str(id));
        }
        match Address::parse(text) {
            Ok(address) => self.find(&address, wanted).map(Value::Object),
            Err(_) => {
                let by_label = wanted.iter().find_map(|kind| self.address_of(kind, text));
                let kinds = either(wanted);
                let fault = Fault::new("bad_reference", format!("`{text}` is not a reference"))
                    .label("names are not accepted");
                Err(match by_label {
                    Some(meant) => fault.help(format!("did you mean \"{}.{text}\"?", meant.kind())),
                    None => fault.help(format!("write TYPE.LABEL ({kinds}.…), or \"id:UUID\"")),
                }
                .into())
            }
        }
    }
}

pub(super) fn object(value: &Value) -> Option<Address> {
    match value {
        Value::Object(address) | Value::Id(address) => Some(address.clone()),
        _ => None,
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

pub(super) fn bad_reference(found: &Value, wanted: &[&Arc<str>]) -> Fault {
    let kinds = if wanted.is_empty() {
        "TYPE.LABEL".to_owned()
    } else {
        format!("{}.LABEL", either(wanted))
    };
    let all = match found {
        Value::List(items) => items.iter().find_map(object),
        Value::Map(items) => items.values().find_map(object),
        _ => None,
    };
    let fault = Fault::new("wrong_kind", format!("a reference is needed, such as \"{kinds}\""));
    match all {
        Some(one) => fault.label("these are all instances").help(format!("write `{one}` for one")),
        None => fault.label(format!("this is {}", found.kind_name())),
    }
}

fn either(kinds: &[&Arc<str>]) -> String {
    kinds.iter().map(|k| &***k).collect::<Vec<_>>().join(" or ")
}
