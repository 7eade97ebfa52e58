//! Clusters (`compute/cluster`).

use serde_json::{Value, json};

use super::{
    Module, Operation, Outcome, Run, cascade, delete_mode, insert, inventory, next_state, require,
    update,
};
use crate::emulator::ServerVersion;
use crate::emulator::core::Call;
use crate::emulator::errors::ApiError;
use crate::emulator::query::View;
use crate::emulator::store::{Family, Relation, Store, Tx, str_of};

pub static CLUSTER: Family = Family {
    name: "cluster",
    vo: "ClusterVO",
    indexes: &["zoneUuid", "name", "hypervisorType"],
    soft_delete: true,
    relations: &[
        ("zone", Relation::One { member: "zoneUuid", family: "zone" }),
        ("host", Relation::Many { family: "host", member: "clusterUuid" }),
        ("vmInstance", Relation::Many { family: "vm", member: "clusterUuid" }),
        (
            "primaryStorage",
            Relation::Through {
                links: "primaryStorageClusterRef",
                near: "clusterUuid",
                far: "primaryStorageUuid",
                family: "primaryStorage",
            },
        ),
    ],
};

pub static CLUSTERS: View = View {
    fields_5_2: &["architecture"],
    ..View::plain(
        "QueryCluster",
        &CLUSTER,
        "org.zstack.header.cluster.ClusterInventory",
        &[
            "name",
            "uuid",
            "description",
            "state",
            "hypervisorType",
            "createDate",
            "lastOpDate",
            "zoneUuid",
            "type",
        ],
    )
};

pub static MODULE: Module = Module {
    families: &[&CLUSTER],
    views: &[&CLUSTERS],
    operations: &[
        Operation { api: "CreateCluster", check: check_create, run: Run::Effect(create) },
        Operation { api: "UpdateCluster", check: exists, run: Run::Effect(change) },
        Operation { api: "ChangeClusterState", check: exists, run: Run::Effect(change_state) },
        Operation {
            api: "DeleteCluster",
            check: |_, call| delete_mode(call).map(|_| ()),
            run: Run::Effect(delete),
        },
    ],
};

fn check_create(store: &Store, call: &Call) -> Result<(), ApiError> {
    require(store, call, "zoneUuid", "zone")?;
    let (hypervisor, kind) = (call.text("hypervisorType"), call.given("type").unwrap_or("zstack"));
    if (hypervisor == "baremetal") != (kind == "baremetal") {
        let text = format!("hypervisorType[{hypervisor}] does not go with cluster type[{kind}]");
        return Err(ApiError::argument(text));
    }
    Ok(())
}

fn create(tx: &mut Tx<'_>, call: &Call) -> Outcome {
    let hypervisor = call.text("hypervisorType");
    // The choice is compared without case, the enum then is not.
    if !["KVM", "Simulator", "baremetal", "baremetal2", "xdragon"].contains(&hypervisor) {
        return Err(ApiError::internal(format!("hypervisor type[{hypervisor}] is not found")));
    }
    let architecture = call.given("architecture").filter(|_| call.version == ServerVersion::V5_2);
    let members = json!({
        "name": call.text("name"),
        "description": call.given("description"),
        "state": "Enabled",
        "hypervisorType": hypervisor,
        "zoneUuid": call.text("zoneUuid"),
        "type": call.given("type").unwrap_or("zstack"),
        "architecture": architecture,
    });
    let row = insert(tx, "cluster", call.new_uuid(), members)?;
    super::tag::attach(tx, call, "ClusterVO");
    Ok(inventory(tx.store, &CLUSTERS, &row))
}

fn exists(store: &Store, call: &Call) -> Result<(), ApiError> {
    require(store, call, "uuid", "cluster").map(|_| ())
}

fn change(tx: &mut Tx<'_>, call: &Call) -> Outcome {
    update(tx, call, &CLUSTERS, &["name", "description"])
}

fn change_state(tx: &mut Tx<'_>, call: &Call) -> Outcome {
    let state = next_state(call, &[("enable", "Enabled"), ("disable", "Disabled")])?;
    let row = tx.patch("cluster", call.text("uuid"), &[("state", json!(state))]);
    let row = row.ok_or_else(|| ApiError::not_found("uuid", call.text("uuid"), "ClusterVO"))?;
    Ok(inventory(tx.store, &CLUSTERS, &row))
}

fn delete(tx: &mut Tx<'_>, call: &Call) -> Outcome {
    cascade::remove_cluster(tx, call.text("uuid"), false);
    Ok(Value::Null)
}

/// What UpdateClusterOS refuses (section 3.2).
pub fn check_os(store: &Store, call: &Call) -> Result<(), ApiError> {
    let cluster = require(store, call, "uuid", "cluster")?;
    let uuid = call.text("uuid");
    if str_of(&cluster, "hypervisorType") != "KVM" {
        return Err(ApiError::argument(format!("cluster[uuid:{uuid}] is not a KVM cluster")));
    }
    for host in store.table("host").find("clusterUuid", uuid) {
        let name = str_of(host, "name");
        if str_of(host, "state") == "PreMaintenance" {
            return Err(ApiError::argument(format!("host[{name}] is in PreMaintenance")));
        }
        if str_of(host, "status") != "Connected" {
            return Err(ApiError::argument(format!("host[{name}] is not Connected")));
        }
    }
    Ok(())
}
