//! Objects whose parent, provider or endpoint is not what it was.

use reqwest::Method;

use super::{CLUSTER, apply, configure, directory, ends_well, host};
use crate::common::cloud::Cloud;

#[test]
fn an_object_does_not_move_to_another_provider() {
    let (cloud, other) = (Cloud::start(), Cloud::start());
    let rackform = directory(&cloud, "[zone.east]\n");
    apply(&rackform).expect(0);
    let second =
        other.provider().replace("provider.zstack]", "provider.second]\ntype = \"zstack\"");
    configure(&rackform, &cloud, &format!("{second}[zone.east]\nprovider = \"second\"\n"));
    rackform.run(&["plan"]).expect(1).says(&["cannot move to another provider"]);
    apply(&rackform).expect(1);
    assert_eq!((cloud.rows("/zones").len(), other.rows("/zones").len()), (1, 0));
    configure(&rackform, &cloud, "[zone.east]\n");
    ends_well(&rackform, &cloud, &[("/zones", 1)]);
}

#[test]
fn a_single_object_that_is_not_at_another_endpoint_stops_the_plan() {
    let (cloud, other) = (Cloud::start(), Cloud::start());
    let rackform = directory(&cloud, "[zone.east]\n");
    apply(&rackform).expect(0);
    configure(&rackform, &other, "[zone.east]\n");
    rackform.run(&["plan"]).expect(3).says(&["--allow-missing zone=1"]);
    apply(&rackform).expect(3);
    assert!(other.rows("/zones").is_empty());
}

#[test]
fn a_host_that_ignores_its_cluster_goes_with_it() {
    let cloud = Cloud::start();
    let ignoring = host("h1", "10.0.0.1") + "lifecycle = { ignore_changes = [\"cluster\"] }\n";
    let rackform = directory(&cloud, &format!("{CLUSTER}{ignoring}"));
    apply(&rackform).expect(0);
    let replace = ["apply", "--auto-approve", "--replace", "cluster.a"];
    rackform.run(&replace).expect(0).says(&["2 added, 0 changed, 2 destroyed"]);
    ends_well(&rackform, &cloud, &[("/clusters", 1), ("/hosts", 1)]);
}

#[test]
fn a_replacement_shows_what_was_ignored_and_is_sent_now() {
    let cloud = Cloud::start();
    let ignoring = |ip| host("h1", ip) + "lifecycle = { ignore_changes = [\"management_ip\"] }\n";
    let rackform = directory(&cloud, &format!("{CLUSTER}{}", ignoring("10.0.0.1")));
    apply(&rackform).expect(0);
    configure(&rackform, &cloud, &format!("{CLUSTER}{}", ignoring("10.0.0.2")));
    rackform.run(&["plan", "--detailed-exitcode"]).expect(0);
    let replaced = rackform.run(&["plan", "--replace", "host.h1"]).expect(0);
    replaced.says(&["\"10.0.0.1\" → \"10.0.0.2\""]);
}

#[test]
fn an_id_of_ours_that_ends_is_no_reference() {
    let cloud = Cloud::start();
    let rackform = directory(&cloud, CLUSTER);
    apply(&rackform).expect(0);
    let zone = cloud.one("/zones")["uuid"].as_str().expect("an id").to_owned();
    let by_id = format!("[cluster.b]\nzone = \"id:{zone}\"\nhypervisor_type = \"KVM\"\n");
    configure(&rackform, &cloud, &format!("{CLUSTER}{by_id}"));
    apply(&rackform).expect(0);
    let words = ["refer to it by its address, \"zone.east\""];
    rackform.run(&["plan", "--replace", "zone.east"]).expect(1).says(&words);
    configure(&rackform, &cloud, &by_id);
    apply(&rackform).expect(1).says(&words);
    assert_eq!(cloud.rows("/clusters").len(), 2);
    rackform.run(&["destroy", "--auto-approve"]).expect(0);
    assert!(cloud.control(Method::GET, "rows/zone", None).as_array().is_some_and(Vec::is_empty));
}

#[test]
fn an_attachment_is_not_replaced_by_itself() {
    let cloud = Cloud::start();
    let storage = "[nfs_primary_storage.n]\nzone = \"zone.east\"\nurl = \"10.0.9.5:/e\"\n\
                   clusters = [\"cluster.a\"]\n";
    let rackform = directory(&cloud, &format!("{CLUSTER}{storage}"));
    apply(&rackform).expect(0);
    let address = r#"nfs_primary_storage.n.clusters["cluster.a"]"#;
    let refused = rackform.run(&["plan", "--replace", address]).expect(1);
    refused.says(&["an attachment is not replaced by itself", "take it out of `clusters`"]);
}

#[test]
fn a_destroy_says_beforehand_what_others_have_attached() {
    let cloud = Cloud::start();
    let storage =
        "[nfs_primary_storage.n]\nzone = \"zone.east\"\nurl = \"10.0.9.5:/e\"\nclusters = []\n";
    let rackform = directory(&cloud, &format!("{CLUSTER}{storage}"));
    apply(&rackform).expect(0);
    let id = |path: &str| cloud.one(path)["uuid"].as_str().expect("an id").to_owned();
    let params =
        serde_json::json!({ "name": "x", "zoneUuid": id("/zones"), "hypervisorType": "KVM" });
    cloud.api(Method::POST, "/clusters", Some(serde_json::json!({ "params": params })));
    super::until("created", || cloud.jobs_are_done());
    let (theirs, storage) = (id("/clusters?q=name=x"), id("/primary-storage"));
    cloud.api(Method::POST, &format!("/clusters/{theirs}/primary-storage/{storage}"), None);
    super::until("attached", || cloud.jobs_are_done());
    let plan = rackform.run(&["plan", "--destroy"]).expect(0);
    plan.says(&["which rackform did not attach"]);
}

/// A wrong id would be noticed by the create, after the delete that makes room for it.
#[test]
fn an_id_that_nothing_has_stops_the_plan() {
    let cloud = Cloud::start();
    let rackform = directory(&cloud, CLUSTER);
    apply(&rackform).expect(0);
    let wrong = CLUSTER.replace("\"zone.east\"", "\"id:eeeeeeeeeeee4eee8eeeeeeeeeeeeeee\"");
    configure(&rackform, &cloud, &wrong);
    apply(&rackform).expect(1).says(&["there is no zone with the id", "main.rack.toml"]);
    configure(&rackform, &cloud, CLUSTER);
    ends_well(&rackform, &cloud, &[("/zones", 1), ("/clusters", 1)]);
}
