//! What people and programs see of the command line: help, JSON lines, colours, closed pipes.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use insta::assert_snapshot;
use serde_json::Value;

use super::common::cloud::Cloud;
use super::common::process::{Outcome, Rackform};
use super::common::seen::filters;

/// The commands of the design (section 3) that exist now, in the order of the help.
const COMMANDS: [&str; 14] = [
    "validate",
    "plan",
    "apply",
    "destroy",
    "import",
    "state",
    "action",
    "output",
    "console",
    "graph",
    "fmt",
    "schema",
    "emulate",
    "completions",
];

const STATE_COMMANDS: [&str; 4] = ["list", "show", "rm", "mv"];

const CONFIG: &str = "[provider.zstack]\nendpoint = \"emulator\"\n\n[zone.east]\nname = \"east\"\n\n\
    [cluster.a]\nzone = \"zone.east\"\nhypervisor_type = \"KVM\"\n";

/// Names in the list of commands of a help text.
fn listed(help: &str) -> Vec<String> {
    let list = help.lines().skip_while(|line| *line != "Commands:").skip(1);
    let names = list.take_while(|line| !line.is_empty()).filter_map(|line| {
        let name = line.strip_prefix("  ")?;
        (!name.starts_with(' ')).then(|| name.split_whitespace().next().unwrap_or_default())
    });
    names.map(str::to_owned).collect()
}

#[test]
fn the_commands_are_those_of_the_design() {
    let rackform = Rackform::new();
    let help = rackform.run(&["--help"]).expect(0).stdout;
    let commands = listed(&help);
    assert_eq!(commands, [&COMMANDS[..], &["help"]].concat());
    let state = rackform.run(&["state", "--help"]).expect(0).stdout;
    assert_eq!(listed(&state), [&STATE_COMMANDS[..], &["help"]].concat());
}

#[test]
fn every_command_helps() {
    let rackform = Rackform::new();
    let help = |args: &[&str]| {
        let outcome = rackform.run(&[args, &["--help"]].concat()).expect(0);
        assert_eq!(outcome.stderr, "");
        assert!(outcome.stdout.contains("Examples:") || args.len() > 1, "{args:?} has no example");
        assert!(outcome.stdout.lines().all(|line| line.chars().count() <= 100), "{args:?}");
        outcome.stdout
    };
    insta::assert_snapshot!("help", help(&[]));
    for command in COMMANDS {
        insta::assert_snapshot!(format!("help_{command}"), help(&[command]));
    }
    for command in STATE_COMMANDS {
        insta::assert_snapshot!(format!("help_state_{command}"), help(&["state", command]));
    }
}

#[test]
fn nothing_to_do_is_an_error_that_helps() {
    let bare = Command::new(env!("CARGO_BIN_EXE_rackform")).output().expect("it runs");
    let stderr = String::from_utf8_lossy(&bare.stderr);
    assert!(stderr.contains("Commands:") && stderr.contains("Exit codes:"), "{stderr}");
    assert_eq!((bare.status.code(), bare.stdout.len()), (Some(1), 0));
    let version = Rackform::new().run(&["--version"]).expect(0);
    assert_eq!(version.stdout, format!("rackform {}\n", env!("CARGO_PKG_VERSION")));
}

#[test]
fn completions_and_schema_and_graph() {
    let rackform = Rackform::with(CONFIG);
    for (shell, said) in
        [("bash", "complete -F"), ("zsh", "#compdef rackform"), ("fish", "complete -c rackform")]
    {
        rackform.run(&["completions", shell]).expect(0).says(&[said, "validate"]);
    }
    rackform.run(&["completions", "tcsh"]).expect(1);
    rackform.run(&["schema"]).expect(0).says(&["host", "KVM hypervisor host"]);
    rackform.run(&["schema", "host"]).expect(0).says(&["management_ip", "required"]);
    let schema = rackform.run(&["schema", "--json-schema"]).expect(0).stdout;
    let schema: Value = serde_json::from_str(&schema).expect("JSON");
    assert!(schema["properties"]["host"].is_object());
    assert_snapshot!(rackform.run(&["graph"]).seen(), @r#"
    exit 0
    --- stdout
    digraph G {
      rankdir = "RL";
      node [shape = rect, fontname = "sans-serif"];
      "cluster.a" [label="cluster.a"];
      "zone.east" [label="zone.east"];
      "cluster.a" -> "zone.east";
    }
    "#);
    assert_snapshot!(rackform.run(&["graph", "--format", "mermaid"]).seen(), @r#"
    exit 0
    --- stdout
    flowchart RL
      n0["cluster.a"]
      n1["zone.east"]
      n0 -->|"reference"| n1
    "#);
    let graph = rackform.run(&["graph", "--format", "json"]).expect(0).stdout;
    serde_json::from_str::<Value>(&graph).expect("JSON");
}

/// The `type`s of JSON lines but for remarks.
fn types(outcome: &Outcome) -> Vec<String> {
    let lines = outcome.json_lines();
    let types = lines.iter().map(|line| line["type"].as_str().expect("a type").to_owned());
    types.filter(|name| name != "log").collect()
}

#[test]
fn json_is_one_object_a_line() {
    let cloud = Cloud::start();
    let rackform = Rackform::with(&format!("{}[zone.east]\n", cloud.provider()));
    let silent = |args: &[&str], code: i32| {
        let outcome = rackform.run(args).expect(code);
        assert_eq!(outcome.stderr, "", "everything is on stdout");
        outcome
    };
    let valid = silent(&["validate", "--json"], 0);
    assert_eq!(types(&valid), ["validation"]);
    let valid = &valid.json_lines()[0];
    let counts = &valid["validation"];
    assert_eq!((&counts["valid"], &counts["resources"]), (&true.into(), &1.into()), "{valid}");
    assert_eq!(valid["@message"], "The configuration is valid: 1 resource, 0 attachments.");
    let plan = silent(&["plan", "--json"], 0);
    assert_eq!(types(&plan), ["version", "planned_change", "change_summary"]);
    let apply = silent(&["apply", "--auto-approve", "--json"], 0);
    let wanted = [
        "version",
        "planned_change",
        "change_summary",
        "apply_start",
        "apply_complete",
        "change_summary",
    ];
    assert_eq!(types(&apply), wanted, "{}", apply.seen());
    let end = apply.json_lines().pop().expect("a line");
    assert_eq!(
        (&end["changes"]["add"], &end["changes"]["operation"]),
        (&1.into(), &"apply".into())
    );
    let destroy = silent(&["destroy", "--auto-approve", "--json"], 0);
    assert!(types(&destroy).contains(&"apply_complete".to_owned()), "{}", destroy.seen());
}

#[test]
fn json_stays_json_when_things_go_wrong() {
    let cloud = Cloud::start();
    let rackform = Rackform::with(&format!("{}[zone.east]\nnaem = \"x\"\n", cloud.provider()));
    for args in [&["validate", "--json"][..], &["plan", "--json"], &["apply", "--json"]] {
        let outcome = rackform.run(args).expect(1);
        let lines = outcome.json_lines();
        assert_eq!(lines.len(), 1, "{}", outcome.seen());
        assert_eq!(
            (&lines[0]["type"], &lines[0]["@level"]),
            (&"diagnostic".into(), &"error".into())
        );
        let diagnostic = &lines[0]["diagnostic"];
        assert_eq!(diagnostic["range"]["filename"], "main.rack.toml", "{diagnostic}");
        assert_eq!(outcome.stderr, "");
    }
    rackform.write("main.rack.toml", &format!("{}[zone.east]\n", cloud.provider()));
    let asked = rackform.run(&["apply", "--json"]).expect(1).json_lines();
    assert_eq!(asked[0]["diagnostic"]["code"], "cannot_ask");
    cloud.faults(&["api=CreateZone,job-error=SYS.1006:no"]);
    let failed = rackform.run(&["apply", "--auto-approve", "--json"]).expect(1);
    let types = types(&failed);
    assert!(types.contains(&"apply_errored".to_owned()), "{}", failed.seen());
    assert!(types.contains(&"diagnostic".to_owned()), "{}", failed.seen());
    rackform.write("rackform.state.json", "{");
    let damaged = rackform.run(&["plan", "--json"]).expect(1).json_lines();
    assert_eq!(damaged[0]["diagnostic"]["code"], "state_damaged");
}

#[test]
fn colours_only_where_they_are_wanted() {
    let escape = "\u{1b}[";
    let config = format!("{CONFIG}naem = \"x\"\n");
    let coloured = |rackform: &Rackform, args: &[&str]| {
        let outcome = rackform.run(args);
        (outcome.stdout.contains(escape), outcome.stderr.contains(escape))
    };
    let rackform = Rackform::with(&config);
    assert_eq!(coloured(&rackform, &["validate"]), (false, false), "a pipe has no colours");
    assert_eq!(coloured(&rackform, &["validate", "--color", "always"]), (false, true));
    assert_eq!(coloured(&rackform, &["validate", "--color", "never"]), (false, false));
    let rackform = Rackform::with(CONFIG);
    assert_eq!(coloured(&rackform, &["plan"]), (false, false));
    assert_eq!(coloured(&rackform, &["plan", "--color", "always"]), (true, false));
    assert_eq!(coloured(&rackform, &["plan", "--color", "always", "--json"]), (false, false));
    let forced = rackform.env("CLICOLOR_FORCE", "1");
    assert_eq!(coloured(&forced, &["plan"]), (true, false));
    assert_eq!(coloured(&forced, &["plan", "--color", "never"]), (false, false));
    let forced = forced.env("NO_COLOR", "1");
    assert_eq!(coloured(&forced, &["plan"]), (false, false), "NO_COLOR wins");
    assert_eq!(coloured(&forced, &["plan", "--color", "always"]), (true, false), "the flag wins");
}

#[test]
fn a_terminal_without_unicode_gets_none() {
    let rackform = Rackform::with(&format!("{CONFIG}naem = \"x\"\n")).env("LC_ALL", "C");
    let outcome = rackform.run(&["validate"]).expect(1);
    assert!(outcome.stderr.is_ascii(), "{}", outcome.seen());
}

#[test]
fn a_reader_that_goes_away_ends_the_output_and_not_the_work() {
    let cloud = Cloud::start();
    let zones: String = (0..2_000).map(|n| format!("[zone.z{n}]\n")).collect();
    let rackform = Rackform::with(&format!("{}{zones}", cloud.provider()));
    let mut plan = rackform.spawn(&["plan"]);
    let mut first = String::new();
    let mut stdout = BufReader::new(plan.stdout.take().expect("piped"));
    stdout.read_line(&mut first).expect("a line");
    drop(stdout);
    assert!(first.starts_with("rackform will do"), "{first}");
    let output = plan.wait_with_output().expect("it ends");
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!((output.status.code(), &*stderr), (Some(0), ""), "a closed pipe is no error");

    rackform.write("main.rack.toml", &format!("{}[zone.z]\n", cloud.provider()));
    let mut apply = rackform.spawn(&["apply", "--auto-approve"]);
    drop(apply.stdout.take());
    drop(apply.stderr.take());
    assert_eq!(apply.wait().expect("it ends").code(), Some(0));
    assert_eq!(cloud.rows("/zones").len(), 1);
    rackform.run(&["plan", "--detailed-exitcode"]).expect(0);
}

#[test]
fn moving_in_the_state_needs_no_change_of_the_cloud() {
    let _filters = filters();
    let rackform = Rackform::with(CONFIG);
    rackform.run(&["apply", "--auto-approve"]).expect(0);
    assert_snapshot!(rackform.run(&["state", "mv", "zone.east", "zone.hall_1"]).seen(), @"
    exit 0
    --- stderr
    Moved: zone.east is now zone.hall_1
    ");
    rackform.write("main.rack.toml", &CONFIG.replace("zone.east", "zone.hall_1"));
    assert_snapshot!(rackform.run(&["plan", "--detailed-exitcode"]).seen(), @"
    exit 0
    --- stdout
    No changes. The cloud matches the configuration. (2 objects compared with 2 requests)
    ");
    assert_snapshot!(rackform.run(&["state", "list"]).seen(), @"
    exit 0
    --- stdout
    cluster.a
    zone.hall_1
    ");
    assert_snapshot!(rackform.run(&["state", "list", "zone.*"]).seen(), @"
    exit 0
    --- stdout
    zone.hall_1
    ");
    assert_snapshot!(rackform.run(&["state", "show", "zone.hall_1"]).seen(), @r#"
    exit 0
    --- stdout
    # zone.hall_1
    id   = "ID"
    name = "east"

    type           = "zone"
    provider       = "zstack"
    schema_version = 1
    incarnation    = 0
    "#);
    let shown = rackform.run(&["state", "show", "zone.hall_1", "--json"]).expect(0).stdout;
    let shown: Value = serde_json::from_str(&shown).expect("JSON");
    assert_eq!(shown["type"], "zone", "{shown}");
}

#[test]
fn the_built_in_server_serves_until_it_is_told_to_end() {
    let rackform = Rackform::new();
    let mut child = rackform.spawn(&["emulate", "--listen", "127.0.0.1:0"]);
    let mut url = String::new();
    BufReader::new(child.stdout.as_mut().expect("piped")).read_line(&mut url).expect("a line");
    let second = rackform.run(&["emulate", "--listen", url.trim().trim_start_matches("http://")]);
    second.expect(1).says(&["cannot listen on 127.0.0.1:", "--listen"]);
    rackform.write("bad.json", "{\"zones\": \"none\"}");
    let seeded = rackform.run(&["emulate", "--listen", "127.0.0.1:0", "--seed", "bad.json"]);
    let seeded = seeded.expect(1).says(&["bad_seed", "'zones' is a list"]);
    assert!(!seeded.stderr.contains("--listen"), "{}", seeded.stderr);
    let status =
        Command::new("kill").args(["-INT", &child.id().to_string()]).stdin(Stdio::null()).status();
    assert!(status.expect("`kill` runs").success());
    assert_eq!(child.wait().expect("it ends").code(), Some(0));
}

#[test]
fn the_built_in_server_is_seeded_from_a_file_of_the_directory() {
    let provider = |endpoint: &str, seed: &str| {
        format!("[provider.zstack]\nendpoint = \"{endpoint}\"\nseed = {seed}\n\n[zone.east]\n")
    };
    let rackform = Rackform::with(&provider("emulator", "\"devices.toml\""));
    rackform.run(&["plan"]).expect(1).says(&["bad_seed", "devices.toml cannot be read"]);
    rackform.write("devices.toml", "[[luns]]\nserver = \"10.0.0.201\"\nwwid = \"36b083fe0\"\n");
    rackform.run(&["apply", "--auto-approve"]).expect(0);
    rackform.run(&["plan", "--detailed-exitcode"]).expect(0);
    let log = rackform.read(".rackform/emulator.jsonl");
    assert!(log.contains("36b083fe0"), "the LUN is not known");
    rackform.write("devices.toml", "[[lun]]\n");
    rackform.run(&["plan"]).expect(1).says(&["a seed has no 'lun'"]);
    for (endpoint, seed, complaint) in [
        ("http://127.0.0.1:1", "\"devices.toml\"", "goes only with endpoint = \"emulator\""),
        ("emulator", "1", "`seed` must be a string"),
    ] {
        let rackform = Rackform::with(&provider(endpoint, seed));
        rackform.run(&["plan"]).expect(1).says(&["bad_seed", complaint]);
    }
}

#[test]
fn a_trace_in_a_pipe_has_no_colours() {
    let rackform = Rackform::with(CONFIG);
    let plain = rackform.run(&["plan", "-v"]).expect(0).says(&["DEBUG"]);
    assert!(!plain.stderr.contains('\u{1b}'), "{}", plain.stderr);
    let coloured = rackform.run(&["plan", "-v", "--color", "always"]).expect(0);
    assert!(coloured.stderr.contains('\u{1b}'), "{}", coloured.stderr);
}
