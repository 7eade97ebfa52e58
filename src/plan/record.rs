//! What the state remembers of an object: the attributes that the configuration manages and those
//! that the server computes. Others are not ours to watch.

use std::sync::Arc;

use crate::schema::{ResourceType, Row};
use crate::value::Value;

/// Attributes to keep of a live row. Never secrets: live rows have none, and write-only
/// attributes do not read back.
pub fn seen(ty: &ResourceType, desired: Option<&Row>, live: &Row) -> Vec<(Arc<str>, Value)> {
    ty.attrs()
        .zip(live)
        .filter(|((ix, attr), value)| {
            let managed = desired.is_none_or(|row| !row[usize::from(ix.0)].is_null());
            !value.is_null() && !attr.sensitive && (attr.computed || managed)
        })
        .map(|((_, attr), value)| (attr.name.clone(), value.clone()))
        .collect()
}
