//! What deletions and detachments take with them (`getEdgeNames`, `VmCascadeExtension`,
//! `LocalStorageFactory`). Both delete modes cascade alike; vetoes come only from closed plug-ins.

use serde_json::{Value, json};

use super::storage_kind::{connected_hosts, kind_named, needs_host};
use crate::emulator::store::{Tx, str_of};

/// Zone → clusters, hosts, VMs (destroyed, as the root is a zone), primary storages, attached or
/// not (DeleteZoneWhenPSDisabledCase).
pub fn remove_zone(tx: &mut Tx<'_>, zone: &str) {
    for cluster in tx.uuids("cluster", "zoneUuid", zone) {
        remove_cluster(tx, &cluster, true);
    }
    for vm in tx.uuids("vm", "zoneUuid", zone) {
        destroy_vm(tx, &vm);
    }
    for storage in tx.uuids("primaryStorage", "zoneUuid", zone) {
        remove_storage(tx, &storage);
    }
    super::backup_storage::forget_zone(tx, zone);
    super::l2_network::forget_zone(tx, zone);
    tx.delete("zone", zone);
}

/// Cluster → hosts. Attachments vanish (foreign keys), the storages survive.
pub fn remove_cluster(tx: &mut Tx<'_>, cluster: &str, destroy: bool) {
    for host in tx.uuids("host", "clusterUuid", cluster) {
        remove_host(tx, &host, destroy);
    }
    for vm in tx.uuids("vm", "clusterUuid", cluster) {
        if destroy {
            destroy_vm(tx, &vm);
        } else {
            tx.patch("vm", &vm, &[("clusterUuid", Value::Null)]);
        }
    }
    let storages = attached_storages(tx, cluster);
    for link in tx.uuids("primaryStorageClusterRef", "clusterUuid", cluster) {
        tx.erase("primaryStorageClusterRef", &link);
    }
    super::iscsi::forget_cluster(tx, cluster);
    super::l2_network::forget_cluster(tx, cluster);
    tx.delete("cluster", cluster);
    storages.iter().for_each(|storage| storage_follows_hosts(tx, storage));
}

/// Host → VMs: stopped, but destroyed if a volume of theirs lies on the host's local storage
/// (DeleteHostWhenLocalStorageAttachedCase).
pub fn remove_host(tx: &mut Tx<'_>, host: &str, destroy: bool) {
    for resource in tx.uuids("localRef", "hostUuid", host) {
        let volume =
            tx.store.get("localRef", &resource).map(|r| str_of(r, "resourceUuid").to_owned());
        let volume = volume.and_then(|uuid| tx.store.get("volume", &uuid).cloned());
        match volume.as_deref().map(|v| str_of(v, "vmInstanceUuid")) {
            Some("") | None => {}
            Some(vm) => destroy_vm(tx, vm),
        }
        if let Some(volume) = volume {
            destroy_volume(tx, str_of(&volume, "uuid"));
        }
        tx.erase("localRef", &resource);
    }
    for vm in tx.uuids("vm", "hostUuid", host) {
        if destroy {
            destroy_vm(tx, &vm);
        } else {
            stop_vm(tx, &vm);
        }
    }
    for vm in tx.uuids("vm", "lastHostUuid", host) {
        tx.patch("vm", &vm, &[("lastHostUuid", Value::Null)]);
    }
    let cluster = tx.store.get("host", host).map(|row| str_of(row, "clusterUuid").to_owned());
    super::device::forget_host(tx, host);
    tx.delete("host", host);
    for storage in
        cluster.iter().flat_map(|cluster| attached_storages(tx, cluster)).collect::<Vec<_>>()
    {
        storage_follows_hosts(tx, &storage);
    }
}

/// Primary storage → VMs whose root volume it holds, and volumes. Data on disk stays.
pub fn remove_storage(tx: &mut Tx<'_>, storage: &str) {
    for volume in tx.uuids("volume", "primaryStorageUuid", storage) {
        let Some(row) = tx.store.get("volume", &volume).cloned() else { continue };
        match (str_of(&row, "type"), str_of(&row, "vmInstanceUuid")) {
            ("Root", vm) if !vm.is_empty() => destroy_vm(tx, vm),
            _ => {}
        }
        destroy_volume(tx, &volume);
    }
    for link in tx.uuids("primaryStorageClusterRef", "primaryStorageUuid", storage) {
        tx.erase("primaryStorageClusterRef", &link);
    }
    let row = tx.store.get("primaryStorage", storage).cloned();
    if let Some(kind) = row.and_then(|row| kind_named(str_of(&row, "type"))) {
        (kind.destroy)(tx, storage);
    }
    tx.delete("primaryStorage", storage);
}

/// Stops the VMs that use a storage, all of them or those of one cluster.
pub fn stop_users(tx: &mut Tx<'_>, storage: &str, cluster: Option<&str>) {
    for volume in tx.uuids("volume", "primaryStorageUuid", storage) {
        let vm = tx.store.get("volume", &volume).map(|v| str_of(v, "vmInstanceUuid").to_owned());
        let Some(vm) = vm.and_then(|uuid| tx.store.get("vm", &uuid).cloned()) else { continue };
        if cluster.is_none_or(|cluster| str_of(&vm, "clusterUuid") == cluster) {
            stop_vm(tx, str_of(&vm, "uuid"));
        }
    }
}

/// Running → Stopped; the host is remembered.
pub fn stop_vm(tx: &mut Tx<'_>, vm: &str) {
    let Some(row) = tx.store.get("vm", vm).cloned() else { return };
    if str_of(&row, "state") == "Running" {
        let host = row.get("hostUuid").cloned().unwrap_or(Value::Null);
        tx.patch(
            "vm",
            vm,
            &[("state", json!("Stopped")), ("hostUuid", Value::Null), ("lastHostUuid", host)],
        );
    }
}

/// The VM and its root volume go; data volumes are detached and stay. (The real server keeps a
/// destroyed VM's row for a while in state Destroyed unless the deletion policy is Direct; the
/// tests named in the reference find it gone.)
pub fn destroy_vm(tx: &mut Tx<'_>, vm: &str) {
    for volume in tx.uuids("volume", "vmInstanceUuid", vm) {
        let root = tx.store.get("volume", &volume).is_some_and(|v| str_of(v, "type") == "Root");
        if root {
            destroy_volume(tx, &volume);
        } else {
            tx.patch("volume", &volume, &[("vmInstanceUuid", Value::Null)]);
        }
    }
    super::device::forget_vm(tx, vm);
    tx.delete("vm", vm);
}

fn destroy_volume(tx: &mut Tx<'_>, volume: &str) {
    for link in tx.uuids("localRef", "resourceUuid", volume) {
        tx.erase("localRef", &link);
    }
    tx.delete("volume", volume);
}

/// The storages that are attached to a cluster.
pub fn attached_storages(tx: &Tx<'_>, cluster: &str) -> Vec<String> {
    let links = tx.store.table("primaryStorageClusterRef").find("clusterUuid", cluster);
    links.map(|link| str_of(link, "primaryStorageUuid").to_owned()).collect()
}

/// NFS and the like are Connected while an attached cluster has a Connected host (section 3.4).
pub fn storage_follows_hosts(tx: &mut Tx<'_>, storage: &str) {
    let Some(row) = tx.store.get("primaryStorage", storage).cloned() else { return };
    if str_of(&row, "type") == "SharedBlock" {
        super::shared_block::sync_hosts(tx, storage);
    }
    if !needs_host(str_of(&row, "type")) {
        return;
    }
    let reachable = connected_hosts(tx.store, storage) > 0;
    let status = match (str_of(&row, "status"), reachable) {
        // Its add is still at work and will look by itself.
        ("Connecting", _) => return,
        (_, true) => "Connected",
        (_, false) => "Disconnected",
    };
    if str_of(&row, "status") != status {
        tx.patch("primaryStorage", storage, &[("status", json!(status))]);
    }
}
