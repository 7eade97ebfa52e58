//! One writer at a time, kept by the operating system.
//!
//! The lock is the kernel's, on a file beside the state; it ends with the process that holds it,
//! however that ends. The text in the file only tells people who it is: text of a dead holder
//! means nothing. The file itself stays: removing it would let two processes lock two files.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

use serde::{Deserialize, Serialize};

use super::{StoreError, random_hex};

/// Who wants the lock and what for.
#[derive(Clone, Debug)]
pub struct Claim {
    /// `apply`, `state mv`.
    pub operation: String,
    /// `user@host`.
    pub who: String,
    /// Now, RFC 3339 in UTC.
    pub created: String,
}

/// What a lock says about its holder: the members and spelling that Terraform's backends use, so
/// that their tools and servers can show it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct LockInfo {
    #[serde(rename = "ID")]
    pub id: String,
    pub operation: String,
    /// Free text; ours is JSON with the process id.
    pub info: String,
    pub who: String,
    pub version: String,
    pub created: String,
    pub path: String,
}

impl LockInfo {
    fn new(claim: &Claim, path: &Path) -> Result<Self, StoreError> {
        Ok(Self {
            id: random_hex(16)?,
            operation: claim.operation.clone(),
            info: format!("{{\"pid\":{}}}", std::process::id()),
            who: claim.who.clone(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            created: claim.created.clone(),
            path: path.display().to_string(),
        })
    }

    /// The process id in [`LockInfo::info`].
    pub fn pid(&self) -> Option<u64> {
        #[derive(Deserialize)]
        struct Info {
            pid: u64,
        }
        serde_json::from_str::<Info>(&self.info).ok().map(|info| info.pid)
    }
}

/// Somebody who holds the lock.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Holder {
    /// `None` while it has not written its name yet.
    pub info: Option<LockInfo>,
    /// For how long, by the clock of this machine.
    pub age: Option<Duration>,
}

impl Holder {
    /// ` by ops@runner (apply) for 12 s`, to go after "locked".
    pub fn sentence(&self) -> String {
        let Some(info) = &self.info else { return String::new() };
        let age = self.age.map_or_else(String::new, |age| match age.as_secs() {
            seconds @ 0..120 => format!(" for {seconds} s"),
            seconds @ 120..7200 => format!(" for {} min", seconds / 60),
            seconds => format!(" for {} h", seconds / 3600),
        });
        format!(" by {} ({}){age}", info.who, info.operation)
    }

    /// What to do about it.
    pub fn help(&self) -> String {
        let pid = self.info.as_ref().and_then(LockInfo::pid);
        let process = pid.map_or_else(|| "its process".to_owned(), |pid| format!("process {pid}"));
        format!(
            "wait for it (`--lock-timeout 5m` does), or end {process}: the lock ends with it, and \
             the next apply takes up what it left"
        )
    }
}

/// The lock, held until dropped.
#[derive(Debug)]
pub struct Lock {
    file: File,
    pub info: LockInfo,
}

impl Drop for Lock {
    fn drop(&mut self) {
        // Only so that nobody reads an old name; closing the file is what releases the lock.
        let _ = self.file.set_len(0);
    }
}

/// A reader that asks whether an apply runs holds a shared lock for some microseconds. Whoever
/// finds the lock taken must not mistake it for a holder.
const GRACE: Duration = Duration::from_millis(100);
/// Longest pause between two attempts.
const PAUSE_MAX: Duration = Duration::from_secs(2);

/// Takes the lock, waiting as long as `patience`; `waiting` is told who holds it before each
/// pause.
///
/// # Errors
/// [`StoreError::Locked`] when it is still held then; [`StoreError::Io`].
pub fn acquire(
    path: &Path,
    claim: &Claim,
    patience: Duration,
    waiting: &mut dyn FnMut(&Holder),
) -> Result<Lock, StoreError> {
    let start = Instant::now();
    let mut pause = Duration::from_millis(10);
    loop {
        if let Some(lock) = attempt(path, claim)? {
            return Ok(lock);
        }
        let waited = start.elapsed();
        if waited >= GRACE.max(patience) {
            return Err(StoreError::Locked { holder: Box::new(described(path)) });
        }
        if waited >= GRACE {
            waiting(&described(path));
            pause = (pause * 2).min(PAUSE_MAX);
        }
        std::thread::sleep(pause.min(GRACE.max(patience) - waited));
    }
}

fn attempt(path: &Path, claim: &Claim) -> Result<Option<Lock>, StoreError> {
    let failed = StoreError::io("lock", path);
    let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path);
    let mut file = match file {
        Ok(file) => file,
        Err(e) => return Err(failed(e)),
    };
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => return Ok(None),
        Err(TryLockError::Error(e)) => return Err(failed(e)),
    }
    let info = LockInfo::new(claim, path)?;
    write_info(&mut file, &info).map_err(failed)?;
    Ok(Some(Lock { file, info }))
}

fn write_info(file: &mut File, info: &LockInfo) -> io::Result<()> {
    file.set_len(0)?;
    file.rewind()?;
    let text = serde_json::to_string(info)?;
    writeln!(file, "{text}")
}

/// Who holds the lock at this moment, if anybody does. Takes nothing but a look.
///
/// # Errors
/// [`StoreError::Io`] when the file cannot be opened.
pub fn holder(path: &Path) -> Result<Option<Holder>, StoreError> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(e) => return Err(StoreError::io("read", path)(e)),
    };
    match file.try_lock_shared() {
        Ok(()) => Ok(None),
        Err(TryLockError::WouldBlock) => Ok(Some(described(path))),
        Err(TryLockError::Error(e)) => Err(StoreError::io("lock", path)(e)),
    }
}

/// What the text in the file says. Good for messages only, so that an unreadable one is no error.
fn described(path: &Path) -> Holder {
    let mut text = String::new();
    let read = File::open(path).and_then(|mut file| {
        file.read_to_string(&mut text)?;
        file.metadata()?.modified()
    });
    let age = read.ok().and_then(|at| SystemTime::now().duration_since(at).ok());
    let info = serde_json::from_str(&text).ok();
    Holder { age: age.filter(|_| info.is_some()), info }
}

/// The lock file of a directory.
pub(super) fn path(dir: &Path) -> PathBuf {
    dir.join("rackform.state.lock")
}
