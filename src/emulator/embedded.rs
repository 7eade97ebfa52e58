//! The server behind `endpoint = "emulator"`. In: a directory. Out: a URL, served by this process
//! or by another that came first. The operating system's lock decides who serves: a port file that
//! a dead process left behind is never trusted.

use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::{Instant, sleep, timeout};

use super::{EmulatorError, Options, Running, start};

/// How long to wait for another process that holds the lock to write its port.
const PATIENCE: Duration = Duration::from_secs(10);

/// A usable embedded server.
pub struct Embedded {
    pub url: String,
    /// The server, if this process runs it; others lose it when this is dropped.
    pub server: Option<Running>,
    /// Held as long as this process serves.
    _lock: Option<File>,
}

/// Serves `DIR/.rackform/emulator.jsonl`, or finds the process that does (which has its own seed).
/// Errors: the directory cannot be written, the log is damaged, the seed is not usable, the other
/// process does not come up.
pub async fn embedded(dir: &Path, seed: Option<Value>) -> Result<Embedded, EmulatorError> {
    let folder = dir.join(".rackform");
    let failed = |path: &Path, error: io::Error| EmulatorError::Embedded {
        path: path.to_owned(),
        reason: error.to_string(),
    };
    std::fs::create_dir_all(&folder).map_err(|error| failed(&folder, error))?;
    let (lock_path, port_path) = (folder.join("emulator.lock"), folder.join("emulator.port"));
    let mut options = OpenOptions::new();
    let lock = options.create(true).truncate(false).write(true).open(&lock_path);
    let lock = lock.map_err(|error| failed(&lock_path, error))?;
    let deadline = Instant::now() + PATIENCE;
    loop {
        match lock.try_lock() {
            Ok(()) => {
                // Whoever wrote it is gone.
                let _ = std::fs::remove_file(&port_path);
                return serve((&folder, &port_path), lock, seed).await;
            }
            Err(TryLockError::WouldBlock) => {}
            Err(TryLockError::Error(error)) => return Err(failed(&lock_path, error)),
        }
        if let Some(url) = other(&port_path).await {
            return Ok(Embedded { url, server: None, _lock: None });
        }
        if Instant::now() >= deadline {
            let text = "another process holds the lock but does not answer; end it and try again";
            return Err(failed(&lock_path, io::Error::other(text)));
        }
        sleep(Duration::from_millis(20)).await;
    }
}

async fn serve(
    (folder, port_path): (&Path, &Path),
    lock: File,
    seed: Option<Value>,
) -> Result<Embedded, EmulatorError> {
    let data: PathBuf = folder.join("emulator.jsonl");
    let running = start(Options { data: Some(data), seed, ..Options::default() }).await?;
    let fresh = port_path.with_extension("port.new");
    let written = std::fs::write(&fresh, format!("{}\n{}", running.url(), running.identity()))
        .and_then(|()| std::fs::rename(&fresh, port_path));
    written.map_err(|error| EmulatorError::Embedded {
        path: port_path.to_owned(),
        reason: error.to_string(),
    })?;
    Ok(Embedded { url: running.url(), server: Some(running), _lock: Some(lock) })
}

/// The URL of the process that holds the lock, if it answers with the identity that stands beside
/// it. A file left by a dead process, whose port may serve something else by now, does not pass.
async fn other(port_path: &Path) -> Option<String> {
    let written = std::fs::read_to_string(port_path).ok()?;
    let (url, identity) = written.split_once('\n')?;
    let answer = timeout(Duration::from_secs(2), ask_identity(url.strip_prefix("http://")?));
    answer.await.ok()?.ok()?.contains(identity).then(|| url.to_owned())
}

async fn ask_identity(address: &str) -> io::Result<String> {
    let mut stream = tokio::net::TcpStream::connect(address).await?;
    let request =
        format!("GET /emulator/identity HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    let mut reply = String::new();
    stream.take(4096).read_to_string(&mut reply).await?;
    Ok(reply)
}
