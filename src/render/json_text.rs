//! Anything serialisable → one line of JSON that a terminal shows without obeying it.
//!
//! In: `Serialize`. Out: text. JSON escapes only what is below U+0020; C1 controls and
//! bidirectional overrides from a server would reach the terminal of whoever looks at a log.

use std::io;

use serde::Serialize;
use serde_json::ser::{CompactFormatter, Formatter, Serializer};

/// One line without its line break.
pub(super) fn line<T: Serialize>(value: &T) -> String {
    let mut bytes = Vec::new();
    // Fails only for a map with keys that are no strings or for a secret, and nothing given here
    // has either; if a mistake did, an empty line says less than a leak.
    match value.serialize(&mut Serializer::with_formatter(&mut bytes, Safe(CompactFormatter))) {
        Ok(()) => String::from_utf8(bytes).unwrap_or_default(),
        Err(_) => String::new(),
    }
}

struct Safe(CompactFormatter);

impl Formatter for Safe {
    fn write_string_fragment<W: ?Sized + io::Write>(
        &mut self,
        writer: &mut W,
        fragment: &str,
    ) -> io::Result<()> {
        let mut from = 0;
        for (at, c) in fragment.char_indices().filter(|(_, c)| super::steers(*c)) {
            self.0.write_string_fragment(writer, &fragment[from..at])?;
            // All of these are below U+10000: one escape each.
            write!(writer, "\\u{:04x}", u32::from(c))?;
            from = at + c.len_utf8();
        }
        self.0.write_string_fragment(writer, &fragment[from..])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_is_exact_and_harmless() {
        let evil = "a\u{9b}31m\u{202e}b\u{7f}\n\"数\"";
        let text = line(&evil);
        assert_eq!(text, "\"a\\u009b31m\\u202eb\\u007f\\n\\\"数\\\"\"");
        assert_eq!(serde_json::from_str::<String>(&text).ok().as_deref(), Some(evil));
    }
}
