//! Types as Terraform has them: what can be written, and what values become.

use std::sync::Arc;

use proptest::prelude::*;

use super::{Type, path};
use crate::value::Value;

fn ty(text: &str) -> Type {
    Type::parse(text).unwrap_or_else(|faults| panic!("{text}: {faults:?}"))
}

fn json(text: &str) -> Value {
    Value::from_json(&serde_json::from_str(text).expect(text))
}

/// The converted value, or the complaints, as text.
fn converted(of: &str, value: &str) -> String {
    match ty(of).convert(&json(value), false) {
        Ok(done) => done.value.to_string(),
        Err(wrong) => {
            let said = |m: &super::Mismatch| {
                let help = m.help.as_ref().map_or(String::new(), |h| format!(" ({h})"));
                let count = if m.count > 1 { format!(" ×{}", m.count) } else { String::new() };
                format!("{} {}: {}{help}{count}", path("x", &m.steps, false), m.problem, m.found)
            };
            wrong.iter().map(said).collect::<Vec<_>>().join("; ")
        }
    }
}

#[test]
fn types_are_read_as_they_are_written() {
    for text in [
        "any",
        "string",
        "number",
        "bool",
        "list(string)",
        "set(number)",
        "map(list(bool))",
        "tuple([string, number])",
        "tuple([])",
        "object({})",
        "object({a = string, b = optional(number, 3), c = optional(list(string))})",
        "map(object({disks = optional(list(object({size = number})), [{ size = 1 }]), ip = string}))",
    ] {
        assert_eq!(ty(text).to_string(), text);
    }
    assert_eq!(ty(" list ").to_string(), "list(any)");
    let lines = "\n object({\n  # racks\n  a = string\n  \"b\" : optional(bool, true),\n })\n";
    assert_eq!(ty(lines).to_string(), "object({a = string, b = optional(bool, true)})");
}

#[test]
fn mistakes_in_types_are_found_where_they_are() {
    for (text, at, problem, help) in [
        ("strng", "strng", "there is no type `strng`", "did you mean `string`?"),
        ("list(integer)", "integer", "there is no type `integer`", "did you mean `number`?"),
        ("array(string)", "array", "there is no type `array`", "did you mean `list`?"),
        ("list(string, number)", "list(string, number)", "`list` takes one thing", "types are"),
        ("object", "object", "`object` needs its attributes", "write object({"),
        ("object(string)", "object(string)", "`object` takes one thing", "types are"),
        ("object({a = text})", "text", "there is no type `text`", "did you mean `string`?"),
        ("optional(string)", "optional(string)", "`optional` stands only in an object", "only att"),
        ("object({a = optional()})", "optional()", "`optional` takes a type", "write optional(T)"),
        ("object({a = optional(number, \"x\")})", "\"x\"", "the default of a must be a number", ""),
        ("object({a = optional(string, var.x)})", "var.x", "only plain values", "references"),
        (
            "object({a = optional(list(number), [1, \"x\"])})",
            "[1, \"x\"]",
            "the default of a[1]",
            "",
        ),
        ("tuple(string)", "tuple(string)", "`tuple` takes one thing", "types are"),
        ("string()", "string()", "`string` takes nothing", "types are"),
        ("[string]", "[string]", "this is not a type", "types are"),
        ("\"string\"", "\"string\"", "this is not a type", "types are"),
        ("  list(strin)", "strin", "there is no type `strin`", "did you mean `string`?"),
        ("list(string", "g", "this type cannot be read", "types are"),
        ("", "", "this type cannot be read", "types are"),
        ("é(", "", "this type cannot be read", "types are"),
    ] {
        let faults = Type::parse(text).expect_err(text);
        let fault = &faults[0];
        assert!(fault.summary.starts_with(problem), "{text}: {fault:?}");
        let range = fault.range.clone().expect(text);
        let found = &text[range];
        assert!(found == at || at.is_empty(), "{text}: {found} instead of {at}");
        assert!(fault.help.as_ref().is_some_and(|h| h.starts_with(help)), "{text}: {fault:?}");
    }
    let both = Type::parse("object({a = text, b = tuple([int, bool, dict])})").expect_err("three");
    assert_eq!(both.len(), 3, "{both:?}");
}

#[test]
fn values_are_converted_as_terraform_converts_them() {
    for (of, value, expected) in [
        ("string", "3", "\"3\""),
        ("string", "2.5", "\"2.5\""),
        ("string", "true", "\"true\""),
        ("string", "[1]", "x must be text: this is a list"),
        ("number", "\"22\"", "22"),
        ("number", "\"-1.5e3\"", "-1500"),
        ("number", "\"\"", "x must be a number: this is a string"),
        ("number", "\" 1\"", "x must be a number: this is a string"),
        ("number", "\"inf\"", "x must be a number: this is a string"),
        ("number", "\"0x10\"", "x must be a number: this is a string"),
        ("number", "true", "x must be a number: this is a boolean"),
        ("bool", "\"true\"", "true"),
        ("bool", "\"0\"", "false"),
        ("bool", "\"TRUE\"", "x must be true or false: this is a string (in lower case: true)"),
        ("bool", "1", "x must be true or false: this is an integer"),
        ("any", "[1, \"a\"]", "[1, \"a\"]"),
        ("list(string)", "[1, \"a\", null]", "[\"1\", \"a\", null]"),
        ("list(any)", "[1, \"a\", true]", "[\"1\", \"a\", \"true\"]"),
        ("list(any)", "[1, 2.5]", "[1, 2.5]"),
        (
            "list(any)",
            "[1, true]",
            "x must have elements of one type: this has a number and a boolean",
        ),
        (
            "map(any)",
            "{\"a\": 1, \"b\": []}",
            "x must have elements of one type: this has a number and a list",
        ),
        ("set(string)", "[\"b\", \"a\", 1, \"1\"]", "[\"1\", \"a\", \"b\"]"),
        ("set(number)", "[3, \"3\", 1]", "[1, 3]"),
        ("map(string)", "{\"a\": 1}", "{ a = \"1\" }"),
        ("map(string)", "[1]", "x must be a map: this is a list"),
        ("list(string)", "\"a\"", "x must be a list: this is a string"),
        ("tuple([string, number])", "[1, \"2\"]", "[\"1\", 2]"),
        ("tuple([string])", "[]", "x must have 1 element: this has 0"),
        ("object({a = string})", "{\"a\": 1, \"b\": 2}", "{ a = \"1\" }"),
        ("object({a = string})", "{\"A\": 1}", "x must have the attribute `a`: lacks `a`"),
        ("object({a = optional(string)})", "{}", "{ a = null }"),
        ("object({a = optional(number, 3)})", "{\"a\": null}", "{ a = 3 }"),
        ("object({a = string})", "{\"a\": null}", "{ a = null }"),
        (
            "object({port = string})",
            "{\"prot\": 1}",
            "x must have the attribute `port`: lacks `port` (is `prot` meant to be `port`?)",
        ),
        (
            "list(number)",
            "[\"a\", \"b\", 1, {}]",
            "x[0] must be a number: this is a string ×2; x[3] must be a number: this is a map",
        ),
        ("number", "null", "null"),
    ] {
        assert_eq!(converted(of, value), expected, "{of} of {value}");
    }
}

#[test]
fn a_mistake_is_found_deep_inside() {
    let of = "list(object({hosts = map(object({ip = string}))}))";
    let value = r#"[{"hosts": {}}, {"hosts": {"a": {"ip": "x"}, "b": {"ip": ["x"]}}}]"#;
    assert_eq!(converted(of, value), "x[1].hosts[\"b\"].ip must be text: this is a list");
    let wrong = ty(of).convert(&json(value), false).expect_err("a list");
    assert_eq!(&of[wrong[0].asked.clone()], "string");
    assert_eq!(path("x", &wrong[0].steps, true), "x[1].hosts[…].ip");
}

#[test]
fn defaults_are_filled_in_at_any_depth() {
    let of = "map(object({port = optional(number, \"22\"), \
              disks = optional(list(object({size = optional(number, 10)})), [{}])}))";
    assert_eq!(
        converted(of, r#"{"a": {}, "b": {"port": 1, "disks": [{"size": 2}, {}]}}"#),
        "{ a = { disks = [{ size = 10 }], port = 22 }, \
         b = { disks = [{ size = 2 }, { size = 10 }], port = 1 } }"
    );
}

#[test]
fn what_has_the_type_already_is_not_copied() {
    let same = |a: &Value, b: &Value| match (a, b) {
        (Value::List(a), Value::List(b)) => Arc::ptr_eq(a, b),
        (Value::Map(a), Value::Map(b)) => Arc::ptr_eq(a, b),
        (Value::Sensitive(a), Value::Sensitive(b)) => Arc::ptr_eq(a, b),
        _ => false,
    };
    for (of, value) in [
        ("any", "[1]"),
        ("list(number)", "[1, 2]"),
        ("set(string)", "[\"a\", \"b\"]"),
        ("map(list(string))", "{\"a\": [\"x\"]}"),
        ("list(any)", "[1, 2]"),
        ("tuple([number, string])", "[1, \"a\"]"),
        ("object({a = number, b = optional(string)})", "{\"a\": 1, \"b\": null}"),
    ] {
        let value = json(value);
        let done = ty(of).convert(&value, false).expect(of);
        assert!(same(&done.value, &value), "{of}");
        let secret = value.sensitive();
        let done = ty(of).convert(&secret, true).expect(of);
        assert!(same(&done.value, &secret), "{of}, sensitive");
    }
    // Only the changed branch is new.
    let value = json(r#"{"a": ["x"], "b": [1]}"#);
    let done = ty("map(list(string))").convert(&value, false).expect("convertible").value;
    let (Value::Map(old), Value::Map(new)) = (&value, &done) else { panic!("{done}") };
    assert!(same(&old["a"], &new["a"]) && !same(&old["b"], &new["b"]));
}

#[test]
fn secret_parts_stay_secret() {
    let inner = Value::map([("pw".into(), Value::from(1).sensitive())].into());
    let done = ty("object({pw = string})").convert(&inner, false).expect("convertible").value;
    assert_eq!(done.to_string(), "{ pw = (sensitive) }");
    let Value::Map(items) = &done else { panic!("{done}") };
    assert_eq!(items["pw"].reveal(), &Value::str("1"));
    let whole = Value::list(vec![Value::from(1)]).sensitive();
    let done = ty("list(string)").convert(&whole, false).expect("convertible").value;
    assert_eq!(done.reveal(), &Value::list(vec!["1".into()]));
    assert!(done.is_sensitive());
}

#[test]
fn attributes_that_the_type_does_not_have_are_named() {
    let of = ty("list(object({colour = optional(string)}))");
    let value = json(r#"[{"color": 1}, {"color": 2}, {"size": 3}]"#);
    let done = of.convert(&value, false).expect("convertible");
    let dropped: Vec<_> =
        done.dropped.iter().map(|d| (&*d.name, d.near.as_deref(), d.count)).collect();
    assert_eq!(dropped, [("color", Some("colour"), 2), ("size", None, 1)]);
}

/// Pieces of types, and of what is none.
fn pieces() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        "list(",
        "set(",
        "object({",
        "a = ",
        "optional(",
        ")",
        "})",
        "string",
        "number",
        "any",
        ",",
        "tuple([",
        "])",
        "\"",
        "é",
        "${",
        "{",
        "1",
        "null",
        "-",
        " ",
        "\n",
        "#",
    ]);
    prop::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat())
}

fn values() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        any::<i64>().prop_map(Value::Int),
        any::<f64>().prop_map(Value::Float),
        "[a-b1.é]{0,3}".prop_map(|text| Value::str(&text)),
        "[a-b]".prop_map(|text| Value::str(&text).sensitive()),
    ];
    leaf.prop_recursive(3, 20, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::list),
            prop::collection::btree_map("[a-b]", inner, 0..3)
                .prop_map(|map| Value::map(map.into_iter().map(|(k, v)| (k.into(), v)).collect())),
        ]
    })
}

proptest! {
    #[test]
    fn no_text_of_a_type_panics(text in prop_oneof![pieces(), ".{0,20}".boxed()]) {
        match Type::parse(&text) {
            // What can be read is read the same from its own words.
            Ok(ty) => prop_assert_eq!(self::ty(&ty.to_string()).to_string(), ty.to_string()),
            Err(faults) => {
                prop_assert!(!faults.is_empty());
                for fault in faults {
                    let range = fault.range.expect("a place");
                    prop_assert!(text.get(range.clone()).is_some(), "{:?}", range);
                }
            }
        }
    }

    #[test]
    fn what_was_converted_has_the_type(value in values(), at in 0_usize..8) {
        let of = ty([
            "string", "number", "bool", "list(string)", "set(any)", "map(list(number))",
            "object({a = optional(string, 1), b = optional(list(any))})", "tuple([any, bool])",
        ][at]);
        let Ok(done) = of.convert(&value, false) else { return Ok(()) };
        let again = of.convert(&done.value, false).expect("it has the type");
        prop_assert!(again.dropped.is_empty());
        prop_assert_eq!(format!("{:?}", again.value), format!("{:?}", done.value));
        prop_assert!(value.is_sensitive() || !done.value.is_sensitive());
    }
}
