//! SharedBlock primary storage. Its server code is closed: the parameters come from the SDK, the
//! rules from the manual and the agent; what neither says is left lenient.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Value, json};

use super::primary_storage::{PRIMARY_STORAGE, STORAGES, add};
use super::storage_kind::{CHILDREN, DERIVED, FIELDS, Kind, clusters_of, derive};
use super::{Module, Operation, Outcome, Run, device, insert, inventory, require};
use crate::emulator::core::Call;
use crate::emulator::errors::ApiError;
use crate::emulator::query::View;
use crate::emulator::store::{Family, Relation, Row, Store, Tx, str_of};

static SHARED_BLOCK: Family = Family {
    name: "sharedBlock",
    vo: "SharedBlockVO",
    indexes: &["sharedBlockGroupUuid", "diskUuid"],
    soft_delete: false,
    relations: &[(
        "sharedBlockGroup",
        Relation::One { member: "sharedBlockGroupUuid", family: "primaryStorage" },
    )],
};

static HOST_REF: Family = Family {
    name: "sharedBlockHostRef",
    vo: "",
    indexes: &["primaryStorageUuid", "hostUuid"],
    soft_delete: false,
    relations: &[
        (
            "primaryStorage",
            Relation::One { member: "primaryStorageUuid", family: "primaryStorage" },
        ),
        ("host", Relation::One { member: "hostUuid", family: "host" }),
    ],
};

static BLOCKS: View = View::plain(
    "QuerySharedBlock",
    &SHARED_BLOCK,
    "org.zstack.storage.primary.sharedblock.SharedBlockInventory",
    &[
        "uuid",
        "sharedBlockGroupUuid",
        "type",
        "diskUuid",
        "name",
        "description",
        "state",
        "status",
        "createDate",
        "lastOpDate",
    ],
);

static HOST_REFS: View = View::plain(
    "QuerySharedBlockGroupPrimaryStorageHostRef",
    &HOST_REF,
    "org.zstack.storage.primary.sharedblock.SharedBlockGroupPrimaryStorageHostRefInventory",
    &["primaryStorageUuid", "hostUuid", "hostId", "status", "createDate", "lastOpDate"],
);

static GROUPS: View = View {
    only: Some(("type", "SharedBlock")),
    children: CHILDREN,
    derived: DERIVED,
    derive,
    ..View::plain(
        "QuerySharedBlockGroupPrimaryStorage",
        &PRIMARY_STORAGE,
        "org.zstack.storage.primary.sharedblock.SharedBlockGroupPrimaryStorageInventory",
        FIELDS,
    )
};

pub static KIND: Kind = Kind {
    needs_host: true,
    capacity: |store, uuid, hosts| match hosts {
        0 => 0,
        // A seed may leave out the disks.
        _ if blocks_of(store, uuid).next().is_none() => 10 << 40,
        _ => blocks_of(store, uuid).filter_map(|row| row.get("size")?.as_u64()).sum(),
    },
    mount_path: |uuid, _| format!("sharedblock://{uuid}"),
    create: |tx, call, uuid| {
        tx.patch("primaryStorage", uuid, &[("sharedBlockGroupType", json!("LvmVolumeGroupBasic"))]);
        call.list("diskUuids").into_iter().try_for_each(|disk| put_block(tx, uuid, disk))
    },
    connect: |tx, uuid| {
        let row = tx.store.get("primaryStorage", uuid).cloned().unwrap_or_default();
        // Only the add looks for its disks; a reconnect finds the volume group by its name.
        if str_of(&row, "status") != "Connecting" {
            return Ok(());
        }
        let disks: Vec<String> =
            blocks_of(tx.store, uuid).map(|block| str_of(block, "diskUuid").to_owned()).collect();
        let zone = str_of(&row, "zoneUuid");
        disks.iter().try_for_each(|disk| measure(tx, uuid, disk, zone))
    },
    destroy: |tx, uuid| {
        for block in tx.uuids("sharedBlock", "sharedBlockGroupUuid", uuid) {
            tx.erase("sharedBlock", &block);
        }
        for link in tx.uuids("sharedBlockHostRef", "primaryStorageUuid", uuid) {
            tx.erase("sharedBlockHostRef", &link);
        }
    },
    extra: |store, row, out| {
        let blocks = store.table("sharedBlock").find("sharedBlockGroupUuid", str_of(row, "uuid"));
        out.insert("sharedBlocks".into(), blocks.map(|b| BLOCKS.inventory(store, b)).collect());
    },
    ..Kind::plain("SharedBlock")
};

pub static MODULE: Module = Module {
    families: &[&SHARED_BLOCK, &HOST_REF],
    views: &[&BLOCKS, &HOST_REFS, &GROUPS],
    operations: &[
        Operation {
            api: "AddSharedBlockGroupPrimaryStorage",
            check: check_add,
            run: Run::Phases(|core, call| add(core, call, &KIND, check_add)),
        },
        Operation {
            api: "AddSharedBlockToSharedBlockGroup",
            check: check_extend,
            run: Run::Effect(extend),
        },
        Operation {
            api: "RefreshSharedblockDeviceCapacity",
            check: check_refresh,
            run: Run::Effect(refresh),
        },
        Operation {
            api: "GetSharedBlockCandidate",
            check: |store, call| require(store, call, "clusterUuid", "cluster").map(|_| ()),
            run: Run::Effect(candidates),
        },
    ],
};

fn blocks_of<'a>(store: &'a Store, group: &str) -> impl Iterator<Item = &'a Row> {
    store.table("sharedBlock").find("sharedBlockGroupUuid", group).map(|row| &**row)
}

/// The members of SharedBlockCandidateStruct (2c of the reference).
const CANDIDATE: [&str; 9] =
    ["wwid", "vendor", "model", "wwn", "serial", "hctl", "type", "path", "size"];

/// The disks that the Connected hosts of a cluster see, one row per wwid: LUNs they are logged in to,
/// and what a seed says they see by themselves. Without a Connected host nobody looks.
fn disks_of_cluster(store: &Store, cluster: &str) -> BTreeMap<String, Row> {
    let connected = format!("{cluster}/Connected");
    let hosts = store.table("host").find("clusterUuid+status", &connected);
    let mut hosts = hosts.map(|host| str_of(host, "uuid")).peekable();
    let mut disks = match hosts.peek() {
        None => Vec::new(),
        Some(_) => super::iscsi::luns_of_cluster(store, cluster),
    };
    disks.extend(hosts.flat_map(|host| device::of_host(store, device::Kind::Disk, host)));
    disks.into_iter().map(|disk| (str_of(&disk, "wwid").to_owned(), disk)).collect()
}

/// A choice: disks that are part of a group are no candidates any more.
fn candidates(tx: &mut Tx<'_>, call: &Call) -> Outcome {
    let disks = disks_of_cluster(tx.store, call.text("clusterUuid"));
    let free = disks.values().filter(|disk| !NAMES.iter().any(|n| used(tx.store, str_of(disk, n))));
    let candidate = |disk: &Row| -> Value {
        let member = |name: &&str| Some(((*name).to_owned(), disk.get(*name)?.clone()));
        Value::Object(CANDIDATE.iter().filter_map(member).collect())
    };
    Ok(json!({ "results": free.map(candidate).collect::<Vec<_>>() }))
}

/// The members that a `diskUuid` may name (`shared_block_plugin.py`, CheckDisk).
const NAMES: [&str; 3] = ["wwid", "uuid", "wwn"];

fn used(store: &Store, disk: &str) -> bool {
    !disk.is_empty() && store.table("sharedBlock").with("diskUuid", disk).is_some()
}

/// The disk with this name that a Connected host of some cluster of the zone sees. Errors: none, or
/// several (`shared_block_plugin.py`, CheckDisk; section 4, rule 6).
fn find_disk(store: &Store, disk: &str, zone: &str) -> Result<Row, ApiError> {
    let clusters = store.table("cluster").find("zoneUuid", zone);
    let found: BTreeMap<String, Row> = clusters
        .flat_map(|cluster| disks_of_cluster(store, str_of(cluster, "uuid")))
        .filter(|(_, row)| NAMES.iter().any(|name| str_of(row, name) == disk))
        .collect();
    match found.len() {
        1 => found.into_values().next(),
        _ => None,
    }
    .ok_or_else(|| {
        ApiError::operation(format!(
            "can not find disk with {disk} as wwid, uuid or wwn, or multiple disks qualify"
        ))
    })
}

/// The Connected hosts of a cluster must see every disk of a group that they join
/// (`shared_block_plugin.py`, CheckDisk). Without such a host nobody looks.
pub fn check_disks(store: &Store, group: &str, cluster: &str) -> Result<(), ApiError> {
    let hosts = store.table("host").with("clusterUuid+status", &format!("{cluster}/Connected"));
    if hosts.is_none_or(|hosts| hosts.is_empty()) {
        return Ok(());
    }
    let seen = disks_of_cluster(store, cluster);
    let is_seen =
        |disk: &str| seen.values().any(|row| NAMES.iter().any(|name| str_of(row, name) == disk));
    match blocks_of(store, group).map(|row| str_of(row, "diskUuid")).find(|disk| !is_seen(disk)) {
        None => Ok(()),
        Some(disk) => {
            let text = format!(
                "can not find disk with {disk} as wwid, uuid or wwn, or multiple disks qualify"
            );
            Err(ApiError::operation(text.clone()).within("PS.1001", text))
        }
    }
}

/// Reads the size of a group's disk.
fn measure(tx: &mut Tx<'_>, group: &str, disk: &str, zone: &str) -> Result<(), ApiError> {
    let found = find_disk(tx.store, disk, zone)?;
    let size = found.get("size").cloned().unwrap_or(Value::Null);
    tx.patch("sharedBlock", &block_uuid(group, disk), &[("size", size)]);
    Ok(())
}

/// The storage of a cluster that stands on one of these disks.
pub fn user_of(store: &Store, cluster: &str, disks: &[Row]) -> Option<String> {
    let links = store.table("primaryStorageClusterRef").find("clusterUuid", cluster);
    let mut storages = links.map(|link| str_of(link, "primaryStorageUuid"));
    let stands = |block: &Row| {
        let name = str_of(block, "diskUuid");
        disks.iter().any(|disk| NAMES.iter().any(|member| str_of(disk, member) == name))
    };
    storages.find(|storage| blocks_of(store, storage).any(stands)).map(str::to_owned)
}

/// The hosts that have joined the volume group: those of its clusters, numbered as sanlock needs it.
pub fn sync_hosts(tx: &mut Tx<'_>, storage: &str) {
    let mut hosts: BTreeMap<String, String> = BTreeMap::new();
    for cluster in clusters_of(tx.store, storage) {
        for host in tx.store.table("host").find("clusterUuid", cluster) {
            hosts.insert(str_of(host, "uuid").to_owned(), str_of(host, "status").to_owned());
        }
    }
    let mut last = 0;
    for key in tx.uuids("sharedBlockHostRef", "primaryStorageUuid", storage) {
        let Some(row) = tx.store.get("sharedBlockHostRef", &key).cloned() else { continue };
        last = last.max(row.get("hostId").and_then(Value::as_i64).unwrap_or(0));
        match hosts.remove(str_of(&row, "hostUuid")) {
            None => tx.erase("sharedBlockHostRef", &key),
            Some(status) if status == str_of(&row, "status") => {}
            Some(status) => {
                tx.patch("sharedBlockHostRef", &key, &[("status", json!(status))]);
            }
        }
    }
    for (id, (host, status)) in (last + 1..).zip(hosts) {
        let row = json!({ "primaryStorageUuid": storage, "hostUuid": host, "hostId": id,
                          "status": status, "createDate": tx.now, "lastOpDate": tx.now });
        let row = row.as_object().cloned().unwrap_or_default();
        tx.put("sharedBlockHostRef", &format!("{storage}/{host}"), row);
    }
}

fn check_group(store: &Store, call: &Call, field: &str) -> Result<(), ApiError> {
    let row = require(store, call, field, "primaryStorage")?;
    match str_of(&row, "type") == "SharedBlock" {
        true => Ok(()),
        false => Err(ApiError::not_found(field, call.text(field), "SharedBlockGroupVO")),
    }
}

fn check_extend(store: &Store, call: &Call) -> Result<(), ApiError> {
    check_group(store, call, "uuid")?;
    check_unused(store, &[call.text("diskUuid")])
}

fn extend(tx: &mut Tx<'_>, call: &Call) -> Outcome {
    let (group, disk) = (call.text("uuid"), call.text("diskUuid"));
    let row = require(tx.store, call, "uuid", "primaryStorage")?;
    find_disk(tx.store, disk, str_of(&row, "zoneUuid"))?;
    put_block(tx, group, disk)?;
    measure(tx, group, disk, str_of(&row, "zoneUuid"))?;
    show(tx, group)
}

/// A block of this group: the path names both (section 5, 4.4.19.6).
fn check_refresh(store: &Store, call: &Call) -> Result<(), ApiError> {
    check_group(store, call, "sharedBlockGroupUuid")?;
    let block = require(store, call, "uuid", "sharedBlock")?;
    match str_of(&block, "sharedBlockGroupUuid") == call.text("sharedBlockGroupUuid") {
        true => Ok(()),
        false => Err(ApiError::not_found("uuid", call.text("uuid"), SHARED_BLOCK.vo)),
    }
}

fn refresh(tx: &mut Tx<'_>, call: &Call) -> Outcome {
    let block = require(tx.store, call, "uuid", "sharedBlock")?;
    let group = require(tx.store, call, "sharedBlockGroupUuid", "primaryStorage")?;
    let (uuid, zone) = (str_of(&group, "uuid"), str_of(&group, "zoneUuid"));
    measure(tx, uuid, str_of(&block, "diskUuid"), zone)?;
    show(tx, uuid)
}

/// A disk belongs to one group at most: a volume group takes it whole.
fn check_add(store: &Store, call: &Call) -> Result<(), ApiError> {
    require(store, call, "zoneUuid", "zone")?;
    check_unused(store, &call.list("diskUuids"))
}

fn check_unused(store: &Store, disks: &[&str]) -> Result<(), ApiError> {
    match disks.iter().find(|disk| used(store, disk)) {
        Some(disk) => {
            Err(ApiError::argument(format!("shared block[diskUuid:{disk}] is already in use")))
        }
        None => Ok(()),
    }
}

fn block_uuid(group: &str, disk: &str) -> String {
    super::computed_uuid(&format!("{group}/{disk}"))
}

fn put_block(tx: &mut Tx<'_>, group: &str, disk: &str) -> Result<(), ApiError> {
    let members = json!({
        "sharedBlockGroupUuid": group,
        "type": "LvmLogicalVolumeBasic",
        "diskUuid": disk,
        "name": format!("shared-block-{disk}"),
        "state": "Enabled",
        "status": "Connected",
    });
    insert(tx, "sharedBlock", &block_uuid(group, disk), members).map(|_: Arc<_>| ())
}

fn show(tx: &Tx<'_>, uuid: &str) -> Outcome {
    let row = tx.store.get("primaryStorage", uuid);
    let row = row.ok_or_else(|| ApiError::not_found("uuid", uuid, PRIMARY_STORAGE.vo))?;
    Ok(inventory(tx.store, &STORAGES, row))
}
