//! `tests/resources/<type>.toml` as data. In: the file. Out: scenarios of steps. Unknown keys are
//! refused, so that a misspelt expectation does not pass for one that holds.

use std::collections::BTreeMap;
use std::path::PathBuf;

use rackform::emulator::ServerVersion;
use serde::Deserialize;
use serde_json::Value;

/// All scenarios of a type.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fixture {
    /// The file's name.
    #[serde(skip)]
    pub kind: String,
    pub scenario: Vec<Scenario>,
}

/// Steps on one cloud of its own.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    pub name: String,
    /// Server version, `3.0` if absent.
    #[serde(default)]
    server: Option<String>,
    /// What is live before the first step, and what the server can discover (`emulate --seed`).
    #[serde(default)]
    pub seed: Option<Value>,
    /// How long each job takes, in milliseconds.
    #[serde(default)]
    pub job_latency: u64,
    /// Configuration that stands beside that of every step; applied before the first.
    #[serde(default)]
    pub needs: String,
    pub step: Vec<Step>,
}

/// One apply, and what must be true of it. `{zone.a}` stands for the id of that address, `{old:zone.a}`
/// for the one it had before the step; `{zone.a.user_tags["x"].tag_uuid}` for what the server
/// chose.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Step {
    pub name: String,
    /// The configuration beside `needs`; absent = as before.
    pub config: Option<String>,
    /// Rows changed behind our back before the step, as `POST /emulator/rows` takes them.
    #[serde(default)]
    pub by_hand: Vec<Value>,
    /// Arguments of plan and apply.
    #[serde(default)]
    pub flags: Vec<String>,
    /// `ACTION ADDRESS` or `ACTION ADDRESS (REASON)`, as `plan --json` says; no other change may
    /// be planned.
    #[serde(default)]
    pub plan: Vec<String>,
    /// Changes outside that the plan must tell, likewise.
    #[serde(default)]
    pub drift: Vec<String>,
    /// Texts that the plan for people must contain.
    #[serde(default)]
    pub says: Vec<String>,
    /// Every request that changes something, in this order: `METHOD PATH[?QUERY] [BODY]`.
    #[serde(default)]
    pub sends: Vec<String>,
    /// Query → members of its only row after the step.
    #[serde(default)]
    pub finds: BTreeMap<String, BTreeMap<String, Value>>,
    /// Queries that find nothing after the step.
    #[serde(default)]
    pub gone: Vec<String>,
    /// Address → attributes that the state holds after the step.
    #[serde(default)]
    pub remembers: BTreeMap<String, BTreeMap<String, Value>>,
    /// Addresses that the state no longer knows after the step.
    #[serde(default)]
    pub forgets: Vec<String>,
    /// A value that the cloud must show while the apply runs.
    pub passes: Option<Passes>,
    /// The apply must be refused, and nothing sent.
    pub refused: Option<Refused>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Passes {
    pub query: String,
    pub member: String,
    pub value: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Refused {
    pub code: i32,
    /// Text on stderr.
    pub says: String,
}

/// The types that have a fixture, in order.
pub fn names() -> Vec<String> {
    let files = std::fs::read_dir(folder()).expect("tests/resources");
    let mut names: Vec<String> = files
        .map(|entry| entry.expect("an entry").path())
        .map(|path| path.file_stem().expect("a name").to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

impl Fixture {
    pub fn read(kind: &str) -> Fixture {
        let path = folder().join(format!("{kind}.toml"));
        let text = std::fs::read_to_string(&path)
            .unwrap_or_else(|e| panic!("no fixture for {kind}: {}: {e}", path.display()));
        let mut fixture: Fixture =
            toml::from_str(&text).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        kind.clone_into(&mut fixture.kind);
        fixture
    }

    /// All steps of all scenarios.
    pub fn steps(&self) -> impl Iterator<Item = &Step> {
        self.scenario.iter().flat_map(|scenario| &scenario.step)
    }
}

impl Scenario {
    pub fn version(&self) -> ServerVersion {
        match self.server.as_deref() {
            None | Some("3.0") => ServerVersion::V3_0,
            Some("5.2") => ServerVersion::V5_2,
            Some(other) => panic!("{}: no such server version: {other}", self.name),
        }
    }
}

/// `tests/resources/`.
pub fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/resources")
}
