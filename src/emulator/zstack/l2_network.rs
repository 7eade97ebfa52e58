//! L2 networks (`network/l2`): created in a zone, attached to clusters, gone with the zone.

use serde_json::{Value, json};

use super::{Module, Operation, Outcome, Run, delete_mode, insert, inventory, require};
use crate::emulator::ServerVersion;
use crate::emulator::core::Call;
use crate::emulator::errors::ApiError;
use crate::emulator::jobs::is_uuid;
use crate::emulator::query::{Child, View};
use crate::emulator::store::{Family, Relation, Row, Store, Tx, str_of};

static L2_NETWORK: Family = Family {
    name: "l2Network",
    vo: "L2NetworkVO",
    indexes: &["zoneUuid", "type"],
    soft_delete: true,
    relations: &[
        ("zone", Relation::One { member: "zoneUuid", family: "zone" }),
        (
            "cluster",
            Relation::Through {
                links: "l2ClusterRef",
                near: "l2NetworkUuid",
                far: "clusterUuid",
                family: "cluster",
            },
        ),
    ],
};

/// Which network is attached to which cluster; the key is `NETWORK/CLUSTER`.
static CLUSTER_REF: Family = Family {
    name: "l2ClusterRef",
    vo: "",
    indexes: &["l2NetworkUuid", "clusterUuid"],
    soft_delete: false,
    relations: &[],
};

static NETWORKS: View = View {
    children: &[Child {
        member: "type",
        value: "L2VlanNetwork",
        class: "org.zstack.header.network.l2.L2VlanNetworkInventory",
        fields: &["vlan"],
    }],
    derived: &["attachedClusterUuids"],
    derive: |store, row, out| {
        let clusters: Vec<&str> = clusters_of(store, row).collect();
        out.insert("attachedClusterUuids".into(), json!(clusters));
    },
    fields_5_2: &["vSwitchType", "isolated", "pvlan"],
    ..View::plain(
        "QueryL2Network",
        &L2_NETWORK,
        "org.zstack.header.network.l2.L2NetworkInventory",
        &[
            "uuid",
            "name",
            "description",
            "zoneUuid",
            "physicalInterface",
            "type",
            "createDate",
            "lastOpDate",
            "attachedClusterUuids",
        ],
    )
};

pub static MODULE: Module = Module {
    families: &[&L2_NETWORK, &CLUSTER_REF],
    views: &[&NETWORKS],
    operations: &[
        Operation { api: "CreateL2NoVlanNetwork", check: check_create, run: Run::Effect(create) },
        Operation { api: "CreateL2VlanNetwork", check: check_create, run: Run::Effect(create) },
        Operation {
            api: "AttachL2NetworkToCluster",
            check: check_attach,
            run: Run::Effect(attach),
        },
        Operation {
            api: "DetachL2NetworkFromCluster",
            check: check_detach,
            run: Run::Effect(detach),
        },
        Operation { api: "DeleteL2Network", check: check_delete, run: Run::Effect(delete) },
    ],
};

fn clusters_of<'a>(store: &'a Store, row: &Row) -> impl Iterator<Item = &'a str> {
    let links = store.table("l2ClusterRef").find("l2NetworkUuid", str_of(row, "uuid"));
    links.map(|link| str_of(link, "clusterUuid"))
}

fn check_create(store: &Store, call: &Call) -> Result<(), ApiError> {
    require(store, call, "zoneUuid", "zone").map(|_| ())
}

fn create(tx: &mut Tx<'_>, call: &Call) -> Outcome {
    let vlan = call.values.get("vlan");
    let members = json!({
        "name": call.text("name"),
        "description": call.given("description"),
        "zoneUuid": call.text("zoneUuid"),
        "physicalInterface": call.text("physicalInterface"),
        "type": if vlan.is_some() { "L2VlanNetwork" } else { "L2NoVlanNetwork" },
        "vlan": vlan,
        // 3.0 has no such parameters, hence no such members.
        "vSwitchType": five(call, "vSwitchType"),
        "isolated": five(call, "isolated"),
        "pvlan": five(call, "pvlan"),
    });
    let row = insert(tx, "l2Network", call.new_uuid(), members)?;
    super::tag::attach(tx, call, "L2NetworkVO");
    Ok(inventory(tx.store, &NETWORKS, &row))
}

/// A parameter that only 5.2 has.
fn five<'a>(call: &'a Call, name: &str) -> Option<&'a Value> {
    call.values.get(name).filter(|_| call.version == ServerVersion::V5_2)
}

fn is_attached(store: &Store, call: &Call) -> Result<bool, ApiError> {
    let network = require(store, call, "l2NetworkUuid", "l2Network")?;
    require(store, call, "clusterUuid", "cluster")?;
    Ok(clusters_of(store, &network).any(|cluster| cluster == call.text("clusterUuid")))
}

/// The reference has no texts for these two; the codes are those of primary storage.
fn check_attach(store: &Store, call: &Call) -> Result<(), ApiError> {
    let (network, cluster) = (call.text("l2NetworkUuid"), call.text("clusterUuid"));
    match is_attached(store, call)? {
        true => Err(ApiError::operation(format!(
            "l2Network[uuid:{network}] has attached to cluster[uuid:{cluster}], can't attach again"
        ))),
        false => Ok(()),
    }
}

fn check_detach(store: &Store, call: &Call) -> Result<(), ApiError> {
    let (network, cluster) = (call.text("l2NetworkUuid"), call.text("clusterUuid"));
    match is_attached(store, call)? {
        true => Ok(()),
        false => Err(ApiError::operation(format!(
            "l2Network[uuid:{network}] has not attached to cluster[uuid:{cluster}]"
        ))),
    }
}

fn show(store: &Store, uuid: &str) -> Outcome {
    let row = store.get("l2Network", uuid);
    let row = row.ok_or_else(|| ApiError::not_found("uuid", uuid, L2_NETWORK.vo))?;
    Ok(inventory(store, &NETWORKS, row))
}

fn attach(tx: &mut Tx<'_>, call: &Call) -> Outcome {
    let (network, cluster) = (call.text("l2NetworkUuid"), call.text("clusterUuid"));
    let row = json!({ "l2NetworkUuid": network, "clusterUuid": cluster });
    let row = row.as_object().cloned().unwrap_or_default();
    tx.put("l2ClusterRef", &format!("{network}/{cluster}"), row);
    show(tx.store, network)
}

fn detach(tx: &mut Tx<'_>, call: &Call) -> Outcome {
    let (network, cluster) = (call.text("l2NetworkUuid"), call.text("clusterUuid"));
    tx.erase("l2ClusterRef", &format!("{network}/{cluster}"));
    show(tx.store, network)
}

/// `successIfResourceNotExisting`, as for zones.
fn check_delete(store: &Store, call: &Call) -> Result<(), ApiError> {
    delete_mode(call)?;
    let uuid = call.text("uuid");
    if store.get("l2Network", uuid).is_none() && !is_uuid(uuid) {
        return Err(ApiError::new("SYS.1003", format!("invalid value[{uuid}] of field [uuid]")));
    }
    Ok(())
}

fn delete(tx: &mut Tx<'_>, call: &Call) -> Outcome {
    remove(tx, call.text("uuid"));
    Ok(Value::Null)
}

fn remove(tx: &mut Tx<'_>, network: &str) {
    for link in tx.uuids("l2ClusterRef", "l2NetworkUuid", network) {
        tx.erase("l2ClusterRef", &link);
    }
    super::l3_network::forget_l2(tx, network);
    if tx.store.get("l2Network", network).is_some() {
        tx.delete("l2Network", network);
    }
}

/// The zone goes: its networks too.
pub fn forget_zone(tx: &mut Tx<'_>, zone: &str) {
    tx.uuids("l2Network", "zoneUuid", zone).iter().for_each(|network| remove(tx, network));
}

/// The cluster goes: its links too.
pub fn forget_cluster(tx: &mut Tx<'_>, cluster: &str) {
    for link in tx.uuids("l2ClusterRef", "clusterUuid", cluster) {
        tx.erase("l2ClusterRef", &link);
    }
}
