//! The engine against a scripted ZStack: what is sent, how often, and what is made of the replies.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use serde_json::json;

use super::backoff::Pace;
use super::connection::Timing;
use super::*;
use crate::http::testing::{Say, Seen, Server, reply};
use crate::wire::Method;

const JOB: &str = "00112233445566778899aabbccddeeff";
const SOON: Duration = Duration::from_secs(20);
const EXPIRED: &str = r#"{"error":{"code":"ID.1001","description":"The session is invalid"}}"#;

fn settings(url: &str) -> Settings {
    let mut settings = Settings::new("zstack", "zstack", url, "admin", "hunter2");
    let quick =
        Pace { shortest: Duration::from_millis(1), longest: Duration::from_millis(5), share: 10 };
    settings.timing = Timing { poll: quick, retry: quick, patience: Duration::from_secs(5) };
    settings
}

async fn open(server: &Server) -> Connection {
    match Connection::open(&settings(&server.url)).await {
        Ok(connection) => connection,
        Err(error) => panic!("{error}"),
    }
}

/// Logs in with a new session each time; everything else is the handler's.
async fn zstack(handler: impl Fn(&Seen) -> Say + Send + Sync + 'static) -> Server {
    let logins = AtomicUsize::new(0);
    Server::start(move |seen| {
        if seen.path == "/zstack/v1/accounts/login" {
            let session = logins.fetch_add(1, Ordering::SeqCst) + 1;
            let body = json!({"inventory": {"uuid": format!("s{session}"), "accountUuid": "acc"}});
            return reply(200, &body.to_string());
        }
        handler(seen)
    })
    .await
}

fn create() -> Request {
    let body = json!({"params": {"name": "z", "password": "canary@:/x"}});
    Request { method: Method::Post, path: "/zones".to_owned(), body: Some(body) }
}

fn query() -> Request {
    Request { method: Method::Get, path: "/zones".to_owned(), body: None }
}

fn accepted(seen: &Seen) -> Say {
    let location = format!("http://10.9.9.9:1/zstack/v1/api-jobs/{}", job_of(seen));
    reply(202, &json!({"location": location}).to_string())
}

fn job_of(seen: &Seen) -> &str {
    seen.headers.get("x-job-uuid").map_or("none", String::as_str)
}

fn done() -> Say {
    reply(200, r#"{"inventory":{"uuid":"z1","sshPassword":"canary"}}"#)
}

fn is_done(outcome: &Outcome) -> bool {
    *outcome == Outcome::Done(json!({"inventory": {"uuid": "z1"}}))
}

fn posts(server: &Server) -> Vec<String> {
    let posted = |s: &Seen| s.method == "POST";
    server.seen().iter().filter(|s| posted(s)).map(|s| job_of(s).to_owned()).collect()
}

/// Answers the nth request of a kind from a list; the last one again and again.
fn turn(counter: &AtomicUsize, turns: &[fn(&Seen) -> Say], seen: &Seen) -> Say {
    let n = counter.fetch_add(1, Ordering::SeqCst).min(turns.len() - 1);
    turns[n](seen)
}

/// A server with scripted answers to sends and to polls.
async fn scripted(
    sends: &'static [fn(&Seen) -> Say],
    polls: &'static [fn(&Seen) -> Say],
) -> Server {
    let (sent, polled) = (AtomicUsize::new(0), AtomicUsize::new(0));
    zstack(move |seen| {
        if seen.path.starts_with("/zstack/v1/api-jobs/") {
            turn(&polled, polls, seen)
        } else {
            turn(&sent, sends, seen)
        }
    })
    .await
}

#[tokio::test]
async fn a_job_is_followed_on_our_endpoint_whatever_its_location_says() {
    let server =
        scripted(&[accepted], &[|_| reply(202, ""), |_| reply(202, "{}"), |_| done()]).await;
    let outcome = open(&server).await.send(&create(), Some(JOB), SOON).await;
    assert!(is_done(&outcome), "{outcome:?}");
    assert_eq!(server.count("GET", &format!("/zstack/v1/api-jobs/{JOB}")), 3);
    let seen = server.seen();
    let post = seen.iter().find(|s| s.method == "POST").expect("sent");
    assert_eq!(post.headers["authorization"], "OAuth s1");
    assert_eq!(job_of(post), JOB);
}

#[tokio::test]
async fn a_wrong_password_is_said_clearly_and_not_repeated() {
    let server = Server::start(|_| {
        reply(
            503,
            r#"{"error":{"code":"ID.1000","details":"wrong account name or password: hunter2"}}"#,
        )
    })
    .await;
    let error = Connection::open(&settings(&server.url)).await.err().expect("refused");
    let text = error.to_string();
    assert!(text.contains("the login was refused") && !text.contains("hunter2"), "{text}");
    assert!(error.help().is_some_and(|h| h.contains("password")), "{error:?}");
    assert_eq!(server.seen().len(), 1);
}

#[tokio::test]
async fn a_web_page_instead_of_the_api_points_at_the_endpoint() {
    let server = Server::start(|_| reply(200, "<html>welcome</html>")).await;
    let error = Connection::open(&settings(&server.url)).await.err().expect("no API");
    assert!(error.help().is_some_and(|h| h.contains("8080")), "{error:?}");
}

#[tokio::test]
async fn nobody_listening_is_an_error_at_once() {
    let server = Server::start(|_| Say::Close).await;
    let settings = settings(&server.url);
    drop(server);
    tokio::task::yield_now().await;
    let error = Connection::open(&settings).await.err().expect("refused").to_string();
    assert!(error.contains("refuses connections"), "{error}");
}

#[tokio::test]
async fn calls_that_find_the_session_ended_share_one_new_login() {
    let server = zstack(|seen| match seen.headers["authorization"].as_str() {
        "OAuth s1" => reply(503, EXPIRED),
        _ => reply(200, r#"{"inventories":[]}"#),
    })
    .await;
    let connection = open(&server).await;
    let reads = (0..20).map(|_| {
        let connection = connection.clone();
        tokio::spawn(async move { connection.read(&query()).await.is_ok() })
    });
    for read in reads.collect::<Vec<_>>() {
        assert!(read.await.expect("no panic"));
    }
    assert_eq!(server.count("PUT", "/zstack/v1/accounts/login"), 2);
}

#[tokio::test]
async fn a_job_that_ends_with_an_expired_session_is_sent_again_under_the_next_id() {
    let server = scripted(&[accepted], &[|_| reply(503, EXPIRED), |_| done()]).await;
    let outcome = open(&server).await.send(&create(), Some(JOB), SOON).await;
    assert!(is_done(&outcome), "{outcome:?}");
    assert_eq!(posts(&server), [JOB.to_owned(), attempt_id(JOB, 1)]);
    assert_eq!(server.count("PUT", "/zstack/v1/accounts/login"), 2);
}

#[tokio::test]
async fn a_session_that_never_lasts_ends_in_a_fault() {
    let server = scripted(&[accepted], &[|_| reply(503, EXPIRED)]).await;
    let outcome = open(&server).await.send(&create(), Some(JOB), SOON).await;
    assert!(matches!(outcome, Outcome::Failed(f) if f.kind == FaultKind::Session));
    assert_eq!(posts(&server).len(), 3);
    let server = zstack(|_| reply(503, EXPIRED)).await;
    let fault = open(&server).await.read(&query()).await.expect_err("expired");
    assert_eq!(fault.kind, FaultKind::Session);
}

#[tokio::test]
async fn a_lost_answer_after_the_effect_is_found_and_not_sent_again() {
    for lost in [(|_: &Seen| Say::Close) as fn(&Seen) -> Say, |_| Say::Half, |_| reply(502, "<x>")]
    {
        let server = zstack(move |seen| match seen.method.as_str() {
            "POST" => lost(seen),
            _ => done(),
        })
        .await;
        let outcome = open(&server).await.send(&create(), Some(JOB), SOON).await;
        assert!(is_done(&outcome), "{outcome:?}");
        assert_eq!(posts(&server), [JOB]);
    }
}

#[tokio::test]
async fn a_call_that_never_arrived_is_sent_again_under_the_same_id() {
    let server = scripted(
        &[|_| Say::Close, |_| Say::Close, accepted],
        &[
            |_| reply(404, "the job has been expired"),
            |_| reply(404, "the job has been expired"),
            |_| done(),
        ],
    )
    .await;
    let outcome = open(&server).await.send(&create(), Some(JOB), SOON).await;
    assert!(is_done(&outcome), "{outcome:?}");
    assert_eq!(posts(&server), [JOB, JOB, JOB]);
}

#[tokio::test]
async fn a_refused_duplicate_means_accepted() {
    // 5.2 says so; 3.0 fails inside, which counts only after a first copy was sent.
    let server = scripted(&[|_| reply(400, "Duplicate job uuid[x]")], &[|_| done()]).await;
    assert!(is_done(&open(&server).await.send(&create(), Some(JOB), SOON).await));
    let server = scripted(
        &[|_| Say::Close, |_| reply(500, "internal error")],
        &[|_| reply(404, "the job has been expired"), |_| done()],
    )
    .await;
    assert!(is_done(&open(&server).await.send(&create(), Some(JOB), SOON).await));
    let server = scripted(&[|_| reply(500, "bad JSON")], &[|_| done()]).await;
    let outcome = open(&server).await.send(&create(), Some(JOB), SOON).await;
    assert!(matches!(outcome, Outcome::Failed(f) if f.text == "bad JSON"));
}

#[tokio::test]
async fn without_a_job_id_a_lost_answer_stays_unknown() {
    let server = scripted(&[|_| Say::Close], &[|_| done()]).await;
    let outcome = open(&server).await.send(&create(), None, SOON).await;
    assert!(matches!(outcome, Outcome::Unknown { job: None, .. }), "{outcome:?}");
    assert_eq!(posts(&server).len(), 1);
}

#[tokio::test]
async fn a_job_that_never_ends_is_left_at_the_deadline() {
    let server = scripted(&[accepted], &[|_| reply(202, "")]).await;
    let deadline = Duration::from_millis(100);
    let outcome = open(&server).await.send(&create(), Some(JOB), deadline).await;
    let Outcome::Unknown { job, why } = outcome else { panic!("{outcome:?}") };
    assert_eq!(job.as_deref(), Some(JOB));
    assert!(why.contains("deadline"), "{why}");
    assert!(server.count("GET", "/zstack/v1/api-jobs/") > 2);
    // Neither does a server that takes the call and says nothing at all.
    let server = scripted(&[|_| Say::Nothing], &[|_| Say::Nothing]).await;
    let outcome = open(&server).await.send(&create(), Some(JOB), deadline).await;
    assert!(matches!(outcome, Outcome::Unknown { .. }), "{outcome:?}");
}

#[tokio::test]
async fn a_job_that_expired_leaves_the_effect_unknown() {
    let server =
        scripted(&[accepted], &[|_| reply(202, ""), |_| reply(404, "the job has been expired")])
            .await;
    let outcome = open(&server).await.send(&create(), Some(JOB), SOON).await;
    assert!(matches!(outcome, Outcome::Unknown { job: Some(_), .. }), "{outcome:?}");
    assert_eq!(posts(&server).len(), 1);
}

#[tokio::test]
async fn broken_polls_are_repeated() {
    let server = scripted(
        &[accepted],
        &[|_| Say::Close, |_| Say::Half, |_| reply(502, "<x>"), |_| reply(202, ""), |_| done()],
    )
    .await;
    assert!(is_done(&open(&server).await.send(&create(), Some(JOB), SOON).await));
    assert_eq!(posts(&server).len(), 1);
}

#[tokio::test]
async fn a_fault_says_what_failed_and_repeats_no_secret() {
    let server = scripted(
        &[accepted],
        &[|_| {
            reply(
                503,
                r#"{"error":{"code":"SYS.1006","details":"ssh root/canary@:/x failed",
                "cause":{"details":"mon root:canary2@10.0.0.1 too"}}}"#,
            )
        }],
    )
    .await;
    let outcome = open(&server).await.send(&create(), Some(JOB), SOON).await;
    let Outcome::Failed(fault) = outcome else { panic!("{outcome:?}") };
    assert_eq!(fault.kind, FaultKind::Failed);
    assert_eq!(fault.request.as_deref(), Some("POST /zones"));
    assert_eq!(fault.request_id.as_deref(), Some(JOB));
    assert!(!format!("{fault:?}").contains("canary"), "{fault:?}");
}

#[tokio::test]
async fn reads_are_repeated_while_the_server_is_away() {
    let server = scripted(
        &[|_| reply(503, "<html>"), |_| Say::Close, |_| Say::Half, |_| reply(200, "{}")],
        &[],
    )
    .await;
    assert_eq!(open(&server).await.read(&query()).await.expect("a reply"), b"{}");
    let server = scripted(&[|_| reply(503, r#"{"error":{"code":"SYS.1006"}}"#)], &[]).await;
    let fault = open(&server).await.read(&query()).await.expect_err("failed");
    assert_eq!(fault.request.as_deref(), Some("GET /zones"));
    assert_eq!(server.count("GET", "/zstack/v1/zones"), 1);
}

#[tokio::test]
async fn a_query_that_starts_a_job_is_never_taken_for_a_read() {
    let server = scripted(&[accepted], &[|_| done()]).await;
    let fault = open(&server).await.read(&query()).await.expect_err("it did something");
    assert!(fault.text.contains("taken for a change"), "{fault}");
}

#[tokio::test]
async fn an_earlier_call_is_resolved_through_its_attempts() {
    let second = attempt_id(JOB, 1);
    let asked = Arc::new(Mutex::new(Vec::new()));
    let log = asked.clone();
    let server = zstack(move |seen| {
        let job = seen.path.rsplit('/').next().unwrap_or_default().to_owned();
        let answer = if job == JOB {
            reply(503, EXPIRED)
        } else if job == second {
            done()
        } else {
            reply(404, "the job has been expired")
        };
        log.lock().expect("no panic while held").push(job);
        answer
    })
    .await;
    let connection = open(&server).await;
    let outcome = connection.resolve(JOB, SOON).await.expect("known");
    assert!(is_done(&outcome), "{outcome:?}");
    assert_eq!(*asked.lock().expect("no panic"), [JOB.to_owned(), attempt_id(JOB, 1)]);
    assert_eq!(connection.resolve(&"9".repeat(32), SOON).await, None);
    assert_eq!(posts(&server).len(), 0);
}

#[tokio::test]
async fn closing_ends_the_session_and_the_version_is_asked_for_once() {
    let server = zstack(|seen| match seen.path.as_str() {
        "/zstack/v1/management-nodes/actions" => reply(200, r#"{"version":"3.0.0"}"#),
        _ => reply(200, ""),
    })
    .await;
    let connection = open(&server).await;
    for _ in 0..2 {
        assert_eq!(connection.version().await.expect("a version"), Some("3.0.0"));
    }
    assert_eq!(connection.account_id().await.expect("a session").as_deref(), Some("acc"));
    connection.close().await;
    assert_eq!(server.count("PUT", "/zstack/v1/management-nodes/actions"), 1);
    assert_eq!(server.count("DELETE", "/zstack/v1/accounts/sessions/s1"), 1);
    assert_eq!(connection.requests(), 3);
}

/// Takes what a subscriber writes.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl std::io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().expect("no panic while held").extend_from_slice(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn no_trace_shows_a_secret() {
    let (log, mine) = (Log::default(), std::thread::current().id());
    let writer = log.clone();
    // For the whole process: a subscriber of one thread misses events that other tests were the
    // first to reach. What the other threads write goes nowhere.
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_ansi(false)
        .with_writer(move || {
            if std::thread::current().id() == mine { writer.clone() } else { Log::default() }
        })
        .finish();
    tracing::subscriber::set_global_default(subscriber).expect("no other test sets one");
    let server = scripted(&[accepted], &[|_| done()]).await;
    let connection = open(&server).await;
    let job = connection.send(&create(), Some(JOB), SOON).await;
    assert!(is_done(&job), "{job:?}");
    let path = "/zones?q=name%3Dquerycanary".to_owned();
    connection.send(&Request { path, ..create() }, Some(JOB), SOON).await;
    connection.close().await;
    let text = String::from_utf8_lossy(&log.0.lock().expect("no panic")).into_owned();
    assert!(text.contains("/accounts/login") && text.contains("(logout)"), "{text}");
    let login = zstack::ZStack.login("admin", "hunter2").body.expect("a body");
    let digest = login["logInByAccount"]["password"].as_str().expect("a text").to_owned();
    for secret in ["hunter2", "canary", "OAuth", "sessions/s1", &digest] {
        assert!(!text.contains(secret), "{secret} in {text}");
    }
}
