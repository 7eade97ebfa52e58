//! NFS primary storage (`plugin/nfsPrimaryStorage`).

use std::net::Ipv4Addr;

use super::local::forbidden;
use super::primary_storage::add;
use super::storage_kind::Kind;
use super::{Module, Operation, Run, require};
use crate::emulator::core::Call;
use crate::emulator::errors::ApiError;
use crate::emulator::store::{Store, str_of};

pub static KIND: Kind = Kind {
    needs_host: true,
    updates_url: true,
    // NfsPrimaryStorageFactory
    mount_path: |uuid, _| format!("/opt/zstack/nfsprimarystorage/prim-{uuid}"),
    // No figure in the sources: any size that is there once it is mounted.
    capacity: |_, _, hosts| if hosts == 0 { 0 } else { 10 << 40 },
    server: |url| url.split_once(':').map(|(server, _)| server),
    ..Kind::plain("NFS")
};

pub static MODULE: Module = Module {
    families: &[],
    views: &[],
    operations: &[Operation {
        api: "AddNfsPrimaryStorage",
        check: check_add,
        run: Run::Phases(|core, call| add(core, call, &KIND, check_add)),
    }],
};

/// NfsApiParamChecker.
fn check_add(store: &Store, call: &Call) -> Result<(), ApiError> {
    require(store, call, "zoneUuid", "zone")?;
    let (url, zone) = (call.text("url"), call.text("zoneUuid"));
    let Some((_, path)) = url.split_once(':') else {
        // No stricter check is known; without a colon the server's split has no second part.
        return Err(ApiError::argument(format!(
            "invalid url[{url}], it must be in the format of host:/path"
        )));
    };
    forbidden(path)?;
    check_gateway(url, &call.system_tags)?;
    let same = |row: &std::sync::Arc<crate::emulator::store::Row>| {
        str_of(row, "type") == KIND.name && str_of(row, "zoneUuid") == zone
    };
    if store.table("primaryStorage").find("url", url).any(same) {
        return Err(ApiError::argument(format!(
            "there has been a nfs primary storage having url as {url} in zone[uuid:{zone}]"
        )));
    }
    Ok(())
}

/// The system tag that selects the storage network (section 3.4).
const GATEWAY: &str = "primaryStorage::gateway::cidr::";

/// At most one network, and the server is in it (NfsPrimaryStorageFactory).
fn check_gateway(url: &str, tags: &[String]) -> Result<(), ApiError> {
    let mut networks = tags.iter().filter_map(|tag| tag.strip_prefix(GATEWAY));
    let Some(network) = networks.next() else { return Ok(()) };
    if networks.next().is_some() {
        return Err(ApiError::argument(format!("only one {GATEWAY} is allowed")));
    }
    let server = url.split_once(':').map_or(url, |(server, _)| server);
    let (Ok(server), Some((base, length))) = (server.parse::<Ipv4Addr>(), parse_cidr(network))
    else {
        return Err(ApiError::argument(format!("{network} is not a CIDR, or {server} no address")));
    };
    let mask = u32::MAX.checked_shl(32 - length).unwrap_or(0);
    match (u32::from(server) ^ u32::from(base)) & mask {
        0 => Ok(()),
        _ => Err(ApiError::argument(format!("server ip[{server}] is not in CIDR[{network}]"))),
    }
}

fn parse_cidr(text: &str) -> Option<(Ipv4Addr, u32)> {
    let (base, length) = text.split_once('/')?;
    let length = length.parse().ok().filter(|length| *length <= 32)?;
    Some((base.parse().ok()?, length))
}
