//! Storage that comes up only through its hosts: waited for at the end of a run, not by a step.

use serde_json::json;

use super::{CLUSTER, apply, configure, directory, ends_well, host};
use crate::common::cloud::Cloud;

const NFS: &str = r#"
[nfs_primary_storage.s]
zone     = "zone.east"
url      = "10.0.9.5:/export/s"
clusters = ["cluster.a"]
timeouts = { create = "1s" }
"#;

#[test]
fn nfs_storage_without_hosts_is_noted_and_with_them_comes_up() {
    let cloud = Cloud::start();
    let rackform = directory(&cloud, &format!("{CLUSTER}{NFS}"));
    let first = apply(&rackform).expect(0);
    assert!(
        first.stdout.contains("will not reach status Connected in this run"),
        "{}",
        first.stdout
    );
    assert_eq!(cloud.one("/primary-storage?q=type=NFS")["status"], "Disconnected");
    configure(&rackform, &cloud, &format!("{CLUSTER}{NFS}{}", host("h", "10.0.0.1")));
    apply(&rackform).expect(0);
    let shown = rackform.run(&["state", "show", "nfs_primary_storage.s"]).expect(0);
    assert!(shown.stdout.contains("\"Connected\""), "{}", shown.stdout);
    ends_well(&rackform, &cloud, &[("/hosts", 1), ("/primary-storage", 1)]);
}

#[test]
fn storage_that_stays_down_though_it_has_a_host_fails_the_run() {
    let cloud = Cloud::start();
    let rackform = directory(&cloud, &format!("{CLUSTER}{NFS}{}", host("h", "10.0.0.1")));
    apply(&rackform).expect(0);
    let uuid = cloud.one("/primary-storage?q=type=NFS")["uuid"].clone();
    cloud.drift(json!({ "family": "primaryStorage", "op": "patch", "uuid": uuid,
                        "row": { "status": "Disconnected" } }));
    // Its state is changed, so that the run has to do with it; no host connects anew.
    let disabled = NFS.replace("timeouts", "state    = \"Disabled\"\ntimeouts");
    configure(&rackform, &cloud, &format!("{CLUSTER}{disabled}{}", host("h", "10.0.0.1")));
    let seen = apply(&rackform).expect(1);
    assert!(seen.stderr.contains("nfs_primary_storage.s: not up after"), "{}", seen.stderr);
    assert!(seen.stderr.contains("waiting for status Connected"), "{}", seen.stderr);
}
