//! Images that move between backup storages (premium, closed) or are exported from one
//! (`storage/backup`; only ImageStore can).

use std::sync::Arc;

use serde_json::{Value, json};

use super::backup_storage::STORAGES;
use super::image::IMAGES;
use super::{Module, Operation, Outcome, Run, inventory, require};
use crate::emulator::core::Call;
use crate::emulator::errors::ApiError;
use crate::emulator::store::{Row, Store, Tx, str_of};

pub static MODULE: Module = Module {
    families: &[],
    views: &[],
    operations: &[
        Operation {
            api: "GetBackupStorageCandidatesForImageMigration",
            check: |store, call| {
                require(store, call, "srcBackupStorageUuid", "backupStorage").map(|_| ())
            },
            run: Run::Effect(|tx, call| {
                let source = require(tx.store, call, "srcBackupStorageUuid", "backupStorage")?;
                let found = candidates(tx.store, &source);
                let found = found.iter().map(|row| STORAGES.inventory(tx.store, row));
                Ok(json!({ "inventories": found.collect::<Vec<_>>() }))
            }),
        },
        Operation {
            api: "BackupStorageMigrateImage",
            check: check_migrate,
            run: Run::Effect(migrate),
        },
        Operation {
            api: "ExportImageFromBackupStorage",
            check: check_export,
            run: Run::Effect(export),
        },
        Operation {
            api: "DeleteExportedImageFromBackupStorage",
            check: |store, call| check_image(store, call, "backupStorageUuid"),
            run: Run::Effect(|tx, call| {
                tx.patch("image", call.text("imageUuid"), &[("exportUrl", Value::Null)]);
                Ok(Value::Null)
            }),
        },
    ],
};

/// Choices: other storages of the same type that are in use.
fn candidates(store: &Store, source: &Row) -> Vec<Arc<Row>> {
    let fits = |row: &&Arc<Row>| {
        str_of(row, "uuid") != str_of(source, "uuid")
            && (str_of(row, "state"), str_of(row, "status")) == ("Enabled", "Connected")
    };
    let same_type = store.table("backupStorage").find("type", str_of(source, "type"));
    same_type.filter(fits).cloned().collect()
}

/// The image, the storage, and the image on it.
fn check_image(store: &Store, call: &Call, field: &str) -> Result<(), ApiError> {
    require(store, call, "imageUuid", "image")?;
    require(store, call, field, "backupStorage")?;
    let (image, storage) = (call.text("imageUuid"), call.text(field));
    match store.get("imageRef", &format!("{image}/{storage}")) {
        Some(_) => Ok(()),
        None => Err(ApiError::argument(format!(
            "image[uuid:{image}] is not on backup storage[uuid:{storage}]"
        ))),
    }
}

fn check_migrate(store: &Store, call: &Call) -> Result<(), ApiError> {
    check_image(store, call, "srcBackupStorageUuid")?;
    require(store, call, "dstBackupStorageUuid", "backupStorage")?;
    let source = require(store, call, "srcBackupStorageUuid", "backupStorage")?;
    let (image, target) = (call.text("imageUuid"), call.text("dstBackupStorageUuid"));
    match candidates(store, &source).iter().any(|row| str_of(row, "uuid") == target) {
        true => Ok(()),
        false => Err(ApiError::argument(format!(
            "image[uuid:{image}] can not migrate to backup storage[uuid:{target}], which is not among its candidates"
        ))),
    }
}

fn migrate(tx: &mut Tx<'_>, call: &Call) -> Outcome {
    let image = call.text("imageUuid");
    let (source, target) = (call.text("srcBackupStorageUuid"), call.text("dstBackupStorageUuid"));
    tx.erase("imageRef", &format!("{image}/{source}"));
    super::image::put_on(tx, image, target);
    let row = tx.patch("image", image, &[]);
    let row = row.ok_or_else(|| ApiError::not_found("imageUuid", image, "ImageVO"))?;
    Ok(inventory(tx.store, &IMAGES, &row))
}

/// A choice: only an ImageStore exports, as the manual's product texts say; the storage must be in
/// use.
fn check_export(store: &Store, call: &Call) -> Result<(), ApiError> {
    check_image(store, call, "backupStorageUuid")?;
    let row = require(store, call, "backupStorageUuid", "backupStorage")?;
    let uuid = call.text("backupStorageUuid");
    if str_of(&row, "type") != "ImageStoreBackupStorage" {
        return Err(ApiError::operation(format!(
            "backup storage[uuid:{uuid}] of type {} can not export images",
            str_of(&row, "type")
        )));
    }
    match str_of(&row, "status") {
        "Connected" => Ok(()),
        status => {
            Err(ApiError::operation(format!("backup storage[uuid:{uuid}] has status[{status}]")))
        }
    }
}

fn export(tx: &mut Tx<'_>, call: &Call) -> Outcome {
    let image = call.text("imageUuid");
    let storage = require(tx.store, call, "backupStorageUuid", "backupStorage")?;
    let format = call.given("exportFormat").unwrap_or("qcow2");
    let url = format!(
        "http://{}:8001/zstore/export/image-{image}.{format}",
        str_of(&storage, "hostname")
    );
    tx.patch("image", image, &[("exportUrl", json!(url))]);
    Ok(json!({ "imageUrl": url }))
}
