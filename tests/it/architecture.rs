//! The shape of the sources, as `src/lib.rs` draws it: who may use whom, which library belongs
//! where, what the pure half must not do, how long a file may be. Reads the sources as they are
//! written; a rule that is broken here is a design question, not a matter of taste.

mod sources;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use sources::{Module, library, root, within};

/// The line in `lib.rs` between values in, values out, and effects.
const LINE: &str = "// ---- above: pure and synchronous. below: effects ----";
/// Longest file, in lines.
const LONGEST: usize = 500;

/// Where each library may be used, and why only there.
const LIBRARIES: &[(&str, &[&str], &str)] = &[
    ("anstream", &["cli"], "printing is the command line's business"),
    ("anstyle", &["render", "cli"], "colours are part of rendered text"),
    ("argon2", &["state::secret"], "digests of secrets are made in one place"),
    ("axum", &["emulator"], "the only server"),
    ("base64", &["config::expr"], "functions of expressions"),
    (
        "blake3",
        &["state", "store", "provider", "emulator"],
        "ids, job ids and digests are computed",
    ),
    ("cidr", &["config::expr"], "functions of expressions"),
    ("clap", &["cli"], "the command line"),
    ("clap_complete", &["cli"], "the command line"),
    ("csv", &["config::expr"], "functions of expressions"),
    ("futures_util", &["provider", "observe", "apply"], "waiting for many things at a time"),
    ("getrandom", &["store::random"], "randomness is drawn in one place and passed on"),
    ("gethostname", &["cli"], "who holds a lock is found out at the edge"),
    ("globset", &["config::expr", "cli"], "patterns of file names"),
    ("hcl_edit", &["config"], "the grammar of expressions; nobody else reads them"),
    ("indicatif", &["cli"], "drawing on a terminal"),
    ("jiff", &["cli"], "local time is the edge's business"),
    ("miette", &["render"], "a diagnostic is data until it is shown"),
    (
        "percent_encoding",
        &["config::expr", "wire", "emulator"],
        "paths and queries of requests; a function of expressions",
    ),
    ("petgraph", &["graph"], "everybody else sees u32"),
    ("rayon", &["config"], "files are parsed side by side"),
    ("regex", &["config::expr"], "functions of expressions"),
    ("reqwest", &["http", "emulator::jobs"], "the client; the emulator calls web hooks"),
    ("rustyline", &["cli"], "reading lines at a terminal"),
    ("rustls", &["http", "emulator::jobs"], "as reqwest"),
    ("serde", &[""], "data that is written somewhere says so itself"),
    ("serde_json", &[""], "requests, replies, state and plans are JSON"),
    ("serde_saphyr", &["config::expr"], "functions of expressions"),
    (
        "sha2",
        &["config::expr", "provider::zstack", "emulator"],
        "how ZStack takes and keeps passwords; functions of expressions",
    ),
    ("similar", &["render"], "differences within long texts"),
    ("strsim", &["diag"], "did you mean …?"),
    ("terminal_size", &["cli"], "the edge knows the terminal"),
    ("textwrap", &["render"], "where lines of messages may be broken"),
    ("thiserror", &[""], "typed errors"),
    ("tokio", &["http", "store", "provider", "observe", "apply", "emulator", "cli"], "effects"),
    ("toml", &["schema", "config", "emulator::seed"], "the texts that people write"),
    ("toml_parser", &["config::write"], "rewriting what people wrote, comments and order kept"),
    ("toml_writer", &["config::write"], "rewriting what people wrote, comments and order kept"),
    ("tracing", &["http", "provider", "observe", "apply", "emulator", "cli"], "what -v shows"),
    ("tracing_subscriber", &["cli"], "printing is the command line's business"),
    (
        "unicode_segmentation",
        &["config::expr"],
        "texts are counted in what people see as characters",
    ),
    ("wildmatch", &["plan::guard", "state", "cli"], "patterns of addresses on the command line"),
];

/// What the pure half must not name: the outside world, and what is different at each run.
const IMPURE: &[&str] = &[
    "std::fs",
    "std::net",
    "std::env",
    "std::process",
    "std::thread",
    "std::io::stdin",
    "std::io::stdout",
    "std::io::stderr",
    "std::time::SystemTime",
    "std::time::Instant",
];
/// Names under those that are values and touch nothing.
const HARMLESS: &[&str] =
    &["std::net::IpAddr", "std::net::Ipv4Addr", "std::net::Ipv6Addr", "std::net::AddrParseError"];

/// Macros and handles that print.
const PRINTING: [&str; 5] = ["print", "println", "eprint", "eprintln", "dbg"];

/// The modules of `lib.rs` in order, with whether each stands above the line.
fn order() -> Vec<(String, bool)> {
    let text = fs::read_to_string(root().join("src/lib.rs")).expect("src/lib.rs");
    let (above, below) = text.split_once(LINE).expect("lib.rs has the line");
    let names = |half: &str, pure: bool| -> Vec<(String, bool)> {
        let name = |line: &str| Some(line.strip_prefix("pub mod ")?.strip_suffix(';')?.to_owned());
        half.lines().filter_map(name).map(|name| (name, pure)).collect()
    };
    [names(above, true), names(below, false)].concat()
}

/// Fails with all violations at once.
fn none(violations: &[String], rule: &str) {
    assert!(violations.is_empty(), "{rule}:\n  {}", violations.join("\n  "));
}

/// The files whose code ends up in the program.
fn shipped(all: &BTreeMap<String, Module>) -> impl Iterator<Item = &Module> {
    all.values().filter(|module| !module.for_tests)
}

#[test]
fn every_source_is_part_of_the_library() {
    let known: BTreeSet<String> = library().into_values().map(|m| m.path).collect();
    let others = ["src/main.rs", "src/build.rs"];
    let forgotten: Vec<String> = sources::files_under("src")
        .into_iter()
        .filter(|path| !known.contains(path) && !others.contains(&path.as_str()))
        .collect();
    none(&forgotten, "no `mod` line leads to these files");
}

#[test]
fn a_module_uses_only_modules_above_it() {
    let order: Vec<String> = order().into_iter().map(|(name, _)| name).collect();
    let place = |name: &str| order.iter().position(|n| n == name);
    let all = library();
    assert_eq!(
        all[""].children,
        order.iter().cloned().collect(),
        "lib.rs declares each module as `pub mod NAME;` above or below the line"
    );
    let mut violations = Vec::new();
    for module in shipped(&all).filter(|m| !m.name.is_empty()) {
        for path in &module.paths {
            let Some(used) = path.strip_prefix("crate::").and_then(|p| p.split("::").next()) else {
                continue;
            };
            if place(used) > place(module.top()) {
                violations.push(format!("{} uses {path}", module.path));
            }
        }
    }
    none(&violations, "these stand further down in lib.rs");
}

#[test]
fn siblings_do_not_use_each_other_in_a_circle() {
    let all = library();
    let mut circles = Vec::new();
    // The services of the server that the emulator stands for call each other, too.
    let parents = shipped(&all).filter(|m| !m.name.is_empty() && !m.is_in("emulator"));
    for parent in parents {
        let uses: BTreeMap<&str, BTreeSet<&str>> = parent
            .children
            .iter()
            .map(|child| (child.as_str(), siblings_used(&all, parent, child)))
            .collect();
        for start in uses.keys() {
            let mut reached = BTreeSet::new();
            let mut open: Vec<&str> = uses[start].iter().copied().collect();
            while let Some(next) = open.pop() {
                if reached.insert(next) {
                    open.extend(&uses[next]);
                }
            }
            if reached.contains(start) {
                circles.push(format!("{}::{start} (via {reached:?})", parent.name));
            }
        }
    }
    none(&circles, "these modules need each other in a circle");
}

/// The children of `parent` that `child`, or anything in it, uses.
fn siblings_used<'m>(
    all: &'m BTreeMap<String, Module>,
    parent: &'m Module,
    child: &str,
) -> BTreeSet<&'m str> {
    let (base, whole) = (format!("crate::{}", parent.name), format!("{}::{child}", parent.name));
    let inside = shipped(all).filter(|module| module.is_in(&whole));
    let paths: Vec<&String> = inside.flat_map(|module| &module.paths).collect();
    let used = |sibling: &str| paths.iter().any(|p| within(p, &format!("{base}::{sibling}")));
    parent.children.iter().map(String::as_str).filter(|s| *s != child && used(s)).collect()
}

#[test]
fn the_emulator_knows_nothing_of_ours() {
    let all = library();
    let mut violations = Vec::new();
    for module in shipped(&all).filter(|m| m.is_in("emulator")) {
        for path in &module.paths {
            if path.starts_with("crate::") && !within(path, "crate::emulator") {
                violations.push(format!("{} uses {path}", module.path));
            }
        }
    }
    none(&violations, "the emulator is an independent witness: what it shares, it cannot check");
}

#[test]
fn each_library_stays_where_it_belongs() {
    let manifest = fs::read_to_string(root().join("Cargo.toml")).expect("Cargo.toml");
    let manifest: toml::Table = manifest.parse().expect("TOML");
    let dependencies: BTreeSet<String> = manifest["dependencies"]
        .as_table()
        .expect("a table")
        .keys()
        .map(|name| name.replace('-', "_"))
        .collect();
    let listed: BTreeSet<String> = LIBRARIES.iter().map(|(name, ..)| (*name).to_owned()).collect();
    assert_eq!(dependencies, listed, "every dependency has a row in LIBRARIES, and only those");

    let all = library();
    let mut violations = Vec::new();
    for module in shipped(&all) {
        for path in &module.paths {
            let name = path.split("::").next().unwrap_or_default();
            let Some((_, places, why)) = LIBRARIES.iter().find(|(n, ..)| *n == name) else {
                continue;
            };
            if !places.iter().any(|place| place.is_empty() || module.is_in(place)) {
                violations.push(format!("{} uses {path} ({why})", module.path));
            }
        }
    }
    none(&violations, "these libraries belong elsewhere");
}

#[test]
fn the_pure_half_has_no_effects() {
    let pure: BTreeSet<String> =
        order().into_iter().filter(|(_, pure)| *pure).map(|(name, _)| name).collect();
    let all = library();
    let mut violations = Vec::new();
    for module in shipped(&all).filter(|m| pure.contains(m.top())) {
        for path in &module.paths {
            let impure = IMPURE.iter().any(|p| within(path, p));
            if impure && !HARMLESS.iter().any(|p| within(path, p)) {
                violations.push(format!("{} uses {path}", module.path));
            }
        }
        if module.text.contains("async fn") || module.text.contains(".await") {
            violations.push(format!("{} is asynchronous", module.path));
        }
    }
    none(&violations, "effects belong below the line in lib.rs");
}

#[test]
fn only_the_command_line_prints_and_reads_the_environment() {
    let all = library();
    let mut violations = Vec::new();
    for module in shipped(&all).filter(|m| !m.is_in("cli")) {
        let printed = PRINTING.iter().filter(|name| module.macros.contains(**name));
        violations.extend(printed.map(|name| format!("{} calls {name}!", module.path)));
        let handles = ["std::io::stdin", "std::io::stdout", "std::io::stderr", "std::env"];
        let used = module.paths.iter().filter(|p| handles.iter().any(|h| within(p, h)));
        violations.extend(used.map(|path| format!("{} uses {path}", module.path)));
    }
    none(&violations, "only cli may");
}

#[test]
fn files_are_short_and_say_what_they_are() {
    let mut violations = Vec::new();
    for path in ["src", "tests"].into_iter().flat_map(sources::files_under) {
        let text = fs::read_to_string(root().join(&path)).expect("a readable source");
        let lines = text.lines().count();
        if lines > LONGEST {
            violations.push(format!("{path} has {lines} lines"));
        }
        if !text.starts_with("//!") {
            violations.push(format!("{path} does not start with `//!`"));
        }
    }
    none(&violations, "a file has at most 500 lines and opens with what it is for");
}

#[test]
fn what_could_panic_says_why_it_cannot() {
    const PANICS: [&str; 4] = [".unwrap()", ".expect(", "panic!(", "unreachable!("];
    let all = library();
    let mut violations = Vec::new();
    for module in shipped(&all) {
        let mut before = "";
        for (number, line) in (1..).zip(without_tests(&module.text)) {
            let code = line.split("//").next().unwrap_or_default();
            let explained = line.contains("//") || before.trim_start().starts_with("//");
            if PANICS.iter().any(|p| code.contains(p)) && !explained {
                violations.push(format!("{}:{number}: {}", module.path, line.trim()));
            }
            before = line;
        }
    }
    none(&violations, "a comment on the line or above it proves that it cannot fail");
}

/// The lines before the inline test module, which by convention comes last.
fn without_tests(text: &str) -> impl Iterator<Item = &str> {
    let end = text.find("#[cfg(test)]\nmod tests {").unwrap_or(text.len());
    text[..end].lines()
}
