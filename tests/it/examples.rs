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

/// A copy of an example's configuration and of the seed that it names. What somebody's own run
/// left there stays out.
fn copy(example: &Path) -> Rackform {
    let copy = Rackform::new();
    for entry in fs::read_dir(example).expect("an example") {
        let path = entry.expect("an entry").path();
        let name = path.file_name().expect("a name").to_string_lossy().into_owned();
        if name.ends_with(".toml") {
            copy.write(&name, &fs::read_to_string(&path).expect("a configuration"));
        }
    }
    copy
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
