//! Paths of the command line → files to format.

use std::path::{Component, Path, PathBuf};

use crate::cli::args::Fmt;
use crate::config::write::{CONFIGURATION_SUFFIX, VARIABLES_SUFFIX};
use crate::diag::{Diagnostic, Diagnostics};
use crate::render::clean;

use super::{Found, unreadable};

/// The files in the order of the paths given; those of a directory by name, before those of the
/// directories in it.
pub(super) fn files(dir: &Path, args: &Fmt, findings: &mut Diagnostics) -> Vec<Found> {
    let mut search = Search { recursive: args.recursive, found: Vec::new(), findings };
    if args.paths.is_empty() {
        search.directory(dir, Path::new(""));
    }
    for name in &args.paths {
        // `.` and `./x` are called what they would be called without.
        let short: PathBuf = name.components().filter(|c| *c != Component::CurDir).collect();
        search.path(&dir.join(name), &short);
    }
    search.found
}

struct Search<'a> {
    recursive: bool,
    found: Vec<Found>,
    findings: &'a mut Diagnostics,
}

impl Search<'_> {
    fn path(&mut self, path: &Path, name: &Path) {
        match std::fs::metadata(path) {
            Ok(found) if found.is_dir() => self.directory(path, name),
            Ok(_) if is_ours(path) => self.push(path.to_owned(), name),
            Ok(_) => self.findings.push(
                Diagnostic::error(
                    "not_a_configuration",
                    format!("`{}` is no configuration file", clean(name.display())),
                )
                .detail(format!("They end in {CONFIGURATION_SUFFIX} or {VARIABLES_SUFFIX}."))
                .help("another TOML file can be formatted from stdin: rackform fmt - < FILE"),
            ),
            Err(error) => self.findings.push(unreadable(&name.to_string_lossy(), &error)),
        }
    }

    /// A directory that was asked for: that there is nothing to format is a mistake.
    fn directory(&mut self, path: &Path, name: &Path) {
        let (found, wrong) = (self.found.len(), self.findings.len());
        self.below(path, name);
        if self.found.len() > found || self.findings.len() > wrong {
            return;
        }
        let text = format!(
            "`{}` has no configuration (no *{CONFIGURATION_SUFFIX} or *{VARIABLES_SUFFIX} file)",
            clean(if name.as_os_str().is_empty() { path } else { name }.display())
        );
        let help = "name files or directories, or the directory with -C DIR; --recursive looks further down";
        self.findings.push(Diagnostic::error("no_configuration", text).help(help));
    }

    fn below(&mut self, path: &Path, name: &Path) {
        let (files, directories) = match listed(path) {
            Ok(listed) => listed,
            Err(error) => {
                return self.findings.push(unreadable(&path.to_string_lossy(), &error));
            }
        };
        for file in files {
            self.push(path.join(&file), &name.join(&file));
        }
        if !self.recursive {
            return;
        }
        for directory in directories {
            self.below(&path.join(&directory), &name.join(&directory));
        }
    }

    fn push(&mut self, path: PathBuf, name: &Path) {
        self.found.push(Found { path, name: name.to_string_lossy().into_owned() });
    }
}

/// Names of the configuration files and of the directories in a directory. Hidden directories hold
/// no configuration; one that is a link may lead in a circle.
fn listed(path: &Path) -> std::io::Result<(Vec<PathBuf>, Vec<PathBuf>)> {
    let (mut files, mut directories) = (Vec::new(), Vec::new());
    for entry in std::fs::read_dir(path)? {
        let entry = entry?;
        let name = PathBuf::from(entry.file_name());
        if entry.file_type()?.is_dir() {
            if !name.to_string_lossy().starts_with('.') {
                directories.push(name);
            }
        } else if is_ours(&name) && !entry.path().is_dir() {
            files.push(name);
        }
    }
    files.sort();
    directories.sort();
    Ok((files, directories))
}

fn is_ours(path: &Path) -> bool {
    let name = path.file_name().map(|name| name.to_string_lossy()).unwrap_or_default();
    name.ends_with(CONFIGURATION_SUFFIX) || name.ends_with(VARIABLES_SUFFIX)
}
