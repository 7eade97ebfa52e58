//! Where the characters of a TOML string stand in the source.
//!
//! In: the raw string with its quotes and the decoded text. Out: a [`Place`], so that an error in
//! an expression points at the right characters even behind escapes or in multi-line strings.
//! The TOML library tells only where the whole string stands.

use crate::config::syntax::Place;

/// The place of `decoded`, which the source writes as `raw` at offset `start`.
pub fn place(raw: &str, start: usize, decoded: &str) -> Place {
    let (quotes, body) = opening(raw);
    let inner = raw.get(body..raw.len().saturating_sub(quotes)).unwrap_or_default();
    if inner == decoded {
        return Place::At(narrow(start + body));
    }
    let escapes = raw.starts_with('"');
    let mut walk = Walk { source: inner, at: 0, decoded: 0, pieces: vec![(0, start + body)] };
    while walk.at < inner.len() {
        walk.step(escapes, decoded, start + body);
    }
    Place::Pieces(walk.pieces.into_iter().map(|(d, s)| (narrow(d), narrow(s))).collect())
}

/// Length of the quotes, and of all that stands before the content: the first newline of a
/// multi-line string is no part of it.
pub fn opening(raw: &str) -> (usize, usize) {
    if !(raw.starts_with("\"\"\"") || raw.starts_with("'''")) {
        return (1, 1);
    }
    let newline = ["\n", "\r\n"].into_iter().find(|n| raw[3..].starts_with(n));
    (3, 3 + newline.map_or(0, str::len))
}

struct Walk<'a> {
    source: &'a str,
    at: usize,
    decoded: usize,
    pieces: Vec<(usize, usize)>,
}

impl Walk<'_> {
    fn step(&mut self, escapes: bool, decoded: &str, base: usize) {
        let rest = &self.source[self.at..];
        let (source, length) = if escapes && rest.starts_with('\\') {
            escape(rest)
        } else if rest.starts_with("\r\n") && decoded[self.decoded..].starts_with('\n') {
            (2, 1)
        } else {
            let length = rest.chars().next().map_or(1, char::len_utf8);
            (length, length)
        };
        self.at += source;
        // The decoded text is the library's; staying on its character boundaries keeps slicing
        // safe even if the two should ever disagree.
        self.decoded = boundary(decoded, self.decoded + length);
        if source != length {
            self.pieces.push((self.decoded, base + self.at));
        }
    }
}

/// The first character boundary from `at` on; the end if there is none.
fn boundary(text: &str, at: usize) -> usize {
    (at..text.len()).find(|at| text.is_char_boundary(*at)).unwrap_or(text.len())
}

/// Bytes of an escape sequence in the source and in the decoded text.
fn escape(rest: &str) -> (usize, usize) {
    let digits = match rest.as_bytes().get(1) {
        Some(b'x') => 2,
        Some(b'u') => 4,
        Some(b'U') => 8,
        Some(b' ' | b'\t' | b'\r' | b'\n') => {
            let blank = rest[1..].trim_start_matches([' ', '\t', '\r', '\n']);
            return (rest.len() - blank.len(), 0);
        }
        Some(_) => return (2, 1),
        None => return (1, 0),
    };
    let code = rest.get(2..2 + digits).and_then(|hex| u32::from_str_radix(hex, 16).ok());
    (2 + digits, code.and_then(char::from_u32).map_or(1, char::len_utf8))
}

fn narrow(offset: usize) -> u32 {
    u32::try_from(offset).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Finds `needle` in the decoded string and says what stands at its place in the source.
    fn seen<'a>(source: &'a str, needle: &str) -> &'a str {
        let table = toml::de::DeTable::parse(source).expect(source);
        let value = table.get_ref().get("k").expect("k");
        let decoded = value.get_ref().as_str().expect("text");
        let place = place(&source[value.span()], value.span().start, decoded);
        let at = decoded.find(needle).expect(needle);
        &source[place.find(at) as usize..place.find(at + needle.len()) as usize]
    }

    #[test]
    fn characters_are_found_in_every_kind_of_string() {
        for source in [
            "k = '${var.x}'",
            "k = \"${var.x}\"",
            "k = \"\\t\\\"é${var.x}\\n\"",
            "k = \"\\u00e9\\U0001F600\\x41${var.x}\"",
            "k = '''\n  a\n ${var.x}'''",
            "k = '''\r\na\r\n${var.x}'''",
            "k = \"\"\"\nline \\\n     ${var.x}\\t\"\"\"",
            "k = \"\"\"\r\nline\r\n${var.x}\\t\"\"\"",
        ] {
            assert_eq!(seen(source, "var.x"), "var.x", "{source}");
        }
    }

    #[test]
    fn a_range_that_holds_escapes_covers_them_whole() {
        assert_eq!(seen("k = \"a\\\"${\\\"b\\\"}\"", "${\"b\"}"), "${\\\"b\\\"}");
    }
}
