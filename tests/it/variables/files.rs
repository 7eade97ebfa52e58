//! Files of values, flags and the environment: which one wins, and what is wrong with them.

use super::{PROVIDER, planned, zone};
use crate::common::process::Rackform;

const HALL: &str = "[variable.hall]\ntype = 'string'\ndefault = 'default'\n";

#[test]
fn what_is_closer_to_the_command_line_wins() {
    let rackform = zone(HALL, "var.hall");
    assert_eq!(planned(&rackform, &[]), "default");
    let rackform = rackform.env("RACKFORM_VAR_hall", "environment");
    assert_eq!(planned(&rackform, &[]), "environment");
    rackform.write("rackform.vars.toml", "hall = 'first'\n");
    assert_eq!(planned(&rackform, &[]), "first");
    rackform.write("rackform.vars.json", r#"{"hall": "second"}"#);
    assert_eq!(planned(&rackform, &[]), "second");
    rackform.write("b.auto.vars.toml", "hall = 'b'\n");
    assert_eq!(planned(&rackform, &[]), "b");
    rackform.write("a.auto.vars.json", r#"{"hall": "a"}"#);
    assert_eq!(planned(&rackform, &[]), "b");
    rackform.write("c.auto.vars.json", r#"{"hall": "c"}"#);
    assert_eq!(planned(&rackform, &[]), "c");
    rackform.write("named.toml", "hall = 'named'\n");
    let (file, flag) = (["--var-file", "named.toml"], ["--var", "hall=flag"]);
    assert_eq!(planned(&rackform, &file), "named");
    assert_eq!(planned(&rackform, &flag), "flag");
    assert_eq!(planned(&rackform, &[file, flag].concat()), "flag");
    assert_eq!(planned(&rackform, &[flag, file].concat()), "named");
    assert_eq!(planned(&rackform, &["--var", "hall=1", "--var", "hall=a=b"]), "a=b");
}

#[test]
fn values_of_files_are_no_templates() {
    let rackform = zone(HALL, "var.hall");
    rackform.write("rackform.vars.toml", "hall = '${env(\"HOME\")} %{ if }'\n");
    assert_eq!(planned(&rackform, &[]), "${env(\\\"HOME\\\")} %{ if }");
}

#[test]
fn undeclared_names() {
    let rackform = zone(HALL, "var.hall").env("RACKFORM_VAR_other", "x");
    rackform.write("rackform.vars.toml", "hal = 'x'\nhall = 'y'\n");
    let outcome = rackform.run(&["validate"]).expect(0);
    let outcome = outcome.says(&["sets `hal`, which is not declared", "did you mean `hall`?"]);
    assert!(!outcome.flat().contains("other"));
    let outcome = rackform.run(&["plan", "--var", "wat=hunter2"]).expect(1);
    let outcome = outcome.says(&["--var sets `wat`", "declare it: [variable.wat]"]);
    assert!(!outcome.flat().contains("hunter2"));
}

#[test]
fn files_that_cannot_be_read() {
    let rackform = zone(HALL, "var.hall");
    std::fs::create_dir(rackform.path("dir.auto.vars.toml")).expect("a directory");
    let outcome = rackform.run(&["validate", "--var-file", "gone.toml"]).expect(1);
    outcome.says(&[
        "cannot read `dir.auto.vars.toml`: Is a directory",
        "cannot read `gone.toml`: No such file",
        "as seen from the directory of the configuration",
        "2 errors",
    ]);
    std::fs::remove_dir(rackform.path("dir.auto.vars.toml")).expect("removed");
    std::fs::write(rackform.path("x.toml"), b"hall = '\xff'\n").expect("written");
    let outcome = rackform.run(&["validate", "--var-file", "x.toml"]).expect(1);
    outcome.says(&["x.toml is not valid UTF-8", "[x.toml:1:9]"]);
    rackform.write("deep.json", &format!("{{\"hall\": {}}}", "[".repeat(100_000)));
    rackform.run(&["validate", "--var-file", "deep.json"]).expect(1).says(&["not valid JSON"]);
    let nested = format!("{{\"hall\": {}{}}}", "[".repeat(100_000), "]".repeat(100_000));
    rackform.write("deep.json", &nested);
    rackform.run(&["validate", "--var-file", "deep.json"]).expect(1).says(&["64 levels deep"]);
    rackform.write("deep.toml", &format!("hall = {}\n", "[".repeat(100_000)));
    rackform.run(&["validate", "--var-file", "deep.toml"]).expect(1).says(&["not valid TOML"]);
    // Sparse, so that it costs nothing.
    let large = std::fs::File::create(rackform.path("large.toml")).expect("a file");
    large.set_len(65 << 20).expect("a length");
    let outcome = rackform.run(&["validate", "--var-file", "large.toml"]).expect(1);
    outcome.says(&["large.toml is too large", "64 MiB"]);
}

#[test]
fn deep_nesting_in_flags_types_and_the_environment_is_a_finding() {
    let deep = "[".repeat(60_000);
    let rackform = zone("[variable.l]\ntype = 'list(any)'\n", "1");
    rackform.run(&["validate", "--var", &format!("l={deep}")]).expect(1).says(&["no value"]);
    let closed = format!("l={deep}{}", "]".repeat(60_000));
    rackform.run(&["validate", "--var", &closed]).expect(1).says(&["no value"]);
    let rackform = rackform.env("RACKFORM_VAR_l", &deep);
    rackform.run(&["validate"]).expect(1).says(&["RACKFORM_VAR_l gives `l` no value"]);
    let ty = format!("{}string{}", "list(".repeat(60_000), ")".repeat(60_000));
    let rackform = zone(&format!("[variable.l]\ntype = '{ty}'\n"), "1");
    rackform.run(&["validate"]).expect(1).says(&["this type cannot be read"]);
}

#[test]
fn a_file_of_fifty_megabytes_is_read() {
    let rackform = zone(HALL, "var.hall");
    let line = format!("\"{}\"", "x".repeat(1 << 20));
    let lines = vec![line; 50].join(",\n");
    rackform.write("large.json", &format!("{{\"hall\": [{lines}]}}"));
    let outcome = rackform.run(&["validate", "--var-file", "large.json"]).expect(1);
    outcome.says(&["hall must be text", "large.json:1"]);
}

#[test]
fn a_value_from_another_directory_is_named_as_it_was_given() {
    let rackform = Rackform::new();
    rackform.write("main.rack.toml", &format!("{PROVIDER}[variable.n]\ntype = 'number'\n"));
    rackform.write("shared/all.toml", "n = 'many'\n");
    let outcome = rackform.run(&["validate", "--var-file", "shared/all.toml"]).expect(1);
    outcome.says(&["n must be a number", "[shared/all.toml:1:5]", "comes from shared/all.toml:1"]);
}

#[test]
fn no_secret_of_any_input_is_shown() {
    let declared = "[variable.key]\ntype = 'map(number)'\nsensitive = true\n";
    let files: [(&str, &str); 7] = [
        ("x.toml", "key = { a = 'hunter2' }\n"),
        ("x.toml", "key = { hunter2 = 'a' }\n"),
        ("x.toml", "key = 'hunter2'\n"),
        ("x.toml", "key = 'hunter2\n"),
        ("x.toml", "key = hunter2\n"),
        ("x.json", "{\"key\": {\"a\": \"hunter2\"}}"),
        ("x.json", "{\"key\": \"hunter2}"),
    ];
    let check = |rackform: &Rackform, flags: &[&str]| {
        for json in [&["--json"][..], &[]] {
            let outcome = rackform.run(&[&["plan"], flags, json].concat()).expect(1);
            assert!(!outcome.seen().contains("hunter2"), "{}", outcome.seen());
        }
    };
    for (name, text) in files {
        let rackform = zone(declared, "var.key.a");
        rackform.write(name, text);
        check(&rackform, &["--var-file", name]);
    }
    let rackform = zone(declared, "var.key.a");
    for text in ["key=hunter2", "key={a = hunter2}", "key={\"a\": \"hunter2\"}", "key=[\"hunter2"] {
        check(&rackform, &["--var", text]);
    }
    check(&rackform, &["--var", "hunter2"]);
    check(&rackform.env("RACKFORM_VAR_key", "hunter2"), &[]);
}
