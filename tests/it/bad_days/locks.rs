//! Two at once.

use insta::assert_snapshot;

use super::{apply, directory, ends_well, outcome, until, until_asked};
use crate::common::cloud::Cloud;
use crate::common::seen::filters;

#[test]
fn the_second_apply_is_refused_and_told_who_holds_the_state() {
    let _filters = filters();
    let cloud = Cloud::start();
    cloud.faults(&["api=CreateZone,latency=3s"]);
    let rackform = directory(&cloud, "[zone.east]\n");
    let first = rackform.spawn(&["apply", "--auto-approve"]);
    until_asked(&cloud, "CreateZone", 1);
    assert_snapshot!(apply(&rackform).seen(), @"
    exit 0
    --- stdout
    No changes. The cloud matches the configuration. (1 object compared with 1 request)
    ");
    assert_snapshot!(rackform.run(&["state", "rm", "zone.east"]).seen(), @"
    exit 0
    --- stderr
    Forgotten: zone.east
    ");
    rackform.run(&["plan"]).expect(0).says(&["Note: the state is in use by", "(apply)", "out of date"]);
    outcome(first).expect(0);
    ends_well(&rackform, &cloud, &[("/zones", 1)]);
}

#[test]
fn the_second_apply_waits_if_it_may() {
    let cloud = Cloud::start();
    cloud.faults(&["api=CreateZone,latency=1s"]);
    let rackform = directory(&cloud, "[zone.east]\n");
    let first = rackform.spawn(&["apply", "--auto-approve"]);
    until_asked(&cloud, "CreateZone", 1);
    let second = rackform.run(&["apply", "--auto-approve", "--lock-timeout", "1m"]).expect(0);
    second.says(&["Waiting for the state, held by", "No changes."]);
    outcome(first).expect(0);
    ends_well(&rackform, &cloud, &[("/zones", 1)]);
}

#[test]
fn a_dead_holder_holds_nothing() {
    let cloud = Cloud::start();
    cloud.faults(&["api=CreateZone,latency=1s"]);
    let rackform = directory(&cloud, "[zone.east]\n");
    let mut first = rackform.spawn(&["apply", "--auto-approve"]);
    until_asked(&cloud, "CreateZone", 1);
    first.kill().expect("it runs");
    first.wait().expect("it has ended");
    until("the zone", || !cloud.rows("/zones").is_empty());
    rackform.run(&["plan"]).expect(0).says(&["the last apply was cut off"]);
    apply(&rackform).expect(0);
    ends_well(&rackform, &cloud, &[("/zones", 1)]);
}
