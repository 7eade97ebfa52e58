//! Clouds with objects of every type, drawn at random. In: numbers for each place. Out: a cloud
//! that a server takes, from any other that is drawn so: what bears data keeps its zone, disks are
//! only added, no two objects swap a unique key (a ring has no order), what the server is too old
//! for is left out.

use std::collections::BTreeSet;
use std::fmt;

use proptest::prelude::*;
use serde_json::json;

use rackform::emulator::ServerVersion;

use crate::common::cloud::Cloud;
use crate::common::estate::{Estate, PASSWORDS, Thing, describe, offer};

/// What is drawn for one place.
#[derive(Clone, Copy, Debug)]
struct Slot {
    there: bool,
    to: [bool; 4],
    from_others: bool,
    a: u8,
    b: u8,
    tags: u8,
}

/// The places, in the order in which they are filled: parents first.
const PLACES: [&str; 42] = [
    "zone.z0",
    "zone.z1",
    "cluster.c0",
    "cluster.c1",
    "cluster.c2",
    "cluster.c3",
    "cluster.b0",
    "cluster.b1",
    "host.h0",
    "host.h1",
    "host.h2",
    "host.h3",
    "host.h4",
    "host.h5",
    "host.y0",
    "host.y1",
    "local_primary_storage.l0",
    "local_primary_storage.l1",
    "nfs_primary_storage.n0",
    "nfs_primary_storage.n1",
    "smp_primary_storage.m0",
    "smp_primary_storage.m1",
    "ceph_primary_storage.q0",
    "ceph_primary_storage.q1",
    "ceph_pool.p0",
    "ceph_pool.p1",
    "imagestore_backup_storage.i0",
    "imagestore_backup_storage.i1",
    "sftp_backup_storage.f0",
    "ceph_backup_storage.k0",
    "iscsi_server.s0",
    "iscsi_server.s1",
    "l2_vlan_network.v0",
    "l2_vlan_network.v1",
    "l2_novlan_network.w0",
    "pci_device_offering.o0",
    "pci_device_offering.o1",
    "pci_device.d0",
    "pci_device.d1",
    "pci_device.d2",
    "usb_device.u0",
    "usb_device.u1",
];

/// Where devices are looked for: few, so that one block often gets what another had.
const HOSTS: [&str; 3] = ["host.h0", "host.h3", "host.y0"];

/// Virtual machines, which run nowhere: any device can be theirs.
const VMS: [&str; 2] = ["0000000000004000800000000000aaaa", "0000000000004000800000000000bbbb"];

/// What is drawn and servers before 5.0 do not have.
const NEWER: [(&str, &str); 6] = [
    ("zone", "is_default"),
    ("cluster", "architecture"),
    ("l2_vlan_network", "vswitch_type"),
    ("l2_novlan_network", "vswitch_type"),
    ("ceph_pool", "type"),
    ("pci_device", "name"),
];

/// The corner of the shared blocks: their storage, and its iSCSI servers.
const BLOCKS: [&str; 3] = ["sharedblock_primary_storage.x0", "iscsi_server.t0", "iscsi_server.t1"];

/// Disks of the two servers of the corner.
const LUNS: [(&str, &str); 4] =
    [("10.4.1.0", "36000"), ("10.4.1.0", "36001"), ("10.4.1.1", "36002"), ("10.4.1.1", "36003")];

/// What is drawn for all places.
#[derive(Clone)]
pub struct Drawn(Vec<Slot>);

/// Places that change.
#[derive(Clone)]
pub struct Mask(Vec<bool>);

impl fmt::Debug for Drawn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&estate(self, None).blocks())
    }
}

impl fmt::Debug for Mask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let places = PLACES.iter().chain(&BLOCKS).zip(&self.0);
        f.debug_list().entries(places.filter(|(_, on)| **on).map(|(place, _)| place)).finish()
    }
}

pub fn drawn() -> impl Strategy<Value = Drawn> {
    let slot = (
        prop::bool::weighted(0.8),
        any::<[bool; 4]>(),
        any::<bool>(),
        any::<u8>(),
        any::<u8>(),
        any::<u8>(),
    );
    let slot = slot.prop_map(|(there, to, from_others, a, b, tags)| Slot {
        there,
        to,
        from_others,
        a,
        b,
        tags,
    });
    prop::collection::vec(slot, PLACES.len() + BLOCKS.len()).prop_map(Drawn)
}

/// The first, changed where the mask says so.
pub fn mixed(first: &Drawn, second: &Drawn, mask: &Mask) -> Drawn {
    let pairs = first.0.iter().zip(&second.0).zip(&mask.0);
    Drawn(pairs.map(|((first, second), changed)| if *changed { *second } else { *first }).collect())
}

pub fn mask() -> impl Strategy<Value = Mask> {
    prop::collection::vec(prop::bool::weighted(0.15), PLACES.len() + BLOCKS.len()).prop_map(Mask)
}

/// What a cloud has before anything is applied: every host that is added finds all devices, and
/// there are virtual machines to give them to.
pub fn furnish(cloud: &Cloud) {
    offer(cloud, &LUNS);
    let own = (1..8).chain(101..103);
    for ip in own.map(|n| format!("10.0.0.{n}")) {
        for n in 0..4 {
            let (place, id) = (pci_address(n), format!("0e0{n}"));
            let device = json!({ "pciDeviceAddress": place, "vendorId": "10de", "deviceId": id });
            describe(cloud, ("pci", &ip, &place), device);
        }
        for dev in ["000", "001", "002"] {
            let device = json!({ "busNum": "001", "devNum": dev, "idVendor": "0781" });
            describe(cloud, ("usb", &ip, &format!("001-{dev}")), device);
        }
    }
    for uuid in VMS {
        let row = json!({ "uuid": uuid, "name": uuid, "state": "Stopped" });
        cloud.drift(json!({ "family": "vm", "op": "put", "uuid": uuid, "row": row }));
    }
}

fn pci_address(n: usize) -> String {
    format!("0000:0{n}:00.0")
}

/// What a server of this version can take of it.
pub fn for_server(version: ServerVersion, estate: Estate) -> Estate {
    match version {
        ServerVersion::V3_0 => estate.without(&NEWER),
        ServerVersion::V5_2 => estate,
    }
}

/// Builds what is drawn. `before`: what it is to follow.
pub fn estate(drawn: &Drawn, before: Option<&Estate>) -> Estate {
    let mut estate = Estate::default();
    let mut addresses = BTreeSet::new();
    for (address, slot) in PLACES.iter().zip(&drawn.0) {
        if let Some(mut thing) =
            slot.there.then(|| thing(&estate, address, slot, &mut addresses)).flatten()
        {
            tag(&mut thing, slot);
            estate.add(*address, thing);
        }
    }
    blocks(&mut estate, &drawn.0[PLACES.len()..], before);
    estate
}

fn tag(thing: &mut Thing, slot: &Slot) {
    let chosen = |tags: &[&'static str], shift: usize| -> BTreeSet<&'static str> {
        let bit = |n: &usize| slot.tags >> (n + shift) & 1 == 1;
        (0..tags.len()).filter(bit).map(|n| tags[n]).collect()
    };
    thing.user_tags = chosen(&["rack:1", "owner:a b", "blue"], 0);
    thing.system_tags = chosen(&["drawn::one::1", "drawn::two::2"], 3);
}

fn state(enabled: bool) -> serde_json::Value {
    json!(if enabled { "Enabled" } else { "Disabled" })
}

/// Of what can be in Maintenance.
fn any_state(number: u8) -> serde_json::Value {
    json!(["Enabled", "Enabled", "Disabled", "Maintenance"][usize::from(number % 4)])
}

fn text(slot: &Slot) -> serde_json::Value {
    json!(["", "old", "new"][usize::from(slot.b % 3)])
}

/// A thing at a place, if what it belongs to is there.
fn thing(
    estate: &Estate,
    address: &str,
    slot: &Slot,
    taken: &mut BTreeSet<usize>,
) -> Option<Thing> {
    let (kind, label) = address.split_once('.')?;
    let n = usize::from(label.as_bytes()[1] - b'0');
    let corner = label.starts_with(['b', 'y']);
    let (a, b) = (slot.a, slot.b);
    let there = |address: String| estate.has(&address).then_some(address);
    let secret = json!(PASSWORDS[usize::from(slot.to[1])]);
    let mut thing = match kind {
        "zone" => Thing::new([("description", text(slot)), ("state", state(a % 4 != 0))]),
        "cluster" => {
            let zone = there(if corner { "zone.z0".into() } else { format!("zone.z{}", a % 2) })?;
            Thing::new([
                ("zone", json!(zone)),
                ("description", text(slot)),
                ("state", state(slot.to[0])),
            ])
        }
        "host" => {
            let cluster =
                if corner { format!("cluster.b{n}") } else { format!("cluster.c{}", a % 4) };
            let cluster = there(cluster)?;
            // Its own address or that of the next one, so that no two can swap.
            let ip = if taken.contains(&n) || slot.to[3] { n + 1 } else { n };
            let ip = if corner { 100 + n } else { ip };
            taken.insert(ip);
            Thing::new([
                ("cluster", json!(cluster)),
                ("management_ip", json!(format!("10.0.0.{}", ip + 1))),
                ("description", text(slot)),
                ("state", if corner { state(true) } else { any_state(b) }),
                ("password", secret),
                ("ssh_port", json!(if slot.to[2] { 22 } else { 2222 })),
                ("iommu_state", state(slot.to[0])),
            ])
        }
        "local_primary_storage" | "nfs_primary_storage" | "smp_primary_storage" => {
            let url = match kind {
                "local_primary_storage" => "/zstack_ps".to_owned(),
                "nfs_primary_storage" => format!("10.1.0.1:/export{}", b % 2),
                _ => "/mnt/shared".to_owned(),
            };
            let zone = there(format!("zone.z{n}"))?;
            Thing::new([
                ("zone", json!(zone)),
                ("url", json!(url)),
                ("description", text(slot)),
                ("state", any_state(a)),
            ])
        }
        "ceph_primary_storage" => {
            let zone = there(format!("zone.z{n}"))?;
            let attrs =
                [("zone", json!(zone)), ("description", text(slot)), ("state", any_state(a))];
            with_mons(Thing::new(attrs), slot, n)
        }
        "ceph_backup_storage" => {
            let attrs = [("description", text(slot)), ("state", state(a % 4 != 0))];
            with_mons(Thing::new(attrs), slot, 2)
        }
        "ceph_pool" => Thing::new([
            ("storage", json!(there(format!("ceph_primary_storage.q{n}"))?)),
            ("pool_name", json!(label)),
            ("alias_name", json!(format!("alias {}", a % 2))),
            ("description", text(slot)),
            ("type", json!("Data")),
        ]),
        "imagestore_backup_storage" | "sftp_backup_storage" => {
            let machine = if kind.starts_with('s') { 5 } else { n };
            Thing::new([
                ("hostname", json!(format!("10.3.{}.{machine}", b % 2))),
                ("url", json!("/images")),
                ("description", text(slot)),
                ("state", state(a % 4 != 0)),
                ("password", secret),
            ])
        }
        // Its port is in no update: another one replaces it.
        "iscsi_server" => {
            let mut server = iscsi(&format!("10.4.0.{n}"), 3260 + u16::from(b % 2), slot);
            server.attrs.insert("state", state(a % 3 != 0));
            server
        }
        "l2_vlan_network" | "l2_novlan_network" => {
            let zone = there(format!("zone.z{}", a % 2))?;
            let mut thing = Thing::new([
                ("zone", json!(zone)),
                ("physical_interface", json!(format!("eth{}", b % 2))),
                ("description", text(slot)),
            ]);
            if kind == "l2_vlan_network" {
                thing.attrs.insert("vlan", json!(100 + u32::from(b % 3)));
            }
            thing
        }
        "pci_device_offering" => Thing::new([
            ("vendor_id", json!("10de")),
            ("device_id", json!(format!("0e0{}", a % 3))),
            ("description", text(slot)),
        ]),
        "pci_device" | "usb_device" => device(estate, kind, slot, (n, taken))?,
        _ => panic!("no generator for {address}"),
    };
    newer(kind, &mut thing, slot);
    attach(estate, kind, &mut thing, slot);
    Some(thing)
}

/// Half of them have what only newer servers have.
fn newer(kind: &str, thing: &mut Thing, slot: &Slot) {
    let (name, values) = match kind {
        "zone" => ("is_default", [json!(true), json!(false)]),
        "cluster" => ("architecture", [json!("x86_64"), json!("aarch64")]),
        "l2_vlan_network" | "l2_novlan_network" => {
            ("vswitch_type", [json!("LinuxBridge"), json!("OvsDpdk")])
        }
        _ => return,
    };
    if slot.from_others {
        thing.attrs.insert(name, values[usize::from(slot.b % 2)].clone());
    }
}

/// A device of any host that is there, at its own place or that of the next one. A virtual machine
/// can only have what is Enabled.
fn device(
    estate: &Estate,
    kind: &str,
    slot: &Slot,
    (n, taken): (usize, &mut BTreeSet<usize>),
) -> Option<Thing> {
    let at = usize::from(slot.a) % HOSTS.len();
    let host = estate.has(HOSTS[at]).then_some(HOSTS[at])?;
    let number = |n| 1000 * (at + 1) + 100 * usize::from(kind == "usb_device") + n;
    let n = if taken.contains(&number(n)) || slot.from_others { n + 1 } else { n };
    taken.insert(number(n));
    let enabled = slot.to[0] || slot.to[1];
    let mut thing = Thing::new([
        ("host", json!(host)),
        ("description", text(slot)),
        ("state", state(enabled)),
        ("name", json!(format!("device {}", slot.b % 2))),
    ]);
    let vm = enabled && slot.to[2];
    thing.to = vm.then(|| VMS[usize::from(slot.to[3])].to_owned()).into_iter().collect();
    let own = match kind {
        "pci_device" => [
            ("pci_device_address", pci_address(n)),
            ("meta_data", ["", "rack:1", "rack:2"][usize::from(slot.b / 3 % 3)].to_owned()),
        ],
        _ => [("bus_num", "001".to_owned()), ("dev_num", format!("00{n}"))],
    };
    thing.attrs.extend(own.map(|(name, value)| (name, json!(value))));
    Some(thing)
}

/// Attaches to clusters of its zone, or to zones.
fn attach(estate: &Estate, kind: &str, thing: &mut Thing, slot: &Slot) {
    if !kind.ends_with("storage") && !kind.ends_with("network") && kind != "iscsi_server" {
        return;
    }
    thing.from_others = slot.from_others;
    let zone = thing.attrs.get("zone");
    let ends = (0..4).filter(|n| slot.to[*n]).map(|n| match kind.ends_with("backup_storage") {
        true => (format!("zone.z{n}"), format!("z{n}")),
        false => (format!("cluster.c{n}"), format!("c{n}")),
    });
    let fits = |(address, _): &(String, String)| {
        let end = estate.things.get(address);
        end.is_some_and(|end| zone.is_none() || end.attrs.get("zone") == zone)
    };
    thing.to = ends.filter(fits).map(|(_, label)| label).collect();
}

/// One to three monitors of three machines.
fn with_mons(mut thing: Thing, slot: &Slot, n: usize) -> Thing {
    let chosen = slot.a % 7 + 1;
    for mon in (0..3).filter(|mon| chosen >> mon & 1 == 1) {
        let secret = PASSWORDS[usize::from(slot.b >> mon & 1)];
        thing.mons.insert(format!("10.2.{n}.{mon}"), secret);
    }
    thing
}

fn iscsi(ip: &str, port: u16, slot: &Slot) -> Thing {
    Thing::new([
        ("ip", json!(ip)),
        ("port", json!(port)),
        ("state", json!("Enabled")),
        ("chap_user_name", json!(format!("user{}", slot.b % 2))),
        ("chap_user_password", json!(PASSWORDS[usize::from(slot.to[1])])),
    ])
}

/// Shared blocks, the iSCSI servers that have their disks, and clusters of their own, whose hosts
/// see all disks.
fn blocks(estate: &mut Estate, drawn: &[Slot], before: Option<&Estate>) {
    let [storage, servers @ ..] = drawn else { return };
    let kept = before.and_then(|b| b.things.get(BLOCKS[0])).map(|thing| &thing.disks);
    let mut disks: BTreeSet<String> = kept.cloned().unwrap_or_default();
    let first = usize::from(storage.a % 4);
    disks.extend((0..4).filter(|n| storage.to[*n] || *n == first).map(|n| LUNS[n].1.to_owned()));
    let usable =
        |n: &usize| estate.has(&format!("cluster.b{n}")) && estate.has(&format!("host.y{n}"));
    let to: BTreeSet<String> = (0..2).filter(usable).map(|n| format!("b{n}")).collect();
    // One of them, unless both are drawn.
    let to: BTreeSet<String> = match storage.b % 3 {
        0 => to.iter().take(1).cloned().collect(),
        1 => to.iter().skip(to.len().saturating_sub(1)).cloned().collect(),
        _ => to,
    };
    let there = storage.there && !to.is_empty();
    for (n, slot) in servers.iter().enumerate() {
        let ip = format!("10.4.1.{n}");
        let needed =
            there && LUNS.iter().any(|(server, disk)| *server == ip && disks.contains(*disk));
        let drawn = (0..2).filter(|n| slot.to[*n] && estate.has(&format!("cluster.b{n}")));
        let mut server = iscsi(&ip, 3260, slot);
        server.from_others = slot.from_others;
        server.to = drawn.map(|n| format!("b{n}")).collect();
        if needed {
            server.to.extend(to.iter().cloned());
        }
        if needed || slot.there {
            tag(&mut server, slot);
            estate.add(BLOCKS[n + 1], server);
        }
    }
    if there {
        let zone = ("zone", json!("zone.z0"));
        let attrs = [zone, ("description", text(storage)), ("state", any_state(storage.a))];
        let mut thing = Thing { to, disks, from_others: storage.from_others, ..Thing::new(attrs) };
        tag(&mut thing, storage);
        estate.add(BLOCKS[0], thing);
    }
}
