//! Jobs that fail, hang, or leave something behind.

use insta::assert_snapshot;

use super::{CLUSTER, apply, configure, directory, ends_well, host, news};
use crate::common::cloud::Cloud;
use crate::common::seen::filters;

#[test]
fn a_job_that_never_ends_is_looked_up_by_the_next_apply() {
    let _filters = filters();
    for hang in ["job-hang", "job-hang=after"] {
        let cloud = Cloud::start();
        cloud.faults(&[&format!("api=CreateZone,{hang}")]);
        let config = "[zone.east]\ntimeouts = { create = \"2s\" }\n";
        let rackform = directory(&cloud, config);
        let outcome = apply(&rackform);
        assert!(outcome.stdout.contains("1 to add"), "{}", outcome.seen());
        insta::allow_duplicates! {
            assert_snapshot!(news(&outcome), @"
            exit Some(1)
            zone.east: creating failed after TIME: its job did not end before the deadline
                request: create of zone.east
                outcome: whether it took effect is unknown; the next apply looks before it sends anything
            Apply stopped: 0 added, 0 changed, 0 destroyed, 1 failed in TIME (N requests); run `rackform apply` again to finish.
            ");
        }
        rackform.run(&["plan"]).expect(0).says(&["the last apply was cut off"]);
        apply(&rackform).expect(0);
        ends_well(&rackform, &cloud, &[("/zones", 1)]);
    }
}

#[test]
fn a_host_that_cannot_be_connected_holds_up_nothing_else() {
    let _filters = filters();
    let cloud = Cloud::start();
    cloud.faults(&["api=AddKVMHost,name=h1,connect-fail"]);
    let hosts = host("h1", "10.0.0.1") + &host("h2", "10.0.0.2");
    let rackform = directory(&cloud, &format!("{CLUSTER}{hosts}"));
    let outcome = apply(&rackform).expect(1);
    assert_snapshot!(news(&outcome), @"
    exit Some(1)
    host.h1: creating failed after TIME: connection error for KVM host[uuid:ID (host.h1), ip:10.0.0.1] [HOST.1003]
        server:  unable to connect to KVM[ip:10.0.0.1, username:root, sshPort:22] no route to host (SYS.1006)
        request: POST /hosts/kvm
    Apply stopped: 3 added, 0 changed, 0 destroyed, 1 failed in TIME (N requests); run `rackform apply` again to finish.
    ");
    assert_eq!(cloud.rows("/hosts").len(), 1, "the row of a failed host vanishes");
    let first = create_ids(&cloud, "h1");
    apply(&rackform).expect(0).says(&["1 added"]);
    let ids = create_ids(&cloud, "h1");
    assert_eq!(ids.len(), 2);
    assert!(!first.contains(&ids[1]), "the id of a failed add may be taken: {ids:?}");
    ends_well(&rackform, &cloud, &[("/hosts", 2)]);
}

/// The ids that creates of this name were sent with.
fn create_ids(cloud: &Cloud, name: &str) -> Vec<String> {
    let of = |m: &crate::common::cloud::Mutation| m.body["params"]["name"] == name;
    let id = |m: crate::common::cloud::Mutation| m.body["params"]["resourceUuid"].to_string();
    cloud.mutations().into_iter().filter(of).map(id).collect()
}

#[test]
fn what_depends_on_a_failed_object_is_left_and_named() {
    let _filters = filters();
    let cloud = Cloud::start();
    cloud.faults(&["api=CreateCluster,job-error=SYS.1006:the database is on fire"]);
    let rackform = directory(&cloud, &format!("{CLUSTER}{}", host("h1", "10.0.0.1")));
    let outcome = apply(&rackform);
    assert_snapshot!(news(&outcome), @"
    exit Some(1)
    cluster.a: creating failed after TIME: the database is on fire [SYS.1006]
        request: POST /clusters
    host.h1: not created: cluster.a failed
    Apply stopped: 1 added, 0 changed, 0 destroyed, 1 failed, 1 not started in TIME (N requests); run `rackform apply` again to finish.
    ");
    apply(&rackform).expect(0).says(&["2 added"]);
    ends_well(&rackform, &cloud, &[("/zones", 1), ("/clusters", 1), ("/hosts", 1)]);
}

#[test]
fn an_id_that_stays_taken_is_passed_over() {
    let cloud = Cloud::start();
    cloud.faults(&["api=CreateZone,keep-uuid"]);
    let rackform = directory(&cloud, "[zone.east]\n");
    let first = apply(&rackform);
    if first.code != Some(0) {
        // The first failure is definite; the next apply takes another id.
        apply(&rackform).expect(0);
    }
    let ids = create_ids(&cloud, "east");
    assert!(ids.len() >= 2 && ids[0] != ids[ids.len() - 1], "{ids:?}");
    ends_well(&rackform, &cloud, &[("/zones", 1)]);
    // Destroyed and made again: a deleted zone's id stays taken too.
    rackform.run(&["destroy", "--auto-approve"]).expect(0);
    apply(&rackform).expect(0);
    ends_well(&rackform, &cloud, &[("/zones", 1)]);
}

#[test]
fn ids_that_are_taken_for_ever_are_given_up() {
    let _filters = filters();
    let cloud = Cloud::start();
    cloud.faults(&[
        "api=CreateZone,times=0,job-error=SYS.1000:An internal error happened in system",
    ]);
    let rackform = directory(&cloud, "[zone.east]\n");
    let outcome = apply(&rackform);
    assert_snapshot!(news(&outcome), @"
    exit Some(1)
    zone.east: creating failed after TIME: 8 ids in a row are taken by objects that no query shows
        request: create of zone.east
    Apply stopped: 0 added, 0 changed, 0 destroyed, 1 failed in TIME (N requests); run `rackform apply` again to finish.
    ");
    cloud.faults(&[]);
    apply(&rackform).expect(0);
    ends_well(&rackform, &cloud, &[("/zones", 1)]);
}

#[test]
fn an_update_that_is_ignored_is_not_reported_as_done() {
    let _filters = filters();
    let cloud = Cloud::start();
    let rackform = directory(&cloud, "[zone.east]\n");
    apply(&rackform).expect(0);
    cloud.faults(&["api=UpdateZone,ignore-update"]);
    configure(&rackform, &cloud, "[zone.east]\ndescription = \"hall\"\n");
    let outcome = apply(&rackform);
    assert_snapshot!(news(&outcome), @"
    exit Some(1)
    zone.east: updating by updateZone failed after TIME: the server accepted `description` but did not apply it: it still reads nothing
        request: update (updateZone) of zone.east
    Apply stopped: 0 added, 0 changed, 0 destroyed, 1 failed in TIME (N requests); run `rackform apply` again to finish.
    ");
    apply(&rackform).expect(0).says(&["1 changed"]);
    ends_well(&rackform, &cloud, &[("/zones", 1)]);
}

/// Servers know ids only, people know addresses.
#[test]
fn a_failure_names_our_objects_beside_their_ids() {
    let cloud = Cloud::start();
    let rackform = directory(&cloud, "[zone.east]\n");
    apply(&rackform).expect(0);
    let zone = cloud.one("/zones")["uuid"].as_str().expect("an id").to_owned();
    let other = "eeeeeeeeeeee4eee8eeeeeeeeeeeeeee";
    let busy = format!("zone[uuid:{zone}] waits for job[uuid:{other}]");
    cloud.faults(&[&format!("api=CreateCluster,job-error=SYS.1006:{busy}")]);
    configure(&rackform, &cloud, CLUSTER);
    let named = format!("zone[uuid:{zone} (zone.east)] waits for job[uuid:{other}]");
    apply(&rackform).expect(1).says(&[&named]);
    apply(&rackform).expect(0);
    ends_well(&rackform, &cloud, &[("/zones", 1), ("/clusters", 1)]);
}
