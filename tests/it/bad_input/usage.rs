//! Flags and arguments that make no sense.

use insta::assert_snapshot;

use super::zone;

#[test]
fn nobody_to_ask() {
    let rackform = zone();
    assert_snapshot!(rackform.run(&["apply"]).seen(), @"
    exit 1
    --- stderr
    cannot_ask

      × `apply` asks before it changes anything, and there is no terminal to ask
      │ on
      help: review `rackform plan`, then run: rackform apply --auto-approve

    1 error
    ");
    assert_snapshot!(rackform.run(&["destroy"]).seen(), @"
    exit 1
    --- stderr
    cannot_ask

      × `destroy` asks before it changes anything, and there is no terminal to ask
      │ on
      help: review `rackform plan --destroy`, then run: rackform destroy
            --auto-approve

    1 error
    ");
    assert!(!rackform.path("rackform.state.json").exists(), "nothing was done");
}

#[test]
fn addresses_that_the_state_does_not_have() {
    let rackform = zone();
    rackform.run(&["apply", "--auto-approve"]).expect(0);
    assert_snapshot!(rackform.run(&["state", "show", "zone.eats"]).seen(), @"
    exit 1
    --- stderr
    state_edit

      × the state has no `zone.eats`
      help: did you mean `zone.east`?

    1 error
    ");
    assert_snapshot!(rackform.run(&["state", "rm", "zone.west"]).seen(), @"
    exit 1
    --- stderr
    state_edit

      × the state has no `zone.west`
      help: did you mean `zone.east`?

    1 error
    ");
    assert_snapshot!(rackform.run(&["state", "mv", "zone.west", "zone.north"]).seen(), @"
    exit 1
    --- stderr
    state_edit

      × the state has no `zone.west`
      help: did you mean `zone.east`?

    1 error
    ");
    assert_snapshot!(rackform.run(&["state", "mv", "zone.east", "cluster.east"]).seen(), @"
    exit 1
    --- stderr
    state_edit

      × `zone.east` is a zone, `cluster.east` would be a cluster
      help: an object keeps its type

    1 error
    ");
    assert_snapshot!(rackform.run(&["state", "show", "east"]).seen(), @"
    exit 1
    --- stderr
    error: invalid value 'east' for '<ADDR>': `east` is not an address: expected TYPE.LABEL, found no `.`

    For more information, try '--help'.
    ");
    assert_snapshot!(rackform.run(&["plan", "--replace", "zone.eats"]).seen(), @"
    exit 1
    --- stderr
    unknown_address

      × --replace zone.eats: there is no such object
      help: did you mean `zone.east`?

    1 error
    ");
    rackform.run(&["plan", "--detailed-exitcode"]).expect(0);
}

#[test]
fn flags_that_make_no_sense_are_errors_with_exit_code_1() {
    let rackform = zone();
    for (args, said) in [
        (&["plan", "--parallelism", "0"][..], "0 is not in 1..=65535"),
        (&["apply", "--allow-destroy", "zone.east"], "write NAME=COUNT"),
        (&["apply", "--allow-delete", "host=many"], "`many` is no count"),
        (&["plan", "--lock-timeout", "1 week"], "use ms, s, m or h"),
        (&["plan", "--jsn"], "--json"),
        (&["paln"], "'plan'"),
        (&["plan", "--color", "blue"], "auto, always, never"),
        (&["schema", "hots"], "host"),
        (&["emulate", "--fail", "api=X,dorp"], "'dorp' is not known"),
    ] {
        let outcome = rackform.run(args).expect(1).says(&[said]);
        assert_eq!(outcome.stdout, "", "{args:?}");
    }
}

#[test]
fn a_directory_that_is_none() {
    let rackform = zone();
    rackform.run(&["state", "list"]).expect(0).says(&["The state is empty."]);
    let elsewhere = rackform.run(&["state", "list", "-C", "nowhere"]);
    elsewhere.expect(1).says(&["`nowhere` is not a directory", "-C names the directory"]);
}

#[test]
fn terraforms_words_get_a_tip() {
    let rackform = zone();
    assert_snapshot!(rackform.run(&["init"]).seen(), @"
    exit 1
    --- stderr
    error: unrecognized subcommand 'init'

      tip: there is nothing to initialise or download: go on with 'rackform plan'

    Usage: rackform [OPTIONS] <COMMAND>

    For more information, try '--help'.
    ");
    assert_snapshot!(rackform.run(&["apply", "-auto-approve"]).seen(), @"
    exit 1
    --- stderr
    error: unexpected argument '-auto-approve' found

      tip: write it with two dashes: '--auto-approve'

    Usage: rackform apply [OPTIONS]

    For more information, try '--help'.
    ");
    assert_snapshot!(rackform.run(&["plan", "-var=password=hunter2"]).seen(), @"
    exit 1
    --- stderr
    error: unexpected argument '-var' found

      tip: write it with two dashes: '--var'

    Usage: rackform plan [OPTIONS]

    For more information, try '--help'.
    ");
    for (args, tip) in [
        (&["taint", "host.h"][..], "rackform apply --replace ADDR"),
        (&["apply", "-replace=zone.east"], "'--replace'"),
        (&["plan", "-refresh=false"], "'--refresh'"),
        (&["-chdir=sites", "plan"], "'--chdir'"),
        (&["-version"], "'--version'"),
        (&["plan", "--no-color"], "--color never"),
        (&["apply", "-input=false"], "leave it out"),
    ] {
        rackform.run(args).expect(1).says(&[tip]);
    }
    // Nothing of the kind: clap's own words.
    rackform.run(&["plan", "-x"]).expect(1).says(&["unexpected argument '-x' found"]);
}
