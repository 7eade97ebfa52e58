//! Small topologies, killed before and after every single request and at every journal record:
//! while they are built, changed and destroyed.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use crate::common::topology::{Host, Live, Topology, assert_converged};
use crate::recovery::scene::{DELETES, JOURNAL, Moment, PASSWORD, POSTS, Scene, UPDATES, at_once};

pub const APPLY: [&str; 2] = ["apply", "--auto-approve"];
pub const DESTROY: [&str; 2] = ["destroy", "--auto-approve"];

fn small() -> Topology {
    Topology::uniform(2, 3)
}

/// Another topology, to which every kind of change leads: a host that moves (replaced), one with
/// another address (updated and reconnected), one that goes and one that takes its address, a
/// cluster and its attachments that come, storage that is renamed, one that goes.
fn changed() -> Topology {
    let mut to = small();
    let c2 = to.clusters["c1"].clone();
    to.clusters.insert("c2".into(), c2);
    to.clusters.get_mut("c1").expect("c1").enabled = false;
    to.zones.insert("z".into(), "another hall".into());
    to.hosts.get_mut("h0").expect("h0").cluster = "c2".into();
    let h1 = to.hosts.get_mut("h1").expect("h1");
    (h1.ip, h1.description) = ("10.0.9.9".into(), "moved".into());
    let gone = to.hosts.remove("h2").expect("h2");
    to.hosts.insert("h3".into(), Host { enabled: false, ..gone });
    let nfs = to.storage.get_mut("n").expect("n");
    nfs.clusters = ["c0".to_owned(), "c2".to_owned()].into();
    to.storage.remove("l");
    to
}

/// Both moments of the requests that fit.
pub fn moments(requests: &[(&'static str, usize)]) -> Vec<Moment> {
    let of = |(which, count): &(&'static str, usize)| {
        let which = *which;
        (0..*count).flat_map(move |n| [Moment::Arrived(which, n), Moment::Acted(which, n)])
    };
    requests.iter().flat_map(of).collect()
}

/// Kills at every moment, every third time losing the journal, runs the same again, and judges.
pub fn kill_everywhere(
    moments: &[Moment],
    (scene, args): (impl Fn() -> Scene + Sync, &[&str]),
    after_loss: &[&str],
    judge: impl Fn(&Scene) + Sync,
) {
    let hits = AtomicUsize::new(0);
    at_once(moments, |n, moment| {
        let scene = scene();
        hits.fetch_add(usize::from(scene.kill_at(args, moment)), Ordering::Relaxed);
        let lost = n % 3 == 0;
        if lost {
            scene.lose_the_journal();
        }
        let again = scene.rackform.run(&[args, if lost { after_loss } else { &[] }].concat());
        assert_eq!(again.code, Some(0), "{moment:?}, journal lost: {lost}: {again:#?}");
        judge(&scene);
    });
    let (hits, kills) = (hits.into_inner(), moments.len());
    assert!(hits * 10 >= kills * 8, "only {hits} of {kills} kills hit");
}

#[test]
fn building_killed_at_every_step_finishes() {
    let topology = small();
    let wanted = topology.lines(PASSWORD);
    let moments = moments(&[(POSTS, topology.size())]);
    let scene = || Scene::new(&topology);
    kill_everywhere(&moments, (scene, &APPLY), &[], |scene| {
        assert_converged(&scene.rackform, &scene.cloud, &wanted);
        // Nothing has failed, so that no id is used up.
        assert!(scene.rackform.read("rackform.state.json").contains("\"incarnations\": {}"));
    });
}

#[test]
fn changing_killed_at_every_step_finishes() {
    let (from, to) = (small(), changed());
    let wanted = to.lines(PASSWORD);
    let moments = moments(&[(POSTS, 5), (DELETES, 6), (UPDATES, 5)]);
    let scene = || {
        let scene = Scene::applied(&from);
        scene.declare(&to);
        scene
    };
    kill_everywhere(&moments, (scene, &APPLY), &[], |scene| {
        assert_converged(&scene.rackform, &scene.cloud, &wanted);
    });
}

#[test]
fn destroying_killed_at_every_step_finishes() {
    let topology = small();
    let moments = moments(&[(DELETES, topology.size())]);
    let scene = || Scene::applied(&topology);
    // Without its journal, what was deleted looks like what a wrong account would show.
    let missing = ["host=9", "local_primary_storage=9", "cluster=9"];
    let missing: Vec<&str> = missing.iter().flat_map(|m| ["--allow-missing", m]).collect();
    kill_everywhere(&moments, (scene, &DESTROY), &missing, |scene| {
        assert_gone(scene);
    });
}

/// Cut off while building, then everything is to go: also what no state entry names yet.
#[test]
fn destroying_what_a_killed_apply_left_leaves_nothing() {
    let topology = small();
    let moments = moments(&[(POSTS, topology.size())]);
    at_once(&moments, |n, moment| {
        let scene = Scene::new(&topology);
        scene.kill_at(&APPLY, moment);
        let lost = n % 3 == 0;
        if lost {
            scene.lose_the_journal();
        }
        let again = scene.rackform.run(&DESTROY);
        assert_eq!(again.code, Some(0), "{moment:?}, journal lost: {lost}: {again:#?}");
        assert_gone(&scene);
    });
}

#[track_caller]
fn assert_gone(scene: &Scene) {
    assert_eq!(Live::of(&scene.cloud).lines, Vec::<String>::new(), "nothing is left");
    let state = scene.rackform.read("rackform.state.json");
    assert!(state.contains("\"entries\": {}") && state.contains("\"pending\": {}"), "{state}");
    scene.cloud.assert_no_violations();
}

/// The end of the journal is lost, line by line, though what it says has happened.
#[test]
fn a_journal_cut_off_after_any_record_is_enough() {
    let topology = small();
    let wanted = topology.lines(PASSWORD);
    let mut scene = Scene::new(&topology);
    assert!(scene.kill_at(&APPLY, &Moment::Acted(POSTS, topology.size() - 1)));
    // Its jobs end first: one that is lost with the server is `a_job_that_the_server_lost…`.
    while Live::of(&scene.cloud).lines != wanted || !scene.cloud.jobs_are_done() {}
    scene.cloud.kill();
    let journal = scene.rackform.read(JOURNAL);
    let state = scene.rackform.read("rackform.state.json");
    let data = scene.rackform.read("cloud.log");
    let ends: Vec<usize> = journal.match_indices('\n').map(|(at, _)| at + 1).collect();
    assert!(ends.len() > topology.size(), "{journal}");
    at_once(&ends, |_, end| {
        // Half of the next line is there too.
        let torn = journal.len().min(end + 40);
        let scene = Scene::with(&topology, &[("cloud.log", &data)]);
        scene.rackform.write("rackform.state.json", &state);
        scene.rackform.write(JOURNAL, &journal[..torn]);
        scene.rackform.run(&APPLY).expect(0);
        assert_converged(&scene.rackform, &scene.cloud, &wanted);
    });
}

/// The management node restarts while a job runs: the job is in processing for ever. The next
/// apply waits as long as the step may take, not for ever.
#[test]
fn a_job_that_the_server_lost_does_not_stop_the_next_apply() {
    let mut topology = small();
    topology.zones.insert("slow".into(), String::new());
    let blocks = topology.blocks();
    let blocks = blocks.replace("[zone.slow]\n", "[zone.slow]\ntimeouts = { create = \"1s\" }\n");
    let scene = Scene::new(&topology);
    scene.rackform.write("main.rack.toml", &format!("{}{blocks}", scene.cloud.provider()));
    scene.cloud.faults(&["api=CreateZone,name=slow,job-hang"]);
    let mut child = scene.rackform.spawn(&APPLY);
    while scene.cloud.mutations().len() < topology.size() {
        std::thread::sleep(Duration::from_millis(5));
    }
    child.kill().expect("a child can be killed");
    child.wait().expect("it has ended");
    let again = scene.rackform.run(&APPLY).expect(0);
    assert!(again.stderr.contains("zone.slow has not ended"), "{again:#?}");
    assert_converged(&scene.rackform, &scene.cloud, &topology.lines(PASSWORD));
}
