//! KVM hosts: adding, states and status, updates, secrets.

use std::time::Duration;

use rackform::emulator::ServerVersion;
use serde_json::{Value, json};

use super::world::{
    FREE_UUID, act, attach, by_uuid, cluster, host, host_body, local, named, nfs, populated, uuid,
    zone,
};
use crate::common::raw::{Api, VERSIONS};

/// Long enough for the requests after an acceptance to arrive while the job still runs.
const JOB: Duration = Duration::from_millis(300);

/// An address that no host can be reached at.
const UNREACHABLE: &str = "10.0.0.9";

/// A cluster without hosts, in a cloud where one address is unreachable.
fn empty_cluster() -> Value {
    json!({
        "zones": [{"name": "east", "clusters": [{"name": "rack"}]}],
        "unreachable": [UNREACHABLE],
    })
}

#[tokio::test]
async fn case_30_a_management_ip_is_had_once() {
    for version in VERSIONS {
        let api = Api::seeded(version, empty_cluster()).await;
        let rack = named(&api, "/clusters", "rack").await;
        let elsewhere = zone(&api, "west").await;
        let elsewhere = cluster(&api, &elsewhere, "shelf").await;
        host(&api, &rack, "10.0.1.1").await;

        for cluster in [&rack, &elsewhere] {
            let accepted = api.post("/hosts/kvm", host_body(cluster, "10.0.1.1")).await;
            let said = api.fails(accepted, "SYS.1007").await;
            assert!(said.contains("10.0.1.1"), "{said}");
        }
        assert_eq!(api.rows("/hosts").await.len(), 1);

        let mut jobs = Vec::new();
        for _ in 0..8 {
            let accepted = api.post("/hosts/kvm", host_body(&rack, "10.0.1.2")).await;
            jobs.push(accepted.job_uuid(version));
        }
        let mut added = 0;
        for job in jobs {
            let reply = api.finish(&job).await;
            if reply.status == 200 {
                added += 1;
            } else {
                reply.expect_error("SYS.1007");
            }
        }
        assert_eq!(added, 1);
        assert_eq!(api.rows("/hosts?q=managementIp=10.0.1.2").await.len(), 1);
    }
}

#[tokio::test]
async fn case_31_a_host_shows_connecting_and_vanishes_when_it_cannot_be_reached() {
    for version in VERSIONS {
        let api = Api::slow(version, empty_cluster(), JOB).await;
        let rack = named(&api, "/clusters", "rack").await;
        let accepted = api.post("/hosts/kvm", host_body(&rack, "10.0.1.1")).await;
        let during = seen(&api, "10.0.1.1", "status", "Connecting").await;
        assert_eq!(during["state"], "Enabled", "{during}");

        let added = api.inventory(accepted).await;
        assert_eq!(added["state"], "Enabled", "{added}");
        assert_eq!(added["status"], "Connected", "{added}");
        assert_eq!(added["clusterUuid"].as_str(), Some(&*rack));
        assert_eq!(added["zoneUuid"], by_uuid(&api, "/clusters", &rack).await["zoneUuid"]);
        assert_eq!(added["hypervisorType"], "KVM");
        assert_eq!(by_uuid(&api, "/hosts", &uuid(&added)).await["status"], "Connected");

        let accepted = api.post("/hosts/kvm", host_body(&rack, UNREACHABLE)).await;
        seen(&api, UNREACHABLE, "status", "Connecting").await;
        let reply = api.job(accepted).await;
        assert_eq!(reply.status, 503, "{reply:?}");
        let code = reply.json()["error"]["code"].clone();
        assert!(code == "HOST.1003" || code == "SYS.1006", "{reply:?}");
        assert!(api.rows(&format!("/hosts?q=managementIp={UNREACHABLE}")).await.is_empty());
    }
}

#[tokio::test]
async fn case_32_maintenance_wants_a_connected_host_and_passes_through_pre_maintenance() {
    for version in VERSIONS {
        let api = Api::seeded(version, populated()).await;
        let [one, two] = [named(&api, "/hosts", "one").await, named(&api, "/hosts", "two").await];

        // Disconnected: refused, nothing changes.
        disconnect(&api, &two).await;
        let reply = change(&api, &two, "maintain").await;
        let said = reply.expect_error("SYS.1006").to_string();
        assert!(said.contains("can not maintain host[uuid:"), "{said}");
        assert!(said.contains("is not Connected"), "{said}");
        assert_eq!(by_uuid(&api, "/hosts", &two).await["state"], "Enabled");

        // A failure on the way: back to the state before.
        api.fault("api=ChangeHostState,connect-fail").await;
        change(&api, &one, "maintain").await.expect_error("HOST.1001");
        assert_eq!(by_uuid(&api, "/hosts", &one).await["state"], "Enabled");

        // There is no way from Maintenance to itself.
        change(&api, &one, "maintain").await.expect(200);
        change(&api, &one, "maintain").await.expect_error("SYS.1000");
        assert_eq!(by_uuid(&api, "/hosts", &one).await["state"], "Maintenance");

        // Connected: PreMaintenance, then Maintenance.
        let api = Api::slow(version, populated(), JOB).await;
        let one = named(&api, "/hosts", "one").await;
        let path = format!("/hosts/{one}/actions");
        let body = json!({"changeHostState": {"stateEvent": "maintain"}});
        let accepted = api.put(&path, body).await;
        seen(&api, "10.0.1.1", "state", "PreMaintenance").await;
        assert_eq!(api.inventory(accepted).await["state"], "Maintenance");
        assert_eq!(by_uuid(&api, "/hosts", &one).await["state"], "Maintenance");
    }
}

#[tokio::test]
async fn case_33_an_unchanged_management_ip_must_not_be_sent() {
    for version in VERSIONS {
        let api = Api::seeded(version, empty_cluster()).await;
        let rack = named(&api, "/clusters", "rack").await;
        let host = host(&api, &rack, "10.0.1.1").await;
        for (path, action) in [("/hosts", "updateHost"), ("/hosts/kvm", "updateKVMHost")] {
            let path = format!("{path}/{host}");
            let params = json!({"managementIp": "10.0.1.1", "name": "renamed"});
            let said = act(&api, &path, action, params).await.expect_error("SYS.1007").to_string();
            assert!(said.contains("there has been a host having managementIp[10.0.1.1]"), "{said}");
        }
        assert_eq!(by_uuid(&api, "/hosts", &host).await["name"], "host-10.0.1.1", "as before");

        let params = json!({"managementIp": "10.0.1.2"});
        let reply = act(&api, &format!("/hosts/{host}"), "updateHost", params).await;
        assert_eq!(reply.expect(200)["inventory"]["managementIp"], "10.0.1.2");
    }
}

#[tokio::test]
async fn case_34_a_password_never_comes_back() {
    for version in VERSIONS {
        let api = Api::seeded(version, empty_cluster()).await;
        let rack = named(&api, "/clusters", "rack").await;
        let accepted = api.post("/hosts/kvm", host_body(&rack, "10.0.1.1")).await;
        let added = api.job(accepted).await;
        let host = uuid(&added.expect(200)["inventory"]);

        let params = json!({"username": "admin", "password": "rack-secret", "sshPort": 2222});
        let updated = act(&api, &format!("/hosts/kvm/{host}"), "updateKVMHost", params).await;
        let inventory = updated.expect(200)["inventory"].clone();
        assert_eq!(inventory["username"], "admin", "{inventory}");
        assert_eq!(inventory["sshPort"], 2222, "{inventory}");

        let queried = api.get("/hosts?q=hypervisorType=KVM").await;
        let by_path = api.get(&format!("/hosts/{host}")).await;
        for reply in [added, updated, queried, by_path] {
            assert!(!reply.text.contains("password"), "{reply:?}");
            assert!(!reply.text.contains("rack-secret"), "{reply:?}");
        }
    }
}

#[tokio::test]
async fn an_ssh_port_is_22_unless_said() {
    let api = Api::seeded(ServerVersion::V3_0, empty_cluster()).await;
    let rack = named(&api, "/clusters", "rack").await;
    host(&api, &rack, "10.0.1.1").await;
    assert_eq!(api.one("/hosts?q=hypervisorType=KVM").await["sshPort"], 22);
    for port in [0, 65536] {
        let mut body = host_body(&rack, "10.0.1.2");
        body["params"]["sshPort"] = json!(port);
        let accepted = api.post("/hosts/kvm", body).await;
        let said = api.fails(accepted, "SYS.1007").await;
        assert!(said.contains("must be in range of [1, 65535]"), "{said}");
    }
    assert_eq!(api.rows("/hosts").await.len(), 1);
}

#[tokio::test]
async fn a_host_needs_an_existing_cluster_and_a_possible_address() {
    for version in VERSIONS {
        let api = Api::seeded(version, empty_cluster()).await;
        let rack = named(&api, "/clusters", "rack").await;
        let accepted = api.post("/hosts/kvm", host_body(FREE_UUID, "10.0.1.1")).await;
        let said = api.fails(accepted, "SYS.1003").await;
        assert!(said.contains("field[clusterUuid]"), "{said}");

        let accepted = api.post("/hosts/kvm", host_body(&rack, "not an address!")).await;
        let said = api.fails(accepted, "SYS.1007").await;
        assert!(said.contains("is neither an IPv4 address nor a valid hostname"), "{said}");

        let accepted = api.post("/hosts/kvm", host_body(&rack, "rack-1.example.com")).await;
        api.inventory(accepted).await;
        assert_eq!(api.rows("/hosts").await.len(), 1);
    }
}

#[tokio::test]
async fn a_host_that_reaches_no_storage_is_not_added() {
    for version in VERSIONS {
        let api = Api::seeded(version, empty_cluster()).await;
        let zone = named(&api, "/zones", "east").await;
        let rack = named(&api, "/clusters", "rack").await;
        let shared = nfs(&api, &zone, "shared", &format!("{UNREACHABLE}:/export")).await;
        attach(&api, &rack, &shared).await;

        let accepted = api.post("/hosts/kvm", host_body(&rack, "10.0.1.1")).await;
        let said = api.fails(accepted, "SYS.1006").await;
        let expected = "host can not access any primary storage, please check network";
        assert!(said.contains(expected), "{said}");
        assert!(api.rows("/hosts").await.is_empty());

        // One that it can reach is enough.
        let scratch = local(&api, &zone, "scratch", "/zstack_ps").await;
        attach(&api, &rack, &scratch).await;
        host(&api, &rack, "10.0.1.1").await;
    }
}

#[tokio::test]
async fn version_3_refuses_to_update_a_host_that_is_connecting() {
    for version in VERSIONS {
        let api = Api::slow(version, empty_cluster(), JOB).await;
        let rack = named(&api, "/clusters", "rack").await;
        let adding = api.post("/hosts/kvm", host_body(&rack, "10.0.1.1")).await;
        let host = uuid(&seen(&api, "10.0.1.1", "status", "Connecting").await);
        let renamed =
            act(&api, &format!("/hosts/{host}"), "updateHost", json!({"name": "new"})).await;
        match version {
            ServerVersion::V3_0 => {
                assert_eq!(renamed.status, 503, "{renamed:?}");
                assert!(renamed.text.contains("which is connecting or creating"), "{renamed:?}");
            }
            ServerVersion::V5_2 => {
                renamed.expect(200);
            }
        }
        api.inventory(adding).await;
    }
}

#[tokio::test]
async fn a_host_is_disabled_while_it_is_deleted() {
    let api = Api::slow(ServerVersion::V3_0, populated(), JOB).await;
    let two = named(&api, "/hosts", "two").await;
    let accepted = api.delete(&format!("/hosts/{two}")).await;
    seen(&api, "10.0.1.2", "state", "Disabled").await;
    api.done(accepted).await;
    assert_eq!(api.names("/hosts").await, ["one"]);
}

#[tokio::test]
async fn enable_is_harmless_and_leaving_maintenance_connects_again() {
    let api = Api::seeded(ServerVersion::V5_2, populated()).await;
    let one = named(&api, "/hosts", "one").await;
    let path = format!("/hosts/{one}");
    for (event, state) in [
        ("enable", "Enabled"),
        ("disable", "Disabled"),
        ("disable", "Disabled"),
        ("maintain", "Maintenance"),
    ] {
        assert_eq!(change(&api, &one, event).await.expect(200)["inventory"]["state"], state);
    }

    let refused = act(&api, &path, "reconnectHost", json!({})).await;
    let said = refused.expect_error("HOST.1002").to_string();
    assert!(said.contains("is in state[Maintenance], cannot perform required operation"), "{said}");

    assert_eq!(change(&api, &one, "enable").await.expect(200)["inventory"]["state"], "Enabled");
    seen(&api, "10.0.1.1", "status", "Connected").await;
    let reconnected = act(&api, &path, "reconnectHost", json!({})).await.expect(200);
    assert_eq!(reconnected["inventory"]["status"], "Connected");
}

#[tokio::test]
async fn a_failed_reconnect_is_told_and_seen() {
    let api = Api::seeded(ServerVersion::V3_0, populated()).await;
    let one = named(&api, "/hosts", "one").await;
    api.fault("api=ReconnectHost,connect-fail").await;
    let path = format!("/hosts/{one}");
    act(&api, &path, "reconnectHost", json!({})).await.expect_error("HOST.1002");
    let row = by_uuid(&api, "/hosts", &one).await;
    assert_eq!((&row["status"], &row["state"]), (&json!("Disconnected"), &json!("Enabled")));
    act(&api, &path, "reconnectHost", json!({})).await.expect(200);
    assert_eq!(by_uuid(&api, "/hosts", &one).await["status"], "Connected");
}

#[tokio::test]
async fn maintenance_moves_or_stops_the_vms() {
    let api = Api::seeded(ServerVersion::V3_0, populated()).await;
    let one = named(&api, "/hosts", "one").await;
    change(&api, &one, "maintain").await.expect(200);
    let left = api.rows(&format!("/vm-instances?q=hostUuid={one}&q=state=Running")).await;
    assert!(left.is_empty(), "nothing runs on a host in maintenance: {left:?}");
}

async fn change(api: &Api, host: &str, event: &str) -> crate::common::raw::Reply {
    act(api, &format!("/hosts/{host}"), "changeHostState", json!({"stateEvent": event})).await
}

/// Lets the server see a host as Disconnected, as after three failed pings.
async fn disconnect(api: &Api, host: &str) {
    let drift = json!({"family": "host", "op": "patch", "uuid": host,
                       "row": {"status": "Disconnected"}});
    api.control_post("rows", drift).await;
    assert_eq!(by_uuid(api, "/hosts", host).await["status"], "Disconnected");
}

/// Asks for a host until a member has this value.
async fn seen(api: &Api, ip: &str, member: &str, value: &str) -> Value {
    for _ in 0..5_000 {
        let rows = api.rows(&format!("/hosts?q=managementIp={ip}")).await;
        if let Some(row) = rows.into_iter().find(|row| row[member] == value) {
            return row;
        }
    }
    panic!("host {ip} never had {member} {value}")
}
