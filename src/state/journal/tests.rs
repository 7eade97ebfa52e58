//! Round trips, cuts and damage.

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;
use crate::state::testing::{any_record, intent, pending, run_on, small, zone};
use crate::value::Value;

fn text(records: &[Record]) -> Vec<u8> {
    let mut encoder = Encoder::default();
    let mut text = Vec::new();
    for record in records {
        encoder.encode(record, &mut text).expect("no secret in it");
    }
    text
}

fn with_head(records: Vec<Record>) -> Vec<Record> {
    std::iter::once(Record::Run(run_on(&small()))).chain(records).collect()
}

fn sample() -> Vec<Record> {
    let west = Address::new("zone", "west");
    with_head(vec![
        Record::Pending { address: west.clone(), pending: pending(&["c0"]) },
        intent(&west, 0, 0),
        Record::Entry { address: west, entry: Box::new(zone("west")) },
        Record::End,
    ])
}

#[test]
fn a_journal_is_lines_of_json() {
    let text = String::from_utf8(text(&sample())).expect("JSON is UTF-8");
    for line in text.lines() {
        serde_json::from_str::<serde_json::Value>(line).expect("each line is JSON");
    }
    insta::assert_snapshot!(text, @r#"
    {"sum":"9215ac7136aa9ced","seq":1,"record":{"run":{"lineage":"0123456789abcdef0123456789abcdef","serial":7,"run":"run-1","holder":"ops@runner.example.com","started":"2026-11-20T20:16:24Z"}}}
    {"sum":"80a2eb59b28aa55c","seq":2,"record":{"pending":{"address":"zone.west","pending":{"type":"zone","provider":"zstack","candidates":["c0"]}}}}
    {"sum":"61c603c4977c162a","seq":3,"record":{"intent":{"step":0,"call":0,"attempt":0,"job":"job-0-0","address":"zone.west","provider":"zstack","request":"POST /zones","sent":1795205784}}}
    {"sum":"3580d8a8b5eb1b1b","seq":4,"record":{"entry":{"address":"zone.west","entry":{"type":"zone","provider":"zstack","id":"d89521d883fd44b5b350ed4e20065c8c","attributes":{"name":"west","description":"first \"hall\"","state":"Enabled"},"schema_version":1}}}}
    {"sum":"1a6cab0a913cd200","seq":5,"record":"end"}
    "#);
}

#[test]
fn a_cut_leaves_a_prefix_and_is_never_an_error() {
    let records = sample();
    let whole = text(&records);
    for cut in 0..=whole.len() {
        let read = read(&whole[..cut]).expect("a torn last line is no error");
        let ends = whole[..cut].iter().filter(|b| **b == b'\n').count();
        let Some(journal) = read else {
            assert_eq!(ends, 0);
            continue;
        };
        assert_eq!(journal.records, records[1..ends]);
        let last = whole[..cut].iter().rposition(|b| *b == b'\n').map_or(0, |at| at + 1);
        assert_eq!(journal.torn, cut - last);
    }
}

/// Every byte but the last newline: without that one, the last line is an unfinished one.
#[test]
fn a_changed_byte_is_an_error_with_its_line() {
    let whole = text(&sample());
    for at in 0..whole.len() - 1 {
        let mut damaged = whole.clone();
        damaged[at] ^= 0x01;
        let line = 1 + whole[..at].iter().filter(|b| **b == b'\n').count();
        match read(&damaged) {
            Err(JournalError::Damaged { line: told, .. }) => assert_eq!(told, line, "byte {at}"),
            other => panic!("byte {at} was changed unnoticed: {other:?}"),
        }
    }
}

#[test]
fn lines_that_are_lost_repeated_or_swapped_are_noticed() {
    let whole = text(&sample());
    let lines: Vec<&[u8]> = whole.split_inclusive(|b| *b == b'\n').collect();
    for order in [vec![0, 2, 3, 4], vec![0, 1, 1, 2], vec![0, 2, 1, 3], vec![1, 2, 3]] {
        let changed: Vec<u8> = order.iter().flat_map(|at| lines[*at]).copied().collect();
        assert!(read(&changed).is_err(), "{order:?}");
    }
}

#[test]
fn a_journal_names_its_apply_once_and_first() {
    let headless = text(&[Record::End]);
    assert!(matches!(read(&headless), Err(JournalError::Damaged { line: 1, .. })));
    let twice = text(&with_head(vec![Record::Run(run_on(&small()))]));
    assert!(matches!(read(&twice), Err(JournalError::Damaged { line: 2, .. })));
}

#[test]
fn a_secret_is_refused_and_the_next_record_still_fits() {
    let mut entry = zone("west");
    entry.attrs.push(("password".into(), Value::str("hunter2").sensitive()));
    let secret = Record::Entry { address: Address::new("zone", "west"), entry: Box::new(entry) };
    let mut encoder = Encoder::default();
    let mut text = Vec::new();
    encoder.encode(&Record::Run(run_on(&small())), &mut text).expect("head");
    let error = encoder.encode(&secret, &mut text).expect_err("must be refused");
    assert!(!error.to_string().contains("hunter2"));
    encoder.encode(&Record::End, &mut text).expect("end");
    let journal = read(&text).expect("whole").expect("a journal");
    assert_eq!(journal.records, [Record::End]);
}

proptest! {
    #[test]
    fn reading_is_the_inverse_of_writing(records in vec(any_record(), 0..8)) {
        let journal = read(&text(&with_head(records.clone()))).expect("whole").expect("a journal");
        prop_assert_eq!(journal.records, records);
        prop_assert_eq!(journal.torn, 0);
    }

    #[test]
    fn no_text_makes_it_panic(bytes in vec(any::<u8>(), 0..200)) {
        let _ = read(&bytes);
        let _ = read(&[bytes, b"\n".to_vec()].concat());
    }
}
