//! PCI devices of hosts and their offerings. The server code is closed: parameters and inventories
//! come from the SDK and the manual (4.3.11); rules that neither states are marked as choices.

use serde_json::{Value, json};

use super::device::fits_vm;
use super::{
    Module, Operation, Outcome, Run, delete_mode, insert, inventory, nothing, require, update,
};
use crate::emulator::core::Call;
use crate::emulator::errors::ApiError;
use crate::emulator::query::View;
use crate::emulator::store::{Family, Relation, Row, Store, Tx, str_of};

static PCI_DEVICE: Family = Family {
    name: "pciDevice",
    vo: "PciDeviceVO",
    indexes: &["hostUuid", "vmInstanceUuid", "vendorId+deviceId"],
    soft_delete: false,
    relations: &[
        ("host", Relation::One { member: "hostUuid", family: "host" }),
        ("vmInstance", Relation::One { member: "vmInstanceUuid", family: "vm" }),
        (
            "pciDeviceOffering",
            Relation::Through {
                links: "pciOfferingRef",
                near: "pciDeviceUuid",
                far: "pciDeviceOfferingUuid",
                family: "pciOffering",
            },
        ),
    ],
};

static OFFERING: Family = Family {
    name: "pciOffering",
    vo: "PciDeviceOfferingVO",
    indexes: &["vendorId+deviceId"],
    soft_delete: false,
    relations: &[],
};

/// Which device fits which offering; the key is `DEVICE/OFFERING`.
static OFFERING_REF: Family = Family {
    name: "pciOfferingRef",
    vo: "",
    indexes: &["pciDeviceUuid", "pciDeviceOfferingUuid"],
    soft_delete: false,
    relations: &[
        ("pciDevice", Relation::One { member: "pciDeviceUuid", family: "pciDevice" }),
        (
            "pciDeviceOffering",
            Relation::One { member: "pciDeviceOfferingUuid", family: "pciOffering" },
        ),
    ],
};

static DEVICES: View = View {
    derived: &["metaData", "matchedPciDeviceOfferingRef"],
    derive: |store, row, out| {
        if let Some(text) = row.get("metaData").and_then(Value::as_str) {
            out.insert("metaData".into(), meta_data(text));
        }
        let links = store.table("pciOfferingRef").find("pciDeviceUuid", str_of(row, "uuid"));
        let links = links.map(|link| json!(**link)).collect();
        out.insert("matchedPciDeviceOfferingRef".into(), links);
    },
    fields_5_2: &["name"],
    ..View::plain(
        "QueryPciDevice",
        &PCI_DEVICE,
        "org.zstack.pciDevice.PciDeviceInventory",
        &[
            "uuid",
            "description",
            "hostUuid",
            "vmInstanceUuid",
            "vendorId",
            "deviceId",
            "subvendorId",
            "subdeviceId",
            "pciDeviceAddress",
            "createDate",
            "lastOpDate",
            "status",
            "state",
            "type",
            "metaData",
            "matchedPciDeviceOfferingRef",
        ],
    )
};

static OFFERINGS: View = View {
    derived: &["attachedInstanceOfferings", "matchedPciDevices"],
    derive: |store, row, out| {
        let uuid = str_of(row, "uuid");
        let links = store.table("pciOfferingRef").find("pciDeviceOfferingUuid", uuid);
        out.insert("matchedPciDevices".into(), links.map(|link| json!(**link)).collect());
        out.insert("attachedInstanceOfferings".into(), json!([]));
    },
    ..View::plain(
        "QueryPciDeviceOffering",
        &OFFERING,
        "org.zstack.pciDevice.PciDeviceOfferingInventory",
        &[
            "uuid",
            "name",
            "description",
            "vendorId",
            "deviceId",
            "subvendorId",
            "subdeviceId",
            "createDate",
            "lastOpDate",
            "type",
            "attachedInstanceOfferings",
            "matchedPciDevices",
        ],
    )
};

/// The API's name says pairs, the manual's table (4.3.11.11) shows the members of a device: a pair
/// is shown with both.
static PAIRS: View = View {
    derived: &["uuid", "description", "hostUuid", "vmInstanceUuid", "vendorId", "deviceId"],
    derive: |store, row, out| {
        if let Some(device) = store.get("pciDevice", str_of(row, "pciDeviceUuid")) {
            *out = (**device).clone();
        }
    },
    ..View::plain(
        "QueryPciDevicePciDeviceOffering",
        &OFFERING_REF,
        "org.zstack.pciDevice.PciDevicePciDeviceOfferingRefInventory",
        &[
            "pciDeviceUuid",
            "pciDeviceOfferingUuid",
            "uuid",
            "description",
            "hostUuid",
            "vmInstanceUuid",
            "vendorId",
            "deviceId",
            "subvendorId",
            "subdeviceId",
            "pciDeviceAddress",
            "createDate",
            "lastOpDate",
            "status",
            "state",
            "type",
        ],
    )
};

pub static MODULE: Module = Module {
    families: &[&PCI_DEVICE, &OFFERING, &OFFERING_REF],
    views: &[&DEVICES, &OFFERINGS, &PAIRS],
    operations: &[
        Operation { api: "UpdatePciDevice", check: exists, run: Run::Effect(change) },
        Operation {
            api: "DeletePciDevice",
            check: check_delete,
            run: Run::Effect(|tx, call| {
                unmatch(tx, "pciDeviceUuid", call.text("uuid"));
                tx.erase("pciDevice", call.text("uuid"));
                Ok(Value::Null)
            }),
        },
        Operation { api: "AttachPciDeviceToVm", check: check_attach, run: Run::Effect(attach) },
        Operation { api: "DetachPciDeviceFromVm", check: check_detach, run: Run::Effect(detach) },
        Operation {
            api: "GetPciDeviceCandidatesForAttachingVm",
            check: |store, call| require(store, call, "vmInstanceUuid", "vm").map(|_| ()),
            run: Run::Effect(candidates_for_vm),
        },
        Operation {
            api: "GetPciDeviceCandidatesForNewCreateVm",
            check: nothing,
            run: Run::Effect(candidates_for_new_vm),
        },
        Operation { api: "CreatePciDeviceOffering", check: nothing, run: Run::Effect(offer) },
        Operation {
            api: "DeletePciDeviceOffering",
            check: |_, call| delete_mode(call).map(|_| ()),
            run: Run::Effect(|tx, call| {
                unmatch(tx, "pciDeviceOfferingUuid", call.text("uuid"));
                tx.delete("pciOffering", call.text("uuid"));
                Ok(Value::Null)
            }),
        },
        Operation {
            api: "GetHostIommuState",
            check: host_exists,
            run: Run::Effect(|tx, call| {
                let row = require(tx.store, call, "uuid", "host")?;
                Ok(json!({ "state": iommu(&row, "iommuState", "Disabled") }))
            }),
        },
        Operation {
            api: "GetHostIommuStatus",
            check: host_exists,
            run: Run::Effect(|tx, call| {
                let row = require(tx.store, call, "uuid", "host")?;
                Ok(json!({ "status": iommu(&row, "iommuStatus", "Inactive") }))
            }),
        },
        Operation {
            // The status follows at the next boot of the machine (section 3.6), which nothing here
            // does: it stays what the seed says.
            api: "UpdateHostIommuState",
            check: host_exists,
            run: Run::Effect(|tx, call| {
                let state = call.text("state");
                tx.patch("host", call.text("uuid"), &[("iommuState", json!(state))]);
                Ok(json!({ "state": state }))
            }),
        },
    ],
};

fn host_exists(store: &Store, call: &Call) -> Result<(), ApiError> {
    require(store, call, "uuid", "host").map(|_| ())
}

fn iommu<'a>(host: &'a Row, member: &str, default: &'a str) -> &'a str {
    match str_of(host, member) {
        "" => default,
        given => given,
    }
}

/// `key:value;key:op:value` as the manual's example shows it; the operator is `Equal` where none is
/// given.
fn meta_data(text: &str) -> Value {
    let entry = |part: &str| -> Option<Value> {
        let (key, rest) = part.split_once(':')?;
        let (op, value) = rest.split_once(':').unwrap_or(("Equal", rest));
        Some(json!({ "key": key, "op": op, "value": value }))
    };
    let entries: Vec<Value> = text.split(';').filter_map(entry).collect();
    json!({ "metaData": text, "metaDataEntries": entries })
}

/// What a device is when a seed does not say otherwise.
pub fn defaults() -> Value {
    json!({ "state": "Enabled", "status": "Active", "type": "Generic" })
}

fn exists(store: &Store, call: &Call) -> Result<(), ApiError> {
    require(store, call, "uuid", "pciDevice").map(|_| ())
}

fn change(tx: &mut Tx<'_>, call: &Call) -> Outcome {
    update(tx, call, &DEVICES, &["name", "state", "description", "metaData"])
}

/// A choice: refused while a VM has the device. Deleting a missing one succeeds, as elsewhere.
fn check_delete(store: &Store, call: &Call) -> Result<(), ApiError> {
    delete_mode(call)?;
    let row = store.get("pciDevice", call.text("uuid"));
    match row.map(|row| str_of(row, "vmInstanceUuid")) {
        None | Some("") => Ok(()),
        Some(vm) => Err(ApiError::operation(format!(
            "pci device[uuid:{}] is still attached to vm[uuid:{vm}]",
            call.text("uuid")
        ))),
    }
}

/// Choices, from the meaning of state and status (2c of the reference): an Enabled and Active
/// device of the VM's own host.
fn check_attach(store: &Store, call: &Call) -> Result<(), ApiError> {
    let device = require(store, call, "pciDeviceUuid", "pciDevice")?;
    let vm = require(store, call, "vmInstanceUuid", "vm")?;
    let uuid = call.text("pciDeviceUuid");
    let refuse = |why: String| Err(ApiError::operation(format!("pci device[uuid:{uuid}] {why}")));
    match (str_of(&device, "vmInstanceUuid"), str_of(&device, "state"), str_of(&device, "status")) {
        ("", "Enabled", "Active") if fits_vm(store, &vm, &device) => Ok(()),
        ("", "Enabled", "Active") => refuse(format!(
            "is on host[uuid:{}], which vm[uuid:{}] is not on",
            str_of(&device, "hostUuid"),
            str_of(&vm, "uuid")
        )),
        ("", "Enabled", status) => refuse(format!("has status[{status}], which is not Active")),
        ("", state, _) => refuse(format!("has state[{state}], which is not Enabled")),
        (other, ..) => refuse(format!("has been attached to vm[uuid:{other}]")),
    }
}

fn attach(tx: &mut Tx<'_>, call: &Call) -> Outcome {
    let vm = json!(call.text("vmInstanceUuid"));
    let changes = [("vmInstanceUuid", vm), ("status", json!("Attached"))];
    tx.patch("pciDevice", call.text("pciDeviceUuid"), &changes);
    show(tx.store, call)
}

fn check_detach(store: &Store, call: &Call) -> Result<(), ApiError> {
    let device = require(store, call, "pciDeviceUuid", "pciDevice")?;
    require(store, call, "vmInstanceUuid", "vm")?;
    let (uuid, vm) = (call.text("pciDeviceUuid"), call.text("vmInstanceUuid"));
    match str_of(&device, "vmInstanceUuid") == vm {
        true => Ok(()),
        false => Err(ApiError::operation(format!(
            "pci device[uuid:{uuid}] has not been attached to vm[uuid:{vm}]"
        ))),
    }
}

fn detach(tx: &mut Tx<'_>, call: &Call) -> Outcome {
    release(tx, call.text("pciDeviceUuid"));
    show(tx.store, call)
}

/// The device belongs to no VM any more.
pub fn release(tx: &mut Tx<'_>, device: &str) {
    let changes = [("vmInstanceUuid", Value::Null), ("status", json!("Active"))];
    tx.patch("pciDevice", device, &changes);
}

fn show(store: &Store, call: &Call) -> Outcome {
    let row = require(store, call, "pciDeviceUuid", "pciDevice")?;
    Ok(inventory(store, &DEVICES, &row))
}

/// The free devices that `fits` lets through, of the wanted types.
fn candidates(store: &Store, call: &Call, fits: impl Fn(&Row) -> bool) -> Value {
    let types = call.list("types");
    let rows = store.table("pciDevice").rows().values().filter(|row| {
        str_of(row, "state") == "Enabled"
            && str_of(row, "status") == "Active"
            && (types.is_empty() || types.contains(&str_of(row, "type")))
            && fits(row)
    });
    json!({ "inventories": rows.map(|row| DEVICES.inventory(store, row)).collect::<Vec<_>>() })
}

fn candidates_for_vm(tx: &mut Tx<'_>, call: &Call) -> Outcome {
    let vm = require(tx.store, call, "vmInstanceUuid", "vm")?;
    Ok(candidates(tx.store, call, |device| fits_vm(tx.store, &vm, device)))
}

fn candidates_for_new_vm(tx: &mut Tx<'_>, call: &Call) -> Outcome {
    let (host, clusters) = (call.given("hostUuid"), call.list("clusterUuids"));
    let fits = |device: &Row| {
        let own = str_of(device, "hostUuid");
        let cluster = tx.store.get("host", own).map_or("", |row| str_of(row, "clusterUuid"));
        host.is_none_or(|host| host == own) && (clusters.is_empty() || clusters.contains(&cluster))
    };
    Ok(candidates(tx.store, call, fits))
}

fn offer(tx: &mut Tx<'_>, call: &Call) -> Outcome {
    let members = json!({
        "name": call.given("name"),
        "description": call.given("description"),
        "vendorId": call.text("vendorId"),
        "deviceId": call.text("deviceId"),
        "subvendorId": call.given("subvendorId"),
        "subdeviceId": call.given("subdeviceId"),
        // No parameter sets it (section 5, 4.3.11.8); the word is a choice.
        "type": "Generic",
    });
    let offering = insert(tx, "pciOffering", call.new_uuid(), members)?;
    super::tag::attach(tx, call, "PciDeviceOfferingVO");
    let kind = format!("{}/{}", call.text("vendorId"), call.text("deviceId"));
    for device in tx.uuids("pciDevice", "vendorId+deviceId", &kind) {
        link(tx, &device, &offering);
    }
    Ok(inventory(tx.store, &OFFERINGS, &offering))
}

/// Finds the offerings of a host's devices.
pub fn match_host(tx: &mut Tx<'_>, host: &str) {
    for device in tx.uuids("pciDevice", "hostUuid", host) {
        let Some(row) = tx.store.get("pciDevice", &device).cloned() else { continue };
        let kind = format!("{}/{}", str_of(&row, "vendorId"), str_of(&row, "deviceId"));
        for offering in tx.uuids("pciOffering", "vendorId+deviceId", &kind) {
            if let Some(offering) = tx.store.get("pciOffering", &offering).cloned() {
                link(tx, &device, &offering);
            }
        }
    }
}

/// A device fits an offering if all ids are equal that the offering names.
fn link(tx: &mut Tx<'_>, device: &str, offering: &Row) {
    let Some(row) = tx.store.get("pciDevice", device) else { return };
    let fits = ["subvendorId", "subdeviceId"]
        .into_iter()
        .all(|id| matches!(str_of(offering, id), "") || str_of(offering, id) == str_of(row, id));
    let key = format!("{device}/{}", str_of(offering, "uuid"));
    if fits && tx.store.get("pciOfferingRef", &key).is_none() {
        let pair =
            json!({ "pciDeviceUuid": device, "pciDeviceOfferingUuid": offering.get("uuid") });
        tx.put("pciOfferingRef", &key, pair.as_object().cloned().unwrap_or_default());
    }
}

/// Removes the pairs of a device or of an offering.
pub fn unmatch(tx: &mut Tx<'_>, member: &str, uuid: &str) {
    for pair in tx.uuids("pciOfferingRef", member, uuid) {
        tx.erase("pciOfferingRef", &pair);
    }
}
