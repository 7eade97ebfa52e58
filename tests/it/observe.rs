//! The client half against the emulator over HTTP: refresh, re-reads, casualties, calls that change
//! something. Every test ends by asking the emulator whether anything was asked for wrongly.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use rackform::emulator::{self, Options, Running, ServerVersion};
use rackform::observe::casualties::{self, Question};
use rackform::observe::inventory::{Wanted, refresh};
use rackform::observe::lookup::{Coalescer, reread};
use rackform::provider::{Connection, FaultKind, Outcome, Settings, job_id};
use rackform::schema::{Count, LinkIx, Schemas, Side, TypeIx};
use rackform::wire::{Method, Request};
use serde_json::{Value, json};

struct Cloud {
    server: Running,
    connection: Connection,
    schemas: Schemas,
}

impl Cloud {
    async fn start(version: ServerVersion, seed: Value, faults: &[&str]) -> Self {
        let faults = faults.iter().map(|f| f.parse().expect("a fault rule")).collect();
        let options = Options { seed: Some(seed), version, faults, ..Options::default() };
        let server = emulator::start(options).await.expect("a free port");
        let settings = Settings::new("zstack", "zstack", &server.url(), "admin", "password");
        let connection = Connection::open(&settings).await.expect("a login");
        let schemas = rackform::schema::load().unwrap_or_else(|(found, _)| panic!("{found:?}"));
        Self { server, connection, schemas }
    }
    fn ty(&self, name: &str) -> TypeIx {
        self.schemas.find(name).expect("a type")
    }
    async fn control(&self, path: &str) -> Value {
        let url = format!("{}/emulator/{path}", self.server.url());
        let reply = reqwest::get(url).await.expect("a reply");
        reply.json().await.expect("JSON")
    }
    /// No request was one that a correct client never makes.
    async fn finish(self) {
        assert_eq!(self.control("violations").await, json!([]));
    }
    async fn refresh(
        &self,
        ty: &str,
        wanted: Wanted,
    ) -> Result<(rackform::inventory::Table, u64), rackform::observe::ObserveError> {
        let ix = self.ty(ty);
        let want = BTreeMap::from([(ix, wanted)]);
        let mut found = refresh(&self.connection, &self.schemas, &want).await?;
        let table = found.tables.remove(&("zstack".into(), ix)).expect("its table");
        Ok((table, found.requests))
    }
}

fn uuid(family: u32, n: usize) -> String {
    format!("{family:08x}000040008000{n:012x}")
}

fn ids(family: u32, numbers: impl IntoIterator<Item = usize>) -> BTreeSet<Arc<str>> {
    numbers.into_iter().map(|n| uuid(family, n).into()).collect()
}

fn zones(count: usize) -> Value {
    let zone = |n| json!({"name": format!("z{n}"), "uuid": uuid(1, n)});
    json!({"zones": (0..count).map(zone).collect::<Vec<_>>()})
}

/// A zone with two clusters of `hosts` hosts each; every third host runs two machines, one of
/// them on its local storage.
fn halls(hosts: usize) -> Value {
    let host = |n: usize| {
        let vms = [json!({"name": "shared"}), json!({"name": "local", "localStorage": true})];
        let vms = if n.is_multiple_of(3) { &vms[..] } else { &[] };
        json!({"name": format!("h{n}"), "uuid": uuid(3, n), "vms": vms,
               "managementIp": format!("10.0.{}.{}", n / 200, n % 200), "password": "canary"})
    };
    let cluster = |c: usize| {
        json!({"name": format!("c{c}"), "uuid": uuid(2, c),
               "hosts": (c * hosts..(c + 1) * hosts).map(host).collect::<Vec<_>>()})
    };
    json!({"zones": [{"name": "east", "uuid": uuid(1, 0), "clusters": [cluster(0), cluster(1)],
        "primaryStorage": [
            {"type": "LocalStorage", "name": "l", "uuid": uuid(4, 0), "url": "/ps", "clusters": ["c0", "c1"]},
            {"type": "NFS", "name": "n", "uuid": uuid(4, 1), "url": "10.0.9.1:/e", "clusters": ["c1"]}]}]})
}

const V3: ServerVersion = ServerVersion::V3_0;

#[tokio::test]
async fn a_type_is_read_in_pages_and_few_of_many_by_id() {
    let cloud = Cloud::start(V3, zones(2500), &[]).await;
    let all = Wanted { ids: ids(1, 0..2500), whole: true, ..Wanted::default() };
    let (table, requests) = cloud.refresh("zone", all).await.expect("a table");
    assert_eq!((table.objects.len(), requests), (2500, 3));

    let (table, requests) = cloud
        .refresh("zone", Wanted { ids: ids(1, [7, 2499]), whole: false, ..Wanted::default() })
        .await
        .expect("two");
    assert_eq!((table.objects.len(), requests), (2, 1));

    // 150 of them, 50 on the first page: one batch is cheaper than two more pages.
    let some =
        Wanted { ids: ids(1, (950..1000).chain(2400..2500)), whole: false, ..Wanted::default() };
    let (table, requests) = cloud.refresh("zone", some.clone()).await.expect("some");
    assert!(some.ids.iter().all(|id| table.get(id).is_some()));
    assert_eq!(requests, 2);

    let (table, requests) = cloud.refresh("zone", Wanted::default()).await.expect("none");
    assert_eq!((table.objects.len(), requests), (0, 0));
    cloud.finish().await;
}

/// Elements with a list of their own are asked for by owners or read as a whole, whichever takes
/// fewer requests: 10,000 hosts with a tag each are 10 pages, not 100 batches of owners.
#[tokio::test]
async fn elements_of_many_owners_are_read_in_pages_and_those_of_few_by_owner() {
    let cloud = Cloud::start(V3, zones(0), &[]).await;
    for n in 0..110 {
        let mut request = create_zone(n);
        let body = request.body.as_mut().expect("a body");
        body["userTags"] = json!((0..=n % 11).map(|t| format!("t{t}")).collect::<Vec<_>>());
        let job = job_id("lineage", "run", u32::try_from(n).expect("small"), 0);
        let sent = cloud.connection.send(&request, Some(&job), Duration::from_secs(30)).await;
        assert!(matches!(sent, Outcome::Done(_)), "{sent:?}");
    }
    let tags = |zones: std::ops::Range<usize>, tag: &str| -> BTreeSet<Arc<str>> {
        zones.map(|n| format!("{}/{tag}", uuid(1, n)).into()).collect()
    };
    let read = async |ids, hoped| {
        let wanted = Wanted { ids, hoped, ..Wanted::default() };
        cloud.refresh("zone.user_tags", wanted).await.expect("tags")
    };
    // Two batches of owners, or one page of 660 tags.
    let (table, requests) = read(tags(0..110, "t0"), BTreeSet::new()).await;
    assert_eq!((table.objects.len(), requests), (660, 1));
    assert!(tags(0..110, "t0").iter().all(|id| table.get(id).is_some()));
    // What may be there and is not in a complete list is not there.
    let (_, requests) = read(tags(0..110, "t0"), tags(0..110, "new")).await;
    assert_eq!(requests, 1);
    // What should be there is asked for again, by its owner.
    let mut ids = tags(0..110, "t0");
    ids.extend(tags(7..8, "lost"));
    let (table, requests) = read(ids, BTreeSet::new()).await;
    assert_eq!((table.objects.len(), requests), (660, 2));
    // Few owners of many.
    let (table, requests) = read(tags(10..12, "t0"), BTreeSet::new()).await;
    assert_eq!((table.objects.len(), requests), (12, 1));
    cloud.finish().await;
}

#[tokio::test]
async fn what_pages_do_not_show_is_asked_for_again_before_it_counts_as_gone() {
    let cloud = Cloud::start(V3, zones(1200), &[]).await;
    let wanted = Wanted { ids: ids(1, [3, 5000]), whole: true, ..Wanted::default() };
    let (table, requests) = cloud.refresh("zone", wanted).await.expect("a table");
    assert_eq!((table.objects.len(), requests), (1200, 3));
    assert!(table.get(&uuid(1, 5000)).is_none());
    cloud.finish().await;
}

#[tokio::test]
async fn pages_that_disagree_with_their_total_are_read_again() {
    let short = r#"api=QueryZone,status=200,body={"inventories":[],"total":1200}"#;
    let cloud = Cloud::start(V3, zones(1200), &[short]).await;
    let wanted = Wanted { ids: ids(1, 0..1200), whole: true, ..Wanted::default() };
    let (table, requests) = cloud.refresh("zone", wanted).await.expect("a table");
    assert_eq!((table.objects.len(), requests), (1200, 4));
    cloud.finish().await;
}

#[tokio::test]
async fn a_failed_query_is_an_error_and_not_an_empty_table() {
    let fails =
        r#"api=QueryZone,times=0,status=503,body={"error":{"code":"SYS.1006","details":"no"}}"#;
    let cloud = Cloud::start(V3, zones(3), &[fails]).await;
    let error =
        cloud.refresh("zone", Wanted { ids: ids(1, 0..3), whole: true, ..Wanted::default() }).await;
    let error = error.expect_err("it failed");
    assert_eq!((&*error.kind, error.fault.kind), ("zone", FaultKind::Failed));
    assert!(error.to_string().contains("zone objects of provider.zstack"), "{error}");
}

#[tokio::test]
async fn rows_hold_what_the_schema_names_and_no_secret() {
    let cloud = Cloud::start(V3, halls(3), &[]).await;
    let whole = || Wanted { ids: BTreeSet::new(), whole: true, ..Wanted::default() };
    let (hosts, _) = cloud.refresh("host", whole()).await.expect("hosts");
    assert_eq!(hosts.objects.len(), 6);
    assert!(!format!("{:?}", hosts.objects).contains("canary"));
    let ty = cloud.schemas.by_name("host").expect("host");
    let host = hosts.get(&uuid(3, 4)).expect("its id");
    for (name, value) in [
        ("name", "\"h4\"".to_owned()),
        ("management_ip", "\"10.0.0.4\"".to_owned()),
        ("ssh_port", "22".to_owned()),
        ("state", "\"Enabled\"".to_owned()),
        ("status", "\"Connected\"".to_owned()),
        ("cluster", format!("\"{}\"", uuid(2, 1))),
        ("zone", format!("\"{}\"", uuid(1, 0))),
        ("password", "null".to_owned()),
        ("description", "null".to_owned()),
    ] {
        let ix = ty.find_attr(name).expect(name);
        assert_eq!(host.attrs[usize::from(ix.0)].to_string(), value, "{name}");
    }
    let (local, _) = cloud.refresh("local_primary_storage", whole()).await.expect("storage");
    let linked = local.get(&uuid(4, 0)).expect("its id").linked(LinkIx(0));
    assert_eq!(linked, ids(2, [0, 1]).into_iter().collect::<Vec<_>>());
    // The list's condition keeps other storage out.
    assert!(local.get(&uuid(4, 1)).is_none());
    cloud.finish().await;
}

#[tokio::test]
async fn re_reads_that_come_together_share_queries() {
    let cloud = Cloud::start(V3, halls(60), &[]).await;
    let gather = Coalescer::new(&cloud.connection, &cloud.schemas);
    let host = cloud.ty("host");
    let before = cloud.connection.requests();
    let asked = (0..130).map(|n| {
        let gather = gather.clone();
        tokio::spawn(async move { gather.read(host, &uuid(3, n).into()).await })
    });
    let mut found = 0;
    for answer in asked.collect::<Vec<_>>() {
        found += usize::from(answer.await.expect("no panic").expect("a query").is_some());
    }
    assert_eq!(found, 120);
    assert_eq!(cloud.connection.requests() - before, 2);
    let ty = cloud.schemas.get(host);
    // A text that is no id is not sent: the server would read its comma as a second id.
    let odd = [Arc::from(uuid(3, 1)), format!("{},x", uuid(3, 2)).into()];
    assert_eq!(reread(&cloud.connection, ty, &odd).await.expect("a query").len(), 1);
    cloud.finish().await;
}

#[tokio::test]
async fn casualties_are_counted_by_object_in_few_requests() {
    let cloud = Cloud::start(V3, halls(60), &[]).await;
    let query = |ty: &str, label: &str| {
        let ty = cloud.schemas.by_name(ty).expect("a type");
        let found = ty.cascade.iter().find(|c| c.label.contains(label));
        match &found.unwrap_or_else(|| panic!("{label}")).count {
            Count::Query(target) => target,
            Count::Part(_) => panic!("a query"),
        }
    };
    let question = |target, n| Question { target, id: uuid(3, n).into(), to: None };
    // Targets are known by what they say, not by where they stand.
    let stopped: Vec<_> = (0..121).map(|_| query("host", "VMs stopped").clone()).collect();
    let destroyed = query("host", "local storage");
    let questions: Vec<_> = (0..120)
        .map(|n| question(&stopped[n], n))
        .chain((0..120).map(|n| question(destroyed, n)))
        .chain([Question { target: &stopped[120], id: "none".into(), to: None }])
        .collect();
    let before = cloud.connection.requests();
    let answers = casualties::count(&cloud.connection, &questions).await.expect("counts");
    for n in 0..120_usize {
        let runs = usize::from(n.is_multiple_of(3));
        assert_eq!((answers[n].len(), answers[120 + n].len()), (2 * runs, runs), "host {n}");
    }
    assert_eq!(answers[240].len(), 0);
    // Two batches for each of two queries: a count and the rows.
    assert_eq!(cloud.connection.requests() - before, 8);

    // One storage and many clusters: the clusters are what a batch has many of.
    let storage = cloud.schemas.by_name("local_primary_storage").expect("a type");
    let Side::Owner { detach, .. } = &storage.link(LinkIx(0)).side else { panic!("an owner") };
    let Count::Query(target) = &detach.cascade[0].count else { panic!("a query") };
    let ask = |to| Question { target, id: uuid(4, 0).into(), to: Some(uuid(2, to).into()) };
    let before = cloud.connection.requests();
    let answers = casualties::count(&cloud.connection, &[ask(0), ask(1), ask(2)]).await;
    let found: Vec<usize> = answers.expect("counts").iter().map(BTreeSet::len).collect();
    assert_eq!(found, [20, 20, 0]);
    assert_eq!(cloud.connection.requests() - before, 2);

    // A path through other objects does not tell whose a row is: these are asked for one by one,
    // and only where there are any.
    let zone = cloud.schemas.by_name("zone").expect("zone");
    let of_a_zone = ["clusters deleted", "hosts deleted", "VMs destroyed", "volumes destroyed"];
    for casualty in zone.cascade.iter().filter(|c| of_a_zone.contains(&&*c.label)) {
        let Count::Query(target) = &casualty.count else { panic!("a query") };
        let ask = |n| Question { target, id: uuid(1, n).into(), to: None };
        let answers =
            casualties::count(&cloud.connection, &[ask(0), ask(1)]).await.expect("counts");
        assert!(!answers[0].is_empty() && answers[1].is_empty(), "{}", casualty.label);
    }
    cloud.finish().await;
}

fn create_zone(n: usize) -> Request {
    let params = json!({"name": format!("z{n}"), "resourceUuid": uuid(1, n)});
    Request {
        method: Method::Post,
        path: "/zones".to_owned(),
        body: Some(json!({"params": params})),
    }
}

async fn send(cloud: &Cloud, n: usize, step: u32) -> Outcome {
    let job = job_id("lineage", "run", step, 0);
    cloud.connection.send(&create_zone(n), Some(&job), Duration::from_secs(30)).await
}

#[tokio::test]
async fn a_create_survives_whatever_happens_to_its_answer() {
    for version in [V3, ServerVersion::V5_2] {
        let faults = [
            "api=CreateZone,name=z1,drop",
            "api=CreateZone,name=z2,drop-before",
            "api=CreateZone,name=z3,truncate",
            "api=CreateZone,name=z4,expire-session",
            "api=CreateZone,name=z5,status=502,after-effect,body=<html>Bad Gateway</html>",
            "api=CreateZone,name=z6,status=503,body=<html>busy</html>",
            "api=CreateZone,name=z7,duplicate",
        ];
        let cloud = Cloud::start(version, zones(0), &faults).await;
        for n in 0..8 {
            let outcome = send(&cloud, n, u32::try_from(n).expect("small")).await;
            let Outcome::Done(reply) = outcome else { panic!("z{n}: {outcome:?}") };
            assert_eq!(reply["inventory"]["uuid"], json!(uuid(1, n)));
        }
        let rows = cloud.control("rows/zone").await;
        assert_eq!(rows.as_array().map(Vec::len), Some(8), "{rows}");
        cloud.finish().await;
    }
}

#[tokio::test]
async fn a_taken_id_and_a_missing_parent_are_told_apart() {
    let cloud = Cloud::start(V3, zones(1), &[]).await;
    let outcome = send(&cloud, 0, 0).await;
    assert!(matches!(outcome, Outcome::Failed(f) if f.kind == FaultKind::IdTaken));
    let params = json!({"name": "c", "zoneUuid": uuid(1, 9), "hypervisorType": "KVM"});
    let request = Request {
        method: Method::Post,
        path: "/clusters".to_owned(),
        body: Some(json!({"params": params})),
    };
    let job = job_id("lineage", "run", 1, 0);
    let outcome = cloud.connection.send(&request, Some(&job), Duration::from_secs(30)).await;
    assert!(matches!(outcome, Outcome::Failed(f) if f.kind == FaultKind::Gone));
    cloud.connection.close().await;
    cloud.finish().await;
}

#[tokio::test]
async fn a_job_of_a_dead_run_is_found_again() {
    let cloud = Cloud::start(V3, zones(0), &["api=CreateZone,job-hang=after"]).await;
    let job = job_id("lineage", "run", 0, 0);
    let short = Duration::from_millis(300);
    let outcome = cloud.connection.send(&create_zone(0), Some(&job), short).await;
    assert!(matches!(outcome, Outcome::Unknown { job: Some(_), .. }), "{outcome:?}");
    let outcome = cloud.connection.resolve(&job, short).await;
    assert!(matches!(outcome, Some(Outcome::Unknown { .. })), "{outcome:?}");
    let other = job_id("lineage", "other run", 0, 0);
    assert_eq!(cloud.connection.resolve(&other, short).await, None);
    cloud.finish().await;
}
