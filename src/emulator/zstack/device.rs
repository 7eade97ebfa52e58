//! What hosts and targets have by themselves: PCI and USB devices, LUNs, disks on a fabric, VMs. In:
//! descriptions from a seed. Out: rows, at the moment at which the real server would discover them
//! (a host connects, an iSCSI server is attached or refreshed). Must not know the API.
//!
//! A description is not an object: no query shows it, and it survives the object it led to, so that
//! a host which is deleted and added again has its devices again.

use serde_json::{Value, json};

use super::{Module, pci, usb, vm};
use crate::emulator::store::{Family, Row, Store, Tx, str_of};

/// Keyed by `KIND/OWNER/PLACE`; `owner` is a host's management IP, name or uuid, or the address of
/// an iSCSI server.
static DESCRIPTION: Family = Family {
    name: "description",
    vo: "",
    indexes: &["kind+owner"],
    soft_delete: false,
    relations: &[],
};

pub static MODULE: Module = Module { families: &[&DESCRIPTION], views: &[], operations: &[] };

/// A device as a seed describes it: `owner` and the members of its inventory.
pub struct Description {
    pub kind: Kind,
    pub owner: String,
    pub members: Row,
}

/// What can be discovered, by the name under which it is kept.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Pci,
    Usb,
    /// Offered by an iSCSI server.
    Lun,
    /// Seen by a host without iSCSI (Fibre Channel, a local shelf).
    Disk,
    /// No device, but the same need: somebody starts a VM on a host once it is there.
    Vm,
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Kind::Pci => "pci",
            Kind::Usb => "usb",
            Kind::Lun => "lun",
            Kind::Disk => "disk",
            Kind::Vm => "vm",
        }
    }

    /// What tells two devices of one owner apart.
    fn place(self, members: &Row) -> String {
        match self {
            Kind::Pci => str_of(members, "pciDeviceAddress").to_owned(),
            Kind::Usb => format!("{}-{}", str_of(members, "busNum"), str_of(members, "devNum")),
            Kind::Lun | Kind::Disk => str_of(members, "wwid").to_owned(),
            Kind::Vm => str_of(members, "name").to_owned(),
        }
    }
}

/// Adds descriptions. With `all` they are the whole truth: others are forgotten. What is connected
/// already discovers at once, unless nothing is new (a restart must not bring back a PCI device
/// whose record was deleted).
pub fn describe(tx: &mut Tx<'_>, descriptions: Vec<Description>, all: bool) {
    let wanted: std::collections::BTreeMap<String, Row> = descriptions
        .into_iter()
        .map(|d| {
            let key = format!("{}/{}/{}", d.kind.name(), d.owner, d.kind.place(&d.members));
            let row = json!({ "kind": d.kind.name(), "owner": d.owner, "members": d.members });
            (key, row.as_object().cloned().unwrap_or_default())
        })
        .collect();
    let known = tx.store.table("description").rows();
    let gone: Vec<_> =
        known.keys().filter(|key| all && !wanted.contains_key(&***key)).cloned().collect();
    let same = |key: &str, row: &Row| known.get(key).is_some_and(|known| **known == *row);
    let news: Vec<(String, Row)> =
        wanted.into_iter().filter(|(key, row)| !same(key, row)).collect();
    if gone.is_empty() && news.is_empty() {
        return;
    }
    gone.iter().for_each(|key| tx.erase("description", key));
    news.into_iter().for_each(|(key, row)| tx.put("description", &key, row));
    for host in tx.uuids("host", "status", "Connected") {
        discover(tx, &host);
    }
}

/// The descriptions of one owner.
pub fn of(store: &Store, kind: Kind, owner: &str) -> Vec<Row> {
    let key = format!("{}/{owner}", kind.name());
    let rows = store.table("description").find("kind+owner", &key);
    rows.filter_map(|row| row.get("members")?.as_object().cloned()).collect()
}

/// A host has connected: its devices are read again. New ones appear, others vanish; what was set
/// on known ones stays.
pub fn discover(tx: &mut Tx<'_>, host: &str) {
    let none = |family| tx.store.table(family).with("hostUuid", host).is_none();
    // Most clouds have no device at all, and many hosts.
    if tx.store.table("description").rows().is_empty() && none("pciDevice") && none("usbDevice") {
        return;
    }
    let found = |store: &Store, kind: Kind| of_host(store, kind, host);
    let (pci, usb) = (found(tx.store, Kind::Pci), found(tx.store, Kind::Usb));
    sync(tx, ("pciDevice", Kind::Pci), host, pci, pci::defaults);
    sync(tx, ("usbDevice", Kind::Usb), host, usb, usb::defaults);
    pci::match_host(tx, host);
    for members in of_host(tx.store, Kind::Vm, host) {
        settle(tx, host, members);
    }
}

/// Starts a VM on its host, once for all: a VM that was destroyed does not come back.
fn settle(tx: &mut Tx<'_>, host: &str, members: Row) {
    let mark = format!("vm/{}", str_of(&members, "name"));
    let Some(row) = tx.store.get("host", host).cloned() else { return };
    if tx.store.get("meta", &mark).is_some() {
        return;
    }
    tx.put("meta", &mark, Row::new());
    let cluster = str_of(&row, "clusterUuid");
    let on_disk = members.get("localStorage").and_then(Value::as_bool).unwrap_or(false);
    let mut storages = super::cascade::attached_storages(tx, cluster).into_iter();
    let storage = storages.find(|uuid| {
        let kind = tx.store.get("primaryStorage", uuid).map(|row| str_of(row, "type"));
        (kind == Some("LocalStorage")) == on_disk
    });
    let place = json!({ "zoneUuid": row.get("zoneUuid"), "clusterUuid": cluster, "hostUuid": host,
                        "state": "Running" });
    let uuid = super::computed_uuid(&mark);
    vm::settle(tx, &uuid, (&members, place), (storage.as_deref(), on_disk));
}

/// The descriptions of a host under each of its names.
pub fn of_host(store: &Store, kind: Kind, host: &str) -> Vec<Row> {
    let Some(row) = store.get("host", host) else { return Vec::new() };
    let names = ["uuid", "name", "managementIp"].map(|member| str_of(row, member));
    let mut rows: Vec<Row> = Vec::new();
    for (at, name) in names.iter().enumerate() {
        if !names[..at].contains(name) {
            rows.extend(of(store, kind, name));
        }
    }
    rows
}

fn sync(
    tx: &mut Tx<'_>,
    (family, kind): (&'static str, Kind),
    host: &str,
    found: Vec<Row>,
    defaults: fn() -> Value,
) {
    let mut present = Vec::new();
    for members in found {
        let place = kind.place(&members);
        let uuid = match members.get("uuid").and_then(Value::as_str) {
            Some(uuid) => uuid.to_owned(),
            None => super::computed_uuid(&format!("{host}/{}/{place}", kind.name())),
        };
        if tx.store.get(family, &uuid).is_none() {
            let mut row = defaults().as_object().cloned().unwrap_or_default();
            row.extend(members);
            row.insert("uuid".into(), json!(uuid));
            row.insert("hostUuid".into(), json!(host));
            row.insert("createDate".into(), json!(tx.now));
            row.insert("lastOpDate".into(), json!(tx.now));
            tx.put(family, &uuid, row);
        }
        present.push(uuid);
    }
    for uuid in tx.uuids(family, "hostUuid", host) {
        if !present.iter().any(|known| **known == *uuid) {
            remove(tx, family, &uuid);
        }
    }
}

/// The host goes: its devices too.
pub fn forget_host(tx: &mut Tx<'_>, host: &str) {
    for family in ["pciDevice", "usbDevice"] {
        for uuid in tx.uuids(family, "hostUuid", host) {
            remove(tx, family, &uuid);
        }
    }
}

fn remove(tx: &mut Tx<'_>, family: &'static str, uuid: &str) {
    if family == "pciDevice" {
        pci::unmatch(tx, "pciDeviceUuid", uuid);
    }
    tx.erase(family, uuid);
}

/// The VM goes: its devices are free again.
pub fn forget_vm(tx: &mut Tx<'_>, vm: &str) {
    for device in tx.uuids("pciDevice", "vmInstanceUuid", vm) {
        pci::release(tx, &device);
    }
    for device in tx.uuids("usbDevice", "vmInstanceUuid", vm) {
        tx.patch("usbDevice", &device, &[("vmInstanceUuid", Value::Null)]);
    }
}

/// Whether a device that is passed through holds the VM on its host. A choice: the sources do not
/// say what Maintenance does to such a VM; it cannot move, so it is stopped.
pub fn holds(store: &Store, vm: &str) -> bool {
    ["pciDevice", "usbDevice"]
        .into_iter()
        .any(|family| store.table(family).with("vmInstanceUuid", vm).is_some())
}

/// Where a VM is or was last; a device can only be passed through there.
pub fn host_of_vm(vm: &Row) -> Option<&str> {
    let named = ["hostUuid", "lastHostUuid"].map(|member| str_of(vm, member));
    named.into_iter().find(|host| !host.is_empty())
}

/// The hosts on which a VM could use a device: its own, or those of its cluster, or all.
pub fn fits_vm(store: &Store, vm: &Row, device: &Row) -> bool {
    let host = str_of(device, "hostUuid");
    match (host_of_vm(vm), str_of(vm, "clusterUuid")) {
        (Some(own), _) => own == host,
        (None, "") => true,
        (None, cluster) => {
            store.get("host", host).is_some_and(|row| str_of(row, "clusterUuid") == cluster)
        }
    }
}
