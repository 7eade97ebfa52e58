//! Attachments: ours, forgotten, somebody else's.

use super::world::World;

fn site(storage: &str, cluster: &str) -> String {
    format!(
        "[zone.z]\n[cluster.c]\nzone = \"zone.z\"\nhypervisor_type = \"KVM\"\n{cluster}\n[cluster.d]\nzone = \"zone.z\"\nhypervisor_type = \"KVM\"\n[local_primary_storage.l]\nzone = \"zone.z\"\nurl = \"/a\"\n{storage}\n"
    )
}

#[test]
fn a_shorter_list_detaches_and_a_removed_one_forgets() {
    let world = World::of(&site("clusters = [\"cluster.c\", \"cluster.d\"]", ""));
    insta::assert_snapshot!(world.show(&site("clusters = [\"cluster.d\"]", "")), @r#"
    Delete local_primary_storage.l.clusters["cluster.c"]: NotInConfiguration
    #0 detach local_primary_storage.l.clusters["cluster.c"]
    "#);
    insta::assert_snapshot!(world.show(&site("clusters = []", "")), @r#"
    Delete local_primary_storage.l.clusters["cluster.c"]: NotInConfiguration
    Delete local_primary_storage.l.clusters["cluster.d"]: NotInConfiguration
    #0 detach local_primary_storage.l.clusters["cluster.c"]
    #1 detach local_primary_storage.l.clusters["cluster.d"]
    "#);
    insta::assert_snapshot!(world.show(&site("", "")), @r#"
    Forget local_primary_storage.l.clusters["cluster.c"]: Unmanaged
    Forget local_primary_storage.l.clusters["cluster.d"]: Unmanaged
    "#);
}

#[test]
fn what_somebody_else_attached_is_noted_until_it_is_declared() {
    let mut world = World::of(&site("clusters = [\"cluster.c\"]", ""));
    world.attach("local_primary_storage.l", "clusters", "cluster.d");
    insta::assert_snapshot!(world.show(&site("clusters = [\"cluster.c\"]", "")), @"note local_primary_storage.l is attached to cluster.d, which rackform did not attach and leaves alone");
    insta::assert_snapshot!(world.show(&site("clusters = [\"cluster.c\", \"cluster.d\"]", "")), @r#"Adopt local_primary_storage.l.clusters["cluster.d"]: New"#);
}

#[test]
fn what_somebody_else_detached_is_attached_again_or_forgotten() {
    let text = site("clusters = [\"cluster.c\"]", "");
    let mut world = World::of(&text);
    world.detach("local_primary_storage.l");
    insta::assert_snapshot!(world.show(&text), @r#"
    Create local_primary_storage.l.clusters["cluster.c"]: Vanished
    #0 attach local_primary_storage.l.clusters["cluster.c"]
    drift local_primary_storage.l.clusters["cluster.c"]: is gone
    "#);
    insta::assert_snapshot!(world.show(&site("clusters = []", "")), @r#"Forget local_primary_storage.l.clusters["cluster.c"]: Vanished"#);
}

#[test]
fn the_other_side_may_take_over_the_declaration() {
    let world = World::of(&site("clusters = [\"cluster.c\"]", ""));
    let other = site("", "primary_storage = [\"local_primary_storage.l\"]");
    insta::assert_snapshot!(world.show(&other), @r#"Record local_primary_storage.l.clusters["cluster.c"]: Differs"#);
}

#[test]
fn a_cluster_that_is_gone_is_made_and_attached_again() {
    let text = site("clusters = [\"cluster.c\"]", "");
    let mut world = World::of(&text);
    world.vanish("cluster.c");
    world.detach("local_primary_storage.l");
    insta::assert_snapshot!(world.show(&text), @r#"
    Create cluster.c: Vanished
      name none -> "c"
      zone none -> zone.z
      hypervisor_type none -> "KVM"
    Create local_primary_storage.l.clusters["cluster.c"]: Vanished
    #0 create cluster.c
    #1 attach local_primary_storage.l.clusters["cluster.c"] after #0
    drift cluster.c: is gone
    drift local_primary_storage.l.clusters["cluster.c"]: is gone
    "#);
}
