//! What is refused, at which characters, and with which advice.

use super::{Stop, eval, fault};

/// Expression, the characters that the caret stands under, a part of the label.
const WRONG: &[(&str, &str, &str)] = &[
    ("keys([1])", "[1]", "a list"),
    ("join(\",\", \"a\")", "\"a\"", "a string"),
    ("join(\",\", [\"a\"], [null])", "[null]", "null among the elements"),
    ("upper(null)", "null", "null"),
    ("upper([])", "[]", "a list"),
    ("abs(\"x\")", "\"x\"", "a string"),
    ("substr(\"a\", 1.5, 1)", "1.5", "not a whole number"),
    ("chunklist([1], -1)", "-1", "negative"),
    ("max([1, 2])", "[1, 2]", "a list"),
    ("sum([])", "[]", "empty"),
    ("sum([true])", "[true]", "a boolean"),
    ("log(0, 10)", "log(0, 10)", "finite"),
    ("parseint(\"12\", 2)", "\"12\"", "no whole number in base 2"),
    ("parseint(\"\", 10)", "\"\"", "no whole number"),
    ("parseint(\"1\", 63)", "63", "from 2 to 62"),
    ("parseint(255, 16)", "255", "an integer"),
    ("parseint(\"ffffffffffffffff\", 16)", "\"ffffffffffffffff\"", "too large"),
    ("element([], 0)", "[]", "no elements"),
    ("index([1], 2)", "2", "no element"),
    ("one([1, 2])", "[1, 2]", "2 elements"),
    ("slice([1], 0, 2)", "2", "1 elements"),
    ("slice([1, 2], 2, 1)", "2", "behind its end"),
    ("coalesce(null, \"\")", "coalesce(null, \"\")", "all are null"),
    ("coalescelist([])", "coalescelist([])", "empty"),
    ("matchkeys([1], [1, 2], [1])", "[1, 2]", "2 keys for 1 values"),
    ("zipmap([\"a\"], [])", "[]", "0 values for 1 keys"),
    ("zipmap([null], [1])", "[null]", "null among the keys"),
    ("lookup({ a = 1 }, \"b\")", "\"b\"", "no key \"b\""),
    ("transpose({ a = 1 })", "{ a = 1 }", "an integer under the key"),
    ("range(1, 2, 0)", "0", "step of 0"),
    ("range(1, 5, -1)", "-1", "never come"),
    ("range(5, 1, 2)", "2", "never come"),
    ("range(1000001)", "range(1000001)", "more than 1000000"),
    ("range(0, 1, 1e-9)", "range(0, 1, 1e-9)", "more than 1000000"),
    ("regex(\"a+\", \"b\")", "\"b\"", "does not match"),
    ("regex(\"(\", \"b\")", "\"(\"", "not a pattern"),
    ("regex(\"(?P<a>.)(.)\", \"xy\")", "\"(?P<a>.)(.)\"", "some have none"),
    ("replace(\"a\", \"/(/\", \"b\")", "\"/(/\"", "not a pattern"),
    ("format(\"%d\", \"x\")", "\"x\"", "not \"x\""),
    ("format(\"%d\", 1.5)", "1.5", "a whole number"),
    ("format(\"%s\", [1])", "[1]", "a list"),
    ("format(\"%s\", null)", "null", "null"),
    ("format(\"%t\", 1)", "1", "a boolean"),
    ("format(\"%s %s\", \"a\")", "\"%s %s\"", "needs value 2"),
    ("format(\"%s\", \"a\", \"b\")", "\"b\"", "no verb for this value"),
    ("format(\"%z\", 1)", "\"%z\"", "no verb `%z`"),
    ("format(\"%F\", 1)", "\"%F\"", "no verb `%F`"),
    ("format(\"100%\")", "\"100%\"", "ends within a verb"),
    ("format(\"%99999d\", 1)", "\"%99999d\"", "at most"),
    ("format(\"%*d\", 99999, 1)", "99999", "from 0 to"),
    ("format(\"%[0]d\", 1)", "\"%[0]d\"", "from 1"),
    ("formatlist(\"%s%s\", [1], [1, 2])", "[1, 2]", "2 elements"),
    ("tobool(\"no\")", "\"no\"", "not \"true\""),
    ("tobool(1)", "1", "an integer"),
    ("tonumber(\"no\")", "\"no\"", "no decimal number"),
    ("tonumber(true)", "true", "a boolean"),
    ("tostring([])", "[]", "a list"),
    ("toset({})", "{}", "a map"),
    ("tomap([])", "[]", "a list"),
    ("cidrhost(\"10.0.0.0\", 1)", "\"10.0.0.0\"", "no prefix"),
    ("cidrhost(\"10.0.0.0/33\", 1)", "\"10.0.0.0/33\"", "no prefix"),
    ("cidrhost(\"10.0.0.0/24\", 256)", "256", "8 bits"),
    ("cidrhost(\"10.0.0.0/24\", -257)", "-257", "8 bits"),
    ("cidrnetmask(\"fd00::/8\")", "\"fd00::/8\"", "IPv4"),
    ("cidrsubnet(\"10.0.0.0/24\", 9, 0)", "9", "8 bits left"),
    ("cidrsubnet(\"10.0.0.0/24\", 1, 2)", "2", "from 0 to 1"),
    ("cidrsubnets(\"10.0.0.0/24\", 1, 1, 1)", "1", "no room"),
    ("cidrsubnets(\"10.0.0.0/24\", 0)", "0", "one bit more"),
    ("base64decode(\"?\")", "\"?\"", "not base64"),
    ("base64decode(\"/w==\")", "\"/w==\"", "not UTF-8"),
    ("jsondecode(\"{\")", "\"{\"", "line 1"),
    ("jsondecode(\"1 2\")", "\"1 2\"", "not JSON"),
    ("yamldecode(\"a: [\")", "\"a: [\"", "not YAML"),
    ("csvdecode(\"a\\n\\\"x\\n\")", "\"a\\n\\\"x\\n\"", "not closed"),
    ("csvdecode(\"\")", "\"\"", "no row"),
    ("csvdecode(\"a,a\\n\")", "\"a,a\\n\"", "two columns"),
    (
        "csvdecode(\"a,b\\n1,2\\n3\\n\")",
        "\"a,b\\n1,2\\n3\\n\"",
        "row 3 of the CSV has 1 field, its header 2",
    ),
    (
        "csvdecode(\"a,b\\n\\\"1\\n\\\",2\\n3\\n\")",
        "\"a,b\\n\\\"1\\n\\\",2\\n3\\n\"",
        "row 3 (line 4) of the CSV has 1 field",
    ),
    ("max([1, true]...)", "[1, true]", "a boolean"),
    ("contains([zone.a], \"x\")", "[zone.a]", "known only after apply"),
    ("length(zone.a)", "zone.a", "known only after apply"),
    ("upper(zone.a.id)", "zone.a.id", "known only after apply"),
    ("zipmap([zone.a.id], [1])", "[zone.a.id]", "known only after apply"),
    ("matchkeys([1], [zone.a], [1])", "[zone.a]", "known only after apply"),
];

#[test]
fn the_argument_at_fault_is_named() {
    let mut wrong = Vec::new();
    for (text, at, label) in WRONG {
        let fault = match eval(text) {
            Err(Stop::Fault(fault)) => fault,
            other => {
                wrong.push(format!("{text}: {other:?}"));
                continue;
            }
        };
        let place = fault.range.clone().map_or("", |range| &text[range]);
        if place != *at || !fault.label.contains(label) || fault.help.is_none() {
            wrong.push(format!("{text}: at {place:?}, {fault:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn what_would_take_all_memory_is_refused() {
    let long = r#"join("", formatlist("%9999s", range(6000)))"#;
    for text in [
        "indent(99999999, \"a\\nb\")".to_owned(),
        "setproduct(range(4000), range(4000))".to_owned(),
        format!("format(\"%s%s\", {long}, {long})"),
        format!("replace({long}, \" \", \"{}\")", "x".repeat(1000)),
        format!("replace({long}, \"/ /\", \"{}\")", "x".repeat(1000)),
        format!("replace({long}, \"/.*/\", \"{}\")", "$0".repeat(1000)),
        format!("urlencode(replace({long}, \" \", \"?\"))"),
        "formatlist(\"%9999s\", range(7000))".to_owned(),
    ] {
        let fault = fault(&text);
        assert_eq!(fault.code, "bad_argument", "{fault:?}");
        assert!(fault.label.contains("would"), "{fault:?}");
    }
}

#[test]
fn names_and_numbers_of_arguments() {
    for (text, summary, help) in [
        ("uper(1)", "there is no function `uper`", "did you mean `upper`?"),
        ("filset()", "there is no function `filset`", "did you mean `fileset`?"),
        ("uuid()", "there is no function `uuid`", "differs at every run"),
        ("timestamp()", "there is no function `timestamp`", "no plan would ever be empty"),
        ("md5(\"x\")", "there is no function `md5`", "sha256"),
        ("zzzzzzzz()", "there is no function `zzzzzzzz`", "FUNCTIONS.md"),
        ("keys()", "`keys` takes 1 argument, not 0", "keys(map)"),
        ("lookup({})", "`lookup` takes 2 or 3 arguments, not 1", "lookup(map, key, [default])"),
        ("range()", "`range` takes 1 to 3 arguments, not 0", "range(start, [limit], [step])"),
        ("max()", "`max` takes at least 1 argument, not 0", "max(number, more...)"),
    ] {
        let fault = fault(text);
        assert_eq!(fault.summary, summary);
        assert!(fault.help.as_deref().is_some_and(|h| h.contains(help)), "{fault:?}");
    }
}

/// What a look-up will find is not known while the configuration is only judged.
#[test]
fn objects_that_are_not_looked_up_say_nothing() {
    for text in ["toset([data.zone.open])", "distinct([data.zone.open])", "length(data.zone.open)"]
    {
        assert_eq!(eval(text), Err(Stop::Silent), "{text}");
    }
}
