//! The store: nothing that was acknowledged is lost, whenever the power goes.

mod memory_disk;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use rackform::address::Address;
use rackform::state::journal::{Intent, Record};
use rackform::state::{Entry, Pending, State};
use rackform::store::disk::Disk;
use rackform::store::{Claim, Guard, Holder, LocalStore, Snapshot, StoreError};

use memory_disk::{Crash, Lie, MemoryDisk};

const LINEAGE: &str = "0123456789abcdef0123456789abcdef";

fn claim(operation: &str) -> Claim {
    Claim {
        operation: operation.to_owned(),
        who: "ops@runner.example.com".to_owned(),
        created: "2026-11-20T20:16:24Z".to_owned(),
    }
}
fn lock(store: &LocalStore) -> Result<Guard, StoreError> {
    store.lock(&claim("apply"), Duration::ZERO, &mut |_| {})
}
fn west() -> Address {
    Address::new("zone", "west")
}
fn entry(id: &str) -> Box<Entry> {
    Box::new(Entry { kind: "zone".into(), id: id.into(), ..Entry::default() })
}
fn intent() -> Record {
    Record::Intent(Intent {
        step: 0,
        call: 0,
        attempt: 0,
        job: "j0".to_owned(),
        address: west(),
        provider: "zstack".into(),
        request: "POST /zones".to_owned(),
        sent: 0,
    })
}
fn fresh() -> State {
    let pending = Pending {
        kind: "zone".into(),
        provider: "zstack".into(),
        candidates: vec!["c0".into()],
        incarnation: 0,
        unique: Vec::new(),
        dependencies: Vec::new(),
        digests: Default::default(),
    };
    let pending = BTreeMap::from([(west(), pending)]);
    State { lineage: LINEAGE.to_owned(), pending, ..State::default() }
}

/// A life of a state: a first apply that creates `west`, a change by hand, an apply that is left
/// without an end, one that takes up from there. Tells `passed` after each durable step.
fn life(store: &LocalStore, passed: &mut dyn FnMut()) -> Result<(), StoreError> {
    let mut guard = lock(store)?;
    guard.read()?;
    let run = guard.begin(fresh(), "r1".to_owned(), String::new())?;
    passed();
    run.writer().append(intent()).wait()?;
    passed();
    run.writer().append(Record::Entry { address: west(), entry: entry("c0") }).wait()?;
    passed();
    let (mut guard, mut state) = run.finish()?;
    passed();
    state.entries.insert(Address::new("zone", "north"), *entry("n"));
    guard.write(&mut state)?;
    passed();
    let run = guard.begin(state, "r2".to_owned(), String::new())?;
    run.writer().append(intent()).wait()?;
    passed();
    drop(run);
    let mut guard = lock(store)?;
    let state = guard.read()?.state;
    let run = guard.begin(state, "r3".to_owned(), String::new())?;
    passed();
    run.writer().append(Record::Removed { address: west(), incarnation: 1 }).wait()?;
    passed();
    run.finish()?;
    passed();
    Ok(())
}

/// What a state says, less how it is stored.
fn said(snapshot: &Snapshot) -> String {
    let State { lineage, entries, pending, incarnations, .. } = &snapshot.state;
    let open: Vec<_> = snapshot.unfinished.iter().map(|i| &i.job).collect();
    format!("{lineage} {:?} {:?} {incarnations:?} {open:?}", entries, pending.keys())
}

/// Cuts the power at every operation of a life, in every way, and reads what is left. Returns
/// what was found wrong.
fn violations(lie: Option<Lie>) -> Vec<String> {
    let dir = tempfile::tempdir().expect("a directory for the lock");
    let over = |disk: &MemoryDisk| {
        LocalStore::with_disk(dir.path(), Arc::new(disk.clone()) as Arc<dyn Disk>)
    };
    let disk = MemoryDisk::default();
    let store = over(&disk);
    let mut expected = vec![said(&store.read().expect("nothing there yet"))];
    life(&store, &mut || expected.push(said(&store.read().expect("readable")))).expect("a life");
    let mut wrong = Vec::new();
    for cut in 1..=disk.operations() {
        for crash in Crash::ALL {
            let disk = MemoryDisk::failing_at(cut, lie);
            let mut passed = 0;
            let end = life(&over(&disk), &mut || passed += 1);
            let store = over(&disk.after(crash));
            let place = format!("{crash:?} at operation {cut}, after step {passed}");
            match store.read() {
                Err(e) => wrong.push(format!("{place}: {e}")),
                Ok(found) => {
                    let found = said(&found);
                    let next = expected.get(passed + 1);
                    if found != expected[passed] && Some(&found) != next {
                        wrong.push(format!("{place}: found {found}"));
                    }
                }
            }
            if end.is_err() && life_goes_on(&store).is_err() {
                wrong.push(format!("{place}: it cannot be continued"));
            }
        }
    }
    wrong
}

/// Whoever comes next can lock, read, write and read again.
fn life_goes_on(store: &LocalStore) -> Result<(), StoreError> {
    let mut guard = lock(store)?;
    let mut state = guard.read()?.state;
    if state.lineage.is_empty() {
        LINEAGE.clone_into(&mut state.lineage);
    }
    guard.write(&mut state)?;
    assert_eq!(store.read()?.state, state);
    Ok(())
}

#[test]
fn cut_anywhere_the_state_is_the_old_or_the_new_one() {
    assert_eq!(violations(None), [] as [String; 0]);
}

/// The same test must notice a store that skips a sync; the disk skips it in its place.
#[test]
fn a_skipped_sync_would_be_noticed() {
    for lie in [Lie::FileSync, Lie::DirSync] {
        assert!(!violations(Some(lie)).is_empty(), "{lie:?}");
    }
}

#[test]
fn a_broken_journal_stops_everything_and_keeps_what_it_acknowledged() {
    let dir = tempfile::tempdir().expect("a directory for the lock");
    let disk = MemoryDisk::default();
    let store = LocalStore::with_disk(dir.path(), Arc::new(disk.clone()));
    let run = lock(&store).and_then(|g| g.begin(fresh(), "r1".into(), String::new()));
    let run = run.expect("begun");
    run.writer().append(intent()).wait().expect("acknowledged");
    disk.fail_from_now_on();
    for _ in 0..2 {
        let refused = run.writer().append(Record::Forgotten { address: west() }).wait();
        assert!(matches!(refused, Err(StoreError::Broken(_))));
    }
    let late = run.writer();
    assert!(matches!(run.finish(), Err(StoreError::Broken(_))));
    assert!(matches!(late.append(Record::End).wait(), Err(StoreError::Broken(_))));
    let store = LocalStore::with_disk(dir.path(), Arc::new(disk.after(Crash::DropAll)));
    let left = store.read().expect("readable");
    assert_eq!(left.unfinished.len(), 1);
    assert_eq!(left.unfolded.map(|run| run.run).as_deref(), Some("r1"));
}

#[test]
fn records_that_wait_together_share_a_sync() {
    let dir = tempfile::tempdir().expect("a directory for the lock");
    let disk = MemoryDisk::default();
    let store = LocalStore::with_disk(dir.path(), Arc::new(disk.clone()));
    let run = lock(&store).and_then(|g| g.begin(fresh(), "r1".into(), String::new()));
    let run = run.expect("begun");
    let before = disk.syncs();
    let gate = disk.hold_next_sync();
    let first = run.writer().append(intent());
    gate.wait_until_reached();
    let rest: Vec<_> = (0..1_000).map(|_| run.writer().append(intent())).collect();
    gate.open();
    first.wait().expect("acknowledged");
    rest.into_iter().for_each(|ack| ack.wait().expect("acknowledged"));
    assert_eq!(disk.syncs() - before, 2);
}

#[tokio::test]
async fn a_step_awaits_its_record_without_stopping_the_others() {
    let dir = tempfile::tempdir().expect("a directory");
    let store = LocalStore::open(dir.path());
    let run = lock(&store).and_then(|g| g.begin(fresh(), "r1".into(), String::new()));
    let run = run.expect("begun");
    let writer = run.writer();
    let step = tokio::spawn(async move { writer.append(intent()).durable().await });
    step.await.expect("no panic").expect("acknowledged");
    assert_eq!(store.read().expect("readable").unfinished.len(), 1);
}

#[test]
fn a_call_of_unknown_outcome_keeps_its_journal() {
    let dir = tempfile::tempdir().expect("a directory");
    let store = LocalStore::open(dir.path());
    let run = lock(&store).and_then(|g| g.begin(fresh(), "r1".into(), String::new()));
    let run = run.expect("begun");
    run.writer().append(intent()).wait().expect("acknowledged");
    let (guard, state) = run.finish().expect("finished");
    drop(guard);
    let left = store.read().expect("readable");
    assert_eq!(left.state, state);
    assert!(left.ended);
    assert_eq!(left.unfinished[0].job, "j0");
}

#[test]
fn a_record_with_a_secret_is_refused_alone() {
    let dir = tempfile::tempdir().expect("a directory");
    let store = LocalStore::open(dir.path());
    let run = lock(&store).and_then(|g| g.begin(fresh(), "r1".into(), String::new()));
    let run = run.expect("begun");
    let mut leak = entry("c0");
    let secret = rackform::value::Value::str("hunter2").sensitive();
    leak.attrs.push(("password".into(), secret));
    let refused = run.writer().append(Record::Entry { address: west(), entry: leak }).wait();
    assert!(matches!(refused, Err(StoreError::Refused(_))));
    run.writer().append(Record::Forgotten { address: west() }).wait().expect("acknowledged");
    run.finish().expect("finished");
    for file in std::fs::read_dir(dir.path()).expect("a directory") {
        let bytes = std::fs::read(file.expect("an entry").path()).expect("readable");
        assert!(!bytes.windows(7).any(|w| w == b"hunter2"));
    }
}

/// A plan while applies come and go: what it reads is always whole and never goes back.
#[test]
fn a_reader_without_the_lock_sees_every_record_that_was_acknowledged() {
    let dir = tempfile::tempdir().expect("a directory");
    let store = LocalStore::open(dir.path());
    let acknowledged = std::sync::atomic::AtomicUsize::new(0);
    let count = || acknowledged.load(std::sync::atomic::Ordering::SeqCst);
    std::thread::scope(|scope| {
        let writer = scope.spawn(|| {
            for n in 0..30 {
                let mut guard = lock(&store).expect("a reader is no holder");
                let mut state = guard.read().expect("readable").state;
                LINEAGE.clone_into(&mut state.lineage);
                let run = guard.begin(state, format!("r{n}"), String::new()).expect("begun");
                let address = Address::new("zone", &format!("z{n}"));
                let record = Record::Entry { address, entry: entry("x") };
                run.writer().append(record).wait().expect("acknowledged");
                acknowledged.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
                run.finish().expect("finished");
            }
        });
        while !writer.is_finished() {
            let before = count();
            let seen = store.read().expect("always readable").state.entries.len();
            assert!(seen >= before, "{seen} seen, {before} acknowledged before");
        }
    });
    assert_eq!(store.read().expect("readable").state.entries.len(), 30);
}

#[test]
fn one_holder_at_a_time_and_everybody_knows_who() {
    let dir = tempfile::tempdir().expect("a directory");
    let store = LocalStore::open(dir.path());
    assert_eq!(store.holder().expect("readable"), None);
    let guard = lock(&store).expect("free");
    let running = store.read().expect("readable").running.expect("somebody");
    assert_eq!(running.info.as_ref(), Some(guard.info()));
    assert_eq!(guard.info().pid(), Some(u64::from(std::process::id())));
    let refused = lock(&store).err().expect("taken");
    let StoreError::Locked { holder } = &refused else { panic!("{refused}") };
    let holder = Holder { age: Some(Duration::from_secs(7)), ..(**holder).clone() };
    let refused = StoreError::Locked { holder: Box::new(holder) };
    let text = format!("{refused}\n{}", refused.help());
    insta::assert_snapshot!(text.replace(&std::process::id().to_string(), "PID"), @r#"
    the state is locked by ops@runner.example.com (apply) for 7 s
    wait for it (`--lock-timeout 5m` does), or end process PID: the lock ends with it, and the next apply takes up what it left
    "#);
    drop(guard);
    assert_eq!(store.read().expect("readable").running, None);
    lock(&store).expect("free again");
}

#[test]
fn waiting_ends_when_the_holder_does() {
    let dir = tempfile::tempdir().expect("a directory");
    let store = LocalStore::open(dir.path());
    let mut guard = Some(lock(&store).expect("free"));
    let mut told = 0;
    let waited = store.lock(&claim("state mv"), Duration::from_secs(600), &mut |holder| {
        told += 1;
        assert!(holder.info.is_some());
        guard = None;
    });
    assert_eq!(waited.expect("free now").info().operation, "state mv");
    assert_eq!(told, 1);
}

#[test]
fn the_name_of_a_dead_holder_means_nothing() {
    let dir = tempfile::tempdir().expect("a directory");
    let file = dir.path().join("rackform.state.lock");
    let dead = r#"{"ID":"1","Operation":"apply","Info":"{\"pid\":1}","Who":"a@b"}"#;
    std::fs::write(&file, dead).expect("writable");
    let store = LocalStore::open(dir.path());
    assert_eq!(store.read().expect("readable").running, None);
    let guard = lock(&store).expect("free");
    let running = store.read().expect("readable").running.expect("somebody");
    assert_eq!(running.info.as_ref(), Some(guard.info()));
}

#[test]
fn a_state_that_something_else_changed_is_not_overwritten() {
    type Edit = fn(&str) -> Option<String>;
    let edits: [(&str, Edit); 5] = [
        ("another serial", |s| Some(s.replace("\"serial\": 1", "\"serial\": 9"))),
        ("another lineage", |s| Some(s.replace(LINEAGE, "feed"))),
        ("edited", |s| Some(s.replace("zone.west", "zone.vest"))),
        ("garbled", |s| Some(s.replace('{', "["))),
        ("removed", |_| None),
    ];
    let mut told = Vec::new();
    for (name, edit) in edits {
        let dir = tempfile::tempdir().expect("a directory");
        let store = LocalStore::open(dir.path());
        let mut state = fresh();
        let mut guard = lock(&store).expect("free");
        guard.write(&mut state).expect("the first");
        let path = dir.path().join("rackform.state.json");
        let text = std::fs::read_to_string(&path).expect("readable");
        match edit(&text) {
            Some(text) => std::fs::write(&path, text).expect("writable"),
            None => std::fs::remove_file(&path).expect("removable"),
        }
        let before = std::fs::read(&path).ok();
        for _ in 0..2 {
            let refused = guard.write(&mut state).expect_err("must be refused");
            let StoreError::Changed { found, .. } = &refused else { panic!("{refused}") };
            told.push(format!("{name}: {found}"));
        }
        assert_eq!(std::fs::read(&path).ok(), before, "{name}");
        assert_eq!(state.serial, 1, "{name}");
    }
    told.dedup();
    insta::assert_snapshot!(told.join("\n"), @r#"
    another serial: it has serial 9 now, not 1
    another lineage: it has lineage feed now, not 0123456789abcdef0123456789abcdef
    edited: it was edited, with the same serial
    garbled: it is not JSON: expected `,` or `]` (line 2, column 12)
    removed: it is gone
    "#);
}

#[test]
fn a_serial_is_written_once_and_a_lineage_stays() {
    let dir = tempfile::tempdir().expect("a directory");
    let store = LocalStore::open(dir.path());
    let mut guard = lock(&store).expect("free");
    let mut state = fresh();
    let mut old = state.clone();
    guard.write(&mut state).expect("the first");
    let refused = guard.write(&mut old).expect_err("the same serial again");
    assert!(matches!(refused, StoreError::Serial { given: 0, current: 1 }));
    let mut other = State { lineage: "feed".to_owned(), ..state.clone() };
    let refused = guard.write(&mut other).expect_err("another lineage");
    assert!(matches!(refused, StoreError::Lineage { .. }));
    guard.write(&mut state).expect("the second");
    assert_eq!(state.serial, 2);
    let backup = std::fs::read(dir.path().join("rackform.state.json.backup")).expect("kept");
    let backup = rackform::state::format::read(&backup).expect("readable");
    assert_eq!(backup.serial, 1);
}

#[test]
fn a_journal_beside_the_wrong_state_is_refused() {
    let dir = tempfile::tempdir().expect("a directory");
    let store = LocalStore::open(dir.path());
    let run = lock(&store).and_then(|g| g.begin(fresh(), "r1".into(), String::new()));
    drop(run.expect("begun"));
    let path = dir.path().join("rackform.state.json");
    let text = std::fs::read_to_string(&path).expect("readable");
    let mut told = Vec::new();
    for changed in [text.replace("\"serial\": 1", "\"serial\": 0"), text.replace(LINEAGE, "feed")] {
        std::fs::write(&path, changed).expect("writable");
        let error = store.read().expect_err("must be refused");
        told.push(format!("{error}\n{}", error.help()));
    }
    std::fs::write(&path, text).expect("writable");
    let journal = dir.path().join("rackform.state.journal");
    let text = std::fs::read_to_string(&journal).expect("readable");
    std::fs::write(&journal, text.replace("r1", "r2")).expect("writable");
    let error = store.read().expect_err("must be refused");
    told.push(format!("{error}\n{}", error.help()));
    let told = told.join("\n").replace(&dir.path().display().to_string(), "DIR");
    insta::assert_snapshot!(told, @r#"
    the journal `DIR/rackform.state.journal` cannot be used: it continues serial 1, but the state beside it has serial 0
    the state was replaced while an apply was unfinished: put back the one with the serial of the journal, or move the journal away if it is of no use
    the journal `DIR/rackform.state.journal` cannot be used: it belongs to another state (lineage 0123456789abcdef0123456789abcdef, the state has feed)
    the state and its journal come from different directories: put back the state that belongs to the journal, or move the journal away
    the journal `DIR/rackform.state.journal` cannot be used: line 1 is damaged: its checksum differs
    the journal holds what the last apply did and the state does not know yet: restore it from a copy. Without one, move it away and run `rackform plan`: objects that were created are found again by their ids
    "#);
}

#[cfg(unix)]
#[test]
fn only_the_owner_may_read_what_is_written() {
    use std::os::unix::fs::PermissionsExt;
    let dir = tempfile::tempdir().expect("a directory");
    let store = LocalStore::open(dir.path());
    let run = lock(&store).and_then(|g| g.begin(fresh(), "r1".into(), String::new()));
    let _run = run.expect("begun");
    for name in ["rackform.state.json", "rackform.state.journal"] {
        let mode = std::fs::metadata(dir.path().join(name)).expect(name).permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
}
