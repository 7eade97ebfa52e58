//! Login, logout and headers (reference 1.2).
//!
//! In: credentials, or the reply of a login. Out: requests, headers, a [`Session`], or a fault
//! worded for who has to correct the settings.

use serde_json::json;
use sha2::{Digest, Sha512};

use super::job;
use crate::http::Reply;
use crate::provider::{Answer, Fault, FaultKind, Session};
use crate::wire::{Method, Request};

/// `logInByAccount`; the manual's `loginByAccount` is wrong. The password travels as the hex of
/// its SHA-512, which is what the server stores.
pub(super) fn login(account: &str, password: &str) -> Request {
    let digest = Sha512::digest(password.as_bytes());
    let password: String = digest.iter().map(|b| format!("{b:02x}")).collect();
    let body = json!({"logInByAccount": {"accountName": account, "password": password}});
    Request { method: Method::Put, path: "/accounts/login".to_owned(), body: Some(body) }
}

pub(super) fn read(reply: &Reply) -> Result<Session, Box<Fault>> {
    let fault = match job::classify(&login("", ""), reply) {
        Answer::Done => match session(&reply.body) {
            Some(session) => return Ok(session),
            None => Fault::new(FaultKind::Invalid, "the answer to the login holds no session")
                .help("check that `endpoint` is a ZStack management node, usually on port 8080"),
        },
        Answer::Fault(fault) if fault.code.as_deref() == Some("ID.1000") => {
            let text = format!("the login was refused: {}", fault.text);
            Fault { text, ..fault }.help("check `account` and `password` of this provider")
        }
        Answer::Fault(fault) | Answer::Lost(fault) => fault,
        Answer::Accepted { .. } | Answer::Running | Answer::Duplicate | Answer::Unknown => {
            Fault::new(FaultKind::Invalid, "the login was answered with a job")
        }
    };
    Err(Box::new(fault))
}

fn session(body: &[u8]) -> Option<Session> {
    let reply: serde_json::Value = serde_json::from_slice(body).ok()?;
    let inventory = reply.get("inventory")?;
    let text = |name| inventory.get(name).and_then(serde_json::Value::as_str);
    Some(Session {
        token: text("uuid").filter(|t| !t.is_empty())?.into(),
        account_id: text("accountUuid").map(str::to_owned),
    })
}

pub(super) fn logout(session: &Session) -> Request {
    let path = format!("/accounts/sessions/{}", session.token);
    Request { method: Method::Delete, path, body: None }
}

pub(super) fn headers(session: &Session, job: Option<&str>) -> Vec<(&'static str, String)> {
    let mut headers = vec![("authorization", format!("OAuth {}", session.token))];
    headers.extend(job.map(|job| ("x-job-uuid", job.to_owned())));
    headers
}
