//! References to objects that somebody else manages: they must exist before anything is sent.
//! A create that fails because of one would come too late for what was deleted to make room.
//!
//! In: the configuration and the live inventory. Out: findings.

use std::sync::Arc;

use crate::config::DesiredResource;
use crate::diag::{Diagnostic, Diagnostics};
use crate::plan::Inputs;
use crate::schema::{Kind, Schemas, TypeIx};
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

/// Finds references to nothing.
pub fn check(inputs: &Inputs<'_>, findings: &mut Diagnostics) {
    let Some(inventory) = inputs.live else { return };
    if inputs.options.destroy {
        return;
    }
    for resource in &inputs.desired.resources {
        for (ty, id) in references(inputs.schemas, resource) {
            if inventory.get(&resource.provider, ty, &id).is_none() {
                findings.push(missing(inputs, resource, ty, &id));
            }
        }
    }
}

fn missing(
    inputs: &Inputs<'_>,
    resource: &DesiredResource,
    ty: TypeIx,
    id: &Arc<str>,
) -> Diagnostic {
    let kind = &inputs.schemas.get(ty).name;
    let written = resource.attrs.iter().position(|value| *value == Value::Str(id.clone()));
    let place = written.and_then(|ix| resource.spans.get(ix).copied().flatten());
    Diagnostic::error("no_such_object", format!("there is no {kind} with the id `{id}`"))
        .on(&resource.address)
        .at(place.unwrap_or(resource.declared), "referred to here")
        .detail(
            "An object of another type, or one that this account may not see, is not found either.",
        )
        .help(format!("correct the id, or write the address of a {kind} of this configuration"))
}
