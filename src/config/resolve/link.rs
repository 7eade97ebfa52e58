//! Attachments: lists of references, from either side → [`DesiredLink`]s on the owning side.
//!
//! In: the attribute of a link as written. Out: one link per element. Whether two sides declare
//! the same pair is judged in `check`.

use std::sync::Arc;

use super::Work;
use super::attr::{Shape, Tree};
use crate::address::Address;
use crate::config::{DesiredLink, End};
use crate::diag::{Diagnostic, Span};
use crate::schema::{Link, LinkIx, ResourceType, Side, TypeIx};
use crate::value::Value;

/// The resource that declares links.
pub(super) struct Declarer<'a> {
    pub address: &'a Address,
    pub ty: TypeIx,
    pub resource: &'a ResourceType,
}

impl Work<'_> {
    /// The links of one attribute. Says whether the attribute counts as mentioned: a null one
    /// does not.
    pub(super) fn links(
        &mut self,
        by: &Declarer<'_>,
        ix: LinkIx,
        tree: Option<Tree>,
        out: &mut Vec<DesiredLink>,
    ) -> bool {
        let link = by.resource.link(ix);
        let Some(tree) = tree else { return true };
        if matches!(&tree.shape, Shape::Leaf(value) if value.is_null()) {
            return false;
        }
        let span = tree.span;
        match tree.items() {
            Ok(items) => {
                self.ends_within(by, link, items.len(), span);
                items.iter().for_each(|item| out.extend(self.link(by, ix, item)));
            }
            Err(tree) => self.no_list(by, link, &tree),
        }
        true
    }

    fn ends_within(&mut self, by: &Declarer<'_>, link: &Link, count: usize, span: Span) {
        let Some((least, most)) = link.range else { return };
        if (least..=most).contains(&i64::try_from(count).unwrap_or(i64::MAX)) {
            return;
        }
        let problem = format!("`{}` has {count} elements", link.name);
        let finding = Diagnostic::error("out_of_range", problem)
            .at(span, format!("{least} to {most} are possible"));
        self.findings.push(finding.on(by.address));
    }

    fn no_list(&mut self, by: &Declarer<'_>, link: &Link, tree: &Tree) {
        let problem = format!("`{}` must be a list of references", link.name);
        let finding = Diagnostic::error("wrong_kind", problem)
            .at(tree.span, format!("this is {}", tree.kind_name()))
            .help("put it in brackets: […]");
        self.findings.push(finding.on(by.address));
    }

    fn link(&mut self, by: &Declarer<'_>, ix: LinkIx, item: &Tree) -> Option<DesiredLink> {
        let link = by.resource.link(ix);
        let wanted: Vec<&Arc<str>> = match &link.side {
            Side::Owner { to, .. } => vec![to],
            Side::Other { owners } => owners.iter().map(|(kind, _)| kind).collect(),
        };
        let other = match self.reference(item, &wanted, by.address)? {
            Value::Object(address) => End::Ours(address),
            Value::Str(id) => End::Foreign(id),
            _ => return None,
        };
        let this = End::Ours(by.address.clone());
        let declared = item.span;
        let declared_by = (by.address.clone(), link.name.clone());
        let (owner, owner_ty, owner_link, to) = match &link.side {
            Side::Owner { .. } => (this, by.ty, ix, other),
            Side::Other { owners } => {
                let (owner_ty, owner_link) = self.owner(owners, &other, by, item)?;
                (other, owner_ty, owner_link, this)
            }
        };
        // The address is the owner's; a foreign owner has none, then it is that of the declarer.
        let address = match &owner {
            End::Ours(address) => {
                let name = &self.schemas.get(owner_ty).link(owner_link).name;
                address.member(name, end_key(&to))
            }
            End::Foreign(id) => by.address.member(&link.name, id),
        };
        Some(DesiredLink { address, owner, owner_ty, link: owner_link, to, declared, declared_by })
    }

    /// The owning type and its link, for a link declared from the other end.
    fn owner(
        &mut self,
        owners: &[(Arc<str>, Arc<str>)],
        other: &End,
        by: &Declarer<'_>,
        item: &Tree,
    ) -> Option<(TypeIx, LinkIx)> {
        let owner = match other {
            End::Ours(address) => owners.iter().find(|(kind, _)| **kind == *address.kind()),
            End::Foreign(_) if owners.len() == 1 => owners.first(),
            End::Foreign(_) => None,
        };
        let Some((kind, link)) = owner else {
            let finding =
                Diagnostic::error("foreign_owner", "an id does not say of which type it is")
                    .at(item.span, "a foreign object")
                    .help("declare the attachment on the other object, where that is managed");
            self.findings.push(finding.on(by.address));
            return None;
        };
        let ty = self.schemas.find(kind)?;
        Some((ty, self.schemas.get(ty).find_link(link)?))
    }
}

/// How an end stands in the key of a link's address.
fn end_key(end: &End) -> &str {
    match end {
        End::Ours(address) => address.as_str(),
        End::Foreign(id) => id,
    }
}
