//! iSCSI servers and their LUNs. The server code is closed: parameters and inventories come from
//! the SDK and the manual; rules that neither states are marked as choices.

use serde_json::{Value, json};

use super::{
    Module, Operation, Outcome, Run, delete_mode, insert, inventory, nothing, require, update,
};
use crate::emulator::core::Call;
use crate::emulator::errors::ApiError;
use crate::emulator::query::View;
use crate::emulator::store::{Family, Row, Store, Tx, str_of};

static SERVER: Family = Family {
    name: "iscsiServer",
    vo: "IscsiServerVO",
    indexes: &["ip"],
    soft_delete: false,
    relations: &[],
};

/// Which server is attached to which cluster; the key is `SERVER/CLUSTER`.
static CLUSTER_REF: Family = Family {
    name: "iscsiClusterRef",
    vo: "",
    indexes: &["iscsiServerUuid", "clusterUuid"],
    soft_delete: false,
    relations: &[],
};

static LUN: Family = Family {
    name: "iscsiLun",
    vo: "IscsiLunVO",
    indexes: &["iscsiServerUuid", "iscsiTargetUuid", "wwid"],
    soft_delete: false,
    relations: &[],
};

static SERVERS: View = View {
    derived: &["iscsiTargets", "iscsiClusterRefs"],
    derive,
    ..View::plain(
        "QueryIscsiServer",
        &SERVER,
        "org.zstack.header.storageDevice.IscsiServerInventory",
        &[
            "uuid",
            "name",
            "ip",
            "port",
            "chapUserName",
            // Returned in clear (inventory class and the manual's sample).
            "chapUserPassword",
            "state",
            "iscsiTargets",
            "iscsiClusterRefs",
            "createDate",
            "lastOpDate",
        ],
    )
};

static LUNS: View = View::plain(
    "QueryIscsiLun",
    &LUN,
    "org.zstack.header.storageDevice.IscsiLunInventory",
    &[
        "uuid",
        "iscsiTargetUuid",
        "wwid",
        "vendor",
        "model",
        "wwn",
        "serial",
        "hctl",
        "type",
        "path",
        "size",
        "multipathDeviceUuid",
        "createDate",
        "lastOpDate",
    ],
);

pub static MODULE: Module = Module {
    families: &[&SERVER, &CLUSTER_REF, &LUN],
    views: &[&SERVERS, &LUNS],
    operations: &[
        Operation { api: "AddIscsiServer", check: nothing, run: Run::Effect(create) },
        Operation { api: "UpdateIscsiServer", check: exists, run: Run::Effect(change) },
        Operation {
            api: "RefreshIscsiServer",
            check: exists,
            run: Run::Effect(|tx, call| show(tx.store, call.text("uuid"))),
        },
        Operation {
            api: "AttachIscsiServerToCluster",
            check: check_attach,
            run: Run::Effect(attach),
        },
        Operation {
            api: "DetachIscsiServerFromCluster",
            check: check_detach,
            run: Run::Effect(detach),
        },
        Operation { api: "DeleteIscsiServer", check: check_delete, run: Run::Effect(delete) },
    ],
};

/// Every server offers one target with two LUNs, so that a shared block storage has something to
/// stand on; real ones are discovered.
fn create(tx: &mut Tx<'_>, call: &Call) -> Outcome {
    let (uuid, ip) = (call.new_uuid(), call.text("ip"));
    // Default name as in the manual's sample.
    let name = call.given("name").map_or_else(|| format!("iscsi-server-{ip}"), str::to_owned);
    let members = json!({
        "name": name,
        "ip": ip,
        "port": call.values.get("port"),
        "chapUserName": call.given("chapUserName"),
        "chapUserPassword": call.given("chapUserPassword"),
        "chapUserPasswordDigest": call.given("chapUserPassword").map(super::digest),
        "state": "Enabled",
    });
    insert(tx, "iscsiServer", uuid, members)?;
    for number in 0..2 {
        let key = super::computed_uuid(&format!("{ip}/{number}"));
        let lun = json!({
            "iscsiServerUuid": uuid, "iscsiTargetUuid": super::computed_uuid(uuid),
            "wwid": format!("3{}", &key[..16]), "wwn": format!("0x{}", &key[..16]), "vendor": "LIO-ORG",
            "model": "disk", "serial": &key[..8], "hctl": format!("0:0:0:{number}"), "type": "disk",
            "path": format!("ip-{ip}:3260-lun-{number}"), "size": 1u64 << 40,
        });
        insert(tx, "iscsiLun", &super::computed_uuid(&format!("{uuid}/{number}")), lun)?;
    }
    super::tag::attach(tx, call, "IscsiServerVO");
    show(tx.store, uuid)
}

fn derive(store: &Store, row: &Row, out: &mut Row) {
    let uuid = str_of(row, "uuid");
    let luns: Vec<Value> = store
        .table("iscsiLun")
        .find("iscsiServerUuid", uuid)
        .map(|lun| LUNS.inventory(store, lun))
        .collect();
    let target = json!({ "iscsiServerUuid": uuid, "uuid": super::computed_uuid(uuid),
                         "iqn": format!("iqn.2018-01.com.example:{uuid}"), "iscsiLuns": luns });
    out.insert("iscsiTargets".into(), json!([target]));
    let links = store.table("iscsiClusterRef").find("iscsiServerUuid", uuid);
    out.insert("iscsiClusterRefs".into(), links.map(|link| json!(**link)).collect());
}

/// What GetSharedBlockCandidate finds: the LUNs of the servers attached to a cluster.
pub fn luns_of_cluster(store: &Store, cluster: &str) -> Vec<Value> {
    let links = store.table("iscsiClusterRef").find("clusterUuid", cluster);
    let luns = links.flat_map(|link| {
        store.table("iscsiLun").find("iscsiServerUuid", str_of(link, "iscsiServerUuid"))
    });
    luns.map(|lun| LUNS.inventory(store, lun)).collect()
}

fn exists(store: &Store, call: &Call) -> Result<(), ApiError> {
    require(store, call, "uuid", "iscsiServer").map(|_| ())
}

fn show(store: &Store, uuid: &str) -> Outcome {
    let row = store.get("iscsiServer", uuid);
    let row = row.ok_or_else(|| ApiError::not_found("uuid", uuid, SERVER.vo))?;
    Ok(inventory(store, &SERVERS, row))
}

fn change(tx: &mut Tx<'_>, call: &Call) -> Outcome {
    if let Some(password) = call.given("chapUserPassword") {
        let digest = json!(super::digest(password));
        tx.patch("iscsiServer", call.text("uuid"), &[("chapUserPasswordDigest", digest)]);
    }
    update(tx, call, &SERVERS, &["name", "chapUserName", "chapUserPassword", "state"])
}

fn is_attached(store: &Store, call: &Call) -> Result<bool, ApiError> {
    exists(store, call)?;
    require(store, call, "clusterUuid", "cluster")?;
    let key = format!("{}/{}", call.text("uuid"), call.text("clusterUuid"));
    Ok(store.get("iscsiClusterRef", &key).is_some())
}

/// A choice: as with storage, twice is an error (SYS.1006).
fn check_attach(store: &Store, call: &Call) -> Result<(), ApiError> {
    let (server, cluster) = (call.text("uuid"), call.text("clusterUuid"));
    match is_attached(store, call)? {
        true => Err(ApiError::operation(format!(
            "iscsi server[uuid:{server}] has been attached to cluster[uuid:{cluster}]"
        ))),
        false => Ok(()),
    }
}

fn attach(tx: &mut Tx<'_>, call: &Call) -> Outcome {
    let (server, cluster) = (call.text("uuid"), call.text("clusterUuid"));
    let row = json!({ "iscsiServerUuid": server, "clusterUuid": cluster });
    let row = row.as_object().cloned().unwrap_or_default();
    tx.put("iscsiClusterRef", &format!("{server}/{cluster}"), row);
    show(tx.store, server)
}

/// A choice, as above.
fn check_detach(store: &Store, call: &Call) -> Result<(), ApiError> {
    let (server, cluster) = (call.text("uuid"), call.text("clusterUuid"));
    match is_attached(store, call)? {
        true => Ok(()),
        false => Err(ApiError::argument(format!(
            "iscsi server[uuid:{server}] has not been attached to cluster[uuid:{cluster}]"
        ))),
    }
}

fn detach(tx: &mut Tx<'_>, call: &Call) -> Outcome {
    let (server, cluster) = (call.text("uuid"), call.text("clusterUuid"));
    tx.erase("iscsiClusterRef", &format!("{server}/{cluster}"));
    show(tx.store, server)
}

/// A choice (the order "detach, then delete" is assumed in the reference): refused while attached.
fn check_delete(store: &Store, call: &Call) -> Result<(), ApiError> {
    delete_mode(call)?;
    let uuid = call.text("uuid");
    match store.table("iscsiClusterRef").with("iscsiServerUuid", uuid) {
        Some(_) => Err(ApiError::operation(format!(
            "iscsi server[uuid:{uuid}] is still attached to a cluster"
        ))),
        None => Ok(()),
    }
}

fn delete(tx: &mut Tx<'_>, call: &Call) -> Outcome {
    for lun in tx.uuids("iscsiLun", "iscsiServerUuid", call.text("uuid")) {
        tx.erase("iscsiLun", &lun);
    }
    tx.erase("iscsiServer", call.text("uuid"));
    Ok(Value::Null)
}

/// The cluster goes: its links too.
pub fn forget_cluster(tx: &mut Tx<'_>, cluster: &str) {
    for link in tx.uuids("iscsiClusterRef", "clusterUuid", cluster) {
        tx.erase("iscsiClusterRef", &link);
    }
}
