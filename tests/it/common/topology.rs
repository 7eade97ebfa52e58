//! Small clouds as data. In: zones, clusters, hosts, storage and what it is attached to. Out: the
//! configuration that declares them, and lines that say what a cloud must hold then, to be
//! compared with what it holds. Knows nothing of ids.

use std::collections::{BTreeMap, BTreeSet};

use reqwest::Method;
use serde_json::{Value, json};

use super::cloud::Cloud;
use super::process::Rackform;

/// A topology; keys are labels, which are names too.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Topology {
    /// With description.
    pub zones: BTreeMap<String, String>,
    pub clusters: BTreeMap<String, Cluster>,
    pub hosts: BTreeMap<String, Host>,
    pub storage: BTreeMap<String, Storage>,
    /// Whether every list of attachments is written down, empty ones too: an attribute that is
    /// removed forgets its attachments, an empty list detaches them.
    pub explicit: bool,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Cluster {
    pub zone: String,
    pub enabled: bool,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Host {
    pub cluster: String,
    pub ip: String,
    pub description: String,
    pub enabled: bool,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Storage {
    /// `false`: local disks of the hosts.
    pub nfs: bool,
    pub zone: String,
    pub url: String,
    pub clusters: BTreeSet<String>,
    /// Whether the attachments are declared on the clusters.
    pub from_clusters: bool,
}

impl Topology {
    /// `clusters` clusters in a zone, `hosts` hosts spread over them, local and NFS storage
    /// attached to all.
    pub fn uniform(clusters: usize, hosts: usize) -> Topology {
        let mut topology = Topology::default();
        topology.zones.insert("z".into(), "hall".into());
        for n in 0..clusters {
            topology.clusters.insert(format!("c{n}"), Cluster { zone: "z".into(), enabled: true });
        }
        for n in 0..hosts {
            let host = Host {
                cluster: format!("c{}", n % clusters),
                ip: format!("10.0.{}.{}", n / 200, n % 200 + 1),
                description: String::new(),
                enabled: true,
            };
            topology.hosts.insert(format!("h{n}"), host);
        }
        let clusters: BTreeSet<String> = topology.clusters.keys().cloned().collect();
        for (label, nfs, url) in [("l", false, "/zstack_ps"), ("n", true, "10.1.0.1:/export")] {
            let storage = Storage {
                nfs,
                zone: "z".into(),
                url: url.into(),
                clusters: clusters.clone(),
                from_clusters: false,
            };
            topology.storage.insert(label.into(), storage);
        }
        topology
    }

    /// Objects and attachments.
    pub fn size(&self) -> usize {
        let attached: usize = self.storage.values().map(|s| s.clusters.len()).sum();
        self.zones.len() + self.clusters.len() + self.hosts.len() + self.storage.len() + attached
    }

    /// Blocks of the configuration; hosts take their password from `SSH_PASSWORD`.
    pub fn blocks(&self) -> String {
        let mut text = String::new();
        let mut line = |line: String| text.push_str(&(line + "\n"));
        for (label, description) in &self.zones {
            line(format!("[zone.{label}]\ndescription = {description:?}"));
        }
        for (label, cluster) in &self.clusters {
            line(format!("[cluster.{label}]\nzone = \"zone.{}\"", cluster.zone));
            line(format!("hypervisor_type = \"KVM\"\nstate = {:?}", state(cluster.enabled)));
            let mine = |s: &&(&String, &Storage)| s.1.clusters.contains(label);
            let storage = self.storage.iter().filter(|(_, s)| s.from_clusters);
            let storage: Vec<_> = storage.collect();
            if !storage.is_empty() || self.explicit {
                let attached = storage.iter().filter(mine).map(|(label, s)| address(label, s));
                line(format!("primary_storage = {:?}", attached.collect::<Vec<_>>()));
            }
        }
        for (label, host) in &self.hosts {
            line(format!("[host.{label}]\ncluster = \"cluster.{}\"", host.cluster));
            line(format!("management_ip = {:?}\nusername = \"root\"", host.ip));
            line("password = '${env(\"SSH_PASSWORD\")}'".into());
            line(format!("description = {:?}", host.description));
            line(format!("state = {:?}", state(host.enabled)));
        }
        for (label, storage) in &self.storage {
            line(format!("[{}]\nzone = \"zone.{}\"", address(label, storage), storage.zone));
            line(format!("url = {:?}", storage.url));
            if !storage.from_clusters || self.explicit {
                let own = storage.clusters.iter().filter(|_| !storage.from_clusters);
                let clusters: Vec<_> = own.map(|c| format!("cluster.{c}")).collect();
                line(format!("clusters = {clusters:?}"));
            }
        }
        text
    }

    /// Writes the configuration for a cloud.
    pub fn declare(&self, rackform: &Rackform, cloud: &Cloud) {
        rackform.write("main.rack.toml", &format!("{}{}", cloud.provider(), self.blocks()));
    }

    /// One line per object and attachment that a cloud holds after an apply.
    pub fn lines(&self, password: &str) -> Vec<String> {
        let zone = |label: &str| format!("zone {label}");
        let mut lines: Vec<String> =
            self.zones.iter().map(|(label, text)| format!("{} {text:?}", zone(label))).collect();
        for (label, c) in &self.clusters {
            lines.push(format!("cluster {label} in {} {}", c.zone, state(c.enabled)));
        }
        for (label, h) in &self.hosts {
            lines.push(format!(
                "host {label} in {} {} {:?} {} {}",
                h.cluster,
                h.ip,
                h.description,
                state(h.enabled),
                digest(password)
            ));
        }
        for (label, s) in &self.storage {
            let kind = if s.nfs { "NFS" } else { "LocalStorage" };
            lines.push(format!("{kind} {label} in {} {}", s.zone, s.url));
            lines.extend(s.clusters.iter().map(|c| format!("{kind} {label} attached to {c}")));
        }
        lines.sort();
        lines
    }
}

fn state(enabled: bool) -> &'static str {
    if enabled { "Enabled" } else { "Disabled" }
}

fn address(label: &str, storage: &Storage) -> String {
    let kind = if storage.nfs { "nfs_primary_storage" } else { "local_primary_storage" };
    format!("{kind}.{label}")
}

/// What the emulator keeps of a password.
pub fn digest(password: &str) -> String {
    let key = blake3::derive_key("rackform emulator password", password.as_bytes());
    blake3::Hash::from_bytes(key).to_hex()[..12].to_owned()
}

/// All objects of a cloud and the ids under which it has them.
pub struct Live {
    /// As [`Topology::lines`]: what is there twice is here twice.
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
        let tables = ["zone", "cluster", "host", "primaryStorage"].map(rows);
        let mut names = BTreeMap::new();
        for row in tables.iter().flatten() {
            names.insert(text(row, "uuid").to_owned(), text(row, "name").to_owned());
        }
        let name = |row: &Value, member: &str| names.get(text(row, member)).cloned();
        let of = |row: &Value, member: &str| name(row, member).unwrap_or("nothing".into());
        let [zones, clusters, hosts, storage] = &tables;
        let mut lines = Vec::new();
        for row in zones {
            lines.push(format!("zone {} {:?}", text(row, "name"), text(row, "description")));
        }
        for row in clusters {
            let (label, state) = (text(row, "name"), text(row, "state"));
            lines.push(format!("cluster {label} in {} {state}", of(row, "zoneUuid")));
        }
        for row in hosts {
            lines.push(format!(
                "host {} in {} {} {:?} {} {}",
                text(row, "name"),
                of(row, "clusterUuid"),
                text(row, "managementIp"),
                text(row, "description"),
                text(row, "state"),
                &text(row, "passwordDigest")[..12]
            ));
        }
        let kinds: BTreeMap<_, _> =
            storage.iter().map(|row| (text(row, "uuid"), text(row, "type"))).collect();
        for row in storage {
            let (kind, label) = (text(row, "type"), text(row, "name"));
            lines.push(format!("{kind} {label} in {} {}", of(row, "zoneUuid"), text(row, "url")));
        }
        for row in rows("primaryStorageClusterRef") {
            let kind = kinds.get(text(&row, "primaryStorageUuid")).copied().unwrap_or("storage");
            let (label, cluster) = (of(&row, "primaryStorageUuid"), of(&row, "clusterUuid"));
            lines.push(format!("{kind} {label} attached to {cluster}"));
        }
        lines.sort();
        Live { lines, ids: names.into_keys().collect() }
    }
}

fn text<'a>(row: &'a Value, member: &str) -> &'a str {
    row[member].as_str().unwrap_or_default()
}

/// Ids of the objects that the state says exist, and whether it holds anything unsettled.
pub fn ids_of_state(rackform: &Rackform) -> BTreeSet<String> {
    let state: Value = serde_json::from_str(&rackform.read("rackform.state.json")).expect("JSON");
    assert_eq!(state["pending"], json!({}), "nothing is pending after an apply");
    let entries = state["entries"].as_object().expect("entries").iter();
    // Attachments, whose addresses end with a key after a member, carry the id of the other end.
    let objects = entries.filter(|(address, _)| !address.contains('['));
    objects.map(|(_, entry)| text(entry, "id").to_owned()).collect()
}

/// Asserts that cloud, state and configuration say the same: nothing twice, nothing lost, nothing
/// left over, and nothing to do.
#[track_caller]
pub fn assert_converged(rackform: &Rackform, cloud: &Cloud, wanted: &[String]) {
    let live = Live::of(cloud);
    assert_eq!(live.lines, wanted, "the cloud holds what the configuration says, once each");
    assert_eq!(ids_of_state(rackform), live.ids, "the state knows what is there, and no more");
    rackform.run(&["plan", "--detailed-exitcode"]).expect(0);
    cloud.assert_no_violations();
}
