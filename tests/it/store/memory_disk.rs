//! A disk in memory that forgets what was not synced.
//!
//! It keeps what programs see apart from what would survive: per file the bytes synced, and the
//! names as of the last sync of the directory. [`MemoryDisk::after`] is the disk after a crash.

use std::collections::BTreeMap;
use std::io::{self, Cursor, Read, Write};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};

use rackform::store::disk::{Disk, DiskFile};

/// What a crash leaves.
#[derive(Clone, Copy, Debug)]
pub enum Crash {
    /// Nothing unsynced.
    DropAll,
    /// All names (renames reach the disk early), but of the content only what was synced.
    NamesFirst,
    /// All names, and half of the content that was not synced.
    HalfContent,
    /// Everything: the process was killed, the machine lives.
    Killed,
}

impl Crash {
    pub const ALL: [Self; 4] = [Self::DropAll, Self::NamesFirst, Self::HalfContent, Self::Killed];
}

/// A sync that does nothing.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Lie {
    FileSync,
    DirSync,
}

#[derive(Clone, Default)]
pub struct MemoryDisk(Arc<Shared>);

#[derive(Default)]
struct Shared {
    disk: Mutex<Inner>,
    gate: Mutex<GateState>,
    changed: Condvar,
}

#[derive(Default)]
struct Inner {
    files: Vec<Content>,
    names: BTreeMap<String, usize>,
    durable: BTreeMap<String, usize>,
    /// Operations that change something, so far.
    operations: usize,
    syncs: usize,
    fail_at: Option<usize>,
    lie: Option<Lie>,
}

#[derive(Clone, Default)]
struct Content {
    seen: Vec<u8>,
    synced: usize,
}

#[derive(Default, PartialEq)]
enum GateState {
    #[default]
    Open,
    Armed,
    Reached,
}

impl Inner {
    fn step(&mut self) -> io::Result<()> {
        self.operations += 1;
        match self.fail_at {
            Some(at) if self.operations >= at => Err(io::Error::other("the power is gone")),
            _ => Ok(()),
        }
    }
    fn find(&self, name: &str) -> io::Result<usize> {
        self.names.get(name).copied().ok_or_else(|| io::ErrorKind::NotFound.into())
    }
}

impl MemoryDisk {
    /// A new disk whose power goes at an operation, counted from 1.
    pub fn failing_at(operation: usize, lie: Option<Lie>) -> Self {
        let disk = Self::default();
        disk.inner().fail_at = Some(operation);
        disk.inner().lie = lie;
        disk
    }
    pub fn fail_from_now_on(&self) {
        self.inner().fail_at = Some(0);
    }
    pub fn operations(&self) -> usize {
        self.inner().operations
    }
    pub fn syncs(&self) -> usize {
        self.inner().syncs
    }

    /// What is left of this disk after a crash.
    pub fn after(&self, crash: Crash) -> Self {
        let inner = self.inner();
        let names = match crash {
            Crash::DropAll => &inner.durable,
            _ => &inner.names,
        };
        let left = |file: &Content| {
            let kept = match crash {
                Crash::DropAll | Crash::NamesFirst => file.synced,
                Crash::HalfContent => file.synced + (file.seen.len() - file.synced) / 2,
                Crash::Killed => file.seen.len(),
            };
            Content { seen: file.seen[..kept].to_vec(), synced: kept }
        };
        let files = inner.files.iter().map(left).collect();
        let after = Self::default();
        *after.inner() =
            Inner { files, names: names.clone(), durable: names.clone(), ..Inner::default() };
        drop(inner);
        after
    }

    /// Makes the next sync of a file wait at a gate.
    pub fn hold_next_sync(&self) -> Gate {
        *lock(&self.0.gate) = GateState::Armed;
        Gate(self.0.clone())
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        lock(&self.0.disk)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().expect("no test panics while it holds this")
}

/// Where a sync waits.
pub struct Gate(Arc<Shared>);

impl Gate {
    pub fn wait_until_reached(&self) {
        let state = lock(&self.0.gate);
        drop(self.0.changed.wait_while(state, |s| *s != GateState::Reached).expect("no panic"));
    }
    pub fn open(&self) {
        *lock(&self.0.gate) = GateState::Open;
        self.0.changed.notify_all();
    }
}

impl Disk for MemoryDisk {
    fn open(&self, name: &str) -> io::Result<Option<Box<dyn Read>>> {
        let inner = self.inner();
        let found = inner.names.get(name).map(|at| inner.files[*at].seen.clone());
        Ok(found.map(|bytes| Box::new(Cursor::new(bytes)) as Box<dyn Read>))
    }
    fn create(&self, name: &str) -> io::Result<Box<dyn DiskFile>> {
        let mut inner = self.inner();
        inner.step()?;
        let at = inner.files.len();
        inner.files.push(Content::default());
        inner.names.insert(name.to_owned(), at);
        Ok(Box::new(OpenFile { disk: self.clone(), at }))
    }
    fn link(&self, from: &str, to: &str) -> io::Result<()> {
        let mut inner = self.inner();
        inner.step()?;
        if inner.names.contains_key(to) {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        let at = inner.find(from)?;
        inner.names.insert(to.to_owned(), at);
        Ok(())
    }
    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        let mut inner = self.inner();
        inner.step()?;
        let at = inner.find(from)?;
        // As POSIX has it: two names of one file both stay.
        if inner.names.get(to) != Some(&at) {
            inner.names.remove(from);
            inner.names.insert(to.to_owned(), at);
        }
        Ok(())
    }
    fn remove(&self, name: &str) -> io::Result<()> {
        let mut inner = self.inner();
        inner.step()?;
        inner.names.remove(name);
        Ok(())
    }
    fn sync_dir(&self) -> io::Result<()> {
        let mut inner = self.inner();
        inner.step()?;
        if inner.lie != Some(Lie::DirSync) {
            inner.durable = inner.names.clone();
        }
        Ok(())
    }
}

struct OpenFile {
    disk: MemoryDisk,
    at: usize,
}

impl Write for OpenFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut inner = self.disk.inner();
        let result = inner.step();
        // The power goes in the middle of a write.
        let done = if result.is_ok() { bytes.len() } else { bytes.len() / 2 };
        inner.files[self.at].seen.extend_from_slice(&bytes[..done]);
        result.map(|()| done)
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl DiskFile for OpenFile {
    fn sync(&mut self) -> io::Result<()> {
        let shared = &self.disk.0;
        let mut gate = lock(&shared.gate);
        if *gate == GateState::Armed {
            *gate = GateState::Reached;
            shared.changed.notify_all();
        }
        drop(shared.changed.wait_while(gate, |s| *s != GateState::Open).expect("no panic"));
        let mut inner = self.disk.inner();
        inner.step()?;
        inner.syncs += 1;
        if inner.lie != Some(Lie::FileSync) {
            let file = &mut inner.files[self.at];
            file.synced = file.seen.len();
        }
        Ok(())
    }
}
