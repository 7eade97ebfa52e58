//! A cloud with monitors, disks, tags and attachments, killed before and after every request: while
//! it is built, changed and destroyed, with and without the journal.

use serde_json::json;

use crate::common::estate::{Estate, Live, Thing, assert_converged, offer};
use crate::recovery::scene::{DELETES, Moment, POSTS, Scene, UPDATES};
use crate::recovery::steps::{APPLY, DESTROY, kill_everywhere, moments};

const SERVER: &str = "10.4.0.1";
const LUNS: [(&str, &str); 3] = [(SERVER, "36001"), (SERVER, "36002"), (SERVER, "36003")];

/// A zone with tags, two clusters, a host, Ceph with two monitors, an iSCSI server, shared blocks
/// on two of its disks, an image store: everything attached.
fn small() -> Estate {
    let mut estate = Estate::default();
    let mut zone = Thing::new([("description", json!("hall"))]);
    zone.user_tags = ["rack:1", "blue"].into();
    zone.system_tags = ["drawn::one::1"].into();
    estate.add("zone.z", zone);
    for (n, enabled) in [(0, "Enabled"), (1, "Disabled")] {
        let attrs = [("zone", json!("zone.z")), ("state", json!(enabled))];
        estate.add(format!("cluster.c{n}"), Thing::new(attrs));
    }
    let mut host = Thing::new([
        ("cluster", json!("cluster.c0")),
        ("management_ip", json!("10.0.0.1")),
        ("password", json!("SSH_A")),
        ("ssh_port", json!(22)),
    ]);
    host.user_tags = ["blue"].into();
    estate.add("host.h", host);
    let mut ceph = Thing::new([("zone", json!("zone.z"))]);
    ceph.mons = [("10.2.0.1".to_owned(), "SSH_A"), ("10.2.0.2".to_owned(), "SSH_A")].into();
    ceph.to = ["c0".to_owned()].into();
    estate.add("ceph_primary_storage.q", ceph);
    let mut server = Thing::new([("ip", json!(SERVER)), ("port", json!(3260))]);
    server.to = ["c0".to_owned()].into();
    estate.add("iscsi_server.s", server);
    let mut blocks = Thing::new([("zone", json!("zone.z"))]);
    blocks.disks = ["36001".to_owned(), "36002".to_owned()].into();
    blocks.to = ["c0".to_owned()].into();
    estate.add("sharedblock_primary_storage.x", blocks);
    let mut images = Thing::new([
        ("hostname", json!("10.3.0.1")),
        ("url", json!("/images")),
        ("password", json!("SSH_A")),
    ]);
    images.to = ["z".to_owned()].into();
    estate.add("imagestore_backup_storage.i", images);
    estate
}

/// To which every kind of change of parts leads: a monitor comes, one goes, one gets another
/// password; tags come and go; a disk comes; attachments move.
fn changed() -> Estate {
    let mut to = small();
    let mut thing = |address: &str, change: &dyn Fn(&mut Thing)| {
        change(to.things.get_mut(address).unwrap_or_else(|| panic!("{address}")));
    };
    thing("zone.z", &|zone| {
        zone.user_tags = ["blue", "green"].into();
        zone.system_tags = ["drawn::two::2"].into();
    });
    thing("cluster.c1", &|cluster| cluster.user_tags = ["new"].into());
    thing("host.h", &|host| host.user_tags.clear());
    thing("ceph_primary_storage.q", &|ceph| {
        ceph.mons = [("10.2.0.2".to_owned(), "SSH_B"), ("10.2.0.3".to_owned(), "SSH_A")].into();
        ceph.to = ["c1".to_owned()].into();
    });
    thing("iscsi_server.s", &|server| {
        server.to.insert("c1".to_owned());
    });
    thing("sharedblock_primary_storage.x", &|blocks| {
        blocks.disks.insert("36003".to_owned());
        blocks.to.insert("c1".to_owned());
    });
    thing("imagestore_backup_storage.i", &|images| images.to.clear());
    to
}

fn scene(estate: &Estate) -> Scene {
    let scene = Scene::empty();
    offer(&scene.cloud, &LUNS);
    estate.declare(&scene.rackform, &scene.cloud);
    scene
}

fn applied(estate: &Estate) -> Scene {
    let scene = scene(estate);
    scene.rackform.run(&APPLY).expect(0);
    scene
}

/// How many requests a run takes, by the conditions of a fault rule.
fn requests(scene: &Scene, args: &[&str]) -> Vec<(&'static str, usize)> {
    scene.cloud.reset();
    scene.rackform.run(args).expect(0);
    let all = scene.cloud.mutations();
    let of = |method: &str| all.iter().filter(|m| m.method == method).count();
    vec![(POSTS, of("POST")), (DELETES, of("DELETE")), (UPDATES, of("PUT"))]
}

#[test]
fn building_parts_killed_at_every_step_finishes() {
    let estate = small();
    let moments = moments(&requests(&scene(&estate), &APPLY));
    kill_everywhere(&moments, (|| scene(&estate), &APPLY), &[], |scene| {
        assert_converged(&scene.rackform, &scene.cloud, &estate.lines());
    });
}

#[test]
fn changing_parts_killed_at_every_step_finishes() {
    let to = changed();
    let scene = || {
        let scene = applied(&small());
        to.declare(&scene.rackform, &scene.cloud);
        scene
    };
    let moments = moments(&requests(&scene(), &APPLY));
    assert!(moments.len() > 30, "{moments:?}");
    kill_everywhere(&moments, (scene, &APPLY), &[], |scene| {
        assert_converged(&scene.rackform, &scene.cloud, &to.lines());
    });
}

#[test]
fn destroying_parts_killed_at_every_step_finishes() {
    let estate = small();
    let moments = moments(&requests(&applied(&estate), &DESTROY));
    // Without its journal, what was deleted looks like what a wrong account would show.
    let missing: Vec<String> = ["host", "cluster", "zone.user_tags", "ceph_primary_storage.mons"]
        .iter()
        .flat_map(|ty| ["--allow-missing".to_owned(), format!("{ty}=9")])
        .collect();
    let missing: Vec<&str> = missing.iter().map(String::as_str).collect();
    kill_everywhere(&moments, (|| applied(&estate), &DESTROY), &missing, assert_gone);
}

/// Cut off while building, then everything is to go: also what no state entry names yet.
#[test]
fn destroying_parts_that_a_killed_apply_left_leaves_nothing() {
    let estate = small();
    let moments = moments(&requests(&scene(&estate), &APPLY));
    let half: Vec<Moment> = moments.into_iter().step_by(2).collect();
    crate::recovery::scene::at_once(&half, |n, moment| {
        let scene = scene(&estate);
        scene.kill_at(&APPLY, moment);
        if n % 3 == 0 {
            scene.lose_the_journal();
        }
        let again = scene.rackform.run(&DESTROY);
        assert_eq!(again.code, Some(0), "{moment:?}: {again:#?}");
        assert_gone(&scene);
    });
}

fn assert_gone(scene: &Scene) {
    assert_eq!(Live::of(&scene.cloud).lines, Vec::<String>::new(), "nothing is left");
    let state = scene.rackform.read("rackform.state.json");
    assert!(state.contains("\"entries\": {}") && state.contains("\"pending\": {}"), "{state}");
    scene.cloud.assert_no_violations();
}

/// A tag and a monitor that the server refuses: everything else is done, the summary says what is
/// left, and the next apply does that.
#[test]
fn a_part_that_is_refused_stops_nothing_else_and_is_made_by_the_next_apply() {
    let to = changed();
    for (api, left) in [
        ("CreateUserTag", "user_tags[\"green\"]"),
        ("AddMonToCephPrimaryStorage", "ceph_primary_storage.q.mons[\"10.2.0.3\"]"),
        ("AddSharedBlockToSharedBlockGroup", "sharedblock_primary_storage.x.disks[\"36003\"]"),
    ] {
        let scene = applied(&small());
        to.declare(&scene.rackform, &scene.cloud);
        scene.cloud.faults(&[&format!("api={api},times=0,job-error=SYS.1006:not today")]);
        let failed = scene.rackform.run(&APPLY).expect(1).says(&[left, "not today"]);
        let wanted = to.lines();
        let live = Live::of(&scene.cloud).lines;
        let missing = wanted.iter().filter(|line| !live.contains(line)).count();
        assert!((1..=2).contains(&missing), "{api}: {missing} lines are missing\n{failed:#?}");
        scene.cloud.faults(&[]);
        scene.rackform.run(&APPLY).expect(0);
        assert_converged(&scene.rackform, &scene.cloud, &wanted);
    }
}
