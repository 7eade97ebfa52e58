//! What a plan says of objects that go, and `state list` of a part of the state.

use serde_json::{Value, json};

use super::common::cloud::Cloud;
use super::common::process::Rackform;

const CONFIG: &str = r#"
[zone.z]
for_each    = ["a", "b"]
description = "hall"

[zone.other]

[cluster.c]
zone            = '${zone.z["a"]}'
hypervisor_type = "KVM"

[host.kvm]
cluster       = "cluster.c"
management_ip = "10.0.1.11"
username      = "root"
password      = "hunter2"

[module.racks]
source = "./racks"
"#;

fn applied() -> (Cloud, Rackform) {
    let cloud = Cloud::start();
    let rackform = Rackform::with(&format!("{}{CONFIG}", cloud.provider()));
    rackform.write("racks/main.rack.toml", "[zone.z]\nname = \"inner\"\n");
    rackform.run(&["apply", "--auto-approve"]).expect(0);
    (cloud, rackform)
}

#[test]
fn a_deletion_shows_what_goes() {
    let (_cloud, rackform) = applied();
    let text = rackform.run(&["plan", "--destroy"]).expect(0).stdout;
    let at = text.find("- host.kvm").unwrap_or_else(|| panic!("{text}"));
    let mut lines = text[at..].lines().skip(1).take(2).map(str::trim);
    assert_eq!(lines.next(), Some("- name          = \"kvm\""), "{text}");
    assert_eq!(lines.next(), Some("- management_ip = \"10.0.1.11\""), "{text}");
    let text = rackform.run(&["plan", "--destroy", "--format", "json"]).expect(0).stdout;
    assert!(!text.contains("hunter2"));
    let plan: Value = serde_json::from_str(&text).unwrap_or_else(|e| panic!("{e}: {text}"));
    let changes = plan["resource_changes"].as_array().expect("a list");
    let host = changes.iter().find(|c| c["address"] == "host.kvm").expect("the host");
    let before = &host["change"]["before"];
    assert_eq!(before["management_ip"], json!("10.0.1.11"), "{before:#}");
    assert_eq!(before["name"], json!("kvm"), "{before:#}");
    assert_eq!(before.get("password"), None, "{before:#}");
    assert_eq!(host["change"]["after"], Value::Null);
}

#[test]
fn a_part_of_the_state_is_listed() {
    let (_cloud, rackform) = applied();
    let list = |args: &[&str]| {
        let out = rackform.run(&[&["state", "list"], args].concat()).expect(0).stdout;
        out.lines().map(str::to_owned).collect::<Vec<_>>()
    };
    let (a, b, inner) = (r#"zone.z["a"]"#, r#"zone.z["b"]"#, "module.racks.zone.z");
    assert_eq!(list(&["zone.z"]), [a, b]);
    assert_eq!(list(&[a, "host"]), ["host.kvm", a]);
    assert_eq!(list(&["module.racks"]), [inner]);
    assert_eq!(list(&["zone"]), [inner, "zone.other", a, b]);
    assert_eq!(list(&["zone.o*"]), ["zone.other"]);
    for (wrong, near) in [("zone.othr", "zone.other"), ("hots", "host"), ("hots.kvm", "host.kvm")] {
        let failed = rackform.run(&["state", "list", wrong]).expect(1);
        assert_eq!(failed.stdout, "");
        let hint = format!("did you mean `{near}`?");
        assert!(failed.stderr.contains(&hint), "{}", failed.stderr);
    }
}
