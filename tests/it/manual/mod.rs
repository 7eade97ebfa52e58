//! The manual's examples as tests. In: every request and response example of section 4 of the
//! manual and those of chapter 3 that fit (`tests/data/manual/`), and an emulator for each request. Out: requests that are not
//! accepted, or recorded as violations, and members of an example that its answer lacks. It must
//! not know our client.
//!
//! A corrected request is also sent as it is printed, and must fail then: a correction that is not
//! needed is a mistake.

mod compare;
mod data;
mod table;
mod world;

use rackform::emulator::ServerVersion;
use reqwest::Method;
use serde_json::Value;

use self::compare::Lack;
use self::data::{Example, Request, Response};
use self::world::World;
use crate::common::raw::VERSIONS;

/// One test per file of examples, so that a failure says which family it is.
macro_rules! families {
    ($($name:ident),* $(,)?) => {
        const FAMILIES: &[(&str, &str)] = &[$((
            stringify!($name),
            include_str!(concat!("../../data/manual/", stringify!($name), ".toml")),
        )),*];

        $(
            #[tokio::test]
            async fn $name() {
                try_family(stringify!($name)).await;
            }
        )*
    };
}

families!(
    basics,
    zone,
    cluster,
    host,
    pci,
    usb,
    primary_storage,
    local_primary_storage,
    file_primary_storage,
    ceph_primary_storage,
    shared_block,
    backup_storage,
    image_store,
    ceph_backup_storage,
    ceph_backup_storage_page,
    iscsi,
);

/// The examples of a file, by its name.
fn family(name: &str) -> Vec<Example> {
    let (_, text) = FAMILIES.iter().find(|(family, _)| *family == name).expect("a file");
    data::read(text).unwrap_or_else(|e| panic!("{name}: {e}"))
}

async fn try_family(name: &str) {
    let mut wrong = Vec::new();
    for example in family(name) {
        for request in &example.request {
            for version in VERSIONS.into_iter().filter(|version| request.is_for(*version)) {
                if let Err(found) = try_request(&example, request, version).await {
                    let Example { section, api, .. } = &example;
                    wrong.push(format!("{section} {api} {version:?}: {}: {found}", request.send));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{} examples fail:\n{}", wrong.len(), wrong.join("\n"));
}

/// Sends a request, and as it is printed if that differs. Errors: what is wrong.
async fn try_request(
    example: &Example,
    request: &Request,
    version: ServerVersion,
) -> Result<(), String> {
    let response = example.response.as_ref();
    let sent = (request.send.as_str(), request.body.as_deref());
    let answer = ask(version, &request.needs, sent).await?;
    judge(response, &answer)?;
    let Some(printed) = &request.printed else { return Ok(()) };
    let answer = ask(version, &request.needs, (printed, request.printed_body.as_deref())).await;
    match answer.and_then(|answer| judge(response, &answer)) {
        Err(_) => Ok(()),
        Ok(()) => Err(format!("{printed}: needs no correction")),
    }
}

/// The answer to a request in a prepared world. Errors: refused, failed, or recorded as something
/// that no correct client does.
async fn ask(
    version: ServerVersion,
    needs: &[String],
    (line, body): (&str, Option<&str>),
) -> Result<Value, String> {
    let world = World::prepare(version, needs, &[line, body.unwrap_or_default()]).await;
    let (method, path) = line.split_once(' ').ok_or("METHOD PATH")?;
    let method = Method::from_bytes(method.as_bytes()).map_err(|e| e.to_string())?;
    let mut request = world.api.request(method, &world.fill(path));
    if let Some(body) = body {
        request = request.header("Content-Type", "application/json").body(world.fill(body));
    }
    let mut reply = world.api.send(request).await;
    if reply.status == 202 {
        reply = world.api.job(reply).await;
    }
    let noted = world.api.violations().await;
    match reply.status {
        200 if noted.is_empty() && reply.text.is_empty() => Ok(Value::Object(Default::default())),
        200 if noted.is_empty() => Ok(reply.json()),
        _ => Err(format!("{reply:?}, recorded: {noted:?}")),
    }
}

/// Errors: what the answer lacks of its example, but for the exceptions; and exceptions that it has.
fn judge(response: Option<&Response>, answer: &Value) -> Result<(), String> {
    let Some(response) = response else { return Ok(()) };
    let lacks = compare::lacks(&response.example(), answer);
    let is_known = |lack: &&Lack| {
        lack.is_missing && response.absent.iter().any(|absent| absent.member == lack.member)
    };
    let (known, news): (Vec<_>, Vec<_>) = lacks.iter().partition(is_known);
    let found = |member: &str| !known.iter().any(|lack| lack.member == member);
    let stale = response.absent.iter().filter(|absent| found(&absent.member));
    let stale = stale.map(|absent| format!("{} is not absent", absent.member));
    let wrong: Vec<String> = news.into_iter().map(Lack::to_string).chain(stale).collect();
    if wrong.is_empty() { Ok(()) } else { Err(wrong.join(", ")) }
}

/// The error that every section without a response example shows.
#[tokio::test]
async fn a_failure_has_the_members_of_the_shared_error_example() {
    let example = serde_json::json!({"error": {
        "code": "SYS.1001",
        "description": "A message or a operation timeout",
        "details": "Create VM on KVM timeout after 300s",
    }});
    for version in VERSIONS {
        let world = World::prepare(version, &[], &["{zone}"]).await;
        world.api.fault("api=DeleteZone,job-error=SYS.1001:timeout after 300s").await;
        let accepted = world.api.delete(&world.fill("/zones/{zone}")).await;
        let error = world.api.job(accepted).await.expect(503);
        assert_eq!(compare::lacks(&example, &error), [], "{error}");
    }
}
