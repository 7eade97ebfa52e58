//! Mistakes in tables, addresses, references and variables.

use insta::assert_snapshot;

use super::{PROVIDER, zone};
use crate::common::process::Rackform;

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

      × a --var has no `=`
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
      help: name the directory with -C DIR, or start a main.rack.toml; `rackform
            schema` lists what it can hold

    1 error
    ");
}
