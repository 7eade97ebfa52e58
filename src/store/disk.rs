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
        // Of a symbolic link the second name would be one, too, and follow every change.
        fs::hard_link(followed(self.dir.join(from))?, self.dir.join(to))
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        let (from, to) = (self.dir.join(from), self.dir.join(to));
        let target = followed(to.clone())?;
        if target == to {
            return fs::rename(from, to);
        }
        replace_target(&from, &target)
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

/// The file that a path leads to: what a symbolic link points at, be it there or not.
fn followed(path: PathBuf) -> io::Result<PathBuf> {
    /// As many as Linux follows.
    const LINKS: usize = 40;
    let mut path = path;
    for _ in 0..LINKS {
        match fs::symlink_metadata(&path) {
            Ok(found) if found.is_symlink() => {
                let target = fs::read_link(&path)?;
                let folder = path.parent().unwrap_or(Path::new("."));
                path = folder.join(target);
            }
            Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(e),
            _ => return Ok(path),
        }
    }
    Err(io::Error::other("too many symbolic links"))
}

/// Renames into another directory, which may be on another file system. Durable when this returns.
fn replace_target(from: &Path, target: &Path) -> io::Result<()> {
    let folder = target.parent().unwrap_or(Path::new("."));
    match fs::rename(from, target) {
        Err(e) if e.kind() == io::ErrorKind::CrossesDevices => {
            let beside = target.with_extension("tmp");
            // Permissions are copied, too.
            fs::copy(from, &beside)?;
            File::open(&beside)?.sync_all()?;
            fs::rename(&beside, target)?;
            fs::remove_file(from)?;
        }
        renamed => renamed?,
    }
    File::open(folder)?.sync_all()
}

impl DiskFile for File {
    fn sync(&mut self) -> io::Result<()> {
        self.sync_data() // the size counts as data; times do not matter
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A state that is kept elsewhere stays there, and its backup is the file before.
    #[test]
    fn a_symbolic_link_is_written_through() {
        let (here, there) = (tempfile::tempdir().expect("one"), tempfile::tempdir().expect("two"));
        let target = there.path().join("kept.json");
        fs::write(&target, "old").expect("a file");
        std::os::unix::fs::symlink(&target, here.path().join("middle")).expect("a link");
        // Relative, and to a link itself.
        std::os::unix::fs::symlink("middle", here.path().join("state")).expect("a link");
        let disk = RealDisk::new(here.path());
        disk.create("new").expect("a file").write_all(b"new").expect("written");
        disk.link("state", "backup").expect("a second name");
        disk.rename("new", "state").expect("renamed");
        let text = |path: &Path| fs::read_to_string(path).expect("a file");
        assert_eq!(text(&target), "new");
        assert_eq!(text(&here.path().join("backup")), "old");
        assert!(here.path().join("state").is_symlink());
        assert!(!here.path().join("new").exists());
    }

    #[test]
    fn a_link_to_nothing_yet_is_made_and_a_ring_is_an_error() {
        let here = tempfile::tempdir().expect("a directory");
        let at = |name: &str| here.path().join(name);
        std::os::unix::fs::symlink("later", at("state")).expect("a link");
        let disk = RealDisk::new(here.path());
        disk.create("new").expect("a file");
        disk.rename("new", "state").expect("renamed");
        assert!(at("later").is_file() && at("state").is_symlink());
        std::os::unix::fs::symlink("b", at("a")).expect("a link");
        std::os::unix::fs::symlink("a", at("b")).expect("a link");
        assert!(disk.rename("later", "a").is_err());
    }
}
