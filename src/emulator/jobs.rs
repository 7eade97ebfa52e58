//! Asynchronous jobs (section 1.3). In: accepted calls. Out: job rows that can be polled, and web
//! hooks. Order within a job as in `ApiMessageProcessorImpl.process`: parameters, session, resource
//! checks, handler. Must not know HTTP requests or any particular API.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use super::ServerVersion;
use super::core::{Call, Core, check_session, is_normal_account};
use super::errors::ApiError;
use super::faults::Hang;
use super::params::{Refusal, validate};
use super::query::View;
use super::store::{Row, Store, Tx, str_of};
use super::zstack::Run;

/// `rest/completedApi.expiredPeriod`, in milliseconds.
const EXPIRED_AFTER: i64 = 10_800_000;
/// How often expired jobs and sessions are swept, in milliseconds.
const SWEEP_EVERY: i64 = 3_600_000;

/// Stores the job before the call runs, then runs it. Returns after the job is durable.
pub fn accept(
    core: &Arc<Core>,
    call: Call,
    job: &str,
    hook: Option<String>,
) -> Result<(), Refusal> {
    let duplicate = core.with(|tx| {
        if tx.store.get("job", job).is_some() {
            return true;
        }
        let row = json!({ "uuid": job, "api": call.api.name, "state": "processing" });
        tx.put("job", job, row.as_object().cloned().unwrap_or_default());
        false
    });
    if duplicate {
        return Err(match core.version {
            // The unique key of the job table breaks.
            ServerVersion::V3_0 => (500, "could not execute statement".to_owned()),
            ServerVersion::V5_2 => (400, format!("Duplicate job uuid[{job}]")),
        });
    }
    let (core, job) = (core.clone(), job.to_owned());
    let mut epoch = core.epoch();
    tokio::spawn(async move {
        tokio::select! {
            _ = epoch.changed() => {}
            _ = run(core.clone(), call, job, hook) => {}
        }
    });
    Ok(())
}

async fn run(core: Arc<Core>, call: Call, job: String, hook: Option<String>) {
    let hang = call.effects.job_hang;
    if hang == Some(Hang::BeforeEffect) {
        return;
    }
    let named = call.json_schema;
    let mut outcome = execute(&core, call, true).await;
    if let (true, Ok(reply)) = (named, &mut outcome) {
        core.read(|store| add_schema(&core, store, reply));
    }
    if hang == Some(Hang::AfterEffect) {
        return;
    }
    let success = outcome.is_ok();
    let (status, body) = match outcome {
        Ok(value) => (200, value),
        Err(error) => (503, json!({ "error": error.to_json() })),
    };
    let posted = text_of(core.version, &body);
    core.with(|tx| finish(tx, &job, status, body));
    if let Some(url) = hook {
        call_hook(&url, &job, success, posted).await;
    }
}

/// Status and body of a result.
pub fn reply(version: ServerVersion, outcome: &Result<Value, ApiError>) -> (u16, String) {
    match outcome {
        Err(error) => (503, error.body()),
        Ok(value) => (200, text_of(version, value)),
    }
}

/// An empty reply has no body in 3.0 and `{}` in 5.2.
fn text_of(version: ServerVersion, value: &Value) -> String {
    match (value, version) {
        (Value::Null, ServerVersion::V3_0) => String::new(),
        (Value::Null, ServerVersion::V5_2) => "{}".to_owned(),
        (value, _) => value.to_string(),
    }
}

/// `X-JSON-Schema`: `"schema": {"inventory": CLASS}`; the header's presence counts, not its value
/// (`RestServer.writeResponse`).
fn add_schema(core: &Core, store: &Store, reply: &mut Value) {
    let Some(members) = reply.as_object_mut() else { return };
    let uuid = members.get("inventory").and_then(|row| row.get("uuid")?.as_str()).unwrap_or("");
    let class = find(core, store, uuid).map(|(view, row)| view.class_of(row));
    let schema: Row =
        class.map(|class| ("inventory".to_owned(), json!(class))).into_iter().collect();
    members.insert("schema".to_owned(), Value::Object(schema));
}

/// The object with this uuid, of whatever family, and the view it is shown by.
fn find<'a>(core: &Core, store: &'a Store, uuid: &str) -> Option<(&'static View, &'a Row)> {
    store
        .tables()
        .find_map(|table| Some((core.views.of_family(table.family.name)?, &**table.get(uuid)?)))
}

fn finish(tx: &mut Tx<'_>, job: &str, status: u16, body: Value) {
    let now = tx.now;
    let changes =
        [("state", json!("done")), ("status", json!(status)), ("body", body), ("at", json!(now))];
    tx.patch("job", job, &changes);
}

/// Carries out a message: checks, then effect. Sync APIs come here too, without a wait.
pub async fn execute(core: &Arc<Core>, mut call: Call, wait: bool) -> Result<Value, ApiError> {
    let api = call.api.clone();
    validate(&api, &mut call.values)?;
    if api.needs_session() {
        let session = call.session.clone().unwrap_or_default();
        core.read(|store| check_session(store, &session, core.clock.now()))?;
        let own = api.name == "RenewSession" || !api.asynchronous;
        if !own && core.read(|store| is_normal_account(store, &session)) {
            let text = format!("permission denied for the API {}", api.java_class());
            return Err(ApiError::new("ID.1002", text));
        }
    }
    check_resource_uuid(&call)?;
    let Some(operation) = core.operation(&api.name) else {
        core.violation(&api.method, &api.path, format!("{} is not emulated", api.name));
        return Err(ApiError::new("SYS.1014", format!("{} is not emulated", api.name)));
    };
    core.read(|store| (operation.check)(store, &call))?;
    if call.validation_only() {
        return Ok(Value::Null);
    }
    if call.effects.ignore_update {
        return Ok(core.read(|store| unchanged(core, store, &call)));
    }
    fail_on_demand(core, &call)?;
    match operation.run {
        Run::Effect(effect) => {
            if wait {
                core.wait(1.0).await;
            }
            core.with(|tx| {
                (operation.check)(tx.store, &call)?;
                effect(tx, &call)
            })
        }
        Run::Phases(phases) => phases(core.clone(), Arc::new(call)).await,
    }
}

/// The failures that a fault rule asks for and that need no help of the handler.
fn fail_on_demand(core: &Core, call: &Call) -> Result<(), ApiError> {
    if call.effects.keep_uuid && !call.effects.connect_fail {
        core.with(|tx| tx.take(call.new_uuid()));
    }
    match &call.effects.job_error {
        Some((code, text)) => Err(ApiError::given(code, text)),
        None if call.effects.keep_uuid && !call.effects.connect_fail => {
            Err(ApiError::operation("a failed create was asked for"))
        }
        None => Ok(()),
    }
}

/// The reply of an update that changes nothing: the object as it is.
fn unchanged(core: &Core, store: &Store, call: &Call) -> Value {
    find(core, store, call.text("uuid"))
        .map_or(Value::Null, |(view, row)| json!({ "inventory": view.inventory(store, row) }))
}

/// `ApiMediatorImpl.intercept`: 32 lower-case hex digits, version 1 to 5, variant 8 to b.
fn check_resource_uuid(call: &Call) -> Result<(), ApiError> {
    match call.given("resourceUuid") {
        Some(uuid) if !is_uuid(uuid) => Err(ApiError::argument(format!(
            "resourceUuid[{uuid}] is not a valid uuid. A valid uuid is a UUID(v4 recommended) with '-' stripped."
        ))),
        _ => Ok(()),
    }
}

/// `StringDSL.isZStackUuid`.
pub fn is_uuid(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.len() == 32
        && bytes.iter().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
        && matches!(bytes[12], b'1'..=b'5')
        && matches!(bytes[16], b'8' | b'9' | b'a' | b'b')
}

/// What a poll answers.
pub fn poll(core: &Core, job: &str) -> (u16, String) {
    sweep(core);
    let row = core.read(|store| store.get("job", job).cloned());
    match row.as_deref() {
        None => (404, "the job has been expired".to_owned()),
        Some(row) if str_of(row, "state") == "done" => {
            let status = row.get("status").and_then(Value::as_u64).unwrap_or(200);
            (status as u16, text_of(core.version, row.get("body").unwrap_or(&Value::Null)))
        }
        Some(_) => (202, text_of(core.version, &Value::Null)),
    }
}

/// Once an hour: removes completed jobs older than three hours (the real server's cache of 2000
/// results may outlive the row) and expired sessions.
pub fn sweep(core: &Core) {
    let now = core.clock.now();
    let due = core.read(|store| {
        let last = store.get("meta", "sweep").and_then(|row| row.get("at")?.as_i64());
        last.is_none_or(|last| now - last >= SWEEP_EVERY)
    });
    if !due {
        return;
    }
    core.with(|tx| {
        let old = |row: &Row, member: &str, age: i64| {
            row.get(member).and_then(Value::as_i64).is_some_and(|at| now - at > age)
        };
        for (family, member, age) in [("job", "at", EXPIRED_AFTER), ("session", "expiredDate", 0)] {
            let table = tx.store.table(family);
            let gone: Vec<_> = table
                .rows()
                .iter()
                .filter(|(_, row)| old(row, member, age))
                .map(|(u, _)| u.clone())
                .collect();
            gone.iter().for_each(|uuid| tx.erase(family, uuid));
        }
        let row = json!({ "at": now });
        tx.put("meta", "sweep", row.as_object().cloned().unwrap_or_default());
    });
}

/// `callWebHook`: up to 15 tries, 2 s apart, with the body of the poll (section 1.3). One stored
/// version of `RestServer.java` posts `{}` for an empty reply where its poll has no body; the
/// reference's sentence is followed here, and nothing of ours depends on it.
async fn call_hook(url: &str, job: &str, success: bool, body: String) {
    // Fails if another part of the process has installed one, which is just as well.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let Ok(client) = reqwest::Client::builder().no_proxy().build() else { return };
    for _ in 0..15 {
        let sent = client
            .post(url)
            .header("Content-Type", "application/json; charset=utf-8")
            .header("X-Job-UUID", job)
            .header("X-Job-Success", success.to_string())
            .body(body.clone())
            .send()
            .await;
        if sent.is_ok_and(|reply| reply.status().is_success()) {
            return;
        }
        tokio::time::sleep(Duration::from_secs(2)).await;
    }
}
