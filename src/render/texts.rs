//! Two versions of a text or list → the lines that show what differs.
//!
//! In: strings and lists. Out: indented lines with `+`, `-` and the changed words emphasised.
//! Knows values; knows no plan.

use std::fmt::{self, Write};

use similar::{ChangeTag, InlineChange, TextDiff};

use crate::value::Value;

use super::{Ink, Style, clean, words};

/// Unchanged lines shown around a difference.
const CONTEXT: usize = 2;
/// Longer texts are not compared line by line: nobody reads that in a plan, and the time to compare
/// grows with the square of what differs.
const MAX_LINES: usize = 2_000;

/// Where a block of lines stands.
pub(super) struct Block<'a> {
    pub style: &'a Style,
    pub indent: usize,
}

impl Block<'_> {
    /// What differs between two texts, by line, with the words emphasised.
    pub fn texts(&self, before: &str, after: &str, out: &mut dyn Write) -> fmt::Result {
        let (old, new) = (before.lines().count(), after.lines().count());
        if old.max(new) > MAX_LINES {
            let (old, new) = (words::many(old, "line"), words::many(new, "line"));
            let arrow = self.style.arrow();
            let note = format!("({old} {arrow} {new}: too long to compare here)");
            return self.note(&note, out);
        }
        // Only worth a word where the end of the text is itself a difference.
        let ends = before.ends_with('\n') != after.ends_with('\n');
        let diff = TextDiff::from_lines(before, after);
        let mut shown = 0;
        for group in diff.grouped_ops(CONTEXT) {
            let start = group.first().map_or(0, |op| op.old_range().start);
            self.gap(start.saturating_sub(shown), out)?;
            shown = group.last().map_or(old, |op| op.old_range().end);
            for op in &group {
                for change in diff.iter_inline_changes_deadline(op, None) {
                    self.line(&change, out)?;
                    let bare = ends && change.missing_newline();
                    out.write_str(if bare { " (no newline at the end)\n" } else { "\n" })?;
                }
            }
        }
        self.gap(old.saturating_sub(shown), out)
    }

    /// What differs between two lists, by element.
    pub fn lists(&self, before: &[Value], after: &[Value], out: &mut dyn Write) -> fmt::Result {
        if before.len().max(after.len()) > MAX_LINES {
            let (old, new) = (before.len(), words::many(after.len(), "element"));
            return self.note(&format!("({old} {} {new})", self.style.arrow()), out);
        }
        let texts = |items: &[Value]| items.iter().map(Value::to_string).collect::<Vec<_>>();
        let (old, new) = (texts(before), texts(after));
        let mut same = 0;
        for op in similar::capture_diff_slices(similar::Algorithm::Myers, &old, &new) {
            if op.tag() == similar::DiffTag::Equal {
                same += op.old_range().len();
                continue;
            }
            for item in &old[op.old_range()] {
                self.marked(Ink::Remove, '-', item, out)?;
            }
            for item in &new[op.new_range()] {
                self.marked(Ink::Add, '+', item, out)?;
            }
        }
        if same == 0 {
            return Ok(());
        }
        self.note(&format!("({} unchanged)", words::many(same, "element")), out)
    }

    fn marked(&self, ink: Ink, sign: char, text: &str, out: &mut dyn Write) -> fmt::Result {
        let sign = self.style.ink(ink, sign);
        writeln!(out, "{:pad$}{sign} {}", "", clean(text), pad = self.indent)
    }

    fn line(&self, change: &InlineChange<'_, str>, out: &mut dyn Write) -> fmt::Result {
        let (sign, ink, word) = match change.tag() {
            ChangeTag::Equal => (' ', None, Ink::Dim),
            ChangeTag::Delete => ('-', Some(Ink::Remove), Ink::RemoveWord),
            ChangeTag::Insert => ('+', Some(Ink::Add), Ink::AddWord),
        };
        write!(out, "{:pad$}", "", pad = self.indent)?;
        match ink {
            Some(ink) => write!(out, "{}", self.style.ink(ink, sign))?,
            None => out.write_char(sign)?,
        }
        out.write_char(' ')?;
        for (emphasised, text) in change.iter_strings_lossy() {
            let text = text.trim_end_matches('\n');
            match ink {
                _ if text.is_empty() => {}
                Some(_) if emphasised => write!(out, "{}", self.style.ink(word, clean(text)))?,
                Some(ink) => write!(out, "{}", self.style.ink(ink, clean(text)))?,
                None => write!(out, "{}", clean(text))?,
            }
        }
        Ok(())
    }

    fn gap(&self, lines: usize, out: &mut dyn Write) -> fmt::Result {
        if lines == 0 {
            return Ok(());
        }
        self.note(&format!("({} unchanged)", words::many(lines, "line")), out)
    }

    fn note(&self, text: &str, out: &mut dyn Write) -> fmt::Result {
        writeln!(out, "{:pad$}  {}", "", self.style.ink(Ink::Dim, text), pad = self.indent)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(before: &str, after: &str, color: bool) -> String {
        let style = Style { color, ..Style::PLAIN };
        let mut out = String::new();
        Block { style: &style, indent: 2 }.texts(before, after, &mut out).expect("a String");
        out
    }

    #[test]
    fn a_long_text_shows_what_differs_and_little_around_it() {
        let before: String = (1..=20).map(|n| format!("line {n}\n")).collect();
        let after = before.replace("line 10\n", "line ten\n");
        insta::assert_snapshot!(texts(&before, &after, false), @r"
          (7 lines unchanged)
          line 8
          line 9
        - line 10
        + line ten
          line 11
          line 12
          (8 lines unchanged)
        ");
    }

    #[test]
    fn changed_words_stand_out() {
        let shown = texts("mount a b\n", "mount a c\n", true);
        insta::assert_snapshot!(shown.escape_debug(), @r"  \u{1b}[31m-\u{1b}[0m \u{1b}[31mmount a \u{1b}[0m\u{1b}[1m\u{1b}[4m\u{1b}[31mb\u{1b}[0m\n  \u{1b}[32m+\u{1b}[0m \u{1b}[32mmount a \u{1b}[0m\u{1b}[1m\u{1b}[4m\u{1b}[32mc\u{1b}[0m\n");
    }

    #[test]
    fn a_huge_text_is_only_counted() {
        let text = "x\n".repeat(5_000);
        insta::assert_snapshot!(texts(&text, "y\n", false), @"    (5,000 lines -> 1 line: too long to compare here)");
    }

    #[test]
    fn lists_show_elements() {
        let items = |texts: &[&str]| texts.iter().map(|t| Value::str(t)).collect::<Vec<_>>();
        let mut out = String::new();
        Block { style: &Style::PLAIN, indent: 2 }
            .lists(&items(&["a", "b", "c"]), &items(&["a", "c", "d\u{1b}"]), &mut out)
            .expect("a String");
        insta::assert_snapshot!(out, @r#"
        - "b"
        + "d\u{1b}"
          (2 elements unchanged)
        "#);
    }
}
