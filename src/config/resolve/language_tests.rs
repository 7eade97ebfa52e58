//! Instances, locals and modules: what they become, and what is said when they cannot.

use crate::config::{Desired, Facts, Loader, Need, Outside, ROOT, SourceFile, expand, judge};
use crate::diag::Diagnostics;
use crate::schema::{Schemas, load as load_schemas};
use crate::value::Value;

fn schemas() -> Schemas {
    load_schemas().unwrap_or_else(|(findings, _)| panic!("{findings:?}"))
}

const HEAD: &str = "[provider.zstack]\nendpoint = \"emulator\"\n";

/// Expands a root module and others by directory; every environment variable is `env`, every file
/// `hosts.csv`.
fn run(root: &str, modules: &[(&str, &str)]) -> Result<Desired, Diagnostics> {
    let schemas = schemas();
    let mut loader = Loader::default();
    let file = |name: String, text: &str| vec![SourceFile { name, bytes: text.into() }];
    loader.add(ROOT, Ok(file("main.rack.toml".into(), &format!("{HEAD}{root}"))));
    loop {
        let wanted = loader.wanted();
        if wanted.is_empty() {
            break;
        }
        for dir in wanted {
            let found = modules.iter().find(|(name, _)| **name == *dir);
            let files = found.map(|(_, text)| file(format!("{dir}/main.rack.toml"), text));
            loader.add(&dir, files.ok_or_else(|| "there is no such directory".to_owned()));
        }
    }
    let loaded = loader.finish(&schemas);
    let config = loaded.config?;
    let mut facts = Facts::default();
    loop {
        let (desired, _) = expand(&config, &schemas, &facts, &loaded.sources)?;
        if desired.needs.is_empty() {
            judge(&config, &schemas, &facts, &loaded.sources)?;
            return Ok(desired);
        }
        for need in desired.needs {
            match need {
                Need::Env(name) => drop(facts.env.insert(name, Some("env".into()))),
                file => {
                    drop(facts.files.insert(file, Outside::Text("a,10.0.0.1\nb,10.0.0.2".into())))
                }
            }
        }
    }
}

fn addresses(root: &str, modules: &[(&str, &str)]) -> Vec<String> {
    let desired = run(root, modules).unwrap_or_else(|found| panic!("{found:#?}"));
    desired.resources.iter().map(|r| r.address.to_string()).collect()
}

fn attr(desired: &Desired, address: &str, name: &str) -> Value {
    let resource = desired.get(&address.parse().expect("address")).expect(address);
    let ty = schemas().get(resource.ty).clone();
    resource.attrs[usize::from(ty.find_attr(name).expect(name).0)].clone()
}

/// Code, address and the characters pointed at of each finding.
fn faults(root: &str, modules: &[(&str, &str)]) -> Vec<(&'static str, String)> {
    let text = format!("{HEAD}{root}");
    let found = match run(root, modules) {
        Ok(desired) => panic!("{:?}", desired.resources),
        Err(found) => found,
    };
    let shown = |d: crate::diag::Diagnostic| {
        let label = d.labels.first().expect("a place").span;
        let source = match label.file.0 {
            0 => &text,
            file => modules[file as usize - 1].1,
        };
        (d.code, source[label.start as usize..label.end as usize].to_owned())
    };
    found.into_iter().map(shown).collect()
}

#[test]
fn for_each_makes_an_instance_of_each_key() {
    for for_each in [
        "for_each = [\"b\", \"a\"]",
        "for_each = '${[\"b\", \"a\"]}'",
        "for_each = { a = 1, b = 2 }",
        "for_each = [{ n = \"a\" }, { n = \"b\" }]\nfor_each_key = \"n\"",
    ] {
        let text = format!("[zone.z]\n{for_each}\n");
        assert_eq!(addresses(&text, &[]), ["zone.z[\"a\"]", "zone.z[\"b\"]"], "{for_each}");
    }
    assert_eq!(addresses("[zone.z]\ncount = 2\n", &[]), ["zone.z[\"0\"]", "zone.z[\"1\"]"]);
    assert_eq!(addresses("[zone.z]\ncount = 0\n[zone.y]\nfor_each = []\n", &[]).len(), 0);
}

/// The rows of a CSV are texts, and numbers may be names.
#[test]
fn values_of_expressions_fit_their_attributes() {
    let text = "[zone.z]\nname = '${1 + 1}'\ndescription = '${true}'\n[cluster.c]\nzone = \"zone.z\"\n\
                hypervisor_type = \"KVM\"\n[host.h]\ncluster = \"cluster.c\"\nusername = \"root\"\n\
                management_ip = \"10.0.0.1\"\npassword = '${env(\"P\")}'\nssh_port = '${\"2022\"}'\n";
    let desired = run(text, &[]).unwrap_or_else(|found| panic!("{found:#?}"));
    assert_eq!(attr(&desired, "zone.z", "name"), Value::str("2"));
    assert_eq!(attr(&desired, "zone.z", "description"), Value::str("true"));
    assert_eq!(attr(&desired, "host.h", "ssh_port"), Value::Int(2022));
    for wrong in ["'${\"22x\"}'", "'${22.5}'", "\"22\""] {
        let text = text.replace("'${\"2022\"}'", wrong);
        assert_eq!(faults(&text, &[]), [("wrong_kind", wrong.to_owned())]);
    }
}

/// `count` is for the zero-or-one case: of zero, values mean nothing, and names are still wrong.
#[test]
fn a_block_without_instances_is_judged_by_its_names() {
    let none = |rest: &str| {
        format!(
            "[zone.z]\n[nfs_primary_storage.s]\ncount = '${{var.nfs == null ? 0 : 1}}'\n\
             zone = \"zone.z\"\n{rest}\n[variable.nfs]\ndefault = '${{null}}'\n\
             [locals]\nbroken = '${{1 / 0}}'\n"
        )
    };
    let broken = ("bad_operand", "1 / 0".to_owned());
    for fine in ["url = '${var.nfs}'", "url = '${upper(var.nfs)}/x'", "url = 'no-path'"] {
        assert_eq!(faults(&none(fine), &[]), std::slice::from_ref(&broken), "{fine}");
    }
    // Said of the local itself, which others may use; and once.
    assert_eq!(faults(&none("url = '${local.broken}'"), &[]), std::slice::from_ref(&broken));
    for (wrong, code, at) in [
        ("", "missing_attribute", "[nfs_primary_storage.s]"),
        ("url = '${var.mfs}'", "unknown_variable", "var.mfs"),
        ("url = '/x'\nurls = 1", "unknown_attribute", "urls"),
        ("url = '${uper(var.nfs)}'", "unknown_function", "uper"),
        ("url = '${var.nfs'", "bad_expression", "'"),
    ] {
        assert!(faults(&none(wrong), &[]).iter().any(|f| f.0 == code), "{wrong} {at}");
    }
}

#[test]
fn instances_have_values_of_their_own() {
    let text = r#"
[locals]
racks = ["a", "b"]
[zone.z]
[cluster.rack]
for_each        = '${local.racks}'
zone            = "zone.z"
hypervisor_type = "KVM"
description     = 'rack ${each.value}'
[host.kvm]
for_each      = '${{ for i in [1, 2, 3] : "0${i}" => { rack = i == 3 ? "b" : "a", ip = "10.0.0.${i}" } }}'
cluster       = 'cluster.rack["${each.value.rack}"]'
management_ip = '${each.value.ip}'
description   = '${cluster.rack[each.value.rack].description} in ${cluster.rack[each.value.rack].name}'
username      = "root"
password      = '${env("PW")}'
[local_primary_storage.s]
zone     = '${zone.z}'
url      = "/s"
clusters = '${cluster.rack[*]}'
"#;
    let desired = run(text, &[]).unwrap_or_else(|found| panic!("{found:#?}"));
    let host = |key: &str, name: &str| attr(&desired, &format!("host.kvm[\"{key}\"]"), name);
    assert_eq!(host("03", "cluster").to_string(), "cluster.rack[\"b\"]");
    assert_eq!(host("02", "management_ip"), Value::str("10.0.0.2"));
    assert_eq!(host("01", "name"), Value::str("kvm-01"));
    assert_eq!(host("03", "description"), Value::str("rack b in rack-b"));
    let links: Vec<_> = desired.links.iter().map(|l| l.address.to_string()).collect();
    assert_eq!(
        links,
        [
            r#"local_primary_storage.s.clusters["cluster.rack[\"a\"]"]"#,
            r#"local_primary_storage.s.clusters["cluster.rack[\"b\"]"]"#
        ]
    );
}

const HALL: &str = r#"
[variable.name]
type = "string"
[variable.racks]
type    = "list(string)"
default = ["a"]
[zone.main]
name = '${var.name}'
[cluster.rack]
for_each        = '${var.racks}'
zone            = "zone.main"
hypervisor_type = "KVM"
[output.zone]
value = '${zone.main}'
[output.names]
value = '${[for r in var.racks : "${var.name}-${r}"]}'
"#;

#[test]
fn modules_are_instances_of_their_directory() {
    let text = r#"
[module.hall]
source   = "./modules/hall"
for_each = { a = ["r1", "r2"], b = ["r3"] }
name     = 'hall ${each.key}'
racks    = '${each.value}'
[nfs_primary_storage.s]
zone        = '${module.hall["a"].zone}'
url         = "10.0.0.9:/nfs"
description = '${module.hall["b"].names[0]} of ${[for h in module.hall[*].names : h[0]][1]}'
[cluster.extra]
zone            = '${module.hall["a"].zone.id}'
hypervisor_type = "KVM"
"#;
    let modules = [("modules/hall", HALL)];
    assert_eq!(
        addresses(text, &modules),
        [
            "cluster.extra",
            "module.hall[\"a\"].cluster.rack[\"r1\"]",
            "module.hall[\"a\"].cluster.rack[\"r2\"]",
            "module.hall[\"a\"].zone.main",
            "module.hall[\"b\"].cluster.rack[\"r3\"]",
            "module.hall[\"b\"].zone.main",
            "nfs_primary_storage.s",
        ]
    );
    let desired = run(text, &modules).expect("good");
    let storage = |name| attr(&desired, "nfs_primary_storage.s", name);
    assert_eq!(storage("zone").to_string(), "module.hall[\"a\"].zone.main");
    assert_eq!(storage("description"), Value::str("hall b-r3 of hall b-r3"));
    let zone = attr(&desired, "module.hall[\"b\"].zone.main", "name");
    assert_eq!(zone, Value::str("hall b"));
    let rack = attr(&desired, "module.hall[\"a\"].cluster.rack[\"r2\"]", "zone");
    assert_eq!(rack.to_string(), "module.hall[\"a\"].zone.main");
}

#[test]
fn modules_call_modules_and_read_files_beside_them() {
    let outer = "[module.inner]\nsource = \"../inner\"\ntext = '${file(\"${path.module}/x\")}'\n\
                 [output.text]\nvalue = '${module.inner.text}'\n";
    let inner = "[variable.text]\n[output.text]\nvalue = '${var.text} ${path.module}'\n[zone.in]\n";
    let text = "[module.outer]\nsource = \"./modules/outer\"\n[zone.z]\ndescription = '${module.outer.text}'\n";
    let modules = [("modules/outer", outer), ("modules/inner", inner)];
    let desired = run(text, &modules).unwrap_or_else(|found| panic!("{found:#?}"));
    let found = attr(&desired, "zone.z", "description");
    assert_eq!(found, Value::str("a,10.0.0.1\nb,10.0.0.2 modules/inner"));
    assert!(desired.get(&"module.outer.module.inner.zone.in".parse().expect("address")).is_some());
}

#[test]
fn mistakes_in_instances_point_at_their_cause_and_name_one() {
    for (text, expected) in [
        ("[zone.z]\nfor_each = '${var.x}'\n", ("unknown_variable", "var.x")),
        ("[zone.z]\nfor_each = [\"a\", \"a\"]\n", ("duplicate_key", "[\"a\", \"a\"]")),
        ("[zone.z]\nfor_each = '${null}'\n", ("bad_for_each", "'${null}'")),
        ("[zone.z]\nfor_each = [1]\n", ("bad_for_each", "[1]")),
        ("[zone.z]\nfor_each = [{ a = 1 }]\n", ("bad_for_each", "[{ a = 1 }]")),
        ("[zone.z]\nfor_each = [{}]\nfor_each_key = \"a\"\n", ("bad_for_each", "[{}]")),
        ("[zone.z]\nfor_each = { a = 1 }\nfor_each_key = \"a\"\n", ("bad_for_each", "{ a = 1 }")),
        ("[zone.z]\nfor_each_key = \"a\"\n", ("not_applicable", "for_each_key")),
        ("[zone.z]\ncount = -1\n", ("bad_for_each", "-1")),
        ("[zone.z]\ncount = \"x\"\n", ("bad_for_each", "\"x\"")),
        ("[zone.z]\ncount = 1\nfor_each = []\n", ("for_each_and_count", "count")),
        (
            "[zone.z]\nfor_each = ['${zone.y.id}']\n[zone.y]\n",
            ("not_yet_known", "['${zone.y.id}']"),
        ),
        ("[zone.z]\nname = '${each.key}'\n", ("not_here", "each.key")),
        ("[zone.z]\nname = '${local.x}'\n[locals]\ny = 1\n", ("unknown_local", "local.x")),
        ("[locals]\na = '${1 / 0}'\n", ("bad_operand", "1 / 0")),
        (
            "[zone.z]\ncount = 1\n[cluster.c]\nzone = \"zone.z\"\nhypervisor_type = \"KVM\"\n",
            ("which_instance", "\"zone.z\""),
        ),
        (
            "[zone.z]\ncount = 1\n[cluster.c]\nzone = 'zone.z[\"1\"]'\nhypervisor_type = \"KVM\"\n",
            ("missing_object", "'zone.z[\"1\"]'"),
        ),
        (
            "[zone.z]\n[cluster.c]\nzone = '${zone.z[0]}'\nhypervisor_type = \"KVM\"\n",
            ("missing_object", "zone.z[0]"),
        ),
        ("[zone.z]\nfor_each = ['${zone.z.name}']\n", ("cycle", "['${zone.z.name}']")),
        (
            "[zone.z]\nname = '${zone.z.description}'\ndescription = '${zone.z.name}'\n",
            ("cycle", "'${zone.z.description}'"),
        ),
        ("[module.m]\nsource = \"modules/m\"\n", ("bad_source", "\"modules/m\"")),
        ("[module.m]\nsource = \"./nope\"\n", ("missing_module", "\"./nope\"")),
        ("[module.m]\n", ("missing_attribute", "[module.m]")),
        ("[module.m]\nsource = '${path.module}'\n", ("bad_source", "'${path.module}'")),
        ("[zone.z]\nname = '${module.m.x}'\n", ("missing_module", "module.m.x")),
    ] {
        assert!(
            faults(text, &[]).contains(&(expected.0, expected.1.to_owned())),
            "{text}{:?}",
            faults(text, &[])
        );
    }
    let text = "[locals]\na = '${local.b}'\nb = '${[local.c]}'\nc = '${local.a}'\n";
    assert_eq!(faults(text, &[]).len(), 1, "one circle is one finding");
}

#[test]
fn one_mistake_in_many_instances_is_one_finding() {
    let text = "[host.h]\nfor_each = '${[for i in range(0, 100) : tostring(i)]}'\n\
                cluster = 'cluster.c'\nmanagement_ip = '10.0.0.${each.key}'\nusername = \"root\"\n\
                password = '${env(\"X\")}'\nname = '${each.value.x}'\n[cluster.c]\nzone = \"zone.z\"\n\
                hypervisor_type = \"KVM\"\n[zone.z]\n";
    let text = text.replace("range(0, 100)", &format!("{:?}", (0..100).collect::<Vec<_>>()));
    let Err(found) = run(&text, &[]) else { panic!("strings have no members") };
    assert_eq!(found.len(), 1, "{found:#?}");
    let only = found.iter().next().expect("one");
    assert_eq!(only.count, 100);
    assert_eq!(only.address.as_ref().map(|a| a.as_str()), Some("host.h[\"0\"]"));
}

#[test]
fn mistakes_around_modules_are_explained() {
    let modules = [("m", "[variable.x]\ntype = \"number\"\n[output.o]\nvalue = 1\n[zone.in]\n")];
    for (text, expected) in [
        ("[module.m]\nsource = \"./m\"\n", ("missing_variable", "[module.m]")),
        ("[module.m]\nsource = \"./m\"\nx = \"a\"\n", ("wrong_kind", "\"a\"")),
        ("[module.m]\nsource = \"./m\"\nx = 1\ny = 2\n", ("unknown_attribute", "y")),
        ("[module.m]\nsource = \"./m\"\nx = 1\nprovider = \"p\"\n", ("unknown_provider", "\"p\"")),
        (
            "[module.m]\nsource = \"./m\"\nx = 1\n[zone.z]\nname = '${module.m.p}'\n",
            ("unknown_output", "module.m.p"),
        ),
        (
            "[module.m]\nsource = \"./m\"\nx = 1\n[cluster.c]\nzone = \"module.m.zone.in\"\nhypervisor_type = \"KVM\"\n",
            ("bad_reference", "\"module.m.zone.in\""),
        ),
        ("[module.m]\nsource = \"./m\"\nx = '${module.m.o}'\n[locals]\nl = 1\n", ("", "")),
    ] {
        if expected.0.is_empty() {
            // An output that does not depend on the input is no circle.
            assert!(run(text, &modules).is_ok());
            continue;
        }
        assert!(
            faults(text, &modules).contains(&(expected.0, expected.1.to_owned())),
            "{text}{:?}",
            faults(text, &modules)
        );
    }
    let ring = [("m", "[module.n]\nsource = \"../n\"\n"), ("n", "[module.m]\nsource = \"../m\"\n")];
    assert_eq!(faults("[module.m]\nsource = \"./m\"\n", &ring), [("cycle", "\"../m\"".to_owned())]);
}

#[test]
fn secrets_are_no_keys() {
    let text = "[variable.s]\nsensitive = true\ndefault = '${[env(\"A\")]}'\n[zone.z]\nfor_each = '${var.s}'\n";
    assert_eq!(faults(text, &[]), [("secret_key", "'${var.s}'".to_owned())]);
}

#[test]
fn modules_wait_and_are_waited_for() {
    let text = "[zone.first]\n[module.m]\nsource = \"./m\"\nfor_each = [\"a\", \"b\"]\n\
                depends_on = [\"zone.first\"]\n[zone.last]\ndepends_on = ['module.m[\"b\"]']\n\
                [zone.end]\ndepends_on = [\"module.m\"]\n";
    let modules = [
        ("m", "[zone.in]\n[module.n]\nsource = \"../n\"\ndepends_on = [\"zone.in\"]\n"),
        ("n", "[zone.deep]\n"),
    ];
    let desired = run(text, &modules).unwrap_or_else(|found| panic!("{found:#?}"));
    let before = |address: &str| -> Vec<String> {
        let found = desired.get(&address.parse().expect("address")).expect(address);
        found.depends_on.iter().map(|(address, _)| address.to_string()).collect()
    };
    assert_eq!(before("module.m[\"a\"].zone.in"), ["zone.first"]);
    let deep = ["module.m[\"a\"].zone.in", "zone.first"];
    assert_eq!(before("module.m[\"a\"].module.n.zone.deep"), deep);
    let in_b = ["module.m[\"b\"].module.n.zone.deep", "module.m[\"b\"].zone.in"];
    assert_eq!(before("zone.last"), in_b);
    assert_eq!(before("zone.end").len(), 4);
    let own = text.replace("[\"zone.first\"]", "[\"module.m\"]");
    assert_eq!(faults(&own, &modules).first().map(|(code, _)| *code), Some("cycle"));
    let typo = text.replace("[\"module.m\"]", "[\"module.n\"]");
    assert_eq!(faults(&typo, &modules), [("missing_module", "\"module.n\"".to_owned())]);
}
