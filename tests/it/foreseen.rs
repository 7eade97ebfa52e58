//! What the server would refuse halfway is said by the plan, before anything is sent.

use rackform::emulator::Options;
use reqwest::Method;
use serde_json::json;

use crate::common::cloud::Cloud;
use crate::common::process::{Outcome, Rackform};

const HALL: &str = r#"
[zone.z]

[cluster.c]
zone            = "zone.z"
hypervisor_type = "KVM"

[host.h]
cluster       = "cluster.c"
management_ip = "10.0.1.11"
username      = "root"
password      = '${env("SSH_PASSWORD")}'
"#;

const SERVER: &str = r#"
[iscsi_server.s]
ip       = "10.0.7.1"
clusters = ["cluster.c"]
"#;

const STORAGE: &str = r#"
[sharedblock_primary_storage.a]
zone     = "zone.z"
disks    = ["36001"]
clusters = ["cluster.c"]
"#;

/// A zone with a shared block storage on the LUN of an iSCSI server.
struct Scene {
    cloud: Cloud,
    rackform: Rackform,
}

impl Scene {
    fn applied(config: &str) -> Self {
        let seed = json!({ "luns": [
            { "server": "10.0.7.1", "wwid": "36001", "wwn": "0x36001" },
            { "server": "10.0.7.2", "wwid": "36002", "wwn": "0x36002" },
        ] });
        let cloud = Cloud::start_with(Options { seed: Some(seed), ..Options::default() });
        let rackform = Rackform::new().env("SSH_PASSWORD", "invented");
        let scene = Self { cloud, rackform };
        scene.configure(config);
        scene.apply().expect(0);
        scene.cloud.reset();
        scene
    }

    fn configure(&self, config: &str) {
        self.rackform.write("main.rack.toml", &format!("{}{config}", self.cloud.provider()));
    }

    fn apply(&self) -> Outcome {
        self.rackform.run(&["apply", "--auto-approve"])
    }

    /// Plan and apply say all of this, and neither sends anything.
    #[track_caller]
    fn refuses(&self, flags: &[&str], says: &[&str]) {
        for command in [&["plan"][..], &["apply", "--auto-approve"]] {
            let args = [command, flags].concat();
            self.rackform.run(&args).expect(1).says(says);
        }
        let sent = self.cloud.mutations();
        assert!(sent.is_empty(), "{sent:?}");
        self.cloud.assert_no_violations();
    }

    fn queries(&self, api: &str) -> u64 {
        self.cloud.counts()[api].as_u64().unwrap_or(0)
    }
}

#[test]
fn an_iscsi_server_is_not_detached_from_under_a_storage() {
    let scene = Scene::applied(&format!("{HALL}{SERVER}{STORAGE}"));
    let detached = SERVER.replace("[\"cluster.c\"]", "[]");
    scene.configure(&format!("{HALL}{detached}{STORAGE}"));
    scene.refuses(
        &[],
        &[
            "luns_in_use",
            "`iscsi_server.s` cannot be detached from `cluster.c`",
            "`sharedblock_primary_storage.a` stands on LUNs of it",
            "in the same plan",
            "main.rack.toml",
        ],
    );
    // The state alone does not excuse.
    scene.refuses(&["--refresh=false"], &["luns_in_use"]);
    // Its block is gone.
    scene.configure(&format!("{HALL}{STORAGE}"));
    scene.refuses(&[], &["`iscsi_server.s` cannot be detached from `cluster.c`"]);
    // It moves, or is to be replaced.
    let moved = SERVER.replace("10.0.7.1", "10.0.7.2");
    scene.configure(&format!("{HALL}{moved}{STORAGE}"));
    scene.refuses(&[], &["to replace one end is to detach it first"]);
    scene.configure(&format!("{HALL}{SERVER}{STORAGE}"));
    scene.refuses(&["--replace", "iscsi_server.s"], &["luns_in_use"]);
    // Nothing is to be done: nobody asks for more than a refresh.
    scene.cloud.reset();
    scene.rackform.run(&["plan", "--detailed-exitcode"]).expect(0);
    assert_eq!(scene.queries("QueryIscsiServer"), 1);
    assert_eq!(scene.queries("QuerySharedBlockGroupPrimaryStorage"), 1, "{}", scene.cloud.counts());
}

#[test]
fn the_storage_may_go_first_in_the_same_plan() {
    let detached = |table: &str| table.replace("[\"cluster.c\"]", "[]");
    let scene = Scene::applied(&format!("{HALL}{SERVER}{STORAGE}"));
    scene.configure(&format!("{HALL}{}{}", detached(SERVER), detached(STORAGE)));
    scene.apply().expect(0);
    let sent: Vec<String> = scene.cloud.mutations().into_iter().map(|m| m.path).collect();
    assert!(sent[0].contains("/primary-storage/") && sent[1].contains("/iscsi/"), "{sent:?}");
    assert_eq!(sent.len(), 2, "{sent:?}");
    scene.rackform.run(&["plan", "--detailed-exitcode"]).expect(0);

    let scene = Scene::applied(&format!("{HALL}{SERVER}{STORAGE}"));
    scene.configure(HALL);
    scene.apply().expect(0);
    scene.cloud.assert_no_violations();

    let scene = Scene::applied(&format!("{HALL}{SERVER}{STORAGE}"));
    let both = ["--replace", "iscsi_server.s", "--replace", "sharedblock_primary_storage.a"];
    scene.rackform.run(&[&["apply", "--auto-approve"], &both[..]].concat()).expect(0);
    scene.rackform.run(&["plan", "--detailed-exitcode"]).expect(0);
    scene.rackform.run(&["destroy", "--auto-approve"]).expect(0);
    assert!(scene.cloud.rows("/storage-devices/iscsi/servers").is_empty());
}

#[test]
fn a_server_whose_luns_nobody_uses_may_go() {
    let other = SERVER.replace("iscsi_server.s", "iscsi_server.t").replace("7.1", "7.2");
    let scene = Scene::applied(&format!("{HALL}{SERVER}{other}{STORAGE}"));
    scene.configure(&format!("{HALL}{SERVER}{STORAGE}"));
    scene.apply().expect(0).says(&["0 added, 0 changed, 2 destroyed"]);
    scene.cloud.assert_no_violations();
}

/// Nothing in the configuration or the state tells of it.
#[test]
fn the_storage_may_be_somebody_elses_and_know_the_lun_by_another_name() {
    let scene = Scene::applied(&format!("{HALL}{SERVER}"));
    let zone = scene.cloud.one("/zones")["uuid"].as_str().expect("an id").to_owned();
    let cluster = scene.cloud.one("/clusters")["uuid"].as_str().expect("an id").to_owned();
    let params = json!({ "name": "theirs", "zoneUuid": zone, "diskUuids": ["0x36001"] });
    let body = json!({ "params": params });
    scene.cloud.api(Method::POST, "/primary-storage/sharedblockgroup", Some(body));
    crate::bad_days::until("created", || scene.cloud.jobs_are_done());
    let theirs = scene.cloud.one("/primary-storage")["uuid"].as_str().expect("an id").to_owned();
    scene.cloud.api(Method::POST, &format!("/clusters/{cluster}/primary-storage/{theirs}"), None);
    crate::bad_days::until("attached", || scene.cloud.jobs_are_done());
    scene.cloud.reset();
    scene.configure(HALL);
    scene.refuses(&[], &[&format!("the object {theirs} stands on LUNs"), "where it is managed"]);
}

#[test]
fn an_end_that_is_not_there_is_noticed() {
    let id = "eeeeeeeeeeee4eee8eeeeeeeeeeeeeee";
    let scene = Scene::applied(&format!("{HALL}{SERVER}"));
    let to = SERVER.replace("\"cluster.c\"", &format!("\"cluster.c\", \"id:{id}\""));
    scene.configure(&format!("{HALL}{to}"));
    let says = format!("there is no cluster with the id `{id}`");
    scene.refuses(&[], &[&says, "main.rack.toml:"]);
    assert_eq!(scene.queries("QueryCluster"), 2, "one for each run: {}", scene.cloud.counts());
    // The same attachment from its other end.
    let from = HALL.replace("\"KVM\"\n", &format!("\"KVM\"\niscsi_servers = [\"id:{id}\"]\n"));
    scene.configure(&format!("{from}{}", SERVER.replace("clusters = [\"cluster.c\"]", "")));
    scene.refuses(&[], &[&format!("there is no iscsi_server with the id `{id}`")]);
    let both = format!("{HALL}{SERVER}");
    scene.configure(&both);
    scene.rackform.run(&["plan", "--detailed-exitcode"]).expect(0);
}

#[test]
fn a_virtual_machine_that_is_not_there_is_noticed() {
    let device = r#"
[usb_device.stick]
host    = "host.h"
bus_num = "001"
dev_num = "002"
vm      = ["id:0000000000004000800000000000aaaa"]
"#;
    let seed = json!({ "usbDevices": [
        { "host": "10.0.1.11", "busNum": "001", "devNum": "002", "idVendor": "0781" },
    ] });
    let cloud = Cloud::start_with(Options { seed: Some(seed), ..Options::default() });
    let scene = Scene { cloud, rackform: Rackform::new().env("SSH_PASSWORD", "invented") };
    scene.configure(HALL);
    scene.apply().expect(0);
    scene.cloud.reset();
    scene.configure(&format!("{HALL}{device}"));
    scene.refuses(&[], &["there is no vm_instance with the id", "[data.vm_instance."]);
    assert_eq!(scene.queries("QueryVmInstance"), 2, "one for each run: {}", scene.cloud.counts());
}
