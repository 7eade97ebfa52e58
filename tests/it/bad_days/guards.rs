//! What a plan may not do unless somebody says so: exit 3, and the flag that allows it.

use insta::assert_snapshot;
use rackform::emulator::Options;
use serde_json::json;

use super::{CLUSTER, apply, configure, directory, ends_well, host};
use crate::common::cloud::Cloud;
use crate::common::process::Rackform;
use crate::common::seen::filters;

fn zones(count: usize) -> String {
    (0..count).map(|n| format!("[zone.z{n:02}]\n")).collect()
}

#[test]
fn a_budget_of_deletes() {
    let _filters = filters();
    let cloud = Cloud::start();
    let rackform = directory(&cloud, &zones(12));
    apply(&rackform).expect(0);
    configure(&rackform, &cloud, &zones(8));
    let refused = apply(&rackform).expect(3);
    assert_snapshot!(refused.stderr, @"
    refused

      × the plan deletes 4 of 12 objects of type zone; at most 30 % are allowed
      help: if that is what you want: --allow-delete zone=4

    1 error
    ");
    assert_eq!(cloud.rows("/zones").len(), 12);
    let allow = |count: &str| rackform.run(&["apply", "--auto-approve", "--allow-delete", count]);
    allow("zone=3").expect(3);
    allow("zone=4").expect(0).says(&["4 destroyed"]);
    ends_well(&rackform, &cloud, &[("/zones", 8)]);
    // Below ten objects there is no budget, and `destroy` means it.
    configure(&rackform, &cloud, &zones(1));
    apply(&rackform).expect(0).says(&["7 destroyed"]);
    rackform.run(&["destroy", "--auto-approve"]).expect(0);
    ends_nothing(&cloud);
}

fn ends_nothing(cloud: &Cloud) {
    assert!(cloud.rows("/zones").is_empty());
    cloud.assert_no_violations();
}

/// VMs and a host that are not ours, in a zone and on a host that are.
fn with_guests() -> (Cloud, Rackform) {
    let cloud = Cloud::start();
    let rackform = directory(&cloud, &format!("{CLUSTER}{}", host("h1", "10.0.0.1")));
    apply(&rackform).expect(0);
    let uuid = |path: &str| cloud.one(path)["uuid"].as_str().expect("an id").to_owned();
    let (zone, cluster, host) = (uuid("/zones"), uuid("/clusters"), uuid("/hosts"));
    for n in 0..3 {
        let row = json!({ "uuid": format!("{n:032}"), "name": format!("vm-{n}"), "zoneUuid": zone,
            "clusterUuid": cluster, "hostUuid": host, "state": "Running", "type": "UserVm",
            "hypervisorType": "KVM" });
        let uuid = &row["uuid"];
        cloud.drift(json!({ "family": "vm", "op": "put", "uuid": uuid, "row": row }));
    }
    (cloud, rackform)
}

#[test]
fn foreign_vms_on_a_cluster_that_goes() {
    let _filters = filters();
    let (cloud, rackform) = with_guests();
    configure(&rackform, &cloud, "[zone.east]\n");
    rackform.run(&["plan", "--detailed-exitcode"]).expect(2).says(&["VMs"]);
    let refused = apply(&rackform).expect(3);
    assert_snapshot!(refused.stderr, @"
    refused

      × host.h1 takes with it what is not in the plan: VMs stopped: 3
      help: if that is what you want: --allow-destroy 'host.h1=3'

    1 error
    ");
    cloud.reset();
    let allow = |flags: &[&str]| rackform.run(&[&["apply", "--auto-approve"], flags].concat());
    allow(&["--allow-destroy", "host.h1=2"]).expect(3);
    assert!(cloud.mutations().is_empty(), "nothing was sent");
    allow(&["--allow-destroy", "host.h1=3", "--allow-destroy", "cluster.a=3"]).expect(0);
    ends_well(&rackform, &cloud, &[("/zones", 1), ("/clusters", 0), ("/hosts", 0)]);
}

#[test]
fn a_zone_with_things_of_others_in_it() {
    let _filters = filters();
    let (cloud, rackform) = with_guests();
    let refused = rackform.run(&["destroy", "--auto-approve"]).expect(3);
    assert_snapshot!(refused.stderr, @"
    refused

      × host.h1 takes with it what is not in the plan: VMs stopped: 3
      help: if that is what you want: --allow-destroy 'host.h1=3'

    refused

      × zone.east takes with it what is not in the plan: VMs destroyed: 3
      help: if that is what you want: --allow-destroy 'zone.east=3'

    2 errors
    ");
    assert_eq!(cloud.rows("/vm-instances").len(), 3);
    rackform.run(&["destroy", "--auto-approve", "--allow-destroy", "*=9"]).expect(0);
    ends_nothing(&cloud);
}

#[test]
fn prevent_destroy_stays_when_its_block_goes() {
    let _filters = filters();
    let cloud = Cloud::start();
    let protected = "[zone.west]\nlifecycle = { prevent_destroy = true }\n";
    let rackform = directory(&cloud, &format!("{CLUSTER}{protected}"));
    apply(&rackform).expect(0);
    configure(&rackform, &cloud, CLUSTER);
    assert_snapshot!(rackform.run(&["plan"]).seen(), @"
    exit 1
    --- stderr
    prevent_destroy in zone.west

      × `zone.west` is protected and would be destroyed
      ╰─▶ Its block is gone, but it was applied with `prevent_destroy = true`.
      help: put the block back with `prevent_destroy = false`, apply, then remove
            it

    1 error
    ");
    apply(&rackform).expect(3).says(&["`zone.west` is protected"]);
    rackform.run(&["destroy", "--auto-approve"]).expect(3);
    assert_eq!(cloud.rows("/zones").len(), 2);
    // Switched off in the configuration first, it goes.
    configure(&rackform, &cloud, &format!("{CLUSTER}[zone.west]\n"));
    apply(&rackform).expect(0);
    configure(&rackform, &cloud, CLUSTER);
    apply(&rackform).expect(0).says(&["1 destroyed"]);
    ends_well(&rackform, &cloud, &[("/zones", 1), ("/clusters", 1)]);
}

#[test]
fn prevent_destroy_guards_against_cascades_from_above() {
    let _filters = filters();
    let cloud = Cloud::start();
    let protected = host("h1", "10.0.0.1") + "lifecycle = { prevent_destroy = true }\n";
    let rackform = directory(&cloud, &format!("{CLUSTER}{protected}"));
    apply(&rackform).expect(0);
    configure(&rackform, &cloud, "[zone.east]\n");
    let outcome = apply(&rackform);
    assert_eq!(outcome.code, Some(3), "{}", outcome.seen());
    assert_eq!(cloud.rows("/hosts").len(), 1);
    rackform.run(&["destroy", "--auto-approve"]);
    assert_eq!(cloud.rows("/hosts").len(), 1);
}

#[test]
fn many_objects_gone_at_once_smell_of_the_wrong_account() {
    let _filters = filters();
    let cloud = Cloud::start();
    let rackform = directory(&cloud, &zones(8));
    apply(&rackform).expect(0);
    for zone in cloud.rows("/zones").iter().take(3) {
        cloud.drift(json!({ "family": "zone", "op": "delete", "uuid": zone["uuid"] }));
    }
    let refused = rackform.run(&["plan"]).expect(3);
    assert_snapshot!(refused.stderr, @"
    refused

      × 3 of 8 objects of type zone are gone from the cloud: wrong account or
      │ endpoint?
      help: if that is what you want: --allow-missing zone=3

    1 error
    ");
    apply(&rackform).expect(3).says(&["--allow-missing zone=3"]);
    assert_eq!(cloud.rows("/zones").len(), 5);
    rackform.run(&["plan", "--allow-missing", "zone=2"]).expect(3);
    let allowed = rackform.run(&["apply", "--auto-approve", "--allow-missing", "zone=3"]);
    allowed.expect(0).says(&["3 added"]);
    ends_well(&rackform, &cloud, &[("/zones", 8)]);
}

#[test]
fn another_account_is_noticed_before_anything_looks_gone() {
    let _filters = filters();
    let cloud = Cloud::start_with(Options {
        seed: Some(json!({ "accounts": [{ "name": "ci", "password": "password" }] })),
        ..Options::default()
    });
    let rackform = directory(&cloud, "[zone.east]\n");
    apply(&rackform).expect(0);
    let config = rackform.read("main.rack.toml");
    rackform.write("main.rack.toml", &config.replace("\"admin\"", "\"ci\""));
    cloud.reset();
    let outcome = rackform.run(&["plan"]);
    assert_snapshot!(outcome.seen(), @r#"
    exit 3
    --- stderr
    other_account

      × provider.zstack logs in to another account than the one this state belongs
      │ to
      ╰─▶ The state was made with account "admin"
          (ID) at http://127.0.0.1:PORT; this is
          account "ci" (ID) at
          http://127.0.0.1:PORT.
      help: correct the provider's settings; for another cloud use another
            directory

    1 error
    "#);
    apply(&rackform).expect(3);
    assert!(cloud.mutations().is_empty(), "nothing was sent");
    rackform.write("main.rack.toml", &config);
    ends_well(&rackform, &cloud, &[("/zones", 1)]);
}

#[test]
fn an_empty_cloud_at_another_endpoint_is_noticed() {
    let cloud = Cloud::start();
    let rackform = directory(&cloud, &zones(3));
    apply(&rackform).expect(0);
    let other = Cloud::start();
    configure(&rackform, &other, &zones(3));
    let refused = apply(&rackform).expect(3);
    refused.says(&["gone from the cloud: wrong account or endpoint?"]);
    assert!(other.rows("/zones").is_empty());
    configure(&rackform, &cloud, &zones(3));
    ends_well(&rackform, &cloud, &[("/zones", 3)]);
}
