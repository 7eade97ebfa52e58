//! Nothing panics, whatever is read: random bytes, drawn configurations full of drawn expressions,
//! and damaged copies of good ones are loaded, expanded, judged and told of. What a secret variable
//! holds never stands in a message, and the same input says the same twice.
//!
//! The same cases in each run; `RACKFORM_FUZZ_CASES` asks for more of each kind.

mod bytes;
mod draw;
mod tables;

use std::sync::{Arc, LazyLock};

use proptest::strategy::Strategy;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

use rackform::config::{Facts, Loader, Need, Outside, ROOT, SourceFile, expand, judge};
use rackform::diag::{Diagnostics, Sources};
use rackform::inventory::LiveObject;
use rackform::render::{Style, diag};
use rackform::schema::Schemas;

/// What secret variables hold; also the keys of secret maps.
const CANARY: &str = "canaryZ9";

static SCHEMAS: LazyLock<Schemas> = LazyLock::new(|| {
    rackform::schema::load().unwrap_or_else(|(found, _)| panic!("the schemas load: {found:?}"))
});

/// A configuration: the root's files, and one module in `./m`.
#[derive(Clone, Debug, Default)]
struct Input {
    root: Vec<Vec<u8>>,
    module: Vec<u8>,
}

/// Runs cases of a kind on a stack of the size that the command line has.
fn check<S>(seed: u8, inputs: impl FnOnce() -> S + Send + 'static, quick: u32, canary: bool)
where
    S: Strategy<Value = Input>,
{
    let asked = std::env::var("RACKFORM_FUZZ_CASES").ok().and_then(|n| n.parse().ok());
    let cases = asked.unwrap_or(quick);
    let config = Config { cases, failure_persistence: None, ..Config::default() };
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &[seed; 32]);
    let mut runner = TestRunner::new_with_rng(config, rng);
    let run = move || {
        let outcome = runner.run(&inputs(), |input| {
            let said = told(&input);
            assert_eq!(said, told(&input), "the same input says the same");
            let quoted = said.to_lowercase().contains(&CANARY.to_lowercase());
            assert!(!(canary && quoted), "a secret is quoted:\n{said}");
            Ok(())
        });
        outcome.map_err(|failure| failure.to_string())
    };
    let thread = std::thread::Builder::new().stack_size(rackform::cli::STACK).spawn(run);
    let outcome = thread.expect("a thread").join().expect("nothing panics");
    outcome.unwrap_or_else(|failure| panic!("{failure}"));
}

/// Everything that is said about a configuration.
fn told(input: &Input) -> String {
    let mut loader = Loader::default();
    let file = |at: usize, bytes: &Vec<u8>| SourceFile {
        name: format!("f{at}.rack.toml"),
        bytes: bytes.clone(),
    };
    let root = input.root.iter().enumerate().map(|(at, bytes)| file(at, bytes)).collect();
    loader.add(ROOT, Ok(root));
    for _ in 0..8 {
        for dir in loader.wanted() {
            let files = match &*dir {
                "m" => Ok(vec![file(100, &input.module)]),
                _ => Err("there is no such directory".to_owned()),
            };
            loader.add(&dir, files);
        }
    }
    let loaded = loader.finish(&SCHEMAS);
    let sources = loaded.sources;
    let config = match loaded.config {
        Ok(config) => config,
        Err(found) => return text(&found, &sources),
    };
    let mut said = String::new();
    let mut facts = Facts::default();
    for _ in 0..12 {
        let needs = match expand(&config, &SCHEMAS, &facts, &sources) {
            Ok((desired, warnings)) => {
                said.push_str(&text(&warnings, &sources));
                for resource in &desired.resources {
                    said.push_str(&format!("{} {:?}\n", resource.address, resource.attrs));
                }
                desired.needs
            }
            Err(found) => {
                said.push_str(&text(&found, &sources));
                break;
            }
        };
        if needs.is_empty() {
            break;
        }
        needs.into_iter().for_each(|need| answer(need, &mut facts));
    }
    let judged = judge(&config, &SCHEMAS, &facts, &sources);
    said + &match judged {
        Ok((judged, warnings)) => format!("{judged:?}\n{}", text(&warnings, &sources)),
        Err(found) => text(&found, &sources),
    }
}

fn text(found: &Diagnostics, sources: &Sources) -> String {
    diag::text(found, sources, &Style { unicode: true, ..Style::PLAIN })
}

fn answer(need: Need, facts: &mut Facts) {
    match need {
        Need::Env(name) => {
            let value = match &*name {
                "SECRET" => Some(CANARY.to_owned()),
                "UNSET" => None,
                _ => Some("environment".to_owned()),
            };
            facts.env.insert(name, value);
        }
        Need::File(ref path) => {
            let answer = match &**path {
                "hosts.csv" => Outside::Text("name,ip\na,10.0.0.1\nb\n".into()),
                "x.json" => Outside::Text("{\"a\": [1, {\"b\": null}]}".into()),
                "x.yaml" => Outside::Text("a: [1, {b: ~}]\n".into()),
                "bytes" => Outside::Failed("line 1 is not valid UTF-8".into()),
                _ => Outside::Nothing,
            };
            facts.files.insert(need, answer);
        }
        Need::Files { .. } => {
            let names = ["a.csv", "b.csv"].map(rackform::value::Value::str).to_vec();
            facts.files.insert(need, Outside::Names(Arc::new(names)));
        }
        Need::Command(_) => drop(facts.files.insert(need, Outside::Text(CANARY.into()))),
        Need::Id(address) => drop(facts.ids.insert(address, None)),
        Need::Data(lookup) => {
            let ty = SCHEMAS.get(lookup.ty);
            let mut attrs = ty.empty_row();
            if let Some(name) = ty.find_attr("name") {
                attrs[usize::from(name.0)] = "d".into();
            }
            let id = "11111111111111111111111111111111".into();
            let row = LiveObject { id, attrs, links: Box::default(), elements: Vec::new() };
            facts.data.insert(lookup, Arc::new(vec![row]));
        }
    }
}
