//! How a command ends: an exit code, and findings for people.

use crate::diag::{Diagnostic, Diagnostics, Severity, Sources};

/// The exit codes of design section 3.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    Done,
    Error,
    /// `plan --detailed-exitcode` with changes.
    Changes,
    /// Refused by a guard; the message names the flag that allows it.
    Refused,
    Interrupted,
    Terminated,
    HungUp,
}

impl Exit {
    pub fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Error => 1,
            Self::Changes => 2,
            Self::Refused => 3,
            Self::HungUp => 129,
            Self::Interrupted => 130,
            Self::Terminated => 143,
        }
    }
}

/// Why a command did not do what it was asked.
#[derive(Debug)]
pub struct Failure {
    pub exit: Exit,
    pub findings: Diagnostics,
    pub sources: Sources,
}

impl Failure {
    /// Findings in the configuration.
    pub fn findings(findings: Diagnostics, sources: &Sources) -> Self {
        Self { exit: Exit::Error, findings, sources: sources.clone() }
    }
    /// A refusal by a guard.
    pub fn refused(findings: Diagnostics, sources: &Sources) -> Self {
        Self { exit: Exit::Refused, findings, sources: sources.clone() }
    }
    /// The same as a refusal, where nothing but protection stands in the way.
    #[must_use]
    pub fn by_guard(self) -> Self {
        let mut errors = self.findings.iter().filter(|f| f.severity == Severity::Error).peekable();
        let guarded = errors.peek().is_some() && errors.all(|f| f.code == "prevent_destroy");
        if guarded { self.exit(Exit::Refused) } else { self }
    }
    #[must_use]
    pub fn exit(self, exit: Exit) -> Self {
        Self { exit, ..self }
    }
}

impl From<Diagnostic> for Failure {
    fn from(finding: Diagnostic) -> Self {
        Self { exit: Exit::Error, findings: finding.into(), sources: Sources::default() }
    }
}

impl From<Diagnostics> for Failure {
    fn from(findings: Diagnostics) -> Self {
        Self { exit: Exit::Error, findings, sources: Sources::default() }
    }
}

impl From<crate::store::StoreError> for Failure {
    fn from(error: crate::store::StoreError) -> Self {
        error.diagnostic().into()
    }
}
