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

#[test]
fn zone() {
    run::all(&Fixture::read("zone"));
}

#[test]
fn cluster() {
    run::all(&Fixture::read("cluster"));
}

#[test]
fn host() {
    run::all(&Fixture::read("host"));
}

#[test]
fn local_primary_storage() {
    run::all(&Fixture::read("local_primary_storage"));
}

#[test]
fn nfs_primary_storage() {
    run::all(&Fixture::read("nfs_primary_storage"));
}
