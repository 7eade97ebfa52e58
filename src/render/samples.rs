//! Plans, events and findings that the tests of this module render. Invented names only.

use std::sync::Arc;
use std::time::Duration;

use crate::address::Address;
use crate::diag::{FileId, Sources, Span};
use crate::event::{Event, Failure, Skip, Summary};
use crate::plan::{
    Action, AttrDiff, Change, Drift, Note, Op, Plan, Reason, Record, Shown, Step, StepIx,
};
use crate::schema::{Method, TypeIx};
use crate::value::Value;
use crate::wire::RequestTemplate;

pub const MAIN: &str = "\
[zone.east]
description = \"first hall\"

[cluster.rack]
zone            = \"zone.east\"
hypervisor_typ  = \"KVM\"

[host.kvm]
for_each      = ['01', '02']
cluster       = \"cluster.rack\"
management_ip = \"10.0.1.12\"
";

pub fn sources() -> Sources {
    let mut sources = Sources::default();
    sources.add("main.rack.toml", MAIN);
    sources.add("storage.rack.toml", "[zone.east]\n\n[zone.west]\n");
    sources
}

/// The span of a word in `main.rack.toml`.
pub fn span(word: &str) -> Span {
    let start = u32::try_from(MAIN.find(word).expect(word)).expect("short");
    Span { file: FileId(0), start, end: start + u32::try_from(word.len()).expect("short") }
}

pub fn address(text: &str) -> Address {
    Address::parse(text).expect(text)
}

pub fn change(text: &str, action: Action, reason: Reason) -> Change {
    Change {
        address: address(text),
        importing: false,
        previous: None,
        ty: TypeIx(0),
        provider: "zstack".into(),
        action,
        reason,
        protection: None,
        diffs: Vec::new(),
        id: None,
        predicted: None,
        owner_id: None,
        seen: Vec::new(),
        origin: None,
        record: Record::default(),
        last: Default::default(),
        casualties: Vec::new(),
    }
}

pub fn diff(name: &str, before: Shown, after: Shown) -> AttrDiff {
    AttrDiff { name: name.into(), before, after, origin: None, forces_replace: false }
}

pub fn shown(text: &str) -> Shown {
    Shown::Value(Value::str(text))
}

pub fn step(text: &str, op: Op, change: u32) -> Step {
    Step {
        address: address(text),
        ty: TypeIx(0),
        provider: "zstack".into(),
        op,
        request: Some(RequestTemplate {
            method: Method::Post,
            path: Vec::new(),
            query: Vec::new(),
            body: None,
        }),
        after: Vec::new(),
        gates: Vec::new(),
        change,
        expect: Vec::new(),
        wait: Vec::new(),
        confirms: Vec::new(),
        disrupts: None,
        stays_away: false,
        last: true,
        deadline: 60,
    }
}

const ID: &str = "6f1f04c2a3714c1f8d3c0a55b6e0c001";
const ATTACHED: &str = "local_primary_storage.scratch.clusters[\"cluster.rack\"]";

/// One change of every kind.
pub fn plan() -> Plan {
    let mut plan = Plan {
        changes: vec![
            created(),
            Change {
                origin: Some(span("[host.kvm]")),
                ..change(ATTACHED, Action::Create, Reason::New)
            },
            updated(),
            replaced(),
            deleted(),
            change("zone.west", Action::Adopt, Reason::New),
            change("zone.north", Action::Forget, Reason::Unmanaged),
            change("zone.south", Action::Record, Reason::Protection),
        ],
        unchanged: 12,
        ..Plan::default()
    };
    plan.steps.push(step(ATTACHED, Op::Attach, 1));
    plan.drift = vec![
        Drift { address: address("zone.north"), attrs: None },
        Drift {
            address: address("host.kvm[\"02\"]"),
            attrs: Some(vec![diff("name", shown("kvm-02"), shown("by\u{1b}[2Jhand"))]),
        },
    ];
    plan.notes = vec![Note {
        address: Some(address("local_primary_storage.scratch")),
        text: "cluster 0a5c is attached by somebody else and stays so".to_owned(),
        help: Some("rackform import adopts it".to_owned()),
    }];
    plan
}

fn created() -> Change {
    Change {
        diffs: vec![
            diff("cluster", Shown::Absent, Shown::AfterApply(address("cluster.rack"))),
            diff("management_ip", Shown::Absent, shown("10.0.1.11")),
            diff("password", Shown::Absent, Shown::Sensitive),
            diff("ssh_port", Shown::Absent, Shown::Value(Value::Int(22))),
        ],
        origin: Some(span("[host.kvm]")),
        ..change("host.kvm[\"01\"]", Action::Create, Reason::New)
    }
}

fn updated() -> Change {
    let mut ip = diff("management_ip", shown("10.0.1.11"), shown("10.0.1.12"));
    ip.origin = Some(span("management_ip"));
    let mut zone = diff("zone", shown("a"), Shown::AfterApply(address("zone.east")));
    zone.origin = Some(span("zone            ="));
    Change {
        diffs: vec![
            ip,
            zone,
            diff("password", Shown::Sensitive, Shown::Sensitive),
            diff("description", shown("old"), Shown::Absent),
        ],
        id: Some(ID.into()),
        ..change("host.kvm[\"02\"]", Action::Update, Reason::Drifted)
    }
}

fn replaced() -> Change {
    let name: Arc<str> = "url".into();
    let mut url = diff("url", shown("/old"), shown("/new"));
    url.forces_replace = true;
    Change {
        diffs: vec![url],
        id: Some(ID.into()),
        casualties: vec![("volumes".to_owned(), 3), ("VMs stopped".to_owned(), 0)],
        ..change("nfs_primary_storage.s", Action::Replace, Reason::CannotUpdate(vec![name]))
    }
}

fn deleted() -> Change {
    Change {
        id: Some(ID.into()),
        casualties: vec![("hosts".to_owned(), 3), ("VMs".to_owned(), 1200)],
        ..change("zone.old", Action::Delete, Reason::NotInConfiguration)
    }
}

/// A run of three steps: one done, one failed, one skipped.
pub fn events() -> Vec<Event> {
    let (host, zone) = (address("host.kvm[\"01\"]"), address("zone.old"));
    let create = |step| (StepIx(step), host.clone(), Op::Create);
    let secs = Duration::from_secs;
    let (step, address, op) = create(0);
    let started = Event::StepStarted {
        step,
        address: address.clone(),
        action: Action::Create,
        op: op.clone(),
    };
    let waiting_for = "status Connected".to_owned();
    let progress = Event::StepProgress {
        step,
        address: address.clone(),
        op: op.clone(),
        elapsed: secs(30),
        waiting_for,
    };
    let done = Event::StepDone {
        step,
        address,
        action: Action::Create,
        op,
        id: Some(ID.to_owned()),
        elapsed: Duration::from_millis(31_240),
        last: true,
    };
    let deleting = Event::StepStarted {
        step: StepIx(1),
        address: zone.clone(),
        action: Action::Replace,
        op: Op::Delete,
    };
    let failed = Event::StepFailed {
        step: StepIx(1),
        address: zone.clone(),
        op: Op::Delete,
        failure: failure(),
        elapsed: secs(125),
    };
    let skipped = Event::StepSkipped {
        step: StepIx(2),
        address: zone.clone(),
        op: Op::Create,
        because: Skip::Failed(zone),
    };
    let end = Summary {
        created: 1,
        failed: 1,
        skipped: 1,
        requests: 1_027,
        elapsed: secs(126),
        ..Summary::default()
    };
    vec![
        Event::Started { steps: 3 },
        Event::Recovering { intents: 2 },
        started,
        progress,
        done,
        deleting,
        failed,
        Event::Stopping { running: 1 },
        skipped,
        Event::Finished(end),
    ]
}

fn failure() -> Failure {
    Failure {
        code: Some("SYS.1006".to_owned()),
        summary: "the zone cannot be deleted".to_owned(),
        detail: Some("operation error\ncause: \u{1b}[31mcluster 0a5c is busy".to_owned()),
        help: Some("wait for the running jobs of the cluster".to_owned()),
        request: Some("DELETE /zones/6f1f, job 41aa".to_owned()),
        unknown: true,
    }
}
