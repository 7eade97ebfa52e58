//! Lists, maps and sets.

use super::{Value, eval, same, value};

#[test]
fn lists() {
    same(&[
        (r#"alltrue(["true", true])"#, "true"),
        ("alltrue([true, false])", "false"),
        ("alltrue([])", "true"),
        ("alltrue([true, null])", "false"),
        (r#"anytrue(["true"])"#, "true"),
        ("anytrue([false, null])", "false"),
        ("anytrue([])", "false"),
        (r#"chunklist(["a", "b", "c", "d", "e"], 2)"#, r#"[["a", "b"], ["c", "d"], ["e"]]"#),
        ("chunklist([1, 2], 0)", "[[1, 2]]"),
        ("chunklist([], 2)", "[]"),
        (r#"coalesce("a", "b")"#, r#""a""#),
        (r#"coalesce("", "b")"#, r#""b""#),
        ("coalesce(1, 2)", "1"),
        ("coalesce(null, false)", "false"),
        (r#"coalescelist(["a", "b"], ["c", "d"])"#, r#"["a", "b"]"#),
        (r#"coalescelist([], ["c", "d"])"#, r#"["c", "d"]"#),
        (r#"compact(["a", "", "b", null, "c"])"#, r#"["a", "b", "c"]"#),
        (r#"concat(["a", ""], ["b", "c"])"#, r#"["a", "", "b", "c"]"#),
        ("concat([], [])", "[]"),
        (r#"contains(["a", "b", "c"], "a")"#, "true"),
        (r#"contains(["a", "b", "c"], "d")"#, "false"),
        (r#"contains([["a"]], ["a"])"#, "true"),
        (r#"distinct(["a", "b", "a", "c", "d", "b"])"#, r#"["a", "b", "c", "d"]"#),
        (r#"distinct([3, 1, 3.0, "1"])"#, r#"[3, 1, "1"]"#),
        (r#"element(["a", "b", "c"], 1)"#, r#""b""#),
        (r#"element(["a", "b", "c"], 3)"#, r#""a""#),
        (r#"element(["a", "b", "c"], -1)"#, r#""c""#),
        (r#"flatten([["a", "b"], [], ["c"]])"#, r#"["a", "b", "c"]"#),
        (r#"flatten([[["a", "b"], []], ["c"]])"#, r#"["a", "b", "c"]"#),
        (r#"index(["a", "b", "c"], "b")"#, "1"),
        ("length([])", "0"),
        (r#"length(["a", "b"])"#, "2"),
        (r#"length({ a = "b" })"#, "1"),
        (r#"length("hello")"#, "5"),
        (r#"length("👾🕹️")"#, "2"),
        (
            r#"matchkeys(["i-123", "i-abc", "i-def"], ["us-west", "us-east", "us-east"], ["us-east"])"#,
            r#"["i-abc", "i-def"]"#,
        ),
        ("one([])", "null"),
        (r#"one(["hello"])"#, r#""hello""#),
        ("reverse([1, 2, 3])", "[3, 2, 1]"),
        (r#"slice(["a", "b", "c", "d"], 1, 3)"#, r#"["b", "c"]"#),
        ("slice([1], 1, 1)", "[]"),
        (r#"sort(["e", "d", "a", "x"])"#, r#"["a", "d", "e", "x"]"#),
        ("sort([10, 9])", r#"["10", "9"]"#),
    ]);
}

#[test]
fn ranges() {
    same(&[
        ("range(3)", "[0, 1, 2]"),
        ("range(0)", "[]"),
        ("range(-2)", "[0, -1]"),
        ("range(1, 4)", "[1, 2, 3]"),
        ("range(1, 8, 2)", "[1, 3, 5, 7]"),
        ("range(1, 4, 0.5)", "[1, 1.5, 2, 2.5, 3, 3.5]"),
        ("range(4, 1)", "[4, 3, 2]"),
        ("range(10, 5, -2)", "[10, 8, 6]"),
        ("range(5, 5, -1)", "[]"),
        ("length(range(1000000))", "1000000"),
        (
            "range(-9223372036854775807, 9223372036854775807, 9223372036854775807)",
            "[-9223372036854775807, 0]",
        ),
    ]);
}

#[test]
fn maps() {
    same(&[
        ("keys({ a = 1, c = 2, d = 3 })", r#"["a", "c", "d"]"#),
        (r#"lookup({ a = "ay", b = "bee" }, "a", "what?")"#, r#""ay""#),
        (r#"lookup({ a = "ay", b = "bee" }, "c", "what?")"#, r#""what?""#),
        (r#"lookup({ a = null }, "a", "x")"#, "null"),
        (r#"lookup({ "1" = "x" }, 1)"#, r#""x""#),
        (
            r#"merge({ a = "b", c = "d" }, { e = "f", c = "z" })"#,
            r#"{ a = "b", c = "z", e = "f" }"#,
        ),
        ("merge({ a = 1 }, null, {})", "{ a = 1 }"),
        ("merge()", "{}"),
        (
            r#"transpose({ a = ["1", "2"], b = ["2", "3"] })"#,
            r#"{ "1" = ["a"], "2" = ["a", "b"], "3" = ["b"] }"#,
        ),
        ("values({ a = 3, c = 2, d = 1 })", "[3, 2, 1]"),
        (r#"zipmap(["a", "b"], [1, 2])"#, "{ a = 1, b = 2 }"),
        ("zipmap([], [])", "{}"),
        (r#"zipmap([1, "a"], ["x", "y"])"#, r#"{ "1" = "x", a = "y" }"#),
    ]);
}

#[test]
fn sets() {
    same(&[
        (r#"setintersection(["a", "b"], ["b", "c"], ["b", "d"])"#, r#"["b"]"#),
        (r#"setsubtract(["a", "b", "c"], ["a", "c"])"#, r#"["b"]"#),
        (r#"setunion(["a", "b"], ["b", "c"], ["d"])"#, r#"["a", "b", "c", "d"]"#),
        (r#"setunion(["a"], [1])"#, r#"["1", "a"]"#),
        (r#"setsubtract(["1", "a"], [1])"#, r#"["a"]"#),
        (
            r#"setproduct(["dev", "prod"], ["a", "b"], [1])"#,
            r#"[["dev", "a", 1], ["dev", "b", 1], ["prod", "a", 1], ["prod", "b", 1]]"#,
        ),
        (r#"setproduct(["a"], [])"#, "[]"),
    ]);
}

#[test]
fn what_is_not_made_yet_is_passed_on() {
    same(&[
        ("length([zone.a, zone.b])", "2"),
        ("concat([zone.a], [zone.b.id])", "[zone.a, zone.b.id]"),
        ("merge({ a = zone.a }, { b = zone.b })", "{ a = zone.a, b = zone.b }"),
        ("values({ a = zone.a })", "[zone.a]"),
        (r#"lookup({ a = zone.a }, "a")"#, "zone.a"),
        ("toset([zone.b, zone.a, zone.b])", "[zone.a, zone.b]"),
        ("tolist([zone.b.id, 1])", r#"[zone.b.id, "1"]"#),
        ("distinct([zone.b, zone.a, zone.b])", "[zone.b, zone.a]"),
        ("flatten([[zone.b], [[zone.a]]])", "[zone.b, zone.a]"),
        ("compact([zone.b.id, null])", "[zone.b.id]"),
        ("coalesce(zone.a.id, \"x\")", "zone.a.id"),
        ("one([zone.a])", "zone.a"),
        (r#"zipmap(["a"], [zone.a])"#, "{ a = zone.a }"),
        (r#"matchkeys([zone.a, zone.b], ["x", "y"], ["y"])"#, "[zone.b]"),
        ("setproduct([zone.a], [1, 2])", "[[zone.a, 1], [zone.a, 2]]"),
        ("setunion([zone.b], [zone.a])", "[zone.a, zone.b]"),
    ]);
}

/// Ten thousand look-ups in a map of ten thousand keys: quick, or there is a walk or a copy.
#[test]
fn a_look_up_copies_nothing() {
    let map = value("zipmap([\"a\"], [[1, 2, 3]])");
    let found = value("lookup({ a = [1, 2, 3] }, \"a\")");
    assert_eq!(map.reveal(), &value("{ a = [1, 2, 3] }"));
    assert_eq!(found, value("[1, 2, 3]"));
    let Value::List(items) = &found else { panic!("{found}") };
    let args = [Value::map([("a".into(), found.clone())].into()), Value::str("a")];
    let function = super::find("lookup", 2).expect("known");
    let result = function.run(&args).expect("a value");
    let Value::List(same) = &result else { panic!("{result}") };
    assert!(std::sync::Arc::ptr_eq(items, same));
    assert!(eval("lookup({}, \"a\")").is_err());
}
