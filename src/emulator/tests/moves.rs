//! Volumes and images that move.

use super::*;

fn seed() -> Value {
    let nfs = |name: &str| json!({ "type": "NFS", "name": name, "uuid": name, "url": format!("10.0.0.9:/{name}"), "clusters": ["c"] });
    let image_store = |name: &str, images: Value| {
        json!({ "type": "ImageStoreBackupStorage", "name": name, "uuid": name, "url": "/b",
                "hostname": "10.0.0.7", "zones": ["z"], "images": images })
    };
    json!({
        "zones": [{ "name": "z", "uuid": "z",
            "clusters": [{ "name": "c", "uuid": "c", "hosts": [
                { "name": "h1", "uuid": "h1", "managementIp": "10.0.0.1",
                  "vms": [{ "name": "disk", "uuid": "disk", "localStorage": true }, { "name": "net" }] },
                { "name": "h2", "uuid": "h2", "managementIp": "10.0.0.2" },
                { "name": "h3", "uuid": "h3", "managementIp": "10.0.0.3", "status": "Disconnected" }
            ] }],
            "primaryStorage": [
                { "type": "LocalStorage", "name": "l", "uuid": "l", "url": "/l", "clusters": ["c"] },
                nfs("n1"), nfs("n2")
            ] }],
        "backupStorage": [
            image_store("b1", json!([{ "name": "i", "uuid": "i" }])),
            image_store("b2", json!([])),
        ]
    })
}

async fn volume_of(client: &Client, vm: &str) -> String {
    let row = client.get(&format!("/volumes?q=vmInstance.name={vm}")).await;
    row["inventories"][0]["uuid"].as_str().expect("a volume").to_owned()
}

#[tokio::test]
async fn a_volume_moves_to_a_storage_of_its_kind() {
    let (_running, client) = seeded(ServerVersion::V3_0, seed()).await;
    let volume = volume_of(&client, "net").await;
    let from =
        client.get(&format!("/volumes/{volume}")).await["inventories"][0]["primaryStorageUuid"]
            .clone();
    let other = if from == "n1" { "n2" } else { "n1" };
    let candidates = format!("/primary-storage/volumes/{volume}/migration-candidates");
    let found = client.get(&candidates).await["inventories"].clone();
    assert_eq!((found.as_array().map(Vec::len), &found[0]["uuid"]), (Some(1), &json!(other)));
    let path = format!("/primary-storage/volumes/{volume}/actions");
    let to = |storage: &str| json!({ "primaryStorageMigrateVolume": { "dstPrimaryStorageUuid": storage } });
    assert_eq!(code(&client.job("PUT", &path, to("l")).await), "SYS.1007");
    assert_eq!(code(&client.job("PUT", &path, to("nowhere")).await), "SYS.1003");
    let (_, moved) = client.job("PUT", &path, to(other)).await;
    assert_eq!(moved["inventory"]["primaryStorageUuid"], other);
    let unknown = client.send("GET", "/primary-storage/volumes/x/migration-candidates", None).await;
    assert_eq!(unknown.0, 503);
}

#[tokio::test]
async fn a_volume_on_a_hosts_disk_moves_when_its_vm_is_stopped() {
    let (_running, client) = seeded(ServerVersion::V3_0, seed()).await;
    let volume = volume_of(&client, "disk").await;
    let hosts = client.get(&format!("/volumes/{volume}/migration-target-hosts")).await;
    assert_eq!(hosts["inventories"][0]["uuid"], "h2");
    assert_eq!(hosts["inventories"].as_array().map(Vec::len), Some(1), "h3 is Disconnected");
    let free = client.get("/primary-storage/local-storage/l/capacities?hostUuid=h1").await;
    let free = &free["inventories"][0];
    assert!(free["availableCapacity"].as_u64() < free["totalCapacity"].as_u64(), "{free}");

    let path = format!("/primary-storage/local-storage/volumes/{volume}/actions");
    let to = |host: &str| json!({ "localStorageMigrateVolume": { "destHostUuid": host } });
    assert_eq!(code(&client.job("PUT", &path, to("h1")).await), "SYS.1007");
    assert_eq!(code(&client.job("PUT", &path, to("h2")).await), "SYS.1006", "its VM runs");
    let other = format!(
        "/primary-storage/local-storage/volumes/{}/actions",
        volume_of(&client, "net").await
    );
    assert_eq!(code(&client.job("PUT", &other, to("h2")).await), "SYS.1007");
    let stopped =
        json!({ "family": "vm", "op": "patch", "uuid": "disk", "row": { "state": "Stopped" } });
    client.control("POST", "rows", stopped).await;
    let (_, moved) = client.job("PUT", &path, to("h2")).await;
    assert_eq!(
        (&moved["inventory"]["hostUuid"], &moved["inventory"]["primaryStorageUuid"]),
        (&json!("h2"), &json!("l"))
    );
    let refs =
        client.get("/primary-storage/local-storage/resource-refs?q=hostUuid=h2&count=true").await;
    assert_eq!(refs["total"], 1);
    // It goes with its new host now.
    assert_eq!(client.job("DELETE", "/hosts/h1", Value::Null).await.0, 200);
    assert_eq!(client.get("/vm-instances?q=name=disk&count=true").await["total"], 1);
}

#[tokio::test]
async fn an_image_is_exported_and_moves() {
    let (_running, client) = seeded(ServerVersion::V3_0, seed()).await;
    let path = "/backup-storage/b1/actions";
    let export = json!({ "exportImageFromBackupStorage": { "imageUuid": "i" } });
    let (_, exported) = client.job("PUT", path, export.clone()).await;
    let url = exported["imageUrl"].clone();
    assert!(url.as_str().is_some_and(|url| url.starts_with("http://10.0.0.7")), "{url}");
    assert_eq!(client.get("/images/i").await["inventories"][0]["exportUrl"], url);
    assert_eq!(code(&client.job("PUT", "/backup-storage/b2/actions", export).await), "SYS.1007");
    assert_eq!(
        client.job("DELETE", "/backup-storage/b1/exported-images/i", Value::Null).await.0,
        200
    );
    assert!(client.get("/images/i").await["inventories"][0].get("exportUrl").is_none());

    let found = client.get("/backup-storage/b1/migration-candidates").await["inventories"].clone();
    assert_eq!((found.as_array().map(Vec::len), &found[0]["uuid"]), (Some(1), &json!("b2")));
    let migrate = |from: &str, to: &str| json!({ "backupStorageMigrateImage": { "srcBackupStorageUuid": from, "dstBackupStorageUuid": to } });
    let path = "/backup-storage/images/i/actions";
    assert_eq!(code(&client.job("PUT", path, migrate("b2", "b1")).await), "SYS.1007");
    assert_eq!(code(&client.job("PUT", path, migrate("b1", "b1")).await), "SYS.1007");
    let (_, moved) = client.job("PUT", path, migrate("b1", "b2")).await;
    let refs = &moved["inventory"]["backupStorageRefs"];
    assert_eq!(
        (refs.as_array().map(Vec::len), &refs[0]["backupStorageUuid"]),
        (Some(1), &json!("b2"))
    );
    let reclaim = json!({ "reclaimSpaceFromImageStore": {} });
    assert_eq!(client.job("PUT", "/backup-storage/image-store/b1/actions", reclaim).await.0, 200);
    assert_eq!(client.get("/images?q=backupStorage.uuid=b2&count=true").await["total"], 1);
}
