//! Zones and clusters: checks of their arguments, client-chosen ids, updates, states.

use rackform::emulator::ServerVersion;
use serde_json::{Value, json};

use super::world::{FREE_UUID, act, by_uuid, cluster, named, populated, uuid, zone};
use crate::common::raw::{Api, VERSIONS, text};

#[tokio::test]
async fn case_09_a_zone_needs_a_name() {
    for version in VERSIONS {
        let api = Api::start(version).await;
        // A missing wrapper is an empty message.
        for body in [json!({"params": {"description": "x"}}), json!({"params": {}}), json!({})] {
            let accepted = api.post("/zones", body).await;
            let said = api.fails(accepted, "SYS.1007").await;
            let expected = "field[name] of message[org.zstack.header.zone.APICreateZoneMsg] \
                            is mandatory, can not be null";
            assert!(said.contains(expected), "{said}");
        }
        assert!(api.rows("/zones").await.is_empty(), "nothing was created");
    }
}

#[tokio::test]
async fn case_10_names_have_at_most_255_characters() {
    for version in VERSIONS {
        let api = Api::start(version).await;
        let too_long = json!({"params": {"name": "n".repeat(256)}});
        let accepted = api.post("/zones", too_long).await;
        let said = api.fails(accepted, "SYS.1007").await;
        let expected = "exceeds max length of string. expected was <= 255, actual was 256";
        assert!(said.contains(expected) && said.contains("field[name]"), "{said}");

        let text = json!({"params": {"name": "east", "description": "d".repeat(2049)}});
        let accepted = api.post("/zones", text).await;
        let said = api.fails(accepted, "SYS.1007").await;
        assert!(said.contains("expected was <= 2048, actual was 2049"), "{said}");
        assert!(api.rows("/zones").await.is_empty(), "nothing was created");

        let longest = "n".repeat(255);
        zone(&api, &longest).await;
        assert_eq!(api.names("/zones").await, [longest]);
    }
}

#[tokio::test]
async fn case_26_clients_may_choose_ids() {
    for version in VERSIONS {
        let api = Api::start(version).await;
        let nibble = format!("{}0{}", &FREE_UUID[..12], &FREE_UUID[13..]);
        let variant = format!("{}7{}", &FREE_UUID[..16], &FREE_UUID[17..]);
        let dashed = "01234567-89ab-4def-8123-456789abcdef";
        for wrong in [&FREE_UUID.to_uppercase(), dashed, &nibble, &variant, &FREE_UUID[..31], "x"] {
            let said = api.fails(create(&api, "east", wrong).await, "SYS.1007").await;
            let expected = format!("resourceUuid[{wrong}] is not a valid uuid");
            assert!(said.contains(&expected), "{said}");
        }
        assert!(api.rows("/zones").await.is_empty(), "nothing was created");

        let zone = api.inventory(create(&api, "east", FREE_UUID).await).await;
        assert_eq!(zone["uuid"], FREE_UUID);

        api.fails(create(&api, "west", FREE_UUID).await, "SYS.1000").await;
        // An id is unique across all types.
        let params = json!({"name": "rack", "zoneUuid": FREE_UUID, "hypervisorType": "KVM",
                            "resourceUuid": FREE_UUID});
        let accepted = api.post("/clusters", json!({"params": params})).await;
        api.fails(accepted, "SYS.1000").await;
        assert_eq!(api.one("/zones").await["name"], "east");
        assert!(api.rows("/clusters").await.is_empty());
    }
}

#[tokio::test]
async fn case_27_deleting_what_is_not_there_succeeds() {
    for version in VERSIONS {
        let api = Api::start(version).await;
        zone(&api, "east").await;
        let accepted = api.delete(&format!("/zones/{FREE_UUID}")).await;
        api.done(accepted).await;

        let accepted = api.delete(&format!("/zones/{FREE_UUID}test2321")).await;
        let said = api.fails(accepted, "SYS.1003").await;
        let expected = format!("invalid value[{FREE_UUID}test2321] of field [uuid]");
        assert!(said.contains(&expected), "{said}");

        for path in ["/clusters", "/hosts", "/primary-storage"] {
            let accepted = api.delete(&format!("{path}/{FREE_UUID}")).await;
            api.done(accepted).await;
        }
        assert_eq!(api.names("/zones").await, ["east"]);
    }
}

#[tokio::test]
async fn case_29_a_cluster_needs_an_existing_zone_and_a_known_hypervisor() {
    for version in VERSIONS {
        let api = Api::start(version).await;
        let accepted = create_cluster(&api, FREE_UUID, "KVM").await;
        let said = api.fails(accepted, "SYS.1003").await;
        let expected = format!("invalid field[zoneUuid], resource[uuid:{FREE_UUID}, type:");
        assert!(said.contains(&expected) && said.contains("not found"), "{said}");

        let zone = zone(&api, "east").await;
        let accepted = create_cluster(&api, &zone, "XEN").await;
        let said = api.fails(accepted, "SYS.1007").await;
        assert!(said.contains("valid value for field[hypervisorType]"), "{said}");
        assert!(said.contains("but XEN found"), "{said}");
        assert!(api.rows("/clusters").await.is_empty(), "nothing was created");
    }
}

#[tokio::test]
async fn hypervisors_differ_by_version() {
    let old = Api::start(ServerVersion::V3_0).await;
    let there = zone(&old, "east").await;
    let accepted = create_cluster(&old, &there, "xdragon").await;
    let said = old.fails(accepted, "SYS.1007").await;
    assert!(said.contains("valid value for field[hypervisorType]"), "{said}");

    let new = Api::start(ServerVersion::V5_2).await;
    let there = zone(&new, "east").await;
    let accepted = create_cluster(&new, &there, "xdragon").await;
    assert_eq!(new.inventory(accepted).await["hypervisorType"], "xdragon");
}

#[tokio::test]
async fn a_cluster_is_enabled_and_of_type_zstack() {
    for version in VERSIONS {
        let api = Api::start(version).await;
        let zone = zone(&api, "east").await;
        let accepted = create_cluster(&api, &zone, "KVM").await;
        let cluster = api.inventory(accepted).await;
        for (member, expected) in [
            ("state", "Enabled"),
            ("type", "zstack"),
            ("hypervisorType", "KVM"),
            ("zoneUuid", &zone),
        ] {
            assert_eq!(cluster[member], expected, "{cluster}");
        }
        assert_eq!(by_uuid(&api, "/clusters", &uuid(&cluster)).await, cluster);
    }
}

#[tokio::test]
async fn zone_names_have_an_alphabet_since_5_2() {
    for version in VERSIONS {
        let api = Api::start(version).await;
        zone(&api, "机房 A-1_(b):c+d.e").await;
        let accepted = api.post("/zones", json!({"params": {"name": "hall/2"}})).await;
        let reply = api.job(accepted).await;
        match version {
            ServerVersion::V3_0 => assert_eq!(reply.expect(200)["inventory"]["name"], "hall/2"),
            ServerVersion::V5_2 => {
                reply.expect_error("SYS.1007");
                assert_eq!(api.rows("/zones").await.len(), 1);
            }
        }
    }
}

#[tokio::test]
async fn names_are_not_unique() {
    let api = Api::start(ServerVersion::V3_0).await;
    zone(&api, "east").await;
    zone(&api, "east").await;
    assert_eq!(api.names("/zones?q=name=east").await, ["east", "east"]);
}

#[tokio::test]
async fn texts_are_trimmed_and_absent_members_left_out() {
    for version in VERSIONS {
        let api = Api::start(version).await;
        let zone = zone(&api, "bare").await;
        assert!(by_uuid(&api, "/zones", &zone).await.get("description").is_none());

        let cluster = cluster(&api, &zone, "  rack \t").await;
        assert_eq!(by_uuid(&api, "/clusters", &cluster).await["name"], "rack");
    }
}

#[tokio::test]
async fn an_update_leaves_out_what_it_does_not_name() {
    for version in VERSIONS {
        let api = Api::start(version).await;
        let zone = zone(&api, "east").await;
        let path = format!("/zones/{zone}");
        let update = async |params: Value| {
            let reply = act(&api, &path, "updateZone", params).await;
            reply.expect(200)["inventory"].clone()
        };
        let first = update(json!({"description": "first hall"})).await;
        assert_eq!((&first["name"], &first["description"]), (&json!("east"), &json!("first hall")));
        let named = update(json!({"name": "west", "description": null})).await;
        assert_eq!((&named["name"], &named["description"]), (&json!("west"), &json!("first hall")));
        let emptied = update(json!({"description": ""})).await;
        assert_eq!(emptied["description"], "", "a value can be emptied, never unset");
        assert_eq!(by_uuid(&api, "/zones", &zone).await, emptied);
    }
}

#[tokio::test]
async fn a_cluster_stays_in_its_zone() {
    let api = Api::start(ServerVersion::V3_0).await;
    let (east, west) = (zone(&api, "east").await, zone(&api, "west").await);
    let cluster = cluster(&api, &east, "rack").await;
    let params = json!({"name": "shelf", "zoneUuid": west, "hypervisorType": "Simulator"});
    act(&api, &format!("/clusters/{cluster}"), "updateCluster", params).await.expect(200);
    let row = by_uuid(&api, "/clusters", &cluster).await;
    assert_eq!(row["name"], "shelf");
    assert_eq!(row["zoneUuid"].as_str(), Some(&*east), "an unknown member is ignored");
    assert_eq!(row["hypervisorType"], "KVM");
}

#[tokio::test]
async fn states_are_switched_and_switching_again_is_harmless() {
    for version in VERSIONS {
        let api = Api::start(version).await;
        let zone = zone(&api, "east").await;
        let cluster = cluster(&api, &zone, "rack").await;
        for (path, action) in [
            (format!("/zones/{zone}"), "changeZoneState"),
            (format!("/clusters/{cluster}"), "changeClusterState"),
        ] {
            for (event, state) in [
                ("disable", "Disabled"),
                ("disable", "Disabled"),
                ("enable", "Enabled"),
                ("enable", "Enabled"),
            ] {
                let reply = act(&api, &path, action, json!({"stateEvent": event})).await;
                assert_eq!(reply.expect(200)["inventory"]["state"], state, "{path} {event}");
            }
            let reply = act(&api, &path, action, json!({"stateEvent": "explode"})).await;
            let said = reply.expect_error("SYS.1007").to_string();
            assert!(said.contains("valid value for field[stateEvent]"), "{said}");
        }
    }
}

#[tokio::test]
async fn an_update_of_what_is_not_there_is_refused() {
    for version in VERSIONS {
        let api = Api::start(version).await;
        for (path, action) in [
            ("zones", "updateZone"),
            ("clusters", "updateCluster"),
            ("hosts", "updateHost"),
            ("primary-storage", "updatePrimaryStorage"),
        ] {
            let path = format!("/{path}/{FREE_UUID}");
            act(&api, &path, action, json!({"name": "x"})).await.expect_error("SYS.1003");
        }
    }
}

#[tokio::test]
async fn an_upgrade_of_a_cluster_wants_all_its_hosts_and_is_a_long_job() {
    for version in VERSIONS {
        let api = Api::seeded(version, populated()).await;
        let rack = named(&api, "/clusters", "rack").await;
        let path = format!("/clusters/{rack}");
        let reply = act(&api, &path, "updateClusterOS", json!({})).await;
        let job = uuid(&reply.expect(200)["inventory"]);
        let row = by_uuid(&api, "/longjobs", &job).await;
        assert_eq!(text(&row, "jobName"), "APIUpdateClusterOSMsg", "{row}");

        let two = named(&api, "/hosts", "two").await;
        let drift = json!({"family": "host", "op": "patch", "uuid": two,
                           "row": {"status": "Disconnected"}});
        api.control_post("rows", drift).await;
        act(&api, &path, "updateClusterOS", json!({})).await.expect_error("SYS.1007");

        let zone = named(&api, "/zones", "east").await;
        let params = json!({"name": "sim", "zoneUuid": zone, "hypervisorType": "Simulator"});
        let accepted = api.post("/clusters", json!({"params": params})).await;
        let sim = uuid(&api.inventory(accepted).await);
        let path = format!("/clusters/{sim}");
        act(&api, &path, "updateClusterOS", json!({})).await.expect_error("SYS.1007");
    }
}

#[tokio::test]
async fn every_write_moves_last_op_date() {
    let api = Api::start(ServerVersion::V3_0).await;
    let zone = zone(&api, "east").await;
    let made = by_uuid(&api, "/zones", &zone).await;
    api.advance(90).await;
    let path = format!("/zones/{zone}");
    act(&api, &path, "changeZoneState", json!({"stateEvent": "disable"})).await.expect(200);
    let row = by_uuid(&api, "/zones", &zone).await;
    assert_eq!(row["createDate"], made["createDate"]);
    assert_ne!(text(&row, "lastOpDate"), text(&made, "lastOpDate"));
}

async fn create(api: &Api, name: &str, id: &str) -> crate::common::raw::Reply {
    api.post("/zones", json!({"params": {"name": name, "resourceUuid": id}})).await
}

async fn create_cluster(api: &Api, zone: &str, hypervisor: &str) -> crate::common::raw::Reply {
    let params = json!({"name": "rack", "zoneUuid": zone, "hypervisorType": hypervisor});
    api.post("/clusters", json!({"params": params})).await
}
