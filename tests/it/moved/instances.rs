//! Instances and modules: keys change, single resources become many, blocks go into modules.

use super::{applied, apply, configure, is_settled, moves, sent};

/// Racks with a host each, and a storage that is attached to all. Names do not follow the keys.
const ROW: &str = r#"
[zone.east]
name = "East"

[cluster.rack]
for_each        = { a = 1, b = 2 }
zone            = "zone.east"
hypervisor_type = "KVM"
name            = 'rack ${each.value}'

[host.kvm]
for_each      = { a = 1, b = 2 }
cluster       = '${cluster.rack[each.key]}'
management_ip = '10.0.1.${each.value}'
username      = "root"
password      = '${env("ZSTACK_PASSWORD")}'
name          = 'kvm ${each.value}'

[nfs_primary_storage.shared]
zone     = "zone.east"
url      = "10.0.9.5:/export"
name     = "shared"
clusters = '${cluster.rack[*]}'
"#;

/// After such an apply nothing was sent and nothing is left to do.
#[track_caller]
fn only_moves(before: &str, after: &str, modules: &[(&str, &str)]) -> String {
    let (cloud, rackform) = applied(before);
    for (path, text) in modules {
        rackform.write(path, text);
    }
    configure(&rackform, &cloud, after);
    apply(&rackform).expect(0);
    assert_eq!(sent(&cloud), Vec::<String>::new());
    is_settled(&rackform, &cloud);
    rackform.run(&["state", "list"]).expect(0).stdout
}

#[test]
fn keys_change_and_attachments_follow() {
    let after = ROW.replace("{ a = 1, b = 2 }", "{ alpha = 1, b = 2 }");
    let moved = moves(&[
        ("cluster.rack[\"a\"]", "cluster.rack[\"alpha\"]"),
        ("host.kvm[\"a\"]", "host.kvm[\"alpha\"]"),
    ]);
    insta::assert_snapshot!(only_moves(ROW, &(after + &moved), &[]), @r#"
    cluster.rack["alpha"]
    cluster.rack["b"]
    host.kvm["alpha"]
    host.kvm["b"]
    nfs_primary_storage.shared
    nfs_primary_storage.shared.clusters["cluster.rack[\"alpha\"]"]
    nfs_primary_storage.shared.clusters["cluster.rack[\"b\"]"]
    zone.east
    "#);
}

#[test]
fn a_block_moves_with_all_its_instances() {
    let after = ROW.replace("cluster.rack", "cluster.row").replace("host.kvm", "host.node");
    let moved = moves(&[("cluster.rack", "cluster.row"), ("host.kvm", "host.node")]);
    let list = only_moves(ROW, &(after + &moved), &[]);
    assert!(list.contains("clusters[\"cluster.row[\\\"a\\\"]\"]"), "{list}");
}

#[test]
fn single_resources_become_instances_and_back() {
    let single = "[zone.a]\nname = \"A\"\n[zone.b]\nname = \"B\"\n";
    let many = "[zone.all]\nfor_each = { a = \"A\", b = \"B\" }\nname = '${each.value}'\n";
    let to = [("zone.a", "zone.all[\"a\"]"), ("zone.b", "zone.all[\"b\"]")];
    let back = to.map(|(from, to)| (to, from));
    assert_eq!(
        only_moves(single, &(many.to_owned() + &moves(&to)), &[]),
        "zone.all[\"a\"]\nzone.all[\"b\"]\n"
    );
    assert_eq!(only_moves(many, &(single.to_owned() + &moves(&back)), &[]), "zone.a\nzone.b\n");
    // The label stays: the block is still declared, the resource without a key is not.
    let same = "[zone.a]\nfor_each = [\"x\"]\nname = \"A\"\n";
    let moved = moves(&[("zone.a", "zone.a[\"x\"]")]);
    let one = "[zone.a]\nname = \"A\"\n";
    assert_eq!(only_moves(one, &(same.to_owned() + &moved), &[]), "zone.a[\"x\"]\n");
}

const HALL: &str = "[zone.z]\nname = \"Z\"\n[cluster.c]\nzone = \"zone.z\"\nhypervisor_type = \"KVM\"\nname = \"C\"\n";

#[test]
fn blocks_go_into_modules_and_modules_get_other_names_and_instances() {
    let hall = ("modules/hall/main.rack.toml", HALL);
    let call = |name: &str| format!("[module.{name}]\nsource = \"./modules/hall\"\n");
    let into = moves(&[("zone.z", "module.hall.zone.z"), ("cluster.c", "module.hall.cluster.c")]);
    let list = only_moves(HALL, &(call("hall") + &into), &[hall]);
    assert_eq!(list, "module.hall.cluster.c\nmodule.hall.zone.z\n");

    // Everything together: into a module that has another name by now, and then instances.
    let many = format!("{}for_each = [\"east\"]\n", call("row"));
    let on =
        into + &moves(&[("module.hall", "module.row"), ("module.row", "module.row[\"east\"]")]);
    let list = only_moves(HALL, &(many + &on), &[hall]);
    assert_eq!(list, "module.row[\"east\"].cluster.c\nmodule.row[\"east\"].zone.z\n");
}

#[test]
fn a_module_renames_what_is_in_it_for_all_its_instances() {
    let (cloud, rackform) = applied("");
    let name = "[variable.name]\ntype = \"string\"\n";
    let zone = |label: &str| format!("{name}[zone.{label}]\nname = '${{var.name}}'\n");
    let calls =
        "[module.hall]\nsource = \"./hall\"\nfor_each = [\"a\", \"b\"]\nname = '${each.key}'\n";
    rackform.write("hall/main.rack.toml", &zone("old"));
    configure(&rackform, &cloud, calls);
    apply(&rackform).expect(0).says(&["2 added"]);
    cloud.reset();
    rackform.write("hall/main.rack.toml", &(zone("new") + &moves(&[("zone.old", "zone.new")])));
    apply(&rackform).expect(0);
    assert_eq!(sent(&cloud), Vec::<String>::new());
    is_settled(&rackform, &cloud);
    let list = rackform.run(&["state", "list"]).expect(0).stdout;
    assert_eq!(list, "module.hall[\"a\"].zone.new\nmodule.hall[\"b\"].zone.new\n");
}

#[test]
fn a_renamed_block_and_a_renamed_module_are_one_move_each() {
    let (cloud, rackform) = applied(ROW);
    let renamed = ROW.replace("host.kvm", "host.node").replace("cluster.rack", "cluster.row");
    configure(&rackform, &cloud, &renamed);
    let plan = rackform.run(&["plan"]).expect(0);
    plan.clone().says(&[
        "4 objects to destroy are the same as 4 to create",
        "from = \"cluster.rack\" to = \"cluster.row\"",
        "from = \"host.kvm\" to = \"host.node\"",
    ]);
    assert_eq!(plan.stdout.matches("[[moved]]").count(), 2, "{}", plan.stdout);
    let keys = ROW.replace("{ a = 1, b = 2 }", "{ alpha = 1, b = 2 }");
    configure(&rackform, &cloud, &keys);
    let plan = rackform.run(&["plan"]).expect(0);
    plan.says(&[r#"from = 'host.kvm["a"]' to = 'host.kvm["alpha"]'"#]);

    let (cloud, rackform) = applied(HALL);
    rackform.write("modules/hall/main.rack.toml", HALL);
    let call = |name: &str| format!("[module.{name}]\nsource = \"./modules/hall\"\n");
    configure(&rackform, &cloud, &call("a"));
    let into = rackform.run(&["plan"]).expect(0);
    into.says(&["from = \"cluster.c\" to = \"module.a.cluster.c\""]);
    let both = moves(&[("zone.z", "module.a.zone.z"), ("cluster.c", "module.a.cluster.c")]);
    configure(&rackform, &cloud, &(call("a") + &both));
    apply(&rackform).expect(0);
    configure(&rackform, &cloud, &call("b"));
    let plan = rackform.run(&["plan"]).expect(0);
    plan.clone().says(&["from = \"module.a\" to = \"module.b\""]);
    assert_eq!(plan.stdout.matches("[[moved]]").count(), 1, "{}", plan.stdout);
}

#[test]
fn one_instance_is_given_away() {
    let (cloud, rackform) = applied(ROW);
    let after = ROW.replace("{ a = 1, b = 2 }", "{ b = 2 }")
        + "[[removed]]\nfrom = 'cluster.rack[\"a\"]'\ndestroy = false\n\
           [[removed]]\nfrom = 'host.kvm[\"a\"]'\ndestroy = false\n";
    configure(&rackform, &cloud, &after);
    apply(&rackform).expect(0).says(&["3 forgotten"]);
    assert_eq!(sent(&cloud), Vec::<String>::new());
    is_settled(&rackform, &cloud);
}

#[test]
fn an_instance_is_replaced_with_its_own_rack_only() {
    let trigger = "lifecycle = { replace_triggered_by = ['cluster.rack[\"${each.key}\"].name'] }\nname          = 'kvm";
    let text = ROW.replace("name          = 'kvm", trigger);
    let (cloud, rackform) = applied(&text);
    let renamed =
        text.replace("'rack ${each.value}'", "'${each.key == \"a\" ? \"A\" : \"rack 2\"}'");
    configure(&rackform, &cloud, &renamed);
    let plan = rackform.run(&["plan"]).expect(0);
    plan.says(&[
        "host.kvm[\"a\"] must be replaced: its replace_triggered_by names cluster.rack[\"a\"].name",
        "1 to add, 1 to change, 1 to destroy",
    ]);
    // All instances of a block.
    let all = renamed.replace("cluster.rack[\"${each.key}\"].name", "cluster.rack");
    configure(&rackform, &cloud, &all);
    rackform.run(&["plan"]).expect(0).says(&["2 to add, 1 to change, 2 to destroy"]);
    apply(&rackform).expect(0);
    is_settled(&rackform, &cloud);
}

#[test]
fn instances_are_protected_ignored_and_waited_for_by_their_addresses() {
    let zones = "[zone.z]\nfor_each = { a = \"x\", b = \"x\" }\ndescription = '${each.value}'\n\
                 lifecycle = { prevent_destroy = true, ignore_changes = [\"description\"] }\n\
                 [zone.last]\ndepends_on = ['zone.z[\"b\"]']\n";
    let (cloud, rackform) = applied(zones);
    let state = rackform.run(&["state", "show", "zone.last"]).expect(0).stdout;
    assert!(state.contains(r#"zone.z["b"]"#), "{state}");
    configure(&rackform, &cloud, &zones.replace("b = \"x\"", "b = \"y\""));
    is_settled(&rackform, &cloud);
    // A key that is gone is protected, under its old and under a new address.
    let gone = zones.replace("a = \"x\", ", "");
    configure(&rackform, &cloud, &gone);
    rackform.run(&["plan"]).expect(1).says(&[r#"`zone.z["a"]` is protected"#]);
    let key = zones.replace("a = \"x\"", "c = \"x\"");
    configure(&rackform, &cloud, &key);
    rackform.run(&["plan"]).expect(1).says(&[r#"from = 'zone.z["a"]'"#, r#"to = 'zone.z["c"]'"#]);
    configure(&rackform, &cloud, &(key + &moves(&[("zone.z[\"a\"]", "zone.z[\"c\"]")])));
    apply(&rackform).expect(0);
    is_settled(&rackform, &cloud);
    configure(&rackform, &cloud, &gone);
    rackform.run(&["plan"]).expect(1).says(&[r#"`zone.z["c"]` is protected"#]);
}

#[test]
fn a_module_gets_count_and_a_key_of_it_goes() {
    let hall = ("modules/hall/main.rack.toml", "[zone.z]\nname = \"Z\"\n");
    let (cloud, rackform) = applied("");
    rackform.write(hall.0, hall.1);
    let call = "[module.hall]\nsource = \"./modules/hall\"\n";
    configure(&rackform, &cloud, call);
    apply(&rackform).expect(0);
    configure(&rackform, &cloud, &format!("{call}count = 1\n"));
    let plan = rackform.run(&["plan"]).expect(0).stdout;
    assert!(plan.contains("module.hall.zone.z has moved to module.hall[\"0\"].zone.z"), "{plan}");
    apply(&rackform).expect(0);
    configure(&rackform, &cloud, &format!("{call}count = 0\n"));
    let plan = rackform.run(&["plan"]).expect(0).stdout;
    assert!(plan.contains("its key is gone from the for_each or count of module.hall"), "{plan}");
}
