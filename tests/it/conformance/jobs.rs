//! The contract of asynchronous calls: acceptance, polling, client-chosen job ids, expiry, web hooks.

use std::time::Duration;

use rackform::emulator::ServerVersion;
use reqwest::Method;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::world::{FREE_UUID, by_uuid, uuid, zone};
use crate::common::raw::{Api, Reply, VERSIONS, is_uuid, text};

/// Long enough for the request after an acceptance to arrive while the job still runs.
const JOB: Duration = Duration::from_millis(300);

#[tokio::test]
async fn case_08_create_is_accepted_then_processing_then_done() {
    for version in VERSIONS {
        let api = Api::slow(version, json!({}), JOB).await;
        let body = json!({"params": {"name": "east", "description": "first hall"}});
        let accepted = api.post("/zones", body).await;
        let job = accepted.job_uuid(version);
        assert!(is_uuid(&job), "{accepted:?}");

        let first = api.poll(&job).await;
        assert_eq!((first.status, first.text.as_str()), (202, api.empty_body()), "{first:?}");

        let zone = api.inventory(accepted).await;
        assert!(is_uuid(text(&zone, "uuid")), "{zone}");
        assert_eq!(zone["name"], "east");
        assert_eq!(zone["description"], "first hall");
        assert_eq!(zone["state"], "Enabled");
        assert_eq!(zone["type"], "zstack");
        assert_eq!(zone.get("isDefault").is_some(), version == ServerVersion::V5_2, "{zone}");
        assert_eq!(by_uuid(&api, "/zones", &uuid(&zone)).await, zone, "the row is what was said");
    }
}

#[tokio::test]
async fn case_11_a_job_uuid_must_have_32_characters() {
    for version in VERSIONS {
        let api = Api::start(version).await;
        for wrong in [&FREE_UUID[..31], "01234567-89ab-4def-8123-456789abcdef", "x"] {
            let reply = create_with(&api, wrong).await;
            assert_eq!(
                reply.expect_text(400),
                "Invalid header[X-Job-UUID], it must be a UUID with '-' stripped"
            );
        }
        assert!(api.rows("/zones").await.is_empty(), "nothing was created");

        // Only the length is checked.
        let odd = "this-is-not-a-uuid-but-32-chars!";
        assert_eq!(create_with(&api, odd).await.job_uuid(version), odd);
    }
}

#[tokio::test]
async fn case_12_a_job_uuid_is_taken_once() {
    for version in VERSIONS {
        let api = Api::start(version).await;
        let first = create_with(&api, FREE_UUID).await;
        assert_eq!(first.job_uuid(version), FREE_UUID);
        api.inventory(first).await;

        let second = create_with(&api, FREE_UUID).await;
        match version {
            ServerVersion::V3_0 => assert_eq!(second.status, 500, "{second:?}"),
            ServerVersion::V5_2 => {
                let said = second.expect_text(400);
                assert!(said.starts_with("Duplicate job uuid["), "{said}");
            }
        }
        assert_eq!(api.rows("/zones").await.len(), 1, "one job, one zone");
        assert_eq!(api.finish(FREE_UUID).await.expect(200)["inventory"]["name"], "east");
    }
}

#[tokio::test]
async fn case_13_an_unknown_job_is_404_and_only_get_may_ask() {
    for version in VERSIONS {
        let api = Api::start(version).await;
        let unknown = api.poll(FREE_UUID).await;
        assert_eq!(unknown.expect_text(404), "the job has been expired");

        let known = api.post("/zones", json!({"params": {"name": "east"}})).await;
        let known = known.job_uuid(version);
        api.finish(&known).await.expect(200);
        for job in [FREE_UUID, &known] {
            let reply = api.post(&format!("/api-jobs/{job}"), json!({})).await;
            let said = reply.expect_text(405);
            assert_eq!(said, "only GET method is allowed for querying job status");
        }
        api.finish(&known).await.expect(200);
    }
}

#[tokio::test]
async fn case_14_polling_needs_no_session() {
    for version in VERSIONS {
        let api = Api::start(version).await;
        let accepted = api.post("/zones", json!({"params": {"name": "east"}})).await;
        let job = format!("/api-jobs/{}", accepted.job_uuid(version));
        api.job(accepted).await.expect(200);
        for authorization in [None, Some("Basic x"), Some("OAuth none")] {
            let mut request = api.bare(Method::GET, &job);
            if let Some(value) = authorization {
                request = request.header("Authorization", value);
            }
            assert_eq!(api.send(request).await.expect(200)["inventory"]["name"], "east");
        }
    }
}

#[tokio::test]
async fn case_54_a_finished_job_is_forgotten_after_three_hours() {
    for version in VERSIONS {
        let api = Api::start(version).await;
        let done = api.post("/zones", json!({"params": {"name": "east"}})).await;
        let failed = api.post("/zones", json!({"params": {}})).await;
        let jobs = [done.job_uuid(version), failed.job_uuid(version)];
        api.job(done).await.expect(200);
        api.job(failed).await.expect_error("SYS.1007");

        api.advance(2 * 3600).await;
        assert_eq!(api.poll(&jobs[0]).await.status, 200);
        assert_eq!(api.poll(&jobs[1]).await.status, 503);

        // Three hours of keeping, and at most one until the next scan.
        api.advance(2 * 3600 + 60).await;
        for job in &jobs {
            assert_eq!(api.poll(job).await.expect_text(404), "the job has been expired");
        }
    }
}

#[tokio::test]
async fn a_job_that_never_ends_is_never_forgotten() {
    let api = Api::start(ServerVersion::V3_0).await;
    api.fault("api=CreateZone,job-hang").await;
    let job = create_with(&api, FREE_UUID).await.job_uuid(ServerVersion::V3_0);
    api.advance(10 * 3600).await;
    let reply = api.poll(&job).await;
    assert_eq!((reply.status, reply.text.as_str()), (202, ""), "only ended jobs are purged");
}

#[tokio::test]
async fn a_job_without_result_ends_with_an_empty_body() {
    for version in VERSIONS {
        let api = Api::start(version).await;
        let zone = zone(&api, "east").await;
        let accepted = api.delete(&format!("/zones/{zone}")).await;
        api.done(accepted).await;
    }
}

#[tokio::test]
async fn a_client_chosen_job_can_be_asked_for_though_its_acceptance_was_lost() {
    let api = Api::start(ServerVersion::V3_0).await;
    assert_eq!(api.poll(FREE_UUID).await.status, 404, "never accepted");
    // The reply with the location is not looked at.
    create_with(&api, FREE_UUID).await;
    assert_eq!(api.finish(FREE_UUID).await.expect(200)["inventory"]["name"], "east");
}

#[tokio::test]
async fn x_json_schema_adds_the_classes_to_a_jobs_result() {
    for version in VERSIONS {
        let api = Api::start(version).await;
        let create = api
            .request(Method::POST, "/zones")
            .header("X-JSON-Schema", "true")
            .json(&json!({"params": {"name": "east"}}));
        let job = api.send(create).await.job_uuid(version);
        let plain = api.finish(&job).await.expect(200);
        assert!(plain["inventory"].is_object(), "{plain}");

        let poll =
            api.bare(Method::GET, &format!("/api-jobs/{job}")).header("X-JSON-Schema", "true");
        let body = api.send(poll).await.expect(200);
        assert_eq!(body["schema"]["inventory"], "org.zstack.header.zone.ZoneInventory", "{body}");
    }
}

#[tokio::test]
async fn without_x_json_schema_a_jobs_result_is_the_inventory_alone() {
    for version in VERSIONS {
        let api = Api::start(version).await;
        let accepted = api.post("/zones", json!({"params": {"name": "east"}})).await;
        let body = api.job(accepted).await.expect(200);
        let members: Vec<_> = body.as_object().expect("an object").keys().collect();
        assert_eq!(members, ["inventory"]);
    }
}

#[tokio::test]
async fn a_web_hook_gets_what_the_poll_says() {
    for version in VERSIONS {
        let api = Api::start(version).await;
        for (params, success) in [(json!({"name": "east"}), "true"), (json!({}), "false")] {
            let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
            let hook = format!("http://{}/done", listener.local_addr().expect("an address"));
            let create = api
                .request(Method::POST, "/zones")
                .header("X-Web-Hook", &hook)
                .json(&json!({"params": params}));
            let job = api.send(create).await.job_uuid(version);

            let call = tokio::time::timeout(Duration::from_secs(10), receive(&listener, "200 OK"));
            let call = call.await.expect("the hook is called");
            assert!(call.head.starts_with("post /done http/1.1"), "{call:?}");
            assert_eq!(call.header("x-job-uuid"), Some(job.as_str()), "{call:?}");
            assert_eq!(call.header("x-job-success"), Some(success), "{call:?}");
            let polled = api.finish(&job).await;
            assert_eq!(call.body, polled.text, "the same body as the poll result");
        }
    }
}

#[tokio::test]
async fn a_web_hook_of_a_job_without_result_gets_its_empty_body() {
    for version in VERSIONS {
        let api = Api::start(version).await;
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let hook = format!("http://{}/done", listener.local_addr().expect("an address"));
        let delete = api.request(Method::DELETE, &format!("/zones/{FREE_UUID}"));
        api.send(delete.header("X-Web-Hook", &hook)).await.job_uuid(version);
        let call = tokio::time::timeout(Duration::from_secs(10), receive(&listener, "200 OK"));
        let call = call.await.expect("the hook is called");
        assert_eq!(call.body, api.empty_body(), "{call:?}");
        assert_eq!(call.header("x-job-success"), Some("true"), "{call:?}");
    }
}

#[tokio::test]
async fn a_job_and_an_object_may_have_the_same_id() {
    for version in VERSIONS {
        let api = Api::start(version).await;
        let create = api.request(Method::POST, "/zones").header("X-Job-UUID", FREE_UUID);
        let body = json!({"params": {"name": "east", "resourceUuid": FREE_UUID}});
        let accepted = api.send(create.json(&body)).await;
        assert_eq!(api.inventory(accepted).await["uuid"], FREE_UUID);
    }
}

#[tokio::test]
async fn a_web_hook_that_fails_is_called_again() {
    let api = Api::start(ServerVersion::V3_0).await;
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let hook = format!("http://{}/done", listener.local_addr().expect("an address"));
    let create = api.request(Method::POST, "/zones").header("X-Web-Hook", &hook);
    let create = create.json(&json!({"params": {"name": "east"}}));
    let job = api.send(create).await.job_uuid(ServerVersion::V3_0);
    for answer in ["500 Internal Server Error", "200 OK"] {
        let call = tokio::time::timeout(Duration::from_secs(10), receive(&listener, answer));
        let call = call.await.expect("the hook is called");
        assert_eq!(call.header("x-job-uuid"), Some(job.as_str()), "{call:?}");
    }
    api.finish(&job).await.expect(200);
}

async fn create_with(api: &Api, job: &str) -> Reply {
    let request = api.request(Method::POST, "/zones").header("X-Job-UUID", job);
    api.send(request.json(&json!({"params": {"name": "east"}}))).await
}

#[derive(Debug)]
struct HookCall {
    /// Request line and headers, in lower case.
    head: String,
    body: String,
}

impl HookCall {
    fn header(&self, name: &str) -> Option<&str> {
        let lines = self.head.lines().filter_map(|line| line.split_once(": "));
        lines.filter(|(key, _)| *key == name).map(|(_, value)| value).next()
    }
}

/// Takes one HTTP request and answers it with this status.
async fn receive(listener: &TcpListener, status: &str) -> HookCall {
    let (mut stream, _) = listener.accept().await.expect("a connection");
    let mut read = Vec::new();
    loop {
        let seen = String::from_utf8_lossy(&read).into_owned();
        if let Some((head, body)) = seen.split_once("\r\n\r\n") {
            let head = head.to_lowercase();
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
            // Without a length there is no body (RFC 9112, section 6.3).
            let length: usize = length.map_or(0, |n| n.parse().expect("a body's length"));
            if body.len() >= length {
                let answer =
                    format!("HTTP/1.1 {status}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
                stream.write_all(answer.as_bytes()).await.expect("the answer is taken");
                return HookCall { head, body: body.to_string() };
            }
        }
        let mut part = [0; 4096];
        let count = stream.read(&mut part).await.expect("the request");
        assert_ne!(count, 0, "the request ends early: {seen}");
        read.extend_from_slice(&part[..count]);
    }
}
