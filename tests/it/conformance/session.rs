//! Logging in and out, and what a missing, wrong or expired session is answered.

use rackform::emulator::ServerVersion;
use reqwest::Method;
use serde_json::json;

use super::world::{FREE_UUID, zone};
use crate::common::raw::{Api, PASSWORD, VERSIONS, is_uuid, text};

#[tokio::test]
async fn case_01_login_opens_a_session_of_two_hours() {
    for version in VERSIONS {
        let api = Api::start(version).await;
        let reply = api.log_in_with("admin", PASSWORD).await;
        let session = reply.expect(200)["inventory"].clone();

        assert!(is_uuid(text(&session, "uuid")), "{session}");
        assert!(is_uuid(text(&session, "accountUuid")), "{session}");
        assert!(is_uuid(text(&session, "userUuid")), "{session}");
        let opened = seconds(text(&session, "createDate"));
        assert_eq!(seconds(text(&session, "expiredDate")) - opened, 7200, "{session}");
        assert_ne!(text(&session, "uuid"), api.session, "each login opens a session of its own");

        let with_it = api
            .bare(Method::GET, "/zones")
            .header("Authorization", format!("OAuth {}", text(&session, "uuid")));
        api.send(with_it).await.expect(200);
    }
}

#[tokio::test]
async fn case_02_a_wrong_password_is_refused() {
    for version in VERSIONS {
        let api = Api::start(version).await;
        // The server compares what it gets with the stored hash, as it stands.
        for wrong in ["password", &PASSWORD.to_uppercase(), &PASSWORD[..64]] {
            let error = api.log_in_with("admin", wrong).await.expect_error("ID.1000");
            assert_eq!(error["description"], "Unable to authenticate a user");
            assert_eq!(error["details"], "wrong account name or password");
        }
        api.log_in_with("nobody", PASSWORD).await.expect_error("ID.1000");
    }
}

#[tokio::test]
async fn case_03_the_manuals_login_wrapper_is_not_understood() {
    for version in VERSIONS {
        let api = Api::start(version).await;
        let body = json!({"loginByAccount": {"accountName": "admin", "password": PASSWORD}});
        let reply = api.send(api.bare(Method::PUT, "/accounts/login").json(&body)).await;
        let error = reply.expect_error("SYS.1007");
        let details = text(&error, "details");
        assert!(details.contains("field[accountName]"), "{details}");
        assert!(details.contains("is mandatory, can not be null"), "{details}");
    }
}

#[tokio::test]
async fn case_04_a_missing_authorization_is_a_plain_400() {
    for version in VERSIONS {
        let api = Api::start(version).await;
        let create = api.bare(Method::POST, "/zones").json(&json!({"params": {"name": "east"}}));
        for request in [
            create,
            api.bare(Method::GET, "/zones"),
            api.bare(Method::DELETE, &format!("/zones/{FREE_UUID}")),
        ] {
            let reply = api.send(request).await;
            assert_eq!(reply.expect_text(400), "missing header 'Authorization'");
        }
        assert!(api.rows("/zones").await.is_empty(), "nothing was created");
    }
}

#[tokio::test]
async fn case_05_another_authorization_scheme_is_a_plain_400() {
    for version in VERSIONS {
        let api = Api::start(version).await;
        // Access keys came after 3.0.
        let old_only = (version == ServerVersion::V3_0).then_some("ZStack key:signature");
        for scheme in ["Basic x", "Bearer x"].into_iter().chain(old_only) {
            let create = api
                .bare(Method::POST, "/zones")
                .header("Authorization", scheme)
                .json(&json!({"params": {"name": "east"}}));
            let reply = api.send(create).await;
            assert_eq!(reply.expect_text(400), "Authorization type must be 'OAuth'");
        }
        assert!(api.rows("/zones").await.is_empty(), "nothing was created");
    }
}

#[tokio::test]
async fn case_06_a_create_with_a_bad_session_fails_in_its_job() {
    for version in VERSIONS {
        let api = Api::start(version).await;
        let create = api
            .bare(Method::POST, "/zones")
            .header("Authorization", format!("OAuth {FREE_UUID}"))
            .json(&json!({"params": {"name": "east"}}));
        let accepted = api.send(create).await;
        let error = api.job(accepted).await.expect_error("ID.1001");
        assert_eq!(error["details"], "Session expired");
        assert!(api.rows("/zones").await.is_empty(), "nothing was created");
    }
}

#[tokio::test]
async fn case_07_query_with_a_bad_session_is_refused_at_once() {
    for version in VERSIONS {
        let api = Api::start(version).await;
        let query =
            api.bare(Method::GET, "/zones").header("Authorization", format!("OAuth {FREE_UUID}"));
        let error = api.send(query).await.expect_error("ID.1001");
        assert_eq!(error["details"], "Session expired");
    }
}

#[tokio::test]
async fn a_session_ends_two_hours_after_its_login_whatever_it_did_meanwhile() {
    let api = Api::start(ServerVersion::V3_0).await;
    api.advance(7000).await;
    api.get("/zones").await.expect(200);
    api.advance(300).await;
    api.get("/zones").await.expect_error("ID.1001");
    let mut again = api;
    again.session = again.login().await;
    again.get("/zones").await.expect(200);
}

#[tokio::test]
async fn sessions_can_be_expired_from_outside() {
    let mut api = Api::start(ServerVersion::V5_2).await;
    zone(&api, "east").await;
    api.control_post("sessions/expire", json!({})).await;
    api.get("/zones").await.expect_error("ID.1001");
    let accepted = api.post("/zones", json!({"params": {"name": "west"}})).await;
    api.fails(accepted, "ID.1001").await;
    api.session = api.login().await;
    assert_eq!(api.names("/zones").await, ["east"]);
}

#[tokio::test]
async fn logout_ends_the_session_and_needs_none() {
    for version in VERSIONS {
        let api = Api::start(version).await;
        let path = format!("/accounts/sessions/{}", api.session);
        assert_eq!(valid(&api).await, json!({"valid": true}));

        let reply = api.send(api.bare(Method::DELETE, &path)).await;
        assert_eq!((reply.status, reply.text.as_str()), (200, api.empty_body()), "{reply:?}");

        assert_eq!(valid(&api).await, json!({"valid": false}));
        api.get("/zones").await.expect_error("ID.1001");
    }
}

#[tokio::test]
async fn a_session_can_be_renewed() {
    let api = Api::start(ServerVersion::V5_2).await;
    api.advance(7000).await;
    let path = format!("/accounts/sessions/{}/renew", api.session);
    let accepted = api.put(&path, json!({"renewSession": {"duration": 3600}})).await;
    let session = api.inventory(accepted).await;
    assert_eq!(text(&session, "uuid"), api.session);
    api.advance(1000).await;
    api.get("/zones").await.expect(200);
}

#[tokio::test]
async fn sessions_are_limited_in_number() {
    for version in VERSIONS {
        let api = Api::start(version).await;
        // One is open already.
        for _ in 1..500 {
            api.login().await;
        }
        let reply = api.log_in_with("admin", PASSWORD).await;
        assert_eq!(reply.status, 503, "{reply:?}");
        let error = &reply.json()["error"];
        let said = text(error, "details");
        let expected = "Login sessions hit limit of max allowed concurrent login sessions, \
                        max allowed: 500";
        assert!(said.contains(expected), "{said}");
        if version == ServerVersion::V5_2 {
            assert_eq!(error["code"], "ID.1006");
        }
        api.get("/zones").await.expect(200);
    }
}

async fn valid(api: &Api) -> serde_json::Value {
    let path = format!("/accounts/sessions/{}/valid", api.session);
    api.send(api.bare(Method::GET, &path)).await.expect(200)
}

/// Seconds since 1970 of a date as the server writes it, e.g. `Jun 7, 2017 9:20:28 PM`.
fn seconds(date: &str) -> i64 {
    const MONTHS: &str = "JanFebMarAprMayJunJulAugSepOctNovDec";
    let parts: Vec<&str> = date.split([' ', ',', ':']).filter(|part| !part.is_empty()).collect();
    let [month, day, year, hour, minute, second, half] = parts[..] else {
        panic!("not a date of the server: {date}")
    };
    let number = |text: &str| text.parse::<i64>().unwrap_or_else(|_| panic!("{text:?} in {date}"));
    let month = MONTHS.find(month).unwrap_or_else(|| panic!("month in {date}")) as i64 / 3 + 1;
    let hour = number(hour) % 12 + if half == "PM" { 12 } else { 0 };
    // Days from 1970-01-01, counting years from March so that a leap day comes last.
    let year = number(year) - i64::from(month <= 2);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + number(day) - 1;
    let days = year * 365 + year / 4 - year / 100 + year / 400 + day_of_year - 719_468;
    ((days * 24 + hour) * 60 + number(minute)) * 60 + number(second)
}

#[test]
fn the_servers_dates_are_read_right() {
    assert_eq!(seconds("Jan 1, 1970 12:00:00 AM"), 0);
    assert_eq!(seconds("Jun 7, 2017 9:20:28 PM"), 1_496_870_428);
    assert_eq!(seconds("Mar 1, 2020 12:00:00 PM") - seconds("Feb 28, 2020 12:00:00 PM"), 172_800);
}
