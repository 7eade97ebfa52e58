//! What the web framework answers before any API is asked: unknown paths, wrong verbs, unknown
//! actions, ill-typed members.

use rackform::emulator::ServerVersion;
use reqwest::Method;
use serde_json::{Value, json};

use super::world::{FREE_UUID, cluster, host_body, zone};
use crate::common::raw::{Api, PASSWORD, VERSIONS};

#[tokio::test]
async fn case_23_an_unknown_path_is_a_plain_404() {
    for version in VERSIONS {
        let api = Api::start(version).await;
        assert_eq!(api.get("/nope").await.expect_text(404), "no api mapping to /v1/nope");
        let reply = api.post("/zones/a/b/c", json!({})).await;
        assert_eq!(reply.expect_text(404), "no api mapping to /v1/zones/a/b/c");
        assert!(!api.violations().await.is_empty(), "unknown routes are recorded");
    }
}

#[tokio::test]
async fn case_24_an_unknown_action_is_a_plain_400() {
    for version in VERSIONS {
        let api = Api::start(version).await;
        let zone = zone(&api, "east").await;
        let path = format!("/zones/{zone}/actions");
        for body in [json!({"foo": {}}), json!({})] {
            let said = api.put(&path, body).await.expect_text(400);
            let expected = format!(
                "the body doesn't contain action mapping to the URL[/v1/zones/{zone}/actions]"
            );
            assert_eq!(said, expected);
        }
        assert_eq!(api.one("/zones").await["name"], "east");
    }
}

#[tokio::test]
async fn case_25_wrong_verbs_on_a_shared_path() {
    for version in VERSIONS {
        let api = Api::start(version).await;
        let zone = zone(&api, "east").await;
        let path = format!("/zones/{zone}");

        let put = api.put(&path, json!({"updateZone": {"name": "west"}})).await.expect_text(400);
        let expected = format!("the body doesn't contain action mapping to the URL[/v1{path}]");
        assert_eq!(put, expected);

        for verb in [Method::PATCH, Method::OPTIONS] {
            api.send(api.request(verb, &path).json(&json!({}))).await.expect_text(405);
        }

        let post = api.post(&path, json!({"params": {"name": "west"}})).await.expect_text(500);
        assert!(post.starts_with("No creational API found for the path["), "{post}");

        assert_eq!(api.names("/zones").await, ["east"], "none of them did anything");
    }
}

#[tokio::test]
async fn case_51_integers_may_have_a_zero_fraction_and_no_other() {
    for version in VERSIONS {
        let api = Api::start(version).await;
        let zone = zone(&api, "east").await;
        let cluster = cluster(&api, &zone, "rack").await;

        let said = api.post("/hosts/kvm", with_port(&cluster, "10.0.1.1", "1.2")).await;
        let said = said.expect_text(400);
        assert!(
            said.contains("[sshPort] field is excepted an int or long, but was [1.2]."),
            "{said}"
        );
        assert!(api.rows("/hosts").await.is_empty(), "nothing was created");

        let accepted = api.post("/hosts/kvm", with_port(&cluster, "10.0.1.1", "3260.0")).await;
        api.inventory(accepted).await;
        let host = api.one("/hosts?q=hypervisorType=KVM").await;
        assert_eq!(host["sshPort"].as_f64(), Some(3260.0), "{host}");
    }
}

#[tokio::test]
async fn the_type_check_knows_only_what_the_class_declares() {
    let yes = json!({"params": {"name": "east", "isDefault": "perhaps"}});
    // 5.2 declares isDefault, 3.0 has never heard of it.
    let new = Api::start(ServerVersion::V5_2).await;
    let said = new.post("/zones", yes.clone()).await.expect_text(400);
    assert!(said.contains("Invalid value for boolean field ["), "{said}");
    let old = Api::start(ServerVersion::V3_0).await;
    let accepted = old.post("/zones", yes).await;
    assert_eq!(old.inventory(accepted).await["name"], "east");
}

#[tokio::test]
async fn a_path_of_one_api_takes_any_verb() {
    for version in VERSIONS {
        let api = Api::start(version).await;
        let body = json!({"logInByAccount": {"accountName": "admin", "password": PASSWORD}});
        let posted = api.send(api.bare(Method::POST, "/accounts/login").json(&body)).await;
        assert!(posted.expect(200)["inventory"]["uuid"].is_string(), "{posted:?}");

        let zone = zone(&api, "east").await;
        let cluster = cluster(&api, &zone, "rack").await;
        let accepted = api.put("/hosts/kvm", host_body(&cluster, "10.0.1.1")).await;
        api.inventory(accepted).await;
        assert_eq!(api.rows("/hosts").await.len(), 1);
    }
}

#[tokio::test]
async fn malformed_json_is_a_plain_500() {
    for version in VERSIONS {
        let api = Api::start(version).await;
        let request = api.request(Method::POST, "/zones").body("{\"params\": ");
        let reply = api.send(request.header("Content-Type", "application/json")).await;
        assert_eq!(reply.status, 500, "{reply:?}");
        let request = api.request(Method::PUT, &format!("/zones/{FREE_UUID}/actions"));
        let reply = api.send(request).await;
        assert_eq!(reply.status, 500, "a PUT without body on a shared path: {reply:?}");
    }
}

#[tokio::test]
async fn a_repeated_scalar_parameter_is_a_plain_400() {
    for version in VERSIONS {
        let api = Api::start(version).await;
        let zone = zone(&api, "east").await;
        let twice = format!("/zones/{zone}?deleteMode=Permissive&deleteMode=Permissive");
        api.delete(&twice).await.expect_text(400);
        assert_eq!(api.rows("/zones").await.len(), 1);
    }
}

#[tokio::test]
async fn delete_takes_its_parameters_from_the_query_alone() {
    for version in VERSIONS {
        let api = Api::start(version).await;
        let (east, west) = (zone(&api, "east").await, zone(&api, "west").await);

        // A body does nothing, not even a wrong one.
        let request = api.request(Method::DELETE, &format!("/zones/{east}"));
        let body = json!({"deleteMode": "Never", "systemTags": ["validationOnly"]});
        let accepted = api.send(request.json(&body)).await;
        api.done(accepted).await;
        assert_eq!(api.names("/zones").await, ["west"]);

        let accepted = api.delete(&format!("/zones/{west}?deleteMode=Never")).await;
        api.fails(accepted, "SYS.1000").await;
        assert_eq!(api.names("/zones").await, ["west"]);

        let accepted = api.delete(&format!("/zones/{west}?deleteMode=Enforcing")).await;
        api.done(accepted).await;
        assert!(api.names("/zones").await.is_empty());
    }
}

#[tokio::test]
async fn unknown_members_are_ignored_but_recorded() {
    for version in VERSIONS {
        let api = Api::start(version).await;
        let before = api.violations().await.len();
        let body = json!({"params": {"name": "east", "colour": "red"}});
        let accepted = api.post("/zones", body).await;
        let zone = api.inventory(accepted).await;
        assert!(zone.get("colour").is_none(), "{zone}");
        assert!(api.violations().await.len() > before, "the misspelt member is recorded");
    }
}

#[tokio::test]
async fn proper_use_records_no_violation() {
    for version in VERSIONS {
        let api = Api::start(version).await;
        let zone = zone(&api, "east").await;
        cluster(&api, &zone, "rack").await;
        let query =
            format!("/clusters?q=zoneUuid={zone}&q=name~=r%25&sort=%2Buuid&limit=10&start=0");
        api.rows(&format!("{query}&fields=uuid,name&replyWithCount=true")).await;
        let accepted = api.delete(&format!("/zones/{zone}?deleteMode=Permissive")).await;
        api.done(accepted).await;
        assert_eq!(api.violations().await, Vec::<Value>::new());
    }
}

/// The body of AddKVMHost with a port written just so.
fn with_port(cluster: &str, ip: &str, port: &str) -> Value {
    let mut body = host_body(cluster, ip);
    body["params"]["sshPort"] = serde_json::from_str(port).expect("a JSON number");
    body
}
