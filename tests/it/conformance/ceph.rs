//! Ceph primary storage: monitors and pools.

use serde_json::{Value, json};

use super::world::{FREE_UUID, act, by_uuid, uuid, zone};
use crate::common::raw::{Api, VERSIONS, is_uuid, text};

const CEPH: &str = "/primary-storage/ceph";
const POOLS: &str = "/primary-storage/ceph/pools";

#[tokio::test]
async fn case_42_a_monitor_host_stands_once_in_the_list() {
    for version in VERSIONS {
        let api = Api::start(version).await;
        let zone = zone(&api, "east").await;
        let urls =
            ["root:password@127.0.0.2/?monPort=7777", "root:password@127.0.0.2/?monPort=7778"];
        let accepted = api.post(CEPH, body(&zone, &urls)).await;
        let said = api.fails(accepted, "SYS.1007").await;
        assert!(said.contains("Cannot add same host[127.0.0.2] in mons"), "{said}");
        assert!(api.rows("/primary-storage").await.is_empty(), "nothing was created");

        let row = ceph(&api, &zone, &["root:password@127.0.0.2/?monPort=7777"]).await;
        assert_eq!(row["mons"][0]["monPort"], 7777, "{row}");

        // A host serves one primary storage.
        let accepted = api.post(CEPH, body(&zone, &["root:password@127.0.0.2"])).await;
        let said = api.fails(accepted, "SYS.1007").await;
        let expected = "cannot add ceph primary storage, there has been some ceph primary storage \
                        using mon[hostnames:[127.0.0.2]]";
        assert!(said.contains(expected), "{said}");
        assert_eq!(api.rows("/primary-storage").await.len(), 1);
    }
}

#[tokio::test]
async fn case_43_a_monitor_url_has_a_login() {
    for version in VERSIONS {
        let api = Api::start(version).await;
        let zone = zone(&api, "east").await;
        for url in ["10.0.1.3", "root@10.0.1.3", "root:p@10.0.1.3/?port=1", "root:p@10.0.1.3:ssh"] {
            let accepted = api.post(CEPH, body(&zone, &[url])).await;
            let said = api.fails(accepted, "SYS.1007").await;
            assert!(said.contains(&format!("invalid monUrl[{url}], the ")), "{said}");
            assert!(
                said.contains(
                    "A valid monUrl is in format of sshUsername:sshPassword@hostname:[sshPort]/?[monPort=]"
                ),
                "{said}"
            );
        }
        assert!(api.rows("/primary-storage").await.is_empty(), "nothing was created");

        // The login ends at the last `@`; a password loses what follows a `:` in it.
        let row = ceph(&api, &zone, &["root:p@ss:word@10.0.1.3:2222/?monPort=7777"]).await;
        let mon = &row["mons"][0];
        for (member, expected) in [
            ("hostname", json!("10.0.1.3")),
            ("monAddr", json!("10.0.1.3")),
            ("monPort", json!(7777)),
            ("sshPort", json!(2222)),
            ("sshUsername", json!("root")),
            ("sshPassword", json!("p@ss")),
            ("status", json!("Connected")),
            ("primaryStorageUuid", row["uuid"].clone()),
        ] {
            assert_eq!(mon[member], expected, "{member} in {mon}");
        }
        assert!(is_uuid(text(mon, "monUuid")) && mon.get("uuid").is_none(), "{mon}");
        let plain = ceph(&api, &zone, &["root:p@10.0.1.4"]).await;
        assert_eq!(
            (&plain["mons"][0]["sshPort"], &plain["mons"][0]["monPort"]),
            (&json!(22), &json!(6789))
        );
    }
}

#[tokio::test]
async fn case_44_a_monitor_is_added_once() {
    for version in VERSIONS {
        let api = Api::seeded(version, json!({"zones": [], "unreachable": ["10.0.9.9"]})).await;
        let zone = zone(&api, "east").await;
        let first = uuid(&ceph(&api, &zone, &["root:p@10.0.1.1"]).await);
        let other = uuid(&ceph(&api, &zone, &["root:p@10.0.2.1"]).await);
        for taken in ["root:p@10.0.1.1/?monPort=7777", "root:p@10.0.2.1"] {
            let accepted = api.post(&mons(&first), urls(&[taken])).await;
            let said = api.fails(accepted, "SYS.1007").await;
            assert!(said.contains("Adding the same Mon node is not allowed"), "{said}");
        }
        let accepted = api.post(&mons(&first), urls(&[])).await;
        api.fails(accepted, "SYS.1007").await;
        assert_eq!(hosts(&api, &first).await, ["10.0.1.1"]);

        let accepted = api.post(&mons(&first), urls(&["root:p@10.0.1.2", "root:p@10.0.1.3"])).await;
        let row = api.inventory(accepted).await;
        assert_eq!(row["mons"].as_array().map(Vec::len), Some(3), "{row}");
        assert_eq!(hosts(&api, &first).await, ["10.0.1.1", "10.0.1.2", "10.0.1.3"]);
        assert_eq!(hosts(&api, &other).await, ["10.0.2.1"]);
        let accepted = api.post(&mons(FREE_UUID), urls(&["root:p@10.0.1.4"])).await;
        api.fails(accepted, "SYS.1003").await;

        // One that cannot be reached is tolerated while another answers.
        let accepted = api.post(&mons(&first), urls(&["root:p@10.0.9.9"])).await;
        let row = api.inventory(accepted).await;
        let down: Vec<&Value> =
            listed(&row).filter(|mon| mon["status"] == "Disconnected").collect();
        assert_eq!(down.len(), 1, "{row}");
        assert_eq!(down[0]["hostname"], "10.0.9.9");
    }
}

#[tokio::test]
async fn case_45_any_monitor_may_be_removed() {
    for version in VERSIONS {
        let api = Api::start(version).await;
        let zone = zone(&api, "east").await;
        let storage = uuid(&ceph(&api, &zone, &["root:p@10.0.1.1", "root:p@10.0.1.2"]).await);
        let before = by_uuid(&api, CEPH, &storage).await;

        let row = remove(&api, &storage, "monHostnames=nobody.example.com").await;
        assert_eq!(row["mons"], before["mons"], "an unknown name is no error");

        let row = remove(&api, &storage, "monHostnames=10.0.1.1&monHostnames=nobody").await;
        assert_eq!(listed(&row).count(), 1, "{row}");
        assert_eq!(hosts(&api, &storage).await, ["10.0.1.2"]);

        // By name in the whole table, whatever the storage.
        let other = uuid(&ceph(&api, &zone, &["root:p@10.0.2.1"]).await);
        remove(&api, &storage, "monHostnames=10.0.2.1").await;
        assert!(hosts(&api, &other).await.is_empty());

        // The last one too.
        let row = remove(&api, &storage, "monHostnames=10.0.1.2").await;
        assert_eq!(row["mons"], json!([]), "{row}");
        let accepted = api.delete(&mons(&storage)).await;
        api.fails(accepted, "SYS.1007").await;
    }
}

#[tokio::test]
async fn case_46_pools_are_made_named_and_forgotten() {
    for version in VERSIONS {
        let api = Api::start(version).await;
        let zone = zone(&api, "east").await;
        let row = ceph(&api, &zone, &["root:p@10.0.1.1"]).await;
        let storage = uuid(&row);
        let expected = [
            ("Data", format!("pri-v-d-{storage}")),
            ("ImageCache", format!("pri-c-{storage}")),
            ("Root", format!("pri-v-r-{storage}")),
        ];
        assert_eq!(pools(&api, &storage).await, expected.map(|(k, n)| (k.to_string(), n)));
        assert_eq!(row["pools"].as_array().map(Vec::len), Some(3), "{row}");

        let mut named = body(&zone, &["root:p@10.0.2.1"]);
        named["params"]["rootVolumePoolName"] = json!("roots");
        named["params"]["imageCachePoolName"] = json!("");
        let accepted = api.post(CEPH, named).await;
        api.fails(accepted, "SYS.1007").await;

        let accepted = api.post(&own_pools(&storage), pool("fast", true)).await;
        let added = api.inventory(accepted).await;
        assert_eq!((&added["poolName"], &added["type"]), (&json!("fast"), &json!("Data")));
        assert_eq!(added["primaryStorageUuid"], storage.as_str());
        for create in [true, false] {
            let accepted = api.post(&own_pools(&storage), pool("fast", create)).await;
            api.fails(accepted, "SYS.1007").await;
        }

        // The row goes, the pool in Ceph stays: it can be added again, not created again.
        let accepted = api.delete(&format!("{POOLS}/{}", uuid(&added))).await;
        api.done(accepted).await;
        assert!(api.rows(&format!("{POOLS}?q=poolName=fast")).await.is_empty());
        let accepted = api.post(&own_pools(&storage), pool("fast", true)).await;
        api.fails(accepted, "SYS.1006").await;
        let accepted = api.post(&own_pools(&storage), pool("fast", false)).await;
        api.inventory(accepted).await;
        assert_eq!(pools(&api, &storage).await.len(), 4);
    }
}

#[tokio::test]
async fn one_ceph_cluster_is_one_primary_storage() {
    for version in VERSIONS {
        let api = Api::seeded(version, json!({"zones": [], "unreachable": ["10.0.9.9"]})).await;
        let zone = zone(&api, "east").await;
        let accepted = api.post(CEPH, body(&zone, &["root:p@10.0.9.9"])).await;
        let said = api.fails(accepted, "SYS.1006").await;
        assert!(said.contains("Failed to connect all ceph mons"), "{said}");
        assert!(api.rows("/primary-storage").await.is_empty(), "its row is gone");

        let row = ceph(&api, &zone, &["root:p@10.0.1.1", "root:p@10.0.9.9"]).await;
        for (member, expected) in
            [("type", "Ceph"), ("mountPath", "Ceph"), ("status", "Connected"), ("state", "Enabled")]
        {
            assert_eq!(row[member], expected, "{row}");
        }
        assert!(row["fsid"].is_string() && row.get("url").is_none(), "{row}");

        // A change of a monitor is taken over unseen: no reconnect, its address stays.
        let first = listed(&row).find(|mon| mon["hostname"] == "10.0.1.1").expect("the mon");
        let mon = text(first, "monUuid");
        let path = format!("/primary-storage/ceph/mons/{mon}");
        let change = json!({"hostname": "ceph-1.example.com", "sshPort": 2222});
        let reply = act(&api, &path, "updateCephPrimaryStorageMon", change).await.expect(200);
        let mon = listed(&reply["inventory"]).find(|m| m["monUuid"] == mon).expect("the mon");
        assert_eq!(mon["hostname"], "ceph-1.example.com");
        assert_eq!((&mon["monAddr"], &mon["sshPort"]), (&json!("10.0.1.1"), &json!(2222)));
    }
}

#[tokio::test]
async fn the_monitors_of_a_storage_belong_to_one_ceph_cluster() {
    for version in VERSIONS {
        let api = Api::start(version).await;
        let zone = zone(&api, "east").await;
        for (host, fsid) in
            [("10.0.1.1", "a"), ("10.0.1.2", "a"), ("10.0.2.1", "b"), ("10.0.1.3", "a")]
        {
            let row =
                json!({"family": "machine", "op": "put", "uuid": host, "row": {"fsid": fsid}});
            api.control_post("rows", row).await;
        }
        let accepted = api.post(CEPH, body(&zone, &["root:p@10.0.1.1", "root:p@10.0.2.1"])).await;
        api.fails(accepted, "SYS.1006").await;
        assert!(api.rows(CEPH).await.is_empty(), "its row is gone");

        let first = ceph(&api, &zone, &["root:p@10.0.1.1"]).await;
        assert_eq!(first["fsid"], "a", "{first}");
        let storage = uuid(&first);
        let accepted = api.post(CEPH, body(&zone, &["root:p@10.0.1.3"])).await;
        let said = api.fails(accepted, "SYS.1006").await;
        assert!(said.contains("with the same FSID[a]"), "{said}");

        let accepted = api.post(&mons(&storage), urls(&["root:p@10.0.2.1"])).await;
        api.fails(accepted, "SYS.1006").await;
        assert_eq!(hosts(&api, &storage).await, ["10.0.1.1"]);
        let accepted = api.post(&mons(&storage), urls(&["root:p@10.0.1.2"])).await;
        api.inventory(accepted).await;
    }
}

#[tokio::test]
async fn a_reconnect_that_fails_disconnects() {
    for version in VERSIONS {
        let api = Api::start(version).await;
        let zone = zone(&api, "east").await;
        let storage = uuid(&ceph(&api, &zone, &["root:p@10.0.1.1"]).await);
        let path = format!("/primary-storage/{storage}");
        let machine =
            |row| json!({"family": "machine", "op": "put", "uuid": "10.0.1.1", "row": row});

        api.control_post("rows", machine(json!({"unreachable": true}))).await;
        let reply = act(&api, &path, "reconnectPrimaryStorage", json!({})).await;
        reply.expect_error("SYS.1006");
        let row = by_uuid(&api, CEPH, &storage).await;
        assert_eq!(row["status"], "Disconnected", "{row}");
        assert_eq!(row["mons"][0]["status"], "Disconnected", "{row}");

        api.control_post("rows", machine(json!({}))).await;
        let reply = act(&api, &path, "reconnectPrimaryStorage", json!({})).await.expect(200);
        assert_eq!(reply["inventory"]["status"], "Connected", "{reply}");
        assert_eq!(reply["inventory"]["mons"][0]["status"], "Connected", "{reply}");
    }
}

fn body(zone: &str, urls: &[&str]) -> Value {
    json!({"params": {"name": "ceph", "zoneUuid": zone, "monUrls": urls}})
}

async fn ceph(api: &Api, zone: &str, urls: &[&str]) -> Value {
    let accepted = api.post(CEPH, body(zone, urls)).await;
    api.inventory(accepted).await
}

fn mons(storage: &str) -> String {
    format!("{CEPH}/{storage}/mons")
}

fn urls(urls: &[&str]) -> Value {
    json!({"params": {"monUrls": urls}})
}

fn own_pools(storage: &str) -> String {
    format!("{CEPH}/{storage}/pools")
}

/// The body of AddCephPrimaryStoragePool; 5.2 demands a type, 3.0 does not know it.
fn pool(name: &str, create: bool) -> Value {
    json!({"params": {"poolName": name, "isCreate": create, "type": "Data"}})
}

fn listed(row: &Value) -> impl Iterator<Item = &Value> {
    row["mons"].as_array().into_iter().flatten()
}

async fn hosts(api: &Api, storage: &str) -> Vec<String> {
    let row = by_uuid(api, CEPH, storage).await;
    let mut hosts: Vec<_> = listed(&row).map(|mon| text(mon, "hostname").to_string()).collect();
    hosts.sort();
    hosts
}

/// Type and name of a storage's pools, sorted.
async fn pools(api: &Api, storage: &str) -> Vec<(String, String)> {
    let rows = api.rows(&format!("{POOLS}?q=primaryStorageUuid={storage}")).await;
    let mut pools: Vec<_> = rows
        .iter()
        .map(|row| (text(row, "type").to_string(), text(row, "poolName").to_string()))
        .collect();
    pools.sort();
    pools
}

async fn remove(api: &Api, storage: &str, query: &str) -> Value {
    let accepted = api.delete(&format!("{}?{query}", mons(storage))).await;
    api.inventory(accepted).await
}
