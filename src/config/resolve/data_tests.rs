//! Look-ups as the evaluation sees them: what it asks for, and what it makes of the answers.

use std::sync::Arc;

use crate::address::Address;
use crate::config::{Desired, Facts, Lookup, Need, SourceFile, Term, expand, judge, load};
use crate::diag::Diagnostics;
use crate::inventory::LiveObject;
use crate::schema::{ResourceType, Schemas, load as load_schemas};
use crate::value::Value;

const PROVIDER: &str = "[provider.zstack]\nendpoint = \"emulator\"\n";

fn schemas() -> Schemas {
    load_schemas().unwrap_or_else(|(findings, _)| panic!("{findings:?}"))
}

fn run(text: &str, facts: &Facts) -> Result<Desired, Diagnostics> {
    let schemas = schemas();
    let bytes = format!("{PROVIDER}{text}").into();
    let loaded = load(vec![SourceFile { name: "main.rack.toml".into(), bytes }], &schemas);
    expand(&loaded.config?, &schemas, facts, &loaded.sources).map(|(desired, _)| desired)
}

/// Answers every look-up with these rows, until nothing is asked any more.
fn answered(text: &str, rows: &[LiveObject], ids: &[(&str, &str)]) -> Result<Desired, Diagnostics> {
    let mut facts = Facts::default();
    loop {
        let desired = run(text, &facts)?;
        if desired.needs.is_empty() {
            return Ok(desired);
        }
        for need in desired.needs {
            match need {
                Need::Data(lookup) => drop(facts.data.insert(lookup, Arc::new(rows.to_vec()))),
                Need::Id(address) => {
                    let known = ids.iter().find(|(a, _)| *a == address.as_str());
                    facts.ids.insert(address, known.map(|(_, id)| (*id).into()));
                }
                outside => panic!("{outside:?}"),
            }
        }
    }
}

fn codes(result: Result<Desired, Diagnostics>) -> Vec<&'static str> {
    result.map_or_else(|found| found.iter().map(|d| d.code).collect(), |_| Vec::new())
}

fn row(ty: &ResourceType, id: &str, attrs: &[(&str, Value)]) -> LiveObject {
    let mut row = ty.empty_row();
    for (name, value) in attrs {
        row[usize::from(ty.find_attr(name).expect(name).0)] = value.clone();
    }
    LiveObject { id: id.into(), attrs: row, links: Box::default(), elements: Vec::new() }
}

/// Zones of these names, with the ids 1, 2, ….
fn zones(names: &[&str]) -> Vec<LiveObject> {
    let schemas = schemas();
    let ty = schemas.by_name("zone").expect("zone");
    let one = |(at, name): (usize, &&str)| {
        row(ty, &format!("{:032}", at + 1), &[("name", Value::str(name))])
    };
    names.iter().enumerate().map(one).collect()
}

fn attr(desired: &Desired, address: &str, name: &str) -> Value {
    let resource = desired.get(&Address::parse(address).expect("address")).expect(address);
    let ix = schemas().get(resource.ty).find_attr(name).expect(name);
    resource.attrs[usize::from(ix.0)].clone()
}

const CLUSTER: &str = "[data.zone.main]\nname = \"east\"\n\
    [cluster.c]\nzone = '${data.zone.main}'\nhypervisor_type = \"KVM\"\n\
    description = 'in ${data.zone.main.name}'\n";

#[test]
fn a_table_asks_for_its_type_and_filters() {
    let desired = run(CLUSTER, &Facts::default()).expect("it asks");
    let schemas = schemas();
    let ty = schemas.find("zone").expect("zone");
    let name = schemas.get(ty).find_attr("name").expect("name");
    let filters = vec![(name, Term::Text("east".into()))];
    let lookup = Lookup { provider: "zstack".into(), ty, id: None, filters };
    assert_eq!(desired.needs, [Need::Data(lookup.clone())].into());
    assert!(desired.places.contains_key(&lookup));
    // What is needed to ask is there, the rest is not.
    assert_eq!((desired.providers.len(), desired.resources.len()), (1, 0));
}

#[test]
fn one_match_is_a_reference_and_has_attributes() {
    let desired = answered(CLUSTER, &zones(&["west", "east", "East"]), &[]).expect("one east");
    assert_eq!(attr(&desired, "cluster.c", "zone"), Value::str(&format!("{:032}", 2)));
    assert_eq!(attr(&desired, "cluster.c", "description"), Value::str("in east"));
}

#[test]
fn none_and_many_are_errors_and_all_is_a_list() {
    assert_eq!(codes(answered(CLUSTER, &zones(&["west"]), &[])), ["no_match"]);
    assert_eq!(codes(answered(CLUSTER, &zones(&["east", "east"]), &[])), ["ambiguous_data"]);
    let all = "[data.zone.all]\nall = true\n\
        [zone.z]\ndescription = '${tostring(data.zone.all[*].name == [\"a\", \"b\"])}'\n";
    let desired = answered(all, &zones(&["a", "b"]), &[]).expect("two");
    assert_eq!(attr(&desired, "zone.z", "description"), Value::str("true"));
}

#[test]
fn ids_of_ours_come_from_the_state() {
    let text = "[zone.z]\n[data.cluster.all]\nall = true\nzone = \"zone.z\"\n";
    assert_eq!(codes(answered(text, &[], &[])), ["not_yet_known"]);
    assert_eq!(codes(answered(text, &[], &[("zone.z", "1")])), [""; 0]);
}

/// A cloud is not asked for a configuration that is wrong anyway, wherever it is wrong.
#[test]
fn mistakes_come_before_questions() {
    let wrong = format!("{CLUSTER}[zone.z]\nnmae = \"z\"\n");
    assert_eq!(codes(run(&wrong, &Facts::default())), ["unknown_attribute"]);
}

#[test]
fn what_is_only_judged_asks_nothing() {
    let schemas = schemas();
    let judged = |text: &str| {
        let bytes = format!("{PROVIDER}{text}").into();
        let loaded = load(vec![SourceFile { name: "main.rack.toml".into(), bytes }], &schemas);
        let config = loaded.config.expect("it parses");
        judge(&config, &schemas, &Facts::default(), &loaded.sources)
    };
    let (found, _) = judged(CLUSTER).expect("nothing is wrong");
    assert_eq!((found.resources, found.needs.len()), (1, 0));
    let wrong = CLUSTER.replace("data.zone.main.name", "data.zone.main.nmae");
    let found = judged(&wrong).expect_err("no such attribute");
    assert_eq!(found.iter().map(|d| d.code).collect::<Vec<_>>(), ["unknown_attribute"]);
}

/// What a call takes is part of what it finds, though no reply repeats it.
#[test]
fn arguments_are_attributes_of_what_is_found() {
    let text = "[data.shared_block_candidate.c]\ncluster = \"id:00000000000000000000000000000009\"\n\
        [zone.z]\ndescription = '${data.shared_block_candidate.c.cluster}'\n";
    let schemas = schemas();
    let ty = schemas.by_name("shared_block_candidate").expect("a type");
    let found = row(ty, "", &[("wwid", Value::str("w"))]);
    let desired = answered(text, &[found], &[]).expect("one");
    assert_eq!(attr(&desired, "zone.z", "description"), Value::str(&format!("{:032}", 9)));
    let as_reference = text
        .replace("[zone.z]\ndescription", "[cluster.c]\nhypervisor_type = \"KVM\"\nzone")
        .replace(".c.cluster}", ".c}");
    assert_eq!(codes(run(&as_reference, &Facts::default())), ["bad_reference"]);
}

/// Any primary storage is meant where the general type is, ours too; nothing else is.
#[test]
fn a_general_type_takes_the_special_ones() {
    let text = |kind: &str| {
        format!(
            "[zone.z]\n[local_primary_storage.s]\nzone = \"zone.z\"\nurl = \"/s\"\n\
             [data.shared_block.b]\nprimary_storage = \"{kind}\"\n"
        )
    };
    let asked = run(&text("local_primary_storage.s"), &Facts::default()).expect("it asks");
    let address = Address::new("local_primary_storage", "s");
    assert_eq!(asked.needs, [Need::Id(address)].into());
    assert_eq!(codes(run(&text("zone.z"), &Facts::default())), ["wrong_type"]);
}
