//! State files and journals that cannot be used: they are left alone, whatever is in them.

use insta::assert_snapshot;

use super::zone;
use crate::common::process::Rackform;

/// With `-C .`, so that messages have no path that differs from machine to machine.
fn plan_with_state(rackform: &Rackform, state: &str) -> String {
    rackform.write("rackform.state.json", state);
    let outcome = rackform.run(&["plan", "-C", "."]);
    assert_eq!(rackform.read("rackform.state.json"), state, "an unusable state is left alone");
    let apply = rackform.run(&["apply", "--auto-approve", "-C", "."]);
    assert_eq!((apply.code, &apply.stderr), (outcome.code, &outcome.stderr), "apply says the same");
    assert_eq!(rackform.read("rackform.state.json"), state, "an unusable state is left alone");
    outcome.seen()
}

#[test]
fn states_that_are_none() {
    let rackform = zone();
    assert_snapshot!(plan_with_state(&rackform, ""), @"
    exit 1
    --- stderr
    state_damaged

      × the state `./rackform.state.json` cannot be used
      ╰─▶ It is empty.
      help: rackform never leaves a half-written state, so something else changed
            the file: restore it from version control or from the .backup beside
            it, then run `rackform plan`

    1 error
    ");
    assert_snapshot!(plan_with_state(&rackform, "<<<<<<< HEAD\n{}\n"), @"
    exit 1
    --- stderr
    state_damaged

      × the state `./rackform.state.json` cannot be used
      ╰─▶ It is not JSON: expected value (line 1, column 1).
      help: rackform never leaves a half-written state, so something else changed
            the file: restore it from version control or from the .backup beside
            it, then run `rackform plan`

    1 error
    ");
    assert_snapshot!(plan_with_state(&rackform, "{\"some\": \"json\"}"), @"
    exit 1
    --- stderr
    state_foreign

      × the state `./rackform.state.json` cannot be used
      ╰─▶ It is JSON, but not a rackform state.
      help: move the file away if it belongs to another tool; `rackform import
            --all` takes over what already exists

    1 error
    ");
    let foreign = r#"{"version": 4, "terraform_version": "1.11.4", "serial": 3, "lineage": "8a6f", "outputs": {}, "resources": []}"#;
    assert_snapshot!(plan_with_state(&rackform, foreign), @"
    exit 1
    --- stderr
    state_foreign

      × the state `./rackform.state.json` cannot be used
      ╰─▶ It is JSON, but not a rackform state: it looks like one of Terraform or
          OpenTofu.
      help: move the file away if it belongs to another tool; `rackform import
            --all` takes over what already exists

    1 error
    ");
    let newer = r#"{"version": 7, "lineage": "8a6f", "serial": 3, "format": "rackform state", "novelties": {}}"#;
    assert_snapshot!(plan_with_state(&rackform, newer), @"
    exit 1
    --- stderr
    state_newer

      × the state `./rackform.state.json` cannot be used
      ╰─▶ It was written by a newer rackform, version 7; this one reads up to 1.
      help: use the rackform that wrote it, or a later one

    1 error
    ");
}

#[test]
fn a_state_that_was_cut_is_noticed_and_its_backup_serves() {
    let rackform = zone();
    rackform.run(&["apply", "--auto-approve"]).expect(0);
    let whole = rackform.read("rackform.state.json");
    rackform.write("rackform.state.json", &whole[..whole.len() / 2]);
    let said = ["is not JSON", ".backup"];
    rackform.run(&["plan"]).expect(1).says(&said);
    rackform.run(&["state", "list"]).expect(1).says(&said);
    rackform.write("rackform.state.json", &rackform.read("rackform.state.json.backup"));
    // The backup names the zone as pending: the object is found again and nothing is made twice.
    rackform.run(&["apply", "--auto-approve"]).expect(0);
    rackform.run(&["plan", "--detailed-exitcode"]).expect(0).says(&["No changes"]);
}

#[test]
fn a_state_that_cannot_be_read() {
    let rackform = zone();
    std::fs::create_dir(rackform.path("rackform.state.json")).expect("a directory");
    assert_snapshot!(rackform.run(&["plan", "-C", "."]).seen(), @"
    exit 1
    --- stderr
    state_io

      × cannot read `./rackform.state.json`: Is a directory (os error 21)
      help: nothing is lost: the last state and its journal are as they were.
            Check space and permissions of the directory and run again

    1 error
    ");
}

/// Root may read everything, so that this shows nothing where the tests run as root.
#[cfg(unix)]
#[test]
fn a_state_without_permission() {
    use std::os::unix::fs::PermissionsExt;
    let rackform = zone();
    rackform.write("rackform.state.json", "{}");
    let path = rackform.path("rackform.state.json");
    let mode = |mode| std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode));
    mode(0o000).expect("permissions");
    let outcome = rackform.run(&["plan"]).expect(1);
    if std::fs::read(&path).is_err() {
        outcome.says(&["cannot read", "Permission denied", "permissions of the directory"]);
    }
    mode(0o600).expect("permissions");
}

#[test]
fn a_journal_that_is_none() {
    let rackform = zone();
    rackform.run(&["apply", "--auto-approve"]).expect(0);
    rackform.write("rackform.state.journal", "not a journal at all, whatever wrote it\n");
    let state = rackform.read("rackform.state.json");
    assert_snapshot!(rackform.run(&["plan", "-C", "."]).seen(), @"
    exit 1
    --- stderr
    journal_damaged

      × the journal `./rackform.state.journal` cannot be used: line 1 is damaged:
      │ its checksum differs
      help: the journal holds what the last apply did and the state does not know
            yet: restore it from a copy. Without one, move it away and run
            `rackform plan`: objects that were created are found again by their
            ids

    1 error
    ");
    rackform.run(&["apply", "--auto-approve"]).expect(1);
    assert_eq!(rackform.read("rackform.state.json"), state);
    std::fs::remove_file(rackform.path("rackform.state.journal")).expect("it is there");
    rackform.run(&["plan", "--detailed-exitcode"]).expect(0);
}
