//! Network cards of virtual machines (`compute/vm`): they come from seeds, are seen within their VM
//! (`vmNics`), and go with their network.

use serde_json::Value;

use super::Module;
use crate::emulator::query::View;
use crate::emulator::store::{Family, Relation, Store, Tx, str_of};

static VM_NIC: Family = Family {
    name: "vmNic",
    vo: "VmNicVO",
    indexes: &["vmInstanceUuid", "l3NetworkUuid"],
    soft_delete: false,
    relations: &[
        ("vmInstance", Relation::One { member: "vmInstanceUuid", family: "vm" }),
        ("l3Network", Relation::One { member: "l3NetworkUuid", family: "l3Network" }),
    ],
};

static NICS: View = View::plain(
    "QueryVmNic",
    &VM_NIC,
    "org.zstack.header.vm.VmNicInventory",
    &[
        "uuid",
        "vmInstanceUuid",
        "l3NetworkUuid",
        "ip",
        "mac",
        "netmask",
        "gateway",
        "deviceId",
        "createDate",
        "lastOpDate",
    ],
);

pub static MODULE: Module = Module { families: &[&VM_NIC], views: &[&NICS], operations: &[] };

/// The network cards of a VM, as its inventory shows them.
pub fn of_vm(store: &Store, vm: &str) -> Vec<Value> {
    let nics = store.table("vmNic").find("vmInstanceUuid", vm);
    nics.map(|nic| NICS.inventory(store, nic)).collect()
}

/// The network cards on an L2 network are detached, all or those of one cluster's VMs; the VMs run
/// on (`VmCascadeExtension.handleL2NetworkDetach`).
pub fn leave_l2(tx: &mut Tx<'_>, network: &str, cluster: Option<&str>) {
    for l3 in tx.uuids("l3Network", "l2NetworkUuid", network) {
        for nic in tx.uuids("vmNic", "l3NetworkUuid", &l3) {
            let vm =
                tx.store.get("vmNic", &nic).map(|row| str_of(row, "vmInstanceUuid").to_owned());
            let vm = vm.and_then(|uuid| tx.store.get("vm", &uuid).cloned());
            let home = vm.as_deref().map_or("", |vm| str_of(vm, "clusterUuid"));
            if cluster.is_none_or(|cluster| cluster == home) {
                tx.erase("vmNic", &nic);
            }
        }
    }
}

/// A destroyed VM takes its network cards along.
pub fn forget_vm(tx: &mut Tx<'_>, vm: &str) {
    tx.uuids("vmNic", "vmInstanceUuid", vm).iter().for_each(|nic| tx.erase("vmNic", nic));
}
