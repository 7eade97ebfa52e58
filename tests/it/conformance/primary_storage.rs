//! Primary storage, Local and NFS: adding, attaching, detaching, deleting, updating.

use std::time::Duration;

use rackform::emulator::ServerVersion;
use reqwest::Method;
use serde_json::{Value, json};

use super::world::{
    FREE_UUID, act, attach, by_uuid, cluster, detach, host, link, local, named, nfs, populated,
    storage_body, uuid, zone,
};
use crate::common::raw::{Api, VERSIONS, text};

const LOCAL: &str = "/primary-storage/local-storage";
const NFS: &str = "/primary-storage/nfs";
const EXPORT: &str = "192.0.2.10:/export";

#[tokio::test]
async fn case_36_a_local_url_is_an_absolute_path_outside_the_systems_own() {
    for version in VERSIONS {
        let api = Api::start(version).await;
        let zone = zone(&api, "east").await;
        for (url, expected) in [
            ("/dev/test", "the url contains an invalid folder[/dev or /proc or /sys]"),
            ("/proc/test", "the url contains an invalid folder[/dev or /proc or /sys]"),
            ("/sys/test", "the url contains an invalid folder[/dev or /proc or /sys]"),
            ("relative", "the url[relative] is not an absolute path starting with '/'"),
        ] {
            let accepted = api.post(LOCAL, storage_body(&zone, "scratch", url)).await;
            let said = api.fails(accepted, "SYS.1007").await;
            assert!(said.contains(expected), "{url}: {said}");
        }
        assert!(api.rows("/primary-storage").await.is_empty(), "nothing was created");

        // A right one is Connected at once, with no cluster.
        let accepted = api.post(LOCAL, storage_body(&zone, "scratch", "/zstack_ps")).await;
        let row = api.inventory(accepted).await;
        for (member, expected) in [
            ("state", "Enabled"),
            ("status", "Connected"),
            ("type", "LocalStorage"),
            ("url", "/zstack_ps"),
            ("mountPath", "/zstack_ps"),
            ("zoneUuid", &zone),
        ] {
            assert_eq!(row[member], expected, "{row}");
        }
        assert_eq!(row["attachedClusterUuids"], json!([]), "{row}");
        assert_eq!(by_uuid(&api, "/primary-storage", &uuid(&row)).await, row);
    }
}

#[tokio::test]
async fn case_37_nfs_is_disconnected_and_empty_until_a_host_mounts_it() {
    for version in VERSIONS {
        let api = Api::start(version).await;
        let east = zone(&api, "east").await;
        let accepted = api.post(NFS, storage_body(&east, "shared", EXPORT)).await;
        let row = api.inventory(accepted).await;
        assert_eq!(row["status"], "Disconnected", "{row}");
        assert_eq!(row["state"], "Enabled", "{row}");
        assert_eq!(row["type"], "NFS", "{row}");
        let mount = format!("/opt/zstack/nfsprimarystorage/prim-{}", uuid(&row));
        assert_eq!(row["mountPath"].as_str(), Some(&*mount), "{row}");
        for member in ["totalCapacity", "availableCapacity"] {
            assert_eq!(row[member], 0, "{row}");
        }

        let accepted = api.post(NFS, storage_body(&east, "again", EXPORT)).await;
        let said = api.fails(accepted, "SYS.1007").await;
        let expected = format!(
            "there has been a nfs primary storage having url as {EXPORT} in zone[uuid:{east}]"
        );
        assert!(said.contains(&expected), "{said}");
        assert_eq!(api.rows("/primary-storage").await.len(), 1);

        let west = zone(&api, "west").await;
        nfs(&api, &west, "same url, other zone", EXPORT).await;
        assert_eq!(api.rows("/primary-storage").await.len(), 2);
    }
}

#[tokio::test]
async fn case_38_what_an_attach_is_refused_for() {
    for version in VERSIONS {
        let api = Api::seeded(version, json!({"zones": [], "unreachable": ["10.0.0.9"]})).await;
        let (east, west) = (zone(&api, "east").await, zone(&api, "west").await);
        let rack = cluster(&api, &east, "rack").await;
        let first = local(&api, &east, "first", "/zstack_ps").await;
        let row = attach(&api, &rack, &first).await;
        assert_eq!(row["attachedClusterUuids"], json!([rack]));

        let said = refused(&api, &rack, &first, "SYS.1006").await;
        let expected =
            format!("primary storage[uuid:{first}] has been attached to cluster[uuid:{rack}]");
        assert!(said.contains(&expected), "{said}");

        let far = local(&api, &west, "far", "/far").await;
        let said = refused(&api, &rack, &far, "SYS.1007").await;
        assert!(said.contains("are not in the same zone"), "{said}");

        let twin = local(&api, &east, "twin", "/zstack_ps").await;
        let said = refused(&api, &rack, &twin, "SYS.1007").await;
        let expected = "url[/zstack_ps] has been occupied, it cannot be duplicate in same cluster";
        assert!(said.contains(expected), "{said}");

        host(&api, &rack, "10.0.1.1").await;
        let broken = nfs(&api, &east, "broken", "10.0.0.9:/export").await;
        refused(&api, &rack, &broken, "PS.1001").await;

        for storage in [&far, &twin, &broken] {
            let row = by_uuid(&api, "/primary-storage", storage).await;
            assert_eq!(row["attachedClusterUuids"], json!([]), "{row}");
        }
        refused(&api, &rack, FREE_UUID, "SYS.1003").await;
        refused(&api, FREE_UUID, &first, "SYS.1003").await;
    }
}

#[tokio::test]
async fn case_39_attached_storage_is_not_deleted_in_either_mode() {
    for version in VERSIONS {
        let api = Api::start(version).await;
        let zone = zone(&api, "east").await;
        let rack = cluster(&api, &zone, "rack").await;
        let storage = local(&api, &zone, "scratch", "/zstack_ps").await;
        attach(&api, &rack, &storage).await;
        let path = format!("/primary-storage/{storage}");
        for mode in ["", "?deleteMode=Permissive", "?deleteMode=Enforcing"] {
            let accepted = api.delete(&format!("{path}{mode}")).await;
            let said = api.fails(accepted, "SYS.1006").await;
            let expected = format!(
                "primary storage[uuid:{storage}] cannot be deleted for still being attached to cluster"
            );
            assert!(said.contains(&expected), "{said}");
        }
        let row = by_uuid(&api, "/primary-storage", &storage).await;
        assert_eq!(row["attachedClusterUuids"], json!([rack]), "{row}");
        assert_eq!(row["state"], "Enabled", "{row}");

        detach(&api, &rack, &storage).await;
        let accepted = api.delete(&path).await;
        api.done(accepted).await;
        assert!(api.rows("/primary-storage").await.is_empty());
    }
}

#[tokio::test]
async fn case_40_a_detach_stops_the_vms_that_use_the_storage() {
    for version in VERSIONS {
        let api = Api::seeded(version, populated()).await;
        let rack = named(&api, "/clusters", "rack").await;
        let shared = named(&api, "/primary-storage", "shared").await;
        let row = detach(&api, &rack, &shared).await;
        assert_eq!(row["attachedClusterUuids"], json!([]), "{row}");

        assert_eq!(api.names("/vm-instances?q=state=Stopped").await, ["keep", "other"]);
        assert_eq!(api.names("/vm-instances?q=state=Running").await, ["local"]);

        let accepted = api.delete(&link(&rack, &shared)).await;
        let said = api.fails(accepted, "SYS.1007").await;
        let expected = format!("has not been attached to cluster[uuid:{rack}] yet");
        assert!(said.contains(&expected), "{said}");
    }
}

#[tokio::test]
async fn case_41_only_nfs_heeds_a_new_url() {
    for version in VERSIONS {
        let api = Api::start(version).await;
        let zone = zone(&api, "east").await;
        let scratch = local(&api, &zone, "scratch", "/zstack_ps").await;
        let row = update(&api, &scratch, json!({"url": "/elsewhere", "name": "renamed"})).await;
        assert_eq!((&row["url"], &row["name"]), (&json!("/zstack_ps"), &json!("renamed")));
        let row = by_uuid(&api, "/primary-storage", &scratch).await;
        assert_eq!((&row["url"], &row["mountPath"]), (&json!("/zstack_ps"), &json!("/zstack_ps")));

        let shared = nfs(&api, &zone, "shared", EXPORT).await;
        let row = update(&api, &shared, json!({"url": "192.0.2.11:/moved"})).await;
        assert_eq!(row["url"], "192.0.2.11:/moved");
        let row = by_uuid(&api, "/primary-storage", &shared).await;
        assert_eq!((&row["url"], &row["name"]), (&json!("192.0.2.11:/moved"), &json!("shared")));
    }
}

#[tokio::test]
async fn case_49_capacities_need_a_filter() {
    for version in VERSIONS {
        let api = Api::start(version).await;
        api.get("/primary-storage/capacities").await.expect_error("SYS.1007");
        api.get("/primary-storage/capacities?all=false").await.expect_error("SYS.1007");

        let none = api.get("/primary-storage/capacities?all=true").await.expect(200);
        for member in [
            "totalCapacity",
            "availableCapacity",
            "totalPhysicalCapacity",
            "availablePhysicalCapacity",
        ] {
            let value = none.get(member).cloned().unwrap_or(json!(0));
            assert_eq!(value.as_f64(), Some(0.0), "{member} in {none}");
        }

        // A list is given by repetition or by index.
        let (a, b) = (zone(&api, "a").await, zone(&api, "b").await);
        for list in [
            format!("zoneUuids={a}"),
            format!("zoneUuids={a}&zoneUuids={b}"),
            format!("zoneUuids.0={a}&zoneUuids.1={b}"),
        ] {
            let path = format!("/primary-storage/capacities?{list}");
            let body = api.get(&path).await.expect(200);
            assert!(body["totalCapacity"].is_number(), "{path}: {body}");
        }
    }
}

#[tokio::test]
async fn case_53_get_by_path_deletes_and_is_recorded() {
    for version in VERSIONS {
        let api = Api::start(version).await;
        let zone = zone(&api, "east").await;
        let storage = local(&api, &zone, "scratch", "/zstack_ps").await;
        let before = api.violations().await.len();

        let accepted = api.get(&format!("/primary-storage/{storage}")).await;
        api.done(accepted).await;
        assert!(api.rows("/primary-storage").await.is_empty(), "it was DeletePrimaryStorage");

        let violations = api.violations().await;
        assert!(violations.len() > before, "no client of ours may do this unseen");
        let said = violations[before..].iter().any(|v| v.to_string().contains(&storage));
        assert!(said, "the violation names the path: {violations:?}");
    }
}

#[tokio::test]
async fn a_failed_add_leaves_no_row_but_its_uuid_stays_taken() {
    for version in VERSIONS {
        let api = Api::start(version).await;
        let zone = zone(&api, "east").await;
        let mut body = storage_body(&zone, "shared", EXPORT);
        body["params"]["resourceUuid"] = json!(FREE_UUID);
        api.fault("api=AddNfsPrimaryStorage,connect-fail").await;
        let accepted = api.post(NFS, body.clone()).await;
        assert_eq!(api.job(accepted).await.status, 503);
        assert!(api.rows("/primary-storage").await.is_empty());

        let accepted = api.post(NFS, body).await;
        api.fails(accepted, "SYS.1000").await;
        assert!(api.rows("/primary-storage").await.is_empty());
        nfs(&api, &zone, "shared", EXPORT).await;
    }
}

#[tokio::test]
async fn storage_shows_connecting_while_it_is_added_and_deleting_while_it_goes() {
    for version in VERSIONS {
        let seed = json!({"zones": [{"name": "east"}]});
        let api = Api::slow(version, seed, Duration::from_millis(300)).await;
        let zone = named(&api, "/zones", "east").await;
        let adding = api.post(LOCAL, storage_body(&zone, "scratch", "/zstack_ps")).await;
        let during = seen(&api, "status", "Connecting").await;
        assert_eq!(during["state"], "Enabled", "{during}");
        let storage = uuid(&api.inventory(adding).await);

        let deleting = api.delete(&format!("/primary-storage/{storage}")).await;
        seen(&api, "state", "Deleting").await;
        api.done(deleting).await;
        assert!(api.rows("/primary-storage").await.is_empty());
    }
}

#[tokio::test]
async fn nfs_is_connected_once_a_host_mounts_it_whatever_came_first() {
    for version in VERSIONS {
        let api = Api::start(version).await;
        let zone = zone(&api, "east").await;
        let rack = cluster(&api, &zone, "rack").await;
        let shared = nfs(&api, &zone, "shared", EXPORT).await;
        let row = attach(&api, &rack, &shared).await;
        assert_eq!(row["status"], "Disconnected", "no host yet: {row}");
        host(&api, &rack, "10.0.1.1").await;
        connected(&api, &shared).await;

        // The other order.
        let second = nfs(&api, &zone, "second", "192.0.2.10:/second").await;
        attach(&api, &rack, &second).await;
        connected(&api, &second).await;
    }
}

#[tokio::test]
async fn an_attach_by_url_alone_may_have_an_empty_body() {
    for version in VERSIONS {
        let api = Api::start(version).await;
        let zone = zone(&api, "east").await;
        let rack = cluster(&api, &zone, "rack").await;
        let storage = local(&api, &zone, "scratch", "/zstack_ps").await;
        let accepted = api.post(&link(&rack, &storage), json!({})).await;
        assert_eq!(api.inventory(accepted).await["attachedClusterUuids"], json!([rack]));
        assert_eq!(api.violations().await, Vec::<Value>::new());
    }
}

#[tokio::test]
async fn an_nfs_url_in_use_is_not_moved_under_running_vms() {
    for version in VERSIONS {
        let api = Api::seeded(version, populated()).await;
        let shared = named(&api, "/primary-storage", "shared").await;
        let params = json!({"url": "192.0.2.11:/moved"});
        let path = format!("/primary-storage/{shared}");
        let reply = act(&api, &path, "updatePrimaryStorage", params).await;
        let said = reply.expect_error("SYS.1006").to_string();
        assert!(said.contains("running VMs on the NFS primary storage"), "{said}");
        assert_eq!(by_uuid(&api, "/primary-storage", &shared).await["url"], EXPORT);
    }
}

#[tokio::test]
async fn every_state_can_be_left_by_every_event() {
    let api = Api::start(ServerVersion::V3_0).await;
    let zone = zone(&api, "east").await;
    let storage = local(&api, &zone, "scratch", "/zstack_ps").await;
    let path = format!("/primary-storage/{storage}");
    let events = [
        ("enable", "Enabled"),
        ("disable", "Disabled"),
        ("maintain", "Maintenance"),
        ("deleting", "Deleting"),
    ];
    for (before, _) in events {
        for (event, state) in events {
            change(&api, &path, before).await;
            assert_eq!(change(&api, &path, event).await["state"], state, "{before} → {event}");
        }
    }
}

#[tokio::test]
async fn maintenance_stops_the_vms_on_the_storage() {
    let api = Api::seeded(ServerVersion::V5_2, populated()).await;
    let shared = named(&api, "/primary-storage", "shared").await;
    change(&api, &format!("/primary-storage/{shared}"), "maintain").await;
    assert_eq!(api.names("/vm-instances?q=state=Running").await, ["local"]);
}

/// Attaches without a body and expects this refusal.
async fn refused(api: &Api, cluster: &str, storage: &str, code: &str) -> String {
    let request = api.request(Method::POST, &link(cluster, storage));
    let accepted = api.send(request).await;
    api.fails(accepted, code).await
}

async fn update(api: &Api, storage: &str, params: Value) -> Value {
    let path = format!("/primary-storage/{storage}");
    let reply = act(api, &path, "updatePrimaryStorage", params).await;
    reply.expect(200)["inventory"].clone()
}

async fn change(api: &Api, path: &str, event: &str) -> Value {
    let reply = act(api, path, "changePrimaryStorageState", json!({"stateEvent": event})).await;
    reply.expect(200)["inventory"].clone()
}

/// Asks for storage until a member of one has this value.
async fn seen(api: &Api, member: &str, value: &str) -> Value {
    for _ in 0..5_000 {
        let rows = api.rows("/primary-storage").await;
        if let Some(row) = rows.into_iter().find(|row| row[member] == value) {
            return row;
        }
    }
    panic!("no primary storage ever had {member} {value}")
}

/// Waits until a storage is Connected and knows its size, which is computed a while after.
async fn connected(api: &Api, storage: &str) {
    for _ in 0..5_000 {
        let row = by_uuid(api, "/primary-storage", storage).await;
        let size = row["totalCapacity"].as_f64().unwrap_or(0.0);
        if text(&row, "status") == "Connected" && size > 0.0 {
            return;
        }
    }
    panic!("primary storage {storage} never became Connected with a capacity")
}
