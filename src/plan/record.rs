//! What the state remembers of an object: the attributes that the configuration manages and those
//! that the server computes. Others are not ours to watch.

use std::sync::Arc;

use crate::config::DesiredResource;
use crate::plan::Attributes;
use crate::schema::{ResourceType, Row, UniqueItem};
use crate::state;
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
