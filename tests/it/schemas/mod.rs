//! The schema files against the language, and against facts written from the manual and the server
//! source rather than from the files themselves.

use std::collections::BTreeSet;

use rackform::schema::{
    self, Attribute, Call, Casualty, Count, IdRule, Method, Piece, ResourceType, Schemas,
    SendSource, Side, Target, Wait,
};
use serde_json::Value;

mod documents;
mod editor;

/// Every API of the manual and of the server source: method, path, wrapper, parameters.
const API: &str = include_str!("../../data/zstack-api.json");

pub fn load() -> Schemas {
    schema::load().unwrap_or_else(|(found, sources)| {
        let lines: Vec<_> = found
            .iter()
            .map(|d| {
                let place = d.labels.first().map(|l| sources.display(l.span));
                format!("{} {}: {}", place.unwrap_or_default(), d.code, d.summary)
            })
            .collect();
        panic!("{}", lines.join("\n"));
    })
}

#[test]
fn the_compiled_in_files_have_no_mistake() {
    let schemas = load();
    let names: BTreeSet<_> = schemas.resources().map(|ty| &*ty.name).collect();
    let first = ["cluster", "host", "local_primary_storage", "nfs_primary_storage", "zone"];
    assert!(first.iter().all(|name| names.contains(name)), "{names:?}");
    let files = schema::FILES.iter().filter(|(_, name, _)| *name != "provider.toml").count();
    assert_eq!(schemas.lookups().count(), files);
}

/// What can be changed in place, from the manual's Update and Change calls and what the server
/// does with them; everything else that can be written replaces the object.
#[test]
fn updates_and_replacements_are_those_of_the_server() {
    const MACHINE: &[&str] =
        &["name", "description", "hostname", "username", "password", "ssh_port", "state"];
    let table: [(&str, &[&str], &[&str]); 12] = [
        // Manual 4.1.4, 4.1.5.
        ("zone", &["name", "description", "is_default", "state"], &[]),
        // Manual 4.2.4, 4.2.5: UpdateCluster takes name and description only.
        (
            "cluster",
            &["name", "description", "state"],
            &["zone", "hypervisor_type", "type", "architecture"],
        ),
        // Manual 4.3.3, 4.3.4, 4.3.8, 4.3.11.13: no call moves a host to another cluster.
        (
            "host",
            &[
                "name",
                "description",
                "management_ip",
                "username",
                "password",
                "ssh_port",
                "state",
                "iommu_state",
            ],
            &["cluster"],
        ),
        // PrimaryStorageBase.updatePrimaryStorage takes url and ignores it; NfsPrimaryStorage acts
        // on it.
        ("local_primary_storage", &["name", "description", "state"], &["zone", "url"]),
        ("nfs_primary_storage", &["name", "description", "state", "url"], &["zone"]),
        ("smp_primary_storage", &["name", "description", "state"], &["zone", "url"]),
        // Manual 4.5.14.4: no url.
        ("imagestore_backup_storage", MACHINE, &["url", "import_images"]),
        ("sftp_backup_storage", MACHINE, &["url", "import_images"]),
        // Manual 4.6.5.
        (
            "iscsi_server",
            &["name", "chap_user_name", "chap_user_password", "state"],
            &["ip", "port"],
        ),
        // Manual 4.3.11: there is no update.
        (
            "pci_device_offering",
            &[],
            &[
                "name",
                "description",
                "vendor_id",
                "device_id",
                "subvendor_id",
                "subdevice_id",
                "ram_size",
            ],
        ),
        // Server class APIUpdateL2NetworkMsg.
        (
            "l2_novlan_network",
            &["name", "description"],
            &["zone", "physical_interface", "vswitch_type"],
        ),
        (
            "l2_vlan_network",
            &["name", "description"],
            &["zone", "physical_interface", "vlan", "vswitch_type"],
        ),
    ];
    let schemas = load();
    for (name, updates, replaces) in table {
        let ty = schemas.by_name(name).expect(name);
        let of = |updatable: bool| -> BTreeSet<&str> {
            let all = ty.attrs().filter(|(ix, a)| a.writable() && ty.updatable(*ix) == updatable);
            all.map(|(_, a)| &*a.name).collect()
        };
        assert_eq!(of(true), updates.iter().copied().collect(), "{name}: updated");
        assert_eq!(of(false), replaces.iter().copied().collect(), "{name}: replaced");
    }
}

/// Requests as the manual and the server source write them: type, which call, method and path,
/// wrapper, parameters.
const REQUESTS: &str = include_str!("../../data/requests.txt");

#[test]
fn requests_are_those_of_the_manual() {
    let schemas = load();
    let lines: BTreeSet<_> = REQUESTS.lines().filter(|l| !l.is_empty()).collect();
    let types: BTreeSet<_> = lines.iter().filter_map(|l| l.split(' ').next()).collect();
    let mut seen = BTreeSet::new();
    for ty in schemas.resources().filter(|ty| types.contains(&*ty.name)) {
        for request in requests(ty) {
            seen.insert(format!("{} {request}", ty.name));
        }
    }
    let seen: BTreeSet<_> = seen.iter().map(String::as_str).collect();
    assert_eq!(seen, lines);
}

fn requests(ty: &ResourceType) -> Vec<String> {
    let mut all = vec![format!("read {}", target(&ty.read.target))];
    for (role, call) in calls(ty) {
        let mut line = format!("{role} {}", target(&call.target));
        if let Some(body) = &call.body {
            line += &format!(" {body}:");
            for name in parameters(ty, role, call) {
                line += &format!(" {name}");
            }
        }
        all.push(line);
    }
    all
}

/// What a call sends in its body or query, with the id that the client chooses.
fn parameters<'a>(ty: &'a ResourceType, role: &str, call: &'a Call) -> Vec<&'a str> {
    // What stands beside the parameters (tags) goes with every call.
    let inside = call.send.iter().filter(|s| !s.wire.starts_with('/'));
    let mut names: Vec<&str> = inside.map(|s| &*s.wire).collect();
    if let ("create", IdRule::Client { wire }) = (role, &ty.id) {
        names.push(wire);
    }
    names
}

fn calls(ty: &ResourceType) -> Vec<(&'static str, &Call)> {
    let mut all: Vec<_> = ty.create.iter().map(|call| ("create", call)).collect();
    all.extend(ty.updates.iter().map(|call| ("update", call)));
    all.extend(ty.delete.iter().map(|call| ("delete", call)));
    all.extend(ty.actions.iter().map(|action| ("action", &action.call)));
    for link in &ty.links {
        if let Side::Owner { attach, detach, .. } = &link.side {
            all.push(("attach", attach));
            all.push(("detach", detach));
        }
    }
    // Those with a list of their own (tags) are the same for all types.
    for part in ty.parts.iter().filter(|part| !part.listed()) {
        let element = &part.element;
        let calls = element.create.iter().chain(&element.updates).chain(&element.delete);
        all.extend(calls.map(|call| ("part", call)));
    }
    all
}

fn pieces(all: &[Piece]) -> String {
    all.iter()
        .map(|piece| match piece {
            Piece::Lit(text) => text.to_string(),
            Piece::Id => "{id}".to_owned(),
            Piece::To => "{to}".to_owned(),
            Piece::Field(name) => format!("{{{name}}}"),
        })
        .collect()
}

fn target(t: &Target) -> String {
    let query: Vec<_> = t.query.iter().map(|(k, v)| format!("{k}={}", pieces(v))).collect();
    let mark = if query.is_empty() { "" } else { "?" };
    format!("{} {}{mark}{}", t.method.as_str(), pieces(&t.path), query.join("&"))
}

/// One API of the table.
pub struct Api {
    pub name: String,
    /// Of the manual, if it is there.
    pub section: Option<String>,
    method: String,
    path: Vec<String>,
    wrapper: Option<String>,
    parameters: BTreeSet<String>,
    /// The same in full, those of 5.2 after those of 3.0.
    facts: Vec<Value>,
}

pub fn table() -> Vec<Api> {
    let rows: Vec<serde_json::Value> = serde_json::from_str(API).expect("the table is JSON");
    let text = |row: &serde_json::Value, key: &str| row[key].as_str().map(ToOwned::to_owned);
    rows.iter()
        .map(|row| {
            let lists = [&row["params"], &row["changes_5_2"]];
            let parameters = lists.iter().filter_map(|list| list.as_array()).flatten();
            let facts: Vec<_> = parameters.filter(|p| p["in"] != "path").cloned().collect();
            Api {
                name: text(row, "api").expect("a name"),
                section: text(row, "manual_section"),
                method: text(row, "method").expect("a method"),
                path: segments(row["path"].as_str().expect("a path")),
                wrapper: text(row, "wrapper"),
                parameters: facts.iter().filter_map(|p| text(p, "name")).collect(),
                facts,
            }
        })
        .collect()
}

/// Path segments, every placeholder as `{}`.
fn segments(path: &str) -> Vec<String> {
    let one = |s: &str| if s.starts_with('{') { "{}".to_owned() } else { s.to_owned() };
    path.split('/').map(one).collect()
}

/// The API that a call runs, or why there is none. Query parameters are those of the manual's
/// section on queries, or the API's own.
fn check(apis: &[Api], target: &Target, body: Option<&str>, sent: &[&str]) -> Result<(), String> {
    let api = find(apis, target, body)?;
    let is_query = api.name.starts_with("Query");
    let query = target.query.iter().map(|(name, _)| name.as_str());
    let unknown = |name: &&str| !(api.parameters.contains(*name) || is_query && *name == "q");
    match query.chain(sent.iter().copied()).find(|name| unknown(name)) {
        Some(name) => Err(format!("{} has no parameter `{name}`", api.name)),
        None => Ok(()),
    }
}

/// The API of a method, path and wrapper.
///
/// # Errors
/// Why there is none.
pub fn find<'a>(apis: &'a [Api], target: &Target, body: Option<&str>) -> Result<&'a Api, String> {
    let path = segments(&pieces(&target.path));
    let fits = |api: &&Api| api.method == target.method.as_str() && api.path == path;
    let at: Vec<_> = apis.iter().filter(fits).collect();
    if at.is_empty() {
        return Err("no API has this method and path".to_owned());
    }
    let wraps = |api: &&Api| api.wrapper.as_deref() == body;
    at.into_iter().find(wraps).ok_or(format!("no API here is wrapped in {body:?}"))
}

/// Lengths, ranges and values are those that the server takes: nothing that it would refuse passes,
/// and nothing that it takes is refused.
#[test]
fn limits_are_those_of_the_api() {
    let (schemas, apis) = (load(), table());
    let mut compared = 0;
    for ty in schemas.resources().filter(|ty| &*ty.provider == "zstack") {
        let own = calls(ty).into_iter().filter(|(role, _)| !["part", "action"].contains(role));
        let own = own.map(|(_, call)| (call, &ty.attrs[..]));
        let actions = ty.actions.iter().map(|action| (&action.call, &action.params[..]));
        for (call, attrs) in own.chain(actions) {
            let api = find(&apis, &call.target, call.body.as_deref()).expect("tested above");
            for item in &call.send {
                let SendSource::Attr(ix) = item.source else { continue };
                let facts = api.facts.iter().filter(|p| p["name"] == *item.wire);
                for fact in facts {
                    compared += compare(ty, &attrs[usize::from(ix.0)], call, fact);
                }
            }
        }
    }
    assert!(compared > 30, "{compared}");
}

/// Compares an attribute with a parameter; how many facts there were.
fn compare(ty: &ResourceType, a: &Attribute, call: &Call, fact: &Value) -> usize {
    let what = format!("{}.{} in {}", ty.name, a.name, target(&call.target));
    let mut compared = 0;
    // What has values is as long as they are.
    if let Some(most) = fact["max_length"].as_i64().filter(|_| a.values.is_empty()) {
        assert_eq!(a.range.map(|(_, high)| high), Some(most), "{what}: length");
        compared += 1;
    }
    if let [Some(low), Some(high)] = [0, 1].map(|at| fact["range"][at].as_i64()) {
        assert_eq!(a.range, Some((low, high)), "{what}: range");
        compared += 1;
    }
    if let Some(taken) = fact["values"].as_array() {
        let known = |sent: &str| taken.iter().any(|value| value == sent);
        let unknown = a.values.iter().find(|(_, sent)| !known(sent));
        assert!(!a.values.is_empty() && unknown.is_none(), "{what}: {unknown:?} of {taken:?}");
        compared += 1;
    }
    compared
}

#[test]
fn every_call_is_in_the_table_of_the_api() {
    let (schemas, apis) = (load(), table());
    let mut wrong = Vec::new();
    let mut note = |ty: &str, at: &Target, result: Result<(), String>| {
        if let Err(reason) = result {
            wrong.push(format!("{ty}: {}: {reason}", target(at)));
        }
    };
    for ty in schemas.lookups().filter(|ty| &*ty.provider == "zstack") {
        let taken: Vec<&str> = ty.read.send.iter().flatten().map(|s| &*s.wire).collect();
        note(&ty.name, &ty.read.target, check(&apis, &ty.read.target, None, &taken));
        let query =
            find(&apis, &ty.read.target, None).is_ok_and(|api| api.name.starts_with("Query"));
        assert_eq!(query, ty.read.send.is_none(), "{} is a query, or not", ty.name);
        // Paths with an id: that they are those of a GET is all that keeps them harmless.
        for own in ty.attrs.iter().filter_map(|a| a.read.as_ref()) {
            note(&ty.name, &own.target, check(&apis, &own.target, None, &[]));
        }
        let mut casualties: Vec<&Casualty> = ty.cascade.iter().collect();
        for (role, call) in calls(ty) {
            let sent = parameters(ty, role, call);
            note(&ty.name, &call.target, check(&apis, &call.target, call.body.as_deref(), &sent));
            casualties.extend(&call.cascade);
        }
        for casualty in casualties {
            if let Count::Query(query) = &casualty.count {
                note(&ty.name, query, check(&apis, query, None, &[]));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The check above can fail.
#[test]
fn a_call_that_is_not_in_the_table_is_noticed() {
    let apis = table();
    let at = |method, path: &str| Target {
        method,
        path: vec![Piece::Lit(path.into())],
        query: Vec::new(),
    };
    let zones = at(Method::Post, "/zones");
    assert_eq!(check(&apis, &zones, Some("params"), &["name", "resourceUuid"]), Ok(()));
    for (target, body, sent) in [
        (at(Method::Post, "/zone"), Some("params"), "name"),
        (at(Method::Put, "/zones"), Some("params"), "name"),
        (zones.clone(), Some("createZone"), "name"),
        (zones.clone(), None, "name"),
        (zones, Some("params"), "Name"),
    ] {
        assert!(check(&apis, &target, body, &[sent]).is_err(), "{target:?} {body:?} {sent}");
    }
}

/// `GET /primary-storage/{uuid}` deletes: objects are read by list queries only. Single attributes
/// are not: the test above has their calls.
#[test]
fn no_get_has_an_id_in_its_path() {
    for ty in &load().types {
        let counts = calls(ty).into_iter().flat_map(|(_, call)| &call.cascade).chain(&ty.cascade);
        let queries = counts.filter_map(|c| match &c.count {
            Count::Query(query) => Some(query),
            Count::Part(_) => None,
        });
        for query in queries.chain([&ty.read.target]) {
            // What is only looked up may be something of an object, never an object itself.
            let within = ty.data_only() && matches!(query.path.last(), Some(Piece::Lit(_)));
            let whole = query.path.iter().all(|piece| matches!(piece, Piece::Lit(_))) || within;
            assert!(whole && query.method == Method::Get, "{}: {}", ty.name, target(query));
        }
    }
}

/// Effects of deletes, from the server's cascades: zones destroy virtual machines, clusters and
/// hosts stop them.
#[test]
fn casualties_are_named_with_their_true_effect() {
    let schemas = load();
    let labels = |name: &str| -> Vec<String> {
        let ty = schemas.by_name(name).expect(name);
        ty.cascade.iter().map(|c| c.label.clone()).collect()
    };
    assert!(labels("zone").contains(&"VMs destroyed".to_owned()));
    assert!(!labels("zone").iter().any(|label| label.contains("stopped")));
    for name in ["cluster", "host"] {
        assert!(labels(name).contains(&"VMs stopped".to_owned()), "{name}");
        assert!(labels(name).iter().any(|l| l.contains("on") && l.ends_with("destroyed")));
    }
    for name in ["local_primary_storage", "nfs_primary_storage", "smp_primary_storage"] {
        let ty = schemas.by_name(name).expect(name);
        assert!(ty.bears_data(), "{name}");
        let link = ty.link(ty.find_link("clusters").expect("a link"));
        let Side::Owner { detach, attach, .. } = &link.side else { panic!("{name} owns it") };
        assert_eq!(detach.cascade[0].label, "VMs stopped");
        assert!(attach.cascade.is_empty() && attach.body.is_none());
    }
}

/// NFS is Disconnected until a host is there, so nothing may wait for Connected before that.
#[test]
fn no_wait_of_storage_needs_a_host() {
    let schemas = load();
    for name in ["local_primary_storage", "nfs_primary_storage", "smp_primary_storage"] {
        let ty = schemas.by_name(name).expect(name);
        let status = ty.find_attr("status").expect("an attribute");
        for (_, call) in calls(ty) {
            if let Wait::Attrs(waits) = &call.wait {
                assert!(waits.iter().all(|w| w.attr != status), "{name}: {}", target(&call.target));
            }
        }
    }
}
