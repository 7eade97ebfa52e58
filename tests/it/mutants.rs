//! Mistakes that somebody could make, made on purpose: each must be caught by something that does
//! not depend on the part with the mistake. (A skipped fsync is in `store`.)

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use rackform::apply::{self, Ledger, Run, Stop};
use rackform::config::{self, Desired, Facts, SourceFile};
use rackform::event::{Event, Summary};
use rackform::plan::{self, Inputs, Op, Options, Plan, StepIx, lint};
use rackform::provider::{Connection, Settings};
use rackform::schema::{self, Schemas};
use rackform::state::State;
use rackform::store::{Claim, LocalStore};
use rackform::wire::Json;
use reqwest::Method;

use crate::common::cloud::Cloud;
use crate::common::process::Rackform;
use crate::common::topology::Topology;

/// A small topology and its plan from nothing.
struct Stage {
    schemas: Schemas,
    desired: Desired,
    plan: Plan,
}

impl Stage {
    fn new() -> Stage {
        let schemas = schema::load().unwrap_or_else(|(found, _)| panic!("{found:?}"));
        let blocks = Topology::uniform(1, 1).blocks();
        let text = format!("[provider.zstack]\nendpoint = \"https://mn.example.com\"\n{blocks}");
        let file = SourceFile { name: "main.rack.toml".to_owned(), bytes: text.into_bytes() };
        let loaded = config::load(vec![file], &schemas);
        let config = loaded.config.expect("the configuration is right");
        let password = ("SSH_PASSWORD".to_owned(), Some("x".to_owned()));
        let facts = Facts { env: [password].into(), ..Facts::default() };
        let expanded = config::expand(&config, &schemas, &facts, &loaded.sources);
        let (desired, _) = expanded.expect("it expands");
        let inputs = Inputs {
            desired: &desired,
            state: &State::default(),
            live: None,
            schemas: &schemas,
            rotated: &BTreeMap::new(),
            moved: &BTreeMap::new(),
            options: &Options::default(),
        };
        let plan = plan::plan(&inputs).expect("it can be planned");
        Stage { schemas, desired, plan }
    }

    /// The create of this type.
    fn create(&self, kind: &str) -> usize {
        let is = |step: &plan::Step| step.op == Op::Create && step.address.kind() == kind;
        self.plan.steps.iter().position(is).expect("a create")
    }

    /// Carries the plan out on an empty cloud. Returns the texts of all failures.
    fn carry_out(&self, cloud: &Cloud) -> (Summary, Vec<String>) {
        let dir = tempfile::tempdir().expect("a directory");
        let claim = Claim { operation: "apply".into(), who: "test".into(), created: String::new() };
        let store = LocalStore::open(dir.path());
        let mut guard = store.lock(&claim, Duration::ZERO, &mut |_| ()).expect("nobody has it");
        guard.read().expect("there is none yet");
        let fresh =
            State { lineage: "0123456789abcdef0123456789abcdef".into(), ..State::default() };
        let digests = BTreeMap::new();
        let state = apply::beginning(&self.plan, &self.schemas, &digests, fresh);
        let recording = guard.begin(state.clone(), "run".into(), String::new()).expect("written");
        let ledger = Ledger::new(recording.writer(), &state, "run");
        let (events, mut received) = tokio::sync::mpsc::channel(1000);
        let settings = Settings::new("zstack", "zstack", cloud.url(), "admin", "password");
        let runtime = tokio::runtime::Runtime::new().expect("a runtime");
        let summary = runtime.block_on(async {
            let connection = Connection::open(&settings).await.expect("a login");
            let connections = HashMap::from([(Arc::from("zstack"), connection)]);
            let run = Run {
                plan: &self.plan,
                desired: &self.desired,
                schemas: &self.schemas,
                connections: &connections,
                ledger: &ledger,
                digests: &digests,
                parallelism: 8,
                max_unavailable: 1,
                events,
                stop: tokio::sync::watch::channel(Stop::No).1,
            };
            apply::run(&run, &state).await.expect("the journal can be written")
        });
        let mut failures = Vec::new();
        while let Ok(event) = received.try_recv() {
            if let Event::StepFailed { failure, .. } = event {
                failures.push(failure.summary);
            }
        }
        (summary, failures)
    }
}

#[test]
fn without_a_mutant_nothing_is_caught() {
    let (stage, cloud) = (Stage::new(), Cloud::start());
    let (summary, failures) = stage.carry_out(&cloud);
    assert_eq!((failures, summary.created), (Vec::new(), stage.plan.changes.len()));
    cloud.assert_no_violations();
}

/// An edge that also points the other way.
#[test]
fn a_reversed_edge_makes_a_ring_that_lint_finds() {
    let stage = Stage::new();
    let mut mutant = stage.plan.clone();
    lint::check(&mutant).expect("nothing is wrong with it");
    let (zone, cluster) = (stage.create("zone"), stage.create("cluster"));
    let ix = |at: usize| StepIx(u32::try_from(at).expect("few steps"));
    assert!(mutant.steps[cluster].after.contains(&ix(zone)), "the cluster waits for its zone");
    mutant.steps[zone].after.push(ix(cluster));
    let ring = lint::check(&mutant).expect_err("two steps that wait for each other");
    assert!(format!("{ring:?}").contains("ring_of_steps"), "{ring:?}");
}

/// An edge turned around, so that the attachment goes before its cluster: there is nothing to
/// attach to yet.
#[test]
fn a_reversed_edge_is_refused_by_the_server() {
    let (mut stage, cloud) = (Stage::new(), Cloud::start());
    let (zone, cluster) = (stage.create("zone"), stage.create("cluster"));
    let ix = |at: usize| StepIx(u32::try_from(at).expect("few steps"));
    stage.plan.steps[cluster].after.clear();
    stage.plan.steps[zone].after.push(ix(cluster));
    lint::check(&stage.plan).expect("it is no ring");
    let (_, failures) = stage.carry_out(&cloud);
    assert_eq!(failures.len(), 1, "{failures:?}");
    assert!(cloud.rows("/clusters").is_empty());
}

/// A wire name that the API does not have: the emulator notes it, and the value does not read
/// back. Then one that is left out altogether.
#[test]
fn a_wrong_wire_name_and_a_dropped_one_are_noticed() {
    for renamed in [Some("descripton"), None] {
        let (mut stage, cloud) = (Stage::new(), Cloud::start());
        let zone = stage.create("zone");
        let request = stage.plan.steps[zone].request.as_mut().expect("a create is sent");
        rename(&mut request.body, "description", renamed);
        let (_, failures) = stage.carry_out(&cloud);
        assert!(failures.iter().any(|f| f.contains("`description`")), "{failures:?}");
        let violations = cloud.control(Method::GET, "violations", None).to_string();
        assert_eq!(violations.contains("descripton"), renamed.is_some(), "{violations}");
    }
}

/// Renames a member of the parameters, or removes it.
fn rename(body: &mut Option<Json>, from: &str, to: Option<&str>) {
    let Some(Json::Map(body)) = body else { panic!("a body") };
    let Some((_, Json::Map(params))) = body.iter_mut().find(|(name, _)| name == "params") else {
        panic!("parameters")
    };
    let at = params.iter().position(|(name, _)| name == from).expect("the member");
    match to {
        Some(to) => params[at].0 = to.to_owned(),
        None => drop(params.remove(at)),
    }
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
