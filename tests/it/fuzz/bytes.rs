//! Bytes without a meaning, and good configurations that were damaged.

use std::path::Path;

use proptest::collection::vec;
use proptest::prelude::*;

use super::{Input, check};

/// Pieces that mean something to TOML or to expressions.
const PIECES: [&str; 48] = [
    "[",
    "]",
    "[[",
    "]]",
    "{",
    "}",
    "=",
    "\n",
    "\r\n",
    "\"",
    "'",
    "\"\"\"",
    "'''",
    ",",
    ".",
    "#",
    "${",
    "%{",
    "$${",
    "%{if ",
    "%{for x in ",
    "%{endfor}",
    "%{endif}",
    "%{else}",
    "~}",
    "(",
    ")",
    "[*]",
    ".*.",
    "...",
    "=>",
    "?",
    ":",
    "\\u00e9",
    "\\U0001F600",
    "\\n",
    "\\",
    "é",
    "\u{1F600}",
    "\u{0}",
    "\u{feff}",
    "for_each",
    "zone.z",
    "var.x",
    "1e999",
    "-9223372036854775808",
    "0x8000000000000000",
    "null",
];

fn one(bytes: Vec<u8>) -> Input {
    Input { module: bytes.clone(), root: vec![bytes] }
}

#[test]
fn random_bytes_are_read() {
    check(1, || vec(any::<u8>(), 0..400).prop_map(one), 150, false);
}

#[test]
fn random_pieces_are_read() {
    check(2, pieces, 400, false);
}

fn pieces() -> impl Strategy<Value = Input> {
    let piece = (0..PIECES.len()).prop_map(|at| PIECES[at]);
    let table = prop_oneof![
        Just("[zone.z]\nname = "),
        Just("[locals]\na = "),
        Just("[variable.x]\ndefault = "),
        Just("[module.m]\nsource = \"./m\"\nx = "),
        Just("[data.zone.d]\nname = "),
        Just(""),
    ];
    let quote = prop_oneof![Just("\""), Just("'"), Just("\"\"\""), Just("'''"), Just("")];
    (table, quote, vec(piece, 0..12)).prop_map(|(table, quote, pieces)| {
        one(format!("{table}{quote}{}{quote}\n", pieces.concat()).into_bytes())
    })
}

/// What is done to a text.
#[derive(Clone, Debug)]
enum Damage {
    Flip(usize, u8),
    Delete(usize, usize),
    Double(usize, usize),
    Put(usize, usize),
    Swap(usize, usize),
}

fn damage() -> impl Strategy<Value = Damage> {
    let at = any::<usize>;
    prop_oneof![
        (at(), any::<u8>()).prop_map(|(at, bit)| Damage::Flip(at, bit)),
        (at(), 1..60_usize).prop_map(|(at, length)| Damage::Delete(at, length)),
        (at(), 1..200_usize).prop_map(|(at, length)| Damage::Double(at, length)),
        (at(), 0..PIECES.len()).prop_map(|(at, piece)| Damage::Put(at, piece)),
        (at(), at()).prop_map(|(a, b)| Damage::Swap(a, b)),
    ]
}

fn damaged(text: &[u8], all: &[Damage]) -> Vec<u8> {
    let mut text = text.to_vec();
    for damage in all {
        let length = text.len().max(1);
        match *damage {
            Damage::Flip(at, bit) => {
                if let Some(byte) = text.get_mut(at % length) {
                    *byte ^= 1 << (bit % 8);
                }
            }
            Damage::Delete(at, count) => {
                let at = at % length;
                text.drain(at.min(text.len())..(at + count).min(text.len()));
            }
            Damage::Double(at, count) => {
                let at = (at % length).min(text.len());
                let piece = text[at..(at + count).min(text.len())].to_vec();
                text.splice(at..at, piece);
            }
            Damage::Put(at, piece) => {
                let at = (at % length).min(text.len());
                text.splice(at..at, PIECES[piece].bytes());
            }
            Damage::Swap(a, b) => {
                // Lines.
                let mut lines: Vec<&[u8]> = text.split(|byte| *byte == b'\n').collect();
                let count = lines.len();
                lines.swap(a % count, b % count);
                text = lines.join(&b'\n');
            }
        }
    }
    text
}

/// The texts of examples and of the cases of mistakes.
fn good() -> Vec<Vec<u8>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut open = vec![root.join("examples"), root.join("tests/data/config")];
    let mut found = Vec::new();
    while let Some(dir) = open.pop() {
        for entry in std::fs::read_dir(&dir).expect("a directory") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                open.push(path);
            } else if path.to_string_lossy().ends_with(".rack.toml") {
                found.push(path);
            }
        }
    }
    found.sort();
    found.iter().map(|path| std::fs::read(path).expect("a file")).collect()
}

#[test]
fn damaged_configurations_are_read() {
    let texts = good();
    assert!(texts.len() > 20, "examples are found");
    let which = 0..texts.len();
    let inputs = move || {
        (which.clone(), which, vec(damage(), 1..6)).prop_map(move |(a, b, all)| {
            let text = damaged(&texts[a], &all);
            Input { root: vec![text], module: texts[b].clone() }
        })
    };
    check(3, inputs, 120, false);
}
