//! Types that are only looked up: no `id`, or `id = "row"`, and nothing but a `read` and actions.
//!
//! In: what `ty` has read. Out: the same with what follows from it: every attribute that the read
//! does not take is what a row has. Must not know any type by name.

use toml::de::DeValue;

use super::fields::{Node, Reader};
use crate::schema::model::{IdRule, Kind, Piece, Read, ResourceType, SendItem, Target};

/// `id` of a type whose rows have one and that is only looked up.
pub(super) const ROW: &str = "row";

/// Whether a file's `id`, or its absence, makes it a type that is only looked up.
pub(super) fn is_data_only(id: Option<Node<'_>>) -> bool {
    match id.map(|node| node.value) {
        None => true,
        Some(DeValue::String(text)) => &**text == ROW,
        Some(_) => false,
    }
}

/// What a call without `send` takes: nothing more than stands in its path, if that or its reply
/// shows that it is no query.
pub(super) fn plain(target: &Target, reply: &str) -> Option<Vec<SendItem>> {
    let holes = target.path.iter().any(|piece| matches!(piece, Piece::Field(_)));
    (holes || reply == Read::WHOLE).then(Vec::new)
}

/// Marks what is read as computed, and refuses what only a resource can have.
pub(super) fn finish(r: &mut Reader, ty: &mut ResourceType) {
    let calls = ty.create.is_some() || !ty.updates.is_empty() || ty.delete.is_some();
    let tables = !ty.links.is_empty() || !ty.parts.is_empty();
    let order = !ty.unique.is_empty() || !ty.after.is_empty() || !ty.cascade.is_empty();
    if calls || tables || order {
        let text = "a type without `id` is only looked up: it has nothing but attributes, `read` and actions";
        r.fail("missing_key", r.span(0..0), text);
    }
    if ty.read.whole() && ty.id != IdRule::None {
        r.fail("contradiction", r.span(0..0), "a reply that is its own row has no id");
    }
    if matches!(ty.read.target.path.last(), Some(Piece::Field(_))) {
        let text = "a path that ends with an id can run another call: there a GET may delete";
        r.fail("bad_call", r.span(0..0), text);
    }
    let mut wrong = Vec::new();
    let read = &ty.read;
    for (ix, attr) in (0..).map(crate::schema::AttrIx).zip(&mut ty.attrs) {
        let taken = read.takes(ix, &attr.name);
        if read.target.names(&attr.name) {
            attr.required = true;
        }
        if attr.sensitive
            || attr.write_only
            || (!taken && (attr.required || attr.default.is_some()))
        {
            wrong.push(attr.name.clone());
        }
        if taken && matches!(attr.kind, Kind::Object(_)) {
            wrong.push(attr.name.clone());
        }
        attr.computed = !taken;
    }
    for name in wrong {
        let text = format!("`{name}` is neither what `read` takes nor what it can return");
        r.fail("contradiction", r.span(0..0), text);
    }
}
