//! What templates come to, and where their faults are said to be.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::{
    Evaluated, Fault, Name, Outside, Parsed, Pick, Scope, Stop, Templates, expression, template,
};
use crate::address::Address;
use crate::config::Need;
use crate::value::{Found, Value};

/// Knows a few variables, the object `zone.east`, the instance `cluster.rack["a"]`, and tables.
#[derive(Default)]
struct Known {
    templates: Templates,
    needs: BTreeSet<Need>,
    depth: u32,
}

fn variable(name: &str) -> Result<Value, Stop> {
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

fn object(kind: &str, label: &str, pick: Pick<'_>) -> Result<Value, Stop> {
    let rack = |key| Value::Object(Address::new("cluster", "rack").instance(key));
    match (kind, label, pick) {
        ("zone", "east", Pick::Whole(_)) => Ok(Value::Object(Address::new("zone", "east"))),
        ("cluster", "rack", Pick::Key(key @ ("a" | "b"))) => Ok(rack(key)),
        ("cluster", "rack", Pick::Every) => Ok(Value::list(vec![rack("a"), rack("b")])),
        ("cluster", "rack", Pick::Whole(None)) => {
            Ok(Value::map(["a", "b"].into_iter().map(|key| (key.into(), rack(key))).collect()))
        }
        _ => Err(Fault::new("missing_object", "no such object").into()),
    }
}

fn data(kind: &str, label: &str) -> Result<Value, Stop> {
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

impl Scope for Known {
    fn name(&mut self, name: &Name<'_>) -> Result<Evaluated, Stop> {
        let value = match *name {
            Name::Variable(name) => variable(name),
            Name::Object { kind, label, pick } => object(kind, label, pick),
            Name::Data { kind, label, .. } => data(kind, label),
            Name::Each("key") => Ok(Value::str("01")),
            Name::Module { name: "hall", pick: Pick::Whole(_), output: Some("zone") } => {
                Ok(Value::Object(Address::new("zone", "east")))
            }
            Name::Module { name: "halls", pick: Pick::Every, output: Some("zone") } => {
                let one = |n| Value::map(BTreeMap::from([("zone".into(), Value::Int(n))]));
                Ok(Value::list(vec![one(1), one(2)]))
            }
            _ => Err(Fault::new("not_here", "not here").into()),
        };
        value.map(Into::into)
    }
    fn attribute(&mut self, of: &Address, attribute: &str) -> Result<Value, Stop> {
        match (of.as_str(), attribute) {
            ("zone.east", "description") => Ok(Value::str("first hall")),
            _ => Err(Fault::new("unknown_attribute", "no such attribute").into()),
        }
    }
    fn id(&mut self, _: &Address) -> Option<Arc<str>> {
        None
    }
    fn outside(&mut self, need: Need) -> Result<Outside, Stop> {
        match &need {
            Need::Env(name) if name == "SET" => Ok(Outside::Text("x".into())),
            Need::Env(name) if name == "UNSET" => Ok(Outside::Nothing),
            Need::File(path) if path == "motd.tpl" => {
                Ok(Outside::Text("Hi ${name}\n%{ for h in hosts ~}\n- ${h}\n%{ endfor ~}".into()))
            }
            Need::File(path) if path == "bad.tpl" => Ok(Outside::Text("a\nb ${var.text}".into())),
            Need::File(_) => Ok(Outside::Nothing),
            _ => {
                self.needs.insert(need);
                Err(Stop::Silent)
            }
        }
    }
    fn file_of(&mut self, _: &Arc<str>) -> Option<String> {
        None
    }
    fn parsed(&mut self, text: &Arc<str>) -> Result<Arc<Parsed>, Stop> {
        self.templates.get(text)
    }
    fn depth(&mut self) -> &mut u32 {
        &mut self.depth
    }
}

fn evaluate(text: &str, scope: &mut Known) -> Result<Evaluated, Stop> {
    let parsed = scope.parsed(&text.into())?;
    template(&parsed, scope)
}

fn eval(text: &str) -> Result<Value, Stop> {
    evaluate(text, &mut Known::default()).map(|e| e.value)
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
        ("é ${cluster.rack[\"c\"]}", ("missing_object", "cluster.rack[\"c\"]")),
        ("${var.map.x}", ("unknown_key", ".x")),
        ("${var.list[7]}", ("unknown_key", "[7]")),
        ("${1 + var.text}", ("bad_operand", "var.text")),
        ("${nope(1)}", ("unknown_function", "nope")),
        ("${1 + env(1)}", ("bad_argument", "1")),
        ("${9223372036854775807 + 1}", ("bad_operand", "9223372036854775807 + 1")),
        ("${1 / 0}", ("bad_operand", "1 / 0")),
        ("x${var.list}", ("wrong_kind", "var.list")),
        ("x${zone.east.id}", ("not_yet_known", "zone.east.id")),
        ("x${env(\"UNSET\")}", ("unset_env", "env(\"UNSET\")")),
        ("${zone.east.id == \"a\"}", ("not_yet_known", "zone.east.id")),
        ("${zone.east ? 1 : 2}", ("not_yet_known", "zone.east")),
        ("${east}", ("unknown_name", "east")),
        ("${count.index}", ("not_here", "count.index")),
        ("${terraform.workspace}", ("unknown_name", "terraform.workspace")),
        ("${[for x in var.text : x]}", ("wrong_kind", "var.text")),
        ("${{for x in var.list : \"k\" => x}}", ("duplicate_key", "\"k\"")),
        ("${{for x in var.list : var.secret => x}}", ("secret_key", "var.secret")),
        ("${[for x in var.list : x if zone.east]}", ("not_yet_known", "zone.east")),
        ("a%{ if var.text }b%{ endif }", ("bad_operand", "var.text")),
        ("${try(var.nope)}", ("bad_argument", "try(var.nope)")),
        ("${file(\"nope\")}", ("unreadable", "file(\"nope\")")),
        ("${zone.east.descriptio}", ("unknown_attribute", ".descriptio")),
        ("${1 +}é", ("bad_expression", "}")),
        ("${1é}", ("bad_expression", "é")),
    ] {
        assert_eq!(fault(template), expected, "{template}");
    }
}

#[test]
fn what_is_not_known_is_a_need_and_no_fault() {
    let mut scope = Known::default();
    assert_eq!(evaluate("${env(\"A\")}", &mut scope), Err(Stop::Silent));
    assert_eq!(scope.needs.into_iter().collect::<Vec<_>>(), [Need::Env("A".into())]);
}

#[test]
fn a_null_from_an_unset_variable_says_which() {
    let result = evaluate("${env(\"UNSET\")}", &mut Known::default()).expect("null");
    assert_eq!((result.value, result.unset.as_deref()), (Value::Null, Some("UNSET")));
}

fn texts(all: &[&str]) -> Value {
    Value::list(all.iter().map(|text| Value::str(text)).collect())
}

#[test]
fn for_makes_lists_and_maps() {
    for (text, expected) in [
        ("${[for x in var.list : \"<${x}>\"]}", texts(&["<1>", "<two>"])),
        ("${[for i, x in var.list : \"${i}${x}\"]}", texts(&["01", "1two"])),
        ("${[for k, v in var.map : \"${k}${v[1]}\"]}", texts(&["ktwo"])),
        ("${[for x in [1, 2, 3] : x if x != 2]}", Value::list(vec![1.into(), 3.into()])),
        ("${[for x in [[1], [2]] : [for y in x : y + 1]][1][0]}", Value::Int(3)),
        ("${{for x in var.list : \"k${x}\" => x}.ktwo}", Value::str("two")),
        ("${{for x in [\"a\", \"b\", \"ab\"] : \"k\" => x...}.k}", texts(&["a", "b", "ab"])),
        ("${[for k, c in cluster.rack : k]}", texts(&["a", "b"])),
        ("${[for x in [] : x.nope]}", texts(&[])),
    ] {
        assert_eq!(value(text), expected, "{text}");
    }
    let all = ["a", "b"].map(|key| Value::Id(Address::new("cluster", "rack").instance(key)));
    assert_eq!(value("${cluster.rack[*].id}"), Value::list(all.to_vec()));
    assert_eq!(value("${[for c in cluster.rack : c.id]}"), Value::list(all.to_vec()));
}

#[test]
fn directives_choose_and_repeat() {
    for (text, expected) in [
        ("%{ if 1 < 2 }yes%{ else }no%{ endif }", "yes"),
        ("%{ if 1 > 2 }yes%{ else }no%{ endif }", "no"),
        ("a %{ if false }x%{ endif } b", "a  b"),
        ("%{ for x in var.list }<${x}>%{ endfor }", "<1><two>"),
        ("%{ for i, x in var.list ~}\n  ${i}=${x}\n%{ endfor ~}\nend", "0=1\n1=two\nend"),
        ("a %{~ if true ~} b %{~ endif ~} c", "abc"),
    ] {
        assert_eq!(value(text), Value::str(expected), "{text}");
    }
}

#[test]
fn what_has_no_value_can_be_tried() {
    assert_eq!(value("${try(var.map.x, var.list[9], \"d\")}"), Value::str("d"));
    assert_eq!(value("${can(var.map.k)}"), Value::Bool(true));
    assert_eq!(value("${can(var.map.x)}"), Value::Bool(false));
    assert!(value("${try(var.secret, 1)}").is_sensitive());
    assert!(value("${can(var.secret)}").is_sensitive());
    // What only an apply makes known is no failure: the other value would be wrong then.
    assert_eq!(fault("${try(\"x${zone.east.id}\", 1)}").0, "not_yet_known");
}

#[test]
fn files_can_be_templates() {
    let text = "${templatefile(\"motd.tpl\", { name = \"x\", hosts = [\"a\", \"b\"] })}";
    assert_eq!(value(text), Value::str("Hi x\n- a\n- b\n"));
    assert!(
        value("${templatefile(\"motd.tpl\", { name = var.secret, hosts = [] })}").is_sensitive()
    );
    let Err(Stop::Fault(found)) = eval("${templatefile(\"bad.tpl\", {})}") else {
        panic!("its names are not known there")
    };
    assert!(found.summary.starts_with("bad.tpl:2: "), "{}", found.summary);
}

#[test]
fn attributes_of_resources_and_outputs_of_modules_are_read() {
    assert_eq!(value("${zone.east.description}!"), Value::str("first hall!"));
    assert_eq!(value("${module.hall.zone.description}"), Value::str("first hall"));
    assert_eq!(value("${module.halls[*].zone}"), Value::list(vec![1.into(), 2.into()]));
    assert_eq!(value("${each.key}"), Value::str("01"));
}

#[test]
fn a_list_is_spread_over_arguments_and_conditions_end_early() {
    assert_eq!(value("${tostring([7]...)}"), Value::str("7"));
    assert_eq!(value("${false && var.nope}"), Value::Bool(false));
    assert_eq!(value("${true || var.nope}"), Value::Bool(true));
}

#[test]
fn expressions_cannot_be_nested_without_end() {
    let mut scope = Known { depth: super::DEEPEST - 10, ..Known::default() };
    let found = expression("[[[[[[[[[[[[1]]]]]]]]]]]]", &mut scope);
    assert!(matches!(found, Err(Stop::Fault(fault)) if fault.code == "too_deep"));
    let hostile = format!("${{{}1{}}}", "(".repeat(100_000), ")".repeat(100_000));
    assert_eq!(fault(&hostile).0, "bad_expression");
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
    assert_eq!(value("${data.lun.all[*].wwid}"), texts(&["w1", "w2"]));
    assert_eq!(value("${data.lun.all.*.wwid}"), texts(&["w1", "w2"]));
    assert_eq!(value("${data.lun.all.*.wwid[1]}"), Value::str("w2"));
    assert_eq!(value("${data.lun.one[*].wwid}"), texts(&["w1"]));
    let secret = Value::list(vec![Value::str("hunter2").sensitive()]).sensitive();
    assert_eq!(value("${var.secrets[*]}"), secret);
    assert_eq!(value("${null[*]}"), Value::list(Vec::new()));
    assert_eq!(fault("${data.lun.all[*].size}"), ("unknown_attribute", ".size"));
}

#[test]
fn what_is_not_looked_up_yet_has_no_value_and_no_fault() {
    for text in ["${data.lun.open.wwid}", "x ${data.lun.open.id}", "${data.lun.open == 1}"] {
        assert_eq!(eval(text), Err(Stop::Silent), "{text}");
    }
}
