//! What a run begins with, by what the plan says of an object that a cut-off apply left pending.

use std::sync::Arc;

use super::*;
use crate::plan::{Reason, Record as Extra};
use crate::schema;
use crate::state::Pending;

const LINEAGE: &str = "0123456789abcdef0123456789abcdef";
const ID: &str = "85cfb3e11e674951835d925579633b7d";

fn schemas() -> Schemas {
    schema::load().unwrap_or_else(|(found, _)| panic!("{found:?}"))
}

fn zone() -> Address {
    Address::new("zone", "east")
}

fn change(schemas: &Schemas, action: Action, id: Option<&str>) -> Change {
    Change {
        importing: false,
        previous: None,
        address: zone(),
        ty: schemas.find("zone").expect("a type"),
        provider: "zstack".into(),
        action,
        reason: Reason::Unfinished,
        protection: None,
        diffs: Vec::new(),
        id: id.map(Arc::from),
        owner_id: None,
        origin: None,
        record: Extra { kind: "zone".into(), incarnation: 1, ..Extra::default() },
        seen: vec![("name".into(), "east".into())],
        predicted: None,
        last: Default::default(),
        casualties: Vec::new(),
    }
}

fn pending(incarnation: u32) -> Pending {
    Pending {
        kind: "zone".into(),
        provider: "zstack".into(),
        candidates: vec![ID.into()],
        incarnation,
        unique: Vec::new(),
        dependencies: Vec::new(),
        digests: [("password".into(), "d0".to_owned())].into(),
    }
}

fn begun(action: Action, id: Option<&str>, state: State) -> State {
    let schemas = schemas();
    let plan = Plan { changes: vec![change(&schemas, action, id)], ..Plan::default() };
    let state = State { lineage: LINEAGE.into(), ..state };
    beginning(&plan, &schemas, &BTreeMap::new(), state)
}

fn with_pending(incarnation: u32) -> State {
    State { pending: BTreeMap::from([(zone(), pending(incarnation))]), ..State::default() }
}

/// Should the update or delete fail, the object is still known.
#[test]
fn a_pending_object_that_is_live_is_ours_before_anything_is_sent_for_it() {
    for action in [Action::Adopt, Action::Update, Action::Delete] {
        let state = begun(action, Some(ID), with_pending(1));
        let entry = &state.entries[&zone()];
        assert_eq!((&*entry.id, entry.incarnation), (ID, 1), "{action:?}");
        assert_eq!(entry.digests, pending(1).digests, "what the create sent: {action:?}");
        assert!(state.pending.is_empty(), "{action:?}");
    }
}

#[test]
fn one_that_is_to_be_replaced_is_known_and_its_successor_is_pending() {
    let state = begun(Action::Replace, Some(ID), with_pending(0));
    assert_eq!(&*state.entries[&zone()].id, ID);
    let next = client_id(LINEAGE, &zone(), 1);
    assert_eq!(state.pending[&zone()].candidates, [next]);
}

/// It may come alive under any of the ids that were tried, with the secrets that were sent.
#[test]
fn an_unfinished_create_keeps_its_candidates_and_digests() {
    let state = begun(Action::Create, None, with_pending(1));
    let pending = &state.pending[&zone()];
    assert_eq!(pending.candidates, [ID.into(), client_id(LINEAGE, &zone(), 1)]);
    assert_eq!(pending.digests, self::pending(1).digests);
}

#[test]
fn what_is_forgotten_or_was_left_over_is_gone() {
    let state = begun(Action::Forget, None, with_pending(0));
    assert_eq!((state.pending.len(), state.entries.len()), (0, 0));
    // A replacement that never came to it: the old object is there and stays.
    let entry = Entry { id: "old".into(), ..Entry::default() };
    let mut state = with_pending(1);
    state.entries.insert(zone(), entry.clone());
    let plan = Plan::default();
    let state = beginning(&plan, &schemas(), &BTreeMap::new(), state);
    assert_eq!((state.pending.len(), &state.entries[&zone()]), (0, &entry));
}
