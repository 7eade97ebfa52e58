//! The engine: sends calls of any dialect, with sessions, retries that are safe, and jobs followed
//! to their end.
//!
//! In: [`Request`]s and list queries. Out: [`Outcome`]s, pages, [`Fault`]s. Every fault and reply
//! that leaves here is free of secrets. Dropping a future at any point is safe: what was sent is
//! found again by its job id.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::OnceCell;
use tokio::time::{Instant, sleep};

use super::backoff::{Pace, Usual};
use super::session::Keeper;
use super::{
    Answer, Dialect, DryRun, Fault, FaultKind, Limits, List, ProviderError, Retry, Session,
};
use super::{Settings, dialect};
use crate::http::{Call, Client, Reply, TransportError};
use crate::value::Value;
use crate::wire::decode::{Page, RowDecoder};
use crate::wire::{Request, secrets};

mod sending;

/// A logged-in connection to one cloud. Cheap to clone.
#[derive(Clone)]
pub struct Connection(Arc<Inner>);

struct Inner {
    name: Arc<str>,
    dialect: &'static dyn Dialect,
    http: Client,
    account: Arc<str>,
    password: Arc<str>,
    keeper: Keeper,
    timing: Timing,
    /// How long jobs took, by kind of call.
    usual: Usual,
    version: OnceCell<Option<String>>,
}

/// How long to wait between and for attempts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timing {
    pub poll: Pace,
    pub retry: Pace,
    /// How long a server may be out of reach before a call is given up.
    pub patience: Duration,
}

impl Default for Timing {
    fn default() -> Self {
        Self { poll: Pace::POLL, retry: Pace::RETRY, patience: Duration::from_secs(60) }
    }
}

/// How a call that changes something ended.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// It had its effect; the reply, without secrets (`Null` when empty).
    Done(serde_json::Value),
    /// It had none, or failed while being carried out: the server says so.
    Failed(Fault),
    /// Whether it had or will have an effect is not known: the object must be read.
    Unknown { job: Option<String>, why: String },
}

impl Connection {
    /// Connects and logs in.
    ///
    /// # Errors
    /// [`ProviderError`] naming what to correct: settings, endpoint, TLS, or credentials.
    pub async fn open(settings: &Settings) -> Result<Self, ProviderError> {
        let name = &settings.name;
        let dialect = dialect(&settings.kind).ok_or_else(|| ProviderError::Kind {
            name: name.clone(),
            kind: settings.kind.clone(),
        })?;
        let mut http = settings.http.clone();
        if !settings.calls_at_once_given {
            http.calls_at_once = dialect.limits().calls_at_once;
        }
        let http = Client::new(&http)
            .map_err(|source| ProviderError::Open { name: name.clone(), source })?;
        let connection = Self(Arc::new(Inner {
            name: name.clone(),
            dialect,
            http,
            account: settings.account.clone(),
            password: settings.password.clone(),
            keeper: Keeper::default(),
            timing: settings.timing,
            usual: Usual::default(),
            version: OnceCell::new(),
        }));
        match connection.0.session(None).await {
            Ok(_) => Ok(connection),
            Err(fault) => Err(ProviderError::Login { name: name.clone(), source: Box::new(fault) }),
        }
    }

    /// Ends the session. Not doing so leaves it to expire; some servers count open ones.
    pub async fn close(&self) {
        let inner = &*self.0;
        if let Some(session) = inner.keeper.take().await {
            let logout = inner.dialect.logout(&session);
            // The path holds the session, so that a trace must not show it.
            let _ = inner.call(&logout, "(logout)", &[]).await;
        }
    }

    /// `NAME` of the provider configuration.
    pub fn name(&self) -> &Arc<str> {
        &self.0.name
    }
    /// Requests sent so far, logins and polls too.
    pub fn requests(&self) -> u64 {
        self.0.http.sent()
    }
    pub fn limits(&self) -> Limits {
        self.0.dialect.limits()
    }
    /// Whether a text can be the id of an object of this cloud.
    pub fn is_id(&self, text: &str) -> bool {
        self.0.dialect.is_id(text)
    }
    /// How its server is asked to check calls only.
    pub fn dry_run(&self) -> Option<&'static dyn DryRun> {
        self.0.dialect.dry_run()
    }
    /// The member that identifies a row of this list.
    pub(crate) fn row_id(&self, target: &crate::schema::Target) -> &'static str {
        self.0.dialect.row_id(target)
    }
    /// The account's id, as the server gave it.
    ///
    /// # Errors
    /// A login that became necessary failed.
    pub async fn account_id(&self) -> Result<Option<String>, Fault> {
        Ok(self.0.session(None).await?.1.account_id)
    }

    /// The server's version, asked for once.
    ///
    /// # Errors
    /// The server could not be asked.
    pub async fn version(&self) -> Result<Option<&str>, Fault> {
        let ask = || async {
            let request = self.0.dialect.version();
            let reply = self.0.call(&request, shown(&request), &[]).await?;
            match self.0.dialect.classify(&request, &reply) {
                Answer::Done => Ok(json(&reply.body).and_then(|v| self.0.dialect.version_of(&v))),
                Answer::Fault(fault) | Answer::Lost(fault) => Err(fault),
                Answer::Accepted { .. } | Answer::Running | Answer::Duplicate | Answer::Unknown => {
                    Ok(None)
                }
            }
        };
        Ok(self.0.version.get_or_try_init(ask).await?.as_deref())
    }

    /// Sends a call that changes something and waits for its end, at most `deadline`.
    ///
    /// `job` is the call's idempotency key (see [`super::job_id`]): with it a lost answer is
    /// resolved by asking for the job, and the call is sent again only when the server never got
    /// it. Without one a lost answer is [`Outcome::Unknown`].
    pub async fn send(&self, request: &Request, job: Option<&str>, deadline: Duration) -> Outcome {
        sending::Sending::new(&self.0, Some(request), job, deadline).run(request).await
    }

    /// What became of a call sent earlier under this job id, perhaps by a process that died.
    /// Waits for its end, at most `deadline`. `None`: the server does not know it, so that it
    /// never got it or has forgotten it (ZStack: after 3 hours).
    pub async fn resolve(&self, job: &str, deadline: Duration) -> Option<Outcome> {
        sending::Sending::new(&self.0, None, Some(job), deadline).resolve().await
    }

    /// Sends a call that changes nothing; sent again while that can help.
    ///
    /// # Errors
    /// The [`Fault`], never to be read as "there is nothing".
    pub async fn read(&self, request: &Request) -> Result<Vec<u8>, Fault> {
        let started = Instant::now();
        let mut ended = None;
        loop {
            let fault = match self.0.ask(request, &mut ended).await {
                Ok(body) => return Ok(body),
                Err(fault) => fault,
            };
            let waited = started.elapsed();
            if fault.retry == Retry::Never || waited >= self.0.timing.patience {
                return Err(self.0.about(fault, request, None));
            }
            sleep(self.0.delay(waited, &fault, &request.path)).await;
        }
    }

    pub(super) fn dialect(&self) -> &'static dyn Dialect {
        self.0.dialect
    }

    /// As [`Connection::read`]; the reply as JSON without secrets.
    ///
    /// # Errors
    /// The query failed, or its reply is no JSON.
    pub async fn read_json(&self, request: &Request) -> Result<serde_json::Value, Fault> {
        let body = self.read(request).await?;
        json(&body).ok_or_else(|| {
            let fault = Fault::new(FaultKind::Invalid, "the server's answer is not valid JSON");
            self.0.about(fault, request, None)
        })
    }

    /// One page of a list.
    ///
    /// # Errors
    /// The query failed, or its reply is not what the schema says.
    pub async fn page(&self, decoder: &RowDecoder, list: &List<'_>) -> Result<Page, Fault> {
        let request = self.0.dialect.list(list)?;
        let body = self.read(&request).await?;
        decoder.page(&body).map_err(|e| {
            self.0.about(Fault::new(FaultKind::Invalid, e.to_string()), &request, None)
        })
    }

    /// The number of objects that a list has.
    ///
    /// # Errors
    /// The query failed, or its reply names no number.
    pub async fn count(&self, list: &List<'_>) -> Result<u64, Fault> {
        let total =
            self.list(list).await?.get(self.0.dialect.convention().total).map(Value::from_json);
        total
            .and_then(|t| t.as_int())
            .and_then(|n| u64::try_from(n).ok())
            .ok_or_else(|| Fault::new(FaultKind::Invalid, "the answer to a count has no number"))
    }

    /// The rows of a list as JSON without secrets.
    ///
    /// # Errors
    /// The query failed, or its reply has no rows.
    pub async fn rows(&self, list: &List<'_>) -> Result<Vec<serde_json::Value>, Fault> {
        match self
            .list(list)
            .await?
            .get_mut(self.0.dialect.convention().rows)
            .map(serde_json::Value::take)
        {
            Some(serde_json::Value::Array(rows)) => Ok(rows),
            _ => Err(Fault::new(FaultKind::Invalid, "the answer to a list has no rows")),
        }
    }

    async fn list(&self, list: &List<'_>) -> Result<serde_json::Value, Fault> {
        self.read_json(&self.0.dialect.list(list)?).await
    }
}

impl Inner {
    async fn session(&self, ended: Option<u64>) -> Result<(u64, Session), Fault> {
        self.keeper.get(ended, || self.login()).await
    }

    async fn login(&self) -> Result<Session, Fault> {
        let request = self.dialect.login(&self.account, &self.password);
        let reply = self.call(&request, shown(&request), &[]).await?;
        self.dialect
            .session(&reply)
            .map_err(|fault| fault.map_texts(|t| secrets::mask(t, &[self.password.to_string()])))
    }

    /// Sends a query once; twice when the session had ended.
    async fn ask(&self, request: &Request, ended: &mut Option<u64>) -> Result<Vec<u8>, Fault> {
        loop {
            let (generation, session) = self.session(*ended).await?;
            let (answer, reply) = self.submit(request, None, &session).await?;
            match answer {
                Answer::Done => return Ok(reply.body),
                Answer::Fault(fault) if fault.kind == FaultKind::Session => {
                    if ended.replace(generation).is_some() {
                        return Err(Fault { retry: Retry::Never, ..fault });
                    }
                }
                Answer::Fault(fault) | Answer::Lost(fault) => return Err(fault),
                // `GET /primary-storage/{uuid}` deletes (reference 1.1): nothing here asks for
                // such a path, and if a server has another, it must not pass as a read.
                Answer::Accepted { .. } | Answer::Running | Answer::Duplicate | Answer::Unknown => {
                    return Err(Fault::new(FaultKind::Failed, "a query was taken for a change"));
                }
            }
        }
    }

    /// Sends a call once, in a session, and says what the reply means.
    async fn submit(
        &self,
        request: &Request,
        job: Option<&str>,
        session: &Session,
    ) -> Result<(Answer, Reply), TransportError> {
        let headers = self.dialect.authorize(session, job);
        let reply = self.call(request, shown(request), &headers).await?;
        Ok((self.dialect.classify(request, &reply), reply))
    }

    async fn call(
        &self,
        request: &Request,
        shown: &str,
        headers: &[(&'static str, String)],
    ) -> Result<Reply, TransportError> {
        let path = format!("{}{}", self.dialect.base(), request.path);
        let body = request.body.as_ref().map(|b| b.to_string().into_bytes());
        let call = Call { method: request.method, path: &path, shown, headers, body };
        self.http.send(call).await
    }

    /// How long to wait before sending again: as long as the server says, within reason.
    fn delay(&self, waited: Duration, fault: &Fault, key: &str) -> Duration {
        let own = self.timing.retry.next(waited, key);
        own.max(fault.wait.unwrap_or_default().min(self.timing.patience))
    }

    /// The fault with what it is about, and without secrets.
    fn about(&self, mut fault: Fault, request: &Request, job: Option<&str>) -> Fault {
        fault.request = fault
            .request
            .or_else(|| Some(format!("{} {}", request.method.as_str(), shown(request))));
        fault.request_id = fault.request_id.or_else(|| job.map(str::to_owned));
        let sent = request.body.as_ref().map(secrets::in_body).unwrap_or_default();
        fault.map_texts(|text| secrets::mask(text, &sent))
    }
}

/// A request's path without its query, which can hold values of attributes.
fn shown(request: &Request) -> &str {
    request.path.split('?').next().unwrap_or_default()
}

/// A reply's JSON without secrets: `Null` when empty (3.0 answers so where 5.2 says `{}`), `None`
/// when it is no JSON.
fn json(body: &[u8]) -> Option<serde_json::Value> {
    if body.iter().all(u8::is_ascii_whitespace) {
        return Some(serde_json::Value::Null);
    }
    let mut value = serde_json::from_slice(body).ok()?;
    secrets::strip(&mut value);
    Some(value)
}
