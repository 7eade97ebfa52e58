//! No secret is ever at rest or shown: two passwords with every awkward character, searched for in
//! all bytes that the binary writes or prints, in every form that a mistake could give them. Runs
//! that succeed, fail and are killed. The emulator's own data is exempt: it is the cloud.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::Method;
use serde_json::json;
use sha2::{Digest, Sha256, Sha512};

use crate::common::cloud::Cloud;
use crate::common::process::Rackform;
use crate::common::topology::Topology;

const SSH: &str = "ca@:/\"\\ü-canary";
const ROTATED: &str = "ne@:/\"\\ö-canary";
const PROVIDER: &str = "pr@:/\"\\ä-canary";

/// Every form of a secret that must not be found, with its name.
fn forms(secret: &str) -> Vec<(String, String)> {
    let bytes = secret.as_bytes();
    let json = serde_json::to_string(secret).expect("JSON");
    let json = json.trim_matches('"').to_owned();
    let ascii: String = json
        .chars()
        .map(|c| if c.is_ascii() { c.to_string() } else { format!("\\u{:04x}", u32::from(c)) })
        .collect();
    let percent = utf8_percent_encode(secret, NON_ALPHANUMERIC).to_string();
    let hex = |bytes: &[u8]| bytes.iter().map(|b| format!("{b:02x}")).collect::<String>();
    let mut forms = vec![
        ("raw".to_owned(), secret.to_owned()),
        ("as JSON".to_owned(), json.clone()),
        ("as ASCII JSON".to_owned(), ascii),
        ("as Rust would print it".to_owned(), format!("{secret:?}").trim_matches('"').to_owned()),
        ("JSON in JSON".to_owned(), json.replace('\\', "\\\\").replace('"', "\\\"")),
        ("percent-encoded".to_owned(), percent.clone()),
        ("percent-encoded small".to_owned(), percent.to_lowercase()),
        ("percent-encoded in a query".to_owned(), percent.replace("%2D", "-")),
        ("hex".to_owned(), hex(bytes)),
        ("sha256".to_owned(), hex(&Sha256::digest(bytes))),
        ("sha512".to_owned(), hex(&Sha512::digest(bytes))),
        ("blake3".to_owned(), blake3::hash(bytes).to_hex().to_string()),
        ("the end alone".to_owned(), "-canary".to_owned()),
    ];
    for (skip, text) in (0..3).flat_map(|skip| [(skip, bytes), (skip, json.as_bytes())]) {
        // Wherever it stands in a longer text, one of the three alignments shows its middle.
        let padded = [&vec![b'x'; skip], text].concat();
        for (name, engine) in [("std", STANDARD_NO_PAD), ("url", URL_SAFE_NO_PAD)] {
            let whole = engine.encode(&padded);
            let middle = whole[4 * usize::from(skip > 0)..whole.len() - 4].to_owned();
            forms.push((format!("base64 {name} at {skip}"), middle));
        }
    }
    forms
}

struct Search {
    needles: Vec<(String, String)>,
}

impl Search {
    fn new() -> Search {
        let secrets = [("ssh", SSH), ("rotated", ROTATED), ("provider", PROVIDER)];
        let named = secrets.into_iter().flat_map(|(name, secret)| {
            forms(secret).into_iter().map(move |(form, needle)| (format!("{name} {form}"), needle))
        });
        Search { needles: named.collect() }
    }

    fn in_text(&self, place: &str, text: &[u8]) -> Vec<String> {
        let found = |needle: &str| text.windows(needle.len()).any(|w| w == needle.as_bytes());
        let hits = self.needles.iter().filter(|(_, needle)| found(needle));
        hits.map(|(name, _)| format!("{name} in {place}")).collect()
    }

    /// Everything in a directory but the configuration.
    fn in_files(&self, rackform: &Rackform) -> Vec<String> {
        let mut hits = Vec::new();
        let mut folders = vec![rackform.dir().to_owned()];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).expect("a folder") {
                let path = entry.expect("an entry").path();
                if path.is_dir() {
                    folders.push(path);
                } else if !path.ends_with("main.rack.toml") {
                    let bytes = std::fs::read(&path).expect("a file");
                    hits.extend(self.in_text(&path.to_string_lossy(), &bytes));
                }
            }
        }
        hits
    }
}

/// A directory and a cloud whose admin has the awkward password.
struct Stage {
    cloud: Cloud,
    rackform: Rackform,
    search: Search,
}

impl Stage {
    fn new() -> Stage {
        let cloud = Cloud::start();
        let accounts = cloud.control(Method::GET, "rows/account", None);
        let hash: String = Sha512::digest(PROVIDER).iter().map(|b| format!("{b:02x}")).collect();
        let row = json!({ "passwordHash": hash });
        let uuid = accounts[0]["uuid"].clone();
        cloud.drift(json!({ "family": "account", "op": "patch", "uuid": uuid, "row": row }));
        let rackform = Rackform::new().env("SSH_PASSWORD", SSH).env("ZSTACK_PASSWORD", PROVIDER);
        Topology::uniform(1, 2).declare(&rackform, &cloud);
        Stage { cloud, rackform, search: Search::new() }
    }

    /// Runs, and searches what it said and left.
    #[track_caller]
    fn run(&self, args: &[&str], code: i32) -> String {
        let outcome = self.rackform.run(args).expect(code);
        let mut hits = self.search.in_text("stdout", outcome.stdout.as_bytes());
        hits.extend(self.search.in_text("stderr", outcome.stderr.as_bytes()));
        hits.extend(self.search.in_files(&self.rackform));
        assert_eq!(hits, Vec::<String>::new(), "{args:?}\n{}{}", outcome.stdout, outcome.stderr);
        outcome.stdout + &outcome.stderr
    }

    fn with_env(mut self, name: &str, value: &str) -> Stage {
        self.rackform = self.rackform.env(name, value);
        self
    }
}

const VERBOSE: &str = "-vv";

#[test]
fn runs_that_succeed_show_no_secret() {
    let stage = Stage::new();
    stage.run(&["validate"], 0);
    stage.run(&["graph", "--format", "json"], 0);
    stage.run(&["plan", VERBOSE], 0);
    stage.run(&["plan", "--format", "markdown", VERBOSE], 0);
    let shown = stage.run(&["apply", "--auto-approve", "--json", VERBOSE], 0);
    assert!(shown.contains("/hosts/kvm"), "-vv shows requests, so that the search means something");
    stage.run(&["state", "show", "host.h0"], 0);
    stage.run(&["state", "show", "host.h0", "--json"], 0);
    let stage = stage.with_env("SSH_PASSWORD", ROTATED);
    stage.run(&["plan", "--json", "--detailed-exitcode", VERBOSE], 2);
    stage.run(&["apply", "--auto-approve", VERBOSE], 0);
    stage.run(&["plan", "--detailed-exitcode"], 0);
    stage.run(&["destroy", "--auto-approve", "--json", VERBOSE], 0);
}

#[test]
fn a_server_that_repeats_secrets_in_its_errors_is_not_quoted() {
    let escaped = serde_json::to_string(SSH).expect("JSON");
    for text in [SSH, escaped.as_str()] {
        let stage = Stage::new();
        stage.cloud.faults(&[&format!(
            "api=AddKVMHost,times=0,job-error=SYS.1006:ssh root:{text}@10.0.0.1 -p {text} failed"
        )]);
        let shown = stage.run(&["apply", "--auto-approve", VERBOSE], 1);
        assert!(shown.contains("failed") && shown.contains("SYS.1006"), "{shown}");
        stage.run(&["apply", "--auto-approve", "--json", VERBOSE], 1);
        stage.cloud.faults(&[&format!("api=AddKVMHost,times=0,status=400,body=bad: {text}")]);
        stage.run(&["apply", "--auto-approve", VERBOSE], 1);
        stage.cloud.faults(&[&format!("api=AddKVMHost,times=0,status=500,body=bad: {text}")]);
        stage.run(&["apply", "--auto-approve", VERBOSE], 1);
    }
}

#[test]
fn a_refused_login_shows_no_secret() {
    let stage = Stage::new().with_env("ZSTACK_PASSWORD", ROTATED);
    stage.run(&["plan", VERBOSE], 1);
    let stage = Stage::new();
    stage.cloud.faults(&[&format!("api=LogInByAccount,times=0,status=400,body=no: {PROVIDER}")]);
    stage.run(&["apply", "--auto-approve", VERBOSE], 1);
    stage.run(&["plan", "--json"], 1);
}

#[test]
fn a_password_that_the_host_refuses_shows_no_secret() {
    let stage = Stage::new();
    let seed = json!({ "passwords": { "10.0.0.1": "another" } });
    stage.cloud.control(Method::POST, "seed", Some(seed));
    stage.run(&["apply", "--auto-approve", VERBOSE], 1);
    stage.run(&["apply", "--auto-approve", "--json"], 1);
}

/// The journal of an apply that never ended, and what the next one says of it.
#[test]
fn a_killed_run_leaves_no_secret() {
    let stage = Stage::new();
    for _ in 0..3 {
        stage.cloud.faults(&["api=AddKVMHost,after=1,hold"]);
        let mut child = stage.rackform.spawn(&["apply", "--auto-approve", VERBOSE]);
        while stage.cloud.control(Method::GET, "faults", None)[0]["struck"] == 0 {
            assert!(child.try_wait().expect("a child").is_none(), "it waits for the second host");
            std::thread::sleep(std::time::Duration::from_millis(2));
        }
        let hits = stage.search.in_files(&stage.rackform);
        assert!(stage.rackform.path("rackform.state.journal").exists());
        child.kill().expect("it can be killed");
        let output = child.wait_with_output().expect("it has ended");
        let said = [output.stdout, output.stderr].concat();
        let hits = [hits, stage.search.in_text("output", &said)].concat();
        assert_eq!(hits, Vec::<String>::new());
        // Once more from nothing, with the same password.
        stage.cloud.faults(&[]);
        stage.run(&["plan", VERBOSE], 0);
        stage.run(&["destroy", "--auto-approve", VERBOSE], 0);
    }
}

/// The search itself: it finds what it is to find.
#[test]
fn the_search_finds_every_form() {
    let search = Search::new();
    let whole = format!("{{\"x\": {}}}", serde_json::to_string(SSH).expect("JSON"));
    for text in [
        SSH.to_owned(),
        whole.clone(),
        serde_json::to_string(&whole).expect("JSON in JSON"),
        STANDARD.encode(&whole),
        STANDARD.encode(format!("12{SSH}34")),
        URL_SAFE_NO_PAD.encode(format!("1{SSH}2")),
        format!("?p={}", utf8_percent_encode(SSH, NON_ALPHANUMERIC)),
        Sha512::digest(SSH).iter().map(|b| format!("{b:02x}")).collect(),
    ] {
        assert!(!search.in_text("here", text.as_bytes()).is_empty(), "{text}");
    }
    assert!(search.in_text("here", b"nothing of the kind").is_empty());
}

/// What the configuration makes of a secret is one wherever it stands; and it settles.
#[test]
fn a_secret_in_an_attribute_that_is_none_is_neither_shown_nor_stored() {
    const SECRET: &str = "Invented-7f3a";
    let cloud = Cloud::start();
    let config = |rest: &str| {
        format!(
            "{}[variable.s]\ntype = \"string\"\nsensitive = true\n[zone.z]\n{rest}\n",
            cloud.provider()
        )
    };
    let rackform =
        Rackform::with(&config("description = 'of ${var.s}'")).env("RACKFORM_VAR_s", SECRET);
    let made = rackform.run(&["apply", "--auto-approve"]).expect(0);
    rackform.run(&["plan", "--detailed-exitcode"]).expect(0);
    rackform.write("main.rack.toml", &config("description = 'now ${var.s}'"));
    let changed = rackform.run(&["apply", "--auto-approve"]).expect(0);
    let state = rackform.read("rackform.state.json");
    for text in [&made.stdout, &made.stderr, &changed.stdout, &changed.stderr, &state] {
        assert!(!text.contains(SECRET), "{text}");
    }
    assert_eq!(cloud.one("/zones")["description"], format!("now {SECRET}"));
    // An address cannot be hidden.
    rackform.write("main.rack.toml", &config("user_tags = [{ tag = '${var.s}' }]"));
    let refused = rackform.run(&["plan"]).expect(1);
    assert!(refused.stderr.contains("secret_key") && !refused.stderr.contains(SECRET));
}
