//! What only 5.2 knows, and the dry run.

use super::*;

/// Sends to a server of each version; returns the violations that the older one notes.
async fn noted(method: &str, path: &str, body: Value) -> Vec<String> {
    let mut texts = Vec::new();
    for version in [ServerVersion::V3_0, ServerVersion::V5_2] {
        let seed = json!({ "zones": [{ "name": "z", "uuid": "z", "clusters": [{ "name": "c", "uuid": "c", "hosts": [
            { "name": "h", "uuid": "h", "managementIp": "10.0.0.1",
              "pciDevices": [{ "uuid": "p", "pciDeviceAddress": "0000:06:00.0", "vendorId": "1", "deviceId": "2" }] }] }] }] });
        let (_running, client) = seeded(version, seed).await;
        client.job(method, path, body.clone()).await;
        let violations = client.control("GET", "violations", Value::Null).await;
        let violations = violations.as_array().cloned().unwrap_or_default();
        match version {
            ServerVersion::V3_0 => {
                texts = violations
                    .iter()
                    .map(|v| v["violation"].as_str().unwrap_or("").to_owned())
                    .collect();
            }
            ServerVersion::V5_2 => assert_eq!(violations, [] as [Value; 0], "{path}"),
        }
    }
    texts
}

#[tokio::test]
async fn parameters_of_5_2_are_violations_before_it() {
    let zone = json!({ "params": { "name": "n", "isDefault": false } });
    assert_eq!(noted("POST", "/zones", zone).await, ["unknown parameter 'params.isDefault'"]);
    let cluster = json!({ "params": { "name": "n", "zoneUuid": "z", "hypervisorType": "KVM", "architecture": "aarch64" } });
    assert_eq!(
        noted("POST", "/clusters", cluster).await,
        ["unknown parameter 'params.architecture'"]
    );
    let device = json!({ "updatePciDevice": { "name": "n" } });
    let path = "/pci-device/pci-devices/p/actions";
    assert_eq!(noted("PUT", path, device).await, ["unknown parameter 'updatePciDevice.name'"]);
    let network = json!({ "params": { "name": "n", "zoneUuid": "z", "physicalInterface": "eth0", "vSwitchType": "LinuxBridge" } });
    assert_eq!(
        noted("POST", "/l2-networks/no-vlan", network).await,
        ["unknown parameter 'params.vSwitchType'"]
    );
}

#[tokio::test]
async fn members_of_5_2_are_shown_by_5_2_alone() {
    for (version, known) in [(ServerVersion::V3_0, false), (ServerVersion::V5_2, true)] {
        let (_running, client) = seeded(version, json!({})).await;
        let zone = client.make("/zones", json!({ "name": "n" })).await;
        assert_eq!(zone.get("isDefault").is_some(), known);
        let status = client.send("GET", "/zones?q=isDefault=false", None).await.0;
        assert_eq!(status, if known { 200 } else { 503 });
        let cluster = json!({ "name": "c", "zoneUuid": zone["uuid"], "hypervisorType": "KVM" });
        let cluster = client.make("/clusters", cluster).await;
        let host = client
            .make("/hosts/kvm", host(cluster["uuid"].as_str().expect("a uuid"), "10.0.0.1"))
            .await;
        assert_eq!((&host["status"], &host["cpuSockets"]), (&json!("Connected"), &json!(2)));
    }
}

#[tokio::test]
async fn a_pool_needs_its_type_in_5_2() {
    let (_running, client) =
        seeded(ServerVersion::V5_2, json!({ "zones": [{ "name": "z", "uuid": "z" }] })).await;
    let ceph = json!({ "name": "c", "zoneUuid": "z", "monUrls": ["root:p@10.0.1.3"] });
    let ceph = client.make("/primary-storage/ceph", ceph).await;
    let path = format!("/primary-storage/ceph/{}/pools", ceph["uuid"].as_str().expect("a uuid"));
    let bare = json!({ "params": { "poolName": "p" } });
    assert_eq!(code(&client.job("POST", &path, bare).await), "SYS.1007");
    let pool = client.make(&path, json!({ "poolName": "p", "type": "Root" })).await;
    assert_eq!(pool["type"], "Root");
}

#[tokio::test]
async fn a_dry_run_does_nothing_and_has_no_inventory() {
    let seed = json!({
        "zones": [{ "name": "z", "uuid": "z", "clusters": [{ "name": "c", "uuid": "c", "hosts": [
            { "name": "h", "uuid": "h", "managementIp": "10.0.0.1", "vms": [{ "name": "v", "uuid": "v" }],
              "pciDevices": [{ "uuid": "p", "pciDeviceAddress": "0000:06:00.0", "vendorId": "1", "deviceId": "2" }],
              "usbDevices": [{ "uuid": "u", "busNum": "1", "devNum": "2" }] }] }],
            "primaryStorage": [{ "type": "NFS", "name": "n", "uuid": "n", "url": "10.0.0.9:/n" }] }],
        "backupStorage": [{ "type": "ImageStoreBackupStorage", "name": "b", "uuid": "b", "url": "/b", "hostname": "10.0.0.7",
                            "images": [{ "name": "i", "uuid": "i" }] }]
    });
    let calls = [
        ("POST", "/zones", "params", json!({ "name": "new" })),
        (
            "POST",
            "/clusters",
            "params",
            json!({ "name": "new", "zoneUuid": "z", "hypervisorType": "KVM" }),
        ),
        ("POST", "/hosts/kvm", "params", host("c", "10.0.0.2")),
        ("PUT", "/hosts/h/actions", "changeHostState", json!({ "stateEvent": "maintain" })),
        ("PUT", "/hosts/h/actions", "reconnectHost", json!({})),
        ("PUT", "/clusters/c/actions", "updateClusterOS", json!({})),
        (
            "PUT",
            "/hosts/kvm/actions",
            "kvmRunShell",
            json!({ "hostUuids": ["h"], "script": "reboot" }),
        ),
        (
            "POST",
            "/primary-storage/nfs",
            "params",
            json!({ "name": "new", "zoneUuid": "z", "url": "10.0.0.9:/m" }),
        ),
        (
            "POST",
            "/primary-storage/ceph",
            "params",
            json!({ "name": "new", "zoneUuid": "z", "monUrls": ["a:b@10.0.1.3"] }),
        ),
        (
            "POST",
            "/primary-storage/sharedblockgroup",
            "params",
            json!({ "name": "new", "zoneUuid": "z", "diskUuids": ["3aa"] }),
        ),
        ("POST", "/clusters/c/primary-storage/n", "params", json!({})),
        (
            "POST",
            "/backup-storage/image-store",
            "params",
            json!({ "name": "new", "url": "/b", "hostname": "10.0.0.8", "username": "r", "password": "p" }),
        ),
        (
            "POST",
            "/backup-storage/ceph",
            "params",
            json!({ "name": "new", "monUrls": ["a:b@10.0.1.4"] }),
        ),
        ("POST", "/zones/z/backup-storage/b", "params", json!({})),
        (
            "PUT",
            "/backup-storage/b/actions",
            "exportImageFromBackupStorage",
            json!({ "imageUuid": "i" }),
        ),
        ("POST", "/storage-devices/iscsi/servers", "params", json!({ "ip": "10.0.2.1" })),
        (
            "POST",
            "/pci-device/pci-device-offerings",
            "params",
            json!({ "vendorId": "1", "deviceId": "2" }),
        ),
        ("POST", "/pci-device/pci-devices/p/attach", "params", json!({ "vmInstanceUuid": "v" })),
        (
            "PUT",
            "/pci-device/hosts/h/actions",
            "updateHostIommuState",
            json!({ "state": "Enabled" }),
        ),
        ("POST", "/usb-device/usb-devices/u/attach", "params", json!({ "vmInstanceUuid": "v" })),
        ("PUT", "/vm-instances/v/actions", "setVmUsbRedirect", json!({ "enable": true })),
    ];
    for version in [ServerVersion::V3_0, ServerVersion::V5_2] {
        let (running, client) = seeded(version, seed.clone()).await;
        let rows = || {
            running.core.read(|store| {
                let kept =
                    store.tables().filter(|table| !["job", "meta"].contains(&table.family.name));
                kept.map(|table| format!("{:?}", table.rows())).collect::<Vec<_>>()
            })
        };
        let before = rows();
        for (method, path, wrapper, parameters) in &calls {
            let body = json!({ *wrapper: parameters, "systemTags": ["validationOnly"] });
            let (status, reply) = client.job(method, path, body).await;
            assert_eq!((status, reply.get("inventory")), (200, None), "{method} {path}: {reply}");
            assert!(rows() == before, "{method} {path} did something");
        }
        let refused = json!({ "params": { "name": "new", "zoneUuid": "nowhere", "hypervisorType": "KVM" }, "systemTags": ["validationOnly"] });
        assert_eq!(code(&client.job("POST", "/clusters", refused).await), "SYS.1003");
        // A body on a DELETE is ignored: it executes.
        let tags = Some(json!({ "systemTags": ["validationOnly"] }));
        assert_eq!(client.send("DELETE", "/primary-storage/n", tags).await.0, 202);
        while client.get("/primary-storage?q=uuid=n&count=true").await["total"] != 0 {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }
}
