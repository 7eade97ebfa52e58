//! Renaming and removing, through the real binary: what has moved is never made again or deleted.
//! What was sent is read from the emulator.

mod hints;
mod instances;
mod refused;
mod removed;
mod triggers;

use crate::common::cloud::Cloud;
use crate::common::process::{Outcome, Rackform};

/// A zone, a cluster with a host, and a storage that is attached to it.
const HALL: &str = r#"
[zone.east]
name = "East"

[cluster.rack]
zone            = "zone.east"
hypervisor_type = "KVM"
name            = "Rack"

[host.kvm]
cluster       = "cluster.rack"
management_ip = "10.0.1.1"
username      = "root"
password      = '${env("ZSTACK_PASSWORD")}'
name          = "kvm-1"

[nfs_primary_storage.shared]
zone     = "zone.east"
url      = "10.0.9.5:/export"
name     = "shared"
clusters = ["cluster.rack"]
"#;

/// The same with another label of each resource.
fn renamed() -> String {
    HALL.replace("zone.east", "zone.west")
        .replace("cluster.rack", "cluster.row")
        .replace("host.kvm", "host.node")
        .replace("storage.shared", "storage.common")
}

/// `[[moved]]` for these.
fn moves(all: &[(&str, &str)]) -> String {
    let one = |(from, to): &(&str, &str)| format!("\n[[moved]]\nfrom = '{from}'\nto = '{to}'\n");
    all.iter().map(one).collect()
}

const MOVES: [(&str, &str); 4] = [
    ("zone.east", "zone.west"),
    ("cluster.rack", "cluster.row"),
    ("host.kvm", "host.node"),
    ("nfs_primary_storage.shared", "nfs_primary_storage.common"),
];

fn configure(rackform: &Rackform, cloud: &Cloud, text: &str) {
    rackform.write("main.rack.toml", &format!("{}{text}", cloud.provider()));
}

fn apply(rackform: &Rackform) -> Outcome {
    rackform.run(&["apply", "--auto-approve"])
}

/// A cloud on which a configuration was applied; nothing that was sent till then counts.
fn applied(text: &str) -> (Cloud, Rackform) {
    let cloud = Cloud::start();
    let rackform = Rackform::with(&format!("{}{text}", cloud.provider()));
    apply(&rackform).expect(0);
    cloud.reset();
    (cloud, rackform)
}

/// What was sent: method and the first part of the path.
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

#[test]
fn everything_gets_another_label_and_nothing_is_sent() {
    let (cloud, rackform) = applied(HALL);
    configure(&rackform, &cloud, &(renamed() + &moves(&MOVES)));
    let plan = rackform.run(&["plan", "--detailed-exitcode"]).expect(2);
    plan.says(&["# host.kvm has moved to host.node", "4 only in the state"]);
    assert_eq!(rackform.read("rackform.state.json").matches("host.node").count(), 0);
    apply(&rackform).expect(0);
    assert_eq!(sent(&cloud), Vec::<String>::new());
    let list = rackform.run(&["state", "list"]).expect(0);
    insta::assert_snapshot!(list.stdout, @r#"
    cluster.row
    host.node
    nfs_primary_storage.common
    nfs_primary_storage.common.clusters["cluster.row"]
    zone.west
    "#);
    is_settled(&rackform, &cloud);
    // The moves may stay for those who have not applied them yet, and may go.
    configure(&rackform, &cloud, &renamed());
    is_settled(&rackform, &cloud);
    assert_eq!(sent(&cloud), Vec::<String>::new());
    // What comes to the old address is another object.
    configure(&rackform, &cloud, &(renamed() + "[zone.east]\nname = \"New\"\n"));
    apply(&rackform).expect(0).says(&["1 added"]);
    assert_eq!(cloud.rows("/zones").len(), 2);
    cloud.assert_no_violations();
}

#[test]
fn a_chain_leads_whoever_comes_late_to_the_end() {
    let (cloud, rackform) = applied("[zone.a]\nname = \"Z\"\n");
    let text = "[zone.c]\nname = \"Z\"\n".to_owned()
        + &moves(&[("zone.b", "zone.c"), ("zone.a", "zone.b")]);
    configure(&rackform, &cloud, &text);
    apply(&rackform).expect(0);
    assert_eq!(sent(&cloud), Vec::<String>::new());
    is_settled(&rackform, &cloud);
}

#[test]
fn a_default_name_follows_the_label() {
    let (cloud, rackform) = applied("[zone.east]\n");
    configure(&rackform, &cloud, &("[zone.west]\n".to_owned() + &moves(&MOVES[..1])));
    let plan = rackform.run(&["plan"]).expect(0);
    plan.says(&["zone.west will be updated in place", "(moved from zone.east)", "\"west\""]);
    apply(&rackform).expect(0);
    assert_eq!(sent(&cloud), ["PUT zones"]);
    assert_eq!(cloud.one("/zones")["name"], "west");
    is_settled(&rackform, &cloud);
}

#[test]
fn a_rotated_password_is_noticed_across_a_move_and_an_old_one_is_not_sent_again() {
    let (cloud, rackform) = applied(HALL);
    configure(&rackform, &cloud, &(renamed() + &moves(&MOVES)));
    let text = renamed().replace("${env(\"ZSTACK_PASSWORD\")}", "${env(\"OTHER\")}");
    apply(&rackform).expect(0);
    is_settled(&rackform, &cloud);
    let state = rackform.read("rackform.state.json");
    assert!(!state.contains("@host.kvm") && state.contains("\"seal\""), "{state}");
    let rackform = rackform.env("OTHER", "rotated");
    configure(&rackform, &cloud, &text);
    rackform.run(&["plan"]).expect(0).says(&["password = (sensitive, changes)"]);
    apply(&rackform).expect(0);
    is_settled(&rackform, &cloud);
}

#[test]
fn programs_read_where_an_object_was() {
    let (cloud, rackform) = applied(HALL);
    configure(&rackform, &cloud, &(renamed() + &moves(&MOVES)));
    let plan = rackform.run(&["plan", "--format", "json"]).expect(0);
    let plan: serde_json::Value = serde_json::from_str(&plan.stdout).expect("JSON");
    let change = &plan["resource_changes"][1];
    assert_eq!(change["address"], "host.node");
    assert_eq!(change["previous_address"], "host.kvm");
    assert_eq!(change["change"]["actions"], serde_json::json!(["no-op"]));
    let lines = rackform.run(&["plan", "--json"]).expect(0).json_lines();
    let line = lines.iter().find(|l| l["change"]["resource"]["addr"] == "host.node");
    let line = line.expect("the host");
    assert_eq!(line["@message"], "host.kvm has moved to host.node");
    assert_eq!(line["change"]["action"], "move");
    assert_eq!(line["change"]["previous_resource"]["addr"], "host.kvm");
}

/// The state that remembers the move is written before anything else of the same apply is sent.
#[test]
fn a_move_is_remembered_though_the_rest_fails() {
    let (cloud, rackform) = applied("[zone.a]\nname = \"Z\"\n");
    let rest = "[zone.b]\nname = \"Z\"\n[zone.c]\n".to_owned();
    configure(&rackform, &cloud, &(rest.clone() + &moves(&[("zone.a", "zone.b")])));
    cloud.faults(&["api=CreateZone,times=0,job-error=SYS.1006:no"]);
    apply(&rackform).expect(1);
    cloud.faults(&[]);
    configure(&rackform, &cloud, &rest);
    apply(&rackform).expect(0);
    assert_eq!(cloud.rows("/zones").len(), 2);
    is_settled(&rackform, &cloud);
}
