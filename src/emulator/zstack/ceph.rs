//! Ceph primary storage and its pools (`plugin/ceph`).

use serde_json::{Value, json};

use super::ceph_mon::{self, Side};
use super::primary_storage::{PRIMARY_STORAGE, STORAGES, add};
use super::storage_kind::{CHILDREN, DERIVED, FIELDS, Kind, derive};
use super::{Module, Operation, Outcome, Run, delete_mode, insert, inventory, require, update};
use crate::emulator::ServerVersion;
use crate::emulator::core::Call;
use crate::emulator::errors::ApiError;
use crate::emulator::query::View;
use crate::emulator::store::{Family, Relation, Row, Store, Tx, str_of};

static MON: Family = Family {
    name: "cephMon",
    vo: "CephPrimaryStorageMonVO",
    indexes: &["hostname", "primaryStorageUuid"],
    soft_delete: false,
    relations: &[],
};

static POOL: Family = Family {
    name: "cephPool",
    vo: "CephPrimaryStoragePoolVO",
    indexes: &["primaryStorageUuid", "poolName"],
    soft_delete: false,
    relations: &[(
        "primaryStorage",
        Relation::One { member: "primaryStorageUuid", family: "primaryStorage" },
    )],
};

/// Pools that are known to exist in a Ceph cluster; the key is `FSID/NAME`. They outlive their rows.
static STORED_POOL: Family =
    Family { name: "cephStoredPool", vo: "", indexes: &[], soft_delete: false, relations: &[] };

const SIDE: Side = Side {
    mons: &MON,
    owner: "primaryStorage",
    parent: "primaryStorageUuid",
    what: "ceph primary storage",
};

/// The fixed part of `only` makes the sub-inventory the view's own.
static CEPHS: View = View {
    only: Some(("type", "Ceph")),
    children: CHILDREN,
    derived: DERIVED,
    derive,
    ..View::plain(
        "QueryCephPrimaryStorage",
        &PRIMARY_STORAGE,
        "org.zstack.storage.ceph.primary.CephPrimaryStorageInventory",
        FIELDS,
    )
};

static POOLS: View = View::plain(
    "QueryCephPrimaryStoragePool",
    &POOL,
    "org.zstack.storage.ceph.primary.CephPrimaryStoragePoolInventory",
    &[
        "uuid",
        "primaryStorageUuid",
        "poolName",
        "aliasName",
        "description",
        "type",
        "availableCapacity",
        "usedCapacity",
        "replicatedSize",
        "createDate",
        "lastOpDate",
    ],
);

pub static KIND: Kind = Kind {
    mount_path: |_, _| "Ceph".to_owned(),
    create,
    connect,
    destroy: |tx, uuid| {
        ceph_mon::remove_all(tx, &SIDE, uuid);
        for pool in tx.uuids("cephPool", "primaryStorageUuid", uuid) {
            tx.delete("cephPool", &pool);
        }
    },
    extra: |store, row, out| {
        let uuid = str_of(row, "uuid");
        out.insert("mons".into(), ceph_mon::inventories(store, &SIDE, uuid));
        let pools = store.table("cephPool").find("primaryStorageUuid", uuid);
        out.insert("pools".into(), pools.map(|pool| POOLS.inventory(store, pool)).collect());
    },
    ..Kind::plain("Ceph")
};

pub static MODULE: Module = Module {
    families: &[&MON, &POOL, &STORED_POOL],
    views: &[&CEPHS, &POOLS],
    operations: &[
        Operation {
            api: "AddCephPrimaryStorage",
            check: check_add,
            run: Run::Phases(|core, call| add(core, call, &KIND, check_add)),
        },
        Operation {
            api: "AddMonToCephPrimaryStorage",
            check: check_mons,
            run: Run::Effect(add_mons),
        },
        Operation {
            api: "RemoveMonFromCephPrimaryStorage",
            check: |store, call| require(store, call, "uuid", "primaryStorage").map(|_| ()),
            run: Run::Effect(|tx, call| {
                ceph_mon::remove(tx, &SIDE, &call.list("monHostnames"));
                show(tx, call.text("uuid"))
            }),
        },
        Operation {
            api: "UpdateCephPrimaryStorageMon",
            check: |store, call| require(store, call, "monUuid", "cephMon").map(|_| ()),
            run: Run::Effect(update_mon),
        },
        Operation {
            api: "AddCephPrimaryStoragePool",
            check: check_pool,
            run: Run::Effect(add_pool),
        },
        Operation {
            api: "UpdateCephPrimaryStoragePool",
            check: |store, call| require(store, call, "uuid", "cephPool").map(|_| ()),
            run: Run::Effect(|tx, call| update(tx, call, &POOLS, &["aliasName", "description"])),
        },
        Operation {
            // The row only: no check of its use, the pool in Ceph stays.
            api: "DeleteCephPrimaryStoragePool",
            check: |_, call| delete_mode(call).map(|_| ()),
            run: Run::Effect(|tx, call| {
                tx.delete("cephPool", call.text("uuid"));
                Ok(Value::Null)
            }),
        },
    ],
};

const POOL_PARAMETERS: [(&str, &str, &str); 3] = [
    ("rootVolumePoolName", "Root", "pri-v-r-"),
    ("dataVolumePoolName", "Data", "pri-v-d-"),
    ("imageCachePoolName", "ImageCache", "pri-c-"),
];

fn check_add(store: &Store, call: &Call) -> Result<(), ApiError> {
    require(store, call, "zoneUuid", "zone")?;
    let used = |host: &str| {
        format!(
            "cannot add ceph primary storage, there has been some ceph primary storage using mon[hostnames:[{host}]]"
        )
    };
    ceph_mon::check_urls(store, &SIDE, &call.list("monUrls"), used)?;
    for (name, ..) in POOL_PARAMETERS {
        if call.given(name) == Some("") {
            return Err(ApiError::argument(format!(
                "{name} can be null but cannot be an empty string"
            )));
        }
    }
    Ok(())
}

fn create(tx: &mut Tx<'_>, call: &Call, uuid: &str) -> Result<(), ApiError> {
    let urls =
        call.list("monUrls").into_iter().map(ceph_mon::parse).collect::<Result<Vec<_>, _>>()?;
    ceph_mon::put(tx, &SIDE, uuid, &urls);
    for (name, kind, prefix) in POOL_PARAMETERS {
        let pool = call.given(name).map_or_else(|| format!("{prefix}{uuid}"), str::to_owned);
        let key = super::computed_uuid(&format!("{uuid}/{kind}/{pool}"));
        put_pool(tx, &key, json!({ "primaryStorageUuid": uuid, "poolName": pool, "type": kind }))?;
    }
    Ok(())
}

fn put_pool(tx: &mut Tx<'_>, uuid: &str, mut members: Value) -> Result<(), ApiError> {
    if let Value::Object(members) = &mut members {
        let sizes =
            json!({ "availableCapacity": 10u64 << 40, "usedCapacity": 0, "replicatedSize": 3 });
        members.extend(sizes.as_object().cloned().unwrap_or_default());
    }
    insert(tx, "cephPool", uuid, members).map(|_| ())
}

/// Asks the monitors for the cluster's id; no other storage may have the same.
fn connect(tx: &mut Tx<'_>, uuid: &str) -> Result<(), ApiError> {
    let fsid = ceph_mon::connect(tx, &SIDE, uuid)?;
    let cephs = |store: &Store| {
        store
            .table("primaryStorage")
            .find("type", "Ceph")
            .find(|row| str_of(row, "fsid") == fsid && str_of(row, "uuid") != uuid)
            .cloned()
    };
    let other = cephs(tx.store);
    if let Some(other) = other {
        return Err(ApiError::operation(format!(
            "there is another CEPH primary storage[name:{}, uuid:{}] with the same FSID[{fsid}], you cannot add the same CEPH setup as two different primary storage",
            str_of(&other, "name"),
            str_of(&other, "uuid"),
        )));
    }
    tx.patch("primaryStorage", uuid, &[("fsid", json!(fsid))]);
    let row = tx.store.get("primaryStorage", uuid).cloned();
    match row.filter(|row| str_of(row, "status") == "Connecting") {
        Some(row) => first_pools(tx, &row),
        None => Ok(()),
    }
}

/// The pools of a new storage: named ones must exist, the others are made.
fn first_pools(tx: &mut Tx<'_>, storage: &Row) -> Result<(), ApiError> {
    let uuid = str_of(storage, "uuid");
    for pool in tx.uuids("cephPool", "primaryStorageUuid", uuid) {
        let name = tx.store.get("cephPool", &pool).map(|row| str_of(row, "poolName").to_owned());
        let name = name.unwrap_or_default();
        if !POOL_PARAMETERS.iter().any(|(.., prefix)| name == format!("{prefix}{uuid}")) {
            check_stored(tx.store, storage, &name, false)?;
        }
        tx.put("cephStoredPool", &stored_key(storage, &name), Row::new());
    }
    Ok(())
}

/// Whether the Ceph cluster of a storage has a pool, as far as is known: it was made or named here,
/// or a seed lists the pools of a monitor's machine.
fn knows_pool(store: &Store, storage: &Row, name: &str) -> Option<bool> {
    if store.get("cephStoredPool", &stored_key(storage, name)).is_some() {
        return Some(true);
    }
    let mons = store.table("cephMon").find("primaryStorageUuid", str_of(storage, "uuid"));
    let mut listed = mons
        .filter_map(|mon| store.get("machine", str_of(mon, "hostname"))?.get("pools")?.as_array());
    listed.next().map(|pools| pools.iter().any(|pool| pool == name))
}

fn stored_key(storage: &Row, pool: &str) -> String {
    format!("{}/{pool}", str_of(storage, "fsid"))
}

/// What the agent refuses: to use a pool that is not there, to create one that is.
fn check_stored(store: &Store, storage: &Row, name: &str, create: bool) -> Result<(), ApiError> {
    match (knows_pool(store, storage, name), create) {
        (Some(false), false) => Err(ApiError::operation(format!(
            "cannot find pool[{name}] in the ceph cluster, you must create it manually"
        ))),
        (Some(true), true) => Err(ApiError::operation(format!(
            "have pool named[{name}] in ceph cluster, can't create new pool with same name"
        ))),
        _ => Ok(()),
    }
}

fn show(tx: &Tx<'_>, uuid: &str) -> Outcome {
    let row = tx.store.get("primaryStorage", uuid);
    let row = row.ok_or_else(|| ApiError::not_found("uuid", uuid, PRIMARY_STORAGE.vo))?;
    Ok(inventory(tx.store, &STORAGES, row))
}

fn check_mons(store: &Store, call: &Call) -> Result<(), ApiError> {
    require(store, call, "uuid", "primaryStorage")?;
    let used = |_: &str| "Adding the same Mon node is not allowed".to_owned();
    ceph_mon::check_urls(store, &SIDE, &call.list("monUrls"), used).map(|_| ())
}

fn add_mons(tx: &mut Tx<'_>, call: &Call) -> Outcome {
    ceph_mon::add(tx, &SIDE, call)?;
    show(tx, call.text("uuid"))
}

fn update_mon(tx: &mut Tx<'_>, call: &Call) -> Outcome {
    let row = ceph_mon::update(tx, &SIDE, call);
    show(tx, str_of(&row, SIDE.parent))
}

fn check_pool(store: &Store, call: &Call) -> Result<(), ApiError> {
    require(store, call, "primaryStorageUuid", "primaryStorage")?;
    let (storage, name) = (call.text("primaryStorageUuid"), call.text("poolName"));
    let same = |row: &std::sync::Arc<Row>| str_of(row, "primaryStorageUuid") == storage;
    if store.table("cephPool").find("poolName", name).any(same) {
        return Err(ApiError::argument(format!(
            "the pool[{name}] already exists in the ceph primary storage[uuid:{storage}]"
        )));
    }
    Ok(())
}

fn add_pool(tx: &mut Tx<'_>, call: &Call) -> Outcome {
    let storage = require(tx.store, call, "primaryStorageUuid", "primaryStorage")?;
    let name = call.text("poolName");
    check_stored(tx.store, &storage, name, call.flag("isCreate"))?;
    // 3.0 knows no type here: it is always Data.
    let kind = match call.version {
        ServerVersion::V3_0 => "Data",
        ServerVersion::V5_2 => call.text("type"),
    };
    let members = json!({
        "primaryStorageUuid": call.text("primaryStorageUuid"),
        "poolName": call.text("poolName"),
        "aliasName": call.given("aliasName"),
        "description": call.given("description"),
        "type": kind,
    });
    put_pool(tx, call.new_uuid(), members)?;
    super::tag::attach(tx, call, "CephPrimaryStoragePoolVO");
    tx.put("cephStoredPool", &stored_key(&storage, name), Row::new());
    let row = require_pool(tx.store, call.new_uuid())?;
    Ok(inventory(tx.store, &POOLS, &row))
}

fn require_pool(store: &Store, uuid: &str) -> Result<std::sync::Arc<Row>, ApiError> {
    store.get("cephPool", uuid).cloned().ok_or_else(|| ApiError::not_found("uuid", uuid, POOL.vo))
}
