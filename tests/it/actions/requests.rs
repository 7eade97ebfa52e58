//! Every action of every schema, and the literal request that it is.

use std::collections::BTreeSet;

use rackform::schema;

use super::{
    CEPH, CEPH_STORE, CLUSTER, H1, H2, IMAGE, ISCSI, LOCAL, NFS, NFS2, PCI, SFTP, SHARED, SMP,
    STORE, STORE2, VM, ZONE, cloud, host, new_cloud, sent, stranger,
};
use crate::common::cloud::Cloud;

/// Type, action, object, parameters, and the request that the manual has for it.
type Line = (&'static str, &'static str, &'static str, String, String);

fn table(volume: &str, nfs_volume: &str) -> Vec<Line> {
    let mut all = vec![
        (
            "host",
            "reconnect",
            H1,
            String::new(),
            format!(r#"PUT /hosts/{H1}/actions {{"reconnectHost":{{}}}}"#),
        ),
        (
            "host",
            "run-shell",
            H1,
            "script=hostname".into(),
            format!(
                r#"PUT /hosts/kvm/actions {{"kvmRunShell":{{"hostUuids":["{H1}"],"script":"hostname"}}}}"#
            ),
        ),
        (
            "cluster",
            "upgrade-os",
            CLUSTER,
            "exclude_packages=kernel exclude_packages=systemd*".into(),
            format!(
                r#"PUT /clusters/{CLUSTER}/actions {{"updateClusterOS":{{"excludePackages":["kernel","systemd*"]}}}}"#
            ),
        ),
        (
            "local_primary_storage",
            "migrate-volume",
            LOCAL,
            format!("volume={volume} host=host.id:{H2}"),
            format!(
                r#"PUT /primary-storage/local-storage/volumes/{volume}/actions {{"localStorageMigrateVolume":{{"destHostUuid":"{H2}"}}}}"#
            ),
        ),
        (
            "nfs_primary_storage",
            "migrate-volume",
            NFS,
            format!("volume={nfs_volume} to=id:{NFS2}"),
            format!(
                r#"PUT /primary-storage/volumes/{nfs_volume}/actions {{"primaryStorageMigrateVolume":{{"dstPrimaryStorageUuid":"{NFS2}"}}}}"#
            ),
        ),
        (
            "iscsi_server",
            "refresh",
            ISCSI,
            String::new(),
            format!(r#"POST /storage-devices/iscsi/servers/{ISCSI} {{"params":{{}}}}"#),
        ),
        (
            "sharedblock_primary_storage",
            "refresh-lun",
            SHARED,
            format!("block={BLOCK}"),
            format!(
                r#"POST /primary-storage/sharedblockgroup/{SHARED}/sharedblocks/{BLOCK} {{"params":{{}}}}"#
            ),
        ),
        (
            "pci_device",
            "delete-record",
            PCI,
            String::new(),
            format!("DELETE /pci-device/pci-devices/{PCI}?deleteMode=Permissive"),
        ),
        (
            "vm_instance",
            "set-usb-redirect",
            VM,
            "enable=true".into(),
            format!(r#"PUT /vm-instances/{VM}/actions {{"setVmUsbRedirect":{{"enable":true}}}}"#),
        ),
        (
            "sftp_backup_storage",
            "reconnect",
            SFTP,
            String::new(),
            format!(
                r#"PUT /backup-storage/sftp/{SFTP}/actions {{"reconnectSftpBackupStorage":{{}}}}"#
            ),
        ),
    ];
    all.extend(image_store());
    all.extend(primary_storage("local_primary_storage", LOCAL));
    all.extend(primary_storage("nfs_primary_storage", NFS));
    all.extend(primary_storage("smp_primary_storage", SMP));
    all.extend(primary_storage("ceph_primary_storage", CEPH));
    all.extend(primary_storage("sharedblock_primary_storage", SHARED));
    all.push((
        "ceph_backup_storage",
        "reconnect",
        CEPH_STORE,
        String::new(),
        format!(r#"PUT /backup-storage/{CEPH_STORE}/actions {{"reconnectBackupStorage":{{}}}}"#),
    ));
    all
}

fn primary_storage(kind: &'static str, id: &'static str) -> [Line; 3] {
    let call = |action, wrapper: &str| {
        let request = format!(r#"PUT /primary-storage/{id}/actions {{"{wrapper}":{{}}}}"#);
        (kind, action, id, String::new(), request)
    };
    [
        call("reconnect", "reconnectPrimaryStorage"),
        call("sync-capacity", "syncPrimaryStorageCapacity"),
        call("clean-image-cache", "cleanUpImageCacheOnPrimaryStorage"),
    ]
}

fn image_store() -> [Line; 5] {
    let call = |action, params: String, request: String| {
        ("imagestore_backup_storage", action, STORE, params, request)
    };
    let own = |wrapper: &str| {
        format!(r#"PUT /backup-storage/image-store/{STORE}/actions {{"{wrapper}":{{}}}}"#)
    };
    let image = format!("image={IMAGE}");
    [
        call("reconnect", String::new(), own("reconnectImageStoreBackupStorage")),
        call("reclaim-space", String::new(), own("reclaimSpaceFromImageStore")),
        call(
            "export-image",
            image.clone(),
            format!(
                r#"PUT /backup-storage/{STORE}/actions {{"exportImageFromBackupStorage":{{"imageUuid":"{IMAGE}"}}}}"#
            ),
        ),
        call(
            "delete-export",
            image.clone(),
            format!("DELETE /backup-storage/{STORE}/exported-images/{IMAGE}"),
        ),
        call(
            "migrate-image",
            format!("{image} to=id:{STORE2}"),
            format!(
                r#"PUT /backup-storage/images/{IMAGE}/actions {{"backupStorageMigrateImage":{{"srcBackupStorageUuid":"{STORE}","dstBackupStorageUuid":"{STORE2}"}}}}"#
            ),
        ),
    ]
}

/// An iSCSI server with a CHAP password, which the API returns in clear.
fn iscsi_server(cloud: &Cloud) {
    let params = serde_json::json!({ "resourceUuid": ISCSI, "name": "san", "ip": "10.0.0.201",
        "chapUserName": "zs", "chapUserPassword": "hunter2" });
    let body = serde_json::json!({ "params": params });
    cloud.api(reqwest::Method::POST, "/storage-devices/iscsi/servers", Some(body));
    super::until("the server", || cloud.rows("/storage-devices/iscsi/servers").len() == 1);
}

/// A Ceph cluster, used as both kinds of storage.
fn ceph(cloud: &Cloud) {
    for (path, id) in [("/primary-storage/ceph", CEPH), ("/backup-storage/ceph", CEPH_STORE)] {
        let params = serde_json::json!({ "resourceUuid": id, "name": "ceph", "zoneUuid": ZONE,
            "monUrls": ["root:hunter2@10.0.0.211"] });
        let mut body = serde_json::json!({ "params": params });
        if id == CEPH_STORE {
            body["params"].as_object_mut().expect("an object").shift_remove("zoneUuid");
        }
        cloud.api(reqwest::Method::POST, path, Some(body));
        let status = || cloud.rows(path).first().map(|row| row["status"] == "Connected");
        super::until("Ceph", || status() == Some(true));
    }
}

/// Id of a LUN of the shared block storage.
const BLOCK: &str = "000000000000400080000000000000e8";

fn shared_block(cloud: &Cloud) {
    let row = serde_json::json!({ "uuid": BLOCK, "sharedBlockGroupUuid": SHARED, "name": "lun",
        "diskUuid": "wwid-1", "type": "LUN", "state": "Enabled", "status": "Connected" });
    cloud.drift(
        serde_json::json!({ "family": "sharedBlock", "op": "put", "uuid": BLOCK, "row": row }),
    );
}

/// The volume of the VM on the local storage, and a free one on the NFS storage.
fn volumes(cloud: &Cloud) -> (String, String) {
    let volume = cloud.one(&format!("/volumes?q=vmInstanceUuid={VM}"));
    let id = "000000000000400080000000000000e1".to_owned();
    let row = serde_json::json!({ "uuid": id, "name": "data", "type": "Data", "status": "Ready",
        "state": "Enabled", "size": 1024, "primaryStorageUuid": NFS });
    cloud.drift(serde_json::json!({ "family": "volume", "op": "put", "uuid": id, "row": row }));
    (volume["uuid"].as_str().expect("an id").to_owned(), id)
}

#[test]
fn every_action_is_the_request_of_the_manual() {
    let cloud = cloud();
    let rackform = stranger(&cloud);
    let (volume, nfs_volume) = volumes(&cloud);
    iscsi_server(&cloud);
    shared_block(&cloud);
    ceph(&cloud);
    let mut tried = BTreeSet::new();
    for (kind, action, id, params, request) in table(&volume, &nfs_volume) {
        cloud.reset();
        let object = format!("{kind}.id:{id}");
        let mut args = vec!["action", action, &object, "--allow-destroy", "*=100"];
        params.split_whitespace().for_each(|param| args.extend(["--param", param]));
        rackform.run(&args).expect(0);
        assert_eq!(sent(&cloud), [request], "{kind} {action}");
        cloud.assert_no_violations();
        tried.insert(format!("{kind} {action}"));
    }
    let schemas = schema::load().unwrap_or_else(|(found, _)| panic!("{found:?}"));
    let all = schemas
        .lookups()
        .flat_map(|ty| ty.actions.iter().map(|action| format!("{} {}", ty.name, action.name)));
    let all: BTreeSet<String> = all.collect();
    assert_eq!(tried, all, "actions tried, and actions of the schemas");
}

/// The effect, where the emulator has one.
#[test]
fn a_volume_moves_to_where_it_was_sent() {
    let cloud = cloud();
    let rackform = stranger(&cloud);
    let (volume, nfs_volume) = volumes(&cloud);
    let local = format!("local_primary_storage.id:{LOCAL}");
    let (volume_param, host_param) = (format!("volume={volume}"), format!("host={H2}"));
    let migrate = ["action", "migrate-volume", &local, "--param", &volume_param, "--param"];
    let outcome = rackform.run(&[&migrate[..], &[&host_param]].concat()).expect(0);
    assert!(outcome.stdout.contains("hostUuid "), "{}", outcome.seen());
    let place =
        cloud.one(&format!("/primary-storage/local-storage/resource-refs?q=resourceUuid={volume}"));
    assert_eq!(place["hostUuid"], H2);
    let nfs = format!("nfs_primary_storage.id:{NFS}");
    let (volume_param, to) =
        (format!("volume={nfs_volume}"), format!("to=nfs_primary_storage.id:{NFS2}"));
    let migrate = ["action", "migrate-volume", &nfs, "--param", &volume_param, "--param", &to];
    rackform.run(&migrate).expect(0);
    assert_eq!(cloud.one(&format!("/volumes?q=uuid={nfs_volume}"))["primaryStorageUuid"], NFS2);
}

#[test]
fn parameters_of_newer_servers_reach_newer_servers_only() {
    let params = ["update_packages=bash", "release_version=c76", "force=true"];
    let cluster = format!("cluster.id:{CLUSTER}");
    let mut args = vec!["action", "upgrade-os", &cluster, "--allow-destroy", "*=9"];
    params.iter().for_each(|param| args.extend(["--param", param]));
    let cloud = new_cloud();
    stranger(&cloud).run(&args).expect(0);
    let request = format!(
        r#"PUT /clusters/{CLUSTER}/actions {{"updateClusterOS":{{"updatePackages":["bash"],"releaseVersion":"c76","force":true}}}}"#
    );
    assert_eq!(sent(&cloud), [request]);
    let old = super::cloud();
    let said =
        "the parameter `release_version` needs server version 5.0 or later; the server runs 3.0.0";
    let refused =
        stranger(&old).run(&args).expect(1).says(&[said, "`force` needs", "leave it out"]);
    assert!(refused.stderr.contains("3 errors"), "{}", refused.seen());
    assert!(sent(&old).is_empty());
    let force = ["action", "clean-image-cache", &format!("nfs_primary_storage.id:{NFS}")];
    cloud.reset();
    stranger(&cloud).run(&[&force[..], &["--param", "force=true"]].concat()).expect(0);
    assert!(sent(&cloud)[0].ends_with(r#"{"cleanUpImageCacheOnPrimaryStorage":{"force":true}}"#));
}

#[test]
fn an_object_of_ours_goes_by_its_address() {
    let cloud = Cloud::start();
    let rackform = super::own(&cloud);
    let id = |path: &str| cloud.one(path)["uuid"].as_str().expect("an id").to_owned();
    let (h1, h2) = (id("/hosts?q=name=h1"), id("/hosts?q=name=h2"));
    let state = rackform.read("rackform.state.json");
    rackform.run(&["action", "reconnect", "host.h1"]).expect(0).says(&["reconnect done"]);
    let script = ["--param", "script=hostname"];
    // Each object once, however it is named.
    let objects = ["action", "run-shell", "host.h1", "host.h2", &host(&h1)];
    rackform.run(&[&objects[..], &script].concat()).expect(0);
    assert_eq!(
        sent(&cloud),
        [
            format!(r#"PUT /hosts/{h1}/actions {{"reconnectHost":{{}}}}"#),
            format!(
                r#"PUT /hosts/kvm/actions {{"kvmRunShell":{{"hostUuids":["{h1}","{h2}"],"script":"hostname"}}}}"#
            ),
        ]
    );
    let jobs: BTreeSet<_> = cloud.mutations().into_iter().filter_map(|m| m.job).collect();
    assert_eq!(jobs.len(), 2, "every call has a job id of its own: {jobs:?}");
    assert_eq!(rackform.read("rackform.state.json"), state, "the state is not written");
    rackform.run(&["plan", "--detailed-exitcode"]).expect(0);
}

#[test]
fn an_export_prints_its_url_and_nothing_else() {
    let cloud = new_cloud();
    let rackform = stranger(&cloud);
    let store = format!("imagestore_backup_storage.id:{STORE}");
    let image = format!("image={IMAGE}");
    let export = ["action", "export-image", &store, "--param", &image, "--param", "format=raw"];
    let url = rackform.run(&export).expect(0).stdout;
    assert_eq!(url, format!("http://store.example.com:8001/zstore/export/image-{IMAGE}.raw\n"));
    let wrong = ["action", "export-image", &store, "--param", &image, "--param", "format=RAW"];
    rackform.run(&wrong).expect(1).says(&["must be one of: raw, qcow2", "did you mean `raw`?"]);
}

#[test]
fn a_chap_password_in_a_reply_is_not_shown() {
    let cloud = cloud();
    iscsi_server(&cloud);
    let refresh = ["-vv", "action", "refresh", &format!("iscsi_server.id:{ISCSI}")];
    let shown = stranger(&cloud).run(&refresh).expect(0).says(&["chapUserName", "iscsiTargets"]);
    assert!(!shown.stdout.contains("hunter2") && !shown.stderr.contains("hunter2"));
    let row = cloud.one("/storage-devices/iscsi/servers");
    assert_eq!(row["chapUserPassword"], "hunter2", "the API does return it");
}
