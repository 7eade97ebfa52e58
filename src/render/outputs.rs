//! Outputs → text for people, and JSON in Terraform's shapes for programs.
//!
//! In: what a plan changes of them, what the state has. Out: text. Secrets are masked; of a secret
//! output the state has no value to show.

use std::collections::BTreeMap;
use std::fmt::{self, Write};
use std::sync::Arc;

use serde::Serialize;
use serde_json::{Value as Json, json};

use crate::plan::outputs::{OutputAction, OutputChange, OutputSide};
use crate::state::Output;
use crate::value::Value;

use super::difference::{self, Difference};
use super::{Ink, Style, hcl, json_text};

/// The outputs that a plan changes; nothing when there are none.
///
/// # Errors
/// Those of `out`.
pub fn changes(outputs: &[OutputChange], style: &Style, out: &mut dyn Write) -> fmt::Result {
    let changing: Vec<_> = outputs.iter().filter(|o| o.action() != OutputAction::Keep).collect();
    let Some(pad) = changing.iter().map(|o| o.name.chars().count()).max() else { return Ok(()) };
    writeln!(out, "{}", style.ink(Ink::Bold, "Changes to Outputs:"))?;
    for output in changing {
        let (sign, ink) = match output.action() {
            OutputAction::Keep => continue,
            OutputAction::Create => ('+', Ink::Add),
            OutputAction::Update => ('~', Ink::Change),
            OutputAction::Delete => ('-', Ink::Remove),
        };
        write!(out, "  {} {:pad$} = ", style.ink(ink, sign), output.name)?;
        match (&output.before, &output.after) {
            (OutputSide::Value(before), OutputSide::Value(after)) => {
                Difference { style, indent: 2 }.change(before, after, out)?;
            }
            (OutputSide::Absent, after) => writeln!(out, "{}", side(after))?,
            (before, OutputSide::Unknown) => {
                writeln!(out, "{} {} {}", brief(before), style.arrow(), hcl::UNKNOWN)?;
            }
            (before, after) => writeln!(out, "{} {} {}", side(before), style.arrow(), side(after))?,
        }
    }
    out.write_char('\n')
}

fn side(side: &OutputSide) -> String {
    match side {
        OutputSide::Absent => "null".to_owned(),
        OutputSide::Value(value) => difference::whole(value, 4),
        OutputSide::Unknown => hcl::UNKNOWN.to_owned(),
        OutputSide::Secret => hcl::SECRET.to_owned(),
    }
}

/// The same in one line: nobody can compare a long value with one that is not known yet.
fn brief(before: &OutputSide) -> String {
    match before {
        OutputSide::Value(value) => difference::brief(value),
        other => side(other),
    }
}

/// All outputs, under a title; nothing when there are none.
pub fn titled(outputs: &BTreeMap<Arc<str>, Output>, style: &Style) -> String {
    if outputs.is_empty() {
        return String::new();
    }
    format!("\n{}\n\n{}", style.ink(Ink::Bold, "Outputs:"), list(outputs))
}

/// All outputs, one after the other.
pub fn list(outputs: &BTreeMap<Arc<str>, Output>) -> String {
    let mut out = String::new();
    for (name, output) in outputs {
        let shown =
            output.value.as_ref().map_or_else(|| hcl::SECRET.to_owned(), |v| hcl::value(v, 0));
        // Writing into a String does not fail.
        let _ = writeln!(out, "{name} = {shown}");
    }
    out
}

/// One output as Terraform's JSON has it.
#[derive(Serialize)]
pub struct OutputJson<'a> {
    sensitive: bool,
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    kind: Option<Json>,
    /// Null for a secret: the state does not hold it.
    value: Option<&'a Value>,
}

/// Outputs by name as Terraform's JSON has them.
pub fn json_of(outputs: &BTreeMap<Arc<str>, Output>) -> BTreeMap<&str, OutputJson<'_>> {
    let one = |output: &'_ Output| -> (bool, Option<Json>) {
        (output.sensitive, output.value.as_ref().map(type_of))
    };
    let all = outputs.iter().map(|(name, output)| {
        let (sensitive, kind) = one(output);
        (&**name, OutputJson { sensitive, kind, value: output.value.as_ref() })
    });
    all.collect()
}

/// The document of `output --json`.
pub fn document(outputs: &BTreeMap<Arc<str>, Output>) -> String {
    serde_json::to_string_pretty(&json_of(outputs)).unwrap_or_default()
}

/// A value as one line of JSON.
pub fn value_json(value: &Value) -> String {
    json_text::line(value)
}

/// A value's type in Terraform's words: lists and maps as tuples and objects, since nothing says
/// more.
fn type_of(value: &Value) -> Json {
    match value {
        Value::Null => json!("dynamic"),
        Value::Bool(_) => json!("bool"),
        Value::Int(_) | Value::Float(_) => json!("number"),
        Value::Str(_) | Value::Object(_) | Value::Id(_) | Value::Found(_) => json!("string"),
        Value::List(items) => json!(["tuple", items.iter().map(type_of).collect::<Vec<_>>()]),
        Value::Map(items) => {
            let all: serde_json::Map<String, Json> =
                items.iter().map(|(k, v)| (k.to_string(), type_of(v))).collect();
            json!(["object", all])
        }
        Value::Sensitive(inner) => type_of(inner),
    }
}

/// An output among the changes of a plan, as the keys of Terraform's plan JSON have it.
#[derive(Serialize)]
pub(super) struct OutputDifference {
    actions: [&'static str; 1],
    before: Json,
    #[serde(skip_serializing_if = "Option::is_none")]
    after: Option<Json>,
    after_unknown: bool,
    before_sensitive: bool,
    after_sensitive: bool,
}

/// The outputs of a plan by name.
pub(super) fn differences(outputs: &[OutputChange]) -> BTreeMap<&str, OutputDifference> {
    let one = |output: &OutputChange| {
        let unknown = is_unknown(&output.after);
        OutputDifference {
            actions: [action(output.action(), "no-op")],
            before: plain(&output.before),
            after: (!unknown).then(|| plain(&output.after)),
            after_unknown: unknown,
            before_sensitive: output.before == OutputSide::Secret,
            after_sensitive: output.after == OutputSide::Secret,
        }
    };
    outputs.iter().map(|output| (&*output.name, one(output))).collect()
}

fn is_unknown(side: &OutputSide) -> bool {
    match side {
        OutputSide::Unknown => true,
        OutputSide::Value(value) => !crate::plan::outputs::is_known(value),
        OutputSide::Absent | OutputSide::Secret => false,
    }
}

fn plain(side: &OutputSide) -> Json {
    match side {
        OutputSide::Value(value) => serde_json::to_value(value).unwrap_or_default(),
        OutputSide::Absent | OutputSide::Unknown | OutputSide::Secret => Json::Null,
    }
}

/// An output in the stream of a plan.
#[derive(Serialize)]
pub(super) struct OutputPlanned {
    sensitive: bool,
    action: &'static str,
}

/// The outputs of a plan in the words of the stream.
pub(super) fn planned(outputs: &[OutputChange]) -> BTreeMap<&str, OutputPlanned> {
    let one = |output: &OutputChange| OutputPlanned {
        sensitive: output.is_sensitive(),
        action: action(output.action(), "noop"),
    };
    outputs.iter().map(|output| (&*output.name, one(output))).collect()
}

fn action(action: OutputAction, keep: &'static str) -> &'static str {
    match action {
        OutputAction::Keep => keep,
        OutputAction::Create => "create",
        OutputAction::Update => "update",
        OutputAction::Delete => "delete",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn change(name: &str, before: OutputSide, after: OutputSide) -> OutputChange {
        OutputChange { name: name.into(), before, after }
    }

    fn list_of(items: &[&str]) -> OutputSide {
        OutputSide::Value(Value::list(items.iter().map(|item| Value::str(item)).collect()))
    }

    fn sample() -> Vec<OutputChange> {
        let text = |text: &str| OutputSide::Value(Value::str(text));
        vec![
            change("gone", text("a"), OutputSide::Absent),
            change("hosts", list_of(&["a"]), list_of(&["a", "b"])),
            change("id", OutputSide::Absent, OutputSide::Unknown),
            change("password", OutputSide::Absent, OutputSide::Secret),
            change("same", text("a"), text("a")),
        ]
    }

    #[test]
    fn changes_are_listed_as_terraform_does() {
        let mut out = String::new();
        changes(&sample(), &Style::PLAIN, &mut out).unwrap_or_else(|e| panic!("{e}"));
        insta::assert_snapshot!(out, @r#"
        Changes to Outputs:
          - gone     = "a" -> null
          ~ hosts    = ["a"] -> ["a", "b"]
          + id       = (known after apply)
          + password = (sensitive value)
        "#);
    }

    #[test]
    fn documents_have_terraforms_keys() {
        let secret = Output { sensitive: true, value: None };
        let map = Value::from_json(&json!({ "a": [1, "x"] }));
        let map = Output { sensitive: false, value: Some(map) };
        let outputs = BTreeMap::from([("map".into(), map), ("pass".into(), secret)]);
        let found: Json = document(&outputs).parse().unwrap_or_default();
        let expected = json!({
            "map": {
                "sensitive": false,
                "type": ["object", { "a": ["tuple", ["number", "string"]] }],
                "value": { "a": [1, "x"] },
            },
            "pass": { "sensitive": true, "value": null },
        });
        assert_eq!(found, expected);
        let found = serde_json::to_value(differences(&sample())).unwrap_or_default();
        assert_eq!(found["id"]["after_unknown"], true);
        assert_eq!(found["id"].get("after"), None);
        assert_eq!(found["same"]["actions"], json!(["no-op"]));
        assert_eq!(found["password"]["after_sensitive"], true);
    }
}
