//! Hosts (`compute/host`, `plugin/kvm`). The only family whose work has visible phases: Connecting
//! while a host is added or reconnected, PreMaintenance while its VMs move.

use std::sync::Arc;

use serde_json::{Value, json};

use super::{
    Module, Operation, Outcome, Phases, Run, cascade, delete_mode, insert, inventory, machine,
    next_state, nothing, require, update,
};
use crate::emulator::ServerVersion;
use crate::emulator::core::{Call, Core};
use crate::emulator::errors::ApiError;
use crate::emulator::query::{Child, View};
use crate::emulator::store::{Family, Relation, Row, Store, Tx, str_of};

pub static HOST: Family = Family {
    name: "host",
    vo: "HostVO",
    indexes: &[
        "clusterUuid",
        "zoneUuid",
        "managementIp",
        "hypervisorType",
        "status",
        "clusterUuid+status",
    ],
    soft_delete: true,
    relations: &[
        ("zone", Relation::One { member: "zoneUuid", family: "zone" }),
        ("cluster", Relation::One { member: "clusterUuid", family: "cluster" }),
        ("vmInstance", Relation::Many { family: "vm", member: "hostUuid" }),
    ],
};

/// What the machines here have; no figure in the sources. A simulator says it itself.
const CPU_SOCKETS: u64 = 2;
const CPU_NUM: u64 = 32;
const MEMORY: u64 = 128 << 30;

/// Members of HostCapacityVO: what a Connected host reports, less what its VMs take.
fn capacity(store: &Store, row: &Row, out: &mut Row) {
    if str_of(row, "status") == "Connecting" {
        return;
    }
    let number = |row: &Row, member: &str| row.get(member).and_then(Value::as_u64).unwrap_or(0);
    let (mut cpu, mut memory) = (0, 0);
    for vm in store.table("vm").find("hostUuid", str_of(row, "uuid")) {
        cpu += number(vm, "cpuNum");
        memory += number(vm, "memorySize");
    }
    let own = |member: &str, default: u64| match number(row, member) {
        0 => default,
        given => given,
    };
    let (cpus, bytes) = (own("cpuCapacity", CPU_NUM), own("memoryCapacity", MEMORY));
    for (name, value) in [
        ("cpuSockets", CPU_SOCKETS),
        ("cpuNum", CPU_NUM),
        ("totalCpuCapacity", cpus),
        ("availableCpuCapacity", cpus.saturating_sub(cpu)),
        ("totalMemoryCapacity", bytes),
        ("availableMemoryCapacity", bytes.saturating_sub(memory)),
    ] {
        out.insert(name.into(), json!(value));
    }
}

pub static HOSTS: View = View {
    derived: &[
        "cpuSockets",
        "cpuNum",
        "totalCpuCapacity",
        "availableCpuCapacity",
        "totalMemoryCapacity",
        "availableMemoryCapacity",
    ],
    derive: capacity,
    children: &[Child {
        member: "hypervisorType",
        value: "KVM",
        class: "org.zstack.kvm.KVMHostInventory",
        // The password is @APINoSee (RestResultAPINoSeeFilterCase).
        fields: &["username", "sshPort"],
    }],
    ..View::plain(
        "QueryHost",
        &HOST,
        "org.zstack.header.host.HostInventory",
        &[
            "zoneUuid",
            "name",
            "uuid",
            "clusterUuid",
            "description",
            "managementIp",
            "hypervisorType",
            "state",
            "status",
            "totalCpuCapacity",
            "availableCpuCapacity",
            "cpuSockets",
            "totalMemoryCapacity",
            "availableMemoryCapacity",
            "cpuNum",
            "createDate",
            "lastOpDate",
        ],
    )
};

pub static MODULE: Module = Module {
    families: &[&HOST],
    views: &[&HOSTS],
    operations: &[
        Operation { api: "AddKVMHost", check: check_add, run: Run::Phases(add) },
        Operation { api: "AddSimulatorHost", check: check_add, run: Run::Phases(add) },
        Operation { api: "UpdateHost", check: check_update, run: Run::Effect(change) },
        Operation { api: "UpdateKVMHost", check: check_update, run: Run::Effect(change) },
        Operation { api: "ChangeHostState", check: check_state, run: Run::Phases(change_state) },
        Operation { api: "ReconnectHost", check: check_reconnect, run: Run::Phases(reconnect) },
        Operation {
            api: "DeleteHost",
            check: |_, call| delete_mode(call).map(|_| ()),
            run: Run::Phases(delete),
        },
        Operation {
            api: "GetHostAllocatorStrategies",
            check: nothing,
            run: Run::Effect(|_, _| {
                Ok(
                    json!({ "strategies": ["LeastVmPreferredHostAllocatorStrategy", "DefaultHostAllocatorStrategy"] }),
                )
            }),
        },
        Operation {
            api: "GetHypervisorTypes",
            check: nothing,
            run: Run::Effect(|_, _| Ok(json!({ "hypervisorTypes": ["KVM", "Simulator"] }))),
        },
    ],
};

/// Keeps a password comparable without keeping it: the log must not hold it.
/// `BLAKE3 derive_key("rackform emulator password", PASSWORD)`, hex.
pub fn digest(password: &str) -> String {
    blake3::Hash::from_bytes(blake3::derive_key("rackform emulator password", password.as_bytes()))
        .to_hex()
        .to_string()
}

fn is_address(text: &str) -> bool {
    let label = |part: &str| {
        !part.is_empty()
            && !part.starts_with('-')
            && !part.ends_with('-')
            && part.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
    };
    let numeric = text.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    if numeric { text.parse::<std::net::Ipv4Addr>().is_ok() } else { text.split('.').all(label) }
}

/// Errors as HostApiInterceptor and KVMApiInterceptor word them.
fn check_address(store: &Store, address: &str, text: &str) -> Result<(), ApiError> {
    if !is_address(address) {
        return Err(ApiError::argument(format!(
            "managementIp[{address}] is neither an IPv4 address nor a valid hostname"
        )));
    }
    if store.table("host").with("managementIp", address).is_some() {
        return Err(ApiError::argument(format!("there has been a {text}[{address}]")));
    }
    Ok(())
}

fn check_add(store: &Store, call: &Call) -> Result<(), ApiError> {
    require(store, call, "clusterUuid", "cluster")?;
    check_address(store, call.text("managementIp"), "kvm host having management ip")
}

fn add(core: Arc<Core>, call: Arc<Call>) -> Phases {
    Box::pin(async move {
        let uuid = call.new_uuid();
        // Check and row in one transaction: of several adds of one address one wins.
        core.with(|tx| {
            check_add(tx.store, &call)?;
            put_host(tx, &call)
        })?;
        core.wait(0.5).await;
        let connected = core.with(|tx| {
            let result = match call.effects.connect_fail {
                true => Err(connection_error(tx.store, uuid, "no route to host")),
                false => machine::check_os_version(tx.store, uuid).and_then(|()| connect(tx, uuid)),
            };
            if result.is_err() {
                // eoCleanup runs after a failed host add: the uuid is free again, unless asked for.
                tx.erase("host", uuid);
                if call.effects.keep_uuid {
                    tx.take(uuid);
                }
            }
            result
        });
        connected?;
        core.wait(0.5).await;
        core.read(|store| show(store, uuid))
    })
}

fn put_host(tx: &mut Tx<'_>, call: &Call) -> Result<(), ApiError> {
    let cluster = require(tx.store, call, "clusterUuid", "cluster")?;
    let address = call.text("managementIp");
    let kvm = call.api.name == "AddKVMHost";
    let members = json!({
        "zoneUuid": str_of(&cluster, "zoneUuid"),
        "clusterUuid": call.text("clusterUuid"),
        "name": call.text("name"),
        "description": call.given("description"),
        "managementIp": address,
        "hypervisorType": str_of(&cluster, "hypervisorType"),
        "state": "Enabled",
        "status": "Connecting",
        "username": call.given("username"),
        "sshPort": call.values.get("sshPort"),
        "cpuCapacity": call.values.get("cpuCapacity"),
        "memoryCapacity": call.values.get("memoryCapacity"),
        "passwordDigest": kvm.then(|| digest(call.text("password"))),
    });
    insert(tx, "host", call.new_uuid(), members)?;
    super::tag::attach(tx, call, "HostVO");
    Ok(())
}

fn connection_error(store: &Store, uuid: &str, reason: &str) -> ApiError {
    let row = store.get("host", uuid).cloned().unwrap_or_default();
    let (address, user) = (str_of(&row, "managementIp"), str_of(&row, "username"));
    let port = row.get("sshPort").and_then(Value::as_i64).unwrap_or(22);
    let cause =
        format!("unable to connect to KVM[ip:{address}, username:{user}, sshPort:{port}] {reason}");
    ApiError::operation(cause)
        .within("HOST.1003", format!("connection error for KVM host[uuid:{uuid}, ip:{address}]"))
}

/// Connecting → Connected, or an error and the row as it was.
fn connect(tx: &mut Tx<'_>, uuid: &str) -> Result<(), ApiError> {
    let Some(row) = tx.store.get("host", uuid).cloned() else {
        return Err(ApiError::not_found("uuid", uuid, HOST.vo));
    };
    let address = str_of(&row, "managementIp");
    if machine::is_unreachable(tx.store, address) {
        return Err(connection_error(tx.store, uuid, "no route to host"));
    }
    if !machine::lets_in(tx.store, address, str_of(&row, "passwordDigest")) {
        return Err(connection_error(tx.store, uuid, "authentication failed"));
    }
    let storages = cascade::attached_storages(tx, str_of(&row, "clusterUuid"));
    let reachable = |uuid: &String| {
        tx.store
            .get("primaryStorage", uuid)
            .is_some_and(|row| super::primary_storage::can_mount(tx.store, row))
    };
    if !storages.is_empty() && !storages.iter().any(reachable) {
        return Err(ApiError::operation(
            "host can not access any primary storage, please check network",
        ));
    }
    tx.patch("host", uuid, &[("status", json!("Connected"))]);
    super::device::discover(tx, uuid);
    storages.iter().for_each(|storage| cascade::storage_follows_hosts(tx, storage));
    Ok(())
}

/// A host that could not be connected is Disconnected; storages follow.
fn lose(tx: &mut Tx<'_>, uuid: &str) {
    let row = tx.patch("host", uuid, &[("status", json!("Disconnected"))]).unwrap_or_default();
    for storage in cascade::attached_storages(tx, str_of(&row, "clusterUuid")) {
        cascade::storage_follows_hosts(tx, &storage);
    }
}

fn show(store: &Store, uuid: &str) -> Outcome {
    let row = store.get("host", uuid).ok_or_else(|| ApiError::not_found("uuid", uuid, HOST.vo))?;
    Ok(inventory(store, &HOSTS, row))
}

fn check_update(store: &Store, call: &Call) -> Result<(), ApiError> {
    let row = require(store, call, "uuid", "host")?;
    if call.version == ServerVersion::V3_0 && str_of(&row, "status") == "Connecting" {
        let uuid = call.text("uuid");
        return Err(ApiError::operation(format!(
            "can not update host[uuid:{uuid}]which is connecting or creating, please wait."
        )));
    }
    match call.given("managementIp") {
        // Refuses even the host's own unchanged address (HostApiInterceptor).
        Some(address) => check_address(store, address, "host having managementIp"),
        None => Ok(()),
    }
}

/// Takes effect on the next connect only.
fn change(tx: &mut Tx<'_>, call: &Call) -> Outcome {
    let reply =
        update(tx, call, &HOSTS, &["name", "description", "managementIp", "username", "sshPort"])?;
    let uuid = call.text("uuid");
    if let Some(password) = call.given("password") {
        tx.patch("host", uuid, &[("passwordDigest", json!(digest(password)))]);
    }
    Ok(reply)
}

const EVENTS: [(&str, &str); 3] =
    [("enable", "Enabled"), ("disable", "Disabled"), ("maintain", "Maintenance")];

fn check_state(store: &Store, call: &Call) -> Result<(), ApiError> {
    let row = require(store, call, "uuid", "host")?;
    let (uuid, status, state) = (call.text("uuid"), str_of(&row, "status"), str_of(&row, "state"));
    if next_state(call, &EVENTS)? != "Maintenance" {
        return Ok(());
    }
    if status != "Connected" {
        return Err(ApiError::operation(format!(
            "can not maintain host[uuid:{uuid}, status:{status}]which is not Connected"
        )));
    }
    if matches!(state, "Maintenance" | "PreMaintenance") {
        return Err(ApiError::internal(format!(
            "cannot find next state for current state[{state}] on transition event[preMaintain]"
        )));
    }
    Ok(())
}

fn change_state(core: Arc<Core>, call: Arc<Call>) -> Phases {
    Box::pin(async move {
        let (uuid, state) = (call.text("uuid"), next_state(&call, &EVENTS)?);
        let before = core.with(|tx| {
            check_state(tx.store, &call)?;
            let row = require(tx.store, &call, "uuid", "host")?;
            let leaving = matches!(str_of(&row, "state"), "Maintenance" | "PreMaintenance");
            match (state, leaving) {
                ("Maintenance", _) => tx.patch("host", uuid, &[("state", json!("PreMaintenance"))]),
                // Leaving Maintenance reconnects.
                (_, true) => tx.patch(
                    "host",
                    uuid,
                    &[("state", json!(state)), ("status", json!("Connecting"))],
                ),
                (_, false) => tx.patch("host", uuid, &[("state", json!(state))]),
            };
            Ok(row)
        })?;
        core.wait(0.5).await;
        core.with(|tx| match state {
            "Maintenance" => enter_maintenance(tx, &call, str_of(&before, "state")),
            _ if matches!(str_of(&before, "state"), "Maintenance" | "PreMaintenance") => {
                // The reconnect's failure is not the state change's.
                let failed = connect(tx, uuid).is_err();
                if failed {
                    lose(tx, uuid);
                }
                Ok(())
            }
            _ => Ok(()),
        })?;
        core.wait(0.5).await;
        core.read(|store| show(store, uuid))
    })
}

/// VMs move to another Enabled and Connected host of the cluster; those that cannot (local storage,
/// no such host) are stopped. A failure puts the old state back.
fn enter_maintenance(tx: &mut Tx<'_>, call: &Call, before: &str) -> Result<(), ApiError> {
    let uuid = call.text("uuid");
    if call.effects.connect_fail {
        tx.patch("host", uuid, &[("state", json!(before))]);
        return Err(ApiError::operation("the agent did not answer")
            .within("HOST.1001", format!("failed to maintain host[uuid:{uuid}]")));
    }
    let Some(row) = tx.store.get("host", uuid).cloned() else { return Ok(()) };
    let others = tx.store.table("host").find("clusterUuid", str_of(&row, "clusterUuid"));
    let target = others
        .filter(|other| {
            str_of(other, "state") == "Enabled" && str_of(other, "status") == "Connected"
        })
        .map(|other| str_of(other, "uuid").to_owned())
        .find(|other| other != uuid);
    for vm in tx.uuids("vm", "hostUuid", uuid) {
        match &target {
            Some(target) if super::vm::can_move(tx.store, &vm) => {
                tx.patch("vm", &vm, &[("hostUuid", json!(target)), ("lastHostUuid", json!(uuid))]);
            }
            _ => cascade::stop_vm(tx, &vm),
        }
    }
    tx.patch("host", uuid, &[("state", json!("Maintenance"))]);
    Ok(())
}

fn check_reconnect(store: &Store, call: &Call) -> Result<(), ApiError> {
    let row = require(store, call, "uuid", "host")?;
    let (uuid, name, state) = (call.text("uuid"), str_of(&row, "name"), str_of(&row, "state"));
    if matches!(state, "Maintenance" | "PreMaintenance") {
        let text = format!(
            "host[uuid:{uuid}, name:{name}] is in state[{state}], cannot perform required operation"
        );
        return Err(ApiError::operation(text.clone()).within("HOST.1002", text));
    }
    Ok(())
}

fn reconnect(core: Arc<Core>, call: Arc<Call>) -> Phases {
    Box::pin(async move {
        let uuid = call.text("uuid");
        core.with(|tx| tx.patch("host", uuid, &[("status", json!("Connecting"))]));
        core.wait(0.5).await;
        core.with(|tx| {
            let result = match call.effects.connect_fail {
                true => Err(connection_error(tx.store, uuid, "no route to host")),
                false => connect(tx, uuid),
            };
            result.map_err(|cause| {
                lose(tx, uuid);
                cause.within("HOST.1002", format!("failed to reconnect host[uuid:{uuid}]"))
            })
        })?;
        core.wait(0.5).await;
        core.read(|store| show(store, uuid))
    })
}

/// An Enabled host is Disabled first.
fn delete(core: Arc<Core>, call: Arc<Call>) -> Phases {
    Box::pin(async move {
        let uuid = call.text("uuid");
        core.with(|tx| {
            let enabled =
                tx.store.get("host", uuid).is_some_and(|row| str_of(row, "state") == "Enabled");
            if enabled {
                tx.patch("host", uuid, &[("state", json!("Disabled"))]);
            }
        });
        core.wait(1.0).await;
        core.with(|tx| {
            if tx.store.get("host", uuid).is_some() {
                cascade::remove_host(tx, uuid, false);
            }
        });
        Ok(Value::Null)
    })
}

/// After a restart of the management node: hosts that were connecting are connected again, those of
/// interrupted adds included (their row outlives the job).
pub fn reconnect_all(core: &Arc<Core>) {
    let waiting = core.with(|tx| tx.uuids("host", "status", "Connecting"));
    if waiting.is_empty() {
        return;
    }
    let core = core.clone();
    let mut epoch = core.epoch();
    tokio::spawn(async move {
        tokio::select! {
            _ = epoch.changed() => return,
            () = core.wait(0.5) => {}
        }
        core.with(|tx| {
            for uuid in waiting {
                let failed = connect(tx, &uuid).is_err();
                if failed {
                    lose(tx, &uuid);
                }
            }
        });
    });
}
