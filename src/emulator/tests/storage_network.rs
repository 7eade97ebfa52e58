//! iSCSI servers, their LUNs, and the shared block storage that stands on them; what machines know
//! of themselves.

use super::*;

const CANDIDATES: &str = "/primary-storage/sharedblockgroup/sharedblock-candidates?clusterUuid=c";

fn seed() -> Value {
    json!({
        "zones": [{ "name": "z", "uuid": "z", "clusters": [
            { "name": "c", "uuid": "c", "hosts": [{ "name": "h", "uuid": "h", "managementIp": "10.0.0.1" }] },
            { "name": "empty", "uuid": "empty" }
        ] }],
        "luns": [
            { "server": "10.0.2.1", "wwid": "3aa", "wwn": "0xaa", "size": 100, "iqn": "iqn.2018-01.com.example:a" },
            { "server": "10.0.2.1", "wwid": "3bb", "wwn": "0xaa", "size": 50, "iqn": "iqn.2018-01.com.example:b" }
        ],
        "disks": [{ "hosts": ["10.0.0.1", "10.0.0.9"], "wwid": "3dd", "size": 7, "vendor": "DELL" }]
    })
}

fn id(row: &Value) -> String {
    row["uuid"].as_str().expect("a uuid").to_owned()
}

/// The wwids of the candidates of the cluster `c`.
async fn candidates(client: &Client) -> Vec<String> {
    let results = client.get(CANDIDATES).await["results"].clone();
    let results = results.as_array().into_iter().flatten();
    results.filter_map(|row| row["wwid"].as_str().map(str::to_owned)).collect()
}

#[tokio::test]
async fn luns_appear_when_a_server_is_attached_or_refreshed() {
    let (_running, client) = seeded(ServerVersion::V3_0, seed()).await;
    let server = client.make("/storage-devices/iscsi/servers", json!({ "ip": "10.0.2.1" })).await;
    assert_eq!(server["iscsiTargets"], json!([]));
    let uuid = id(&server);
    let refresh = format!("/storage-devices/iscsi/servers/{uuid}");
    let (_, seen) = client.job("POST", &refresh, json!({})).await;
    let targets = &seen["inventory"]["iscsiTargets"];
    assert_eq!(targets.as_array().map(Vec::len), Some(2), "one per iqn");
    assert_eq!(targets[0]["iscsiLuns"].as_array().map(Vec::len), Some(1));
    let lun = client.get("/storage-devices/iscsi/luns?q=wwid=3aa").await["inventories"][0].clone();
    assert_eq!((&lun["size"], &lun["multipathDeviceUuid"]), (&json!(100), &json!("3aa")));
    assert_eq!(candidates(&client).await, ["3dd"], "nobody has logged in yet");
    let link = format!("/clusters/c/storage-devices/iscsi/servers/{uuid}");
    let (_, linked) = client.job("POST", &link, json!({})).await;
    assert_eq!(linked["inventory"]["iscsiClusterRefs"][0]["clusterUuid"], "c");
    assert_eq!(candidates(&client).await, ["3aa", "3bb", "3dd"]);
    assert_eq!(code(&client.job("POST", &link, json!({})).await), "SYS.1006");
    let state = json!({ "updateIscsiServer": { "state": "Disabled", "name": "n" } });
    let (_, changed) = client.job("PUT", &format!("{refresh}/actions"), state).await;
    assert_eq!(changed["inventory"]["name"], "n");
    assert_eq!(candidates(&client).await, ["3dd"]);
    // Without a seed for its address a server has two LUNs.
    let other =
        id(&client.make("/storage-devices/iscsi/servers", json!({ "ip": "10.0.2.2" })).await);
    client.job("POST", &format!("/storage-devices/iscsi/servers/{other}"), json!({})).await;
    let luns = client.get("/storage-devices/iscsi/luns?count=true").await;
    assert_eq!(luns["total"], 4);
}

#[tokio::test]
async fn shared_block_stands_on_disks_that_a_connected_host_sees() {
    let (_running, client) = seeded(ServerVersion::V3_0, seed()).await;
    let server =
        id(&client.make("/storage-devices/iscsi/servers", json!({ "ip": "10.0.2.1" })).await);
    let add =
        |disk: &str| json!({ "params": { "name": "g", "zoneUuid": "z", "diskUuids": [disk] } });
    let path = "/primary-storage/sharedblockgroup";
    assert_eq!(code(&client.job("POST", path, add("3aa")).await), "SYS.1006", "not attached");
    let link =
        |cluster: &str| format!("/clusters/{cluster}/storage-devices/iscsi/servers/{server}");
    assert_eq!(client.job("POST", &link("empty"), json!({})).await.0, 200);
    assert_eq!(code(&client.job("POST", path, add("3aa")).await), "SYS.1006", "no host there");
    assert_eq!(client.job("POST", &link("c"), json!({})).await.0, 200);
    assert_eq!(code(&client.job("POST", path, add("0xaa")).await), "SYS.1006", "two qualify");
    assert_eq!(client.get("/primary-storage?count=true").await["total"], 0, "no row is left");
    let (_, group) = client.job("POST", path, add("3aa")).await;
    let group = &group["inventory"];
    assert_eq!(
        (&group["status"], &group["sharedBlocks"][0]["diskUuid"]),
        (&json!("Disconnected"), &json!("3aa"))
    );
    assert_eq!(code(&client.job("POST", path, add("3aa")).await), "SYS.1007", "in use");
    assert_eq!(candidates(&client).await, ["3bb", "3dd"]);

    let uuid = id(group);
    let attach = format!("/clusters/c/primary-storage/{uuid}");
    let (_, attached) = client.job("POST", &attach, json!({})).await;
    assert_eq!(
        (&attached["inventory"]["status"], &attached["inventory"]["totalCapacity"]),
        (&json!("Connected"), &json!(100))
    );
    let refs = client.get("/sharedblock-group/host-refs").await["inventories"].clone();
    assert_eq!(
        (&refs[0]["hostUuid"], &refs[0]["hostId"], &refs[0]["status"]),
        (&json!("h"), &json!(1), &json!("Connected"))
    );
    let one = client.get(&format!("/sharedblock-group/{uuid}/host-refs")).await;
    assert_eq!(one["inventories"], refs);
    // Hosts of another cluster are not logged in to the server.
    for cluster in ["other", "hostless"] {
        let body = json!({ "name": cluster, "zoneUuid": "z", "hypervisorType": "KVM" });
        let other = id(&client.make("/clusters", body).await);
        if cluster == "other" {
            client.make("/hosts/kvm", host(&other, "10.0.0.7")).await;
        }
        let path = format!("/clusters/{other}/primary-storage/{uuid}");
        let reply = client.job("POST", &path, json!({})).await;
        match cluster {
            "other" => assert_eq!(code(&reply), "PS.1001"),
            _ => assert_eq!(reply.0, 200, "{}", reply.1),
        }
        client.job("DELETE", &format!("/clusters/{other}"), Value::Null).await;
    }
    let more = json!({ "params": { "diskUuid": "3dd" } });
    let blocks = format!("{path}/{uuid}/sharedblocks");
    let (_, grown) = client.job("POST", &blocks, more.clone()).await;
    assert_eq!(grown["inventory"]["totalCapacity"], 107);
    assert_eq!(code(&client.job("POST", &blocks, more).await), "SYS.1007");
    let block =
        id(&client.get("/sharedblock-group/sharedblocks?q=diskUuid=3dd").await["inventories"][0]);
    let refresh = format!("{blocks}/{block}");
    assert_eq!(client.job("POST", &refresh, json!({})).await.1["inventory"]["uuid"], json!(uuid));
    assert_eq!(
        code(&client.job("POST", &format!("{blocks}/nothing"), json!({})).await),
        "SYS.1003"
    );

    let server_path = format!("/storage-devices/iscsi/servers/{server}");
    assert_eq!(
        code(&client.job("DELETE", &link("c"), Value::Null).await),
        "SYS.1006",
        "LUNs in use"
    );
    assert_eq!(client.job("DELETE", &attach, Value::Null).await.0, 200);
    assert_eq!(client.get("/sharedblock-group/host-refs").await["inventories"], json!([]));
    assert_eq!(client.job("DELETE", &format!("/primary-storage/{uuid}"), Value::Null).await.0, 200);
    assert_eq!(client.job("DELETE", &link("c"), Value::Null).await.0, 200);
    assert_eq!(
        code(&client.job("DELETE", &server_path, Value::Null).await),
        "SYS.1006",
        "attached"
    );
    assert_eq!(client.job("DELETE", &link("empty"), Value::Null).await.0, 200);
    assert_eq!(client.job("DELETE", &server_path, Value::Null).await.0, 200);
    assert_eq!(client.get("/storage-devices/iscsi/luns").await["inventories"], json!([]));
    assert_eq!(client.control("GET", "violations", Value::Null).await, json!([]));
}

#[tokio::test]
async fn a_chap_password_is_not_at_rest() {
    let dir = tempfile::tempdir().expect("a directory");
    let log = dir.path().join("log.jsonl");
    let running =
        start(Options { data: Some(log.clone()), ..Options::default() }).await.expect("starts");
    let client = Client::new(&running).await;
    let server =
        json!({ "ip": "10.0.2.1", "chapUserName": "u", "chapUserPassword": "chap-secret" });
    let server = client.make("/storage-devices/iscsi/servers", server).await;
    assert_eq!((&server["name"], &server["port"]), (&json!("iscsi-server-10.0.2.1"), &json!(3260)));
    assert_eq!(server["chapUserPassword"], "chap-secret");
    let logged = std::fs::read_to_string(log).expect("reads");
    assert!(!logged.contains("chap-secret"), "a secret is at rest");
}

#[tokio::test]
async fn a_host_of_another_system_does_not_join() {
    let seed = json!({
        "zones": [{ "name": "z", "clusters": [{ "name": "c", "uuid": "c" }] }],
        "machines": { "10.0.0.1": { "osVersion": "7.4" }, "10.0.0.2": { "osVersion": "7.6" } }
    });
    let (_running, client) = seeded(ServerVersion::V3_0, seed).await;
    for address in ["10.0.0.1", "10.0.0.3"] {
        client.make("/hosts/kvm", host("c", address)).await;
    }
    let other = json!({ "params": host("c", "10.0.0.2") });
    assert_eq!(code(&client.job("POST", "/hosts/kvm", other).await), "SYS.1006");
    assert_eq!(client.get("/hosts?count=true").await["total"], 2);
}

#[tokio::test]
async fn named_pools_must_exist_and_storage_networks_hold_their_server() {
    let seed = json!({ "zones": [{ "name": "z", "uuid": "z" }],
                       "machines": { "10.0.1.3": { "pools": ["fast"] } } });
    let (_running, client) = seeded(ServerVersion::V3_0, seed).await;
    let add = |pool: &str| {
        json!({ "params": { "name": "c", "zoneUuid": "z",
        "monUrls": ["root:p@10.0.1.3"], "rootVolumePoolName": pool } })
    };
    let path = "/primary-storage/ceph";
    assert_eq!(code(&client.job("POST", path, add("slow")).await), "SYS.1006");
    let (status, ceph) = client.job("POST", path, add("fast")).await;
    assert_eq!(status, 200, "{ceph}");
    let pools = format!("{path}/{}/pools", id(&ceph["inventory"]));
    let pool = |create: bool| json!({ "params": { "poolName": "new", "isCreate": create } });
    assert_eq!(code(&client.job("POST", &pools, pool(false)).await), "SYS.1006");
    assert_eq!(client.job("POST", &pools, pool(true)).await.0, 200);

    let nfs = |tags: Value| json!({ "params": { "name": "n", "zoneUuid": "z", "url": "10.0.3.9:/n" }, "systemTags": tags });
    let (near, far) = (
        "primaryStorage::gateway::cidr::10.0.3.0/24",
        "primaryStorage::gateway::cidr::10.0.4.0/24",
    );
    let path = "/primary-storage/nfs";
    assert_eq!(code(&client.job("POST", path, nfs(json!([far]))).await), "SYS.1007");
    assert_eq!(code(&client.job("POST", path, nfs(json!([near, near]))).await), "SYS.1007");
    assert_eq!(client.job("POST", path, nfs(json!([near]))).await.0, 200);
}

#[tokio::test]
async fn what_nobody_reaches_is_not_used() {
    let (_running, client) = seeded(ServerVersion::V3_0, seed()).await;
    let nfs = json!({ "name": "n", "zoneUuid": "z", "url": "10.0.3.9:/n" });
    let nfs = id(&client.make("/primary-storage/nfs", nfs).await);
    client.job("POST", &format!("/clusters/c/primary-storage/{nfs}"), json!({})).await;
    let status = async || {
        let row = client.get(&format!("/primary-storage?q=uuid={nfs}")).await;
        row["inventories"][0]["status"].clone()
    };
    assert_eq!(status().await, "Connected");
    client.control("POST", "seed", json!({ "unreachable": ["10.0.0.1", "10.0.2.1"] })).await;
    let lost = client.job("PUT", "/hosts/h/actions", json!({ "reconnectHost": {} })).await;
    assert_eq!(code(&lost), "HOST.1002");
    assert_eq!(status().await, "Disconnected", "no host of its cluster is left");
    let server =
        id(&client.make("/storage-devices/iscsi/servers", json!({ "ip": "10.0.2.1" })).await);
    let link = format!("/clusters/c/storage-devices/iscsi/servers/{server}");
    assert_eq!(code(&client.job("POST", &link, json!({})).await), "SYS.1006");
}
