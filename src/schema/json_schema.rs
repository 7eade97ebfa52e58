//! What editors read: [`Schemas`] → a JSON Schema (draft-07) of `*.rack.toml` files.
//!
//! Out: JSON for `#:schema` lines (taplo, tombi): completion, hover texts, and most mistakes
//! while typing. It says less than `config` checks: every value may be an expression instead, and
//! names are not looked up. What this version of `config` refuses is not offered. Must not know any
//! type by name.

mod language;

use serde_json::{Map, Value as Json, json};

use super::model::{Attribute, IdRule, Kind, Part, ResourceType, Schemas};
use crate::value::Value;

/// The schema of a whole configuration file.
pub fn json_schema(schemas: &Schemas) -> Json {
    let mut tables = reserved(schemas);
    tables.extend(language::tables().map(|(name, table)| (name.to_owned(), table)));
    let mut definitions = Map::new();
    for (name, meaning) in meta_arguments().into_iter().chain(language::repetition()) {
        definitions.insert(name.to_owned(), meaning);
    }
    definitions.insert(
        "expression".to_owned(),
        json!({ "type": "string", "pattern": "[$%]\\{", "description": "An expression: ${…}." }),
    );
    tables.insert("data".to_owned(), data(schemas, &mut definitions));
    for ty in schemas.resources() {
        definitions.insert(format!("type.{}", ty.name), resource(ty));
        let labels = json!({ LABEL: { "$ref": format!("#/definitions/type.{}", ty.name) } });
        let table = json!({
            "description": ty.doc,
            "type": "object",
            "patternProperties": labels,
            "additionalProperties": false,
        });
        tables.insert(ty.name.to_string(), table);
    }
    json!({
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "rackform configuration",
        "type": "object",
        "properties": tables,
        "additionalProperties": false,
        "definitions": definitions,
    })
}

/// A label: no digit or dash first, and none of what separates the parts of an address.
const LABEL: &str = r#"^[^\s0-9.\[\]"'-][^\s.\[\]"']*$"#;

/// What is looked up: filters of every type.
fn data(schemas: &Schemas, definitions: &mut Map<String, Json>) -> Json {
    let mut types = Map::new();
    for ty in schemas.lookups() {
        let name = format!("data.{}", ty.name);
        let labels = json!({ LABEL: { "$ref": format!("#/definitions/{name}") } });
        let table = json!({
            "description": ty.doc,
            "type": "object",
            "patternProperties": labels,
            "additionalProperties": false,
        });
        types.insert(ty.name.to_string(), table);
        definitions.insert(name, filters(ty));
    }
    json!({
        "description": "Objects that are looked up.",
        "type": "object",
        "properties": types,
        "additionalProperties": false,
    })
}

fn filters(ty: &ResourceType) -> Json {
    let of_type = ty.attrs().filter(|(ix, _)| ty.no_filter(*ix).is_none());
    let mut properties: Map<String, Json> =
        of_type.map(|(_, a)| (a.name.to_string(), filter(a))).collect();
    let id = json!({ "type": "string", "description": "Its id." });
    if ty.id != IdRule::None {
        properties.insert("uuid".to_owned(), id);
    }
    let all = json!({ "type": "boolean", "description": "All that match, as a list." });
    properties.insert("all".to_owned(), all);
    for name in ["provider"].into_iter().chain(language::repetition().map(|(name, _)| name)) {
        properties.insert(name.to_owned(), json!({ "$ref": format!("#/definitions/{name}") }));
    }
    let arguments = if ty.data_only() { &ty.attrs[..] } else { &[] };
    Json::Object(object(properties, arguments))
}

/// An attribute without what only matters to who writes it.
fn filter(a: &Attribute) -> Json {
    json!({ "description": about(a), "anyOf": [of_kind(&a.kind), expression()] })
}

/// Arguments of every resource, by name.
fn meta_arguments() -> [(&'static str, Json); 4] {
    let names = json!({ "type": "array", "items": { "type": "string" } });
    let lifetimes = json!({
        "prevent_destroy": { "type": "boolean" },
        "ignore_changes": {
            "description": "Attributes that are left as they are; `all` for all.",
            "anyOf": [names, { "enum": ["all"] }],
        },
        "replace_triggered_by": meta("Resources, instances or attributes whose changes replace it.", names.clone()),
        "precondition": language::conditions("What must hold before a change is planned."),
        "postcondition": language::conditions("What must hold afterwards; `self` is the object."),
    });
    let time = json!({ "type": "string", "description": "Such as `30m`." });
    let times = json!({ "create": time, "update": time, "delete": time });
    [
        ("depends_on", meta("Addresses that come first.", names.clone())),
        ("provider", meta("Provider configuration.", json!({ "type": "string" }))),
        (
            "timeouts",
            meta("Deadlines of jobs and waits.", json!({ "type": "object", "properties": times })),
        ),
        (
            "lifecycle",
            meta("Rules for changes.", json!({ "type": "object", "properties": lifetimes })),
        ),
    ]
}

fn meta(about: &str, literal: Json) -> Json {
    json!({ "description": about, "anyOf": [literal, expression()] })
}

fn expression() -> Json {
    json!({ "$ref": "#/definitions/expression" })
}

/// Tables that are no resources.
fn reserved(schemas: &Schemas) -> Map<String, Json> {
    let providers: Vec<_> = schemas.providers.keys().map(|name| Json::from(&**name)).collect();
    let text = json!({ "type": "string" });
    let each = |about: &str, properties: Json| {
        let one = json!({ "type": "object", "properties": properties });
        json!({ "description": about, "type": "object", "additionalProperties": one })
    };
    let seconds = |about: &str| json!({ "description": about, "type": ["integer", "string"] });
    let provider = json!({
        "type": { "enum": providers, "description": "The label when absent." },
        "endpoint": { "type": "string", "description": "URL, or `emulator` for the built-in server." },
        "account": text,
        "password": { "type": "string", "description": "An expression with env() or a sensitive variable." },
        "ca_file": { "type": "string", "description": "PEM file of the authority to trust, relative to this directory." },
        "insecure_skip_verify": { "type": ["boolean", "string"], "description": "Trust any certificate." },
        "timeout": seconds("Seconds that one request may take."),
        "connect_timeout": seconds("Seconds that connecting may take."),
        "seed": { "type": "string", "description": "With endpoint `emulator`: a TOML or JSON file of the devices that its hosts and targets have." },
        "calls_at_once": { "type": ["integer", "string"], "description": "Requests in flight at a time." },
    });
    let validation = json!({
        "type": "object",
        "additionalProperties": false,
        "required": ["condition", "error_message"],
        "properties": {
            "condition": { "type": ["boolean", "string"], "description": "An expression that is true for a value that may be." },
            "error_message": { "type": "string", "description": "A sentence about a value that may not be." },
        },
    });
    let variable = json!({
        "type": { "type": "string", "description": "Such as `list(string)` or `object({a = string, b = optional(number, 3)})`." },
        "default": {},
        "description": text,
        "sensitive": { "type": "boolean", "description": "Never shown, stored or logged." },
        "nullable": { "type": "boolean", "description": "Whether null is a value; true when absent." },
        "command": { "type": "array", "items": text, "minItems": 1, "description": "Of a sensitive variable: a program and its arguments that print the value." },
        "validation": { "description": "What the value must fulfil.", "anyOf": [validation, { "type": "array", "items": validation }] },
    });
    let own = json!({
        "required_version": { "type": "string", "description": "Such as `>= 0.1, < 0.3`." },
        "max_delete": { "type": "integer", "minimum": 0, "maximum": 100, "description": "Percent of a type that one apply may delete." },
        "max_unavailable": { "type": "integer", "minimum": 1, "description": "Hosts of one cluster that may be down at a time." },
    });
    let all = [
        (
            "rackform",
            json!({ "description": "Rules for the tool.", "type": "object", "properties": own }),
        ),
        ("provider", each("Access to a cloud.", provider)),
        ("variable", each("An input.", variable)),
        ("import", import()),
        ("moved", moved()),
        ("removed", removed()),
    ];
    all.into_iter().map(|(name, table)| (name.to_owned(), table)).collect()
}

fn import() -> Json {
    tables(
        "Objects that exist and become ours; nothing is sent for that.",
        json!({
            "to": { "type": "string", "description": "The address of a resource or of one instance; may use each.key and each.value." },
            "id": { "type": "string", "description": "The id of the object; may use each.key and each.value." },
            "for_each": { "$ref": "#/definitions/for_each" },
            "for_each_key": { "$ref": "#/definitions/for_each_key" },
        }),
        &["to", "id"],
    )
}

fn moved() -> Json {
    let address = |about: &str| json!({ "type": "string", "description": about });
    tables(
        "Objects that have other addresses from now on; nothing is sent for that.",
        json!({
            "from": address("A resource, an instance or a module, as it was."),
            "to": address("The same as it is now."),
        }),
        &["from", "to"],
    )
}

fn removed() -> Json {
    tables(
        "Objects that nothing declares any more.",
        json!({
            "from": { "type": "string", "description": "A resource, an instance or a module." },
            "destroy": { "type": "boolean", "description": "false: only forgotten, they stay in the cloud." },
        }),
        &["from"],
    )
}

/// A table that may stand many times, in double brackets.
fn tables(about: &str, properties: Json, required: &[&str]) -> Json {
    let one = json!({
        "type": "object",
        "properties": properties,
        "required": required,
        "additionalProperties": false,
    });
    json!({ "description": about, "type": "array", "items": one })
}

fn resource(ty: &ResourceType) -> Json {
    let mut properties = Map::new();
    let written = ty.attrs.iter().filter(|a| a.writable());
    for attribute in written.clone() {
        properties.insert(attribute.name.to_string(), attribute_schema(attribute));
    }
    for link in &ty.links {
        let items = json!({ "type": "string" });
        let many = json!({ "type": "array", "items": items, "uniqueItems": true });
        properties.insert(link.name.to_string(), meta(&link.doc, many));
    }
    for part in &ty.parts {
        properties.insert(part.name.to_string(), part_schema(part));
    }
    for (name, _) in meta_arguments().into_iter().chain(language::repetition()) {
        let definition = json!({ "$ref": format!("#/definitions/{name}") });
        properties.insert(name.to_owned(), definition);
    }
    let mut schema = object(properties, &ty.attrs);
    schema.insert("description".to_owned(), Json::from(ty.doc.as_str()));
    Json::Object(schema)
}

/// A table of exactly these properties.
fn object(properties: Map<String, Json>, attrs: &[Attribute]) -> Map<String, Json> {
    let required: Vec<_> = attrs.iter().filter(|a| a.always_required()).map(|a| &*a.name).collect();
    let mut schema = Map::new();
    schema.insert("type".to_owned(), Json::from("object"));
    schema.insert("properties".to_owned(), Json::Object(properties));
    schema.insert("additionalProperties".to_owned(), Json::from(false));
    if !required.is_empty() {
        schema.insert("required".to_owned(), Json::from(required));
    }
    schema
}

fn nested(attrs: &[Attribute]) -> Json {
    let written = attrs.iter().filter(|a| a.writable());
    let properties = written.map(|a| (a.name.to_string(), attribute_schema(a))).collect();
    Json::Object(object(properties, attrs))
}

fn part_schema(part: &Part) -> Json {
    let mut many = Map::new();
    many.insert("type".to_owned(), Json::from("array"));
    let items = match part.plain() {
        Some(ix) => attribute_schema(part.element.attr(ix)),
        None => json!({ "anyOf": [nested(part.attrs()), expression()] }),
    };
    many.insert("items".to_owned(), items);
    if let Some((low, high)) = part.range {
        many.insert("minItems".to_owned(), Json::from(low));
        many.insert("maxItems".to_owned(), Json::from(high));
    }
    meta(&part.doc, Json::Object(many))
}

fn attribute_schema(a: &Attribute) -> Json {
    let mut schema = Map::new();
    schema.insert("description".to_owned(), Json::from(about(a)));
    if let Some(default) = a.default.as_ref().and_then(plain) {
        schema.insert("default".to_owned(), default);
    }
    if a.write_only {
        schema.insert("writeOnly".to_owned(), Json::from(true));
    }
    schema.insert("anyOf".to_owned(), json!([literal(a), expression()]));
    Json::Object(schema)
}

fn about(a: &Attribute) -> String {
    let mut text = a.doc.clone();
    if a.sensitive {
        text.push_str(" Sensitive: from env() or a sensitive variable.");
    }
    if let Some(version) = &a.since {
        let word = if a.required { "Required since" } else { "Since" };
        text.push_str(&format!(" {word} server {version}."));
    }
    text.trim_start().to_owned()
}

fn plain(value: &Value) -> Option<Json> {
    match value {
        Value::Bool(b) => Some(Json::from(*b)),
        Value::Int(n) => Some(Json::from(*n)),
        Value::Str(text) => Some(Json::from(&**text)),
        _ => None,
    }
}

/// What may stand there when it is no expression.
fn literal(a: &Attribute) -> Json {
    let mut schema = of_kind(&a.kind);
    let Some(members) = schema.as_object_mut() else { return schema };
    if let Some((low, high)) = a.range {
        let (least, most) = match a.kind {
            Kind::Int | Kind::Bytes => ("minimum", "maximum"),
            Kind::Set(_) | Kind::List(_) => ("minItems", "maxItems"),
            _ => ("minLength", "maxLength"),
        };
        members.insert(least.to_owned(), Json::from(low));
        members.insert(most.to_owned(), Json::from(high));
    }
    if !a.values.is_empty() {
        let values: Vec<_> = a.values.iter().map(|(read, _)| Json::from(&**read)).collect();
        let holder = match &a.kind {
            Kind::Set(_) | Kind::List(_) => members.get_mut("items").and_then(Json::as_object_mut),
            _ => Some(members),
        };
        if let Some(holder) = holder {
            holder.insert("enum".to_owned(), Json::Array(values));
        }
    }
    schema
}

fn of_kind(kind: &Kind) -> Json {
    match kind {
        Kind::Text | Kind::Host | Kind::Ref(_) => json!({ "type": "string" }),
        Kind::Path => json!({ "type": "string", "pattern": "^/" }),
        Kind::Int | Kind::Bytes => json!({ "type": "integer" }),
        Kind::Bool => json!({ "type": "boolean" }),
        Kind::Set(item) => {
            json!({ "type": "array", "items": item_of(item), "uniqueItems": true })
        }
        Kind::List(item) => json!({ "type": "array", "items": item_of(item) }),
        Kind::Object(attrs) => nested(attrs),
    }
}

/// Items that are strings may be expressions already; others need the choice.
fn item_of(kind: &Kind) -> Json {
    let literal = of_kind(kind);
    match kind {
        Kind::Text | Kind::Host | Kind::Ref(_) => literal,
        _ => json!({ "anyOf": [literal, expression()] }),
    }
}
