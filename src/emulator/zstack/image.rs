//! Images, as far as they are victims of backup storages: they come from seeds and are only queried
//! here.

use serde_json::{Value, json};

use super::Module;
use crate::emulator::query::{View, shown};
use crate::emulator::store::{Family, Relation, Tx, str_of};

pub static IMAGE: Family = Family {
    name: "image",
    vo: "ImageVO",
    indexes: &["name"],
    soft_delete: false,
    relations: &[(
        "backupStorage",
        Relation::Through {
            links: "imageRef",
            near: "imageUuid",
            far: "backupStorageUuid",
            family: "backupStorage",
        },
    )],
};

/// Which image lies on which backup storage; the key is `IMAGE/STORAGE`.
static IMAGE_REF: Family = Family {
    name: "imageRef",
    vo: "",
    indexes: &["imageUuid", "backupStorageUuid"],
    soft_delete: false,
    relations: &[],
};

pub static IMAGES: View = View {
    derived: &["backupStorageRefs"],
    derive: |store, row, out| {
        let links = store.table("imageRef").find("imageUuid", str_of(row, "uuid"));
        let shown = |(name, value): (&String, &Value)| (name.clone(), shown(name, value.clone()));
        let links = links.map(|link| Value::Object(link.iter().map(shown).collect())).collect();
        out.insert("backupStorageRefs".into(), links);
    },
    ..View::plain(
        "QueryImage",
        &IMAGE,
        "org.zstack.header.image.ImageInventory",
        &[
            "uuid",
            "name",
            "description",
            "exportUrl",
            "state",
            "status",
            "size",
            "actualSize",
            "md5Sum",
            "url",
            "mediaType",
            "guestOsType",
            "type",
            "platform",
            "format",
            "system",
            "createDate",
            "lastOpDate",
            "backupStorageRefs",
        ],
    )
};

pub static MODULE: Module =
    Module { families: &[&IMAGE, &IMAGE_REF], views: &[&IMAGES], operations: &[] };

/// Records that an image lies on a storage.
pub fn put_on(tx: &mut Tx<'_>, image: &str, storage: &str) {
    let row = tx.store.get("backupStorage", storage).cloned().unwrap_or_default();
    let place = match str_of(&row, "type") {
        "Ceph" => format!("ceph://{}/{image}", str_of(&row, "poolName")),
        "ImageStoreBackupStorage" => format!("zstore://{image}"),
        _ => format!("{}/rootVolumeTemplates/{image}.qcow2", str_of(&row, "url")),
    };
    let link = json!({
        "id": tx.store.table("imageRef").rows().len() + 1, "imageUuid": image,
        "backupStorageUuid": storage, "installPath": place, "status": "Ready",
        "createDate": tx.now, "lastOpDate": tx.now,
    });
    let link = link.as_object().cloned().unwrap_or_default();
    tx.put("imageRef", &format!("{image}/{storage}"), link);
}

/// A backup storage goes: so do its records of images, and images that are nowhere else.
pub fn forget_storage(tx: &mut Tx<'_>, storage: &str) {
    for link in tx.uuids("imageRef", "backupStorageUuid", storage) {
        let image = tx.store.get("imageRef", &link).map(|row| str_of(row, "imageUuid").to_owned());
        tx.erase("imageRef", &link);
        let image =
            image.filter(|image| tx.store.table("imageRef").with("imageUuid", image).is_none());
        if let Some(image) = image {
            tx.delete("image", &image);
        }
    }
}
