//! `rackform action`: day-two calls through the real binary against the emulator. What is sent,
//! what is refused, what a person and a program read.

mod long_jobs;
mod outcomes;
mod refused;
mod requests;
mod shell;

use rackform::emulator::{Options, ServerVersion};
use serde_json::json;

use super::bad_days::{outcome, signal, until, until_asked};
use super::common::cloud::Cloud;
use super::common::process::Rackform;

/// Uuids of the objects that are there from the start.
const ZONE: &str = "0000000000004000800000000000000a";
const CLUSTER: &str = "000000000000400080000000000000c1";
const H1: &str = "00000000000040008000000000000001";
const H2: &str = "00000000000040008000000000000002";
const LOCAL: &str = "000000000000400080000000000000d1";
const NFS: &str = "000000000000400080000000000000d2";
const NFS2: &str = "000000000000400080000000000000d3";
const SMP: &str = "000000000000400080000000000000d4";
const STORE: &str = "000000000000400080000000000000b1";
const SHARED: &str = "000000000000400080000000000000d5";
const CEPH: &str = "000000000000400080000000000000d6";
const CEPH_STORE: &str = "000000000000400080000000000000b4";
const STORE2: &str = "000000000000400080000000000000b2";
const SFTP: &str = "000000000000400080000000000000b3";
const IMAGE: &str = "000000000000400080000000000000a1";
const ISCSI: &str = "000000000000400080000000000000a2";
const PCI: &str = "000000000000400080000000000000e9";
const VM: &str = "000000000000400080000000000000f1";

/// A cloud that somebody else has built: a cluster of two hosts with a stopped VM, three storages.
fn options() -> Options {
    let storage = |uuid: &str, kind: &str, name: &str, url: &str| json!({ "uuid": uuid, "type": kind, "name": name, "url": url, "clusters": ["a"] });
    let backup = |uuid: &str, kind: &str, name: &str, images: serde_json::Value| {
        json!({ "uuid": uuid, "type": kind, "name": name, "url": format!("/{name}"),
            "hostname": format!("{name}.example.com"), "zones": ["east"], "images": images })
    };
    let seed = json!({ "zones": [{ "uuid": ZONE, "name": "east",
        "clusters": [{ "uuid": CLUSTER, "name": "a", "hosts": [
            { "uuid": H1, "name": "h1", "managementIp": "10.0.0.1",
              "vms": [{ "uuid": VM, "name": "v", "localStorage": true, "state": "Stopped" }] },
            { "uuid": H2, "name": "h2", "managementIp": "10.0.0.2" },
        ] }],
        "primaryStorage": [
            storage(LOCAL, "LocalStorage", "disks", "/zstack_ps"),
            storage(NFS, "NFS", "nfs", "10.0.0.9:/a"),
            storage(NFS2, "NFS", "more", "10.0.0.9:/b"),
            storage(SMP, "SharedMountPoint", "mounted", "/mnt/shared"),
            storage(SHARED, "SharedBlock", "luns", ""),
        ] }], "backupStorage": [
            backup(STORE, "ImageStoreBackupStorage", "store",
                json!([{ "uuid": IMAGE, "name": "debian" }])),
            backup(STORE2, "ImageStoreBackupStorage", "other", json!([])),
            backup(SFTP, "SftpBackupStorage", "sftp", json!([])),
        ], "pciDevices": [{ "uuid": PCI, "host": H1, "pciDeviceAddress": "0000:06:00.0",
            "vendorId": "10de", "deviceId": "0e0f" }] });
    Options { seed: Some(seed), ..Options::default() }
}

fn cloud() -> Cloud {
    Cloud::start_with(options())
}

fn new_cloud() -> Cloud {
    Cloud::start_with(Options { version: ServerVersion::V5_2, ..options() })
}

/// A directory that manages nothing of this cloud.
fn stranger(cloud: &Cloud) -> Rackform {
    Rackform::with(&cloud.provider())
}

/// A cloud of our own: `cluster.a` with `host.h1` and `host.h2`.
fn own(cloud: &Cloud) -> Rackform {
    let host = |label: &str, ip: &str| {
        format!(
            "[host.{label}]\ncluster = \"cluster.a\"\nmanagement_ip = \"{ip}\"\n\
             username = \"root\"\npassword = '${{env(\"ZSTACK_PASSWORD\")}}'\n"
        )
    };
    let config = format!(
        "{}[zone.east]\n[cluster.a]\nzone = \"zone.east\"\nhypervisor_type = \"KVM\"\n{}{}\
         [local_primary_storage.disks]\nzone = \"zone.east\"\nurl = \"/zstack_ps\"\n\
         clusters = [\"cluster.a\"]\n",
        cloud.provider(),
        host("h1", "10.0.0.1"),
        host("h2", "10.0.0.2")
    );
    let rackform = Rackform::with(&config);
    rackform.run(&["apply", "--auto-approve"]).expect(0);
    cloud.reset();
    rackform
}

/// The requests that changed something: `METHOD path body`.
fn sent(cloud: &Cloud) -> Vec<String> {
    let all = cloud.mutations().into_iter();
    all.map(|m| {
        let query = if m.query.is_empty() { String::new() } else { format!("?{}", m.query) };
        let body = if m.body.is_null() { String::new() } else { format!(" {}", m.body) };
        format!("{} {}{query}{body}", m.method, m.path)
    })
    .collect()
}

fn host(id: &str) -> String {
    format!("host.id:{id}")
}
