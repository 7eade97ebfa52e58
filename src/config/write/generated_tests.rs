//! What is written of live objects means those objects, and stands as `fmt` would have it.

use std::collections::BTreeMap;
use std::sync::Arc;

use insta::assert_snapshot;
use proptest::prelude::*;

use super::{Alike, Names, Shown, block, fold, format};
use crate::config::{Desired, Facts, Loader, ROOT, SourceFile, expand};
use crate::schema::{Kind, LinkIx, PartIx, ResourceType, Row, Schemas, load};
use crate::value::Value;

const HEAD: &str = "[provider.zstack]\nendpoint = \"emulator\"\n\n[variable.pw]\ntype = \"string\"\nsensitive = true\ndefault = \"s\"\n\n";

fn schemas() -> Schemas {
    load().unwrap_or_else(|(findings, _)| panic!("{findings:?}"))
}

fn expanded(schemas: &Schemas, blocks: &str) -> Desired {
    let text = format!("{HEAD}{blocks}");
    let mut loader = Loader::default();
    let file = SourceFile { name: "main.rack.toml".into(), bytes: text.clone().into() };
    loader.add(ROOT, Ok(vec![file]));
    let loaded = loader.finish(schemas);
    let config = loaded.config.unwrap_or_else(|found| panic!("{found:#?}\n{text}"));
    let expanded = expand(&config, schemas, &Facts::default(), &loaded.sources);
    let (desired, _) = expanded.unwrap_or_else(|found| panic!("{found:#?}\n{text}"));
    assert!(desired.needs.is_empty(), "{:?}", desired.needs);
    desired
}

/// Names and addresses.
type Pairs = Vec<(String, String)>;

/// Ids are addresses with `#` before them; every `password` is in the variable `pw`.
struct Around;

impl Names for Around {
    fn address(&self, _: &str, id: &str) -> Option<String> {
        id.strip_prefix('#').map(str::to_owned)
    }
    fn variable(&self, path: &str) -> Option<String> {
        path.ends_with("password").then(|| "pw".to_owned())
    }
}

fn row(ty: &ResourceType, values: &[(&str, Value)]) -> Row {
    let mut row = ty.empty_row();
    for (name, value) in values {
        row[usize::from(ty.find_attr(name).expect(name).0)] = value.clone();
    }
    row
}

fn text(text: &str) -> Value {
    Value::str(text)
}

fn written(ty: &ResourceType, label: &str, values: &[(&str, Value)]) -> String {
    let row = row(ty, values);
    let out = block(ty, label, &Shown { attrs: &row, ..Shown::default() }, &Around);
    assert_eq!(format(&out), out, "fmt leaves it alone");
    out
}

#[test]
fn a_host_is_written_as_a_person_would() {
    let schemas = schemas();
    let ty = schemas.by_name("host").expect("host");
    let values = [
        ("name", text("kvm-01")),
        ("description", text("it's ${x} \"new\"")),
        ("cluster", text("#cluster.rack")),
        ("management_ip", text("10.0.0.10")),
        ("username", text("root")),
        ("ssh_port", Value::Int(22)),
        ("state", text("Enabled")),
        ("status", text("Connected")),
        ("cpu_num", Value::Int(64)),
    ];
    assert_snapshot!(written(ty, "kvm-01", &values), @r##"
    [host.kvm-01]
    description   = '''it's $${x} "new"'''
    cluster       = "cluster.rack"
    management_ip = "10.0.0.10"
    username      = "root"
    password      = '${var.pw}'
    "##);
    let foreign = [
        ("name", text("东区 kvm")),
        ("cluster", text("0123456789abcdef0123456789abcdef")),
        ("management_ip", text("10.0.0.10")),
        ("username", text("root")),
        ("ssh_port", Value::Int(2222)),
        ("state", text("Maintenance")),
    ];
    assert_snapshot!(written(ty, "东区_kvm", &foreign), @r##"
    [host."东区_kvm"]
    name          = "东区 kvm"
    cluster       = "id:0123456789abcdef0123456789abcdef"
    management_ip = "10.0.0.10"
    username      = "root"
    password      = '${var.pw}'
    ssh_port      = 2222
    state         = "Maintenance"
    "##);
}

#[test]
fn what_no_variable_holds_is_a_comment() {
    struct Nobody;
    impl Names for Nobody {
        fn address(&self, _: &str, _: &str) -> Option<String> {
            None
        }
        fn variable(&self, _: &str) -> Option<String> {
            None
        }
    }
    let schemas = schemas();
    let ty = schemas.by_name("host").expect("host");
    // A careless server shows a secret; it must not be written.
    let row = row(ty, &[("name", text("h")), ("password", text("hunter2"))]);
    let out = block(ty, "h", &Shown { attrs: &row, ..Shown::default() }, &Nobody);
    assert_snapshot!(out, @r##"
    [host.h]
    # cluster: the cloud did not show it
    # management_ip: the cloud did not show it
    # username: the cloud did not show it
    # password: the cloud never shows it; set it here to change it
    "##);
}

#[test]
fn attachments_and_parts_stand_in_place() {
    let schemas = schemas();
    let ty = schemas.by_name("ceph_primary_storage").expect("ceph");
    let part = ty.find_part("mons").expect("mons");
    let element = schemas.element(ty.part(part)).map(|ix| schemas.get(ix)).expect("element");
    let mon = |host: &str, port: i64| {
        row(
            element,
            &[
                ("hostname", text(host)),
                ("ssh_username", text("root")),
                ("ssh_port", Value::Int(port)),
            ],
        )
    };
    let (second, first) = (mon("10.0.0.22", 2222), mon("10.0.0.21", 22));
    let attrs = row(ty, &[("name", text("ceph")), ("zone", text("#zone.east"))]);
    let links: Vec<(LinkIx, Vec<Arc<str>>)> = vec![(
        ty.find_link("clusters").expect("clusters"),
        vec!["#cluster.b".into(), "#cluster.a".into()],
    )];
    let parts = [(part, vec![&second[..], &first[..]])];
    let shown = Shown { attrs: &attrs, links: &links, parts: &parts, ..Shown::default() };
    let out = block(ty, "ceph", &shown, &Around);
    assert_eq!(format(&out), out);
    assert_snapshot!(out, @r##"
    [ceph_primary_storage.ceph]
    zone = "zone.east"
    # root_pool: the cloud never shows it; set it here to change it
    # data_pool: the cloud never shows it; set it here to change it
    # image_cache_pool: the cloud never shows it; set it here to change it
    clusters = ["cluster.a", "cluster.b"]
    mons = [
      { hostname = "10.0.0.21", ssh_username = "root", ssh_password = '${var.pw}' },
      { hostname = "10.0.0.22", ssh_username = "root", ssh_password = '${var.pw}', ssh_port = 2222 },
    ]
    "##);
    let around = "[zone.east]\n[cluster.a]\nzone = \"zone.east\"\nhypervisor_type = \"KVM\"\n[cluster.b]\nzone = \"zone.east\"\nhypervisor_type = \"KVM\"\n";
    let desired = expanded(&schemas, &format!("{around}{out}"));
    assert_eq!(desired.links.len(), 2);
    let elements: Vec<_> =
        desired.resources.iter().filter(|r| r.address.member_of().is_some()).collect();
    assert_eq!(elements.len(), 2);
    let port = element.find_attr("ssh_port").expect("port");
    assert_eq!(elements[1].attrs[usize::from(port.0)], Value::Int(2222));
}

/// A value of each kind, with what is hard to write in it.
fn sample(kind: &Kind) -> Value {
    match kind {
        Kind::Bool => Value::Bool(true),
        Kind::Int | Kind::Bytes => Value::Int(7),
        Kind::Ref(to) => text(&format!("#{to}.x")),
        Kind::Text | Kind::Host | Kind::Path => text("/a '\"${x}\\ 东"),
        Kind::Set(kind) | Kind::List(kind) => Value::list(vec![sample(kind)]),
        Kind::Object(attrs) => {
            Value::map(attrs.iter().map(|a| (a.name.clone(), sample(&a.kind))).collect())
        }
    }
}

#[test]
fn every_type_can_be_written_and_no_secret_is() {
    let schemas = schemas();
    for ty in schemas.resources() {
        let mut full: Row = ty.attrs.iter().map(|attr| sample(&attr.kind)).collect();
        for (ix, attr) in ty.attrs().filter(|(_, attr)| attr.unread()) {
            full[usize::from(ix.0)] = text("hunter2");
            assert!(!attr.computed, "{}.{}", ty.name, attr.name);
        }
        let links: Vec<(LinkIx, Vec<Arc<str>>)> =
            ty.links().map(|(ix, _)| (ix, vec!["#x.y".into(), "f".into()])).collect();
        let elements: Vec<(PartIx, Row)> = ty
            .parts()
            .map(|(ix, part)| {
                let sampled = part.element.attrs.iter().map(|attr| match attr.unread() {
                    true => text("hunter2"),
                    false => sample(&attr.kind),
                });
                (ix, sampled.collect())
            })
            .collect();
        let parts: Vec<(PartIx, Vec<&[Value]>)> =
            elements.iter().map(|(ix, row)| (*ix, vec![&row[..]])).collect();
        for attrs in [full, ty.empty_row()] {
            let shown = Shown { attrs: &attrs, links: &links, parts: &parts, ..Shown::default() };
            let out = block(ty, "a", &shown, &Around);
            assert_eq!(format(&out), out);
            assert!(out.parse::<toml::Table>().is_ok(), "{out}");
            assert!(!out.contains("hunter2"), "{out}");
        }
    }
}

/// The hosts of a cluster, as blocks: the folds and what is left.
fn hosts(schemas: &Schemas, hosts: &[(String, String)]) -> (String, usize) {
    let ty = schemas.by_name("host").expect("host");
    let alike: Vec<Alike<'_>> =
        hosts.iter().map(|(name, address)| Alike { name, address, rest: "" }).collect();
    let folds = fold(&alike);
    let rows: Vec<Row> = hosts
        .iter()
        .map(|(name, address)| {
            let values = [
                ("name", text(name)),
                ("cluster", text("#cluster.rack")),
                ("management_ip", text(address)),
                ("username", text("root")),
            ];
            row(ty, &values)
        })
        .collect();
    let mut out = String::new();
    let mut left: Vec<usize> = (0..hosts.len()).collect();
    for (at, fold) in folds.iter().enumerate() {
        left.retain(|at| fold.members.iter().all(|(_, member)| member != at));
        let label = match folds.len() {
            1 if crate::address::is_identifier(fold.stem()) => fold.stem().to_owned(),
            _ => format!("fold_{at}"),
        };
        let mut instead = BTreeMap::from([
            ("for_each", fold.for_each.clone()),
            ("management_ip", fold.address.clone()),
        ]);
        instead.insert("name", fold.name(&label).unwrap_or_default());
        let attrs = &rows[fold.members[0].1];
        out += &block(ty, &label, &Shown { attrs, instead, ..Shown::default() }, &Around);
        out += "\n";
    }
    for at in left {
        let shown = Shown { attrs: &rows[at], ..Shown::default() };
        out += &block(ty, &format!("alone_{at}"), &shown, &Around);
        out += "\n";
    }
    (out, folds.len())
}

/// Names and addresses of the hosts that a text declares, sorted.
fn declared(schemas: &Schemas, blocks: &str) -> Pairs {
    let around = "[zone.east]\n[cluster.rack]\nzone = \"zone.east\"\nhypervisor_type = \"KVM\"\n";
    let desired = expanded(schemas, &format!("{around}{blocks}"));
    let of = |address, name| desired.text(schemas, address, name).expect("a text").to_string();
    let hosts = desired.resources.iter().filter(|r| r.address.kind() == "host");
    let mut found: Vec<_> =
        hosts.map(|r| (of(&r.address, "name"), of(&r.address, "management_ip"))).collect();
    found.sort();
    found
}

fn numbered(numbers: impl Iterator<Item = u32>, of: fn(u32) -> (String, String)) -> Pairs {
    numbers.map(of).collect()
}

#[test]
fn forty_alike_hosts_are_a_few_lines() {
    let schemas = schemas();
    let forty = numbered(1..41, |n| (format!("kvm-{n:02}"), format!("10.0.1.{}", n + 9)));
    let (out, folds) = hosts(&schemas, &forty);
    assert_eq!(folds, 1);
    assert!(out.lines().count() <= 15, "{out}");
    assert_snapshot!(out, @r##"
    [host.kvm]
    for_each      = '${[for i in range(1, 41) : format("%02d", i)]}'
    cluster       = "cluster.rack"
    management_ip = '${cidrhost("10.0.1.0/24", 9 + each.value)}'
    username      = "root"
    password      = '${var.pw}'
    "##);
    assert_eq!(declared(&schemas, &out), forty);
}

#[test]
fn patterns_that_people_use_are_found() {
    let schemas = schemas();
    let cases: [(&str, Pairs, usize); 8] = [
        (
            "gaps",
            numbered([1, 2, 5, 6, 9].into_iter(), |n| (format!("h{n}"), format!("10.0.0.{n}"))),
            1,
        ),
        (
            "many gaps",
            numbered((0..20).map(|n| n * 3), |n| (format!("h{n:03}"), format!("10.0.0.{n}"))),
            1,
        ),
        (
            "over a net",
            numbered(200..300, |n| {
                (format!("r1-{n}"), std::net::Ipv4Addr::from(0x0a00_0000 + n).to_string())
            }),
            1,
        ),
        (
            "addresses before numbers",
            numbered(100..110, |n| (format!("n-{n}"), format!("10.0.0.{}", n - 100))),
            1,
        ),
        (
            "host names",
            numbered(1..9, |n| (format!("a{n:02}.x"), format!("a{n:02}.example.com"))),
            1,
        ),
        (
            "no order",
            numbered(1..9, |n| (format!("b-{n}"), format!("10.0.0.{}", n * n % 11 + n * 20))),
            1,
        ),
        ("an early number", numbered(1..9, |n| (format!("rack{n}-x7y"), format!("10.0.0.{n}"))), 1),
        ("two only", numbered(1..3, |n| (format!("c{n}"), format!("10.0.0.{n}"))), 0),
    ];
    for (what, case, expected) in cases {
        let (out, folds) = hosts(&schemas, &case);
        assert_eq!(folds, expected, "{what}: {out}");
        let mut case = case;
        case.sort();
        assert_eq!(declared(&schemas, &out), case, "{what}: {out}");
    }
}

#[test]
fn what_differs_in_more_is_not_folded() {
    let of = |rest| Alike { name: "h1", address: "10.0.0.1", rest };
    let hosts = [of("a"), Alike { name: "h2", ..of("a") }, Alike { name: "h3", ..of("b") }];
    assert_eq!(fold(&hosts), []);
    // Two of one number: the second stands for itself.
    let twice =
        [of("a"), of("a"), Alike { name: "h2", ..of("a") }, Alike { name: "h3", ..of("a") }];
    let members: Vec<usize> = fold(&twice)[0].members.iter().map(|(_, at)| *at).collect();
    assert_eq!(members, [0, 2, 3]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Any text of a cloud reads back as that text.
    #[test]
    fn a_block_means_its_object(
        name in "\\PC{1,20}|[a-z\"'\\\\${}%.]{1,12}",
        description in "[a-z \"'\\\\${}%#\n\t\u{202e}东🚀]{0,30}",
        vlan in 1i64..4095,
    ) {
        let (name, description) = (name.trim(), description.trim());
        prop_assume!(!name.is_empty() && !description.is_empty());
        let schemas = schemas();
        let ty = schemas.by_name("l2_vlan_network").expect("l2_vlan_network");
        let values = [
            ("name", text(name)),
            ("description", text(description)),
            ("zone", text("#zone.east")),
            ("physical_interface", text("eth0")),
            ("vlan", Value::Int(vlan)),
        ];
        let out = written(ty, "net", &values);
        let desired = expanded(&schemas, &format!("[zone.east]\n{out}"));
        let address = "l2_vlan_network.net".parse().expect("an address");
        let found = &desired.get(&address).expect("the network").attrs;
        for (at, value) in row(ty, &values).iter().enumerate() {
            match &found[at] {
                Value::Object(zone) => prop_assert_eq!(zone.as_str(), "zone.east"),
                found => prop_assert_eq!(found, value),
            }
        }
    }

    /// Whatever hosts are called: as blocks they are the same hosts.
    #[test]
    fn folded_hosts_are_the_same_hosts(
        found in proptest::collection::btree_map(
            "(a|kvm-|\\$|%|n1-|\\$\\{x\\}|\"\\\\|东)(0?[0-9]|1[0-2])(|b|-7|\\.x)",
            0u32..600, 1..25),
        straight in any::<bool>(),
    ) {
        let mut used = std::collections::BTreeSet::new();
        let mut list: Pairs = Vec::new();
        for (n, (name, number)) in (0u32..).zip(found) {
            let digits: String = name.chars().filter(char::is_ascii_digit).collect();
            let number = if straight { digits.parse().unwrap_or(n) % 1000 } else { number };
            let address = (number..).find(|n| used.insert(*n)).unwrap_or(number);
            list.push((name, std::net::Ipv4Addr::from(0x0a00_0000 + address).to_string()));
        }
        let schemas = schemas();
        let (out, _) = hosts(&schemas, &list);
        let again = format(&out);
        prop_assert_eq!(again.trim_end(), out.trim_end());
        list.sort();
        prop_assert_eq!(declared(&schemas, &out), list);
    }
}
