//! What becomes of secrets.

use super::{Depth, Value, all, eval, fault, same, value};

#[test]
fn what_is_made_of_a_secret_is_one() {
    for text in [
        "upper(var.secret)",
        "length(var.secrets)",
        "length(var.secret)",
        "join(\",\", var.mixed)",
        "contains(var.mixed, \"a\")",
        "sort(var.mixed)",
        "toset(var.mixed)",
        "distinct(var.mixed)",
        "compact(var.mixed)",
        "setunion(var.mixed, [])",
        "concat(var.secrets, [])",
        "merge(sensitive({ a = 1 }), {})",
        "lookup({ hunter2 = 1 }, var.secret)",
        "lookup(var.map, \"s\")",
        "zipmap(var.mixed, [1, 2])",
        "matchkeys([1, 2], var.mixed, [\"a\"])",
        "coalesce(null, var.secret)",
        "jsonencode({ a = [var.secret] })",
        "format(\"%s-%s\", \"a\", var.secret)",
        "element(flatten([var.secrets]), 1)",
        "sha256(var.secret)",
        "base64encode(var.secret)",
        "sensitive(1)",
        "type(var.secret)",
    ] {
        assert!(matches!(value(text), Value::Sensitive(_)), "{text}: {:?}", value(text));
    }
}

#[test]
fn what_is_not_made_of_a_secret_is_none() {
    for text in [
        "length(var.mixed)",
        "keys(var.map)",
        "lookup(var.map, \"a\")",
        "element(var.mixed, 0)",
        "nonsensitive(var.secret)",
        "issensitive(var.secret)",
        "slice(var.mixed, 0, 1)",
    ] {
        assert!(!value(text).is_sensitive(), "{text}");
    }
    same(&[
        ("issensitive(var.secret)", "true"),
        ("issensitive(var.mixed)", "true"),
        ("issensitive(\"x\")", "false"),
        ("nonsensitive(\"x\")", "\"x\""),
    ]);
}

#[test]
fn elements_keep_their_marks() {
    let found = value("concat(var.mixed, [\"b\"])");
    assert_eq!(found.to_string(), "[\"a\", (sensitive), \"b\"]");
    let found = value("merge(var.map, { b = 2 })");
    assert_eq!(found.to_string(), "{ a = 1, b = 2, s = (sensitive) }");
}

#[test]
fn no_fault_quotes_a_secret() {
    for text in [
        "tonumber(var.secret)",
        "parseint(var.secret, 10)",
        "format(\"%d\", var.secret)",
        "lookup({}, var.secret)",
        "regex(var.secret, \"x\")",
        "regex(\"x\", var.secret)",
        "jsondecode(var.secret)",
        "yamldecode(\"a: [${var.secret}\")",
        "csvdecode(\"${var.secret},${var.secret}\")",
        "cidrhost(var.secret, 1)",
        "base64decode(\"${var.secret}!\")",
    ] {
        let fault = fault(text);
        assert!(!format!("{fault:?}").contains("hunter2"), "{fault:?}");
        assert!(fault.label.contains("secret"), "{fault:?}");
        assert!(fault.range.is_some(), "{fault:?}");
    }
}

/// The table of depths is no secret of one function: each is called with a secret in each place.
#[test]
fn no_function_loses_a_mark() {
    for function in all().filter(|f| f.depth != Depth::Marks && f.run.is_some()) {
        let (expression, _) = function.example;
        let call = format!("{}(", function.name);
        let Some((before, after)) = expression.split_once(&call) else { continue };
        // The first argument of the example, as a secret.
        let text = format!("{before}{call}[sensitive(\"0\"), {after}");
        let whole = text.replacen("[sensitive(\"0\"), ", "sensitive(", 1);
        let mut depth = 0;
        let open = before.len() + call.len() + "sensitive(".len();
        let quoted =
            |upto: &str| upto.replace("\\\\", "").replace("\\\"", "").matches('"').count() % 2;
        let end = whole[open..].char_indices().find(|(at, c)| {
            if quoted(&whole[open..open + at]) == 1 {
                return false;
            }
            match c {
                '(' | '[' | '{' => depth += 1,
                ')' | ']' | '}' if depth > 0 => depth -= 1,
                ',' | ')' if depth == 0 => return true,
                _ => {}
            }
            false
        });
        let (end, _) = end.expect("an end");
        let text = format!("{}){}", &whole[..open + end], &whole[open + end..]);
        match eval(&text) {
            Ok(found) => assert!(found.is_sensitive(), "{text}: {found:?}"),
            Err(stop) => panic!("{text}: {stop:?}"),
        }
    }
}
