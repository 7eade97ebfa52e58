//! What can go wrong below HTTP, in words that say what to do.
//!
//! In: errors of the client crate. Out: [`OpenError`] and [`TransportError`], typed by what a
//! caller must decide: can the call have arrived? URLs are left out of the texts: a path or query
//! can hold a secret.

use std::error::Error;
use std::io;

/// Why no client could be made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    #[error("`{endpoint}` is no endpoint: {reason}")]
    Endpoint { endpoint: String, reason: &'static str },
    #[error("the endpoint holds a user name or password; these have settings of their own")]
    Credentials,
    #[error("the certificates in `ca_file` cannot be read: {0}")]
    Ca(String),
    #[error("TLS cannot be set up: {0}")]
    Tls(String),
}

impl OpenError {
    /// What to do about it, where the text does not say so.
    pub fn help(&self) -> Option<&'static str> {
        match self {
            Self::Endpoint { .. } => {
                Some("an endpoint is a URL such as https://mn.example.com:8080")
            }
            Self::Ca(_) => Some("`ca_file` is a text file with `-----BEGIN CERTIFICATE-----`"),
            Self::Credentials | Self::Tls(_) => None,
        }
    }
}

/// A call without a whole reply.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", self.text())]
pub struct TransportError {
    pub kind: TransportKind,
    pub endpoint: String,
    /// The cause in the words of the system.
    pub detail: String,
}

/// What went wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TransportKind {
    /// Nobody listens there.
    Refused,
    /// The host name is unknown.
    Dns,
    /// The certificate or the handshake.
    Tls,
    /// The server does not speak TLS at all.
    NotTls,
    /// No connection in time, or the network has no way there.
    Unreachable,
    /// Connected, but no whole reply in time.
    Timeout,
    /// The connection ended before a reply began.
    Closed,
    /// The connection ended within the reply.
    HalfReply,
    /// The reply is larger than allowed.
    TooLarge,
    /// The call could not be formed.
    Invalid,
}

impl TransportError {
    /// Whether the server can have received the call: then it may have acted on it.
    pub fn may_have_arrived(&self) -> bool {
        use TransportKind as K;
        match self.kind {
            K::Refused | K::Dns | K::Tls | K::NotTls | K::Unreachable | K::Invalid => false,
            K::Timeout | K::Closed | K::HalfReply | K::TooLarge => true,
        }
    }

    /// Whether the same call may succeed a little later.
    pub fn may_pass(&self) -> bool {
        use TransportKind as K;
        match self.kind {
            K::Refused | K::Unreachable | K::Timeout | K::Closed | K::HalfReply => true,
            K::Dns | K::Tls | K::NotTls | K::TooLarge | K::Invalid => false,
        }
    }

    /// What to do about it.
    pub fn help(&self) -> &'static str {
        use TransportKind as K;
        match self.kind {
            K::Refused => "check host and port of `endpoint`, and that the server is running",
            K::Dns => "check the host name in `endpoint` and the resolver of this machine",
            K::Tls => "set `ca_file` to the certificate authority of the server, or check the port",
            K::NotTls => "write http:// instead of https:// in `endpoint`, or check the port",
            K::Unreachable => "check `endpoint`, firewalls and the proxy variables (HTTPS_PROXY)",
            K::Timeout => "the server is slow or stuck; try again, or raise `timeout`",
            K::Closed | K::HalfReply => "the server or a proxy closed the connection; try again",
            K::TooLarge => "this does not look like the API; check `endpoint`",
            K::Invalid => "remove control characters from the settings of the provider",
        }
    }

    fn text(&self) -> String {
        use TransportKind as K;
        let Self { kind, endpoint, detail } = self;
        match kind {
            K::Refused => format!("{endpoint} refuses connections"),
            K::Dns => format!("the host name of {endpoint} cannot be resolved"),
            K::Tls => format!("no trusted TLS connection to {endpoint}: {detail}"),
            K::NotTls => format!("{endpoint} does not speak TLS: {detail}"),
            K::Unreachable => format!("{endpoint} cannot be reached: {detail}"),
            K::Timeout => format!("{endpoint} did not answer in time"),
            K::Closed => format!("{endpoint} closed the connection before answering"),
            K::HalfReply => format!("the connection to {endpoint} broke within the answer"),
            K::TooLarge => format!("the answer of {endpoint} is too large: {detail}"),
            K::Invalid => format!("the call to {endpoint} cannot be formed: {detail}"),
        }
    }
}

/// Certificates of a PEM text.
pub(super) fn certificates(pem: &[u8]) -> Result<Vec<reqwest::Certificate>, OpenError> {
    let certificates = reqwest::Certificate::from_pem_bundle(pem)
        .map_err(|e| OpenError::Ca(root_cause(&e.without_url())))?;
    if certificates.is_empty() {
        return Err(OpenError::Ca("no certificate in PEM form found".to_owned()));
    }
    Ok(certificates)
}

pub(super) fn build(error: &reqwest::Error) -> OpenError {
    OpenError::Tls(root_cause(error))
}

/// An error before the reply began.
pub(super) fn sending(endpoint: &str, error: &reqwest::Error) -> TransportError {
    use TransportKind as K;
    let kind = match () {
        () if error.is_builder() => K::Invalid,
        () if error.is_dns() => K::Dns,
        () if causes(error).any(|e| tls(e).is_some_and(is_no_tls)) => K::NotTls,
        () if causes(error).any(|e| tls(e).is_some()) => K::Tls,
        () if error.is_connect() && is_refused(error) => K::Refused,
        () if error.is_connect() => K::Unreachable,
        () if error.is_timeout() => K::Timeout,
        () => K::Closed,
    };
    TransportError { kind, endpoint: endpoint.to_owned(), detail: root_cause(error) }
}

/// An error within the reply.
pub(super) fn reading(endpoint: &str, error: &reqwest::Error) -> TransportError {
    let kind = if error.is_timeout() { TransportKind::Timeout } else { TransportKind::HalfReply };
    TransportError { kind, endpoint: endpoint.to_owned(), detail: root_cause(error) }
}

fn is_refused(error: &reqwest::Error) -> bool {
    causes(error).any(|e| {
        e.downcast_ref::<io::Error>().is_some_and(|e| e.kind() == io::ErrorKind::ConnectionRefused)
    })
}

/// The TLS error in an error. I/O errors wrap others, this one even twice, without naming them as
/// their source.
fn tls<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a rustls::Error> {
    let wrapped = || error.downcast_ref::<io::Error>()?.get_ref();
    error.downcast_ref().or_else(|| tls(wrapped()?))
}

/// What came is no TLS record: a plain HTTP server answered.
fn is_no_tls(error: &rustls::Error) -> bool {
    use rustls::InvalidMessage as M;
    matches!(
        error,
        rustls::Error::InvalidMessage(M::InvalidContentType | M::UnknownProtocolVersion)
    )
}

fn causes<'a>(error: &'a reqwest::Error) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(error.source(), |e: &&'a (dyn Error + 'static)| (*e).source())
}

/// The innermost cause; the outer ones only say that a request failed, some with its URL.
fn root_cause(error: &reqwest::Error) -> String {
    causes(error).last().map_or_else(|| "no further cause known".to_owned(), ToString::to_string)
}
