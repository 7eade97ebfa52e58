//! VMs and volumes, as far as they are victims of what happens below them: they come from seeds and
//! are only queried here.

use serde_json::{Value, json};

use super::Module;
use crate::emulator::query::View;
use crate::emulator::store::{Family, Relation, Row, Store, Tx, str_of};

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
        ("vmNics", Relation::Many { family: "vmNic", member: "vmInstanceUuid" }),
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
        out.insert("vmNics".into(), super::vm_nic::of_vm(store, str_of(row, "uuid")).into());
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

/// Members of a seeded VM that are no members of its row.
const HOLDERS: [&str; 3] = ["localStorage", "volumes", "host"];

/// Puts a VM of a seed with its volumes: the root volume and those that its `volumes` names. `place`
/// says where it is and in which state; with `on_disk` the volumes lie on its host's own disk.
pub fn settle(
    tx: &mut Tx<'_>,
    uuid: &str,
    (given, place): (&Row, Value),
    (storage, on_disk): (Option<&str>, bool),
) {
    let defaults = json!({ "type": "UserVm", "hypervisorType": "KVM", "memorySize": 1u64 << 30,
        "cpuNum": 1, "platform": "Linux", "createDate": tx.now, "lastOpDate": tx.now });
    let mut row = object(defaults);
    row.extend(object(place));
    let own = given.iter().filter(|(name, _)| !HOLDERS.contains(&name.as_str()));
    row.extend(own.map(|(name, value)| (name.clone(), value.clone())));
    row.retain(|_, value| !value.is_null());
    let uuid = match str_of(&row, "uuid") {
        "" => uuid.to_owned(),
        given => given.to_owned(),
    };
    let host = row.get("hostUuid").cloned().unwrap_or(Value::Null);
    let root = json!({ "name": format!("ROOT-for-{}", str_of(&row, "name")), "type": "Root" });
    let mut volumes = vec![object(root)];
    let more = given.get("volumes").and_then(Value::as_array);
    volumes.extend(more.into_iter().flatten().cloned().map(object));
    row.insert("uuid".into(), json!(uuid));
    row.insert("rootVolumeUuid".into(), json!(super::computed_uuid(&format!("{uuid}/0"))));
    tx.put("vm", &uuid, row);
    for (at, members) in volumes.into_iter().enumerate() {
        let volume = super::computed_uuid(&format!("{uuid}/{at}"));
        let mut row =
            object(json!({ "size": 10u64 << 30, "actualSize": 1u64 << 30, "type": "Data",
            "format": "qcow2", "deviceId": at, "state": "Enabled", "status": "Ready",
            "isShareable": false, "vmInstanceUuid": uuid, "uuid": volume,
            "createDate": tx.now, "lastOpDate": tx.now }));
        row.extend(storage.map(|uuid| ("primaryStorageUuid".to_owned(), json!(uuid))));
        row.extend(members);
        if on_disk {
            let link = json!({ "resourceUuid": volume, "hostUuid": host, "primaryStorageUuid": storage,
                "size": row.get("size"), "resourceType": "VolumeVO", "createDate": tx.now, "lastOpDate": tx.now });
            tx.put("localRef", &volume, object(link));
        }
        tx.put("volume", &volume, row);
    }
}

fn object(value: Value) -> Row {
    match value {
        Value::Object(members) => members,
        _ => Row::new(),
    }
}

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
