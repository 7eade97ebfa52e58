//! Preconditions, postconditions and checks with the real binary: when they are judged, what is
//! said, and how a command ends.

use super::common::cloud::Cloud;
use super::common::process::Rackform;

fn with(cloud: &Cloud, config: &str) -> Rackform {
    Rackform::with(&format!("{}{config}", cloud.provider()))
}

const RACKS: &str = r#"
[variable.longest]
type    = "number"
default = 1

[zone.east]

[cluster.rack]
for_each        = ["a", "long"]
zone            = "zone.east"
hypervisor_type = "KVM"

[[cluster.rack.lifecycle.precondition]]
condition     = '${length(each.key) <= var.longest}'
error_message = 'The key ${each.key} is too long.'
"#;

#[test]
fn a_precondition_refuses_before_anything_is_sent() {
    let cloud = Cloud::start();
    let rackform = with(&cloud, RACKS);
    for args in [&["validate"][..], &["plan"], &["apply", "--auto-approve"]] {
        let failed = rackform.run(args).expect(1).stderr;
        assert!(failed.contains("The key long is too long"), "{failed}");
        assert!(failed.contains("cluster.rack[\"long\"]"), "{failed}");
        assert!(failed.contains("main.rack.toml:1"), "{failed}");
    }
    assert_eq!(cloud.mutations().len(), 0);
    rackform.run(&["apply", "--auto-approve", "--var", "longest=4"]).expect(0);
    // Who destroys is not refused.
    rackform.run(&["destroy", "--auto-approve"]).expect(0);
    assert_eq!(cloud.rows("/zones").len(), 0);
}

#[test]
fn a_failed_postcondition_is_told_when_everything_is_recorded() {
    let cloud = Cloud::start();
    let rackform = with(
        &cloud,
        "[zone.east]\ndescription = \"hall\"\n\
         lifecycle.postcondition = [{ condition = '${self.id == \"none\"}', \
         error_message = 'zone ${self.name} has an id' }]\n\
         [output.zone]\nvalue = '${zone.east.name}'\n",
    );
    rackform.run(&["plan"]).expect(0);
    let applied = rackform.run(&["apply", "--auto-approve"]).expect(1);
    assert!(applied.stdout.contains("Apply complete: 1 added"), "{}", applied.stdout);
    assert!(applied.stderr.contains("zone east has an id"), "{}", applied.stderr);
    assert!(applied.stderr.contains("postcondition_failed in zone.east"), "{}", applied.stderr);
    assert_eq!(rackform.run(&["state", "list"]).expect(0).stdout, "zone.east\n");
    assert_eq!(rackform.run(&["output", "--raw", "zone"]).expect(0).stdout, "east");
    // It is still so, and a plan says it.
    let again = rackform.run(&["plan"]).expect(1);
    assert!(again.stderr.contains("zone east has an id"), "{}", again.stderr);
}

#[test]
fn a_check_warns_and_nothing_more() {
    let cloud = Cloud::start();
    let rackform = with(
        &cloud,
        "[zone.east]\ndescription = \"hall\"\n\
         [check.named]\nassert = [\
         { condition = '${zone.east.id != \"\"}', error_message = \"nameless\" },\
         { condition = '${upper(zone.east.id) == \"\"}', error_message = \"it has an id\" }]\n",
    );
    let plan = rackform.run(&["plan"]).expect(0);
    assert_eq!(plan.stderr, "");
    let applied = rackform.run(&["apply", "--auto-approve"]).expect(0).stderr;
    assert!(applied.contains("it has an id") && applied.contains("1 warning"), "{applied}");
    assert!(!applied.contains("× nameless") && !applied.contains("⚠ nameless"), "{applied}");
    let plan = rackform.run(&["plan", "--detailed-exitcode"]).expect(0).stderr;
    assert!(plan.contains("assertion of the check `named`"), "{plan}");
}

#[test]
fn no_secret_stands_in_a_message() {
    let cloud = Cloud::start();
    let rackform = with(
        &cloud,
        "[variable.pw]\nsensitive = true\n[zone.east]\n\
         lifecycle.postcondition = [{ condition = '${var.pw == \"\"}', error_message = 'pw is ${var.pw}' }]\n\
         [check.pw]\nassert = [{ condition = '${var.pw == \"\"}', error_message = '${var.pw}' }]\n",
    )
    .env("RACKFORM_VAR_pw", "canary");
    let applied = rackform.run(&["apply", "--auto-approve"]).expect(1);
    assert!(applied.stderr.contains("would show a secret"), "{}", applied.stderr);
    assert!(!format!("{applied:?}").contains("canary"), "{applied:?}");
}
