//! What holds for every renderer: nothing commands the terminal, nothing secret shows, and size
//! costs no more than size.

use super::*;
use crate::address::Address;
use crate::diag::{Diagnostic, Diagnostics, Sources, Span};
use crate::event::{Event, Failure, Skip};
use crate::plan::{Action, Change, Drift, Note, Op, Plan, Reason, Shown, StepIx};
use crate::render::graph::{Edge, Format, Node, Picture};
use crate::render::plan::View;
use crate::state::{Entry, State};
use crate::value::Value;

const EVIL: &str = "x\u{1b}[2J\u{9b}31m\r\u{7}\u{202e}y\u{2028}\u{7f}";
const SECRET: &str = "hunter2";

#[test]
fn a_server_cannot_command_the_terminal() {
    let shown = clean(format!("ok{EVIL}\n\t 数据")).to_string();
    assert_eq!(shown, "okx\\u{1b}[2J\\u{9b}31m\\r\\u{7}\\u{202e}y\\u{2028}\\u{7f}\\n\\t 数据");
}

#[test]
fn without_colour_there_is_no_escape() {
    let styled = |color| Style { color, ..Style::PLAIN }.ink(Ink::Alarm, "x").to_string();
    assert_eq!(styled(false), "x");
    assert_eq!(styled(true), "\u{1b}[1m\u{1b}[31mx\u{1b}[0m");
}

/// Every text that this module makes, from data in which every string is hostile.
fn all_texts() -> Vec<(&'static str, String)> {
    let (plan, sources) = (evil_plan(), evil_sources());
    let style = Style { unicode: true, ..Style::PLAIN };
    let view = View { plan: &plan, sources: &sources, requests: None, style };
    let findings = evil_findings();
    let lines = |events: &[Event]| -> Vec<String> {
        events.iter().filter_map(|e| progress::line(e, &style)).collect()
    };
    let mut live = live::Live::default();
    evil_events().iter().for_each(|e| live.observe(e, std::time::Duration::ZERO));
    let json: Vec<String> = json::plan("t", &plan)
        .chain(evil_events().iter().flat_map(|e| json::event("t", e)))
        .chain(findings.iter().map(|d| json::diagnostic("t", d, &sources)))
        .chain(findings.iter().map(|d| finding::line(d, &sources)))
        .collect();
    vec![
        ("plan", plan::text(&view)),
        ("markdown", markdown::text(&view, markdown::LIMIT)),
        ("plan JSON", plan_json::text(&plan, None)),
        ("findings", diag::text(&findings, &sources, &style)),
        ("progress", lines(&evil_events()).join("\n")),
        ("live", live.lines(std::time::Duration::ZERO, 9, &style).join("\n")),
        ("stream", json.join("\n")),
        ("dot", graph::text(evil_picture(), Format::Dot)),
        ("mermaid", graph::text(evil_picture(), Format::Mermaid)),
        ("graph JSON", graph::text(evil_picture(), Format::Json)),
        ("state list", state::list(evil_state().entries.keys())),
        (
            "state show",
            evil_state().entries.iter().map(|(a, e)| state::show(a, e, &style)).collect(),
        ),
    ]
}

#[test]
fn no_renderer_lets_a_control_character_through() {
    for (what, text) in all_texts() {
        let bad = text.chars().find(|c| *c != '\n' && steers(*c));
        assert_eq!(bad, None, "{what}: {text}");
        // The text is there all the same.
        assert!(text.contains('x') && text.contains('y'), "{what}: {text}");
    }
}

#[test]
fn no_renderer_shows_a_secret() {
    for (what, text) in all_texts() {
        assert!(!text.contains(SECRET), "{what}: {text}");
    }
}

#[test]
fn every_line_of_a_stream_is_a_line() {
    for (what, text) in all_texts().into_iter().filter(|(what, _)| what.contains("JSON")) {
        assert_eq!(text.trim_end().lines().count(), 1, "{what}: {text}");
    }
}

#[test]
fn colour_adds_nothing_but_colour() {
    let (plan, sources) = (evil_plan(), evil_sources());
    let text = |color| {
        let style = Style { color, unicode: true, width: 80 };
        let view = View { plan: &plan, sources: &sources, requests: None, style };
        plan::text(&view) + &diag::text(&evil_findings(), &sources, &style)
    };
    assert_eq!(anstream::adapter::strip_str(&text(true)).to_string(), text(false));
}

#[test]
fn switched_protection_is_a_line_whatever_else_changes() {
    let plan = Plan {
        changes: vec![Change {
            diffs: vec![samples::diff("description", samples::shown("a"), samples::shown("b"))],
            protection: Some(false),
            ..samples::change("zone.keep", Action::Update, Reason::Differs)
        }],
        ..Plan::default()
    };
    let sources = Sources::default();
    let view = View { plan: &plan, sources: &sources, requests: None, style: Style::PLAIN };
    for text in [plan::text(&view), markdown::text(&view, markdown::LIMIT)] {
        assert!(text.lines().any(|line| line.trim() == "# prevent_destroy is off"), "{text}");
    }
    let document = plan_json::text(&plan, None);
    assert!(document.contains("\"prevent_destroy\":false"), "{document}");
    let stream: String = json::plan("t", &plan).collect();
    assert!(stream.contains("zone.keep: Plan to update in place; prevent_destroy is off"));
    assert!(stream.contains("\"prevent_destroy\":false"), "{stream}");
}

fn evil_address() -> Address {
    Address::new("host", "kvm").instance(EVIL)
}

fn evil_sources() -> Sources {
    let mut sources = Sources::default();
    sources.add(EVIL, format!("a = \"{EVIL}\"\n"));
    sources
}

fn evil_span() -> Span {
    Span { file: crate::diag::FileId(0), start: 4, end: 9 }
}

fn evil_plan() -> Plan {
    let text = || Shown::Value(Value::str(EVIL));
    let secret = Value::list(vec![Value::str(SECRET).sensitive(), Value::str(EVIL)]);
    let long = |end: &str| Shown::Value(Value::str(&format!("{EVIL}\n{end}\n")));
    let diffs = vec![
        samples::diff(EVIL, text(), text()),
        samples::diff("texts", long("a"), long("b")),
        samples::diff("secret", text(), Shown::Value(secret)),
        samples::diff("masked", Shown::Sensitive, Shown::Value(Value::str(SECRET).sensitive())),
        samples::diff("after", Shown::Absent, Shown::AfterApply(evil_address())),
    ];
    let change = |action, reason| Change {
        address: evil_address(),
        diffs: diffs.clone(),
        id: Some(EVIL.into()),
        origin: Some(evil_span()),
        casualties: vec![(EVIL.to_owned(), 3)],
        ..samples::change("zone.a", action, reason)
    };
    let attached = Address::new("nfs", "s").member("clusters", evil_address().as_str());
    let attachment = Change {
        address: attached,
        origin: Some(evil_span()),
        ..samples::change("zone.a", Action::Adopt, Reason::New)
    };
    Plan {
        changes: vec![
            change(Action::Create, Reason::New),
            change(Action::Update, Reason::CannotUpdate(vec![EVIL.into()])),
            change(Action::Replace, Reason::ParentReplaced(evil_address())),
            change(Action::Delete, Reason::KeyGone),
            attachment,
        ],
        drift: vec![
            Drift { address: evil_address(), attrs: Some(diffs.clone()) },
            Drift { address: evil_address(), attrs: None },
        ],
        notes: vec![Note {
            address: Some(evil_address()),
            text: EVIL.to_owned(),
            help: Some(EVIL.to_owned()),
        }],
        ..Plan::default()
    }
}

fn evil_findings() -> Diagnostics {
    let place = evil_span();
    let finding = Diagnostic::error("e", EVIL).at(place, EVIL).detail(EVIL).help(EVIL);
    Diagnostics::from(finding.on(&evil_address()))
}

fn evil_events() -> Vec<Event> {
    let (step, address) = (StepIx(0), evil_address());
    let text = || EVIL.to_owned();
    let failure = Failure {
        code: Some(text()),
        summary: text(),
        detail: Some(text()),
        help: Some(text()),
        request: Some(text()),
        unknown: true,
    };
    let zero = std::time::Duration::ZERO;
    let op = Op::Update(text());
    vec![
        Event::StepFailed {
            step,
            address: address.clone(),
            op: op.clone(),
            failure,
            elapsed: zero,
        },
        Event::StepSkipped {
            step,
            address: address.clone(),
            op: op.clone(),
            because: Skip::Unavailable(text()),
        },
        Event::StepSkipped {
            step,
            address: address.clone(),
            op: Op::Action(text()),
            because: Skip::Failed(address.clone()),
        },
        Event::StepRetried { step, address: address.clone(), reason: text(), delay: zero },
        Event::StepDone {
            step,
            address: address.clone(),
            action: Action::Update,
            op: op.clone(),
            id: Some(text()),
            elapsed: zero,
            last: true,
        },
        Event::StepStarted {
            step,
            address: address.clone(),
            action: Action::Update,
            op: op.clone(),
        },
        Event::StepProgress { step, address, op, elapsed: zero, waiting_for: text() },
    ]
}

fn evil_picture() -> Picture {
    let node = Node { address: evil_address(), kind: EVIL.to_owned() };
    let edge = Edge { from: evil_address(), to: evil_address(), why: EVIL.to_owned() };
    Picture { nodes: vec![node], edges: vec![edge] }
}

fn evil_state() -> State {
    let mut state = State::default();
    let entry = Entry {
        kind: EVIL.into(),
        provider: EVIL.into(),
        id: EVIL.into(),
        attrs: vec![
            (EVIL.into(), Value::str(EVIL)),
            ("slipped_in".into(), Value::str(SECRET).sensitive()),
        ],
        dependencies: vec![evil_address()],
        schema_version: 1,
        digests: [(EVIL.into(), SECRET.to_owned())].into(),
        incarnation: 0,
        prevent_destroy: false,
        declared_by: Some(EVIL.to_owned()),
        owed: vec![EVIL.into()],
    };
    state.entries.insert(evil_address(), entry);
    state
}
