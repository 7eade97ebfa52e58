//! Volumes that move: between storages (premium, closed) and between the hosts of a local storage
//! (`plugin/localstorage`, LocalStorageApiInterceptor).

use std::sync::Arc;

use serde_json::{Value, json};

use super::host::HOSTS;
use super::local::{LOCAL_REFS, free_on, hosts_of};
use super::primary_storage::STORAGES;
use super::storage_kind::{clusters_of, connected_hosts, derive};
use super::vm::VOLUMES;
use super::{Module, Operation, Outcome, Run, inventory, require};
use crate::emulator::core::Call;
use crate::emulator::errors::ApiError;
use crate::emulator::store::{Row, Store, Tx, str_of};

pub static MODULE: Module = Module {
    families: &[],
    views: &[],
    operations: &[
        Operation {
            api: "GetPrimaryStorageCandidatesForVolumeMigration",
            check: volume_exists,
            run: Run::Effect(|tx, call| {
                let volume = require(tx.store, call, "volumeUuid", "volume")?;
                let found = candidates(tx.store, &volume);
                let found = found.iter().map(|row| STORAGES.inventory(tx.store, row));
                Ok(json!({ "inventories": found.collect::<Vec<_>>() }))
            }),
        },
        Operation {
            api: "PrimaryStorageMigrateVolume",
            check: check_migrate,
            run: Run::Effect(migrate),
        },
        Operation {
            api: "LocalStorageGetVolumeMigratableHosts",
            // Not a volume of a local storage, or none at all: an empty list, no error.
            check: super::nothing,
            run: Run::Effect(|tx, call| {
                let found = migratable_hosts(tx.store, call.text("volumeUuid"));
                let found = found.iter().map(|row| HOSTS.inventory(tx.store, row));
                Ok(json!({ "inventories": found.collect::<Vec<_>>() }))
            }),
        },
        Operation {
            api: "LocalStorageMigrateVolume",
            check: check_local,
            run: Run::Effect(migrate_local),
        },
    ],
};

fn volume_exists(store: &Store, call: &Call) -> Result<(), ApiError> {
    require(store, call, "volumeUuid", "volume").map(|_| ())
}

fn number(row: &Row, member: &str) -> u64 {
    row.get(member).and_then(Value::as_u64).unwrap_or(0)
}

/// Choices: other storages of the same type and zone that are in use and have room.
fn candidates(store: &Store, volume: &Row) -> Vec<Arc<Row>> {
    let Some(own) = store.get("primaryStorage", str_of(volume, "primaryStorageUuid")) else {
        return Vec::new();
    };
    let fits = |row: &&Arc<Row>| {
        let mut computed = Row::new();
        derive(store, row, &mut computed);
        str_of(row, "uuid") != str_of(own, "uuid")
            && str_of(row, "zoneUuid") == str_of(own, "zoneUuid")
            && (str_of(row, "state"), str_of(row, "status")) == ("Enabled", "Connected")
            && connected_hosts(store, str_of(row, "uuid")) > 0
            && number(&computed, "availableCapacity") >= number(volume, "size")
    };
    let same_type = store.table("primaryStorage").find("type", str_of(own, "type"));
    same_type.filter(fits).cloned().collect()
}

fn check_migrate(store: &Store, call: &Call) -> Result<(), ApiError> {
    let volume = require(store, call, "volumeUuid", "volume")?;
    require(store, call, "dstPrimaryStorageUuid", "primaryStorage")?;
    let (uuid, target) = (call.text("volumeUuid"), call.text("dstPrimaryStorageUuid"));
    match candidates(store, &volume).iter().any(|row| str_of(row, "uuid") == target) {
        true => Ok(()),
        false => Err(ApiError::argument(format!(
            "volume[uuid:{uuid}] can not migrate to primary storage[uuid:{target}], which is not among its candidates"
        ))),
    }
}

fn migrate(tx: &mut Tx<'_>, call: &Call) -> Outcome {
    let (uuid, target) = (call.text("volumeUuid"), call.text("dstPrimaryStorageUuid"));
    let storage = require(tx.store, call, "dstPrimaryStorageUuid", "primaryStorage")?;
    let place = format!("{}/volumes/vol-{uuid}.qcow2", str_of(&storage, "mountPath"));
    let changes = [("primaryStorageUuid", json!(target)), ("installPath", json!(place))];
    tx.patch("volume", uuid, &changes);
    for link in tx.uuids("localRef", "resourceUuid", uuid) {
        tx.patch("localRef", &link, &[("primaryStorageUuid", json!(target))]);
    }
    let row = require(tx.store, call, "volumeUuid", "volume")?;
    Ok(inventory(tx.store, &VOLUMES, &row))
}

/// The reference that says on which host's disk a volume lies.
fn reference(store: &Store, volume: &str) -> Option<Arc<Row>> {
    store.table("localRef").find("resourceUuid", volume).next().cloned()
}

/// Other Enabled and Connected hosts of the storage with room for the volume.
fn migratable_hosts(store: &Store, volume: &str) -> Vec<Arc<Row>> {
    let Some(place) = reference(store, volume) else { return Vec::new() };
    let storage = str_of(&place, "primaryStorageUuid");
    let fits = |row: &Arc<Row>| {
        str_of(row, "uuid") != str_of(&place, "hostUuid")
            && (str_of(row, "state"), str_of(row, "status")) == ("Enabled", "Connected")
            && free_on(store, storage, str_of(row, "uuid")) >= number(&place, "size")
    };
    hosts_of(store, storage).into_iter().filter(fits).collect()
}

/// LocalStorageApiInterceptor, in its order.
fn check_local(store: &Store, call: &Call) -> Result<(), ApiError> {
    let volume = require(store, call, "volumeUuid", "volume")?;
    let target = require(store, call, "destHostUuid", "host")?;
    let (uuid, host) = (call.text("volumeUuid"), call.text("destHostUuid"));
    let refuse = |text: String| Err(ApiError::argument(text));
    let Some(place) = reference(store, uuid) else {
        return refuse(format!("the volume[uuid:{uuid}] is not on any local primary storage"));
    };
    if str_of(&place, "hostUuid") == host {
        return refuse(format!("the volume[uuid:{uuid}] is already on the host[uuid:{host}]"));
    }
    let storage = str_of(&place, "primaryStorageUuid");
    let state = store.get("primaryStorage", storage).map_or("", |row| str_of(row, "state"));
    if matches!(state, "Disabled" | "Maintenance") {
        return refuse(format!(
            "the primary storage[uuid:{storage}] is disabled or maintenance cold migrate is not allowed"
        ));
    }
    if !clusters_of(store, storage).any(|cluster| cluster == str_of(&target, "clusterUuid")) {
        return refuse(format!(
            "the dest host[uuid:{host}] doesn't belong to the local primary storage[uuid:{storage}] where the volume[uuid:{uuid}] locates"
        ));
    }
    if str_of(&volume, "status") != "Ready" {
        return refuse(format!(
            "the volume[uuid:{uuid}] is not in status of Ready, cannot migrate it"
        ));
    }
    check_vm(store, &volume)
}

/// A data volume must be free; the VM of a root volume must be stopped and without data volumes.
fn check_vm(store: &Store, volume: &Row) -> Result<(), ApiError> {
    let (uuid, vm) = (str_of(volume, "uuid"), str_of(volume, "vmInstanceUuid"));
    if vm.is_empty() {
        return Ok(());
    }
    if str_of(volume, "type") != "Root" {
        return Err(ApiError::argument(format!(
            "the data volume[uuid:{uuid}, name: {}] is still attached on the VM[uuid:{vm}]. Please detach it before migration",
            str_of(volume, "name")
        )));
    }
    let state = store.get("vm", vm).map_or("", |row| str_of(row, "state"));
    let root = format!("the volume[uuid:{uuid}] is the root volume of the vm[uuid:{vm}].");
    if state != "Stopped" {
        return Err(ApiError::operation(format!(
            "{root} Currently the vm is in state of {state}, please stop it before migration"
        )));
    }
    let volumes = store.table("volume").find("vmInstanceUuid", vm);
    match volumes.filter(|row| str_of(row, "type") == "Data").count() {
        0 => Ok(()),
        count => Err(ApiError::operation(format!(
            "{root} Currently the vm still has {count} data volumes attached, please detach them before migration"
        ))),
    }
}

fn migrate_local(tx: &mut Tx<'_>, call: &Call) -> Outcome {
    let (uuid, host) = (call.text("volumeUuid"), call.text("destHostUuid"));
    let volume = require(tx.store, call, "volumeUuid", "volume")?;
    for link in tx.uuids("localRef", "resourceUuid", uuid) {
        tx.patch("localRef", &link, &[("hostUuid", json!(host))]);
    }
    let vm = str_of(&volume, "vmInstanceUuid");
    let cluster = tx.store.get("host", host).and_then(|row| row.get("clusterUuid").cloned());
    if !vm.is_empty() {
        let cluster = cluster.unwrap_or(Value::Null);
        tx.patch("vm", vm, &[("lastHostUuid", json!(host)), ("clusterUuid", cluster)]);
    }
    let link = reference(tx.store, uuid);
    let link = link.ok_or_else(|| ApiError::not_found("volumeUuid", uuid, "VolumeVO"))?;
    Ok(inventory(tx.store, &LOCAL_REFS, &link))
}
