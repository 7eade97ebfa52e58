//! A password that is changed half-way, and a configuration that changes its mind.

use super::{CLUSTER, apply, configure, directory, ends_well};
use crate::common::cloud::Cloud;

fn host(password: &str) -> String {
    format!(
        "{CLUSTER}\n[host.h1]\ncluster = \"cluster.a\"\nmanagement_ip = \"10.0.0.1\"\n\
         username = \"root\"\npassword = '${{\"{password}\"}}'\n"
    )
}

#[test]
fn a_rotation_that_failed_half_way_is_taken_back_in_the_cloud_too() {
    let cloud = Cloud::start();
    let rackform = directory(&cloud, &host("one"));
    apply(&rackform).expect(0);
    let stored =
        || cloud.control(reqwest::Method::GET, "rows/host", None)[0]["passwordDigest"].clone();
    let first = stored();
    configure(&rackform, &cloud, &host("two"));
    cloud.faults(&["api=ReconnectHost,connect-fail"]);
    apply(&rackform).expect(1);
    assert_ne!(stored(), first, "the server has the new password, though nobody has proven it");
    configure(&rackform, &cloud, &host("one"));
    apply(&rackform).expect(0);
    assert_eq!(stored(), first, "the server has the old password again");
    ends_well(&rackform, &cloud, &[("/hosts", 1)]);
}
