//! States and records for the tests of this module: invented ones, and arbitrary ones.

use std::collections::BTreeMap;
use std::sync::Arc;

use proptest::collection::{btree_map, vec};
use proptest::option;
use proptest::prelude::*;

use super::fold::Fold;
use super::identity::client_id;
use super::journal::{Intent, Record, Run};
use super::{Cloud, Entry, Output, Pending, Secrets, State};
use crate::address::Address;
use crate::value::Value;

pub const LINEAGE: &str = "0123456789abcdef0123456789abcdef";

/// A zone of the invented cloud.
pub fn zone(name: &str) -> Entry {
    let address = Address::new("zone", name);
    Entry {
        kind: "zone".into(),
        provider: "zstack".into(),
        id: client_id(LINEAGE, &address, 0),
        attrs: vec![
            ("name".into(), Value::str(name)),
            ("description".into(), Value::str("first \"hall\"")),
            ("state".into(), Value::str("Enabled")),
        ],
        schema_version: 1,
        ..Entry::default()
    }
}

/// A state with one of everything.
pub fn small() -> State {
    let (east, kvm) = (Address::new("zone", "east"), Address::new("host", "kvm").instance("01"));
    let host = Entry {
        kind: "host".into(),
        attrs: vec![("ports".into(), Value::list(vec![22.into(), Value::Null]))],
        dependencies: vec![east.clone()],
        digests: BTreeMap::from([("password".into(), "00ff".into())]),
        incarnation: 2,
        prevent_destroy: true,
        ..zone("kvm")
    };
    let cloud = Cloud {
        kind: "zstack".into(),
        endpoint: "https://mn.example.com:8080".into(),
        account: "admin".into(),
        account_id: None,
    };
    State {
        lineage: LINEAGE.into(),
        serial: 7,
        run: "aa".into(),
        clouds: BTreeMap::from([("zstack".into(), cloud)]),
        secrets: Secrets { salt: "5a17".into(), seal: None },
        entries: BTreeMap::from([(east.clone(), zone("east")), (kvm, host)]),
        pending: BTreeMap::from([(Address::new("zone", "west"), pending(&["c0"]))]),
        incarnations: BTreeMap::from([(Address::new("zone", "old"), 1)]),
        outputs: BTreeMap::from([
            ("hall".into(), Output { sensitive: false, value: Some(Value::str("first")) }),
            ("nothing".into(), Output { sensitive: false, value: Some(Value::Null) }),
            ("password".into(), Output { sensitive: true, value: None }),
        ]),
    }
}

pub fn pending(candidates: &[&str]) -> Pending {
    Pending {
        kind: "zone".into(),
        provider: "zstack".into(),
        candidates: candidates.iter().map(|c| Arc::from(*c)).collect(),
        incarnation: 0,
        unique: Vec::new(),
        dependencies: Vec::new(),
        digests: BTreeMap::new(),
    }
}

/// The head of a journal that continues a state.
pub fn run_on(state: &State) -> Run {
    Run {
        lineage: state.lineage.clone(),
        serial: state.serial,
        run: "run-1".into(),
        holder: "ops@runner.example.com".into(),
        started: "2026-11-20T20:16:24Z".into(),
    }
}

pub fn intent(address: &Address, step: u32, call: u32) -> Record {
    Record::Intent(Intent {
        step,
        call,
        attempt: 0,
        job: format!("job-{step}-{call}"),
        address: address.clone(),
        provider: "zstack".into(),
        request: "POST /zones".into(),
        sent: 1_795_205_784,
    })
}

/// Adds records to a state.
pub fn folded(state: State, records: impl IntoIterator<Item = Record>) -> Fold {
    let mut fold = Fold::new(state, "run-1".into());
    records.into_iter().for_each(|record| fold.add(record));
    fold
}

pub fn any_address() -> impl Strategy<Value = Address> {
    let key = option::of("[a-c\"\\\\\\n数 ]{0,3}");
    ("[a-c]{1,2}", "[a-c]{1,2}", key, option::of("[a-c]")).prop_map(|(kind, label, key, member)| {
        let block = Address::new(&kind, &label);
        let owner = key.map_or(block.clone(), |k| block.instance(&k));
        member.map_or(owner.clone(), |m| owner.member("links", &m))
    })
}

pub fn any_value() -> impl Strategy<Value = Value> {
    // Quarters are exact in every way of reading decimals.
    let quarters = (-1000..1000i32).prop_map(|n| f64::from(n) + 0.25).prop_map(Value::Float);
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        any::<i64>().prop_map(Value::Int),
        quarters,
        any::<String>().prop_map(|s| Value::str(&s)),
    ];
    leaf.prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Value::list),
            btree_map("[a-z]{0,3}".prop_map(Arc::from), inner, 0..4).prop_map(Value::map),
        ]
    })
}

pub fn any_entry() -> impl Strategy<Value = Entry> {
    let attrs = vec(("[a-z]{1,6}".prop_map(Arc::from), any_value()), 0..5);
    let digests = btree_map("[a-z]{1,4}".prop_map(Arc::from), "[0-9a-f]{8}", 0..3);
    let rest = (any::<u32>(), any::<u32>(), any::<bool>(), option::of("[a-z.]{0,9}"));
    let names = ("[a-z]{0,4}", "[a-z]{0,4}", "[0-9a-f]{0,32}");
    (names, attrs, vec(any_address(), 0..3), digests, rest).prop_map(
        |((kind, provider, id), attrs, dependencies, digests, rest)| Entry {
            kind: kind.into(),
            provider: provider.into(),
            id: id.into(),
            attrs,
            dependencies,
            schema_version: rest.0,
            digests,
            incarnation: rest.1,
            prevent_destroy: rest.2,
            declared_by: rest.3,
            owed: Vec::new(),
        },
    )
}

pub fn any_record() -> impl Strategy<Value = Record> {
    let at = any_address;
    prop_oneof![
        (at(), "[a-z]{0,4}")
            .prop_map(|(address, c)| Record::Pending { address, pending: pending(&[&c]) }),
        (at(), 0..4u32, 0..3u32).prop_map(|(address, step, call)| intent(&address, step, call)),
        (at(), any_entry())
            .prop_map(|(address, entry)| Record::Entry { address, entry: Box::new(entry) }),
        (at(), 0..9u32).prop_map(|(address, incarnation)| Record::Removed { address, incarnation }),
        (at(), 0..4u32, any::<bool>(), any::<String>()).prop_map(
            |(address, step, definite, text)| {
                Record::Failed { address, step, attempt: 0, definite, text }
            }
        ),
        (at(), 0..9u32)
            .prop_map(|(address, incarnation)| Record::Incarnation { address, incarnation }),
        at().prop_map(|address| Record::Forgotten { address }),
        Just(Record::Seal { salt: "5a17".into(), seal: Some("5ea1".into()) }),
        Just(Record::End),
    ]
}

pub fn any_state() -> impl Strategy<Value = State> {
    let entries = btree_map(any_address(), any_entry(), 0..6);
    let incarnations = btree_map(any_address(), any::<u32>(), 0..3);
    (any::<u64>(), entries, incarnations).prop_map(|(serial, entries, incarnations)| State {
        serial,
        entries,
        incarnations,
        ..small()
    })
}
