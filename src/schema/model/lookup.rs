//! What can be looked up: which types, by which attributes, and what their reads take.
//!
//! In: what `schema::parse` read. Out: answers for the stages that deal with `[data.TYPE.LABEL]`.

use std::sync::Arc;

use super::{AttrIx, IdRule, Kind, Piece, Read, ResourceType, Schemas, SendSource, Target};

impl Schemas {
    /// The types that a configuration can look up: all but those of parts.
    pub fn lookups(&self) -> impl Iterator<Item = &Arc<ResourceType>> {
        self.types.iter().filter(|ty| ty.part_of.is_none())
    }
    /// Whether an object of a type can stand where one of `wanted` is meant: its own, or one that
    /// is only looked up and whose list holds it too (`/primary-storage` has what
    /// `/primary-storage/ceph` has).
    pub fn suits(&self, kind: &str, wanted: &str) -> bool {
        if kind == wanted {
            return true;
        }
        let (Some(own), Some(general)) = (self.by_name(kind), self.by_name(wanted)) else {
            return false;
        };
        let path = |ty: &ResourceType| match &ty.read.target.path[..] {
            [Piece::Lit(path)] => Some(path.clone()),
            _ => None,
        };
        let (Some(path), Some(above)) = (path(own), path(general)) else { return false };
        let below = path.strip_prefix(&*above).is_some_and(|r| r.is_empty() || r.starts_with('/'));
        general.data_only() && own.provider == general.provider && below
    }
}

impl ResourceType {
    /// Whether its objects can only be looked up (`[data.TYPE.LABEL]`), never declared.
    pub fn data_only(&self) -> bool {
        matches!(self.id, IdRule::Row | IdRule::None)
    }
    /// Whether the read takes this attribute, so that only a table that looks up can give it.
    pub fn argument(&self, ix: AttrIx) -> bool {
        self.data_only() && self.read.takes(ix, &self.attr(ix).name)
    }
    /// Why a table that looks up cannot filter by this attribute.
    pub fn no_filter(&self, ix: AttrIx) -> Option<&'static str> {
        let attr = self.attr(ix);
        match attr.kind {
            _ if attr.sensitive || attr.write_only => Some("it is never read from a cloud"),
            Kind::Set(_) | Kind::List(_) if !self.argument(ix) => Some("it has many values"),
            Kind::Object(_) => Some("it has attributes of its own"),
            _ => None,
        }
    }
}

impl Read {
    /// [`Self::reply`] of a call whose reply is the row itself.
    pub const WHOLE: &str = ".";

    /// Whether the reply itself is the one row.
    pub fn whole(&self) -> bool {
        self.reply == Self::WHOLE
    }
    /// Whether the call takes this attribute, in its path or its query: of a type that is only
    /// looked up, an argument.
    pub fn takes(&self, ix: AttrIx, name: &str) -> bool {
        let sent = self.send.iter().flatten().any(|s| s.source == SendSource::Attr(ix));
        sent || self.target.names(name)
    }
}

impl Target {
    /// Whether the path has a hole for this attribute.
    pub fn names(&self, name: &str) -> bool {
        self.path.iter().any(|p| matches!(p, Piece::Field(field) if &**field == name))
    }
}
