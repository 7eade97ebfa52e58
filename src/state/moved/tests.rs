//! States and `[[moved]]` without a configuration text: what is declared is given as addresses.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::*;
use crate::address::prefix::Prefix;
use crate::config::{DesiredResource, MoveEnd, Removed};
use crate::diag::{FileId, Span};
use crate::schema::TypeIx;
use crate::state::{Entry, testing};

const HERE: Span = Span { file: FileId(0), start: 0, end: 1 };

fn address(text: &str) -> Address {
    Address::parse(text).expect(text)
}

fn end(text: &str) -> MoveEnd {
    MoveEnd { what: Prefix::parse(text).expect(text), span: HERE }
}

/// A configuration that declares these addresses and moves.
fn desired(declared: &[&str], moves: &[(&str, &str)]) -> Desired {
    let resource = |text: &&str| DesiredResource {
        address: address(text),
        ty: TypeIx(0),
        provider: "zstack".into(),
        attrs: Box::default(),
        spans: Arc::new([]),
        declared: HERE,
        mentions: Vec::new(),
        part_mentions: Vec::new(),
        lifecycle: Arc::default(),
        depends_on: Arc::default(),
        replaced_by: Arc::default(),
    };
    let resources: Vec<_> = declared.iter().map(resource).collect();
    let moved = |(from, to): &(&str, &str)| Moved { from: end(from), to: end(to), declared: HERE };
    Desired {
        index: (0..).zip(&resources).map(|(at, r)| (r.address.clone(), at)).collect(),
        resources,
        moved: moves.iter().map(moved).collect(),
        ..Desired::default()
    }
}

/// A state with these objects: attachments are of type `nfs_primary_storage`, elements of parts of
/// type `host.tags`.
fn state(addresses: &[&str]) -> State {
    let entry = |text: &&str| {
        let address = address(text);
        let kind = match address.member_of() {
            Some(member) if &*member.name == "tags" => format!("{}.tags", address.kind()),
            _ => address.kind().to_owned(),
        };
        (address, Entry { kind: kind.into(), ..testing::zone(text) })
    };
    State { entries: addresses.iter().map(entry).collect(), ..State::default() }
}

/// Addresses of the state after the moves, or the codes of what is wrong.
fn after(state: &mut State, desired: &Desired) -> Vec<String> {
    let before = state.clone();
    match apply(desired, state) {
        Ok(_) => state.entries.keys().map(Address::to_string).collect(),
        Err(findings) => {
            assert_eq!(*state, before, "what is refused changes nothing");
            findings.iter().map(|f| format!("{}: {}", f.code, f.summary)).collect()
        }
    }
}

#[test]
fn count_moves_blocks_and_modules_unless_the_place_is_taken() {
    let counted = |declared: &[&str], blocks: &[(&str, bool)]| {
        let mut desired = desired(declared, &[]);
        desired.repeated.blocks = blocks.iter().map(|(b, c)| ((*b).to_owned(), *c)).collect();
        desired
    };
    let both = counted(
        &["module.m[\"0\"].zone.z[\"0\"]", "module.m[\"0\"].zone.y"],
        &[("module.m", true), ("module.m[\"0\"].zone.z", true)],
    );
    let mut there = state(&["module.m.zone.z", "module.m.zone.y[\"0\"]"]);
    assert_eq!(
        after(&mut there, &both),
        ["module.m[\"0\"].zone.y", "module.m[\"0\"].zone.z[\"0\"]"]
    );
    let one = counted(&["module.m.zone.z"], &[]);
    let mut there = state(&["module.m[\"0\"].zone.z", "module.m[\"1\"].zone.z"]);
    assert_eq!(after(&mut there, &one), ["module.m.zone.z", "module.m[\"1\"].zone.z"]);
    let same = ["zone.z", "zone.z[\"0\"]"];
    assert_eq!(after(&mut state(&same), &counted(&["zone.z"], &[])), same, "taken");
    let keyed = counted(&["zone.z[\"0\"]"], &[("zone.z", false)]);
    assert_eq!(after(&mut state(&["zone.z"]), &keyed), ["zone.z"], "for_each");
    assert_eq!(after(&mut state(&["zone.z"]), &counted(&[], &[])), ["zone.z"], "gone");
}

#[test]
fn a_block_moves_with_its_instances_attachments_and_elements() {
    let storage = "nfs_primary_storage.s";
    let mut state = state(&[
        "cluster.rack[\"a\"]",
        "cluster.rack[\"b\"]",
        "cluster.other",
        storage,
        "nfs_primary_storage.s.clusters[\"cluster.rack[\\\"a\\\"]\"]",
        "host.h",
        "host.h.tags[\"cluster.other\"]",
        "cluster.rack[\"a\"].tags[\"x\"]",
    ]);
    let link = address("nfs_primary_storage.s.clusters[\"cluster.rack[\\\"a\\\"]\"]");
    let entry = state.entries.get_mut(&link).expect("the attachment");
    entry.dependencies = vec![address(storage), address("cluster.rack[\"a\"]")];
    entry.declared_by = Some("cluster.rack[\"a\"].primary_storage".to_owned());
    let desired = desired(
        &["cluster.row[\"a\"]", "cluster.row[\"b\"]", "cluster.last"],
        &[("cluster.rack", "cluster.row"), ("cluster.other", "cluster.last")],
    );
    let id = state.entries[&address("cluster.rack[\"a\"]")].id.clone();
    assert_eq!(
        after(&mut state, &desired),
        [
            "cluster.last",
            "cluster.row[\"a\"]",
            "cluster.row[\"a\"].tags[\"x\"]",
            "cluster.row[\"b\"]",
            "host.h",
            "host.h.tags[\"cluster.other\"]",
            "nfs_primary_storage.s",
            "nfs_primary_storage.s.clusters[\"cluster.row[\\\"a\\\"]\"]",
        ]
    );
    assert_eq!(state.entries[&address("cluster.row[\"a\"]")].id, id, "the object is the same");
    let link = address("nfs_primary_storage.s.clusters[\"cluster.row[\\\"a\\\"]\"]");
    let link = &state.entries[&link];
    assert_eq!(link.dependencies, [address(storage), address("cluster.row[\"a\"]")]);
    assert_eq!(link.declared_by.as_deref(), Some("cluster.row[\"a\"].primary_storage"));
}

#[test]
fn what_is_not_in_the_state_has_nothing_to_move() {
    let mut state = state(&["zone.b"]);
    let desired = desired(&["zone.b"], &[("zone.a", "zone.b")]);
    assert_eq!(after(&mut state, &desired), ["zone.b"]);
    assert!(state.incarnations.is_empty());
}

#[test]
fn ids_that_were_used_are_never_computed_again() {
    let mut state = state(&["zone.a", "zone.b"]);
    state.entries.get_mut(&address("zone.a")).expect("zone.a").incarnation = 2;
    state.incarnations.insert(address("zone.c"), 5);
    // One takes the place that the other leaves.
    let desired = desired(&["zone.b", "zone.c"], &[("zone.a", "zone.b"), ("zone.b", "zone.c")]);
    // With a chain, both would become zone.c.
    assert_eq!(
        after(&mut state, &desired),
        ["moved_together: `zone.a` and `zone.b` would both become `zone.c`"]
    );
    let renames = HashMap::from([
        (address("zone.a"), address("zone.b")),
        (address("zone.b"), address("zone.c")),
    ]);
    edit::relocate(&mut state, &renames);
    let incarnation = |of: &str| state.entries[&address(of)].incarnation;
    assert_eq!((incarnation("zone.b"), incarnation("zone.c")), (2, 5));
    assert_eq!(state.incarnations, BTreeMap::from([(address("zone.a"), 3)]));
}

#[test]
fn what_is_half_made_moves_too_and_is_found_by_its_old_ids() {
    let mut state = state(&["zone.a"]);
    state.pending.insert(address("zone.a"), testing::pending(&["c0", "c1"]));
    let pending = state.pending.get_mut(&address("zone.a")).expect("zone.a");
    pending.incarnation = 1;
    pending.digests.insert("password".into(), "00ff".into());
    state.incarnations.insert(address("zone.b"), 4);
    let desired = desired(&["zone.b"], &[("zone.a", "zone.b")]);
    assert_eq!(after(&mut state, &desired), ["zone.b"]);
    let pending = &state.pending[&address("zone.b")];
    assert_eq!(pending.candidates, ["c0".into(), "c1".into()]);
    assert_eq!((state.entries[&address("zone.b")].incarnation, pending.incarnation), (4, 5));
    assert_eq!(pending.digests["password"], "00ff@zone.a");
    assert_eq!(state.incarnations[&address("zone.a")], 2);
}

#[test]
fn what_would_lose_an_object_is_refused() {
    let mut both = state(&["zone.a", "zone.b"]);
    let taken = desired(&["zone.b"], &[("zone.a", "zone.b")]);
    assert_eq!(
        after(&mut both, &taken),
        ["moved_to_taken: `zone.a` cannot become `zone.b`: the state has that already"]
    );
    let mut one = state(&["zone.a"]);
    let nothing = desired(&["zone.c"], &[("zone.a", "zone.b")]);
    assert_eq!(
        after(&mut one, &nothing),
        ["moved_to_nothing: `zone.a` would move to `zone.b`, which is not declared"]
    );
    let mut removed = nothing;
    let from = end("zone.b");
    removed.removed.push(Removed { from, destroy: false, declared: HERE });
    assert_eq!(after(&mut one, &removed), ["zone.b"], "a `[[removed]]` says what becomes of it");
    let mut round = state(&["module.a.zone.z"]);
    let ring = desired(
        &["module.b.zone.z"],
        &[("module.a", "module.b"), ("module.b.zone.z", "module.a.zone.z")],
    );
    assert_eq!(
        after(&mut round, &ring),
        ["moved_in_a_ring: `module.a.zone.z` would move for ever"]
    );
}
