//! Bad input, through the real binary: configurations, variables, flags and state files that
//! cannot be used. Nothing here reaches a cloud; every message says what is wrong, where, and what
//! to do next. All mistakes of configurations, without their texts, are in `config_errors`.

use insta::assert_snapshot;

use super::common::process::Rackform;
use super::common::seen::filters;

const PROVIDER: &str = "[provider.zstack]\nendpoint = \"emulator\"\n";

fn zone() -> Rackform {
    Rackform::with(&format!("{PROVIDER}[zone.east]\n"))
}

#[test]
fn one_run_shows_every_mistake() {
    let rackform = Rackform::with(&format!(
        r#"{PROVIDER}
[zone.east]
descripton = "first hall"
state      = "enabled"

[zome.west]

[variables.racks]

[cluster.a]
zone            = "zone.eats"
hypervisor_type = "KVM"

[cluster.b]
zone            = "cluster.a"
hypervisor_type = 3

[host.h1]
cluster       = "cluster.a"
management_ip = "10.0.0.1"
username      = "root"
password      = '${{env("ZSTACK_PASSWORD")}}'
ssh_port      = "x"
"#
    ));
    assert_snapshot!(rackform.run(&["validate"]).seen(), @r#"
    exit 1
    --- stderr
    unknown_attribute

      × `zone` has no attribute `descripton`
       ╭─[main.rack.toml:5:1]
     4 │ [zone.east]
     5 │ descripton = "first hall"
       · ─────┬────
       ·      ╰── unknown
     6 │ state      = "enabled"
       ╰────
      help: did you mean `description`?

    bad_value in zone.east

      × `state` must be one of: Enabled, Disabled
       ╭─[main.rack.toml:6:14]
     5 │ descripton = "first hall"
     6 │ state      = "enabled"
       ·              ────┬────
       ·                  ╰── none of them
     7 │
       ╰────
      help: did you mean `Enabled`?

    unknown_type

      × there is no resource type `zome`
       ╭─[main.rack.toml:8:2]
     7 │
     8 │ [zome.west]
       ·  ──┬─
       ·    ╰── unknown type
     9 │
       ╰────
      help: did you mean `zone`?

    unknown_type

      × there is no resource type `variables`
        ╭─[main.rack.toml:10:2]
      9 │
     10 │ [variables.racks]
        ·  ────┬────
        ·      ╰── unknown type
     11 │
        ╰────
      help: did you mean `variable`?

    missing_object in cluster.a

      × there is no `zone.eats` in this configuration
        ╭─[main.rack.toml:13:19]
     12 │ [cluster.a]
     13 │ zone            = "zone.eats"
        ·                   ─────┬─────
        ·                        ╰── not declared
     14 │ hypervisor_type = "KVM"
        ╰────
      help: did you mean `zone.east`?

    wrong_type in cluster.b

      × `cluster.a` stands where a reference to zone is needed
        ╭─[main.rack.toml:17:19]
     16 │ [cluster.b]
     17 │ zone            = "cluster.a"
        ·                   ─────┬─────
        ·                        ╰── of type cluster
     18 │ hypervisor_type = 3
        ╰────
      help: write it as `"zone.LABEL"`

    wrong_kind in cluster.b

      × `hypervisor_type` must be text
        ╭─[main.rack.toml:18:19]
     17 │ zone            = "cluster.a"
     18 │ hypervisor_type = 3
        ·                   ┬
        ·                   ╰── this is an integer
     19 │
        ╰────
      help: put it in quotes

    wrong_kind in host.h1

      × `ssh_port` must be an integer
        ╭─[main.rack.toml:25:17]
     24 │ password      = '${env("ZSTACK_PASSWORD")}'
     25 │ ssh_port      = "x"
        ·                 ─┬─
        ·                  ╰── this is a string
        ╰────
      help: write it without quotes

    8 errors
    "#);
}

#[test]
fn a_table_twice_in_one_file() {
    let rackform = Rackform::with(&format!("{PROVIDER}[zone.east]\n[zone.east]\n"));
    assert_snapshot!(rackform.run(&["validate"]).seen(), @r#"
    exit 1
    --- stderr
    duplicate_address

      × the table `zone.east` stands twice
       ╭─[main.rack.toml:4:7]
     2 │ endpoint = "emulator"
     3 │ [zone.east]
       · ─────┬─────
       ·      ╰── first here
     4 │ [zone.east]
       ·       ──┬─
       ·         ╰── again here
       ╰────
      help: remove one of them, or give it another label

    1 error
    "#);
}

#[test]
fn an_address_twice_in_two_files() {
    let rackform = zone();
    rackform.write("more.rack.toml", "[zone.west]\n\n[zone.east]\n");
    assert_snapshot!(rackform.run(&["validate"]).seen(), @r#"
    exit 1
    --- stderr
    duplicate_address

      × `zone.east` is declared twice
       ╭─[more.rack.toml:3:1]
     2 │
     3 │ [zone.east]
       · ─────┬─────
       ·      ╰── declared first at main.rack.toml:3
       ╰────
      ☞ first here
       ╭─[main.rack.toml:3:1]
     2 │ endpoint = "emulator"
     3 │ [zone.east]
       · ───────────
       ╰────
      help: files of a directory are one module: remove one, or give it another
            label

    1 error
    "#);
}

#[test]
fn a_circle_shows_its_shortest_way_round() {
    let rackform = Rackform::with(&format!(
        r#"{PROVIDER}
[zone.east]
depends_on = ["host.h1"]

[cluster.a]
zone            = "zone.east"
hypervisor_type = "KVM"

[host.h1]
cluster       = "cluster.a"
management_ip = "10.0.0.1"
username      = "root"
password      = '${{env("ZSTACK_PASSWORD")}}'

[host.h2]
cluster       = "cluster.a"
management_ip = "10.0.0.2"
username      = "root"
password      = '${{env("ZSTACK_PASSWORD")}}'
depends_on    = ["host.h1"]
"#
    ));
    assert_snapshot!(rackform.run(&["plan"]).seen(), @r#"
    exit 1
    --- stderr
    cycle

      × resources depend on each other in a circle
      ╰─▶ `cluster.a` needs `zone.east` (main.rack.toml:8). `zone.east` needs
          `host.h1` (main.rack.toml:5). `host.h1` needs `cluster.a`
          (main.rack.toml:12).
       ╭─[main.rack.toml:8:19]
     4 │ [zone.east]
     5 │ depends_on = ["host.h1"]
       ·               ────┬────
       ·                   ╰── `zone.east` needs `host.h1`
     6 │
     7 │ [cluster.a]
     8 │ zone            = "zone.east"
       ·                   ─────┬─────
       ·                        ╰── `cluster.a` needs `zone.east`
     9 │ hypervisor_type = "KVM"
       ╰────
        ╭─[main.rack.toml:12:17]
     11 │ [host.h1]
     12 │ cluster       = "cluster.a"
        ·                 ─────┬─────
        ·                      ╰── `host.h1` needs `cluster.a`
     13 │ management_ip = "10.0.0.1"
        ╰────
      help: remove one of these references

    1 error
    "#);
}

#[test]
fn one_management_ip_for_two_hosts() {
    let rackform = Rackform::with(&format!(
        r#"{PROVIDER}
[zone.east]

[cluster.a]
zone            = "zone.east"
hypervisor_type = "KVM"

[host.h]
cluster       = "cluster.a"
management_ip = "10.0.0.1"
username      = "root"
password      = '${{env("ZSTACK_PASSWORD")}}'

[host.other]
cluster       = "cluster.a"
management_ip = "10.0.0.1"
username      = "root"
password      = '${{env("ZSTACK_PASSWORD")}}'
"#
    ));
    assert_snapshot!(rackform.run(&["validate"]).seen(), @r#"
    exit 1
    --- stderr
    duplicate_key in host.other

      × `host.other` and `host.h` have the same `management_ip`
      ╰─▶ The first stands at main.rack.toml:12.
        ╭─[main.rack.toml:12:17]
     11 │ cluster       = "cluster.a"
     12 │ management_ip = "10.0.0.1"
        ·                 ─────┬────
        ·                      ╰── first here, by `host.h`
     13 │ username      = "root"
        ╰────
        ╭─[main.rack.toml:18:17]
     17 │ cluster       = "cluster.a"
     18 │ management_ip = "10.0.0.1"
        ·                 ─────┬────
        ·                      ╰── again here
     19 │ username      = "root"
        ╰────
      help: each host needs its own `management_ip`

    1 error
    "#);
}

#[test]
fn storage_and_cluster_of_different_zones() {
    let rackform = Rackform::with(&format!(
        r#"{PROVIDER}
[zone.east]
[zone.west]

[cluster.a]
zone            = "zone.east"
hypervisor_type = "KVM"

[local_primary_storage.scratch]
zone     = "zone.west"
url      = "/zstack_ps"
clusters = ["cluster.a"]
"#
    ));
    assert_snapshot!(rackform.run(&["validate"]).seen(), @r#"
    exit 1
    --- stderr
    different_parents in local_primary_storage.scratch.clusters["cluster.a"]

      × `local_primary_storage.scratch` and `cluster.a` are not in the same zone
      ╰─▶ They refer to their zone at main.rack.toml:12 and main.rack.toml:8.
       ╭─[main.rack.toml:8:19]
     7 │ [cluster.a]
     8 │ zone            = "zone.east"
       ·                   ─────┬─────
       ·                        ╰── `cluster.a` is in `zone.east`
     9 │ hypervisor_type = "KVM"
       ╰────
        ╭─[main.rack.toml:14:13]
     11 │ [local_primary_storage.scratch]
     12 │ zone     = "zone.west"
        ·            ─────┬─────
        ·                 ╰── `local_primary_storage.scratch` is in `zone.west`
     13 │ url      = "/zstack_ps"
     14 │ clusters = ["cluster.a"]
        ·             ─────┬─────
        ·                  ╰── attached here
        ╰────
      help: attach objects of one zone only

    1 error
    "#);
}

#[test]
fn variables_without_a_value_or_a_declaration() {
    let config = "[variable.hall]\ntype = \"string\"\n[zone.east]\nname = '${var.hall}'\n";
    let rackform = Rackform::with(&format!("{PROVIDER}{config}"));
    assert_snapshot!(rackform.run(&["plan"]).seen(), @r#"
    exit 1
    --- stderr
    missing_variable

      × the variable `hall` has no value
       ╭─[main.rack.toml:3:1]
     2 │ endpoint = "emulator"
     3 │ [variable.hall]
       · ───────┬───────
       ·        ╰── declared here, without a default
     4 │ type = "string"
       ╰────
      help: set it with --var hall=… or RACKFORM_VAR_hall

    1 error
    "#);
    assert_snapshot!(rackform.run(&["validate", "--var", "hal=x"]).seen(), @"
    exit 1
    --- stderr
    unknown_variable

      × --var sets `hal`, which is not declared
      help: did you mean `hall`?

    1 error
    ");
    assert_snapshot!(rackform.run(&["validate", "--var", "hall"]).seen(), @"
    exit 1
    --- stderr
    bad_var

      × `--var hall` has no `=`
      help: write --var NAME=VALUE

    1 error
    ");
    rackform.run(&["validate", "--var", "hall=first"]).expect(0);
    let rackform = rackform.env("RACKFORM_VAR_hall", "second");
    rackform.run(&["plan"]).expect(0).says(&["\"second\""]);
    rackform.run(&["plan", "--var", "hall=first"]).expect(0).says(&["\"first\""]);
}

#[test]
fn no_directory_and_no_configuration() {
    let rackform = Rackform::new();
    assert_snapshot!(rackform.run(&["plan", "-C", "nowhere"]).seen(), @"
    exit 1
    --- stderr
    unreadable

      × cannot read `nowhere`: No such file or directory (os error 2)
      help: -C names the directory with the configuration

    1 error
    ");
    assert_snapshot!(rackform.run(&["plan", "-C", "."]).seen(), @"
    exit 1
    --- stderr
    no_configuration

      × `.` has no configuration (no *.rack.toml file)
      help: name the directory with -C DIR, or start with a file like examples/
            quickstart/main.rack.toml

    1 error
    ");
}

#[test]
fn a_provider_that_cannot_be_one() {
    let _filters = filters();
    let provider = |settings: &str| {
        let rackform = Rackform::with(&format!("[provider.zstack]\n{settings}\n[zone.east]\n"));
        rackform.run(&["plan", "-C", "."]).seen()
    };
    assert_snapshot!(provider("endpoint = \"cloud.example.com\"\naccount = \"a\"\npassword = '${env(\"ZSTACK_PASSWORD\")}'"), @r#"
    exit 1
    --- stderr
    provider

      × provider.zstack: `cloud.example.com` is no endpoint: it is not a URL
       ╭─[main.rack.toml:1:1]
     1 │ [provider.zstack]
       · ────────┬────────
       ·         ╰── this provider
     2 │ endpoint = "cloud.example.com"
       ╰────
      help: an endpoint is a URL such as https://mn.example.com:8080

    1 error
    "#);
    assert_snapshot!(provider("endpoint = \"http://127.0.0.1:9\"\naccount = \"a\""), @r#"
    exit 1
    --- stderr
    provider

      × provider.zstack has no `password`
       ╭─[main.rack.toml:1:1]
     1 │ [provider.zstack]
       · ────────┬────────
       ·         ╰── this provider
     2 │ endpoint = "http://127.0.0.1:PORT"
       ╰────
      help: set it from the environment: password = '${env("ZSTACK_PASSWORD")}'

    1 error
    "#);
    assert_snapshot!(provider("endpoint = \"http://127.0.0.1:9\"\naccount = \"a\"\npassword = '${env(\"MISSING\")}'"), @r#"
    exit 1
    --- stderr
    unset_env

      × the environment variable MISSING is not set
       ╭─[main.rack.toml:4:12]
     3 │ account = "a"
     4 │ password = '${env("MISSING")}'
       ·            ─────────┬─────────
       ·                     ╰── needed here
     5 │ [zone.east]
       ╰────
      help: export MISSING=… before running rackform

    1 error
    "#);
    assert_snapshot!(provider("endpiont = \"http://127.0.0.1:9\""), @r#"
    exit 1
    --- stderr
    provider

      × provider.zstack has no setting `endpiont`; did you mean `endpoint`?
       ╭─[main.rack.toml:1:1]
     1 │ [provider.zstack]
       · ────────┬────────
       ·         ╰── this provider
     2 │ endpiont = "http://127.0.0.1:PORT"
       ╰────

    1 error
    "#);
    assert_snapshot!(provider("endpoint = \"https://127.0.0.1:9\"\naccount = \"a\"\npassword = '${env(\"ZSTACK_PASSWORD\")}'\nca_file = \"ca.pem\""), @r#"
    exit 1
    --- stderr
    provider

      × provider.zstack: ./ca.pem cannot be read: No such file or directory (os
      │ error 2)
       ╭─[main.rack.toml:1:1]
     1 │ [provider.zstack]
       · ────────┬────────
       ·         ╰── this provider
     2 │ endpoint = "https://127.0.0.1:PORT"
       ╰────
      help: `ca_file` is relative to the directory of the configuration

    1 error
    "#);
}

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
      help: review `rackform plan`, then run: rackform destroy --auto-approve

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
