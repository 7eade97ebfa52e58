//! Servers that are not there, are not what they should be, or do not say what they mean.

use insta::assert_snapshot;
use reqwest::Method;

use super::{CLUSTER, apply, directory, ends_well, host, outcome, until_asked};
use crate::common::cloud::Cloud;
use crate::common::process::Rackform;
use crate::common::seen::filters;

fn at(endpoint: &str) -> Rackform {
    Rackform::with(&format!(
        "[provider.zstack]\nendpoint = \"{endpoint}\"\naccount = \"admin\"\n\
         password = '${{env(\"ZSTACK_PASSWORD\")}}'\n\n[zone.east]\n"
    ))
}

#[test]
fn nobody_listens() {
    let _filters = filters();
    // A port that was free a moment ago.
    let port = std::net::TcpListener::bind("127.0.0.1:0").and_then(|l| l.local_addr());
    let rackform = at(&format!("http://{}", port.expect("a port")));
    assert_snapshot!(rackform.run(&["plan"]).seen(), @r#"
    exit 1
    --- stderr
    provider

      × provider.zstack: http://127.0.0.1:PORT refuses connections
       ╭─[main.rack.toml:1:1]
     1 │ [provider.zstack]
       · ────────┬────────
       ·         ╰── this provider
     2 │ endpoint = "http://127.0.0.1:PORT"
       ╰────
      help: check host and port of `endpoint`, and that the server is running

    1 error
    "#);
    apply(&rackform).expect(1);
    assert!(!rackform.path("rackform.state.json").exists(), "nothing was written down");
}

#[test]
fn the_name_is_unknown() {
    assert_snapshot!(at("https://cloud.invalid:8080").run(&["plan"]).seen(), @r#"
    exit 1
    --- stderr
    provider

      × provider.zstack: the host name of https://cloud.invalid:8080 cannot be
      │ resolved
       ╭─[main.rack.toml:1:1]
     1 │ [provider.zstack]
       · ────────┬────────
       ·         ╰── this provider
     2 │ endpoint = "https://cloud.invalid:8080"
       ╰────
      help: check the host name in `endpoint` and the resolver of this machine

    1 error
    "#);
}

#[test]
fn tls_to_a_server_without() {
    let _filters = filters();
    let cloud = Cloud::start();
    let rackform = at(&cloud.url().replace("http:", "https:"));
    assert_snapshot!(rackform.run(&["plan"]).seen(), @r#"
    exit 1
    --- stderr
    provider

      × provider.zstack: https://127.0.0.1:PORT does not speak TLS: received
      │ corrupt message of type InvalidContentType
       ╭─[main.rack.toml:1:1]
     1 │ [provider.zstack]
       · ────────┬────────
       ·         ╰── this provider
     2 │ endpoint = "https://127.0.0.1:PORT"
       ╰────
      help: write http:// instead of https:// in `endpoint`, or check the port

    1 error
    "#);
}

#[test]
fn the_wrong_password() {
    let _filters = filters();
    let cloud = Cloud::start();
    let rackform = directory(&cloud, CLUSTER).env("ZSTACK_PASSWORD", "correct horse");
    let outcome = rackform.run(&["plan"]);
    assert_snapshot!(outcome.seen(), @r#"
    exit 1
    --- stderr
    provider

      × provider.zstack: the login was refused: wrong account name or password
      │ (ID.1000)
       ╭─[main.rack.toml:1:1]
     1 │ [provider.zstack]
       · ────────┬────────
       ·         ╰── this provider
     2 │ endpoint = "http://127.0.0.1:PORT"
       ╰────
      help: check `account` and `password` of this provider

    1 error
    "#);
    assert!(!outcome.seen().contains("horse"));
}

#[test]
fn a_web_page_answers() {
    let _filters = filters();
    let cloud = Cloud::start();
    cloud.faults(&["times=0,status=200,body=<html><body>Sign in</body></html>"]);
    assert_snapshot!(directory(&cloud, CLUSTER).run(&["plan"]).seen(), @r#"
    exit 1
    --- stderr
    provider

      × provider.zstack: a web page answered, not the API
       ╭─[main.rack.toml:1:1]
     1 │ [provider.zstack]
       · ────────┬────────
       ·         ╰── this provider
     2 │ endpoint = "http://127.0.0.1:PORT"
       ╰────
      help: check `endpoint`: a ZStack management node serves its API on port 8080

    1 error
    "#);
}

#[test]
fn a_web_page_answers_queries() {
    let _filters = filters();
    let cloud = Cloud::start();
    let rackform = directory(&cloud, CLUSTER);
    apply(&rackform).expect(0);
    cloud.faults(&["path=/zones*,times=0,status=200,body=<html><body>Sign in</body></html>"]);
    assert_snapshot!(rackform.run(&["plan"]).seen(), @"
    exit 1
    --- stderr
    refresh_failed

      × zone objects of provider.zstack cannot be listed: a web page answered, not
      │ the API
      help: check `endpoint`: a ZStack management node serves its API on port 8080

    1 error
    ");
    cloud.faults(&[]);
    ends_well(&rackform, &cloud, &[("/zones", 1), ("/clusters", 1)]);
}

#[test]
fn half_a_reply_is_asked_for_again() {
    let cloud = Cloud::start();
    let rackform = directory(&cloud, CLUSTER);
    apply(&rackform).expect(0);
    cloud.faults(&["path=/zones*,times=2,truncate", "api=UpdateZone,truncate"]);
    ends_well(&rackform, &cloud, &[]);
    super::configure(
        &rackform,
        &cloud,
        &CLUSTER.replace("[zone.east]", "[zone.east]\ndescription = \"hall\""),
    );
    apply(&rackform).expect(0).says(&["0 added, 1 changed, 0 destroyed"]);
    assert_eq!(cloud.one("/zones")["description"], "hall");
    ends_well(&rackform, &cloud, &[("/zones", 1), ("/clusters", 1)]);
}

#[test]
fn replies_lost_after_the_effect_make_nothing_twice() {
    let cloud = Cloud::start();
    cloud.faults(&["api=CreateZone,drop", "api=CreateCluster,drop", "api=AddKVMHost,drop,times=2"]);
    let config = format!("{CLUSTER}{}{}", host("h1", "10.0.0.1"), host("h2", "10.0.0.2"));
    let rackform = directory(&cloud, &config);
    apply(&rackform).expect(0).says(&["4 added"]);
    ends_well(&rackform, &cloud, &[("/zones", 1), ("/clusters", 1), ("/hosts", 2)]);
}

#[test]
fn calls_lost_before_the_effect_are_sent_again() {
    let cloud = Cloud::start();
    cloud.faults(&["api=CreateZone,drop-before", "api=AddKVMHost,drop-before"]);
    let rackform = directory(&cloud, &format!("{CLUSTER}{}", host("h1", "10.0.0.1")));
    apply(&rackform).expect(0).says(&["3 added"]);
    ends_well(&rackform, &cloud, &[("/zones", 1), ("/clusters", 1), ("/hosts", 1)]);
}

#[test]
fn calls_that_arrive_twice_make_nothing_twice() {
    let cloud = Cloud::start();
    cloud.faults(&["method=POST,times=0,duplicate"]);
    let rackform = directory(&cloud, &format!("{CLUSTER}{}", host("h1", "10.0.0.1")));
    apply(&rackform).expect(0).says(&["3 added"]);
    ends_well(&rackform, &cloud, &[("/zones", 1), ("/clusters", 1), ("/hosts", 1)]);
}

#[test]
fn a_session_that_ends_amid_an_apply_is_renewed_without_a_word() {
    let cloud = Cloud::start();
    cloud.faults(&[
        "api=CreateCluster,expire-session",
        "api=QueryHost,expire-session",
        "api=AddKVMHost,expire-session",
    ]);
    let rackform = directory(&cloud, &format!("{CLUSTER}{}", host("h1", "10.0.0.1")));
    let outcome = apply(&rackform).expect(0);
    assert!(!outcome.flat().contains("session"), "{}", outcome.seen());
    cloud.control(Method::POST, "sessions/expire", None);
    ends_well(&rackform, &cloud, &[("/zones", 1), ("/clusters", 1), ("/hosts", 1)]);
}

#[test]
fn a_storm_of_503_on_reads_is_weathered() {
    let cloud = Cloud::start();
    let rackform = directory(&cloud, &format!("{CLUSTER}{}", host("h1", "10.0.0.1")));
    cloud.faults(&["api=Query*,times=3,status=503,body=<html>busy</html>"]);
    apply(&rackform).expect(0).says(&["3 added"]);
    cloud.faults(&["method=GET,times=0,probability=0.3,status=503,body=busy"]);
    ends_well(&rackform, &cloud, &[]);
    cloud.faults(&[]);
    ends_well(&rackform, &cloud, &[("/zones", 1), ("/clusters", 1), ("/hosts", 1)]);
}

#[test]
fn a_failed_query_is_never_gone() {
    let _filters = filters();
    let cloud = Cloud::start();
    let rackform = directory(&cloud, CLUSTER);
    apply(&rackform).expect(0);
    cloud.faults(&["api=QueryZone,times=0,status=400,body={\"error\":{\"code\":\"SYS.1000\",\"description\":\"An internal error\",\"details\":\"the database is on fire\"}}"]);
    assert_snapshot!(rackform.run(&["plan"]).seen(), @"
    exit 1
    --- stderr
    refresh_failed

      × zone objects of provider.zstack cannot be listed: the database is on fire
      │ (SYS.1000)
      help: nothing was changed; run it again, or plan against the state:
            --refresh=false

    1 error
    ");
    apply(&rackform).expect(1);
    cloud.faults(&[]);
    ends_well(&rackform, &cloud, &[("/zones", 1), ("/clusters", 1)]);
}

#[test]
fn a_server_that_restarts_amid_an_apply() {
    let cloud = Cloud::start();
    // The host's job is lost in the restart: accepted, never done, in processing for ever.
    cloud.faults(&["api=AddKVMHost,job-hang"]);
    let host = host("h1", "10.0.0.1") + "timeouts = { create = \"3s\" }\n";
    let rackform = directory(&cloud, &format!("{CLUSTER}{host}"));
    let running = rackform.spawn(&["apply", "--auto-approve"]);
    until_asked(&cloud, "AddKVMHost", 1);
    cloud.control(Method::POST, "restart", None);
    let outcome = outcome(running).expect(1).says(&["host.h1", "unknown"]);
    assert!(outcome.stdout.contains("run `rackform apply` again"), "{}", outcome.seen());
    apply(&rackform).expect(0);
    ends_well(&rackform, &cloud, &[("/zones", 1), ("/clusters", 1), ("/hosts", 1)]);
}
