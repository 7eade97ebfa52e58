//! What stands in something, which stands in something, and so on: it works, or a message says that
//! it is too deep. The stack of this build, without optimisation, holds what the limits allow.

use super::PROVIDER;
use crate::common::process::{Outcome, Rackform};

fn validate(config: &str) -> Outcome {
    Rackform::with(&format!("{PROVIDER}{config}")).run(&["validate"])
}

#[track_caller]
fn refused(config: &str, because: &str) {
    let said = validate(config).expect(1).stderr;
    assert!(said.contains(because), "{because}: {}", &said[..said.len().min(2000)]);
    assert!(said.len() < 40_000, "a short message, not {} bytes", said.len());
}

fn nested(open: &str, inner: &str, close: &str, times: usize) -> String {
    format!("{}{inner}{}", open.repeat(times), close.repeat(times))
}

/// Locals of which each is made of the next.
fn chain(count: usize, of: impl Fn(usize) -> String) -> String {
    let local = |at: usize| format!("l{at:05} = {}\n", of(at + 1));
    let all: String = (0..count).map(local).collect();
    format!("[locals]\n{all}l{count:05} = 1\n[zone.z]\ndescription = 'x${{local.l00000}}'\n")
}

#[test]
fn nested_tables_are_refused() {
    const MANY: usize = 100_000;
    for (config, because) in [
        (format!("[locals]\na = {}\n", nested("[", "", "]", MANY)), "recurs"),
        (format!("[locals]\na = {}\n", nested("{a=", "1", "}", MANY)), "recurs"),
        (format!("[locals]\na{} = 1\n", ".a".repeat(MANY)), "recursion limit"),
        (format!("[zone.a{}]\n", ".a".repeat(MANY)), "recursion limit"),
        // Each within the limits of TOML; together they are thousands.
        (
            format!(
                "[locals]\na = {}\n",
                nested(&format!("{{a{}=", ".a".repeat(78)), "1", "}", 78)
            ),
            "lists and tables are nested too deeply",
        ),
        (
            format!(
                "[zone.z]\nname = {}\n",
                nested(&format!("[{{a{}=", ".a".repeat(70)), "1", "}]", 30)
            ),
            "lists and tables are nested too deeply",
        ),
    ] {
        refused(&config, because);
    }
    validate(&format!("[locals]\na = {}\n", nested("[", "", "]", 70))).expect(0);
}

#[test]
fn nested_expressions_are_refused() {
    const MANY: usize = 20_000;
    for text in [
        nested("(", "1", ")", MANY),
        nested("[", "1", "]", MANY),
        nested("{a=", "1", "}", MANY),
        nested("[for x in [1] : ", "1", "]", MANY),
        nested("try(", "1", ")", MANY),
        nested("true ? ", "1", " : 2", MANY),
        format!("{}true", "!".repeat(MANY)),
        format!("1{}", " + 1".repeat(MANY)),
        format!("1{}", " == 1 && 1".repeat(MANY)),
    ] {
        refused(&format!("[locals]\na = '${{{text}}}'\n"), "this expression cannot be read");
    }
    let text = nested("%{if true}", "1", "%{endif}", MANY);
    refused(&format!("[locals]\na = 'x{text}'\n"), "this expression cannot be read");
    // What follows a value stands beside each other, not within.
    refused(
        &format!("[locals]\na = '${{[1]{}}}'\n", "[0]".repeat(MANY)),
        "an integer has no elements",
    );
    refused(&format!("[locals]\na = '${{[1]{}}}'\n", "[*]".repeat(MANY * 3)), "nested too deeply");
    // The deepest that can be read is evaluated.
    for text in [
        nested("(", &format!("1{}", " + 1".repeat(120)), ")", 60),
        nested("[for x in [1] : ", "1", "]", 60),
        nested("[[1]][*][", "0", "]", 1),
    ] {
        validate(&format!("[locals]\na = '${{{text}}}'\n")).expect(0);
    }
}

#[test]
fn thousands_of_locals_may_name_one_another() {
    validate(&chain(5000, |next| format!("'${{local.l{next:05}}}'"))).expect(0);
    validate(&chain(5000, |next| format!("'${{local.l{next:05} + 1}}'"))).expect(0);
}

/// Each link of these chains costs as much stack as an expression of its kind can.
#[test]
fn what_is_made_of_too_many_steps_is_refused() {
    type Link = fn(usize) -> String;
    let links: [Link; 9] = [
        |next| format!("'${{local.l{next:05}}}'"),
        |next| nested("[", &format!("'${{local.l{next:05}}}'"), "]", 70),
        |next| format!("'${{{}}}'", nested("(", &format!("local.l{next:05}"), ")", 60)),
        |next| format!("'${{{}}}'", nested("[1][*][", &format!("local.l{next:05}"), "]", 60)),
        |next| {
            format!("'${{{}}}'", nested("[for x in [1] : ", &format!("local.l{next:05}"), "]", 60))
        },
        |next| format!("'${{{}}}'", nested("try(", &format!("local.l{next:05}"), ")", 60)),
        |next| {
            format!(
                "'x{}'",
                nested("%{if true}", &format!("${{local.l{next:05}}}"), "%{endif}", 60)
            )
        },
        |next| {
            format!(
                "'x{}'",
                nested("%{for x in [1]}", &format!("${{local.l{next:05}}}"), "%{endfor}", 60)
            )
        },
        |next| format!("'${{tostring(local.l{next:05})}}'"),
    ];
    for link in links {
        refused(&chain(20_000, link), "too_deep");
    }
}

/// Values grow step by step although no evaluation is deep: the earlier local comes first.
#[test]
fn a_value_that_is_nested_too_deeply_is_refused() {
    let grow = |at: usize| format!("l{at:05} = ['${{local.l{:05}}}']\n", at - 1);
    let all: String = (1..20_000).map(grow).collect();
    refused(&format!("[locals]\nl00000 = 1\n{all}"), "this value is nested too deeply");
}

#[test]
fn tables_that_ask_each_other_in_a_long_chain() {
    let zone = |at: usize| format!("[zone.z{at:05}]\nname = '${{zone.z{:05}.name}}'\n", at + 1);
    let all: String = (0..5000).map(zone).collect();
    validate(&format!("{all}[zone.z05000]\nname = \"same\"\n")).expect(0);
    let each = |at: usize| {
        format!("[zone.z{at:05}]\nfor_each = '${{[for k, z in zone.z{:05} : k]}}'\n", at + 1)
    };
    let all: String = (0..20_000).map(each).collect();
    refused(&format!("{all}[zone.z20000]\nfor_each = [\"a\"]\n"), "too_deep");
}

#[test]
fn a_long_circle_is_told_in_short() {
    let local = |at: usize| format!("l{at:05} = '${{local.l{:05}}}'\n", (at + 1) % 3000);
    let all: String = (0..3000).map(local).collect();
    refused(&format!("[locals]\n{all}"), "The circle goes on through 2990 more values");
}

#[test]
fn modules_within_modules() {
    let rackform = Rackform::with(&format!(
        "{PROVIDER}[module.n]\nsource = \"./m0\"\nx = \"deep\"\n[output.o]\nvalue = '${{module.n.o}}'\n"
    ));
    let middle = |next: usize| {
        format!(
            "[variable.x]\n[output.o]\nvalue = '${{module.n.o}}'\n[module.n]\n\
             source = \"../m{next}\"\nx = '${{var.x}}'\n"
        )
    };
    for at in 0..300 {
        rackform.write(&format!("m{at}/main.rack.toml"), &middle(at + 1));
    }
    let last = "[variable.x]\n[output.o]\nvalue = '${var.x}'\n[zone.z]\nname = '${var.x}'\n";
    rackform.write("m200/main.rack.toml", last);
    rackform.run(&["validate"]).expect(0);
    rackform.write("m200/main.rack.toml", &middle(201));
    rackform.write("m300/main.rack.toml", last);
    let said = rackform.run(&["validate"]).expect(1).stderr;
    assert!(said.contains("modules call each other 256 deep here"), "{said}");
}

#[test]
fn modules_that_multiply_are_refused() {
    let call = |next: usize| {
        let of = |name: &str| format!("[module.{name}]\nsource = \"../m{next}\"\n");
        of("a") + &of("b")
    };
    let rackform = Rackform::with(&format!("{PROVIDER}[module.n]\nsource = \"./m0\"\n"));
    for at in 0..24 {
        rackform.write(&format!("m{at}/main.rack.toml"), &call(at + 1));
    }
    rackform.write("m24/main.rack.toml", "[zone.z]\n");
    let said = rackform.run(&["validate"]).expect(1).stderr;
    assert!(said.contains("there are more than 100000 instances of modules"), "{said}");
    assert!(said.ends_with("1 error\n"), "{said}");
}

#[test]
fn deep_files_are_refused() {
    for (function, text) in [
        ("jsondecode", nested("[", "", "]", 100_000)),
        ("jsondecode", nested("{\"a\":", "1", "}", 100_000)),
        ("yamldecode", nested("[", "", "]", 100_000)),
        ("yamldecode", nested("- ", "1", "", 5000)),
    ] {
        let rackform = Rackform::with(&format!(
            "{PROVIDER}[locals]\na = '${{{function}(file(\"deep.txt\"))}}'\n"
        ));
        rackform.write("deep.txt", &text);
        let said = rackform.run(&["validate"]).expect(1).stderr;
        assert!(said.contains("deep.txt: "), "{said}");
    }
}
