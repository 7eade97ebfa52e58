//! Mistakes in expressions and instances: each is told with its code, at the exact characters, and
//! with a way out.

use std::fmt::Write;
use std::sync::Arc;

use rackform::config::{Facts, Need, Outside, SourceFile, expand, load};
use rackform::diag::Diagnostic;

use super::PROVIDER;
use crate::common::process::Rackform;

/// The findings about a configuration; files are these, every environment variable is set.
fn findings(config: &str, files: &[(&str, &str)]) -> Vec<Diagnostic> {
    let schemas = rackform::schema::load().unwrap_or_else(|(found, _)| panic!("{found:?}"));
    let bytes = format!("{PROVIDER}{config}").into();
    let loaded = load(vec![SourceFile { name: "main.rack.toml".into(), bytes }], &schemas);
    let mut facts = Facts::default();
    let config = match loaded.config {
        Ok(config) => config,
        Err(found) => return found.into_iter().collect(),
    };
    loop {
        match expand(&config, &schemas, &facts, &loaded.sources) {
            Err(found) => return found.into_iter().collect(),
            Ok((desired, _)) if desired.needs.is_empty() => return Vec::new(),
            Ok((desired, _)) => {
                for need in desired.needs {
                    match need {
                        Need::Env(name) => drop(facts.env.insert(name, Some("env".into()))),
                        Need::File(ref path) => {
                            let text = files.iter().find(|(name, _)| name == path);
                            let text = text.map_or(Outside::Nothing, |(_, text)| {
                                Outside::Text(Arc::from(*text))
                            });
                            facts.files.insert(need, text);
                        }
                        other => panic!("{other:?}"),
                    }
                }
            }
        }
    }
}

/// Asserts that this is all that is found: code, the characters pointed at, and a part of what is
/// said.
#[track_caller]
fn found(config: &str, code: &str, at: &str, said: &str) {
    let all = findings(config, &[]);
    let text = format!("{PROVIDER}{config}");
    let shown: Vec<(&str, &str)> = all
        .iter()
        .map(|d| {
            let span = d.labels.first().expect("a place").span;
            (d.code, &text[span.start as usize..span.end as usize])
        })
        .collect();
    assert_eq!(shown, [(code, at)], "{config}{all:#?}");
    let words = format!("{:?} {:?} {:?}", all[0].summary, all[0].labels, all[0].help);
    assert!(words.replace("\\\"", "\"").contains(said), "{said}: {words}");
}

#[test]
fn expressions_that_have_no_value() {
    for (expression, code, at, said) in [
        ("lenght([])", "unknown_function", "lenght", "did you mean `length`?"),
        ("length()", "bad_argument", "length", "takes 1 argument, not 0"),
        ("length(1)", "bad_argument", "1", "this is an integer"),
        ("var.rakcs", "unknown_variable", "var.rakcs", "did you mean `var.racks`?"),
        ("local.x", "unknown_local", "local.x", "[locals]"),
        ("zone.eats", "missing_object", "zone.eats", "did you mean `zone.east`?"),
        ("data.zone.d", "missing_data", "data.zone.d", "declare it: [data.zone.d]"),
        ("module.m.o", "missing_module", "module.m.o", "declare it: [module.m]"),
        ("east", "unknown_name", "east", "text stands in quotes"),
        ("terraform.workspace", "unknown_name", "terraform.workspace", "no workspaces"),
        ("1 / 0", "bad_operand", "1 / 0", "division by zero"),
        ("1 % 0", "bad_operand", "1 % 0", "division by zero"),
        ("1.5 / 0", "bad_operand", "1.5 / 0", "division by zero"),
        ("9223372036854775807 + 1", "bad_operand", "9223372036854775807 + 1", "too large"),
        ("\"a\" + 1", "bad_operand", "\"a\"", "this is a string"),
        ("1 && true", "bad_operand", "1", "this is an integer"),
        ("null + 1", "bad_operand", "null", "this is null"),
        ("var.racks[5]", "unknown_key", "[5]", "no element 5 in a list of 2"),
        ("var.racks[-1]", "unknown_key", "[-1]", "no element -1 in a list of 2"),
        ("var.racks.a", "unknown_key", ".a", "a list has no `.a`"),
        ("{ abc = 1 }.abd", "unknown_key", ".abd", "did you mean `abc`?"),
        ("[for x in 1 : x]", "wrong_kind", "1", "this is an integer"),
        ("{ for x in [1, 1] : x => x }", "duplicate_key", "x", "two elements have the key"),
        ("zone.east.nmae", "unknown_attribute", ".nmae", "did you mean `name`?"),
        ("1 +", "bad_expression", "}", "cannot be read"),
        ("file(\"nope\")", "unreadable", "file(\"nope\")", "there is no such file"),
        ("jsondecode(\"{\")", "bad_argument", "\"{\"", "JSON"),
        ("each.key", "not_here", "each.key", "for_each"),
        ("count.index", "not_here", "count.index", "count"),
        ("self.name", "not_here", "self", "postcondition"),
        ("zone.east.id == \"\"", "not_yet_known", "zone.east.id", "known only after apply"),
    ] {
        let config = format!(
            "[variable.racks]\ndefault = [\"a\", \"b\"]\n[zone.east]\n[zone.z]\n\
             name = '${{{expression}}}'\n"
        );
        found(&config, code, at, said);
    }
}

/// The place is found again through escapes, lines and line ends.
#[test]
fn places_in_strings_of_every_kind() {
    for written in [
        r#""${\"\u00e9\" != \"\\n\" ? var.wrong : 1}""#,
        r#""\U0001F600\t\"${var.wrong}""#,
        "\"\"\"\n  a\n  ${var.wrong}\n\"\"\"",
        "\"\"\"\\\n   ${ \\\n  var.wrong}\"\"\"",
        "\"\"\"\r\n  a\r\n  é ${\r\n var.wrong\r\n}\r\n\"\"\"",
        "'''\r\n  ${\r\n var.wrong }'''",
        "'''\n\n${upper(\n  var.wrong\n)}'''",
        "'é😀 %{ if var.wrong }x%{ endif }'",
        "'%{ for x in [1] }${x}${var.wrong}%{ endfor }'",
        "'${\"a ${\"b ${var.wrong}\"}\"}'",
    ] {
        found(&format!("[zone.z]\nname = {written}\n"), "unknown_variable", "var.wrong", "declare");
    }
}

#[test]
fn types_are_asked_for_somewhere() {
    let config = "[variable.n]\ntype = \"number\"\ndefault = \"x\"\n";
    let all = findings(config, &[]);
    let text = format!("{PROVIDER}{config}");
    let at: Vec<&str> =
        all[0].labels.iter().map(|l| &text[l.span.start as usize..l.span.end as usize]).collect();
    assert_eq!(at, ["\"x\"", "number"], "{all:#?}");
}

#[test]
fn a_table_in_a_file_names_file_and_row() {
    let files = [("hosts.csv", "name,ip\na,10.0.0.1\nb\n"), ("x.json", "{"), ("x.yaml", "a: [")];
    let of = |expression: &str| {
        let all = findings(&format!("[locals]\na = '${{{expression}}}'\n"), &files);
        assert_eq!(all.len(), 1, "{all:#?}");
        all[0].labels[0].text.clone()
    };
    let row = "hosts.csv: row 3 of the CSV has 1 field, its header 2";
    assert_eq!(of("csvdecode(file(\"hosts.csv\"))"), row);
    assert_eq!(of("[for x in [file(\"hosts.csv\")] : csvdecode(x)]"), row);
    assert!(of("jsondecode(file(\"x.json\"))").starts_with("x.json: "));
    assert!(of("yamldecode(file(\"x.yaml\"))").starts_with("x.yaml: "));
    assert!(!of("csvdecode(\"a,b\\n1\")").contains("hosts"));

    let local = "[locals]\ntext = '${file(\"hosts.csv\")}'\nrows = '${csvdecode(local.text)}'\n";
    assert_eq!(findings(local, &files)[0].labels[0].text, row);
}

#[test]
fn keys_of_instances() {
    let keys = |for_each: &str| {
        let config = format!("[zone.z]\nfor_each = {for_each}\nname = \"n\"\n");
        findings(&config, &[]).iter().map(|d| d.code).collect::<Vec<_>>()
    };
    let long = "k".repeat(1000);
    for good in [
        r#"["a\"b", "a.b", "😀", "a\nb", "[x]", "a b", " ", "${a}"]"#.replace("${", "$${"),
        r#"["A", "a"]"#.to_owned(),
        // The same letter composed and decomposed: two keys.
        "[\"\\u00e9\", \"e\\u0301\"]".to_owned(),
        format!("[{long:?}]"),
    ] {
        assert_eq!(keys(&good), [""; 0], "{good}");
    }
    for (bad, code) in [
        ("[\"\"]", "bad_for_each"),
        ("[\"a\", \"a\"]", "duplicate_key"),
        ("'${[null]}'", "bad_for_each"),
        ("'${null}'", "bad_for_each"),
        ("[[\"a\"]]", "bad_for_each"),
        ("7", "bad_for_each"),
        ("\"a\"", "bad_for_each"),
    ] {
        assert_eq!(keys(bad), [code], "{bad}");
    }
}

/// Such keys stand in addresses, and come back from them.
#[test]
fn odd_keys_are_planned_and_applied() {
    let keys = r#"["a\"b", "a.b", "😀", "a\nb", "]", "\u00e9", "e\u0301", "A", "a"]"#;
    let rackform = Rackform::with(&format!("{PROVIDER}[zone.each]\nfor_each = {keys}\n"));
    rackform.run(&["apply", "--auto-approve"]).expect(0);
    let listed = rackform.run(&["state", "list"]).expect(0).stdout;
    assert_eq!(listed.lines().count(), 9, "{listed}");
    rackform.run(&["plan", "--detailed-exitcode"]).expect(0);
}

#[test]
fn a_label_may_be_called_each() {
    let config = "[zone.each]\n[zone.var]\n[zone.self]\n[cluster.each]\nzone = '${zone.each}'\n\
                  hypervisor_type = \"KVM\"\ndescription = '${zone.var.name}'\n";
    assert_eq!(findings(config, &[]), []);
}

fn instances(count: usize, name: &str) -> String {
    let keys: Vec<String> = (0..count).map(|n| format!("\"{n:05}\"")).collect();
    format!("[zone.z]\nfor_each = [{}]\nname = '{name}'\n", keys.join(", "))
}

#[test]
fn a_mistake_in_one_of_many_instances_names_it() {
    let wrong = "${each.key == \"04711\" ? 1 / 0 : each.key}";
    let all = findings(&instances(10_000, wrong), &[]);
    assert_eq!(all.len(), 1);
    assert_eq!(all[0].address.as_ref().map(|a| a.as_str()), Some("zone.z[\"04711\"]"));
}

#[test]
fn one_mistake_in_all_instances_is_one_finding() {
    let all = findings(&instances(10_000, "${each.value.x}"), &[]);
    assert_eq!(all.iter().map(|d| d.count).collect::<Vec<_>>(), [10_000]);
}

#[test]
fn ten_thousand_mistakes_are_told_in_short() {
    let config = instances(10_000, "${{ a = 1 }[each.key]}");
    let said = Rackform::with(&format!("{PROVIDER}{config}")).run(&["validate"]).expect(1).stderr;
    assert!(said.contains("... and 9,980 more; mend these first."), "{}", said.len());
    assert!(said.len() < 100_000, "{} bytes", said.len());
}

#[test]
fn secrets_stay_out_of_what_is_said() {
    let secret = "canary";
    for expression in [
        "var.s[\"x\"]",
        "var.s.x",
        "var.list[*].x",
        "[for k, v in var.s : v.x]",
        "[for k, v in var.s : file(k)]",
        "{ for k in var.list : k => 1 }.x",
        "{ for k in concat(var.list, var.list) : k => 1 }",
        "{ a = 1 }[var.list[0]]",
        "zone.z[var.list[0]]",
        "tonumber(var.list[0])",
        "var.list[0] + 1",
        "var.list[0] ? 1 : 2",
        "jsondecode(var.list[0])",
        "cidrhost(var.list[0], 1)",
        "\"%{ for k in var.list }${k.x}%{ endfor }\"",
        "templatefile(\"t\", { x = var.list })",
    ] {
        let config = format!(
            "[variable.s]\nsensitive = true\n[variable.list]\nsensitive = true\n\
             [zone.z]\nname = '${{{expression}}}'\n"
        );
        let rackform = Rackform::with(&format!("{PROVIDER}{config}"))
            .env("RACKFORM_VAR_s", &format!("{{ {secret} = \"{secret}\" }}"))
            .env("RACKFORM_VAR_list", &format!("[\"{secret}\"]"));
        rackform.write("t", "${x.y}");
        let said = rackform.run(&["plan"]).expect(1);
        let mut all = String::new();
        write!(all, "{}{}", said.stdout, said.stderr).expect("text");
        assert!(!all.contains(secret), "{expression}: {all}");
    }
}

#[test]
fn files_that_are_no_text() {
    let rackform = Rackform::with(PROVIDER);
    let write = |name: &str, bytes: &[u8]| {
        std::fs::write(rackform.path(name), bytes).expect("a file");
    };
    write("bad.rack.toml", b"[zone.z]\nname = \"\xff\"\n");
    let said = rackform.run(&["validate"]).expect(1).stderr;
    assert!(said.contains("bad.rack.toml is not valid UTF-8"), "{said}");
    assert!(said.contains("bad.rack.toml:2:9"), "{said}");
    write("bad.rack.toml", b"[locals]\na = '${file(\"latin\")}'\n");
    write("latin", b"a\nb\xe9\n");
    let said = rackform.run(&["validate"]).expect(1).stderr;
    assert!(said.contains("`latin` cannot be read: line 2 is not valid UTF-8"), "{said}");
}

#[test]
fn a_file_of_fifty_mebibytes() {
    // A comment is no work; that it is read and quoted is the point.
    let mut config = format!("{PROVIDER}[zone.z]\nname = '${{var.x}}'\n#");
    config.push_str(&"x".repeat(50 << 20));
    let rackform = Rackform::with(&config);
    let said = rackform.run(&["validate"]).expect(1).stderr;
    assert!(said.contains("there is no variable `x`") && said.len() < 2000, "{}", said.len());
    rackform.write("main.rack.toml", &"#".repeat(65 << 20));
    let said = rackform.run(&["validate"]).expect(1).stderr;
    assert!(said.contains("is too large (65 MiB)"), "{said}");
}
