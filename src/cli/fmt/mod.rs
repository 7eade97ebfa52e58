//! `rackform fmt`: configuration files in the usual layout.
//!
//! What the layout is stands in `config::write`; here files are found (`find`), read and replaced
//! (`replace`).

mod find;
mod replace;

use std::io::Read;
use std::path::{Path, PathBuf};

use crate::cli::args::Fmt;
use crate::cli::failure::{Exit, Failure};
use crate::cli::output::Output;
use crate::cli::session;
use crate::config::SourceFile;
use crate::config::write::{self, Texts};
use crate::diag::{Diagnostic, Diagnostics};
use crate::render::{self, clean, words};
use crate::schema::Schemas;

/// What stands for stdin on the command line.
const STDIN: &str = "-";

pub fn run(dir: &Path, args: &Fmt, output: &mut Output) -> Result<Exit, Failure> {
    let schemas = session::schemas()?;
    let mut run = Run { args, output, schemas, unformatted: 0 };
    if args.paths.iter().any(|path| path.as_os_str() == STDIN) {
        return run.stdin();
    }
    run.files(dir)
}

struct Run<'a> {
    args: &'a Fmt,
    output: &'a Output,
    schemas: Schemas,
    /// Files that are, or were, not as they should be.
    unformatted: usize,
}

impl Run<'_> {
    fn stdin(&mut self) -> Result<Exit, Failure> {
        if self.args.paths.len() > 1 {
            let text = "`-` (stdin) cannot be formatted together with files";
            return Err(Diagnostic::error("usage", text)
                .help("format them one after another")
                .into());
        }
        let mut bytes = Vec::new();
        std::io::stdin().lock().read_to_end(&mut bytes).map_err(|e| unreadable("stdin", &e))?;
        let file = SourceFile { name: write::STDIN.to_owned(), bytes };
        let mut rewritten = write::rewrite(vec![file], &self.schemas);
        let Some(texts) = rewritten.texts.pop().flatten() else {
            return Err(Failure::findings(rewritten.findings, &rewritten.sources));
        };
        if texts.before != texts.after {
            self.unformatted += 1;
        }
        if self.args.check || self.args.diff {
            self.show(write::STDIN, &texts);
        } else {
            self.output.data(&texts.after);
        }
        Ok(self.exit())
    }

    fn files(&mut self, dir: &Path) -> Result<Exit, Failure> {
        let mut findings = Diagnostics::default();
        let (mut files, mut places) = (Vec::new(), Vec::new());
        for found in find::files(dir, self.args, &mut findings) {
            match std::fs::read(&found.path) {
                Ok(bytes) => {
                    files.push(SourceFile { name: found.name.clone(), bytes });
                    places.push(found);
                }
                Err(error) => findings.push(unreadable(&found.name, &error)),
            }
        }
        let rewritten = write::rewrite(files, &self.schemas);
        findings.extend(rewritten.findings);
        for (found, texts) in places.iter().zip(&rewritten.texts) {
            let Some(texts) = texts.as_ref().filter(|texts| texts.before != texts.after) else {
                continue;
            };
            self.unformatted += 1;
            match self.replace(&found.path, texts) {
                Ok(()) => self.show(&found.name, texts),
                Err(error) => {
                    let text = format!("cannot write `{}`: {error}", clean(&found.name));
                    findings.push(Diagnostic::error("unwritable", text));
                }
            }
        }
        if findings.is_empty() {
            return Ok(self.exit());
        }
        Err(Failure::findings(findings, &rewritten.sources))
    }

    fn replace(&self, path: &Path, texts: &Texts) -> std::io::Result<()> {
        if self.args.check {
            return Ok(());
        }
        replace::replace(path, &texts.before, &texts.after)
    }

    /// Names a file that is not, or was not, as it should be, or shows what differs.
    fn show(&self, name: &str, texts: &Texts) {
        if texts.before == texts.after {
            return;
        }
        if !self.args.diff {
            return self.output.data(&format!("{}\n", clean(name)));
        }
        let masked = |text: &str| write::shown(name, text, &self.schemas);
        let (before, after) = (masked(&texts.before), masked(&texts.after));
        self.output.data(&render::unified::text(name, &before, &after, &self.output.out));
    }

    fn exit(&self) -> Exit {
        if !self.args.check || self.unformatted == 0 {
            return Exit::Done;
        }
        let (files, are) = (words::many(self.unformatted, "file"), self.unformatted > 1);
        let are = if are { "are" } else { "is" };
        self.output.say(&format!("{files} {are} not formatted; `rackform fmt` does it."));
        Exit::Error
    }
}

fn unreadable(name: &str, error: &std::io::Error) -> Diagnostic {
    Diagnostic::error("unreadable", format!("cannot read `{}`: {error}", clean(name)))
}

/// A file to format.
struct Found {
    path: PathBuf,
    /// As people know it: relative to -C DIR.
    name: String,
}
