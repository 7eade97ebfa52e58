//! Two at once.

use std::time::Duration;

use super::{apply, directory, ends_well, outcome, slow, until, until_asked};

#[test]
fn the_second_apply_is_refused_and_told_who_holds_the_state() {
    let cloud = slow(Duration::from_secs(2));
    let rackform = directory(&cloud, "[zone.east]\n");
    let first = rackform.spawn(&["apply", "--auto-approve"]);
    until_asked(&cloud, "CreateZone", 1);
    // Names and process ids differ, and lines break elsewhere: no snapshot.
    let locked =
        ["the state is locked by ", " (apply) for ", "--lock-timeout 5m", "or end process "];
    apply(&rackform).expect(1).says(&locked);
    rackform.run(&["state", "rm", "zone.east"]).expect(1).says(&locked);
    rackform.run(&["plan"]).expect(0).says(&[
        "Note: the state is in use by",
        "(apply)",
        "out of date",
    ]);
    outcome(first).expect(0);
    ends_well(&rackform, &cloud, &[("/zones", 1)]);
}

#[test]
fn the_second_apply_waits_if_it_may() {
    let cloud = slow(Duration::from_secs(1));
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
    let cloud = slow(Duration::from_secs(1));
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
