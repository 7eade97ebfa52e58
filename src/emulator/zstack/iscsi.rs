//! iSCSI servers and their LUNs. The server code is closed: parameters and inventories come from
//! the SDK and the manual; rules that neither states are marked as choices.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{
    Module, Operation, Outcome, Run, delete_mode, device, insert, inventory, nothing, require,
    update,
};
use crate::emulator::core::Call;
use crate::emulator::errors::ApiError;
use crate::emulator::query::{View, shown};
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
            run: Run::Effect(|tx, call| {
                reach(tx.store, call)?;
                discover(tx, call.text("uuid"));
                show(tx.store, call.text("uuid"))
            }),
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
    super::tag::attach(tx, call, "IscsiServerVO");
    show(tx.store, uuid)
}

/// What a server offers: the LUNs that a seed describes for its address, else two of 1 TiB on one
/// target, so that a shared block storage has something to stand on.
fn offered(store: &Store, server: &Row) -> Vec<Row> {
    let ip = str_of(server, "ip");
    let described = device::of(store, device::Kind::Lun, ip);
    if !described.is_empty() {
        return described;
    }
    let lun = |number: usize| {
        let key = super::computed_uuid(&format!("{ip}/{number}"));
        let row = json!({ "wwid": format!("3{}", &key[..16]), "wwn": format!("0x{}", &key[..16]),
            "serial": &key[..8], "hctl": format!("0:0:0:{number}"), "lun": number });
        row.as_object().cloned().unwrap_or_default()
    };
    (0..2).map(lun).collect()
}

/// The hosts of the clusters log in and look: LUNs appear and vanish as the server offers them.
/// When they do is a choice: the sources say only that a refresh rescans (section 3.6).
fn discover(tx: &mut Tx<'_>, server: &str) {
    let Some(row) = tx.store.get("iscsiServer", server).cloned() else { return };
    let (ip, port) = (str_of(&row, "ip"), row.get("port").and_then(Value::as_i64).unwrap_or(3260));
    let mut present = Vec::new();
    for members in offered(tx.store, &row) {
        let wwid = str_of(&members, "wwid").to_owned();
        let iqn = match str_of(&members, "iqn") {
            "" => format!("iqn.2018-01.com.example:{server}"),
            given => given.to_owned(),
        };
        let number = members.get("lun").and_then(Value::as_i64).unwrap_or(0);
        let target = super::computed_uuid(&format!("{server}/{iqn}"));
        let uuid = super::computed_uuid(&format!("{server}/{iqn}/{wwid}"));
        let defaults = json!({
            "uuid": uuid, "iscsiServerUuid": server, "iscsiTargetUuid": target, "iqn": iqn,
            "multipathDeviceUuid": wwid, "vendor": "LIO-ORG", "model": "disk", "type": "mpath",
            "path": format!("ip-{ip}:{port}-iscsi-{iqn}-lun-{number}"), "size": 1u64 << 40,
            "createDate": tx.now, "lastOpDate": tx.now,
        });
        let mut lun = defaults.as_object().cloned().unwrap_or_default();
        lun.extend(members);
        if tx.store.get("iscsiLun", &uuid).is_none() {
            tx.put("iscsiLun", &uuid, lun);
        }
        present.push(uuid);
    }
    for lun in tx.uuids("iscsiLun", "iscsiServerUuid", server) {
        if !present.iter().any(|known| **known == *lun) {
            tx.erase("iscsiLun", &lun);
        }
    }
}

fn derive(store: &Store, row: &Row, out: &mut Row) {
    let uuid = str_of(row, "uuid");
    let mut targets: BTreeMap<&str, (&Row, Vec<Value>)> = BTreeMap::new();
    for lun in store.table("iscsiLun").find("iscsiServerUuid", uuid) {
        let target = targets.entry(str_of(lun, "iscsiTargetUuid"));
        let (_, luns) = target.or_insert_with(|| (lun, Vec::new()));
        luns.push(LUNS.inventory(store, lun));
    }
    let target = |(target, (first, luns)): (&str, (&Row, Vec<Value>))| {
        let made = first.get("createDate").cloned().unwrap_or(Value::Null);
        let made = shown("createDate", made);
        json!({ "iscsiServerUuid": uuid, "uuid": target, "iqn": str_of(first, "iqn"),
                "state": "Enabled", "iscsiLuns": luns, "createDate": made, "lastOpDate": made })
    };
    out.insert("iscsiTargets".into(), targets.into_iter().map(target).collect());
    let links = store.table("iscsiClusterRef").find("iscsiServerUuid", uuid);
    let link = |link: &Row| -> Value {
        let members = link.iter().map(|(name, value)| (name.clone(), shown(name, value.clone())));
        Value::Object(members.collect())
    };
    out.insert("iscsiClusterRefs".into(), links.map(|row| link(row)).collect());
}

/// The LUNs of the servers that a cluster is attached to: what its hosts are logged in to.
pub fn luns_of_cluster(store: &Store, cluster: &str) -> Vec<Row> {
    let links = store.table("iscsiClusterRef").find("clusterUuid", cluster);
    let servers = links.map(|link| str_of(link, "iscsiServerUuid"));
    let enabled = servers.filter(|server| {
        store.get("iscsiServer", server).is_some_and(|row| str_of(row, "state") == "Enabled")
    });
    enabled.flat_map(|server| luns_of(store, server)).collect()
}

fn luns_of(store: &Store, server: &str) -> Vec<Row> {
    store.table("iscsiLun").find("iscsiServerUuid", server).map(|lun| (**lun).clone()).collect()
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

/// A choice: a server that nobody reaches can be recorded, but not attached or looked at.
fn reach(store: &Store, call: &Call) -> Result<(), ApiError> {
    let row = require(store, call, "uuid", "iscsiServer")?;
    let ip = str_of(&row, "ip");
    match call.effects.connect_fail || super::machine::is_unreachable(store, ip) {
        true => Err(ApiError::operation(format!("unable to log in to the iscsi server[ip:{ip}]"))),
        false => Ok(()),
    }
}

fn attach(tx: &mut Tx<'_>, call: &Call) -> Outcome {
    reach(tx.store, call)?;
    let (server, cluster) = (call.text("uuid"), call.text("clusterUuid"));
    let id = tx.store.table("iscsiClusterRef").rows().len() + 1;
    let row = json!({ "id": id, "iscsiServerUuid": server, "clusterUuid": cluster,
                      "createDate": tx.now, "lastOpDate": tx.now });
    let row = row.as_object().cloned().unwrap_or_default();
    tx.put("iscsiClusterRef", &format!("{server}/{cluster}"), row);
    discover(tx, server);
    show(tx.store, server)
}

/// Choices: as above, and the order "shared block storage before its iSCSI server" of section 4.
fn check_detach(store: &Store, call: &Call) -> Result<(), ApiError> {
    let (server, cluster) = (call.text("uuid"), call.text("clusterUuid"));
    match is_attached(store, call)? {
        true => match super::shared_block::user_of(store, cluster, &luns_of(store, server)) {
            Some(storage) => Err(ApiError::operation(format!(
                "iscsi server[uuid:{server}] has LUNs that primary storage[uuid:{storage}] uses, which is attached to cluster[uuid:{cluster}]"
            ))),
            None => Ok(()),
        },
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
    tx.delete("iscsiServer", call.text("uuid"));
    Ok(Value::Null)
}

/// The cluster goes: its links too.
pub fn forget_cluster(tx: &mut Tx<'_>, cluster: &str) {
    for link in tx.uuids("iscsiClusterRef", "clusterUuid", cluster) {
        tx.erase("iscsiClusterRef", &link);
    }
}
