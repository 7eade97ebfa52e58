//! Look-ups with the real binary against the emulator: what is found, what is said when it is not,
//! and what is asked of the server for it.

mod every_type;
mod filters;
mod mistakes;
mod tables;

use serde_json::{Value, json};

use crate::common::cloud::Cloud;
use crate::common::process::{Outcome, Rackform};

/// Two zones with clusters and hosts; some names are hard to ask for.
fn seeded() -> Cloud {
    let cloud = Cloud::start();
    let host = |name: &str, ip: &str| json!({ "name": name, "managementIp": ip });
    let east = json!({ "name": "east", "clusters": [
        { "name": "a", "hosts": [host("kvm01", "10.0.0.1"), host("kvm02", "10.0.0.2")] },
        { "name": "b", "hosts": [host("kvm01", "10.0.0.3")] },
    ], "primaryStorage": [
        { "type": "NFS", "name": "nfs", "url": "10.0.0.9:/export", "clusters": ["a", "b"] },
    ] });
    let hard = ["west's \"hall\"", "机房", "a>=b", "is null", "x,y", "100%", "100 "];
    let mut zones = vec![east];
    zones.extend(hard.map(|name| json!({ "name": name })));
    cloud.control(reqwest::Method::POST, "seed", Some(json!({ "zones": zones })));
    cloud.reset();
    cloud
}

/// A configuration for this cloud.
fn with(cloud: &Cloud, config: &str) -> Rackform {
    Rackform::with(&format!("{}{config}", cloud.provider()))
}

/// Plans it; what was asked must be what a correct client asks.
fn plan(cloud: &Cloud, config: &str) -> Outcome {
    let outcome = with(cloud, config).run(&["plan"]);
    cloud.assert_no_violations();
    outcome
}

/// The description that a plan gives to a zone: how a test sees the value of an expression.
fn evaluated(cloud: &Cloud, tables: &str, expression: &str) -> String {
    let config = format!("{tables}\n[zone.seen]\ndescription = '''{expression}'''\n");
    let outcome = plan(cloud, &config).expect(0);
    let line = outcome.stdout.lines().find(|line| line.contains("description"));
    let line = line.unwrap_or_else(|| panic!("no description in {}", outcome.stdout));
    line.split_once('"').expect("a text").1.trim_end_matches('"').to_owned()
}

/// The id of the only row of a query.
fn id(cloud: &Cloud, path: &str) -> String {
    cloud.one(path)["uuid"].as_str().expect("an id").to_owned()
}

/// How often an API was called since the last reset.
fn calls(cloud: &Cloud, api: &str) -> u64 {
    cloud.counts().get(api).and_then(Value::as_u64).unwrap_or(0)
}
