//! What a plan refuses to do, in words. In: addresses and places. Out: findings, each with a way
//! out. Whether to refuse is decided in `decide`.

use crate::address::Address;
use crate::config::DesiredResource;
use crate::diag::{Diagnostic, Span};
use crate::plan::diff::Difference;
use crate::plan::{Reason, Shown};
use crate::schema::ResourceType;
use crate::value::Value;

pub fn data_at_stake(
    desired: &DesiredResource,
    differences: &[Difference],
    reason: &Reason,
) -> Diagnostic {
    let forcing = differences.iter().find(|d| d.diff.forces_replace).map(|d| &d.diff);
    let name = forcing.map_or("an attribute", |d| &*d.name);
    let place = forcing.and_then(|d| d.origin).unwrap_or(desired.declared);
    let finding = Diagnostic::error(
        "replace_destroys_data",
        format!("`{}` would be replaced", desired.address),
    )
    .on(&desired.address)
    .at(
        place,
        match reason {
            Reason::Triggered(of, _) => {
                format!("`replace_triggered_by` names `{of}`, which changes")
            }
            _ => format!("`{name}` cannot be changed in place"),
        },
    )
    .detail("Replacing it destroys the data on it, so a plan never does that by itself.");
    // Nobody changed a value: what it refers to is there, and the state does not know it.
    if let Some((Shown::Value(Value::Str(id)), Shown::AfterApply(of))) =
        forcing.map(|d| (&d.before, &d.after))
    {
        return finding.help(format!(
            "`{of}` is not in the state; if it is the object {id}: rackform import '{of}' {id}"
        ));
    }
    let instead = match reason {
        Reason::Triggered(..) => "take it out of `replace_triggered_by`",
        _ => "put the old value back",
    };
    finding.help(format!("{instead}, or name it in the plan: --replace '{}'", desired.address))
}

/// An element of a part that the API can add but not take away.
pub fn stays(address: &Address, owner: Option<&DesiredResource>) -> Diagnostic {
    let owner_address = address.owner();
    let finding = Diagnostic::error(
        "cannot_remove",
        format!("`{address}` cannot be taken away: the server has no call for it"),
    )
    .on(address)
    .detail(format!(
        "Only a new `{owner_address}` would be without it, and the data on the old one would be gone."
    ))
    .help(format!("put it back, or name the owner in the plan: --replace '{owner_address}'"));
    match owner {
        Some(owner) => finding.at(owner.declared, "declared here, without it"),
        None => finding,
    }
}

/// A device that the server has not found where it should be.
/// `there`: what it has found in its place.
pub fn not_discovered(
    ty: &ResourceType,
    desired: &DesiredResource,
    there: &[String],
) -> Diagnostic {
    let finding = Diagnostic::error(
        "not_discovered",
        format!("the server has found no such {} for `{}`", ty.name, desired.address),
    )
    .on(&desired.address)
    .at(desired.declared, "declared here")
    .help("correct what identifies it; devices are found when their host connects");
    match there {
        [] => finding.detail("It has found none there."),
        some => finding.detail(format!("It has found: {}.", some.join(", "))),
    }
}

pub fn protected(address: &Address, place: Span, verb: &str) -> Diagnostic {
    Diagnostic::error("prevent_destroy", format!("`{address}` is protected and would be {verb}"))
        .on(address)
        .at(place, "declared here")
        .detail("It was applied with `prevent_destroy = true`.")
        .help("apply `lifecycle = { prevent_destroy = false }` first, then plan again")
}

/// `gone`: what is gone of it, if nothing declares it.
pub fn protected_orphan(address: &Address, declared: Option<Span>, gone: &Reason) -> Diagnostic {
    if let Some(place) = declared {
        return protected(address, place, "destroyed");
    }
    let (what, help) = match gone {
        Reason::KeyGone => ("Its key is gone from for_each or count".to_owned(), key_gone(address)),
        Reason::ModuleKeyGone(module) => {
            (format!("Its key is gone from the for_each or count of {module}"), key_gone(address))
        }
        _ => (
            "Its block is gone".to_owned(),
            "put the block back with `prevent_destroy = false`, apply, then remove it".to_owned(),
        ),
    };
    Diagnostic::error("prevent_destroy", format!("`{address}` is protected and would be destroyed"))
        .on(address)
        .detail(format!("{what}, but it was applied with `prevent_destroy = true`."))
        .help(help)
}

/// To switch the protection of the block off would unprotect its other instances too.
fn key_gone(address: &Address) -> String {
    format!(
        "put the key back; or leave the object in the cloud and forget it: a `[[removed]]` with \
         from = '{address}' and destroy = false, or rackform state rm '{address}'"
    )
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
