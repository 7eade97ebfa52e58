//! Decoding against rows as the server writes them.

use super::*;
use crate::schema::{Attribute, Call, Kind, Link, Method, Read, Target as CallTarget, Wait};

fn attribute(name: &str, wire: &str, kind: Kind) -> Attribute {
    Attribute {
        name: name.into(),
        kind,
        required: false,
        computed: false,
        sensitive: false,
        write_only: false,
        wire_read: wire.into(),
        wire_sent: wire.into(),
        default: None,
        values: Vec::new(),
        range: None,
        when: Vec::new(),
        since: None,
        quirk: None,
        doc: String::new(),
    }
}

fn call() -> Call {
    Call {
        target: CallTarget { method: Method::Post, path: Vec::new(), query: Vec::new() },
        body: None,
        reply: None,
        send: Vec::new(),
        wait: Wait::Done,
        then: Vec::new(),
        when: Vec::new(),
        cascade: Vec::new(),
    }
}

fn link(name: &str, wire: &str) -> Link {
    let side = Side::Owner {
        to: "cluster".into(),
        wire: wire.into(),
        attach: Box::new(call()),
        detach: Box::new(call()),
    };
    Link { name: name.into(), doc: String::new(), side }
}

/// A type with an attribute of every kind.
fn sample() -> Arc<ResourceType> {
    let nested = vec![
        attribute("mon_port", "monPort", Kind::Int),
        Attribute {
            write_only: true,
            sensitive: true,
            ..attribute("ssh_password", "sshPassword", Kind::Text)
        },
    ];
    Arc::new(ResourceType {
        name: "sample".into(),
        provider: "zstack".into(),
        version: 1,
        doc: String::new(),
        id: IdRule::Client { wire: "resourceUuid".into() },
        unique: Vec::new(),
        after: Vec::new(),
        cascade: Vec::new(),
        attrs: vec![
            attribute("name", "name", Kind::Text),
            attribute("port", "port", Kind::Int),
            attribute("zone", "zoneUuid", Kind::Ref("zone".into())),
            attribute("disks", "disks", Kind::Set(Box::new(Kind::Text))),
            attribute("mon", "mon", Kind::Object(nested)),
            attribute("bootable", "bootable", Kind::Bool),
            Attribute { write_only: true, ..attribute("chap", "chapName", Kind::Text) },
            attribute("odd", "adminPassword", Kind::Text),
            attribute("uuid", "uuid", Kind::Text),
        ],
        links: vec![
            link("clusters", "attachedClusterUuids"),
            link("targets", "iscsiClusterRefs/*/clusterUuid"),
            link("servers", "/iscsiClusterRefs/*/server/uuid"),
        ],
        parts: Vec::new(),
        actions: Vec::new(),
        read: Read {
            target: CallTarget { method: Method::Get, path: Vec::new(), query: Vec::new() },
            reply: "inventories".into(),
        },
        create: None,
        updates: Vec::new(),
        delete: None,
    })
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
