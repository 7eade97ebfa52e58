//! User and system tags, and the conditions `__userTag__` and `__systemTag__`.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::{Value, json};

use super::{Module, Operation, Outcome, Run, delete_mode, insert, inventory, require};
use crate::emulator::core::Call;
use crate::emulator::errors::ApiError;
use crate::emulator::query::{Condition, Operator, View, like};
use crate::emulator::store::{Family, Store, Tx, str_of};

static USER_TAG: Family = Family {
    name: "userTag",
    vo: "UserTagVO",
    indexes: &["resourceUuid", "tag"],
    soft_delete: false,
    relations: &[],
};

static SYSTEM_TAG: Family = Family {
    name: "systemTag",
    vo: "SystemTagVO",
    indexes: &["resourceUuid", "tag"],
    soft_delete: false,
    relations: &[],
};

const FIELDS: &[&str] = &[
    "inherent",
    "uuid",
    "resourceUuid",
    "resourceType",
    "tag",
    "type",
    "createDate",
    "lastOpDate",
];

static USER_TAGS: View =
    View::plain("QueryUserTag", &USER_TAG, "org.zstack.header.tag.UserTagInventory", FIELDS);
static SYSTEM_TAGS: View =
    View::plain("QuerySystemTag", &SYSTEM_TAG, "org.zstack.header.tag.SystemTagInventory", FIELDS);

pub static MODULE: Module = Module {
    families: &[&USER_TAG, &SYSTEM_TAG],
    views: &[&USER_TAGS, &SYSTEM_TAGS],
    operations: &[
        Operation { api: "CreateUserTag", check: check_user, run: Run::Effect(create_user) },
        Operation { api: "CreateSystemTag", check: check_system, run: Run::Effect(create_system) },
        Operation {
            api: "UpdateSystemTag",
            check: |store, call| require(store, call, "uuid", "systemTag").map(|_| ()),
            run: Run::Effect(|tx, call| super::update(tx, call, &SYSTEM_TAGS, &["tag"])),
        },
        Operation {
            api: "DeleteTag",
            check: |_, call| delete_mode(call).map(|_| ()),
            run: Run::Effect(|tx, call| {
                tx.erase("userTag", call.text("uuid"));
                tx.erase("systemTag", call.text("uuid"));
                Ok(Value::Null)
            }),
        },
    ],
};

fn check(store: &Store, call: &Call, family: &'static str) -> Result<(), ApiError> {
    let (resource, tag) = (call.text("resourceUuid"), call.text("tag"));
    if !store.is_taken(resource) {
        let text =
            format!("cannot find resource[uuid:{resource}, type:{}]", call.text("resourceType"));
        return Err(ApiError::argument(text));
    }
    if store.table(family).find("resourceUuid", resource).any(|row| str_of(row, "tag") == tag) {
        return Err(ApiError::new("TAG.1000", format!("duplicated tag[{tag}]")));
    }
    Ok(())
}

fn check_user(store: &Store, call: &Call) -> Result<(), ApiError> {
    check(store, call, "userTag")
}

fn check_system(store: &Store, call: &Call) -> Result<(), ApiError> {
    check(store, call, "systemTag")
}

fn create_user(tx: &mut Tx<'_>, call: &Call) -> Outcome {
    create(tx, call, &USER_TAGS, "User")
}

fn create_system(tx: &mut Tx<'_>, call: &Call) -> Outcome {
    create(tx, call, &SYSTEM_TAGS, "System")
}

fn create(tx: &mut Tx<'_>, call: &Call, view: &'static View, kind: &str) -> Outcome {
    let members = json!({
        "inherent": false,
        "resourceUuid": call.text("resourceUuid"),
        "resourceType": call.text("resourceType"),
        "tag": call.text("tag"),
        "type": kind,
    });
    let row = insert(tx, view.family.name, &call.fresh, members)?;
    Ok(inventory(tx.store, view, &row))
}

/// The tags that a create brings along. Patterns of system tags are not judged (their list belongs
/// to plug-ins); ephemeral ones are not kept.
pub fn attach(tx: &mut Tx<'_>, call: &Call, resource_type: &str) {
    let resource = call.new_uuid().to_owned();
    let all = [("userTag", "User", &call.user_tags), ("systemTag", "System", &call.system_tags)];
    for (family, kind, tags) in all {
        for tag in tags.iter().filter(|tag| *tag != "validationOnly") {
            let key = format!("{resource}/{kind}/{tag}");
            let digest = blake3::hash(key.as_bytes()).to_hex();
            let row = json!({ "uuid": digest[..32], "inherent": false, "resourceUuid": resource,
                              "resourceType": resource_type, "tag": tag, "type": kind,
                              "createDate": tx.now, "lastOpDate": tx.now });
            tx.put(family, &digest[..32], row.as_object().cloned().unwrap_or_default());
        }
    }
}

/// The rows of a view whose tags fit `__userTag__=…` or `__systemTag__=…`.
pub fn tagged(
    store: &Store,
    view: &View,
    condition: &Condition,
) -> Result<BTreeSet<Arc<str>>, ApiError> {
    let family = match condition.name.as_str() {
        "__userTag__" => "userTag",
        "__systemTag__" => "systemTag",
        name => {
            return Err(ApiError::internal(format!(
                "inventory class[{}] has no field[{name}]",
                view.class
            )));
        }
    };
    let fits = |tag: &str| match condition.operator {
        Operator::Eq | Operator::NotEq => tag == condition.value,
        Operator::In | Operator::NotIn => condition.value.split(',').any(|value| value == tag),
        Operator::Like | Operator::NotLike => like(&condition.value, tag),
        _ => true,
    };
    let rows = store.table(view.family.name);
    let tags = store.table(family).rows().values().filter(|row| fits(str_of(row, "tag")));
    let found: BTreeSet<Arc<str>> =
        tags.filter_map(|row| rows.key(str_of(row, "resourceUuid")).cloned()).collect();
    let negated = matches!(
        condition.operator,
        Operator::NotEq | Operator::NotIn | Operator::NotLike | Operator::IsNull
    );
    if negated {
        return Ok(rows.rows().keys().filter(|uuid| !found.contains(*uuid)).cloned().collect());
    }
    Ok(found)
}
