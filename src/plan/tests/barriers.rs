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
