//! `[[removed]]`: destroyed like everything without a block, or left alone and forgotten.

use super::{HALL, applied, apply, configure, is_settled, sent};

/// The hall without its cluster and host.
fn rest() -> String {
    let zone = HALL.split("[cluster.rack]").next().expect("the zone");
    let storage = HALL.split("[nfs_primary_storage.shared]").nth(1).expect("the storage");
    let storage = storage.replace("[\"cluster.rack\"]", "[]");
    format!("{zone}[nfs_primary_storage.shared]{storage}")
}

fn removed(destroy: bool) -> String {
    ["cluster.rack", "host.kvm"]
        .map(|from| format!("[[removed]]\nfrom = \"{from}\"\ndestroy = {destroy}\n"))
        .concat()
}

#[test]
fn what_is_given_away_stays_as_it_is() {
    let (cloud, rackform) = applied(HALL);
    configure(&rackform, &cloud, &(rest() + &removed(false)));
    let plan = rackform.run(&["plan"]).expect(0);
    plan.says(&[
        "host.kvm will be forgotten: a [[removed]] says so; it stays in the cloud",
        "main.rack.toml:",
        "3 to forget",
    ]);
    apply(&rackform).expect(0);
    assert_eq!(sent(&cloud), Vec::<String>::new());
    assert_eq!(cloud.rows("/hosts").len(), 1);
    assert_eq!(
        cloud.one("/primary-storage")["attachedClusterUuids"].as_array().map(Vec::len),
        Some(1)
    );
    is_settled(&rackform, &cloud);
    configure(&rackform, &cloud, &rest());
    is_settled(&rackform, &cloud);
    // What comes under the old address is another object.
    configure(&rackform, &cloud, &HALL.replace("10.0.1.1", "10.0.1.2"));
    apply(&rackform).expect(0);
    assert_eq!(cloud.rows("/hosts").len(), 2);
    is_settled(&rackform, &cloud);
}

#[test]
fn what_is_removed_for_good_is_deleted() {
    let (cloud, rackform) = applied(HALL);
    configure(&rackform, &cloud, &(rest() + &removed(true)));
    rackform.run(&["plan"]).expect(0).says(&["host.kvm will be destroyed: a [[removed]] says so"]);
    apply(&rackform).expect(0);
    assert!(cloud.rows("/hosts").is_empty() && cloud.rows("/clusters").is_empty());
    is_settled(&rackform, &cloud);
}

#[test]
fn what_was_given_away_survives_a_destroy() {
    let (cloud, rackform) = applied(HALL);
    let all = ["zone.east", "cluster.rack", "host.kvm"]
        .map(|from| format!("[[removed]]\nfrom = \"{from}\"\ndestroy = false\n"))
        .concat();
    configure(&rackform, &cloud, &all);
    rackform.run(&["destroy", "--auto-approve"]).expect(0);
    assert_eq!(cloud.rows("/hosts").len(), 1);
    assert!(cloud.rows("/primary-storage").is_empty());
    assert_eq!(rackform.run(&["state", "list"]).expect(0).stdout, "");
}
