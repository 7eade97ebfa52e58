//! Long jobs: followed to their end, left running by Ctrl-C, looked at again.

use std::time::Duration;

use insta::assert_snapshot;
use rackform::emulator::Options;
use serde_json::json;

use super::{CLUSTER, cloud, options, outcome, signal, stranger, until};
use crate::common::cloud::Cloud;
use crate::common::seen::filters;

const FLAGS: [&str; 2] = ["--allow-destroy", "cluster.*=9"];

fn upgrade(cluster: &str) -> Vec<&str> {
    [&["action", "upgrade-os", cluster][..], &FLAGS].concat()
}

fn cluster() -> String {
    format!("cluster.id:{CLUSTER}")
}

/// A cloud whose long jobs end only when a test says so.
fn endless() -> Cloud {
    Cloud::start_with(Options { job_latency: Duration::from_secs(3600), ..options() })
}

fn end(cloud: &Cloud, state: &str, result: &str) {
    let uuid = cloud.one("/longjobs")["uuid"].clone();
    let row = json!({ "state": state, "jobResult": result });
    cloud.drift(json!({ "family": "longJob", "op": "patch", "uuid": uuid, "row": row }));
}

fn runs(cloud: &Cloud) {
    until("a long job", || !cloud.rows("/longjobs?q=state=Running").is_empty());
}

#[test]
fn a_long_job_is_followed_to_its_end() {
    let _filters = filters();
    let cloud = endless();
    let rackform = stranger(&cloud);
    let name = cluster();
    let running = rackform.spawn(&upgrade(&name));
    runs(&cloud);
    until("progress", || cloud.counts()["GetTaskProgress"].as_u64().unwrap_or(0) > 0);
    end(&cloud, "Succeeded", "Succeeded");
    assert_snapshot!(outcome(running).seen(), @r#"
    exit 0
    --- stdout
    uuid  = "ID"
    state = "Succeeded"
    --- stderr
    cluster.id:ID: running upgrade-os…
    cluster.id:ID: upgrade-os runs on the server, 0 % (long job ID)
    cluster.id:ID: upgrade-os done in TIME
    "#);
    cloud.assert_no_violations();
}

#[test]
fn a_long_job_that_fails_fails_the_command() {
    let _filters = filters();
    let cloud = endless();
    let rackform = stranger(&cloud);
    let name = cluster();
    let running = rackform.spawn(&upgrade(&name));
    runs(&cloud);
    end(&cloud, "Failed", r#"{"code":"SYS.1006","details":"yum: no space left on 10.0.0.1"}"#);
    let failed = outcome(running).expect(1);
    failed.clone().says(&["upgrade-os failed: yum: no space left on 10.0.0.1 [SYS.1006]", "job: "]);
    cloud.drift(
        json!({ "family": "longJob", "op": "delete", "uuid": cloud.one("/longjobs")["uuid"] }),
    );
    let args = [upgrade(&name), vec!["--json"]].concat();
    let running = rackform.spawn(&args);
    runs(&cloud);
    end(&cloud, "Canceled", "");
    let lines = outcome(running).expect(1).json_lines();
    assert_eq!(lines.len(), 1, "{lines:?}");
    assert_eq!((&lines[0]["outcome"], &lines[0]["reply"]), (&"failed".into(), &json!(null)));
    assert!(lines[0]["error"]["summary"].as_str().expect("a text").contains("cancelled"));
    assert!(lines[0]["job"].is_string());
}

#[test]
fn ctrl_c_leaves_it_running_and_says_how_to_look_again() {
    let _filters = filters();
    let cloud = endless();
    let rackform = stranger(&cloud);
    let name = cluster();
    let running = rackform.spawn(&upgrade(&name));
    until("progress", || cloud.counts()["GetTaskProgress"].as_u64().unwrap_or(0) > 0);
    // The answer to that query is on its way: the line about it comes before the signal counts.
    std::thread::sleep(Duration::from_millis(200));
    signal(&running, "INT");
    assert_snapshot!(outcome(running).seen(), @"
    exit 130
    --- stderr
    cluster.id:ID: running upgrade-os…
    cluster.id:ID: upgrade-os runs on the server, 0 % (long job ID)

    Interrupted. cluster.id:ID: the server goes on with upgrade-os (job ID).
    To look again: rackform action upgrade-os 'cluster.id:ID' --follow ID
    ");
    let job = cloud.one("/longjobs");
    assert_eq!(job["state"], "Running");
    let job = job["uuid"].as_str().expect("an id");
    cloud.reset();
    let follow = ["action", "upgrade-os", &name, "--follow", job];
    let watching = rackform.spawn(&follow);
    until("progress", || cloud.counts()["GetTaskProgress"].as_u64().unwrap_or(0) > 0);
    end(&cloud, "Succeeded", "Succeeded");
    outcome(watching).expect(0).says(&["upgrade-os done"]);
    assert!(cloud.mutations().is_empty(), "following sends nothing");
    rackform.run(&follow).expect(0);
    let unknown = ["action", "upgrade-os", &name, "--follow", &"e".repeat(32)];
    rackform.run(&unknown).expect(1).says(&["the server knows no such long job"]);
    let none = ["action", "reconnect", &super::host(super::H1), "--follow", job];
    rackform.run(&none).expect(1).says(&["starts no long job"]);
}

#[test]
fn a_server_that_restarts_meanwhile_changes_nothing() {
    let cloud = Cloud::start_with(Options { job_latency: Duration::from_millis(700), ..options() });
    let rackform = stranger(&cloud);
    let name = cluster();
    cloud.faults(&["api=QueryLongJob,times=2,drop", "api=GetTaskProgress,times=0,status=500"]);
    let done = rackform.run(&upgrade(&name)).expect(0);
    done.says(&["upgrade-os runs on the server (long job", "upgrade-os done"]);
}

#[test]
fn a_quick_one_needs_no_progress() {
    let cloud = cloud();
    stranger(&cloud).run(&upgrade(&cluster())).expect(0).says(&["upgrade-os done"]);
}
