//! What a delete takes along: there is no refusal because something is not empty, in either mode.

use serde_json::{Value, json};

use super::world::{act, by_uuid, named, populated};
use crate::common::raw::{Api, VERSIONS};

const MODES: [&str; 3] = ["", "?deleteMode=Permissive", "?deleteMode=Enforcing"];

#[tokio::test]
async fn case_28_deleting_a_zone_deletes_all_that_is_in_it() {
    for version in VERSIONS {
        for mode in MODES {
            let api = Api::seeded(version, with_a_neighbour()).await;
            let east = named(&api, "/zones", "east").await;
            let accepted = api.delete(&format!("/zones/{east}{mode}")).await;
            api.done(accepted).await;

            assert_eq!(api.names("/zones").await, ["west"]);
            assert_eq!(api.names("/clusters").await, ["shelf"]);
            assert_eq!(api.names("/hosts").await, ["far"]);
            assert_eq!(api.names("/primary-storage").await, ["elsewhere"], "attached or not");
            // Destroyed, not stopped: the root of the cascade is a zone.
            assert_eq!(api.names("/vm-instances").await, ["stays"]);
            assert_eq!(api.one("/vm-instances").await["state"], "Running");
        }
    }
}

#[tokio::test]
async fn case_35_deleting_a_host_destroys_the_vms_on_its_disk() {
    for version in VERSIONS {
        for mode in MODES {
            let api = Api::seeded(version, populated()).await;
            let one = named(&api, "/hosts", "one").await;
            let accepted = api.delete(&format!("/hosts/{one}{mode}")).await;
            api.done(accepted).await;

            assert_eq!(api.names("/hosts").await, ["two"]);
            assert_eq!(api.names("/vm-instances").await, ["keep", "other"], "local is gone");
            assert_eq!(api.one("/vm-instances?q=name=keep").await["state"], "Stopped");
            assert_eq!(api.one("/vm-instances?q=name=other").await["state"], "Running");
            assert_eq!(api.names("/primary-storage").await, ["scratch", "shared"]);
        }
    }
}

#[tokio::test]
async fn deleting_a_cluster_stops_the_vms_and_leaves_the_storage() {
    for version in VERSIONS {
        for mode in MODES {
            let api = Api::seeded(version, populated()).await;
            let rack = named(&api, "/clusters", "rack").await;
            let accepted = api.delete(&format!("/clusters/{rack}{mode}")).await;
            api.done(accepted).await;

            assert!(api.rows("/clusters").await.is_empty());
            assert!(api.rows("/hosts").await.is_empty());
            assert_eq!(api.names("/zones").await, ["east"]);
            assert_eq!(api.names("/vm-instances").await, ["keep", "other"], "local is gone");
            assert_eq!(api.names("/vm-instances?q=state=Stopped").await, ["keep", "other"]);

            assert_eq!(api.names("/primary-storage").await, ["scratch", "shared"]);
            for storage in api.rows("/primary-storage").await {
                assert_eq!(storage["attachedClusterUuids"], json!([]), "{storage}");
            }
            // With the references gone the storage may be deleted.
            let shared = named(&api, "/primary-storage", "shared").await;
            let accepted = api.delete(&format!("/primary-storage/{shared}")).await;
            api.done(accepted).await;
        }
    }
}

#[tokio::test]
async fn deleting_storage_destroys_the_vms_that_had_volumes_on_it() {
    for version in VERSIONS {
        let api = Api::seeded(version, populated()).await;
        let rack = named(&api, "/clusters", "rack").await;
        let shared = named(&api, "/primary-storage", "shared").await;
        super::world::detach(&api, &rack, &shared).await;
        let accepted = api.delete(&format!("/primary-storage/{shared}")).await;
        api.done(accepted).await;
        assert_eq!(api.names("/vm-instances").await, ["local"]);
        assert!(api.rows(&format!("/volumes?q=primaryStorageUuid={shared}")).await.is_empty());
    }
}

#[tokio::test]
async fn an_address_and_a_url_are_free_again_after_the_delete() {
    for version in VERSIONS {
        let api = Api::seeded(version, populated()).await;
        let rack = named(&api, "/clusters", "rack").await;
        let one = named(&api, "/hosts", "one").await;
        let accepted = api.delete(&format!("/hosts/{one}")).await;
        api.done(accepted).await;
        super::world::host(&api, &rack, "10.0.1.1").await;

        let east = named(&api, "/zones", "east").await;
        let shared = named(&api, "/primary-storage", "shared").await;
        let url = by_uuid(&api, "/primary-storage", &shared).await["url"].clone();
        super::world::detach(&api, &rack, &shared).await;
        let accepted = api.delete(&format!("/primary-storage/{shared}")).await;
        api.done(accepted).await;
        super::world::nfs(&api, &east, "shared", url.as_str().expect("a url")).await;
    }
}

#[tokio::test]
async fn a_deleted_object_can_no_longer_be_worked_on() {
    for version in VERSIONS {
        let api = Api::seeded(version, populated()).await;
        let rack = named(&api, "/clusters", "rack").await;
        let accepted = api.delete(&format!("/clusters/{rack}")).await;
        api.done(accepted).await;
        let path = format!("/clusters/{rack}");
        let reply = act(&api, &path, "updateCluster", json!({"name": "x"})).await;
        reply.expect_error("SYS.1003");
        let again = api.delete(&path).await;
        api.done(again).await;
    }
}

/// The populated zone beside another one, which nothing may happen to.
fn with_a_neighbour() -> Value {
    let mut seed = populated();
    let west = json!({
        "name": "west",
        "clusters": [{"name": "shelf", "hosts": [
            {"name": "far", "managementIp": "10.0.2.1", "vms": [
                {"name": "stays", "localStorage": true},
            ]},
        ]}],
        "primaryStorage": [
            {"type": "LocalStorage", "name": "elsewhere", "url": "/zstack_ps", "clusters": ["shelf"]},
        ],
    });
    seed["zones"].as_array_mut().expect("a list of zones").push(west);
    seed
}
