//! What is said when a look-up cannot work: with the place, and before anything is asked where
//! that is possible.

use serde_json::json;

use super::{plan, seeded, with};
use crate::common::cloud::Cloud;
use crate::common::process::Rackform;

/// Ids differ from run to run.
fn without_ids(text: &str) -> String {
    let word = |word: &str| {
        let bare = word.trim_matches(|c: char| !c.is_ascii_alphanumeric());
        let id = bare.len() == 32 && bare.bytes().all(|b| b.is_ascii_hexdigit());
        if id { word.replace(bare, "ID") } else { word.to_owned() }
    };
    let line = |line: &str| line.split(' ').map(word).collect::<Vec<_>>().join(" ");
    text.lines().map(line).collect::<Vec<_>>().join("\n")
}

#[test]
fn an_ambiguous_name_lists_the_matches() {
    let cloud = seeded();
    let outcome = plan(&cloud, "\n[data.host.first]\nname = \"kvm01\"\n").expect(1);
    insta::assert_snapshot!(without_ids(&outcome.stderr), @r#"
ambiguous_data in data.host.first

  × `data.host.first` matches 2 objects
  ╰─▶ These match:
        "kvm01" (ID), management_ip = "10.0.0.1"
        "kvm01" (ID), management_ip = "10.0.0.3"
   ╭─[main.rack.toml:6:1]
 5 │
 6 │ [data.host.first]
   · ────────┬────────
   ·         ╰── 2 match, exactly one must
 7 │ name = "kvm01"
   ╰────
  help: one of them: management_ip = "10.0.0.1"; all of them: all = true

1 error
"#);
}

#[test]
fn many_matches_are_cut() {
    let cloud = Cloud::start();
    let zones: Vec<_> = (0..14).map(|_| json!({ "name": "same" })).collect();
    cloud.control(reqwest::Method::POST, "seed", Some(json!({ "zones": zones })));
    let outcome = plan(&cloud, "[data.zone.x]\nname = \"same\"\n").expect(1);
    let said = without_ids(&outcome.stderr);
    assert!(said.contains("matches 14 objects") && said.contains("and 4 more"), "{said}");
    assert!(said.contains("one of them: uuid = \"ID\"; all of them:"), "{said}");
}

#[test]
fn nothing_found_is_an_error_at_the_table() {
    let cloud = seeded();
    let outcome = plan(&cloud, "\n[data.host.x]\nname = \"kvm99\"\nssh_port = 22\n").expect(1);
    insta::assert_snapshot!(outcome.stderr, @r#"
no_match in data.host.x

  × `data.host.x` finds nothing: there is no host with name = "kvm99" and
  │ ssh_port = 22
  ╰─▶ Values are compared exactly. What this account may not see is not found
      either.
   ╭─[main.rack.toml:6:1]
 5 │
 6 │ [data.host.x]
   · ──────┬──────
   ·       ╰── nothing matches
 7 │ name = "kvm99"
   ╰────
  help: correct the filters, or write all = true for a list that may be empty

1 error
"#);
}

#[test]
fn a_failed_query_is_not_nothing() {
    let cloud = seeded();
    cloud.faults(&["api=QueryHost,times=0,status=400,body=no"]);
    let outcome = with(&cloud, "[data.host.x]\nall = true\n").run(&["plan"]).expect(1);
    let said = outcome.stderr;
    assert!(said.contains("host objects of provider.zstack cannot be listed"), "{said}");
    assert!(said.contains("main.rack.toml:5"), "{said}");
}

#[test]
fn what_is_created_by_the_same_plan_cannot_be_asked_by() {
    let cloud = seeded();
    let config = "[zone.new]\n[data.cluster.x]\nzone = \"zone.new\"\nall = true\n";
    let outcome = plan(&cloud, config).expect(1);
    insta::assert_snapshot!(outcome.stderr, @r#"
not_yet_known in data.cluster.x

  × the id of `zone.new` is not known before it is created
   ╭─[main.rack.toml:7:8]
 6 │ [data.cluster.x]
 7 │ zone = "zone.new"
   ·        ─────┬────
   ·             ╰── known only after apply
 8 │ all = true
   ╰────
  help: apply once without [data.cluster.x] and what uses it, then add it

1 error
"#);
}

/// `validate` sees all of this without a cloud, and so does `plan`, before it asks one.
#[test]
fn mistakes_need_no_cloud() {
    let config = r#"[provider.zstack]
endpoint = "http://192.0.2.1:8080"
account = "admin"
password = '${env("ZSTACK_PASSWORD")}'
[data.zoen.a]
[data.zone.main]
name = 7
[data.host.x]
nmae = "a"
cluster = "zone.z"
[data.host.y]
name = "y"
[data.nfs_primary_storage.p]
clusters = ["cluster.c"]
[data.host_iommu_status.s]
[data.hypervisor_types.t]
all = "yes"
[data.host.one]
all = true
[data.zone.first]
name = '${data.zone.second.name}'
[data.zone.second]
name = '${data.zone.first.name}'
[vm_instance.v]
name = "v"
[zone.z]
name = '${data.zone.mian}'
description = '${data.host.one.name}'
[cluster.c]
zone = '${data.host.y}'
hypervisor_type = '${data.hypervisor_types.t}'
[cluster.d]
description = '${data.hypervisor_types.t.typs}'
zone = "data.zone.nowhere"
hypervisor_type = "KVM"
"#;
    let rackform = Rackform::with(config);
    let validated = rackform.run(&["validate"]).expect(1).stderr;
    let planned = rackform.run(&["plan"]).expect(1).stderr;
    for said in [
        "there is no resource type `zoen`",
        "`name` must be text",
        "`host` has no attribute `nmae`",
        "`zone.z` stands where a reference to cluster is needed",
        "`nfs_primary_storage` has no attribute `clusters`",
        "`host` is missing",
        "`all` must be true or false",
        "depend on each other in a circle",
        "`vm_instance` is no resource: it can only be looked up",
        "write [data.vm_instance.v]",
        "did you mean `data.zone.main`?",
        "`data.host.one` is a list",
        "`hypervisor_types` has no attribute `typs`",
        "a host stands where a reference to zone is needed",
        "`hypervisor_type` must be text",
        "there is no `data.zone.nowhere`",
    ] {
        assert!(validated.contains(said), "validate: {said}\n{validated}");
        assert!(planned.contains(said), "plan: {said}\n{planned}");
    }
}

#[test]
fn validate_needs_no_answers() {
    let config = r#"[provider.zstack]
endpoint = "http://192.0.2.1:8080"
account = "admin"
password = '${env("NOT_SET")}'
[data.zone.main]
name = '${env("ALSO_NOT_SET")}'
[data.cluster.all]
all = true
zone = '${data.zone.main}'
[data.host.new]
cluster = "cluster.c"
[cluster.c]
zone = '${data.zone.main}'
description = 'in ${data.zone.main.name}, ${data.host.new.status}'
hypervisor_type = "KVM"
[nfs_primary_storage.p]
zone = "data.zone.main"
url = "10.0.0.1:/p"
clusters = '${data.cluster.all}'
"#;
    let outcome = Rackform::with(config).run(&["validate"]).expect(0);
    assert_eq!(outcome.stderr, "");
}

/// A secret must not come into a query or a message.
#[test]
fn a_secret_is_no_filter() {
    let config = "[provider.zstack]\nendpoint = \"emulator\"\n[variable.s]\nsensitive = true\n\
        default = \"hunter2\"\n[data.zone.main]\nname = '${var.s}'\n";
    let outcome = Rackform::with(config).run(&["plan"]).expect(1);
    assert!(outcome.stderr.contains("`name` cannot be a secret here"), "{}", outcome.stderr);
    assert!(!outcome.stderr.contains("hunter2"), "{}", outcome.stderr);
}
