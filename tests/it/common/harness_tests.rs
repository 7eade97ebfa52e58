//! The harness keeps what it promises: all its ways of running work, and its judgements can fail.

use reqwest::Method;
use serde_json::json;

use super::cloud::Cloud;
use super::process::Rackform;

const ZONE: &str = "[zone.east]\ndescription = \"first hall\"\n";

#[test]
fn the_binary_runs_against_an_emulator_in_this_process_and_what_it_did_is_seen() {
    let cloud = Cloud::start();
    let rackform = Rackform::with(&format!("{}{ZONE}", cloud.provider()));
    rackform.run(&["plan", "--detailed-exitcode"]).expect(2);
    rackform.run(&["apply", "--auto-approve"]).expect(0);
    let sent = cloud.mutations();
    assert_eq!(sent.len(), 1, "{sent:?}");
    let zone = &sent[0];
    assert_eq!(
        (zone.method.as_str(), zone.path.as_str(), zone.query.as_str()),
        ("POST", "/zones", "")
    );
    assert_eq!(zone.body["params"]["name"], "east", "{zone:?}");
    assert!(zone.job.is_some(), "{zone:?}");
    assert_eq!(cloud.counts()["CreateZone"], json!(1), "{}", cloud.counts());
    assert_eq!(cloud.one("/zones")["description"], "first hall");
    let uuid = cloud.one("/zones")["uuid"].clone();
    let row = json!({ "description": "by hand" });
    cloud.drift(json!({ "family": "zone", "op": "patch", "uuid": uuid, "row": row }));
    rackform.run(&["plan", "--detailed-exitcode"]).expect(2);
    cloud.assert_no_violations();
    cloud.reset();
    assert!(cloud.mutations().is_empty());
    assert!(rackform.read("rackform.state.json").contains("first hall"));
}

#[test]
fn a_child_emulator_keeps_its_data_over_a_kill() {
    let rackform = Rackform::new();
    let data = rackform.path("cloud.log");
    let data = data.to_str().expect("a path in UTF-8");
    let mut cloud = Cloud::child(&["--data", data]);
    let zone = json!({ "params": { "name": "by hand" } });
    cloud.api(Method::POST, "/zones", Some(zone));
    while cloud.rows("/zones").is_empty() {}
    cloud.kill();
    let old = cloud.url().to_owned();
    let cloud = Cloud::child(&["--data", data]);
    let new = cloud.url();
    assert!(new.starts_with("http://127.0.0.1:") && old.starts_with("http://127.0.0.1:"));
    assert_eq!(cloud.one("/zones")["name"], "by hand");
}

#[test]
#[should_panic(expected = "violations of the API")]
fn a_violation_is_noticed() {
    let cloud = Cloud::start();
    let wrong = json!({ "params": { "name": "n", "nmae": "typo" } });
    cloud.api(Method::POST, "/zones", Some(wrong));
    cloud.assert_no_violations();
}

#[test]
fn a_spawned_run_can_be_waited_for() {
    let cloud = Cloud::start();
    cloud.faults(&["api=CreateZone,latency=1ms"]);
    let rackform = Rackform::with(&format!("{}{ZONE}", cloud.provider())).env("LANG", "C");
    let output = rackform.spawn(&["apply", "--auto-approve"]).wait_with_output();
    assert!(output.expect("it ends").status.success());
}
