//! KvmRunShell: a script on many hosts, with a result per host. No script is run: `echo TEXT` and
//! `exit CODE` answer as a shell would, `hostname` with the host's name, the rest is silent.

use serde_json::{Value, json};

use super::{Module, Operation, Outcome, Run};
use crate::emulator::core::Call;
use crate::emulator::errors::ApiError;
use crate::emulator::store::{Row, Store, Tx, str_of};

pub static MODULE: Module = Module {
    families: &[],
    views: &[],
    operations: &[Operation { api: "KvmRunShell", check, run: Run::Effect(run) }],
};

fn check(store: &Store, call: &Call) -> Result<(), ApiError> {
    let hosts = call.list("hostUuids").into_iter();
    let missing: Vec<&str> = hosts.filter(|uuid| store.get("host", uuid).is_none()).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let text = format!(
        "invalid field[hostUuids], resource[uuids:[{}], type:HostVO] not found",
        missing.join(", ")
    );
    Err(ApiError::new("SYS.1003", text))
}

/// A host that does not answer has an error in place of a result (the manual's 4.3.10); the job
/// succeeds.
fn run(tx: &mut Tx<'_>, call: &Call) -> Outcome {
    let result = |uuid: &str| -> Option<(String, Value)> {
        let host = tx.store.get("host", uuid)?;
        let result = match str_of(host, "status") {
            "Connected" => shell(host, call.text("script")),
            status => {
                let text = format!("host[uuid:{uuid}] is {status}, it can not run a script");
                let error = ApiError::new("HOST.1010", text).to_json();
                json!({ "returnCode": -1, "stdout": "", "stderr": "", "errorCode": error })
            }
        };
        Some((uuid.to_owned(), result))
    };
    let results: Row = call.list("hostUuids").into_iter().filter_map(result).collect();
    Ok(json!({ "inventory": results }))
}

fn shell(host: &Row, script: &str) -> Value {
    let (mut output, mut code) = (String::new(), 0);
    for line in script.lines().map(str::trim) {
        match line.split_once(' ').unwrap_or((line, "")) {
            ("echo", text) => output.push_str(&format!("{}\n", text.trim_matches(['"', '\'']))),
            ("hostname", "") => output.push_str(&format!("{}\n", str_of(host, "name"))),
            ("exit", number) => {
                code = number.trim().parse::<u8>().unwrap_or(0);
                break;
            }
            _ => {}
        }
    }
    json!({ "returnCode": code, "stdout": output, "stderr": "" })
}
