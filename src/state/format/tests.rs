//! Round trips, and what people read when a state cannot be used.

use proptest::prelude::*;

use super::*;
use crate::state::testing::{any_state, small};

fn text(state: &State) -> String {
    String::from_utf8(to_text(state).expect("no secret in it")).expect("JSON is UTF-8")
}

/// A finding as people would read it, less the layout.
fn told(text: &str) -> String {
    let error = read(text.as_bytes()).expect_err("must be refused");
    let found = error.diagnostic("rackform.state.json");
    let [detail, help] = [found.detail, found.help].map(Option::unwrap_or_default);
    format!("{} [{}]\n{detail}\n{help}", found.summary, found.code)
}

#[test]
fn a_state_is_written_to_be_read_by_people() {
    insta::assert_snapshot!(text(&small()), @r#"
    {
      "version": 1,
      "lineage": "0123456789abcdef0123456789abcdef",
      "serial": 7,
      "format": "rackform state",
      "run": "aa",
      "clouds": {
        "zstack": {
          "type": "zstack",
          "endpoint": "https://mn.example.com:8080",
          "account": "admin"
        }
      },
      "secrets": {
        "salt": "5a17"
      },
      "entries": {
        "host.kvm[\"01\"]": {
          "type": "host",
          "provider": "zstack",
          "id": "ad97b0bf25fb491ca8a4cbedd60c863b",
          "attributes": {
            "ports": [
              22,
              null
            ]
          },
          "dependencies": [
            "zone.east"
          ],
          "schema_version": 1,
          "digests": {
            "password": "00ff"
          },
          "incarnation": 2,
          "prevent_destroy": true
        },
        "zone.east": {
          "type": "zone",
          "provider": "zstack",
          "id": "5934ae9134b845b2aea04d43e2da4b5c",
          "attributes": {
            "name": "east",
            "description": "first \"hall\"",
            "state": "Enabled"
          },
          "schema_version": 1
        }
      },
      "pending": {
        "zone.west": {
          "type": "zone",
          "provider": "zstack",
          "candidates": [
            "c0"
          ]
        }
      },
      "incarnations": {
        "zone.old": 1
      },
      "outputs": {
        "hall": {
          "value": "first"
        },
        "nothing": {
          "value": null
        },
        "password": {
          "sensitive": true
        }
      }
    }
    "#);
}

#[test]
fn a_fresh_state_is_one_too() {
    let fresh = State::default();
    assert_eq!(read(text(&fresh).as_bytes()), Ok(fresh));
}

#[test]
fn what_is_no_state_is_told_apart() {
    let newer = text(&small()).replace("\"version\": 1", "\"version\": 2");
    let newer_with_more = newer.replace("\"format\"", "\"shards\": [],\n  \"format\"");
    assert_eq!(told(&newer), told(&newer_with_more));
    let whole = text(&small());
    let cases = [
        ("empty", String::new()),
        ("not JSON", "lineage = 1\n".to_owned()),
        ("cut off", whole[..whole.len() / 2].to_owned()),
        ("a list", "[1, 2]".to_owned()),
        ("Terraform's", "{\"version\": 4, \"terraform_version\": \"1.11.4\"}".to_owned()),
        ("someone's", "{\"version\": 1, \"serial\": 3, \"lineage\": \"x\"}".to_owned()),
        ("newer", newer),
        ("never written", whole.replace("\"version\": 1", "\"version\": 0")),
        ("wrong serial", whole.replace("\"serial\": 7", "\"serial\": \"seven\"")),
        ("no address", whole.replace("\"zone.east\": {", "\"zone east\": {")),
        ("no id", whole.replace("\"id\"", "\"uid\"")),
        ("address twice", whole.replace("\"host.kvm[\\\"01\\\"]\": {", "\"zone.east\": {")),
    ];
    let all: Vec<_> =
        cases.iter().map(|(name, text)| format!("-- {name}\n{}", told(text))).collect();
    insta::assert_snapshot!(all.join("\n"), @r#"
    -- empty
    the state `rackform.state.json` cannot be used [state_damaged]
    It is empty.
    rackform never leaves a half-written state, so something else changed the file: restore it from version control or from the .backup beside it, then run `rackform plan`
    -- not JSON
    the state `rackform.state.json` cannot be used [state_damaged]
    It is not JSON: expected value (line 1, column 1).
    rackform never leaves a half-written state, so something else changed the file: restore it from version control or from the .backup beside it, then run `rackform plan`
    -- cut off
    the state `rackform.state.json` cannot be used [state_damaged]
    It is not JSON: EOF while parsing a value (line 35, column 4).
    rackform never leaves a half-written state, so something else changed the file: restore it from version control or from the .backup beside it, then run `rackform plan`
    -- a list
    the state `rackform.state.json` cannot be used [state_foreign]
    It is JSON, but not a rackform state.
    move the file away if it belongs to another tool; `rackform import --all` takes over what already exists
    -- Terraform's
    the state `rackform.state.json` cannot be used [state_foreign]
    It is JSON, but not a rackform state: it looks like one of Terraform or OpenTofu.
    move the file away if it belongs to another tool; `rackform import --all` takes over what already exists
    -- someone's
    the state `rackform.state.json` cannot be used [state_foreign]
    It is JSON, but not a rackform state.
    move the file away if it belongs to another tool; `rackform import --all` takes over what already exists
    -- newer
    the state `rackform.state.json` cannot be used [state_newer]
    It was written by a newer rackform, version 2; this one reads up to 1.
    use the rackform that wrote it, or a later one
    -- never written
    the state `rackform.state.json` cannot be used [state_damaged]
    It is damaged: there never was a version 0 (line 1, column 1).
    rackform never leaves a half-written state, so something else changed the file: restore it from version control or from the .backup beside it, then run `rackform plan`
    -- wrong serial
    the state `rackform.state.json` cannot be used [state_damaged]
    It is damaged: invalid type: string "seven", expected u64 (line 4, column 19).
    rackform never leaves a half-written state, so something else changed the file: restore it from version control or from the .backup beside it, then run `rackform plan`
    -- no address
    the state `rackform.state.json` cannot be used [state_damaged]
    It is damaged: `zone east` is not an address: names are letters, digits, `_` and `-`, and start with a letter (line 38, column 15).
    rackform never leaves a half-written state, so something else changed the file: restore it from version control or from the .backup beside it, then run `rackform plan`
    -- no id
    the state `rackform.state.json` cannot be used [state_damaged]
    It is damaged: unknown field `uid`, expected one of `type`, `provider`, `id`, `attributes`, `dependencies`, `schema_version`, `digests`, `incarnation`, `prevent_destroy`, `declared_by`, `owed` (line 21, column 11).
    rackform never leaves a half-written state, so something else changed the file: restore it from version control or from the .backup beside it, then run `rackform plan`
    -- address twice
    the state `rackform.state.json` cannot be used [state_damaged]
    It is damaged: `zone.east` stands twice (line 49, column 3).
    rackform never leaves a half-written state, so something else changed the file: restore it from version control or from the .backup beside it, then run `rackform plan`
    "#);
}

#[test]
fn a_secret_is_never_written() {
    let mut state = small();
    for entry in state.entries.values_mut() {
        entry.attrs.push(("password".into(), Value::str("hunter2").sensitive()));
    }
    let error = to_text(&state).expect_err("must be refused");
    assert!(matches!(&error, FormatError::Unwritable(_)));
    assert!(!error.to_string().contains("hunter2"));
}

#[test]
fn equal_texts_share_their_memory() {
    let mut state = small();
    state.entries.extend((0..100).map(|n| {
        let entry = crate::state::testing::zone("east");
        (Address::new("zone", "z").instance(&n.to_string()), entry)
    }));
    let read = read(text(&state).as_bytes()).expect("round trip");
    let zones: Vec<&Entry> = read.entries.values().filter(|e| &*e.kind == "zone").collect();
    let shared =
        |of: fn(&Entry) -> &Arc<str>| zones.iter().all(|z| Arc::ptr_eq(of(z), of(zones[0])));
    assert!(shared(|e| &e.kind) && shared(|e| &e.provider) && shared(|e| &e.attrs[0].0));
}

proptest! {
    #[test]
    fn reading_is_the_inverse_of_writing(state in any_state()) {
        let written = text(&state);
        prop_assert_eq!(written.chars().last(), Some('\n'));
        prop_assert_eq!(read(written.as_bytes()), Ok(state));
    }

    #[test]
    fn no_text_makes_it_panic(text in ".*") {
        let _ = read(text.as_bytes());
    }

    #[test]
    fn a_state_cut_anywhere_is_refused(cut in 0..1_000usize) {
        let whole = text(&small());
        let cut = cut % (whole.len() - 1); // without the last newline it is still whole
        if let Some(part) = whole.get(..cut) {
            prop_assert!(read(part.as_bytes()).is_err());
        }
    }
}
