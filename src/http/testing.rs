//! A server for tests that says exactly what a test wants, also what no correct server would.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// A request as it arrived.
#[derive(Clone, Debug)]
pub struct Seen {
    pub method: String,
    /// With the query.
    pub path: String,
    /// Names in lower case.
    pub headers: HashMap<String, String>,
    pub body: String,
}

/// What to do with a request.
pub enum Say {
    /// Status, header lines (`Name: value`), body.
    Reply(u16, &'static [&'static str], String),
    /// Close without a word.
    Close,
    /// Half of a reply, then close.
    Half,
    /// Never answer.
    Nothing,
}

/// A reply without headers of its own.
pub fn reply(status: u16, body: &str) -> Say {
    Say::Reply(status, &[], body.to_owned())
}

pub struct Server {
    pub url: String,
    seen: Arc<Mutex<Vec<Seen>>>,
    task: tokio::task::JoinHandle<()>,
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Server {
    /// Serves on a free port of the loopback interface.
    pub async fn start(handler: impl Fn(&Seen) -> Say + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("bound"));
        let seen = Arc::new(Mutex::new(Vec::new()));
        let (log, handler) = (seen.clone(), Arc::new(handler));
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, handler.clone(), log.clone()));
            }
        });
        Self { url, seen, task }
    }
    /// Requests so far.
    pub fn seen(&self) -> Vec<Seen> {
        self.seen.lock().expect("no panic while held").clone()
    }
    /// How many requests had this method and a path that starts so.
    pub fn count(&self, method: &str, path: &str) -> usize {
        self.seen().iter().filter(|s| s.method == method && s.path.starts_with(path)).count()
    }
}

async fn serve<H>(mut stream: TcpStream, handler: Arc<H>, log: Arc<Mutex<Vec<Seen>>>) -> Option<()>
where
    H: Fn(&Seen) -> Say,
{
    loop {
        let seen = read(&mut stream).await?;
        log.lock().expect("no panic while held").push(seen.clone());
        match handler(&seen) {
            Say::Close => return None,
            Say::Nothing => std::future::pending().await,
            Say::Half => {
                stream
                    .write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"inv")
                    .await
                    .ok()?;
                return None;
            }
            Say::Reply(status, headers, body) => {
                let headers: String = headers.iter().map(|h| format!("{h}\r\n")).collect();
                let length = body.len();
                let text = format!(
                    "HTTP/1.1 {status} X\r\nContent-Length: {length}\r\n{headers}\r\n{body}"
                );
                stream.write_all(text.as_bytes()).await.ok()?;
            }
        }
    }
}

async fn read(stream: &mut TcpStream) -> Option<Seen> {
    let mut bytes = Vec::new();
    let head = loop {
        if let Some(end) = bytes.windows(4).position(|w| w == b"\r\n\r\n") {
            break end;
        }
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    };
    let text = String::from_utf8_lossy(&bytes[..head]).into_owned();
    let mut lines = text.lines();
    let mut first = lines.next()?.split(' ').map(str::to_owned);
    let (method, path) = (first.next()?, first.next()?);
    let header =
        |line: &str| line.split_once(": ").map(|(k, v)| (k.to_ascii_lowercase(), v.to_owned()));
    let headers: HashMap<_, _> = lines.filter_map(header).collect();
    let length = headers.get("content-length").and_then(|l| l.parse().ok()).unwrap_or(0);
    let mut body = bytes.split_off(head + 4);
    while body.len() < length {
        if stream.read_buf(&mut body).await.ok()? == 0 {
            return None;
        }
    }
    Some(Seen { method, path, headers, body: String::from_utf8_lossy(&body).into_owned() })
}
