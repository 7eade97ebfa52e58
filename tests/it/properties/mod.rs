//! Random clouds with objects of all types, applied one over another by the real binary to an
//! emulator: the plan after an apply is empty, the cloud holds what the configuration says whatever
//! was there before, no call is refused, nothing is sent out of order, and destroying leaves
//! nothing.
//!
//! The same cases in each run; `PROPTEST_CASES` asks for more. `generate` draws clouds, `order`
//! judges the order of requests.

mod generate;
mod order;

use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

use rackform::emulator::{Options, ServerVersion};

use crate::common::cloud::Cloud;
use crate::common::estate::{Estate, Live, PASSWORDS, assert_converged, offer, password};
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
    run(rackform, cloud, &["apply", "--auto-approve"]);
    assert_converged(rackform, cloud, &estate.lines());
}

#[test]
fn any_cloud_leads_to_any_other() {
    // A case takes about a second.
    let config = Config { failure_persistence: None, max_shrink_iters: 60, ..Config::default() };
    let cases = std::env::var("PROPTEST_CASES").ok().and_then(|n| n.parse().ok()).unwrap_or(6);
    let config = Config { cases, ..config };
    let rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    let mut runner = TestRunner::new_with_rng(config, rng);
    let two = (generate::drawn(), generate::drawn(), generate::mask());
    let outcome = runner.run(&two, |(first, second, mask)| {
        let options = Options { version: ServerVersion::V5_2, ..Options::default() };
        let cloud = Cloud::start_with(options);
        offer(&cloud, &generate::LUNS);
        let rackform = PASSWORDS
            .iter()
            .fold(Rackform::new(), |rackform, name| rackform.env(name, &password(name)));
        let near = generate::mixed(&first, &second, &mask);
        let first = generate::estate(&first, None);
        apply(&rackform, &cloud, &first);
        let near = generate::estate(&near, Some(&first));
        apply(&rackform, &cloud, &near);
        let second = generate::estate(&second, Some(&near));
        apply(&rackform, &cloud, &second);
        run(&rackform, &cloud, &["destroy", "--auto-approve"]);
        assert_eq!(Live::of(&cloud).lines, Vec::<String>::new(), "nothing is left");
        Ok(())
    });
    if let Err(failure) = outcome {
        panic!("{failure}");
    }
}
