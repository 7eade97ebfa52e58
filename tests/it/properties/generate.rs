//! Topologies that a cloud can have, drawn at random. Labels tell what may not change in place
//! without losing data, so that one topology can follow another.

use std::collections::BTreeSet;

use proptest::prelude::*;

use crate::common::topology::{Cluster, Host, Storage, Topology};

const ZONES: usize = 2;
const CLUSTERS: usize = 4;
const HOSTS: usize = 6;
/// Local and NFS storage by turns, half of them in each zone.
const STORAGE: usize = 4;

type DrawnCluster = (usize, bool);
type DrawnHost = (usize, u8, bool);
type DrawnStorage = ([bool; CLUSTERS], bool);

/// Any topology: each object may be absent.
pub fn topology() -> impl Strategy<Value = Topology> {
    let zones = prop::collection::vec(prop::option::weighted(0.8, 0..3u8), ZONES);
    let clusters =
        prop::collection::vec(prop::option::weighted(0.8, (0..ZONES, any::<bool>())), CLUSTERS);
    let host = (0..CLUSTERS, 0..3u8, prop::bool::weighted(0.8));
    let hosts = prop::collection::vec(prop::option::weighted(0.7, host), HOSTS);
    let addresses = Just((1..=HOSTS).collect::<Vec<_>>()).prop_shuffle();
    let storage = (any::<[bool; CLUSTERS]>(), any::<bool>());
    let storage = prop::collection::vec(prop::option::weighted(0.8, storage), STORAGE);
    (zones, clusters, hosts, addresses, storage).prop_map(
        |(zones, clusters, hosts, ips, storage)| {
            let mut topology = Topology { explicit: true, ..Topology::default() };
            for (n, text) in zones.iter().enumerate() {
                if let Some(text) = text {
                    topology.zones.insert(format!("z{n}"), format!("hall {text}"));
                }
            }
            clusters.iter().enumerate().for_each(|(n, c)| add_cluster(&mut topology, n, *c));
            hosts.iter().enumerate().for_each(|(n, h)| add_host(&mut topology, (n, ips[n]), *h));
            storage.iter().enumerate().for_each(|(n, s)| add_storage(&mut topology, n, *s));
            topology
        },
    )
}

fn add_cluster(topology: &mut Topology, n: usize, drawn: Option<DrawnCluster>) {
    let Some((zone, enabled)) = drawn else { return };
    let zone = format!("z{zone}");
    if topology.zones.contains_key(&zone) {
        topology.clusters.insert(format!("c{n}"), Cluster { zone, enabled });
    }
}

fn add_host(topology: &mut Topology, (n, ip): (usize, usize), drawn: Option<DrawnHost>) {
    let Some((cluster, text, enabled)) = drawn else { return };
    let cluster = format!("c{cluster}");
    if topology.clusters.contains_key(&cluster) {
        let (ip, description) = (format!("10.0.0.{ip}"), format!("rack {text}"));
        topology.hosts.insert(format!("h{n}"), Host { cluster, ip, description, enabled });
    }
}

fn add_storage(topology: &mut Topology, n: usize, drawn: Option<DrawnStorage>) {
    let Some((attached, from_clusters)) = drawn else { return };
    let (zone, nfs) = (format!("z{}", n / 2), n % 2 == 1);
    if !topology.zones.contains_key(&zone) {
        return;
    }
    let clusters: BTreeSet<String> = (0..CLUSTERS)
        .filter(|n| attached[*n])
        .map(|n| format!("c{n}"))
        .filter(|label| topology.clusters.get(label).is_some_and(|c| c.zone == zone))
        .collect();
    let url = if nfs { "10.1.0.1:/export" } else { "/zstack_ps" }.to_owned();
    let storage = Storage { nfs, zone, url, clusters, from_clusters };
    topology.storage.insert(format!("s{n}"), storage);
}
