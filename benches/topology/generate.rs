//! A topology of any size, in the three shapes that a benchmark needs.
//!
//! In: a number of hosts. Out: configuration files, a seed for the emulator, and the state of an
//! apply that was cut off after its last call, so that the next one finds every object live and
//! writes it down. The shape: zones of 5,000 hosts, clusters of 100, a local and an NFS storage
//! for each zone, attached to all its clusters, one SSH password for all.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;

use rackform::address::Address;
use rackform::state::identity::client_id;
use rackform::state::secret::{Digester, Secret};
use rackform::state::{Pending, State, format};
use rackform::value::Value;
use serde_json::{Value as Json, json};

const HOSTS_PER_ZONE: usize = 5_000;
const HOSTS_PER_CLUSTER: usize = 100;
const LINEAGE: &str = "00112233445566778899aabbccddeeff";
const SALT: &str = "ffeeddccbbaa99887766554433221100";
const SSH_PASSWORD: &str = "not-a-real-password";

/// So many hosts and what they need.
#[derive(Clone, Copy)]
pub struct Topology {
    pub hosts: usize,
}

/// Hosts `from..to` in one zone, and the clusters that hold them.
struct Zone {
    number: usize,
    clusters: Vec<Cluster>,
}

struct Cluster {
    number: usize,
    hosts: std::ops::Range<usize>,
}

impl Topology {
    /// All objects with an id: zones, clusters, hosts, storage.
    pub fn objects(&self) -> usize {
        let zones = self.zones();
        let clusters: usize = zones.iter().map(|zone| zone.clusters.len()).sum();
        self.hosts + clusters + zones.len() * 3
    }

    /// How many objects and attachments there are of which each kind waits for the one before:
    /// zones, clusters and storage, attachments, hosts.
    pub fn waves(&self) -> [usize; 4] {
        let zones = self.zones();
        let clusters: usize = zones.iter().map(|zone| zone.clusters.len()).sum();
        [zones.len(), clusters + 2 * zones.len(), 2 * clusters, self.hosts]
    }

    fn zones(&self) -> Vec<Zone> {
        let cluster = |number: usize| {
            let first = number * HOSTS_PER_CLUSTER;
            Cluster { number, hosts: first..(first + HOSTS_PER_CLUSTER).min(self.hosts) }
        };
        let per_zone = HOSTS_PER_ZONE / HOSTS_PER_CLUSTER;
        let clusters = self.hosts.div_ceil(HOSTS_PER_CLUSTER);
        (0..clusters.div_ceil(per_zone))
            .map(|number| {
                let own = number * per_zone..((number + 1) * per_zone).min(clusters);
                Zone { number, clusters: own.map(cluster).collect() }
            })
            .collect()
    }

    /// Writes the configuration: one file for what is shared, one for the hosts of each zone.
    pub fn write_configuration(&self, dir: &Path, endpoint: &str) -> std::io::Result<()> {
        let mut shared = format!(
            "[provider.zstack]\nendpoint = {endpoint:?}\naccount = \"admin\"\n\
             password = '${{env(\"ZSTACK_PASSWORD\")}}'\n\n\
             [variable.ssh_password]\ntype = \"string\"\nsensitive = true\n\
             default = {SSH_PASSWORD:?}\n\n"
        );
        for zone in self.zones() {
            shared.push_str(&shared_blocks(&zone));
            let hosts: String = zone.clusters.iter().map(host_blocks).collect();
            std::fs::write(dir.join(format!("hosts-{}.rack.toml", zone.number)), hosts)?;
        }
        std::fs::write(dir.join("main.rack.toml"), shared)
    }

    /// The same topology as a seed: it exists when the emulator starts, under our ids.
    pub fn seed(&self) -> Json {
        let zones: Vec<Json> = self.zones().iter().map(seed_zone).collect();
        json!({ "zones": zones })
    }

    /// The state of an apply that died after its last call: everything pending, nothing entered.
    pub fn cut_off_state(&self) -> Result<Vec<u8>, Box<dyn std::error::Error>> {
        let mut state = State { lineage: LINEAGE.to_owned(), serial: 1, ..State::default() };
        state.secrets.salt = SALT.to_owned();
        let mut digester = Digester::new(SALT);
        let password = Value::str(SSH_PASSWORD);
        for address in self.addresses() {
            let mut digests = BTreeMap::new();
            if address.kind() == "host" {
                let secret = Secret { address: &address, path: "password", value: &password };
                digests.insert(Arc::from("password"), digester.digest(secret)?);
            }
            let pending = Pending {
                kind: address.kind().into(),
                provider: "zstack".into(),
                candidates: vec![client_id(LINEAGE, &address, 0)],
                incarnation: 0,
                unique: Vec::new(),
                dependencies: Vec::new(),
                digests,
            };
            state.pending.insert(address, pending);
        }
        Ok(format::to_text(&state)?)
    }

    fn addresses(&self) -> Vec<Address> {
        let mut all = Vec::with_capacity(self.objects());
        for zone in self.zones() {
            all.push(Address::new("zone", &zone_label(zone.number)));
            all.push(Address::new("local_primary_storage", &local_label(zone.number)));
            all.push(Address::new("nfs_primary_storage", &shared_label(zone.number)));
            for cluster in &zone.clusters {
                all.push(Address::new("cluster", &cluster_label(cluster.number)));
                all.extend(cluster.hosts.clone().map(|n| Address::new("host", &host_label(n))));
            }
        }
        all
    }
}

fn zone_label(number: usize) -> String {
    format!("z{number}")
}
fn cluster_label(number: usize) -> String {
    format!("c{number}")
}
fn host_label(number: usize) -> String {
    format!("h{number}")
}
fn local_label(zone: usize) -> String {
    format!("local{zone}")
}
fn shared_label(zone: usize) -> String {
    format!("shared{zone}")
}
fn management_ip(host: usize) -> String {
    format!("10.{}.{}.{}", host / 62_500, host / 250 % 250, host % 250 + 1)
}
fn export(zone: usize) -> String {
    format!("192.0.2.5:/export/z{zone}")
}

fn shared_blocks(zone: &Zone) -> String {
    let number = zone.number;
    let mut text = format!("[zone.{}]\n\n", zone_label(number));
    let mut clusters = Vec::new();
    for cluster in &zone.clusters {
        let label = cluster_label(cluster.number);
        let zone = zone_label(number);
        text +=
            &format!("[cluster.{label}]\nzone = \"zone.{zone}\"\nhypervisor_type = \"KVM\"\n\n");
        clusters.push(format!("cluster.{label}"));
    }
    let storage = [
        ("local_primary_storage", local_label(number), "/zstack_ps".to_owned()),
        ("nfs_primary_storage", shared_label(number), export(number)),
    ];
    for (kind, label, url) in storage {
        let zone = zone_label(number);
        text += &format!(
            "[{kind}.{label}]\nzone = \"zone.{zone}\"\nurl = {url:?}\nclusters = {clusters:?}\n\n"
        );
    }
    text
}

fn host_blocks(cluster: &Cluster) -> String {
    let mut text = String::new();
    for host in cluster.hosts.clone() {
        let (label, ip) = (host_label(host), management_ip(host));
        let cluster = cluster_label(cluster.number);
        // Writing to a String cannot fail.
        let _ = write!(
            text,
            "[host.{label}]\ncluster = \"cluster.{cluster}\"\nmanagement_ip = \"{ip}\"\n\
             username = \"root\"\npassword = '${{var.ssh_password}}'\n\n"
        );
    }
    text
}

fn seed_zone(zone: &Zone) -> Json {
    let names: Vec<String> = zone.clusters.iter().map(|c| cluster_label(c.number)).collect();
    let clusters: Vec<Json> = zone.clusters.iter().map(seed_cluster).collect();
    let (local, shared) = (local_label(zone.number), shared_label(zone.number));
    named(
        "zone",
        &zone_label(zone.number),
        json!({
            "clusters": clusters,
            "primaryStorage": [
                named("local_primary_storage", &local, json!({
                    "type": "LocalStorage", "url": "/zstack_ps", "clusters": names })),
                named("nfs_primary_storage", &shared, json!({
                    "type": "NFS", "url": export(zone.number), "clusters": names })),
            ],
        }),
    )
}

fn seed_cluster(cluster: &Cluster) -> Json {
    let host = |n: usize| {
        let own = json!({ "managementIp": management_ip(n), "password": SSH_PASSWORD });
        named("host", &host_label(n), own)
    };
    let hosts: Vec<Json> = cluster.hosts.clone().map(host).collect();
    named("cluster", &cluster_label(cluster.number), json!({ "hosts": hosts }))
}

/// The object with its name and the id under which rackform would have created it.
fn named(kind: &str, label: &str, mut object: Json) -> Json {
    object["name"] = json!(label);
    object["uuid"] = json!(&*client_id(LINEAGE, &Address::new(kind, label), 0));
    object
}
