//! A bare HTTP client for the emulator. In: paths and bodies, sent as they are written. Out:
//! status, headers and text, as they came. It must not know our client (`rackform::http`,
//! `provider`, `wire`): a mistake shared by client and emulator has to show here.

use std::fmt;
use std::time::Duration;

use rackform::emulator::{self, Options, Running, ServerVersion};
use reqwest::{Client, Method, RequestBuilder};
use serde_json::{Value, json};

/// sha512("password") in lower-case hex: the stored password of a fresh installation
/// (`AccountConstant.INITIAL_SYSTEM_ADMIN_PASSWORD`).
pub const PASSWORD: &str = "b109f3bbbc244eb82441917ed06d618b9008dd09b3befd1b5e07394c706a8bb980\
                            b1d7785e5976ec049b46df5f1326af5a2ea6d103fd07c95385ffab0cacbc86";

/// Both server versions whose behaviour is known.
pub const VERSIONS: [ServerVersion; 2] = [ServerVersion::V3_0, ServerVersion::V5_2];

/// A poll loop gives up after so many requests; one takes well under a millisecond.
const MAX_POLLS: usize = 20_000;

/// One emulator and an admin session on it.
pub struct Api {
    http: Client,
    running: Running,
    pub version: ServerVersion,
    pub session: String,
}

/// An answer, unjudged.
#[derive(Clone)]
pub struct Reply {
    /// Method and URL of the request, for messages.
    what: String,
    pub status: u16,
    pub text: String,
}

impl fmt::Debug for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} → {} {}", self.what, self.status, self.text)
    }
}

impl Reply {
    /// The body as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|e| panic!("no JSON ({e}) in {self:?}"))
    }

    /// Asserts the status and returns the body as JSON.
    pub fn expect(&self, status: u16) -> Value {
        assert_eq!(self.status, status, "{self:?}");
        self.json()
    }

    /// Asserts an error that the framework answers in plain text, and returns the text.
    pub fn expect_text(&self, status: u16) -> String {
        assert_eq!(self.status, status, "{self:?}");
        assert!(serde_json::from_str::<Value>(&self.text).is_err(), "plain text, not {self:?}");
        self.text.clone()
    }

    /// Asserts an API-level failure: 503 and an error envelope with this code. Returns the error.
    pub fn expect_error(&self, code: &str) -> Value {
        assert_eq!(self.status, 503, "{self:?}");
        let body = self.json();
        let error = &body["error"];
        assert_eq!(error["code"], code, "{self:?}");
        assert!(error["description"].is_string(), "an error has a description: {self:?}");
        assert!(!has_null(&body), "null members are omitted: {self:?}");
        error.clone()
    }

    /// The accepted job's id, out of a 202 and its location.
    pub fn job_uuid(&self, version: ServerVersion) -> String {
        let body = self.expect(202);
        let location = body["location"].as_str().unwrap_or_else(|| panic!("location: {self:?}"));
        assert!(location.starts_with("http"), "an absolute URL: {location}");
        let (_, uuid) = location
            .split_once("/zstack/v1/api-jobs/")
            .unwrap_or_else(|| panic!("a job's location: {location}"));
        match version {
            ServerVersion::V3_0 => assert!(body.get("apiTimeout").is_none(), "{self:?}"),
            ServerVersion::V5_2 => assert!(body["apiTimeout"].is_number(), "{self:?}"),
        }
        uuid.to_string()
    }
}

impl Api {
    /// An empty cloud of this version, with an admin session.
    pub async fn start(version: ServerVersion) -> Api {
        Api::start_with(version, |_| {}).await
    }

    /// A cloud of this version that starts from `seed`.
    pub async fn seeded(version: ServerVersion, seed: Value) -> Api {
        Api::start_with(version, |options| options.seed = Some(seed)).await
    }

    /// Jobs take a while, so that what is seen before their end can be asked for.
    pub async fn slow(version: ServerVersion, seed: Value, job: Duration) -> Api {
        Api::start_with(version, |options| {
            options.seed = Some(seed);
            options.job_latency = job;
        })
        .await
    }

    pub async fn start_with(version: ServerVersion, set: impl FnOnce(&mut Options)) -> Api {
        // The client is built for TLS without a fixed crypto provider; a second install is harmless.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut options = Options { version, ..Options::default() };
        set(&mut options);
        let running = emulator::start(options).await.expect("the emulator starts");
        let http = Client::builder().no_proxy().build().expect("an HTTP client");
        let mut api = Api { http, running, version, session: String::new() };
        api.session = api.login().await;
        api
    }

    /// Logs in as admin and returns the new session's uuid.
    pub async fn login(&self) -> String {
        let reply = self.log_in_with("admin", PASSWORD).await.expect(200);
        reply["inventory"]["uuid"].as_str().expect("a session uuid").to_string()
    }

    pub async fn log_in_with(&self, account: &str, password: &str) -> Reply {
        let body = json!({"logInByAccount": {"accountName": account, "password": password}});
        self.send(self.bare(Method::PUT, "/accounts/login").json(&body)).await
    }

    pub async fn get(&self, path: &str) -> Reply {
        self.send(self.request(Method::GET, path)).await
    }

    pub async fn delete(&self, path: &str) -> Reply {
        self.send(self.request(Method::DELETE, path)).await
    }

    pub async fn post(&self, path: &str, body: Value) -> Reply {
        self.send(self.request(Method::POST, path).json(&body)).await
    }

    pub async fn put(&self, path: &str, body: Value) -> Reply {
        self.send(self.request(Method::PUT, path).json(&body)).await
    }

    /// A request to `/zstack/v1` + `path` with the session; the path is sent as it stands.
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.bare(method, path).header("Authorization", format!("OAuth {}", self.session))
    }

    /// A request without an Authorization header.
    pub fn bare(&self, method: Method, path: &str) -> RequestBuilder {
        self.http.request(method, format!("{}/zstack/v1{path}", self.root()))
    }

    pub async fn send(&self, request: RequestBuilder) -> Reply {
        let (client, request) = request.build_split();
        let request = request.expect("a well-formed request");
        let what = format!("{} {}", request.method(), request.url());
        let response =
            client.execute(request).await.unwrap_or_else(|e| panic!("{what}: no answer: {e}"));
        let status = response.status().as_u16();
        let text = response.text().await.unwrap_or_else(|e| panic!("{what}: broken body: {e}"));
        Reply { what, status, text }
    }

    /// One look at a job, without a session: polling needs none.
    pub async fn poll(&self, job: &str) -> Reply {
        self.send(self.bare(Method::GET, &format!("/api-jobs/{job}"))).await
    }

    /// Follows an accepted job to its end.
    pub async fn job(&self, accepted: Reply) -> Reply {
        self.finish(&accepted.job_uuid(self.version)).await
    }

    /// Polls a job until it has ended; asserts the body of every poll before.
    pub async fn finish(&self, job: &str) -> Reply {
        for _ in 0..MAX_POLLS {
            let reply = self.poll(job).await;
            if reply.status != 202 {
                return reply;
            }
            assert_eq!(reply.text, self.empty_body(), "a job in processing: {reply:?}");
        }
        panic!("job {job} has not ended after {MAX_POLLS} polls");
    }

    /// Follows a job that succeeds and returns its `inventory`.
    pub async fn inventory(&self, accepted: Reply) -> Value {
        let body = self.job(accepted).await.expect(200);
        assert!(body["inventory"].is_object(), "an inventory: {body}");
        body["inventory"].clone()
    }

    /// Follows a job that succeeds and has no result.
    pub async fn done(&self, accepted: Reply) {
        let reply = self.job(accepted).await;
        assert_eq!((reply.status, reply.text.as_str()), (200, self.empty_body()), "{reply:?}");
    }

    /// Follows a job that fails with `code` and returns the whole error as text.
    pub async fn fails(&self, accepted: Reply, code: &str) -> String {
        self.job(accepted).await.expect_error(code).to_string()
    }

    /// What a reply without content looks like: nothing in 3.0, `{}` in 5.2.
    pub fn empty_body(&self) -> &'static str {
        match self.version {
            ServerVersion::V3_0 => "",
            ServerVersion::V5_2 => "{}",
        }
    }

    /// The rows of a query. They never hold a null, and the reply always has its `schema`.
    pub async fn rows(&self, path: &str) -> Vec<Value> {
        let body = self.get(path).await.expect(200);
        assert!(body["schema"].is_object(), "a query reply has a schema: {path}: {body}");
        assert!(!has_null(&body), "null members are omitted: {path}: {body}");
        let rows = body["inventories"].as_array();
        rows.unwrap_or_else(|| panic!("inventories in {path}: {body}")).clone()
    }

    /// The sorted names of a query's rows.
    pub async fn names(&self, path: &str) -> Vec<String> {
        let rows = self.rows(path).await;
        let mut names: Vec<_> = rows.iter().map(|row| text(row, "name").to_string()).collect();
        names.sort();
        names
    }

    /// The only row of a query.
    pub async fn one(&self, path: &str) -> Value {
        let rows = self.rows(path).await;
        assert_eq!(rows.len(), 1, "{path}: {rows:?}");
        rows[0].clone()
    }

    /// A fault rule, in the emulator's own words.
    pub async fn fault(&self, rule: &str) {
        self.control_post("faults", json!([rule])).await;
    }

    /// Moves the emulator's clock.
    pub async fn advance(&self, seconds: u64) {
        self.control_post("clock", json!({"advance": seconds})).await;
    }

    pub async fn violations(&self) -> Vec<Value> {
        let found = self.control_get("violations").await;
        found.as_array().unwrap_or_else(|| panic!("a list of violations: {found}")).clone()
    }

    pub async fn control_get(&self, path: &str) -> Value {
        let url = format!("{}/emulator/{path}", self.root());
        self.send(self.http.get(url)).await.expect(200)
    }

    pub async fn control_post(&self, path: &str, body: Value) {
        let url = format!("{}/emulator/{path}", self.root());
        let reply = self.send(self.http.post(url).json(&body)).await;
        assert!((200..300).contains(&reply.status), "{body}: {reply:?}");
    }

    fn root(&self) -> String {
        self.running.url().trim_end_matches('/').to_string()
    }
}

/// A text member, or a panic that shows the object.
pub fn text<'a>(row: &'a Value, key: &str) -> &'a str {
    row[key].as_str().unwrap_or_else(|| panic!("no text {key:?} in {row}"))
}

/// Lower-case hex of 32 digits, the shape of every id.
pub fn is_uuid(text: &str) -> bool {
    text.len() == 32 && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
}

fn has_null(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(items) => items.iter().any(has_null),
        Value::Object(members) => members.values().any(has_null),
        _ => false,
    }
}
