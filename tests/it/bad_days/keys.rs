//! Unique keys that somebody else has, and keys that change hands.

use insta::assert_snapshot;
use serde_json::json;

use super::{CLUSTER, apply, configure, directory, ends_well, host};
use crate::common::cloud::Cloud;
use crate::common::seen::filters;
use rackform::emulator::Options;

/// Somebody else's zone with a host.
fn foreign() -> Cloud {
    let host = json!({ "name": "old-1", "managementIp": "10.0.0.1" });
    let cluster = json!({ "name": "old", "hosts": [host] });
    let seed = json!({ "zones": [{ "name": "theirs", "clusters": [cluster] }] });
    Cloud::start_with(Options { seed: Some(seed), ..Options::default() })
}

#[test]
fn a_management_ip_that_a_foreign_host_has() {
    let _filters = filters();
    let cloud = foreign();
    let rackform = directory(&cloud, &format!("{CLUSTER}{}", host("h1", "10.0.0.1")));
    assert_snapshot!(rackform.run(&["plan"]).seen(), @r#"
    exit 1
    --- stderr
    unique_key_taken in host.h1

      × another host already has management_ip = "10.0.0.1"
      ╰─▶ "old-1" (id ID) is live and not managed
          here.
        ╭─[main.rack.toml:14:17]
     13 │ cluster       = "cluster.a"
     14 │ management_ip = "10.0.0.1"
        ·                 ─────┬────
        ·                      ╰── declared here
     15 │ username      = "root"
        ╰────
      help: change the value, or take the object over: rackform import 'host.h1'
            ID

    1 error
    "#);
    apply(&rackform).expect(1);
    assert!(cloud.mutations().is_empty(), "nothing was sent");
    configure(&rackform, &cloud, &format!("{CLUSTER}{}", host("h1", "10.0.0.2")));
    apply(&rackform).expect(0).says(&["3 added"]);
    ends_well(&rackform, &cloud, &[("/zones", 2), ("/hosts", 2)]);
}

#[test]
fn hosts_that_swap_their_addresses_are_a_ring() {
    let _filters = filters();
    let cloud = Cloud::start();
    let rackform = directory(
        &cloud,
        &format!("{CLUSTER}{}{}", host("h1", "10.0.0.1"), host("h2", "10.0.0.2")),
    );
    apply(&rackform).expect(0);
    configure(
        &rackform,
        &cloud,
        &format!("{CLUSTER}{}{}", host("h1", "10.0.0.2"), host("h2", "10.0.0.1")),
    );
    assert_snapshot!(rackform.run(&["plan"]).seen(), @r#"
    exit 1
    --- stderr
    ring_of_steps

      × these changes wait for each other
      ╰─▶ Each needs what the next one gives up:
            update (updateKVMHost) of host.h1
            update (updateKVMHost) of host.h2
        ╭─[main.rack.toml:12:1]
     11 │
     12 │ [host.h1]
        · ────┬────
        ·     ╰── `host.h1`
     13 │ cluster       = "cluster.a"
        ╰────
        ╭─[main.rack.toml:18:1]
     17 │
     18 │ [host.h2]
        · ────┬────
        ·     ╰── `host.h2`
     19 │ cluster       = "cluster.a"
        ╰────
      help: change one of them (host.h1, host.h2) to a free value first, apply,
            then to the value you want

    1 error
    "#);
    cloud.reset();
    apply(&rackform).expect(1);
    assert!(cloud.mutations().is_empty(), "nothing was sent");
    // The way out that the message names.
    configure(
        &rackform,
        &cloud,
        &format!("{CLUSTER}{}{}", host("h1", "10.0.0.3"), host("h2", "10.0.0.1")),
    );
    apply(&rackform).expect(0);
    configure(
        &rackform,
        &cloud,
        &format!("{CLUSTER}{}{}", host("h1", "10.0.0.2"), host("h2", "10.0.0.1")),
    );
    apply(&rackform).expect(0);
    ends_well(&rackform, &cloud, &[("/hosts", 2)]);
}

#[test]
fn a_key_that_comes_from_a_secret_is_not_told() {
    let cloud = foreign();
    let secret = "[variable.ip]\ntype = \"string\"\nsensitive = true\n";
    let text = format!("{CLUSTER}{secret}{}", host("h1", "${var.ip}"));
    let rackform = directory(&cloud, &text).env("RACKFORM_VAR_ip", "10.0.0.1");
    let refused = rackform.run(&["plan"]).expect(1).stderr;
    assert!(refused.contains("another host already has management_ip = (sensitive)"), "{refused}");
    assert!(!refused.contains("10.0.0.1"), "{refused}");
}

#[test]
fn an_address_that_is_handed_on_is_freed_first() {
    let cloud = Cloud::start();
    let rackform = directory(&cloud, &format!("{CLUSTER}{}", host("h1", "10.0.0.1")));
    apply(&rackform).expect(0);
    configure(&rackform, &cloud, &format!("{CLUSTER}{}", host("h2", "10.0.0.1")));
    apply(&rackform).expect(0).says(&["1 added, 0 changed, 1 destroyed"]);
    ends_well(&rackform, &cloud, &[("/hosts", 1)]);
}

#[test]
fn a_forgotten_host_is_a_foreign_one() {
    let _filters = filters();
    let cloud = Cloud::start();
    let rackform = directory(&cloud, &format!("{CLUSTER}{}", host("h1", "10.0.0.1")));
    apply(&rackform).expect(0);
    cloud.reset();
    rackform.run(&["state", "rm", "host.h1"]).expect(0);
    assert!(cloud.mutations().is_empty(), "nothing is sent to a cloud");
    assert_snapshot!(rackform.run(&["plan"]).seen(), @r#"
    exit 1
    --- stderr
    unique_key_taken in host.h1

      × another host already has management_ip = "10.0.0.1"
      ╰─▶ "h1" (id ID) is live and not managed here.
        ╭─[main.rack.toml:14:17]
     13 │ cluster       = "cluster.a"
     14 │ management_ip = "10.0.0.1"
        ·                 ─────┬────
        ·                      ╰── declared here
     15 │ username      = "root"
        ╰────
      help: change the value, or take the object over: rackform import 'host.h1'
            ID

    1 error
    "#);
}

/// A copy of the state that is older than the objects, and no journal: their ids are those that we
/// would choose, so that they are ours, whatever unique keys they hold.
#[test]
fn what_an_older_copy_of_the_state_does_not_know_is_recognised_by_its_id() {
    let cloud = Cloud::start();
    let rackform = directory(&cloud, "[zone.west]\n");
    apply(&rackform).expect(0);
    let copy = rackform.read("rackform.state.json");
    let storage = "\n[local_primary_storage.l]\nzone = \"zone.east\"\nurl = \"/ps\"\nclusters = [\"cluster.a\"]\nuser_tags = [\"ssd\"]\n";
    let config =
        |rest: &str| format!("[zone.west]\n{CLUSTER}{}{storage}{rest}", host("h1", "10.0.0.1"));
    configure(&rackform, &cloud, &config(""));
    apply(&rackform).expect(0);
    cloud.reset();
    rackform.write("rackform.state.json", &copy);
    apply(&rackform).expect(0).says(&["Apply complete: 0 added, 0 changed, 0 destroyed"]);
    assert!(cloud.mutations().is_empty(), "{:?}", cloud.mutations());
    ends_well(&rackform, &cloud, &[("/hosts", 1), ("/clusters", 1), ("/zones", 2)]);
    // Nor are their secrets sent when another one changes.
    configure(&rackform, &cloud, &config(&host("h2", "10.0.0.2")));
    apply(&rackform).expect(0).says(&["Apply complete: 1 added, 0 changed, 0 destroyed"]);
    ends_well(&rackform, &cloud, &[("/hosts", 2)]);
}

/// The new storage is created with the monitor, so that its create waits until the other lets go.
#[test]
fn a_monitor_that_moves_to_a_new_storage_is_let_go_first() {
    let cloud = Cloud::start();
    let mon = |ip: &str| {
        format!("{{ hostname = \"{ip}\", ssh_username = \"root\", ssh_password = \"invented\" }}")
    };
    let ceph = |label: &str, mons: &[&str]| {
        let mons: Vec<String> = mons.iter().map(|ip| mon(ip)).collect();
        format!("[ceph_primary_storage.{label}]\nzone = \"zone.z\"\nmons = [{}]\n", mons.join(", "))
    };
    let before = format!("[zone.z]\n{}", ceph("a", &["10.0.3.1", "10.0.3.2"]));
    let rackform = directory(&cloud, &before);
    apply(&rackform).expect(0);
    let after = format!("[zone.z]\n{}{}", ceph("a", &["10.0.3.1"]), ceph("b", &["10.0.3.2"]));
    configure(&rackform, &cloud, &after);
    apply(&rackform).expect(0).says(&["2 added", "1 destroyed"]);
    ends_well(&rackform, &cloud, &[("/primary-storage/ceph", 2)]);
}
