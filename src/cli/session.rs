//! What the commands share: schemas, the configuration with its environment, the state's place.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use crate::cli::args::{Inputs, Vars};
use crate::cli::failure::Failure;
use crate::cli::output::Output;
use crate::cli::variables;
use crate::config::input::Layer;
use crate::config::{self, Config, Desired, Facts, Judged, Need, SourceFile, input};
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
    /// What is left to be asked of the state and the clouds; `desired` then has providers only.
    open: Option<Open>,
}

/// A configuration that needs more than this machine knows.
pub struct Open {
    config: Config,
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
            texts.ask()?;
        }
        let Texts { schemas, config, sources, mut facts } = texts;
        let (desired, warnings) = local(&config, &schemas, &mut facts, &sources)?;
        let open = (!desired.needs.is_empty()).then_some(Open { config, facts });
        Ok(Self { dir: dir.to_owned(), schemas, desired, sources, warnings, asked: 0, open })
    }

    /// Whether something is still to be looked up.
    pub fn is_open(&self) -> bool {
        self.open.is_some()
    }

    /// What is to be asked of the state and the clouds; it is given back to [`Self::evaluate`].
    pub fn take_open(&mut self) -> Option<Open> {
        self.open.take()
    }

    /// Evaluates again, with more facts.
    ///
    /// # Errors
    /// What they brought shows a mistake in the configuration.
    pub fn evaluate(&mut self, open: &mut Open) -> Result<(), Failure> {
        let evaluated = local(&open.config, &self.schemas, &mut open.facts, &self.sources)?;
        (self.desired, self.warnings) = evaluated;
        Ok(())
    }
}

/// Evaluates with what this machine can answer, until only clouds can answer the rest.
fn local(
    config: &Config,
    schemas: &Schemas,
    facts: &mut Facts,
    sources: &Sources,
) -> Result<(Desired, Diagnostics), Failure> {
    loop {
        let expanded = config::expand(config, schemas, facts, sources);
        let (desired, warnings) =
            expanded.map_err(|findings| Failure::findings(findings, sources))?;
        if desired.needs.iter().all(Need::of_cloud) {
            return Ok((desired, warnings));
        }
        answer(desired.needs, facts);
    }
}

/// A configuration that was read, and what the command line and the environment say to it.
struct Texts {
    schemas: Schemas,
    config: Config,
    sources: Sources,
    facts: Facts,
}

impl Texts {
    fn read(dir: &Path, vars: &Vars) -> Result<Self, Failure> {
        let schemas = schemas()?;
        let loaded = config::load(files(dir)?, &schemas);
        let sources = loaded.sources;
        let config = loaded.config.map_err(|findings| Failure::findings(findings, &sources))?;
        let layers = variables::layers(dir, vars, &config.variables)?;
        let mut texts = Self { schemas, config, sources, facts: Facts::default() };
        texts.set(layers)?;
        Ok(texts)
    }

    /// Sets variables.
    fn set(&mut self, layers: Vec<Layer>) -> Result<(), Failure> {
        let given = input::given(layers, &self.config.variables, &mut self.sources);
        let given = given.map_err(|findings| Failure::findings(findings, &self.sources))?;
        self.facts.variables.extend(given.values);
        self.config.mistakes.extend(given.mistakes);
        Ok(())
    }

    /// Asks a person for the variables that nothing sets. A configuration that is wrong whatever
    /// they are is told before anybody types a password.
    fn ask(&mut self) -> Result<(), Failure> {
        let questions = input::questions(&self.config.variables, &self.facts.variables);
        if questions.is_empty() {
            return Ok(());
        }
        self.judge()?;
        self.set(variables::ask(&questions)?)
    }

    /// Judges without what is not set.
    fn judge(&mut self) -> Result<(Judged, Diagnostics), Failure> {
        loop {
            let Self { schemas, config, sources, facts } = self;
            let judged = config::judge(config, schemas, facts, sources);
            let (judged, warnings) =
                judged.map_err(|findings| Failure::findings(findings, sources))?;
            if judged.needs.is_empty() {
                return Ok((judged, warnings));
            }
            answer(judged.needs, facts);
        }
    }
}

/// Judges the configuration of a directory; needs nothing from outside. With it come warnings and
/// the sources that they quote.
pub fn judge(dir: &Path, vars: &Vars) -> Result<(Judged, Diagnostics, Sources), Failure> {
    let mut texts = Texts::read(dir, vars)?;
    let (judged, warnings) = texts.judge()?;
    Ok((judged, warnings, texts.sources))
}

/// Fetches what an evaluation asked for of the environment.
fn answer(needs: BTreeSet<Need>, facts: &mut Facts) {
    for need in needs {
        if let Need::Env(name) = need {
            let value = std::env::var(&name).ok();
            facts.env.insert(name, value);
        }
    }
}

/// The configuration files of a directory, by name.
fn files(dir: &Path) -> Result<Vec<SourceFile>, Failure> {
    let failed = |path: &Path, error: std::io::Error| {
        Diagnostic::error("unreadable", format!("cannot read `{}`: {error}", path.display()))
    };
    let entries = std::fs::read_dir(dir)
        .map_err(|e| failed(dir, e).help("-C names the directory with the configuration"))?;
    let mut paths = Vec::new();
    for entry in entries {
        let path = entry.map_err(|e| failed(dir, e))?.path();
        if path.file_name().is_some_and(|n| n.to_string_lossy().ends_with(SUFFIX)) {
            paths.push(path);
        }
    }
    paths.sort();
    if paths.is_empty() {
        let text = format!("`{}` has no configuration (no *{SUFFIX} file)", dir.display());
        return Err(Diagnostic::error("no_configuration", text)
            .help("name the directory with -C DIR, or start a main.rack.toml; `rackform schema` lists what it can hold")
            .into());
    }
    let read = |path: &PathBuf| {
        let name = path.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
        let bytes = std::fs::read(path).map_err(|e| failed(path, e))?;
        Ok(SourceFile { name, bytes })
    };
    paths.iter().map(read).collect()
}
