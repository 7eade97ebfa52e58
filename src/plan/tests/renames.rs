//! `[[moved]]`, `[[removed]]`, and what says that objects were probably renamed.

use super::world::{World, address};

const RACK: &str = "[zone.z]\n[cluster.rack]\nzone = \"zone.z\"\nhypervisor_type = \"KVM\"\nname = \"R\"\n[nfs_primary_storage.s]\nzone = \"zone.z\"\nurl = \"10.0.0.1:/e\"\nclusters = [\"cluster.rack\"]\n";

fn renamed(text: &str) -> String {
    text.replace("cluster.rack", "cluster.row")
}

fn moved(from: &str, to: &str) -> String {
    format!("[[moved]]\nfrom = '{from}'\nto = '{to}'\n")
}

#[test]
fn a_move_changes_the_state_and_nothing_else() {
    let text = renamed(RACK) + &moved("cluster.rack", "cluster.row");
    insta::assert_snapshot!(World::of(RACK).show(&text), @r"
    Record cluster.row: Moved
      was cluster.rack
    ");
    // Long after, or in another directory.
    assert_eq!(World::of(&renamed(RACK)).show(&text), "nothing");
}

#[test]
fn a_name_that_follows_from_the_label_changes_with_it() {
    let text = "[zone.b]\n".to_owned() + &moved("zone.a", "zone.b");
    insta::assert_snapshot!(World::of("[zone.a]\n").show(&text), @r#"
    Update zone.b: Differs
      was zone.a
      name "a" -> "b"
    #0 update (updateZone) zone.b
    "#);
}

#[test]
fn what_was_half_made_is_found_under_its_new_address() {
    let mut world = World::of(RACK);
    world.unfinished("cluster.rack");
    let text = renamed(RACK) + &moved("cluster.rack", "cluster.row");
    insta::assert_snapshot!(world.show(&text), @r"
    Adopt cluster.row: Unfinished
      was cluster.rack
    ");
}

#[test]
fn a_block_that_gets_or_loses_count_keeps_its_object() {
    let one = RACK;
    let many = RACK.replace("[cluster.rack]\n", "[cluster.rack]\ncount = 1\n");
    let many = many.replace("\"cluster.rack\"", "'cluster.rack[\"0\"]'");
    insta::assert_snapshot!(World::of(one).show(&many), @r#"
    Record cluster.rack["0"]: Moved
      was cluster.rack
    "#);
    insta::assert_snapshot!(World::of(&many).show(one), @r#"
    Record cluster.rack: Moved
      was cluster.rack["0"]
    "#);
    // A key of `for_each` is a name, and not the first of a number.
    let keys = "[zone.z]\nname = \"z\"\nfor_each = [\"0\"]\n";
    let shown = World::of("[zone.z]\nname = \"z\"\n").show(keys);
    assert!(shown.contains("Delete zone.z: "), "{shown}");
    // What is written goes first.
    let two = "[zone.z]\nname = \"z${count.index}\"\ncount = 2\n".to_owned();
    insta::assert_snapshot!(World::of("[zone.z]\nname = \"z1\"\n").show(&(two + &moved("zone.z", "zone.z[\"1\"]"))), @r#"
    Create zone.z["0"]: New
      name none -> "z0"
    Record zone.z["1"]: Moved
      was zone.z
    #0 create zone.z["0"]
    "#);
}

#[test]
fn what_is_destroyed_needs_no_move() {
    let text = renamed(RACK) + &moved("cluster.rack", "cluster.row");
    let shown = World::of(RACK).destroy().show(&text);
    assert!(shown.contains("Delete cluster.rack: Destroy"), "{shown}");
}

#[test]
fn a_rename_without_a_move_is_noticed_with_what_is_below_it() {
    let mut old = "[zone.a]\ndescription = \"hall\"\n".to_owned();
    for n in 1..=3 {
        old += &format!(
            "[cluster.c{n}]\nzone = \"zone.a\"\nhypervisor_type = \"KVM\"\nname = \"C{n}\"\n"
        );
    }
    let new = old.replace("zone.a", "zone.b").replace("cluster.c1", "cluster.first");
    let shown = World::of(&old).show(&new);
    let note: Vec<&str> = shown.lines().skip_while(|line| !line.starts_with("note")).collect();
    insta::assert_snapshot!(note.join("\n"), @r#"
    note  2 objects to destroy are the same as 2 to create, but for their addresses
      if they were renamed, say so, and nothing is destroyed:
      [[moved]]
      from = "cluster.c1"
      to   = "cluster.first"
      [[moved]]
      from = "zone.a"
      to   = "zone.b"
    "#);
}

#[test]
fn what_differs_or_is_one_of_many_alike_is_not_guessed() {
    let world = World::of("[zone.a]\ndescription = \"x\"\n");
    let notes = |world: &World, text: &str| world.plan(text).expect("a plan").notes;
    assert_eq!(notes(&world, "[zone.b]\ndescription = \"x\"\n").len(), 1);
    assert_eq!(notes(&world, "[zone.b]\ndescription = \"y\"\n"), []);
    assert_eq!(notes(&world, "[zone.b]\ndescription = \"x\"\nname = \"B\"\n"), []);
    // Its name was written, and is not any more: that is no rename alone.
    let named = World::of("[zone.a]\nname = \"hall\"\n");
    assert_eq!(notes(&named, "[zone.b]\n"), []);
    assert_eq!(notes(&named, "[zone.b]\nname = \"hall\"\n").len(), 1);
    let two = World::of("[zone.a]\n[zone.b]\n");
    assert_eq!(notes(&two, "[zone.c]\n[zone.d]\n"), []);
    assert_eq!(notes(&two, "[zone.a]\n[zone.d]\n").len(), 1);
}

#[test]
fn protection_does_not_hide_that_something_was_renamed() {
    let text = "[zone.a]\nlifecycle = { prevent_destroy = true }\n";
    insta::assert_snapshot!(World::of(text).show(&text.replace("zone.a", "zone.b")), @r#"
    prevent_destroy: `zone.a` is protected and would be destroyed
      Its block is gone, but it was applied with `prevent_destroy = true`.
      put the block back with `prevent_destroy = false`, apply, then remove it
    note: `zone.a` and `zone.b` are the same but for their address
      if they were renamed, say so, and nothing is destroyed:
      [[moved]]
      from = "zone.a"
      to   = "zone.b"
    "#);
}

#[test]
fn what_is_removed_is_destroyed_or_forgotten() {
    let rest = "[zone.z]\n[nfs_primary_storage.s]\nzone = \"zone.z\"\nurl = \"10.0.0.1:/e\"\nclusters = []\n";
    let destroy = "[[removed]]\nfrom = \"cluster.rack\"\n";
    insta::assert_snapshot!(World::of(RACK).show(&format!("{rest}{destroy}")), @r#"
    Delete cluster.rack: Removed
    Delete nfs_primary_storage.s.clusters["cluster.rack"]: NotInConfiguration
    #0 delete cluster.rack after #1
    #1 detach nfs_primary_storage.s.clusters["cluster.rack"]
    "#);
    let forget = format!("{destroy}destroy = false\n");
    let both = "Forget cluster.rack: Removed\nForget nfs_primary_storage.s.clusters[\"cluster.rack\"]: Removed\n";
    assert_eq!(World::of(RACK).show(&format!("{rest}{forget}")), both);
    let destroyed = World::of(RACK).destroy().show(&format!("{rest}{forget}"));
    // The server deletes no storage that is attached.
    insta::assert_snapshot!(destroyed, @r#"
    Forget cluster.rack: Removed
    Delete nfs_primary_storage.s: Destroy
    Delete nfs_primary_storage.s.clusters["cluster.rack"]: Destroy
    Delete zone.z: Destroy
    #0 delete nfs_primary_storage.s after #1
    #1 detach nfs_primary_storage.s.clusters["cluster.rack"]
    #2 delete zone.z after #0 #1
    "#);
    let mut half = World::of(RACK);
    half.unfinished("cluster.rack");
    half.unfinished("nfs_primary_storage.s.clusters[\"cluster.rack\"]");
    let shown = half.show(&format!("{rest}{forget}"));
    assert!(shown.starts_with(&both.replace("Removed", "Unfinished")), "{shown}");
}

#[test]
fn who_refers_to_what_is_forgotten_refers_to_its_id() {
    let world = World::of("[zone.z]\n[cluster.c]\nzone = \"zone.z\"\nhypervisor_type = \"KVM\"\n");
    let id = super::world::id(&address("zone.z"));
    let text = format!(
        "[cluster.c]\nzone = \"id:{id}\"\nhypervisor_type = \"KVM\"\n\
         [[removed]]\nfrom = \"zone.z\"\ndestroy = false\n"
    );
    insta::assert_snapshot!(world.show(&text), @r"
    Record cluster.c: Dependencies
    Forget zone.z: Removed
    ");
}

#[test]
fn what_it_is_triggered_by_replaces_it() {
    let base = "[zone.z]\ndescription = \"x\"\n[cluster.c]\nzone = \"zone.z\"\nhypervisor_type = \"KVM\"\ndescription = \"x\"\n";
    let by = |trigger: &str, change: &str| {
        let host = format!(
            "[host.h]\ncluster = \"cluster.c\"\nmanagement_ip = \"10.0.1.1\"\nusername = \"root\"\npassword = \"x\"\nlifecycle = {{ replace_triggered_by = ['{trigger}'] }}\n"
        );
        let old = format!("{base}{host}");
        World::of(&old).show(&format!("{}{host}", base.replace("\"x\"", change)))
    };
    insta::assert_snapshot!(by("zone.z", "\"y\""), @r#"
    Update cluster.c: Differs
      description "x" -> "y"
    Replace host.h: Triggered(zone.z, None)
    Update zone.z: Differs
      description "x" -> "y"
    #0 update (updateCluster) cluster.c
    #1 delete host.h
    #2 create host.h after #1 #3
    #3 update (updateZone) zone.z
    "#);
    assert!(
        by("cluster.c.description", "\"y\"")
            .contains("Triggered(cluster.c, Some(\"description\"))")
    );
    assert!(!by("cluster.c.name", "\"y\"").contains("Replace"));
    assert_eq!(by("zone.z", "\"x\""), "nothing");
}

#[test]
fn data_is_not_replaced_by_a_trigger_alone() {
    let text = |description: &str| {
        format!(
            "[zone.z]\ndescription = \"{description}\"\n[nfs_primary_storage.s]\nzone = \"zone.z\"\nurl = \"10.0.0.1:/e\"\nlifecycle = {{ replace_triggered_by = [\"zone.z\"] }}\n"
        )
    };
    insta::assert_snapshot!(World::of(&text("x")).show(&text("y")), @r"
    replace_destroys_data: `nfs_primary_storage.s` would be replaced
      Replacing it destroys the data on it, so a plan never does that by itself.
      take it out of `replace_triggered_by`, or name it in the plan: --replace 'nfs_primary_storage.s'
    ");
    let asked = World::of(&text("x")).replace("nfs_primary_storage.s").show(&text("y"));
    assert!(asked.contains("Replace nfs_primary_storage.s"), "{asked}");
}

#[test]
fn everything_can_be_ignored() {
    let text =
        |rest: &str| format!("[zone.z]\n{rest}lifecycle = {{ ignore_changes = [\"all\"] }}\n");
    let world = World::of(&text("description = \"x\"\n"));
    assert_eq!(world.show(&text("description = \"y\"\nname = \"Z\"\n")), "nothing");
}

/// Ten thousand of each: looking at each pair would take minutes.
#[test]
fn many_renames_are_told_in_few_words() {
    let hosts = |label: &str| {
        let mut text =
            "[zone.z]\n[cluster.c]\nzone = \"zone.z\"\nhypervisor_type = \"KVM\"\n".to_owned();
        for n in 0..3_000 {
            text += &format!(
                "[host.{label}{n}]\ncluster = \"cluster.c\"\nmanagement_ip = \"10.0.{}.{}\"\nusername = \"root\"\npassword = \"x\"\n",
                n / 250,
                n % 250
            );
        }
        text
    };
    let plan = World::of(&hosts("a")).plan(&hosts("b")).expect("a plan");
    let [note] = plan.notes.as_slice() else { panic!("{:?}", plan.notes) };
    assert_eq!(
        note.text,
        "3000 objects to destroy are the same as 3000 to create, but for their addresses"
    );
    let help = note.help.as_deref().expect("moves to paste");
    assert_eq!(help.matches("[[moved]]").count(), 5);
    assert!(help.ends_with("# and 2995 more like these"), "{help}");
}
