//! How a text is written as a TOML string.
//!
//! In: a text, or a string as somebody wrote it. Out: a string in the quotes that spare escapes:
//! expressions are full of `"`, which a basic string needs a `\` for.

use std::borrow::Cow;
use std::fmt::Write as _;

use toml_parser::Raw;
use toml_parser::decoder::Encoding;
use toml_writer::{TomlStringBuilder, WriteTomlValue};

/// Writes a text as a string on one line: `'…'` if there is an expression, a `"` or a `\` in it,
/// `'''…'''` if there is a `'` too, and otherwise, or where those cannot hold it, `"…"` with escapes.
pub fn string(text: &str) -> String {
    let spared = is_template(text) || text.contains(['"', '\\']);
    if spared && let Some(literal) = literal(text) {
        return literal;
    }
    let mut basic = String::with_capacity(text.len() + 2);
    for c in written(TomlStringBuilder::new(text).as_basic()).chars() {
        if steers(c) {
            // Writing into a String does not fail.
            let _ = write!(basic, "\\u{:04X}", u32::from(c));
        } else {
            basic.push(c);
        }
    }
    basic
}

/// Makes a text mean itself where templates are read: `${` → `$${`, `%{` → `%%{`.
pub fn escape_template(text: &str) -> String {
    text.replace("${", "$${").replace("%{", "%%{")
}

/// A string as somebody wrote it, in better quotes if it is a template in a basic string.
pub(super) fn rewritten(raw: Raw<'_>, encoding: Option<Encoding>) -> Cow<'_, str> {
    let same = Cow::Borrowed(raw.as_str());
    if encoding != Some(Encoding::BasicString) {
        return same;
    }
    let mut text = Cow::Borrowed("");
    // Mistakes cannot be: the text was parsed before.
    let _ = raw.decode_scalar(&mut text, &mut ());
    match is_template(&text).then(|| literal(&text)) {
        Some(Some(literal)) => Cow::Owned(literal),
        _ => same,
    }
}

fn is_template(text: &str) -> bool {
    text.contains("${") || text.contains("%{")
}

/// As a literal string on one line, if that can hold the text.
fn literal(text: &str) -> Option<String> {
    if text.chars().any(steers) {
        return None;
    }
    let builder = TomlStringBuilder::new(text);
    // A quote beside the three of the delimiter is allowed, and nobody can read it.
    let clear = !text.starts_with('\'') && !text.ends_with('\'');
    let literal = builder.as_literal().or_else(|| builder.as_ml_literal().filter(|_| clear))?;
    Some(written(literal))
}

fn written(string: impl WriteTomlValue) -> String {
    let mut out = String::new();
    // Writing into a String does not fail.
    let _ = string.write_toml_value(&mut out);
    out
}

/// Controls (a tab, too: nobody sees it) and what reorders a line: these are written as escapes.
fn steers(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{61c}')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(string: &str) -> String {
        let table: toml::Table = format!("x = {string}").parse().expect(string);
        table["x"].as_str().expect("a string").to_owned()
    }

    #[test]
    fn the_quotes_are_those_that_spare_escapes() {
        let cases = [
            ("zone.east", "\"zone.east\""),
            ("", "\"\""),
            ("it's", "\"it's\""),
            ("${var.a}", "'${var.a}'"),
            ("${env(\"A\")}", "'${env(\"A\")}'"),
            ("%{ if a }x%{ endif }", "'%{ if a }x%{ endif }'"),
            ("cluster.rack[\"a\"]", "'cluster.rack[\"a\"]'"),
            ("C:\\disk", "'C:\\disk'"),
            ("it's ${var.a}", "'''it's ${var.a}'''"),
            ("${var.a}'", "\"${var.a}'\""),
            ("'${var.a}", "\"'${var.a}\""),
            ("a'''b\"", "\"a'''b\\\"\""),
            ("${a}\n", "\"${a}\\n\""),
            ("a\tb", "\"a\\tb\""),
            ("\u{1b}[31m\"", "\"\\u001B[31m\\\"\""),
            ("a\u{202e}b\u{85}", "\"a\\u202Eb\\u0085\""),
            ("grün", "\"grün\""),
        ];
        for (text, expected) in cases {
            assert_eq!(string(text), expected);
            assert_eq!(read(expected), text);
        }
    }

    #[test]
    fn an_escaped_template_is_the_text() {
        for text in ["${a}", "%{if}", "$${a}", "$$${", "100 %", "$", "%%{x}", "a${b}%{c}"] {
            let template: hcl_edit::template::Template = escape_template(text).parse().expect(text);
            let parts: String = template
                .iter()
                .map(|e| match e {
                    hcl_edit::template::Element::Literal(text) => text.value().as_str(),
                    other => panic!("{text}: {other:?}"),
                })
                .collect();
            assert_eq!(parts, text);
        }
    }

    proptest::proptest! {
        #[test]
        fn any_text_reads_back(text in "\\PC*|[a'\"\\\\${}%\n\t\u{1}]*") {
            proptest::prop_assert_eq!(read(&string(&text)), text);
        }
    }
}
