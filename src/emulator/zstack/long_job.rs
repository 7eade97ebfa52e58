//! Long jobs (`longjob`): work that outlives its API call. UpdateClusterOS is the only one here. A
//! long job is visible as Running for three times the emulator's job latency, so that it can be
//! watched and cancelled, and goes on after a restart of the management node.

use std::sync::Arc;

use serde_json::{Value, json};

use super::{Module, Operation, Phases, Run, cluster, insert, inventory, nothing, require};
use crate::emulator::core::{Call, Core};
use crate::emulator::errors::ApiError;
use crate::emulator::query::View;
use crate::emulator::store::{Family, Row, Store, Tx, str_of};

/// How many job latencies a long job takes.
const LENGTH: f64 = 3.0;

static LONG_JOB: Family = Family {
    name: "longJob",
    vo: "LongJobVO",
    indexes: &["targetResourceUuid", "state", "apiId"],
    soft_delete: false,
    relations: &[],
};

static LONG_JOBS: View = View::plain(
    "QueryLongJob",
    &LONG_JOB,
    "org.zstack.header.longjob.LongJobInventory",
    &[
        "uuid",
        "name",
        "description",
        "apiId",
        "jobName",
        "jobData",
        "jobResult",
        "state",
        "targetResourceUuid",
        "managementNodeUuid",
        "createDate",
        "lastOpDate",
    ],
);

pub static MODULE: Module = Module {
    families: &[&LONG_JOB],
    views: &[&LONG_JOBS],
    operations: &[
        Operation { api: "UpdateClusterOS", check: cluster::check_os, run: Run::Phases(update_os) },
        Operation {
            api: "CancelLongJob",
            check: check_cancel,
            run: Run::Effect(|tx, call| {
                let uuid = call.text("uuid");
                tx.patch("longJob", uuid, &[("state", json!("Canceled"))]);
                Ok(Value::Null)
            }),
        },
        Operation { api: "GetTaskProgress", check: nothing, run: Run::Phases(progress) },
    ],
};

fn update_os(core: Arc<Core>, call: Arc<Call>) -> Phases {
    Box::pin(async move {
        let (uuid, api_id) = (call.new_uuid().to_owned(), core.fresh_uuid());
        let reply = core.with(|tx| {
            cluster::check_os(tx.store, &call)?;
            let row = start(tx, &call, &api_id)?;
            Ok(inventory(tx.store, &LONG_JOBS, &row))
        })?;
        finish_later(&core, uuid);
        Ok(reply)
    })
}

fn start(tx: &mut Tx<'_>, call: &Call, api_id: &str) -> Result<Arc<Row>, ApiError> {
    let members = json!({
        "name": "APIUpdateClusterOSMsg",
        "apiId": api_id,
        "jobName": "APIUpdateClusterOSMsg",
        "jobData": json!({ "uuid": call.text("uuid"), "excludePackages": call.list("excludePackages") }).to_string(),
        "targetResourceUuid": call.text("uuid"),
        "state": "Running",
    });
    insert(tx, "longJob", call.new_uuid(), members)
}

/// Running → Succeeded, unless it was cancelled meanwhile. A restart leaves it to [`resume`].
fn finish_later(core: &Arc<Core>, job: String) {
    let (core, mut epoch) = (core.clone(), core.epoch());
    tokio::spawn(async move {
        tokio::select! {
            _ = epoch.changed() => return,
            () = core.wait(LENGTH) => {}
        }
        core.with(|tx| {
            let running =
                tx.store.get("longJob", &job).is_some_and(|row| str_of(row, "state") == "Running");
            if running {
                let done = [("state", json!("Succeeded")), ("jobResult", json!("Succeeded"))];
                tx.patch("longJob", &job, &done);
            }
        });
    });
}

/// After a restart of the management node: it takes its long jobs over.
pub fn resume(core: &Arc<Core>) {
    for job in core.with(|tx| tx.uuids("longJob", "state", "Running")) {
        finish_later(core, job.to_string());
    }
}

fn check_cancel(store: &Store, call: &Call) -> Result<(), ApiError> {
    let row = require(store, call, "uuid", "longJob")?;
    match str_of(&row, "state") {
        "Running" | "Waiting" => Ok(()),
        state => Err(ApiError::operation(format!(
            "cannot cancel longjob[uuid:{}] whose state is {state}",
            call.text("uuid")
        ))),
    }
}

/// The progress of what runs under an API id, in percent; none for what is unknown or over.
fn progress(core: Arc<Core>, call: Arc<Call>) -> Phases {
    Box::pin(async move {
        let now = core.clock.now();
        let whole = core.job_latency.mul_f64(LENGTH).as_millis().max(1) as f64;
        let of = |row: &Arc<Row>| {
            let since = row.get("createDate").and_then(Value::as_i64).unwrap_or(now);
            let percent = ((now - since) as f64 / whole * 100.0).clamp(0.0, 99.0) as u8;
            json!({ "taskUuid": str_of(row, "apiId"), "taskName": str_of(row, "jobName"),
                    "type": "Progress", "content": percent.to_string(), "time": now, "subTasks": [] })
        };
        let found: Vec<Value> = core.read(|store| {
            let rows = store.table("longJob").find("state", "Running");
            rows.filter(|row| str_of(row, "apiId") == call.text("apiId")).map(of).collect()
        });
        Ok(json!({ "inventories": found }))
    })
}
