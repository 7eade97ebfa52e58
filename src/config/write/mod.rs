//! TOML texts as this project writes them: `fmt` rewrites what people wrote, `import` writes anew.
//!
//! In: texts. Out: texts that mean the same. Touches no file and evaluates nothing. It works on the
//! parser's tokens: a tree of values (as `toml_edit` has it) puts dotted keys of one table together
//! and so loses the order that people chose.
//!
//! What [`format`] does:
//!
//! * **Kept**: the order of everything, comments and their words, values and how they are spelt
//!   (`1_000`, `0x1F`, dates), keys and their quotes, multi-line strings byte for byte, blanks inside
//!   `${…}`. The kind of line end: that of the first line, for all lines.
//! * **Lines**: headers, keys and comment lines start in the first column; no blanks at the end; one
//!   blank line above a table and the comment lines that belong to it, none below its header, never
//!   two together, none at the start and the end of the file; the last line ends. No BOM.
//! * **`=`** stands below `=` in keys on lines one after another. A blank line, a comment line, a
//!   header and a value over several lines end such a run.
//! * **Arrays** stand on one line if it has at most [`WIDTH`] columns, otherwise one element a line,
//!   indented by two, with a comma after the last. So does an array with a comment or a string of
//!   several lines in it, and one that was written with a new line after `[`: that is the author's
//!   choice, and good for lists of tables.
//! * **Inline tables**: `{ a = 1, b = 2 }`, over several lines only if written with a new line after
//!   `{` or with comments (TOML 1.1): never for their length.
//! * **Comments behind something** that somebody put in a column, with more than one blank before
//!   them, keep it if it is free; those on lines one after another share the leftmost such column.
//!   Others stand one blank behind the longest of the lines.
//! * **Templates** in basic strings become literal strings where those can hold the text:
//!   `"${env(\"X\")}"` → `'${env("X")}'`; with `'` in it, `'''…'''`.
//!
//! Formatting twice is formatting once, and the TOML value never changes.

mod block;
mod files;
mod fold;
mod labels;
mod layout;
mod lines;
mod quote;
mod tree;
mod veil;
#[cfg(test)]
mod generated_tests;
#[cfg(test)]
mod tests;

pub use block::{Names, Shown, block};
pub use files::{CONFIGURATION_SUFFIX, Rewritten, STDIN, Texts, VARIABLES_SUFFIX, rewrite, shown};
pub use fold::{Alike, Fold, fold};
pub use labels::labels;
pub use quote::{escape_template, string};

/// Columns of a line, if it can be helped.
pub const WIDTH: usize = 100;

/// Formats a valid TOML text. An invalid one comes back as something that is not worth having:
/// [`rewrite`] looks first.
pub fn format(text: &str) -> String {
    let document = tree::read(text);
    lines::join(layout::lines(&document.entries), document.newline)
}
