//! Primary storage, what all types share (`storage/primary`).

use std::sync::Arc;

use serde_json::{Value, json};

use super::storage_kind::{
    CHILDREN, DERIVED, FIELDS, Kind, clusters_of, derive, kind_named, needs_host,
};
use super::{
    Check, Module, Operation, Outcome, Phases, Run, cascade, delete_mode, insert, inventory,
    next_state, nothing, require,
};
use crate::emulator::core::{Call, Core};
use crate::emulator::errors::ApiError;
use crate::emulator::query::View;
use crate::emulator::store::{Family, Relation, Row, Store, Tx, str_of};

pub static PRIMARY_STORAGE: Family = Family {
    name: "primaryStorage",
    vo: "PrimaryStorageVO",
    indexes: &["zoneUuid", "type", "name", "url"],
    soft_delete: true,
    relations: &[
        ("zone", Relation::One { member: "zoneUuid", family: "zone" }),
        ("volume", Relation::Many { family: "volume", member: "primaryStorageUuid" }),
        (
            "cluster",
            Relation::Through {
                links: "primaryStorageClusterRef",
                near: "primaryStorageUuid",
                far: "clusterUuid",
                family: "cluster",
            },
        ),
    ],
};

/// Which storage is attached to which cluster; the key is `STORAGE/CLUSTER`.
pub static CLUSTER_REF: Family = Family {
    name: "primaryStorageClusterRef",
    vo: "",
    indexes: &["primaryStorageUuid", "clusterUuid"],
    soft_delete: false,
    relations: &[],
};

pub static STORAGES: View = View {
    derived: DERIVED,
    derive,
    children: CHILDREN,
    ..View::plain(
        "QueryPrimaryStorage",
        &PRIMARY_STORAGE,
        "org.zstack.header.storage.primary.PrimaryStorageInventory",
        FIELDS,
    )
};

pub static MODULE: Module = Module {
    families: &[&PRIMARY_STORAGE, &CLUSTER_REF],
    views: &[&STORAGES],
    operations: &[
        Operation { api: "UpdatePrimaryStorage", check: check_update, run: Run::Effect(update) },
        Operation {
            api: "ChangePrimaryStorageState",
            check: exists,
            run: Run::Effect(change_state),
        },
        Operation { api: "ReconnectPrimaryStorage", check: exists, run: Run::Effect(reconnect) },
        Operation {
            api: "SyncPrimaryStorageCapacity",
            check: |store, call| {
                require(store, call, "primaryStorageUuid", "primaryStorage").map(|_| ())
            },
            run: Run::Effect(|tx, call| show(tx.store, call.text("primaryStorageUuid"))),
        },
        Operation {
            api: "CleanUpImageCacheOnPrimaryStorage",
            check: exists,
            run: Run::Effect(|_, _| Ok(Value::Null)),
        },
        Operation { api: "DeletePrimaryStorage", check: check_delete, run: Run::Phases(delete) },
        Operation {
            api: "AttachPrimaryStorageToCluster",
            check: check_attach,
            run: Run::Effect(attach_call),
        },
        Operation {
            api: "DetachPrimaryStorageFromCluster",
            check: check_detach,
            run: Run::Effect(detach),
        },
        Operation {
            api: "GetPrimaryStorageCapacity",
            check: check_capacity,
            run: Run::Effect(capacity),
        },
        Operation {
            api: "GetPrimaryStorageTypes",
            check: nothing,
            run: Run::Effect(|_, _| {
                Ok(
                    json!({ "types": ["NFS", "LocalStorage", "SharedMountPoint", "Ceph", "SharedBlock"] }),
                )
            }),
        },
        Operation {
            api: "GetPrimaryStorageAllocatorStrategies",
            check: nothing,
            run: Run::Effect(|_, _| {
                Ok(json!({ "strategies": ["DefaultPrimaryStorageAllocationStrategy"] }))
            }),
        },
    ],
};

/// The common part of Add*: a row that is Connecting, then connected unless it needs a host. A
/// failed connect removes the row but leaves its uuid in the EO table (section 3.0).
pub fn add(core: Arc<Core>, call: Arc<Call>, kind: &'static Kind, check: Check) -> Phases {
    Box::pin(async move {
        let uuid = call.new_uuid();
        core.with(|tx| {
            check(tx.store, &call)?;
            put_storage(tx, &call, kind)
        })?;
        core.wait(0.5).await;
        core.with(|tx| {
            if call.effects.connect_fail {
                remove_row(tx, uuid, kind);
                let text = format!("unable to connect to the primary storage[uuid:{uuid}]");
                return Err(ApiError::operation(text));
            }
            (kind.connect)(tx, uuid).inspect_err(|_| remove_row(tx, uuid, kind))?;
            let status = if kind.needs_host { "Disconnected" } else { "Connected" };
            tx.patch("primaryStorage", uuid, &[("status", json!(status))]);
            cascade::storage_follows_hosts(tx, uuid);
            Ok(())
        })?;
        core.wait(0.5).await;
        core.read(|store| show(store, uuid))
    })
}

/// After a restart of the management node: storages whose add was interrupted are connected.
pub fn reconnect_all(tx: &mut Tx<'_>) {
    let rows = tx.store.table("primaryStorage").rows().values();
    let waiting: Vec<Arc<Row>> =
        rows.filter(|row| str_of(row, "status") == "Connecting").cloned().collect();
    for row in waiting {
        let needs_host = needs_host(str_of(&row, "type"));
        let status = if needs_host { "Disconnected" } else { "Connected" };
        tx.patch("primaryStorage", str_of(&row, "uuid"), &[("status", json!(status))]);
        cascade::storage_follows_hosts(tx, str_of(&row, "uuid"));
    }
}

fn remove_row(tx: &mut Tx<'_>, uuid: &str, kind: &Kind) {
    (kind.destroy)(tx, uuid);
    tx.delete("primaryStorage", uuid);
}

fn put_storage(tx: &mut Tx<'_>, call: &Call, kind: &Kind) -> Result<(), ApiError> {
    let (uuid, url) = (call.new_uuid(), call.text("url"));
    let members = json!({
        "zoneUuid": call.text("zoneUuid"),
        "name": call.text("name"),
        "url": call.given("url"),
        "description": call.given("description"),
        "type": kind.name,
        "state": "Enabled",
        "status": "Connecting",
        "mountPath": (kind.mount_path)(uuid, url),
    });
    insert(tx, "primaryStorage", uuid, members)?;
    (kind.create)(tx, call, uuid).inspect_err(|_| remove_row(tx, uuid, kind))?;
    super::tag::attach(tx, call, "PrimaryStorageVO");
    Ok(())
}

fn exists(store: &Store, call: &Call) -> Result<(), ApiError> {
    require(store, call, "uuid", "primaryStorage").map(|_| ())
}

fn show(store: &Store, uuid: &str) -> Outcome {
    let row = store.get("primaryStorage", uuid);
    let row = row.ok_or_else(|| ApiError::not_found("uuid", uuid, PRIMARY_STORAGE.vo))?;
    Ok(inventory(store, &STORAGES, row))
}

fn check_update(store: &Store, call: &Call) -> Result<(), ApiError> {
    let row = require(store, call, "uuid", "primaryStorage")?;
    let acts = kind_named(str_of(&row, "type")).is_some_and(|kind| kind.updates_url);
    if acts && call.given("url").is_some_and(|url| url != str_of(&row, "url")) {
        let running = super::vm::running_on(store, call.text("uuid"));
        if running > 0 {
            return Err(ApiError::operation(format!(
                "there are {running} running VMs on the NFS primary storage, please stop them and try again"
            )));
        }
    }
    Ok(())
}

fn update(tx: &mut Tx<'_>, call: &Call) -> Outcome {
    let row = require(tx.store, call, "uuid", "primaryStorage")?;
    let acts = kind_named(str_of(&row, "type")).is_some_and(|kind| kind.updates_url);
    let members: &[&str] =
        if acts { &["name", "description", "url"] } else { &["name", "description"] };
    super::update(tx, call, &STORAGES, members)
}

fn change_state(tx: &mut Tx<'_>, call: &Call) -> Outcome {
    let events = [
        ("enable", "Enabled"),
        ("disable", "Disabled"),
        ("maintain", "Maintenance"),
        ("deleting", "Deleting"),
    ];
    let (state, uuid) = (next_state(call, &events)?, call.text("uuid"));
    if state == "Maintenance" {
        cascade::stop_users(tx, uuid, None);
    }
    tx.patch("primaryStorage", uuid, &[("state", json!(state))]);
    show(tx.store, uuid)
}

/// A storage that cannot be connected is Disconnected from then on.
fn reconnect(tx: &mut Tx<'_>, call: &Call) -> Outcome {
    let row = require(tx.store, call, "uuid", "primaryStorage")?;
    let uuid = call.text("uuid");
    let kind = kind_named(str_of(&row, "type"));
    let connected = match (call.effects.connect_fail, kind) {
        (true, _) => Err(ApiError::operation("the agent did not answer")),
        (false, Some(kind)) => (kind.connect)(tx, uuid),
        (false, None) => Ok(()),
    };
    let status = if connected.is_ok() { "Connected" } else { "Disconnected" };
    if connected.is_err() || kind.is_some_and(|kind| !kind.needs_host) {
        tx.patch("primaryStorage", uuid, &[("status", json!(status))]);
    }
    connected?;
    cascade::storage_follows_hosts(tx, uuid);
    show(tx.store, uuid)
}

/// Refused while attached, in both modes (3.0: an interceptor, hence no SYS.1004 around it).
fn check_delete(store: &Store, call: &Call) -> Result<(), ApiError> {
    delete_mode(call)?;
    let uuid = call.text("uuid");
    match clusters_of(store, uuid).next() {
        Some(cluster) => Err(ApiError::operation(format!(
            "primary storage[uuid:{uuid}] cannot be deleted for still being attached to cluster[uuid:{cluster}]."
        ))),
        None => Ok(()),
    }
}

/// Deleting while volumes and VMs go.
fn delete(core: Arc<Core>, call: Arc<Call>) -> Phases {
    Box::pin(async move {
        let uuid = call.text("uuid");
        core.with(|tx| {
            check_delete(tx.store, &call)?;
            tx.patch("primaryStorage", uuid, &[("state", json!("Deleting"))]);
            Ok(())
        })?;
        core.wait(1.0).await;
        core.with(|tx| {
            if tx.store.get("primaryStorage", uuid).is_some() {
                cascade::remove_storage(tx, uuid);
            }
        });
        Ok(Value::Null)
    })
}

fn check_attach(store: &Store, call: &Call) -> Result<(), ApiError> {
    let storage = require(store, call, "primaryStorageUuid", "primaryStorage")?;
    let cluster = require(store, call, "clusterUuid", "cluster")?;
    let (s, c) = (call.text("primaryStorageUuid"), call.text("clusterUuid"));
    if clusters_of(store, s).any(|other| other == c) {
        let text = format!("primary storage[uuid:{s}] has been attached to cluster[uuid:{c}]");
        return Err(ApiError::operation(text));
    }
    if str_of(&storage, "zoneUuid") != str_of(&cluster, "zoneUuid") {
        let text =
            format!("primary storage[uuid:{s}] and cluster[uuid:{c}] are not in the same zone");
        return Err(ApiError::argument(text));
    }
    let url = str_of(&storage, "url");
    let mut others = store.table("primaryStorageClusterRef").find("clusterUuid", c);
    let same = others.any(|link| {
        let other = store.get("primaryStorage", str_of(link, "primaryStorageUuid"));
        other.is_some_and(|other| str_of(other, "url") == url)
    });
    // Ceph has no url of its own, and an empty one does not collide (the check compares with SQL's =).
    if same && !url.is_empty() {
        let text = format!("url[{url}] has been occupied, it cannot be duplicate in same cluster");
        return Err(ApiError::argument(text));
    }
    Ok(())
}

fn attach_call(tx: &mut Tx<'_>, call: &Call) -> Outcome {
    let (storage, cluster) = (call.text("primaryStorageUuid"), call.text("clusterUuid"));
    let row = require(tx.store, call, "primaryStorageUuid", "primaryStorage")?;
    let hosts = tx.store.table("host").with("clusterUuid+status", &format!("{cluster}/Connected"));
    let mounts = hosts.is_none_or(|hosts| hosts.is_empty()) || can_mount(tx.store, &row);
    if !mounts || call.effects.connect_fail {
        let text = format!(
            "unable to mount primary storage[uuid:{storage}] on the hosts of cluster[uuid:{cluster}]"
        );
        return Err(ApiError::operation(text.clone()).within("PS.1001", text));
    }
    super::shared_block::check_disks(tx.store, storage, cluster)?;
    attach(tx, storage, cluster);
    show(tx.store, storage)
}

/// Whether hosts can reach the storage's server.
pub fn can_mount(store: &Store, row: &Row) -> bool {
    let kind = kind_named(str_of(row, "type"));
    let server = kind.and_then(|kind| (kind.server)(str_of(row, "url")));
    server.is_none_or(|server| !super::machine::is_unreachable(store, server))
}

/// Links a storage to a cluster; no checks.
pub fn attach(tx: &mut Tx<'_>, storage: &str, cluster: &str) {
    let row = json!({ "primaryStorageUuid": storage, "clusterUuid": cluster });
    let row = row.as_object().cloned().unwrap_or_default();
    tx.put("primaryStorageClusterRef", &format!("{storage}/{cluster}"), row);
    tx.patch("primaryStorage", storage, &[]);
    cascade::storage_follows_hosts(tx, storage);
}

fn check_detach(store: &Store, call: &Call) -> Result<(), ApiError> {
    require(store, call, "primaryStorageUuid", "primaryStorage")?;
    require(store, call, "clusterUuid", "cluster")?;
    let (s, c) = (call.text("primaryStorageUuid"), call.text("clusterUuid"));
    if clusters_of(store, s).any(|other| other == c) {
        return Ok(());
    }
    let text = format!("primary storage[uuid:{s}] has not been attached to cluster[uuid:{c}] yet");
    Err(ApiError::argument(text))
}

/// The link goes first, then the VMs that use the storage in that cluster are stopped
/// (PrimaryStorageDeleteCascadeCase).
fn detach(tx: &mut Tx<'_>, call: &Call) -> Outcome {
    let (storage, cluster) = (call.text("primaryStorageUuid"), call.text("clusterUuid"));
    tx.erase("primaryStorageClusterRef", &format!("{storage}/{cluster}"));
    cascade::stop_users(tx, storage, Some(cluster));
    tx.patch("primaryStorage", storage, &[]);
    cascade::storage_follows_hosts(tx, storage);
    show(tx.store, storage)
}

fn check_capacity(_: &Store, call: &Call) -> Result<(), ApiError> {
    let filters = ["zoneUuids", "clusterUuids", "primaryStorageUuids"];
    if call.flag("all") || filters.iter().any(|name| !call.list(name).is_empty()) {
        return Ok(());
    }
    Err(ApiError::argument(
        "zoneUuids, clusterUuids, primaryStorageUuids must have at least one be none-empty list, or all is set to true",
    ))
}

fn capacity(tx: &mut Tx<'_>, call: &Call) -> Outcome {
    let (zones, clusters, storages) =
        (call.list("zoneUuids"), call.list("clusterUuids"), call.list("primaryStorageUuids"));
    let mut sums = [0u64; 4];
    let names = [
        "totalCapacity",
        "availableCapacity",
        "totalPhysicalCapacity",
        "availablePhysicalCapacity",
    ];
    for (uuid, row) in tx.store.table("primaryStorage").rows() {
        let fits = call.flag("all")
            || zones.contains(&str_of(row, "zoneUuid"))
            || storages.contains(&&**uuid)
            || clusters_of(tx.store, uuid).any(|cluster| clusters.contains(&cluster));
        let mut computed = Row::new();
        derive(tx.store, row, &mut computed);
        for (sum, name) in sums.iter_mut().zip(names).filter(|_| fits) {
            *sum += computed.get(name).and_then(Value::as_u64).unwrap_or(0);
        }
    }
    let members = names.iter().zip(sums).map(|(name, sum)| ((*name).to_owned(), json!(sum)));
    Ok(Value::Object(members.collect()))
}
