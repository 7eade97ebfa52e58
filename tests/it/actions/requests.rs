//! Every action of every schema, and the literal request that it is.

use std::collections::BTreeSet;

use rackform::schema;

use super::{CLUSTER, H1, H2, LOCAL, NFS, NFS2, VM, cloud, host, new_cloud, sent, stranger};
use crate::common::cloud::Cloud;

/// Type, action, object, parameters, and the request that the manual has for it.
fn table(volume: &str, nfs_volume: &str) -> Vec<[String; 5]> {
    let storage = |kind: &str, id: &str| -> Vec<[String; 5]> {
        let call = |action: &str, params: &str, body: &str| {
            let path = format!("PUT /primary-storage/{id}/actions {body}");
            [kind.into(), action.into(), id.into(), params.into(), path]
        };
        vec![
            call("reconnect", "", r#"{"reconnectPrimaryStorage":{}}"#),
            call("sync-capacity", "", r#"{"syncPrimaryStorageCapacity":{}}"#),
            call("clean-image-cache", "", r#"{"cleanUpImageCacheOnPrimaryStorage":{}}"#),
        ]
    };
    let mut all = vec![
        [
            "host".into(),
            "reconnect".into(),
            H1.into(),
            String::new(),
            format!(r#"PUT /hosts/{H1}/actions {{"reconnectHost":{{}}}}"#),
        ],
        [
            "host".into(),
            "run-shell".into(),
            H1.into(),
            "script=hostname".into(),
            format!(
                r#"PUT /hosts/kvm/actions {{"kvmRunShell":{{"hostUuids":["{H1}"],"script":"hostname"}}}}"#
            ),
        ],
        [
            "cluster".into(),
            "upgrade-os".into(),
            CLUSTER.into(),
            "exclude_packages=kernel exclude_packages=systemd*".into(),
            format!(
                r#"PUT /clusters/{CLUSTER}/actions {{"updateClusterOS":{{"excludePackages":["kernel","systemd*"]}}}}"#
            ),
        ],
        [
            "local_primary_storage".into(),
            "migrate-volume".into(),
            LOCAL.into(),
            format!("volume={volume} host=host.id:{H2}"),
            format!(
                r#"PUT /primary-storage/local-storage/volumes/{volume}/actions {{"localStorageMigrateVolume":{{"destHostUuid":"{H2}"}}}}"#
            ),
        ],
        [
            "nfs_primary_storage".into(),
            "migrate-volume".into(),
            NFS.into(),
            format!("volume={nfs_volume} to=id:{NFS2}"),
            format!(
                r#"PUT /primary-storage/volumes/{nfs_volume}/actions {{"primaryStorageMigrateVolume":{{"dstPrimaryStorageUuid":"{NFS2}"}}}}"#
            ),
        ],
    ];
    all.extend(storage("local_primary_storage", LOCAL));
    all.extend(storage("nfs_primary_storage", NFS));
    all
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
    let mut tried = BTreeSet::new();
    for [kind, action, id, params, request] in table(&volume, &nfs_volume) {
        cloud.reset();
        let object = format!("{kind}.id:{id}");
        let mut args = vec!["action", &action, &object, "--allow-destroy", "*=100"];
        params.split_whitespace().for_each(|param| args.extend(["--param", param]));
        rackform.run(&args).expect(0);
        assert_eq!(sent(&cloud), [request], "{kind} {action}");
        cloud.assert_no_violations();
        tried.insert(format!("{kind} {action}"));
    }
    let schemas = schema::load().unwrap_or_else(|(found, _)| panic!("{found:?}"));
    let all = schemas.types.iter().flat_map(|ty| {
        let actions = ty.actions.iter().filter(|a| !a.name.is_empty());
        actions.map(|action| format!("{} {}", ty.name, action.name))
    });
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
