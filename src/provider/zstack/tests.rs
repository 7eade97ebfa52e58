//! Replies as ZStack writes them (reference 1.3, 1.5, 1.6) and what they mean.

use std::time::Duration;

use serde_json::json;

use super::*;
use crate::provider::{FaultKind, Retry};

fn reply(status: u16, body: &str) -> Reply {
    Reply {
        status,
        content_type: String::new(),
        retry_after: None,
        location: None,
        body: body.as_bytes().to_vec(),
    }
}

fn create() -> Request {
    let body = json!({"params": {"resourceUuid": "a".repeat(32), "name": "z"}});
    Request { method: Method::Post, path: "/zones".to_owned(), body: Some(body) }
}

fn update() -> Request {
    let body = json!({"updateZone": {"name": "z"}});
    Request { method: Method::Put, path: "/zones/x/actions".to_owned(), body: Some(body) }
}

fn fault(answer: Answer) -> Fault {
    match answer {
        Answer::Fault(fault) | Answer::Lost(fault) => fault,
        other => panic!("{other:?}"),
    }
}

fn of_code(request: &Request, code: &str) -> (FaultKind, Retry) {
    let body = json!({"error": {"code": code, "description": "d", "details": "words"}});
    let fault = fault(ZStack.classify(request, &reply(503, &body.to_string())));
    assert_eq!((fault.code.as_deref(), &*fault.text), (Some(code), "words"));
    (fault.kind, fault.retry)
}

#[test]
fn codes_have_meanings() {
    for (code, kind, retry) in [
        ("SYS.1000", FaultKind::IdTaken, Retry::Never),
        ("SYS.1001", FaultKind::Unavailable, Retry::IfRead),
        ("SYS.1003", FaultKind::Gone, Retry::Never),
        ("SYS.1006", FaultKind::Failed, Retry::Never),
        ("SYS.1007", FaultKind::Invalid, Retry::Never),
        ("SYS.1010", FaultKind::Unavailable, Retry::Safe),
        ("ID.1001", FaultKind::Session, Retry::Safe),
        ("ID.1002", FaultKind::Denied, Retry::Never),
        ("HOST.1003", FaultKind::Failed, Retry::Never),
    ] {
        assert_eq!(of_code(&create(), code), (kind, retry), "{code}");
    }
    // No id was chosen: an internal error is just that.
    assert_eq!(of_code(&update(), "SYS.1000"), (FaultKind::Failed, Retry::Never));
}

#[test]
fn causes_are_kept_in_order_and_once() {
    let body = json!({"error": {"code": "SYS.1004", "description": "Unable to delete a resource",
        "cause": {"code": "SYS.1006", "details": "still attached",
            "cause": {"code": "SYS.1006", "details": "still attached"}}}});
    let fault = fault(ZStack.classify(&update(), &reply(503, &body.to_string())));
    assert_eq!(fault.text, "Unable to delete a resource");
    assert_eq!(fault.causes, ["still attached (SYS.1006)"]);
    assert_eq!(fault.to_string(), "Unable to delete a resource (SYS.1004)");
}

#[test]
fn only_the_job_of_a_location_counts() {
    for (location, job) in [
        ("http://10.0.0.1:8080/zstack/v1/api-jobs/0a1b", Some("0a1b")),
        ("http://localhost:8989/v1/api-jobs/0a1b", Some("0a1b")),
        ("http://10.0.0.1/zstack/v1/api-jobs/", None),
        ("http://10.0.0.1/zstack/v1/api-jobs/../zones", None),
        ("http://10.0.0.1/elsewhere/0a1b", None),
    ] {
        let body = json!({"location": location, "apiTimeout": 1000}).to_string();
        let answer = ZStack.classify(&create(), &reply(202, &body));
        match job {
            Some(job) => assert_eq!(answer, Answer::Accepted { job: job.to_owned() }),
            None => assert_eq!(fault(answer).kind, FaultKind::Failed, "{location}"),
        }
    }
}

#[test]
fn polls_of_both_versions_are_understood() {
    let poll = |status, body| ZStack.classify_poll(Some(&create()), &reply(status, body));
    for body in ["", "{}"] {
        assert_eq!(poll(202, body), Answer::Running);
        assert_eq!(poll(200, body), Answer::Done);
    }
    assert_eq!(poll(404, "the job has been expired"), Answer::Unknown);
    let error = r#"{"error":{"code":"SYS.1000","description":"An internal error"}}"#;
    assert_eq!(fault(poll(503, error)).kind, FaultKind::IdTaken);
    // A proxy that has lost its server says nothing about the job.
    for (status, page) in [(502, "<html>"), (503, ""), (404, "<html>"), (200, " <html>")] {
        assert!(matches!(poll(status, page), Answer::Lost(_)), "{status} {page}");
    }
}

#[test]
fn plain_texts_and_pages_say_what_to_correct() {
    let of = |status, body| fault(ZStack.classify(&update(), &reply(status, body)));
    assert_eq!(of(400, "missing header 'Authorization'").text, "missing header 'Authorization'");
    assert_eq!(of(404, "no api mapping to /v1/x").kind, FaultKind::Invalid);
    assert_eq!(of(403, "requestTimeTooSkewed").kind, FaultKind::Denied);
    assert_eq!(of(429, "slow down").kind, FaultKind::Throttled);
    let hurried = Reply { retry_after: Some(Duration::from_secs(7)), ..reply(429, "slow down") };
    let wait = fault(ZStack.classify(&update(), &hurried)).wait;
    assert_eq!(wait, Some(Duration::from_secs(7)));
    for (status, page) in [(200, "<html>"), (404, "\n<!DOCTYPE html>")] {
        let fault = of(status, page);
        assert_eq!(fault.kind, FaultKind::Invalid);
        assert!(fault.help.is_some_and(|h| h.contains("8080")), "{status}");
    }
    assert_eq!(of(502, "<html>Bad Gateway</html>").retry, Retry::IfRead);
    let duplicate = reply(400, "Duplicate job uuid[x]");
    assert_eq!(ZStack.classify(&update(), &duplicate), Answer::Duplicate);
}

#[test]
fn a_redirect_names_only_the_host() {
    let location = Some("https://mn.example.com/zstack/v1/x?token=hunter2".to_owned());
    let answer = ZStack.classify(&update(), &Reply { location, ..reply(302, "") });
    assert_eq!(fault(answer).text, "the endpoint redirects to https://mn.example.com");
}

#[test]
fn the_password_travels_as_its_digest() {
    let body = ZStack.login("admin", "password").body.expect("a body");
    let sent = body["logInByAccount"]["password"].as_str().expect("a text");
    // The server's default account (reference 1.2).
    assert!(sent.starts_with("b109f3bb") && sent.ends_with("bc86") && sent.len() == 128);
    assert_eq!(body["logInByAccount"]["accountName"], "admin");
}

fn lit(text: &str) -> Piece {
    Piece::Lit(text.into())
}

#[test]
fn lists_are_asked_for_as_the_server_reads_them() {
    let target = Target {
        method: Method::Get,
        path: vec![lit("/vm-instances")],
        query: vec![
            ("q".into(), vec![lit("hostUuid="), Piece::Id]),
            ("q".into(), vec![lit("clusterUuid="), Piece::To]),
        ],
    };
    let ids: Vec<Arc<str>> = vec!["h1".into(), "h2".into()];
    let to = ["c1".into()];
    let path = |id, only, ask| {
        let list = List { target: &target, id, to: &to, only, ask };
        ZStack.list(&list).expect("no hole in its path").path
    };
    let rows = Ask::Rows { start: 0, limit: 10, total: true };
    assert_eq!(
        path(&ids[..1], &[], rows),
        "/vm-instances?q=hostUuid%3Dh1&q=clusterUuid%3Dc1&limit=10&sort=%2Buuid\
         &replyWithCount=true"
    );
    assert_eq!(
        path(&ids, &[], Ask::Count),
        "/vm-instances?q=hostUuid%3F%3Dh1%2Ch2&q=clusterUuid%3Dc1&count=true"
    );
    let members = Ask::Members { start: 10, limit: 10, members: &["uuid", "hostUuid"] };
    assert_eq!(
        path(&ids[..1], &ids, members),
        "/vm-instances?q=hostUuid%3Dh1&q=clusterUuid%3Dc1&q=uuid%3F%3Dh1%2Ch2&limit=10&start=10\
         &sort=%2Buuid&fields=uuid%2ChostUuid"
    );
}

#[test]
fn an_id_is_32_hex_digits() {
    assert!(ZStack.is_id(&"0a".repeat(16)));
    for bad in ["", "a", &"g".repeat(32), &"a,".repeat(16), &"a'".repeat(16)] {
        assert!(!ZStack.is_id(bad), "{bad}");
    }
}
