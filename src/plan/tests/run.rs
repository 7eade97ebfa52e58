//! The schedule of a plan: who may run, who is skipped.

use std::collections::BTreeMap;

use super::world::World;
use crate::plan::schedule::{Because, Schedule};
use crate::plan::{Plan, StepIx};

fn hosts(count: usize, rest: &str) -> String {
    let mut text = "[zone.z]\n[cluster.c]\nzone = \"zone.z\"\nhypervisor_type = \"KVM\"\n[cluster.d]\nzone = \"zone.z\"\nhypervisor_type = \"KVM\"\n".to_owned();
    for n in 0..count {
        let cluster = if n % 2 == 0 { "c" } else { "d" };
        text.push_str(&format!(
            "[host.h{n}]\ncluster = \"cluster.{cluster}\"\nmanagement_ip = \"10.0.1.{n}\"\nusername = \"root\"\npassword = \"x\"\n{rest}\n"
        ));
    }
    text
}

fn name(plan: &Plan, step: StepIx) -> String {
    plan.steps[step.0 as usize].address.to_string()
}

/// All that may start now.
fn ready(schedule: &mut Schedule<'_>, plan: &Plan) -> Vec<(StepIx, String)> {
    let mut ready: Vec<_> =
        std::iter::from_fn(|| schedule.ready()).map(|ix| (ix, name(plan, ix))).collect();
    ready.sort();
    ready
}

#[test]
fn hosts_become_unavailable_one_at_a_time_per_cluster() {
    let plan = World::of(&hosts(6, "")).plan(&hosts(6, "ssh_port = 2222")).expect("a plan");
    let mut schedule = Schedule::new(&plan, 1);
    let mut busy: BTreeMap<String, usize> = BTreeMap::new();
    let mut most = 0;
    let mut running = Vec::new();
    while !schedule.is_over() {
        running.extend(std::iter::from_fn(|| schedule.ready()));
        busy.clear();
        for StepIx(ix) in &running {
            if let Some(scope) = &plan.steps[*ix as usize].disrupts {
                *busy.entry(scope.to_string()).or_default() += 1;
            }
        }
        most = busy.values().copied().max().unwrap_or(0).max(most);
        let step = running.remove(0);
        assert!(schedule.finished(step, true).is_empty());
    }
    assert_eq!(most, 1);
    assert_eq!(schedule.running(), 0);
}

#[test]
fn a_host_that_does_not_come_back_stops_the_others_of_its_cluster() {
    let plan = World::of(&hosts(6, "")).plan(&hosts(6, "ssh_port = 2222")).expect("a plan");
    let mut schedule = Schedule::new(&plan, 1);
    let mut skipped = Vec::new();
    let mut succeeded = Vec::new();
    let mut failed = None;
    while let Some(step) = schedule.ready() {
        let of = &plan.steps[step.0 as usize];
        let reconnect = of.disrupts.is_some();
        let good = !(reconnect && failed.is_none());
        if good {
            succeeded.push(format!("{} {}", of.address, reconnect));
        } else {
            failed = Some((of.address.clone(), of.disrupts.clone()));
        }
        skipped.extend(schedule.finished(step, good));
    }
    let (_, scope) = failed.expect("one failed");
    assert!(schedule.is_over());
    assert_eq!(skipped.len(), 2, "{skipped:?}");
    for (ix, because) in &skipped {
        assert_eq!(plan.steps[ix.0 as usize].disrupts, scope);
        assert_eq!(*because, Because::Neighbourhood(scope.clone().expect("a scope")));
    }
    assert_eq!(succeeded.iter().filter(|s| s.ends_with("true")).count(), 3, "the other cluster");
}

#[test]
fn a_failure_skips_only_what_depends_on_it() {
    let text = "[zone.a]\n[zone.b]\n[cluster.a]\nzone = \"zone.a\"\nhypervisor_type = \"KVM\"\n[cluster.b]\nzone = \"zone.b\"\nhypervisor_type = \"KVM\"\n";
    let plan = World::of("").plan(text).expect("a plan");
    let mut schedule = Schedule::new(&plan, 1);
    let first = ready(&mut schedule, &plan);
    assert_eq!(first.iter().map(|(_, n)| n.as_str()).collect::<Vec<_>>(), ["zone.a", "zone.b"]);
    let skipped = schedule.finished(first[0].0, false);
    let told: Vec<_> = skipped.iter().map(|(ix, why)| (name(&plan, *ix), why.clone())).collect();
    let zone = super::world::address("zone.a");
    assert_eq!(told, [("cluster.a".to_owned(), Because::Failed(zone))]);
    assert!(schedule.finished(first[1].0, true).is_empty());
    let then = ready(&mut schedule, &plan);
    assert_eq!(then.len(), 1);
    assert_eq!(then[0].1, "cluster.b");
}

#[test]
fn a_failed_attachment_holds_back_the_hosts_behind_its_barrier() {
    let text = "[zone.z]\n[cluster.c]\nzone = \"zone.z\"\nhypervisor_type = \"KVM\"\n[local_primary_storage.l]\nzone = \"zone.z\"\nurl = \"/a\"\nclusters = [\"cluster.c\"]\n[host.h]\ncluster = \"cluster.c\"\nmanagement_ip = \"10.0.1.1\"\nusername = \"root\"\npassword = \"x\"\nstate = \"Disabled\"\n";
    let plan = World::of("").plan(text).expect("a plan");
    let mut schedule = Schedule::new(&plan, 1);
    let mut skipped = Vec::new();
    while let Some(step) = schedule.ready() {
        let attach = plan.steps[step.0 as usize].address.member_of().is_some();
        skipped.extend(schedule.finished(step, !attach));
    }
    let told: Vec<_> = skipped.iter().map(|(ix, _)| name(&plan, *ix)).collect();
    assert_eq!(told, ["host.h", "host.h"], "the create and the update after it");
    assert!(schedule.is_over());
}

#[test]
fn an_effect_releases_dependants_before_it_is_read_back() {
    let text = "[zone.a]\n[cluster.a]\nzone = \"zone.a\"\nhypervisor_type = \"KVM\"\n";
    let plan = World::of("").plan(text).expect("a plan");
    let mut schedule = Schedule::new(&plan, 1);
    let zone = schedule.ready().expect("the zone");
    assert_eq!(schedule.ready(), None);
    schedule.effective(zone);
    let cluster = schedule.ready().expect("the cluster, while the zone is still read back");
    assert_eq!(name(&plan, cluster), "cluster.a");
    assert!(schedule.finished(zone, true).is_empty());
    assert!(schedule.finished(cluster, true).is_empty());
    assert!(schedule.is_over());
}

#[test]
fn a_stopped_run_starts_nothing_and_finishes_what_runs() {
    let plan = World::of("").plan(&hosts(2, "")).expect("a plan");
    let mut schedule = Schedule::new(&plan, 1);
    let zone = schedule.ready().expect("the zone");
    let skipped = schedule.stop();
    assert_eq!(skipped.len(), plan.steps.len() - 1);
    assert!(skipped.iter().all(|(_, why)| *why == Because::Stopped));
    assert!(schedule.finished(zone, true).is_empty());
    assert_eq!(schedule.ready(), None);
    assert!(schedule.is_over());
}

/// What runs one after another, and the most that is away from a cluster at a time.
fn replay(plan: &Plan) -> Vec<String> {
    let mut schedule = Schedule::new(plan, 1);
    let mut told = Vec::new();
    while let Some(step) = schedule.ready() {
        told.push(format!("{:?} {}", plan.steps[step.0 as usize].op, name(plan, step)));
        assert!(schedule.finished(step, true).is_empty());
    }
    assert!(schedule.is_over(), "{told:?}");
    told
}

#[test]
fn a_replaced_host_is_away_until_it_is_back() {
    let world = World::of(&hosts(4, "")).replace("host.h0").replace("host.h2");
    let plan = world.plan(&hosts(4, "")).expect("a plan");
    let told = replay(&plan);
    assert_eq!(told, ["Delete host.h0", "Create host.h0", "Delete host.h2", "Create host.h2"]);
    // One that fails to come back keeps the others of its cluster where they are.
    let mut schedule = Schedule::new(&plan, 1);
    let gone = schedule.ready().expect("the first delete");
    assert!(schedule.finished(gone, true).is_empty());
    let back = schedule.ready().expect("its create");
    let skipped = schedule.finished(back, false);
    assert_eq!(skipped.len(), 2, "{skipped:?}");
    assert!(schedule.is_over());
}

#[test]
fn a_replaced_host_that_needs_what_its_neighbour_gives_up_does_not_hang() {
    // h0 comes back under the address that h2 has, and h2 goes for good: both leave one cluster.
    let after = hosts(2, "").replace("10.0.1.0", "10.0.1.2");
    let world = World::of(&hosts(4, "")).replace("host.h0");
    let plan = world.plan(&after).expect("a plan");
    let told = replay(&plan);
    let place = |what: &str| told.iter().position(|step| step == what);
    assert!(place("Delete host.h2") < place("Create host.h0"), "{told:?}");
}
