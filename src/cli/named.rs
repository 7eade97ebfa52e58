//! An object by its name, for those who have no id at hand.
//!
//! In: a resource of the configuration, and the name of a live object of its type. Out: the id of
//! the only one that has this name.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::sync::Arc;

use crate::cli::failure::Failure;
use crate::cli::imports::unreadable;
use crate::config::{DesiredResource, Lookup, Term};
use crate::diag::Diagnostic;
use crate::inventory::LiveObject;
use crate::observe::data;
use crate::provider::Connection;
use crate::schema::{Kind, ResourceType, Schemas};

/// So many objects of one name are listed.
const LISTED: usize = 20;

/// Finds it.
///
/// # Errors
/// There is none, there are several, or the query failed.
pub async fn find(
    connection: &Connection,
    schemas: &Schemas,
    desired: &DesiredResource,
    name: &str,
) -> Result<Arc<str>, Failure> {
    let ty = schemas.get(desired.ty);
    let Some(by) = ty.find_attr("name") else {
        let text = format!("`{name}` is no id, and a {} has no name", ty.name);
        return Err(Diagnostic::error("not_found", text).into());
    };
    let lookup = Lookup {
        provider: desired.provider.clone(),
        ty: desired.ty,
        id: None,
        filters: vec![(by, Term::Text(name.into()))],
    };
    let asked = BTreeSet::from([lookup.clone()]);
    let answers = data::look_up(connection, schemas, &asked).await;
    let answers = answers.map_err(|error| unreadable(&error.fault))?;
    let rows = answers.get(&lookup).map(|rows| rows.as_slice()).unwrap_or_default();
    let found: Vec<&LiveObject> = rows.iter().filter(|row| lookup.admits(ty, row)).collect();
    match found[..] {
        [one] => Ok(one.id.clone()),
        [] => {
            let text = format!("there is no {} with the id or the name `{name}`", ty.name);
            Err(Diagnostic::error("not_found", text)
                .detail("An object of another type, or one that this account may not see, is not found either.")
                .help("an id has 32 hexadecimal digits; the console shows it with the object's details")
                .into())
        }
        _ => Err(ambiguous(ty, &found, name).into()),
    }
}

fn ambiguous(ty: &ResourceType, found: &[&LiveObject], name: &str) -> Diagnostic {
    let mut list = String::from("They are:");
    for object in found.iter().take(LISTED) {
        // Writing into a String does not fail.
        let _ = write!(list, "\n{}{}", object.id, told_apart(ty, object));
    }
    if found.len() > LISTED {
        let _ = write!(list, "\nand {} more", found.len() - LISTED);
    }
    let text = format!("{} objects of type {} have the name `{name}`", found.len(), ty.name);
    Diagnostic::error("ambiguous_name", text).detail(list).help("import one of them by its id")
}

/// What an object refers to, and its required texts.
fn told_apart(ty: &ResourceType, object: &LiveObject) -> String {
    let attrs = ty.attrs().zip(&object.attrs).filter(|((_, attr), value)| {
        let tells = attr.required || matches!(attr.kind, Kind::Ref(_));
        tells && &*attr.name != "name" && !attr.sensitive && value.as_str().is_some()
    });
    let shown = attrs.take(4).map(|((_, attr), value)| format!("  {} = {value}", attr.name));
    shown.collect()
}
