//! The reference of the functions, made from their table.
//!
//! Out: Markdown, the same at each call.

use std::fmt::Write as _;

use super::{Group, all};

/// What stands above a table.
fn title(group: Group) -> &'static str {
    match group {
        Group::Number => "Numbers",
        Group::Text => "Texts",
        Group::Collection => "Lists and maps",
        Group::Set => "Sets",
        Group::Encoding => "Encodings and digests",
        Group::Network => "IP networks",
        Group::Type => "Types and secrets",
        Group::Outside => "The outside",
    }
}

const GROUPS: [Group; 8] = [
    Group::Number,
    Group::Text,
    Group::Collection,
    Group::Set,
    Group::Encoding,
    Group::Network,
    Group::Type,
    Group::Outside,
];

const INTRODUCTION: &str = "\
# Functions

What expressions (`${…}`) may call. Names, order of arguments and results are Terraform's. An
argument in brackets may be left out; dots stand for any number of arguments, also none. Numbers
are texts where text is wanted and decimal text is a number where a number is wanted. A set is a
list in order with each element once. What is made of a secret is a secret. Objects that are not
made yet may stand in lists and maps; a function that would have to look into one is refused.

Written from the table in the sources; a test keeps it up to date (`RACKFORM_BLESS=1 cargo test`
writes it).
";

/// The functions by group, in Markdown.
pub fn reference() -> String {
    let mut out = INTRODUCTION.to_owned();
    for group in GROUPS {
        // Writing to a text cannot fail.
        let _ = write!(
            out,
            "\n## {}\n\n| function | result | example |\n|---|---|---|\n",
            title(group)
        );
        for function in all().filter(|f| f.group == group) {
            let (expression, result) = function.example;
            let _ = writeln!(
                out,
                "| `{}` | {} | {} → {} |",
                function.signature(),
                cell(function.summary),
                code(expression),
                code(result)
            );
        }
    }
    out
}

/// Text of a cell.
fn cell(text: &str) -> String {
    text.replace('|', "\\|")
}

/// Code of a cell; a backslash stays one within it.
fn code(text: &str) -> String {
    format!("`{}`", cell(text))
}
