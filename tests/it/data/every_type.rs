//! Every type that can only be looked up is looked up: the emulator, which knows the API from
//! elsewhere, refuses a wrong path or parameter.

use std::collections::BTreeSet;

use rackform::schema::{self, Kind, Quirk, ResourceType, Schemas};
use serde_json::json;

use super::{calls, with};
use crate::common::cloud::Cloud;

fn schemas() -> Schemas {
    schema::load().unwrap_or_else(|(found, _)| panic!("{found:?}"))
}

/// One of everything that an argument can name.
fn world() -> Cloud {
    let cloud = Cloud::start();
    let vm = json!({ "name": "vm", "localStorage": true });
    let host = json!({ "name": "kvm01", "managementIp": "10.0.0.1", "vms": [vm] });
    let cluster = json!({ "name": "a", "hosts": [host] });
    let local = json!({ "type": "LocalStorage", "name": "l", "url": "/l", "clusters": ["a"] });
    let zone = json!({ "name": "east", "clusters": [cluster], "primaryStorage": [local] });
    let images = json!({ "type": "ImageStoreBackupStorage", "name": "b", "url": "/b",
        "hostname": "10.0.0.7", "zones": ["east"], "images": [{ "name": "debian" }] });
    let seed = json!({ "zones": [zone], "backupStorage": [images] });
    cloud.control(reqwest::Method::POST, "seed", Some(seed));
    cloud
}

/// A table for a type with every argument given.
fn table(cloud: &Cloud, schemas: &Schemas, ty: &ResourceType) -> String {
    let mut text = format!("[data.{}.x]\nall = true\n", ty.name);
    for (ix, attr) in ty.attrs().filter(|(ix, a)| ty.read.takes(*ix, &a.name)) {
        assert!(ty.read.takes(ix, &attr.name));
        let value = match &attr.kind {
            Kind::Ref(kind) => format!("\"id:{}\"", some(cloud, schemas, kind)),
            Kind::Bool => "true".to_owned(),
            Kind::List(of) => match &**of {
                Kind::Ref(kind) => format!("[\"id:{}\"]", some(cloud, schemas, kind)),
                _ => "[\"Generic\"]".to_owned(),
            },
            other => panic!("{}.{}: {other:?}", ty.name, attr.name),
        };
        text.push_str(&format!("{} = {value}\n", attr.name));
    }
    text
}

/// The id of some object of a type.
fn some(cloud: &Cloud, schemas: &Schemas, kind: &str) -> String {
    let ty = schemas.by_name(kind).expect(kind);
    let path: String = ty.read.target.path.iter().map(|piece| format!("{piece:?}")).collect();
    let path = path.trim_start_matches("Lit(\"").trim_end_matches("\")").to_owned();
    let row = cloud.rows(&path).into_iter().next().unwrap_or_else(|| panic!("no {kind} at {path}"));
    row["uuid"].as_str().expect("an id").to_owned()
}

#[test]
fn each_is_read_as_the_api_has_it() {
    let (schemas, cloud) = (schemas(), world());
    let types: Vec<_> = schemas.types.iter().filter(|ty| ty.data_only()).collect();
    let names: BTreeSet<&str> = types.iter().map(|ty| &*ty.name).collect();
    assert!(names.len() > 25, "{names:?}");
    for ty in types {
        let config = table(&cloud, &schemas, ty);
        cloud.reset();
        let outcome = with(&cloud, &config).run(&["plan"]);
        assert_eq!(outcome.code, Some(0), "{config}{}", outcome.stderr);
        cloud.assert_no_violations();
    }
}

/// A server refuses a condition on a member that its rows do not have, so that this tells whether
/// each attribute has its right name there.
#[test]
fn each_attribute_that_can_be_asked_by_is_one_of_the_server() {
    let (schemas, cloud) = (schemas(), world());
    let mut tables = String::new();
    let mut count = 0;
    for ty in schemas.lookups().filter(|ty| ty.read.send.is_none()) {
        for (_, attr) in ty.attrs().filter(|(ix, _)| ty.no_filter(*ix).is_none()) {
            let value = match (&attr.kind, attr.values.first()) {
                // A value of another form is refused: nothing can have it.
                _ if attr.quirk == Some(Quirk::NfsUrl) => "\"10.0.9.5:/export\"".to_owned(),
                _ if attr.quirk == Some(Quirk::StoragePath) => "\"/path\"".to_owned(),
                (_, Some((word, _))) => format!("\"{word}\""),
                (Kind::Ref(_), _) => format!("\"id:{}\"", "0".repeat(32)),
                (Kind::Bool, _) => "true".to_owned(),
                (Kind::Int | Kind::Bytes, _) => "22".to_owned(),
                (Kind::Path, _) => "\"/path\"".to_owned(),
                _ => "\"word\"".to_owned(),
            };
            let (kind, name) = (&ty.name, &attr.name);
            tables.push_str(&format!("[data.{kind}.by_{name}]\nall = true\n{name} = {value}\n"));
            count += 1;
        }
    }
    assert!(count > 80, "{count}");
    cloud.reset();
    with(&cloud, &tables).run(&["plan"]).expect(0);
    cloud.assert_no_violations();
}

/// Every resource type can be looked up as well.
#[test]
fn what_can_be_declared_can_be_looked_up() {
    let (schemas, cloud) = (schemas(), world());
    let declared = schemas.resources().filter(|ty| &*ty.provider == "zstack");
    let tables: String = declared.map(|ty| format!("[data.{}.x]\nall = true\n", ty.name)).collect();
    cloud.reset();
    with(&cloud, &tables).run(&["plan"]).expect(0);
    cloud.assert_no_violations();
    assert_eq!(calls(&cloud, "QueryZone"), 1, "{}", cloud.counts());
}

/// Single objects and lists of words are read whole.
#[test]
fn replies_without_rows_are_objects() {
    let cloud = world();
    let tables = "[data.hypervisor_types.t]\n[data.primary_storage_capacity.c]\nwhole_cloud = true\n\
        [data.local_primary_storage.l]\nname = \"l\"\n\
        [data.local_storage_host_capacity.h]\nprimary_storage = '${data.local_primary_storage.l}'\n";
    let of = |expression: &str| super::evaluated(&cloud, tables, expression);
    assert_eq!(of("${data.hypervisor_types.t.types[0]}"), "KVM");
    assert_ne!(of("${tostring(data.primary_storage_capacity.c.total_capacity)}"), "0");
    let host = cloud.one("/hosts")["uuid"].clone();
    let storage = cloud.one("/primary-storage")["uuid"].clone();
    let seen = of("${data.local_storage_host_capacity.h.host} \
                   ${data.local_storage_host_capacity.h.primary_storage}");
    let [host, storage] = [host, storage].map(|id| id.as_str().expect("an id").to_owned());
    assert_eq!(seen, format!("{host} {storage}"));
}
