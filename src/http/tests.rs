//! The client against servers that answer, break and lie.

use std::io::{Read, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::testing::{Say, Server, reply};
use super::*;

fn call(path: &str) -> Call<'_> {
    let authorization = &[];
    Call { method: Method::Get, path, shown: path, headers: authorization, body: None }
}

fn client(url: &str, change: impl FnOnce(&mut Settings)) -> Client {
    let mut settings = Settings::new(url);
    settings.connect_timeout = Duration::from_secs(5);
    change(&mut settings);
    Client::new(&settings).expect("a client")
}

async fn failure(say: impl Fn() -> Say + Send + Sync + 'static) -> TransportError {
    let server = Server::start(move |_| say()).await;
    let client = client(&server.url, |s| {
        s.timeout = Duration::from_millis(200);
        s.body_limit = 1000;
    });
    let error = client.send(call("/x")).await.err().expect("a failure");
    assert_eq!(error.endpoint, server.url);
    assert!(error.to_string().contains(&server.url), "{error}");
    assert!(!error.help().is_empty());
    error
}

#[tokio::test]
async fn what_breaks_is_told_apart() {
    for (say, kind) in [
        ((|| Say::Close) as fn() -> Say, TransportKind::Closed),
        (|| Say::Half, TransportKind::HalfReply),
        (|| Say::Nothing, TransportKind::Timeout),
        (|| reply(200, &"x".repeat(1001)), TransportKind::TooLarge),
    ] {
        let error = failure(say).await;
        assert_eq!(error.kind, kind);
        assert!(error.may_have_arrived(), "{error}");
    }
}

#[tokio::test]
async fn a_call_that_was_refused_has_not_arrived() {
    let server = Server::start(|_| Say::Close).await;
    let url = server.url.clone();
    drop(server);
    // The listener goes with its task.
    tokio::task::yield_now().await;
    let error = client(&url, |_| {}).send(call("/x")).await.err().expect("a failure");
    assert_eq!(error.kind, TransportKind::Refused, "{error}");
    assert!(!error.may_have_arrived() && error.may_pass());
}

#[tokio::test]
async fn a_redirect_is_an_answer_and_not_followed() {
    let server = Server::start(|seen| match seen.path.as_str() {
        "/a" => Say::Reply(302, &["Location: /b"], String::new()),
        _ => reply(200, ""),
    })
    .await;
    let answer = client(&server.url, |_| {}).send(call("/a")).await.expect("an answer");
    assert_eq!((answer.status, answer.location.as_deref()), (302, Some("/b")));
    assert_eq!(server.seen().len(), 1);
}

#[tokio::test]
async fn replies_come_whole_and_requests_are_counted() {
    let server = Server::start(|seen| {
        let echo = format!("{} {} {}", seen.method, seen.headers["x-job-uuid"], seen.body);
        Say::Reply(503, &["Content-Type: Text/HTML; charset=utf-8", "Retry-After: 7"], echo)
    })
    .await;
    let client = client(&server.url, |_| {});
    let headers = [("x-job-uuid", "j1".to_owned())];
    let body = Some(b"{}".to_vec());
    let call =
        Call { method: Method::Put, path: "/p?q=a%2Cb", shown: "/p", headers: &headers, body };
    let answer = client.send(call).await.expect("an answer");
    assert_eq!(answer.body, b"PUT j1 {}");
    assert_eq!((answer.status, &*answer.content_type), (503, "text/html"));
    assert_eq!(answer.retry_after, Some(Duration::from_secs(7)));
    assert_eq!(server.seen()[0].path, "/p?q=a%2Cb");
    assert_eq!(client.sent(), 1);
}

#[tokio::test]
async fn calls_at_once_are_bounded() {
    let server = Server::start(|_| reply(200, "")).await;
    let client = Arc::new(client(&server.url, |s| s.calls_at_once = 2));
    // While the two permits are held, nothing is sent.
    let held = client.permits.acquire_many(2).await.expect("open");
    let other = client.clone();
    let waiting = tokio::spawn(async move { other.send(call("/x")).await.is_ok() });
    // One thread runs both: it has its turn, many times.
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
    assert_eq!(client.sent(), 0);
    drop(held);
    assert!(waiting.await.expect("no panic"));
    assert_eq!(client.sent(), 1);
}

#[test]
fn an_endpoint_is_checked_and_never_repeated_with_its_password() {
    let error = |endpoint| Client::new(&Settings::new(endpoint)).err().map(|e| e.to_string());
    let of = |endpoint| error(endpoint).unwrap_or_default();
    assert!(of("mn.example.com:8080").contains("https://"), "{}", of("mn.example.com:8080"));
    assert!(of("ftp://mn.example.com").contains("does not start with https://"));
    assert!(of("http://mn.example.com/?a=b").contains("query"));
    assert!(of("").contains("not a URL"));
    let secret = of("https://admin:hunter2@mn.example.com");
    assert!(secret.contains("settings of their own") && !secret.contains("hunter2"), "{secret}");
    assert_eq!(error("https://mn.example.com:8080/"), None);
    assert_eq!(error("http://[::1]:8080"), None);
}

#[test]
fn certificates_that_are_none_are_refused() {
    for pem in ["", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"] {
        let mut settings = Settings::new("https://mn.example.com");
        settings.ca_pem = Some(pem.into());
        let error = Client::new(&settings).err().expect("no certificate").to_string();
        assert!(error.contains("ca_file") || error.contains("TLS"), "{error}");
    }
}

/// Serves one TLS handshake and reply per connection, on threads of its own; its certificate is
/// signed by nobody but itself.
fn tls_server(connections: usize) -> (String, String, Arc<AtomicUsize>) {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let own = rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("a certificate");
    let pem = own.cert.pem();
    let key = rustls::pki_types::PrivateKeyDer::try_from(own.signing_key.serialize_der());
    let config = rustls::ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(vec![own.cert.der().clone()], key.expect("a key"))
        .expect("a configuration");
    let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
    let port = listener.local_addr().expect("bound").port();
    let (config, answered) = (Arc::new(config), Arc::new(AtomicUsize::new(0)));
    let counter = answered.clone();
    std::thread::spawn(move || {
        for stream in listener.incoming().take(connections).flatten() {
            let tls = rustls::ServerConnection::new(config.clone()).expect("a connection");
            let mut tls = rustls::StreamOwned::new(tls, stream);
            if tls.read(&mut [0; 4096]).is_ok_and(|n| n > 0) {
                counter.fetch_add(1, Ordering::SeqCst);
                let _ = tls.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
                tls.conn.send_close_notify();
                let _ = tls.flush();
            }
        }
    });
    (format!("https://localhost:{port}"), pem, answered)
}

#[tokio::test]
async fn a_certificate_is_trusted_only_when_said_so() {
    let (url, pem, answered) = tls_server(3);
    let untrusted = Client::new(&Settings::new(&url));
    // Without any system root the client is not even built; both are TLS errors.
    if let Ok(untrusted) = untrusted {
        let error = untrusted.send(call("/x")).await.err().expect("nobody vouches for it");
        assert_eq!(error.kind, TransportKind::Tls, "{error}");
        assert!(!error.may_have_arrived());
    }
    assert_eq!(answered.load(Ordering::SeqCst), 0);
    let by_ca = client(&url, |s| s.ca_pem = Some(pem.into_bytes()));
    assert_eq!(by_ca.send(call("/x")).await.err(), None);
    let by_wish = client(&url, |s| s.insecure_skip_verify = true);
    assert_eq!(by_wish.send(call("/x")).await.err(), None);
    assert_eq!(answered.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn https_to_a_plain_port_is_named_as_such() {
    let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
    let url = format!("https://{}", listener.local_addr().expect("bound"));
    std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().expect("a connection");
        let _ = stream.read(&mut [0; 4096]);
        let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n");
    });
    let client = client(&url, |s| s.insecure_skip_verify = true);
    let error = client.send(call("/x")).await.err().expect("no TLS there");
    assert_eq!(error.kind, TransportKind::NotTls, "{error}");
    assert!(!error.may_have_arrived());
}
