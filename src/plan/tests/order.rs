//! What comes before what: creating, destroying, replacing.

use crate::config::DesiredResource;

use super::world::{World, desired};

/// A zone with a cluster, two storages attached to it, and two hosts.
const SITE: &str = r#"
[zone.z]
[cluster.c]
zone            = "zone.z"
hypervisor_type = "KVM"
[local_primary_storage.l]
zone     = "zone.z"
url      = "/zstack_ps"
clusters = ["cluster.c"]
[nfs_primary_storage.n]
zone     = "zone.z"
url      = "10.0.9.5:/export/a"
clusters = ["cluster.c"]
[host.a]
cluster       = "cluster.c"
management_ip = "10.0.1.11"
username      = "root"
password      = "x"
[host.b]
cluster       = "cluster.c"
management_ip = "10.0.1.12"
username      = "root"
password      = "x"
"#;

#[test]
fn parents_attachments_and_then_hosts() {
    let text = World::of("").show(SITE);
    let steps: Vec<&str> = text.lines().filter(|l| l.starts_with(['#', '('])).collect();
    insta::assert_snapshot!(steps.join("\n"), @r#"
    #0 create cluster.c after #7
    #1 create host.a after #0 (local_primary_storage.clusters in cluster.c) (nfs_primary_storage.clusters in cluster.c)
    #2 create host.b after #0 (local_primary_storage.clusters in cluster.c) (nfs_primary_storage.clusters in cluster.c)
    #3 create local_primary_storage.l after #7
    #4 attach local_primary_storage.l.clusters["cluster.c"] after #0 #3
    #5 create nfs_primary_storage.n after #7
    #6 attach nfs_primary_storage.n.clusters["cluster.c"] after #0 #5
    #7 create zone.z
    (local_primary_storage.clusters in cluster.c) after #4
    (nfs_primary_storage.clusters in cluster.c) after #6
    "#);
}

#[test]
fn the_way_down_is_the_way_up_backwards() {
    insta::assert_snapshot!(World::of(SITE).destroy().show(SITE), @r#"
    Delete cluster.c: Destroy
    Delete host.a: Destroy
    Delete host.b: Destroy
    Delete local_primary_storage.l: Destroy
    Delete local_primary_storage.l.clusters["cluster.c"]: Destroy
    Delete nfs_primary_storage.n: Destroy
    Delete nfs_primary_storage.n.clusters["cluster.c"]: Destroy
    Delete zone.z: Destroy
    #0 delete cluster.c after #1 #2 #4 #6
    #1 delete host.a
    #2 delete host.b
    #3 delete local_primary_storage.l after #4
    #4 detach local_primary_storage.l.clusters["cluster.c"] after (local_primary_storage.clusters in cluster.c)
    #5 delete nfs_primary_storage.n after #6
    #6 detach nfs_primary_storage.n.clusters["cluster.c"] after (nfs_primary_storage.clusters in cluster.c)
    #7 delete zone.z after #0 #3 #5
    (local_primary_storage.clusters in cluster.c) after #1 #2
    (nfs_primary_storage.clusters in cluster.c) after #1 #2
    "#);
}

#[test]
fn what_is_as_desired_is_only_counted() {
    let plan = World::of(SITE).plan(SITE).expect("a plan");
    assert_eq!((plan.changes.len(), plan.steps.len(), plan.unchanged), (0, 0, 8));
}

#[test]
fn a_replaced_cluster_takes_hosts_and_attachments_along() {
    insta::assert_snapshot!(World::of(SITE).replace("cluster.c").show(SITE), @r#"
    Replace cluster.c: Requested
    Replace host.a: ParentReplaced(cluster.c)
      cluster "1a9614d7316ead830c2949be0442104f" -> <id of cluster.c> !
    Replace host.b: ParentReplaced(cluster.c)
      cluster "1a9614d7316ead830c2949be0442104f" -> <id of cluster.c> !
    Replace local_primary_storage.l.clusters["cluster.c"]: ParentReplaced(cluster.c)
    Replace nfs_primary_storage.n.clusters["cluster.c"]: ParentReplaced(cluster.c)
    #0 delete cluster.c after #2 #4 #6 #8
    #1 create cluster.c after #0
    #2 delete host.a
    #3 create host.a after #1 #2 (local_primary_storage.clusters in cluster.c) (nfs_primary_storage.clusters in cluster.c)
    #4 delete host.b
    #5 create host.b after #1 #4 (local_primary_storage.clusters in cluster.c) (nfs_primary_storage.clusters in cluster.c)
    #6 detach local_primary_storage.l.clusters["cluster.c"] after (local_primary_storage.clusters in cluster.c)
    #7 attach local_primary_storage.l.clusters["cluster.c"] after #1 #6
    #8 detach nfs_primary_storage.n.clusters["cluster.c"] after (nfs_primary_storage.clusters in cluster.c)
    #9 attach nfs_primary_storage.n.clusters["cluster.c"] after #1 #8
    (local_primary_storage.clusters in cluster.c) after #7
    (nfs_primary_storage.clusters in cluster.c) after #9
    (local_primary_storage.clusters in cluster.c) after #2 #4
    (nfs_primary_storage.clusters in cluster.c) after #2 #4
    "#);
}

#[test]
fn a_host_that_moves_leaves_before_its_old_cluster_loses_its_storage() {
    let two = |cluster: &str, clusters: &str| {
        format!(
            r#"
[zone.z]
[cluster.c]
zone            = "zone.z"
hypervisor_type = "KVM"
[cluster.d]
zone            = "zone.z"
hypervisor_type = "KVM"
[local_primary_storage.l]
zone     = "zone.z"
url      = "/zstack_ps"
clusters = [{clusters}]
[host.a]
cluster       = "cluster.{cluster}"
management_ip = "10.0.1.11"
username      = "root"
password      = "x"
"#
        )
    };
    let world = World::of(&two("c", "\"cluster.c\""));
    insta::assert_snapshot!(world.show(&two("d", "\"cluster.d\"")), @r#"
    Replace host.a: CannotUpdate(["cluster"])
      cluster cluster.c -> cluster.d !
    Delete local_primary_storage.l.clusters["cluster.c"]: NotInConfiguration
    Create local_primary_storage.l.clusters["cluster.d"]: New
    #0 delete host.a
    #1 create host.a after #0 (local_primary_storage.clusters in cluster.d)
    #2 detach local_primary_storage.l.clusters["cluster.c"] after (local_primary_storage.clusters in cluster.c)
    #3 attach local_primary_storage.l.clusters["cluster.d"]
    (local_primary_storage.clusters in cluster.d) after #3
    (local_primary_storage.clusters in cluster.c) after #0
    "#);
}

#[test]
fn explicit_dependencies_count_like_references() {
    let text = "[zone.a]\ndepends_on = [\"zone.b\"]\n[zone.b]\nstate = \"Disabled\"\n";
    insta::assert_snapshot!(World::of("").show(text), @r#"
    Create zone.a: New
      name none -> "a"
    Create zone.b: New
      name none -> "b"
      state none -> "Disabled"
    #0 create zone.a after #1 #2
    #1 create zone.b
    #2 update (changeZoneState) zone.b after #1
    "#);
    insta::assert_snapshot!(World::of(text).destroy().show(text), @r"
    Delete zone.a: Destroy
    Delete zone.b: Destroy
    #0 delete zone.a
    #1 delete zone.b after #0
    ");
}

#[test]
fn a_cluster_that_is_deleted_waits_for_its_hosts_and_attachments() {
    let rest = "[zone.z]\n[local_primary_storage.l]\nzone = \"zone.z\"\nurl = \"/zstack_ps\"\nclusters = []\n\
                [nfs_primary_storage.n]\nzone = \"zone.z\"\nurl = \"10.0.9.5:/export/a\"\nclusters = []\n";
    insta::assert_snapshot!(World::of(SITE).show(rest), @r#"
    Delete cluster.c: NotInConfiguration
    Delete host.a: NotInConfiguration
    Delete host.b: NotInConfiguration
    Delete local_primary_storage.l.clusters["cluster.c"]: NotInConfiguration
    Delete nfs_primary_storage.n.clusters["cluster.c"]: NotInConfiguration
    #0 delete cluster.c after #1 #2 #3 #4
    #1 delete host.a
    #2 delete host.b
    #3 detach local_primary_storage.l.clusters["cluster.c"] after (local_primary_storage.clusters in cluster.c)
    #4 detach nfs_primary_storage.n.clusters["cluster.c"] after (nfs_primary_storage.clusters in cluster.c)
    (local_primary_storage.clusters in cluster.c) after #1 #2
    (nfs_primary_storage.clusters in cluster.c) after #1 #2
    "#);
}

#[test]
fn the_same_inputs_give_the_same_plan() {
    let world = World::of(SITE).replace("cluster.c");
    let plans: Vec<String> =
        (0..4).map(|_| format!("{:?}", world.plan(SITE).expect("a plan"))).collect();
    assert!(plans.windows(2).all(|pair| pair[0] == pair[1]));
    let mut blocks: Vec<String> = SITE.split("\n[").map(|block| format!("[{block}\n")).collect();
    blocks.remove(0);
    blocks.reverse();
    let shuffled = world.show(&blocks.concat());
    assert_eq!(shuffled, world.show(SITE), "the order of blocks has no meaning");
}

const DEVICE: &str = r#"
[pci_device.d]
host               = "host.a"
pci_device_address = "0000:06:00.0"
user_tags          = ["t"]
vm                 = ["id:0000000000004000800000000000aaaa"]
"#;

/// A device is found and not made: it goes with its host, so what it has is taken from it before.
#[test]
fn what_a_device_has_is_taken_away_before_its_host_goes() {
    let text = World::of(&format!("{SITE}{DEVICE}")).show(&SITE.replace("[host.a]", "[host.c]"));
    let steps: Vec<&str> = text.lines().filter(|l| l.starts_with('#')).collect();
    insta::assert_snapshot!(steps.join("\n"), @r#"
    #0 delete host.a after #2 #3
    #1 create host.c after #0
    #2 delete pci_device.d.user_tags["t"]
    #3 detach pci_device.d.vm["0000000000004000800000000000aaaa"]
    "#);
}

/// Another device under the same address: what the old one had goes while the address still means
/// the old one, and what the new one gets comes later.
#[test]
fn what_a_device_has_is_taken_away_before_another_is_found() {
    let mut world = World::of(&format!("{SITE}{DEVICE}"));
    let other = DEVICE.replace("device.d", "device.e").replace(":06:", ":07:");
    let other = desired(&world.schemas, &format!("{SITE}{other}"));
    let found = |of: &&DesiredResource| of.address.as_str() == "pci_device.e";
    world.discover(other.resources.iter().find(found).expect("the other"));
    let moved = DEVICE.replace(":06:", ":07:").replace(r#"["t"]"#, r#"["u"]"#);
    let text = world.show(&format!("{SITE}{moved}"));
    let steps: Vec<&str> = text.lines().filter(|l| l.starts_with(['#', '('])).collect();
    insta::assert_snapshot!(steps.join("\n"), @r#"
    #0 create pci_device.d after #1 #3
    #1 delete pci_device.d.user_tags["t"]
    #2 create pci_device.d.user_tags["u"] after #0
    #3 detach pci_device.d.vm["0000000000004000800000000000aaaa"]
    #4 attach pci_device.d.vm["0000000000004000800000000000aaaa"] after #0 #3
    "#);
}

/// Another block means the device: what the old one gives up is gone before the new one has it.
#[test]
fn what_a_device_has_is_taken_away_before_another_block_has_it() {
    let mut world = World::of(&format!("{SITE}{DEVICE}"));
    let renamed = DEVICE.replace("device.d", "device.e");
    insta::assert_snapshot!(world.show(&format!("{SITE}{renamed}")), @r#"
    Forget pci_device.d: NotInConfiguration
    Forget pci_device.d.user_tags["t"]: NotInConfiguration
    Forget pci_device.d.vm["0000000000004000800000000000aaaa"]: NotInConfiguration
    Adopt pci_device.e: New
    Adopt pci_device.e.user_tags["t"]: New
    Adopt pci_device.e.vm["0000000000004000800000000000aaaa"]: New
    "#);
    let other = renamed.replace("aaaa", "bbbb").replace(r#"["t"]"#, r#"["u"]"#);
    let other = format!("{SITE}{other}");
    desired(&world.schemas, &other).links.iter().for_each(|link| world.provide(link));
    let text = world.show(&other);
    // No note either that somebody else attached it.
    let steps: Vec<&str> = text.lines().filter(|l| l.starts_with(['#', 'n'])).collect();
    insta::assert_snapshot!(steps.join("\n"), @r#"
    #0 delete pci_device.d.user_tags["t"]
    #1 detach pci_device.d.vm["0000000000004000800000000000aaaa"]
    #2 create pci_device.e.user_tags["u"] after #0 #1
    #3 attach pci_device.e.vm["0000000000004000800000000000bbbb"] after #0 #1
    "#);
}
