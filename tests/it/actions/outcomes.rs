//! How a call ends: done, after a wait, with its answer lost, not known; and what is shown of it.

use std::time::Duration;

use insta::assert_snapshot;
use rackform::emulator::Options;
use serde_json::json;

use super::{H1, LOCAL, cloud, host, options, outcome, sent, signal, stranger, until_asked};
use crate::common::cloud::Cloud;
use crate::common::seen::filters;

#[test]
fn a_lost_answer_is_looked_up_and_the_call_not_repeated() {
    let cloud = cloud();
    let rackform = stranger(&cloud);
    for rule in
        ["api=ReconnectHost,drop", "api=ReconnectHost,truncate", "path=/api-jobs/*,status=502"]
    {
        cloud.reset();
        cloud.faults(&[rule]);
        rackform.run(&["action", "reconnect", &host(H1)]).expect(0).says(&["reconnect done"]);
        assert_eq!(sent(&cloud).len(), 1, "{rule}");
    }
    // One that never arrived is sent again, under the same job id.
    cloud.reset();
    cloud.faults(&["api=ReconnectHost,drop-before"]);
    rackform.run(&["action", "reconnect", &host(H1)]).expect(0);
    let jobs: Vec<_> = cloud.mutations().into_iter().map(|m| m.job).collect();
    assert!(jobs.iter().all(|job| *job == jobs[0]), "{jobs:?}");
    cloud.assert_no_violations();
}

#[test]
fn an_outcome_that_cannot_be_known_is_said_and_nothing_repeated() {
    let _filters = filters();
    let cloud = Cloud::start_with(Options { job_latency: Duration::from_millis(300), ..options() });
    let rackform = stranger(&cloud);
    let forget = "path=/api-jobs/*,after=1,times=0,status=404,body=the job has been expired";
    cloud.faults(&[forget]);
    assert_snapshot!(rackform.run(&["action", "reconnect", &host(H1)]).seen(), @"
    exit 1
    --- stderr
    host.id:ID: running reconnect…
    outcome_unknown

      × host.id:ID: whether reconnect took effect is
      │ not known: the server no longer knows its job (it expired)
      ╰─▶ It was not sent again: twice may be worse than not at all. Its job is
          ID.
      help: look at the object before you run it again; the server's log has the
            job

    1 error
    ");
    assert_eq!(sent(&cloud).len(), 1);
    cloud.faults(&[forget]);
    let lines = rackform.run(&["action", "reconnect", &host(H1), "--json"]).expect(1).json_lines();
    assert_eq!(lines.len(), 1, "{lines:?}");
    assert_eq!(lines[0]["outcome"], "unknown");
    assert_eq!(lines[0]["job"].as_str().map(str::len), Some(32));
    assert_eq!(lines[0]["error"]["code"], "outcome_unknown");
}

#[test]
fn a_failure_has_the_servers_words() {
    let _filters = filters();
    let cloud = cloud();
    let rackform = stranger(&cloud);
    let fail = ["api=ReconnectHost,times=0,job-error=HOST.1002:no route to 10.0.0.1"];
    cloud.faults(&fail);
    assert_snapshot!(rackform.run(&["action", "reconnect", &host(H1)]).seen(), @"
    exit 1
    --- stderr
    host.id:ID: running reconnect…
    action_failed

      × host.id:ID: reconnect failed: no route to
      │ 10.0.0.1 [HOST.1002]
      ╰─▶ request: PUT /hosts/ID/actions
          job: ID

    1 error
    ");
    let lines = rackform.run(&["action", "reconnect", &host(H1), "--json"]).expect(1).json_lines();
    assert_eq!(lines[0]["outcome"], "failed");
    assert_eq!((&lines[0]["address"], &lines[0]["id"]), (&host(H1).into(), &H1.into()));
}

#[test]
fn an_action_waits_for_what_it_promises() {
    let cloud = cloud();
    let rackform = stranger(&cloud);
    let status = |status: &str| {
        let row = json!({ "status": status });
        cloud.drift(json!({ "family": "host", "op": "patch", "uuid": H1, "row": row }));
    };
    status("Connecting");
    cloud.faults(&["api=ReconnectHost,ignore-update"]);
    let running = rackform.spawn(&["action", "reconnect", &host(H1)]);
    until_asked(&cloud, "ReconnectHost", 1);
    until_asked(&cloud, "QueryHost", 3);
    status("Connected");
    let said = ["waiting for status Connected, now \"Connecting\"", "reconnect done"];
    outcome(running).expect(0).says(&said);
}

#[test]
fn a_reply_is_shown_without_secrets() {
    let _filters = filters();
    let cloud = cloud();
    let rackform = stranger(&cloud);
    let storage = format!("local_primary_storage.id:{LOCAL}");
    let reply = r#"{"inventory":{"name":"c","totalCapacity":12,"sshPassword":"hunter2","mons":[{"sshPassword":"hunter2","hostname":"10.0.1.3"}],"monUrls":["root:hunter2@10.0.1.3"]}}"#;
    let fault = format!("api=SyncPrimaryStorageCapacity,times=0,status=200,body={reply}");
    cloud.faults(&[&fault]);
    assert_snapshot!(rackform.run(&["action", "sync-capacity", &storage]).seen(), @r#"
    exit 0
    --- stdout
    name          = "c"
    totalCapacity = 12
    mons          = [{"hostname":"10.0.1.3"}]
    monUrls       = ["root:(sensitive)@10.0.1.3"]
    --- stderr
    local_primary_storage.id:ID: running sync-capacity…
    local_primary_storage.id:ID: sync-capacity done in TIME
    "#);
    let json = rackform.run(&["action", "sync-capacity", &storage, "--json"]).expect(0);
    assert_eq!(json.json_lines()[0]["reply"]["totalCapacity"], 12);
    assert!(!json.stdout.contains("hunter2") && json.stderr.is_empty(), "{}", json.seen());
    let traced = rackform.run(&["-vv", "action", "sync-capacity", &storage]).expect(0);
    assert!(!traced.stderr.contains("hunter2"));
}

#[test]
fn ctrl_c_stops_watching_and_not_the_server() {
    let _filters = filters();
    let cloud = Cloud::start_with(Options { job_latency: Duration::from_secs(2), ..options() });
    let rackform = stranger(&cloud);
    let running = rackform.spawn(&["action", "reconnect", &host(H1)]);
    until_asked(&cloud, "ReconnectHost", 1);
    signal(&running, "INT");
    assert_snapshot!(outcome(running).seen(), @"
    exit 130
    --- stderr
    host.id:ID: running reconnect…

    Interrupted. host.id:ID: the server goes on with reconnect (job ID).
    Look at the object before you run it again.
    ");
    super::until("the job's end", || cloud.jobs_are_done());
    assert_eq!(sent(&cloud).len(), 1);
}

#[test]
fn an_action_does_not_cross_an_apply() {
    let cloud = Cloud::start_with(Options { job_latency: Duration::from_secs(1), ..options() });
    let rackform = stranger(&cloud);
    rackform.write("more.rack.toml", "[zone.west]\n");
    let applying = rackform.spawn(&["apply", "--auto-approve"]);
    until_asked(&cloud, "CreateZone", 1);
    let reconnect = ["action", "reconnect", &host(H1)];
    rackform.run(&reconnect).expect(1).says(&["apply"]);
    rackform.run(&[&reconnect[..], &["--lock-timeout", "1m"]].concat()).expect(0);
    outcome(applying).expect(0);
    let order: Vec<_> =
        sent(&cloud).iter().map(|s| s.split(' ').take(2).collect::<Vec<_>>().join(" ")).collect();
    assert_eq!(order, ["POST /zones".to_owned(), format!("PUT /hosts/{H1}/actions")]);
}
