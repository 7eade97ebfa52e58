//! The editor schema agrees with rackform: it takes the examples and good configurations, and
//! underlines what is wrong in others.
//!
//! The validator knows the keywords that `documents` allows in the schema, and no others.

use std::path::{Path, PathBuf};

use regex::Regex;
use serde_json::{Value, json};

use super::load;

/// What is wrong with a value, each as pointer and keyword.
fn check(value: &Value, schema: &Value, root: &Value, at: &str, found: &mut Vec<String>) {
    let Some(members) = schema.as_object() else {
        assert!(schema.is_boolean(), "no schema: {schema}");
        if schema == false {
            found.push(format!("{at}: unknown"));
        }
        return;
    };
    let mut wrong = |keyword: &str| found.push(format!("{at}: {keyword}"));
    let number = value.as_f64();
    let length = value.as_str().map(|text| text.chars().count() as f64);
    let items = value.as_array().map(|items| items.len() as f64);
    for (keyword, wanted) in members {
        let limit = wanted.as_f64().unwrap_or_default();
        let fine = match keyword.as_str() {
            "type" => match wanted {
                Value::Array(kinds) => kinds.iter().any(|kind| is(value, kind)),
                kind => is(value, kind),
            },
            "enum" => wanted.as_array().expect("a list").contains(value),
            "minimum" => number.is_none_or(|n| n >= limit),
            "maximum" => number.is_none_or(|n| n <= limit),
            "minLength" => length.is_none_or(|n| n >= limit),
            "maxLength" => length.is_none_or(|n| n <= limit),
            "minItems" => items.is_none_or(|n| n >= limit),
            "maxItems" => items.is_none_or(|n| n <= limit),
            "pattern" => value.as_str().is_none_or(|text| matches(wanted, text)),
            "required" => {
                let names = wanted.as_array().expect("a list").iter().filter_map(Value::as_str);
                value.as_object().is_none_or(|o| names.clone().all(|name| o.contains_key(name)))
            }
            "uniqueItems" => value
                .as_array()
                .is_none_or(|all| all.iter().enumerate().all(|(n, one)| !all[..n].contains(one))),
            "anyOf" => wanted.as_array().expect("a list").iter().any(|choice| {
                let mut inner = Vec::new();
                check(value, choice, root, at, &mut inner);
                inner.is_empty()
            }),
            _ => true,
        };
        if !fine {
            wrong(keyword);
        }
    }
    if let Some(pointer) = members.get("$ref").and_then(Value::as_str) {
        let target = root.pointer(pointer.trim_start_matches('#')).expect("a definition");
        check(value, target, root, at, found);
    }
    for (n, item) in value.as_array().into_iter().flatten().enumerate() {
        if let Some(schema) = members.get("items") {
            check(item, schema, root, &format!("{at}/{n}"), found);
        }
    }
    for (name, member) in value.as_object().into_iter().flatten() {
        let below = format!("{at}/{name}");
        let patterns = members.get("patternProperties").and_then(Value::as_object);
        let pattern = patterns.into_iter().flatten().find(|(p, _)| matches(&json!(p), name));
        let own = members.get("properties").and_then(|all| all.get(name));
        let other = members.get("additionalProperties");
        if let Some(schema) = own.or(pattern.map(|(_, schema)| schema)).or(other) {
            check(member, schema, root, &below, found);
        }
    }
}

fn is(value: &Value, kind: &Value) -> bool {
    match kind.as_str().expect("a name") {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_i64(),
        other => panic!("{other} is not used"),
    }
}

fn matches(pattern: &Value, text: &str) -> bool {
    Regex::new(pattern.as_str().expect("a pattern")).expect("a pattern").is_match(text)
}

/// What an editor underlines in a file.
fn underlined(text: &str, schema: &Value) -> Vec<String> {
    let value: Value = toml::from_str(text).unwrap_or_else(|error| panic!("{error}"));
    let mut found = Vec::new();
    check(&value, schema, schema, "", &mut found);
    found
}

/// The configuration files below a directory.
fn below(dir: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(dir).expect("a directory") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            below(&path, found);
        } else if path.to_string_lossy().ends_with(".rack.toml") {
            found.push(path);
        }
    }
}

#[test]
fn nothing_is_underlined_in_good_configurations() {
    let schema = rackform::schema::json_schema(&load());
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = Vec::new();
    below(&root.join("examples"), &mut files);
    let examples = files.len();
    below(&root.join("tests/data/config"), &mut files);
    let is_good = |path: &Path| {
        path.starts_with(root.join("examples"))
            || path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("good"))
    };
    files.retain(|path| is_good(path));
    assert!(examples > 8 && files.len() > examples, "{files:?}");
    let mut texts: Vec<(String, String)> = crate::readme::blocks("toml")
        .into_iter()
        .map(|block| ("README.md".to_owned(), block))
        .collect();
    for path in files {
        let text = std::fs::read_to_string(&path).expect("a text");
        texts.push((path.display().to_string(), text));
    }
    for (name, text) in texts {
        assert_eq!(underlined(&text, &schema), [""; 0], "{name}\n{text}");
    }
}

#[test]
fn slips_are_underlined_where_they_are() {
    let schema = rackform::schema::json_schema(&load());
    for (text, expected) in [
        ("[zone.z]\ncount = -1\n", "/zone/z/count: anyOf"),
        ("[zone.z]\nfor_each = 3\n", "/zone/z/for_each: anyOf"),
        ("[zone.z]\nfor_eech = []\n", "/zone/z/for_eech: unknown"),
        ("[data.zone.z]\nfor_each_key = 1\n", "/data/zone/z/for_each_key: anyOf"),
        ("[module.m]\nx = 1\n", "/module/m: required"),
        ("[module.m]\nsource = \"hall\"\n", "/module/m/source: pattern"),
        ("[output.o]\nvalu = 1\n", "/output/o/valu: unknown"),
        ("[check.c]\n[[check.c.assert]]\ncondition = true\n", "/check/c/assert: anyOf"),
        ("[zone.z]\nlifecycle = { postcondition = 1 }\n", "/zone/z/lifecycle: anyOf"),
        (
            "[cluster.c]\nzone = \"zone.z\"\nhypervisor_type = \"ESC\"\n",
            "/cluster/c/hypervisor_type: anyOf",
        ),
    ] {
        let found = underlined(text, &schema);
        assert!(found.contains(&expected.to_owned()), "{text}{found:?}");
    }
    for fine in [
        "[zone.z]\ncount = '${var.x ? 1 : 0}'\nstate = '${local.state}'\n",
        "[zone.z]\nfor_each = { a = 1 }\ndescription = \"%{ if true }x%{ endif }\"\n",
        "[module.m]\nsource = \"../m\"\nanything = [1, { a = true }]\n",
        "[locals]\na = 1\nb = { c = [] }\n",
    ] {
        assert_eq!(underlined(fine, &schema), [""; 0], "{fine}");
    }
}
