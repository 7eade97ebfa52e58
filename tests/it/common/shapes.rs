//! How the emulator keeps the objects of each type, as data: in which family of rows, under which
//! members, attached by what. Knows nothing of clouds or configurations.

/// How the emulator keeps a type.
pub struct Shape {
    pub kind: &'static str,
    pub family: &'static str,
    /// The member `type` of the rows; empty where the family is of one type.
    pub class: &'static str,
    /// Attributes that configurations set, and the members that hold them.
    pub attrs: &'static [(&'static str, &'static str)],
    /// For what is discovered on a host and not created: those of `attrs` that tell two of a host
    /// apart. With the host's name they stand for a name.
    pub place: &'static [&'static str],
    pub ends: Option<&'static Ends>,
    pub mons: Option<(&'static str, &'static str)>,
}

/// An attachment: its attribute and what an address in it begins with, the attribute of the other
/// side, the family and its two members.
pub struct Ends {
    pub link: &'static str,
    pub prefix: &'static str,
    pub other: &'static str,
    pub family: &'static str,
    pub owner: &'static str,
    pub to: &'static str,
}

const STORAGE: Ends = Ends {
    link: "clusters",
    prefix: "cluster.",
    other: "primary_storage",
    family: "primaryStorageClusterRef",
    owner: "primaryStorageUuid",
    to: "clusterUuid",
};
const IMAGES: Ends = Ends {
    link: "zones",
    prefix: "zone.",
    other: "backup_storage",
    family: "backupStorageZoneRef",
    owner: "backupStorageUuid",
    to: "zoneUuid",
};
const ISCSI: Ends = Ends {
    link: "clusters",
    prefix: "cluster.",
    other: "iscsi_servers",
    family: "iscsiClusterRef",
    owner: "iscsiServerUuid",
    to: "clusterUuid",
};
const NETWORK: Ends = Ends {
    link: "clusters",
    prefix: "cluster.",
    other: "l2_networks",
    family: "l2ClusterRef",
    owner: "l2NetworkUuid",
    to: "clusterUuid",
};

const PCI: Ends = Ends {
    link: "vm",
    prefix: "id:",
    other: "",
    family: "pciDevice",
    owner: "uuid",
    to: "vmInstanceUuid",
};
const USB: Ends = Ends { family: "usbDevice", ..PCI };

/// All attachments.
pub const ENDS: [Ends; 6] = [STORAGE, IMAGES, ISCSI, NETWORK, PCI, USB];

const PLAIN: Shape =
    Shape { kind: "", family: "", class: "", attrs: &[], place: &[], ends: None, mons: None };
const PRIMARY: Shape = Shape { family: "primaryStorage", ends: Some(&STORAGE), ..PLAIN };
const PATH: &[(&str, &str)] =
    &[("zone", "zoneUuid"), ("url", "url"), ("description", "description"), ("state", "state")];
const MACHINE: &[(&str, &str)] = &[
    ("hostname", "hostname"),
    ("url", "url"),
    ("description", "description"),
    ("state", "state"),
    ("password", "passwordDigest"),
];
const BACKUP: Shape =
    Shape { family: "backupStorage", attrs: MACHINE, ends: Some(&IMAGES), ..PLAIN };
const L2: Shape = Shape { family: "l2Network", ends: Some(&NETWORK), ..PLAIN };

pub const SHAPES: [Shape; 18] = [
    Shape {
        kind: "zone",
        family: "zone",
        attrs: &[("description", "description"), ("state", "state")],
        ..PLAIN
    },
    Shape {
        kind: "cluster",
        family: "cluster",
        attrs: &[("zone", "zoneUuid"), ("description", "description"), ("state", "state")],
        ..PLAIN
    },
    Shape {
        kind: "host",
        family: "host",
        attrs: &[
            ("cluster", "clusterUuid"),
            ("management_ip", "managementIp"),
            ("description", "description"),
            ("state", "state"),
            ("password", "passwordDigest"),
            ("ssh_port", "sshPort"),
            ("iommu_state", "iommuState"),
        ],
        ..PLAIN
    },
    Shape { kind: "local_primary_storage", class: "LocalStorage", attrs: PATH, ..PRIMARY },
    Shape { kind: "nfs_primary_storage", class: "NFS", attrs: PATH, ..PRIMARY },
    Shape { kind: "smp_primary_storage", class: "SharedMountPoint", attrs: PATH, ..PRIMARY },
    Shape {
        kind: "ceph_primary_storage",
        class: "Ceph",
        attrs: &[("zone", "zoneUuid"), ("description", "description"), ("state", "state")],
        mons: Some(("cephMon", "primaryStorageUuid")),
        ..PRIMARY
    },
    Shape {
        kind: "sharedblock_primary_storage",
        class: "SharedBlock",
        attrs: &[("zone", "zoneUuid"), ("description", "description"), ("state", "state")],
        ..PRIMARY
    },
    Shape {
        kind: "ceph_pool",
        family: "cephPool",
        attrs: &[
            ("storage", "primaryStorageUuid"),
            ("pool_name", "poolName"),
            ("alias_name", "aliasName"),
            ("description", "description"),
        ],
        ..PLAIN
    },
    Shape { kind: "imagestore_backup_storage", class: "ImageStoreBackupStorage", ..BACKUP },
    Shape { kind: "sftp_backup_storage", class: "SftpBackupStorage", ..BACKUP },
    Shape {
        kind: "ceph_backup_storage",
        class: "Ceph",
        attrs: &[("description", "description"), ("state", "state")],
        mons: Some(("cephBackupMon", "backupStorageUuid")),
        ..BACKUP
    },
    Shape {
        kind: "iscsi_server",
        family: "iscsiServer",
        attrs: &[
            ("ip", "ip"),
            ("port", "port"),
            ("state", "state"),
            ("chap_user_name", "chapUserName"),
            ("chap_user_password", "chapUserPasswordDigest"),
        ],
        ends: Some(&ISCSI),
        ..PLAIN
    },
    Shape {
        kind: "l2_vlan_network",
        class: "L2VlanNetwork",
        attrs: &[
            ("zone", "zoneUuid"),
            ("physical_interface", "physicalInterface"),
            ("vlan", "vlan"),
            ("description", "description"),
        ],
        ..L2
    },
    Shape {
        kind: "l2_novlan_network",
        class: "L2NoVlanNetwork",
        attrs: &[
            ("zone", "zoneUuid"),
            ("physical_interface", "physicalInterface"),
            ("description", "description"),
        ],
        ..L2
    },
    Shape {
        kind: "pci_device_offering",
        family: "pciOffering",
        attrs: &[
            ("vendor_id", "vendorId"),
            ("device_id", "deviceId"),
            ("description", "description"),
        ],
        ..PLAIN
    },
    Shape {
        kind: "pci_device",
        family: "pciDevice",
        attrs: &[
            ("host", "hostUuid"),
            ("pci_device_address", "pciDeviceAddress"),
            ("description", "description"),
            ("state", "state"),
            ("meta_data", "metaData"),
            ("name", "name"),
        ],
        place: &["pci_device_address"],
        ends: Some(&PCI),
        ..PLAIN
    },
    Shape {
        kind: "usb_device",
        family: "usbDevice",
        attrs: &[
            ("host", "hostUuid"),
            ("bus_num", "busNum"),
            ("dev_num", "devNum"),
            ("description", "description"),
            ("state", "state"),
            ("name", "name"),
        ],
        place: &["bus_num", "dev_num"],
        ends: Some(&USB),
        ..PLAIN
    },
];

/// The attributes of a type that declare attachments of others to it.
pub fn others_of(kind: &str) -> &'static [&'static str] {
    match kind {
        "zone" => &["backup_storage"],
        "cluster" => &["primary_storage", "iscsi_servers", "l2_networks"],
        _ => &[],
    }
}

/// The type of an address.
pub fn shape(address: &str) -> &'static Shape {
    let kind = address.split('.').next().expect("split gives one");
    SHAPES.iter().find(|s| s.kind == kind).unwrap_or_else(|| panic!("no shape of {address}"))
}
