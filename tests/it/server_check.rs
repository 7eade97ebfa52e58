//! `plan --server-check`: what the server itself would refuse, without anything being carried out.
//! The emulator's log says what was sent, plain queries say that nothing has changed.

use insta::assert_snapshot;
use rackform::emulator::{Options, ServerVersion};
use serde_json::{Value, json};

use crate::common::cloud::{Cloud, Mutation};
use crate::common::process::{Outcome, Rackform};
use crate::common::seen::filters;

const BASE: &str = r#"
[zone.east]

[cluster.a]
zone            = "zone.east"
hypervisor_type = "KVM"
"#;

const NFS: &str = r#"
[nfs_primary_storage.n]
zone     = "zone.east"
url      = "10.0.9.5:/export/a"
clusters = ["cluster.a"]
"#;

fn host(label: &str, cluster: &str, ip: &str) -> String {
    format!(
        "\n[host.{label}]\ncluster       = \"{cluster}\"\nmanagement_ip = \"{ip}\"\n\
         username      = \"root\"\npassword      = '${{env(\"SSH\")}}'\n"
    )
}

fn directory(cloud: &Cloud, config: &str) -> Rackform {
    Rackform::with(&format!("{}{config}", cloud.provider())).env("SSH", "h0st-secret")
}

/// A cloud in which this configuration is applied, with nothing in its log.
fn applied(cloud: &Cloud, config: &str) -> Rackform {
    let rackform = directory(cloud, config);
    rackform.run(&["apply", "--auto-approve"]).expect(0);
    cloud.reset();
    rackform
}

fn configure(rackform: &Rackform, cloud: &Cloud, config: &str) {
    rackform.write("main.rack.toml", &format!("{}{config}", cloud.provider()));
}

fn check(rackform: &Rackform) -> Outcome {
    rackform.run(&["plan", "--server-check"])
}

/// Everything that a plain query sees.
fn all(cloud: &Cloud) -> Vec<Value> {
    ["/zones", "/clusters", "/hosts", "/primary-storage"].map(|path| json!(cloud.rows(path))).into()
}

/// What was sent, all of it as dry runs.
#[track_caller]
fn dry_runs(cloud: &Cloud) -> Vec<Mutation> {
    let sent = cloud.mutations();
    for call in &sent {
        let tags = call.body["systemTags"].as_array().expect("tags");
        assert!(tags.contains(&json!("validationOnly")), "{call:?}");
        assert!(matches!(call.method.as_str(), "PUT" | "POST"), "{call:?}");
    }
    sent
}

/// A running VM with its root volume on the only primary storage.
fn occupy(cloud: &Cloud) {
    let (storage, zone) = (cloud.one("/primary-storage"), cloud.one("/zones"));
    let (vm, volume) = ("1".repeat(32), "2".repeat(32));
    let row = json!({ "uuid": vm, "name": "vm", "zoneUuid": zone["uuid"], "state": "Running",
        "type": "UserVm", "hypervisorType": "KVM", "rootVolumeUuid": volume });
    cloud.drift(json!({ "family": "vm", "op": "put", "uuid": vm, "row": row }));
    let row = json!({ "uuid": volume, "name": "root", "vmInstanceUuid": vm, "type": "Root",
        "primaryStorageUuid": storage["uuid"] });
    cloud.drift(json!({ "family": "volume", "op": "put", "uuid": volume, "row": row }));
}

#[test]
fn what_the_server_would_refuse_is_an_error_with_its_place() {
    let _filters = filters();
    let mut seen_by_versions = Vec::new();
    for version in [ServerVersion::V3_0, ServerVersion::V5_2] {
        let cloud = Cloud::start_with(Options { version, ..Options::default() });
        let rackform = applied(&cloud, &format!("{BASE}{NFS}"));
        occupy(&cloud);
        let moved = NFS.replace("/export/a", "/export/b");
        let zone = "[zone.west]\ndescription = \"new\"\n";
        configure(&rackform, &cloud, &format!("{BASE}{moved}{zone}"));
        let before = all(&cloud);
        let seen = check(&rackform).expect(1);
        let last = seen.stdout.lines().last();
        let sentence = "Server check: 1 step accepted, 1 refused (";
        assert!(last.is_some_and(|last| last.starts_with(sentence)), "{}", seen.seen());
        seen_by_versions.push(seen.stderr);
        assert_eq!(all(&cloud), before);
        assert_eq!(dry_runs(&cloud).len(), 3, "the proof and two steps");
        // Without the check the plan knows nothing of it.
        rackform.run(&["plan"]).expect(0);
        cloud.assert_no_violations();
    }
    assert_eq!(seen_by_versions[0], seen_by_versions[1]);
    assert_snapshot!(seen_by_versions[0], @r#"
    server_refuses in nfs_primary_storage.n

      × the server would refuse this update (updatePrimaryStorage): there are 1
      │ running VMs on the NFS primary storage, please stop them and try again
      │ (SYS.1006)
        ╭─[main.rack.toml:14:12]
     13 │ zone     = "zone.east"
     14 │ url      = "10.0.9.5:/export/b"
        ·            ──────────┬─────────
        ·                      ╰── declared here
     15 │ clusters = ["cluster.a"]
        ╰────

    1 error
    "#);
}

#[test]
fn what_cannot_be_checked_is_listed() {
    let _filters = filters();
    let cloud = Cloud::start();
    let rackform = applied(&cloud, &format!("{BASE}{}", host("old", "cluster.a", "10.0.0.1")));
    let config = format!(
        "{BASE}state = \"Disabled\"\n{}{}\n[cluster.b]\nzone = \"zone.east\"\nhypervisor_type = \"KVM\"\n{}",
        host("new", "cluster.a", "10.0.0.2"),
        host("later", "cluster.b", "10.0.0.3"),
        NFS.replace("cluster.a", "cluster.b"),
    );
    configure(&rackform, &cloud, &config);
    let before = all(&cloud);
    let seen = check(&rackform).expect(0);
    let (_, report) = seen.stdout.split_once("\nServer check").expect("a report");
    assert_snapshot!(report, @r#"
    : 4 steps accepted, 3 not checked (N requests).
      not checked: host.later, create: cluster.b is not created yet
      not checked: host.old, delete: a delete would be carried out
      not checked: nfs_primary_storage.n.clusters["cluster.b"], attach: a call without a body would be carried out
    "#);
    assert_eq!(seen.stderr, "");
    assert_eq!(all(&cloud), before);
    let sent: Vec<String> = dry_runs(&cloud).iter().map(|m| m.body.to_string()).collect();
    assert!(sent.iter().any(|body| body.contains("10.0.0.2")), "{sent:#?}");
    assert!(!sent.iter().any(|body| body.contains("10.0.0.3")), "{sent:#?}");
    cloud.assert_no_violations();
}

#[test]
fn a_step_that_another_one_makes_room_for_is_no_finding() {
    let cloud = Cloud::start();
    let hosts = |a: &str, b: &str| {
        format!("{BASE}{}{}", host("a", "cluster.a", a), host("b", "cluster.a", b))
    };
    let rackform = applied(&cloud, &hosts("10.0.0.1", "10.0.0.2"));
    configure(&rackform, &cloud, &hosts("10.0.0.3", "10.0.0.1"));
    let said = [
        "Server check: 3 steps accepted, 1 not checked",
        "not checked: host.b, update (updateKVMHost): refused as things are now, but steps before \
         it may change that",
    ];
    check(&rackform).expect(0).says(&said);
    rackform.run(&["apply", "--auto-approve"]).expect(0);
    cloud.assert_no_violations();
}

#[test]
fn without_a_zone_nothing_is_checked() {
    let _filters = filters();
    let cloud = Cloud::start();
    let rackform = directory(&cloud, BASE);
    let seen = check(&rackform).expect(0);
    let (_, report) = seen.stdout.split_once("\nServer check").expect("a report");
    assert_snapshot!(report, @"
    : none of 2 steps checked (N requests).
      Nothing is checked at provider.zstack: there is no zone to prove on that the server honours a dry run.
      not checked: cluster.a, create: zone.east is not created yet
    ");
    assert!(cloud.mutations().is_empty(), "{:#?}", cloud.mutations());
    assert!(cloud.rows("/zones").is_empty());
}

#[test]
fn a_server_that_ignores_the_tag_is_asked_nothing() {
    let _filters = filters();
    let cloud = Cloud::start();
    let rackform = applied(&cloud, BASE);
    cloud.faults(&["times=0,ignore-validation-only"]);
    let config = format!("{BASE}description = \"changed\"\n[zone.west]\n");
    configure(&rackform, &cloud, &config);
    let seen = check(&rackform).expect(0);
    let (_, report) = seen.stdout.split_once("\nServer check").expect("a report");
    assert_snapshot!(report, @"
    : none of 2 steps checked (N requests).
      Nothing is checked at provider.zstack: the server does not honour a dry run: it carried out an update of a zone with its own name, which changes nothing.
    ");
    let sent = dry_runs(&cloud);
    assert_eq!(sent.len(), 1, "the proof alone: {sent:#?}");
    assert_eq!(sent[0].body["updateZone"], json!({ "name": "east" }));
    assert_eq!(cloud.rows("/zones").len(), 1);
    assert_eq!(cloud.one("/zones")["name"], "east");
    assert_eq!(cloud.one("/clusters")["description"], Value::Null);
}

/// The proof is of one call; a server that carries out another kind is stopped at once.
#[test]
fn a_server_that_honours_some_dry_runs_carries_out_one_at_most() {
    let cloud = Cloud::start();
    let rackform = applied(&cloud, BASE);
    cloud.faults(&["method=POST,times=0,ignore-validation-only"]);
    configure(&rackform, &cloud, &format!("{BASE}[zone.n1]\n[zone.n2]\n[zone.n3]\n"));
    let seen = check(&rackform).expect(1);
    assert!(seen.stderr.contains("carried out a call"), "{}", seen.stderr);
    assert_eq!(cloud.rows("/zones").len(), 2, "one of three");
}

#[test]
fn a_server_that_does_not_answer_has_refused_nothing() {
    let cloud = Cloud::start();
    let rackform = applied(&cloud, BASE);
    configure(&rackform, &cloud, &format!("{BASE}description = \"changed\"\n"));
    cloud.faults(&["api=UpdateCluster,times=0,drop-before"]);
    let said =
        ["none of 1 step checked", "not checked: cluster.a, update (updateCluster): no answer"];
    check(&rackform).expect(0).says(&said);
    cloud.faults(&["api=UpdateZone,times=0,drop-before"]);
    check(&rackform).expect(0).says(&["Nothing is checked at provider.zstack: its proof failed"]);
}

#[test]
fn the_json_stream_has_findings_and_a_summary() {
    let cloud = Cloud::start();
    let rackform = applied(&cloud, &format!("{BASE}{NFS}"));
    occupy(&cloud);
    let moved = NFS.replace("/export/a", "/export/b");
    configure(&rackform, &cloud, &format!("{BASE}{moved}{}", host("h", "cluster.a", "10.0.0.1")));
    let lines = rackform.run(&["plan", "--server-check", "--json"]).expect(1).json_lines();
    let of = |kind: &str| lines.iter().find(|l| l["type"] == kind).unwrap_or(&Value::Null);
    let check = &of("server_check")["server_check"];
    assert_eq!((&check["accepted"], &check["refused"]), (&json!(1), &json!(1)), "{check}");
    assert!(check["requests"].as_u64() >= Some(4), "{check}");
    let finding = &of("diagnostic")["diagnostic"];
    assert_eq!(finding["severity"], "error");
    assert_eq!(finding["address"], "nfs_primary_storage.n");
    assert_eq!(finding["range"]["filename"], "main.rack.toml");
    let summary = finding["summary"].as_str().unwrap_or_default();
    assert!(summary.contains("1 running VMs") && summary.contains("SYS.1006"), "{summary}");
    assert!(lines.iter().any(|l| l["type"] == "change_summary"));
}

#[test]
fn a_secret_that_the_server_quotes_is_masked() {
    let cloud = Cloud::start();
    let rackform = applied(&cloud, &format!("{BASE}{}", host("h", "cluster.a", "10.0.0.1")));
    let rackform = rackform.env("SSH", "n3w-secret");
    let envelope = json!({ "error": { "code": "SYS.1007", "description": "invalid",
        "details": "no login as root with n3w-secret" } });
    cloud.faults(&[&format!("path=/hosts/kvm/*,times=0,status=503,body={envelope}")]);
    let seen = check(&rackform).expect(1);
    assert!(!seen.flat().contains("n3w-secret"), "{}", seen.seen());
    seen.says(&["no login as root with (sensitive)", "SYS.1007", "main.rack.toml"]);
}

#[test]
fn deletes_are_never_sent() {
    let cloud = Cloud::start();
    let rackform = applied(&cloud, &format!("{BASE}{NFS}"));
    let seen = rackform.run(&["plan", "--destroy", "--server-check"]).expect(0);
    seen.says(&["none of 4 steps checked (0 requests)", "a delete would be carried out"]);
    assert!(cloud.mutations().is_empty());
    // The state alone does not say what is there.
    rackform.run(&["plan", "--server-check", "--refresh=false"]).expect(1).says(&["leave out"]);
    // Nothing to do, nothing to ask.
    check(&rackform).expect(0).says(&["there is no step to check (0 requests)"]);
}
