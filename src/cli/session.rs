//! What the commands share: schemas, the configuration with its environment, the state's place.

use std::path::{Path, PathBuf};

use crate::cli::args::{Inputs, Vars};
use crate::cli::failure::Failure;
use crate::cli::output::Output;
use crate::cli::{outside, variables};
use crate::config::input::Layer;
use crate::config::{self, Config, Desired, Facts, Judged, Loader, Need, ROOT, SourceFile, input};
use crate::diag::{Diagnostic, Diagnostics, Sources};
use crate::schema::{self, Schemas};

/// Suffix of configuration files.
const SUFFIX: &str = ".rack.toml";

/// A configuration that was read and evaluated.
pub struct Session {
    pub dir: PathBuf,
    pub schemas: Schemas,
    pub desired: Desired,
    pub sources: Sources,
    pub warnings: Diagnostics,
    /// Requests that look-ups took.
    pub asked: u64,
    /// As written, for what is evaluated later.
    pub config: Config,
    pub facts: Facts,
}

/// The resource types of this build.
pub fn schemas() -> Result<Schemas, Failure> {
    schema::load().map_err(|(findings, sources)| Failure::findings(findings, &sources))
}

impl Session {
    /// Reads the configuration of a directory and what it needs of the environment. What it looks
    /// up in clouds is still to be answered.
    pub fn open(dir: &Path, inputs: &Inputs, output: &Output) -> Result<Self, Failure> {
        let mut texts = Texts::read(dir, &inputs.vars)?;
        if inputs.input && output.asks && !output.json {
            texts.ask(dir)?;
        }
        let Texts { schemas, config, sources, mut facts } = texts;
        let (desired, warnings) = local(dir, (&config, &schemas, &sources), &mut facts)?;
        let (dir, asked) = (dir.to_owned(), 0);
        Ok(Self { dir, schemas, desired, sources, warnings, asked, config, facts })
    }

    /// Whether something is still to be looked up: `desired` then has providers only.
    pub fn is_open(&self) -> bool {
        !self.desired.needs.is_empty()
    }

    /// Evaluates again, with more facts.
    ///
    /// # Errors
    /// What they brought shows a mistake in the configuration.
    pub fn evaluate(&mut self) -> Result<(), Failure> {
        let texts = (&self.config, &self.schemas, &self.sources);
        let evaluated = local(&self.dir, texts, &mut self.facts)?;
        (self.desired, self.warnings) = evaluated;
        Ok(())
    }
}

/// Evaluates with what this machine can answer, until only clouds can answer the rest.
fn local(
    dir: &Path,
    (config, schemas, sources): (&Config, &Schemas, &Sources),
    facts: &mut Facts,
) -> Result<(Desired, Diagnostics), Failure> {
    loop {
        let expanded = config::expand(config, schemas, facts, sources);
        let (desired, warnings) =
            expanded.map_err(|findings| Failure::findings(findings, sources))?;
        if desired.needs.iter().all(Need::of_cloud) {
            return Ok((desired, warnings));
        }
        outside::answer(dir, desired.needs, facts);
    }
}

/// A configuration that was read, and what the command line and the environment say to it.
pub struct Texts {
    pub schemas: Schemas,
    pub config: Config,
    pub sources: Sources,
    pub facts: Facts,
}

impl Texts {
    /// Reads the files of a directory and of the modules that it calls.
    ///
    /// # Errors
    /// Files that cannot be read, and everything that is wrong with their TOML.
    pub fn read(dir: &Path, vars: &Vars) -> Result<Self, Failure> {
        let schemas = schemas()?;
        let mut loader = Loader::default();
        loader.add(ROOT, Ok(files(dir)?));
        loop {
            let wanted = loader.wanted();
            if wanted.is_empty() {
                break;
            }
            for module in wanted {
                let files = module_files(dir, &module);
                loader.add(&module, files);
            }
        }
        let loaded = loader.finish(&schemas);
        let sources = loaded.sources;
        let config = loaded.config.map_err(|findings| Failure::findings(findings, &sources))?;
        let layers = variables::layers(dir, vars, &config.root.variables)?;
        let mut texts = Self { schemas, config, sources, facts: Facts::default() };
        texts.set(layers)?;
        Ok(texts)
    }

    /// Sets variables.
    fn set(&mut self, layers: Vec<Layer>) -> Result<(), Failure> {
        let given = input::given(layers, &self.config.root.variables, &mut self.sources);
        let given = given.map_err(|findings| Failure::findings(findings, &self.sources))?;
        self.facts.variables.extend(given.values);
        self.config.root.mistakes.extend(given.mistakes);
        Ok(())
    }

    /// Asks a person for the variables that nothing sets. A configuration that is wrong whatever
    /// they are is told before anybody types a password.
    fn ask(&mut self, dir: &Path) -> Result<(), Failure> {
        let questions = input::questions(&self.config.root.variables, &self.facts.variables);
        if questions.is_empty() {
            return Ok(());
        }
        self.judge(dir)?;
        self.set(variables::ask(&questions)?)
    }

    /// Judges without what is not set.
    fn judge(&mut self, dir: &Path) -> Result<(Judged, Diagnostics), Failure> {
        loop {
            let Self { schemas, config, sources, facts } = self;
            let judged = config::judge(config, schemas, facts, sources);
            let (judged, warnings) =
                judged.map_err(|findings| Failure::findings(findings, sources))?;
            if judged.needs.is_empty() {
                return Ok((judged, warnings));
            }
            outside::answer(dir, judged.needs, facts);
        }
    }
}

/// Judges the configuration of a directory; needs nothing from outside. With it come warnings and
/// the sources that they quote.
pub fn judge(dir: &Path, vars: &Vars) -> Result<(Judged, Diagnostics, Sources), Failure> {
    let mut texts = Texts::read(dir, vars)?;
    let (judged, warnings) = texts.judge(dir)?;
    Ok((judged, warnings, texts.sources))
}

/// The files of a called module; the error says why there are none.
fn module_files(root: &Path, module: &str) -> Result<Vec<SourceFile>, String> {
    let dir = root.join(module);
    let paths = configuration(&dir).map_err(|error| error.to_string())?;
    if paths.is_empty() {
        return Err(format!("it has no *{SUFFIX} file"));
    }
    let read = |path: PathBuf| {
        let bytes = outside::bytes(&path).map_err(|e| format!("{}: {e}", path.display()))?;
        let name = path.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
        Ok(SourceFile { name: format!("{module}/{name}"), bytes })
    };
    paths.into_iter().map(read).collect()
}

/// The paths of the configuration files in a directory, by name.
fn configuration(dir: &Path) -> std::io::Result<Vec<PathBuf>> {
    let mut paths = Vec::new();
    for entry in std::fs::read_dir(dir)? {
        let path = entry?.path();
        if path.file_name().is_some_and(|n| n.to_string_lossy().ends_with(SUFFIX)) {
            paths.push(path);
        }
    }
    paths.sort();
    Ok(paths)
}

/// The configuration files of a directory, by name.
fn files(dir: &Path) -> Result<Vec<SourceFile>, Failure> {
    let failed = |path: &Path, error: std::io::Error| {
        Diagnostic::error("unreadable", format!("cannot read `{}`: {error}", path.display()))
    };
    let paths = configuration(dir)
        .map_err(|e| failed(dir, e).help("-C names the directory with the configuration"))?;
    if paths.is_empty() {
        let text = format!("`{}` has no configuration (no *{SUFFIX} file)", dir.display());
        return Err(Diagnostic::error("no_configuration", text)
            .help("name the directory with -C DIR, or start a main.rack.toml; `rackform schema` lists what it can hold")
            .into());
    }
    let read = |path: &PathBuf| {
        let name = path.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
        let bytes = outside::bytes(path).map_err(|e| failed(path, e))?;
        Ok(SourceFile { name, bytes })
    };
    paths.iter().map(read).collect()
}
