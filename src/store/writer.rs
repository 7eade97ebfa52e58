//! The thread that makes journal records durable.
//!
//! In: records, from any number of tasks. Out: for each an acknowledgement once it is on the disk.
//! Records that wait together are written and synced together, so that a thousand steps in flight
//! cost a few syncs, not a thousand. The thread also folds what it has made durable, so that at
//! the end nothing is read back.

use std::sync::Arc;
use std::sync::mpsc;
use std::thread::JoinHandle;

use tokio::sync::oneshot;

use super::StoreError;
use super::disk::DiskFile;
use crate::state::fold::Fold;
use crate::state::journal::{Encoder, Record};

/// Appends to the journal of the running apply; clones append to the same.
#[derive(Clone, Debug)]
pub struct JournalWriter {
    queue: mpsc::Sender<Message>,
}

/// The promise of an acknowledgement. Dropping it does not take the record back.
#[must_use = "a record counts only once it is acknowledged"]
#[derive(Debug)]
pub struct Ack(oneshot::Receiver<Result<(), Failure>>);

#[derive(Debug)]
enum Message {
    Append(Box<Record>, oneshot::Sender<Result<(), Failure>>),
    Stop,
}

#[derive(Clone, Debug)]
enum Failure {
    /// This record cannot be written; others can.
    Refused(Arc<str>),
    /// Nothing can be written any more.
    Broken(Arc<str>),
}

impl From<Failure> for StoreError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Refused(why) => Self::Refused(why),
            Failure::Broken(why) => Self::Broken(why),
        }
    }
}

fn closed() -> StoreError {
    StoreError::Broken("the apply has ended".into())
}

impl JournalWriter {
    /// Queues a record. Records become durable in the order in which they are queued.
    pub fn append(&self, record: Record) -> Ack {
        let (done, ack) = oneshot::channel();
        // When the thread has ended, `done` is dropped with the message, which the ack reports.
        let _ = self.queue.send(Message::Append(Box::new(record), done));
        Ack(ack)
    }
}

impl Ack {
    /// Waits until the record is on the disk.
    ///
    /// # Errors
    /// [`StoreError::Broken`] when the journal cannot be written: nothing more may be sent.
    /// [`StoreError::Refused`] when this record holds a secret.
    pub async fn durable(self) -> Result<(), StoreError> {
        Ok(self.0.await.map_err(|_| closed())??)
    }

    /// The same outside of a runtime (inside one, it would stop the other tasks and panics).
    ///
    /// # Errors
    /// As [`Ack::durable`].
    pub fn wait(self) -> Result<(), StoreError> {
        Ok(self.0.blocking_recv().map_err(|_| closed())??)
    }
}

/// The running thread; dropping it writes what is queued and ends it.
pub(super) struct WriterThread {
    queue: mpsc::Sender<Message>,
    thread: Option<JoinHandle<Result<Fold, Arc<str>>>>,
}

impl WriterThread {
    /// Starts on a journal whose head has been written by `encoder`.
    pub(super) fn start(
        file: Box<dyn DiskFile>,
        encoder: Encoder,
        fold: Fold,
    ) -> std::io::Result<Self> {
        let (queue, messages) = mpsc::channel();
        let worker = Worker { file, encoder, fold, broken: None };
        let thread = std::thread::Builder::new()
            .name("journal".to_owned())
            .spawn(move || worker.run(&messages))?;
        Ok(Self { queue, thread: Some(thread) })
    }

    pub(super) fn writer(&self) -> JournalWriter {
        JournalWriter { queue: self.queue.clone() }
    }

    /// Writes what is queued, and that the apply has ended; hands back what all records make of
    /// the state.
    pub(super) fn stop(mut self) -> Result<Fold, StoreError> {
        drop(self.writer().append(Record::End)); // should it fail, the journal says so below
        self.end().unwrap_or_else(|| Err(closed()))
    }

    fn end(&mut self) -> Option<Result<Fold, StoreError>> {
        let thread = self.thread.take()?;
        let _ = self.queue.send(Message::Stop); // an error: it has ended already
        Some(match thread.join() {
            Ok(ended) => ended.map_err(StoreError::Broken),
            Err(_) => Err(StoreError::Broken("its thread panicked".into())),
        })
    }
}

impl Drop for WriterThread {
    fn drop(&mut self) {
        let _ = self.end(); // whoever cares calls `stop`
    }
}

struct Worker {
    file: Box<dyn DiskFile>,
    encoder: Encoder,
    fold: Fold,
    /// After a failed write or sync nothing is known about the end of the file: appending more
    /// could hide a hole.
    broken: Option<Arc<str>>,
}

type Waiting = (Box<Record>, oneshot::Sender<Result<(), Failure>>);

impl Worker {
    fn run(mut self, messages: &mpsc::Receiver<Message>) -> Result<Fold, Arc<str>> {
        let mut stopped = false;
        while !stopped {
            let Ok(first) = messages.recv() else { break };
            let mut batch = Vec::new();
            for message in std::iter::once(first).chain(messages.try_iter()) {
                match message {
                    Message::Append(record, done) => batch.push((record, done)),
                    Message::Stop => stopped = true,
                }
            }
            self.commit(batch);
        }
        match self.broken {
            None => Ok(self.fold),
            Some(why) => Err(why),
        }
    }

    fn commit(&mut self, batch: Vec<Waiting>) {
        let mut text = Vec::new();
        let mut written = Vec::with_capacity(batch.len());
        for (record, done) in batch {
            match self.encoder.encode(&record, &mut text) {
                Ok(()) => written.push((record, done)),
                Err(e) => answer(done, Err(Failure::Refused(e.to_string().into()))),
            }
        }
        if !text.is_empty() && self.broken.is_none() {
            let result = self.file.write_all(&text).and_then(|()| self.file.sync());
            self.broken = result.err().map(|e| e.to_string().into());
        }
        for (record, done) in written {
            match &self.broken {
                Some(why) => answer(done, Err(Failure::Broken(why.clone()))),
                None => {
                    self.fold.add(*record);
                    answer(done, Ok(()));
                }
            }
        }
    }
}

/// Nobody may be waiting any more; that is their business.
fn answer(done: oneshot::Sender<Result<(), Failure>>, result: Result<(), Failure>) {
    let _ = done.send(result);
}
