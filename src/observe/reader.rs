//! Lists of one type, and batches of ids out of them.
//!
//! In: a connection, a type, ids. Out: live objects. An id that nothing answers to is simply absent
//! from the result; a failed query is a [`Fault`].

use std::collections::BTreeMap;
use std::sync::Arc;

use tokio::task::JoinSet;

use crate::inventory::LiveObject;
use crate::provider::{Ask, Connection, Fault, FaultKind, List};
use crate::schema::ResourceType;
use crate::wire::decode::{Page, RowDecoder};

/// Reads objects of one type. Cheap to clone.
#[derive(Clone)]
pub struct Reader {
    pub(super) connection: Connection,
    pub(super) ty: Arc<ResourceType>,
    pub(super) decoder: Arc<RowDecoder>,
}

impl Reader {
    pub fn new(connection: &Connection, ty: &Arc<ResourceType>) -> Self {
        let decoder = Arc::new(RowDecoder::new(ty));
        Self { connection: connection.clone(), ty: ty.clone(), decoder }
    }

    /// Objects with these ids, in any order. Texts that can be no id are not asked for.
    ///
    /// # Errors
    /// A query failed.
    pub async fn by_ids<'a>(
        &self,
        ids: impl IntoIterator<Item = &'a Arc<str>>,
    ) -> Result<Vec<LiveObject>, Fault> {
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

    pub(super) async fn ask(&self, only: &[Arc<str>], ask: Ask<'_>) -> Result<Page, Fault> {
        let target = &self.ty.read.target;
        self.connection.page(&self.decoder, &List { target, id: &[], to: &[], only, ask }).await
    }
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
