//! Bad days: what goes wrong between rackform and a cloud, through the real binary. Each test says
//! what a person reads, which exit code a script gets, and that afterwards the next run ends well:
//! nothing lost, nothing made twice.

mod guards;
mod interrupts;
mod jobs;
mod keys;
mod locks;
mod moves;
mod network;
mod rotation;
mod settle;
mod tls;

use std::process::{Child, Command};
use std::time::{Duration, Instant};

use rackform::emulator::Options;

use super::common::cloud::Cloud;
use super::common::process::{Outcome, Rackform};

/// One zone and cluster.
const CLUSTER: &str = r#"
[zone.east]

[cluster.a]
zone            = "zone.east"
hypervisor_type = "KVM"
"#;

/// A host of [`CLUSTER`].
fn host(label: &str, ip: &str) -> String {
    format!(
        "\n[host.{label}]\ncluster       = \"cluster.a\"\nmanagement_ip = \"{ip}\"\n\
         username      = \"root\"\npassword      = '${{env(\"ZSTACK_PASSWORD\")}}'\n"
    )
}

/// A cloud whose jobs take a while.
fn slow(job: Duration) -> Cloud {
    Cloud::start_with(Options { job_latency: job, ..Options::default() })
}

/// A directory with this configuration for this cloud.
fn directory(cloud: &Cloud, config: &str) -> Rackform {
    Rackform::with(&format!("{}{config}", cloud.provider()))
}

/// Gives the directory another configuration.
fn configure(rackform: &Rackform, cloud: &Cloud, config: &str) {
    rackform.write("main.rack.toml", &format!("{}{config}", cloud.provider()));
}

fn apply(rackform: &Rackform) -> Outcome {
    rackform.run(&["apply", "--auto-approve"])
}

/// The day ended well: the plan is empty, and the cloud has as many objects as were declared.
#[track_caller]
fn ends_well(rackform: &Rackform, cloud: &Cloud, objects: &[(&str, usize)]) {
    rackform.run(&["plan", "--detailed-exitcode"]).expect(0).says(&["No changes."]);
    for (path, count) in objects {
        let rows = cloud.rows(path);
        assert_eq!(rows.len(), *count, "{path}: {rows:#?}");
    }
    assert!(!rackform.path("rackform.state.journal").exists(), "nothing is left open");
    cloud.assert_no_violations();
}

/// What an apply said beside the steps that went well, whose order is chance: its exit code, its
/// messages, and the last line of its output.
fn news(outcome: &Outcome) -> String {
    let routine = |line: &&str| line.ends_with('…') || line.contains("d in ");
    let mut lines = vec![format!("exit {:?}", outcome.code)];
    lines.extend(outcome.stderr.lines().filter(|line| !routine(line)).map(str::to_owned));
    lines.extend(outcome.stdout.lines().last().map(str::to_owned));
    lines.join("\n")
}

/// Polls until it is so.
#[track_caller]
pub fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    const LIMIT: Duration = Duration::from_secs(60);
    let start = Instant::now();
    while !is_so() {
        assert!(start.elapsed() < LIMIT, "not within a minute: {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Waits until the emulator has been asked to run this API so often.
#[track_caller]
pub fn until_asked(cloud: &Cloud, api: &str, times: u64) {
    until(api, || cloud.counts()[api].as_u64().unwrap_or(0) >= times);
}

/// Sends a signal to a process that we started.
pub fn signal(child: &Child, name: &str) {
    let status = Command::new("kill").args([&format!("-{name}"), &child.id().to_string()]).status();
    assert!(status.expect("`kill` runs").success(), "the process is there");
}

/// Waits for a process that we started.
pub fn outcome(child: Child) -> Outcome {
    let output = child.wait_with_output().expect("it ends");
    let text = |bytes| String::from_utf8(bytes).expect("UTF-8 output");
    Outcome { code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
}
