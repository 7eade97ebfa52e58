//! One object over its life: gone, half made, changed outside, protected, in Maintenance.

use super::world::{World, address};

const ZONE: &str = "[zone.a]\nname = \"A\"\ndescription = \"hall\"\n";

fn host(rest: &str) -> String {
    format!(
        "[zone.z]\n[cluster.c]\nzone = \"zone.z\"\nhypervisor_type = \"KVM\"\n[host.h]\ncluster = \"cluster.c\"\nmanagement_ip = \"10.0.1.1\"\nusername = \"root\"\npassword = \"x\"\n{rest}"
    )
}

#[test]
fn gone_from_the_cloud_is_made_again() {
    let mut world = World::of(ZONE);
    world.vanish("zone.a");
    insta::assert_snapshot!(world.show(ZONE), @r#"
    Create zone.a: Vanished
      name none -> "A"
      description none -> "hall"
    #0 create zone.a
    drift zone.a: is gone
    "#);
    let plan = world.plan(ZONE).expect("a plan");
    assert_eq!(plan.changes[0].record.incarnation, 1, "the id of a deleted object stays taken");
    assert_eq!(plan.changes[0].id, None, "the old id is not promised");
}

#[test]
fn gone_and_no_longer_wanted_is_forgotten() {
    let mut world = World::of(ZONE);
    world.vanish("zone.a");
    insta::assert_snapshot!(world.show(""), @"Forget zone.a: Vanished");
}

#[test]
fn a_create_that_was_cut_off_is_found_or_made() {
    let mut found = World::of(ZONE);
    found.unfinished("zone.a");
    insta::assert_snapshot!(found.show(ZONE), @"Adopt zone.a: Unfinished");
    let mut absent = found;
    absent.vanish("zone.a");
    insta::assert_snapshot!(absent.show(ZONE), @r#"
    Create zone.a: Unfinished
      name none -> "A"
      description none -> "hall"
    #0 create zone.a
    "#);
}

/// A state put back from a copy, its journal lost: the objects made since are not foreign, though
/// they hold keys that the configuration wants.
#[test]
fn what_has_an_id_of_ours_is_ours_without_a_record() {
    let text = host("");
    let mut world = World::of(&text);
    for made in ["zone.z", "cluster.c", "host.h"] {
        world.unrecorded(made, 0);
    }
    insta::assert_snapshot!(world.show(&text), @r"
    Adopt cluster.c: Unfinished
    Adopt host.h: Unfinished
    Adopt zone.z: Unfinished
    ");
    // The id of another incarnation is none that we would choose next.
    let mut other = World::of(&text);
    other.unrecorded("host.h", 3);
    assert!(other.show(&text).starts_with("unique_key_taken"), "{}", other.show(&text));
    other.state.incarnations.insert(address("host.h"), 3);
    insta::assert_snapshot!(other.show(&text), @"Adopt host.h: Unfinished");
    assert_eq!(other.plan(&text).expect("a plan").changes[0].record.incarnation, 3);
}

#[test]
fn new_dependencies_are_written_down_at_once() {
    let depends = "[zone.a]\n[zone.b]\ndepends_on = [\"zone.a\"]\n";
    let free = "[zone.a]\n[zone.b]\n";
    let world = World::of(free);
    insta::assert_snapshot!(world.show(depends), @"Record zone.b: Dependencies");
    let plan = world.plan(depends).expect("a plan");
    assert_eq!(plan.changes[0].record.dependencies, [address("zone.a")]);
    let two = "[zone.a]\n[zone.b]\n[zone.c]\ndepends_on = [\"zone.a\", \"zone.b\"]\n";
    let mut world = World::of(two);
    let entry = world.state.entries.get_mut(&address("zone.c")).expect("an entry");
    // As `state mv` may leave it.
    entry.dependencies.reverse();
    assert_eq!(world.show(two), "nothing");
    insta::assert_snapshot!(World::of(depends).show(free), @"Record zone.b: Dependencies");
}

#[test]
fn a_create_that_was_cut_off_and_is_not_wanted_any_more_is_cleaned_up() {
    let text = host("");
    let mut world = World::of(&text);
    for unfinished in ["zone.z", "cluster.c", "host.h"] {
        world.unfinished(unfinished);
    }
    insta::assert_snapshot!(world.show(""), @r"
    Delete cluster.c: Unfinished
    Delete host.h: Unfinished
    Delete zone.z: Unfinished
    #0 delete cluster.c after #1
    #1 delete host.h
    #2 delete zone.z after #0
    ");
    world.vanish("host.h");
    insta::assert_snapshot!(world.show("[zone.z]\n"), @r"
    Delete cluster.c: Unfinished
    Forget host.h: Unfinished
    Adopt zone.z: Unfinished
    #0 delete cluster.c
    ");
}

#[test]
fn changed_outside_is_drift_and_the_cause() {
    let mut world = World::of(ZONE);
    world.set("zone.a", "name", "B");
    insta::assert_snapshot!(world.show(ZONE), @r#"
    Update zone.a: Drifted
      name "B" -> "A"
    #0 update (updateZone) zone.a
    drift zone.a: name "A" -> "B"
    "#);
}

#[test]
fn a_change_of_ours_is_not_blamed_on_somebody_elses() {
    let mut world = World::of(ZONE);
    world.set("zone.a", "description", "renovated");
    let wanted = "[zone.a]\nname = \"B\"\n";
    insta::assert_snapshot!(world.show(wanted), @r#"
    Update zone.a: Differs
      name "A" -> "B"
    #0 update (updateZone) zone.a
    drift zone.a: description "hall" -> "renovated"
    "#);
}

#[test]
fn what_is_not_managed_is_not_watched() {
    let mut world = World::of(ZONE);
    world.set("zone.a", "state", "Disabled");
    assert_eq!(world.show(ZONE), "nothing");
}

#[test]
fn ignored_changes_change_nothing() {
    let text = format!("{ZONE}lifecycle = {{ ignore_changes = [\"description\"] }}\n");
    let mut world = World::of(&text);
    world.set("zone.a", "description", "by hand");
    let plan = world.plan(&text).expect("a plan");
    assert!(plan.changes.is_empty(), "{:?}", plan.changes);
}

#[test]
fn an_empty_text_is_no_text() {
    let world = World::of("[zone.a]\n");
    assert_eq!(world.show("[zone.a]\ndescription = \"\"\n"), "nothing");
}

#[test]
fn protection_outlives_the_block_and_is_switched_by_itself() {
    let protected = format!("{ZONE}lifecycle = {{ prevent_destroy = true }}\n");
    let world = World::of(&protected);
    insta::assert_snapshot!(world.show(""), @r"
    prevent_destroy: `zone.a` is protected and would be destroyed
      Its block is gone, but it was applied with `prevent_destroy = true`.
      put the block back with `prevent_destroy = false`, apply, then remove it
    ");
    insta::assert_snapshot!(world.show(ZONE), @"Record zone.a: Protection");
    insta::assert_snapshot!(World::of(&protected).destroy().show(&protected), @r"
    prevent_destroy: `zone.a` is protected and would be destroyed
      It was applied with `prevent_destroy = true`.
      apply `lifecycle = { prevent_destroy = false }` first, then plan again
    ");
    insta::assert_snapshot!(World::of(ZONE).show(&protected), @"Record zone.a: Protection");
}

#[test]
fn switched_protection_is_said_beside_other_changes() {
    let protected = "[zone.a]\ndescription = \"a\"\nlifecycle = { prevent_destroy = true }\n";
    let other = "[zone.a]\ndescription = \"b\"\n";
    insta::assert_snapshot!(World::of(protected).show(other), @r#"
    Update zone.a: Differs
      prevent_destroy false
      description "a" -> "b"
    #0 update (updateZone) zone.a
    "#);
    let on = other.replace("\"b\"", "\"a\"") + "[zone.b]\n";
    let moved =
        on.replace("[zone.a]", "[zone.c]") + "[[moved]]\nfrom = \"zone.a\"\nto = \"zone.c\"\n";
    insta::assert_snapshot!(World::of(&format!("{protected}[zone.b]\n")).show(&moved), @r#"
    Update zone.c: Differs
      was zone.a
      prevent_destroy false
      name "a" -> "c"
    #0 update (updateZone) zone.c
    "#);
}

#[test]
fn a_protected_instance_whose_key_goes_is_not_to_unprotect_the_others() {
    let text = "[zone.a]\nfor_each = [\"x\", \"y\"]\nlifecycle = { prevent_destroy = true }\n";
    let shown = World::of(text).show(&text.replace(", \"y\"", ""));
    insta::assert_snapshot!(shown, @r#"
    prevent_destroy: `zone.a["y"]` is protected and would be destroyed
      Its key is gone from for_each or count, but it was applied with `prevent_destroy = true`.
      put the key back; or leave the object in the cloud and forget it: a `[[removed]]` with from = 'zone.a["y"]' and destroy = false, or rackform state rm 'zone.a["y"]'
    "#);
}

#[test]
fn protection_holds_against_a_replacement_from_above() {
    let text = host("lifecycle = { prevent_destroy = true }\n");
    insta::assert_snapshot!(World::of(&text).replace("cluster.c").show(&text), @r"
    prevent_destroy: `host.h` is protected and would be replaced
      It was applied with `prevent_destroy = true`.
      apply `lifecycle = { prevent_destroy = false }` first, then plan again
    ");
}

#[test]
fn data_is_replaced_only_by_name() {
    let local = |url: &str| {
        format!("[zone.z]\n[local_primary_storage.l]\nzone = \"zone.z\"\nurl = \"{url}\"\n")
    };
    let world = World::of(&local("/a"));
    insta::assert_snapshot!(world.show(&local("/b")), @r"
    replace_destroys_data: `local_primary_storage.l` would be replaced
      Replacing it destroys the data on it, so a plan never does that by itself.
      put the old value back, or name it in the plan: --replace 'local_primary_storage.l'
    ");
    insta::assert_snapshot!(world.replace("local_primary_storage.l").show(&local("/b")), @r#"
    Replace local_primary_storage.l: CannotUpdate(["url"])
      url "/a" -> "/b" !
    #0 delete local_primary_storage.l
    #1 create local_primary_storage.l after #0
    "#);
}

#[test]
fn a_rotated_secret_goes_alone_and_is_proven_by_the_reconnect() {
    let text = host("");
    let mut world = World::of(&text);
    world.rotated.insert(address("host.h"), vec!["password".into()]);
    insta::assert_snapshot!(world.show(&text), @r"
    Update host.h: Differs
      password <secret> -> <secret>
    #0 update (updateKVMHost) host.h
    #1 reconnect host.h after #0
    ");
    let plan = world.plan(&text).expect("a plan");
    let confirms: Vec<usize> = plan.steps.iter().map(|step| step.confirms.len()).collect();
    assert_eq!(confirms, [0, 1]);
}

#[test]
fn maintenance_is_entered_last_and_left_first() {
    let name = |state: &str| host(&format!("name = \"n\"\nssh_port = 2222\nstate = \"{state}\"\n"));
    let mut world = World::of(&host("state = \"Enabled\"\n"));
    insta::assert_snapshot!(world.show(&name("Maintenance")), @r#"
    Update host.h: Differs
      name "h" -> "n"
      ssh_port 22 -> 2222
      state "Enabled" -> "Maintenance"
    #0 update (updateHost) host.h
    #1 update (updateKVMHost) host.h after #0
    #2 reconnect host.h after #1
    #3 update (changeHostState) host.h after #2
    "#);
    world.set("host.h", "state", "Maintenance");
    insta::assert_snapshot!(world.show(&name("Enabled")), @r#"
    Update host.h: Differs
      name "h" -> "n"
      ssh_port 22 -> 2222
      state "Maintenance" -> "Enabled"
    #0 update (changeHostState) host.h
    #1 update (updateHost) host.h after #0
    #2 update (updateKVMHost) host.h after #1
    #3 reconnect host.h after #2
    drift host.h: state "Enabled" -> "Maintenance"
    "#);
}

#[test]
fn a_host_on_its_way_into_maintenance_is_not_sent_there_again() {
    let text = host("state = \"Maintenance\"\n");
    let mut world = World::of(&text);
    world.set("host.h", "state", "PreMaintenance");
    insta::assert_snapshot!(world.show(&text), @r#"
    drift host.h: state "Maintenance" -> "PreMaintenance"
    note host.h is on its way into Maintenance: its virtual machines still move
    "#);
    insta::assert_snapshot!(world.show(&host("state = \"Enabled\"\n")), @r#"
    Update host.h: Drifted
      state "PreMaintenance" -> "Enabled"
    #0 update (changeHostState) host.h
    drift host.h: state "Maintenance" -> "PreMaintenance"
    "#);
}

#[test]
fn a_state_that_create_does_not_take_follows_it() {
    let world = World::of("");
    insta::assert_snapshot!(world.show("[zone.a]\nstate = \"Disabled\"\n"), @r#"
    Create zone.a: New
      name none -> "a"
      state none -> "Disabled"
    #0 create zone.a
    #1 update (changeZoneState) zone.a after #0
    "#);
}
