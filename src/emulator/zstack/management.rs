//! The management node.

use serde_json::json;

use super::{Module, Operation, Run, nothing};
use crate::emulator::ServerVersion;
use crate::emulator::query::View;
use crate::emulator::store::Family;

static NODE: Family =
    Family { name: "managementNode", vo: "", indexes: &[], soft_delete: false, relations: &[] };

static NODES: View = View::plain(
    "QueryManagementNode",
    &NODE,
    "org.zstack.header.managementnode.ManagementNodeInventory",
    &["uuid", "hostName", "joinDate", "heartBeat"],
);

pub static MODULE: Module = Module {
    families: &[&NODE],
    views: &[&NODES],
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
