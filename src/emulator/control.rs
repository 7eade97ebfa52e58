//! Control endpoints outside the API, for tests and benchmarks in other processes. In: method,
//! path, JSON. Out: JSON. They bypass the API's semantics on purpose and are never recorded.
//!
//! | request | effect |
//! |---|---|
//! | `GET /emulator/identity` | a text that differs with each start |
//! | `GET /emulator/violations` | what a correct client never does: `[{method, path, violation}]` |
//! | `GET /emulator/requests` | `{total, counts: {API: n}, requests: [{seq, method, path, query, body, api, job, status}]}`, secrets masked |
//! | `POST /emulator/requests/reset` | forgets requests and violations |
//! | `GET /emulator/faults` | the rules and how often each struck |
//! | `POST /emulator/faults` | replaces the rules: an array of texts |
//! | `GET /emulator/rows/FAMILY` | all rows of a family, `GET /emulator/rows` the families and their sizes |
//! | `POST /emulator/rows` | `{family, op: put\|patch\|delete, uuid, row}` or an array of them: silent drift |
//! | `POST /emulator/clock` | `{"advance": seconds}` |
//! | `POST /emulator/sessions/expire` | ends all sessions |
//! | `POST /emulator/restart` | breaks all other connections; running jobs stay in processing for ever |
//! | `POST /emulator/seed` | plants a seed |

use std::sync::Arc;

use serde_json::{Value, json};

use super::core::{Core, lock, summary};
use super::faults::{FaultRule, Faults};
use super::query::shown;
use super::store::{Row, Tx};
use super::transport::Cutter;
use super::{jobs, seed, zstack};

/// Answers a control request.
pub fn handle(
    core: &Arc<Core>,
    cutter: &Cutter,
    (method, path): (&str, &str),
    bytes: &[u8],
) -> (u16, String) {
    let body: Value = match bytes {
        [] => Value::Null,
        bytes => match serde_json::from_slice(bytes) {
            Ok(value) => value,
            Err(error) => return (400, json!({ "error": error.to_string() }).to_string()),
        },
    };
    match act((core, cutter), (method, path.trim_start_matches("/emulator/")), &body) {
        Ok(reply) => (200, reply.to_string()),
        Err(text) => (400, json!({ "error": text }).to_string()),
    }
}

fn act(
    (core, cutter): (&Arc<Core>, &Cutter),
    route: (&str, &str),
    body: &Value,
) -> Result<Value, String> {
    match route {
        ("GET", "identity") => Ok(json!({ "identity": core.identity })),
        ("GET", "violations") => Ok(lock(&core.requests).violations()),
        ("GET", "requests") => Ok(lock(&core.requests).to_json()),
        ("POST", "requests/reset") => {
            lock(&core.requests).reset();
            Ok(json!({}))
        }
        ("GET", "faults") => {
            let faults = lock(&core.faults);
            Ok(faults
                .list()
                .into_iter()
                .map(|(rule, struck)| json!({ "rule": rule, "struck": struck }))
                .collect())
        }
        ("POST", "faults") => set_faults(core, body),
        ("GET", "rows") => Ok(json!(core.read(summary))),
        ("GET", path) if path.starts_with("rows/") => rows(core, &path["rows/".len()..]),
        ("POST", "rows") => drift(core, body),
        ("POST", "clock") => {
            let seconds =
                body.get("advance").and_then(Value::as_i64).ok_or("give {\"advance\": seconds}")?;
            core.clock.advance(seconds);
            jobs::sweep(core);
            Ok(json!({ "now": core.clock.now() }))
        }
        ("POST", "sessions/expire") => {
            core.with(|tx| {
                let all: Vec<_> = tx.store.table("session").rows().keys().cloned().collect();
                all.iter().for_each(|uuid| tx.erase("session", uuid));
            });
            Ok(json!({}))
        }
        ("POST", "restart") => {
            core.abandon(Some(cutter));
            zstack::boot(core);
            Ok(json!({}))
        }
        ("POST", "seed") => seed::plant(core, body),
        (method, path) => Err(format!("there is no {method} /emulator/{path}")),
    }
}

fn set_faults(core: &Core, body: &Value) -> Result<Value, String> {
    let texts = body.as_array().ok_or("give an array of rules")?;
    let parse = |text: &Value| -> Result<FaultRule, String> {
        let text = text.as_str().ok_or("a rule is a text")?;
        text.parse::<FaultRule>().map_err(|error| error.to_string())
    };
    let rules = texts.iter().map(parse).collect::<Result<Vec<_>, _>>()?;
    let count = rules.len();
    *lock(&core.faults) = Faults::new(rules);
    Ok(json!({ "rules": count }))
}

/// Rows as they are stored, with dates shown. What is stored of a KVM host's password is a digest.
fn rows(core: &Core, family: &str) -> Result<Value, String> {
    core.read(|store| {
        let table = store.lookup(family).ok_or_else(|| unknown(store, family))?;
        let show = |row: &Row| -> Value {
            row.iter()
                .map(|(name, value)| (name.clone(), shown(name, value.clone())))
                .collect::<Row>()
                .into()
        };
        Ok(table.rows().values().map(|row| show(row)).collect())
    })
}

fn unknown(store: &super::store::Store, family: &str) -> String {
    let names: Vec<&str> = store.tables().map(|table| table.family.name).collect();
    format!("there is no family '{family}'; there are: {}", names.join(", "))
}

fn drift(core: &Core, body: &Value) -> Result<Value, String> {
    let single = std::slice::from_ref(body);
    let changes = body.as_array().map_or(single, Vec::as_slice);
    core.with(|tx| changes.iter().try_for_each(|change| drift_one(tx, change)))?;
    Ok(json!({ "changed": changes.len() }))
}

fn drift_one(tx: &mut Tx<'_>, change: &Value) -> Result<(), String> {
    let member = |name: &str| change.get(name).and_then(Value::as_str).unwrap_or("");
    let (family, uuid) = (member("family"), member("uuid"));
    let known = tx.store.lookup(family).map(|table| table.family.name);
    let family = known.ok_or_else(|| unknown(tx.store, family))?;
    let row = change.get("row").and_then(Value::as_object).cloned().unwrap_or_default();
    match member("op") {
        "put" => tx.put(family, uuid, row),
        "patch" => {
            let changes: Vec<(&str, Value)> =
                row.iter().map(|(name, value)| (name.as_str(), value.clone())).collect();
            tx.patch(family, uuid, &changes)
                .ok_or_else(|| format!("there is no {family} {uuid}"))?;
        }
        "delete" => tx.erase(family, uuid),
        other => return Err(format!("'{other}' is not put, patch or delete")),
    }
    Ok(())
}
