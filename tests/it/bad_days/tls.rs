//! A server whose certificate nobody has signed, behind a small proxy that ends TLS.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use insta::assert_snapshot;
use rcgen::{CertifiedKey, generate_simple_self_signed};
use rustls::pki_types::PrivateKeyDer;
use rustls::{ServerConfig, ServerConnection, StreamOwned};

use super::{CLUSTER, apply, ends_well};
use crate::common::cloud::Cloud;
use crate::common::process::Rackform;
use crate::common::seen::filters;

/// Ends TLS in front of a server for as long as the test runs. Returns its address and its
/// certificate in PEM form.
fn proxy(server: SocketAddr) -> (SocketAddr, String) {
    let CertifiedKey { cert, signing_key } =
        generate_simple_self_signed(["127.0.0.1".to_owned()]).expect("a certificate");
    let key = PrivateKeyDer::try_from(signing_key.serialize_der()).expect("a key");
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("protocol versions")
        .with_no_client_auth()
        .with_single_cert(vec![cert.der().clone()], key)
        .expect("a configuration");
    let config = Arc::new(config);
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    std::thread::spawn(move || {
        for client in listener.incoming().flatten() {
            let config = config.clone();
            std::thread::spawn(move || {
                let session = ServerConnection::new(config).expect("a session");
                let server = TcpStream::connect(server).expect("the server");
                pump(StreamOwned::new(session, client), server);
            });
        }
    });
    (address, cert.pem())
}

/// Carries bytes both ways until one side closes. One thread: a TLS session cannot be split.
fn pump(mut client: StreamOwned<ServerConnection, TcpStream>, mut server: TcpStream) {
    let patience = Some(Duration::from_millis(2));
    client.sock.set_read_timeout(patience).expect("a timeout");
    server.set_read_timeout(patience).expect("a timeout");
    while carry(&mut client, &mut server) && carry(&mut server, &mut client) {}
}

/// Whether there may be more to carry.
fn carry(from: &mut impl Read, to: &mut impl Write) -> bool {
    let mut bytes = [0; 16 * 1024];
    match from.read(&mut bytes) {
        Ok(0) => false,
        Ok(count) => to.write_all(&bytes[..count]).and_then(|()| to.flush()).is_ok(),
        Err(error) => matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut),
    }
}

#[test]
fn a_certificate_is_trusted_when_the_configuration_says_so() {
    let _filters = filters();
    let cloud = Cloud::start();
    let server = cloud.url().trim_start_matches("http://").parse().expect("an address");
    let (address, pem) = proxy(server);
    let provider = |more: &str| {
        format!(
            "[provider.zstack]\nendpoint = \"https://{address}\"\naccount = \"admin\"\n\
             password = '${{env(\"ZSTACK_PASSWORD\")}}'\n{more}\n{CLUSTER}"
        )
    };
    let rackform = Rackform::with(&provider(""));
    assert_snapshot!(rackform.run(&["plan"]).seen(), @r#"
    exit 1
    --- stderr
    provider

      × provider.zstack: no trusted TLS connection to https://127.0.0.1:PORT:
      │ invalid peer certificate: UnknownIssuer
       ╭─[main.rack.toml:1:1]
     1 │ [provider.zstack]
       · ────────┬────────
       ·         ╰── this provider
     2 │ endpoint = "https://127.0.0.1:PORT"
       ╰────
      help: set `ca_file` to the certificate authority of the server, or check the
            port

    1 error
    "#);
    rackform.write("main.rack.toml", &provider("ca_file = \"ca.pem\""));
    rackform.write("ca.pem", "no certificate at all\n");
    assert_snapshot!(rackform.run(&["plan"]).seen(), @r#"
    exit 1
    --- stderr
    provider

      × provider.zstack: the certificates in `ca_file` cannot be read: no
      │ certificate in PEM form found
       ╭─[main.rack.toml:1:1]
     1 │ [provider.zstack]
       · ────────┬────────
       ·         ╰── this provider
     2 │ endpoint = "https://127.0.0.1:PORT"
       ╰────
      help: `ca_file` is a text file with `-----BEGIN CERTIFICATE-----`

    1 error
    "#);
    rackform.write("ca.pem", &pem);
    apply(&rackform).expect(0).says(&["2 added"]);
    ends_well(&rackform, &cloud, &[("/zones", 1), ("/clusters", 1)]);
    rackform.write("main.rack.toml", &provider("insecure_skip_verify = true"));
    ends_well(&rackform, &cloud, &[("/zones", 1), ("/clusters", 1)]);
}
