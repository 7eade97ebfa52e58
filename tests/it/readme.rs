//! The README is true: its commands run and say what it shows, its configurations are valid, its
//! flags and links exist.
//!
//! In it, ```` ```console ```` blocks are run in order, in one shell, over a copy of `examples/`;
//! `...` stands for any lines, and ids, durations and numbers of requests may differ. Commands in
//! ```` ```sh ```` blocks are only looked up.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::json;

use crate::common::cloud::Cloud;
use crate::common::process::Rackform;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn readme() -> String {
    fs::read_to_string(root().join("README.md")).expect("README.md")
}

/// The fenced blocks of a language, without their indentation.
pub fn blocks(language: &str) -> Vec<String> {
    let text = readme();
    let mut found = Vec::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        let Some(rest) = line.trim_start().strip_prefix("```") else { continue };
        let indent = line.len() - line.trim_start().len();
        let inside: Vec<&str> = lines
            .by_ref()
            .take_while(|l| l.trim() != "```")
            .map(|l| &l[indent.min(l.len())..])
            .collect();
        if rest == language {
            found.push(inside.join("\n") + "\n");
        }
    }
    assert!(!found.is_empty(), "the README has no {language} block");
    found
}

/// What differs from run to run, made equal: ids, durations, the requests of an apply.
fn normal(line: &str) -> String {
    let hex = |c: char| c.is_ascii_hexdigit();
    let mut out = String::new();
    let mut rest = line.trim_end();
    while let Some(start) = rest.find(hex) {
        let run = rest[start..].find(|c| !hex(c)).unwrap_or(rest.len() - start);
        out.push_str(&rest[..start]);
        out.push_str(if run == 32 { "ID" } else { &rest[start..start + run] });
        rest = &rest[start + run..];
    }
    out.push_str(rest);
    let seconds = |word: &str| {
        word.strip_suffix('s')
            .or_else(|| word.strip_suffix("s."))
            .is_some_and(|n| n.parse::<f64>().is_ok())
    };
    let words: Vec<&str> = out.split(' ').collect();
    let counted = line.starts_with("Apply complete");
    let same = |(at, word): (usize, &&str)| match *word {
        word if seconds(word) => "TIME".to_owned(),
        _ if counted && words.get(at + 1) == Some(&"requests).") => "(N".to_owned(),
        word => word.to_owned(),
    };
    words.iter().enumerate().map(same).collect::<Vec<_>>().join(" ")
}

/// Whether lines are as expected, where `...` stands for any number of lines.
fn fits(expected: &[String], found: &[String]) -> bool {
    match expected.split_first() {
        None => found.is_empty(),
        Some((first, rest)) if first == "..." => {
            (0..=found.len()).any(|skipped| fits(rest, &found[skipped..]))
        }
        Some((first, rest)) => found.first() == Some(first) && fits(rest, &found[1..]),
    }
}

fn normal_lines(text: &str) -> Vec<String> {
    text.lines().map(normal).collect()
}

#[test]
fn what_the_tour_shows_is_what_it_says() {
    let mut commands: Vec<(String, String)> = Vec::new();
    for line in blocks("console").concat().lines() {
        if let Some(command) = line.strip_prefix("$ ") {
            commands.push((command.to_owned(), String::new()));
        } else {
            let (_, output) = commands.last_mut().expect("a block starts with a command");
            output.push_str(line);
            output.push('\n');
        }
    }
    let mark = "@@@@";
    let script: String =
        commands.iter().map(|(command, _)| format!("{command}\necho '{mark}'\n")).collect();
    let place = tempfile::tempdir().expect("a directory");
    copy_configurations(&root().join("examples"), &place.path().join("examples"));
    let binary = Path::new(env!("CARGO_BIN_EXE_rackform"));
    let path = std::env::join_paths(
        std::iter::once(binary.parent().expect("a directory").to_owned())
            .chain(std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default())),
    );
    let output = Command::new("bash")
        .arg("-c")
        .arg(format!("exec 2>&1\n{script}"))
        .env_clear()
        .env("PATH", path.expect("a PATH"))
        .current_dir(place.path())
        .output()
        .expect("bash runs");
    let output = String::from_utf8(output.stdout).expect("UTF-8");
    let outputs: Vec<&str> = output.split(&format!("{mark}\n")).collect();
    assert_eq!(outputs.len(), commands.len() + 1, "{output}");
    for ((command, expected), found) in commands.iter().zip(outputs) {
        assert!(
            fits(&normal_lines(expected), &normal_lines(found)),
            "$ {command}\n--- the README shows\n{expected}--- it says\n{found}"
        );
    }
}

fn copy_configurations(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a directory");
    for entry in fs::read_dir(from).expect("a directory") {
        let path = entry.expect("an entry").path();
        let target = to.join(path.file_name().expect("a name"));
        if path.is_dir() && !path.ends_with(".rackform") {
            copy_configurations(&path, &target);
        } else if [".rack.toml", ".csv"].iter().any(|end| path.to_string_lossy().ends_with(end)) {
            fs::copy(&path, &target).expect("a copy");
        }
    }
}

/// The first thing that a reader sees: a plan with a delete that takes machines with it, and the
/// refusal to apply it.
#[test]
fn the_first_screen_is_real() {
    let cloud = Cloud::start();
    let quickstart =
        fs::read_to_string(root().join("examples/quickstart/main.rack.toml")).expect("quickstart");
    let config = quickstart.replace("endpoint = \"emulator\"", &endpoint(&cloud));
    let rackform = Rackform::with(&config);
    rackform.run(&["apply", "--auto-approve"]).expect(0);
    let host = cloud.one("/hosts?q=name=c2")["uuid"].clone();
    let vms: Vec<_> =
        (1..=3).map(|n| json!({ "name": format!("web-{n}"), "hostUuid": host })).collect();
    cloud.control(reqwest::Method::POST, "seed", Some(json!({ "vms": vms })));

    let (before, after) = config.split_once("[host.c2]").expect("host.c2");
    let (_, after) = after.split_once("\n\n").expect("a block ends with an empty line");
    rackform.write("main.rack.toml", &format!("{before}{after}").replace("10.0.1.11", "10.0.1.21"));
    let plan = rackform.run(&["plan"]).expect(0);
    let refusal = rackform.run(&["apply", "--auto-approve"]).expect(3);

    // What the plan says in words, it says to programs too.
    for form in ["--json", "--format=json"] {
        let plan = rackform.run(&["plan", form]).expect(0).stdout;
        let said = "\"casualties\":{\"VMs stopped\":3}";
        assert!(plan.contains(said), "{form}: {plan}");
    }

    let shown = blocks("text").remove(0);
    let (shown_plan, shown_refusal) =
        shown.split_once("$ rackform apply --auto-approve\n…\n").expect("both commands");
    let shown_plan = shown_plan.strip_prefix("$ rackform plan\n").expect("the plan first");
    assert_eq!(normal_lines(shown_plan.trim_end()), normal_lines(plan.stdout.trim_end()));
    let said = refusal.stderr;
    assert!(said.contains(shown_refusal.trim_end()), "--- shown\n{shown_refusal}--- said\n{said}");
}

/// Settings for a cloud, on the line where the quickstart has its endpoint.
fn endpoint(cloud: &Cloud) -> String {
    let url = cloud.url();
    format!("endpoint = '{url}'\naccount = 'admin'\npassword = 'password'")
}

#[test]
fn every_configuration_is_valid() {
    // What a fragment leaves out is added, table by table.
    let usual = [
        "[provider.zstack]\nendpoint = \"emulator\"\n",
        "[zone.east]\n",
        "[cluster.compute]\nzone = \"zone.east\"\nhypervisor_type = \"KVM\"\n",
        "[host.c1]\ncluster = \"cluster.compute\"\nmanagement_ip = \"10.0.1.11\"\nusername = \"root\"\n\
         password = '${env(\"SSH_PASSWORD\")}'\n",
    ];
    for block in blocks("toml") {
        let rackform = Rackform::with(&block);
        // What blocks read and call is that of the examples.
        for name in ["hosts.csv", "modules/rack/main.rack.toml"] {
            let path = root().join("examples/hall-from-csv").join(name);
            rackform.write(name, &fs::read_to_string(path).expect("an example"));
        }
        let header = |table: &str| table.lines().next().unwrap_or_default().to_owned();
        let missing = usual.iter().filter(|table| !block.contains(&header(table)));
        rackform.write("rest.rack.toml", &missing.copied().collect::<String>());
        let outcome = rackform.run(&["validate"]).expect(0);
        assert_eq!(outcome.stderr, "", "{block}");
    }
}

/// What `rackform … --help` says.
fn help(command: &[&str]) -> String {
    let arguments: Vec<&str> = command.iter().copied().chain(["--help"]).collect();
    let outcome = Rackform::new().run(&arguments);
    assert_eq!(outcome.code, Some(0), "rackform {}: {}", command.join(" "), outcome.stderr);
    outcome.stdout
}

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

#[test]
fn every_command_exists_and_is_mentioned() {
    let mut seen = BTreeSet::new();
    let typed: String = blocks("console").concat();
    let typed = typed.lines().filter(|line| line.starts_with("$ "));
    let scripts = [blocks("sh"), blocks("yaml")].concat().concat();
    for line in scripts.lines().chain(typed) {
        // After the prompt of a console, or the dash of a list.
        let command = line.trim_start_matches([' ', '$', '-']);
        let Some(command) = command.strip_prefix("rackform ") else { continue };
        let command = command.split(['#', ';', '>']).next().unwrap_or_default();
        let mut words = command.split_whitespace();
        let Some(name) = words.next() else { continue };
        let words: Vec<&str> = words.collect();
        let path: Vec<&str> = match name {
            "state" => vec![name, words[0]],
            name => vec![name],
        };
        let help = help(&path);
        for flag in words.iter().filter(|w| w.starts_with("--")) {
            let flag = flag.split('=').next().unwrap_or_default();
            assert!(help.contains(flag), "{line}: no {flag} in\n{help}");
        }
        seen.insert(name.to_owned());
    }
    assert_eq!(seen, COMMANDS.map(str::to_owned).into(), "commands in the README");
    let top = help(&[]);
    for name in COMMANDS {
        assert!(top.contains(&format!("\n  {name} ")), "{name} in\n{top}");
    }
}

#[test]
fn every_flag_exists() {
    let known: String =
        COMMANDS.iter().map(|name| help(&[name])).collect::<String>() + &help(&["state", "rm"]);
    // Cargo's, and what the last section says is missing.
    let others = ["--release", "--path", "--target"];
    let text = readme();
    let flags = text.match_indices("--").filter_map(|(at, _)| {
        let rest = &text[at..];
        let end = rest[2..].find(|c: char| !(c.is_ascii_lowercase() || c == '-'));
        let flag = &rest[..2 + end.unwrap_or(rest.len() - 2)];
        let starts = !text[..at].ends_with(['-', '|']);
        (starts && flag.len() > 3 && !flag.starts_with("---")).then_some(flag)
    });
    for flag in flags {
        assert!(known.contains(flag) || others.contains(&flag), "{flag} is no flag");
    }
}

#[test]
fn every_link_leads_somewhere() {
    let text = readme();
    let targets = text.split("](").skip(1).filter_map(|rest| rest.split(')').next());
    let (headings, elsewhere): (Vec<&str>, Vec<&str>) =
        targets.filter(|t| !t.contains("://")).partition(|t| t.starts_with('#'));
    for heading in headings {
        let words = heading.trim_start_matches('#').replace('-', " ");
        let is_it = |line: &str| line.trim_start_matches('#').trim().to_lowercase() == words;
        assert!(text.lines().any(|line| line.starts_with("##") && is_it(line)), "{heading}");
    }
    let paths: Vec<PathBuf> = elsewhere.into_iter().map(|t| root().join(t)).collect();
    assert!(!paths.is_empty());
    for path in paths {
        assert!(path.exists(), "{}", path.display());
    }
}
