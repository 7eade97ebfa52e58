//! Queries: by path, by parameters, counting, paging, sorting, selecting, across objects.

use rackform::emulator::ServerVersion;
use serde_json::{Value, json};

use super::world::{FREE_UUID, cluster, named, populated, zone};
use crate::common::raw::{Api, VERSIONS, text};

/// Zones without clusters, by name.
fn zones(names: &[&str]) -> Value {
    let zones: Vec<Value> = names.iter().map(|name| json!({"name": name})).collect();
    json!({"zones": zones})
}

#[tokio::test]
async fn case_15_get_by_path_is_a_query_of_none_or_one() {
    for version in VERSIONS {
        let api = Api::seeded(version, zones(&["east", "west"])).await;
        let east = named(&api, "/zones", "east").await;

        let found = api.get(&format!("/zones/{east}")).await.expect(200);
        assert_eq!(found["inventories"].as_array().map(Vec::len), Some(1), "{found}");
        assert_eq!(found["inventories"][0]["name"], "east");
        assert_eq!(found["schema"]["inventories[0]"], "org.zstack.header.zone.ZoneInventory");
        assert!(found.get("inventory").is_none(), "{found}");
        assert!(found.get("total").is_none(), "{found}");

        let parameters =
            api.get(&format!("/zones/{east}?q=name=west&count=true&fields=uuid")).await;
        assert_eq!(parameters.expect(200), found, "a path takes no parameters");

        let missing = api.get(&format!("/zones/{FREE_UUID}")).await.expect(200);
        assert_eq!(missing["inventories"], json!([]), "{missing}");
        assert!(missing["schema"].is_object(), "{missing}");
    }
}

#[tokio::test]
async fn case_16_bad_conditions_and_numbers_are_plain_400() {
    for version in VERSIONS {
        let api = Api::start(version).await;
        for bad in ["q=name", "limit=x", "start=x", "q=name=east&q=name"] {
            api.get(&format!("/zones?{bad}")).await.expect_text(400);
        }
    }
}

#[tokio::test]
async fn case_17_the_manuals_condition_parameter_is_ignored() {
    for version in VERSIONS {
        let api = Api::seeded(version, zones(&["east", "west"])).await;
        assert_eq!(api.names("/zones?condition=name=east").await, ["east", "west"]);
        assert_eq!(api.names("/zones?unheard=of").await, ["east", "west"]);
    }
}

#[tokio::test]
async fn case_18_counts_are_given_when_asked_for() {
    for version in VERSIONS {
        let api = Api::seeded(version, zones(&["a", "b", "c"])).await;

        let count = api.get("/zones?count=true").await.expect(200);
        assert_eq!(count["total"], 3);
        assert!(count.get("inventories").is_none(), "{count}");
        assert!(count["schema"].is_object(), "{count}");
        assert_eq!(api.get("/zones?count=true&q=name!=b").await.expect(200)["total"], 2);

        let both = api.get("/zones?replyWithCount=true&limit=2").await.expect(200);
        assert_eq!(both["total"], 3, "all that match, not only the page");
        assert_eq!(both["inventories"].as_array().map(Vec::len), Some(2));

        let plain = api.get("/zones").await.expect(200);
        assert!(plain.get("total").is_none(), "{plain}");
        assert_eq!(plain["inventories"].as_array().map(Vec::len), Some(3));
    }
}

#[tokio::test]
async fn case_21_a_query_without_limit_gives_1000_rows() {
    for version in VERSIONS {
        let names: Vec<String> = (0..1001).map(|i| format!("zone-{i:04}")).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let api = Api::seeded(version, zones(&names)).await;
        let body = api.get("/zones?replyWithCount=true").await.expect(200);
        assert_eq!(body["inventories"].as_array().map(Vec::len), Some(1000));
        assert_eq!(body["total"], 1001);
        assert_eq!(api.rows("/zones?limit=1500").await.len(), 1001);
        assert_eq!(api.names("/zones?sort=name&start=1000").await, ["zone-1000"]);
    }
}

#[tokio::test]
async fn case_22_an_unknown_field_is_an_internal_error() {
    for version in VERSIONS {
        let api = Api::start(version).await;
        let error = api.get("/zones?q=nofield=1").await.expect_error("SYS.1000");
        let said = error.to_string();
        assert!(said.contains("has no field[nofield]"), "{said}");
        assert!(said.contains("inventory class["), "{said}");
    }
}

#[tokio::test]
async fn version_3_does_not_know_the_members_of_version_5() {
    for (path, member) in [("/zones", "isDefault"), ("/clusters", "architecture")] {
        let old = Api::start(ServerVersion::V3_0).await;
        let condition = format!("{path}?q={member}=x");
        old.get(&condition).await.expect_error("SYS.1000");
        let new = Api::start(ServerVersion::V5_2).await;
        assert!(new.rows(&condition).await.is_empty());
    }
}

#[tokio::test]
async fn conditions_are_joined_by_and() {
    let api = Api::seeded(ServerVersion::V3_0, zones(&["a", "b", "c"])).await;
    assert_eq!(api.names("/zones?q=name!=a&q=name!=c").await, ["b"]);
    assert!(api.names("/zones?q=name=a&q=name=b").await.is_empty());
}

#[tokio::test]
async fn sort_takes_a_sign_or_none() {
    for version in VERSIONS {
        let api = Api::seeded(version, zones(&["b", "c", "a"])).await;
        // An unencoded plus arrives as a space and is trimmed: ascending all the same.
        for ascending in ["name", "+name", "%2Bname"] {
            let path = format!("/zones?sort={ascending}");
            assert_eq!(in_order(&api, &path).await, ["a", "b", "c"], "{path}");
        }
        assert_eq!(in_order(&api, "/zones?sort=-name").await, ["c", "b", "a"]);
        assert_eq!(in_order(&api, "/zones?sort=-name&start=1&limit=1").await, ["b"]);
    }
}

#[tokio::test]
async fn fields_select_members() {
    let api = Api::seeded(ServerVersion::V5_2, zones(&["east"])).await;
    let row = api.one("/zones?fields=uuid,name").await;
    let mut members: Vec<&String> = row.as_object().expect("a row").keys().collect();
    members.sort();
    assert_eq!(members, ["name", "uuid"]);
}

#[tokio::test]
async fn group_by_has_no_effect() {
    let api = Api::seeded(ServerVersion::V3_0, zones(&["east", "east"])).await;
    assert_eq!(api.names("/zones?groupBy=name").await, ["east", "east"]);
}

#[tokio::test]
async fn conditions_reach_into_other_objects() {
    for version in VERSIONS {
        let api = Api::seeded(version, populated()).await;
        let west = zone(&api, "west").await;
        cluster(&api, &west, "empty").await;

        assert_eq!(api.names("/clusters?q=zone.name=east").await, ["rack"]);
        assert_eq!(api.names("/clusters?q=zone.name!=east").await, ["empty"]);
        assert_eq!(api.names("/hosts?q=cluster.name=rack").await, ["one", "two"]);
        assert_eq!(api.names("/hosts?q=cluster.zone.name=east&q=name=two").await, ["two"]);
        assert!(api.names("/hosts?q=cluster.zone.name=west").await.is_empty());
    }
}

#[tokio::test]
async fn the_casualties_of_a_change_can_be_counted() {
    for version in VERSIONS {
        let api = Api::seeded(version, populated()).await;
        let host = named(&api, "/hosts", "one").await;
        let cluster = named(&api, "/clusters", "rack").await;
        let shared = named(&api, "/primary-storage", "shared").await;

        let row =
            api.rows(&format!("/vm-instances?q=hostUuid={host}&fields=uuid,name,state")).await;
        assert_eq!(row.len(), 2);
        assert!(row.iter().all(|vm| vm["state"] == "Running"), "{row:?}");
        for (path, expected) in [
            (format!("/vm-instances?q=hostUuid={host}&count=true"), 2),
            (format!("/vm-instances?q=clusterUuid={cluster}&count=true"), 3),
            (format!("/vm-instances?q=allVolumes.primaryStorageUuid={shared}&count=true"), 2),
            (format!("/volumes?q=primaryStorageUuid={shared}&count=true"), 2),
        ] {
            assert_eq!(api.get(&path).await.expect(200)["total"], expected, "{path}");
        }
    }
}

#[tokio::test]
async fn tags_given_at_creation_can_be_asked_for() {
    for version in VERSIONS {
        let api = Api::start(version).await;
        zone(&api, "plain").await;
        let body = json!({"params": {"name": "tagged"}, "userTags": ["owner-a"]});
        let accepted = api.post("/zones", body).await;
        let tagged = api.inventory(accepted).await;

        assert_eq!(api.names("/zones?q=__userTag__=owner-a").await, ["tagged"]);
        let tag = api.one("/user-tags?q=tag=owner-a").await;
        assert_eq!(tag["resourceUuid"], tagged["uuid"]);
        assert_eq!(tag["resourceType"], "ZoneVO");
    }
}

#[tokio::test]
async fn the_type_field_as_a_condition_shows_the_members_of_the_type() {
    for version in VERSIONS {
        let api = Api::seeded(version, populated()).await;
        let general = api.one("/hosts?q=name=one").await;
        assert!(general.get("sshPort").is_none(), "{general}");
        let special = api.one("/hosts?q=name=one&q=hypervisorType=KVM").await;
        assert_eq!(special["sshPort"], 22, "{special}");
        assert!(special["username"].is_string(), "{special}");
        assert!(special.get("password").is_none(), "{special}");
    }
}

async fn in_order(api: &Api, path: &str) -> Vec<String> {
    api.rows(path).await.iter().map(|row| text(row, "name").to_string()).collect()
}
