//! What a plan refuses to do, in words. In: addresses and places. Out: findings, each with a way
//! out. Whether to refuse is decided in `decide`.

use crate::address::Address;
use crate::config::DesiredResource;
use crate::diag::{Diagnostic, Span};
use crate::plan::diff::Difference;

pub fn data_at_stake(desired: &DesiredResource, differences: &[Difference]) -> Diagnostic {
    let forcing = differences.iter().find(|d| d.diff.forces_replace).map(|d| &d.diff);
    let name = forcing.map_or("an attribute", |d| &*d.name);
    let place = forcing.and_then(|d| d.origin).unwrap_or(desired.declared);
    Diagnostic::error("replace_destroys_data", format!("`{}` would be replaced", desired.address))
        .on(&desired.address)
        .at(place, format!("`{name}` cannot be changed in place"))
        .detail("Replacing it destroys the data on it, so a plan never does that by itself.")
        .help(format!(
            "put the old value back, or name it in the plan: --replace '{}'",
            desired.address
        ))
}

pub fn protected(address: &Address, place: Span, verb: &str) -> Diagnostic {
    Diagnostic::error("prevent_destroy", format!("`{address}` is protected and would be {verb}"))
        .on(address)
        .at(place, "declared here")
        .detail("It was applied with `prevent_destroy = true`.")
        .help("apply `lifecycle = { prevent_destroy = false }` first, then plan again")
}

pub fn protected_orphan(address: &Address, declared: Option<Span>) -> Diagnostic {
    match declared {
        Some(place) => protected(address, place, "destroyed"),
        None => Diagnostic::error(
            "prevent_destroy",
            format!("`{address}` is protected and would be destroyed"),
        )
        .on(address)
        .detail("Its block is gone, but it was applied with `prevent_destroy = true`.")
        .help("put the block back with `prevent_destroy = false`, apply, then remove it"),
    }
}

pub fn unknown_type(address: &Address, kind: &str) -> Diagnostic {
    Diagnostic::error("unknown_type_in_state", format!("the state holds a `{kind}`"))
        .on(address)
        .detail("This build of rackform has no such resource type.")
        .help(format!("use the newer rackform, or forget it: rackform state rm '{address}'"))
}

/// Another provider is another cloud: an object cannot go there, and a new one would leave the old
/// one behind.
pub fn other_provider(desired: &DesiredResource, before: &str) -> Diagnostic {
    let (address, now) = (&desired.address, &desired.provider);
    Diagnostic::error("provider_changed", format!("`{address}` cannot move to another provider"))
        .on(address)
        .at(desired.declared, "declared here")
        .detail(format!("It is in provider.{before}; the configuration says provider.{now}."))
        .help(format!(
            "to make it anew there, remove its block, apply, and put it back; to leave the old \
             one where it is: rackform state rm '{address}'"
        ))
}

/// A reference by id to an object of ours that will not have this id any more.
pub fn ending_reference(from: &Address, to: &Address, place: Span) -> Diagnostic {
    Diagnostic::error("reference_to_old_id", format!("`{from}` would lose what it refers to"))
        .on(from)
        .at(place, "an id")
        .detail(format!("This id is that of `{to}`, which the plan destroys or replaces."))
        .help(format!("refer to it by its address, \"{to}\", or to something else"))
}
