//! State vs live: what changed outside.
//!
//! In: an entry of the state and its live row. Out: the attributes that differ, for people. Knows
//! nothing of what is desired.

use crate::inventory::LiveObject;
use crate::plan::AttrDiff;
use crate::plan::diff;
use crate::plan::known::Known;
use crate::schema::ResourceType;
use crate::state::{self, Entry};

/// Attributes that somebody changed since the state was written. Only those that the state knows
/// count, and none that the server computes.
pub fn between(
    ty: &ResourceType,
    entry: &Entry,
    live: &LiveObject,
    known: &Known,
) -> Vec<AttrDiff> {
    let mut attrs = Vec::new();
    for (name, before) in &entry.attrs {
        let Some(ix) = ty.find_attr(name) else { continue };
        let now = &live.attrs[usize::from(ix.0)];
        // What costs a call of its own is not read once the configuration is silent about it.
        let unread = ty.attr(ix).read.is_some() && now.is_null();
        if ty.attr(ix).computed || now == before || unread || state::is_hidden(before) {
            continue;
        }
        attrs.push(AttrDiff {
            name: name.clone(),
            before: diff::live_shown(before, known),
            after: diff::live_shown(now, known),
            origin: None,
            forces_replace: false,
        });
    }
    attrs
}
