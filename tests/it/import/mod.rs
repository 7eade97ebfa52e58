//! Importing, through the real binary: what exists becomes ours, and nothing is sent for that.
//! What was sent is read from the emulator.

mod command;
mod tables;

use crate::common::cloud::Cloud;
use crate::common::process::{Outcome, Rackform};

/// A zone, two clusters, a host in one, and a storage that is attached to both.
const HALL: &str = r#"
[zone.east]
name = "East"

[cluster.rack]
for_each        = ["a", "b"]
zone            = "zone.east"
hypervisor_type = "KVM"
name            = '${"Rack ${each.key}"}'

[host.kvm]
for_each      = ["01", "02"]
cluster       = 'cluster.rack["a"]'
management_ip = '${"10.0.1.${tonumber(each.key)}"}'
username      = "root"
password      = '${env("ZSTACK_PASSWORD")}'
name          = '${"kvm-${each.key}"}'

[nfs_primary_storage.shared]
zone     = "zone.east"
url      = "10.0.9.5:/export"
name     = "shared"
clusters = '${cluster.rack[*]}'
"#;

fn configure(rackform: &Rackform, cloud: &Cloud, text: &str) {
    rackform.write("main.rack.toml", &format!("{}{text}", cloud.provider()));
}

/// A cloud on which a configuration was applied, and which rackform has forgotten; nothing that
/// was sent till then counts.
fn forgotten(text: &str) -> (Cloud, Rackform) {
    let cloud = Cloud::start();
    let rackform = Rackform::with(&format!("{}{text}", cloud.provider()));
    rackform.run(&["apply", "--auto-approve"]).expect(0);
    std::fs::remove_file(rackform.path("rackform.state.json")).expect("a state");
    cloud.reset();
    (cloud, rackform)
}

/// The id of the only row that a query finds.
fn id(cloud: &Cloud, path: &str) -> String {
    cloud.one(path)["uuid"].as_str().expect("an id").to_owned()
}

fn apply(rackform: &Rackform) -> Outcome {
    rackform.run(&["apply", "--auto-approve"])
}

/// What was sent: method and path.
fn sent(cloud: &Cloud) -> Vec<String> {
    let line = |m: crate::common::cloud::Mutation| {
        let first = m.path.trim_start_matches('/').split('/').next().unwrap_or_default().to_owned();
        format!("{} {first}", m.method)
    };
    cloud.mutations().into_iter().map(line).collect()
}

#[track_caller]
fn is_settled(rackform: &Rackform, cloud: &Cloud) {
    rackform.run(&["plan", "--detailed-exitcode"]).expect(0).says(&["No changes."]);
    cloud.assert_no_violations();
}
