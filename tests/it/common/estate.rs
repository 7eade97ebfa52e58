//! Clouds with objects of every type as data. In: objects with attributes, attachments, parts and
//! tags. Out: the configuration that declares them, and lines that say what a cloud must hold then,
//! to be compared with what it holds. Knows nothing of ids.

use std::collections::{BTreeMap, BTreeSet};

use reqwest::Method;
use serde_json::{Value, json};

use super::cloud::Cloud;
use super::process::Rackform;
use super::topology::{digest, ids_of_state};

/// Environment variables with a password each, which is [`password`] of the name.
pub const PASSWORDS: [&str; 2] = ["SSH_A", "SSH_B"];

/// Attributes whose value names an environment variable.
const SECRETS: [&str; 3] = ["password", "chap_user_password", "ssh_password"];

/// How the emulator keeps a type.
struct Shape {
    kind: &'static str,
    family: &'static str,
    /// The member `type` of the rows; empty where the family is of one type.
    class: &'static str,
    /// Attributes that configurations set, and the members that hold them.
    attrs: &'static [(&'static str, &'static str)],
    ends: Option<&'static Ends>,
    mons: Option<(&'static str, &'static str)>,
}

/// An attachment: its attribute, that of the other side, the family and its two members.
struct Ends {
    link: &'static str,
    other: &'static str,
    family: &'static str,
    owner: &'static str,
    to: &'static str,
}

const STORAGE: Ends = Ends {
    link: "clusters",
    other: "primary_storage",
    family: "primaryStorageClusterRef",
    owner: "primaryStorageUuid",
    to: "clusterUuid",
};
const IMAGES: Ends = Ends {
    link: "zones",
    other: "backup_storage",
    family: "backupStorageZoneRef",
    owner: "backupStorageUuid",
    to: "zoneUuid",
};
const ISCSI: Ends = Ends {
    link: "clusters",
    other: "iscsi_servers",
    family: "iscsiClusterRef",
    owner: "iscsiServerUuid",
    to: "clusterUuid",
};
const NETWORK: Ends = Ends {
    link: "clusters",
    other: "l2_networks",
    family: "l2ClusterRef",
    owner: "l2NetworkUuid",
    to: "clusterUuid",
};

const PLAIN: Shape = Shape { kind: "", family: "", class: "", attrs: &[], ends: None, mons: None };
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

const SHAPES: [Shape; 16] = [
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
];

/// An object.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Thing {
    /// Numbers and texts; references are addresses.
    pub attrs: BTreeMap<&'static str, Value>,
    /// Labels of what it is attached to, for those that can be.
    pub to: BTreeSet<String>,
    /// Whether its attachments are declared on the other side.
    pub from_others: bool,
    /// Host names of Ceph monitors, and the variables with their passwords.
    pub mons: BTreeMap<String, &'static str>,
    pub disks: BTreeSet<String>,
    pub user_tags: BTreeSet<&'static str>,
    pub system_tags: BTreeSet<&'static str>,
}

impl Thing {
    pub fn new<const N: usize>(attrs: [(&'static str, Value); N]) -> Thing {
        Thing { attrs: attrs.into(), ..Thing::default() }
    }
}

/// A cloud; keys are addresses, whose labels are names too and differ all from each other.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Estate {
    pub things: BTreeMap<String, Thing>,
}

/// The password in a variable.
pub fn password(variable: &str) -> String {
    format!("not-a-real-password-of-{variable}")
}

fn label(address: &str) -> &str {
    address.split_once('.').map_or(address, |(_, label)| label)
}

fn shape(address: &str) -> &'static Shape {
    let kind = address.split('.').next().expect("split gives one");
    SHAPES.iter().find(|s| s.kind == kind).unwrap_or_else(|| panic!("no shape of {address}"))
}

fn list(of: impl IntoIterator<Item = String>) -> String {
    format!("{:?}", of.into_iter().collect::<Vec<_>>())
}

impl Estate {
    pub fn add(&mut self, address: impl Into<String>, thing: Thing) {
        self.things.insert(address.into(), thing);
    }

    pub fn has(&self, address: &str) -> bool {
        self.things.contains_key(address)
    }

    /// Blocks of the configuration. Every list is written down, empty ones too.
    pub fn blocks(&self) -> String {
        self.things.iter().map(|(address, thing)| self.block(address, thing)).collect()
    }

    fn block(&self, address: &str, thing: &Thing) -> String {
        let shape = shape(address);
        let mut lines = vec![format!("[{address}]")];
        for (name, value) in &thing.attrs {
            lines.push(match SECRETS.contains(name) {
                true => format!("{name} = '${{env({value})}}'"),
                false => format!("{name} = {value}"),
            });
        }
        match shape.kind {
            "cluster" => lines.push("hypervisor_type = \"KVM\"".into()),
            "host" | "imagestore_backup_storage" | "sftp_backup_storage" => {
                lines.push("username = \"root\"".into());
            }
            "ceph_pool" => lines.push("type = \"Data\"".into()),
            _ => {}
        }
        if let Some(ends) = shape.ends {
            let kind = ends.link.trim_end_matches('s');
            let own = thing.to.iter().filter(|_| !thing.from_others);
            lines.push(format!("{} = {}", ends.link, list(own.map(|to| format!("{kind}.{to}")))));
        }
        for other in others_of(shape.kind) {
            let here = self.things.iter().filter(|(from, thing)| {
                let ends = self::shape(from).ends;
                ends.is_some_and(|e| e.other == *other)
                    && thing.from_others
                    && thing.to.contains(label(address))
            });
            lines.push(format!("{other} = {}", list(here.map(|(from, _)| from.clone()))));
        }
        let mon = |(host, variable): (&String, &&str)| {
            format!(
                "{{ hostname = {host:?}, ssh_username = \"root\", ssh_password = '${{env({variable:?})}}' }}"
            )
        };
        if shape.mons.is_some() {
            let mons: Vec<String> = thing.mons.iter().map(mon).collect();
            lines.push(format!("mons = [{}]", mons.join(", ")));
        }
        if shape.class == "SharedBlock" {
            lines.push(format!("disks = {}", list(thing.disks.clone())));
        }
        lines.push(format!("user_tags = {}", list(thing.user_tags.iter().map(|t| t.to_string()))));
        let system = thing.system_tags.iter().map(|t| t.to_string());
        lines.push(format!("system_tags = {}", list(system)));
        lines.join("\n") + "\n"
    }

    /// Writes the configuration for a cloud.
    pub fn declare(&self, rackform: &Rackform, cloud: &Cloud) {
        rackform.write("main.rack.toml", &format!("{}{}", cloud.provider(), self.blocks()));
    }

    /// One line per object, attachment, element and tag that a cloud holds after an apply.
    pub fn lines(&self) -> Vec<String> {
        let mut lines = Vec::new();
        for (address, thing) in &self.things {
            let shape = shape(address);
            let mut line = format!("{} {}", shape.kind, label(address));
            for (name, _) in shape.attrs {
                let value = thing.attrs.get(name).unwrap_or(&Value::Null);
                let text = plain(value);
                let known = match () {
                    () if SECRETS.contains(name) => digest(&password(&text)),
                    () if self.has(&text) => label(&text).to_owned(),
                    () => text,
                };
                line += &format!(" {name}={known}");
            }
            lines.push(line);
            let me = label(address);
            lines.extend(thing.to.iter().map(|to| format!("{me} attached to {to}")));
            let mons = thing.mons.iter();
            lines.extend(mons.map(|(h, v)| format!("{me} mon {h} {}", digest(&password(v)))));
            lines.extend(thing.disks.iter().map(|disk| format!("{me} disk {disk}")));
            lines.extend(thing.user_tags.iter().map(|tag| format!("{me} tag {tag}")));
            lines.extend(thing.system_tags.iter().map(|tag| format!("{me} tag {tag}")));
        }
        lines.sort();
        lines
    }
}

/// The attributes of a type that declare attachments of others to it.
fn others_of(kind: &str) -> &'static [&'static str] {
    match kind {
        "zone" => &["backup_storage"],
        "cluster" => &["primary_storage", "iscsi_servers", "l2_networks"],
        _ => &[],
    }
}

fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        other => other.to_string(),
    }
}

/// All objects of a cloud and the ids under which it has them.
pub struct Live {
    /// As [`Estate::lines`]: what is there twice is here twice.
    pub lines: Vec<String>,
    pub ids: BTreeSet<String>,
}

impl Live {
    /// Reads a cloud past its API.
    pub fn of(cloud: &Cloud) -> Live {
        let rows = |family: &str| -> Vec<Value> {
            let all = cloud.control(Method::GET, &format!("rows/{family}"), None);
            all.as_array().expect("rows").clone()
        };
        let mut objects = Vec::new();
        let mut names: BTreeMap<String, String> = BTreeMap::new();
        for shape in &SHAPES {
            for row in rows(shape.family) {
                // Pools that the server makes with a storage.
                let made = plain(&row["poolName"]).starts_with("pri-");
                if (!shape.class.is_empty() && row["type"] != shape.class) || made {
                    continue;
                }
                let name = if row["name"].is_null() { &row["poolName"] } else { &row["name"] };
                names.insert(plain(&row["uuid"]), plain(name));
                objects.push((shape, row));
            }
        }
        let name = |value: &Value| names.get(&plain(value)).cloned().unwrap_or(plain(value));
        let mut lines = Vec::new();
        for (shape, row) in &objects {
            let mut line = format!("{} {}", shape.kind, name(&row["uuid"]));
            for (attr, member) in shape.attrs {
                let mut known = name(&row[*member]);
                if SECRETS.contains(attr) {
                    known.truncate(12);
                }
                line += &format!(" {attr}={known}");
            }
            lines.push(line);
        }
        for ends in [STORAGE, IMAGES, ISCSI, NETWORK] {
            for row in rows(ends.family) {
                lines.push(format!(
                    "{} attached to {}",
                    name(&row[ends.owner]),
                    name(&row[ends.to])
                ));
            }
        }
        for (family, owner) in SHAPES.iter().filter_map(|shape| shape.mons) {
            for row in rows(family) {
                let digest = plain(&row["sshPasswordDigest"])[..12].to_owned();
                lines.push(format!(
                    "{} mon {} {digest}",
                    name(&row[owner]),
                    plain(&row["hostname"])
                ));
            }
        }
        for row in rows("sharedBlock") {
            let group = name(&row["sharedBlockGroupUuid"]);
            lines.push(format!("{group} disk {}", plain(&row["diskUuid"])));
        }
        for row in ["userTag", "systemTag"].into_iter().flat_map(rows) {
            lines.push(format!("{} tag {}", name(&row["resourceUuid"]), plain(&row["tag"])));
        }
        lines.sort();
        Live { lines, ids: names.into_keys().collect() }
    }
}

/// Asserts that cloud, state and configuration say the same: nothing twice, nothing lost, nothing
/// left over, and nothing to do.
#[track_caller]
pub fn assert_converged(rackform: &Rackform, cloud: &Cloud, wanted: &[String]) {
    let live = Live::of(cloud);
    assert_same_lines(&live.lines, wanted);
    assert_eq!(ids_of_state(rackform), live.ids, "the state knows what is there, and no more");
    rackform.run(&["plan", "--detailed-exitcode"]).expect(0);
    cloud.assert_no_violations();
}

#[track_caller]
fn assert_same_lines(live: &[String], wanted: &[String]) {
    let more = |a: &[String], b: &[String]| -> Vec<String> {
        let mut rest = b.to_vec();
        let mut keeps = |line: &&String| match rest.iter().position(|other| other == *line) {
            Some(at) => {
                rest.remove(at);
                false
            }
            None => true,
        };
        a.iter().filter(|line| keeps(line)).cloned().collect()
    };
    let (extra, missing) = (more(live, wanted), more(wanted, live));
    assert!(
        extra.is_empty() && missing.is_empty(),
        "the cloud holds what the configuration says, once each; too much: {extra:#?}, missing: {missing:#?}"
    );
}

/// What iSCSI servers of a cloud offer: `(address, disk)`.
pub fn offer(cloud: &Cloud, luns: &[(&str, &str)]) {
    for (server, wwid) in luns {
        cloud.drift(json!({
            "family": "description", "op": "put", "uuid": format!("lun/{server}/{wwid}"),
            "row": { "kind": "lun", "owner": server,
                     "members": { "wwid": wwid, "size": 1u64 << 40 } },
        }));
    }
}
