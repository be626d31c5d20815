//! Bytes as literals that a router reads back as the same bytes.

use crate::expression::constant;
use crate::parser::Parser;
use crate::version::Version;

/// A quoted literal for `bytes`, in printable ASCII only.
///
/// It reads the same on RouterOS 6 and 7 and can be typed at a console: control characters, bytes above ASCII and `?`
/// (help on 6, and no escape on 7) are written as hexadecimal escapes.
pub fn literal(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() + 2);
    text.push('"');
    for byte in bytes {
        match byte {
            b'"' => text.push_str("\\\""),
            b'\\' => text.push_str("\\\\"),
            b'$' => text.push_str("\\$"),
            b'\n' => text.push_str("\\n"),
            b'\r' => text.push_str("\\r"),
            b'\t' => text.push_str("\\t"),
            b'?' => text.push_str("\\3F"),
            b' '..=b'~' => text.push(char::from(*byte)),
            _ => text.push_str(&format!("\\{byte:02X}")),
        }
    }
    text.push('"');
    text
}

/// As [`literal`], but without quotes where a plain word reads as the same text everywhere.
pub fn word(bytes: &[u8]) -> String {
    let plain = bytes.first().is_some_and(u8::is_ascii_alphabetic)
        && bytes.iter().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'))
        && !matches!(bytes, b"where" | b"and" | b"or" | b"in" | b"not" | b"yes" | b"no" | b"true" | b"false");
    if plain { String::from_utf8_lossy(bytes).into_owned() } else { literal(bytes) }
}

/// The bytes of a quoted literal of `version`; `None` if it is none, or if `$` in it stands for a value.
pub fn unquote(literal: &[u8], version: Version) -> Option<Vec<u8>> {
    if literal.first() != Some(&b'"') {
        return None;
    }
    let mut parser = Parser::of(literal, version);
    let string = parser.string().ok()?;
    if parser.lex.pos == literal.len() { constant(&string) } else { None }
}
