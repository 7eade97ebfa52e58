//! What an evaluation asks of this machine: environment variables and files.
//!
//! In: needs. Out: facts. A file that cannot be read is an answer, too: whether that is a mistake,
//! the expression that asked for it decides.

use std::collections::BTreeSet;
use std::io::ErrorKind;
use std::path::Path;

use globset::GlobBuilder;

use crate::cli::command;
use crate::config::{Facts, Need, Outside};
use crate::value::Value;

/// Larger files are no part of a configuration.
const LARGEST: u64 = 64 << 20;
/// Files that a pattern may match.
const MOST: usize = 100_000;

/// Answers what this machine can answer. Relative paths start at the root module.
pub fn answer(root: &Path, needs: BTreeSet<Need>, facts: &mut Facts) {
    for need in needs {
        match &need {
            Need::Env(name) => {
                let value = std::env::var(name).ok();
                facts.env.insert(name.clone(), value);
            }
            Need::File(path) => {
                let text = read(&root.join(path));
                facts.files.insert(need, text);
            }
            Need::Files { dir, pattern } => {
                let names = names(&root.join(dir), pattern);
                facts.files.insert(need, names);
            }
            Need::Command(command) => {
                let printed = match command::run(root, command) {
                    Ok(text) => Outside::Text(text.into()),
                    Err(why) => Outside::Failed(why.into()),
                };
                facts.files.insert(need, printed);
            }
            Need::Id(_) | Need::Data(_) => {}
        }
    }
}

fn read(path: &Path) -> Outside {
    let failed = |why: String| Outside::Failed(why.into());
    match std::fs::metadata(path) {
        Ok(found) if found.is_dir() => return failed("it is a directory".to_owned()),
        // Devices and pipes may never end.
        Ok(found) if !found.is_file() => return failed("it is no regular file".to_owned()),
        Ok(found) if found.len() > LARGEST => {
            return failed(format!("it has {} MiB, and 64 are possible", found.len() >> 20));
        }
        Ok(_) => {}
        Err(error) if error.kind() == ErrorKind::NotFound => return Outside::Nothing,
        Err(error) => return failed(error.to_string()),
    }
    match std::fs::read(path).map(String::from_utf8) {
        Ok(Ok(text)) => Outside::Text(text.into()),
        Ok(Err(error)) => {
            let bytes = error.as_bytes();
            let upto = error.utf8_error().valid_up_to();
            let line = 1 + bytes[..upto].iter().filter(|b| **b == b'\n').count();
            failed(format!("line {line} is not valid UTF-8"))
        }
        Err(error) => failed(error.to_string()),
    }
}

/// The bytes of a regular file: devices and pipes may never end.
pub fn bytes(path: &Path) -> std::io::Result<Vec<u8>> {
    if std::fs::metadata(path)?.is_file() {
        return std::fs::read(path);
    }
    Err(std::io::Error::new(ErrorKind::InvalidInput, "it is no regular file"))
}

/// The files below a directory whose relative paths match, in order.
fn names(dir: &Path, pattern: &str) -> Outside {
    let glob = match GlobBuilder::new(pattern).literal_separator(true).build() {
        Ok(glob) => glob.compile_matcher(),
        Err(error) => return Outside::Failed(error.to_string().into()),
    };
    let mut found = Vec::new();
    let mut open = vec![dir.to_owned()];
    while let Some(next) = open.pop() {
        let entries = match std::fs::read_dir(&next) {
            Ok(entries) => entries,
            Err(error) => return Outside::Failed(error.to_string().into()),
        };
        for entry in entries.flatten() {
            let path = entry.path();
            // Links are not followed: they may lead in a circle.
            if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                open.push(path);
                continue;
            }
            let Ok(relative) = path.strip_prefix(dir) else { continue };
            if glob.is_match(relative) && path.is_file() {
                found.push(relative.to_string_lossy().into_owned());
            }
            if found.len() > MOST {
                return Outside::Failed("more than 100,000 files match".into());
            }
        }
    }
    found.sort();
    let names = found.iter().map(|name| Value::str(name)).collect();
    Outside::Names(std::sync::Arc::new(names))
}
