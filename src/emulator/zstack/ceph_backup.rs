//! Ceph backup storage (`plugin/ceph`, `CephBackupStorageBase`).

use serde_json::{Value, json};

use super::backup_storage::{Kind, add, show};
use super::ceph_mon::{self, Side};
use super::{Module, Operation, Outcome, Run, require};
use crate::emulator::core::Call;
use crate::emulator::errors::ApiError;
use crate::emulator::store::{Family, Store, Tx, str_of};

static MON: Family = Family {
    name: "cephBackupMon",
    vo: "CephBackupStorageMonVO",
    indexes: &["hostname", "backupStorageUuid"],
    soft_delete: false,
    relations: &[],
};

const SIDE: Side = Side {
    mons: &MON,
    owner: "backupStorage",
    parent: "backupStorageUuid",
    what: "ceph backup storage",
};

pub static KIND: Kind = Kind {
    name: "Ceph",
    check: check_add,
    create,
    connect,
    destroy: |tx, uuid| ceph_mon::remove_all(tx, &SIDE, uuid),
};

pub static MODULE: Module = Module {
    families: &[&MON],
    views: &[],
    operations: &[
        Operation {
            api: "AddCephBackupStorage",
            check: check_add,
            run: Run::Phases(|core, call| add(core, call, &KIND)),
        },
        Operation {
            api: "AddMonToCephBackupStorage",
            check: check_mons,
            run: Run::Effect(add_mons),
        },
        Operation {
            api: "RemoveMonFromCephBackupStorage",
            check: |store, call| require(store, call, "uuid", "backupStorage").map(|_| ()),
            run: Run::Effect(|tx, call| {
                ceph_mon::remove(tx, &SIDE, &call.list("monHostnames"));
                show(tx.store, call.text("uuid"))
            }),
        },
        Operation {
            api: "UpdateCephBackupStorageMon",
            check: |store, call| require(store, call, "monUuid", "cephBackupMon").map(|_| ()),
            run: Run::Effect(|tx, call| {
                let row = ceph_mon::update(tx, &SIDE, call);
                show(tx.store, str_of(&row, SIDE.parent))
            }),
        },
    ],
};

/// The monitors of a storage, for its inventory.
pub fn mons(store: &Store, storage: &str) -> Value {
    ceph_mon::inventories(store, &SIDE, storage)
}

fn check_add(store: &Store, call: &Call) -> Result<(), ApiError> {
    let used = |host: &str| {
        format!(
            "cannot add ceph backup storage, there has been some ceph backup storage using mon[hostnames:[{host}]]"
        )
    };
    ceph_mon::check_urls(store, &SIDE, &call.list("monUrls"), used)?;
    match call.given("poolName") {
        Some("") => Err(ApiError::argument("poolName can be null but cannot be an empty string")),
        None if call.flag("importImages") => {
            Err(ApiError::argument("poolName is required when importImages is true"))
        }
        _ => Ok(()),
    }
}

fn create(tx: &mut Tx<'_>, call: &Call, uuid: &str) -> Result<(), ApiError> {
    let urls =
        call.list("monUrls").into_iter().map(ceph_mon::parse).collect::<Result<Vec<_>, _>>()?;
    ceph_mon::put(tx, &SIDE, uuid, &urls);
    let pool = call.given("poolName").map_or_else(|| format!("bak-t-{uuid}"), str::to_owned);
    tx.patch("backupStorage", uuid, &[("poolName", json!(pool))]);
    Ok(())
}

fn connect(tx: &mut Tx<'_>, uuid: &str) -> Result<(), ApiError> {
    let fsid = ceph_mon::connect(tx, &SIDE, uuid)?;
    let cephs = |store: &Store| {
        store
            .table("backupStorage")
            .find("type", "Ceph")
            .find(|row| str_of(row, "fsid") == fsid && str_of(row, "uuid") != uuid)
            .cloned()
    };
    let other = cephs(tx.store);
    if let Some(other) = other {
        return Err(ApiError::operation(format!(
            "there is another CEPH backup storage[name:{}, uuid:{}] with the same FSID[{fsid}], you cannot add the same CEPH setup as two different backup storage",
            str_of(&other, "name"),
            str_of(&other, "uuid"),
        )));
    }
    let sizes = [
        ("fsid", json!(fsid)),
        ("poolAvailableCapacity", json!(10u64 << 40)),
        ("poolUsedCapacity", json!(0)),
        ("poolReplicatedSize", json!(3)),
    ];
    tx.patch("backupStorage", uuid, &sizes);
    Ok(())
}

fn check_mons(store: &Store, call: &Call) -> Result<(), ApiError> {
    require(store, call, "uuid", "backupStorage")?;
    let used = |_: &str| "Adding the same Mon node is not allowed".to_owned();
    ceph_mon::check_urls(store, &SIDE, &call.list("monUrls"), used).map(|_| ())
}

fn add_mons(tx: &mut Tx<'_>, call: &Call) -> Outcome {
    ceph_mon::add(tx, &SIDE, call)?;
    show(tx.store, call.text("uuid"))
}
