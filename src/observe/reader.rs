//! Lists of one type, and batches of ids out of them.
//!
//! In: a connection, a type, ids. Out: live objects. An id that nothing answers to is simply absent
//! from the result; a failed query is a [`Fault`].

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use tokio::task::JoinSet;

use crate::inventory::{LiveObject, split_element_id};
use crate::provider::{Ask, Connection, Fault, FaultKind, List};
use crate::schema::{AttrIx, OWNER, Piece, ResourceType, Target};
use crate::wire::decode::{Page, RowDecoder};

/// Reads objects of one type. Cheap to clone.
#[derive(Clone)]
pub struct Reader {
    pub(super) connection: Connection,
    pub(super) ty: Arc<ResourceType>,
    target: Arc<Target>,
    pub(super) decoder: Arc<RowDecoder>,
}

impl Reader {
    pub fn new(connection: &Connection, ty: &Arc<ResourceType>) -> Self {
        let decoder = Arc::new(RowDecoder::new(ty));
        let target = Arc::new(ty.read.target.clone());
        Self { connection: connection.clone(), ty: ty.clone(), target, decoder }
    }

    /// The same, asking with other conditions or arguments.
    pub(super) fn at(self, target: Target) -> Self {
        Self { target: Arc::new(target), ..self }
    }

    /// Objects with these ids, in any order. Texts that can be no id are not asked for.
    ///
    /// # Errors
    /// A query failed.
    pub async fn by_ids<'a>(
        &self,
        ids: impl IntoIterator<Item = &'a Arc<str>>,
    ) -> Result<Vec<LiveObject>, Fault> {
        if self.ty.part_of.is_some() {
            return self.by_owners(ids).await;
        }
        let ids: Vec<_> = ids.into_iter().filter(|id| self.connection.is_id(id)).cloned().collect();
        let batches = ids.chunks(self.connection.limits().ids).map(|batch| {
            let (reader, batch) = (self.clone(), batch.to_vec());
            async move {
                let limit = reader.connection.limits().page;
                Ok(reader.ask(&batch, Ask::Rows { start: 0, limit, total: false }).await?.rows)
            }
        });
        all(batches).await.map(|rows| rows.into_iter().flatten().collect())
    }

    /// Elements of a part that has a list of its own: all of the owners that these are of.
    async fn by_owners<'a>(
        &self,
        ids: impl IntoIterator<Item = &'a Arc<str>>,
    ) -> Result<Vec<LiveObject>, Fault> {
        self.referring(OWNER, &owners_of(ids)).await
    }

    /// The fewest requests that [`Self::by_ids`] can take for these.
    pub(super) fn batches<'a>(&self, ids: impl IntoIterator<Item = &'a Arc<str>>) -> u64 {
        let count = match self.ty.part_of {
            Some(_) => owners_of(ids).len(),
            None => ids.into_iter().count(),
        };
        count.div_ceil(self.connection.limits().ids) as u64
    }

    /// All objects whose attribute holds one of these ids.
    ///
    /// # Errors
    /// A query failed.
    pub async fn referring(
        &self,
        attr: AttrIx,
        ids: &BTreeSet<Arc<str>>,
    ) -> Result<Vec<LiveObject>, Fault> {
        let member = &self.ty.attr(attr).wire_read;
        let mut target = self.ty.read.target.clone();
        let condition = vec![Piece::Lit(format!("{member}=").into()), Piece::Id];
        target.query.push(("q".to_owned(), condition));
        let target = Arc::new(target);
        let ids: Vec<_> = ids.iter().filter(|id| self.connection.is_id(id)).cloned().collect();
        let batches = ids.chunks(self.connection.limits().ids).map(|batch| {
            let (reader, target, batch) = (self.clone(), target.clone(), batch.to_vec());
            async move { reader.every_page(&target, &batch).await }
        });
        all(batches).await.map(|rows| rows.into_iter().flatten().collect())
    }

    async fn every_page(&self, target: &Target, id: &[Arc<str>]) -> Result<Vec<LiveObject>, Fault> {
        let limit = self.connection.limits().page;
        let mut rows = Vec::new();
        loop {
            let ask = Ask::Rows { start: rows.len() as u64, limit, total: false };
            let list = List { target, id, to: &[], only: &[], ask };
            let page = self.connection.page(&self.decoder, &list).await?.rows;
            let full = page.len() as u64 == limit;
            rows.extend(page);
            if !full {
                return Ok(rows);
            }
        }
    }

    pub(super) async fn ask(&self, only: &[Arc<str>], ask: Ask<'_>) -> Result<Page, Fault> {
        let target = &*self.target;
        self.connection.page(&self.decoder, &List { target, id: &[], to: &[], only, ask }).await
    }
}

/// The ids of the owners in ids of elements.
pub(super) fn owners_of<'a>(ids: impl IntoIterator<Item = &'a Arc<str>>) -> BTreeSet<Arc<str>> {
    ids.into_iter().filter_map(|id| split_element_id(id)).map(|(owner, _)| owner.into()).collect()
}

/// Runs futures side by side (the connection bounds the calls at once); results in order. The
/// first failure ends the others.
pub(super) async fn all<T: Send + 'static>(
    work: impl IntoIterator<Item = impl Future<Output = Result<T, Fault>> + Send + 'static>,
) -> Result<Vec<T>, Fault> {
    let mut running = JoinSet::new();
    for (at, work) in work.into_iter().enumerate() {
        running.spawn(async move { (at, work.await) });
    }
    let mut results = BTreeMap::new();
    while let Some(joined) = running.join_next().await {
        let (at, result) = joined.map_err(|_| stopped())?;
        results.insert(at, result?);
    }
    Ok(results.into_values().collect())
}

/// A task ended without a result: it panicked, or the runtime shuts down.
pub(super) fn stopped() -> Fault {
    Fault::new(FaultKind::Failed, "the query was stopped")
}
