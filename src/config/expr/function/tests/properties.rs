//! Any values in any number: no function panics, loses a mark or shows a secret.

use std::collections::BTreeMap;
use std::sync::Arc;

use proptest::prelude::*;

use super::super::super::Stop;
use super::{Depth, all, find};
use crate::address::Address;
use crate::value::{Found, Value};

/// A text that nothing else holds.
const CANARY: &str = "zq7canary";

fn scalar() -> impl Strategy<Value = Value> {
    let texts = prop::sample::select(vec![
        "",
        "a",
        "b,c",
        "%d %s",
        "%[2]*.3f",
        "%",
        "/(a|b)*/",
        "(?P<x>.)",
        "10.0.0.0/8",
        "::/0",
        "{\"a\":[1]}",
        "a: &x [*x]",
        "a,b\n1,2\n",
        "true",
        "-1.5e3",
        "🤷‍♀️ß",
        "\u{feff}a\r\n",
        "$0$1",
        "999999999999999999999",
        CANARY,
    ]);
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        (-70_i64..70).prop_map(Value::Int),
        prop::sample::select(vec![i64::MIN, i64::MAX, 1 << 53]).prop_map(Value::Int),
        any::<f64>().prop_filter("numbers", |n| n.is_finite()).prop_map(Value::from_float),
        texts.prop_map(Value::str),
        ".{0,8}".prop_map(|text| Value::str(&text)),
        Just(Value::Object(Address::new("zone", "a"))),
        Just(Value::Id(Address::new("zone", "b"))),
        Just(found(None)),
        Just(found(Some(BTreeMap::new()))),
    ]
}

fn found(attrs: Option<BTreeMap<Arc<str>, Value>>) -> Value {
    Value::Found(Arc::new(Found { kind: "zone".into(), id: "x".into(), attrs }))
}

fn values() -> impl Strategy<Value = Value> {
    scalar().prop_recursive(3, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::list),
            prop::collection::btree_map("[ab1]{0,2}", inner.clone(), 0..4).prop_map(|items| {
                Value::map(items.into_iter().map(|(k, v)| (Arc::from(k), v)).collect())
            }),
            inner.prop_map(Value::sensitive),
        ]
    })
}

/// Values of which each function can use some, so that calls come to something.
fn pool() -> Vec<Value> {
    let list = |texts: &[&str]| Value::list(texts.iter().map(|t| Value::str(t)).collect());
    let map = |key: &str, value: Value| Value::map(BTreeMap::from([(key.into(), value)]));
    vec![
        Value::Null,
        Value::Bool(true),
        Value::Int(0),
        Value::Int(2),
        Value::Int(-1),
        Value::Int(i64::MIN),
        Value::Float(0.5),
        Value::str(""),
        Value::str(CANARY),
        Value::str("12"),
        Value::str("10.0.0.0/8"),
        Value::str("%s%v"),
        Value::str("/a(.)/"),
        Value::str("a,b\n1,2"),
        Value::str("[1]"),
        Value::str("YWJj"),
        list(&[]),
        list(&["a", CANARY]),
        Value::list(vec![Value::Int(1), Value::Bool(true)]),
        Value::list(vec![Value::Int(1), Value::Float(0.5)]),
        Value::list(vec![list(&["a"]), list(&["b"])]),
        Value::list(vec![Value::Object(Address::new("zone", "a"))]),
        Value::map(BTreeMap::new()),
        map("a", list(&["x", CANARY])),
        map(CANARY, Value::Int(1)),
    ]
}

/// All lists of so many values of the pool.
fn choices(count: usize) -> Vec<Vec<Value>> {
    let more = |args: Vec<Value>| {
        let with = move |value| [args.as_slice(), &[value]].concat();
        pool().into_iter().map(with)
    };
    (0..count).fold(vec![Vec::new()], |all, _| all.into_iter().flat_map(more).collect())
}

/// Every function with every choice of arguments, and again with a secret in each place: the same
/// value, marked; or a sentence that does not quote it.
#[test]
fn a_secret_changes_nothing_but_the_mark() {
    let run = |function: &'static super::super::Function, args: &[Value]| function.run(args);
    let mut useless: Vec<&str> = Vec::new();
    let choices: Vec<_> = (0..=3).map(choices).collect();
    for function in all().filter(|f| f.depth != Depth::Marks && f.run.is_some()) {
        let mut results = 0;
        for args in choices.iter().flatten().filter(|a| find(function.name, a.len()).is_ok()) {
            let plain = run(function, args);
            results += usize::from(plain.is_ok());
            for at in 0..args.len() {
                let mut marked = args.clone();
                marked[at] = marked[at].clone().sensitive();
                match (&plain, run(function, &marked)) {
                    (Ok(value), Ok(secret)) => {
                        assert!(matches!(secret, Value::Sensitive(_)), "{}", function.name);
                        let same = super::super::revealed(&secret) == super::super::revealed(value);
                        assert!(same, "{}", function.name);
                    }
                    (Err(known), Err(misuse)) => {
                        assert_eq!(known.argument, misuse.argument, "{}", function.name);
                        let shown = format!("{misuse:?}");
                        assert!(!shown.contains(CANARY), "{}: {shown}", function.name);
                    }
                    (known, other) => panic!("{}: {known:?}, {other:?}", function.name),
                }
            }
        }
        if results == 0 {
            useless.push(function.name);
        }
    }
    assert!(useless.is_empty(), "no choice of arguments serves {useless:?}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn no_function_panics(args in prop::collection::vec(values(), 0..4)) {
        for function in all() {
            if find(function.name, args.len()).is_ok() {
                let _ = function.run(&args);
            }
        }
    }

    #[test]
    fn a_secret_stays_one(args in prop::collection::vec(values(), 1..4), at in 0_usize..3) {
        let mut args = args;
        let at = at % args.len();
        args[at] = args[at].clone().sensitive();
        let pure = |f: &&super::super::Function| f.depth != Depth::Marks && f.run.is_some();
        for function in all().filter(pure) {
            if find(function.name, args.len()).is_err() {
                continue;
            }
            match function.run(&args) {
                Ok(value) => prop_assert!(value.is_sensitive(), "{}", function.name),
                Err(misuse) => {
                    if let Stop::Fault(fault) = misuse.stop {
                        let shown = format!("{fault:?}");
                        prop_assert!(!shown.contains(CANARY), "{}: {shown}", function.name);
                    }
                }
            }
        }
    }
}
