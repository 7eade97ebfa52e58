//! What sets variables: the environment, files of values, the command line, and a person.
//!
//! In: the directory, the flags, the declared variables. Out: inputs by variable, the strongest
//! one of each (`config::input` has the rules); questions are asked on a terminal only.

use std::io::Read;
use std::path::{Path, PathBuf};

use crate::cli::args::{Vars, Written};
use crate::cli::ask::{self, Answer};
use crate::cli::failure::{Exit, Failure};
use crate::config::SourceFile;
use crate::config::input::{Layer, Question};
use crate::config::source::MAX_BYTES;
use crate::config::syntax::Block;
use crate::diag::{Diagnostic, Diagnostics};

/// Environment variables that set variables of the configuration.
const VARIABLE: &str = "RACKFORM_VAR_";
/// Files of values that are read unasked, before the others.
const FIRST: [&str; 2] = ["rackform.vars.toml", "rackform.vars.json"];
/// Endings of those that are read unasked in the order of their names.
const AUTO: [&str; 2] = [".auto.vars.toml", ".auto.vars.json"];

/// Everything that sets variables unasked, weakest first, as in Terraform: the environment,
/// `rackform.vars.*`, `*.auto.vars.*`, and the flags in their order.
///
/// # Errors
/// Files that cannot be read, and flags that set nothing: all of them.
pub fn layers(dir: &Path, vars: &Vars, declared: &[Block]) -> Result<Vec<Layer>, Failure> {
    let mut findings = Diagnostics::default();
    let mut layers = environment(declared, &mut findings);
    for path in automatic(dir)? {
        file(&path, &path_name(dir, &path), (&mut layers, &mut findings));
    }
    for written in &vars.written {
        match written {
            Written::Value(text) => flag(text, (&mut layers, &mut findings)),
            // As after `cd DIR`: where the other files of values are.
            Written::File(path) => {
                let name = path.display().to_string();
                file(&dir.join(path), &name, (&mut layers, &mut findings));
            }
        }
    }
    if findings.has_errors() {
        return Err(Failure::findings(findings, &crate::diag::Sources::default()));
    }
    Ok(layers)
}

fn environment(declared: &[Block], findings: &mut Diagnostics) -> Vec<Layer> {
    let mut layers = Vec::new();
    let mut all: Vec<_> = std::env::vars_os().collect();
    all.sort();
    for (name, text) in all {
        let Some(name) = name.to_str().and_then(|n| n.strip_prefix(VARIABLE)) else { continue };
        let name = name.to_owned();
        match text.into_string() {
            Ok(text) => layers.push(Layer::Environment { name, text }),
            Err(_) if declared.iter().any(|block| *block.label.text == *name) => {
                let problem = format!("{VARIABLE}{name} is not valid UTF-8");
                findings
                    .push(Diagnostic::error("invalid_utf8", problem).help("export it as UTF-8"));
            }
            // Meant for somebody else.
            Err(_) => {}
        }
    }
    layers
}

/// The files of values of a directory that nobody has to name.
fn automatic(dir: &Path) -> Result<Vec<PathBuf>, Failure> {
    let failed = |error| unreadable(&dir.display().to_string(), &error);
    let mut names: Vec<String> = Vec::new();
    for entry in std::fs::read_dir(dir).map_err(failed)? {
        let name = entry.map_err(failed)?.file_name().to_string_lossy().into_owned();
        if AUTO.iter().any(|end| name.ends_with(end)) {
            names.push(name);
        }
    }
    names.sort();
    let first = FIRST.iter().map(|name| dir.join(name)).filter(|path| path.exists());
    Ok(first.chain(names.iter().map(|name| dir.join(name))).collect())
}

/// As the user would write it, relative to the directory.
fn path_name(dir: &Path, path: &Path) -> String {
    path.strip_prefix(dir).unwrap_or(path).display().to_string()
}

fn file(path: &Path, name: &str, (layers, findings): (&mut Vec<Layer>, &mut Diagnostics)) {
    match read(path) {
        Ok(bytes) => layers.push(Layer::File(SourceFile { name: name.to_owned(), bytes })),
        Err(error) => findings.push(unreadable(name, &error)),
    }
}

/// A file or pipe, and of one that is too large as much as shows that.
fn read(path: &Path) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let most = u64::try_from(MAX_BYTES).unwrap_or(u64::MAX).saturating_add(1);
    std::fs::File::open(path)?.take(most).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn unreadable(name: &str, error: &std::io::Error) -> Diagnostic {
    let finding = Diagnostic::error("unreadable", format!("cannot read `{name}`: {error}"));
    match error.kind() {
        std::io::ErrorKind::NotFound => {
            finding.help("--var-file names a file as seen from the directory of the configuration")
        }
        std::io::ErrorKind::IsADirectory => finding
            .help("--var-file names a file; files NAME.auto.vars.toml are found by themselves"),
        _ => finding.help("its owner and mode decide who may read it"),
    }
}

fn flag(text: &str, (layers, findings): (&mut Vec<Layer>, &mut Diagnostics)) {
    match text.split_once('=') {
        Some((name, text)) => {
            layers.push(Layer::Flag { name: name.trim().to_owned(), text: text.to_owned() });
        }
        None => {
            // What stands there may be a secret: only what can be a name is told.
            let end = text.find(|c: char| !(c.is_alphanumeric() || c == '_' || c == '-'));
            let name = end.map_or("", |end| &text[..end]);
            let what =
                if name.is_empty() { "a --var".to_owned() } else { format!("--var {name}…") };
            let problem = format!("{what} has no `=`");
            findings.push(Diagnostic::error("bad_var", problem).help("write --var NAME=VALUE"));
        }
    }
}

/// Asks a person for what nothing else sets.
///
/// # Errors
/// Interrupted: then there is nothing more to say. Or the terminal cannot hide a secret.
pub fn ask(questions: &[Question]) -> Result<Vec<Layer>, Failure> {
    let mut layers = Vec::new();
    for question in questions {
        let name = question.name.clone();
        match ask::variable(question)? {
            Answer::Text(text) => layers.push(Layer::Typed { name, text }),
            // As without a terminal: its absence is told like every other mistake.
            Answer::Nothing => {}
            Answer::Interrupted => {
                return Err(Failure::from(Diagnostics::default()).exit(Exit::Interrupted));
            }
        }
    }
    Ok(layers)
}
