//! References to objects that somebody else manages, in attributes and as ends of attachments: they
//! must exist before anything is sent. A create that fails because of one would come too late for
//! what was deleted to make room.
//!
//! In: the configuration and the live inventory. Out: findings.

use std::sync::Arc;

use crate::address::Address;
use crate::config::{DesiredLink, DesiredResource, End};
use crate::diag::{Diagnostic, Diagnostics, Span};
use crate::plan::Inputs;
use crate::schema::{Kind, Schemas, Side, TypeIx};
use crate::value::Value;

/// Ids that a resource refers to, with the type that they must have.
pub fn references(schemas: &Schemas, resource: &DesiredResource) -> Vec<(TypeIx, Arc<str>)> {
    let attrs = schemas.get(resource.ty).attrs().zip(&resource.attrs);
    let found = attrs.filter_map(|((_, attr), value)| match (&attr.kind, value) {
        (Kind::Ref(kind), Value::Str(id)) => Some((schemas.find(kind)?, id.clone())),
        _ => None,
    });
    found.collect()
}

/// The ends of an attachment that are given by id, with the type that they must have.
pub fn ends(schemas: &Schemas, link: &DesiredLink) -> Vec<(TypeIx, Arc<str>)> {
    let other = match &schemas.get(link.owner_ty).link(link.link).side {
        Side::Owner { to, .. } => schemas.find(to),
        Side::Other { .. } => None,
    };
    let both = [(Some(link.owner_ty), &link.owner), (other, &link.to)];
    let foreign = both.into_iter().filter_map(|(ty, end)| match end {
        End::Foreign(id) => Some((ty?, id.clone())),
        End::Ours(_) => None,
    });
    foreign.collect()
}

/// Finds references to nothing.
pub fn check(inputs: &Inputs<'_>, findings: &mut Diagnostics) {
    let Some(inventory) = inputs.live else { return };
    if inputs.options.destroy {
        return;
    }
    for resource in &inputs.desired.resources {
        for (ty, id) in references(inputs.schemas, resource) {
            if inventory.get(&resource.provider, ty, &id).is_none() {
                let place = place(resource, &id);
                findings.push(missing(inputs, (&resource.address, place), ty, &id));
            }
        }
    }
    for link in &inputs.desired.links {
        let (declarer, _) = &link.declared_by;
        let Some(declarer) = inputs.desired.get(declarer) else { continue };
        for (ty, id) in ends(inputs.schemas, link) {
            if inventory.get(&declarer.provider, ty, &id).is_none() {
                let from = (&declarer.address, link.declared);
                findings.push(missing(inputs, from, ty, &id));
            }
        }
    }
}

/// Where a resource says this id.
fn place(resource: &DesiredResource, id: &Arc<str>) -> Span {
    let written = resource.attrs.iter().position(|value| *value == Value::Str(id.clone()));
    let place = written.and_then(|ix| resource.spans.get(ix).copied().flatten());
    place.unwrap_or(resource.declared)
}

fn missing(
    inputs: &Inputs<'_>,
    (from, place): (&Address, Span),
    ty: TypeIx,
    id: &Arc<str>,
) -> Diagnostic {
    let kind = &inputs.schemas.get(ty).name;
    Diagnostic::error("no_such_object", format!("there is no {kind} with the id `{id}`"))
        .on(from)
        .at(place, "referred to here")
        .detail(
            "An object of another type, or one that this account may not see, is not found either.",
        )
        .help(match inputs.schemas.get(ty).data_only() {
            true => format!("correct the id, or look it up: [data.{kind}.LABEL]"),
            false => {
                format!("correct the id, or write the address of a {kind} of this configuration")
            }
        })
}
