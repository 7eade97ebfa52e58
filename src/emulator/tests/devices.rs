//! Devices that hosts have: seeded, discovered, given to VMs.

use super::*;

fn seed() -> Value {
    json!({
        "zones": [{ "name": "z", "clusters": [{ "name": "c", "uuid": "c", "hosts": [
            { "name": "h1", "uuid": "h1", "managementIp": "10.0.0.1",
              "vms": [{ "name": "v", "uuid": "v" }],
              "usbDevices": [{ "busNum": "001", "devNum": "002", "uuid": "u", "idVendor": "0781" }] },
            { "name": "h2", "uuid": "h2", "managementIp": "10.0.0.2" }
        ] }] }],
        "pciDevices": [
            { "host": "10.0.0.1", "uuid": "gpu", "pciDeviceAddress": "0000:06:00.0", "vendorId": "10de",
              "deviceId": "0e0f", "subvendorId": "10de", "type": "GPU_Video_Controller" },
            { "host": "h2", "uuid": "other", "pciDeviceAddress": "0000:06:00.0", "vendorId": "10de", "deviceId": "0e0f" },
            { "host": "10.0.0.3", "pciDeviceAddress": "0000:07:00.0", "vendorId": "1393", "deviceId": "1041" }
        ]
    })
}

#[tokio::test]
async fn devices_come_and_go_with_their_host() {
    let (_running, client) = seeded(ServerVersion::V3_0, seed()).await;
    assert_eq!(client.get("/pci-device/pci-devices?count=true").await["total"], 2);
    let later = client.make("/hosts/kvm", host("c", "10.0.0.3")).await;
    let query = "/pci-device/pci-devices?q=host.managementIp=10.0.0.3";
    let found = client.get(query).await["inventories"][0].clone();
    assert_eq!(found["hostUuid"], later["uuid"]);
    assert_eq!(
        (&found["state"], &found["status"], &found["type"]),
        (&json!("Enabled"), &json!("Active"), &json!("Generic"))
    );
    let uuid = later["uuid"].as_str().expect("a uuid");
    let one = format!("/pci-device/pci-devices/{}", found["uuid"].as_str().expect("a uuid"));
    assert_eq!(client.get(&one).await["inventories"][0]["uuid"], found["uuid"]);
    assert_eq!(client.job("DELETE", &one, Value::Null).await.0, 200);
    assert_eq!(client.get(query).await["inventories"], json!([]));
    let path = format!("/hosts/{uuid}/actions");
    assert_eq!(client.job("PUT", &path, json!({ "reconnectHost": {} })).await.0, 200);
    assert_eq!(client.get(query).await["inventories"][0]["uuid"], found["uuid"]);
    assert_eq!(client.job("DELETE", &format!("/hosts/{uuid}"), Value::Null).await.0, 200);
    assert_eq!(client.get("/pci-device/pci-devices?count=true").await["total"], 2);
    assert_eq!(client.control("GET", "violations", Value::Null).await, json!([]));
}

#[tokio::test]
async fn a_pci_device_goes_to_a_vm_of_its_host() {
    let (_running, client) = seeded(ServerVersion::V3_0, seed()).await;
    let attach = |device: &str| format!("/pci-device/pci-devices/{device}/attach");
    let vm = json!({ "params": { "vmInstanceUuid": "v" } });
    let candidates = "/vm-instances/v/candidate-pci-devices?types=GPU_Video_Controller";
    assert_eq!(client.get(candidates).await["inventories"][0]["uuid"], "gpu");
    assert_eq!(client.get(candidates).await["inventories"].as_array().map(Vec::len), Some(1));
    let new = "/pci-device/candidate-pci-devices-for-new-create-vm?hostUuid=h2&clusterUuids=c";
    assert_eq!(client.get(new).await["inventories"][0]["uuid"], "other");

    assert_eq!(code(&client.job("POST", &attach("other"), vm.clone()).await), "SYS.1006");
    let (_, given) = client.job("POST", &attach("gpu"), vm.clone()).await;
    assert_eq!(
        (&given["inventory"]["vmInstanceUuid"], &given["inventory"]["status"]),
        (&json!("v"), &json!("Attached"))
    );
    assert_eq!(code(&client.job("POST", &attach("gpu"), vm.clone()).await), "SYS.1006");
    let delete = "/pci-device/pci-devices/gpu?deleteMode=Permissive";
    assert_eq!(code(&client.job("DELETE", delete, Value::Null).await), "SYS.1006");
    assert_eq!(client.get(candidates).await["inventories"], json!([]));
    // The device holds the VM on its host: Maintenance stops it.
    let maintain = json!({ "changeHostState": { "stateEvent": "maintain" } });
    assert_eq!(client.job("PUT", "/hosts/h1/actions", maintain).await.0, 200);
    assert_eq!(client.get("/vm-instances/v").await["inventories"][0]["state"], "Stopped");
    let detach = "/pci-device/pci-devices/gpu/detach";
    let (_, free) = client.job("POST", detach, vm.clone()).await;
    assert_eq!(free["inventory"]["status"], "Active");
    assert!(free["inventory"].get("vmInstanceUuid").is_none());
    assert_eq!(code(&client.job("POST", detach, vm).await), "SYS.1006");
    let gone =
        client.job("POST", detach, json!({ "params": { "vmInstanceUuid": "nobody" } })).await;
    assert_eq!(code(&gone), "SYS.1003");
}

#[tokio::test]
async fn a_pci_device_is_changed_in_place_and_matched_to_offerings() {
    let (_running, client) = seeded(ServerVersion::V3_0, seed()).await;
    let change = json!({ "updatePciDevice": { "state": "Disabled", "description": "d",
        "metaData": "render:Equal:true;key:value" } });
    let (_, changed) = client.job("PUT", "/pci-device/pci-devices/gpu/actions", change).await;
    let changed = &changed["inventory"];
    assert_eq!((&changed["state"], &changed["description"]), (&json!("Disabled"), &json!("d")));
    assert_eq!(
        changed["metaData"]["metaDataEntries"][1],
        json!({ "key": "key", "op": "Equal", "value": "value" })
    );
    let vm = json!({ "params": { "vmInstanceUuid": "v" } });
    let refused = client.job("POST", "/pci-device/pci-devices/gpu/attach", vm).await;
    assert_eq!(code(&refused), "SYS.1006");

    let offering =
        json!({ "name": "o", "vendorId": "10de", "deviceId": "0e0f", "subvendorId": "10de" });
    let offering = client.make("/pci-device/pci-device-offerings", offering).await;
    assert_eq!(offering["matchedPciDevices"][0]["pciDeviceUuid"], "gpu");
    assert_eq!(offering["matchedPciDevices"].as_array().map(Vec::len), Some(1));
    let device = client.get("/pci-device/pci-devices?q=pciDeviceOffering.name=o").await;
    let matched = &device["inventories"][0]["matchedPciDeviceOfferingRef"][0];
    assert_eq!(matched["pciDeviceOfferingUuid"], offering["uuid"]);
    let pairs = client.get("/pci-devices/pci-devices/pci-device-offerings").await;
    assert_eq!(pairs["inventories"][0]["pciDeviceAddress"], "0000:06:00.0");
    let long = json!({ "params": { "vendorId": "10de0", "deviceId": "0e0f" } });
    assert_eq!(
        code(&client.job("POST", "/pci-device/pci-device-offerings", long).await),
        "SYS.1007"
    );
    let one =
        format!("/pci-device/pci-device-offerings/{}", offering["uuid"].as_str().expect("a uuid"));
    assert_eq!(client.job("DELETE", &one, Value::Null).await.0, 200);
    assert_eq!(client.control("GET", "rows/pciOfferingRef", Value::Null).await, json!([]));
}

#[tokio::test]
async fn the_state_of_the_iommu_is_set_and_its_status_waits_for_a_boot() {
    let (_running, client) = seeded(ServerVersion::V3_0, seed()).await;
    assert_eq!(client.get("/pci-device/hosts/h1/state").await, json!({ "state": "Disabled" }));
    assert_eq!(client.get("/pci-device/hosts/h1/status").await, json!({ "status": "Inactive" }));
    let path = "/pci-device/hosts/h1/actions";
    let wrong = json!({ "updateHostIommuState": { "state": "On" } });
    assert_eq!(code(&client.job("PUT", path, wrong).await), "SYS.1007");
    let on = json!({ "updateHostIommuState": { "state": "Enabled" } });
    assert_eq!(client.job("PUT", path, on).await, (200, json!({ "state": "Enabled" })));
    assert_eq!(client.get("/pci-device/hosts/h1/state").await, json!({ "state": "Enabled" }));
    assert_eq!(client.get("/pci-device/hosts/h1/status").await, json!({ "status": "Inactive" }));
}

#[tokio::test]
async fn a_usb_device_and_usb_redirection() {
    let (_running, client) = seeded(ServerVersion::V3_0, seed()).await;
    let vm = json!({ "params": { "vmInstanceUuid": "v" } });
    let candidates = "/vm-instances/v/candidate-usb-devices";
    assert_eq!(client.get(candidates).await["inventories"][0]["uuid"], "u");
    let change =
        json!({ "updateUsbDevice": { "name": "key", "description": "d", "state": "Disabled" } });
    let (_, changed) = client.job("PUT", "/usb-device/usb-devices/u/actions", change).await;
    assert_eq!(
        (&changed["inventory"]["name"], &changed["inventory"]["idVendor"]),
        (&json!("key"), &json!("0781"))
    );
    let attach = "/usb-device/usb-devices/u/attach";
    assert_eq!(code(&client.job("POST", attach, vm.clone()).await), "SYS.1006");
    let enable = json!({ "updateUsbDevice": { "state": "Enabled" } });
    client.job("PUT", "/usb-device/usb-devices/u/actions", enable).await;
    assert_eq!(client.job("POST", attach, vm.clone()).await.1["inventory"]["vmInstanceUuid"], "v");
    assert_eq!(code(&client.job("POST", attach, vm).await), "SYS.1006");
    let query = "/usb-device/usb-devices?q=vmInstance.name=v&count=true";
    assert_eq!(client.get(query).await["total"], 1);
    let detach = "/usb-device/usb-devices/u/detach";
    assert_eq!(client.job("POST", detach, json!({ "params": {} })).await.0, 200);
    assert_eq!(code(&client.job("POST", detach, json!({ "params": {} })).await), "SYS.1006");

    let redirect = "/vm-instances/v/usbredirect";
    assert_eq!(client.get(redirect).await, json!({ "enable": false }));
    let on = json!({ "setVmUsbRedirect": { "enable": true } });
    assert_eq!(client.job("PUT", "/vm-instances/v/actions", on).await.0, 200);
    assert_eq!(client.get(redirect).await, json!({ "enable": true }));
}

#[test]
fn a_seed_may_be_toml_and_names_what_it_lacks() {
    let toml = std::path::Path::new("devices.toml");
    let text = "[[luns]]\nserver = \"10.0.0.201\"\nwwid = \"3600\"\nsize = 5\n";
    let seed = read_seed(toml, text).expect("reads");
    assert_eq!(seed, json!({ "luns": [{ "server": "10.0.0.201", "wwid": "3600", "size": 5 }] }));
    assert!(read_seed(toml, "[[luns]").is_err());
    let core = super::super::core::Core::open(&Options::default()).expect("opens");
    for (seed, complaint) in [
        (json!({ "pci_devices": [] }), "a seed has no 'pci_devices'"),
        (json!({ "luns": [{ "wwid": "3600" }] }), "each needs 'server'"),
        (json!({ "pciDevices": [{ "host": "h" }] }), "each needs 'pciDeviceAddress'"),
        (json!({ "usbDevices": {} }), "'usbDevices' is a list"),
    ] {
        let error = seed::plant(&core, &seed).expect_err("refused");
        assert!(error.contains(complaint), "{error}");
    }
}

#[tokio::test]
async fn a_second_start_follows_the_seed_but_plants_no_object_twice() {
    let dir = tempfile::tempdir().expect("a directory");
    let data = Some(dir.path().join("log.jsonl"));
    let mut seed = seed();
    let first = Options { data, seed: Some(seed.clone()), ..Options::default() };
    let running = start(first.clone()).await.expect("starts");
    assert!(running.planted());
    let client = Client::new(&running).await;
    assert_eq!(client.job("DELETE", "/pci-device/pci-devices/other", Value::Null).await.0, 200);
    drop(running);

    let running = start(first.clone()).await.expect("starts");
    assert!(!running.planted());
    let client = Client::new(&running).await;
    assert_eq!(client.get("/vm-instances?count=true").await["total"], 1);
    assert_eq!(client.get("/pci-device/pci-devices?count=true").await["total"], 1, "same seed");
    drop(running);

    seed["pciDevices"] = json!([{ "host": "h2", "uuid": "new", "pciDeviceAddress": "0000:09:00.0",
                                  "vendorId": "10de", "deviceId": "1" }]);
    let running = start(Options { seed: Some(seed), ..first }).await.expect("starts");
    let client = Client::new(&running).await;
    let devices = client.get("/pci-device/pci-devices?fields=uuid").await;
    assert_eq!(devices["inventories"], json!([{ "uuid": "new" }]));
}

#[tokio::test]
async fn a_vm_starts_once_on_a_host_that_comes_later() {
    let seed = json!({
        "zones": [{ "name": "z", "clusters": [{ "name": "c", "uuid": "c" }],
            "primaryStorage": [{ "type": "LocalStorage", "name": "l", "uuid": "l", "url": "/l", "clusters": ["c"] }] }],
        "vms": [{ "name": "guest", "host": "10.0.0.1", "localStorage": true, "volumes": [{ "name": "data" }] }]
    });
    let (_running, client) = seeded(ServerVersion::V3_0, seed).await;
    assert_eq!(client.get("/vm-instances?count=true").await["total"], 0);
    let first = client.make("/hosts/kvm", host("c", "10.0.0.1")).await;
    let guest = client.get("/vm-instances?q=name=guest").await["inventories"][0].clone();
    assert_eq!((&guest["hostUuid"], &guest["state"]), (&first["uuid"], &json!("Running")));
    assert_eq!(guest["allVolumes"].as_array().map(Vec::len), Some(2));
    assert_eq!(client.get("/volumes?q=primaryStorageUuid=l&count=true").await["total"], 2);
    let path = format!("/hosts/{}", first["uuid"].as_str().expect("a uuid"));
    assert_eq!(client.job("DELETE", &path, Value::Null).await.0, 200);
    assert_eq!(client.get("/vm-instances?count=true").await["total"], 0, "its disk is gone");
    client.make("/hosts/kvm", host("c", "10.0.0.1")).await;
    assert_eq!(client.get("/vm-instances?count=true").await["total"], 0, "destroyed for good");
}
