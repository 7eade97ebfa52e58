//! What is generated from the schemas and from the table of functions: reference pages, the editor
//! schema, a type in a terminal.

use std::path::Path;

use rackform::schema;
use serde_json::Value;

use super::load;

/// The written references are those of the files. `RACKFORM_BLESS=1` writes them again.
#[test]
fn the_committed_references_are_up_to_date() {
    let schemas = load();
    let json = serde_json::to_string_pretty(&schema::json_schema(&schemas)).expect("plain JSON");
    let readme = schema::readme(&schemas) + &crate::api_table::section(&schemas);
    let functions = rackform::config::expr::function::reference();
    let files =
        [("README.md", readme), ("rackform.schema.json", json + "\n"), ("FUNCTIONS.md", functions)];
    for (name, wanted) in files {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("schemas").join(name);
        if std::env::var_os("RACKFORM_BLESS").is_some() {
            std::fs::write(&path, &wanted).expect("schemas/ can be written");
        }
        let committed = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(
            committed == wanted,
            "schemas/{name} is stale: RACKFORM_BLESS=1 cargo test schemas"
        );
    }
}

/// Draft-07 keywords only, so that every editor understands them.
#[test]
fn the_json_schema_keeps_to_draft_07() {
    const KEYWORDS: [&str; 20] = [
        "$schema",
        "$ref",
        "title",
        "description",
        "type",
        "properties",
        "patternProperties",
        "additionalProperties",
        "definitions",
        "required",
        "anyOf",
        "enum",
        "items",
        "uniqueItems",
        "minimum",
        "maximum",
        "minLength",
        "maxLength",
        "default",
        "pattern",
    ];
    const MORE: [&str; 3] = ["writeOnly", "minItems", "maxItems"];
    fn walk(schema: &Value, root: &Value, seen: &mut usize) {
        let Some(members) = schema.as_object() else { return };
        *seen += 1;
        for (key, value) in members {
            assert!(KEYWORDS.contains(&&**key) || MORE.contains(&&**key), "{key}");
            match key.as_str() {
                "properties" | "patternProperties" | "definitions" => {
                    value.as_object().into_iter().flatten().for_each(|(_, s)| walk(s, root, seen));
                }
                "anyOf" => value.as_array().into_iter().flatten().for_each(|s| walk(s, root, seen)),
                "items" | "additionalProperties" => walk(value, root, seen),
                "$ref" => {
                    let pointer = value.as_str().and_then(|t| t.strip_prefix('#')).expect("local");
                    assert!(root.pointer(pointer).is_some(), "{pointer} leads nowhere");
                }
                _ => {}
            }
        }
    }
    let schema = schema::json_schema(&load());
    let mut seen = 0;
    walk(&schema, &schema, &mut seen);
    assert!(seen > 100, "{seen}");
    let port = &schema["definitions"]["type.host"]["properties"]["ssh_port"];
    assert_eq!(port["default"], 22);
    assert_eq!(
        port["anyOf"][0],
        serde_json::json!({"type": "integer", "minimum": 1, "maximum": 65535})
    );
    let required = &schema["definitions"]["type.host"]["required"];
    assert_eq!(required, &serde_json::json!(["cluster", "management_ip", "username", "password"]));
    assert!(schema["definitions"]["type.host"]["properties"].get("status").is_none(), "computed");
}

#[test]
fn one_type_reads_well_in_a_terminal() {
    let schemas = load();
    insta::assert_snapshot!(schema::terminal(
        schemas.by_name("nfs_primary_storage").expect("known")
    ));
}
