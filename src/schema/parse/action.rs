//! Actions: an `action` table → [`ActionDef`].
//!
//! In: one table and what may be named in it. Out: the action with its parameters, which are
//! written as attributes are, and its call. In the call, `send` and placeholders name parameters;
//! `wait` names attributes of the type. Must not know other types.

use super::attr::{self, Attrs, WireCase};
use super::call::{self, Role, Scope};
use super::fields::{Entry, Node, Reader};
use super::{Mention, Named};
use crate::address::is_identifier;
use crate::schema::model::{ActionDef, Call, Kind, Piece, Quirk, SendSource, Wait};

/// Reads one action.
pub(super) fn read(
    r: &mut Reader,
    entry: &Entry<'_>,
    (scope, case): (Scope<'_>, WireCase),
    mentions: &mut Vec<Mention>,
) -> Option<ActionDef> {
    if !is_identifier(entry.key) {
        r.fail("bad_name", entry.span, format!("`{}` cannot be an action's name", entry.key));
    }
    let mut f = r.words(entry.node, "an action")?;
    let doc = f.take("doc").and_then(|n| r.text(n)).unwrap_or_default().to_owned();
    let params = attr::read(r, f.take("attr"), case, &[]);
    check_params(r, &params, entry, mentions);
    let quirk = f.take("quirk").and_then(|n| quirk(r, n));
    let wait = f.take("wait").map_or(Wait::Done, |n| call::wait(r, n, scope.attrs));
    let scope = Scope { attrs: &params, ..scope };
    let call = call::members(r, &mut f, entry.span, (Role::Action, scope));
    r.finish(f);
    let call = Call { wait, ..call? };
    let action = ActionDef { name: entry.key.into(), doc, params: params.list, quirk, call };
    check_call(r, entry, &action);
    Some(action)
}

fn quirk(r: &mut Reader, node: Node<'_>) -> Option<Quirk> {
    let quirk = attr::quirk(r, node)?;
    if !quirk.of_action() {
        let text = format!("`{}` is a quirk of attributes, not of actions", quirk.name());
        r.fail("unknown_quirk", node.span, text);
    }
    Some(quirk)
}

/// A parameter is always sent and never read. What it refers to has to exist, which orders
/// nothing.
fn check_params(r: &mut Reader, all: &Attrs, entry: &Entry<'_>, mentions: &mut Vec<Mention>) {
    for (param, place) in all.list.iter().zip(&all.places) {
        let span = place.unwrap_or(entry.span);
        if param.computed || param.write_only {
            let text = format!("`{}` is a parameter: it is sent and never read", param.name);
            r.fail("contradiction", span, text);
        }
        if let Some(kind) = referred(&param.kind) {
            let what = Named::Ref { kind: kind.as_str().into(), orders: false };
            mentions.push(Mention { span, what });
        }
    }
}

fn referred(kind: &Kind) -> Option<String> {
    match kind {
        Kind::Ref(name) => Some(name.to_string()),
        Kind::Set(item) | Kind::List(item) => referred(item),
        _ => None,
    }
}

/// Every parameter reaches the server, and one call is either for one object or for many.
fn check_call(r: &mut Reader, entry: &Entry<'_>, action: &ActionDef) {
    for (ix, param) in action.params() {
        let in_path = action.call.target.path.iter().any(|p| is_field(p, &param.name));
        if !in_path && !action.call.sends(ix) {
            let text = format!("the parameter `{}` is not sent", param.name);
            r.fail("never_sent", entry.span, text);
        }
        if in_path && !param.required {
            let text = format!("the parameter `{}` stands in the path: it is required", param.name);
            r.fail("contradiction", entry.span, text);
        }
    }
    let names_one = action.call.target.path.contains(&Piece::Id)
        || action.call.send.iter().any(|s| matches!(&s.source, SendSource::Text(_)));
    if action.takes_many() && names_one {
        r.fail("contradiction", entry.span, "the call is for many objects, but also names one");
    }
}

fn is_field(piece: &Piece, name: &str) -> bool {
    matches!(piece, Piece::Field(field) if **field == *name)
}
