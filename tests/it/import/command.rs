//! `rackform import ADDR ID`: one object at a time.

use serde_json::{Value, json};

use super::{HALL, configure, forgotten, id, is_settled, sent};
use crate::common::cloud::Cloud;
use crate::common::process::Rackform;

#[test]
fn objects_are_imported_by_id_and_by_name_with_what_is_attached() {
    let (cloud, rackform) = forgotten(HALL);
    let zone = id(&cloud, "/zones");
    let import = |args: &[&str]| rackform.run(&[&["import"], args].concat());
    import(&["zone.east", &zone]).expect(0).says(&["Imported: zone.east is", "Nothing differs"]);
    import(&["cluster.rack[\"a\"]", "Rack a"]).expect(0);
    import(&["cluster.rack[\"b\"]", "Rack b"]).expect(0);
    import(&["nfs_primary_storage.shared", "shared"]).expect(0);
    import(&["host.kvm[\"01\"]", "kvm-01"]).expect(0);
    import(&["host.kvm['02']", "kvm-02"]).expect(0);
    assert_eq!(sent(&cloud), Vec::<String>::new());
    is_settled(&rackform, &cloud);
}

#[test]
fn an_object_of_a_module_is_imported() {
    let (cloud, rackform) = forgotten("[zone.a]\n");
    rackform.write("hall/main.rack.toml", "[zone.a]\n");
    configure(&rackform, &cloud, "[module.hall]\ncount = 1\nsource = \"./hall\"\n");
    rackform.run(&["import", "module.hall[\"0\"].zone.a", "a"]).expect(0);
    assert_eq!(sent(&cloud), Vec::<String>::new());
    is_settled(&rackform, &cloud);
}

#[test]
fn what_would_change_is_shown_and_a_replacement_is_refused() {
    let (cloud, rackform) = forgotten(HALL);
    configure(&rackform, &cloud, &HALL.replace("\"East\"", "\"West\""));
    let zone = rackform.run(&["import", "zone.east", "East"]).expect(0);
    let shown = zone.stdout.clone() + &zone.stderr;
    insta::assert_snapshot!(shown.replace(&id(&cloud, "/zones"), "ID"));
    // A cluster's hypervisor cannot be changed.
    let other = HALL.replace("\"KVM\"", "\"Simulator\"").replace("\"East\"", "\"West\"");
    configure(&rackform, &cloud, &other);
    let before = rackform.read("rackform.state.json");
    let cluster = id(&cloud, "/clusters?q=name=Rack a");
    let args = ["import", "cluster.rack[\"a\"]", "Rack a"];
    let refused = rackform.run(&args).expect(3);
    let shown = refused.stdout.clone() + &refused.stderr;
    insta::assert_snapshot!(shown.replace(&cluster, "ID"));
    assert_eq!(rackform.read("rackform.state.json"), before);
    rackform.run(&[&args[..], &["--allow-replace"]].concat()).expect(0);
    assert!(rackform.read("rackform.state.json").contains(&cluster));
    assert_eq!(sent(&cloud), Vec::<String>::new());
    cloud.assert_no_violations();
}

#[test]
fn storage_that_would_be_replaced_is_imported_only_when_asked_for() {
    const LOCAL: &str = "[zone.a]\n[local_primary_storage.l]\nzone = \"zone.a\"\nurl = \"/data\"\n";
    let (cloud, rackform) = forgotten(LOCAL);
    configure(&rackform, &cloud, &LOCAL.replace("/data", "/other"));
    rackform.run(&["import", "zone.a", "a"]).expect(0);
    let args = ["import", "local_primary_storage.l", "l"];
    rackform.run(&args).expect(3).says(&["url cannot be changed in place", "--allow-replace"]);
    rackform.run(&[&args[..], &["--allow-replace"]].concat()).expect(0);
    assert_eq!(sent(&cloud), Vec::<String>::new());
    configure(&rackform, &cloud, LOCAL);
    is_settled(&rackform, &cloud);
}

/// What an import says that is refused; the state has `zone.a`, and a cluster `c` is in it.
fn said(configuration: &str, args: [&str; 2]) -> String {
    const START: &str = "[zone.a]\n[cluster.c]\nzone = \"zone.a\"\nhypervisor_type = \"KVM\"\n";
    let cloud = Cloud::start();
    let rackform = Rackform::with(&format!("{}{START}", cloud.provider()));
    rackform.run(&["apply", "--auto-approve"]).expect(0);
    rackform.run(&["state", "rm", "cluster.c"]).expect(0);
    let body = |name: &str| json!({"params": {"name": name, "hypervisorType": "KVM"}});
    for _ in 0..2 {
        let mut twin = body("twin");
        twin["params"]["zoneUuid"] = Value::String(id(&cloud, "/zones"));
        cloud.api(reqwest::Method::POST, "/clusters", Some(twin));
    }
    cloud.reset();
    let (zone, cluster) = (id(&cloud, "/zones"), id(&cloud, "/clusters?q=name=c"));
    configure(&rackform, &cloud, &(START.to_owned() + configuration));
    let before = rackform.read("rackform.state.json");
    let [address, object] = args.map(|arg| arg.replace("ZONE", &zone).replace("CLUSTER", &cluster));
    let import = rackform.run(&["import", &address, &object]).expect(1);
    assert_eq!(rackform.read("rackform.state.json"), before);
    assert_eq!(sent(&cloud), Vec::<String>::new());
    cloud.assert_no_violations();
    let mut text = import.stderr.replace(&zone, "ZONE").replace(&cluster, "CLUSTER");
    for twin in cloud.rows("/clusters?q=name=twin") {
        text = text.replace(twin["uuid"].as_str().expect("an id"), "TWIN");
    }
    text
}

#[test]
fn mistakes_are_told() {
    let all = [
        ("", ["cluster.c", "00000000000040008000000000000000"]),
        ("", ["cluster.c", "ZONE"]),
        ("", ["cluster.c", "nobody"]),
        ("", ["cluster.c", "twin"]),
        ("", ["zone.a", "ZONE"]),
        ("[zone.b]\n", ["zone.b", "ZONE"]),
        ("", ["cluster.d", "CLUSTER"]),
        ("", ["cluster.c.links[\"x\"]", "CLUSTER"]),
    ];
    let texts: Vec<String> = all.into_iter().map(|(text, args)| said(text, args)).collect();
    insta::assert_snapshot!(texts.join("\n"));
}

#[test]
fn what_was_forgotten_comes_back_and_nothing_is_made_or_destroyed() {
    let cloud = Cloud::start();
    let rackform = Rackform::with(&format!("{}{HALL}", cloud.provider()));
    rackform.run(&["apply", "--auto-approve"]).expect(0);
    cloud.reset();
    let host = id(&cloud, "/hosts?q=name=kvm-01");
    rackform.run(&["state", "rm", "host.kvm[\"01\"]"]).expect(0);
    rackform.run(&["import", "host.kvm[\"01\"]", &host]).expect(0);
    is_settled(&rackform, &cloud);
    rackform.run(&["state", "rm", "nfs_primary_storage.shared"]).expect(0);
    rackform.run(&["import", "nfs_primary_storage.shared", "shared"]).expect(0);
    is_settled(&rackform, &cloud);
    assert_eq!(sent(&cloud), Vec::<String>::new());
}
