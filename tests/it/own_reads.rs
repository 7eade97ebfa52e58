//! Attributes that the list of objects does not have (the IOMMU state of a host): what reading them
//! costs, and for which objects it is paid.

use serde_json::{Value, json};

use crate::common::cloud::Cloud;
use crate::common::process::Rackform;

const CLUSTER: &str = r#"
[zone.east]

[cluster.a]
zone            = "zone.east"
hypervisor_type = "KVM"
"#;

/// Three hosts, each with these lines.
fn hosts(lines: [&str; 3]) -> String {
    let hosts = lines.iter().enumerate().map(|(n, line)| {
        format!(
            "\n[host.h{n}]\ncluster = \"cluster.a\"\nmanagement_ip = \"10.0.0.{}\"\n\
             username = \"root\"\npassword = '${{env(\"ZSTACK_PASSWORD\")}}'\n{line}\n",
            n + 1
        )
    });
    format!("{CLUSTER}{}", hosts.collect::<String>())
}

fn configure(rackform: &Rackform, cloud: &Cloud, lines: [&str; 3]) {
    rackform.write("main.rack.toml", &format!("{}{}", cloud.provider(), hosts(lines)));
}

fn reads(cloud: &Cloud) -> Value {
    cloud.counts().get("GetHostIommuState").cloned().unwrap_or(json!(0))
}

const ON: &str = "iommu_state = \"Enabled\"";

#[test]
fn it_is_read_only_of_objects_that_set_it() {
    let cloud = Cloud::start();
    let rackform = Rackform::new();
    configure(&rackform, &cloud, ["", "", ""]);
    rackform.run(&["apply", "--auto-approve"]).expect(0);
    rackform.run(&["plan", "--detailed-exitcode"]).expect(0);
    assert_eq!(reads(&cloud), json!(0));

    configure(&rackform, &cloud, [ON, "", ON]);
    cloud.reset();
    let plan = rackform.run(&["plan"]).expect(0);
    plan.says(&["iommu_state = \"Disabled\" → \"Enabled\"", "2 to change"]);
    assert_eq!(reads(&cloud), json!(2));
    rackform.run(&["apply", "--auto-approve"]).expect(0);

    // They count among the requests that a plan names.
    cloud.reset();
    let with = requests(&rackform, &["plan", "--detailed-exitcode"]);
    assert_eq!(reads(&cloud), json!(2));
    cloud.reset();
    let without = requests(&rackform, &["plan", "--detailed-exitcode", "--refresh=false"]);
    assert_eq!((with - 2 - 3, reads(&cloud)), (without, json!(0)), "three lists, two reads");

    // Once the configuration is silent about it, it is neither read nor drift.
    configure(&rackform, &cloud, ["", "", ON]);
    let patch = json!({ "iommuState": "Disabled" });
    let host = cloud.one("/hosts?q=name=h0")["uuid"].clone();
    cloud.drift(json!({ "family": "host", "op": "patch", "uuid": host, "row": patch }));
    cloud.reset();
    let quiet = rackform.run(&["plan", "--detailed-exitcode"]).expect(0);
    assert!(!quiet.stdout.contains("Changed outside"), "{}", quiet.stdout);
    assert_eq!(reads(&cloud), json!(1));
    cloud.assert_no_violations();
}

fn requests(rackform: &Rackform, args: &[&str]) -> u64 {
    let seen = rackform.run(args).expect(0);
    let (_, count) = seen.stdout.split_once("compared with ").expect("a count of requests");
    count.split(' ').next().and_then(|n| n.parse().ok()).expect("a number")
}

#[test]
fn a_value_that_cannot_be_read_is_not_taken_for_none() {
    let cloud = Cloud::start();
    let rackform = Rackform::new();
    configure(&rackform, &cloud, [ON, "", ""]);
    rackform.run(&["apply", "--auto-approve"]).expect(0);
    cloud.faults(&["api=GetHostIommuState,times=0,status=400,body=no"]);
    rackform.run(&["plan"]).expect(1).says(&["host objects of provider.zstack cannot be listed"]);
    cloud.faults(&[r#"api=GetHostIommuState,times=0,status=200,body={"state":[]}"#]);
    rackform.run(&["plan"]).expect(1).says(&["attribute `iommu_state` is a list"]);
}

#[test]
fn a_value_that_the_server_ignores_is_noticed() {
    let cloud = Cloud::start();
    let rackform = Rackform::new();
    configure(&rackform, &cloud, ["", "", ""]);
    rackform.run(&["apply", "--auto-approve"]).expect(0);
    configure(&rackform, &cloud, [ON, "", ""]);
    cloud.faults(&["api=UpdateHostIommuState,times=0,status=200,body={\"state\":\"Enabled\"}"]);
    let said = ["the server accepted `iommu_state` but did not apply it"];
    rackform.run(&["apply", "--auto-approve"]).expect(1).says(&said);
    cloud.faults(&[]);
    rackform.run(&["apply", "--auto-approve"]).expect(0);
    rackform.run(&["plan", "--detailed-exitcode"]).expect(0);
}

#[test]
fn an_imported_object_has_it() {
    let cloud = Cloud::start();
    let rackform = Rackform::new();
    configure(&rackform, &cloud, ["", "", ""]);
    rackform.run(&["apply", "--auto-approve"]).expect(0);
    let id = cloud.one("/hosts?q=name=h1")["uuid"].as_str().expect("an id").to_owned();
    rackform.run(&["state", "rm", "host.h1"]).expect(0);
    configure(&rackform, &cloud, ["", "iommu_state = \"Disabled\"", ""]);
    rackform.run(&["import", "host.h1", &id]).expect(0);
    assert!(rackform.read("rackform.state.json").contains("\"iommu_state\": \"Disabled\""));
    rackform.run(&["plan", "--detailed-exitcode"]).expect(0).says(&["No changes."]);
}
