//! Unique keys: handed over, swapped, held by somebody else.

use super::world::World;

fn hosts(ips: &[(&str, &str)]) -> String {
    let mut text =
        "[zone.z]\n[cluster.c]\nzone = \"zone.z\"\nhypervisor_type = \"KVM\"\n".to_owned();
    for (name, ip) in ips {
        text.push_str(&format!(
            "[host.{name}]\ncluster = \"cluster.c\"\nmanagement_ip = \"{ip}\"\nusername = \"root\"\npassword = \"x\"\n"
        ));
    }
    text
}

#[test]
fn whoever_takes_an_address_waits_for_whoever_gives_it_up() {
    let world = World::of(&hosts(&[("a", "10.0.1.1"), ("b", "10.0.1.2")]));
    insta::assert_snapshot!(world.show(&hosts(&[("a", "10.0.1.2"), ("b", "10.0.1.3")])), @r#"
    Update host.a: Differs
      management_ip "10.0.1.1" -> "10.0.1.2"
    Update host.b: Differs
      management_ip "10.0.1.2" -> "10.0.1.3"
    #0 update (updateKVMHost) host.a after #2
    #1 reconnect host.a after #0
    #2 update (updateKVMHost) host.b
    #3 reconnect host.b after #2
    "#);
}

#[test]
fn a_new_host_waits_for_the_delete_that_frees_its_address() {
    let world = World::of(&hosts(&[("z", "10.0.1.1")]));
    insta::assert_snapshot!(world.show(&hosts(&[("a", "10.0.1.1")])), @r#"
    Create host.a: New
      name none -> "a"
      cluster none -> cluster.c
      management_ip none -> "10.0.1.1"
      username none -> "root"
      password none -> <secret>
      ssh_port none -> 22
    Delete host.z: NotInConfiguration
    #0 create host.a after #1
    #1 delete host.z
    note  `host.z` and `host.a` are the same but for their address
      if they were renamed, say so, and nothing is destroyed:
      [[moved]]
      from = "host.z"
      to   = "host.a"
    "#);
}

#[test]
fn two_that_swap_are_told_together() {
    let world = World::of(&hosts(&[("a", "10.0.1.1"), ("b", "10.0.1.2")]));
    insta::assert_snapshot!(world.show(&hosts(&[("a", "10.0.1.2"), ("b", "10.0.1.1")])), @r"
    ring_of_steps: these changes wait for each other
      Each needs what the next one gives up:
        update (updateKVMHost) of host.a
        update (updateKVMHost) of host.b
      change one of them (host.a, host.b) to a free value first, apply, then to the value you want
    ");
}

#[test]
fn an_address_held_by_somebody_elses_host_names_the_import() {
    let mut world = World::of(&hosts(&[("a", "10.0.1.1"), ("b", "10.0.1.2")]));
    world.disown("host.b");
    insta::assert_snapshot!(world.show(&hosts(&[("a", "10.0.1.1"), ("c", "10.0.1.2")])), @r#"
    unique_key_taken: another host already has management_ip = "10.0.1.2"
      "b" (id 077c1b3b13751d281b93ceec5ee64c14) is live and not managed here.
      change the value, or take the object over: rackform import 'host.c' 077c1b3b13751d281b93ceec5ee64c14
    "#);
}

#[test]
fn a_key_of_two_attributes_is_told_whole() {
    let nfs = |name: &str| {
        format!(
            "[zone.z]\n[nfs_primary_storage.{name}]\nzone = \"zone.z\"\nurl = \"10.0.9.5:/a\"\n"
        )
    };
    let mut world = World::of(&nfs("mine"));
    world.disown("nfs_primary_storage.mine");
    insta::assert_snapshot!(world.show(&nfs("other")), @r#"
    unique_key_taken: another nfs_primary_storage already has zone = "zone.z" and url = "10.0.9.5:/a"
      "mine" (id 321dbe141ffcf62e5327f629ca57d2d1) is live and not managed here.
      change the value, or take the object over: rackform import 'nfs_primary_storage.other' 321dbe141ffcf62e5327f629ca57d2d1
    "#);
}

#[test]
fn the_same_export_in_another_zone_is_another_key() {
    let nfs = |zone: &str| {
        format!(
            "[zone.y]\n[zone.z]\n[nfs_primary_storage.{zone}]\nzone = \"zone.{zone}\"\nurl = \"10.0.9.5:/a\"\n"
        )
    };
    let mut world = World::of(&nfs("y"));
    world.disown("nfs_primary_storage.y");
    assert!(world.plan(&nfs("z")).is_ok());
}
