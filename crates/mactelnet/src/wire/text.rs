//! Text that a peer chose: kept as it came, printed harmless.

use std::fmt::{self, Write as _};

/// Bytes of a peer's own choosing that are meant as text (UTF-8 in practice). Prints escaped.
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Text(Vec<u8>);

impl Text {
    /// The bytes as they came.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The text, if it is UTF-8. Unescaped: to compare, never to print.
    pub fn as_str(&self) -> Option<&str> {
        std::str::from_utf8(&self.0).ok()
    }

    /// Equal but for the case of ASCII letters, as names of routers are compared.
    pub fn eq_ignore_case(&self, other: &str) -> bool {
        self.0.eq_ignore_ascii_case(other.as_bytes())
    }
}

impl From<&str> for Text {
    fn from(text: &str) -> Self {
        Self(text.as_bytes().to_vec())
    }
}

impl From<String> for Text {
    fn from(text: String) -> Self {
        Self(text.into_bytes())
    }
}

impl From<&[u8]> for Text {
    fn from(bytes: &[u8]) -> Self {
        Self(bytes.to_vec())
    }
}

impl PartialEq<str> for Text {
    fn eq(&self, other: &str) -> bool {
        self.0 == other.as_bytes()
    }
}

impl PartialEq<&str> for Text {
    fn eq(&self, other: &&str) -> bool {
        self.0 == other.as_bytes()
    }
}

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&Escaped(&self.0).to_string())
    }
}

impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{}\"", Escaped(&self.0))
    }
}

/// Prints bytes so that they cannot move a cursor, start a line or hide what stands beside them.
///
/// Printable characters stay; control characters, invisible ones and those that turn the direction of
/// writing become `\u{..}` (`\t`, `\r`, `\n` where there is a short form), bytes that are no UTF-8 become
/// `\xNN`, and a backslash is doubled so that the result can be read back.
#[derive(Clone, Copy)]
pub struct Escaped<'a>(pub &'a [u8]);

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for chunk in self.0.utf8_chunks() {
            for c in chunk.valid().chars() {
                match c {
                    '\\' => f.write_str("\\\\")?,
                    '\t' => f.write_str("\\t")?,
                    '\r' => f.write_str("\\r")?,
                    '\n' => f.write_str("\\n")?,
                    c if c.is_control() || is_invisible(c) => write!(f, "\\u{{{:x}}}", u32::from(c))?,
                    c => f.write_char(c)?,
                }
            }
            for byte in chunk.invalid() {
                write!(f, "\\x{byte:02x}")?;
            }
        }
        Ok(())
    }
}

impl fmt::Debug for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Format characters (zero width, direction), separators that are no space, and tags.
fn is_invisible(c: char) -> bool {
    matches!(
        c,
        '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
            | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}'
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hostile_names_print_harmless() {
        let shown = |bytes: &[u8]| Escaped(bytes).to_string();
        assert_eq!(shown(b"\x1b[2J\nA"), "\\u{1b}[2J\\nA");
        assert_eq!(shown("bürö-1".as_bytes()), "bürö-1");
        assert_eq!(shown(b"a\xffb\\"), "a\\xffb\\\\");
        assert_eq!(shown("x\u{202e}y\u{9b}z\u{7f}".as_bytes()), "x\\u{202e}y\\u{9b}z\\u{7f}");
        assert_eq!(format!("{:>4}|", Text::from("ab")), "  ab|");
        assert!(Text::from("Branch-GW").eq_ignore_case("branch-gw"));
    }

    proptest::proptest! {
        #[test]
        fn nothing_printed_is_control(bytes: Vec<u8>) {
            let shown = Escaped(&bytes).to_string();
            proptest::prop_assert!(!shown.chars().any(|c| c.is_control() || is_invisible(c)));
        }
    }
}
