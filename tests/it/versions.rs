//! Servers of different ages: what a server is too old for is said before anything is sent, and
//! only a configuration that asks for something new costs a question.

use insta::assert_snapshot;
use rackform::emulator::{Options, ServerVersion};
use serde_json::json;

use crate::common::cloud::Cloud;
use crate::common::process::Rackform;
use crate::common::seen::filters;

const CLUSTER: &str = r#"
[zone.east]

[cluster.a]
zone            = "zone.east"
hypervisor_type = "KVM"
"#;

fn with_architecture(cloud: &Cloud) -> Rackform {
    Rackform::with(&format!("{}{CLUSTER}architecture    = \"aarch64\"\n", cloud.provider()))
}

#[test]
fn an_attribute_that_the_server_is_too_old_for() {
    let _filters = filters();
    let cloud = Cloud::start();
    let rackform = with_architecture(&cloud);
    // Offline nobody knows.
    rackform.run(&["validate"]).expect(0);
    let plan = rackform.run(&["plan"]).expect(1);
    assert_snapshot!(plan.stderr, @r#"
    server_too_old in cluster.a

      × `architecture` needs server version 5.0 or later; http://127.0.0.1:PORT
      │ runs 3.0.0
        ╭─[main.rack.toml:11:19]
     10 │ hypervisor_type = "KVM"
     11 │ architecture    = "aarch64"
        ·                   ────┬────
        ·                       ╰── remove this
        ╰────
      help: remove it, or upgrade the server first

    1 error
    "#);
    assert_eq!(plan.stdout, "");
    rackform.run(&["apply", "--auto-approve"]).expect(1).says(&["server version 5.0"]);
    assert!(cloud.rows("/zones").is_empty(), "nothing was sent");
    // What is in the way of a destroy is not the configuration.
    rackform.run(&["plan", "--destroy"]).expect(0);
}

#[test]
fn a_newer_server_has_it() {
    let options = Options { version: ServerVersion::V5_2, ..Options::default() };
    let cloud = Cloud::start_with(options);
    let rackform = with_architecture(&cloud);
    rackform.run(&["plan"]).expect(0).says(&["2 to add"]);
    assert_eq!(cloud.counts()["GetVersion"], json!(1), "asked once");
    rackform.run(&["apply", "--auto-approve"]).expect(0);
    assert_eq!(cloud.one("/clusters")["architecture"], "aarch64");
    rackform.run(&["plan", "--detailed-exitcode"]).expect(0);
    cloud.assert_no_violations();
}

#[test]
fn without_it_nobody_is_asked() {
    let cloud = Cloud::start();
    let rackform = Rackform::with(&format!("{}{CLUSTER}", cloud.provider()));
    rackform.run(&["apply", "--auto-approve"]).expect(0);
    assert_eq!(cloud.counts().get("GetVersion"), None);
}

#[test]
fn a_server_whose_version_cannot_be_read_is_believed_to_be_new() {
    let cloud = Cloud::start_with(Options { version: ServerVersion::V5_2, ..Options::default() });
    let rackform = with_architecture(&cloud);
    cloud.faults(&[r#"api=GetVersion,times=0,status=200,body={"version":"nightly"}"#]);
    let said = ["says that its version is `nightly`", "it is sent; servers have it from version"];
    rackform.run(&["apply", "--auto-approve"]).expect(0).says(&said);
    assert_eq!(cloud.one("/clusters")["architecture"], "aarch64");
    // A server that cannot be asked is another matter.
    cloud.faults(&["api=GetVersion,times=0,status=400,body=no"]);
    rackform.run(&["plan"]).expect(1).says(&["cannot ask provider.zstack for its version"]);
}
