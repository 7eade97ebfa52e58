//! VMs and volumes, as far as they are victims of what happens below them: they come from seeds and
//! are only queried here.

use serde_json::{Value, json};

use super::Module;
use crate::emulator::query::View;
use crate::emulator::store::{Family, Relation, Row, Store, str_of};

pub static VM: Family = Family {
    name: "vm",
    vo: "VmInstanceVO",
    indexes: &["hostUuid", "lastHostUuid", "clusterUuid", "zoneUuid", "rootVolumeUuid"],
    soft_delete: false,
    relations: &[
        ("zone", Relation::One { member: "zoneUuid", family: "zone" }),
        ("cluster", Relation::One { member: "clusterUuid", family: "cluster" }),
        ("host", Relation::One { member: "hostUuid", family: "host" }),
        ("rootVolume", Relation::One { member: "rootVolumeUuid", family: "volume" }),
        ("allVolumes", Relation::Many { family: "volume", member: "vmInstanceUuid" }),
    ],
};

pub static VOLUME: Family = Family {
    name: "volume",
    vo: "VolumeVO",
    indexes: &["primaryStorageUuid", "vmInstanceUuid"],
    soft_delete: false,
    relations: &[
        ("vmInstance", Relation::One { member: "vmInstanceUuid", family: "vm" }),
        (
            "primaryStorage",
            Relation::One { member: "primaryStorageUuid", family: "primaryStorage" },
        ),
        ("localStorageHostRef", Relation::Many { family: "localRef", member: "resourceUuid" }),
    ],
};

static VMS: View = View {
    derived: &["allVolumes", "vmNics"],
    derive: |store, row, out| {
        let volumes = store.table("volume").find("vmInstanceUuid", str_of(row, "uuid"));
        let volumes: Vec<Value> = volumes.map(|volume| VOLUMES.inventory(store, volume)).collect();
        out.insert("allVolumes".into(), Value::Array(volumes));
        out.insert("vmNics".into(), json!([]));
    },
    ..View::plain(
        "QueryVmInstance",
        &VM,
        "org.zstack.header.vm.VmInstanceInventory",
        &[
            "uuid",
            "name",
            "description",
            "zoneUuid",
            "clusterUuid",
            "imageUuid",
            "hostUuid",
            "lastHostUuid",
            "instanceOfferingUuid",
            "rootVolumeUuid",
            "platform",
            "defaultL3NetworkUuid",
            "type",
            "hypervisorType",
            "memorySize",
            "cpuNum",
            "cpuSpeed",
            "allocatorStrategy",
            "createDate",
            "lastOpDate",
            "state",
            "vmNics",
            "allVolumes",
        ],
    )
};

pub static VOLUMES: View = View::plain(
    "QueryVolume",
    &VOLUME,
    "org.zstack.header.volume.VolumeInventory",
    &[
        "uuid",
        "name",
        "description",
        "primaryStorageUuid",
        "vmInstanceUuid",
        "diskOfferingUuid",
        "rootImageUuid",
        "installPath",
        "type",
        "format",
        "size",
        "actualSize",
        "deviceId",
        "state",
        "status",
        "createDate",
        "lastOpDate",
        "isShareable",
    ],
);

pub static MODULE: Module =
    Module { families: &[&VM, &VOLUME], views: &[&VMS, &VOLUMES], operations: &[] };

/// The number of running VMs with a volume on a storage.
pub fn running_on(store: &Store, storage: &str) -> usize {
    let volumes = store.table("volume").find("primaryStorageUuid", storage);
    let vms: std::collections::BTreeSet<&str> = volumes
        .map(|volume| str_of(volume, "vmInstanceUuid"))
        .filter(|vm| {
            store
                .get("vm", vm)
                .is_some_and(|row: &std::sync::Arc<Row>| str_of(row, "state") == "Running")
        })
        .collect();
    vms.len()
}

/// Whether the VM can move to another host: no volume of it lies on a host's own disk, no device of
/// a host is passed through to it.
pub fn can_move(store: &Store, vm: &str) -> bool {
    let mut volumes = store.table("volume").find("vmInstanceUuid", vm);
    let local = volumes.any(|volume| {
        store.table("localRef").with("resourceUuid", str_of(volume, "uuid")).is_some()
    });
    !local && !super::device::holds(store, vm)
}
