//! Backup storage (`storage/backup`): what all types share, and the types that are a machine with a
//! directory (ImageStore, whose server code is closed, and SFTP).

use std::sync::Arc;

use serde_json::{Value, json};

use super::ceph_backup;
use super::{
    Check, Module, Operation, Outcome, Phases, Run, delete_mode, insert, inventory, next_state,
    nothing, require, update,
};
use crate::emulator::core::{Call, Core};
use crate::emulator::errors::ApiError;
use crate::emulator::query::{Child, View};
use crate::emulator::store::{Family, Relation, Row, Store, Tx, str_of};

pub static BACKUP_STORAGE: Family = Family {
    name: "backupStorage",
    vo: "BackupStorageVO",
    indexes: &["type", "name", "hostname"],
    soft_delete: true,
    relations: &[(
        "zone",
        Relation::Through {
            links: "backupStorageZoneRef",
            near: "backupStorageUuid",
            far: "zoneUuid",
            family: "zone",
        },
    )],
};

/// Which storage is attached to which zone; the key is `STORAGE/ZONE`.
static ZONE_REF: Family = Family {
    name: "backupStorageZoneRef",
    vo: "",
    indexes: &["backupStorageUuid", "zoneUuid"],
    soft_delete: false,
    relations: &[],
};

const FIELDS: &[&str] = &[
    "uuid",
    "name",
    "url",
    "description",
    "totalCapacity",
    "availableCapacity",
    "type",
    "state",
    "status",
    "createDate",
    "lastOpDate",
    "attachedZoneUuids",
];

const IMAGE_STORE: &str = "ImageStoreBackupStorage";
const SFTP: &str = "SftpBackupStorage";
/// Bytes; no figure in the sources.
const CAPACITY: u64 = 10 << 40;

const CHILDREN: &[Child] = &[
    Child {
        member: "type",
        value: "Ceph",
        class: "org.zstack.storage.ceph.backup.CephBackupStorageInventory",
        fields: &[
            "mons",
            "fsid",
            "poolName",
            "poolAvailableCapacity",
            "poolUsedCapacity",
            "poolReplicatedSize",
        ],
    },
    Child {
        member: "type",
        value: IMAGE_STORE,
        class: "org.zstack.storage.backup.imagestore.ImageStoreBackupStorageInventory",
        fields: &["hostname", "username", "sshPort"],
    },
    Child {
        member: "type",
        value: SFTP,
        class: "org.zstack.storage.backup.sftp.SftpBackupStorageInventory",
        fields: &["hostname", "username", "sshPort"],
    },
];

const fn view(api: &'static str, only: Option<(&'static str, &'static str)>) -> View {
    View {
        only,
        children: CHILDREN,
        derived: &["attachedZoneUuids", "mons"],
        derive,
        ..View::plain(
            api,
            &BACKUP_STORAGE,
            "org.zstack.header.storage.backup.BackupStorageInventory",
            FIELDS,
        )
    }
}

pub static STORAGES: View = view("QueryBackupStorage", None);
static CEPHS: View = view("QueryCephBackupStorage", Some(("type", "Ceph")));
static IMAGE_STORES: View = view("QueryImageStoreBackupStorage", Some(("type", IMAGE_STORE)));
static SFTPS: View = view("QuerySftpBackupStorage", Some(("type", SFTP)));

pub static MODULE: Module = Module {
    families: &[&BACKUP_STORAGE, &ZONE_REF],
    views: &[&STORAGES, &CEPHS, &IMAGE_STORES, &SFTPS],
    operations: &[
        Operation {
            api: "AddImageStoreBackupStorage",
            check: nothing,
            run: Run::Phases(|core, call| add(core, call, &MACHINE_IMAGE_STORE)),
        },
        Operation {
            api: "AddSftpBackupStorage",
            check: nothing,
            run: Run::Phases(|core, call| add(core, call, &MACHINE_SFTP)),
        },
        Operation { api: "UpdateBackupStorage", check: exists, run: Run::Effect(change) },
        Operation { api: "UpdateImageStoreBackupStorage", check: exists, run: Run::Effect(change) },
        Operation { api: "UpdateSftpBackupStorage", check: exists, run: Run::Effect(change) },
        Operation { api: "ReconnectBackupStorage", check: exists, run: Run::Effect(reconnect) },
        Operation {
            api: "ReconnectImageStoreBackupStorage",
            check: exists,
            run: Run::Effect(reconnect),
        },
        Operation { api: "ReconnectSftpBackupStorage", check: exists, run: Run::Effect(reconnect) },
        Operation {
            api: "ReclaimSpaceFromImageStore",
            check: exists,
            run: Run::Effect(|_, _| Ok(Value::Null)),
        },
        Operation {
            api: "ChangeBackupStorageState",
            check: exists,
            run: Run::Effect(change_state),
        },
        Operation {
            api: "DeleteBackupStorage",
            check: |_, call| delete_mode(call).map(|_| ()),
            run: Run::Effect(delete),
        },
        Operation {
            api: "AttachBackupStorageToZone",
            check: check_attach,
            run: Run::Effect(attach),
        },
        Operation {
            api: "DetachBackupStorageFromZone",
            check: check_detach,
            run: Run::Effect(detach),
        },
        Operation {
            api: "GetBackupStorageCapacity",
            check: check_capacity,
            run: Run::Effect(capacity),
        },
        Operation {
            api: "GetBackupStorageTypes",
            check: nothing,
            run: Run::Effect(|_, _| Ok(json!({ "types": [SFTP, IMAGE_STORE, "Ceph"] }))),
        },
    ],
};

/// What a type of backup storage does differently.
pub struct Kind {
    pub name: &'static str,
    pub check: Check,
    pub create: fn(&mut Tx<'_>, &Call, uuid: &str) -> Result<(), ApiError>,
    pub connect: fn(&mut Tx<'_>, uuid: &str) -> Result<(), ApiError>,
    pub destroy: fn(&mut Tx<'_>, uuid: &str),
}

static MACHINE_IMAGE_STORE: Kind = machine(IMAGE_STORE);
static MACHINE_SFTP: Kind = machine(SFTP);

/// A machine that is reached over SSH.
const fn machine(name: &'static str) -> Kind {
    Kind {
        name,
        check: nothing,
        create: |_, _, _| Ok(()),
        connect: connect_machine,
        destroy: |_, _| {},
    }
}

fn kind_of(row: &Row) -> &'static Kind {
    match str_of(row, "type") {
        "Ceph" => &ceph_backup::KIND,
        IMAGE_STORE => &MACHINE_IMAGE_STORE,
        _ => &MACHINE_SFTP,
    }
}

fn connect_machine(tx: &mut Tx<'_>, uuid: &str) -> Result<(), ApiError> {
    let host = tx.store.get("backupStorage", uuid).map(|row| str_of(row, "hostname").to_owned());
    match host {
        Some(host) if super::machine::is_unreachable(tx.store, &host) => {
            Err(ApiError::operation(format!("unable to connect to [ip:{host}]")))
        }
        _ => Ok(()),
    }
}

fn derive(store: &Store, row: &Row, out: &mut Row) {
    let uuid = str_of(row, "uuid");
    out.insert("attachedZoneUuids".into(), json!(zones_of(store, uuid)));
    if str_of(row, "type") == "Ceph" {
        out.insert("mons".into(), ceph_backup::mons(store, uuid));
    }
}

fn zones_of<'a>(store: &'a Store, storage: &str) -> Vec<&'a str> {
    let links = store.table("backupStorageZoneRef").find("backupStorageUuid", storage);
    links.map(|link| str_of(link, "zoneUuid")).collect()
}

/// Connecting, then Connected; a failure removes the row: SYS.1002 with BS.1500 inside.
pub fn add(core: Arc<Core>, call: Arc<Call>, kind: &'static Kind) -> Phases {
    Box::pin(async move {
        let uuid = call.new_uuid();
        core.with(|tx| {
            (kind.check)(tx.store, &call)?;
            put(tx, &call, kind)
        })?;
        core.wait(0.5).await;
        core.with(|tx| {
            let result = match call.effects.connect_fail {
                true => Err(ApiError::operation("the agent did not answer")),
                false => (kind.connect)(tx, uuid),
            };
            if let Err(cause) = result {
                (kind.destroy)(tx, uuid);
                tx.delete("backupStorage", uuid);
                let text = format!("unable to connect backup storage[uuid:{uuid}]");
                return Err(cause.within("BS.1500", text.clone()).within("SYS.1002", text));
            }
            tx.patch("backupStorage", uuid, &[("status", json!("Connected"))]);
            Ok(())
        })?;
        core.wait(0.5).await;
        core.read(|store| show(store, uuid))
    })
}

fn put(tx: &mut Tx<'_>, call: &Call, kind: &Kind) -> Result<(), ApiError> {
    let digest = call.given("password").map(super::digest);
    let members = json!({
        "name": call.text("name"),
        "url": call.given("url"),
        "description": call.given("description"),
        "type": kind.name,
        "state": "Enabled",
        "status": "Connecting",
        "totalCapacity": CAPACITY,
        "availableCapacity": CAPACITY,
        "hostname": call.given("hostname"),
        "username": call.given("username"),
        "sshPort": call.values.get("sshPort"),
        "passwordDigest": digest,
    });
    insert(tx, "backupStorage", call.new_uuid(), members)?;
    (kind.create)(tx, call, call.new_uuid())?;
    super::tag::attach(tx, call, "BackupStorageVO");
    Ok(())
}

fn exists(store: &Store, call: &Call) -> Result<(), ApiError> {
    require(store, call, "uuid", "backupStorage").map(|_| ())
}

pub fn show(store: &Store, uuid: &str) -> Outcome {
    let row = store.get("backupStorage", uuid);
    let row = row.ok_or_else(|| ApiError::not_found("uuid", uuid, BACKUP_STORAGE.vo))?;
    Ok(inventory(store, &STORAGES, row))
}

/// Which of these an API takes, its parameters say; none takes `url`.
fn change(tx: &mut Tx<'_>, call: &Call) -> Outcome {
    if let Some(password) = call.given("password") {
        let digest = json!(super::digest(password));
        tx.patch("backupStorage", call.text("uuid"), &[("passwordDigest", digest)]);
    }
    update(tx, call, &STORAGES, &["name", "description", "hostname", "username", "sshPort"])
}

fn reconnect(tx: &mut Tx<'_>, call: &Call) -> Outcome {
    let row = require(tx.store, call, "uuid", "backupStorage")?;
    let uuid = call.text("uuid");
    let result = match call.effects.connect_fail {
        true => Err(ApiError::operation("the agent did not answer")),
        false => (kind_of(&row).connect)(tx, uuid),
    };
    let status = if result.is_ok() { "Connected" } else { "Disconnected" };
    tx.patch("backupStorage", uuid, &[("status", json!(status))]);
    result?;
    show(tx.store, uuid)
}

fn change_state(tx: &mut Tx<'_>, call: &Call) -> Outcome {
    let state = next_state(call, &[("enable", "Enabled"), ("disable", "Disabled")])?;
    tx.patch("backupStorage", call.text("uuid"), &[("state", json!(state))]);
    show(tx.store, call.text("uuid"))
}

/// Allowed while attached: the links vanish.
fn delete(tx: &mut Tx<'_>, call: &Call) -> Outcome {
    let uuid = call.text("uuid");
    let Some(row) = tx.store.get("backupStorage", uuid).cloned() else { return Ok(Value::Null) };
    for link in tx.uuids("backupStorageZoneRef", "backupStorageUuid", uuid) {
        tx.erase("backupStorageZoneRef", &link);
    }
    (kind_of(&row).destroy)(tx, uuid);
    super::image::forget_storage(tx, uuid);
    tx.delete("backupStorage", uuid);
    Ok(Value::Null)
}

/// The zone goes: its links too.
pub fn forget_zone(tx: &mut Tx<'_>, zone: &str) {
    for link in tx.uuids("backupStorageZoneRef", "zoneUuid", zone) {
        tx.erase("backupStorageZoneRef", &link);
    }
}

fn is_attached(store: &Store, call: &Call) -> Result<bool, ApiError> {
    require(store, call, "backupStorageUuid", "backupStorage")?;
    require(store, call, "zoneUuid", "zone")?;
    Ok(zones_of(store, call.text("backupStorageUuid")).contains(&call.text("zoneUuid")))
}

fn check_attach(store: &Store, call: &Call) -> Result<(), ApiError> {
    let (storage, zone) = (call.text("backupStorageUuid"), call.text("zoneUuid"));
    match is_attached(store, call)? {
        true => Err(ApiError::operation(format!(
            "backup storage[uuid:{storage}] has been attached to zone[uuid:{zone}]"
        ))),
        false => Ok(()),
    }
}

fn attach(tx: &mut Tx<'_>, call: &Call) -> Outcome {
    let (storage, zone) = (call.text("backupStorageUuid"), call.text("zoneUuid"));
    let row = json!({ "backupStorageUuid": storage, "zoneUuid": zone });
    let row = row.as_object().cloned().unwrap_or_default();
    tx.put("backupStorageZoneRef", &format!("{storage}/{zone}"), row);
    tx.patch("backupStorage", storage, &[]);
    show(tx.store, storage)
}

fn check_detach(store: &Store, call: &Call) -> Result<(), ApiError> {
    let (storage, zone) = (call.text("backupStorageUuid"), call.text("zoneUuid"));
    match is_attached(store, call)? {
        true => Ok(()),
        false => Err(ApiError::operation(format!(
            "backup storage[uuid:{storage}] has not been attached to zone[uuid:{zone}]"
        ))),
    }
}

fn detach(tx: &mut Tx<'_>, call: &Call) -> Outcome {
    let (storage, zone) = (call.text("backupStorageUuid"), call.text("zoneUuid"));
    tx.erase("backupStorageZoneRef", &format!("{storage}/{zone}"));
    tx.patch("backupStorage", storage, &[]);
    show(tx.store, storage)
}

fn check_capacity(_: &Store, call: &Call) -> Result<(), ApiError> {
    let filters = ["zoneUuids", "backupStorageUuids"];
    if call.flag("all") || filters.iter().any(|name| !call.list(name).is_empty()) {
        return Ok(());
    }
    Err(ApiError::argument(
        "zoneUuids, backupStorageUuids must have at least one be none-empty list, or all is set to true",
    ))
}

fn capacity(tx: &mut Tx<'_>, call: &Call) -> Outcome {
    let (zones, storages) = (call.list("zoneUuids"), call.list("backupStorageUuids"));
    let fits = |uuid: &str| {
        call.flag("all")
            || storages.contains(&uuid)
            || zones_of(tx.store, uuid).iter().any(|zone| zones.contains(zone))
    };
    let count = tx.store.table("backupStorage").rows().keys().filter(|uuid| fits(uuid)).count();
    let bytes = CAPACITY * count as u64;
    Ok(json!({ "totalCapacity": bytes, "availableCapacity": bytes }))
}
