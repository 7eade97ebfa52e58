//! The objects that the examples' ids stand for. In: an example's text with `{object}` in it. Out:
//! an emulator with these objects, and the text with their ids. Objects are made when an example
//! asks for them; what is seeded is there always.

use std::collections::BTreeMap;

use rackform::emulator::ServerVersion;
use serde_json::{Value, json};

use crate::common::raw::{Api, text};

/// Every object that an example may name.
pub const OBJECTS: [&str; 33] = [
    "zone",
    "other_zone",
    "cluster",
    "host",
    "other_host",
    "vm",
    "volume",
    "ceph_volume",
    "image",
    "exported_image",
    "ceph_image",
    "pci",
    "attached_pci",
    "pci_offering",
    "usb",
    "attached_usb",
    "local",
    "spare",
    "ceph",
    "other_ceph",
    "ceph_mon",
    "ceph_pool",
    "shared_block",
    "block",
    "disk",
    "image_store",
    "ceph_backup",
    "other_ceph_backup",
    "ceph_backup_mon",
    "iscsi",
    "free_iscsi",
    "lun",
    "session",
];

const DISK: &str = "3600508b400105e210000900000490000";
const OTHER_DISK: &str = "3600508b400105e210000900000490001";

pub struct World {
    pub api: Api,
    ids: BTreeMap<&'static str, String>,
}

impl World {
    /// A cloud with these objects and those that `texts` name. What preparing it recorded is
    /// forgotten.
    pub async fn prepare(version: ServerVersion, needs: &[String], texts: &[&str]) -> World {
        let mut world = World { api: Api::seeded(version, seed()).await, ids: BTreeMap::new() };
        let named = texts.iter().flat_map(|text| placeholders(text));
        for name in needs.iter().map(String::as_str).chain(named) {
            let name = OBJECTS.into_iter().find(|known| *known == name);
            let name = name.unwrap_or_else(|| panic!("unknown objects in {texts:?}"));
            let id = make(&world.api, name).await;
            world.ids.insert(name, id);
        }
        world.api.control_post("requests/reset", json!({})).await;
        world
    }

    /// `text` with the ids of its objects.
    pub fn fill(&self, text: &str) -> String {
        self.ids
            .iter()
            .fold(text.to_string(), |text, (name, id)| text.replace(&format!("{{{name}}}"), id))
    }
}

/// The names in braces of a text, JSON or not: `{"a": "{zone}"}` has `zone`.
pub fn placeholders(text: &str) -> Vec<&str> {
    let starts = text.match_indices('{').map(|(at, _)| &text[at + 1..]);
    let names = starts.filter_map(|rest| rest.split_once('}').map(|(name, _)| name));
    let is_name =
        |name: &&str| !name.is_empty() && name.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
    names.filter(is_name).collect()
}

fn seed() -> Value {
    json!({
        "zones": [
            {
                "name": "TestZone",
                "description": "test zone",
                "clusters": [{
                    "name": "cluster1",
                    "description": "test",
                    "hosts": [
                        {
                            "name": "one",
                            "description": "example",
                            "managementIp": "10.0.0.1",
                            "vms": [
                                {"name": "web", "localStorage": false},
                                {"name": "parked", "localStorage": true, "state": "Stopped"},
                            ],
                        },
                        {"name": "two", "description": "example", "managementIp": "10.0.0.2"},
                    ],
                }, {"name": "cluster2"}],
                "primaryStorage": [
                    {"type": "LocalStorage", "name": "spare", "url": "/spare"},
                    {
                        "type": "LocalStorage",
                        "name": "PS1",
                        "url": "/zstack_ps",
                        "clusters": ["cluster1"],
                    },
                ],
            },
            {"name": "west", "description": "test"},
        ],
        "backupStorage": [
            {
                "type": "ImageStoreBackupStorage",
                "name": "ImageStore",
                "description": "Public Backup Storage",
                "url": "/data/imagestore",
                "hostname": "10.0.0.7",
                "username": "admin",
                "sshPort": 22,
                "zones": ["TestZone"],
                "images": [{"name": "TinyLinux"}],
            },
            {
                "type": "Ceph",
                "name": "My Ceph Backup Storage",
                "description": "Public Ceph Backup Storage",
                "poolName": "zs-images",
                "zones": ["TestZone"],
                "images": [{
                    "name": "on ceph",
                    "url": "http://images.example.com/tinylinux.qcow2",
                }],
            },
        ],
        "pciDevices": [
            pci("0000:06:00.0", "GPU_3D_Controller"),
            pci("0000:06:00.1", "GPU_Video_Controller"),
        ],
        "usbDevices": [usb("001"), usb("002")],
        "disks": [
            disk(DISK),
            disk(OTHER_DISK),
        ],
    })
}

fn pci(address: &str, kind: &str) -> Value {
    json!({
        "host": "10.0.0.1",
        "pciDeviceAddress": address,
        "vendorId": "10de",
        "deviceId": "0e0f",
        "subvendorId": "10de",
        "subdeviceId": "118b",
        "type": kind,
    })
}

fn usb(number: &str) -> Value {
    json!({
        "host": "10.0.0.1",
        "name": "usb",
        "busNum": "001",
        "devNum": number,
        "idVendor": "0781",
        "idProduct": "5591",
        "iManufacturer": "SanDisk",
        "iProduct": "Ultra USB 3.0",
        "iSerial": format!("000000000{number}"),
        "usbVersion": "3.0",
    })
}

fn disk(wwid: &str) -> Value {
    json!({
        "hosts": ["10.0.0.1", "10.0.0.2"],
        "wwid": wwid,
        "vendor": "DELL",
        "model": "MD32xx",
        "wwn": format!("0x{}", &wwid[1..17]),
        "serial": &wwid[1..],
        "hctl": "",
        "type": "mpath",
        "size": 1u64 << 40,
    })
}

/// Makes an object, or finds it; returns what stands for it in a request.
async fn make(api: &Api, name: &str) -> String {
    match name {
        "zone" => find(api, "/zones", "TestZone").await,
        "other_zone" => find(api, "/zones", "west").await,
        "cluster" => find(api, "/clusters", "cluster1").await,
        "host" => find(api, "/hosts", "one").await,
        "other_host" => find(api, "/hosts", "two").await,
        "vm" => find(api, "/vm-instances", "web").await,
        "volume" => find(api, "/volumes", "ROOT-for-parked").await,
        "local" => find(api, "/primary-storage", "PS1").await,
        "spare" => find(api, "/primary-storage", "spare").await,
        "image_store" => find(api, "/backup-storage", "ImageStore").await,
        "image" => find(api, "/images", "TinyLinux").await,
        "ceph_image" => find(api, "/images", "on ceph").await,
        "disk" => OTHER_DISK.to_string(),
        "session" => api.session.clone(),
        "exported_image" => exported_image(api).await,
        "pci" => first(api, "/pci-device/pci-devices?q=vmInstanceUuid is null", "uuid").await,
        "usb" => first(api, "/usb-device/usb-devices?q=vmInstanceUuid is null", "uuid").await,
        "attached_pci" => attached(api, "/pci-device/pci-devices").await,
        "attached_usb" => attached(api, "/usb-device/usb-devices").await,
        "pci_offering" => pci_offering(api).await,
        "shared_block" => shared_block(api).await,
        "block" => {
            shared_block(api).await;
            first(api, "/sharedblock-group/sharedblocks", "uuid").await
        }
        "iscsi" => iscsi(api, "10.0.0.201", true).await,
        "free_iscsi" => iscsi(api, "10.0.0.202", false).await,
        "lun" => {
            iscsi(api, "10.0.0.201", true).await;
            first(api, "/storage-devices/iscsi/luns", "uuid").await
        }
        name => make_ceph(api, name).await,
    }
}

async fn make_ceph(api: &Api, name: &str) -> String {
    let mons = [["10.0.1.1", "10.0.1.2"], ["10.0.2.1", "10.0.2.2"]];
    match name {
        "ceph" => ceph(api, "My Ceph Primary Storage", &mons[0]).await,
        "other_ceph" => ceph(api, "other ceph", &mons[1]).await,
        "ceph_mon" => {
            let storage = ceph(api, "My Ceph Primary Storage", &mons[0]).await;
            mon(api, "/primary-storage/ceph", &storage).await
        }
        "ceph_pool" => ceph_pool(api, &ceph(api, "My Ceph Primary Storage", &mons[0]).await).await,
        "ceph_volume" => {
            let storage = ceph(api, "My Ceph Primary Storage", &mons[0]).await;
            ceph_volume(api, &storage).await
        }
        "ceph_backup" => ceph_backup(api, &mons[0]).await,
        "ceph_backup_mon" => {
            let storage = ceph_backup(api, &mons[0]).await;
            mon(api, "/backup-storage/ceph", &storage).await
        }
        "other_ceph_backup" => other_ceph_backup(api).await,
        name => panic!("no object {name}"),
    }
}

/// The id of the only row with a name.
async fn find(api: &Api, path: &str, name: &str) -> String {
    let row = api.one(&format!("{path}?q=name={}", encoded(name))).await;
    text(&row, "uuid").to_string()
}

async fn exists(api: &Api, path: &str, name: &str) -> bool {
    !api.rows(&format!("{path}?q=name={}", encoded(name))).await.is_empty()
}

/// A member of the first row of a query.
async fn first(api: &Api, path: &str, member: &str) -> String {
    let rows = api.rows(&encoded(path)).await;
    let row = rows.first().unwrap_or_else(|| panic!("no row of {path}"));
    text(row, member).to_string()
}

fn encoded(text: &str) -> String {
    text.replace(' ', "%20")
}

async fn create(api: &Api, path: &str, params: Value) -> Value {
    let accepted = api.post(path, json!({ "params": params })).await;
    api.inventory(accepted).await
}

/// Attaches by URL alone.
async fn link(api: &Api, path: &str) {
    let request = api.request(reqwest::Method::POST, path);
    let accepted = api.send(request).await;
    api.inventory(accepted).await;
}

async fn attach_storage(api: &Api, storage: &str) {
    let cluster = find(api, "/clusters", "cluster1").await;
    link(api, &format!("/clusters/{cluster}/primary-storage/{storage}")).await;
}

fn urls(hosts: &[&str]) -> Vec<String> {
    hosts.iter().map(|host| format!("root:invented@{host}")).collect()
}

async fn ceph(api: &Api, name: &str, hosts: &[&str]) -> String {
    if !exists(api, "/primary-storage/ceph", name).await {
        let params = json!({
            "name": name,
            "description": "Public Ceph Primary Storage",
            "url": "not used",
            "zoneUuid": find(api, "/zones", "TestZone").await,
            "monUrls": urls(hosts),
        });
        let row = create(api, "/primary-storage/ceph", params).await;
        // Two of the same url cannot be on one cluster.
        if name == "other ceph" {
            let uuid = text(&row, "uuid");
            let row = json!({"family": "primaryStorage", "op": "patch", "uuid": uuid,
                             "row": {"url": "not used either"}});
            api.control_post("rows", row).await;
        }
        attach_storage(api, text(&row, "uuid")).await;
    }
    find(api, "/primary-storage/ceph", name).await
}

/// The first monitor's id.
async fn mon(api: &Api, path: &str, storage: &str) -> String {
    let row = api.one(&format!("{path}?q=uuid={storage}")).await;
    text(&row["mons"][0], "monUuid").to_string()
}

async fn ceph_pool(api: &Api, storage: &str) -> String {
    let params = json!({
        "poolName": "highPerformance",
        "aliasName": "alias pool name",
        "description": "for high performance data volumes",
        "isCreate": true,
        "type": "Data",
    });
    let row = create(api, &format!("/primary-storage/ceph/{storage}/pools"), params).await;
    text(&row, "uuid").to_string()
}

/// The root volume of a VM that is not running, on Ceph.
async fn ceph_volume(api: &Api, storage: &str) -> String {
    let vm = json!({"name": "stored", "primaryStorageUuid": storage});
    api.control_post("seed", json!({"vms": [vm]})).await;
    let volume = find(api, "/volumes", "ROOT-for-stored").await;
    let source = json!({
        "diskOfferingUuid": "2af3082d23444be9833c32c53ea2b1ed",
        "rootImageUuid": find(api, "/images", "TinyLinux").await,
    });
    let row = json!({"family": "volume", "op": "patch", "uuid": volume, "row": source});
    api.control_post("rows", row).await;
    volume
}

/// The seeded one, which has no monitors yet.
async fn ceph_backup(api: &Api, hosts: &[&str]) -> String {
    let path = "/backup-storage/ceph";
    let storage = find(api, path, "My Ceph Backup Storage").await;
    let row = api.one(&format!("{path}?q=uuid={storage}")).await;
    if row["mons"].as_array().is_none_or(Vec::is_empty) {
        let params = json!({"monUrls": urls(hosts)});
        create(api, &format!("{path}/{storage}/mons"), params).await;
    }
    storage
}

async fn other_ceph_backup(api: &Api) -> String {
    if !exists(api, "/backup-storage/ceph", "BS-1").await {
        let params = json!({"name": "BS-1", "monUrls": urls(&["10.0.2.1"])});
        let row = create(api, "/backup-storage/ceph", params).await;
        let zone = find(api, "/zones", "TestZone").await;
        link(api, &format!("/zones/{zone}/backup-storage/{}", text(&row, "uuid"))).await;
    }
    find(api, "/backup-storage/ceph", "BS-1").await
}

async fn exported_image(api: &Api) -> String {
    let image = find(api, "/images", "TinyLinux").await;
    let storage = find(api, "/backup-storage", "ImageStore").await;
    let body = json!({"exportImageFromBackupStorage": {"imageUuid": image}});
    let accepted = api.put(&format!("/backup-storage/{storage}/actions"), body).await;
    api.job(accepted).await.expect(200);
    image
}

/// A device that the VM has; attached first if it has none.
async fn attached(api: &Api, path: &str) -> String {
    let vm = find(api, "/vm-instances", "web").await;
    let rows = api.rows(&format!("{path}?q=vmInstanceUuid={vm}")).await;
    if let Some(row) = rows.first() {
        return text(row, "uuid").to_string();
    }
    let device = first(api, &format!("{path}?q=vmInstanceUuid is null"), "uuid").await;
    create(api, &format!("{path}/{device}/attach"), json!({"vmInstanceUuid": vm})).await;
    device
}

async fn pci_offering(api: &Api) -> String {
    let params = json!({"name": "test", "vendorId": "10de", "deviceId": "0e0f"});
    let row = create(api, "/pci-device/pci-device-offerings", params).await;
    text(&row, "uuid").to_string()
}

async fn shared_block(api: &Api) -> String {
    let name = "shared block group primary storage";
    let path = "/primary-storage/sharedblockgroup";
    if !exists(api, path, name).await {
        let params = json!({
            "name": name,
            "description": "shared block group primary storage description",
            "url": "unused",
            "zoneUuid": find(api, "/zones", "TestZone").await,
            "diskUuids": [DISK],
        });
        let row = create(api, path, params).await;
        attach_storage(api, text(&row, "uuid")).await;
    }
    find(api, path, name).await
}

async fn iscsi(api: &Api, ip: &str, attached: bool) -> String {
    let path = "/storage-devices/iscsi/servers";
    let name = format!("iscsi-server-{ip}");
    if !exists(api, path, &name).await {
        let params = json!({"ip": ip, "chapUserName": "username", "chapUserPassword": "invented"});
        let row = create(api, path, params).await;
        // To two clusters, so that a detach leaves one to be shown.
        for cluster in ["cluster1", "cluster2"].iter().filter(|_| attached) {
            let cluster = find(api, "/clusters", cluster).await;
            let server = text(&row, "uuid");
            create(api, &format!("/clusters/{cluster}{path}/{server}"), json!({})).await;
        }
    }
    find(api, path, &name).await
}
