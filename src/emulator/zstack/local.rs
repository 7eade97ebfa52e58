//! Local primary storage (`plugin/localstorage`): a directory on each host.

use std::sync::Arc;

use serde_json::{Value, json};

use super::primary_storage::add;
use super::storage_kind::{Kind, clusters_of};
use super::{Module, Operation, Outcome, Run, require};
use crate::emulator::core::Call;
use crate::emulator::errors::ApiError;
use crate::emulator::query::View;
use crate::emulator::store::{Family, Relation, Row, Store, Tx, str_of};

/// Bytes of local disk of each host.
pub const PER_HOST: u64 = 1 << 40;

pub static KIND: Kind =
    Kind { capacity: |_, _, hosts| hosts * PER_HOST, ..Kind::plain("LocalStorage") };

/// Which volume lies on which host; keyed by the resource's uuid.
pub static LOCAL_REF: Family = Family {
    name: "localRef",
    vo: "",
    indexes: &["resourceUuid", "hostUuid", "primaryStorageUuid"],
    soft_delete: false,
    relations: &[
        ("volume", Relation::One { member: "resourceUuid", family: "volume" }),
        ("host", Relation::One { member: "hostUuid", family: "host" }),
    ],
};

pub static LOCAL_REFS: View = View::plain(
    "QueryLocalStorageResourceRef",
    &LOCAL_REF,
    "org.zstack.storage.primary.local.LocalStorageResourceRefInventory",
    &[
        "resourceUuid",
        "primaryStorageUuid",
        "hostUuid",
        "size",
        "resourceType",
        "createDate",
        "lastOpDate",
    ],
);

pub static MODULE: Module = Module {
    families: &[&LOCAL_REF],
    views: &[&LOCAL_REFS],
    operations: &[
        Operation {
            api: "AddLocalPrimaryStorage",
            check: check_add,
            run: Run::Phases(|core, call| add(core, call, &KIND, check_add)),
        },
        Operation {
            api: "GetLocalStorageHostDiskCapacity",
            check: |store, call| {
                require(store, call, "primaryStorageUuid", "primaryStorage").map(|_| ())
            },
            run: Run::Effect(capacity),
        },
    ],
};

/// The hosts on whose disks a storage lies: those of the clusters that it is attached to.
pub fn hosts_of(store: &Store, storage: &str) -> Vec<Arc<Row>> {
    let hosts = clusters_of(store, storage)
        .flat_map(|cluster| store.table("host").find("clusterUuid", cluster));
    hosts.cloned().collect()
}

/// Bytes of a host's disk that are not taken by what the references say lies there.
pub fn free_on(store: &Store, storage: &str, host: &str) -> u64 {
    let refs = store.table("localRef").find("hostUuid", host);
    let used: u64 = refs
        .filter(|row| str_of(row, "primaryStorageUuid") == storage)
        .filter_map(|row| row.get("size")?.as_u64())
        .sum();
    PER_HOST.saturating_sub(used)
}

fn capacity(tx: &mut Tx<'_>, call: &Call) -> Outcome {
    let storage = call.text("primaryStorageUuid");
    let wanted =
        |host: &Row| call.given("hostUuid").is_none_or(|uuid| uuid == str_of(host, "uuid"));
    let inventory = |host: &Arc<Row>| {
        let free = free_on(tx.store, storage, str_of(host, "uuid"));
        json!({ "hostUuid": str_of(host, "uuid"), "totalCapacity": PER_HOST, "availableCapacity": free,
                "totalPhysicalCapacity": PER_HOST, "availablePhysicalCapacity": free })
    };
    let hosts = hosts_of(tx.store, storage);
    let inventories: Vec<Value> = hosts.iter().filter(|h| wanted(h)).map(inventory).collect();
    Ok(json!({ "inventories": inventories }))
}

/// AddLocalStorageCase.
fn check_add(store: &Store, call: &Call) -> Result<(), ApiError> {
    require(store, call, "zoneUuid", "zone")?;
    let url = call.text("url");
    if !url.starts_with('/') {
        return Err(ApiError::argument(format!(
            "the url[{url}] is not an absolute path starting with '/'"
        )));
    }
    forbidden(url)
}

/// No storage in the kernel's own directories.
pub fn forbidden(path: &str) -> Result<(), ApiError> {
    if ["/dev", "/proc", "/sys"].iter().any(|folder| path.starts_with(folder)) {
        return Err(ApiError::argument(
            " the url contains an invalid folder[/dev or /proc or /sys]",
        ));
    }
    Ok(())
}
