//! RouterOS strings are bytes without an encoding; menus, names and messages here are text. Bytes that are no UTF-8 stand in
//! such a text as characters of a private plane: [`text`] where something comes in, [`bytes`] where it leaves (a terminal, a
//! file, a packet, a value of a script), so that what leaves is what came.

/// The character of byte 0; the other bytes follow it.
const FIRST: u32 = 0x10_FF00;

fn stand_in(byte: u8) -> char {
    char::from_u32(FIRST + u32::from(byte)).unwrap_or(char::REPLACEMENT_CHARACTER)
}

fn is_stand_in(c: char) -> bool {
    (FIRST..=FIRST + 0xFF).contains(&u32::from(c))
}

/// Bytes as they are held.
pub fn text(bytes: &[u8]) -> String {
    if let Ok(plain) = std::str::from_utf8(bytes)
        && !plain.contains(is_stand_in)
    {
        return plain.to_owned();
    }
    let mut text = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        for c in chunk.valid().chars() {
            if is_stand_in(c) {
                // Sent as such: byte by byte, so that it comes back as it was.
                text.extend(c.encode_utf8(&mut [0; 4]).bytes().map(stand_in));
            } else {
                text.push(c);
            }
        }
        text.extend(chunk.invalid().iter().map(|byte| stand_in(*byte)));
    }
    text
}

/// The bytes that a held text means.
pub fn bytes(text: &str) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(text.len());
    for c in text.chars() {
        match u8::try_from(u32::from(c).wrapping_sub(FIRST)) {
            Ok(byte) => bytes.push(byte),
            Err(_) => bytes.extend(c.encode_utf8(&mut [0; 4]).bytes()),
        }
    }
    bytes
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_goes_in_comes_out(bytes in prop::collection::vec(any::<u8>(), 0..200), text in ".*") {
            prop_assert_eq!(super::bytes(&super::text(&bytes)), bytes);
            prop_assert_eq!(super::bytes(&super::text(text.as_bytes())), text.as_bytes());
        }
    }

    #[test]
    fn text_stays_text_and_a_stand_in_that_was_sent_is_none() {
        assert_eq!(super::text("gr\u{fc}n".as_bytes()), "gr\u{fc}n");
        let sent = "\u{10ff41}";
        assert_eq!(super::bytes(&super::text(sent.as_bytes())), sent.as_bytes());
    }
}
