//! What the state remembers of an object: the attributes that the configuration manages and those
//! that the server computes. Others are not ours to watch.

use std::sync::Arc;

use crate::config::DesiredResource;
use crate::plan::{Action, Attributes};
use crate::schema::{Kind, ResourceType, Row, UniqueItem};
use crate::state::{self, Entry};
use crate::value::Value;

/// Attributes to keep of a live row. Never secrets: live rows have none, and write-only
/// attributes do not read back. What the configuration makes of a secret is only named.
pub fn seen(ty: &ResourceType, desired: Option<&Row>, live: &Row) -> Vec<(Arc<str>, Value)> {
    let mut seen = Vec::new();
    for ((ix, attr), value) in ty.attrs().zip(live) {
        let wanted = desired.map(|row| &row[usize::from(ix.0)]);
        let managed = wanted.is_none_or(|wanted| !wanted.is_null());
        if value.is_null() || attr.sensitive || !(attr.computed || managed) {
            continue;
        }
        let secret = wanted.is_some_and(Value::is_sensitive);
        let kept = if secret { state::hidden() } else { value.clone() };
        seen.push((attr.name.clone(), kept));
    }
    seen
}

/// Whether the state should be brought up to date though nothing is to be done. What only the
/// server computes (capacities) changes all the time and does not count.
pub fn outdated(ty: &ResourceType, known: &Attributes, seen: &Attributes) -> bool {
    let managed = |attrs: &Attributes| {
        let ours = |name: &str| ty.find_attr(name).is_none_or(|ix| !ty.attr(ix).computed);
        let mut managed: Attributes = attrs.iter().filter(|(n, _)| ours(n)).cloned().collect();
        managed.sort_by(|a, b| a.0.cmp(&b.0));
        managed
    };
    known != seen && managed(known) != managed(seen)
}

/// An object as the state has it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Last {
    /// Without secrets.
    pub attrs: Attributes,
    /// Names of the attributes by which people know the object.
    pub telling: Vec<Arc<str>>,
}

/// Most attributes that tell an object from others.
const TELLING: usize = 5;

/// What the state has of an object that goes or is forgotten; nothing of others. Attributes that
/// the schema does not know (any more) or calls sensitive by now stay out.
pub fn last(ty: &ResourceType, prior: Option<&Entry>, action: Action) -> Last {
    let (Some(prior), Action::Delete | Action::Forget) = (prior, action) else {
        return Last::default();
    };
    let plain = |name: &str, value: &Value| {
        !state::is_hidden(value) && ty.find_attr(name).is_some_and(|ix| !ty.attr(ix).sensitive)
    };
    let attrs: Attributes =
        prior.attrs.iter().filter(|(name, v)| plain(name, v)).cloned().collect();
    let keys = ty.unique.iter().flatten().filter_map(|item| match item {
        UniqueItem::Attr(ix) => Some(*ix),
        UniqueItem::Nested(..) | UniqueItem::Part(_) => None,
    });
    let mut telling = Vec::new();
    for ix in ty.find_attr("name").into_iter().chain(keys) {
        let attr = ty.attr(ix);
        // An id tells people nothing.
        let has = attrs.iter().any(|(name, _)| *name == attr.name);
        if has && !matches!(attr.kind, Kind::Ref(_)) && !telling.contains(&attr.name) {
            telling.push(attr.name.clone());
        }
    }
    telling.truncate(TELLING);
    Last { attrs, telling }
}

/// The first unique key in readable form, kept with a pending create.
pub fn unique(ty: &ResourceType, desired: &DesiredResource) -> Vec<(Arc<str>, String)> {
    let Some(set) = ty.unique.first() else { return Vec::new() };
    set.iter()
        .filter_map(|item| match item {
            UniqueItem::Attr(ix) => {
                let value = &desired.attrs[usize::from(ix.0)];
                let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
                (!value.is_null()).then(|| (ty.attr(*ix).name.clone(), text))
            }
            UniqueItem::Nested(..) | UniqueItem::Part(_) => None,
        })
        .collect()
}
