//! Conditions on variables, and programs that print secrets.

use insta::assert_snapshot;

use super::{PROVIDER, planned, zone};
use crate::common::process::Rackform;

const RACKS: &str = r#"[variable.racks]
type = "number"
default = 2

[[variable.racks.validation]]
condition     = '${var.racks > 0 && var.racks <= var.most}'
error_message = 'There are 1 to ${var.most} racks, not ${var.racks}.'

[variable.most]
default = 4
"#;

#[test]
fn a_condition_that_is_not_true_says_where_the_value_came_from() {
    let rackform = zone(RACKS, "\"${var.racks} racks\"");
    assert_eq!(planned(&rackform, &["--var", "most=2"]), "2 racks");
    assert_snapshot!(rackform.run(&["validate", "--var", "racks=5"]).seen(), @r#"
    exit 1
    --- stderr
    invalid_variable

      × There are 1 to 4 racks, not 5
      ╰─▶ The value of var.racks comes from --var.
       ╭─[main.rack.toml:8:17]
     7 │ [[variable.racks.validation]]
     8 │ condition     = '${var.racks > 0 && var.racks <= var.most}'
       ·                 ─────────────────────┬─────────────────────
       ·                                      ╰── var.racks does not fulfil this
     9 │ error_message = 'There are 1 to ${var.most} racks, not ${var.racks}.'
       ╰────
      ☞ the value
       ╭─[--var racks:1:1]
     1 │ 5
       · ─
       ╰────

    1 error
    "#);
    rackform.write("rackform.vars.toml", "racks = 0\n");
    let outcome = rackform.run(&["plan"]).expect(1);
    outcome.says(&["There are 1 to 4 racks, not 0", "comes from rackform.vars.toml:1"]);
    let outcome = rackform.run(&["plan", "--var", "racks=2", "--var", "most=1"]).expect(1);
    outcome.says(&["There are 1 to 1 racks, not 2", "comes from --var"]);
}

#[test]
fn a_condition_on_a_secret_does_not_show_it() {
    let declared = "[variable.key]\nsensitive = true\ntype = \"string\"\n\
        validation = [{ condition = '${var.key == \"right\"}', error_message = 'bad: ${var.key}' }]\n";
    let rackform = zone(declared, "var.key").env("RACKFORM_VAR_key", "hunter2");
    for flags in [&["plan"][..], &["plan", "--json"], &["validate"]] {
        let outcome = rackform.run(flags).expect(1);
        assert!(!outcome.seen().contains("hunter2"), "{}", outcome.seen());
        outcome.says(&["the value of var.key is not valid", "comes from RACKFORM_VAR_key"]);
    }
}

#[test]
fn mistakes_in_validations() {
    let declared = "[variable.a]\ndefault = 1\nvalidation = 3\n\
        [variable.b]\ndefault = 1\nvalidation = [{ condition = true }]\n\
        [variable.c]\ndefault = 1\nvalidation = { condition = '${var.c}', error_message = 'x', x = 1 }\n\
        [variable.d]\ndefault = 1\nvalidation = { condition = '${var.nope}', error_message = 'x' }\n";
    let outcome = zone(declared, "var.a").run(&["validate"]).expect(1);
    outcome.says(&[
        "a validation must be a table",
        "a validation needs `condition` and `error_message`",
        "a validation has no attribute `x`",
        "a condition must be true or false",
        "there is no variable `nope`",
    ]);
}

#[test]
fn a_module_judges_its_arguments() {
    let rackform = Rackform::with(&format!(
        "{PROVIDER}[module.hall]\nfor_each = ['a', 'b']\nsource = './hall'\n\
         racks = '${{each.key == \"a\" ? 1 : 9}}'\nnames = ['x', ['y']]\n"
    ));
    rackform
        .write("hall/main.rack.toml", &format!("{RACKS}[variable.names]\ntype = 'list(string)'\n"));
    let outcome = rackform.run(&["validate"]).expect(1);
    outcome.says(&[
        "There are 1 to 4 racks, not 9",
        "comes from main.rack.toml:6",
        "names[1] must be text",
        "[main.rack.toml:7:15]",
        "asked for here",
    ]);
}

const KEY: &str = "[variable.key]\nsensitive = true\n";

/// A zone with a password in a description: it is a secret there, too.
fn keyed(command: &str) -> Rackform {
    zone(&format!("{KEY}command = {command}\n"), "\"${var.key}!\"")
}

#[test]
fn a_program_prints_a_secret_when_it_is_needed() {
    let rackform = keyed(r#"["sh", "-c", "echo x >> ran; echo hunter2"]"#);
    let rackform = rackform.env("PATH", "/usr/bin:/bin");
    rackform.run(&["validate"]).expect(0);
    assert!(!rackform.path("ran").exists(), "validate runs nothing");
    let outcome = rackform.run(&["plan"]).expect(0);
    assert!(!outcome.seen().contains("hunter2"), "{}", outcome.seen());
    assert_eq!(rackform.read("ran"), "x\n", "once, in the directory of the configuration");
    rackform.run(&["plan", "--var", "key=other"]).expect(0);
    rackform.write("main.rack.toml", &rackform.read("main.rack.toml").replace("var.key", "1"));
    rackform.run(&["plan"]).expect(0);
    assert_eq!(rackform.read("ran"), "x\n", "not when another value is given, nor unused");
}

#[test]
fn no_program_is_run_for_a_configuration_that_is_wrong() {
    let rackform = keyed(r#"["sh", "-c", "echo x >> ran; echo hunter2"]"#);
    let rackform = rackform.env("PATH", "/usr/bin:/bin");
    rackform.write("wrong.rack.toml", "[zone.west]\ncolour = 1\n");
    rackform.run(&["plan"]).expect(1).says(&["no attribute `colour`"]);
    assert!(!rackform.path("ran").exists());
}

#[test]
fn a_literal_secret_for_a_module_is_a_warning_that_does_not_show_it() {
    let module = |key: &str| {
        format!(
            "[provider.zstack]\nendpoint = 'https://example.com'\n[module.hall]\nsource = './hall'\nkey = {key}\n"
        )
    };
    let rackform = Rackform::with(&module("'hunter2'"));
    rackform.write("hall/main.rack.toml", &format!("{KEY}type = 'string'\n"));
    let outcome = rackform.run(&["validate"]).expect(0);
    assert!(!outcome.seen().contains("hunter2"), "{}", outcome.seen());
    outcome.says(&["`key` is a secret written into a file"]);
    rackform.write("main.rack.toml", &module("['hunter2']"));
    let outcome = rackform.run(&["validate"]).expect(1);
    assert!(!outcome.seen().contains("hunter2"), "{}", outcome.seen());
    outcome.says(&["key must be text"]);
    rackform.write("main.rack.toml", &module("'${env(\"NOT_SET\")}'"));
    let outcome = rackform.run(&["plan"]).expect(1);
    outcome.says(&["the environment variable NOT_SET is not set", "export NOT_SET=…"]);
}

#[test]
fn a_program_that_fails_says_why_and_not_what_it_printed() {
    let rackform = keyed(r#"["sh", "-c", "echo hunter2; echo locked >&2; exit 3"]"#);
    let rackform = rackform.env("PATH", "/usr/bin:/bin");
    assert_snapshot!(rackform.run(&["plan"]).seen(), @r#"
    exit 1
    --- stderr
    command_failed

      × the program for `key` failed: exit status: 3: locked
       ╭─[main.rack.toml:5:11]
     4 │ sensitive = true
     5 │ command = ["sh", "-c", "echo hunter2; echo locked >&2; exit 3"]
       ·           ──────────────────────────┬──────────────────────────
       ·                                     ╰── this program
     6 │
       ╰────
      help: run sh by hand in the directory of the configuration, or set
            RACKFORM_VAR_key

    1 error
    "#);
    let rackform = keyed(r#"["./get", "key"]"#);
    rackform.run(&["plan"]).expect(1).says(&["it cannot be run: No such file"]);
}

#[test]
fn mistakes_in_commands() {
    for (table, said) in [
        ("command = ['x']", "only a sensitive variable can come from a program"),
        ("sensitive = true\ncommand = 'x'", "must be a list of texts"),
        ("sensitive = true\ncommand = []", "must be a list of texts"),
        ("sensitive = true\ncommand = ['x', 1]", "this is no text"),
        ("sensitive = true\ncommand = ['x', '${var.other}']", "a secret cannot be an argument"),
        ("sensitive = true\ncommand = ['x']\ndefault = '1'", "a default or a command, not both"),
    ] {
        let other = "[variable.other]\nsensitive = true\ndefault = 'hunter2'\n";
        let rackform = zone(&format!("{other}[variable.key]\n{table}\n"), "1");
        for command in ["plan", "validate"] {
            let outcome = rackform.run(&[command]).expect(1).says(&[said]);
            assert!(!outcome.seen().contains("hunter2"), "{}", outcome.seen());
        }
    }
}
