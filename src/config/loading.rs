//! The files of the root module and of all modules that it calls → [`Loaded`].
//!
//! In: the files of one directory after the other. Out: which directories are still wanted, and in
//! the end the configuration as written with its masked sources. Must not read a file: whoever
//! calls it does.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use rayon::prelude::*;

use super::parse::{self, Parsed};
use super::source::{self, SourceFile, SourceText};
use super::syntax::{Call, Config, Literal, Module};
use super::{mask, rest};
use crate::diag::{Diagnostic, Diagnostics, Sources, Span};
use crate::schema::Schemas;

/// The directory of the root module.
pub const ROOT: &str = ".";

/// A configuration that was read, and the masked sources that its messages quote.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// `Err`: syntax errors of all files, files that cannot be read, and such mistakes in the others
    /// as these cannot be the reason of.
    pub config: Result<Config, Diagnostics>,
    pub sources: Sources,
}

/// Reads a configuration without modules: the files of a directory, in the order of their names.
pub fn load(files: Vec<SourceFile>, schemas: &Schemas) -> Loaded {
    let mut loader = Loader::default();
    loader.add(ROOT, Ok(files));
    loader.finish(schemas)
}

/// Reads the root module and what it calls, directory by directory.
#[derive(Default)]
pub struct Loader {
    texts: Vec<SourceText>,
    parsed: Vec<Parsed>,
    /// Positions in `parsed` of the files of each directory.
    dirs: BTreeMap<Arc<str>, std::ops::Range<usize>>,
    /// Directories that cannot be read, and why.
    unreadable: BTreeMap<Arc<str>, String>,
    findings: Diagnostics,
}

impl Loader {
    /// Adds the files of a directory, in the order of their names; `Err` says why there are none.
    pub fn add(&mut self, dir: &str, files: Result<Vec<SourceFile>, String>) {
        let files = match files {
            Ok(files) => files,
            Err(why) => return drop(self.unreadable.insert(dir.into(), why)),
        };
        let texts = source::read(files, self.texts.len(), &mut self.findings);
        let mut parsed: Vec<Parsed> =
            texts.par_iter().map(|t| parse::parse(t.file, &t.text)).collect();
        let begin = self.parsed.len();
        self.texts.extend(texts);
        self.parsed.append(&mut parsed);
        self.dirs.insert(dir.into(), begin..self.parsed.len());
    }

    /// Directories of called modules that have not been added yet.
    pub fn wanted(&self) -> BTreeSet<Arc<str>> {
        let mut wanted = BTreeSet::new();
        for (dir, files) in &self.dirs {
            for block in self.parsed[files.clone()].iter().flat_map(|parsed| &parsed.blocks) {
                if &*block.kind.text == "module"
                    && let Some(Literal::Str(source)) = block.get("source").map(|e| &e.value.value)
                    && let Ok(found) = directory(dir, &source.text)
                    && !self.dirs.contains_key(&found)
                    && !self.unreadable.contains_key(&found)
                {
                    wanted.insert(found);
                }
            }
        }
        wanted
    }

    /// Merges and checks what was added.
    pub fn finish(self, schemas: &Schemas) -> Loaded {
        let Self { texts, mut parsed, dirs, unreadable, mut findings } = self;
        let sources = mask::sources(texts, &parsed, schemas);
        for file in &parsed {
            findings.extend(file.syntax.clone());
        }
        let mut modules: BTreeMap<Arc<str>, Module> = BTreeMap::new();
        for (dir, files) in dirs {
            let files = parsed[files].iter_mut().map(std::mem::take).collect();
            modules.insert(dir.clone(), parse::merge(&dir, files, &sources));
        }
        let known: BTreeSet<Arc<str>> = modules.keys().cloned().collect();
        for module in modules.values_mut() {
            find_sources(module, &known, &unreadable);
        }
        no_circles(&mut modules);
        let root = modules.remove(ROOT).unwrap_or_default();
        let config = Config { root, called: modules };
        if findings.has_errors() {
            findings.extend(rest::mistakes(&config, schemas, &sources));
            return Loaded { config: Err(findings), sources };
        }
        Loaded { config: Ok(config), sources }
    }
}

/// Fills in the directories of a module's calls.
fn find_sources(
    module: &mut Module,
    known: &BTreeSet<Arc<str>>,
    unreadable: &BTreeMap<Arc<str>, String>,
) {
    let Module { calls, mistakes, dir, .. } = module;
    for Call { block, dir: found } in calls {
        let name = &block.label.text;
        let Some(entry) = block.get("source") else {
            let finding = Diagnostic::error(
                "missing_attribute",
                format!("the module `{name}` has no `source`"),
            )
            .at(block.declared, "here")
            .help("name its directory: source = \"./modules/NAME\"");
            mistakes.push(finding);
            continue;
        };
        let at = entry.value.span;
        let Literal::Str(source) = &entry.value.value else {
            mistakes.push(Diagnostic::error("wrong_kind", "`source` must be text").at(at, "here"));
            continue;
        };
        if source.is_template() {
            let problem =
                "`source` cannot be computed: modules are read before anything is evaluated";
            mistakes.push(Diagnostic::error("bad_source", problem).at(at, "a template"));
            continue;
        }
        match directory(dir, &source.text) {
            Err(why) => mistakes.push(bad_source(&source.text, why, at)),
            Ok(dir) if known.contains(&dir) => *found = Some(dir),
            Ok(dir) => {
                let why = unreadable.get(&dir).map_or("it was not read", |why| why);
                let problem = format!("the module `{name}` cannot be read from `{dir}`: {why}");
                let help = "`source` is relative to the directory of the file it stands in";
                mistakes
                    .push(Diagnostic::error("missing_module", problem).at(at, "here").help(help));
            }
        }
    }
}

fn bad_source(source: &str, why: &str, at: Span) -> Diagnostic {
    Diagnostic::error("bad_source", format!("`{source}` is no source of a module"))
        .at(at, why)
        .help("modules are directories beside the configuration: source = \"./modules/NAME\"")
}

/// The directory that a `source` in another means, as seen from the root.
fn directory(from: &str, source: &str) -> Result<Arc<str>, &'static str> {
    if !(source.starts_with("./") || source.starts_with("../") || source.starts_with('/')) {
        return Err("it must start with `./`, `../` or `/`");
    }
    if source.contains(['\0', '\\']) {
        return Err("this is no path");
    }
    let absolute = source.starts_with('/') || from.starts_with('/');
    let base = if source.starts_with('/') { "" } else { from };
    let mut steps: Vec<&str> = Vec::new();
    for step in base.split('/').chain(source.split('/')) {
        match step {
            "" | "." => {}
            ".." if steps.last().is_some_and(|last| *last != "..") => drop(steps.pop()),
            ".." if absolute => {}
            step => steps.push(step),
        }
    }
    let path = steps.join("/");
    Ok(match (absolute, path.is_empty()) {
        (true, _) => format!("/{path}").into(),
        (false, true) => ROOT.into(),
        (false, false) => path.into(),
    })
}

/// Reports modules that call themselves in the end, and takes the call back that closes the circle.
fn no_circles(modules: &mut BTreeMap<Arc<str>, Module>) {
    let mut done = BTreeSet::new();
    let mut path: Vec<(Arc<str>, Span)> = Vec::new();
    walk(&ROOT.into(), modules, &mut path, &mut done);
}

fn walk(
    dir: &Arc<str>,
    modules: &mut BTreeMap<Arc<str>, Module>,
    path: &mut Vec<(Arc<str>, Span)>,
    done: &mut BTreeSet<Arc<str>>,
) {
    let calls = modules.get(dir).map_or(0, |module| module.calls.len());
    for at in 0..calls {
        let Some(call) = modules.get(dir).map(|module| &module.calls[at]) else { return };
        let Some(to) = call.dir.clone() else { continue };
        let span = call.block.get("source").map_or(call.block.declared, |e| e.value.span);
        let circle = path.iter().position(|(from, _)| *from == to);
        if to == *dir || circle.is_some() {
            let mut finding = Diagnostic::error("cycle", "modules call each other in a circle")
                .at(span, format!("`{dir}` calls `{to}`"));
            for ((from, span), next) in path
                .iter()
                .zip(path.iter().skip(1).map(|(d, _)| d).chain([dir]))
                .skip(circle.unwrap_or(path.len()))
            {
                finding = finding.at(*span, format!("`{from}` calls `{next}`"));
            }
            if let Some(module) = modules.get_mut(dir) {
                module.mistakes.push(finding.help("remove one of these calls"));
                module.calls[at].dir = None;
            }
            continue;
        }
        if done.contains(&to) {
            continue;
        }
        path.push((dir.clone(), span));
        walk(&to, modules, path, done);
        path.pop();
    }
    done.insert(dir.clone());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sources_are_relative_to_the_module_they_stand_in() {
        for (from, source, expected) in [
            (".", "./modules/hall", Some("modules/hall")),
            ("modules/hall", "../rack", Some("modules/rack")),
            ("modules", "./../..", Some("..")),
            ("..", "./x/", Some("../x")),
            ("modules/hall", "../..", Some(".")),
            (".", "/srv/racks", Some("/srv/racks")),
            ("/srv/racks", "../../..", Some("/")),
            (".", "hall", None),
            (".", "git::https://example.com/hall", None),
        ] {
            let found = directory(from, source).ok();
            assert_eq!(found.as_deref(), expected, "{from} {source}");
        }
    }
}
