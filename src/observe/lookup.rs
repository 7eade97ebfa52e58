//! Objects by id, in batches; re-reads of finished steps gathered into one query.
//!
//! In: ids of one type. Out: the live objects that there are. An id that nothing answers to is
//! simply absent from the result; a failed query is a [`Fault`].

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::task::JoinSet;

use crate::inventory::{LiveObject, split_element_id};
use crate::provider::{Ask, Connection, Fault, FaultKind, List};
use crate::schema::{AttrIx, OWNER, Piece, ResourceType, Schemas, Target, TypeIx};
use crate::wire::decode::{Page, RowDecoder};

/// Reads objects of one type. Cheap to clone.
#[derive(Clone)]
pub struct Reader {
    pub(super) connection: Connection,
    pub(super) ty: Arc<ResourceType>,
    decoder: Arc<RowDecoder>,
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
        let owners = ids.into_iter().filter_map(|id| split_element_id(id));
        let owners: BTreeSet<Arc<str>> = owners.map(|(owner, _)| owner.into()).collect();
        self.referring(OWNER, &owners).await
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
        let target = &self.ty.read.target;
        self.connection.page(&self.decoder, &List { target, id: &[], to: &[], only, ask }).await
    }
}

/// Objects of a type with these ids.
///
/// # Errors
/// A query failed.
pub async fn reread(
    connection: &Connection,
    ty: &Arc<ResourceType>,
    ids: &[Arc<str>],
) -> Result<Vec<LiveObject>, Fault> {
    Reader::new(connection, ty).by_ids(ids).await
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

/// Gathers re-reads: finished steps of a type wait up to 20 ms or 100 ids, then one query answers
/// all of them (design section 6). The query always starts after it was asked for, so that it
/// shows the effect of the step. Cheap to clone.
#[derive(Clone)]
pub struct Coalescer(Arc<Gathering>);

struct Gathering {
    readers: Vec<Reader>,
    /// The types whose rows list the elements of a part, by the type of these.
    owners: HashMap<TypeIx, TypeIx>,
    waiting: Mutex<HashMap<TypeIx, Batch>>,
    rounds: std::sync::atomic::AtomicU64,
}

type Answer = Result<Option<LiveObject>, Fault>;

#[derive(Default)]
struct Batch {
    /// Tells a timer whether the batch it was started for is still there.
    round: u64,
    asked: HashMap<Arc<str>, Vec<oneshot::Sender<Answer>>>,
}

/// How long the first re-read waits for others.
const GATHER: Duration = Duration::from_millis(20);

impl Coalescer {
    pub fn new(connection: &Connection, schemas: &Schemas) -> Self {
        let readers = schemas.types.iter().map(|ty| Reader::new(connection, ty)).collect();
        Self(Arc::new(Gathering {
            readers,
            owners: schemas.embedded().collect(),
            waiting: Mutex::default(),
            rounds: std::sync::atomic::AtomicU64::new(0),
        }))
    }

    /// The object as it is now; `None` when there is none. Needs a tokio runtime.
    ///
    /// # Errors
    /// The query failed.
    pub async fn read(&self, ty: TypeIx, id: &Arc<str>) -> Answer {
        let Some(owner_ty) = self.0.owners.get(&ty) else { return self.read_row(ty, id).await };
        let owner = split_element_id(id).map(|(owner, _)| Arc::from(owner)).unwrap_or_default();
        let owner = self.read_row(*owner_ty, &owner).await?;
        let elements = owner.into_iter().flat_map(|o| o.elements).flat_map(|(_, all)| all);
        Ok(elements.into_iter().find(|element| element.id == *id))
    }

    async fn read_row(&self, ty: TypeIx, id: &Arc<str>) -> Answer {
        match self.enqueue(ty, id).await {
            Ok(answer) => answer,
            Err(_) => Err(stopped()),
        }
    }

    fn enqueue(&self, ty: TypeIx, id: &Arc<str>) -> oneshot::Receiver<Answer> {
        let (sender, receiver) = oneshot::channel();
        let most = self.0.readers.first().map_or(1, |r| r.connection.limits().ids);
        // A panic elsewhere leaves the map whole: every change to it is one call.
        let mut waiting = self.0.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let batch = waiting.entry(ty).or_default();
        let first = batch.asked.is_empty();
        batch.asked.entry(id.clone()).or_default().push(sender);
        if first {
            batch.round = self.0.rounds.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            tokio::spawn(self.clone().after_a_while(ty, batch.round));
        }
        if batch.asked.len() >= most
            && let Some(batch) = waiting.remove(&ty)
        {
            tokio::spawn(self.clone().answer(ty, batch));
        }
        receiver
    }

    async fn after_a_while(self, ty: TypeIx, round: u64) {
        tokio::time::sleep(GATHER).await;
        let batch = {
            let mut waiting = self.0.waiting.lock().unwrap_or_else(PoisonError::into_inner);
            match waiting.get(&ty) {
                Some(batch) if batch.round == round => waiting.remove(&ty),
                _ => None,
            }
        };
        if let Some(batch) = batch {
            self.answer(ty, batch).await;
        }
    }

    async fn answer(self, ty: TypeIx, batch: Batch) {
        // Sorted, so that the same batch is the same request.
        let ids: BTreeSet<Arc<str>> = batch.asked.keys().cloned().collect();
        let result = match self.0.readers.get(usize::from(ty.0)) {
            Some(reader) => reader.by_ids(&ids).await,
            None => Err(Fault::new(FaultKind::Invalid, "a type of another schema set")),
        };
        let found = result.map(|rows| {
            rows.into_iter().map(|row| (row.id.clone(), row)).collect::<HashMap<_, _>>()
        });
        for (id, senders) in batch.asked {
            let answer = found.as_ref().map(|f| f.get(&id).cloned()).map_err(Clone::clone);
            for sender in senders {
                // Whoever asked may have been stopped meanwhile.
                let _ = sender.send(answer.clone());
            }
        }
    }
}
