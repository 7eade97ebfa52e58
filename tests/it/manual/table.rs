//! Nothing of the manual is left out. In: the examples and the table of the APIs. Out: APIs of
//! section 4 without an example, URLs that are not those of the API, numbers of examples.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde::Deserialize;

use super::data::{Example, Source};
use super::{FAMILIES, family};

const APIS: &str = include_str!("../../data/zstack-api.json");

/// Sections whose response example is only the error that all sections share, or none.
const NO_RESPONSE: usize = 20;

#[derive(Deserialize)]
struct Api {
    #[serde(rename = "api")]
    name: String,
    method: String,
    path: String,
    manual_section: Option<String>,
    by_uuid_path: Option<String>,
}

/// The APIs of section 4.
fn apis() -> BTreeMap<String, Api> {
    let apis: Vec<Api> = serde_json::from_str(APIS).expect("the table of APIs");
    let of_manual = |api: Api| {
        let section = api.manual_section.clone().filter(|section| section.starts_with("4."));
        section.map(|section| (section, api))
    };
    apis.into_iter().filter_map(of_manual).collect()
}

/// The examples of section 4.
fn examples() -> Vec<Example> {
    let all = FAMILIES.iter().flat_map(|(name, _)| family(name));
    all.filter(|example| example.section.starts_with("4.")).collect()
}

#[test]
fn every_api_of_section_4_has_a_request_example() {
    let apis = apis();
    assert_eq!(apis.len(), 110);
    let examples = examples();
    for example in &examples {
        let api = apis.get(&example.section).map(|api| api.name.as_str());
        assert_eq!(api, Some(example.api.as_str()), "{}", example.section);
    }
    let shown: BTreeSet<&str> = examples.iter().map(|e| e.section.as_str()).collect();
    let missing: Vec<_> = apis.keys().filter(|section| !shown.contains(&***section)).collect();
    assert!(missing.is_empty(), "no example: {missing:?}");
    let with = |example: &&Example| example.response.is_some();
    let answered: BTreeSet<&str> =
        examples.iter().filter(with).map(|e| e.section.as_str()).collect();
    assert_eq!(apis.len() - answered.len(), NO_RESPONSE);
}

#[test]
fn every_printed_url_is_one_of_the_api_or_corrected() {
    let apis = apis();
    for example in examples() {
        let api = &apis[&example.section];
        let paths = [Some(&api.path), api.by_uuid_path.as_ref()].into_iter().flatten();
        let known: Vec<String> = paths.map(|path| format!("{} {path}", api.method)).collect();
        let strange: Vec<_> = example.urls.iter().filter(|url| !known.contains(url)).collect();
        let prefix = example.url_correction.as_ref().is_some_and(|why| why.contains("prefix"));
        assert_eq!(
            example.url_correction.is_some(),
            !strange.is_empty() || prefix,
            "{}: {strange:?}, known: {known:?}",
            example.section
        );
    }
}

#[test]
fn the_numbers_of_examples_are_those_of_the_manual() {
    let examples = examples();
    let requests = || examples.iter().flat_map(|example| &example.request);
    // A request that differs by version stands twice.
    let once = requests().filter(|request| request.only.as_deref() != Some("5.2"));
    let (bodies, curls): (Vec<_>, Vec<_>) = once.partition(|request| request.from == Source::Body);
    let responses = examples.iter().filter(|example| example.response.is_some()).count();
    assert_eq!((bodies.len(), curls.len(), responses), (55, 129, 91));
}

#[test]
fn every_file_is_read() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/manual");
    let entries = std::fs::read_dir(directory).expect("the examples");
    let names = entries.map(|entry| entry.expect("a file").path());
    let names: BTreeSet<String> = names
        .filter(|path| path.extension().is_some_and(|ext| ext == "toml"))
        .map(|path| path.file_stem().expect("a name").to_string_lossy().into_owned())
        .collect();
    let known: BTreeSet<String> = FAMILIES.iter().map(|(name, _)| name.to_string()).collect();
    assert_eq!(names, known);
}

#[test]
fn every_placeholder_is_an_object_of_the_world() {
    for example in FAMILIES.iter().flat_map(|(name, _)| family(name)) {
        for request in &example.request {
            for text in [Some(&request.send), request.body.as_ref()].into_iter().flatten() {
                for name in super::world::placeholders(text) {
                    assert!(
                        super::world::OBJECTS.contains(&name),
                        "{}: no object {name}",
                        example.section
                    );
                }
            }
        }
    }
}
