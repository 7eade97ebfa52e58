//! Backup storage: Ceph's rules, and the link to a zone.

use serde_json::{Value, json};

use super::world::{FREE_UUID, by_uuid, uuid, zone};
use crate::common::raw::{Api, VERSIONS};

const CEPH: &str = "/backup-storage/ceph";

#[tokio::test]
async fn case_47_what_a_ceph_backup_storage_is_refused_for() {
    for version in VERSIONS {
        let api = Api::seeded(version, json!({"zones": [], "unreachable": ["10.0.9.9"]})).await;
        for (params, expected) in [
            (json!({"importImages": true}), "poolName is required when importImages is true"),
            (json!({"poolName": ""}), "poolName can be null but cannot be an empty string"),
            (json!({"monUrls": ["10.0.1.2"]}), "invalid monUrl[10.0.1.2]"),
            (json!({"monUrls": ["root:p@10.0.1.1", "root:p@10.0.1.1"]}), "Cannot add same host"),
        ] {
            let accepted = api.post(CEPH, body("root:p@10.0.1.1", &params)).await;
            let said = api.fails(accepted, "SYS.1007").await;
            assert!(said.contains(expected), "{said}");
        }

        // A connect failure: SYS.1002 with the cause inside, and the row is gone.
        let accepted = api.post(CEPH, body("root:p@10.0.9.9", &json!({}))).await;
        let said = api.fails(accepted, "SYS.1002").await;
        assert!(said.contains("BS.1500"), "{said}");
        assert!(said.contains("Failed to connect all ceph mons"), "{said}");
        assert!(api.rows("/backup-storage").await.is_empty(), "nothing is left");

        let params = json!({"importImages": true, "poolName": "zs-images"});
        let accepted = api.post(CEPH, body("root:p@10.0.1.1", &params)).await;
        let row = api.inventory(accepted).await;
        assert_eq!((&row["poolName"], &row["type"]), (&json!("zs-images"), &json!("Ceph")));
        assert_eq!((&row["state"], &row["status"]), (&json!("Enabled"), &json!("Connected")));
        assert_eq!(row["attachedZoneUuids"], json!([]), "not attached by itself");

        let accepted = api.post(CEPH, body("root:p@10.0.1.1", &json!({}))).await;
        let said = api.fails(accepted, "SYS.1007").await;
        let expected = "cannot add ceph backup storage, there has been some ceph backup storage \
                        using mon[hostnames:[10.0.1.1]]";
        assert!(said.contains(expected), "{said}");
    }
}

#[tokio::test]
async fn case_48_links_to_zones() {
    for version in VERSIONS {
        let api = Api::start(version).await;
        let (east, west) = (zone(&api, "east").await, zone(&api, "west").await);
        let storage = backup(&api).await;
        let row = attach(&api, &east, &storage).await;
        assert_eq!(row["attachedZoneUuids"], json!([east]), "{row}");

        let accepted = api.post(&link(&east, &storage), json!({})).await;
        let said = api.fails(accepted, "SYS.1006").await;
        let expected =
            format!("backup storage[uuid:{storage}] has been attached to zone[uuid:{east}]");
        assert!(said.contains(&expected), "{said}");

        // Many zones; one is left, then left again.
        let row = attach(&api, &west, &storage).await;
        assert_eq!(row["attachedZoneUuids"].as_array().map(Vec::len), Some(2), "{row}");
        let accepted = api.delete(&link(&west, &storage)).await;
        assert_eq!(api.inventory(accepted).await["attachedZoneUuids"], json!([east]));
        let accepted = api.delete(&link(&west, &storage)).await;
        let said = api.fails(accepted, "SYS.1006").await;
        let expected =
            format!("backup storage[uuid:{storage}] has not been attached to zone[uuid:{west}]");
        assert!(said.contains(&expected), "{said}");
        let accepted = api.post(&link(FREE_UUID, &storage), json!({})).await;
        api.fails(accepted, "SYS.1003").await;

        // Deleted while attached; the zone stays.
        let accepted = api.delete(&format!("/backup-storage/{storage}")).await;
        api.done(accepted).await;
        assert!(api.rows("/backup-storage").await.is_empty());
        assert_eq!(api.names("/zones").await, ["east", "west"]);
    }
}

#[tokio::test]
async fn a_zone_that_goes_leaves_its_backup_storage() {
    for version in VERSIONS {
        let api = Api::start(version).await;
        let east = zone(&api, "east").await;
        let storage = backup(&api).await;
        attach(&api, &east, &storage).await;
        let accepted = api.delete(&format!("/zones/{east}")).await;
        api.done(accepted).await;
        let row = by_uuid(&api, "/backup-storage", &storage).await;
        assert_eq!(row["attachedZoneUuids"], json!([]), "{row}");
    }
}

#[tokio::test]
async fn a_ceph_backup_storage_names_its_own_pool_and_shares_a_host_with_a_primary_one() {
    for version in VERSIONS {
        let api = Api::start(version).await;
        let east = zone(&api, "east").await;
        let primary = json!({"params": {
            "name": "ceph", "zoneUuid": east, "monUrls": ["root:p@10.0.1.1"],
        }});
        let accepted = api.post("/primary-storage/ceph", primary).await;
        api.inventory(accepted).await;
        let storage = backup(&api).await;
        let row = by_uuid(&api, CEPH, &storage).await;
        assert_eq!(row["poolName"], format!("bak-t-{storage}"), "{row}");
        assert_eq!(row["mons"][0]["backupStorageUuid"], storage.as_str(), "{row}");
    }
}

/// A Ceph backup storage's body with further parameters.
fn body(mon: &str, more: &Value) -> Value {
    let mut params = json!({"name": "images", "monUrls": [mon]});
    for (name, value) in more.as_object().into_iter().flatten() {
        params[name] = value.clone();
    }
    json!({ "params": params })
}

async fn backup(api: &Api) -> String {
    let accepted = api.post(CEPH, body("root:p@10.0.1.1", &json!({}))).await;
    uuid(&api.inventory(accepted).await)
}

fn link(zone: &str, storage: &str) -> String {
    format!("/zones/{zone}/backup-storage/{storage}")
}

/// Attaches by URL alone: this API takes no body.
async fn attach(api: &Api, zone: &str, storage: &str) -> Value {
    let request = api.request(reqwest::Method::POST, &link(zone, storage));
    let accepted = api.send(request).await;
    api.inventory(accepted).await
}
