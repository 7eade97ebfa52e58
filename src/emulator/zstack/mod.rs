//! The resource families of ZStack. In: checked messages. Out: changed rows and inventories. A new
//! family is a new file and one line in [`MODULES`].

mod backup_storage;
mod cascade;
mod ceph;
mod ceph_backup;
mod ceph_mon;
mod cluster;
mod device;
mod host;
mod identity;
mod image;
mod image_migration;
mod iscsi;
mod l2_network;
mod l3_network;
mod local;
mod long_job;
mod machine;
mod management;
mod nfs;
mod pci;
mod primary_storage;
mod shared_block;
mod shell;
mod smp;
mod storage_kind;
mod tag;
mod usb;
mod vm;
mod vm_nic;
mod volume_migration;
mod zone;

use std::collections::HashMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use serde_json::{Value, json};

use super::core::{Call, Core};
use super::errors::ApiError;
use super::query::View;
use super::store::{Family, Row, Store, Tx};

pub use cascade::storage_follows_hosts;
pub use device::{Description, Kind as Discovered, describe, discover};
pub use host::digest;
pub use identity::{put_account, put_admin_session};
pub use image::put_on as put_image_on;
pub use primary_storage::attach as attach_storage;
pub use storage_kind::kind_named;
pub use tag::tagged;
pub use vm::settle as settle_vm;

/// The result of a message: the members of the reply, `Null` if it has none.
pub type Outcome = Result<Value, ApiError>;
/// A handler that waits within its work.
pub type Phases = Pin<Box<dyn Future<Output = Outcome> + Send>>;

/// What is refused before anything is done.
pub type Check = fn(&Store, &Call) -> Result<(), ApiError>;

/// How an API does its work.
#[derive(Clone, Copy)]
pub enum Run {
    /// At once, at the end of the job's time.
    Effect(fn(&mut Tx<'_>, &Call) -> Outcome),
    /// In steps that others can see.
    Phases(fn(Arc<Core>, Arc<Call>) -> Phases),
}

/// An API and its handler. `check` is what the server's interceptors refuse; it alone runs for
/// `validationOnly`.
pub struct Operation {
    pub api: &'static str,
    pub check: Check,
    pub run: Run,
}

/// What a file of this folder adds.
pub struct Module {
    pub families: &'static [&'static Family],
    pub views: &'static [&'static View],
    pub operations: &'static [Operation],
}

const MODULES: [&Module; 28] = [
    &identity::MODULE,
    &management::MODULE,
    &tag::MODULE,
    &zone::MODULE,
    &cluster::MODULE,
    &host::MODULE,
    &primary_storage::MODULE,
    &local::MODULE,
    &nfs::MODULE,
    &smp::MODULE,
    &ceph::MODULE,
    &shared_block::MODULE,
    &iscsi::MODULE,
    &backup_storage::MODULE,
    &ceph_backup::MODULE,
    &image::MODULE,
    &l2_network::MODULE,
    &l3_network::MODULE,
    &vm::MODULE,
    &vm_nic::MODULE,
    &device::MODULE,
    &pci::MODULE,
    &usb::MODULE,
    &volume_migration::MODULE,
    &image_migration::MODULE,
    &long_job::MODULE,
    &shell::MODULE,
    &machine::MODULE,
];

/// All families.
pub fn families() -> Vec<&'static Family> {
    MODULES.iter().flat_map(|module| module.families).copied().collect()
}

/// All views.
pub fn views() -> Vec<&'static View> {
    MODULES.iter().flat_map(|module| module.views).copied().collect()
}

/// All handlers, by API.
pub fn operations() -> HashMap<&'static str, &'static Operation> {
    MODULES.iter().flat_map(|module| module.operations).map(|op| (op.api, op)).collect()
}

/// What the management node does when it starts: what was connecting is connected again.
pub fn boot(core: &Arc<Core>) {
    identity::ensure_admin(core);
    core.with(primary_storage::reconnect_all);
    host::reconnect_all(core);
    long_job::resume(core);
}

/// No check.
pub fn nothing(_: &Store, _: &Call) -> Result<(), ApiError> {
    Ok(())
}

/// The row that a parameter names. Errors: SYS.1003, as `PortalApiInterceptor` words it.
pub fn require(
    store: &Store,
    call: &Call,
    field: &str,
    family: &'static str,
) -> Result<Arc<Row>, ApiError> {
    let uuid = call.text(field);
    let table = store.table(family);
    table.get(uuid).cloned().ok_or_else(|| ApiError::not_found(field, uuid, table.family.vo))
}

/// Puts the row of a create, with uuid and dates. Errors: SYS.1000 if the uuid is used by any
/// resource, deleted ones included.
pub fn insert(
    tx: &mut Tx<'_>,
    family: &'static str,
    uuid: &str,
    members: Value,
) -> Result<Arc<Row>, ApiError> {
    if tx.store.is_taken(uuid) {
        return Err(ApiError::internal(format!("Duplicate entry '{uuid}' for key 'PRIMARY'")));
    }
    let mut row = Row::new();
    row.insert("uuid".into(), json!(uuid));
    if let Value::Object(members) = members {
        row.extend(members.into_iter().filter(|(_, value)| !value.is_null()));
    }
    row.insert("createDate".into(), json!(tx.now));
    row.insert("lastOpDate".into(), json!(tx.now));
    tx.put(family, uuid, row);
    let row = tx.store.get(family, uuid).cloned();
    row.ok_or_else(|| ApiError::internal(format!("no table {family}")))
}

/// A v4-shaped uuid for a row that no client chooses the uuid of.
pub fn computed_uuid(key: &str) -> String {
    let mut hex = blake3::hash(key.as_bytes()).to_hex()[..32].to_owned();
    hex.replace_range(12..13, "4");
    hex.replace_range(16..17, "8");
    hex
}

/// `{"inventory": …}`.
pub fn inventory(store: &Store, view: &View, row: &Row) -> Value {
    json!({ "inventory": view.inventory(store, row) })
}

/// An Update*: takes over the named parameters that were given; absent leaves unchanged.
pub fn update(tx: &mut Tx<'_>, call: &Call, view: &View, members: &[&str]) -> Outcome {
    let uuid = call.text("uuid");
    let changes: Vec<(&str, Value)> =
        members.iter().filter_map(|name| Some((*name, call.values.get(*name)?.clone()))).collect();
    let row = tx.patch(view.family.name, uuid, &changes);
    let row = row.ok_or_else(|| ApiError::not_found("uuid", uuid, view.family.vo))?;
    Ok(inventory(tx.store, view, &row))
}

/// The next state for an event, by exact name: @APIParam lets other cases pass, the enum then
/// breaks (`HostStateEvent.valueOf`).
pub fn next_state(call: &Call, events: &[(&str, &'static str)]) -> Result<&'static str, ApiError> {
    let event = call.text("stateEvent");
    events
        .iter()
        .find_map(|(name, state)| (*name == event).then_some(*state))
        .ok_or_else(|| ApiError::internal(format!("No enum constant for state event {event}")))
}

/// `deleteMode`, a query parameter. Errors: SYS.1000 for another word. Returns whether it enforces.
pub fn delete_mode(call: &Call) -> Result<bool, ApiError> {
    match call.text("deleteMode") {
        "" | "Permissive" => Ok(false),
        "Enforcing" => Ok(true),
        other => Err(ApiError::internal(format!(
            "No enum constant APIDeleteMessage.DeletionMode.{other}"
        ))),
    }
}
