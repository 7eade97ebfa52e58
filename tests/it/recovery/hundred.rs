//! A 200-host apply, killed at 100 points drawn over its requests and journal records. The points
//! are the same in every run (splitmix64); 50 lose the journal too, 20 are killed a second time
//! while they recover.

use std::sync::atomic::{AtomicUsize, Ordering};

use crate::common::topology::{Topology, assert_converged};
use crate::recovery::scene::{Moment, PASSWORD, POSTS, Scene, at_once};

const POINTS: usize = 100;
const APPLY: [&str; 2] = ["apply", "--auto-approve"];

/// A draw below `bound`: the same in each run.
fn draw(seed: &mut u64, bound: usize) -> usize {
    *seed = seed.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let mut x = *seed;
    x = (x ^ (x >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    ((x ^ (x >> 31)) % bound as u64) as usize
}

fn moment(seed: &mut u64, requests: usize) -> Moment {
    // Two records a step, an intent and a result, after the head.
    match draw(seed, 3) {
        0 => Moment::Arrived(POSTS, draw(seed, requests)),
        1 => Moment::Acted(POSTS, draw(seed, requests)),
        _ => Moment::Recorded(1 + draw(seed, 2 * requests)),
    }
}

#[test]
fn an_apply_of_200_hosts_killed_at_100_points_always_finishes() {
    let topology = Topology::uniform(8, 200);
    let (wanted, requests) = (topology.lines(PASSWORD), topology.size());
    let mut seed = 4;
    let points: Vec<(Moment, Option<Moment>)> = (0..POINTS)
        .map(|n| {
            let first = moment(&mut seed, requests);
            let second = (n % 5 == 0).then(|| moment(&mut seed, requests / 2));
            (first, second)
        })
        .collect();
    let hits = AtomicUsize::new(0);
    at_once(&points, |n, (first, second)| {
        let scene = Scene::new(&topology);
        if scene.kill_at(&APPLY, first) {
            hits.fetch_add(1, Ordering::Relaxed);
        }
        if let Some(second) = second {
            scene.kill_at(&APPLY, second);
        }
        if n % 2 == 0 {
            scene.lose_the_journal();
        }
        let again = scene.rackform.run(&APPLY);
        assert_eq!(again.code, Some(0), "point {n} ({first:?}, {second:?}): {again:?}");
        assert_converged(&scene.rackform, &scene.cloud, &wanted);
    });
    let hits = hits.into_inner();
    assert!(hits >= 80, "only {hits} of {POINTS} kills hit the apply in its middle");
}
