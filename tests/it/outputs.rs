//! Outputs with the real binary: planned, applied, kept in the state, read again, never a secret.

use serde_json::{Value, json};

use super::common::cloud::Cloud;
use super::common::process::Rackform;

const SECRET: &str = "ca@:/\"\\canary";

const CONFIG: &str = r#"
[variable.password]
type      = "string"
sensitive = true

[zone.east]
description = "first hall"

[cluster.rack]
for_each        = ["a", "b"]
zone            = "zone.east"
hypervisor_type = "KVM"

[output.password]
value     = '${var.password}!'
sensitive = true

[output.racks]
value = '${{ for key, rack in cluster.rack : key => rack.id }}'

[output.zone]
value       = '${zone.east}'
description = "all of it"

[output.zone_text]
value = '${upper(zone.east.description)}'
"#;

fn with(cloud: &Cloud, config: &str) -> Rackform {
    let rackform = Rackform::with(&format!("{}{config}", cloud.provider()));
    rackform.env("RACKFORM_VAR_password", SECRET)
}

/// The document of `output --json`.
fn outputs(rackform: &Rackform) -> Value {
    let text = rackform.run(&["output", "--json"]).expect(0).stdout;
    serde_json::from_str(&text).unwrap_or_else(|e| panic!("{e}: {text}"))
}

/// Bodies of the stream lines of a type.
fn lines(stdout: &str, kind: &str) -> Vec<Value> {
    let all = stdout.lines().map(|line| serde_json::from_str::<Value>(line).expect("JSON"));
    all.filter(|line| line["type"] == kind).collect()
}

#[test]
fn what_an_apply_makes_known_is_shown_and_kept() {
    let cloud = Cloud::start();
    let rackform = with(&cloud, CONFIG);
    let plan = rackform.run(&["plan"]).expect(0).stdout;
    let shown = plan.split_once("Changes to Outputs:\n").expect("outputs").1;
    let shown = shown.split_once("\n\n").expect("an end").0;
    insta::assert_snapshot!(shown, @r#"
      + password  = (sensitive value)
      + racks     = { "a" = (known after apply), "b" = (known after apply) }
      + zone      = (known after apply)
      + zone_text = "FIRST HALL"
    "#);
    let applied = rackform.run(&["apply", "--auto-approve"]).expect(0).stdout;
    let zone = cloud.one("/zones");
    let id = zone["uuid"].as_str().expect("an id");
    let listed = applied.split_once("\nOutputs:\n\n").expect("outputs").1;
    assert!(listed.contains("password = (sensitive value)\n"), "{listed}");
    assert!(listed.contains(&format!("  \"id\" = \"{id}\"\n")), "{listed}");
    assert_eq!(rackform.run(&["output"]).expect(0).stdout, listed);
    let found = outputs(&rackform);
    assert_eq!(found["zone"]["value"]["id"], id);
    assert_eq!(
        found["zone_text"],
        json!({ "sensitive": false, "type": "string", "value": "FIRST HALL" })
    );
    assert_eq!(found["password"], json!({ "sensitive": true, "value": null }));
    let again = rackform.run(&["plan", "--detailed-exitcode"]).expect(0).stdout;
    assert!(again.contains("No changes.") && !again.contains("Outputs"), "{again}");
    cloud.assert_no_violations();
}

#[test]
fn one_output_can_be_asked_for() {
    let cloud = Cloud::start();
    let rackform = with(&cloud, CONFIG);
    rackform.run(&["apply", "--auto-approve"]).expect(0);
    let text = |args: &[&str]| rackform.run(&[&["output"], args].concat()).expect(0).stdout;
    assert_eq!(text(&["zone_text"]), "\"FIRST HALL\"\n");
    assert_eq!(text(&["--raw", "zone_text"]), "FIRST HALL");
    assert_eq!(text(&["zone_text", "--json"]), "\"FIRST HALL\"\n");
    assert_eq!(text(&["--raw", "password"]), format!("{SECRET}!"));
    let failed = rackform.run(&["output", "zone_txt"]).expect(1);
    assert!(failed.stderr.contains("did you mean `zone_text`?"), "{}", failed.stderr);
    let failed = rackform.run(&["output", "--raw", "zone"]).expect(1);
    assert!(failed.stderr.contains("--json"), "{}", failed.stderr);
}

#[test]
fn a_secret_one_needs_its_variables_and_the_others_need_nothing() {
    let cloud = Cloud::start();
    let rackform = with(&cloud, CONFIG);
    rackform.run(&["apply", "--auto-approve"]).expect(0);
    let bare = Rackform::with(&rackform.read("main.rack.toml"));
    bare.write("rackform.state.json", &rackform.read("rackform.state.json"));
    assert_eq!(bare.run(&["output", "zone_text"]).expect(0).stdout, "\"FIRST HALL\"\n");
    let failed = bare.run(&["output", "password"]).expect(1).stderr;
    assert!(failed.contains("`password` has no value"), "{failed}");
    assert!(failed.contains("which no state holds"), "{failed}");
    let given = bare.run(&["output", "password", "--var", "password=x"]).expect(0);
    assert_eq!(given.stdout, "\"x!\"\n");
}

#[test]
fn no_secret_is_written_or_shown_unasked() {
    let cloud = Cloud::start();
    let rackform = with(&cloud, CONFIG);
    let mut seen = String::new();
    for args in [
        &["plan"][..],
        &["plan", "--json"],
        &["plan", "--format", "json"],
        &["plan", "--format", "markdown"],
        &["apply", "--auto-approve", "--json"],
        &["output"],
        &["output", "--json"],
        &["destroy", "--auto-approve"],
    ] {
        let outcome = rackform.run(args).expect(0);
        seen.push_str(&outcome.stdout);
        seen.push_str(&outcome.stderr);
        for entry in std::fs::read_dir(rackform.dir()).expect("a directory") {
            let bytes = std::fs::read(entry.expect("an entry").path()).unwrap_or_default();
            seen.push_str(&String::from_utf8_lossy(&bytes));
        }
    }
    let escaped = serde_json::to_string(SECRET).expect("JSON");
    for form in [SECRET, escaped.trim_matches('"'), "canary"] {
        assert!(!seen.contains(form), "{form}");
    }
}

#[test]
fn a_secret_that_is_not_declared_as_one_is_refused() {
    let config = CONFIG.replace("sensitive = true\n\n[output.racks]", "\n[output.racks]");
    let rackform = Rackform::with(&format!("[provider.zstack]\nendpoint = \"emulator\"\n{config}"))
        .env("RACKFORM_VAR_password", SECRET);
    for command in ["validate", "plan"] {
        let failed = rackform.run(&[command]).expect(1).stderr;
        assert!(failed.contains("secret_output"), "{failed}");
        assert!(failed.contains("sensitive = true"), "{failed}");
        assert!(!failed.contains("canary"), "{failed}");
    }
}

#[test]
fn outputs_alone_are_a_change_of_the_state() {
    let cloud = Cloud::start();
    let rackform = with(&cloud, CONFIG);
    rackform.run(&["apply", "--auto-approve"]).expect(0);
    cloud.reset();
    let config = rackform.read("main.rack.toml");
    rackform.write("main.rack.toml", &config.replace("${upper(zone.east.description)}", "other"));
    let plan = rackform.run(&["plan", "--detailed-exitcode"]).expect(2).stdout;
    assert!(plan.contains("~ zone_text = \"FIRST HALL\" → \"other\""), "{plan}");
    assert!(plan.contains("Only outputs change"), "{plan}");
    let stream = rackform.run(&["plan", "--json"]).expect(0).stdout;
    let told = lines(&stream, "outputs");
    assert_eq!(told[0]["outputs"]["zone_text"], json!({ "sensitive": false, "action": "update" }));
    assert_eq!(told[0]["outputs"]["racks"]["action"], "noop");
    let document = rackform.run(&["plan", "--format", "json"]).expect(0).stdout;
    let document: Value = serde_json::from_str(&document).expect("JSON");
    assert_eq!(document["output_changes"]["zone_text"]["actions"], json!(["update"]));
    assert_eq!(document["applyable"], true);
    rackform.run(&["apply", "--auto-approve"]).expect(0);
    assert_eq!(outputs(&rackform)["zone_text"]["value"], "other");
    assert_eq!(cloud.mutations().len(), 0);
    rackform.run(&["plan", "--detailed-exitcode"]).expect(0);
    // An output that is taken out goes.
    let config = rackform.read("main.rack.toml");
    rackform.write("main.rack.toml", config.split("[output.zone_text]").next().expect("a part"));
    rackform.run(&["apply", "--auto-approve"]).expect(0);
    assert_eq!(outputs(&rackform).get("zone_text"), None);
}

#[test]
fn drift_that_is_ignored_changes_outputs() {
    let cloud = Cloud::start();
    let ignoring = CONFIG.replace(
        "description = \"first hall\"",
        "description = \"first hall\"\nlifecycle = { ignore_changes = [\"description\"] }",
    );
    let rackform = with(&cloud, &ignoring);
    rackform.run(&["apply", "--auto-approve"]).expect(0);
    let id = cloud.one("/zones")["uuid"].as_str().expect("an id").to_owned();
    let body = json!({ "updateZone": { "description": "renamed" } });
    cloud.api(reqwest::Method::PUT, &format!("/zones/{id}/actions"), Some(body));
    let plan = rackform.run(&["plan"]).expect(0).stdout;
    assert!(plan.contains("~ zone_text = \"FIRST HALL\" → \"RENAMED\""), "{plan}");
    rackform.run(&["apply", "--auto-approve"]).expect(0);
    assert_eq!(outputs(&rackform)["zone_text"]["value"], "RENAMED");
    rackform.run(&["plan", "--detailed-exitcode"]).expect(0);
}

#[test]
fn outputs_of_a_module_are_those_that_the_root_passes_on() {
    let cloud = Cloud::start();
    let rackform = with(
        &cloud,
        "[variable.password]\nsensitive = true\n\
         [module.hall]\nsource = \"./hall\"\n[output.id]\nvalue = '${module.hall.zone}'\n",
    );
    rackform.write(
        "hall/main.rack.toml",
        "[zone.z]\n[output.zone]\nvalue = '${zone.z.id}'\n[output.inner]\nvalue = 1\n",
    );
    let stream = rackform.run(&["apply", "--auto-approve", "--json"]).expect(0).stdout;
    let told = lines(&stream, "outputs");
    let last = told.last().expect("outputs");
    assert_eq!(last["outputs"]["id"]["value"], cloud.one("/zones")["uuid"]);
    assert_eq!(last["outputs"].get("inner"), None);
}

#[test]
fn a_failed_apply_keeps_what_it_could_not_learn() {
    let cloud = Cloud::start();
    let rackform = with(&cloud, CONFIG);
    cloud.faults(&["api=CreateCluster,times=0,job-error=SYS.1006:no"]);
    rackform.run(&["apply", "--auto-approve"]).expect(1);
    let found = outputs(&rackform);
    assert_eq!(found["zone"]["value"]["name"], "east");
    assert_eq!(found.get("racks"), None, "{found}");
    rackform.run(&["destroy", "--auto-approve"]).expect(0);
    assert_eq!(outputs(&rackform), json!({}));
}
