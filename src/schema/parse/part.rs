//! Parts: a `part` table → [`Part`], whose elements have a type of their own.
//!
//! In: the table and what the owning type is so far. Out: the part; its first attribute is the
//! owner. Must not know other types.

use std::sync::Arc;

use super::attr::{self, Attrs, WireCase, check_name};
use super::call::{self, Place, Role, Scope};
use super::fields::{Entry, Node, Reader};
use crate::diag::Span;
use crate::schema::model::{
    AttrIx, Attribute, Call, IdRule, Kind, OWNER, Part, PartIx, PartOf, Piece, Read, ResourceType,
};

/// What a part takes from the type that owns it.
pub(super) struct Owner<'a> {
    pub name: &'a str,
    pub provider: &'a str,
    pub version: u32,
    /// The API's name of the type.
    pub wire: Option<&'a str>,
    pub case: WireCase,
    pub actions: &'a [Arc<str>],
    /// Where elements are read that have no list of their own.
    pub read: &'a Read,
}

/// Reads a part, the `ix`th of its owner. Its element has no actions and no unique key yet.
pub(super) fn read(
    r: &mut Reader,
    entry: &Entry<'_>,
    owner: &Owner<'_>,
    ix: PartIx,
) -> Option<Part> {
    check_name(r, entry);
    let mut f = r.words(entry.node, "a part")?;
    let case = owner.case;
    let default = || (case.spell(entry.key), case.spell(entry.key));
    let wire = f.take("wire").and_then(|n| attr::wire(r, n));
    let (wire_read, wire_sent) = wire.unwrap_or_else(default);
    let own_list = f.take("read");
    let base = [owner_attribute(owner.name, own_list.is_some().then(|| wire_read.clone()))];
    let attrs = attr::read(r, f.take("attr"), case, &base);
    let scope = Scope {
        attrs: &attrs,
        parts: &[],
        actions: owner.actions,
        wire: owner.wire,
        place: Place::Part,
    };
    let listed = own_list.is_some();
    let read = match own_list {
        Some(node) => call::list(r, node, scope)?,
        None => owner.read.clone(),
    };
    let key = f.take("unique").map_or_else(Vec::new, |n| key(r, n, &attrs));
    if key.is_empty() {
        let text = "a part needs `unique = [[…]]`: one set of its attributes";
        r.fail("missing_key", entry.span, text);
    }
    let doc = f.take("doc").and_then(|n| r.text(n)).unwrap_or_default().to_owned();
    let range = f.take("range").and_then(|n| r.range(n));
    let format = f.take("format").and_then(|n| call::text(r, n, scope));
    let create = f.take("create").and_then(|n| call::read(r, n, Role::Create, scope));
    let update = f.take("update").and_then(|n| call::read(r, n, Role::Update, scope));
    let delete = f.take("delete").and_then(|n| call::read(r, n, Role::Delete, scope));
    r.finish(f);
    check_sent(r, (entry.span, &attrs), (&create, &update), format.as_deref());
    let element = ResourceType {
        name: format!("{}.{}", owner.name, entry.key).into(),
        provider: owner.provider.into(),
        part_of: Some(PartOf { owner: owner.name.into(), part: ix, key, format, listed }),
        version: owner.version,
        doc: doc.clone(),
        id: IdRule::Part,
        unique: Vec::new(),
        after: Vec::new(),
        cascade: Vec::new(),
        attrs: attrs.list,
        links: Vec::new(),
        parts: Vec::new(),
        actions: Vec::new(),
        read,
        create,
        updates: update.into_iter().collect(),
        delete,
    };
    let element = Arc::new(element);
    Some(Part { name: entry.key.into(), doc, wire_read, wire_sent, range, element })
}

/// Every element refers to its owner; `wire`: the member that names it, where its row has one.
fn owner_attribute(owner: &str, wire: Option<Arc<str>>) -> Attribute {
    let wire = wire.unwrap_or_else(|| "".into());
    Attribute {
        required: true,
        wire_read: wire.clone(),
        wire_sent: wire,
        ..Attribute::new("owner", Kind::Ref(owner.into()))
    }
}

fn key(r: &mut Reader, node: Node<'_>, attrs: &Attrs) -> Vec<AttrIx> {
    match r.items(node)[..] {
        [set] => {
            let names = r.texts(set);
            names.into_iter().filter_map(|(name, span)| attrs.named(r, name, span)).collect()
        }
        _ => Vec::new(),
    }
}

/// What can be written must reach the server: in the element's text, or by a call.
fn check_sent(
    r: &mut Reader,
    (place, attrs): (Span, &Attrs),
    (create, update): (&Option<Call>, &Option<Call>),
    format: Option<&[Piece]>,
) {
    let writable = |(ix, a): &(AttrIx, &Attribute)| *ix != OWNER && a.writable();
    let all: Vec<_> = (0..).map(AttrIx).zip(&attrs.list).filter(writable).collect();
    let in_text = |name: &str| match format {
        Some(format) => format.iter().any(|p| matches!(p, Piece::Field(f) if **f == *name)),
        // Without a format an element's text is its only attribute.
        None => all.len() == 1,
    };
    let calls = || create.iter().chain(update);
    for (ix, attribute) in &all {
        if !in_text(&attribute.name) && !calls().any(|call| call.sends(*ix)) {
            let text = format!("`{}` can be written, but no call sends it", attribute.name);
            r.fail("never_sent", place, text);
        }
    }
}
