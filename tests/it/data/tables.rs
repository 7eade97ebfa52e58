//! Tables with instances, in modules and of other clouds: what they cost and where they can stand.

use serde_json::json;

use super::{calls, id, seeded, with};
use crate::common::cloud::Cloud;
use crate::common::process::Rackform;

/// A cloud with a zone of `count` hosts.
fn hosts(count: usize) -> Cloud {
    let cloud = Cloud::start();
    let host =
        |n: usize| json!({ "name": format!("kvm{n:03}"), "managementIp": format!("10.0.1.{n}") });
    let hosts: Vec<_> = (0..count).map(host).collect();
    let zones = json!([{ "name": "east", "clusters": [{ "name": "a", "hosts": hosts }] }]);
    cloud.control(reqwest::Method::POST, "seed", Some(json!({ "zones": zones })));
    cloud.reset();
    cloud
}

#[test]
fn two_hundred_look_ups_are_two_queries() {
    let cloud = hosts(200);
    let config = r#"
[data.host.each]
for_each = '${[for n in range(200) : format("kvm%03d", n)]}'
name     = '${each.value}'
[locals]
ips = '${{ for name, host in data.host.each : name => host.management_ip }}'
[zone.of]
for_each    = '${{ for name, ip in local.ips : name => ip if contains(["kvm198", "kvm199"], name) }}'
description = '${each.value}'
[zone.counted]
count = '${length(data.host.each)}'
"#;
    let outcome = with(&cloud, config).run(&["plan"]).expect(0);
    assert!(outcome.stdout.contains("10.0.1.199"), "{}", outcome.stdout);
    assert!(outcome.stdout.contains("202 to create"), "{}", outcome.stdout);
    let asked = calls(&cloud, "QueryHost");
    assert!(asked <= 2, "{asked} queries");
    cloud.assert_no_violations();
    with(&cloud, config).run(&["validate"]).expect(0);
}

#[test]
fn tables_in_modules_are_asked_together() {
    let cloud = hosts(20);
    let config = r#"
[module.host]
source   = "./host"
for_each = '${[for n in range(20) : format("kvm%03d", n)]}'
name     = '${each.key}'
[zone.seen]
description = '${join(" ", module.host[*].ip)}'
"#;
    let rackform = with(&cloud, config);
    let module = r#"
[variable.name]
[data.host.this]
name = '${var.name}'
[output.ip]
value = '${data.host.this.management_ip}'
[zone.in]
description = '${data.host.this.name}'
"#;
    rackform.write("host/main.rack.toml", module);
    rackform.run(&["validate"]).expect(0);
    let outcome = rackform.run(&["plan"]).expect(0);
    assert!(outcome.stdout.contains("10.0.1.0 10.0.1.1 10.0.1.2 "), "{}", outcome.stdout);
    assert_eq!(calls(&cloud, "QueryHost"), 1, "{}", cloud.counts());
    cloud.assert_no_violations();
}

/// Settings are evaluated before anything can be looked up.
#[test]
fn a_provider_cannot_be_set_by_what_it_looks_up() {
    let config =
        "[provider.zstack]\nendpoint = '${data.zone.z.name}'\n[data.zone.z]\nname = \"z\"\n";
    for command in ["validate", "plan"] {
        let said = Rackform::with(config).run(&[command]).expect(1).stderr;
        assert!(said.contains("`data` cannot be used here"), "{said}");
        assert!(said.contains("providers also variables and locals"), "{said}");
        assert!(said.contains("main.rack.toml:2:15"), "{said}");
    }
    let through = "[provider.zstack]\nendpoint = '${local.e}'\n[locals]\ne = '${data.zone.z.name}'\n\
                   [data.zone.z]\nname = \"z\"\n";
    let said = Rackform::with(through).run(&["validate"]).expect(1).stderr;
    assert!(said.contains("`data` cannot be used here"), "a local does not carry it: {said}");
    assert!(said.contains("main.rack.toml:4:8"), "{said}");
}

/// Two clouds of one kind: resources, look-ups and calls say which one is meant.
#[test]
fn a_second_cloud_of_the_same_kind() {
    let (east, dr) = (seeded(), Cloud::start());
    let zones = json!([{ "name": "far", "clusters": [{ "name": "a" }] }]);
    dr.control(reqwest::Method::POST, "seed", Some(json!({ "zones": zones })));
    let alias = dr.provider().replace("[provider.zstack]", "[provider.dr]\ntype = \"zstack\"");
    let tables = r#"
[zone.here]
provider = "zstack"
[zone.there]
provider = "dr"
[data.zone.far]
provider = "dr"
name     = "far"
[cluster.in_far]
provider        = "dr"
zone            = '${data.zone.far}'
hypervisor_type = "KVM"
[module.hall]
source   = "./hall"
provider = "dr"
"#;
    let rackform = with(&east, &format!("{alias}{tables}"));
    rackform.write("hall/main.rack.toml", "[zone.hall]\n[data.zone.far]\nname = \"far\"\n");
    rackform.run(&["validate"]).expect(0);
    rackform.run(&["apply", "--auto-approve"]).expect(0);
    let names = |cloud: &Cloud| -> Vec<String> {
        let rows = cloud.rows("/zones");
        rows.iter().filter_map(|row| row["name"].as_str().map(str::to_owned)).collect()
    };
    assert!(names(&east).contains(&"here".to_owned()), "{:?}", names(&east));
    assert!(!names(&east).contains(&"there".to_owned()), "{:?}", names(&east));
    let mut far = names(&dr);
    far.sort();
    assert_eq!(far, ["far", "hall", "there"]);
    assert_eq!(dr.one("/clusters?q=name=in_far")["zoneUuid"], id(&dr, "/zones?q=name=far"));
    let state: serde_json::Value =
        serde_json::from_str(&rackform.read("rackform.state.json")).expect("JSON");
    let text = state.to_string();
    assert!(text.contains("\"dr\"") && text.contains(dr.url()), "{text}");
    rackform.run(&["plan", "--detailed-exitcode"]).expect(0);

    // Without saying which, there is no telling.
    let rackform = with(&east, &format!("{alias}[zone.x]\n[data.zone.y]\nname = \"y\"\n"));
    let said = rackform.run(&["validate"]).expect(1).stderr;
    assert!(said.contains("2 errors"), "{said}");
    rackform.run(&["plan"]).expect(1);
}
