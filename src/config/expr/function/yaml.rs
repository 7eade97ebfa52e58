//! `yamldecode` and `yamlencode`.
//!
//! In: one YAML document, or a value. Out: the value, or a document in Terraform's form (texts
//! and keys in quotes, keys in order). Documents that nest too deep or whose aliases multiply are
//! refused by the library's budget.

use super::{Args, Function, Group, MAX_TEXT, Outcome, json};
use crate::value::Value;

const fn row(
    name: &'static str,
    parameters: &'static str,
    run: fn(Args<'_>) -> Outcome,
) -> Function {
    Function::new(Group::Encoding, (name, parameters), run)
}

pub(super) static TABLE: &[Function] = &[
    row("yamldecode", "text", decode).says("The value that a YAML document means.").example(
        r#"yamldecode("hosts:\n- kvm-01\n- kvm-02\n")"#,
        r#"{ hosts = ["kvm-01", "kvm-02"] }"#,
    ),
    row("yamlencode", "value", encode)
        .says("A value as a YAML document.")
        .example(r#"yamlencode({ a = ["b"] })"#, r#""\"a\":\n- \"b\"\n""#),
];

/// Nesting that is read: what fits onto the stack of any thread.
const DEEPEST: usize = 48;
/// Events of the parser: a list of 100,000 hosts with 20 attributes each fits.
const EVENTS: usize = 10_000_000;

fn decode(args: Args<'_>) -> Outcome {
    let text = args.text(0)?;
    let options = serde_saphyr::options! {
        budget: serde_saphyr::budget! {
            max_depth: DEEPEST,
            max_events: EVENTS,
            max_nodes: EVENTS,
        },
        with_snippet: false,
    };
    serde_saphyr::from_str_with_options(&text, options).map_err(|error| {
        let text = error.to_string();
        let reason = text.lines().next().unwrap_or_default();
        args.wrong(0, format!("this is not YAML: {reason}"))
    })
}

fn encode(args: Args<'_>) -> Outcome {
    let mut out = String::new();
    if document(args.value(0), 0, &mut out) { Ok(Value::str(&out)) } else { Err(args.too_long()) }
}

/// Writes a value from the place where the text stands; lines that follow are indented. Says
/// whether there is room.
fn document(value: &Value, indent: usize, out: &mut String) -> bool {
    match value {
        Value::List(items) if !items.is_empty() => items.iter().enumerate().all(|(at, item)| {
            start(at, indent, out);
            out.push_str("- ");
            document(item, indent + 2, out)
        }),
        Value::Map(items) if !items.is_empty() => {
            items.iter().enumerate().all(|(at, (key, item))| {
                start(at, indent, out);
                out.push_str(&json::quoted(key));
                out.push(':');
                below(item, indent, out)
            })
        }
        Value::List(_) => line("[]", out),
        Value::Map(_) => line("{}", out),
        Value::Sensitive(inner) => document(inner, indent, out),
        other => line(&json::scalar(other), out),
    }
}

/// What stands under a key: lists in its column, maps further in.
fn below(value: &Value, indent: usize, out: &mut String) -> bool {
    let deeper = match value {
        Value::List(items) if !items.is_empty() => indent,
        Value::Map(items) if !items.is_empty() => indent + 2,
        _ => {
            out.push(' ');
            return document(value, indent, out);
        }
    };
    out.push('\n');
    out.push_str(&" ".repeat(deeper));
    document(value, deeper, out)
}

/// The first element stands where the text ends already.
fn start(at: usize, indent: usize, out: &mut String) {
    if at > 0 {
        out.push_str(&" ".repeat(indent));
    }
}

fn line(text: &str, out: &mut String) -> bool {
    out.push_str(text);
    out.push('\n');
    out.len() <= MAX_TEXT
}
