//! `rackform console` on a pipe: one expression a line, values as HCL, mistakes on stderr.

use super::common::cloud::Cloud;
use super::common::process::Rackform;

const CONFIG: &str = r#"
[variable.racks]
type    = "list(string)"
default = ["a", "b"]

[variable.password]
sensitive = true

[locals]
hall = '${upper("east")}'

[zone.east]
description = "first hall"

[data.zone.other]
name = "west"

[module.inner]
source = "./inner"
"#;

fn rackform(cloud: &Cloud) -> Rackform {
    let rackform = Rackform::with(&format!("{}{CONFIG}", cloud.provider()));
    rackform.write("inner/main.rack.toml", "[output.answer]\nvalue = '${6 * 7}'\n");
    rackform.env("RACKFORM_VAR_password", "canary")
}

fn west(cloud: &Cloud) {
    let zones = serde_json::json!({ "zones": [{ "name": "west" }] });
    cloud.control(reqwest::Method::POST, "seed", Some(zones));
}

#[test]
fn expressions_see_what_the_root_module_sees() {
    let cloud = Cloud::start();
    west(&cloud);
    let rackform = rackform(&cloud);
    let before = rackform.run_with_input(&["console"], "zone.east.id\nzone.east.name\n").expect(0);
    assert_eq!(before.stdout, "(known after apply)\n\"east\"\n");
    rackform.run(&["apply", "--auto-approve"]).expect(0);
    let state = rackform.read("rackform.state.json");
    let typed = "var.racks\nlocal.hall\n# a comment\n\nvar.password\nmodule.inner.answer\n\
        [for rack in var.racks :\n  { name = rack }]\ndata.zone.other.name\nzone.east.description\nexit\nnonsense(\n";
    let console = rackform.run_with_input(&["console"], typed).expect(0);
    insta::assert_snapshot!(console.stdout, @r#"
    [
      "a",
      "b",
    ]
    "EAST"
    (sensitive value)
    42
    [
      {
        "name" = "a"
      },
      {
        "name" = "b"
      },
    ]
    "west"
    "first hall"
    "#);
    assert_eq!(rackform.read("rackform.state.json"), state);
    cloud.assert_no_violations();
}

#[test]
fn a_mistake_is_told_and_the_rest_goes_on() {
    let rackform = Rackform::with(
        "[provider.zstack]\nendpoint = \"emulator\"\n[variable.racks]\ndefault = \"a\"\n",
    );
    let outcome = rackform.run_with_input(&["console"], "var.rakcs\n1 +\nvar.racks\n[1,\n");
    let outcome = outcome.expect(1);
    assert_eq!(outcome.stdout, "\"a\"\n");
    assert!(outcome.stderr.contains("did you mean `var.racks`?"), "{}", outcome.stderr);
    assert_eq!(outcome.stderr.matches("bad_expression").count(), 2, "{}", outcome.stderr);
    // Nothing was made: no state, no lock, no cloud.
    let names = std::fs::read_dir(rackform.dir()).expect("a directory");
    let names: Vec<_> = names.map(|e| e.expect("an entry").file_name()).collect();
    assert_eq!(names, ["main.rack.toml"]);
}

#[test]
fn only_what_is_named_is_needed() {
    let mut cloud = Cloud::child(&[]);
    let rackform = Rackform::with(&format!("{}{CONFIG}", cloud.provider()));
    rackform.write("inner/main.rack.toml", "[output.answer]\nvalue = 42\n");
    cloud.kill();
    let outcome = rackform.run_with_input(&["console"], "local.hall\nmodule.inner.answer\n");
    assert_eq!(outcome.expect(0).stdout, "\"EAST\"\n42\n");
    let outcome = rackform.run_with_input(&["console"], "var.password\n").expect(1);
    assert!(outcome.stderr.contains("`password` has no value"), "{}", outcome.stderr);
    let args = ["console", "--var", "password=x"];
    let outcome = rackform.run_with_input(&args, "data.zone.other.name\nlocal.hall\n").expect(1);
    assert_eq!(outcome.stdout, "\"EAST\"\n");
    assert!(outcome.stderr.contains("needs a cloud"), "{}", outcome.stderr);
}
