//! The emulator over real HTTP, as the first client sees it.

use serde_json::{Value, json};
use std::time::Duration;

use super::*;

mod devices;
mod every_api;
mod moves;
mod seeded;
mod storage_network;
mod versions;

struct Client {
    http: reqwest::Client,
    url: String,
    session: String,
}

impl Client {
    async fn new(running: &Running) -> Client {
        // sha512("password"), as the reference gives its first and last digits.
        let hash = "b109f3bbbc244eb82441917ed06d618b9008dd09b3befd1b5e07394c706a8bb980b1d7785e5976ec049b46df5f1326af5a2ea6d103fd07c95385ffab0cacbc86";
        Client::of(running, "admin", hash).await
    }

    async fn of(running: &Running, account: &str, hash: &str) -> Client {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let http = reqwest::Client::builder().no_proxy().build().expect("a client");
        let mut client = Client { http, url: running.url(), session: String::new() };
        let body = json!({ "logInByAccount": { "accountName": account, "password": hash } });
        let reply = client.send("PUT", "/accounts/login", Some(body)).await;
        assert_eq!(reply.0, 200, "{}", reply.1);
        let session: Value = serde_json::from_str(&reply.1).expect("JSON");
        client.session = session["inventory"]["uuid"].as_str().expect("a session").to_owned();
        client
    }

    async fn try_send(
        &self,
        method: &str,
        path: &str,
        body: Option<Value>,
    ) -> reqwest::Result<(u16, String)> {
        let url = format!("{}/zstack/v1{path}", self.url);
        let mut request = self.http.request(method.parse().expect("a method"), url);
        if !self.session.is_empty() {
            request = request.header("Authorization", format!("OAuth {}", self.session));
        }
        if let Some(body) = body {
            request = request.body(body.to_string());
        }
        let reply = request.send().await?;
        Ok((reply.status().as_u16(), reply.text().await?))
    }

    async fn send(&self, method: &str, path: &str, body: Option<Value>) -> (u16, String) {
        self.try_send(method, path, body).await.expect("a reply")
    }

    /// Sends and polls to the end.
    async fn job(&self, method: &str, path: &str, body: Value) -> (u16, Value) {
        let body = Some(body).filter(|_| method != "DELETE");
        let (status, text) = self.send(method, path, body).await;
        assert_eq!(status, 202, "{text}");
        let location: Value = serde_json::from_str(&text).expect("JSON");
        let location = location["location"].as_str().expect("a location").to_owned();
        let at = location.find("/api-jobs/").expect("a job");
        loop {
            let (status, text) = self.send("GET", &location[at..], None).await;
            if status != 202 {
                return (status, serde_json::from_str(&text).unwrap_or(Value::Null));
            }
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }

    async fn make(&self, path: &str, params: Value) -> Value {
        let (status, body) = self.job("POST", path, json!({ "params": params })).await;
        assert_eq!(status, 200, "{body}");
        body["inventory"].clone()
    }

    async fn get(&self, path: &str) -> Value {
        let (status, text) = self.send("GET", path, None).await;
        assert_eq!(status, 200, "{text}");
        serde_json::from_str(&text).expect("JSON")
    }

    async fn control(&self, method: &str, path: &str, body: Value) -> Value {
        let url = format!("{}/emulator/{path}", self.url);
        let request = self.http.request(method.parse().expect("a method"), url);
        let reply = request.body(body.to_string()).send().await.expect("a reply");
        assert!(reply.status().is_success(), "{}", reply.text().await.unwrap_or_default());
        serde_json::from_str(&reply.text().await.expect("text")).expect("JSON")
    }
}

fn code(reply: &(u16, Value)) -> &str {
    assert_eq!(reply.0, 503, "{}", reply.1);
    reply.1["error"]["code"].as_str().expect("a code")
}

/// A running emulator with a seed, and a client of it.
async fn seeded(version: ServerVersion, seed: Value) -> (Running, Client) {
    let options = Options { seed: Some(seed), version, ..Options::default() };
    let running = start(options).await.expect("starts");
    let client = Client::new(&running).await;
    (running, client)
}

async fn plain() -> (Running, Client) {
    let running = start(Options::default()).await.expect("starts");
    let client = Client::new(&running).await;
    (running, client)
}

/// A zone, a cluster and a host.
async fn rack(client: &Client) -> (String, String, String) {
    let id = |row: &Value| row["uuid"].as_str().expect("a uuid").to_owned();
    let zone = id(&client.make("/zones", json!({ "name": "z" })).await);
    let cluster = json!({ "name": "c", "zoneUuid": zone, "hypervisorType": "KVM" });
    let cluster = id(&client.make("/clusters", cluster).await);
    let host = id(&client.make("/hosts/kvm", host(&cluster, "10.0.0.1")).await);
    (zone, cluster, host)
}

fn host(cluster: &str, address: &str) -> Value {
    json!({ "name": "h", "managementIp": address, "clusterUuid": cluster, "username": "root", "password": "p@:/" })
}

#[tokio::test]
async fn a_rack_comes_up_and_goes_with_its_zone() {
    let (_running, client) = plain().await;
    let (zone, cluster, host) = rack(&client).await;
    let storage = json!({ "name": "n", "zoneUuid": zone, "url": "10.0.0.9:/n" });
    let storage = client.make("/primary-storage/nfs", storage).await;
    assert_eq!(
        (&storage["status"], &storage["totalCapacity"]),
        (&json!("Disconnected"), &json!(0))
    );
    let path = format!(
        "/clusters/{cluster}/primary-storage/{}",
        storage["uuid"].as_str().expect("a uuid")
    );
    let (status, attached) = client.job("POST", &path, json!({})).await;
    assert_eq!((status, &attached["inventory"]["status"]), (200, &json!("Connected")));
    assert_eq!(attached["inventory"]["attachedClusterUuids"], json!([cluster]));
    let hosts = client.get("/hosts?q=hypervisorType=KVM&q=cluster.zone.name=z").await;
    assert_eq!(hosts["inventories"][0]["uuid"], json!(host));
    assert_eq!(hosts["inventories"][0]["status"], "Connected");
    assert!(hosts["inventories"][0].get("password").is_none());
    assert_eq!(client.job("DELETE", &format!("/zones/{zone}"), Value::Null).await.0, 200);
    for path in ["/zones", "/clusters", "/hosts", "/primary-storage"] {
        assert_eq!(client.get(path).await["inventories"], json!([]), "{path}");
    }
    assert_eq!(client.control("GET", "violations", Value::Null).await, json!([]));
}

#[tokio::test]
async fn of_eight_adds_of_one_address_one_wins() {
    let (_running, client) = plain().await;
    let (_, cluster, _) = rack(&client).await;
    let client = std::sync::Arc::new(client);
    let mut adds = tokio::task::JoinSet::new();
    for _ in 0..8 {
        let (client, body) = (client.clone(), json!({ "params": host(&cluster, "10.0.0.2") }));
        adds.spawn(async move { client.job("POST", "/hosts/kvm", body).await });
    }
    let mut won = 0;
    while let Some(reply) = adds.join_next().await {
        match reply.expect("no panic") {
            (200, _) => won += 1,
            lost => assert_eq!(code(&lost), "SYS.1007"),
        }
    }
    assert_eq!(won, 1);
}

#[tokio::test]
async fn state_survives_an_end_without_warning() {
    let dir = tempfile::tempdir().expect("a directory");
    let options = Options { data: Some(dir.path().join("log.jsonl")), ..Options::default() };
    let running = start(options.clone()).await.expect("starts");
    let client = Client::new(&running).await;
    let (zone, ..) = rack(&client).await;
    // Nothing is flushed at the end: what is on disk now is all there is.
    let copy = dir.path().join("copy.jsonl");
    std::fs::copy(dir.path().join("log.jsonl"), &copy).expect("copies");
    let log = std::fs::read_to_string(&copy).expect("reads");
    assert!(!log.contains("p@:/"), "the password is at rest");
    drop(running);
    let running = start(Options { data: Some(copy), ..options }).await.expect("starts again");
    let client = Client { url: running.url(), ..client };
    let zones = client.get("/zones").await;
    assert_eq!(zones["inventories"][0]["uuid"], json!(zone));
    assert_eq!(client.get("/hosts?count=true").await["total"], 1);
}

#[tokio::test]
async fn faults_break_what_they_name() {
    let (_running, client) = plain().await;
    let rules = json!([
        "api=CreateZone,drop",
        "api=CreateZone,after=1,truncate",
        "api=CreateZone,after=2,status=502,body=<html>a, b</html>",
        "api=CreateZone,after=3,job-error=SYS.1006:no",
        "api=CreateZone,after=4,duplicate"
    ]);
    client.control("POST", "faults", rules).await;
    let zone = |name: &str| Some(json!({ "params": { "name": name } }));
    assert!(client.try_send("POST", "/zones", zone("dropped")).await.is_err());
    assert!(client.try_send("POST", "/zones", zone("truncated")).await.is_err());
    let refused = client.send("POST", "/zones", zone("refused")).await;
    assert_eq!(refused, (502, "<html>a, b</html>".to_owned()));
    let failed = client.job("POST", "/zones", zone("failed").unwrap_or_default()).await;
    assert_eq!(failed.1["error"]["code"], "SYS.1006");
    client.job("POST", "/zones", zone("twice").unwrap_or_default()).await;
    for _ in 0..100 {
        if client.get("/zones?count=true").await["total"] == 4 {
            break;
        }
        tokio::task::yield_now().await;
    }
    let zones = client.get("/zones?sort=name&fields=name").await;
    let names: Vec<&str> = zones["inventories"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|z| z["name"].as_str())
        .collect();
    assert_eq!(names, ["dropped", "truncated", "twice", "twice"]);
}

#[tokio::test]
async fn a_restart_forgets_running_jobs_and_connects_hosts_again() {
    let options = Options { job_latency: Duration::from_secs(1), ..Options::default() };
    let running = start(options).await.expect("starts");
    let client = Client::new(&running).await;
    let seed = json!({ "zones": [{ "name": "z", "clusters": [{ "name": "c", "uuid": "c" }] }] });
    client.control("POST", "seed", seed).await;
    let (_, text) =
        client.send("POST", "/hosts/kvm", Some(json!({ "params": host("c", "10.0.0.1") }))).await;
    let job: Value = serde_json::from_str(&text).expect("JSON");
    let job =
        job["location"].as_str().and_then(|l| l.rsplit('/').next()).expect("a job").to_owned();
    while client.get("/hosts?q=status=Connecting&count=true").await["total"] == 0 {
        tokio::task::yield_now().await;
    }
    let url = format!("{}/emulator/restart", client.url);
    // The reply breaks with all other connections.
    let _ = client.http.post(url).send().await;
    while client.get("/hosts?q=status=Connected&count=true").await["total"] == 0 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert_eq!(client.send("GET", &format!("/api-jobs/{job}"), None).await.0, 202);
}

#[tokio::test]
async fn sessions_and_jobs_expire_by_the_clock() {
    let (_running, client) = plain().await;
    let zone = json!({ "params": { "name": "z" } });
    let (_, text) = client.send("POST", "/zones", Some(zone.clone())).await;
    let location: Value = serde_json::from_str(&text).expect("JSON");
    let job =
        location["location"].as_str().and_then(|l| l.rsplit('/').next()).expect("a job").to_owned();
    client.control("POST", "clock", json!({ "advance": 7201 })).await;
    assert_eq!(client.send("GET", "/zones", None).await.0, 503);
    assert_eq!(code(&client.job("POST", "/zones", zone).await), "ID.1001");
    assert_eq!(client.send("GET", &format!("/api-jobs/{job}"), None).await.0, 200);
    client.control("POST", "clock", json!({ "advance": 7200 })).await;
    assert_eq!(client.send("GET", &format!("/api-jobs/{job}"), None).await.0, 404);
}

#[tokio::test]
async fn another_account_sees_nothing() {
    let (running, admin) = plain().await;
    rack(&admin).await;
    admin.control("POST", "seed", json!({ "accounts": [{ "name": "ci", "password": "" }] })).await;
    // sha512 of the empty text.
    let hash = "cf83e1357eefb8bdf1542850d66d8007d620e4050b5715dc83f4a921d36ce9ce47d0d13c5d85f2b0ff8318d2877eec2f63b931bd47417a81a538327af927da3e";
    let other = Client::of(&running, "ci", hash).await;
    let hosts = other.get("/hosts?replyWithCount=true").await;
    assert_eq!((&hosts["total"], &hosts["inventories"]), (&json!(0), &json!([])));
    let zone = json!({ "params": { "name": "z" } });
    assert_eq!(code(&other.job("POST", "/zones", zone).await), "ID.1002");
}

#[tokio::test]
async fn what_a_client_must_not_do_is_noted() {
    let (_running, client) = plain().await;
    let storage = "0123456789abcdef0123456789abcdef";
    assert_eq!(client.send("GET", &format!("/primary-storage/{storage}"), None).await.0, 202);
    client.send("GET", "/zones?condition=name=a", None).await;
    client.send("GET", "/nope", None).await;
    client.job("POST", "/zones", json!({ "params": { "name": "z", "color": "red" } })).await;
    let noted = client.control("GET", "violations", Value::Null).await.to_string();
    for text in
        ["RUNS DeletePrimaryStorage", "parameter 'condition'", "no api mapping", "params.color"]
    {
        assert!(noted.contains(text), "{text} is not in {noted}");
    }
    let requests = client.control("GET", "requests", Value::Null).await;
    assert_eq!(requests["counts"]["DeletePrimaryStorage"], 1);
    assert_eq!(requests["requests"][0]["body"]["logInByAccount"]["password"], "***");
}

#[tokio::test]
async fn two_processes_share_the_embedded_server() {
    let dir = tempfile::tempdir().expect("a directory");
    let folder = dir.path().join(".rackform");
    std::fs::create_dir_all(&folder).expect("a folder");
    std::fs::write(folder.join("emulator.port"), "http://127.0.0.1:9").expect("a stale port");
    let first = embedded(dir.path(), None).await.expect("serves");
    let second = embedded(dir.path(), None).await.expect("connects");
    assert!(first.server.is_some() && second.server.is_none());
    assert_eq!(first.url, second.url);
    drop(first);
    let third = embedded(dir.path(), None).await.expect("serves again");
    assert!(third.server.is_some());
}

#[tokio::test]
async fn ceph_on_both_sides() {
    let (_running, client) = plain().await;
    let (zone, cluster, _) = rack(&client).await;
    let add = |name: &str, urls: Value| json!({ "params": { "name": name, "zoneUuid": zone, "monUrls": urls } });
    let same = json!(["root:p@127.0.0.2/?monPort=7777", "root:p@127.0.0.2/?monPort=7778"]);
    assert_eq!(
        code(&client.job("POST", "/primary-storage/ceph", add("c", same)).await),
        "SYS.1007"
    );
    let bare = add("c", json!(["10.0.1.3"]));
    assert_eq!(code(&client.job("POST", "/primary-storage/ceph", bare).await), "SYS.1007");
    let good = add("c", json!(["root:secret-42@10.0.1.3:23/?monPort=7777"]));
    let (_, ceph) = client.job("POST", "/primary-storage/ceph", good.clone()).await;
    let ceph = &ceph["inventory"];
    let uuid = ceph["uuid"].as_str().expect("a uuid");
    assert_eq!(
        (&ceph["status"], &ceph["mons"][0]["sshPassword"]),
        (&json!("Connected"), &json!("secret-42"))
    );
    assert_eq!(ceph["pools"].as_array().map(Vec::len), Some(3));
    assert_eq!(code(&client.job("POST", "/primary-storage/ceph", good).await), "SYS.1007");
    let path = format!("/primary-storage/ceph/{uuid}/mons");
    let more = json!({ "params": { "monUrls": ["root:p@10.0.1.4"] } });
    let (_, two) = client.job("POST", &path, more.clone()).await;
    assert_eq!(two["inventory"]["mons"].as_array().map(Vec::len), Some(2));
    assert_eq!(two["inventory"]["fsid"], ceph["fsid"]);
    assert_eq!(code(&client.job("POST", &path, more).await), "SYS.1007");
    let gone = client
        .job("DELETE", &format!("{path}?monHostnames=10.0.1.3&monHostnames=nobody"), Value::Null)
        .await;
    assert_eq!(gone.1["inventory"]["mons"].as_array().map(Vec::len), Some(1));
    let pool = json!({ "params": { "poolName": "fast" } });
    let path = format!("/primary-storage/ceph/{uuid}/pools");
    assert_eq!(client.job("POST", &path, pool.clone()).await.1["inventory"]["type"], "Data");
    assert_eq!(code(&client.job("POST", &path, pool).await), "SYS.1007");
    let pools =
        client.get("/primary-storage/ceph/pools?q=primaryStorage.type=Ceph&count=true").await;
    assert_eq!(pools["total"], 4);
    assert_eq!(
        client.get(&format!("/primary-storage/ceph/{uuid}")).await["inventories"][0]["fsid"],
        ceph["fsid"]
    );
    let path = format!("/clusters/{cluster}/primary-storage/{uuid}");
    assert_eq!(client.job("POST", &path, json!({})).await.0, 200);
    let changed = json!({ "updatePrimaryStorage": { "url": "x", "name": "d" } });
    let (_, changed) =
        client.job("PUT", &format!("/primary-storage/{uuid}/actions"), changed).await;
    assert_eq!(
        (&changed["inventory"]["name"], changed["inventory"].get("url")),
        (&json!("d"), None)
    );

    let backup = json!({ "name": "b", "monUrls": ["root:p@10.0.1.3"], "importImages": true });
    let refused = client.job("POST", "/backup-storage/ceph", json!({ "params": backup })).await;
    assert_eq!(code(&refused), "SYS.1007");
    let backup = client
        .make("/backup-storage/ceph", json!({ "name": "b", "monUrls": ["root:p@10.0.1.3"] }))
        .await;
    let path = format!("/zones/{zone}/backup-storage/{}", backup["uuid"].as_str().expect("a uuid"));
    assert_eq!(
        client.job("POST", &path, json!({})).await.1["inventory"]["attachedZoneUuids"],
        json!([zone])
    );
    assert_eq!(code(&client.job("POST", &path, json!({})).await), "SYS.1006");
    let delete = format!("/backup-storage/{}", backup["uuid"].as_str().expect("a uuid"));
    assert_eq!(client.job("DELETE", &delete, Value::Null).await.0, 200);
    assert_eq!(client.control("GET", "rows/cephBackupMon", Value::Null).await, json!([]));
    assert_eq!(client.control("GET", "violations", Value::Null).await, json!([]));
}

#[tokio::test]
async fn failed_creates_may_keep_their_uuid() {
    let (_running, client) = plain().await;
    let (_, cluster, _) = rack(&client).await;
    let uuid = "0123456789ab4def8123456789abcdef";
    client.control("POST", "faults", json!(["api=AddKVMHost,connect-fail,keep-uuid"])).await;
    let mut params = host(&cluster, "10.0.0.5");
    params["resourceUuid"] = json!(uuid);
    let body = json!({ "params": params });
    assert_eq!(code(&client.job("POST", "/hosts/kvm", body.clone()).await), "HOST.1003");
    assert_eq!(client.get(&format!("/hosts?q=uuid={uuid}&count=true")).await["total"], 0);
    assert_eq!(code(&client.job("POST", "/hosts/kvm", body).await), "SYS.1000");
}

#[tokio::test]
async fn seeds_have_victims() {
    let seed = json!({
        "zones": [{
            "name": "z", "uuid": "z",
            "clusters": [{ "name": "c", "uuid": "c", "hosts": [
                { "name": "h1", "uuid": "h1", "managementIp": "10.0.0.1",
                  "vms": [{ "name": "local", "localStorage": true }, { "name": "shared" }] },
                { "name": "h2", "uuid": "h2", "managementIp": "10.0.0.2" }
            ] }],
            "primaryStorage": [
                { "type": "LocalStorage", "name": "l", "uuid": "l", "url": "/l", "clusters": ["c"] },
                { "type": "NFS", "name": "n", "uuid": "n", "url": "10.0.0.9:/n", "clusters": ["c"] }
            ]
        }],
        "backupStorage": [{ "type": "ImageStoreBackupStorage", "name": "b", "uuid": "b",
                            "zones": ["z"], "images": [{ "name": "i" }] }]
    });
    let running = start(Options { seed: Some(seed), ..Options::default() }).await.expect("starts");
    let client = Client::new(&running).await;
    let total = async |path: &str| client.get(&format!("{path}&count=true")).await["total"].clone();
    assert_eq!(total("/primary-storage?q=status=Connected").await, 2);
    assert_eq!(total("/vm-instances?q=allVolumes.primaryStorageUuid=n&q=hostUuid=h1").await, 1);
    assert_eq!(total("/vm-instances?q=cluster.zone.uuid=z&q=state=Running").await, 2);
    assert_eq!(total("/images?q=backupStorage.uuid=b").await, 1);
    assert_eq!(total("/primary-storage/local-storage/resource-refs?q=hostUuid=h1").await, 1);

    let maintain = json!({ "changeHostState": { "stateEvent": "maintain" } });
    assert_eq!(client.job("PUT", "/hosts/h1/actions", maintain).await.0, 200);
    let moved = client.get("/vm-instances?q=name=shared").await;
    assert_eq!(moved["inventories"][0]["hostUuid"], "h2");
    assert_eq!(total("/vm-instances?q=name=local&q=state=Stopped").await, 1);
    // A stopped VM on the host's own disk goes with the host.
    assert_eq!(client.job("DELETE", "/hosts/h1", Value::Null).await.0, 200);
    assert_eq!(total("/vm-instances?q=name=local").await, 0);
    let detach = "/clusters/c/primary-storage/n";
    assert_eq!(client.job("DELETE", detach, Value::Null).await.0, 200);
    assert_eq!(total("/vm-instances?q=name=shared&q=state=Stopped").await, 1);
    assert_eq!(client.job("DELETE", "/backup-storage/b", Value::Null).await.0, 200);
    assert_eq!(total("/images?q=name=i").await, 0);
}

#[tokio::test]
async fn jobs_can_hang_and_updates_can_be_ignored() {
    let (_running, client) = plain().await;
    let zone = client.make("/zones", json!({ "name": "a" })).await;
    let path = format!("/zones/{}/actions", zone["uuid"].as_str().expect("a uuid"));
    client
        .control(
            "POST",
            "faults",
            json!(["api=UpdateZone,ignore-update", "api=CreateZone,job-hang=after"]),
        )
        .await;
    let (_, same) = client.job("PUT", &path, json!({ "updateZone": { "name": "b" } })).await;
    assert_eq!(same["inventory"]["name"], "a");
    let (_, text) = client.send("POST", "/zones", Some(json!({ "params": { "name": "c" } }))).await;
    let location: Value = serde_json::from_str(&text).expect("JSON");
    let job =
        location["location"].as_str().and_then(|l| l.rsplit('/').next()).expect("a job").to_owned();
    while client.get("/zones?q=name=c&count=true").await["total"] == 0 {
        tokio::task::yield_now().await;
    }
    assert_eq!(client.send("GET", &format!("/api-jobs/{job}"), None).await.0, 202);
}
