//! What must not come before what, read off the requests of one run. In: what was there before, and
//! the requests in their order. The server refuses most of it anyway; hosts before an attachment
//! it would take, and fail to connect.

use std::collections::{BTreeMap, BTreeSet};

use reqwest::Method;

use crate::common::cloud::{Cloud, Mutation};

/// What was there before a run.
pub struct Before {
    /// The clusters of the hosts, by id.
    hosts: BTreeMap<String, String>,
    /// Shared blocks, which come after the hosts that must see their disks.
    blocks: BTreeSet<String>,
}

/// Where the requests of a kind were, by the id of a cluster or storage.
type Places = BTreeMap<String, Vec<usize>>;

impl Before {
    pub fn of(cloud: &Cloud) -> Before {
        let rows = |family: &str| cloud.control(Method::GET, &format!("rows/{family}"), None);
        let (hosts, storage) = (rows("host"), rows("primaryStorage"));
        let hosts = hosts.as_array().expect("rows").iter();
        let storage = storage.as_array().expect("rows").iter();
        let text =
            |row: &serde_json::Value, name: &str| row[name].as_str().unwrap_or("").to_owned();
        Before {
            hosts: hosts.map(|row| (text(row, "uuid"), text(row, "clusterUuid"))).collect(),
            blocks: storage
                .filter(|row| row["type"] == "SharedBlock")
                .map(|row| text(row, "uuid"))
                .collect(),
        }
    }

    /// Asserts attach before host create in a cluster; host delete before detach from it; detach
    /// before storage delete.
    pub fn assert_order(&self, sent: &[Mutation]) {
        let [mut attached, mut added, mut removed] = [(); 3].map(|()| Places::new());
        let [mut detached, mut let_go, mut deleted] = [(); 3].map(|()| Places::new());
        let put = |places: &mut Places, id: &str, at| {
            places.entry(id.to_owned()).or_default().push(at);
        };
        let group = |request: &&Mutation| {
            request.method == "POST" && request.path == "/primary-storage/sharedblockgroup"
        };
        let id = |m: &Mutation| m.body["params"]["resourceUuid"].as_str().unwrap_or("").to_owned();
        let mut blocks: BTreeSet<String> = sent.iter().filter(group).map(id).collect();
        blocks.extend(self.blocks.iter().cloned());
        for (at, request) in sent.iter().enumerate() {
            let parts: Vec<&str> = request.path.trim_start_matches('/').split('/').collect();
            match (request.method.as_str(), parts.as_slice()) {
                ("POST", ["clusters", _, "primary-storage", storage])
                    if blocks.contains(*storage) => {}
                ("DELETE", ["clusters", _, "primary-storage", storage])
                    if blocks.contains(*storage) =>
                {
                    put(&mut let_go, storage, at);
                }
                ("POST", ["clusters", cluster, "primary-storage", _])
                | ("POST", ["clusters", cluster, "storage-devices", "iscsi", "servers", _]) => {
                    put(&mut attached, cluster, at);
                }
                (
                    "DELETE",
                    ["clusters", cluster, "storage-devices", "iscsi", "servers", server],
                ) => {
                    put(&mut detached, cluster, at);
                    put(&mut let_go, server, at);
                }
                ("DELETE", ["storage-devices", "iscsi", "servers", server]) => {
                    put(&mut deleted, server, at);
                }
                ("POST", ["hosts", "kvm"]) => {
                    let cluster = request.body["params"]["clusterUuid"].as_str();
                    put(&mut added, cluster.expect("a cluster"), at);
                }
                ("DELETE", ["hosts", host]) => put(&mut removed, &self.hosts[*host], at),
                ("DELETE", ["clusters", cluster, "primary-storage", storage]) => {
                    put(&mut detached, cluster, at);
                    put(&mut let_go, storage, at);
                }
                ("DELETE", ["primary-storage", storage]) => put(&mut deleted, storage, at),
                _ => {}
            }
        }
        in_order("attached before hosts are added", &attached, &added);
        in_order("hosts removed before detached", &removed, &detached);
        in_order("detached before deleted", &let_go, &deleted);
    }
}

fn in_order(rule: &str, first: &Places, then: &Places) {
    for (id, at) in first {
        let last = at.iter().max();
        let next = then.get(id).and_then(|at| at.iter().min());
        assert!(next.is_none() || last < next, "{rule}: {id}: {last:?}, {next:?}");
    }
}
