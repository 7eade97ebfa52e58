//! Decoding against rows as the server writes them.

use super::*;
use crate::schema;

/// A type with an attribute of every kind. `uuid` is an attribute beside being the id.
const SAMPLE: &str = r#"
version = 1
doc     = "sample"
id      = "client:resourceUuid"
read    = { call = "GET /samples", reply = "inventories" }
create  = { call = "POST /samples", body = "params", reply = "inventory" }
delete  = { call = "DELETE /samples/{id}" }
[attr]
name     = { kind = "text", doc = "d" }
port     = { kind = "int", doc = "d" }
zone     = { kind = "ref(sample)", wire = "zoneUuid", doc = "d" }
disks    = { kind = "set(text)", doc = "d" }
mon      = { kind = "object", attr = { mon_port = { kind = "int", doc = "d" }, ssh_password = { kind = "text", is = ["sensitive", "write_only"], doc = "d" } }, doc = "d" }
bootable = { kind = "bool", doc = "d" }
chap     = { kind = "text", is = ["write_only"], wire = "chapName", doc = "d" }
odd      = { kind = "text", wire = "adminPassword", doc = "d" }
uuid     = { kind = "text", is = ["computed"], doc = "d" }
[link.clusters]
kind   = "ref(sample)"
doc    = "d"
wire   = "attachedClusterUuids"
create = { call = "POST /clusters/{to}/samples/{id}" }
delete = { call = "DELETE /clusters/{to}/samples/{id}" }
[link.targets]
kind   = "ref(sample)"
doc    = "d"
wire   = "iscsiClusterRefs/*/clusterUuid"
create = { call = "POST /targets/{to}/samples/{id}" }
delete = { call = "DELETE /targets/{to}/samples/{id}" }
[link.servers]
kind   = "ref(sample)"
doc    = "d"
wire   = "iscsiClusterRefs/*/server/uuid"
create = { call = "POST /servers/{to}/samples/{id}" }
delete = { call = "DELETE /servers/{to}/samples/{id}" }
"#;

fn sample() -> Arc<ResourceType> {
    let files = [
        ("zstack", "provider.toml", "doc = \"p\"\nwire = \"camelCase\""),
        ("zstack", "sample.toml", SAMPLE),
    ];
    let schemas = schema::parse_texts(&files).unwrap_or_else(|(found, _)| panic!("{found:?}"));
    schemas.get(schema::TypeIx(0)).clone()
}

const PAGE: &str = r#"{
  "inventories": [
    {"uuid": "b1", "name": "first", "port": 3260.0, "zoneUuid": "z1", "disks": ["d2", "d1", "d2"],
     "mon": {"monPort": "6789", "sshPassword": "hunter2", "extra": [1, {"deep": null}]},
     "bootable": true, "chapName": "chap", "adminPassword": "hunter2", "unknown": {"a": [1]},
     "attachedClusterUuids": ["c2", "c1"], "lastOpDate": "Jun 7, 2017 9:20:28 PM",
     "iscsiClusterRefs": [{"clusterUuid": "c1", "server": {"uuid": "s1"}}, {"clusterUuid": "c2"}]},
    {"zoneUuid": "z1", "uuid": "b2", "name": "first", "port": null}
  ],
  "schema": {"inventories[0]": "org.zstack.header.zone.ZoneInventory"},
  "total": 2.0
}"#;

#[test]
fn a_page_becomes_normal_rows_without_secrets() {
    let ty = sample();
    let page = RowDecoder::new(&ty).page(PAGE.as_bytes()).expect("a page");
    assert_eq!(page.total, Some(2));
    let first = &page.rows[0];
    assert_eq!(&*first.id, "b1");
    let shown: Vec<String> = first.attrs.iter().map(ToString::to_string).collect();
    let expected = [
        "\"first\"",
        "3260",
        "\"z1\"",
        "[\"d1\", \"d2\"]",
        "{ mon_port = 6789 }",
        "true",
        "null",
        "null",
        "\"b1\"",
    ];
    assert_eq!(shown, expected);
    let ids = |link| first.linked(LinkIx(link)).iter().map(|i| &**i).collect::<Vec<_>>();
    assert_eq!((ids(0), ids(1), ids(2)), (vec!["c1", "c2"], vec!["c1", "c2"], vec!["s1"]));
    assert!(!format!("{:?}", page.rows).contains("hunter2"));
}

#[test]
fn absent_members_are_null_and_texts_are_shared() {
    let page = RowDecoder::new(&sample()).page(PAGE.as_bytes()).expect("a page");
    let [first, second] = &page.rows[..] else { panic!("two rows") };
    assert_eq!(second.attrs[1], Value::Null);
    assert_eq!(second.linked(LinkIx(0)), &[] as &[Arc<str>]);
    for at in [0, 2] {
        let (Value::Str(a), Value::Str(b)) = (&first.attrs[at], &second.attrs[at]) else {
            panic!("texts")
        };
        assert!(Arc::ptr_eq(a, b));
    }
}

#[test]
fn one_object_reads_like_a_row() {
    let ty = sample();
    let page: serde_json::Value = serde_json::from_str(PAGE).expect("JSON");
    let rows = RowDecoder::new(&ty).page(PAGE.as_bytes()).expect("a page").rows;
    assert_eq!(decode(&ty, &page["inventories"][0]).expect("a row"), rows[0]);
}

#[test]
fn what_does_not_fit_is_an_error_that_names_the_attribute_and_not_the_value() {
    let decoder = RowDecoder::new(&sample());
    for (row, reason) in [
        (r#"{"name": "x"}"#, "no id"),
        (r#"{"uuid": "", "name": "x"}"#, "no id"),
        (r#"{"uuid": "a", "port": "hunter2"}"#, "`port`"),
        (r#"{"uuid": "a", "port": 1.5}"#, "`port`"),
        (r#"{"uuid": "a", "name": ["hunter2"]}"#, "`name`"),
        (r#"{"uuid": "a", "disks": {"x": 1}}"#, "`disks`"),
        (r#"{"uuid": "a", "attachedClusterUuids": [{"x": 1}]}"#, "an id belongs"),
        (r#""text""#, "sample object"),
    ] {
        let body = format!(r#"{{"inventories": [{row}]}}"#);
        let error = decoder.page(body.as_bytes()).expect_err(row).to_string();
        assert!(error.contains(reason), "{row}: {error}");
        assert!(!error.contains("hunter2"), "{error}");
    }
}

#[test]
fn a_reply_that_is_no_page_is_an_error() {
    let decoder = RowDecoder::new(&sample());
    for body in ["", "{}", "<html></html>", r#"{"inventories": [{"uuid": "a"}"#, "[]", "{} x"] {
        assert!(decoder.page(body.as_bytes()).is_err(), "{body}");
    }
}

#[test]
fn a_reply_can_be_its_own_row() {
    let schemas = crate::schema::load().unwrap_or_else(|(found, _)| panic!("{found:?}"));
    let decoder = RowDecoder::new(schemas.by_name("hypervisor_types").expect("a type"));
    let page = decoder.page(br#"{"hypervisorTypes": ["KVM", "baremetal"], "x": {}}"#);
    let rows = page.expect("one row").rows;
    let types = Value::list(vec!["KVM".into(), "baremetal".into()]);
    assert_eq!((rows.len(), &*rows[0].id, &rows[0].attrs[0]), (1, "", &types));
    for body in ["", "[]", r#"{"hypervisorTypes": 3}"#, "{} x"] {
        assert!(decoder.page(body.as_bytes()).is_err(), "{body}");
    }
}
