//! What a cloud refused and what that means for whoever asked.
//!
//! Made by dialects from replies and by the connection from transport errors. The engine matches
//! on [`FaultKind`] and never on a provider's codes or texts. Holds no secret.

use std::time::Duration;

use crate::http::{TransportError, TransportKind};
use crate::wire::FillError;

/// A call that definitely failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}{}", self.text, self.code.as_ref().map(|c| format!(" ({c})")).unwrap_or_default())]
pub struct Fault {
    pub kind: FaultKind,
    /// The provider's code: `SYS.1007`.
    pub code: Option<String>,
    /// What the server said, in one sentence where it does so.
    pub text: String,
    /// Causes in the server's words, outermost first.
    pub causes: Vec<String>,
    pub help: Option<String>,
    /// What failed, for people: `POST /hosts/kvm`.
    pub request: Option<String>,
    /// Job or request id, for the provider's logs.
    pub request_id: Option<String>,
    pub retry: Retry,
    /// How long the server asks to wait before sending again.
    pub wait: Option<Duration>,
}

/// What a fault means to the engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FaultKind {
    /// The object is not there.
    Gone,
    /// The id that we chose may be taken; query it to be sure.
    IdTaken,
    /// The object is in a state that does not allow the call.
    Conflict,
    /// Wrong credentials, or not allowed to this account.
    Denied,
    /// The session has ended; a new one helps.
    Session,
    /// Too much at once.
    Throttled,
    /// The server or a proxy in front of it does not serve now.
    Unavailable,
    /// The call is not what the API takes.
    Invalid,
    /// Anything else: the work was tried and failed.
    Failed,
}

/// Whether sending the same call again can help.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Retry {
    /// The same call fails again.
    Never,
    /// The call was not acted upon: any call may be sent again.
    Safe,
    /// Perhaps acted upon: only calls that change nothing may be sent again.
    IfRead,
}

impl Fault {
    pub fn new(kind: FaultKind, text: impl Into<String>) -> Self {
        let retry = match kind {
            FaultKind::Session | FaultKind::Throttled => Retry::Safe,
            FaultKind::Unavailable => Retry::IfRead,
            _ => Retry::Never,
        };
        Self {
            kind,
            code: None,
            text: text.into(),
            causes: Vec::new(),
            help: None,
            request: None,
            request_id: None,
            retry,
            wait: None,
        }
    }
    #[must_use]
    pub fn code(mut self, code: impl Into<String>) -> Self {
        self.code = Some(code.into());
        self
    }
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
    /// Applies a function to every text that came from outside.
    #[must_use]
    pub fn map_texts(mut self, f: impl Fn(&str) -> String) -> Self {
        self.text = f(&self.text);
        self.causes = self.causes.iter().map(|c| f(c)).collect();
        self
    }
}

impl From<TransportError> for Fault {
    fn from(error: TransportError) -> Self {
        let kind = match error.kind {
            TransportKind::Tls => FaultKind::Denied,
            TransportKind::Dns
            | TransportKind::NotTls
            | TransportKind::TooLarge
            | TransportKind::Invalid => FaultKind::Invalid,
            TransportKind::Refused
            | TransportKind::Unreachable
            | TransportKind::Timeout
            | TransportKind::Closed
            | TransportKind::HalfReply => FaultKind::Unavailable,
        };
        let retry = match (error.may_pass(), error.may_have_arrived()) {
            (false, _) => Retry::Never,
            (true, true) => Retry::IfRead,
            (true, false) => Retry::Safe,
        };
        let fault = Self::new(kind, error.to_string()).help(error.help());
        Self { retry, ..fault }
    }
}

impl From<FillError> for Fault {
    fn from(error: FillError) -> Self {
        Self::new(FaultKind::Invalid, error.to_string())
    }
}
