//! Mistakes in configurations: `tests/data/config/*.rack.toml`, each with the findings it must
//! give, all of them and no others.
//!
//! A line `#= SEVERITY CODE LINE…` states one finding and the lines of its labels, the primary one
//! first. A directory is a module of several files; labels there are `FILE:LINE`.

use std::path::{Path, PathBuf};

use rackform::config::{Facts, SourceFile, VariableInput, expand, load};
use rackform::diag::{Diagnostic, Diagnostics, Sources};
use rackform::schema::Schemas;

fn schemas() -> Schemas {
    rackform::schema::load().unwrap_or_else(|(findings, _)| panic!("{findings:?}"))
}

fn cases() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/config");
    let mut cases: Vec<_> = std::fs::read_dir(root)
        .expect("test data")
        .map(|entry| entry.expect("entry").path())
        .collect();
    cases.sort();
    cases
}

fn files(case: &Path) -> Vec<SourceFile> {
    let mut paths = vec![case.to_owned()];
    if case.is_dir() {
        paths = std::fs::read_dir(case).expect("case").map(|e| e.expect("entry").path()).collect();
        paths.sort();
    }
    let name = |path: &Path| path.file_name().expect("name").to_string_lossy().into_owned();
    let read =
        |path: &PathBuf| SourceFile { name: name(path), bytes: std::fs::read(path).expect("read") };
    paths.iter().map(read).collect()
}

fn facts() -> Facts {
    let mut facts = Facts::default();
    facts.env.insert("UNSET".into(), None);
    facts.env.insert("PORT".into(), Some("2222".into()));
    let input = VariableInput::text("1", "--var");
    facts.variables.insert("given".into(), input);
    facts
}

/// Findings without those about the variable that every case is given.
fn findings(files: Vec<SourceFile>, schemas: &Schemas) -> (Diagnostics, Sources) {
    let mut facts = facts();
    let declares = |f: &SourceFile| String::from_utf8_lossy(&f.bytes).contains("[variable.given]");
    if !files.iter().any(declares) {
        facts.variables.clear();
    }
    let loaded = load(files, schemas);
    let found = loaded.config.and_then(|config| expand(&config, schemas, &facts, &loaded.sources));
    (found.map_or_else(|found| found, |(_, warnings)| warnings), loaded.sources)
}

fn described(finding: &Diagnostic, sources: &Sources, many: bool) -> String {
    let severity = format!("{:?}", finding.severity).to_lowercase();
    let mut text = format!("{severity} {}", finding.code);
    for label in &finding.labels {
        let (file, line) = sources.place(label.span).expect("a label in a known file");
        let file = file.trim_end_matches(".rack.toml");
        text.push_str(&if many { format!(" {file}:{line}") } else { format!(" {line}") });
    }
    text
}

#[test]
fn every_mistake_is_found_at_its_place() {
    let schemas = schemas();
    let mut wrong = String::new();
    for case in cases() {
        let files = files(&case);
        let many = files.len() > 1;
        let expected: Vec<String> = files
            .iter()
            .flat_map(|f| {
                String::from_utf8_lossy(&f.bytes).lines().map(str::to_owned).collect::<Vec<_>>()
            })
            .filter_map(|line| line.strip_prefix("#= ").map(str::to_owned))
            .collect();
        let (found, sources) = findings(files, &schemas);
        let seen: Vec<_> = found.iter().map(|f| described(f, &sources, many)).collect();
        if seen != expected {
            let case = case.file_name().expect("name").to_string_lossy();
            let said: Vec<_> = found
                .iter()
                .map(|f| format!("{} [{}]", f.summary, f.labels.first().map_or("", |l| &l.text)))
                .collect();
            wrong.push_str(&format!(
                "{case}\n  expected {expected:#?}\n  found {seen:#?}\n  {said:#?}\n"
            ));
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn every_error_says_what_to_do_or_why() {
    let schemas = schemas();
    for case in cases() {
        for finding in findings(files(&case), &schemas).0 {
            let explained = finding.help.is_some()
                || finding.summary.contains(" must ")
                || finding.detail.is_some()
                || finding.labels.iter().any(|l| l.text != "here");
            assert!(explained, "{}: {finding:?}", case.display());
        }
    }
}

#[test]
fn no_secret_is_told() {
    let schemas = schemas();
    for case in cases() {
        let (found, sources) = findings(files(&case), &schemas);
        assert!(!format!("{found:?}").contains("hunter2"), "{}", case.display());
        let first = sources.get(rackform::diag::FileId(0)).expect("a file");
        assert!(!first.text.contains("hunter2"), "{}", first.text);
    }
}

mod nothing_panics {
    use super::*;
    use proptest::prelude::*;

    fn judge(bytes: Vec<u8>) {
        let schemas = SCHEMAS.with(Clone::clone);
        let file = SourceFile { name: "any.rack.toml".into(), bytes };
        let (found, sources) = findings(vec![file], &schemas);
        for finding in &found {
            for label in &finding.labels {
                let text = &sources.get(label.span.file).expect("file").text;
                let range = label.span.start as usize..label.span.end as usize;
                assert!(text.get(range).is_some(), "{finding:?} is outside of {text:?}");
            }
        }
    }

    thread_local! {
        static SCHEMAS: Schemas = schemas();
    }

    /// All cases in one text, to mutate.
    fn corpus() -> Vec<u8> {
        let mut all = Vec::new();
        cases().iter().flat_map(|case| files(case)).for_each(|f| all.extend(f.bytes));
        all
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn on_any_bytes(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            judge(bytes);
        }

        #[test]
        fn on_pieces_of_toml(pieces in prop::collection::vec(prop::sample::select(vec![
            "[zone.east]", "[", "]", "\n", "=", "name", "\"", "'''", "\"\"\"", "${", "}", "%{", "var.x",
            "zone.east", "{", ",", "1", "\\u00e9", "\\", "é", "[host.h]", "password", "env(\"X\")", ".",
            " ", "[[", "true", "lifecycle", "\r\n", "~", "(", ")", "? 1 : 2", "[variable.x]", "default",
        ]), 0..40)) {
            judge(pieces.concat().into_bytes());
        }

        #[test]
        fn on_templates(pieces in prop::collection::vec(prop::sample::select(vec![
            "${", "}", "%{", "if ", "for ", "$${", "var.x", "zone.east", "\\\"", "a", "é", "[", "]", "(",
            ")", ".", "0", "*", "+", "env(", "\\\"X\\\"", "{", "=", ",", "~", "\\n", "\\u00e9", "? ", ": ", "...",
        ]), 0..25)) {
            let text = pieces.concat();
            judge(format!("[variable.x]\ndefault = [1]\n[zone.east]\nname = \"{text}\"\n").into_bytes());
        }

        #[test]
        fn on_mutated_configurations(
            start in any::<prop::sample::Index>(),
            length in 0_usize..1500,
            edits in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>(), 0_u8..3), 1..6),
        ) {
            let all = corpus();
            let start = start.index(all.len());
            let mut bytes = all[start..(start + length).min(all.len())].to_vec();
            for (at, byte, how) in edits {
                if bytes.is_empty() { break; }
                let at = at.index(bytes.len());
                match how {
                    0 => bytes[at] = byte,
                    1 => bytes.insert(at, byte),
                    _ => drop(bytes.remove(at)),
                }
            }
            judge(bytes);
        }
    }

    #[test]
    fn on_deep_nesting() {
        for (open, close) in [("[", "]"), ("{a=", "}"), ("\"${[", "]}\"")] {
            judge(
                format!("[zone.z]\nx = {}1{}\n", open.repeat(50_000), close.repeat(50_000)).into(),
            );
        }
        judge(
            format!("[zone.z]\nx = '${{{}1{}}}'\n", "(".repeat(50_000), ")".repeat(50_000)).into(),
        );
        judge(format!("[zone.z]\nx = '${{{}1}}'\n", "!".repeat(50_000)).into());
        judge(format!("[zone.z]\nx = '${{1{}}}'\n", " + 1".repeat(50_000)).into());
        judge(format!("[zone.z]\nx = '${{{}1}}'\n", "true ? 1 : ".repeat(50_000)).into());
        judge(format!("[zone.z]\n{}a = 1\n", "a.".repeat(50_000)).into());
        judge(format!("[{}a]\n", "a.".repeat(50_000)).into());
        judge(format!("[zone.z]\nx = '${{a{}}}'\n", ".a".repeat(50_000)).into());
        judge(format!("[zone.z]\nx = '{}'\n", "%{ if true }".repeat(50_000)).into());
    }
}
