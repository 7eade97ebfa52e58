//! Ceph monitors, which primary and backup storage share in all but their table (`plugin/ceph`).

use std::sync::Arc;

use serde_json::{Value, json};

use crate::emulator::core::Call;
use crate::emulator::errors::ApiError;
use crate::emulator::store::{Family, Row, Store, Tx, str_of};

/// One of the two tables of monitors.
pub struct Side {
    pub mons: &'static Family,
    /// The family of the storages.
    pub owner: &'static str,
    /// The member that names the storage.
    pub parent: &'static str,
    /// As messages call the storage.
    pub what: &'static str,
}

/// A `monUrl`: `user:password@host[:sshPort]/?monPort=PORT`.
#[derive(Debug, PartialEq)]
pub struct MonUrl {
    pub host: String,
    user: String,
    password: String,
    ssh_port: u64,
    mon_port: u64,
}

/// `MonUri`: the login ends at the last `@`; a password loses what follows a `:` in it.
pub fn parse(url: &str) -> Result<MonUrl, ApiError> {
    let invalid = |what: &str| {
        ApiError::argument(format!(
            "invalid monUrl[{url}], the {what} is invalid. A valid monUrl is in format of \
             sshUsername:sshPassword@hostname:[sshPort]/?[monPort=]"
        ))
    };
    let (login, rest) =
        url.rsplit_once('@').ok_or_else(|| invalid("sshUsername:sshPassword part"))?;
    let mut login = login.split(':');
    let (user, password) = (login.next().unwrap_or(""), login.next());
    let password = password.filter(|p| !p.is_empty() && !user.is_empty());
    let password = password.ok_or_else(|| invalid("sshUsername:sshPassword part"))?;
    let (address, query) = match rest.split_once(['/', '?']) {
        Some((address, query)) => (address, query.trim_start_matches('?')),
        None => (rest, ""),
    };
    let port = |text: &str, what: &str| {
        text.parse::<u64>().ok().filter(|p| (1..=65_535).contains(p)).ok_or_else(|| invalid(what))
    };
    let (host, ssh_port) = match address.split_once(':') {
        Some((host, text)) => (host, port(text, "sshPort")?),
        None => (address, 22),
    };
    if host.is_empty() {
        return Err(invalid("hostname"));
    }
    let mut mon_port = 6789;
    for part in query.split('&').filter(|part| !part.is_empty()) {
        match part.split_once('=') {
            Some(("monPort", text)) => mon_port = port(text, "monPort")?,
            _ => return Err(invalid("query part")),
        }
    }
    let (host, user, password) = (host.to_owned(), user.to_owned(), password.to_owned());
    Ok(MonUrl { host, user, password, ssh_port, mon_port })
}

/// All urls, each host once (CephOperationCase). A host that any storage of this side uses already
/// is refused with `used`.
pub fn check_urls(
    store: &Store,
    side: &Side,
    urls: &[&str],
    used: impl Fn(&str) -> String,
) -> Result<Vec<MonUrl>, ApiError> {
    let mons = urls.iter().map(|url| parse(url)).collect::<Result<Vec<_>, _>>()?;
    for (at, mon) in mons.iter().enumerate() {
        if mons[..at].iter().any(|other| other.host == mon.host) {
            return Err(ApiError::argument(format!("Cannot add same host[{}] in mons", mon.host)));
        }
        if store.table(side.mons.name).with("hostname", &mon.host).is_some() {
            return Err(ApiError::argument(used(&mon.host)));
        }
    }
    Ok(mons)
}

/// Puts the monitors of a storage.
pub fn put(tx: &mut Tx<'_>, side: &Side, parent: &str, mons: &[MonUrl]) {
    for mon in mons {
        // Never asked for by its uuid alone, so that a computed one does.
        let key = format!("{}/{parent}/{}/{}", side.mons.name, mon.host, tx.now);
        let uuid = super::computed_uuid(&key);
        let row = json!({
            "uuid": uuid, "monUuid": uuid, side.parent: parent, "hostname": mon.host,
            "monAddr": mon.host, "monPort": mon.mon_port, "sshUsername": mon.user,
            "sshPassword": mon.password,
            "sshPasswordDigest": super::digest(&mon.password), "sshPort": mon.ssh_port, "status": "Connecting",
            "createDate": tx.now, "lastOpDate": tx.now,
        });
        tx.put(side.mons.name, &uuid, row.as_object().cloned().unwrap_or_default());
    }
}

/// Connects the monitors; some may fail, not all. Returns the id of the Ceph cluster: a seed may
/// give each machine one, otherwise the lowest address of a monitor stands for it.
pub fn connect(tx: &mut Tx<'_>, side: &Side, parent: &str) -> Result<String, ApiError> {
    let mut mons: Vec<_> =
        tx.store.table(side.mons.name).find(side.parent, parent).cloned().collect();
    // They stand by uuids that nobody can foresee.
    mons.sort_by(|a, b| str_of(a, "hostname").cmp(str_of(b, "hostname")));
    // What an earlier connect found stays.
    let known = tx.store.get(side.owner, parent).map(|row| str_of(row, "fsid").to_owned());
    let mut found = None;
    let mut first = known.filter(|fsid| !fsid.is_empty());
    let mut errors = Vec::new();
    for mon in &mons {
        let host = str_of(mon, "hostname");
        let up = !super::machine::is_unreachable(tx.store, host);
        let status = if up { "Connected" } else { "Disconnected" };
        tx.patch(side.mons.name, str_of(mon, "uuid"), &[("status", json!(status))]);
        if !up {
            errors.push(format!("unable to connect to the mon[{host}]"));
            continue;
        }
        let given = tx.store.get("machine", host).map(|m| str_of(m, "fsid").to_owned());
        match (&found, given.filter(|fsid| !fsid.is_empty())) {
            (Some(fsid), Some(other)) if *fsid != other => {
                return Err(ApiError::operation(format!(
                    "the mon[{host}] returns a different FSID[{other}] than FSID[{fsid}]"
                )));
            }
            (None, given) => {
                let own = first.take().unwrap_or_else(|| super::computed_uuid(host));
                found = Some(given.unwrap_or(own));
            }
            _ => {}
        }
    }
    found.ok_or_else(|| {
        ApiError::operation(format!(
            "unable to connect to the {}[uuid:{parent}]. Failed to connect all ceph mons. Errors are {errors:?}",
            side.what
        ))
    })
}

/// The monitors of a storage as inventories; the password is returned in clear, as by the real one.
pub fn inventories(store: &Store, side: &Side, parent: &str) -> Value {
    let fields = [
        "hostname",
        "monPort",
        "monAddr",
        "sshUsername",
        "sshPassword",
        "sshPort",
        "status",
        "monUuid",
        side.parent,
        "createDate",
        "lastOpDate",
    ];
    let show = |mon: &Row| -> Value {
        let members = fields.iter().filter_map(|name| {
            let value = mon.get(*name)?.clone();
            Some(((*name).to_owned(), crate::emulator::query::shown(name, value)))
        });
        members.collect::<Row>().into()
    };
    store.table(side.mons.name).find(side.parent, parent).map(|mon| show(mon)).collect()
}

/// AddMon: puts and connects them; if that fails they go again.
pub fn add(tx: &mut Tx<'_>, side: &Side, call: &Call) -> Result<(), ApiError> {
    let urls = call.list("monUrls").into_iter().map(parse).collect::<Result<Vec<_>, _>>()?;
    put(tx, side, call.text("uuid"), &urls);
    let connected = connect(tx, side, call.text("uuid"));
    connected.map(|_| ()).inspect_err(|_| {
        let hosts: Vec<&str> = urls.iter().map(|url| url.host.as_str()).collect();
        remove(tx, side, &hosts);
    })
}

/// UpdateMon: no reconnect, no check for another monitor of that name; `monAddr` stays. Returns the
/// row.
pub fn update(tx: &mut Tx<'_>, side: &Side, call: &Call) -> Arc<Row> {
    let names = ["hostname", "sshUsername", "sshPassword", "sshPort", "monPort"];
    let given = |name: &'static str| Some((name, call.values.get(name)?.clone()));
    let mut changes: Vec<(&str, Value)> = names.into_iter().filter_map(given).collect();
    if let Some(password) = call.given("sshPassword") {
        changes.push(("sshPasswordDigest", json!(super::digest(password))));
    }
    tx.patch(side.mons.name, call.text("monUuid"), &changes).unwrap_or_default()
}

/// RemoveMon: by hostname in the whole table, whatever the storage; unknown names are no error, the
/// last monitor may go (`CephPrimaryStorageBase`).
pub fn remove(tx: &mut Tx<'_>, side: &Side, hostnames: &[&str]) {
    for host in hostnames {
        for mon in tx.uuids(side.mons.name, "hostname", host) {
            tx.erase(side.mons.name, &mon);
        }
    }
}

/// All monitors of a storage.
pub fn remove_all(tx: &mut Tx<'_>, side: &Side, parent: &str) {
    for mon in tx.uuids(side.mons.name, side.parent, parent) {
        tx.erase(side.mons.name, &mon);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls() {
        let mon = parse("root:p@ss:word@10.0.1.3:2222/?monPort=7777").expect("a url");
        assert_eq!((mon.host.as_str(), mon.ssh_port, mon.mon_port), ("10.0.1.3", 2222, 7777));
        assert_eq!(mon.password, "p@ss", "the rest after a colon is lost");
        assert_eq!(parse("root:p@h").expect("a url").mon_port, 6789);
        for bad in ["10.0.1.3", "root@10.0.1.3", "root:p@h:x", "root:p@h/?port=1", "root:p@"] {
            assert_eq!(parse(bad).expect_err(bad).code, "SYS.1007", "{bad}");
        }
    }
}
