//! The HTTP face of the emulator (`RestServer.handle`, `handleApi`). In: requests. Out: replies, or
//! broken connections where a fault rule says so. Must not know what the APIs do.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::body::Body as HttpBody;
use axum::extract::{ConnectInfo, Request};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::Response;
use serde_json::Value;

use super::ServerVersion;
use super::control;
use super::core::{Call, Core, check_session, is_normal_account, lock};
use super::dispatch::{Api, Body, Routed};
use super::errors::ApiError;
use super::faults::{Drop, Effects, Facts, Hold};
use super::jobs;
use super::params::{Message, Refusal, decode, from_body, from_query, query_pairs};
use super::query;
use super::requests::Entry;
use super::transport::Cutter;

/// Larger bodies are refused; a seed of 100,000 hosts takes about 10 MB.
const LARGEST_BODY: usize = 512 << 20;
/// About the bytes of a reply's head: a truncated reply breaks after them and half of the body.
const HEAD: usize = 110;

/// A request, read whole.
#[derive(Clone)]
struct Incoming {
    method: String,
    /// After `/zstack/v1`, decoded.
    path: String,
    query: String,
    headers: HeaderMap,
    body: Body,
}

impl Incoming {
    fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }
}

/// What goes back, with what is worth noting about it.
struct Outgoing {
    status: u16,
    body: String,
    job: Option<String>,
}

impl Outgoing {
    fn new((status, body): (u16, String)) -> Self {
        Outgoing { status, body, job: None }
    }
}

impl From<Refusal> for Outgoing {
    fn from(refusal: Refusal) -> Self {
        Outgoing::new(refusal)
    }
}

static SEQUENCE: AtomicU64 = AtomicU64::new(0);

/// Answers one request.
pub async fn handle(
    core: Arc<Core>,
    ConnectInfo(cutter): ConnectInfo<Cutter>,
    request: Request,
) -> Response {
    let (parts, body) = request.into_parts();
    let Ok(bytes) = axum::body::to_bytes(body, LARGEST_BODY).await else {
        return respond(400, "the body could not be read".to_owned());
    };
    let uri_path = parts.uri.path();
    let query = parts.uri.query().unwrap_or("");
    if uri_path.starts_with("/emulator/") {
        let (status, body) =
            control::handle(&core, &cutter, (parts.method.as_str(), uri_path), &bytes);
        return respond(status, body);
    }
    if !core.latency.is_zero() {
        tokio::time::sleep(core.latency).await;
    }
    let decoded = decode(uri_path, false);
    let Some(path) = decoded.strip_prefix("/zstack/v1").map(str::to_owned) else {
        core.violation(parts.method.as_str(), &decoded, "unknown route");
        let shown = decoded.strip_prefix("/zstack").unwrap_or(&decoded);
        return respond(404, format!("no api mapping to {shown}"));
    };
    let incoming = Incoming {
        method: parts.method.to_string(),
        path,
        query: query.to_owned(),
        headers: parts.headers,
        body: Body::parse(&bytes),
    };
    serve(&core, &cutter, incoming).await
}

/// Applies the faults around the real answer.
async fn serve(core: &Arc<Core>, cutter: &Cutter, incoming: Incoming) -> Response {
    let routed = core.routes.dispatch(&incoming.method, &incoming.path, &incoming.body);
    let api = match &routed {
        Routed::Api { api, .. } => Some(api.name.clone()),
        Routed::Text(..) => None,
    };
    let effects = decide(core, &incoming, &routed);
    if !effects.latency.is_zero() {
        tokio::time::sleep(effects.latency).await;
    }
    if effects.expire_session {
        expire(core, &incoming);
    }
    if effects.exit && !effects.after_effect {
        std::process::exit(1);
    }
    if effects.hold == Some(Hold::BeforeEffect) {
        std::future::pending::<()>().await;
    }
    let replaced = effects.status.map(|status| (status, effects.body.clone()));
    let without_effect =
        effects.drop == Some(Drop::BeforeEffect) || (replaced.is_some() && !effects.after_effect);
    let again = effects.duplicate.then(|| incoming.clone());
    let noted = note(&incoming, api);
    let mut outgoing = if without_effect {
        Outgoing::new((0, String::new()))
    } else {
        answer(core, incoming, routed, effects.clone()).await
    };
    if let Some(incoming) = again {
        let routed = core.routes.dispatch(&incoming.method, &incoming.path, &incoming.body);
        answer(core, incoming, routed, Effects::default()).await;
    }
    if effects.exit {
        std::process::exit(1);
    }
    if effects.hold == Some(Hold::AfterEffect) {
        std::future::pending::<()>().await;
    }
    if let Some((status, body)) = replaced {
        (outgoing.status, outgoing.body) = (status, body);
    }
    let dropped = effects.drop.is_some();
    let status = if dropped { 0 } else { outgoing.status };
    lock(&core.requests).record(Entry { status, job: outgoing.job.or(noted.job.clone()), ..noted });
    if dropped {
        cutter.cut_after(0);
    } else if effects.truncate {
        cutter.cut_after(HEAD + outgoing.body.len() / 2);
    }
    match core.broken() {
        Some(reason) => respond(500, format!("the emulator cannot write its log: {reason}")),
        None => respond(outgoing.status, outgoing.body),
    }
}

fn note(incoming: &Incoming, api: Option<String>) -> Entry {
    Entry {
        seq: SEQUENCE.fetch_add(1, Ordering::Relaxed),
        method: incoming.method.clone(),
        path: incoming.path.clone(),
        query: incoming.query.clone(),
        body: match &incoming.body {
            Body::Object(members) => Value::Object(members.clone()),
            _ => Value::Null,
        },
        api,
        job: incoming.header("X-Job-UUID").map(str::to_owned),
        status: 0,
    }
}

fn decide(core: &Core, incoming: &Incoming, routed: &Routed) -> Effects {
    let api = match routed {
        Routed::Api { api, .. } => Some(api),
        Routed::Text(..) => None,
    };
    let wrapper = api.and_then(|api| incoming.body.get(api.wrapper.as_deref()?));
    let facts = Facts {
        api: api.map(|api| api.name.as_str()),
        path: &incoming.path,
        method: &incoming.method,
        name: wrapper.and_then(|w| w.get("name")).and_then(Value::as_str),
    };
    lock(&core.faults).decide(&facts)
}

fn respond(status: u16, body: String) -> Response {
    let mut response = Response::new(HttpBody::from(body));
    // 0 stands for a reply that is never sent.
    *response.status_mut() =
        StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    // The real server sets a charset but no JSON type: clients must not rely on it.
    let kind = HeaderValue::from_static("text/plain;charset=utf-8");
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    response
}

fn session_of(incoming: &Incoming) -> Option<&str> {
    incoming.header("Authorization").map(|auth| auth.trim().trim_start_matches("OAuth").trim())
}

fn expire(core: &Core, incoming: &Incoming) {
    if let Some(session) = session_of(incoming) {
        core.with(|tx| tx.erase("session", session));
    }
}

async fn answer(
    core: &Arc<Core>,
    incoming: Incoming,
    routed: Routed,
    effects: Effects,
) -> Outgoing {
    if let Some(job) = incoming.path.strip_prefix("/api-jobs/").filter(|job| !job.contains('/')) {
        if incoming.method != "GET" {
            return (405, "only GET method is allowed for querying job status".to_owned()).into();
        }
        return Outgoing { job: Some(job.to_owned()), ..jobs::poll(core, job).into() };
    }
    match routed {
        Routed::Text(status, text) => {
            core.violation(&incoming.method, &incoming.path, format!("no API: {text}"));
            (status, text).into()
        }
        Routed::Api { api, variables } => {
            look_out(core, &incoming, &api);
            match run_api(core, &incoming, (api, variables), effects).await {
                Ok(outgoing) => outgoing,
                Err(refusal) => refusal.into(),
            }
        }
    }
}

/// Notes what the real server takes without a word and a correct client never sends.
fn look_out(core: &Core, incoming: &Incoming, api: &Api) {
    if incoming.method != api.method {
        let text = format!("{} {} RUNS {}", incoming.method, incoming.path, api.name);
        core.violation(&incoming.method, &incoming.path, text);
    }
    let without_body = matches!(incoming.method.as_str(), "GET" | "DELETE");
    if without_body && incoming.body != Body::Empty {
        core.violation(&incoming.method, &incoming.path, "a body on a GET or DELETE is ignored");
    }
    if !without_body && !incoming.query.is_empty() {
        core.violation(&incoming.method, &incoming.path, "a query on a POST or PUT is ignored");
    }
}

async fn run_api(
    core: &Arc<Core>,
    incoming: &Incoming,
    (api, variables): (Arc<Api>, Vec<(String, String)>),
    effects: Effects,
) -> Result<Outgoing, Refusal> {
    if api.needs_session() {
        match incoming.header("Authorization") {
            None => return Err((400, "missing header 'Authorization'".to_owned())),
            Some(auth) if !auth.trim().starts_with("OAuth") => {
                return Err((400, "Authorization type must be 'OAuth'".to_owned()));
            }
            Some(_) => {}
        }
    }
    if api.is_query() {
        return run_query(core, incoming, &api, &variables);
    }
    let message = match incoming.method.as_str() {
        "GET" | "DELETE" => from_query(&api, &query_pairs(&incoming.query))?,
        _ => from_body(&api, &incoming.body)?,
    };
    for name in &message.unknown {
        core.violation(&incoming.method, &incoming.path, format!("unknown parameter '{name}'"));
    }
    let job = match incoming.header("X-Job-UUID") {
        Some(job) if job.len() != 32 => {
            let text = "Invalid header[X-Job-UUID], it must be a UUID with '-' stripped";
            return Err((400, text.to_owned()));
        }
        Some(job) => job.to_owned(),
        None => core.fresh_uuid(),
    };
    let hook = incoming.header("X-Web-Hook").map(str::to_owned);
    let call = build(core, incoming, api, (message, variables), effects);
    if !call.api.asynchronous {
        let outcome = jobs::execute(core, call, false).await;
        return Ok(Outgoing::new(jobs::reply(core.version, &outcome)));
    }
    jobs::accept(core, call, &job, hook)?;
    let base = core.url.get().map_or("", String::as_str);
    let timeout = match core.version {
        ServerVersion::V3_0 => "",
        // The default of ApiTimeoutGlobalProperty is configurable; this value is a choice.
        ServerVersion::V5_2 => ",\"apiTimeout\":1800000",
    };
    let body = format!("{{\"location\":\"{base}/zstack/v1/api-jobs/{job}\"{timeout}}}");
    Ok(Outgoing { status: 202, body, job: Some(job) })
}

fn build(
    core: &Core,
    incoming: &Incoming,
    api: Arc<Api>,
    (message, variables): (Message, Vec<(String, String)>),
    effects: Effects,
) -> Call {
    let mut values = message.values;
    for (name, value) in variables {
        values.insert(name, Value::String(value));
    }
    let mut tags = |name: &str| {
        let within = values.shift_remove(name);
        let writes = !matches!(incoming.method.as_str(), "GET" | "DELETE");
        let given = incoming.body.get(name).filter(|_| writes).cloned().or(within);
        let items = given.as_ref().and_then(Value::as_array);
        items.into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
    };
    Call {
        system_tags: tags("systemTags"),
        user_tags: tags("userTags"),
        session: session_of(incoming).map(str::to_owned),
        fresh: core.fresh_uuid(),
        json_schema: incoming.header("X-JSON-Schema").is_some(),
        version: core.version,
        api,
        values,
        effects,
    }
}

fn run_query(
    core: &Core,
    incoming: &Incoming,
    api: &Api,
    variables: &[(String, String)],
) -> Result<Outgoing, Refusal> {
    let session = session_of(incoming).unwrap_or("");
    let spec = match variables.first() {
        Some((name, value)) => query::Spec::by_member(name, value),
        None => query::parse(&query_pairs(&incoming.query)).map_err(|text| (400, text))?,
    };
    for name in &spec.unknown {
        core.violation(
            &incoming.method,
            &incoming.path,
            format!("unknown query parameter '{name}'"),
        );
    }
    let now = core.clock.now();
    let outcome = core.read(|store| {
        check_session(store, session, now)?;
        query::check_quotes(core.version, &spec)?;
        if is_normal_account(store, session) {
            return Ok(query::nothing(&spec));
        }
        let Some(view) = core.views.of_api(&api.name) else {
            return Err(ApiError::new("SYS.1014", format!("{} is not emulated", api.name)));
        };
        query::answer(store, &core.views, view, &spec)
    });
    if core.views.of_api(&api.name).is_none() {
        core.violation(&incoming.method, &incoming.path, format!("{} is not emulated", api.name));
    }
    if let Err(error) = &outcome
        && error.code == "SYS.1000"
    {
        core.violation(&incoming.method, &incoming.path, error.details.clone());
    }
    Ok(Outgoing::new(jobs::reply(core.version, &outcome)))
}
