//! Query APIs (section 1.7 of the reference: `RestServer.handleQueryApi`, `QueryFacadeImpl`). In: a
//! query string and a view. Out: the rows of one page and their number. Must not know HTTP, nor
//! any particular family.

mod parse;
mod select;
#[cfg(test)]
mod tests;

use serde_json::{Map, Value, json};

pub use parse::{Condition, Operator, Spec, parse};
pub use select::like;

use super::ServerVersion;
use super::clock::wire_date;
use super::errors::ApiError;
use super::store::{Family, Row, Store};

/// What a Query API shows of a family.
#[derive(Debug)]
pub struct View {
    pub api: &'static str,
    pub family: &'static Family,
    /// The Java inventory class, shown in `schema` and in errors.
    pub class: &'static str,
    /// Wire names in the order of the inventory class.
    pub fields: &'static [&'static str],
    /// Fields that only 5.2 has.
    pub fields_5_2: &'static [&'static str],
    /// Only rows with this member and value belong to the view.
    pub only: Option<(&'static str, &'static str)>,
    /// Inventories of sub-types: a condition on the type switches to them.
    pub children: &'static [Child],
    /// Members that are computed when they are read.
    pub derived: &'static [&'static str],
    pub derive: fn(&Store, &Row, &mut Row),
}

/// A sub-type of a view (`hypervisorType=KVM` → KVMHostInventory).
#[derive(Debug)]
pub struct Child {
    pub member: &'static str,
    pub value: &'static str,
    pub class: &'static str,
    /// Fields beyond those of the parent.
    pub fields: &'static [&'static str],
}

impl View {
    /// A view without sub-types and computed members.
    pub const fn plain(
        api: &'static str,
        family: &'static Family,
        class: &'static str,
        fields: &'static [&'static str],
    ) -> View {
        View {
            api,
            family,
            class,
            fields,
            fields_5_2: &[],
            only: None,
            children: &[],
            derived: &[],
            derive: |_, _, _| {},
        }
    }

    fn has(&self, version: ServerVersion, child: Option<&Child>, field: &str) -> bool {
        self.fields.contains(&field)
            || child.is_some_and(|c| c.fields.contains(&field))
            || (version == ServerVersion::V5_2 && self.fields_5_2.contains(&field))
    }

    fn child_of(&self, row: &Row) -> Option<&'static Child> {
        self.children.iter().find(|c| row.get(c.member).and_then(Value::as_str) == Some(c.value))
    }

    /// The Java class of a row's inventory.
    pub fn class_of(&self, row: &Row) -> &'static str {
        self.child_of(row).map_or(self.class, |child| child.class)
    }

    /// The inventory of a row as events return it: with the fields of its sub-type.
    pub fn inventory(&self, store: &Store, row: &Row) -> Value {
        Value::Object(self.render(store, row, self.child_of(row), None))
    }

    fn render(
        &self,
        store: &Store,
        row: &Row,
        child: Option<&Child>,
        fields: Option<&[String]>,
    ) -> Row {
        let mut computed = Row::new();
        if !self.derived.is_empty() {
            (self.derive)(store, row, &mut computed);
        }
        let extra = child.map_or(&[][..], |c| c.fields);
        let mut out = Map::with_capacity(self.fields.len() + extra.len());
        for name in self.fields.iter().chain(self.fields_5_2).chain(extra) {
            if fields.is_some_and(|wanted| !wanted.iter().any(|w| w == name)) {
                continue;
            }
            match computed.shift_remove(*name).or_else(|| row.get(*name).cloned()) {
                None | Some(Value::Null) => {}
                Some(value) => {
                    out.insert((*name).to_owned(), shown(name, value));
                }
            }
        }
        out
    }
}

/// Members that are stored as milliseconds and shown as dates.
pub const DATES: [&str; 4] = ["createDate", "lastOpDate", "expiredDate", "finishDate"];

/// A member as it goes over the wire.
pub fn shown(name: &str, value: Value) -> Value {
    match value.as_i64() {
        Some(millis) if DATES.contains(&name) => Value::String(wire_date(millis)),
        _ => value,
    }
}

/// All views, by API and by family.
pub struct Views {
    views: Vec<&'static View>,
    version: ServerVersion,
}

impl Views {
    pub fn new(views: Vec<&'static View>, version: ServerVersion) -> Self {
        Views { views, version }
    }

    /// The view of a Query API.
    pub fn of_api(&self, api: &str) -> Option<&'static View> {
        self.views.iter().copied().find(|view| view.api == api)
    }

    /// The view that nested conditions on a family are judged by.
    pub fn of_family(&self, family: &str) -> Option<&'static View> {
        let mut of_family = self.views.iter().copied().filter(|view| view.family.name == family);
        let first = of_family.clone().next();
        of_family.find(|view| view.only.is_none()).or(first)
    }
}

/// The reply to one who may see nothing.
pub fn nothing(spec: &Spec) -> Value {
    match (spec.count, spec.reply_with_count) {
        (true, _) => json!({ "total": 0, "schema": {} }),
        (false, true) => json!({ "inventories": [], "total": 0, "schema": {} }),
        (false, false) => json!({ "inventories": [], "schema": {} }),
    }
}

/// Answers a query: the members of the reply body.
pub fn answer(store: &Store, views: &Views, view: &View, spec: &Spec) -> Result<Value, ApiError> {
    let page = select::select(store, views, view, spec)?;
    let mut reply = Map::new();
    if spec.count {
        reply.insert("total".into(), json!(page.total));
        reply.insert("schema".into(), json!({}));
        return Ok(Value::Object(reply));
    }
    let class = page.child.map_or(view.class, |child| child.class);
    let mut schema = Map::with_capacity(page.rows.len());
    let mut rows = Vec::with_capacity(page.rows.len());
    for (at, row) in page.rows.iter().enumerate() {
        schema.insert(format!("inventories[{at}]"), Value::String(class.to_owned()));
        rows.push(Value::Object(view.render(store, row, page.child, spec.fields.as_deref())));
    }
    reply.insert("inventories".into(), Value::Array(rows));
    if spec.reply_with_count {
        reply.insert("total".into(), json!(page.total));
    }
    reply.insert("schema".into(), Value::Object(schema));
    Ok(Value::Object(reply))
}

/// 3.0 does not escape quotes in condition values, so that one breaks the ZQL text; 5.2 does.
pub fn check_quotes(version: ServerVersion, spec: &Spec) -> Result<(), ApiError> {
    match spec.conditions.iter().find(|c| c.value.contains('\'')) {
        Some(c) if version == ServerVersion::V3_0 => {
            Err(ApiError::internal(format!("ZQL syntax error near '{}'", c.name)))
        }
        _ => Ok(()),
    }
}
