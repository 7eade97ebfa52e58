//! What templates come to, and where their faults are said to be.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{Evaluator, Fault, Next, Scope, Stop, data_tables};
use crate::address::Address;
use crate::config::Need;
use crate::value::{Found, Value};

/// Knows `var.map`, `var.list`, `var.secret`, `var.text` and the object `zone.east`.
struct Known;

impl Scope for Known {
    fn variable(&self, name: &str) -> Result<Value, Stop> {
        let list = Value::list(vec![Value::Int(1), Value::str("two")]);
        Ok(match name {
            "map" => Value::map(BTreeMap::from([("k".into(), list)])),
            "list" => list,
            "secret" => Value::str("hunter2").sensitive(),
            "secrets" => Value::list(vec![Value::str("hunter2")]).sensitive(),
            "text" => Value::str("t"),
            _ => return Err(Fault::new("unknown_variable", "no such variable").into()),
        })
    }
    fn object(&self, kind: &str, label: &str, key: Option<&str>) -> Result<Value, Stop> {
        match (kind, label, key) {
            ("zone", "east", None) => Ok(Value::Object(Address::new("zone", "east"))),
            ("cluster", "rack", Some("a")) => {
                Ok(Value::Object(Address::new("cluster", "rack").instance("a")))
            }
            _ => Err(Fault::new("missing_object", "no such object").into()),
        }
    }
    fn data(&self, kind: &str, label: &str, _: &Next<'_>) -> Result<Value, Stop> {
        let lun = |n: i64| {
            let attrs = BTreeMap::from([("wwid".into(), Value::str(&format!("w{n}")))]);
            let (kind, id) = ("lun".into(), format!("id{n}").into());
            Value::Found(Arc::new(Found { kind, id, attrs: Some(attrs) }))
        };
        let open = Found { kind: "lun".into(), id: "".into(), attrs: None };
        match (kind, label) {
            ("lun", "one") => Ok(lun(1)),
            ("lun", "all") => Ok(Value::list(vec![lun(1), lun(2)])),
            ("lun", "open") => Ok(Value::Found(Arc::new(open))),
            _ => Err(Fault::new("missing_data", "no such table").into()),
        }
    }
}

fn eval(text: &str) -> Result<Value, Stop> {
    let env =
        BTreeMap::from([("SET".to_owned(), Some("x".to_owned())), ("UNSET".to_owned(), None)]);
    Evaluator::new(&env).template(&text.into(), &Known).map(|e| e.value)
}

fn value(text: &str) -> Value {
    eval(text).unwrap_or_else(|stop| panic!("{text}: {stop:?}"))
}

/// The code of the fault and the text that it points at.
fn fault(text: &str) -> (&'static str, &str) {
    match eval(text) {
        Err(Stop::Fault(fault)) => (fault.code, &text[fault.range.expect("a place")]),
        other => panic!("{text}: {other:?}"),
    }
}

#[test]
fn a_single_interpolation_keeps_its_type() {
    assert_eq!(value("${var.list}"), Value::list(vec![Value::Int(1), Value::str("two")]));
    assert_eq!(value("${12}"), Value::Int(12));
    assert_eq!(value("${true}"), Value::Bool(true));
    assert_eq!(value("${null}"), Value::Null);
    assert_eq!(value("${9007199254740993}"), Value::Int(9_007_199_254_740_993));
    assert_eq!(value("${zone.east}"), Value::Object(Address::new("zone", "east")));
    assert_eq!(value("${zone.east.id}"), Value::Id(Address::new("zone", "east")));
    let rack = Address::new("cluster", "rack").instance("a");
    assert_eq!(value("${cluster.rack[\"a\"]}"), Value::Object(rack.clone()));
    assert_eq!(value("${cluster.rack[\"${\"a\"}\"].id}"), Value::Id(rack));
}

#[test]
fn templates_become_text() {
    for (template, expected) in [
        ("a ${var.text} ${1 + 1}", "a t 2"),
        ("$${var.text} %%{if}", "${var.text} %{if}"),
        ("${var.map.k[0]}-${var.map[\"k\"].1}", "1-two"),
        ("${\"in ${var.text}\"}!", "in t!"),
        ("a  ${~ var.text ~}  b", "atb"),
        ("é${env(\"SET\")}é", "éxé"),
        ("$x %y ${\"$\"}", "$x %y $"),
        ("${1.5}s ${true}", "1.5s true"),
    ] {
        assert_eq!(value(template), Value::str(expected), "{template}");
    }
}

#[test]
fn operators_and_literals() {
    for (template, expected) in [
        ("${1 + 2 * 3}", Value::Int(7)),
        ("${(1 + 2) * 3}", Value::Int(9)),
        ("${7 / 2}", Value::Float(3.5)),
        ("${8 / 2}", Value::Int(4)),
        ("${-7 % 3}", Value::Int(-1)),
        ("${\"4\" + 1}", Value::Int(5)),
        ("${1 == 1.0}", Value::Bool(true)),
        ("${\"1\" == 1}", Value::Bool(false)),
        ("${2 > 1 && !(1 >= 2)}", Value::Bool(true)),
        ("${1 < 2 ? \"yes\" : \"no\"}", Value::str("yes")),
        ("${[1, \"a\"]}", Value::list(vec![Value::Int(1), Value::str("a")])),
        ("${{ a = 1, \"b\" : 2 }.b}", Value::Int(2)),
        ("${tonumber(\"22\")}", Value::Int(22)),
        ("${tostring(22)}", Value::str("22")),
    ] {
        assert_eq!(value(template), expected, "{template}");
    }
}

#[test]
fn secrets_stay_secret_through_everything() {
    for template in [
        "${var.secret}",
        "x${var.secret}",
        "${tostring(var.secret)}",
        "${var.secret == \"a\"}",
        "${var.secret == \"a\" ? 1 : 2}",
        "${\"${var.secret}\"}",
        "${var.secrets[0]}",
        "${[var.secret]}",
        "${{ a = var.secret }}",
    ] {
        let value = value(template);
        assert!(value.is_sensitive(), "{template}");
        assert!(!format!("{value:?}").contains("hunter2"), "{template}");
    }
    for template in ["${var.list[var.secret]}", "${zone[var.secret]}", "${1 + var.secret}"] {
        assert!(!format!("{:?}", eval(template)).contains("hunter2"), "{template}");
    }
}

#[test]
fn faults_point_at_what_is_wrong() {
    for (template, expected) in [
        ("a ${var.nope} b", ("unknown_variable", "var.nope")),
        ("a ${zone.west.id} b", ("missing_object", "zone.west")),
        ("é ${cluster.rack[\"b\"]}", ("missing_object", "cluster.rack[\"b\"]")),
        ("${var.map.x}", ("unknown_key", ".x")),
        ("${var.list[7]}", ("unknown_key", "[7]")),
        ("${1 + var.text}", ("bad_operand", "var.text")),
        ("${nope(1)}", ("unknown_function", "nope")),
        ("${1 + env(1)}", ("bad_argument", "env(1)")),
        ("${9223372036854775807 + 1}", ("bad_operand", "9223372036854775807 + 1")),
        ("${1 / 0}", ("bad_operand", "1 / 0")),
        ("x${var.list}", ("wrong_kind", "var.list")),
        ("x${zone.east.id}", ("not_yet_known", "zone.east.id")),
        ("x${env(\"UNSET\")}", ("unset_env", "env(\"UNSET\")")),
        ("${zone.east.id == \"a\"}", ("not_yet_known", "zone.east.id")),
        ("${zone.east ? 1 : 2}", ("not_yet_known", "zone.east")),
        ("${east}", ("unknown_name", "east")),
        ("${each.key}", ("not_supported_yet", "each.key")),
        ("${1 +}é", ("bad_expression", "}")),
        ("${1é}", ("bad_expression", "é")),
    ] {
        assert_eq!(fault(template), expected, "{template}");
    }
}

#[test]
fn what_is_not_known_is_a_need_and_no_fault() {
    let env = BTreeMap::new();
    let mut evaluator = Evaluator::new(&env);
    let template = "${env(\"A\")}".into();
    assert_eq!(evaluator.template(&template, &Known), Err(Stop::Silent));
    assert_eq!(evaluator.needs.into_iter().collect::<Vec<_>>(), [Need::Env("A".into())]);
}

#[test]
fn a_null_from_an_unset_variable_says_which() {
    let env = BTreeMap::from([("UNSET".to_owned(), None)]);
    let result = Evaluator::new(&env).template(&"${env(\"UNSET\")}".into(), &Known);
    let result = result.expect("null");
    assert_eq!((result.value, result.unset.as_deref()), (Value::Null, Some("UNSET")));
}

#[test]
fn looked_up_objects_have_attributes_and_ids() {
    assert_eq!(value("${data.lun.one.wwid}"), Value::str("w1"));
    for id in ["id", "uuid"] {
        assert_eq!(value(&format!("${{data.lun.one.{id}}}")), Value::str("id1"));
    }
    assert_eq!(value("disk ${data.lun.all[1].wwid}"), Value::str("disk w2"));
    assert_eq!(fault("${data.lun.one.size}").0, "unknown_attribute");
    assert_eq!(fault("x ${data.lun.one}"), ("wrong_kind", "data.lun.one"));
    assert_eq!(fault("${data.lun.two}"), ("missing_data", "data.lun.two"));
    assert_eq!(fault("${data.lun}").0, "unknown_name");
    assert_eq!(fault("${data.lun.all[2]}").0, "unknown_key");
}

#[test]
fn a_splat_takes_the_rest_of_each_element() {
    let texts = |all: &[&str]| Value::list(all.iter().map(|t| Value::str(t)).collect());
    assert_eq!(value("${data.lun.all[*].wwid}"), texts(&["w1", "w2"]));
    assert_eq!(value("${data.lun.all.*.wwid}"), texts(&["w1", "w2"]));
    assert_eq!(value("${data.lun.all.*.wwid[1]}"), Value::str("w2"));
    assert_eq!(value("${data.lun.one[*].wwid}"), texts(&["w1"]));
    assert_eq!(value("${var.secrets[*]}"), texts(&["hunter2"]).sensitive());
    assert_eq!(value("${null[*]}"), Value::list(Vec::new()));
    assert_eq!(fault("${data.lun.all[*].size}"), ("unknown_attribute", ".size"));
}

#[test]
fn what_is_not_looked_up_yet_has_no_value_and_no_fault() {
    for text in ["${data.lun.open.wwid}", "x ${data.lun.open.id}", "${data.lun.open == 1}"] {
        assert_eq!(eval(text), Err(Stop::Silent), "{text}");
    }
}

#[test]
fn tables_are_found_without_evaluating() {
    let pair = |a: &str, b: &str| (a.to_owned(), b.to_owned());
    let text = "${env(data.a.b.c)} ${[1, data.d.e][0]} ${data.f} ${x.data.g.h}";
    assert_eq!(data_tables(text), [pair("a", "b"), pair("d", "e")]);
    assert_eq!(data_tables("${"), []);
}
