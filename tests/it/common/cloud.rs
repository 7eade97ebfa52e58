//! An emulator to run the real binary against, in this process or as a child. In: options, and
//! changes behind rackform's back. Out: its URL, what was asked of it, what it holds now. It looks
//! with a bare HTTP client: a mistake of ours (`rackform::http`, `provider`, `wire`) has to show.
//!
//! Everything here blocks, for plain `#[test]`s; `raw.rs` is for asynchronous ones.

use std::io::{BufRead, BufReader};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::Mutex;

use rackform::emulator::{self, Options, Running};
use reqwest::{Client, Method, RequestBuilder};
use serde_json::{Value, json};
use tokio::runtime::Runtime;

use super::raw::PASSWORD;

/// A running emulator. Dropping it ends it.
pub struct Cloud {
    runtime: Runtime,
    http: Client,
    url: String,
    server: Server,
    session: Mutex<Option<String>>,
}

enum Server {
    /// Ends when it is dropped.
    Here(#[expect(dead_code, reason = "held for its drop")] Running),
    /// The child and its open stdout: a closed pipe could end it.
    Child(Child, #[expect(dead_code, reason = "held open")] BufReader<ChildStdout>),
}

/// A request that changes something, as the emulator recorded it (secrets are `***`).
#[derive(Clone, Debug)]
pub struct Mutation {
    pub method: String,
    /// Below `/zstack/v1`.
    pub path: String,
    pub query: String,
    /// `null` if there was none.
    pub body: Value,
    /// `X-Job-UUID`, as sent.
    pub job: Option<String>,
}

impl Cloud {
    /// An empty cloud in this process.
    pub fn start() -> Cloud {
        Cloud::start_with(Options::default())
    }

    /// A cloud in this process.
    pub fn start_with(options: Options) -> Cloud {
        let runtime = runtime();
        let running = runtime.block_on(emulator::start(options)).expect("the emulator starts");
        let url = running.url();
        Cloud {
            http: client(),
            runtime,
            url,
            server: Server::Here(running),
            session: Mutex::default(),
        }
    }

    /// A cloud in a process of its own, `rackform emulate` on a free port with these arguments: it
    /// can be killed, and its time and memory are not ours.
    pub fn child(args: &[&str]) -> Cloud {
        let mut child = Command::new(env!("CARGO_BIN_EXE_rackform"))
            .args(["emulate", "--listen", "127.0.0.1:0"])
            .args(args)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("rackform emulate starts");
        let mut stdout = BufReader::new(child.stdout.take().expect("a piped stdout"));
        let mut url = String::new();
        stdout.read_line(&mut url).expect("the emulator prints its URL");
        let url = url.trim().to_owned();
        assert!(url.starts_with("http://"), "the first line is the URL, not {url:?}");
        Cloud {
            http: client(),
            runtime: runtime(),
            url,
            server: Server::Child(child, stdout),
            session: Mutex::default(),
        }
    }

    /// `http://127.0.0.1:PORT`.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// `[provider.zstack]` of a configuration for this cloud.
    pub fn provider(&self) -> String {
        let url = &self.url;
        format!(
            "[provider.zstack]\nendpoint = \"{url}\"\naccount = \"admin\"\n\
             password = '${{env(\"ZSTACK_PASSWORD\")}}'\n"
        )
    }

    /// What changed something since the last [`Cloud::reset`], in the order of arrival. Logins and
    /// questions for the version are not among it.
    pub fn mutations(&self) -> Vec<Mutation> {
        let all = self.control(Method::GET, "requests", None);
        let text = |entry: &Value, key: &str| entry[key].as_str().unwrap_or_default().to_owned();
        let entries = all["requests"].as_array().expect("a list of requests").iter();
        let mutating = entries.filter(|entry| {
            let path = text(entry, "path");
            let asks = entry["body"].get("getVersion").is_some();
            entry["method"] != "GET" && !path.contains("/accounts/") && !asks
        });
        mutating
            .map(|entry| Mutation {
                method: text(entry, "method"),
                path: text(entry, "path").trim_start_matches("/zstack/v1").to_owned(),
                query: text(entry, "query"),
                body: entry["body"].clone(),
                job: entry["job"].as_str().map(str::to_owned),
            })
            .collect()
    }

    /// How many requests of each API came since the last [`Cloud::reset`].
    pub fn counts(&self) -> Value {
        self.control(Method::GET, "requests", None)["counts"].clone()
    }

    /// Forgets requests and violations.
    pub fn reset(&self) {
        self.control(Method::POST, "requests/reset", None);
    }

    /// Asserts that nobody asked for what a correct client never does.
    pub fn assert_no_violations(&self) {
        let found = self.control(Method::GET, "violations", None);
        assert_eq!(found, json!([]), "violations of the API");
    }

    /// The rows of a plain query, e.g. `/hosts?q=uuid=…`, as the API shows them.
    pub fn rows(&self, path: &str) -> Vec<Value> {
        let body = self.api(Method::GET, path, None);
        body["inventories"].as_array().unwrap_or_else(|| panic!("{path}: {body}")).clone()
    }

    /// The only row of a query.
    pub fn one(&self, path: &str) -> Value {
        let rows = self.rows(path);
        assert_eq!(rows.len(), 1, "{path}: {rows:?}");
        rows[0].clone()
    }

    /// The only row of a query, or the reply to a question about one object.
    pub fn found(&self, path: &str) -> Value {
        let body = self.api(Method::GET, path, None);
        if body.get("inventories").is_some() { self.one(path) } else { body }
    }

    /// A call of the API by somebody else, with a session of its own. Returns the first answer; a
    /// job may still run.
    pub fn api(&self, method: Method, path: &str, body: Option<Value>) -> Value {
        let mut known = self.session.lock().expect("nobody panicked with it");
        // A session may have been ended by a restart or on purpose.
        let session = known.take().filter(|id| self.is_valid(id)).unwrap_or_else(|| self.log_in());
        *known = Some(session.clone());
        drop(known);
        let request = self.http.request(method, self.at(path));
        let request = request.header("Authorization", format!("OAuth {session}"));
        self.send(with_body(request, body))
    }

    fn log_in(&self) -> String {
        let login = json!({ "logInByAccount": { "accountName": "admin", "password": PASSWORD } });
        let session = self.send(self.http.put(self.at("/accounts/login")).json(&login));
        session["inventory"]["uuid"].as_str().expect("a session").to_owned()
    }

    fn is_valid(&self, session: &str) -> bool {
        let path = self.at(&format!("/accounts/sessions/{session}/valid"));
        self.send(self.http.get(path))["valid"] == true
    }

    fn at(&self, path: &str) -> String {
        format!("{}/zstack/v1{path}", self.url)
    }

    /// Changes rows behind everybody's back: `{family, op: put|patch|delete, uuid, row}`.
    pub fn drift(&self, change: Value) {
        self.control(Method::POST, "rows", Some(change));
    }

    /// Replaces the fault rules, in the emulator's own words.
    pub fn faults(&self, rules: &[&str]) {
        self.control(Method::POST, "faults", Some(json!(rules)));
    }

    /// A control request to `/emulator/PATH`.
    pub fn control(&self, method: Method, path: &str, body: Option<Value>) -> Value {
        let request = self.http.request(method, format!("{}/emulator/{path}", self.url));
        self.send(with_body(request, body))
    }

    /// The jobs of all calls, with their state and the status they ended with.
    pub fn jobs(&self) -> Vec<Value> {
        let jobs = self.control(Method::GET, "rows/job", None);
        jobs.as_array().expect("a list of jobs").clone()
    }

    pub fn jobs_are_done(&self) -> bool {
        self.jobs().iter().all(|job| job["state"] == "done")
    }

    /// `kill -9`; only a child can be killed.
    pub fn kill(&mut self) {
        match &mut self.server {
            Server::Child(child, _) => {
                child.kill().expect("the child can be killed");
                child.wait().expect("the child has ended");
            }
            Server::Here(_) => panic!("only a child can be killed"),
        }
    }

    fn send(&self, request: RequestBuilder) -> Value {
        self.runtime.block_on(async {
            let response = request.send().await.expect("an answer of the emulator");
            let (status, url) = (response.status(), response.url().clone());
            let text = response.text().await.expect("a body");
            assert!(status.is_success(), "{url}: {status} {text}");
            match text.as_str() {
                "" => Value::Null,
                text => serde_json::from_str(text).unwrap_or_else(|e| panic!("{url}: {e}: {text}")),
            }
        })
    }
}

impl Drop for Cloud {
    fn drop(&mut self) {
        if let Server::Child(child, _) = &mut self.server {
            // It may have been killed before.
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

fn runtime() -> Runtime {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .expect("a runtime")
}

fn client() -> Client {
    // The client is built for TLS without a fixed crypto provider; a second install is harmless.
    let _ = rustls::crypto::ring::default_provider().install_default();
    Client::builder().no_proxy().build().expect("an HTTP client")
}

fn with_body(request: RequestBuilder, body: Option<Value>) -> RequestBuilder {
    match body {
        Some(body) => request.json(&body),
        None => request,
    }
}
