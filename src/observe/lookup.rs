//! Objects by id; re-reads of finished steps gathered into one query.
//!
//! In: ids of one type. Out: the live objects that there are. An id that nothing answers to is
//! simply absent from the result; a failed query is a [`Fault`].

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::oneshot;

use super::own::fill_one;
use super::reader::stopped;
use crate::inventory::{LiveObject, split_element_id};
use crate::provider::{Connection, Fault, FaultKind};
use crate::schema::{AttrIx, ResourceType, Schemas, TypeIx};

pub use super::reader::Reader;

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

    /// The same, with attributes that need a call of their own.
    ///
    /// # Errors
    /// A query failed.
    pub async fn read_with(&self, ty: TypeIx, id: &Arc<str>, own: &[AttrIx]) -> Answer {
        let row = self.read(ty, id).await?;
        match (row, self.0.readers.get(usize::from(ty.0))) {
            (Some(row), Some(reader)) if !own.is_empty() => {
                fill_one(reader, row, own).await.map(Some)
            }
            (row, _) => Ok(row),
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
