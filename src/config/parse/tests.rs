//! What stands in files, and how TOML's errors are told.

use super::{Parsed, merge, parse};
use crate::config::syntax::{Literal, Text};
use crate::diag::{FileId, Sources};

fn read(text: &str) -> Parsed {
    parse(FileId(0), text)
}

fn helps(text: &str) -> Vec<String> {
    read(text).syntax.into_iter().filter_map(|d| d.help).collect()
}

#[test]
fn blocks_keep_names_values_and_places() {
    let text = "[zone.east]\nname = 'x'\n\n[rackform]\nmax_delete = 0x10\n";
    let parsed = read(text);
    let names: Vec<_> = parsed.blocks.iter().map(|b| b.name()).collect();
    assert_eq!(names, ["rackform.rackform", "zone.east"]);
    let zone = &parsed.blocks[1];
    let slice = |span: crate::diag::Span| &text[span.start as usize..span.end as usize];
    assert_eq!(slice(zone.declared), "[zone.east]");
    assert_eq!(slice(zone.label.span), "east");
    assert_eq!(slice(zone.entries[0].value.span), "'x'");
    assert!(matches!(parsed.blocks[0].entries[0].value.value, Literal::Int(16)));
}

#[test]
fn expressions_are_found_behind_escapes_and_in_multi_line_strings() {
    for text in [
        "[a.b]\nx = \"\\u00e9\\t${var.y}\"\n",
        "[a.b]\nx = \"\"\"\none \\\n   two ${var.y}\"\"\"\n",
        "[a.b]\nx = '''\n\n${var.y}'''\n",
    ] {
        let parsed = read(text);
        let Literal::Str(string) = &parsed.blocks[0].entries[0].value.value else {
            panic!("{text}")
        };
        let Text { text: decoded, .. } = string;
        let at = decoded.find("var.y").expect("decoded");
        let span = string.locate(FileId(0), at, at + 5);
        assert_eq!(&text[span.start as usize..span.end as usize], "var.y");
    }
}

#[test]
fn a_broken_basic_string_is_shown_as_a_literal_one() {
    assert_eq!(
        helps("[a.b]\n  x = \"${env(\"NAME\")}\" # why\n"),
        ["write it with a literal string: x = '${env(\"NAME\")}' # why"]
    );
    assert_eq!(
        helps("[a.b]\nx = \"it's ${upper(\"x\")}\"\n"),
        ["write it with a literal string: x = '''it's ${upper(\"x\")}'''"]
    );
    let secret = helps("[a.b]\npassword = \"${upper(\"hunter2\")}\"\n");
    assert_eq!(secret, ["write the expression in a literal string: '${…}'"]);
}

#[test]
fn habits_of_another_language_have_a_way_out() {
    let block = helps("resource \"host\" \"h1\" {\n  cluster = \"cluster.a\"\n");
    assert!(block[0].starts_with("a block is a TOML table: [host.LABEL]"), "{block:?}");
    let bare = helps("[host.h1]\npassword = var.ssh_password\n");
    assert!(bare[0].contains("'${var.NAME}'"), "{bare:?}");
}

#[test]
fn all_syntax_errors_come_at_once() {
    let parsed = read("[a.b]\nx = \ny = 1 2\n[c\nz = \"open\n");
    assert!(parsed.syntax.len() >= 3, "{:#?}", parsed.syntax);
    assert!(parsed.blocks.is_empty());
}

#[test]
fn the_order_of_files_has_no_meaning() {
    let (one, two) = ("[zone.b]\n[cluster.a]\n", "[zone.a]\n[provider.p]\n");
    let names = |files: [&str; 2]| {
        let config = merge(".", files.map(read).into(), &Sources::default());
        config.resources.iter().map(|b| b.name()).collect::<Vec<_>>()
    };
    assert_eq!(names([one, two]), ["cluster.a", "zone.a", "zone.b"]);
    assert_eq!(names([one, two]), names([two, one]));
}
