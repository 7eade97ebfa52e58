//! USB devices of hosts, and USB redirection of VMs. The server code is closed: parameters and
//! inventories come from the SDK and the manual (4.3.12, 4.3.13); rules that neither states are
//! marked as choices.

use serde_json::{Value, json};

use super::device::fits_vm;
use super::{Module, Operation, Outcome, Run, inventory, require, update};
use crate::emulator::core::Call;
use crate::emulator::errors::ApiError;
use crate::emulator::query::View;
use crate::emulator::store::{Family, Relation, Row, Store, Tx, str_of};

static USB_DEVICE: Family = Family {
    name: "usbDevice",
    vo: "UsbDeviceVO",
    indexes: &["hostUuid", "vmInstanceUuid"],
    soft_delete: false,
    relations: &[
        ("host", Relation::One { member: "hostUuid", family: "host" }),
        ("vmInstance", Relation::One { member: "vmInstanceUuid", family: "vm" }),
    ],
};

static DEVICES: View = View::plain(
    "QueryUsbDevice",
    &USB_DEVICE,
    "org.zstack.usbDevice.UsbDeviceInventory",
    &[
        "uuid",
        "name",
        "description",
        "hostUuid",
        "vmInstanceUuid",
        "busNum",
        "devNum",
        "idVendor",
        "idProduct",
        "iManufacturer",
        "iProduct",
        "iSerial",
        "usbVersion",
        "createDate",
        "lastOpDate",
        "state",
    ],
);

pub static MODULE: Module = Module {
    families: &[&USB_DEVICE],
    views: &[&DEVICES],
    operations: &[
        Operation {
            api: "UpdateUsbDevice",
            check: |store, call| require(store, call, "uuid", "usbDevice").map(|_| ()),
            run: Run::Effect(|tx, call| {
                update(tx, call, &DEVICES, &["name", "description", "state"])
            }),
        },
        Operation {
            api: "AttachUsbDeviceToVm",
            check: check_attach,
            run: Run::Effect(|tx, call| set_vm(tx, call, json!(call.text("vmInstanceUuid")))),
        },
        Operation {
            api: "DetachUsbDeviceFromVm",
            check: check_detach,
            run: Run::Effect(|tx, call| set_vm(tx, call, Value::Null)),
        },
        Operation {
            api: "GetUsbDeviceCandidatesForAttachingVm",
            check: |store, call| require(store, call, "vmInstanceUuid", "vm").map(|_| ()),
            run: Run::Effect(candidates),
        },
        Operation {
            api: "GetVmUsbRedirect",
            check: |store, call| require(store, call, "uuid", "vm").map(|_| ()),
            run: Run::Effect(|tx, call| {
                let vm = require(tx.store, call, "uuid", "vm")?;
                let on = vm.get("usbRedirect").and_then(Value::as_bool).unwrap_or(false);
                Ok(json!({ "enable": on }))
            }),
        },
        Operation {
            api: "SetVmUsbRedirect",
            check: |store, call| require(store, call, "uuid", "vm").map(|_| ()),
            run: Run::Effect(|tx, call| {
                let on = json!(call.flag("enable"));
                tx.patch("vm", call.text("uuid"), &[("usbRedirect", on)]);
                Ok(Value::Null)
            }),
        },
    ],
};

/// What a device is when a seed does not say otherwise.
pub fn defaults() -> Value {
    json!({ "state": "Enabled", "name": "usb", "usbVersion": "2.0" })
}

/// 5.2 can also redirect a device over the network, from any host.
fn reaches(store: &Store, call: &Call, vm: &Row, device: &Row) -> bool {
    call.text("attachType") == "Redirect" || fits_vm(store, vm, device)
}

/// Choices, as for PCI devices: an Enabled device that no VM has, of the VM's own host.
fn check_attach(store: &Store, call: &Call) -> Result<(), ApiError> {
    let device = require(store, call, "usbDeviceUuid", "usbDevice")?;
    let vm = require(store, call, "vmInstanceUuid", "vm")?;
    let uuid = call.text("usbDeviceUuid");
    let refuse = |why: String| Err(ApiError::operation(format!("usb device[uuid:{uuid}] {why}")));
    match (str_of(&device, "vmInstanceUuid"), str_of(&device, "state")) {
        ("", "Enabled") if reaches(store, call, &vm, &device) => Ok(()),
        ("", "Enabled") => refuse(format!(
            "is on host[uuid:{}], which vm[uuid:{}] is not on",
            str_of(&device, "hostUuid"),
            str_of(&vm, "uuid")
        )),
        ("", state) => refuse(format!("has state[{state}], which is not Enabled")),
        (other, _) => refuse(format!("has been attached to vm[uuid:{other}]")),
    }
}

fn check_detach(store: &Store, call: &Call) -> Result<(), ApiError> {
    let device = require(store, call, "usbDeviceUuid", "usbDevice")?;
    match str_of(&device, "vmInstanceUuid") {
        "" => Err(ApiError::operation(format!(
            "usb device[uuid:{}] has not been attached to any vm",
            call.text("usbDeviceUuid")
        ))),
        _ => Ok(()),
    }
}

fn set_vm(tx: &mut Tx<'_>, call: &Call, vm: Value) -> Outcome {
    tx.patch("usbDevice", call.text("usbDeviceUuid"), &[("vmInstanceUuid", vm)]);
    let row = require(tx.store, call, "usbDeviceUuid", "usbDevice")?;
    Ok(inventory(tx.store, &DEVICES, &row))
}

fn candidates(tx: &mut Tx<'_>, call: &Call) -> Outcome {
    let vm = require(tx.store, call, "vmInstanceUuid", "vm")?;
    let rows = tx.store.table("usbDevice").rows().values().filter(|row| {
        str_of(row, "state") == "Enabled"
            && str_of(row, "vmInstanceUuid").is_empty()
            && reaches(tx.store, call, &vm, row)
    });
    let found: Vec<Value> = rows.map(|row| DEVICES.inventory(tx.store, row)).collect();
    Ok(json!({ "inventories": found }))
}
