//! Formatting changes no value and loses no comment: in every TOML file here, and in documents
//! drawn at random, with blanks, comments and line ends wherever TOML allows them.

use std::cell::Cell;
use std::fs;
use std::path::{Path, PathBuf};

use proptest::prelude::*;

use super::formatted;

/// All TOML files below a directory.
fn toml_files(dir: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(dir).expect("a directory") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            toml_files(&path, found);
        } else if path.extension().is_some_and(|e| e == "toml") {
            found.push(path);
        }
    }
}

#[test]
fn every_file_of_this_project_keeps_its_values() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = vec![root.join("Cargo.toml")];
    ["examples", "schemas", "tests"].iter().for_each(|dir| toml_files(&root.join(dir), &mut files));
    let mut read = 0;
    for path in files {
        let text = fs::read_to_string(&path).unwrap_or_default();
        if text.parse::<toml::Table>().is_ok() {
            read += 1;
            formatted(&text);
            formatted(&text.replace('\n', "\r\n"));
        }
    }
    assert!(read > 50, "only {read} files were read");
}

/// Writes a document from decisions drawn beforehand.
struct Writer<'a> {
    draws: &'a [u8],
    at: Cell<usize>,
    comments: Cell<usize>,
    keys: Cell<usize>,
}

impl Writer<'_> {
    /// A number below `n`; 0 when the draws are used up, which ends everything soon.
    fn draw(&self, n: usize) -> usize {
        let at = self.at.get();
        self.at.set(at + 1);
        self.draws.get(at).map_or(0, |draw| usize::from(*draw) % n)
    }
    fn pick<'s>(&self, texts: &[&'s str]) -> &'s str {
        texts[self.draw(texts.len())]
    }
    fn blank(&self) -> &'static str {
        self.pick(&["", " ", "  ", "\t"])
    }
    fn newline(&self) -> &'static str {
        self.pick(&["\n", "\n", "\n", "\r\n"])
    }
    fn comment(&self) -> String {
        self.comments.set(self.comments.get() + 1);
        format!("{}#{}@{}@{}", self.blank(), self.blank(), self.comments.get(), self.blank())
    }
    /// What may stand behind something on its line, and the end of the line.
    fn line_end(&self) -> String {
        let comment = if self.draw(4) == 1 { self.comment() } else { String::new() };
        format!("{}{comment}{}", self.blank(), self.newline())
    }
    /// What may stand between elements.
    fn between(&self) -> String {
        match self.draw(6) {
            1 => self.newline().to_owned(),
            2 => self.comment() + self.newline(),
            3 => {
                format!("{}{}{}{}", self.newline(), self.newline(), self.comment(), self.newline())
            }
            _ => self.blank().to_owned(),
        }
    }
    fn key(&self) -> String {
        self.keys.set(self.keys.get() + 1);
        let n = self.keys.get();
        let dot = || format!("{}.{}", self.blank(), self.blank());
        match self.draw(6) {
            1 => format!("\"k {n} = #\""),
            2 => format!("'k{n}.x'"),
            // Parts that come again, between others.
            3 => format!("shared{}k{n}", dot()),
            4 => format!("shared{}\"deeper\"{}k{n}", dot(), dot()),
            _ => format!("{}{n}", self.pick(&["a", "name", "quite_a_long_key_"])),
        }
    }
    fn scalar(&self) -> String {
        let texts = [
            "1",
            "true",
            "-0.5e3",
            "0xff",
            "1979-05-27 07:32:00Z",
            "\"\"",
            "''",
            "\"text\"",
            "\"${var.a}\"",
            "'${var.a}'",
            "\"${env(\\\"A\\\")} # no comment\"",
            "\"it's ${a}\"",
            "\"%{if a}\\t\\u00e9%{endif}\"",
            "\"'${a}'\"",
            "\"'''${a}\"",
            "'''\n  a \n'''",
            "\"\"\"\r\n${a} \\\n  b \"\"\"",
            "\"$${not} \\\\ \"",
            "'a text that is long enough to need some of the hundred columns of a line'",
        ];
        self.pick(&texts).to_owned()
    }
    fn value(&self, depth: usize) -> String {
        let kind = if depth > 3 { 0 } else { self.draw(4) };
        let (open, close) = match kind {
            2 => ("[", "]"),
            3 => ("{", "}"),
            _ => return self.scalar(),
        };
        let mut out = open.to_owned();
        let count = self.draw(5);
        for at in 0..count {
            out += &self.between();
            if kind == 3 {
                // Dotted keys of an inline table may not add to a value.
                self.keys.set(self.keys.get() + 1);
                let (before, after) = (self.blank(), self.blank());
                out += &format!("i{}{before}={after}", self.keys.get());
            }
            out += &self.value(depth + 1);
            out += &self.between();
            if at + 1 < count || self.draw(3) == 1 {
                out.push(',');
            }
        }
        out + &self.between() + close
    }
    fn document(&self) -> String {
        let mut out = self.pick(&["", "\n", " \n\n"]).to_owned();
        while self.at.get() < self.draws.len() {
            out += &match self.draw(8) {
                0 => self.newline().to_owned(),
                1 => self.comment() + self.newline(),
                2 => {
                    let (before, key, after) = (self.blank(), self.key(), self.blank());
                    let key = key.replace("shared", "table");
                    let (open, close) = if self.draw(3) == 1 { ("[[", "]]") } else { ("[", "]") };
                    format!("{before}{open}{after}{key}{before}{close}{}", self.line_end())
                }
                _ => {
                    let (before, after) = (self.blank(), self.blank());
                    let key = self.key();
                    format!("{before}{key}{after}={before}{}{}", self.value(0), self.line_end())
                }
            };
        }
        out
    }
}

/// The numbers of the comments of a text, in order.
fn comments(text: &str) -> Vec<&str> {
    text.split('@').skip(1).step_by(2).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, ..ProptestConfig::default() })]

    #[test]
    fn any_document_keeps_its_values_and_comments(
        draws in prop::collection::vec(any::<u8>(), 0..160),
    ) {
        let writer =
            Writer { draws: &draws, at: Cell::new(0), comments: Cell::new(0), keys: Cell::new(0) };
        let text = writer.document();
        prop_assume!(text.parse::<toml::Table>().is_ok());
        let after = formatted(&text);
        prop_assert_eq!(comments(&after), comments(&text), "{}\n---\n{}", text, after);
        prop_assert_eq!(comments(&text).len(), writer.comments.get());
    }

    #[test]
    fn no_text_is_too_broken(text in "([\\[\\]{}=,.#'\"\n\r ab0${]|\\PC)*") {
        rackform::config::write::format(&text);
    }
}

/// The documents that are drawn are documents: otherwise the property above shows nothing.
#[test]
fn most_of_what_is_drawn_is_valid() {
    let mut valid = 0;
    for seed in 0..200_u32 {
        let draws: Vec<u8> =
            (0..100_u32).map(|n| ((seed * 7919 + n * 104_729) >> 4).to_le_bytes()[0]).collect();
        let writer =
            Writer { draws: &draws, at: Cell::new(0), comments: Cell::new(0), keys: Cell::new(0) };
        valid += usize::from(writer.document().parse::<toml::Table>().is_ok());
    }
    assert!(valid > 100, "{valid} of 200");
}

/// Work grows with the size of the file, not with its square: otherwise this would not end.
#[test]
fn large_tables_arrays_and_lines_are_no_trouble() {
    let pairs: String = (0..40_000).map(|n| format!("key_{n}=\"value\"  # {n}\n")).collect();
    let items: String = (0..40_000).map(|n| format!("{{ a={n} }} # {n}\n,")).collect();
    let line: String = (0..40_000).map(|n| format!("{n},")).collect();
    let tables: String = (0..10_000).map(|n| format!("# {n}\n[host.h{n}]\na=1\n")).collect();
    let after = formatted(&format!("{pairs}items=[{items}]\nline=[{line}]\n{tables}"));
    assert!(after.contains("\nkey_7     = \"value\" # 7\n"), "{}", &after[..400]);
}
