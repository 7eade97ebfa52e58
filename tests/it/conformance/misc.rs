//! Dry runs, renamed reply members, dates, versions: small facts that clients rely on.

use rackform::emulator::ServerVersion;
use reqwest::Method;
use serde_json::{Value, json};

use super::world::{act, by_uuid, zone};
use crate::common::raw::{Api, VERSIONS, text};

#[tokio::test]
async fn case_50_validation_only_checks_and_does_nothing() {
    for version in VERSIONS {
        let api = Api::start(version).await;
        let tag = json!(["validationOnly"]);

        let valid = json!({"params": {"name": "east"}, "systemTags": tag});
        let accepted = api.post("/zones", valid).await;
        let reply = api.job(accepted).await;
        assert_eq!(reply.status, 200, "{reply:?}");
        // The tag may also stand among the parameters.
        let inside = json!({"params": {"name": "east", "systemTags": tag}});
        let accepted = api.post("/zones", inside).await;
        assert_eq!(api.job(accepted).await.status, 200);
        assert!(api.rows("/zones").await.is_empty(), "nothing was created");

        let accepted = api.post("/zones", json!({"params": {}, "systemTags": tag})).await;
        api.fails(accepted, "SYS.1007").await;

        let zone = zone(&api, "east").await;
        let path = format!("/zones/{zone}/actions");
        let body = json!({"updateZone": {"name": "west"}, "systemTags": tag});
        let accepted = api.put(&path, body).await;
        assert_eq!(api.job(accepted).await.status, 200);
        assert_eq!(by_uuid(&api, "/zones", &zone).await["name"], "east");
    }
}

#[tokio::test]
async fn case_52_lists_of_names_have_their_wire_names() {
    for version in VERSIONS {
        let api = Api::start(version).await;
        for (path, member, one_of) in [
            ("/hosts/allocators/strategies", "strategies", None),
            ("/hosts/hypervisor-types", "hypervisorTypes", Some("KVM")),
            ("/primary-storage/allocators/strategies", "strategies", None),
            ("/primary-storage/types", "types", Some("NFS")),
        ] {
            let body = api.get(path).await.expect(200);
            let names = body[member].as_array().unwrap_or_else(|| panic!("{member} in {body}"));
            assert!(!names.is_empty() && names.iter().all(Value::is_string), "{path}: {body}");
            if let Some(name) = one_of {
                assert!(names.contains(&json!(name)), "{path}: {body}");
            }
        }
    }
}

#[tokio::test]
async fn dates_are_written_the_way_gson_does() {
    for version in VERSIONS {
        let mut api = Api::start(version).await;
        // Every hour of the day, so that the outcome does not hang on when the test is run.
        for hour in 0..24 {
            zone(&api, &format!("zone-{hour}")).await;
            api.advance(3600).await;
            api.session = api.login().await;
        }
        let rows = api.rows("/zones").await;
        assert_eq!(rows.len(), 24);
        for row in rows {
            for member in ["createDate", "lastOpDate"] {
                assert!(is_gson_date(text(&row, member)), "{row}");
            }
        }
    }
}

#[test]
fn a_gson_date_is_told_from_others() {
    assert!(is_gson_date("Jun 7, 2017 9:20:28 PM"));
    for other in [
        "2017-06-07T21:20:28Z",
        "Jun 07, 2017 9:20:28 PM",
        "Jun 7, 2017 21:20:28 PM",
        "Jun 7, 2017, 9:20:28 PM",
        "jun 7, 2017 9:20:28 PM",
        "Jun 7, 2017 9:20:28 pm",
        "Jun 7, 2017 9:2:28 PM",
    ] {
        assert!(!is_gson_date(other), "{other}");
    }
}

#[tokio::test]
async fn the_version_is_told_without_a_session() {
    for version in VERSIONS {
        let api = Api::start(version).await;
        let request = api.bare(Method::PUT, "/management-nodes/actions");
        let reply = api.send(request.json(&json!({"getVersion": {}}))).await.expect(200);
        let expected = match version {
            ServerVersion::V3_0 => "3.0.0",
            ServerVersion::V5_2 => "5.2.1",
        };
        assert_eq!(reply["version"], expected);

        let request = api.bare(Method::PUT, "/management-nodes/actions");
        let reply = api.send(request.json(&json!({"getCurrentTime": {}}))).await.expect(200);
        assert!(reply["currentTime"].is_object(), "{reply}");
    }
}

#[tokio::test]
async fn a_failed_write_says_what_and_why_in_one_envelope() {
    for version in VERSIONS {
        let api = Api::start(version).await;
        let reply = act(&api, "/zones/x", "updateZone", json!({"name": "n".repeat(300)})).await;
        assert_eq!(reply.status, 503, "{reply:?}");
        let body = reply.json();
        let members: Vec<_> = body.as_object().expect("an object").keys().collect();
        assert_eq!(members, ["error"], "{body}");
        for member in ["code", "description", "details"] {
            assert!(body["error"][member].is_string(), "{member} in {body}");
        }
    }
}

#[tokio::test]
async fn long_details_are_cut() {
    let api = Api::start(ServerVersion::V3_0).await;
    let body = json!({"params": {"name": "east", "resourceUuid": "x".repeat(5000)}});
    let accepted = api.post("/zones", body).await;
    let error = api.job(accepted).await.expect_error("SYS.1007");
    assert_eq!(text(&error, "details").chars().count(), 4096);
}

#[tokio::test]
async fn requests_are_recorded() {
    let api = Api::start(ServerVersion::V3_0).await;
    api.get("/zones?q=name=seen-by-nobody-else").await.expect(200);
    let seen = api.control_get("requests").await.to_string();
    assert!(seen.contains("seen-by-nobody-else"), "{seen}");
}

/// `MMM d, yyyy h:mm:ss a` in US words, the default of the server's JSON library.
fn is_gson_date(date: &str) -> bool {
    const MONTHS: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let parts: Vec<&str> = date.split(' ').collect();
    let [month, day, year, time, half] = parts[..] else { return false };
    let Some(day) = day.strip_suffix(',') else { return false };
    let clock: Vec<&str> = time.split(':').collect();
    let [hour, minute, second] = clock[..] else { return false };
    let plain = |text: &str, low: u32, high: u32| {
        text.parse().is_ok_and(|n: u32| (low..=high).contains(&n) && n.to_string() == text)
    };
    let padded = |text: &str| text.len() == 2 && text.parse::<u32>().is_ok_and(|n| n < 60);
    MONTHS.contains(&month)
        && plain(day, 1, 31)
        && plain(year, 1970, 9999)
        && plain(hour, 1, 12)
        && padded(minute)
        && padded(second)
        && matches!(half, "AM" | "PM")
}
