//! The few file operations that durability is made of.
//!
//! Names are relative to one directory. The trait exists so that tests can put a disk underneath
//! that forgets everything unsynced, as a real one does when the power fails; hence what each
//! operation promises is said here, and no more may be relied upon.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

/// A directory of files.
pub trait Disk: Send + Sync {
    /// Opens a file to be read from its start; `None` when there is none.
    ///
    /// # Errors
    /// Those of the system, except that the file does not exist.
    fn open(&self, name: &str) -> io::Result<Option<Box<dyn Read>>>;
    /// Makes a new empty file that only its owner may read, in the place of one with that name.
    /// Neither the name nor the content is durable yet.
    ///
    /// # Errors
    /// Those of the system.
    fn create(&self, name: &str) -> io::Result<Box<dyn DiskFile>>;
    /// Gives a file a second name, which must be free.
    ///
    /// # Errors
    /// Those of the system; some file systems cannot do it.
    fn link(&self, from: &str, to: &str) -> io::Result<()>;
    /// Renames a file; one under the new name is replaced at once, without an instant at which
    /// there is none. Durable after [`Disk::sync_dir`], possibly before.
    ///
    /// # Errors
    /// Those of the system.
    fn rename(&self, from: &str, to: &str) -> io::Result<()>;
    /// Removes a file; that there is none is fine.
    ///
    /// # Errors
    /// Those of the system.
    fn remove(&self, name: &str) -> io::Result<()>;
    /// Makes names durable: what was created, renamed or removed before.
    ///
    /// # Errors
    /// Those of the system.
    fn sync_dir(&self) -> io::Result<()>;
}

/// A file that is being written at its end.
pub trait DiskFile: Write + Send {
    /// Makes everything written so far durable.
    ///
    /// # Errors
    /// Those of the system. After one, nothing is known about what was written.
    fn sync(&mut self) -> io::Result<()>;
}

/// The real thing.
#[derive(Clone, Debug)]
pub struct RealDisk {
    dir: PathBuf,
}

impl RealDisk {
    pub fn new(dir: &Path) -> Self {
        Self { dir: dir.to_owned() }
    }
}

impl Disk for RealDisk {
    fn open(&self, name: &str) -> io::Result<Option<Box<dyn Read>>> {
        match File::open(self.dir.join(name)) {
            Ok(file) => Ok(Some(Box::new(file))),
            Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(e) => Err(e),
        }
    }

    fn create(&self, name: &str) -> io::Result<Box<dyn DiskFile>> {
        // Removed first, so that permissions and other names of an old file do not carry over.
        self.remove(name)?;
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        Ok(Box::new(options.open(self.dir.join(name))?))
    }

    fn link(&self, from: &str, to: &str) -> io::Result<()> {
        fs::hard_link(self.dir.join(from), self.dir.join(to))
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        fs::rename(self.dir.join(from), self.dir.join(to))
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        match fs::remove_file(self.dir.join(name)) {
            Err(e) if e.kind() != io::ErrorKind::NotFound => Err(e),
            _ => Ok(()),
        }
    }

    fn sync_dir(&self) -> io::Result<()> {
        File::open(&self.dir)?.sync_all()
    }
}

impl DiskFile for File {
    fn sync(&mut self) -> io::Result<()> {
        self.sync_data() // the size counts as data; times do not matter
    }
}
