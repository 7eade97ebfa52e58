//! The tables of the language that are about no type: locals, modules, outputs, checks; and how
//! many instances a block has.
//!
//! Out: JSON Schema. Knows the language as `config` reads it, and no schema of a type.

use serde_json::{Map, Value as Json, json};

use super::{LABEL, meta};

/// `[locals]`, `[module.NAME]`, `[output.NAME]`, `[check.NAME]`.
pub(super) fn tables() -> [(&'static str, Json); 4] {
    let text = json!({ "type": "string" });
    let output = json!({
        "value": { "description": "A value or an expression; all is known when it is evaluated." },
        "description": text,
        "sensitive": { "type": "boolean", "description": "Not shown unless it is asked for by name." },
        "precondition": conditions("What must hold for the value to be right."),
    });
    let check = json!({
        "description": text,
        "assert": conditions("What should hold: a failed one is a warning."),
    });
    let locals = json!({
        "description": "Values with names: `local.NAME`.",
        "type": "object",
    });
    [
        ("locals", locals),
        ("module", labelled("A directory of files that is used like a type.", call())),
        (
            "output",
            labelled(
                "A value for the caller, or for people and scripts.",
                table(output, &["value"]),
            ),
        ),
        ("check", labelled("What should be true of the whole.", table(check, &["assert"]))),
    ]
}

/// A call of a module. Its inputs have the names of the module's variables, which are not known
/// here.
fn call() -> Json {
    let mut properties = Map::new();
    let source = json!({ "type": "string", "pattern": "^(\\./|\\.\\./|/)", "description": "Its directory, relative to that of this file: `./modules/NAME`." });
    properties.insert("source".to_owned(), source);
    for name in ["for_each", "for_each_key", "count", "depends_on", "provider"] {
        properties.insert(name.to_owned(), json!({ "$ref": format!("#/definitions/{name}") }));
    }
    json!({ "type": "object", "properties": properties, "required": ["source"] })
}

/// Which instances a block has, by name of the argument.
pub(super) fn repetition() -> [(&'static str, Json); 3] {
    let many = json!({ "type": ["array", "object"] });
    let key = json!({ "type": "string", "minLength": 1 });
    let number = json!({ "type": "integer", "minimum": 0, "maximum": 1_000_000 });
    [
        (
            "for_each",
            meta(
                "An instance for each element of a map, or of a list of texts or objects: `each.key`, `each.value`.",
                many,
            ),
        ),
        (
            "for_each_key",
            meta(
                "Where `for_each` is a list of objects: the field whose values are the keys.",
                key,
            ),
        ),
        ("count", meta("So many instances, `count.index`; best for zero or one.", number)),
    ]
}

/// Conditions with messages: a list of tables, or one.
pub(super) fn conditions(about: &str) -> Json {
    let condition = json!({ "type": ["boolean", "string"], "description": "An expression that is true or false." });
    let message = json!({ "type": "string", "description": "What to say where it is false." });
    let one = table(
        json!({ "condition": condition, "error_message": message }),
        &["condition", "error_message"],
    );
    json!({ "description": about, "anyOf": [one, { "type": "array", "items": one }] })
}

/// A table of exactly these keys.
fn table(properties: Json, required: &[&str]) -> Json {
    json!({
        "type": "object",
        "properties": properties,
        "additionalProperties": false,
        "required": required,
    })
}

/// Tables of one kind, each with a name.
fn labelled(about: &str, one: Json) -> Json {
    json!({
        "description": about,
        "type": "object",
        "patternProperties": { LABEL: one },
        "additionalProperties": false,
    })
}
