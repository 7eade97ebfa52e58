//! Functions with regular expressions.
//!
//! In: patterns in RE2 syntax, which Terraform and the `regex` crate share, and texts. Out: what
//! matched. Matching takes time linear in the text, whatever the pattern.

use std::cell::RefCell;
use std::sync::Arc;

use regex::{Captures, Regex};

use super::{Args, Function, Group, MAX_ITEMS, MAX_TEXT, Misuse, Outcome};
use crate::value::Value;

const fn row(
    name: &'static str,
    parameters: &'static str,
    run: fn(Args<'_>) -> Outcome,
) -> Function {
    Function::new(Group::Text, (name, parameters), run)
}

pub(super) static TABLE: &[Function] = &[
    row("regex", "pattern, text", first)
        .says(
            "What a pattern matches first: text without groups, a list with groups, a map with \
             named groups. No match is an error.",
        )
        .example(r#"regex("[a-z]+", "53453453.345345aaabbbccc23454")"#, r#""aaabbbccc""#),
    row("regexall", "pattern, text", every)
        .says("All that a pattern matches, as a list; empty when nothing does.")
        .example(r#"regexall("[a-z]+", "1234abcd5678efgh9")"#, r#"["abcd", "efgh"]"#),
    row("replace", "text, part, replacement", replace)
        .says(
            "The text with each occurrence of a part replaced; a part between slashes is a \
             pattern, and `$1` or `${name}` in the replacement its groups.",
        )
        .example(r#"replace("1 + 2 + 3", "+", "-")"#, r#""1 - 2 - 3""#),
];

/// Compiled patterns that are kept: instances of one block use the same few.
const KEPT: usize = 32;

thread_local! {
    static COMPILED: RefCell<Vec<(Box<str>, Regex)>> = const { RefCell::new(Vec::new()) };
}

fn compiled(args: Args<'_>, at: usize, pattern: &str) -> Result<Regex, Misuse> {
    COMPILED.with_borrow_mut(|kept| {
        if let Some((_, regex)) = kept.iter().find(|(known, _)| &**known == pattern) {
            return Ok(regex.clone());
        }
        let regex = Regex::new(pattern).map_err(|error| {
            // The library draws the pattern with a caret; the last line is the reason.
            let text = error.to_string();
            let reason = text.lines().last().unwrap_or_default();
            let reason = reason.trim_start_matches("error: ");
            args.wrong(at, format!("not a pattern: {reason}"))
        })?;
        if kept.len() == KEPT {
            kept.remove(0);
        }
        kept.push((pattern.into(), regex.clone()));
        Ok(regex)
    })
}

/// The groups of a pattern, which all have names or none has.
fn groups(args: Args<'_>, regex: &Regex) -> Result<Vec<Option<Arc<str>>>, Misuse> {
    let names: Vec<_> = regex.capture_names().skip(1).map(|n| n.map(Arc::from)).collect();
    if names.iter().any(Option::is_some) && names.iter().any(Option::is_none) {
        return Err(args.wrong(0, "some groups of the pattern have names and some have none"));
    }
    Ok(names)
}

fn found(names: &[Option<Arc<str>>], captures: &Captures<'_>) -> Value {
    let text = |at: usize| captures.get(at).map_or(Value::Null, |m| Value::str(m.as_str()));
    match names.first() {
        None => text(0),
        Some(None) => Value::list((1..=names.len()).map(text).collect()),
        Some(Some(_)) => {
            let named = names.iter().enumerate();
            Value::map(named.filter_map(|(at, n)| Some((n.clone()?, text(at + 1)))).collect())
        }
    }
}

fn first(args: Args<'_>) -> Outcome {
    let (pattern, text) = (args.text(0)?, args.text(1)?);
    let regex = compiled(args, 0, &pattern)?;
    let names = groups(args, &regex)?;
    match regex.captures(&text) {
        Some(captures) => Ok(found(&names, &captures)),
        None => {
            let misuse = args.wrong(1, format!("{pattern:?} does not match this"));
            Err(Args::advice(misuse, "`regexall` gives an empty list where nothing matches"))
        }
    }
}

fn every(args: Args<'_>) -> Outcome {
    let (pattern, text) = (args.text(0)?, args.text(1)?);
    let regex = compiled(args, 0, &pattern)?;
    let names = groups(args, &regex)?;
    let mut items = Vec::new();
    for captures in regex.captures_iter(&text) {
        items.push(found(&names, &captures));
        if items.len().saturating_mul(names.len() + 1) > MAX_ITEMS {
            return Err(args.too_many());
        }
    }
    Ok(Value::list(items))
}

fn replace(args: Args<'_>) -> Outcome {
    let (text, part, with) = (args.text(0)?, args.text(1)?, args.text(2)?);
    let pattern = part.strip_prefix('/').and_then(|rest| rest.strip_suffix('/'));
    let Some(pattern) = pattern else {
        let growth = text.matches(&*part).count().saturating_mul(with.len());
        if text.len().saturating_add(growth) > MAX_TEXT {
            return Err(args.too_long());
        }
        return Ok(Value::str(&text.replace(&*part, &with)));
    };
    let regex = compiled(args, 1, pattern)?;
    let references = with.matches('$').count();
    let (mut out, mut done) = (String::new(), 0);
    for captures in regex.captures_iter(&text) {
        let whole = captures.get_match();
        out.push_str(&text[done..whole.start()]);
        // No group is longer than the whole match.
        let most = whole.len().saturating_mul(references).saturating_add(with.len());
        if out.len().saturating_add(most) > MAX_TEXT {
            return Err(args.too_long());
        }
        captures.expand(&with, &mut out);
        done = whole.end();
    }
    out.push_str(&text[done..]);
    Ok(Value::str(&out))
}
