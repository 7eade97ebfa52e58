//! What a configuration becomes, and what is said when it cannot. The table of mistakes is in
//! `tests/it/config_errors.rs`.

use std::collections::BTreeMap;

use crate::address::Address;
use crate::config::{
    Desired, End, Facts, Judged, Need, SourceFile, VariableInput, edges, expand, judge, load,
};
use crate::diag::{Diagnostics, Severity};
use crate::schema::{Schemas, load as load_schemas};
use crate::value::Value;

fn schemas() -> Schemas {
    load_schemas().unwrap_or_else(|(findings, _)| panic!("{findings:?}"))
}

fn facts(env: &[(&str, Option<&str>)], variables: &[(&str, &str)]) -> Facts {
    let input = |text: &str| VariableInput::text(text, "--var");
    Facts {
        env: env.iter().map(|(k, v)| ((*k).into(), v.map(Into::into))).collect(),
        variables: variables.iter().map(|(k, v)| ((*k).into(), input(v))).collect(),
        ..Facts::default()
    }
}

fn run(text: &str, facts: &Facts) -> Result<(Desired, Diagnostics), Diagnostics> {
    let schemas = schemas();
    let file = SourceFile { name: "main.rack.toml".into(), bytes: text.into() };
    let loaded = load(vec![file], &schemas);
    expand(&loaded.config?, &schemas, facts, &loaded.sources)
}

fn good(text: &str, facts: &Facts) -> Desired {
    run(text, facts).unwrap_or_else(|found| panic!("{found:#?}")).0
}

fn codes(result: Result<(Desired, Diagnostics), Diagnostics>) -> Vec<&'static str> {
    result.map_or_else(|d| d, |(_, d)| d).iter().map(|d| d.code).collect()
}

fn attr<'d>(desired: &'d Desired, address: &str, name: &str) -> &'d Value {
    let resource = desired.get(&Address::parse(address).expect("address")).expect(address);
    let ty = schemas().get(resource.ty).clone();
    &resource.attrs[usize::from(ty.find_attr(name).expect(name).0)]
}

const PROVIDER: &str = "[provider.zstack]\nendpoint = \"emulator\"\n";

const EXAMPLE: &str = r##"
#:schema ../../schemas/rackform.schema.json

[provider.zstack]
endpoint = "emulator"
account  = "admin"
password = '${env("ZSTACK_PASSWORD")}'

[variable.ssh_password]
type      = "string"
sensitive = true

[zone.east]
description = "first hall"

[cluster.rack]
zone            = "zone.east"
hypervisor_type = "KVM"
lifecycle       = { prevent_destroy = true, ignore_changes = ["description"] }
timeouts        = { create = "1h30m" }

[host.kvm]
cluster       = '${cluster.rack}'
management_ip = '10.0.1.${10 + 1}'
username      = "root"
password      = '${var.ssh_password}'
depends_on    = ["zone.east"]

[local_primary_storage.scratch]
zone     = '${zone.east.id}'
url      = "/zstack_ps"
clusters = ['${cluster.rack}']
"##;

#[test]
fn the_example_becomes_what_is_desired() {
    let known = facts(&[("ZSTACK_PASSWORD", Some("pw"))], &[("ssh_password", "hunter2")]);
    let (desired, warnings) = run(EXAMPLE, &known).unwrap_or_else(|found| panic!("{found:#?}"));
    assert!(warnings.is_empty(), "{warnings:?}");
    let addresses: Vec<_> = desired.resources.iter().map(|r| r.address.as_str()).collect();
    assert_eq!(
        addresses,
        ["cluster.rack", "host.kvm", "local_primary_storage.scratch", "zone.east"]
    );
    let east = Value::Object(Address::new("zone", "east"));
    assert_eq!(*attr(&desired, "cluster.rack", "zone"), east);
    assert_eq!(*attr(&desired, "local_primary_storage.scratch", "zone"), east);
    assert_eq!(*attr(&desired, "host.kvm", "management_ip"), Value::str("10.0.1.11"));
    assert_eq!(*attr(&desired, "host.kvm", "name"), Value::str("kvm"));
    assert_eq!(*attr(&desired, "host.kvm", "ssh_port"), Value::Int(22));
    assert_eq!(*attr(&desired, "host.kvm", "state"), Value::Null);
    assert_eq!(*attr(&desired, "host.kvm", "password"), Value::str("hunter2").sensitive());
    assert!(desired.providers[0].settings["password"].is_sensitive());
    let rack = desired.get(&Address::new("cluster", "rack")).expect("rack");
    assert!(rack.lifecycle.prevent_destroy);
    assert_eq!(rack.lifecycle.ignore_changes.len(), 1);
    assert_eq!(rack.lifecycle.timeouts["create"], 5400);
    let [link] = &desired.links[..] else { panic!("{:?}", desired.links) };
    let expected = "local_primary_storage.scratch.clusters[\"cluster.rack\"]";
    assert_eq!(link.address.as_str(), expected);
    assert_eq!(link.to, End::Ours(Address::new("cluster", "rack")));
    assert_eq!(edges(&desired).len(), 4);
}

#[test]
fn what_is_not_known_is_asked_for_first() {
    let asked = good(EXAMPLE, &facts(&[], &[("ssh_password", "x")]));
    assert_eq!(asked.needs.into_iter().collect::<Vec<_>>(), [Need::Env("ZSTACK_PASSWORD".into())]);
    let unset = facts(&[("ZSTACK_PASSWORD", None)], &[("ssh_password", "x")]);
    let found = run(EXAMPLE, &unset).expect_err("unset");
    let finding = found.iter().next().expect("one");
    assert_eq!(finding.code, "unset_env");
    assert!(finding.summary.contains("ZSTACK_PASSWORD"));
}

#[test]
fn the_other_side_declares_the_same_link() {
    let text = format!(
        "{PROVIDER}[zone.z]\n[cluster.c]\nzone = 'zone.z'\nhypervisor_type = 'KVM'\n\
         primary_storage = ['local_primary_storage.s']\n\
         [local_primary_storage.s]\nzone = 'zone.z'\nurl = '/s'\n"
    );
    let desired = good(&text, &Facts::default());
    let [link] = &desired.links[..] else { panic!("{:?}", desired.links) };
    assert_eq!(link.address.as_str(), "local_primary_storage.s.clusters[\"cluster.c\"]");
    assert_eq!(link.declared_by.0.as_str(), "cluster.c");
    let mentions = |label: &str, kind: &str| {
        desired.get(&Address::new(kind, label)).expect(label).mentions.len()
    };
    assert_eq!((mentions("c", "cluster"), mentions("s", "local_primary_storage")), (1, 0));
}

#[test]
fn foreign_objects_are_given_by_id() {
    let id = "0123456789abcdef0123456789abcdef";
    for text in [id.to_owned(), format!("id:{id}")] {
        let text = format!("{PROVIDER}[cluster.c]\nzone = '{text}'\nhypervisor_type = 'KVM'\n");
        assert_eq!(*attr(&good(&text, &Facts::default()), "cluster.c", "zone"), Value::str(id));
    }
}

/// Ids stand in paths and queries.
#[test]
fn what_cannot_be_an_id_is_refused() {
    let zone = |id: &str| {
        let text = format!("{PROVIDER}[cluster.c]\nzone = '{id}'\nhypervisor_type = 'KVM'\n");
        run(&text, &Facts::default()).is_ok()
    };
    let long = format!("id:{}", "a".repeat(65));
    for text in ["id:", "id:../../x", "id:a/b", "id:a b", "id:a,b", "id:a?b=c", "id:ü", &long] {
        assert!(!zone(text), "{text}");
    }
    for text in ["id:5f1c0f8b-e2a7-4d0c-9a3d", "id:a_B", &long[..67]] {
        assert!(zone(text), "{text}");
    }
}

#[test]
fn variables_are_converted_to_their_type() {
    let declared =
        |ty: &str| format!("[variable.x]\ntype = '{ty}'\n{PROVIDER}timeout = '${{var.x}}'\n");
    let given = |ty: &str, text: &str| {
        let known = facts(&[], &[("x", text)]);
        run(&declared(ty), &known).ok().map(|(d, _)| d.providers[0].settings["timeout"].clone())
    };
    assert_eq!(given("string", "12"), Some(Value::str("12")));
    assert_eq!(given("number", "12"), Some(Value::Int(12)));
    assert_eq!(given("number", "twelve"), None);
    assert_eq!(given("bool", "true"), Some(Value::Bool(true)));
    let list = Value::list(vec![Value::str("a"), Value::str("1")]);
    assert_eq!(given("list(string)", "[\"a\", 1]"), Some(list));
    let map = Value::map(BTreeMap::from([("a".into(), Value::Int(1))]));
    assert_eq!(given("map(number)", "{\"a\": \"1\"}"), Some(map));
    let set = Value::list(vec![Value::Int(1), Value::Int(2)]);
    assert_eq!(given("set(number)", "[2, 1, 2]"), Some(set));
    assert_eq!(given("list(string)", "abc"), None);
    assert_eq!(given("wat", "abc"), None);
}

#[test]
fn a_secret_literal_is_a_warning_and_stays_out_of_all_messages() {
    let text = "[provider.zstack]\nendpoint = 'https://mn.example.com'\npassword = \"hunter2\"\n\
         [variable.v]\nsensitive = true\ndefault = 'hunter2'\n[host.h]\ncluster = 'id:c'\nmanagement_ip = '10.0.0.1'\nusername = 'root'\n\
         password = '''\nhunter2'''\npasword = 'hunter2'\ndescription = '${var.v}'\nssh_port = '${var.v}'\n";
    let schemas = schemas();
    let file = SourceFile { name: "main.rack.toml".into(), bytes: text.into() };
    let loaded = load(vec![file], &schemas);
    let config = loaded.config.expect("valid TOML");
    let found = expand(&config, &schemas, &Facts::default(), &loaded.sources).expect_err("a typo");
    let warnings = found.iter().filter(|d| d.severity == Severity::Warning).count();
    assert_eq!(warnings, 3, "{found:#?}");
    assert!(!format!("{found:?}").contains("hunter2"));
    let masked = &loaded.sources.get(crate::diag::FileId(0)).expect("file").text;
    assert!(!masked.contains("hunter2"), "{masked}");
    assert_eq!(masked.len(), text.len());
    assert_eq!(masked.lines().count(), text.lines().count());
}

#[test]
fn a_broken_file_shows_no_secret_either() {
    let text =
        "[host.h]\npassword = 'hunter2'\nusername = [\n[x]\nssh_password = '''\nhunter2\n'''\n";
    let file = SourceFile { name: "main.rack.toml".into(), bytes: text.into() };
    let loaded = load(vec![file], &schemas());
    assert!(loaded.config.is_err());
    let masked = &loaded.sources.get(crate::diag::FileId(0)).expect("file").text;
    assert!(!masked.contains("hunter2"), "{masked}");
    assert!(masked.contains("username = ["));
}

/// What is wrong in itself is said at once; what an unread file may declare is not missed.
#[test]
fn a_broken_file_does_not_hide_the_mistakes_of_the_others() {
    let file = |name: &str, text: &str| SourceFile { name: name.into(), bytes: text.into() };
    let good = "[zone.a]\nstat = 'Enabled'\n[zone.b]\nstate = 'enabled'\n[clutser.c]\n\
                [cluster.d]\nzone = 'zone.elsewhere'\nhypervisor_type = '${var.elsewhere}'\n\
                [host.h]\npassword = '${env(\"NOWHERE\")}'\n";
    let files = vec![file("a.rack.toml", "[zone.x\n"), file("b.rack.toml", good)];
    let loaded = load(files, &schemas());
    let found = loaded.config.expect_err("a syntax error");
    let codes: Vec<_> = found.iter().map(|d| d.code).collect();
    assert_eq!(
        codes[1..],
        [
            "unknown_attribute",
            "bad_value",
            "unknown_type",
            "missing_attribute",
            "missing_attribute",
            "missing_attribute",
        ]
    );
    assert_eq!(found.iter().next().map(|d| d.labels[0].span.file), Some(crate::diag::FileId(0)));
}

#[test]
fn one_cause_is_reported_once() {
    let mut text = String::from("[zone.a]\n");
    for i in 0..50 {
        text.push_str(&format!("[zone.z{i}]\n"));
    }
    let found = run(&text, &Facts::default()).expect_err("no provider");
    assert_eq!(found.len(), 1);
    assert_eq!(found.iter().next().map(|d| (d.code, d.count)), Some(("missing_provider", 51)));
}

#[test]
fn many_dangling_references_stay_fast() {
    let mut text = String::from(PROVIDER);
    for i in 0..2000 {
        text.push_str(&format!(
            "[cluster.c{i}]\nzone = 'zone.missing_{i}'\nhypervisor_type = 'KVM'\n[zone.here_{i}]\n"
        ));
    }
    let all = codes(run(&text, &Facts::default()));
    assert_eq!(all.len(), 2000);
    assert!(all.iter().all(|code| *code == "missing_object"));
}

fn judged(text: &str, facts: &Facts) -> Result<(Judged, Diagnostics), Diagnostics> {
    let schemas = schemas();
    let file = SourceFile { name: "main.rack.toml".into(), bytes: text.into() };
    let loaded = load(vec![file], &schemas);
    judge(&loaded.config?, &schemas, facts, &loaded.sources)
}

#[test]
fn judging_needs_neither_environment_nor_variables() {
    // Every kind of value can hang on something that is not there.
    let text = r#"
[provider.zstack]
endpoint = '${env("ENDPOINT")}'
password = '${env("PASSWORD")}'
[variable.password]
sensitive = true
[variable.port]
type = "number"
default = '${env("PORT")}'
[zone.east]
state = '${env("STATE") == "on" ? "Enabled" : "Disabled"}'
[cluster.a]
zone = '${env("ZONE")}'
hypervisor_type = "KVM"
[host.a]
cluster = "cluster.a"
management_ip = '10.0.1.${env("IP") + 1}'
username = '${tostring(env("USERNAME"))}'
password = '${var.password}'
ssh_port = '${var.port}'
[host.b]
cluster = "cluster.a"
management_ip = '10.0.1.${env("IP") + 2}'
username = "root"
password = '${var.password}'
depends_on = ['${env("AFTER")}']
[local_primary_storage.a]
zone = "zone.east"
url = '${env("PATH_OF_STORAGE")}'
clusters = ['${env("CLUSTER")}']
"#;
    let first = judged(text, &Facts::default()).expect("asks");
    assert!(first.0.needs.contains(&Need::Env("PASSWORD".into())));
    // Providers and variables ask first, resources when those have their answers.
    let mut facts = Facts::default();
    let (judged_without, warnings) = loop {
        let (found, warnings) = judged(text, &facts).expect("nothing to complain about");
        if found.needs.is_empty() {
            break (found, warnings);
        }
        facts.env.extend(found.needs.into_iter().filter_map(|need| match need {
            Need::Env(name) => Some((name, None)),
            _ => None,
        }));
    };
    assert!(facts.env.contains_key("ZONE"));
    assert!(warnings.is_empty(), "{warnings:?}");
    assert_eq!((judged_without.resources, judged_without.needs.len()), (5, 0));
    // To plan it, all of that is needed.
    let needed = codes(run(text, &facts));
    assert!(needed.contains(&"unset_env") && needed.contains(&"missing_variable"), "{needed:?}");
    // What is there is judged all the same.
    let wrong = text.replace("\"KVM\"", "\"kvm\"").replace("\"root\"", "7");
    let found = judged(&wrong, &facts).expect_err("two mistakes");
    let found: Vec<_> = found.iter().map(|d| d.code).collect();
    assert_eq!(found, ["bad_value", "wrong_kind"]);
    let mut set = facts.clone();
    set.env.insert("PORT".into(), Some("ssh".into()));
    assert!(judged(text, &set).is_err(), "a variable that is set must fit");
}

#[test]
fn a_secret_for_the_emulator_only_is_no_secret() {
    let text = |endpoint: &str| {
        format!(
            r#"
[provider.zstack]
endpoint = "{endpoint}"
password = "p"
[variable.p]
sensitive = true
default = "p"
[zone.z]
[cluster.c]
zone = "zone.z"
hypervisor_type = "KVM"
[host.h]
cluster = "cluster.c"
management_ip = "10.0.0.1"
username = "root"
password = "p"
"#
        )
    };
    let none = Facts::default();
    assert_eq!(codes(run(&text("emulator"), &none)), [""; 0]);
    let real = text("https://mn.example.com:8080");
    assert_eq!(codes(run(&real, &none)), ["literal_secret"; 3]);
    // One real cloud beside it is enough: nothing says which of them a variable is for.
    let both = real + "[provider.play]\ntype = \"zstack\"\nendpoint = \"emulator\"\n";
    assert!(codes(run(&both, &none)).contains(&"literal_secret"));
}
