//! Queries over a small store: operators, pages, relations.

use serde_json::{Value, json};

use super::super::params::query_pairs;
use super::super::store::{Relation, Store, Tx};
use super::*;

static ZONE: Family =
    Family { name: "zone", vo: "ZoneVO", indexes: &[], soft_delete: true, relations: &[] };
static HOST: Family = Family {
    name: "host",
    vo: "HostVO",
    indexes: &["zoneUuid", "type"],
    soft_delete: true,
    relations: &[("zone", Relation::One { member: "zoneUuid", family: "zone" })],
};
static ZONES: View = View::plain("QueryZone", &ZONE, "Zone", &["uuid", "name"]);
static HOSTS: View = View {
    children: &[Child { member: "type", value: "KVM", class: "KvmHost", fields: &["port"] }],
    ..View::plain(
        "QueryHost",
        &HOST,
        "Host",
        &["uuid", "name", "note", "type", "zoneUuid", "createDate"],
    )
};

fn ask(query: &str) -> Result<Value, ApiError> {
    let mut store = Store::new(&[&ZONE, &HOST]);
    let mut tx = Tx::new(&mut store, 0);
    let rows = [
        ("zone", "z1", json!({ "uuid": "z1", "name": "east" })),
        (
            "host",
            "a",
            json!({ "uuid": "a", "name": "x%1", "note": "n", "type": "KVM", "zoneUuid": "z1", "port": 22 }),
        ),
        (
            "host",
            "b",
            json!({ "uuid": "b", "name": "y", "type": "KVM", "port": 2200, "createDate": 1_496_870_428_000i64 }),
        ),
        ("host", "c", json!({ "uuid": "c", "name": "z", "type": "Sim", "zoneUuid": "z1" })),
    ];
    for (family, uuid, row) in rows {
        tx.put(family, uuid, row.as_object().cloned().unwrap_or_default());
    }
    let spec = parse(&query_pairs(query)).expect("a good query");
    answer(&store, &Views::new(vec![&ZONES, &HOSTS], ServerVersion::V3_0), &HOSTS, &spec)
}

fn uuids(query: &str) -> String {
    let reply = ask(query).expect("answers");
    let rows = reply["inventories"].as_array().cloned().unwrap_or_default();
    rows.iter().map(|row| row["uuid"].as_str().unwrap_or("-")).collect()
}

#[test]
fn operators() {
    assert_eq!(uuids("q=uuid?=a,c"), "ac");
    assert_eq!(uuids("q=uuid!?=a,c"), "b");
    assert_eq!(uuids("q=name!=y"), "ac");
    assert_eq!(uuids("q=note is null"), "bc");
    assert_eq!(uuids("q=note not null"), "a");
    assert_eq!(uuids("q=note=null"), "");
    assert_eq!(uuids("q=note!=m"), "a", "null is not unequal to anything");
    assert_eq!(uuids("q=name~=%25x%25"), "a");
    assert_eq!(uuids("q=name!~=_"), "a");
    assert_eq!(uuids("q=uuid>a&q=uuid<=c"), "bc");
    assert_eq!(uuids("q=createDate>2017-06-07 00:00:00"), "b");
    let split = ask("q=name=a!=b").expect_err("the first operator in the list wins");
    assert!(split.details.ends_with("has no field[name=a]"), "{}", split.details);
}

#[test]
fn pages_and_order() {
    assert_eq!(uuids("sort=-uuid&limit=2"), "cb");
    assert_eq!(uuids("sort=+name&start=1"), "bc");
    assert_eq!(uuids("sort=-name&limit=1"), "c");
    let reply = ask("replyWithCount=true&limit=1&q=type=KVM").expect("answers");
    assert_eq!(
        (reply["total"].clone(), reply["inventories"].as_array().map(Vec::len)),
        (json!(2), Some(1))
    );
    assert_eq!(ask("count=true").expect("answers"), json!({ "total": 3, "schema": {} }));
    assert_eq!(ask("limit=1").expect("answers").get("total"), None);
    assert_eq!(ask("q=name!=y&replyWithCount=true&limit=1").expect("answers")["total"], 2);
}

#[test]
fn fields_and_sub_types() {
    let reply = ask("q=type=KVM&q=port=22&fields=port&fields=uuid").expect("answers");
    assert_eq!(reply["inventories"], json!([{ "port": 22 }]));
    assert_eq!(reply["schema"], json!({ "inventories[0]": "KvmHost" }));
    let error = ask("q=port=22").expect_err("a field of the sub-type only");
    assert_eq!(
        (error.code, error.details.as_str()),
        ("SYS.1000", "inventory class[Host] has no field[port]")
    );
    assert_eq!(
        ask("q=uuid=b").expect("answers")["inventories"][0]["createDate"],
        "Jun 7, 2017 9:20:28 PM"
    );
}

#[test]
fn relations_join() {
    assert_eq!(uuids("q=zone.name=east"), "ac");
    assert_eq!(uuids("q=zone.name=east&q=type=KVM"), "a");
    assert!(ask("q=zone.colour=1").is_err());
    assert!(ask("q=rack.name=1").is_err());
}

#[test]
fn bad_queries_are_texts() {
    assert!(parse(&query_pairs("limit=x")).is_err());
    assert!(parse(&query_pairs("q=name")).is_err());
    let spec = parse(&query_pairs("condition=name=a")).expect("ignored");
    assert_eq!((spec.conditions.len(), spec.unknown), (0, vec!["condition".to_owned()]));
}
