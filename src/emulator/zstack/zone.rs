//! Zones (`compute/zone`).

use serde_json::{Value, json};

use super::{
    Module, Operation, Run, cascade, delete_mode, insert, inventory, next_state, nothing, require,
    update,
};
use crate::emulator::ServerVersion;
use crate::emulator::core::Call;
use crate::emulator::errors::ApiError;
use crate::emulator::jobs::is_uuid;
use crate::emulator::query::View;
use crate::emulator::store::{Family, Relation, Store, Tx};

pub static ZONE: Family = Family {
    name: "zone",
    vo: "ZoneVO",
    indexes: &["name"],
    soft_delete: true,
    relations: &[
        ("cluster", Relation::Many { family: "cluster", member: "zoneUuid" }),
        ("host", Relation::Many { family: "host", member: "zoneUuid" }),
        ("primaryStorage", Relation::Many { family: "primaryStorage", member: "zoneUuid" }),
        ("vmInstance", Relation::Many { family: "vm", member: "zoneUuid" }),
    ],
};

pub static ZONES: View = View {
    fields_5_2: &["isDefault"],
    ..View::plain(
        "QueryZone",
        &ZONE,
        "org.zstack.header.zone.ZoneInventory",
        &["uuid", "name", "description", "state", "type", "createDate", "lastOpDate"],
    )
};

pub static MODULE: Module = Module {
    families: &[&ZONE],
    views: &[&ZONES],
    operations: &[
        Operation { api: "CreateZone", check: nothing, run: Run::Effect(create) },
        Operation { api: "UpdateZone", check: exists, run: Run::Effect(change) },
        Operation { api: "ChangeZoneState", check: exists, run: Run::Effect(change_state) },
        Operation { api: "DeleteZone", check: check_delete, run: Run::Effect(delete) },
    ],
};

fn create(tx: &mut Tx<'_>, call: &Call) -> super::Outcome {
    let is_default = (call.version == ServerVersion::V5_2).then(|| call.flag("isDefault"));
    let members = json!({
        "name": call.text("name"),
        "description": call.given("description"),
        "state": "Enabled",
        "type": "zstack",
        "isDefault": is_default,
    });
    let row = insert(tx, "zone", call.new_uuid(), members)?;
    super::tag::attach(tx, call, "ZoneVO");
    Ok(inventory(tx.store, &ZONES, &row))
}

fn exists(store: &Store, call: &Call) -> Result<(), ApiError> {
    require(store, call, "uuid", "zone").map(|_| ())
}

fn change(tx: &mut Tx<'_>, call: &Call) -> super::Outcome {
    update(tx, call, &ZONES, &["name", "description", "isDefault"])
}

fn change_state(tx: &mut Tx<'_>, call: &Call) -> super::Outcome {
    let state = next_state(call, &[("enable", "Enabled"), ("disable", "Disabled")])?;
    let row = tx.patch("zone", call.text("uuid"), &[("state", json!(state))]);
    let row = row.ok_or_else(|| ApiError::not_found("uuid", call.text("uuid"), "ZoneVO"))?;
    Ok(inventory(tx.store, &ZONES, &row))
}

/// `successIfResourceNotExisting` looks at the shape of a missing uuid (APIResourceRelatedFieldCheckCase).
fn check_delete(store: &Store, call: &Call) -> Result<(), ApiError> {
    delete_mode(call)?;
    let uuid = call.text("uuid");
    if store.get("zone", uuid).is_none() && !is_uuid(uuid) {
        return Err(ApiError::new("SYS.1003", format!("invalid value[{uuid}] of field [uuid]")));
    }
    Ok(())
}

fn delete(tx: &mut Tx<'_>, call: &Call) -> super::Outcome {
    cascade::remove_zone(tx, call.text("uuid"));
    Ok(Value::Null)
}
