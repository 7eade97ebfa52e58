//! A configuration and a state, for commands that only evaluate: `output`, `console`.
//!
//! In: a directory and variables. Out: values. Asks a cloud only when an expression names what a
//! `data` table looks up. Writes nothing and takes no lock.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::cli::args::{Inputs, Vars};
use crate::cli::failure::{Exit, Failure};
use crate::cli::output::Output;
use crate::cli::planning::Clouds;
use crate::cli::session::{Session, Texts};
use crate::cli::{lookups, outside, signals};
use crate::config::{Answer, Conclude, Config, Lookup, Need, OutputValue};
use crate::diag::{Diagnostic, Span};
use crate::plan::outlook::Outlook;
use crate::state::State;
use crate::value::Value;

/// What is evaluated against.
pub struct Reading<'o> {
    dir: PathBuf,
    vars: Vars,
    texts: Texts,
    state: State,
    output: &'o Output,
}

impl<'o> Reading<'o> {
    /// Reads the configuration.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn open(
        dir: &Path,
        vars: &Vars,
        state: State,
        output: &'o Output,
    ) -> Result<Self, Failure> {
        let texts = Texts::read(dir, vars)?;
        let mistakes = &texts.config.root.mistakes;
        if mistakes.has_errors() {
            return Err(Failure::findings(mistakes.clone(), &texts.sources));
        }
        Ok(Self { dir: dir.to_owned(), vars: vars.clone(), texts, state, output })
    }

    pub fn config(&self) -> &Config {
        &self.texts.config
    }

    /// Evaluates what somebody typed; `None`: it is known only after an apply.
    ///
    /// # Errors
    /// It has no value, and why.
    pub fn expression(&mut self, text: &str) -> Result<Option<Value>, Failure> {
        let text = text.trim();
        let file = self.texts.sources.add("console", text);
        loop {
            let objects = Outlook::after(&self.state);
            match self.conclude(&objects).expression(text, file) {
                Answer::Value(value) => return Ok(Some(value)),
                Answer::Unknown => return Ok(None),
                Answer::Needs(needs, places) => self.answer(needs, &places)?,
                Answer::Wrong(findings) => {
                    return Err(Failure::findings(findings, &self.texts.sources));
                }
            }
        }
    }

    /// Evaluates an output; `None` when the configuration has none of this name.
    ///
    /// # Errors
    /// It has no value, and why.
    pub fn output(&mut self, name: &str) -> Result<Option<OutputValue>, Failure> {
        loop {
            let objects = Outlook::after(&self.state);
            let mut concluded = self.conclude(&objects).output(name);
            if concluded.needs.is_empty() {
                if concluded.errors.has_errors() {
                    return Err(Failure::findings(concluded.errors, &self.texts.sources));
                }
                return Ok(concluded.outputs.remove(&Arc::<str>::from(name)));
            }
            self.answer(concluded.needs, &concluded.places)?;
        }
    }

    fn conclude<'a>(&'a self, objects: &'a Outlook<'a>) -> Conclude<'a> {
        let Texts { schemas, config, sources, facts } = &self.texts;
        Conclude { config, schemas, facts, sources, objects, complete: true }
    }

    fn answer(
        &mut self,
        needs: BTreeSet<Need>,
        places: &BTreeMap<Lookup, Span>,
    ) -> Result<(), Failure> {
        if needs.iter().any(Need::of_cloud) {
            self.ask_clouds(&needs, places)?;
        }
        outside::answer(&self.dir, needs, &mut self.texts.facts);
        Ok(())
    }

    fn ask_clouds(
        &mut self,
        needs: &BTreeSet<Need>,
        places: &BTreeMap<Lookup, Span>,
    ) -> Result<(), Failure> {
        let inputs = Inputs { vars: self.vars.clone(), input: false };
        let session = Session::open(&self.dir, &inputs, self.output)?;
        let (state, facts) = (&self.state, &mut self.texts.facts);
        let asked = signals::block_on(async {
            let clouds = Clouds::open(&session, state).await?;
            let answered =
                lookups::answer((&session, &clouds), state, (needs, places), facts).await;
            clouds.close().await;
            answered.map(|()| Exit::Done)
        });
        asked.map(|_| ()).map_err(|failure| unreachable_cloud(failure, places))
    }
}

/// Says what the cloud was asked for.
fn unreachable_cloud(failure: Failure, places: &BTreeMap<Lookup, Span>) -> Failure {
    let Some(span) = places.values().next() else { return failure };
    let mut finding =
        Diagnostic::error("lookup_failed", "what `data` looks up needs a cloud, and none answered");
    if !failure.sources.display(*span).is_empty() {
        finding = finding.at(*span, "looked up here");
    }
    let Failure { exit, mut findings, sources } = failure;
    findings.push(finding);
    Failure { exit, findings, sources }
}
