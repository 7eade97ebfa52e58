//! The state in a directory: `rackform.state.json`, its journal, its lock, its backup.
//!
//! A write goes to a temporary file, which is synced, renamed over the state, and the directory is
//! synced: at every instant there is one whole state. An apply writes the state twice, at its
//! start and its end, and in between appends to the journal:
//!
//! ```text
//! begin    state N+1, which names what is pending    → journal of N+1, with its head
//! append   records, each durable before its effect
//! finish   state N+2, all records folded in          → no journal
//! ```
//!
//! Cut off anywhere, the state and its journal still say everything that was acknowledged.

use std::collections::BTreeMap;
use std::io::{BufWriter, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use super::disk::{Disk, DiskFile, RealDisk};
use super::lock::{self, Claim, Holder, Lock, LockInfo};
use super::writer::{JournalWriter, WriterThread};
use super::{Snapshot, StoreError};
use crate::state::fold::{Fold, fold};
use crate::state::format::{self, FormatError};
use crate::state::journal::{self, Encoder, Record, Run};
use crate::state::{Output, State};

/// Names in the directory.
pub const STATE: &str = "rackform.state.json";
/// The state before the last write.
pub const BACKUP: &str = "rackform.state.json.backup";
pub const JOURNAL: &str = "rackform.state.journal";
/// Where the next one is written; a leftover means nothing.
const TEMPORARY: &str = "rackform.state.json.tmp";
const JOURNAL_TEMPORARY: &str = "rackform.state.journal.tmp";
const BACKUP_TEMPORARY: &str = "rackform.state.json.backup.tmp";

/// The state of one directory.
#[derive(Clone)]
pub struct LocalStore {
    dir: PathBuf,
    disk: Arc<dyn Disk>,
}

/// What the file held when it was last read or written by us.
#[derive(Clone, Debug, Default, PartialEq)]
struct Base {
    /// `None`: there was no file.
    hash: Option<blake3::Hash>,
    lineage: String,
    serial: u64,
    /// Last run contained, or folded in memory.
    run: String,
}

impl LocalStore {
    /// The store of a directory; touches nothing.
    pub fn open(dir: &Path) -> Self {
        Self::with_disk(dir, Arc::new(RealDisk::new(dir)))
    }

    /// The same on another disk; the lock stays with the real directory.
    pub fn with_disk(dir: &Path, disk: Arc<dyn Disk>) -> Self {
        Self { dir: dir.to_owned(), disk }
    }

    /// Reads without the lock: the state with the journal folded in memory, and whether somebody
    /// holds the lock.
    ///
    /// # Errors
    /// [`StoreError::State`] and [`StoreError::Journal`] when one cannot be used.
    pub fn read(&self) -> Result<Snapshot, StoreError> {
        let running = self.holder()?;
        let loaded = match self.load() {
            // Between its two files a whole apply may have passed: looked at again, they fit.
            Err(StoreError::Journal { .. }) => self.load(),
            other => other,
        };
        Ok(Snapshot { running, ..loaded?.0 })
    }

    /// Takes the lock, waiting for it as long as `patience`; `waiting` is told who holds it.
    ///
    /// # Errors
    /// [`StoreError::Locked`] with the holder.
    pub fn lock(
        &self,
        claim: &Claim,
        patience: Duration,
        waiting: &mut dyn FnMut(&Holder),
    ) -> Result<Guard, StoreError> {
        let lock = lock::acquire(&lock::path(&self.dir), claim, patience, waiting)?;
        Ok(Guard { store: self.clone(), base: None, lock })
    }

    /// Who holds the lock, for `force-unlock`: a local lock cannot be taken away from a living
    /// process and does not outlive a dead one.
    ///
    /// # Errors
    /// [`StoreError::Io`].
    pub fn holder(&self) -> Result<Option<Holder>, StoreError> {
        lock::holder(&lock::path(&self.dir))
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.join(name)
    }

    fn bytes(&self, name: &str) -> Result<Option<Vec<u8>>, StoreError> {
        let read = |mut file: Box<dyn Read>| {
            let mut bytes = Vec::new();
            file.read_to_end(&mut bytes).map(|_| bytes)
        };
        let bytes = self.disk.open(name).and_then(|file| file.map(read).transpose());
        bytes.map_err(StoreError::io("read", &self.path(name)))
    }

    fn hash(&self) -> Result<Option<blake3::Hash>, StoreError> {
        let hash = |file: Box<dyn Read>| {
            let mut hasher = blake3::Hasher::new();
            hasher.update_reader(file).map(|h| h.finalize())
        };
        let hash = self.disk.open(STATE).and_then(|file| file.map(hash).transpose());
        hash.map_err(StoreError::io("read", &self.path(STATE)))
    }

    /// Reads the journal first: an apply that ends in between has then already written it into
    /// the state. The other way round, its records would be missed.
    fn load(&self) -> Result<(Snapshot, Base), StoreError> {
        let journal_text = self.bytes(JOURNAL)?;
        let text = self.bytes(STATE)?;
        let state = match &text {
            Some(text) => format::read(text).map_err(|e| self.unusable(e))?,
            None => State::default(),
        };
        let mut base = Base::of(&state, text.as_deref().map(blake3::hash));
        drop(text);
        let snapshot = self.with_journal(state, journal_text.as_deref())?;
        base.run.clone_from(&snapshot.state.run);
        Ok((snapshot, base))
    }

    fn with_journal(&self, state: State, text: Option<&[u8]>) -> Result<Snapshot, StoreError> {
        let failed = |source| StoreError::Journal { path: self.path(JOURNAL), source };
        let plain = |state| Snapshot { state, ..Snapshot::default() };
        let Some(journal) = text.map(journal::read).transpose().map_err(failed)?.flatten() else {
            return Ok(plain(state));
        };
        if journal.run.lineage == state.lineage && journal.run.run == state.run {
            return Ok(plain(state)); // folded, but cut off before it was removed
        }
        let (run, torn) = (journal.run.clone(), journal.torn);
        let fold = fold(journal, state).map_err(failed)?;
        let unfinished = fold.unfinished().cloned().collect();
        let ended = fold.ended;
        Ok(Snapshot { unfolded: Some(run), ended, unfinished, torn, ..plain(fold.state) })
    }

    fn unusable(&self, source: FormatError) -> StoreError {
        StoreError::State { path: self.path(STATE), source }
    }
}

/// The right to write, held until dropped.
pub struct Guard {
    store: LocalStore,
    /// What writes build on; `None` before the first read.
    base: Option<Base>,
    lock: Lock,
}

impl Guard {
    /// What the lock says about us.
    pub fn info(&self) -> &LockInfo {
        &self.lock.info
    }

    /// Reads the state to build on, with the journal of a cut-off apply folded in memory. That
    /// journal stays on the disk until the next write.
    ///
    /// # Errors
    /// As [`LocalStore::read`].
    pub fn read(&mut self) -> Result<Snapshot, StoreError> {
        let (snapshot, base) = self.store.load()?;
        self.base = Some(base);
        Ok(snapshot)
    }

    /// Writes a state made from the one that was read (with the serial it had), raises its
    /// serial, and removes the journal that is folded into it: unfinished intents that still
    /// matter have to be dealt with before.
    ///
    /// # Errors
    /// [`StoreError::Serial`], [`StoreError::Lineage`] when it was made from another state,
    /// [`StoreError::Changed`] when the file is not as we left it. Nothing is changed then.
    pub fn write(&mut self, state: &mut State) -> Result<(), StoreError> {
        let base = match self.base.clone() {
            Some(base) => base,
            None => self.rebase()?,
        };
        base.precedes(state)?;
        self.store.check_unchanged(&base)?;
        // Should a step below fail, the next write looks at what is really there.
        self.base = None;
        let serial = state.serial;
        state.run = base.run;
        state.serial = serial.saturating_add(1);
        match self.store.replace_state(state) {
            Ok(hash) => self.base = Some(Base::of(state, Some(hash))),
            Err(error) => {
                state.serial = serial;
                return Err(error);
            }
        }
        self.store.remove(JOURNAL)
    }

    fn rebase(&mut self) -> Result<Base, StoreError> {
        let (_, base) = self.store.load()?;
        self.base = Some(base.clone());
        Ok(base)
    }

    /// Starts an apply: writes the state, which names everything pending, then a journal with
    /// nothing but its head. Both are durable when this returns, and no request may leave before.
    ///
    /// # Errors
    /// As [`Guard::write`].
    pub fn begin(
        mut self,
        mut state: State,
        run: String,
        started: String,
    ) -> Result<Recording, StoreError> {
        self.write(&mut state)?;
        let head = Run {
            lineage: state.lineage.clone(),
            serial: state.serial,
            run: run.clone(),
            holder: self.lock.info.who.clone(),
            started,
        };
        let (file, encoder) = self.store.create_journal(head)?;
        let fold = Fold::new(state, run);
        let thread = WriterThread::start(file, encoder, fold)
            .map_err(StoreError::io("start the thread for", &self.store.path(JOURNAL)))?;
        Ok(Recording { thread, guard: self })
    }
}

/// A running apply. Dropped without [`Recording::finish`], it leaves the journal to the next one.
pub struct Recording {
    // Dropped in this order: first the journal is flushed, then the lock is released.
    thread: WriterThread,
    guard: Guard,
}

impl Recording {
    /// Where the steps record what they do.
    pub fn writer(&self) -> JournalWriter {
        self.thread.writer()
    }

    /// Ends the apply: waits for what is queued. Nothing can be recorded any more; the state is
    /// written by [`Recorded::write`].
    ///
    /// # Errors
    /// [`StoreError::Broken`] when the journal could not be written. It stays, and the next apply
    /// folds it.
    pub fn stop(self) -> Result<Recorded, StoreError> {
        let Self { thread, guard } = self;
        Ok(Recorded { fold: thread.stop()?, guard })
    }

    /// Ends the apply and writes the state. Blocks while it writes.
    ///
    /// # Errors
    /// As [`Recording::stop`] and [`Recorded::write`].
    pub fn finish(self) -> Result<(Guard, State), StoreError> {
        self.stop()?.write()
    }
}

/// An apply that has ended and whose state is not written yet.
pub struct Recorded {
    fold: Fold,
    guard: Guard,
}

impl Recorded {
    /// The state with all records folded in.
    pub fn state(&self) -> &State {
        &self.fold.state
    }

    /// Sets what the outputs have come to.
    pub fn set_outputs(&mut self, outputs: BTreeMap<Arc<str>, Output>) {
        self.fold.state.outputs = outputs;
    }

    /// Writes the state and removes the journal. When a call's outcome is unknown, the journal
    /// stays instead, so that the next apply finds the job; the state returned is the same as if it
    /// were written. Blocks while it writes.
    ///
    /// # Errors
    /// As [`Guard::write`]. The journal stays, and the next apply folds it.
    pub fn write(self) -> Result<(Guard, State), StoreError> {
        let Self { fold, mut guard } = self;
        let done = fold.unfinished().next().is_none();
        let mut state = fold.state;
        if done {
            // The records are in this state, so that the write marks their run as contained.
            if let Some(base) = &mut guard.base {
                base.run.clone_from(&state.run);
            }
            guard.write(&mut state)?;
        } else {
            guard.base = None;
        }
        Ok((guard, state))
    }
}

impl Base {
    fn of(state: &State, hash: Option<blake3::Hash>) -> Self {
        let State { lineage, serial, run, .. } = state;
        Self { hash, lineage: lineage.clone(), serial: *serial, run: run.clone() }
    }

    /// Whether a state was made from the one that is there.
    fn precedes(&self, state: &State) -> Result<(), StoreError> {
        if self.hash.is_some() && state.lineage != self.lineage {
            let (given, current) = (state.lineage.clone(), self.lineage.clone());
            return Err(StoreError::Lineage { given, current });
        }
        if state.serial != self.serial {
            return Err(StoreError::Serial { given: state.serial, current: self.serial });
        }
        Ok(())
    }
}

/// The durable steps. Their order is the promise; `tests/it/store.rs` cuts the power between any
/// two.
impl LocalStore {
    fn check_unchanged(&self, base: &Base) -> Result<(), StoreError> {
        if self.hash()? == base.hash {
            return Ok(());
        }
        let found = match self.bytes(STATE)?.as_deref().map(format::read) {
            None => "it is gone".to_owned(),
            Some(Err(e)) => e.to_string(),
            Some(Ok(state)) if state.lineage != base.lineage => {
                format!("it has lineage {} now, not {}", state.lineage, base.lineage)
            }
            Some(Ok(state)) if state.serial != base.serial => {
                format!("it has serial {} now, not {}", state.serial, base.serial)
            }
            Some(Ok(_)) => "it was edited, with the same serial".to_owned(),
        };
        Err(StoreError::Changed { path: self.path(STATE), found })
    }

    /// Puts a state in the place of the last; durable when this returns.
    fn replace_state(&self, state: &State) -> Result<blake3::Hash, StoreError> {
        let path = self.path(STATE);
        let temporary = self.disk.create(TEMPORARY).map_err(StoreError::io("create", &path))?;
        let mut tee = Tee { hasher: blake3::Hasher::new(), file: BufWriter::new(temporary) };
        format::write(state, &mut tee).map_err(|e| self.unusable(e))?;
        let Tee { hasher, file } = tee;
        file.into_inner()
            .map_err(std::io::IntoInnerError::into_error)
            .and_then(|mut file| file.sync())
            .map_err(StoreError::io("write", &path))?;
        self.back_up();
        self.disk.rename(TEMPORARY, STATE).map_err(StoreError::io("replace", &path))?;
        self.disk.sync_dir().map_err(StoreError::io("sync the directory of", &path))?;
        Ok(hasher.finalize())
    }

    /// Keeps the last state under another name, for people. A comfort, not a promise: some file
    /// systems have no second names, and the state itself does not depend on it.
    fn back_up(&self) {
        let kept = self
            .disk
            .remove(BACKUP_TEMPORARY)
            .and_then(|()| self.disk.link(STATE, BACKUP_TEMPORARY))
            .and_then(|()| self.disk.rename(BACKUP_TEMPORARY, BACKUP));
        drop(kept);
    }

    /// A journal with its head, in the place of an old one; durable when this returns.
    fn create_journal(&self, head: Run) -> Result<(Box<dyn DiskFile>, Encoder), StoreError> {
        let path = self.path(JOURNAL);
        let mut encoder = Encoder::default();
        let mut text = Vec::new();
        encoder
            .encode(&Record::Run(head), &mut text)
            .map_err(|source| StoreError::Journal { path: path.clone(), source })?;
        let created = self.disk.create(JOURNAL_TEMPORARY).and_then(|mut file| {
            file.write_all(&text)?;
            file.sync()?;
            self.disk.rename(JOURNAL_TEMPORARY, JOURNAL)?;
            self.disk.sync_dir()?;
            Ok(file)
        });
        Ok((created.map_err(StoreError::io("create", &path))?, encoder))
    }

    /// Not synced: a journal that comes back is known as one that the state contains.
    fn remove(&self, name: &str) -> Result<(), StoreError> {
        self.disk.remove(name).map_err(StoreError::io("remove", &self.path(name)))
    }
}

/// Writes to a file and takes the hash on the way.
struct Tee {
    hasher: blake3::Hasher,
    file: BufWriter<Box<dyn DiskFile>>,
}

impl Write for Tee {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let written = self.file.write(bytes)?;
        self.hasher.update(&bytes[..written]);
        Ok(written)
    }
    fn flush(&mut self) -> std::io::Result<()> {
        self.file.flush()
    }
}
