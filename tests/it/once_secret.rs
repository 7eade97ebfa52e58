//! What was computed from a secret stays one until something else is there; what is no file, what
//! grows without end and what contradicts itself is refused.

use std::process::Command;

use super::common::process::Rackform;

const PROVIDER: &str = "[provider.zstack]\nendpoint = \"emulator\"\n";
const SECRET: &str = "[variable.s]\ntype = \"string\"\nsensitive = true\n";

fn with(text: &str) -> Rackform {
    Rackform::with(&format!("{PROVIDER}{text}")).env("RACKFORM_VAR_s", "canary-7")
}

#[test]
fn an_attribute_that_was_secret_is_not_shown_when_it_becomes_plain() {
    let rackform = with(&format!("{SECRET}[zone.z]\ndescription = '${{var.s}}'\n"));
    rackform.run(&["apply", "--auto-approve"]).expect(0);
    rackform.run(&["plan", "--detailed-exitcode"]).expect(0);
    let state = rackform.run(&["state", "show", "zone.z"]).expect(0).stdout;
    assert!(state.contains("(sensitive)"), "{state}");
    let plain = format!("{PROVIDER}{SECRET}[zone.z]\ndescription = 'plain'\n");
    rackform.write("main.rack.toml", &plain);
    for args in [&["plan"][..], &["plan", "--format", "json"], &["apply", "--auto-approve"]] {
        let shown = rackform.run(args).expect(0);
        let shown = format!("{}{}", shown.stdout, shown.stderr);
        assert!(!shown.contains("canary"), "{args:?}: {shown}");
    }
    assert!(!rackform.read("rackform.state.json").contains("canary"));
    rackform.run(&["plan", "--detailed-exitcode"]).expect(0);
}

#[test]
fn that_an_expression_on_a_secret_fails_is_secret() {
    let rackform = with(SECRET);
    for text in [
        "try(regex(\"^ZZ\", var.s), \"fallback\")",
        "can(regex(\"^ZZ\", var.s))",
        "can(regex(\"^c\", var.s))",
    ] {
        let shown = rackform.run_with_input(&["console"], &format!("{text}\n")).expect(0).stdout;
        assert_eq!(shown.trim(), "(sensitive value)", "{text}");
    }
    let count = "[zone.z]\ncount = '${can(regex(\"^ZZ\", var.s)) ? 0 : 1}'\n";
    let refused = with(&format!("{SECRET}{count}")).run(&["plan"]).expect(1).stderr;
    assert!(refused.contains("a secret cannot say which instances there are"), "{refused}");
}

#[test]
fn a_value_that_doubles_with_each_name_is_refused() {
    let mut text = "[locals]\na0 = [\"lol\", \"lol\"]\n".to_owned();
    for n in 1..60 {
        text.push_str(&format!("a{n} = '${{[local.a{0}, local.a{0}]}}'\n", n - 1));
    }
    let refused = with(&text).run(&["validate"]).expect(1).stderr;
    assert!(refused.contains("nested too deeply, or too large"), "{refused}");
}

#[test]
fn what_is_no_regular_file_is_not_read() {
    let rackform = with("[locals]\na = '${fileexists(\"pipe\")}'\nb = '${file(\"pipe\")}'\n");
    let pipe = rackform.path("pipe");
    assert!(Command::new("mkfifo").arg(&pipe).status().expect("mkfifo").success());
    let refused = rackform.run(&["validate"]).expect(1).stderr;
    assert!(refused.contains("it is no regular file"), "{refused}");
    let other = with("");
    std::os::unix::fs::symlink("/dev/zero", other.path("x.rack.toml")).expect("a link");
    let refused = other.run(&["validate"]).expect(1).stderr;
    assert!(refused.contains("it is no regular file"), "{refused}");
}

#[test]
fn templates_do_not_read_templates() {
    let rackform = with("[zone.z]\ndescription = '${templatefile(\"t\", {})}'\n");
    rackform.write("t", "${templatefile(\"t\", {})}");
    let refused = rackform.run(&["validate"]).expect(1).stderr;
    assert!(refused.contains("a template cannot read another"), "{refused}");
}

#[test]
fn what_is_removed_twice_or_secret_where_it_is_kept_is_refused() {
    let twice = "[[removed]]\nfrom = \"zone.y\"\ndestroy = false\n[[removed]]\nfrom = \"zone.y\"\n";
    let refused = with(twice).run(&["plan"]).expect(1).stderr;
    assert!(refused.contains("`zone.y` is removed twice"), "{refused}");
    let secret = format!("{SECRET}[provider.b]\ntype = \"zstack\"\nendpoint = '${{var.s}}'\n");
    let refused = with(&secret).run(&["plan"]).expect(1).stderr;
    assert!(refused.contains("`endpoint` cannot be a secret"), "{refused}");
    assert!(!refused.contains("canary"), "{refused}");
}
