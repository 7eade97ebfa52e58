//! The management node and long jobs.

use serde_json::json;

use super::{Module, Operation, Run, nothing};
use crate::emulator::ServerVersion;
use crate::emulator::query::View;
use crate::emulator::store::Family;

static NODE: Family =
    Family { name: "managementNode", vo: "", indexes: &[], soft_delete: false, relations: &[] };

static LONG_JOB: Family = Family {
    name: "longJob",
    vo: "LongJobVO",
    indexes: &["targetResourceUuid"],
    soft_delete: false,
    relations: &[],
};

static NODES: View = View::plain(
    "QueryManagementNode",
    &NODE,
    "org.zstack.header.managementnode.ManagementNodeInventory",
    &["uuid", "hostName", "joinDate", "heartBeat"],
);

pub static LONG_JOBS: View = View::plain(
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
    families: &[&NODE, &LONG_JOB],
    views: &[&NODES, &LONG_JOBS],
    operations: &[
        Operation {
            api: "GetVersion",
            check: nothing,
            run: Run::Effect(|_, call| {
                Ok(match call.version {
                    ServerVersion::V3_0 => json!({ "version": "3.0.0" }),
                    ServerVersion::V5_2 => json!({ "version": "5.2.1" }),
                })
            }),
        },
        Operation {
            api: "GetCurrentTime",
            check: nothing,
            run: Run::Effect(|tx, _| {
                Ok(json!({ "currentTime": { "MillionSeconds": tx.now, "Seconds": tx.now / 1000 } }))
            }),
        },
        Operation {
            api: "IsReadyToGo",
            check: nothing,
            run: Run::Effect(|_, _| Ok(serde_json::Value::Null)),
        },
    ],
};
