//! Local primary storage (`plugin/localstorage`): a directory on each host.

use serde_json::json;

use super::primary_storage::add;
use super::storage_kind::Kind;
use super::{Module, Operation, Run, require};
use crate::emulator::core::Call;
use crate::emulator::errors::ApiError;
use crate::emulator::query::View;
use crate::emulator::store::{Family, Relation, Store, str_of};

/// Bytes of local disk of each host.
pub const PER_HOST: u64 = 1 << 40;

pub static KIND: Kind = Kind { capacity: |hosts| hosts * PER_HOST, ..Kind::plain("LocalStorage") };

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

static LOCAL_REFS: View = View::plain(
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
            run: Run::Effect(|tx, call| {
                let storage = call.text("primaryStorageUuid");
                let links =
                    tx.store.table("primaryStorageClusterRef").find("primaryStorageUuid", storage);
                let hosts = links.flat_map(|link| {
                    tx.store.table("host").find("clusterUuid", str_of(link, "clusterUuid"))
                });
                let inventories: Vec<_> = hosts
                    .filter(|host| {
                        call.given("hostUuid").is_none_or(|uuid| uuid == str_of(host, "uuid"))
                    })
                    .map(|host| {
                        json!({ "hostUuid": str_of(host, "uuid"), "totalCapacity": PER_HOST,
                                "availableCapacity": PER_HOST, "totalPhysicalCapacity": PER_HOST,
                                "availablePhysicalCapacity": PER_HOST })
                    })
                    .collect();
                Ok(json!({ "inventories": inventories }))
            }),
        },
    ],
};

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
