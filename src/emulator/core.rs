//! What all parts of a running emulator share. In: transactions. Out: state that is logged before
//! anyone is answered. The one lock around the store is never held across an await.

use std::collections::{BTreeMap, HashMap, hash_map::RandomState};
use std::hash::{BuildHasher, Hasher};
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use serde_json::Value;
use tokio::sync::watch;

use super::clock::Clock;
use super::dispatch::{Api, Routes};
use super::errors::ApiError;
use super::faults::{Effects, Faults};
use super::log::Log;
use super::query::Views;
use super::requests::Requests;
use super::store::{Row, Store, Tx};
use super::transport::{Connections, Cutter};
use super::zstack::{self, Operation};
use super::{EmulatorError, Options, ServerVersion};

struct State {
    store: Store,
    log: Option<Log>,
    /// Once the log cannot be written, nothing may be promised any more.
    broken: Option<String>,
}

/// The shared state.
pub struct Core {
    pub version: ServerVersion,
    pub clock: Clock,
    pub routes: Routes,
    pub views: Views,
    pub latency: Duration,
    pub job_latency: Duration,
    pub connections: Connections,
    pub faults: Mutex<Faults>,
    pub requests: Mutex<Requests>,
    /// As the management node sees itself; set once the port is known.
    pub url: OnceLock<String>,
    /// While a seed is carried out no job takes time.
    pub in_haste: AtomicBool,
    operations: HashMap<&'static str, &'static Operation>,
    state: Mutex<State>,
    /// Rises with each restart: jobs of an earlier epoch stop.
    epoch: watch::Sender<u64>,
    counter: AtomicU64,
    entropy: u64,
    /// Tells this running emulator from any other program that may listen on the same port later.
    pub identity: String,
}

/// Locks; a panic elsewhere while holding the lock must not take the emulator down.
pub fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Core {
    /// Builds the tables and replays the log. Errors: an unreadable or damaged log.
    pub fn open(options: &Options) -> Result<Arc<Self>, EmulatorError> {
        let mut store = Store::new(&zstack::families());
        let log = options.data.as_deref().map(|path| open_log(path, &mut store)).transpose()?;
        // Differs from process to process: uuids of a restarted emulator must not repeat.
        let entropy = RandomState::new().build_hasher().finish();
        let core = Core {
            version: options.version,
            clock: Clock::start(),
            routes: Routes::load(options.version)
                .map_err(|e| EmulatorError::Table(e.to_string()))?,
            views: Views::new(zstack::views(), options.version),
            latency: options.latency,
            job_latency: options.job_latency,
            connections: Connections::default(),
            faults: Mutex::new(Faults::new(options.faults.clone())),
            requests: Mutex::default(),
            url: OnceLock::new(),
            in_haste: AtomicBool::new(false),
            operations: zstack::operations(),
            state: Mutex::new(State { store, log, broken: None }),
            epoch: watch::channel(0).0,
            counter: AtomicU64::new(0),
            entropy,
            identity: blake3::hash(&entropy.to_le_bytes()).to_hex().to_string(),
        };
        Ok(Arc::new(core))
    }

    /// Runs a transaction and logs it as one line before it returns.
    pub fn with<R>(&self, work: impl FnOnce(&mut Tx<'_>) -> R) -> R {
        let now = self.clock.now();
        let mut state = lock(&self.state);
        let State { store, log, broken } = &mut *state;
        let mut tx = Tx::new(store, now);
        let result = work(&mut tx);
        let records = tx.into_records();
        if let Some(Err(error)) = log.as_mut().map(|log| log.append(records)) {
            *broken = Some(error.to_string());
        }
        result
    }

    /// Reads the store.
    pub fn read<R>(&self, work: impl FnOnce(&Store) -> R) -> R {
        work(&lock(&self.state).store)
    }

    /// Why the emulator may not answer any more.
    pub fn broken(&self) -> Option<String> {
        lock(&self.state).broken.clone()
    }

    /// The handler of an API.
    pub fn operation(&self, api: &str) -> Option<&'static Operation> {
        self.operations.get(api).copied()
    }

    /// A new v4-shaped uuid without dashes, never given out before.
    pub fn fresh_uuid(&self) -> String {
        let count = self.counter.fetch_add(1, Ordering::Relaxed);
        let mut bytes = [0; 16];
        let hash = blake3::hash(&[self.entropy.to_le_bytes(), count.to_le_bytes()].concat());
        bytes.copy_from_slice(&hash.as_bytes()[..16]);
        bytes[6] = bytes[6] & 0x0f | 0x40;
        bytes[8] = bytes[8] & 0x3f | 0x80;
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// Follows the epoch; a change means that work in flight is lost.
    pub fn epoch(&self) -> watch::Receiver<u64> {
        self.epoch.subscribe()
    }

    /// What a restart of the management node does to the outside: connections break, jobs in
    /// flight are forgotten (they answer "processing" for ever).
    pub fn abandon(&self, asking: Option<&Cutter>) {
        self.epoch.send_modify(|epoch| *epoch += 1);
        self.connections.cut_all(asking);
    }

    /// Waits for a part of the job latency.
    pub async fn wait(&self, share: f64) {
        let time = self.job_latency.mul_f64(share);
        if !time.is_zero() && !self.in_haste.load(Ordering::Relaxed) {
            tokio::time::sleep(time).await;
        }
    }

    /// Notes something that a correct client never does.
    pub fn violation(&self, method: &str, path: &str, text: impl Into<String>) {
        lock(&self.requests).violation(method, path, text.into());
    }
}

fn open_log(path: &Path, store: &mut Store) -> Result<Log, EmulatorError> {
    Log::open(path, store)
        .map_err(|error| EmulatorError::Log { path: path.to_owned(), reason: error.to_string() })
}

/// An API message on its way.
pub struct Call {
    pub api: Arc<Api>,
    pub values: Row,
    pub session: Option<String>,
    pub system_tags: Vec<String>,
    pub user_tags: Vec<String>,
    pub effects: Effects,
    /// A uuid to use where the client chose none.
    pub fresh: String,
    pub version: ServerVersion,
    /// `X-JSON-Schema: true`: the reply names the classes of its objects.
    pub json_schema: bool,
}

impl Call {
    /// A string parameter, empty if absent.
    pub fn text(&self, name: &str) -> &str {
        self.values.get(name).and_then(Value::as_str).unwrap_or("")
    }

    /// A string parameter that may be absent.
    pub fn given(&self, name: &str) -> Option<&str> {
        self.values.get(name).and_then(Value::as_str)
    }

    pub fn flag(&self, name: &str) -> bool {
        self.values.get(name).and_then(Value::as_bool).unwrap_or(false)
    }

    /// A list of strings, empty if absent.
    pub fn list(&self, name: &str) -> Vec<&str> {
        let items = self.values.get(name).and_then(Value::as_array);
        items.into_iter().flatten().filter_map(Value::as_str).collect()
    }

    /// The uuid that a create uses.
    pub fn new_uuid(&self) -> &str {
        self.given("resourceUuid").unwrap_or(&self.fresh)
    }

    /// A dry run (`PortalSystemTags.VALIDATION_ONLY`).
    pub fn validation_only(&self) -> bool {
        !self.effects.ignore_validation_only
            && self.system_tags.iter().any(|tag| tag == "validationOnly")
    }
}

/// Checks a session: known and not expired.
pub fn check_session(store: &Store, session: &str, now: i64) -> Result<(), ApiError> {
    let expires = store.get("session", session).and_then(|row| row.get("expiredDate")?.as_i64());
    if expires.is_some_and(|at| at > now) { Ok(()) } else { Err(ApiError::session()) }
}

/// Whether the session's account is a Normal one. The reference says that resources not visible to
/// an account are simply missing; which those are it does not say. A choice: a Normal account sees
/// none of the emulated families, and may change none (ID.1002).
pub fn is_normal_account(store: &Store, session: &str) -> bool {
    let account = store.get("session", session).and_then(|row| row.get("accountUuid")?.as_str());
    let account = account.and_then(|uuid| store.get("account", uuid));
    account.is_some_and(|row| row.get("type").and_then(Value::as_str) == Some("Normal"))
}

/// Counts and such for the control endpoint.
pub fn summary(store: &Store) -> BTreeMap<&'static str, usize> {
    store.tables().map(|table| (table.family.name, table.rows().len())).collect()
}
