//! SharedBlock primary storage. Its server code is closed: the parameters come from the SDK, the
//! rules from the manual and the agent; what neither says is left lenient.

use std::sync::Arc;

use serde_json::json;

use super::primary_storage::{PRIMARY_STORAGE, STORAGES, add};
use super::storage_kind::{CHILDREN, DERIVED, FIELDS, Kind, derive};
use super::{Module, Operation, Outcome, Run, insert, inventory, require};
use crate::emulator::core::Call;
use crate::emulator::errors::ApiError;
use crate::emulator::query::View;
use crate::emulator::store::{Family, Store, Tx, str_of};

static SHARED_BLOCK: Family = Family {
    name: "sharedBlock",
    vo: "SharedBlockVO",
    indexes: &["sharedBlockGroupUuid", "diskUuid"],
    soft_delete: false,
    relations: &[],
};

static HOST_REF: Family = Family {
    name: "sharedBlockHostRef",
    vo: "",
    indexes: &["primaryStorageUuid", "hostUuid"],
    soft_delete: false,
    relations: &[],
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
    &["primaryStorageUuid", "hostUuid", "hostId", "status"],
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
    capacity: |hosts| if hosts == 0 { 0 } else { 10 << 40 },
    mount_path: |uuid, _| format!("sharedblock://{uuid}"),
    create: |tx, call, uuid| {
        tx.patch("primaryStorage", uuid, &[("sharedBlockGroupType", json!("LvmVolumeGroupBasic"))]);
        call.list("diskUuids").into_iter().try_for_each(|disk| put_block(tx, uuid, disk))
    },
    destroy: |tx, uuid| {
        for block in tx.uuids("sharedBlock", "sharedBlockGroupUuid", uuid) {
            tx.erase("sharedBlock", &block);
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
            check: |store, call| require(store, call, "uuid", "primaryStorage").map(|_| ()),
            run: Run::Effect(|tx, call| {
                put_block(tx, call.text("uuid"), call.text("diskUuid"))?;
                show(tx, call.text("uuid"))
            }),
        },
        Operation {
            api: "RefreshSharedblockDeviceCapacity",
            check: |store, call| {
                require(store, call, "sharedBlockGroupUuid", "primaryStorage").map(|_| ())
            },
            run: Run::Effect(|tx, call| show(tx, call.text("sharedBlockGroupUuid"))),
        },
        Operation {
            api: "GetSharedBlockCandidate",
            check: |store, call| require(store, call, "clusterUuid", "cluster").map(|_| ()),
            run: Run::Effect(|tx, call| {
                let disks = super::iscsi::luns_of_cluster(tx.store, call.text("clusterUuid"));
                Ok(json!({ "results": disks }))
            }),
        },
    ],
};

/// A disk belongs to one group at most: a volume group takes it whole.
fn check_add(store: &Store, call: &Call) -> Result<(), ApiError> {
    require(store, call, "zoneUuid", "zone")?;
    let used = |disk: &&str| store.table("sharedBlock").with("diskUuid", disk).is_some();
    match call.list("diskUuids").into_iter().find(used) {
        Some(disk) => {
            Err(ApiError::argument(format!("shared block[diskUuid:{disk}] is already in use")))
        }
        None => Ok(()),
    }
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
    let uuid = super::computed_uuid(&format!("{group}/{disk}"));
    insert(tx, "sharedBlock", &uuid, members).map(|_: Arc<_>| ())
}

fn show(tx: &Tx<'_>, uuid: &str) -> Outcome {
    let row = tx.store.get("primaryStorage", uuid);
    let row = row.ok_or_else(|| ApiError::not_found("uuid", uuid, PRIMARY_STORAGE.vo))?;
    Ok(inventory(tx.store, &STORAGES, row))
}
