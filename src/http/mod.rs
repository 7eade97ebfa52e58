//! The HTTP client: the only module that knows the `reqwest` crate.
//!
//! In: an endpoint and [`Call`]s. Out: a [`Reply`] (any status) or a typed [`TransportError`]. It
//! bounds calls at once, time and body size, follows no redirect (a redirected call would carry
//! the session to a host nobody named), and traces method, path and status, never headers,
//! queries or bodies. Knows no provider, session or job.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use reqwest::header::{CONTENT_TYPE, HeaderName, HeaderValue, LOCATION, RETRY_AFTER};
use tokio::sync::Semaphore;

pub use crate::wire::Method;

mod error;
#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;

pub use error::{OpenError, TransportError, TransportKind};

/// How to reach a server.
#[derive(Clone)]
pub struct Settings {
    /// `https://mn.example.com:8080`: scheme, host and port, no credentials.
    pub endpoint: String,
    /// Certificate authorities (PEM) trusted beside those of the system.
    pub ca_pem: Option<Vec<u8>>,
    /// Accept any certificate. Only when the user asked for it.
    pub insecure_skip_verify: bool,
    /// HTTP calls at once.
    pub calls_at_once: usize,
    pub connect_timeout: Duration,
    /// From sending a call to the end of its reply.
    pub timeout: Duration,
    /// Largest reply, in bytes after decompression.
    pub body_limit: usize,
}

impl Settings {
    /// Settings with the defaults that suit an API of small requests and pages of 1000 rows.
    pub fn new(endpoint: &str) -> Self {
        Self {
            endpoint: endpoint.to_owned(),
            ca_pem: None,
            insecure_skip_verify: false,
            calls_at_once: 8,
            connect_timeout: Duration::from_secs(10),
            timeout: Duration::from_secs(60),
            body_limit: 256 << 20,
        }
    }
}

/// One call. Path, headers and body may hold secrets; `shown` may not.
pub struct Call<'a> {
    pub method: Method,
    /// Encoded path and query below the endpoint.
    pub path: &'a str,
    /// What stands for the path in traces.
    pub shown: &'a str,
    pub headers: &'a [(&'static str, String)],
    pub body: Option<Vec<u8>>,
}

/// A whole reply, whatever its status.
pub struct Reply {
    pub status: u16,
    /// Lower case, without parameters; empty when the server says none.
    pub content_type: String,
    pub retry_after: Option<Duration>,
    /// Where a redirect (3xx) points.
    pub location: Option<String>,
    pub body: Vec<u8>,
}

/// A keep-alive client for one endpoint.
pub struct Client {
    http: reqwest::Client,
    endpoint: String,
    permits: Semaphore,
    sent: AtomicU64,
    body_limit: usize,
}

impl Client {
    /// Builds the client; nothing is sent yet.
    ///
    /// # Errors
    /// [`OpenError`] when the endpoint is no URL or a certificate cannot be read.
    pub fn new(settings: &Settings) -> Result<Self, OpenError> {
        // An error means that one is installed already, by an earlier client.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let endpoint = settings.endpoint.trim_end_matches('/').to_owned();
        let url = check_endpoint(&endpoint)?;
        let mut builder = reqwest::Client::builder()
            .user_agent(concat!("rackform/", env!("CARGO_PKG_VERSION")))
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(settings.connect_timeout)
            .timeout(settings.timeout)
            .tcp_nodelay(true)
            .pool_max_idle_per_host(settings.calls_at_once);
        if is_loopback(&url) {
            // A proxy from the environment reaches another machine's loopback, not ours.
            builder = builder.no_proxy();
        }
        builder = match &settings.ca_pem {
            // Reading the system's roots takes milliseconds and fails where there are none.
            _ if url.scheme() == "http" => builder.tls_certs_only(std::iter::empty()),
            _ if settings.insecure_skip_verify => builder.tls_danger_accept_invalid_certs(true),
            None => builder,
            Some(pem) => builder.tls_certs_merge(error::certificates(pem)?),
        };
        let http = builder.build().map_err(|e| error::build(&e))?;
        Ok(Self {
            http,
            endpoint,
            permits: Semaphore::new(settings.calls_at_once.max(1)),
            sent: AtomicU64::new(0),
            body_limit: settings.body_limit,
        })
    }

    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// Calls sent so far, failed ones too.
    pub fn sent(&self) -> u64 {
        self.sent.load(Ordering::Relaxed)
    }

    /// Sends one call and reads its whole reply. Waits while too many are under way.
    ///
    /// # Errors
    /// [`TransportError`], which knows whether the call can have arrived.
    pub async fn send(&self, call: Call<'_>) -> Result<Reply, TransportError> {
        // The semaphore is never closed; without a permit the call would only be unbounded.
        let _permit = self.permits.acquire().await.ok();
        let (method, shown) = (call.method, call.shown);
        let started = Instant::now();
        self.sent.fetch_add(1, Ordering::Relaxed);
        let result = self.exchange(call).await;
        let elapsed = started.elapsed();
        match &result {
            Ok(reply) => {
                tracing::debug!(method = method.as_str(), path = shown, reply.status, ?elapsed);
            }
            Err(e) => tracing::debug!(method = method.as_str(), path = shown, error = %e, ?elapsed),
        }
        result
    }

    async fn exchange(&self, call: Call<'_>) -> Result<Reply, TransportError> {
        let mut request = self.http.request(verb(call.method), self.url(call.path));
        for (name, value) in call.headers {
            let mut value = HeaderValue::from_str(value)
                .map_err(|_| self.error(TransportKind::Invalid, format!("header `{name}`")))?;
            value.set_sensitive(true);
            request = request.header(HeaderName::from_static(name), value);
        }
        if let Some(body) = call.body {
            request = request.header(CONTENT_TYPE, "application/json").body(body);
        }
        let mut response = request.send().await.map_err(|e| error::sending(&self.endpoint, &e))?;
        let headers = response.headers();
        let text = |name| headers.get(name).and_then(|v: &HeaderValue| v.to_str().ok());
        let mut reply = Reply {
            status: response.status().as_u16(),
            content_type: text(CONTENT_TYPE).map(media_type).unwrap_or_default(),
            retry_after: text(RETRY_AFTER).and_then(|s| s.parse().ok()).map(Duration::from_secs),
            location: text(LOCATION).map(str::to_owned),
            body: Vec::new(),
        };
        // Read to the end even when the status says all: only then is the connection reused.
        while let Some(chunk) =
            response.chunk().await.map_err(|e| error::reading(&self.endpoint, &e))?
        {
            if reply.body.len() + chunk.len() > self.body_limit {
                let limit = format!("more than {} MiB", self.body_limit >> 20);
                return Err(self.error(TransportKind::TooLarge, limit));
            }
            reply.body.extend_from_slice(&chunk);
        }
        Ok(reply)
    }

    fn url(&self, path: &str) -> String {
        format!("{}{path}", self.endpoint)
    }

    fn error(&self, kind: TransportKind, detail: String) -> TransportError {
        TransportError { kind, endpoint: self.endpoint.clone(), detail }
    }
}

fn verb(method: Method) -> reqwest::Method {
    match method {
        Method::Get => reqwest::Method::GET,
        Method::Post => reqwest::Method::POST,
        Method::Put => reqwest::Method::PUT,
        Method::Delete => reqwest::Method::DELETE,
    }
}

fn media_type(header: &str) -> String {
    header.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

fn check_endpoint(endpoint: &str) -> Result<reqwest::Url, OpenError> {
    let fail = |reason| OpenError::Endpoint { endpoint: endpoint.to_owned(), reason };
    let url = reqwest::Url::parse(endpoint).map_err(|_| fail("it is not a URL"))?;
    if !url.username().is_empty() || url.password().is_some() {
        // The text itself is not repeated: it holds the password.
        return Err(OpenError::Credentials);
    }
    match url.scheme() {
        "http" | "https" if url.query().is_none() && url.fragment().is_none() => Ok(url),
        "http" | "https" => Err(fail("it has a query or fragment")),
        _ => Err(fail("it does not start with https:// or http://")),
    }
}

fn is_loopback(url: &reqwest::Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let address = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || address.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
}
