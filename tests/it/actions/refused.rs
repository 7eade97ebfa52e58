//! What an action may not do without consent, and what is asked for wrongly.

use insta::assert_snapshot;

use super::{CLUSTER, H1, H2, LOCAL, VM, cloud, host, own, sent, stranger};
use crate::common::cloud::Cloud;
use crate::common::seen::filters;

#[test]
fn what_goes_down_is_counted_and_needs_consent() {
    let _filters = filters();
    let cloud = cloud();
    let rackform = stranger(&cloud);
    let cluster = format!("cluster.id:{CLUSTER}");
    let upgrade = ["action", "upgrade-os", &cluster];
    assert_snapshot!(rackform.run(&upgrade).seen(), @"
    exit 3
    --- stderr
    refused

      × cluster.id:ID: upgrade-os affects what runs:
      │ hosts upgraded: 2, VMs on them: 1
      help: if that is what you want: --allow-destroy
            'cluster.id:ID=3'

    1 error
    ");
    let with = |flags: &[&str]| rackform.run(&[&upgrade[..], flags].concat());
    // --auto-approve says that nobody asks, not that anything goes.
    with(&["--auto-approve"]).expect(3).says(&["hosts upgraded: 2", "VMs on them: 1"]);
    with(&["--allow-destroy", "cluster.*=2"]).expect(3);
    with(&["--allow-destroy", "host.*=9"]).expect(3);
    let lines = with(&["--json"]).expect(3).json_lines();
    assert_eq!(lines[0]["type"], "diagnostic", "{lines:?}");
    assert!(sent(&cloud).is_empty(), "nothing was sent");
    with(&["--allow-destroy", "cluster.*=3"]).expect(0);
    assert_eq!(sent(&cloud).len(), 1);
    // What takes nothing down needs no consent.
    let local = format!("local_primary_storage.id:{LOCAL}");
    rackform.run(&["action", "sync-capacity", &local]).expect(0);
}

#[test]
fn nothing_to_lose_needs_no_consent() {
    let cloud = cloud();
    let rackform = stranger(&cloud);
    for (family, uuid) in [("vm", VM), ("host", H1), ("host", H2)] {
        cloud.drift(serde_json::json!({ "family": family, "op": "delete", "uuid": uuid }));
    }
    let cluster = format!("cluster.id:{CLUSTER}");
    rackform.run(&["action", "upgrade-os", &cluster]).expect(0);
}

#[test]
fn slips_are_answered_with_what_was_meant() {
    let cloud = Cloud::start();
    let rackform = own(&cloud);
    let wrong = |args: &[&str], said: &[&str]| {
        let outcome = rackform.run(&[&["action"], args].concat()).expect(1).says(said);
        assert!(outcome.stdout.is_empty(), "{}", outcome.seen());
    };
    wrong(
        &["reconect", "host.h1"],
        &["type host has no action `reconect`", "did you mean `reconnect`?"],
    );
    wrong(&["fly", "host.h1"], &["it has: reconnect, run-shell"]);
    wrong(&["reconnect", "zone.east"], &["type zone has no action", "it has no actions at all"]);
    wrong(&["reconnect", "host.h3"], &["`host.h3` is not in the state", "did you mean `host.h"]);
    wrong(&["reconnect", "host.far_away"], &["rackform state list", "host.id:UUID"]);
    wrong(&["reconnect", "hots.h1"], &["there is no type `hots`", "did you mean `host`?"]);
    wrong(&["reconnect", "host.h1", "host.h2"], &["reconnect takes one object, not 2"]);
    wrong(&["run-shell", "host.h1", "cluster.a"], &["are not of one type"]);
    wrong(
        &["run-shell", "host.h1"],
        &["run-shell needs the parameter `script`", "--param script="],
    );
    let several = ["run-shell", "host.h1", "--param", "scirpt=a", "--param", "verbose"];
    wrong(&several, &["has no parameter `scirpt`", "did you mean `script`?", "has no `=`"]);
    wrong(&["reconnect", "host.h1", "--param", "a=b"], &["it takes no parameters"]);
    let twice = ["run-shell", "host.h1", "--param", "script=a", "--param", "script=b"];
    wrong(&twice, &["is given 2 times"]);
    wrong(&["run-shell", "host.h1", "--param", "script=@none.sh"], &["cannot read `none.sh`"]);
    let migrate = ["migrate-volume", "local_primary_storage.disks", "--param"];
    let with = |params: [&'static str; 3]| [&migrate[..], &params].concat();
    let volume = "volume=00000000000000000000000000000000";
    let short = with(["volume=7", "--param", "host=cluster.a"]);
    wrong(&short, &["`volume` must have exactly 32 characters", "must be a host, not a cluster"]);
    let names = with([volume, "--param", "host=h1 of a"]);
    wrong(&names, &["the parameter `host` must be a host", "names are not accepted"]);
    let unknown = with([volume, "--param", "host=host.h9"]);
    wrong(&unknown, &["`host.h9` is not in the state"]);
    let elsewhere = ["reconnect", &host(H1), "--provider", "zstak"];
    wrong(&elsewhere, &["did you mean `zstack`?"]);
    // An id that is there, but not of this type.
    let zone = cloud.one("/zones")["uuid"].as_str().expect("an id").to_owned();
    wrong(&["reconnect", &host(&zone)], &["there is no host with the id"]);
    assert!(sent(&cloud).is_empty(), "nothing was sent");
    cloud.assert_no_violations();
}

#[test]
fn an_object_that_is_declared_but_not_there_yet() {
    let cloud = Cloud::start();
    let rackform = own(&cloud);
    rackform.write(
        "more.rack.toml",
        "[zone.west]\n[local_primary_storage.new]\nzone = \"zone.west\"\nurl = \"/x\"\n",
    );
    let new = ["action", "reconnect", "local_primary_storage.new"];
    rackform.run(&new).expect(1).says(&["run `rackform apply` first"]);
    let id = cloud.one("/hosts?q=name=h1")["uuid"].clone();
    cloud.drift(serde_json::json!({ "family": "host", "op": "delete", "uuid": id }));
    rackform
        .run(&["action", "reconnect", "host.h1"])
        .expect(1)
        .says(&["it is gone, of another type"]);
}

#[test]
fn usage_errors_name_what_is_missing() {
    let rackform = crate::common::process::Rackform::new();
    rackform.run(&["action"]).expect(1).says(&["<NAME>", "<ADDR>"]);
    rackform.run(&["action", "reconnect"]).expect(1).says(&["<ADDR>"]);
    rackform.run(&["action", "reconnect", "host"]).expect(1).says(&["not an address"]);
    let link = "local_primary_storage.a.clusters[\"cluster.b\"]";
    rackform.run(&["action", "reconnect", link]).expect(1).says(&["an attachment has no actions"]);
    rackform.run(&["action", "--list", "host.a", "--param", "a=b"]).expect(1);
}

/// Needs no cloud, no configuration and no state.
#[test]
fn what_is_possible_is_listed() {
    let rackform = crate::common::process::Rackform::new();
    assert_snapshot!(rackform.run(&["action", "--list", "host.anything"]).seen(), @"
    exit 0
    --- stdout
    reconnect
        Connects to the host's agent again, with the login that the server has now.
    run-shell
        Runs a shell script on hosts, as their SSH user, and shows what it prints on each. Takes several addresses.
        --param script=…  text, required, 1 to 65536 characters. The script.
    ");
    assert_snapshot!(rackform.run(&["action", "--list", "zone.east"]).seen(), @"
    exit 0
    --- stderr
    Type zone has no actions.
    ");
    let id = format!("cluster.id:{CLUSTER}");
    let lines = rackform.run(&["action", "--list", &id, "--json"]).expect(0).stdout;
    let all: serde_json::Value = serde_json::from_str(&lines).expect("JSON");
    assert_eq!((&all[0]["action"], &all[0]["disruptive"]), (&"upgrade-os".into(), &true.into()));
    let names: Vec<_> =
        all[0]["parameters"].as_array().expect("a list").iter().map(|p| &p["name"]).collect();
    assert_eq!(names, ["exclude_packages", "update_packages", "release_version", "force"]);
    rackform.run(&["action", "--list", "hots.a"]).expect(1).says(&["did you mean `host`?"]);
}
