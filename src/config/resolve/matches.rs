//! What is said when a look-up does not find exactly one object.
//!
//! In: the look-up and what it found. Out: a finding that lists the matches and names the filter
//! that would tell them apart. Knows no resource type by name.

use std::collections::HashSet;
use std::fmt::Write as _;

use crate::address::Address;
use crate::config::Lookup;
use crate::diag::{Diagnostic, Span};
use crate::inventory::LiveObject;
use crate::schema::{AttrIx, IdRule, Kind, ResourceType, UniqueItem};
use crate::value::Value;

/// How many matches a message lists.
const SHOWN: usize = 10;

/// Nothing, or more than one.
pub(super) fn not_one(
    ty: &ResourceType,
    lookup: &Lookup,
    found: &[&LiveObject],
    address: &Address,
) -> Diagnostic {
    let finding =
        if found.is_empty() { none(ty, lookup, address) } else { many(ty, found, address) };
    finding.on(address)
}

/// The finding at the table.
pub(super) fn placed(finding: Diagnostic, at: Span, found: &[&LiveObject]) -> Diagnostic {
    let label = match found.len() {
        0 => "nothing matches".to_owned(),
        count => format!("{count} match, exactly one must"),
    };
    finding.at(at, label)
}

fn none(ty: &ResourceType, lookup: &Lookup, address: &Address) -> Diagnostic {
    let mut wanted: Vec<String> =
        lookup.id.iter().map(|id| format!("the id {:?}", &**id)).collect();
    for (ix, term) in &lookup.filters {
        wanted.push(format!("{} = {}", ty.attr(*ix).name, term.value()));
    }
    let with = match wanted.is_empty() {
        true => String::new(),
        false => format!(" with {}", wanted.join(" and ")),
    };
    Diagnostic::error(
        "no_match",
        format!("`{address}` finds nothing: there is no {}{with}", ty.name),
    )
    .detail("Values are compared exactly. What this account may not see is not found either.")
    .help("correct the filters, or write all = true for a list that may be empty")
}

fn many(ty: &ResourceType, found: &[&LiveObject], address: &Address) -> Diagnostic {
    let telling = telling(ty, found);
    let mut shown = found.to_vec();
    let text = |row: &LiveObject, ix: Option<AttrIx>| {
        ix.map(|ix| value(Some(row), ix).to_string()).unwrap_or_default()
    };
    let name = ty.find_attr("name");
    shown.sort_by_cached_key(|row| (text(row, name), text(row, telling), row.id.clone()));
    let mut detail = String::from("These match:");
    for row in shown.iter().take(SHOWN) {
        let _ = write!(detail, "\n  {}", line(ty, row, telling));
    }
    if found.len() > SHOWN {
        let _ = write!(detail, "\n  and {} more", found.len() - SHOWN);
    }
    let all = "all of them: all = true";
    let help = match (telling, shown.first(), &ty.id) {
        (Some(ix), Some(row), _) => {
            format!("one of them: {} = {}; {all}", ty.attr(ix).name, value(Some(row), ix))
        }
        (_, _, IdRule::None) => format!("no one attribute tells them apart; {all}"),
        (_, row, _) => format!("one of them: uuid = {:?}; {all}", row.map_or("", |row| &row.id)),
    };
    Diagnostic::error("ambiguous_data", format!("`{address}` matches {} objects", found.len()))
        .detail(detail)
        .help(help)
}

/// One match: its name, its id, and what tells it from the others.
fn line(ty: &ResourceType, row: &LiveObject, telling: Option<AttrIx>) -> String {
    let name = ty.find_attr("name");
    let mut parts: Vec<String> = name.iter().map(|ix| value(Some(row), *ix).to_string()).collect();
    if !row.id.is_empty() {
        parts.push(format!("({})", row.id));
    }
    let telling = telling.or_else(|| ty.attrs().map(|(ix, _)| ix).find(|_| parts.is_empty()));
    let telling = telling.filter(|ix| Some(*ix) != name);
    let telling = telling.map(|ix| format!("{} = {}", ty.attr(ix).name, value(Some(row), ix)));
    let separator = if parts.is_empty() || telling.is_none() { "" } else { ", " };
    format!("{}{separator}{}", parts.join(" "), telling.unwrap_or_default())
}

fn value(row: Option<&LiveObject>, ix: AttrIx) -> &Value {
    row.and_then(|row| row.attrs.get(usize::from(ix.0))).unwrap_or(&Value::Null)
}

/// The attribute that has another value in each of the matches: of a unique key rather than any
/// other, `name` before the rest, sizes last.
fn telling(ty: &ResourceType, found: &[&LiveObject]) -> Option<AttrIx> {
    let unique = ty.unique.iter().flatten().filter_map(|item| match item {
        UniqueItem::Attr(ix) => Some(*ix),
        UniqueItem::Nested(..) | UniqueItem::Part(_) => None,
    });
    let plain = |kind: &Kind| !matches!(kind, Kind::Set(_) | Kind::List(_) | Kind::Object(_));
    let of = |size: bool| {
        let suits = move |a: &crate::schema::Attribute| {
            plain(&a.kind) && !a.sensitive && !a.write_only && (a.kind == Kind::Bytes) == size
        };
        ty.attrs().filter(move |(_, a)| suits(a)).map(|(ix, _)| ix)
    };
    unique.chain(ty.find_attr("name")).chain(of(false)).chain(of(true)).find(|ix| {
        let values: HashSet<String> =
            found.iter().map(|row| value(Some(row), *ix).to_string()).collect();
        values.len() == found.len() && !found.iter().any(|row| value(Some(row), *ix).is_null())
    })
}
