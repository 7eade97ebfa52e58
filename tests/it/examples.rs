//! Every directory in `examples/` does what its reader expects: it is valid, applies, is then up to
//! date, and can be destroyed; without an account, a network, or anything to set.

use std::fs;
use std::path::{Path, PathBuf};

use crate::common::process::Rackform;

/// The directories in `examples/`, in order.
fn examples() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
    let entries = fs::read_dir(&root).expect("examples/");
    let mut found: Vec<PathBuf> =
        entries.map(|e| e.expect("an entry").path()).filter(|p| p.is_dir()).collect();
    found.sort();
    assert!(!found.is_empty(), "no examples in {}", root.display());
    found
}

/// A copy of an example: its configuration, its modules, and the seeds and lists that they name.
/// What somebody's own run left there stays out.
fn copy(example: &Path) -> Rackform {
    let copy = Rackform::new();
    copy_into(&copy, example, Path::new(""));
    copy
}

fn copy_into(copy: &Rackform, example: &Path, below: &Path) {
    for entry in fs::read_dir(example.join(below)).expect("an example") {
        let path = below.join(entry.expect("an entry").file_name());
        let name = path.to_string_lossy();
        if example.join(&path).is_dir() {
            if !name.ends_with(".rackform") {
                copy_into(copy, example, &path);
            }
        } else if name.ends_with(".toml") || name.ends_with(".csv") {
            copy.write(&name, &fs::read_to_string(example.join(&path)).expect("a text"));
        }
    }
}

fn example(name: &str) -> Rackform {
    copy(&Path::new(env!("CARGO_MANIFEST_DIR")).join("examples").join(name))
}

#[test]
fn every_example_is_valid_without_warnings() {
    for example in examples() {
        let outcome = copy(&example).run(&["validate"]).expect(0);
        assert_eq!(outcome.stderr, "", "{}", example.display());
    }
}

#[test]
fn every_example_can_be_applied_kept_and_destroyed() {
    for example in examples() {
        let name = example.display();
        let rackform = copy(&example);
        let first = rackform.run(&["plan", "--detailed-exitcode"]).expect(2).stdout;
        rackform.run(&["apply", "--auto-approve"]).expect(0);
        let again = rackform.run(&["plan", "--detailed-exitcode"]).expect(0).stdout;
        assert!(again.starts_with("No changes."), "{name}: {again}");
        rackform.run(&["destroy", "--auto-approve"]).expect(0);
        let listed = rackform.run(&["state", "list"]).expect(0).stdout;
        assert_eq!(listed, "", "{name}: nothing is left");
        // Everything is to be created again, exactly as at first; ids are new.
        let last = rackform.run(&["plan", "--detailed-exitcode"]).expect(2).stdout;
        assert_eq!(total(&last), total(&first), "{name}");
        assert!(total(&last).ends_with("to add, 0 to change, 0 to destroy."), "{name}: {last}");
    }
}

/// The last line of a plan: what it adds up to.
fn total(plan: &str) -> &str {
    plan.lines().last().unwrap_or_default()
}

/// What the README of the example says: a row more is a host more, whatever stands around it.
#[test]
fn a_row_in_the_middle_of_the_list_renumbers_nobody() {
    let rackform = example("hall-from-csv");
    rackform.run(&["apply", "--auto-approve"]).expect(0);
    let list = rackform.read("hosts.csv");
    let (before, after) = list.split_once("r02-03").expect("a host in the middle");
    let rows = format!("{before}r05-01,r05,1,EX500001,compute\nr02-03{after}");
    rackform.write("hosts.csv", &rows);
    let plan = rackform.run(&["plan"]).expect(0).stdout;
    let headers: Vec<&str> = plan.lines().filter(|line| line.starts_with("  # ")).collect();
    assert_eq!(headers.len(), 4, "host, cluster, network; and the zone, which counts them: {plan}");
    assert!(plan.contains("# host.kvm[\"r05-01\"] will be created"), "{plan}");
    assert!(plan.contains("+ management_ip = \"10.20.5.11\""), "{plan}");
    assert_eq!(total(&plan), "Plan: 5 to add, 1 to change, 0 to destroy.", "{plan}");

    rackform.write("hosts.csv", &list.replace("r04-10,r04,10,", "r04-10,r04,ten,"));
    let said = rackform.run(&["plan"]).expect(1).stderr;
    assert!(said.contains("host.kvm[\"r04-10\"]"), "the one of forty is named: {said}");
}

/// Forty hosts of one block read as a list: by key, in plan, state and graph.
#[test]
fn instances_stand_in_the_order_of_their_keys() {
    let rackform = example("hall-from-csv");
    let mut wanted: Vec<String> = rackform.read("hosts.csv").lines().skip(1).map(key).collect();
    wanted.sort();
    let plan = rackform.run(&["plan"]).expect(0).stdout;
    let created = plan.lines().filter_map(|line| line.strip_suffix(" [id=(known after apply)]"));
    let created = created.filter_map(|line| line.trim().strip_prefix("+ "));
    let hosts = |line: &&str| line.starts_with("host.kvm");
    assert_eq!(created.filter(hosts).collect::<Vec<_>>(), wanted);
    rackform.run(&["apply", "--auto-approve"]).expect(0);
    let listed = rackform.run(&["state", "list"]).expect(0).stdout;
    assert_eq!(listed.lines().filter(hosts).collect::<Vec<_>>(), wanted);
}

/// The address of the host of a row.
fn key(row: &str) -> String {
    format!("host.kvm[{:?}]", row.split(',').next().unwrap_or_default())
}

#[test]
fn a_zone_without_a_filer_has_no_storage_of_it() {
    let rackform = example("multi-zone");
    rackform.run(&["apply", "--auto-approve"]).expect(0);
    let listed = rackform.run(&["state", "list", "*nfs*"]).expect(0).stdout;
    let found: Vec<&str> = listed.lines().filter(|line| !line.contains(".clusters[")).collect();
    assert_eq!(found, ["module.zone[\"east\"].nfs_primary_storage.shared[\"0\"]"]);
    let images = rackform.run(&["state", "list", "module.backup.*zones*"]).expect(0).stdout;
    assert_eq!(images.lines().count(), 2, "one for each zone: {images}");
}
