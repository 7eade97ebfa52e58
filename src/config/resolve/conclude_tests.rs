//! Outputs, conditions and checks: what they come to, and what is said of them offline.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::address::Address;
use crate::config::{
    Conclude, Conclusion, Config, Facts, Objects, SourceFile, expand, judge, load,
};
use crate::diag::{Diagnostics, Sources};
use crate::schema::{Schemas, load as load_schemas};
use crate::value::Value;

const HEAD: &str = "[provider.zstack]\nendpoint = \"emulator\"\n[variable.pw]\ndefault = '${env(\"PW\")}'\nsensitive = true\n";

/// Objects that exist, each with its id and attributes.
#[derive(Default)]
struct There(BTreeMap<String, Vec<(&'static str, Value)>>);

impl There {
    fn with(mut self, address: &str, attrs: &[(&'static str, Value)]) -> Self {
        self.0.insert(address.to_owned(), attrs.to_vec());
        self
    }
}

impl Objects for There {
    fn id(&self, of: &Address) -> Option<Arc<str>> {
        self.0.contains_key(of.as_str()).then(|| format!("id-{}", of.label()).into())
    }
    fn attribute(&self, of: &Address, name: &str) -> Option<Value> {
        let found = self.0.get(of.as_str())?.iter().find(|(n, _)| *n == name);
        Some(found.map_or(Value::Null, |(_, value)| value.clone()))
    }
}

fn loaded(text: &str) -> (Config, Schemas, Sources, Facts) {
    let schemas = load_schemas().unwrap_or_else(|(findings, _)| panic!("{findings:?}"));
    let bytes = format!("{HEAD}{text}").into_bytes();
    let loaded = load(vec![SourceFile { name: "main.rack.toml".into(), bytes }], &schemas);
    let mut facts = Facts::default();
    facts.env.insert("PW".into(), Some("hunter2".into()));
    (loaded.config.unwrap_or_else(|found| panic!("{found:?}")), schemas, loaded.sources, facts)
}

fn conclude(text: &str, objects: &There, complete: bool) -> Conclusion {
    let (config, schemas, sources, facts) = loaded(text);
    let (desired, _) =
        expand(&config, &schemas, &facts, &sources).unwrap_or_else(|found| panic!("{found:#?}"));
    assert!(desired.needs.is_empty(), "{:?}", desired.needs);
    Conclude {
        config: &config,
        schemas: &schemas,
        facts: &facts,
        sources: &sources,
        objects,
        complete,
    }
    .all()
}

fn faults(text: &str) -> Vec<(&'static str, String)> {
    let (config, schemas, sources, facts) = loaded(text);
    let Err(found) = judge(&config, &schemas, &facts, &sources) else { panic!("no mistakes") };
    said(found)
}

fn said(found: Diagnostics) -> Vec<(&'static str, String)> {
    found.into_iter().map(|d| (d.code, d.summary)).collect()
}

fn output(concluded: &Conclusion, name: &str) -> String {
    concluded.outputs[name].value.as_ref().map_or_else(|| "unknown".into(), Value::to_string)
}

const ZONE: &str = "[zone.east]\ndescription = \"hall\"\n[cluster.rack]\nfor_each = [\"a\", \"b\"]\nzone = \"zone.east\"\nhypervisor_type = \"KVM\"\n";

fn zone() -> There {
    There::default().with("zone.east", &[("name", "east".into()), ("description", "seen".into())])
}

#[test]
fn outputs_are_what_the_state_has_seen() {
    let text = format!(
        "{ZONE}[output.id]\nvalue = '${{zone.east.id}}'\n\
         [output.seen]\nvalue = '${{upper(zone.east.description)}}'\n\
         [output.whole]\nvalue = '${{zone.east}}'\n\
         [output.racks]\nvalue = '${{cluster.rack[*].id}}'\n\
         [output.by_reference]\nvalue = '${{cluster.rack[\"a\"].zone.name}}'\n"
    );
    let found = conclude(&text, &zone(), false);
    assert!(found.errors.is_empty(), "{:?}", found.errors);
    assert_eq!(output(&found, "id"), "\"id-east\"");
    assert_eq!(output(&found, "seen"), "\"SEEN\"");
    let whole = "{ description = \"seen\", id = \"id-east\", name = \"east\" }";
    assert_eq!(output(&found, "whole"), whole);
    assert_eq!(output(&found, "racks"), "[cluster.rack[\"a\"].id, cluster.rack[\"b\"].id]");
    assert_eq!(output(&found, "by_reference"), "\"east\"");
}

#[test]
fn what_is_not_known_is_a_mistake_only_when_all_is_done() {
    let text = format!("{ZONE}[output.upper]\nvalue = '${{upper(zone.east.id)}}'\n");
    let planned = conclude(&text, &There::default(), false);
    assert!(planned.errors.is_empty(), "{:?}", planned.errors);
    assert_eq!(output(&planned, "upper"), "unknown");
    let done = conclude(&text, &There::default(), true);
    assert_eq!(said(done.errors)[0].0, "not_yet_known");
    assert_eq!(output(&conclude(&text, &zone(), true), "upper"), "\"ID-EAST\"");
}

#[test]
fn secrets_stay_marked_whatever_the_state_has() {
    let text = "[zone.east]\ndescription = '${var.pw}'\n\
        [output.hidden]\nvalue = '${zone.east.description}'\nsensitive = true\n";
    let found = conclude(text, &zone(), true);
    let hidden = &found.outputs["hidden"];
    assert!(hidden.sensitive && hidden.value.as_ref().is_some_and(Value::is_sensitive));
    assert!(!format!("{found:?}").contains("hunter2"));
    let open = text.replace("sensitive = true\n", "");
    let found = faults(&open);
    assert_eq!(found, [("secret_output", "the value of the output `hidden` is a secret".into())]);
}

#[test]
fn conditions_that_do_not_hold_are_told_with_their_messages() {
    let text = "[zone.east]\ndescription = \"hall\"\n\
        lifecycle.postcondition = [\n\
        { condition = '${self.description == \"hall\"}', error_message = 'not ${self.description}.' },\n\
        { condition = '${self.id == \"\"}', error_message = '${var.pw}' }]\n\
        [check.seen]\nassert = [{ condition = '${zone.east.description == \"x\"}', error_message = \"no x\" }]\n\
        [output.x]\nvalue = 1\nprecondition = { condition = '${zone.east.name == \"west\"}', error_message = \"not west\" }\n";
    let found = conclude(text, &zone(), true);
    // People may see what is refused.
    assert_eq!(output(&found, "x"), "1");
    assert!(found.outputs["x"].refused);
    let errors = said(found.errors);
    assert_eq!(
        errors,
        [
            ("postcondition_failed", "not seen".to_owned()),
            (
                "postcondition_failed",
                "a postcondition does not hold (the message would show a secret)".to_owned()
            ),
            ("precondition_failed", "not west".to_owned()),
        ]
    );
    assert_eq!(said(found.warnings), [("check_failed", "no x".to_owned())]);
    // Of an object that is not there nothing is said.
    let found = conclude(text, &There::default(), false);
    assert_eq!(said(found.errors), [("precondition_failed", "not west".to_owned())]);
}

#[test]
fn preconditions_name_the_instance_and_refuse() {
    let text = "[cluster.rack]\nfor_each = [\"a\", \"long\"]\nzone = \"zone.east\"\nhypervisor_type = \"KVM\"\n\
        lifecycle = { precondition = [{ condition = '${length(each.key) < 2}', error_message = '${each.key} is too long' }] }\n\
        [zone.east]\n";
    let (config, schemas, sources, facts) = loaded(text);
    let (desired, _) =
        expand(&config, &schemas, &facts, &sources).unwrap_or_else(|found| panic!("{found:#?}"));
    let refused: Vec<_> = desired.refused.iter().collect();
    assert_eq!(refused.len(), 1, "{refused:?}");
    assert_eq!(refused[0].summary, "long is too long");
    let named = refused[0].address.as_ref().map(ToString::to_string);
    assert_eq!(named.as_deref(), Some("cluster.rack[\"long\"]"));
    assert_eq!(faults(text), [("precondition_failed", "long is too long".to_owned())]);
}

#[test]
fn mistakes_are_found_offline() {
    let cases = [
        ("[output.x]\nvalue = 1\nsensitiv = true\n", "unknown_attribute"),
        ("[output.x]\nvalue = 1\nsensitive = \"yes\"\n", "wrong_kind"),
        ("[output.x]\ndescription = \"y\"\n", "missing_attribute"),
        ("[check.x]\n[zone.east]\n", "missing_attribute"),
        ("[check.x]\nassert = [{ condition = true }]\n", "missing_attribute"),
        (
            "[check.x]\nassert = [{ condition = '${zone.east}', error_mesage = \"x\" }]\n",
            "unknown_attribute",
        ),
        ("[check.x]\nasert = []\nassert = []\n", "unknown_attribute"),
        (
            "[check.x]\nassert = [{ condition = '${var.nope}', error_message = \"x\" }]\n",
            "unknown_variable",
        ),
        (
            "[check.x]\nassert = [{ condition = true, error_message = '${var.nope}' }]\n",
            "unknown_variable",
        ),
        ("[check.x]\nassert = [{ condition = 7, error_message = \"x\" }]\n", "wrong_kind"),
        ("[zone.east]\nlifecycle.precondition = [\"x\"]\n", "wrong_kind"),
        (
            "[zone.east]\nlifecycle.precondition = [{ condition = '${self.name == \"x\"}', error_message = \"x\" }]\n",
            "not_here",
        ),
        (
            "[zone.east]\nlifecycle.postcondition = [{ condition = '${self.nam == \"x\"}', error_message = \"x\" }]\n",
            "unknown_attribute",
        ),
        (
            "[zone.a]\nlifecycle.precondition = [{ condition = '${zone.b.id == \"x\"}', error_message = \"x\" }]\n[zone.b]\n",
            "not_yet_known",
        ),
    ];
    for (text, code) in cases {
        let found = faults(text);
        assert!(found.iter().any(|(c, _)| *c == code), "{text}: {found:?}");
    }
}
