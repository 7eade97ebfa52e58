//! Mistakes that somebody could make, made on purpose: each must be caught by something that does
//! not depend on the part with the mistake. (A skipped fsync is in `store`.)

use std::collections::BTreeMap;

use rackform::config::{self, Facts, SourceFile};
use rackform::diag::Sources;
use rackform::plan::{self, Inputs, Op, Options, Plan, StepIx, lint};
use rackform::schema::{self, Schemas};
use rackform::state::State;
use reqwest::Method;
use serde_json::json;

use crate::common::cloud::Cloud;
use crate::common::process::Rackform;
use crate::common::topology::Topology;

/// The plan of a small topology from nothing.
fn planned(schemas: &Schemas) -> Plan {
    let blocks = Topology::uniform(1, 1).blocks();
    let text = format!("[provider.zstack]\nendpoint = \"https://mn.example.com\"\n{blocks}");
    let file = SourceFile { name: "main.rack.toml".to_owned(), bytes: text.into_bytes() };
    let loaded = config::load(vec![file], schemas);
    let sources: Sources = loaded.sources;
    let read = loaded.config.expect("the configuration is right");
    let facts = Facts {
        env: BTreeMap::from([("SSH_PASSWORD".to_owned(), Some("x".to_owned()))]),
        variables: BTreeMap::from([]),
    };
    let (desired, _) = config::expand(&read, schemas, &facts, &sources).expect("it expands");
    let inputs = Inputs {
        desired: &desired,
        state: &State::default(),
        live: None,
        schemas,
        rotated: &BTreeMap::new(),
        options: &Options::default(),
    };
    plan::plan(&inputs).expect("it can be planned")
}

/// Reversing any edge of a plan makes a ring, which lint finds, or an order that the emulator
/// refuses; here those of references.
#[test]
fn a_reversed_edge_makes_a_ring_that_lint_finds() {
    let schemas = schema::load().expect("the schemas are right");
    let plan = planned(&schemas);
    lint::check(&plan).expect("nothing is wrong with it");
    let create = |kind: &str| {
        let steps = (0u32..).map(StepIx).zip(&plan.steps);
        let mut of = steps.filter(|(_, s)| s.op == Op::Create && s.address.kind() == kind);
        of.next().expect("a create").0
    };
    let (zone, cluster) = (create("zone"), create("cluster"));
    let steps = &plan.steps;
    assert!(steps[cluster.0 as usize].after.contains(&zone), "the cluster waits for its zone");
    let mut mutant = plan.clone();
    mutant.steps[zone.0 as usize].after.push(cluster);
    let ring = lint::check(&mutant).expect_err("two steps that wait for each other");
    assert!(format!("{ring:?}").contains("ring_of_steps"), "{ring:?}");
}

/// Dropping an edge, so that the child goes first: the server refuses it.
#[test]
fn a_child_before_its_parent_is_refused_by_the_emulator() {
    let cloud = Cloud::start();
    let nobody = "b02ca99e66274a7f879d8a32774ad2f8";
    let body = json!({ "params": { "name": "c", "zoneUuid": nobody, "hypervisorType": "KVM" } });
    cloud.api(Method::POST, "/clusters", Some(body));
    while !cloud.jobs_are_done() {}
    let jobs = cloud.jobs();
    assert_eq!(jobs[0]["status"], 503, "{jobs:?}");
    assert!(jobs[0]["body"].as_str().expect("text").contains("SYS.1003"), "{jobs:?}");
}

/// A wire name that the API does not have is a violation, and what should have been sent does not
/// read back.
#[test]
fn a_dropped_wire_name_is_a_violation() {
    let cloud = Cloud::start();
    let body = json!({ "params": { "name": "z", "descripton": "hall" } });
    cloud.api(Method::POST, "/zones", Some(body));
    let violations = cloud.control(Method::GET, "violations", None).to_string();
    assert!(violations.contains("unknown parameter 'descripton'"), "{violations}");
}

/// A server that says "done" and changes nothing: were the step not read back, the apply would
/// say that it succeeded.
#[test]
fn an_update_that_the_server_ignores_is_reported() {
    let mut topology = Topology::uniform(1, 1);
    let cloud = Cloud::start();
    let rackform = Rackform::new().env("SSH_PASSWORD", "x");
    topology.declare(&rackform, &cloud);
    rackform.run(&["apply", "--auto-approve"]).expect(0);
    topology.zones.insert("z".into(), "another hall".into());
    topology.declare(&rackform, &cloud);
    cloud.faults(&["api=UpdateZone,ignore-update"]);
    let ignored = rackform.run(&["apply", "--auto-approve"]).expect(1);
    let said = ignored.stdout + &ignored.stderr;
    assert!(said.contains("accepted `description` but did not apply it"), "{said}");
    // Nothing is left open: the next apply has nothing to look up, and does it.
    assert!(!rackform.path("rackform.state.journal").exists());
    rackform.run(&["plan", "--detailed-exitcode"]).expect(2);
    rackform.run(&["apply", "--auto-approve"]).expect(0);
    rackform.run(&["plan", "--detailed-exitcode"]).expect(0);
}
