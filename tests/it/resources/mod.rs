//! Every resource type, one fixture each: `tests/resources/<type>.toml`.
//!
//! A fixture says what people write, what the plan must say, and, by hand from the API's manual,
//! which requests must leave. `run` carries it out with the real binary over real HTTP; `coverage`
//! fails when a schema has something that no fixture touches. That a wrong wire name in a schema
//! cannot pass is shown beside the planner, in `src/plan/tests/mutants.rs`.

mod coverage;
mod fixture;
mod run;

use fixture::Fixture;

/// All at once, each in a thread of its own: a new type is a new file here, and no Rust.
#[test]
fn every_type_does_what_its_fixture_says() {
    let failed: Vec<String> = std::thread::scope(|scope| {
        let runs: Vec<_> = fixture::names()
            .into_iter()
            .map(|name| (name.clone(), scope.spawn(move || run::all(&Fixture::read(&name)))))
            .collect();
        let failed = runs.into_iter().filter_map(|(name, run)| run.join().err().map(|_| name));
        failed.collect()
    });
    assert!(failed.is_empty(), "see above: {failed:?}");
}
