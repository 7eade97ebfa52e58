//! The rules across schema files.
//!
//! In: every file, read. Out: findings at the places that break a rule: a name that no file
//! defines, a type name that the configuration needs for itself, a cycle between types. Rules
//! within one file are kept by `parse`. Must not know any type by name.
//!
//! The language stays small: at most 30 keys ([`KEYS`]) and 10 quirks ([`Quirk::ALL`]), asserted
//! when this compiles.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::model::{IdRule, Link, Quirk, Side};
use super::parse::{KEYS, Mention, Named, Parsed};
use crate::address::is_identifier;
use crate::diag::{Diagnostic, Diagnostics, Span, nearest};

const _: () = assert!(KEYS.len() <= 30 && Quirk::ALL.len() <= 10);

/// Tables of the configuration, and roots of expressions.
const RESERVED: [&str; 22] = [
    "rackform",
    "backend",
    "provider",
    "variable",
    "locals",
    "data",
    "output",
    "module",
    "import",
    "moved",
    "removed",
    "check",
    "var",
    "local",
    "each",
    "count",
    "path",
    "self",
    "terraform",
    "true",
    "false",
    "null",
];

/// Every finding about files that each are sound.
pub(super) fn all(files: &[Parsed]) -> Diagnostics {
    let mut found = Diagnostics::default();
    let mut types = BTreeMap::new();
    for file in files {
        check_name(file, &types, &mut found);
        types.entry(&*file.ty.name).or_insert(file);
    }
    for file in files {
        for mention in &file.mentions {
            check_mention(file, mention, &types, &mut found);
        }
    }
    if !found.has_errors() {
        check_cycle(files, &mut found);
    }
    found
}

type Types<'a> = BTreeMap<&'a str, &'a Parsed>;

fn check_name(file: &Parsed, types: &Types<'_>, found: &mut Diagnostics) {
    let name = &*file.ty.name;
    let top = Span { file: file.file, start: 0, end: 0 };
    let mut refuse = |code, text: String| {
        found.push(Diagnostic::error(code, text).at(top, "this file").help("rename the file"));
    };
    if RESERVED.contains(&name) {
        refuse("reserved_type", format!("`{name}` has a meaning of its own in configurations"));
    }
    if !is_identifier(name) {
        refuse("bad_name", format!("`{name}` cannot be a type's name"));
    }
    if let Some(other) = types.get(name) {
        let text = format!("provider `{}` already has a type `{name}`", other.ty.provider);
        refuse("type_twice", text);
    }
}

fn check_mention(file: &Parsed, mention: &Mention, types: &Types<'_>, found: &mut Diagnostics) {
    let (kind, link) = match &mention.what {
        Named::Ref { kind, .. } | Named::End { kind, .. } | Named::After { kind } => (kind, None),
        Named::AfterLink { kind, link } | Named::Owner { kind, link } => (kind, Some(link)),
    };
    let Some(target) = types.get(&**kind) else {
        let near = nearest(kind, types.keys().copied());
        let text = format!("there is no type `{kind}`");
        return found.push(unknown("unknown_type", text, mention.span, near));
    };
    if target.ty.id == IdRule::None {
        let text = format!("a `{kind}` has no id: nothing can refer to it");
        return found.push(unknown("no_id", text, mention.span, None));
    }
    let Some(link) = link else { return };
    let Some(defined) = target.ty.links.iter().find(|l| l.name == *link) else {
        let near = nearest(link, target.ty.links.iter().map(|l| &*l.name));
        let text = format!("type `{kind}` has no link `{link}`");
        return found.push(unknown("unknown_link", text, mention.span, near));
    };
    if !leads_to(defined, &mention.what, &file.ty.name) {
        let text = format!("`{kind}.{link}` is not owned there or does not lead here");
        found.push(unknown("unknown_link", text, mention.span, None));
    }
}

/// Whether a link is one that can be waited for, or that this type is the other end of.
fn leads_to(link: &Link, what: &Named, here: &Arc<str>) -> bool {
    match (&link.side, what) {
        (Side::Owner { to, .. }, Named::Owner { .. }) => to == here,
        (Side::Owner { .. }, _) => true,
        (Side::Other { .. }, _) => false,
    }
}

fn unknown(code: &'static str, text: String, span: Span, near: Option<&str>) -> Diagnostic {
    let finding = Diagnostic::error(code, text).at(span, "here");
    match near {
        Some(near) => finding.help(format!("did you mean `{near}`?")),
        None => finding,
    }
}

/// Types and links (`TYPE.LINK`) → what comes before them. A type may refer to itself: whether
/// its objects form a cycle is for the plan to see.
fn before(files: &[Parsed]) -> BTreeMap<String, Vec<(String, Span)>> {
    let mut edges: BTreeMap<String, Vec<(String, Span)>> = BTreeMap::new();
    for file in files {
        let own = &file.ty.name;
        let mut add = |from: String, to: String, span| {
            if from != to {
                edges.entry(from).or_default().push((to, span));
            }
        };
        for Mention { span, what } in &file.mentions {
            match what {
                Named::Ref { kind, orders: true } | Named::After { kind } => {
                    add(own.to_string(), kind.to_string(), *span);
                }
                Named::AfterLink { kind, link } => {
                    add(own.to_string(), format!("{kind}.{link}"), *span);
                }
                Named::End { link, kind } => {
                    add(format!("{own}.{link}"), own.to_string(), *span);
                    add(format!("{own}.{link}"), kind.to_string(), *span);
                }
                Named::Ref { orders: false, .. } | Named::Owner { .. } => {}
            }
        }
    }
    edges
}

fn check_cycle(files: &[Parsed], found: &mut Diagnostics) {
    let edges = before(files);
    let mut done = Vec::new();
    for start in edges.keys() {
        let mut trail = Vec::new();
        if let Some((ring, span)) = walk(start, &edges, &mut trail, &mut done) {
            let text = format!("types wait for each other: {ring}");
            found.push(Diagnostic::error("type_cycle", text).at(span, "this closes the ring"));
            return;
        }
    }
}

/// Depth first; the ring found and the place of its last edge. As deep as types refer to types.
fn walk<'a>(
    at: &'a str,
    edges: &'a BTreeMap<String, Vec<(String, Span)>>,
    trail: &mut Vec<&'a str>,
    done: &mut Vec<&'a str>,
) -> Option<(String, Span)> {
    if done.contains(&at) {
        return None;
    }
    trail.push(at);
    for (next, span) in edges.get(at).into_iter().flatten() {
        if let Some(start) = trail.iter().position(|name| name == next) {
            let ring = trail[start..].iter().copied().chain([next.as_str()]);
            let ring: Vec<_> = ring.map(|name| format!("`{name}`")).collect();
            return Some((ring.join(" → "), *span));
        }
        let ring = walk(next, edges, trail, done);
        if ring.is_some() {
            return ring;
        }
    }
    trail.pop();
    done.push(at);
    None
}
