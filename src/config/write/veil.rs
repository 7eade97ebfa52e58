//! Values out of a text that is shown.
//!
//! In: the text of a `*.vars.toml` file, perhaps broken. Out: the same with `*` for every value. In
//! such a file nothing says which variable is a secret: that stands with its declaration, perhaps
//! in another directory.

use toml_parser::Source;
use toml_parser::lexer::TokenKind;

/// Overwrites the values, byte for byte. Of a broken text comments go too: what looks like one may
/// be the end of a string that was cut.
pub fn veiled(text: &str, broken: bool) -> String {
    let mut bytes = text.as_bytes().to_vec();
    let (mut value, mut depth) = (false, 0_usize);
    for token in Source::new(text).lex() {
        match token.kind() {
            TokenKind::Equals => value = true,
            TokenKind::LeftSquareBracket | TokenKind::LeftCurlyBracket if value => depth += 1,
            TokenKind::RightSquareBracket | TokenKind::RightCurlyBracket => {
                depth = depth.saturating_sub(1);
            }
            TokenKind::Newline if depth == 0 => value = false,
            kind if value && (broken || kind != TokenKind::Comment) => {
                let range = token.span().start()..token.span().end();
                bytes.get_mut(range).unwrap_or_default().iter_mut().for_each(hide);
            }
            _ => {}
        }
    }
    // Whole characters were overwritten by ASCII: it stays UTF-8.
    String::from_utf8_lossy(&bytes).into_owned()
}

fn hide(byte: &mut u8) {
    if !matches!(byte, b'"' | b'\'' | b'\n' | b'\r' | b' ' | b'\t' | b',' | b'#') {
        *byte = b'*';
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_hidden_and_their_shape_is_not() {
        let text = "# note\nracks = [\"a\", 'bc'] # two\n\"chap.x\" = \"ü\\\"\"\nn={ a = 1 }\n";
        insta::assert_snapshot!(veiled(text, false), @r#"
        # note
        racks = ["*", '**'] # two
        "chap.x" = "***""
        n={ * = * }
        "#);
        assert!(!veiled("a = 'x' secret # more secret\nb = \"se\ncret\n", true).contains("secret"));
    }
}
