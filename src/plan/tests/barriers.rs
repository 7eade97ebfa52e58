//! One barrier per scope: H + A edges instead of H × A.

use super::world::World;

fn site(hosts: usize, storages: usize) -> String {
    let mut text =
        "[zone.z]\n[cluster.c]\nzone = \"zone.z\"\nhypervisor_type = \"KVM\"\n".to_owned();
    for n in 0..storages {
        text.push_str(&format!(
            "[local_primary_storage.l{n}]\nzone = \"zone.z\"\nurl = \"/ps{n}\"\nclusters = [\"cluster.c\"]\n"
        ));
    }
    for n in 0..hosts {
        text.push_str(&format!(
            "[host.h{n}]\ncluster = \"cluster.c\"\nmanagement_ip = \"10.0.1.{n}\"\nusername = \"root\"\npassword = \"x\"\n"
        ));
    }
    text
}

/// All edges of a plan: between steps, and to and from barriers.
fn edges(world: &World, text: &str) -> usize {
    let plan = world.plan(text).expect("a plan");
    let steps: usize = plan.steps.iter().map(|s| s.after.len() + s.gates.len()).sum();
    steps + plan.gates.iter().map(|gate| gate.after.len()).sum::<usize>()
}

#[test]
fn edges_grow_with_the_sum_not_with_the_product() {
    let small = edges(&World::of(""), &site(10, 10));
    let large = edges(&World::of(""), &site(100, 100));
    assert!(large <= 10 * small + 10, "{small} edges for 10 × 10, {large} for 100 × 100");
    let down = |n: usize| edges(&World::of(&site(n, n)).destroy(), &site(n, n));
    assert!(down(100) <= 10 * down(10) + 10, "{} and {}", down(10), down(100));
}

#[test]
fn hosts_of_another_cluster_do_not_wait() {
    let mut text = site(1, 1);
    text.push_str("[cluster.d]\nzone = \"zone.z\"\nhypervisor_type = \"KVM\"\n[host.other]\ncluster = \"cluster.d\"\nmanagement_ip = \"10.0.2.1\"\nusername = \"root\"\npassword = \"x\"\n");
    let plan = World::of("").plan(&text).expect("a plan");
    let other = plan.steps.iter().find(|s| s.address.as_str() == "host.other").expect("its step");
    assert!(other.gates.iter().all(|gate| plan.gates[gate.0 as usize].after.is_empty()));
    let own = plan.steps.iter().find(|s| s.address.as_str() == "host.h0").expect("its step");
    assert!(own.gates.iter().any(|gate| !plan.gates[gate.0 as usize].after.is_empty()));
}

/// Shared blocks on a disk in one cluster; `more`: on two disks of two servers in two clusters.
fn shared_blocks(more: bool) -> String {
    let mut text = "[zone.z]\n".to_owned();
    let clusters = if more { &["c", "d"][..] } else { &["c"] };
    for (n, cluster) in clusters.iter().enumerate() {
        text.push_str(&format!(
            "[cluster.{cluster}]\nzone = \"zone.z\"\nhypervisor_type = \"KVM\"\n[host.{cluster}]\ncluster = \"cluster.{cluster}\"\nmanagement_ip = \"10.0.1.{n}\"\nusername = \"root\"\npassword = \"x\"\n"
        ));
    }
    let to: Vec<String> = clusters.iter().map(|c| format!("cluster.{c}")).collect();
    text.push_str(&format!("[iscsi_server.s]\nip = \"10.0.2.1\"\nclusters = {to:?}\n"));
    if more {
        text.push_str(
            "[iscsi_server.t]\nip = \"10.0.2.2\"\nclusters = [\"cluster.c\", \"cluster.d\"]\n",
        );
    }
    let disks = if more { &["36001", "36002"][..] } else { &["36001"] };
    text.push_str(&format!(
        "[sharedblock_primary_storage.x]\nzone = \"zone.z\"\ndisks = {disks:?}\nclusters = {to:?}\n"
    ));
    text
}

/// Whether a step waits for another by a barrier.
fn waits(plan: &crate::plan::Plan, step: &str, first: &str) -> bool {
    let find = |address: &str| {
        let at = plan.steps.iter().position(|s| s.address.as_str() == address);
        at.unwrap_or_else(|| panic!("no step of {address}"))
    };
    let (step, first) = (find(step), find(first) as u32);
    let gates = plan.steps[step].gates.iter().map(|gate| &plan.gates[gate.0 as usize]);
    gates.flat_map(|gate| &gate.after).any(|after| after.0 == first)
}

#[test]
fn what_is_added_to_shared_blocks_later_waits_too() {
    let storage = "sharedblock_primary_storage.x";
    let (attached, disk) =
        (format!("{storage}.clusters[\"cluster.d\"]"), format!("{storage}.disks[\"36002\"]"));
    let seen = |server: &str, cluster: &str| {
        format!("iscsi_server.{server}.clusters[\"cluster.{cluster}\"]")
    };
    let plan = World::of(&shared_blocks(false)).plan(&shared_blocks(true)).expect("a plan");
    assert!(waits(&plan, &attached, &seen("s", "d")), "{plan:#?}");
    assert!(waits(&plan, &attached, "host.d"));
    assert!(!waits(&plan, &attached, &seen("t", "c")), "another cluster");
    assert!(waits(&plan, &disk, &seen("t", "c")) && waits(&plan, &disk, "host.d"));
}

#[test]
fn what_shared_blocks_leave_goes_after_that() {
    let world = World::of(&shared_blocks(true));
    let without = shared_blocks(true).replace(
        "disks = [\"36001\", \"36002\"]\nclusters = [\"cluster.c\", \"cluster.d\"]",
        "disks = [\"36001\", \"36002\"]\nclusters = [\"cluster.c\"]",
    );
    let without = without.replace(
        "ip = \"10.0.2.2\"\nclusters = [\"cluster.c\", \"cluster.d\"]",
        "ip = \"10.0.2.2\"\nclusters = [\"cluster.c\"]",
    );
    let plan = world.plan(&without).expect("a plan");
    let end = "clusters[\"cluster.d\"]";
    let (detached, server) =
        (format!("sharedblock_primary_storage.x.{end}"), format!("iscsi_server.t.{end}"));
    assert!(waits(&plan, &server, &detached), "{plan:#?}");
}
