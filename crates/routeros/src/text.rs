//! Text that goes into a line, and what must not.

use crate::error::Error;

/// The longest line that is typed. The length that RouterOS's editor takes is not documented; about 1 KB works in
/// practice \[inferred\], a guarded line adds its guard.
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

/// Refuses a command that would not end where it ends: with a bracket or quote left open, one closed that it did not
/// open, or a comment, it would reach into the guard around it.
///
/// # Errors
/// [`Error::Unsendable`].
pub fn check_whole(command: &str) -> Result<(), Error> {
    let open = |text: String| routeros_script::incomplete(text.as_bytes());
    // Behind each of two brackets: what closes the one does not close the other.
    let whole = open(format!("{{{command}")).is_some_and(|open| open == ['{'])
        && open(format!("({command}")).is_some_and(|open| open == ['('])
        && open(format!("{{{command}}}")).is_none();
    if whole {
        Ok(())
    } else {
        Err(Error::Unsendable { why: "its brackets and quotes do not pair, or it ends in a comment".into() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_stays_inside_its_guard() {
        for command in ["/system identity print", ":if (true) do={:put \"}\"}", ":put \"a $[/x get y] \\\" b\"", ""] {
            check_whole(command).unwrap();
        }
        for command in [
            ":put (",
            "}",
            "}} ; /system reboot; {{",
            "}; x; {",
            "); x; (",
            ":put \"x",
            ":put 1; # }",
            ")",
            "x \\",
            "(]",
        ] {
            assert!(check_whole(command).is_err(), "{command}");
        }
    }

    #[test]
    fn quoting_leaves_no_key_in_the_line() {
        assert_eq!(quote("a b"), "\"a b\"");
        assert_eq!(quote(b"\"\\$\n\t?\x00\xff"), r#""\"\\\$\n\t\3F\00\FF""#);
        assert!(check_sendable("a\tb").is_err());
        assert!(check_sendable("/system identity print").is_ok());
        assert!(check_sendable(&"x".repeat(MAX_LINE + 1)).is_err());
    }
}
