//! Seeds: a topology made live at once. In: JSON. Out: rows, in one transaction. No API is run:
//! what a seed describes simply exists, Connected. What is to obey the server's rules instead is
//! written as API calls (`calls.rs`), made after that; many alike are written once (`repeat.rs`).
//!
//! ```json
//! { "zones": [ { "name": "east", "clusters": [ { "name": "a", "hosts": [
//!       { "name": "h1", "managementIp": "10.0.0.1", "vms": [ { "name": "v", "localStorage": true } ] } ] } ],
//!     "primaryStorage": [ { "type": "LocalStorage", "name": "l", "url": "/zstack_ps", "clusters": ["a"] } ] } ],
//!   "backupStorage": [ { "type": "ImageStoreBackupStorage", "name": "b", "url": "/b", "hostname": "10.0.0.7",
//!     "zones": ["east"], "images": [ { "name": "debian" } ] } ],
//!   "unreachable": ["10.0.0.9"],
//!   "passwords": { "10.0.0.1": "the only one that connects" },
//!   "machines": { "10.0.0.1": { "osVersion": "7.4" }, "10.0.1.3": { "fsid": "…", "pools": ["fast"] } },
//!   "accounts": [ { "name": "ci", "password": "p" } ] }
//! ```
//!
//! Members of any object beyond those that hold others (`clusters`, `hosts`, `vms`, …) become
//! members of its row; `uuid` chooses the uuid.
//!
//! What is discovered and not created stands at the top level too (and, without `host`, within a
//! host). It appears when its owner does: a host that is added later finds its devices then.
//!
//! ```toml
//! [[pciDevices]]                      # of a host, by management IP, name or uuid
//! host = "10.0.0.1"
//! pciDeviceAddress = "0000:06:00.0"
//! vendorId = "10de"
//! deviceId = "0e0f"
//! type = "GPU_Video_Controller"
//!
//! [[usbDevices]]
//! host = "10.0.0.1"
//! busNum = "001"
//! devNum = "002"
//! idVendor = "0781"
//! idProduct = "5591"
//!
//! [[luns]]                            # of an iSCSI server, by address; two LUNs where none is given
//! server = "10.0.0.201"
//! wwid = "36b083fe000daf018000015505abbe00a"
//! size = 1099511627776
//!
//! [[vms]]                             # starts, once, when its host is there
//! name = "guest"
//! host = "10.0.0.1"
//! localStorage = true                 # on the host's own disk
//! volumes = [{ name = "data" }]
//!
//! [[disks]]                           # shared block candidates that hosts see without iSCSI
//! hosts = ["10.0.0.1", "10.0.0.2"]
//! wwid = "3600508b400105e210000900000490000"
//! size = 1099511627776
//! ```

mod calls;
mod repeat;

use serde_json::{Map, Value, json};

use super::core::Core;
use super::store::{Row, Tx, str_of};
use super::zstack::{self, Description, Discovered};

/// The members that a seed may have.
const MEMBERS: [&str; 12] = [
    "calls",
    "zones",
    "backupStorage",
    "vms",
    "unreachable",
    "passwords",
    "machines",
    "accounts",
    "pciDevices",
    "usbDevices",
    "luns",
    "disks",
];

/// Those that describe what is discovered: the list, its kind, who owns it, what else it needs.
const DEVICES: [(&str, Discovered, &str, &[&str]); 4] = [
    ("pciDevices", Discovered::Pci, "host", &["pciDeviceAddress", "vendorId", "deviceId"]),
    ("usbDevices", Discovered::Usb, "host", &["busNum", "devNum"]),
    ("luns", Discovered::Lun, "server", &["wwid"]),
    ("disks", Discovered::Disk, "host", &["wwid"]),
];

pub use calls::run as call;
pub use repeat::expand;

/// Reads the text of a seed: TOML where the file's name ends so, else JSON. Errors: what is wrong
/// with the text.
pub fn read(name: &std::path::Path, text: &str) -> Result<Value, String> {
    match name.extension().is_some_and(|extension| extension == "toml") {
        true => toml::from_str(text).map_err(|error| error.to_string()),
        false => serde_json::from_str(text).map_err(|error| error.to_string()),
    }
}

/// Plants a seed at start. Objects are planted once; what is discovered is as the seed says at every
/// start. The seed is an expanded one. Returns whether nothing of it was left out; then its calls
/// are to follow.
pub fn plant_at_start(core: &Core, seed: &Value) -> Result<bool, String> {
    let first = core
        .read(|store| store.table("zone").rows().is_empty() && store.get("meta", "seed").is_none());
    let members = seed.as_object().ok_or("a seed is an object")?;
    check_names(members)?;
    calls::check_finished(core)?;
    if first {
        objects(core, members)?;
    }
    let devices = devices(members)?;
    core.with(|tx| {
        tx.put("meta", "seed", Row::new());
        zstack::describe(tx, devices, true);
    });
    let named = DEVICES.map(|(name, ..)| name);
    Ok(first || members.keys().all(|name| named.contains(&name.as_str())))
}

/// Plants a seed; returns how many rows of each family there are then. Errors: a member of the
/// wrong shape, a reference to a cluster that the zone does not have.
pub fn plant(core: &Core, seed: &Value) -> Result<Value, String> {
    let seed = expand(seed)?;
    let seed = seed.as_object().ok_or("a seed is an object")?;
    check_names(seed)?;
    if seed.contains_key("calls") {
        return Err("'calls' are for the start; make them yourself now".to_owned());
    }
    objects(core, seed)?;
    let devices = devices(seed)?;
    core.with(|tx| zstack::describe(tx, devices, false));
    Ok(json!(core.read(super::core::summary)))
}

fn check_names(seed: &Map<String, Value>) -> Result<(), String> {
    match seed.keys().find(|name| !MEMBERS.contains(&name.as_str())) {
        Some(name) => Err(format!("a seed has no '{name}'; it may have {}", MEMBERS.join(", "))),
        None => Ok(()),
    }
}

/// What a seed says about devices, at the top level and within its hosts.
fn devices(seed: &Map<String, Value>) -> Result<Vec<Description>, String> {
    let mut found = described(seed, None)?;
    for vm in list(seed, "vms")? {
        let vm = object(vm, "vms")?;
        if let Some(host) = vm.get("host").and_then(Value::as_str) {
            let (owner, members) = (host.to_owned(), vm.clone());
            found.push(Description { kind: Discovered::Vm, owner, members });
        }
    }
    for zone in list(seed, "zones")? {
        for cluster in list(object(zone, "zones")?, "clusters")? {
            for host in list(object(cluster, "clusters")?, "hosts")? {
                let host = object(host, "hosts")?;
                found.extend(described(host, Some(str_of(host, "managementIp")))?);
            }
        }
    }
    Ok(found)
}

/// The lists of devices in `holder`, which belong to `owner` unless they say otherwise.
fn described(holder: &Map<String, Value>, owner: Option<&str>) -> Result<Vec<Description>, String> {
    let mut found = Vec::new();
    for (name, kind, owned_by, needed) in DEVICES {
        for device in list(holder, name)? {
            let device = object(device, name)?;
            for member in needed {
                if str_of(device, member).is_empty() {
                    return Err(format!("'{name}': each needs '{member}', a text"));
                }
            }
            let mut owners: Vec<&str> =
                list(device, "hosts")?.iter().filter_map(Value::as_str).collect();
            owners.extend(device.get(owned_by).and_then(Value::as_str).or(owner));
            if owners.is_empty() {
                return Err(format!("'{name}': each needs '{owned_by}', a text"));
            }
            let mut members = device.clone();
            members.retain(|member, _| member != "hosts" && member != owned_by);
            found.extend(owners.into_iter().map(|owner| Description {
                kind,
                owner: owner.to_owned(),
                members: members.clone(),
            }));
        }
    }
    Ok(found)
}

fn objects(core: &Core, seed: &Map<String, Value>) -> Result<(), String> {
    core.with(|tx| {
        let mut planter = Planter { tx, core };
        for zone in list(seed, "zones")? {
            planter.zone(zone)?;
        }
        for storage in list(seed, "backupStorage")? {
            planter.backup_storage(object(storage, "backupStorage")?)?;
        }
        for vm in list(seed, "vms")?.iter().filter(|vm| vm.get("host").is_none()) {
            planter.loose_vm(vm)?;
        }
        for address in list(seed, "unreachable")? {
            let address = address.as_str().ok_or("'unreachable' is a list of addresses")?;
            planter.machine(address, json!({ "unreachable": true }));
        }
        for (address, password) in
            seed.get("passwords").and_then(Value::as_object).into_iter().flatten()
        {
            let digest = zstack::digest(password.as_str().unwrap_or_default());
            planter.machine(address, json!({ "passwordDigest": digest }));
        }
        for (address, members) in
            seed.get("machines").and_then(Value::as_object).into_iter().flatten()
        {
            object(members, "machines")?;
            planter.machine(address, members.clone());
        }
        for account in list(seed, "accounts")? {
            planter.account(account)?;
        }
        Ok(())
    })
}

struct Planter<'a, 'b> {
    tx: &'a mut Tx<'b>,
    core: &'a Core,
}

impl Planter<'_, '_> {
    /// Puts a row: given members over defaults, without those that hold other objects.
    fn put(&mut self, family: &'static str, given: &Map<String, Value>, defaults: Value) -> String {
        const HOLDERS: [&str; 11] = [
            "clusters",
            "hosts",
            "vms",
            "zones",
            "images",
            "primaryStorage",
            "localStorage",
            "password",
            "pciDevices",
            "usbDevices",
            "disks",
        ];
        let mut members = row(defaults);
        for (name, value) in given.iter().filter(|(name, _)| !HOLDERS.contains(&name.as_str())) {
            members.insert(name.clone(), value.clone());
        }
        let uuid = match members.get("uuid").and_then(Value::as_str) {
            Some(uuid) => uuid.to_owned(),
            None => self.core.fresh_uuid(),
        };
        members.insert("uuid".into(), json!(uuid));
        members.insert("createDate".into(), json!(self.tx.now));
        members.insert("lastOpDate".into(), json!(self.tx.now));
        members.retain(|_, value| !value.is_null());
        self.tx.put(family, &uuid, members);
        uuid
    }

    /// Adds to what is special about the machine behind an address.
    fn machine(&mut self, address: &str, members: Value) {
        let known = self.tx.store.get("machine", address);
        let mut machine = known.map(|row| Row::clone(row)).unwrap_or_default();
        machine.extend(row(members));
        self.tx.put("machine", address, machine);
    }

    fn zone(&mut self, zone: &Value) -> Result<(), String> {
        let zone = object(zone, "zones")?;
        let zone_uuid = self.put("zone", zone, json!({ "state": "Enabled", "type": "zstack" }));
        let mut clusters = Vec::new();
        for cluster in list(zone, "clusters")? {
            let cluster = object(cluster, "clusters")?;
            let defaults = json!({ "state": "Enabled", "hypervisorType": "KVM", "type": "zstack", "zoneUuid": zone_uuid });
            let uuid = self.put("cluster", cluster, defaults);
            clusters.push((uuid, cluster));
        }
        let mut local = None;
        let mut shared = None;
        for storage in list(zone, "primaryStorage")? {
            let uuid = self.storage(object(storage, "primaryStorage")?, &zone_uuid, &clusters)?;
            let kind = storage.get("type").and_then(Value::as_str);
            if kind == Some("LocalStorage") {
                local = Some(uuid)
            } else {
                shared = Some(uuid)
            };
        }
        for (cluster_uuid, cluster) in &clusters {
            for host in list(cluster, "hosts")? {
                self.host(object(host, "hosts")?, (&zone_uuid, cluster_uuid), (&local, &shared))?;
            }
            for link in self.tx.uuids("primaryStorageClusterRef", "clusterUuid", cluster_uuid) {
                let storage = link.split('/').next().unwrap_or_default();
                zstack::storage_follows_hosts(self.tx, storage);
            }
        }
        Ok(())
    }

    fn storage(
        &mut self,
        storage: &Map<String, Value>,
        zone: &str,
        clusters: &[(String, &Map<String, Value>)],
    ) -> Result<String, String> {
        let kind = storage
            .get("type")
            .and_then(Value::as_str)
            .ok_or("a primary storage needs a 'type'")?;
        let behaviour = zstack::kind_named(kind)
            .ok_or_else(|| format!("primary storage type '{kind}' is not known"))?;
        let status = if behaviour.needs_host { "Disconnected" } else { "Connected" };
        let defaults = json!({ "state": "Enabled", "status": status, "zoneUuid": zone });
        let uuid = self.put("primaryStorage", storage, defaults);
        let mount = (behaviour.mount_path)(&uuid, str_of(storage, "url"));
        self.tx.patch("primaryStorage", &uuid, &[("mountPath", json!(mount))]);
        for name in list(storage, "clusters")? {
            let found = clusters.iter().find(|(_, cluster)| cluster.get("name") == Some(name));
            let (cluster, _) = found.ok_or_else(|| format!("the zone has no cluster {name}"))?;
            zstack::attach_storage(self.tx, &uuid, cluster);
        }
        Ok(uuid)
    }

    fn backup_storage(&mut self, storage: &Map<String, Value>) -> Result<(), String> {
        let defaults = json!({ "state": "Enabled", "status": "Connected",
            "totalCapacity": 10u64 << 40, "availableCapacity": 10u64 << 40 });
        let uuid = self.put("backupStorage", storage, defaults);
        for name in list(storage, "zones")? {
            let mut zones = self.tx.store.table("zone").find("name", name.as_str().unwrap_or(""));
            let zone = zones.next().map(|zone| str_of(zone, "uuid").to_owned());
            drop(zones);
            let zone = zone.ok_or_else(|| format!("there is no zone {name}"))?;
            let link = json!({ "backupStorageUuid": uuid, "zoneUuid": zone });
            self.tx.put("backupStorageZoneRef", &format!("{uuid}/{zone}"), row(link));
        }
        for image in list(storage, "images")? {
            let defaults = json!({ "state": "Enabled", "status": "Ready", "mediaType": "RootVolumeTemplate",
                "platform": "Linux", "format": "qcow2", "size": 1u64 << 30, "system": false });
            let image = self.put("image", object(image, "images")?, defaults);
            zstack::put_image_on(self.tx, &image, &uuid);
        }
        Ok(())
    }

    fn host(
        &mut self,
        host: &Map<String, Value>,
        (zone, cluster): (&str, &str),
        (local, shared): (&Option<String>, &Option<String>),
    ) -> Result<(), String> {
        let password = host.get("password").and_then(Value::as_str).unwrap_or("password");
        let defaults = json!({
            "zoneUuid": zone, "clusterUuid": cluster, "hypervisorType": "KVM", "state": "Enabled",
            "status": "Connected", "username": "root", "sshPort": 22,
            "passwordDigest": zstack::digest(password),
        });
        let uuid = self.put("host", host, defaults);
        zstack::discover(self.tx, &uuid);
        for vm in list(host, "vms")? {
            let vm = object(vm, "vms")?;
            let on_disk = vm.get("localStorage").and_then(Value::as_bool).unwrap_or(false);
            let storage = if on_disk { local } else { shared };
            let place = json!({ "zoneUuid": zone, "clusterUuid": cluster, "hostUuid": uuid, "state": "Running" });
            self.vm(vm, place, storage.as_deref(), on_disk);
        }
        Ok(())
    }

    fn vm(&mut self, vm: &Map<String, Value>, place: Value, storage: Option<&str>, on_disk: bool) {
        let uuid = self.core.fresh_uuid();
        zstack::settle_vm(self.tx, &uuid, (vm, place), (storage, on_disk));
    }

    /// A VM at the top level without `host` names where it is by uuids or not at all.
    fn loose_vm(&mut self, vm: &Value) -> Result<(), String> {
        let vm = object(vm, "vms")?;
        let storage = vm.get("primaryStorageUuid").and_then(Value::as_str).map(str::to_owned);
        let on_disk = vm.get("localStorage").and_then(Value::as_bool).unwrap_or(false);
        let mut members = vm.clone();
        members.shift_remove("primaryStorageUuid");
        let host = vm.get("hostUuid").cloned().unwrap_or(Value::Null);
        let state = if host.is_null() { "Stopped" } else { "Running" };
        self.vm(&members, json!({ "hostUuid": host, "state": state }), storage.as_deref(), on_disk);
        Ok(())
    }

    fn account(&mut self, account: &Value) -> Result<(), String> {
        let account = object(account, "accounts")?;
        let (name, password) = (str_of(account, "name"), str_of(account, "password"));
        let uuid = account
            .get("uuid")
            .and_then(Value::as_str)
            .map_or_else(|| self.core.fresh_uuid(), str::to_owned);
        zstack::put_account(self.tx, (&uuid, name, "Normal"), password);
        Ok(())
    }
}

fn row(value: Value) -> Row {
    match value {
        Value::Object(members) => members,
        _ => Row::new(),
    }
}

fn object<'a>(value: &'a Value, name: &str) -> Result<&'a Map<String, Value>, String> {
    value.as_object().ok_or_else(|| format!("'{name}' is a list of objects"))
}

fn list<'a>(members: &'a Map<String, Value>, name: &str) -> Result<&'a [Value], String> {
    match members.get(name) {
        None | Some(Value::Null) => Ok(&[]),
        Some(Value::Array(items)) => Ok(items),
        Some(_) => Err(format!("'{name}' is a list")),
    }
}
