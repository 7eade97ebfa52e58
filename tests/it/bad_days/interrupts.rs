//! Ctrl-C once and twice, SIGTERM, SIGHUP, and journals that were cut by a dying machine.

use std::time::Duration;

use insta::assert_snapshot;
use reqwest::Method;

use super::{
    CLUSTER, apply, directory, ends_well, host, news, outcome, signal, slow, until, until_asked,
};
use crate::common::cloud::Cloud;
use crate::common::process::Rackform;
use crate::common::seen::filters;

/// Objects of [`directory_of_hosts`] once all is done.
const WHOLE: [(&str, usize); 3] = [("/zones", 1), ("/clusters", 1), ("/hosts", 3)];

fn directory_of_hosts(cloud: &Cloud) -> Rackform {
    let hosts: String = (1..=3).map(|n| host(&format!("h{n}"), &format!("10.0.0.{n}"))).collect();
    directory(cloud, &format!("{CLUSTER}{hosts}"))
}

#[test]
fn one_ctrl_c_finishes_what_runs() {
    let _filters = filters();
    let cloud = slow(Duration::from_millis(800));
    let rackform = directory_of_hosts(&cloud);
    let running = rackform.spawn(&["apply", "--auto-approve"]);
    until_asked(&cloud, "CreateCluster", 1);
    signal(&running, "INT");
    let outcome = outcome(running).expect(130);
    assert_snapshot!(news(&outcome), @"
    exit Some(130)
    Stopping: nothing new starts, N steps in progress will finish. Press Ctrl-C again to stop at once; the next apply finds what is left.
    host.h1: not created: interrupted
    host.h2: not created: interrupted
    host.h3: not created: interrupted
    Apply interrupted: 2 added, 0 changed, 0 destroyed, 3 not started in TIME (N requests); run `rackform apply` again to finish.
    ");
    assert!(rackform.read("rackform.state.json").contains("cluster.a"), "the running step ended");
    assert!(!rackform.path("rackform.state.journal").exists(), "and is in the state");
    assert!(cloud.rows("/hosts").is_empty(), "nothing new was started");
    apply(&rackform).expect(0).says(&["3 added"]);
    ends_well(&rackform, &cloud, &WHOLE);
}

#[test]
fn two_ctrl_c_stop_at_once() {
    let cloud = slow(Duration::from_millis(1500));
    let rackform = directory_of_hosts(&cloud);
    let running = rackform.spawn(&["apply", "--auto-approve"]);
    until_asked(&cloud, "CreateZone", 1);
    signal(&running, "INT");
    // The second is sent when the first has been heard: signals of a kind are not counted.
    let mut running = running;
    let mut stderr = std::io::BufReader::new(running.stderr.take().expect("piped"));
    wait_for_line(&mut stderr, "Stopping");
    signal(&running, "INT");
    outcome(running).expect(130);
    finish(&rackform, &cloud);
}

fn wait_for_line(stream: &mut impl std::io::BufRead, text: &str) {
    let mut line = String::new();
    while !line.contains(text) {
        line.clear();
        assert_ne!(stream.read_line(&mut line).expect("stderr"), 0, "{text:?} was never said");
    }
}

/// The next apply takes up what was left, with no duplicate.
#[track_caller]
fn finish(rackform: &Rackform, cloud: &Cloud) {
    rackform.run(&["plan"]).expect(0).says(&["the last apply was cut off"]);
    apply(rackform).expect(0);
    ends_well(rackform, cloud, &WHOLE);
}

#[test]
fn sigterm_and_sighup_stop_at_once() {
    for (name, code) in [("TERM", 143), ("HUP", 129)] {
        let cloud = slow(Duration::from_secs(1));
        let rackform = directory_of_hosts(&cloud);
        let running = rackform.spawn(&["apply", "--auto-approve"]);
        until_asked(&cloud, "CreateZone", 1);
        signal(&running, name);
        let outcome =
            outcome(running).expect(code).says(&["interrupted", "run `rackform apply` again"]);
        assert!(cloud.rows("/clusters").is_empty(), "{}", outcome.seen());
        finish(&rackform, &cloud);
    }
}

#[test]
fn a_signal_while_the_server_is_silent_ends_it_at_once() {
    let _filters = filters();
    // Long enough that waiting for the answer would be noticed: it is longer than a run may take.
    let silent = ["api=LogInByAccount,latency=500s", "api=QueryZone,latency=500s"];
    for (rule, command) in silent.iter().flat_map(|rule| [(rule, "plan"), (rule, "apply")]) {
        let cloud = Cloud::start();
        let rackform = directory_of_hosts(&cloud);
        apply(&rackform).expect(0);
        cloud.faults(&[rule]);
        let approve: &[&str] = if command == "apply" { &["--auto-approve"] } else { &[] };
        let running = rackform.spawn(&[&[command], approve].concat());
        let struck = || cloud.control(Method::GET, "faults", None)[0]["struck"] != 0;
        until("the server is silent", struck);
        signal(&running, "TERM");
        let outcome = outcome(running).expect(143);
        assert_eq!(outcome.stdout, "", "{}", outcome.seen());
        cloud.faults(&[]);
        ends_well(&rackform, &cloud, &WHOLE);
    }
}

#[test]
fn a_torn_journal_is_taken_up_to_its_last_whole_line() {
    let cloud = slow(Duration::from_millis(500));
    let rackform = directory_of_hosts(&cloud);
    let mut running = rackform.spawn(&["apply", "--auto-approve"]);
    until_asked(&cloud, "AddKVMHost", 3);
    running.kill().expect("it runs");
    running.wait().expect("it has ended");
    let journal = rackform.read("rackform.state.journal");
    let torn = &journal[..journal.len() - 20];
    rackform.write("rackform.state.journal", torn);
    finish(&rackform, &cloud);
}

#[test]
fn a_journal_damaged_before_its_end_is_an_error() {
    let cloud = slow(Duration::from_millis(500));
    let rackform = directory_of_hosts(&cloud);
    let mut running = rackform.spawn(&["apply", "--auto-approve"]);
    until_asked(&cloud, "AddKVMHost", 3);
    running.kill().expect("it runs");
    running.wait().expect("it has ended");
    let journal = rackform.read("rackform.state.journal");
    let mut lines: Vec<String> = journal.lines().map(str::to_owned).collect();
    lines[1] = lines[1].replace("zone.east", "zone.wost");
    rackform.write("rackform.state.journal", &(lines.join("\n") + "\n"));
    cloud.reset();
    assert_snapshot!(rackform.run(&["plan", "-C", "."]).seen(), @"
    exit 1
    --- stderr
    journal_damaged

      × the journal `./rackform.state.journal` cannot be used: line 2 is damaged:
      │ its checksum differs
      help: the journal holds what the last apply did and the state does not know
            yet: restore it from a copy. Without one, move it away and run
            `rackform plan`: objects that were created are found again by their
            ids

    1 error
    ");
    apply(&rackform).expect(1);
    assert!(cloud.mutations().is_empty(), "nothing was sent");
    // The way out that the message names: without it, the objects are found again by their ids.
    std::fs::remove_file(rackform.path("rackform.state.journal")).expect("it is there");
    until("the hosts", || cloud.rows("/hosts?q=status=Connected").len() == 3);
    apply(&rackform).expect(0);
    ends_well(&rackform, &cloud, &WHOLE);
}
