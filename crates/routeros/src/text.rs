//! Text that goes into a line, and what must not.

use crate::error::Error;

/// The longest line that is typed. The length that RouterOS's editor takes is not documented; about 1 KB works in
/// practice [inferred], a guarded line adds its guard.
pub const MAX_LINE: usize = 2048;

/// A string literal in printable ASCII: nothing in it is a key to any version's editor.
pub fn quote(text: impl AsRef<[u8]>) -> String {
    routeros_script::quote::literal(text.as_ref())
}

/// Refuses what the line editor would take as keys instead of text.
///
/// # Errors
/// [`Error::Unsendable`] that says where.
pub fn check_sendable(line: &str) -> Result<(), Error> {
    if line.len() > MAX_LINE {
        return Err(Error::Unsendable {
            why: format!("{} bytes are more than the {MAX_LINE} of one line", line.len()),
        });
    }
    if let Some((at, byte)) = line.bytes().enumerate().find(|(_, byte)| *byte < 0x20 || *byte == 0x7f) {
        return Err(Error::Unsendable { why: format!("control byte {byte:#04x} at offset {at} would act as a key") });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quoting_leaves_no_key_in_the_line() {
        assert_eq!(quote("a b"), "\"a b\"");
        assert_eq!(quote(b"\"\\$\n\t?\x00\xff"), r#""\"\\\$\n\t\3F\00\FF""#);
        assert!(check_sendable("a\tb").is_err());
        assert!(check_sendable("/system identity print").is_ok());
        assert!(check_sendable(&"x".repeat(MAX_LINE + 1)).is_err());
    }
}
