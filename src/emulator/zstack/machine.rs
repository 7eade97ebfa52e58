//! The machines behind addresses: what a seed says is special about them. Hosts, monitors and
//! storage servers run on them.

use super::Module;
use crate::emulator::errors::ApiError;
use crate::emulator::store::{Family, Row, Store, str_of};

/// What is special about the machine behind an address: `unreachable`, the digest of the only
/// password that it lets in, `osVersion`, Ceph's `fsid` and `pools`. Keyed by address.
static MACHINE: Family =
    Family { name: "machine", vo: "", indexes: &[], soft_delete: false, relations: &[] };

/// Whether nothing can be reached at an address.
pub fn is_unreachable(store: &Store, address: &str) -> bool {
    store.get("machine", address).is_some_and(|row| row.contains_key("unreachable"))
}

pub static MODULE: Module = Module { families: &[&MACHINE], views: &[], operations: &[] };

/// Whether a login with this password (its digest) works.
pub fn lets_in(store: &Store, address: &str, digest: &str) -> bool {
    let only = store.get("machine", address).map_or("", |row| str_of(row, "passwordDigest"));
    only.is_empty() || only == digest
}

/// The hosts of a cluster run one version of the system (section 3.3); known where a seed says it.
pub fn check_os_version(store: &Store, uuid: &str) -> Result<(), ApiError> {
    let version = |host: &Row| {
        let machine = store.get("machine", str_of(host, "managementIp"));
        machine.map_or("", |row| str_of(row, "osVersion"))
    };
    let row = store.get("host", uuid).cloned().unwrap_or_default();
    let (own, cluster) = (version(&row), str_of(&row, "clusterUuid"));
    if own.is_empty() {
        return Ok(());
    }
    let mut others = store.table("host").find("clusterUuid", cluster);
    match others.find(|host| !["", own].contains(&version(host))) {
        None => Ok(()),
        Some(other) => Err(ApiError::operation(format!(
            "cluster[uuid:{cluster}] already has host with os version[{}], but new added host[{}] has different host os version[{own}]",
            version(other),
            str_of(&row, "managementIp")
        ))),
    }
}
