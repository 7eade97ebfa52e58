//! What people see of findings, by snapshot.

use super::*;
use crate::diag::{FileId, Span};
use crate::render::samples::{address, sources, span};

const UNICODE: Style = Style { color: false, unicode: true, width: 80 };

fn misspelt() -> Diagnostic {
    Diagnostic::error("unknown_attribute", "unknown attribute `hypervisor_typ`")
        .at(span("hypervisor_typ"), "no such attribute")
        .detail("A cluster has no attribute of this name.")
        .help("did you mean `hypervisor_type`?")
        .on(&address("cluster.rack"))
}

fn twice() -> Diagnostic {
    Diagnostic::error("declared_twice", "`zone.east` is declared twice")
        .at(span("[zone.east]"), "first declared here")
        .at(Span { file: FileId(1), start: 0, end: 11 }, "declared again here")
        .help("remove one of them, or give it another label")
}

fn render(findings: impl IntoIterator<Item = Diagnostic>, style: Style) -> String {
    let mut all = Diagnostics::default();
    findings.into_iter().for_each(|d| all.push(d));
    text(&all, &sources(), &style)
}

#[test]
fn place_reason_and_way_out() {
    insta::assert_snapshot!(render([misspelt()], UNICODE), @r#"
    unknown_attribute in cluster.rack

      × unknown attribute `hypervisor_typ`
      ╰─▶ A cluster has no attribute of this name.
       ╭─[main.rack.toml:6:1]
     5 │ zone            = "zone.east"
     6 │ hypervisor_typ  = "KVM"
       · ───────┬──────
       ·        ╰── no such attribute
     7 │
       ╰────
      help: did you mean `hypervisor_type`?

    1 error
    "#);
}

#[test]
fn a_log_holds_the_same() {
    insta::assert_snapshot!(render([misspelt()], Style::PLAIN), @r#"
    unknown_attribute in cluster.rack

      x unknown attribute `hypervisor_typ`
      `-> A cluster has no attribute of this name.
       ,-[main.rack.toml:6:1]
     5 | zone            = "zone.east"
     6 | hypervisor_typ  = "KVM"
       : ^^^^^^^|^^^^^^
       :        `-- no such attribute
     7 |
       `----
      help: did you mean `hypervisor_type`?

    1 error
    "#);
}

#[test]
fn colour() {
    let text = render([misspelt()], Style { color: true, ..UNICODE });
    insta::assert_snapshot!(text.replace('\u{1b}', "^"), @r#"
    ^[31munknown_attribute in cluster.rack^[0m

      ^[31m×^[0m unknown attribute `hypervisor_typ`
    ^[31m  ╰─▶ ^[0mA cluster has no attribute of this name.
       ╭─[^[36;1;4mmain.rack.toml:6:1^[0m]
     ^[2m5^[0m │ zone            = "zone.east"
     ^[2m6^[0m │ hypervisor_typ  = "KVM"
       · ^[35;1m───────┬──────^[0m
       ·        ^[35;1m╰── ^[35;1mno such attribute^[0m^[0m
     ^[2m7^[0m │
       ╰────
    ^[36m  help: ^[0mdid you mean `hypervisor_type`?

    ^[1m^[31m1 error^[0m
    "#);
}

#[test]
fn two_files() {
    insta::assert_snapshot!(render([twice()], UNICODE), @r#"
    declared_twice

      × `zone.east` is declared twice
       ╭─[main.rack.toml:1:1]
     1 │ [zone.east]
       · ─────┬─────
       ·      ╰── first declared here
     2 │ description = "first hall"
       ╰────
      ☞ declared again here
       ╭─[storage.rack.toml:1:1]
     1 │ [zone.east]
       · ───────────
     2 │
       ╰────
      help: remove one of them, or give it another label

    1 error
    "#);
}

#[test]
fn a_finding_with_very_many_places_stays_readable() {
    let mut sources = Sources::default();
    let file = sources.add("main.rack.toml", "[zone.east]\n".repeat(50_000));
    let span = |n: u32| Span { file, start: n * 1200, end: n * 1200 + 11 };
    let places = (0..400).map(|n| Label { span: span(n), text: format!("place {n}") }).collect();
    let mut finding = Diagnostic::error("declared_twice", "declared often").help("rename");
    finding.labels = places;
    let text = text(&finding.into(), &sources, &UNICODE);
    assert!(text.contains("☞ place 8\n") && !text.contains("place 9"), "{text}");
    assert!(text.contains("☞ and 391 more places\n  help: rename\n"), "{text}");
}

#[test]
fn many_instances_and_nearby_labels() {
    let mut finding = Diagnostic::warning("literal_secret", "a password in clear text")
        .at(span("'02'"), "this one")
        .at(span("[host.kvm]"), "in this block");
    finding.count = 10_000;
    insta::assert_snapshot!(render([finding], UNICODE), @r#"
    literal_secret

      ⚠ a password in clear text (and 9,999 other instances)
        ╭─[main.rack.toml:9:24]
      7 │
      8 │ [host.kvm]
        · ─────┬────
        ·      ╰── in this block
      9 │ for_each      = ['01', '02']
        ·                        ──┬─
        ·                          ╰── this one
     10 │ cluster       = "cluster.rack"
        ╰────

    1 warning
    "#);
}

#[test]
fn without_a_place() {
    let finding = Diagnostic::error("cannot_connect", "cannot reach https://mn.example.com:8080")
        .detail("connection refused\n\u{1b}[31m(os error 111)")
        .help("check `endpoint` of [provider.zstack], and that the server is up");
    insta::assert_snapshot!(render([finding], UNICODE), @r"
    cannot_connect

      × cannot reach https://mn.example.com:8080
      ╰─▶ connection refused
          \u{1b}[31m(os error 111)
      help: check `endpoint` of [provider.zstack], and that the server is up

    1 error
    ");
}

#[test]
fn many_findings_are_capped_and_errors_come_first() {
    let warning = |n| Diagnostic::warning("w", format!("warning {n}"));
    let findings = (0..30).map(warning).chain([Diagnostic::error("e", "the error")]);
    let text = render(findings, Style::PLAIN);
    assert!(text.starts_with("e\n\n  x the error\n"), "{text}");
    assert!(text.contains("... and 11 more"), "{text}");
    assert!(text.ends_with("1 error, 30 warnings\n"), "{text}");
}

#[test]
fn a_place_deep_in_a_large_file_is_found() {
    let mut sources = Sources::default();
    let line = "name = \"数据\" # \u{1b}[31m\n";
    let file = sources.add("big.rack.toml", line.repeat(100_000));
    let start = u32::try_from(line.len() * 77_776 + 7).expect("fits");
    let finding = Diagnostic::error("e", "bad").at(Span { file, start, end: start + 8 }, "here");
    let text = text(&finding.into(), &sources, &UNICODE);
    insta::assert_snapshot!(text, @r#"
    e

      × bad
           ╭─[big.rack.toml:77777:8]
     77776 │ name = "数据" # ?[31m
     77777 │ name = "数据" # ?[31m
           ·        ───┬──
           ·           ╰── here
     77778 │ name = "数据" # ?[31m
           ╰────

    1 error
    "#);
}

#[test]
fn line_breaks_of_either_kind_count_once() {
    let mut sources = Sources::default();
    let file = sources.add("dos.rack.toml", "a = 1\r\nb\r = 2\r\nc = 3\r\n");
    let finding = Diagnostic::error("e", "bad").at(Span { file, start: 16, end: 17 }, "here");
    let shown = text(&finding.into(), &sources, &UNICODE);
    insta::assert_snapshot!(shown, @r"
    e

      × bad
       ╭─[dos.rack.toml:3:2]
     2 │ b? = 2
     3 │ c = 3
       ·  ┬
       ·  ╰── here
       ╰────

    1 error
    ");
}

#[test]
fn an_overlong_line_and_a_tall_block_are_cut() {
    let mut sources = Sources::default();
    let file = sources.add("long.toml", format!("a = \"{}\"", "é".repeat(50_000)));
    let finding =
        Diagnostic::error("e", "bad").at(Span { file, start: 40_000, end: 90_000 }, "here");
    let shown = text(&finding.into(), &sources, &UNICODE);
    assert!(shown.contains("[long.toml:1:20003]"), "{shown}");
    assert!(shown.len() < 2_000, "{shown}");
    let file = sources.add("tall.toml", "[zone.a]\n".repeat(500));
    let finding = Diagnostic::error("e", "bad").at(Span { file, start: 9, end: 4000 }, "here");
    let shown = text(&finding.into(), &sources, &UNICODE);
    assert!(shown.lines().count() < 14, "{shown}");
}

#[test]
fn no_span_makes_it_fail() {
    let sources = sources();
    for file in [0, 1, 7] {
        for (start, end) in [(0, 0), (5, 2), (0, u32::MAX), (u32::MAX, u32::MAX), (150, 9999)] {
            let span = Span { file: FileId(file), start, end };
            let finding = Diagnostic::error("e", "bad").at(span, "here").at(span, "");
            let shown = text(&finding.into(), &sources, &UNICODE);
            assert!(shown.contains("bad") && !shown.contains("Failed to read"), "{shown}");
        }
    }
}

proptest::proptest! {
    /// Whatever the file holds and wherever the labels point, there is a report.
    #[test]
    fn any_text_and_any_spans_give_a_report(
        body in "([a-z=\"\t\r\n数é\u{1b}\u{202e}]|\r\n){0,80}",
        spans in proptest::collection::vec((0u32..120, 0u32..120), 1..4),
        width in 0usize..120,
    ) {
        let mut sources = Sources::default();
        let file = sources.add("a.rack.toml", body);
        let mut finding = Diagnostic::error("e", "bad").detail("why").help("how");
        for (start, end) in spans {
            finding = finding.at(Span { file, start, end }, "here");
        }
        let style = Style { width, ..UNICODE };
        let line = crate::render::finding::line(&finding, &sources);
        let shown = text(&finding.into(), &sources, &style);
        proptest::prop_assert!(shown.contains("bad") && shown.contains("a.rack.toml:"), "{}", shown);
        proptest::prop_assert!(!shown.contains("Failed to read"), "{}", shown);
        proptest::prop_assert!(!shown.chars().any(|c| c != '\n' && crate::render::steers(c)));
        proptest::prop_assert!(serde_json::from_str::<serde_json::Value>(&line).is_ok());
    }
}
