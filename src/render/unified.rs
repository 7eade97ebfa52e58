//! Two versions of a file → a unified diff.
//!
//! In: the name of a file, and its text before and after, masked. Out: text as `diff -u` writes it,
//! in colour if the style says so.

use std::fmt::{self, Write};

use similar::{ChangeTag, TextDiff};

use super::{Ink, Style, clean, words};

/// Longer files are not compared: nobody reads that, and the time to compare grows with the square
/// of what differs.
const MAX_LINES: usize = 20_000;

/// The lines that differ, with three around them; empty when there are none.
pub fn text(name: &str, before: &str, after: &str, style: &Style) -> String {
    let mut out = String::new();
    // Writing into a String does not fail.
    let _ = write(name, (before, after), style, &mut out);
    out
}

fn write(
    name: &str,
    (before, after): (&str, &str),
    style: &Style,
    out: &mut dyn Write,
) -> fmt::Result {
    if before == after {
        return Ok(());
    }
    let name = clean(name);
    writeln!(out, "{}", style.ink(Ink::Bold, format_args!("--- {name}")))?;
    writeln!(out, "{}", style.ink(Ink::Bold, format_args!("+++ {name}")))?;
    let lines = before.lines().count().max(after.lines().count());
    if lines > MAX_LINES {
        let lines = words::many(lines, "line");
        return writeln!(
            out,
            "{}",
            style.ink(Ink::Dim, format_args!("({lines}: too long to compare here)"))
        );
    }
    let diff = TextDiff::from_lines(before, after);
    for hunk in diff.unified_diff().iter_hunks() {
        writeln!(out, "{}", style.ink(Ink::Import, hunk.header()))?;
        for change in hunk.iter_changes() {
            let text = change.value();
            let line = clean(text.strip_suffix('\n').unwrap_or(text));
            match change.tag() {
                ChangeTag::Equal => writeln!(out, " {line}")?,
                ChangeTag::Delete => {
                    writeln!(out, "{}", style.ink(Ink::Remove, format_args!("-{line}")))?;
                }
                ChangeTag::Insert => {
                    writeln!(out, "{}", style.ink(Ink::Add, format_args!("+{line}")))?;
                }
            }
            if change.missing_newline() {
                writeln!(out, "\\ No newline at end of file")?;
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_differs_is_shown_as_diff_shows_it() {
        let before: String = (1..=9).map(|n| format!("line {n}\n")).collect();
        let after = before.replace("line 5\n", "line five\u{1b}\n");
        insta::assert_snapshot!(text("a.toml", &before, after.trim_end(), &Style::PLAIN), @r"
        --- a.toml
        +++ a.toml
        @@ -2,8 +2,8 @@
         line 2
         line 3
         line 4
        -line 5
        +line five\u{1b}
         line 6
         line 7
         line 8
        -line 9
        +line 9
        \ No newline at end of file
        ");
        let style = Style { color: true, ..Style::PLAIN };
        assert!(text("a", "b\n", "c\n", &style).contains("\u{1b}[31m-b\u{1b}[0m\n"));
        assert_eq!(text("a", "b\n", "b\n", &style), "");
    }

    #[test]
    fn a_huge_file_is_only_counted() {
        let before = "x\n".repeat(MAX_LINES + 1);
        assert!(text("a", &before, "y\n", &Style::PLAIN).contains("20,001 lines: too long"));
    }
}
