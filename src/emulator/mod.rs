//! The built-in server of the ZStack REST API. In: options. Out: a running server that answers as
//! the real one does, keeps its state over a kill, and notes what a correct client never does.
//!
//! It is an independent witness: its routes and parameter checks come from its own copy of the API
//! table (`zstack/apis.json`), its behaviour from the reference; it must not import anything of
//! the client but basic types, or a wrong wire name would pass every test.

mod clock;
mod control;
mod core;
mod dispatch;
mod embedded;
mod errors;
mod faults;
mod jobs;
mod log;
mod params;
mod query;
mod requests;
mod seed;
mod server;
mod store;
#[cfg(test)]
mod tests;
mod transport;
mod zstack;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{ConnectInfo, Request};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

pub use embedded::{Embedded, embedded};
pub use faults::{FaultRule, FaultRuleError};
pub use seed::read as read_seed;

use self::core::Core;
use self::transport::{CuttableListener, Cutter};

/// The server that is emulated.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ServerVersion {
    /// 3.0.0, the manual's.
    #[default]
    V3_0,
    /// 5.2.1.
    V5_2,
}

/// How to run the emulator.
#[derive(Debug, Clone)]
pub struct Options {
    pub listen: SocketAddr,
    /// The log that keeps the state; none = in memory only.
    pub data: Option<PathBuf>,
    /// What is live at once and what can be discovered (format: `seed.rs`). Its objects are planted
    /// only while there is no zone yet, and once.
    pub seed: Option<serde_json::Value>,
    /// Delay of each HTTP request.
    pub latency: Duration,
    /// Time that each asynchronous job takes.
    pub job_latency: Duration,
    pub faults: Vec<FaultRule>,
    pub version: ServerVersion,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            data: None,
            seed: None,
            latency: Duration::ZERO,
            job_latency: Duration::ZERO,
            faults: Vec::new(),
            version: ServerVersion::default(),
        }
    }
}

/// Why the emulator does not start.
#[derive(Debug, thiserror::Error)]
pub enum EmulatorError {
    #[error("cannot listen on {address}: {reason}")]
    Listen { address: SocketAddr, reason: std::io::Error },
    #[error("the emulator's log {path} cannot be used: {reason}; remove it to start empty")]
    Log { path: PathBuf, reason: String },
    #[error("the seed is not usable: {0}")]
    Seed(String),
    #[error("the built-in API table is damaged: {0}")]
    Table(String),
    #[error("{path}: {reason}")]
    Embedded { path: PathBuf, reason: String },
}

/// A running emulator; it ends when this is stopped or dropped.
pub struct Running {
    address: SocketAddr,
    core: Arc<Core>,
    server: JoinHandle<()>,
    planted: bool,
}

impl Running {
    /// Whether all of the seed was planted; its objects are left out where the log has zones already,
    /// so that a restart with the same options does not plant them twice.
    pub fn planted(&self) -> bool {
        self.planted
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// `http://127.0.0.1:PORT`.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Differs with each start.
    fn identity(&self) -> &str {
        &self.core.identity
    }

    /// Stops accepting, breaks open connections, abandons running jobs.
    pub async fn stop(mut self) {
        self.end();
        let _ = (&mut self.server).await;
    }

    fn end(&self) {
        self.server.abort();
        self.core.abandon(None);
    }
}

impl std::ops::Drop for Running {
    fn drop(&mut self) {
        self.end();
    }
}

/// Binds, replays the log, plants the seed, and serves on the current tokio runtime.
pub async fn start(options: Options) -> Result<Running, EmulatorError> {
    let core = Core::open(&options)?;
    let seed = options.seed.as_ref().map(seed::expand).transpose().map_err(EmulatorError::Seed)?;
    let planted = match &seed {
        Some(seed) => seed::plant_at_start(&core, seed).map_err(EmulatorError::Seed)?,
        None => false,
    };
    let listen = |reason| EmulatorError::Listen { address: options.listen, reason };
    let tcp = TcpListener::bind(options.listen).await.map_err(listen)?;
    let address = tcp.local_addr().map_err(listen)?;
    // Set only here, before the first request.
    let _ = core.url.set(format!("http://{address}"));
    zstack::boot(&core);
    if let Some(seed) = seed.filter(|_| planted) {
        seed::call(&core, &seed).await.map_err(EmulatorError::Seed)?;
    }
    let listener = CuttableListener { tcp, connections: core.connections.clone() };
    let shared = core.clone();
    let app = Router::new().fallback(move |cutter: ConnectInfo<Cutter>, request: Request| {
        server::handle(shared.clone(), cutter, request)
    });
    let service = app.into_make_service_with_connect_info::<Cutter>();
    let server = tokio::spawn(async move {
        // axum::serve never returns by itself.
        let _ = axum::serve(listener, service).await;
    });
    Ok(Running { address, core, server, planted })
}
