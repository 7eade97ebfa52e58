//! Every API of the manual is there: a route, and something that answers.

use super::*;
use crate::emulator::core::Core;

#[test]
fn each_api_of_the_manual_has_a_handler() {
    let table: Value = serde_json::from_str(include_str!("../../../tests/data/zstack-api.json"))
        .expect("the table parses");
    let core = Core::open(&Options::default()).expect("opens");
    let manual = table.as_array().into_iter().flatten();
    let manual: Vec<&str> = manual
        .filter(|api| api.get("manual_section").is_some())
        .filter_map(|api| api["api"].as_str())
        .collect();
    assert_eq!(manual.len(), 110, "section 4 of the manual");
    let answered = |api: &&str| core.operation(api).is_some() || core.views.of_api(api).is_some();
    let missing: Vec<&&str> = manual.iter().filter(|api| !answered(api)).collect();
    assert!(missing.is_empty(), "not emulated: {missing:?}");
}

#[tokio::test]
async fn lists_of_words_have_the_members_of_the_reference() {
    let (_running, client) = plain().await;
    for (path, member, word) in [
        ("/hosts/allocators/strategies", "strategies", "LeastVmPreferredHostAllocatorStrategy"),
        ("/hosts/hypervisor-types", "hypervisorTypes", "KVM"),
        (
            "/primary-storage/allocators/strategies",
            "strategies",
            "DefaultPrimaryStorageAllocationStrategy",
        ),
        ("/primary-storage/types", "types", "SharedBlock"),
        ("/backup-storage/types", "types", "ImageStoreBackupStorage"),
    ] {
        let words = client.get(path).await[member].clone();
        assert!(words.as_array().is_some_and(|w| w.contains(&json!(word))), "{path}: {words}");
    }
}

#[tokio::test]
async fn a_long_job_runs_and_can_be_cancelled() {
    let options = Options { job_latency: Duration::from_millis(100), ..Options::default() };
    let running = start(options).await.expect("starts");
    let client = Client::new(&running).await;
    let (_, cluster, _) = rack(&client).await;
    let path = format!("/clusters/{cluster}/actions");
    let upgrade = json!({ "updateClusterOS": { "excludePackages": ["kernel"] } });
    let (_, reply) = client.job("PUT", &path, upgrade.clone()).await;
    let job = &reply["inventory"];
    assert_eq!((&job["state"], &job["targetResourceUuid"]), (&json!("Running"), &json!(cluster)));
    let api_id = job["apiId"].as_str().expect("an api id");
    let progress = client.get(&format!("/task-progresses/{api_id}")).await;
    assert_eq!(progress["inventories"][0]["taskName"], "APIUpdateClusterOSMsg");
    let one = format!("/longjobs?q=uuid={}", job["uuid"].as_str().expect("a uuid"));
    while client.get(&one).await["inventories"][0]["state"] == "Running" {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert_eq!(client.get(&one).await["inventories"][0]["state"], "Succeeded");

    let (_, reply) = client.job("PUT", &path, upgrade).await;
    let uuid = reply["inventory"]["uuid"].as_str().expect("a uuid").to_owned();
    let cancel = format!("/longjobs/{uuid}/actions");
    assert_eq!(client.job("PUT", &cancel, json!({ "cancelLongJob": {} })).await.0, 200);
    let one = format!("/longjobs?q=uuid={uuid}");
    assert_eq!(client.get(&one).await["inventories"][0]["state"], "Canceled");
    let again = client.job("PUT", &cancel, json!({ "cancelLongJob": {} })).await;
    assert_eq!(code(&again), "SYS.1006");
}

#[tokio::test]
async fn a_shell_answers_for_each_host() {
    let (_running, client) = plain().await;
    let (.., host) = rack(&client).await;
    let script = json!({ "kvmRunShell": { "hostUuids": [host], "script": "echo hello\nexit 3" } });
    let (status, reply) = client.job("PUT", "/hosts/kvm/actions", script).await;
    let result = &reply["inventory"][&host];
    assert_eq!(
        (status, &result["returnCode"], &result["stdout"]),
        (200, &json!(3), &json!("hello\n"))
    );
    client.control("POST", "rows", json!({ "family": "host", "op": "patch", "uuid": host, "row": { "status": "Disconnected" } })).await;
    let script = json!({ "kvmRunShell": { "hostUuids": [host], "script": "ls" } });
    let (_, reply) = client.job("PUT", "/hosts/kvm/actions", script).await;
    assert_eq!(reply["inventory"][&host]["errorCode"]["code"], "HOST.1010");
}

#[tokio::test]
async fn a_long_job_goes_on_after_a_restart_of_the_management_node() {
    let options = Options { job_latency: Duration::from_millis(100), ..Options::default() };
    let running = start(options).await.expect("starts");
    let client = Client::new(&running).await;
    let (_, cluster, _) = rack(&client).await;
    let path = format!("/clusters/{cluster}/actions");
    let (_, reply) = client.job("PUT", &path, json!({ "updateClusterOS": {} })).await;
    assert_eq!(reply["inventory"]["state"], "Running");
    let url = format!("{}/emulator/restart", client.url);
    // The reply breaks with all other connections.
    let _ = client.http.post(url).send().await;
    while client.get("/longjobs?q=state=Succeeded&count=true").await["total"] == 0 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}
