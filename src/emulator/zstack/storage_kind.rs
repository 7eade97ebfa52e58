//! Types of primary storage: what each does differently, and the members that are computed when a
//! storage is read. A type is a [`Kind`] in a file of its own and a line in [`KINDS`].

use serde_json::{Value, json};

use crate::emulator::core::Call;
use crate::emulator::errors::ApiError;
use crate::emulator::query::Child;
use crate::emulator::store::{Row, Store, Tx, str_of};

pub const FIELDS: &[&str] = &[
    "uuid",
    "zoneUuid",
    "name",
    "url",
    "description",
    "totalCapacity",
    "availableCapacity",
    "totalPhysicalCapacity",
    "availablePhysicalCapacity",
    "systemUsedCapacity",
    "type",
    "state",
    "status",
    "mountPath",
    "createDate",
    "lastOpDate",
    "attachedClusterUuids",
];
pub const DERIVED: &[&str] = &[
    "attachedClusterUuids",
    "totalCapacity",
    "availableCapacity",
    "totalPhysicalCapacity",
    "availablePhysicalCapacity",
    "systemUsedCapacity",
    "mons",
    "pools",
    "sharedBlocks",
];

/// What a type of storage does differently.
pub struct Kind {
    /// The wire value of `type`.
    pub name: &'static str,
    /// Whether it stays Disconnected until an attached cluster has a Connected host.
    pub needs_host: bool,
    /// Whether UpdatePrimaryStorage acts on `url`; the others take it and keep the old one.
    pub updates_url: bool,
    pub mount_path: fn(uuid: &str, url: &str) -> String,
    /// Capacity in bytes for a number of Connected hosts.
    pub capacity: fn(&Store, uuid: &str, hosts: u64) -> u64,
    /// The address that hosts must reach to mount it, if any.
    pub server: fn(url: &str) -> Option<&str>,
    /// Puts the rows that belong to a new storage.
    pub create: fn(&mut Tx<'_>, &Call, uuid: &str) -> Result<(), ApiError>,
    /// Connects it; on an error its row is removed.
    pub connect: fn(&mut Tx<'_>, uuid: &str) -> Result<(), ApiError>,
    /// Removes the rows that belong to it.
    pub destroy: fn(&mut Tx<'_>, uuid: &str),
    /// Members of its sub-inventory.
    pub extra: fn(&Store, &Row, &mut Row),
}

impl Kind {
    /// A type that consists of its row alone and needs nothing but itself.
    pub const fn plain(name: &'static str) -> Kind {
        Kind {
            name,
            needs_host: false,
            updates_url: false,
            mount_path: |_, url| url.to_owned(),
            capacity: |_, _, _| 10 << 40,
            server: |_| None,
            create: |_, _, _| Ok(()),
            connect: |_, _| Ok(()),
            destroy: |_, _| {},
            extra: |_, _, _| {},
        }
    }
}

/// The types, one per file.
const KINDS: [&Kind; 5] = [
    &super::local::KIND,
    &super::nfs::KIND,
    &super::smp::KIND,
    &super::ceph::KIND,
    &super::shared_block::KIND,
];

/// Sub-inventories that a condition on `type` switches to.
pub const CHILDREN: &[Child] = &[
    Child {
        member: "type",
        value: "Ceph",
        class: "org.zstack.storage.ceph.primary.CephPrimaryStorageInventory",
        fields: &["mons", "pools", "fsid"],
    },
    Child {
        member: "type",
        value: "SharedBlock",
        // The class is closed; its package is a guess.
        class: "org.zstack.storage.primary.sharedblock.SharedBlockGroupPrimaryStorageInventory",
        fields: &["sharedBlocks", "sharedBlockGroupType"],
    },
];

/// The type with this wire name.
pub fn kind_named(name: &str) -> Option<&'static Kind> {
    KINDS.into_iter().find(|kind| kind.name == name)
}

pub fn needs_host(kind: &str) -> bool {
    kind_named(kind).is_some_and(|kind| kind.needs_host)
}

/// The Connected hosts of the clusters that a storage is attached to.
pub fn connected_hosts(store: &Store, storage: &str) -> u64 {
    let hosts = store.table("host");
    clusters_of(store, storage)
        .map(|cluster| {
            hosts
                .with("clusterUuid+status", &format!("{cluster}/Connected"))
                .map_or(0, |s| s.len() as u64)
        })
        .sum()
}

/// The clusters that a storage is attached to.
pub fn clusters_of<'a>(store: &'a Store, storage: &str) -> impl Iterator<Item = &'a str> {
    let links = store.table("primaryStorageClusterRef").find("primaryStorageUuid", storage);
    links.map(|link| str_of(link, "clusterUuid"))
}

/// Capacities and attachments follow hosts and links; they are never stored.
pub fn derive(store: &Store, row: &Row, out: &mut Row) {
    let uuid = str_of(row, "uuid");
    let clusters: Vec<&str> = clusters_of(store, uuid).collect();
    out.insert("attachedClusterUuids".into(), json!(clusters));
    let total = kind_named(str_of(row, "type"))
        .map_or(0, |k| (k.capacity)(store, uuid, connected_hosts(store, uuid)));
    let used: u64 = store
        .table("volume")
        .find("primaryStorageUuid", uuid)
        .filter_map(|volume| volume.get("size").and_then(Value::as_u64))
        .sum();
    for (name, value) in [
        ("totalCapacity", total),
        ("availableCapacity", total.saturating_sub(used)),
        ("totalPhysicalCapacity", total),
        ("availablePhysicalCapacity", total.saturating_sub(used)),
        ("systemUsedCapacity", 0),
    ] {
        out.insert(name.into(), json!(value));
    }
    if let Some(kind) = kind_named(str_of(row, "type")) {
        (kind.extra)(store, row, out);
    }
}
