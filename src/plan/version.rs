//! What the configuration demands of the server's version (`since` of the schema).
//!
//! In: the configuration, and later the version that a server says it is. Out: demands, and what
//! is wrong with them. An attribute that the server is too old for would be ignored or refused by
//! it in the middle of an apply. Asks nobody: `cli` asks, and only when there is a demand.

use std::sync::Arc;

use crate::address::Address;
use crate::config::{Desired, DesiredResource, applies};
use crate::diag::{Diagnostic, Diagnostics, Span};
use crate::plan::Note;
use crate::schema::{Attribute, Kind, ResourceType, Schemas, Version};
use crate::value::Value;

/// An attribute that not every server has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Demand {
    /// Name of the provider configuration.
    pub provider: Arc<str>,
    pub address: Address,
    /// As messages name it: `os.boot_mode` inside an object.
    pub attr: String,
    /// First version that has it.
    pub since: String,
    pub place: Span,
    /// Whether the configuration sets it; if not, newer servers require it.
    pub set: bool,
}

/// What a server says it is.
#[derive(Clone, Copy, Debug)]
pub struct Server<'a> {
    /// Name of the provider configuration.
    pub provider: &'a Arc<str>,
    pub endpoint: &'a str,
    pub version: Option<&'a str>,
}

/// The demands of a configuration, in its order; none for most.
pub fn demands(desired: &Desired, schemas: &Schemas) -> Vec<Demand> {
    let dated: Vec<bool> = schemas.types.iter().map(|ty| ty.attrs.iter().any(is_dated)).collect();
    let mut all = Vec::new();
    for resource in &desired.resources {
        if dated[usize::from(resource.ty.0)] {
            of_resource(resource, schemas.get(resource.ty), &mut all);
        }
    }
    all
}

/// Whether this attribute, or one inside it, is not as old as its API.
fn is_dated(attr: &Attribute) -> bool {
    attr.since.is_some() || members(&attr.kind).iter().any(is_dated)
}

/// The attributes of the objects that a value consists of.
fn members(kind: &Kind) -> &[Attribute] {
    match kind {
        Kind::Object(attrs) => attrs,
        Kind::Set(item) | Kind::List(item) => members(item),
        _ => &[],
    }
}

fn of_resource(resource: &DesiredResource, ty: &ResourceType, all: &mut Vec<Demand>) {
    for ((_, attr), (value, span)) in
        ty.attrs().zip(resource.attrs.iter().zip(resource.spans.iter()))
    {
        let asked = !value.is_null() || (attr.required && applies(attr, &resource.attrs));
        if is_dated(attr) && asked {
            let place = span.unwrap_or(resource.declared);
            Collector { resource, place, all: &mut *all }.add(&attr.name, attr, value);
        }
    }
}

struct Collector<'a> {
    resource: &'a DesiredResource,
    place: Span,
    all: &'a mut Vec<Demand>,
}

impl Collector<'_> {
    fn add(&mut self, name: &str, attr: &Attribute, value: &Value) {
        if let Some(since) = &attr.since {
            self.all.push(Demand {
                provider: self.resource.provider.clone(),
                address: self.resource.address.clone(),
                attr: name.to_owned(),
                since: since.clone(),
                place: self.place,
                set: !value.is_null(),
            });
        }
        self.inside(name, members(&attr.kind), value);
    }

    fn inside(&mut self, name: &str, attrs: &[Attribute], value: &Value) {
        match value.reveal() {
            Value::List(items) => items.iter().for_each(|item| self.inside(name, attrs, item)),
            Value::Map(items) => {
                for attr in attrs.iter().filter(|a| is_dated(a)) {
                    let value = items.get(&*attr.name).unwrap_or(&Value::Null);
                    if !value.is_null() || attr.required {
                        self.add(&format!("{name}.{}", attr.name), attr, value);
                    }
                }
            }
            _ => {}
        }
    }
}

/// Judges the demands on one server. A server whose version cannot be read is believed to be new
/// enough: a note says so.
///
/// # Errors
/// Attributes that it is too old for, and absent ones that it requires.
pub fn judge(demands: &[Demand], server: Server<'_>) -> Result<Option<Note>, Diagnostics> {
    let mut mine = demands.iter().filter(|d| d.provider == *server.provider).peekable();
    let Some(first) = mine.peek() else { return Ok(None) };
    let Some(version) = server.version.and_then(Version::parse) else {
        return Ok(Some(unreadable(first, server)));
    };
    let mut findings = Diagnostics::default();
    for demand in mine {
        // `schema::parse` refuses a `since` that is no version.
        let new_enough = Version::parse(&demand.since).is_none_or(|since| version >= since);
        if demand.set && !new_enough {
            findings.push(too_old(demand, server));
        } else if !demand.set && new_enough {
            findings.push(required(demand, server));
        }
    }
    if findings.is_empty() { Ok(None) } else { Err(findings) }
}

fn runs(server: Server<'_>) -> String {
    format!("{} runs {}", server.endpoint, server.version.unwrap_or("an unknown version"))
}

fn too_old(demand: &Demand, server: Server<'_>) -> Diagnostic {
    let Demand { attr, since, .. } = demand;
    let text = format!("`{attr}` needs server version {since} or later; {}", runs(server));
    Diagnostic::error("server_too_old", text)
        .on(&demand.address)
        .at(demand.place, "remove this")
        .help("remove it, or upgrade the server first")
}

fn required(demand: &Demand, server: Server<'_>) -> Diagnostic {
    let Demand { attr, since, .. } = demand;
    Diagnostic::error("missing_attribute", format!("`{attr}` is missing"))
        .on(&demand.address)
        .at(demand.place, format!("needs `{attr}`"))
        .detail(format!("Servers require it from version {since} on; {}.", runs(server)))
}

fn unreadable(first: &Demand, server: Server<'_>) -> Note {
    let Demand { attr, since, .. } = first;
    let said = match server.version {
        Some(text) => format!("says that its version is `{text}`"),
        None => "does not say its version".to_owned(),
    };
    Note {
        address: None,
        text: format!("{} {said}: whether it has `{attr}` cannot be told", server.endpoint),
        help: Some(format!("it is sent; servers have it from version {since} on")),
    }
}

#[cfg(test)]
mod tests;
