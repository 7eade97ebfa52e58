//! Seeds that are API calls, and many alike.

use super::*;

const CALLS: &str = r#"
[[calls]]
api    = "CreateZone"
as     = "east"
params = { name = "east", resourceUuid = "0a0a0a0a0a0a4a0a8a0a0a0a0a0a0a0a" }

[[calls]]
api    = "CreateCluster"
count  = 2
as     = "rack-{n}"
params = { name = "rack-{n}", zoneUuid = "@east", hypervisorType = "KVM" }

[[calls]]
api    = "AddLocalPrimaryStorage"
as     = "local"
params = { name = "@@local", zoneUuid = "@east", url = "/zstack_ps" }

[[calls]]
api    = "AttachPrimaryStorageToCluster"
params = { clusterUuid = "@rack-2", primaryStorageUuid = "@local" }

[[calls]]
api    = "AddKVMHost"
count  = 300
params = { name = "kvm-{n:03}", managementIp = "{n:10.0.0.9}", clusterUuid = "@rack-2", username = "root", password = "password" }
"#;

fn read(text: &str) -> Value {
    read_seed(std::path::Path::new("seed.toml"), text).expect("reads")
}

#[tokio::test]
async fn calls_are_made_by_the_handlers_and_take_no_time() {
    let hour = Duration::from_secs(3600);
    let never = "api=AddKVMHost,times=0,connect-fail".parse().expect("a rule");
    let options = Options {
        seed: Some(read(CALLS)),
        job_latency: hour,
        faults: vec![never],
        ..Options::default()
    };
    let running = start(options).await.expect("starts");
    assert!(running.planted());
    let client = Client::new(&running).await;
    let zones = client.get("/zones").await;
    assert_eq!(zones["inventories"][0]["uuid"], "0a0a0a0a0a0a4a0a8a0a0a0a0a0a0a0a");
    let connected = client.get("/hosts?q=status=Connected&q=cluster.name=rack-2&count=true").await;
    assert_eq!(connected["total"], 300);
    let last = client.get("/hosts?q=name=kvm-300").await;
    assert_eq!(last["inventories"][0]["managementIp"], "10.0.1.53");
    let storage = client.get("/primary-storage?q=name=@local").await["inventories"][0].clone();
    assert_eq!(storage["attachedClusterUuids"].as_array().map(Vec::len), Some(1));
    assert_eq!(storage["status"], "Connected");
    assert_eq!(client.control("GET", "violations", Value::Null).await, json!([]));
}

#[tokio::test]
async fn what_the_server_refuses_a_seed_cannot_make() {
    let zone = json!({ "api": "CreateZone", "as": "z", "params": { "name": "z" } });
    for (call, complaint) in [
        (json!({ "api": "CreateZones" }), "call 2 (CreateZones): there is no such API"),
        (json!({ "api": "QueryZone" }), "there is no such API"),
        (json!({ "params": {} }), "a call needs 'api'"),
        (json!({ "api": "CreateZone", "with": {} }), "a call has no 'with'"),
        (json!({ "api": "CreateZone", "params": [] }), "'params' is an object"),
        (json!({ "api": "CreateZone", "params": {} }), "name"),
        (json!({ "api": "CreateZone", "params": { "nam": "a" } }), "it has no parameter 'nam'"),
        (json!({ "api": "CreateZone", "params": { "name": "@x" } }), "named 'x'"),
        (json!({ "api": "CreateZone", "as": "z", "params": { "name": "a" } }), "named 'z' already"),
        (
            json!({ "api": "CreateCluster", "params": { "name": "c", "zoneUuid": "ghost", "hypervisorType": "KVM" } }),
            "ghost",
        ),
        (json!("CreateZone"), "'calls' is a list of objects"),
    ] {
        let seed = Some(json!({ "calls": [zone, call] }));
        let Err(EmulatorError::Seed(text)) = start(Options { seed, ..Options::default() }).await
        else {
            panic!("{call} was taken");
        };
        assert!(text.contains(complaint), "{text}");
    }
}

#[tokio::test]
async fn calls_are_made_once_and_an_unfinished_seed_is_named() {
    let dir = tempfile::tempdir().expect("a directory");
    let options = |name: &str, seed: Value| Options {
        data: Some(dir.path().join(name)),
        seed: Some(seed),
        ..Options::default()
    };
    drop(start(options("whole", read(CALLS))).await.expect("starts"));
    let running = start(options("whole", read(CALLS))).await.expect("starts");
    assert!(!running.planted());
    let client = Client::new(&running).await;
    assert_eq!(client.get("/hosts?count=true").await["total"], 300);

    let twice =
        json!({ "calls": [{ "api": "CreateZone", "params": { "name": "z" } }, { "api": "x" }] });
    assert!(start(options("half", twice.clone())).await.is_err());
    let Err(EmulatorError::Seed(text)) = start(options("half", twice)).await else {
        panic!("half a seed was taken for a whole one");
    };
    assert!(text.contains("did not finish its calls"), "{text}");
}

#[tokio::test]
async fn ten_thousand_hosts_stand_in_a_few_lines() {
    let text = r#"
[[zones]]
name = "z"

[[zones.clusters]]
count = 4
index = "rack"
name  = "rack-{rack}"
hosts = [{ count = 2500, name = "r{rack}-{n:04}", managementIp = "h{n}.rack{rack}.example.com" }]
"#;
    let (_running, client) = seeded(ServerVersion::V3_0, read(text)).await;
    assert_eq!(client.get("/hosts?count=true").await["total"], 10_000);
    let host = client.get("/hosts?q=name=r4-2500").await["inventories"][0].clone();
    assert_eq!(host["managementIp"], "h2500.rack4.example.com");
}

#[tokio::test]
async fn the_seed_of_the_readme_is_a_cloud() {
    let readme = include_str!("../../../README.md");
    let (_, block) = readme.split_once("```toml seed\n").expect("a seed");
    let (block, _) = block.split_once("```").expect("its end");
    // As many as it says take their time in an unoptimised build.
    let block = block.replace("10000", "100");
    let (_running, client) = seeded(ServerVersion::V3_0, read(&block)).await;
    let hosts = client.get("/hosts?q=cluster.name=rack&count=true").await;
    assert_eq!(hosts["total"], 100);
}
