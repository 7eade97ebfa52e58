//! Random clouds with objects of all types, applied one over another by the real binary to an
//! emulator: the plan after an apply is empty, the cloud holds what the configuration says whatever
//! was there before, no call is refused, nothing is sent out of order, and destroying leaves
//! nothing.
//!
//! The same cases in each run, and among them every type, attachment, part and state that can be
//! declared; `PROPTEST_CASES` asks for more. `generate` draws clouds, `order` judges the order of
//! requests.

mod generate;
mod order;

use std::cell::RefCell;
use std::collections::BTreeSet;

use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

use rackform::emulator::{Options, ServerVersion};

use crate::common::cloud::Cloud;
use crate::common::estate::{Estate, Live, PASSWORDS, assert_converged, password};
use crate::common::process::Rackform;
use crate::properties::order::Before;

fn run(rackform: &Rackform, cloud: &Cloud, args: &[&str]) {
    cloud.reset();
    let before = Before::of(cloud);
    rackform.run(args).expect(0);
    before.assert_order(&cloud.mutations());
    cloud.assert_no_violations();
    for job in cloud.jobs() {
        assert_eq!(job["status"], 200, "no call is refused: {job}");
    }
}

fn apply(rackform: &Rackform, cloud: &Cloud, estate: &Estate) {
    estate.declare(rackform, cloud);
    let plans = [(); 2].map(|()| rackform.run(&["plan"]).expect(0).stdout);
    assert_eq!(plans[0], plans[1], "the same inputs give the same plan");
    run(rackform, cloud, &["apply", "--auto-approve", "--allow-destroy", "*=99"]);
    assert_converged(rackform, cloud, &estate.lines());
}

#[test]
fn any_cloud_leads_to_any_other() {
    lead(ServerVersion::V5_2, 1);
}

#[test]
fn any_cloud_of_an_old_server_leads_to_any_other() {
    lead(ServerVersion::V3_0, 2);
}

fn lead(version: ServerVersion, seed: u8) {
    // A case takes about two seconds.
    let asked = Config::default();
    let cases = std::env::var("PROPTEST_CASES").ok().and_then(|n| n.parse().ok()).unwrap_or(4);
    let max_shrink_iters = asked.max_shrink_iters.min(60);
    let config = Config { cases, max_shrink_iters, failure_persistence: None, ..asked };
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &[seed; 32]);
    let mut runner = TestRunner::new_with_rng(config, rng);
    let two = (generate::drawn(), generate::drawn(), generate::mask());
    let used = RefCell::new(BTreeSet::new());
    let outcome = runner.run(&two, |(first, second, mask)| {
        let cloud = Cloud::start_with(Options { version, ..Options::default() });
        generate::furnish(&cloud);
        let rackform = PASSWORDS
            .iter()
            .fold(Rackform::new(), |rackform, name| rackform.env(name, &password(name)));
        let near = generate::mixed(&first, &second, &mask);
        let mut before = None;
        for drawn in [&first, &near, &second] {
            let estate = generate::for_server(version, generate::estate(drawn, before.as_ref()));
            apply(&rackform, &cloud, &estate);
            used.borrow_mut().extend(estate.uses());
            before = Some(estate);
        }
        run(&rackform, &cloud, &["destroy", "--auto-approve", "--allow-destroy", "*=99"]);
        let live = Live::of(&cloud);
        assert_eq!(live.lines, Vec::<String>::new(), "nothing is left");
        assert_eq!(live.found, Vec::new(), "nothing is left to be found");
        Ok(())
    });
    if let Err(failure) = outcome {
        panic!("{failure}");
    }
    let missing: Vec<String> = declarable().difference(&used.into_inner()).cloned().collect();
    assert_eq!(missing, Vec::<String>::new(), "never drawn in {cases} cases");
}

/// All types, attachments and parts of the schemas, and the values of each `state`.
fn declarable() -> BTreeSet<String> {
    let schemas = rackform::schema::load().expect("the schemas load");
    let mut all = BTreeSet::new();
    for ty in schemas.resources() {
        let states =
            ty.attrs.iter().filter(|attr| &*attr.name == "state").flat_map(|attr| &attr.values);
        all.insert(ty.name.to_string());
        all.extend(states.map(|(value, _)| format!("{}.state={value}", ty.name)));
        all.extend(ty.links.iter().map(|link| format!("{}.{}", ty.name, link.name)));
        all.extend(ty.parts.iter().map(|part| format!("{}.{}", ty.name, part.name)));
    }
    all
}
