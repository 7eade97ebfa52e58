//! `[[import]]`: imports as part of plan and apply.

use serde_json::Value;

use super::{HALL, apply, configure, forgotten, id, is_settled, sent};
use crate::common::cloud::Cloud;
use crate::common::process::Rackform;

/// `[[import]]` tables for everything in the hall.
fn imports(cloud: &Cloud) -> String {
    let (zone, storage) = (id(cloud, "/zones"), id(cloud, "/primary-storage"));
    let of = |path: &str| id(cloud, path);
    let (a, b) = (of("/clusters?q=name=Rack a"), of("/clusters?q=name=Rack b"));
    let (h1, h2) = (of("/hosts?q=name=kvm-01"), of("/hosts?q=name=kvm-02"));
    format!(
        r#"
[[import]]
to = "zone.east"
id = "{zone}"

[[import]]
to = "nfs_primary_storage.shared"
id = '${{data.nfs_primary_storage.there.id}}'

[data.nfs_primary_storage.there]
id = "{storage}"

[[import]]
for_each = {{ a = "{a}", b = "{b}" }}
to       = 'cluster.rack["${{each.key}}"]'
id       = '${{each.value}}'

[[import]]
for_each     = [{{ n = "01", id = "{h1}" }}, {{ n = "02", id = "{h2}" }}]
for_each_key = "n"
to           = 'host.kvm["${{each.key}}"]'
id           = '${{each.value.id}}'
"#
    )
}

#[test]
fn everything_is_imported_and_nothing_is_sent() {
    let (cloud, rackform) = forgotten(HALL);
    let imports = imports(&cloud);
    configure(&rackform, &cloud, &(HALL.to_owned() + &imports));
    let plan = rackform.run(&["plan", "--detailed-exitcode"]).expect(2);
    plan.says(&[
        "# host.kvm[\"01\"] will be imported",
        "0 to add, 0 to change, 0 to destroy, 8 to import",
    ]);
    apply(&rackform).expect(0).says(&["8 imported"]);
    assert_eq!(sent(&cloud), Vec::<String>::new());
    is_settled(&rackform, &cloud);
    let state = rackform.read("rackform.state.json");
    assert!(state.contains(&id(&cloud, "/hosts?q=name=kvm-02")), "{state}");
    // The tables may stay and may go.
    configure(&rackform, &cloud, HALL);
    is_settled(&rackform, &cloud);
    rackform.run(&["destroy", "--auto-approve"]).expect(0);
    assert_eq!(cloud.rows("/zones"), Vec::<Value>::new());
}

#[test]
fn an_import_with_a_change_sends_only_the_change() {
    let text = "[zone.east]\nname = \"East\"\n";
    let (cloud, rackform) = forgotten(text);
    let zone = id(&cloud, "/zones");
    let text =
        format!("[zone.east]\nname = \"West\"\n[[import]]\nto = \"zone.east\"\nid = \"{zone}\"\n");
    configure(&rackform, &cloud, &text);
    let plan = rackform.run(&["plan"]).expect(0).stdout.replace(&zone, "ID");
    insta::assert_snapshot!(plan);
    let markdown = rackform.run(&["plan", "--format", "markdown"]).expect(0).stdout;
    insta::assert_snapshot!(markdown.replace(&zone, "ID"));
    let json = rackform.run(&["plan", "--format", "json"]).expect(0).stdout;
    let json: Value = serde_json::from_str(&json).expect("a plan");
    let change = &json["resource_changes"][0]["change"];
    assert_eq!(change["importing"]["id"], *zone);
    assert_eq!(change["actions"], serde_json::json!(["update"]));
    let stream = rackform.run(&["plan", "--json"]).expect(0).stdout;
    let lines = stream.lines().map(|line| serde_json::from_str::<Value>(line).expect("JSON"));
    let lines: Vec<Value> = lines.collect();
    let planned = lines.iter().find(|l| l["type"] == "planned_change").expect("a change");
    assert_eq!(planned["change"]["importing"]["id"], *zone);
    let summary = lines.iter().find(|l| l["type"] == "change_summary").expect("a summary");
    assert_eq!(summary["changes"]["import"], 1);
    assert_eq!(summary["changes"]["change"], 1);
    apply(&rackform).expect(0).says(&["1 changed", "1 imported"]);
    assert_eq!(sent(&cloud), ["PUT zones"]);
    assert_eq!(cloud.one("/zones")["uuid"], *zone);
    is_settled(&rackform, &cloud);
}

#[test]
fn an_import_whose_change_fails_stays_imported() {
    let (cloud, rackform) = forgotten("[zone.east]\nname = \"East\"\n");
    let zone = id(&cloud, "/zones");
    let text =
        format!("[zone.east]\nname = \"West\"\n[[import]]\nto = \"zone.east\"\nid = \"{zone}\"\n");
    configure(&rackform, &cloud, &text);
    cloud.faults(&["api=UpdateZone,times=0,job-error=SYS.1006:no"]);
    apply(&rackform).expect(1);
    assert!(rackform.read("rackform.state.json").contains(&zone));
    cloud.faults(&[]);
    apply(&rackform).expect(0);
    assert_eq!(cloud.rows("/zones").len(), 1);
    is_settled(&rackform, &cloud);
}

#[test]
fn an_import_into_a_module_stands_in_the_root_or_in_it() {
    let (cloud, rackform) = forgotten("[zone.a]\n[zone.b]\n");
    let (a, b) = (id(&cloud, "/zones?q=name=a"), id(&cloud, "/zones?q=name=b"));
    let module = "[variable.id]\ntype = \"string\"\n[zone.a]\n[zone.b]\n\
                  [[import]]\nto = \"zone.b\"\nid = '${var.id}'\n";
    rackform.write("hall/main.rack.toml", module);
    let text = format!(
        "[module.hall]\nfor_each = [\"x\"]\nsource = \"./hall\"\nid = \"{b}\"\n\
         [[import]]\nto = 'module.hall[\"x\"].zone.a'\nid = \"{a}\"\n"
    );
    configure(&rackform, &cloud, &text);
    apply(&rackform).expect(0).says(&["2 imported"]);
    assert_eq!(sent(&cloud), Vec::<String>::new());
    is_settled(&rackform, &cloud);
}

/// What a plan says on a cloud with a zone `a` and a cluster `c` in it; the state has `zone.a`.
fn said(text: impl Fn(&str, &str) -> String) -> String {
    const START: &str = "[zone.a]\n[cluster.c]\nzone = \"zone.a\"\nhypervisor_type = \"KVM\"\n";
    let cloud = Cloud::start();
    let rackform = Rackform::with(&format!("{}{START}", cloud.provider()));
    apply(&rackform).expect(0);
    rackform.run(&["state", "rm", "cluster.c"]).expect(0);
    cloud.reset();
    let (zone, cluster) = (id(&cloud, "/zones"), id(&cloud, "/clusters"));
    configure(&rackform, &cloud, &(START.to_owned() + &text(&zone, &cluster)));
    let before = rackform.read("rackform.state.json");
    let plan = rackform.run(&["plan"]).expect(1);
    apply(&rackform).expect(1);
    assert_eq!(rackform.read("rackform.state.json"), before);
    assert_eq!(sent(&cloud), Vec::<String>::new());
    cloud.assert_no_violations();
    plan.stderr.replace(&zone, "ZONE").replace(&cluster, "CLUSTER")
}

fn import(to: &str, id: &str) -> String {
    format!("\n[[import]]\nto = '{to}'\nid = '{id}'\n")
}

#[test]
fn what_is_not_there_cannot_be_imported() {
    insta::assert_snapshot!(said(|zone, _| {
        "[cluster.d]\nzone = \"zone.a\"\nhypervisor_type = \"KVM\"\n".to_owned()
            + &import("cluster.c", &"0".repeat(32))
            + &import("cluster.d", zone)
    }));
}

#[test]
fn an_object_has_one_address() {
    insta::assert_snapshot!(said(|zone, cluster| {
        "[zone.b]\n[cluster.d]\nzone = \"zone.a\"\nhypervisor_type = \"KVM\"\n".to_owned()
            + &import("zone.b", zone)
            + &import("cluster.c", cluster)
    }));
}

#[test]
fn mistakes_in_the_tables_are_told_together() {
    insta::assert_snapshot!(said(|_, cluster| {
        "[zone.b]\n[cluster.d]\nzone = \"zone.a\"\nhypervisor_type = \"KVM\"\n".to_owned()
            + &import("cluster.c", cluster)
            + &import("cluster.d", cluster)
            + &import("cluster.c", "x")
            + &import("cluster.e", "x")
            + &import("zone", "x")
            + &import("zone.b.links[\"x\"]", "x")
            + &import("zone.b", "${zone.a}")
            + "[[import]]\nto = 3\nid = 4\ncount = 1\n[[import]]\nid = \"x\"\n"
            + "[[import]]\nto = \"zone.b\"\n"
            + "[[import]]\nfor_each = [1]\nto = \"zone.b\"\nid = \"x\"\n"
    }));
}

#[test]
fn an_address_that_is_taken_stays_taken() {
    let (cloud, rackform) = forgotten("[zone.a]\n[zone.b]\n");
    let (a, b) = (id(&cloud, "/zones?q=name=a"), id(&cloud, "/zones?q=name=b"));
    configure(&rackform, &cloud, &("[zone.a]\n".to_owned() + &import("zone.a", &a)));
    apply(&rackform).expect(0);
    configure(&rackform, &cloud, &("[zone.a]\n".to_owned() + &import("zone.a", &b)));
    let said = [format!("`zone.a` is already {a}"), "main.rack.toml:8".to_owned()];
    let plan = rackform.run(&["plan"]).expect(1);
    plan.says(&said.each_ref().map(|s| &**s));
    // An import stays harmless when its object was replaced since.
    configure(&rackform, &cloud, &("[zone.a]\n".to_owned() + &import("zone.a", &a)));
    rackform.run(&["apply", "--auto-approve", "--replace", "zone.a"]).expect(0);
    is_settled(&rackform, &cloud);
}

#[test]
fn an_import_needs_a_look_at_the_cloud() {
    let (cloud, rackform) = forgotten("[zone.a]\n");
    let zone = id(&cloud, "/zones");
    configure(&rackform, &cloud, &("[zone.a]\n".to_owned() + &import("zone.a", &zone)));
    let plan = rackform.run(&["plan", "--refresh=false"]).expect(1);
    plan.says(&["leave out --refresh=false"]);
    rackform.run(&["validate"]).expect(0);
}
