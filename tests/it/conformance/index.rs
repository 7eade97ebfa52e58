//! Every numbered case has its test. In: the table of cases and the source text of this directory.
//! Out: numbers without a test function, with several, or that the table does not know.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;

const TABLE: &str = include_str!("../../data/conformance/zstack.toml");

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    case: Vec<Case>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    number: u32,
    input: String,
    expected: String,
    evidence: String,
    /// What is missing before this case can be tested.
    deferred: Option<String>,
}

#[test]
fn every_case_has_one_test() {
    let tests = numbered_tests();
    for (number, names) in &tests {
        assert_eq!(names.len(), 1, "case {number} has several tests: {names:?}");
    }
    let table: Table = toml::from_str(TABLE).expect("the table of cases");
    let (deferred, wanted): (Vec<&Case>, Vec<&Case>) =
        table.case.iter().partition(|case| case.deferred.is_some());
    for case in &wanted {
        assert!(
            tests.contains_key(&case.number),
            "no test for case {}: {}",
            case.number,
            case.input
        );
    }
    for case in &deferred {
        assert!(!tests.contains_key(&case.number), "case {} is no longer deferred", case.number);
    }
    for number in tests.keys() {
        assert!(
            wanted.iter().any(|case| case.number == *number),
            "case {number} is not in the table"
        );
    }
}

#[test]
fn the_table_is_complete() {
    let table: Table = toml::from_str(TABLE).expect("the table of cases");
    let mut numbers: Vec<u32> = table.case.iter().map(|case| case.number).collect();
    assert!(numbers.is_sorted(), "the cases are in order");
    numbers.dedup();
    assert_eq!(numbers, (1..=54).collect::<Vec<_>>());
    for case in &table.case {
        let texts = [Some(&case.input), Some(&case.expected), Some(&case.evidence)];
        for text in texts.into_iter().chain([case.deferred.as_ref()]).flatten() {
            assert!(!text.trim().is_empty(), "case {} says nothing somewhere", case.number);
        }
    }
}

/// The test functions named `case_NN_…` in this directory, by number.
fn numbered_tests() -> BTreeMap<u32, Vec<String>> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/conformance");
    let mut tests: BTreeMap<u32, Vec<String>> = BTreeMap::new();
    for entry in std::fs::read_dir(&directory).expect("this directory") {
        let path = entry.expect("a file of this directory").path();
        let text = std::fs::read_to_string(&path).expect("a source file");
        let file = syn::parse_file(&text).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        for item in file.items {
            let syn::Item::Fn(function) = item else { continue };
            let name = function.sig.ident.to_string();
            let Some(number) = name.strip_prefix("case_").and_then(|rest| rest.get(..2)) else {
                continue;
            };
            let is_test = |attribute: &syn::Attribute| {
                attribute.path().segments.last().is_some_and(|last| last.ident == "test")
            };
            assert!(function.attrs.iter().any(is_test), "{name} is not run");
            let number = number.parse().unwrap_or_else(|_| panic!("{name}: case_NN_…"));
            tests.entry(number).or_default().push(name);
        }
    }
    tests
}
