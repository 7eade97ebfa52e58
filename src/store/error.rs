//! What can go wrong with a stored state, and what to do about it.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::lock::Holder;
use crate::diag::Diagnostic;
use crate::state::format::FormatError;
use crate::state::journal::JournalError;

/// Why the store did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    #[error("cannot {doing} `{}`: {source}", .path.display())]
    Io { doing: &'static str, path: PathBuf, source: io::Error },
    #[error("the state `{}` cannot be used: {source}", .path.display())]
    State { path: PathBuf, source: FormatError },
    #[error("the journal `{}` cannot be used: {source}", .path.display())]
    Journal { path: PathBuf, source: JournalError },
    #[error("the state is locked{}", .holder.sentence())]
    Locked { holder: Box<Holder> },
    #[error("the state `{}` was changed by something else: {found}", .path.display())]
    Changed { path: PathBuf, found: String },
    #[error("a state of serial {given} cannot follow serial {current}")]
    Serial { given: u64, current: u64 },
    #[error("a state of lineage {given} cannot follow one of lineage {current}")]
    Lineage { given: String, current: String },
    #[error("the journal cannot be written any more: {0}")]
    Broken(Arc<str>),
    #[error("a record was refused: {0}")]
    Refused(Arc<str>),
    #[error("the system gives no random numbers: {0}")]
    Random(String),
}

impl StoreError {
    /// For `map_err`: what was being done to which file.
    pub(super) fn io(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Io { doing, path: path.to_owned(), source }
    }

    /// What to do next.
    pub fn help(&self) -> String {
        match self {
            Self::Io { .. } => {
                "nothing is lost: the last state and its journal are as they were. Check space and \
                 permissions of the directory and run again"
                    .into()
            }
            Self::State { source, .. } => source.help().into(),
            Self::Journal { source, .. } => source.help().into(),
            Self::Locked { holder } => holder.help(),
            Self::Changed { .. } => {
                "nothing was overwritten. Find out who else writes here (a second tool, a git \
                 checkout during an apply), then run `rackform plan`"
                    .into()
            }
            Self::Serial { .. } => "read the state again and redo the change on it".into(),
            Self::Lineage { .. } => {
                "the two states describe different clouds; to really replace one by the other, \
                 move `rackform.state.json` away first"
                    .into()
            }
            Self::Broken(_) => {
                "nothing more is sent. Free some space and run `rackform apply` again: it continues \
                 from what was recorded"
                    .into()
            }
            Self::Refused(_) => "please report this as a bug".into(),
            Self::Random(_) => "check that /dev/urandom exists".into(),
        }
    }

    /// As a finding.
    pub fn diagnostic(&self) -> Diagnostic {
        let code = match self {
            Self::State { path, source } => return source.diagnostic(&path.display().to_string()),
            Self::Io { .. } => "state_io",
            Self::Journal { .. } => "journal_damaged",
            Self::Locked { .. } => "state_locked",
            Self::Changed { .. } => "state_changed",
            Self::Serial { .. } => "state_serial",
            Self::Lineage { .. } => "state_lineage",
            Self::Broken(_) => "journal_broken",
            Self::Refused(_) => "journal_refused",
            Self::Random(_) => "no_randomness",
        };
        Diagnostic::error(code, self.to_string()).help(self.help())
    }
}

impl From<&StoreError> for Diagnostic {
    fn from(error: &StoreError) -> Self {
        error.diagnostic()
    }
}
