//! Objects that the cases need around them. In: names and addresses. Out: the uuid or inventory of
//! an object that the API has made. It must not judge more than that making it succeeds.

use serde_json::{Value, json};

use crate::common::raw::{Api, text};

/// A well-formed id (version nibble 4, variant 8) that nothing has.
pub const FREE_UUID: &str = "0123456789ab4def8123456789abcdef";

pub async fn zone(api: &Api, name: &str) -> String {
    let accepted = api.post("/zones", json!({"params": {"name": name}})).await;
    uuid(&api.inventory(accepted).await)
}

pub async fn cluster(api: &Api, zone: &str, name: &str) -> String {
    let params = json!({"name": name, "zoneUuid": zone, "hypervisorType": "KVM"});
    let accepted = api.post("/clusters", json!({"params": params})).await;
    uuid(&api.inventory(accepted).await)
}

/// The request body of AddKVMHost.
pub fn host_body(cluster: &str, ip: &str) -> Value {
    json!({"params": {
        "name": format!("host-{ip}"),
        "managementIp": ip,
        "clusterUuid": cluster,
        "username": "root",
        "password": "rack-secret",
    }})
}

pub async fn host(api: &Api, cluster: &str, ip: &str) -> String {
    let accepted = api.post("/hosts/kvm", host_body(cluster, ip)).await;
    uuid(&api.inventory(accepted).await)
}

/// The request body of AddLocalPrimaryStorage and AddNfsPrimaryStorage.
pub fn storage_body(zone: &str, name: &str, url: &str) -> Value {
    json!({"params": {"name": name, "zoneUuid": zone, "url": url}})
}

pub async fn local(api: &Api, zone: &str, name: &str, url: &str) -> String {
    let accepted = api.post("/primary-storage/local-storage", storage_body(zone, name, url)).await;
    uuid(&api.inventory(accepted).await)
}

pub async fn nfs(api: &Api, zone: &str, name: &str, url: &str) -> String {
    let accepted = api.post("/primary-storage/nfs", storage_body(zone, name, url)).await;
    uuid(&api.inventory(accepted).await)
}

/// The path of the link between a cluster and a primary storage.
pub fn link(cluster: &str, storage: &str) -> String {
    format!("/clusters/{cluster}/primary-storage/{storage}")
}

/// Attaches by URL alone: this API takes no body.
pub async fn attach(api: &Api, cluster: &str, storage: &str) -> Value {
    let request = api.request(reqwest::Method::POST, &link(cluster, storage));
    let accepted = api.send(request).await;
    api.inventory(accepted).await
}

pub async fn detach(api: &Api, cluster: &str, storage: &str) -> Value {
    let accepted = api.delete(&link(cluster, storage)).await;
    api.inventory(accepted).await
}

/// Sends an action to an object and returns the job's reply.
pub async fn act(api: &Api, path: &str, action: &str, params: Value) -> crate::common::raw::Reply {
    let accepted = api.put(&format!("{path}/actions"), json!({action: params})).await;
    api.job(accepted).await
}

pub fn uuid(row: &Value) -> String {
    text(row, "uuid").to_string()
}

/// The uuid of the only row of `path` with this name.
pub async fn named(api: &Api, path: &str, name: &str) -> String {
    uuid(&api.one(&format!("{path}?q=name={name}")).await)
}

/// One row by uuid. Never by path: `GET /primary-storage/{uuid}` deletes.
pub async fn by_uuid(api: &Api, path: &str, uuid: &str) -> Value {
    api.one(&format!("{path}?q=uuid={uuid}")).await
}

/// A zone with a cluster of two hosts and their VMs, local storage and NFS, all attached:
/// `keep` runs from shared storage, `local` from the disk of its host.
pub fn populated() -> Value {
    json!({"zones": [{
        "name": "east",
        "clusters": [{
            "name": "rack",
            "hosts": [
                {"name": "one", "managementIp": "10.0.1.1", "vms": [
                    {"name": "keep", "localStorage": false},
                    {"name": "local", "localStorage": true},
                ]},
                {"name": "two", "managementIp": "10.0.1.2", "vms": [
                    {"name": "other", "localStorage": false},
                ]},
            ],
        }],
        "primaryStorage": [
            {"type": "LocalStorage", "name": "scratch", "url": "/zstack_ps", "clusters": ["rack"]},
            {"type": "NFS", "name": "shared", "url": "192.0.2.10:/export", "clusters": ["rack"]},
        ],
    }]})
}
