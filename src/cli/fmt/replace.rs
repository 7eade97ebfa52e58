//! A file → the same file with another text, never half written.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::Path;

use crate::store::disk::{Disk, RealDisk};

/// Replaces the text of a file; of a symbolic link, that of the file that it leads to. Permissions
/// and, where the system lets us, owners stay.
///
/// # Errors
/// Those of the system; that the file may not be written; that it no longer holds `before`: then
/// somebody else is writing it, and it is left to them.
pub(super) fn replace(path: &Path, before: &str, after: &str) -> io::Result<()> {
    let target = fs::canonicalize(path)?;
    // A new file could be renamed into the place of one that may not be written.
    OpenOptions::new().write(true).open(&target)?;
    let now = fs::read(&target)?;
    if now == after.as_bytes() {
        return Ok(()); // under another name it was among the files already
    }
    if now != before.as_bytes() {
        return Err(io::Error::other("it has changed meanwhile; try again"));
    }
    let folder = target.parent().unwrap_or(Path::new("/"));
    let name = target.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let disk = RealDisk::new(folder);
    let beside = format!(".{name}.{}.tmp", std::process::id());
    let written = write(&disk, &beside, &target, after)
        .and_then(|()| fs::rename(folder.join(&beside), &target))
        .and_then(|()| disk.sync_dir());
    if written.is_err() {
        // It may be that there is none; the first error is the one to tell.
        let _ = disk.remove(&beside);
    }
    written
}

fn write(disk: &RealDisk, name: &str, like: &Path, text: &str) -> io::Result<()> {
    let mut file = disk.create(name)?;
    file.write_all(text.as_bytes())?;
    let found = fs::metadata(like)?;
    let path = like.with_file_name(name);
    #[cfg(unix)]
    {
        use std::os::unix::fs::{MetadataExt, chown};
        // Only the superuser may give a file away; anybody else keeps what they wrote.
        let _ = chown(&path, Some(found.uid()), Some(found.gid()));
    }
    fs::set_permissions(&path, found.permissions())?;
    file.sync()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_somebody_else_wrote_meanwhile_stays() {
        let folder = tempfile::tempdir().expect("a directory");
        let path = folder.path().join("a.rack.toml");
        fs::write(&path, "theirs").expect("a file");
        assert!(replace(&path, "before", "after").is_err());
        assert_eq!(fs::read_to_string(&path).expect("a file"), "theirs");
        replace(&path, "theirs", "after").expect("it is as it was read");
        replace(&path, "theirs", "after").expect("it is done already");
        assert_eq!(fs::read_to_string(&path).expect("a file"), "after");
        assert_eq!(fs::read_dir(folder.path()).expect("a directory").count(), 1, "nothing is left");
    }
}
