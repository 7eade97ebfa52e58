//! The `calls` of a seed: API calls, carried out one after another by the emulator's own handlers,
//! so that all its rules hold. In: API names and parameters in the words of the API table. Out:
//! what the calls make. No request is made, no fault rule strikes, and no job takes time.
//!
//! ```toml
//! [[calls]]
//! api    = "CreateZone"
//! as     = "east"                           # later parameters say "@east" for its uuid
//! params = { name = "east" }
//!
//! [[calls]]
//! api    = "CreateCluster"
//! as     = "rack"
//! params = { name = "rack", zoneUuid = "@east", hypervisorType = "KVM" }
//!
//! [[calls]]
//! api    = "AddKVMHost"
//! count  = 10000
//! params = { name = "kvm-{n:05}", managementIp = "{n:10.0.0.9}", clusterUuid = "@rack", username = "root", password = "password" }
//! ```
//!
//! Variables of a path (`clusterUuid` of AttachPrimaryStorageToCluster) are parameters like all
//! others; `resourceUuid` chooses the uuid; `@@` stands for a leading `@`.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use serde_json::{Map, Value, json};

use super::{list, object};
use crate::emulator::core::{Call, Core};
use crate::emulator::dispatch::{Api, Body};
use crate::emulator::faults::Effects;
use crate::emulator::jobs;
use crate::emulator::params::from_body;
use crate::emulator::store::Row;
use crate::emulator::zstack;

/// The row that says that the calls of a seed are not all done.
const UNFINISHED: &str = "seed-calls";

/// Errors if the calls of an earlier start were cut off: nobody knows what they made.
pub fn check_finished(core: &Core) -> Result<(), String> {
    match core.read(|store| store.get("meta", UNFINISHED).is_some()) {
        true => Err("an earlier start did not finish its calls, so that only some of what it describes exists; remove the file of --data (or .rackform/emulator.jsonl) and start again".to_owned()),
        false => Ok(()),
    }
}

/// Carries out the calls of a seed. Errors: an unknown API, parameter or name, and the first call
/// that is refused, with its position (counted after `count` is written out) and the server's words.
pub async fn run(core: &Arc<Core>, seed: &Value) -> Result<(), String> {
    let none = Map::new();
    let calls = list(seed.as_object().unwrap_or(&none), "calls")?;
    if calls.is_empty() {
        return Ok(());
    }
    core.with(|tx| tx.put("meta", UNFINISHED, Row::new()));
    let session = core.fresh_uuid();
    core.with(|tx| zstack::put_admin_session(tx, &session));
    core.in_haste.store(true, Ordering::Relaxed);
    let done = all(core, calls, &session).await;
    core.in_haste.store(false, Ordering::Relaxed);
    core.with(|tx| tx.erase("session", &session));
    done?;
    core.with(|tx| tx.erase("meta", UNFINISHED));
    Ok(())
}

async fn all(core: &Arc<Core>, calls: &[Value], session: &str) -> Result<(), String> {
    let mut names = HashMap::new();
    for (at, call) in calls.iter().enumerate() {
        let call = object(call, "calls")?;
        let api = call.get("api").and_then(Value::as_str).unwrap_or_default();
        let wrong = |text: String| format!("call {} ({api}): {text}", at + 1);
        let (call, name) = prepared(core, call, &names).map_err(wrong)?;
        let call = Call { session: Some(session.to_owned()), ..call };
        let reply = jobs::execute(core, call, false).await;
        let reply = reply.map_err(|error| wrong(error.details))?;
        if let Some(name) = name {
            let uuid = reply.pointer("/inventory/uuid").and_then(Value::as_str);
            let uuid = uuid.ok_or_else(|| wrong(format!("'{name}': it makes no object")))?;
            if names.insert(name.clone(), uuid.to_owned()).is_some() {
                return Err(wrong(format!("another call is named '{name}' already")));
            }
        }
    }
    Ok(())
}

/// The message of a call, and what it is named.
fn prepared(
    core: &Core,
    call: &Map<String, Value>,
    names: &HashMap<String, String>,
) -> Result<(Call, Option<String>), String> {
    const MEMBERS: [&str; 3] = ["api", "as", "params"];
    if let Some(member) = call.keys().find(|name| !MEMBERS.contains(&name.as_str())) {
        return Err(format!(
            "a call has no '{member}'; it may have api, as, params, count, from, index"
        ));
    }
    let api = call.get("api").and_then(Value::as_str).ok_or("a call needs 'api', a text")?;
    let emulated = core.operation(api).is_some();
    let api = core.routes.by_name(api).filter(|_| emulated);
    let api =
        api.ok_or("there is no such API; names are those of the manual without API and Msg")?;
    let name = match call.get("as") {
        None => None,
        Some(Value::String(name)) => Some(name.clone()),
        Some(_) => return Err("'as' is a text".to_owned()),
    };
    let params = match call.get("params") {
        None => Value::Object(Map::new()),
        Some(params @ Value::Object(_)) => resolved(params, names)?,
        Some(_) => return Err("'params' is an object".to_owned()),
    };
    Ok((message(core, api, params)?, name))
}

fn message(core: &Core, api: Arc<Api>, params: Value) -> Result<Call, String> {
    let wrapper = api.wrapper.clone().unwrap_or_default();
    let body = Body::Object([(wrapper, params)].into_iter().collect());
    let message = from_body(&api, &body).map_err(|(_, text)| text)?;
    if let Some(name) = message.unknown.first() {
        let known: Vec<&str> = api.params.iter().map(|param| param.name.as_str()).collect();
        let name = name.rsplit('.').next().unwrap_or(name);
        return Err(format!("it has no parameter '{name}'; it has {}", known.join(", ")));
    }
    let mut values = message.values;
    let mut tags = |name: &str| {
        let given = values.shift_remove(name);
        let items = given.as_ref().and_then(Value::as_array).into_iter().flatten();
        items.filter_map(Value::as_str).map(str::to_owned).collect()
    };
    Ok(Call {
        system_tags: tags("systemTags"),
        user_tags: tags("userTags"),
        session: None,
        fresh: core.fresh_uuid(),
        json_schema: false,
        version: core.version,
        api,
        values,
        effects: Effects::default(),
    })
}

/// Uuids in place of `@NAME`, at any depth.
fn resolved(value: &Value, names: &HashMap<String, String>) -> Result<Value, String> {
    Ok(match value {
        Value::String(text) => match text.strip_prefix('@') {
            None => value.clone(),
            Some(plain) if plain.starts_with('@') => json!(plain),
            Some(name) => {
                let uuid = names.get(name);
                json!(uuid.ok_or_else(|| {
                    format!("no call before it is named '{name}' (a text that starts with @ is written @@)")
                })?)
            }
        },
        Value::Array(items) => {
            let items = items.iter().map(|item| resolved(item, names));
            Value::Array(items.collect::<Result<_, _>>()?)
        }
        Value::Object(members) => {
            let pairs =
                members.iter().map(|(name, value)| Ok((name.clone(), resolved(value, names)?)));
            Value::Object(pairs.collect::<Result<_, String>>()?)
        }
        other => other.clone(),
    })
}
