//! Keys out of bytes.

/// One key as the line editor knows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Key {
    /// A byte of text (also half of a UTF-8 character).
    Text(u8),
    Enter,
    Tab,
    Backspace,
    Delete,
    Up,
    Down,
    Left,
    Right,
    Home,
    End,
    /// F1 to F12.
    Function(u8),
    /// Ctrl and a character, `b'C'`.
    Ctrl(u8),
}

/// A sequence longer than this is none: terminals send at most `ESC [ 9999 ; 9999 R`.
const MAX_SEQUENCE: usize = 24;

#[derive(Debug, Clone, PartialEq, Eq, Default)]
enum State {
    #[default]
    Ground,
    Escape,
    /// `ESC O`
    Single,
    /// `ESC /`, the start of an old DECID answer.
    Slash,
    /// `ESC [` and what came since.
    Sequence(Vec<u8>),
}

/// Puts escape sequences together. What it doesn't know, late answers to the terminal probe among
/// them, vanishes.
#[derive(Debug, Default)]
pub(super) struct Decoder(State);

impl Decoder {
    /// Takes the next byte; a key if it completes one.
    pub(super) fn feed(&mut self, byte: u8) -> Option<Key> {
        // A control character ends whatever sequence it falls into, and acts.
        if byte < b' ' && byte != 0x1B {
            self.0 = State::Ground;
            return control(byte);
        }
        if byte == 0x1B {
            self.0 = State::Escape;
            return None;
        }
        match std::mem::take(&mut self.0) {
            State::Ground if byte == 0x7F => Some(Key::Backspace),
            State::Ground => Some(Key::Text(byte)),
            State::Escape => {
                match byte {
                    b'[' => self.0 = State::Sequence(Vec::new()),
                    b'O' => self.0 = State::Single,
                    b'/' => self.0 = State::Slash,
                    _ => {}
                }
                None
            }
            State::Slash => None,
            State::Single => letter(byte),
            State::Sequence(mut seen) => {
                // The Linux console's F keys are ESC [ [ A to E.
                let linux = seen.as_slice() == b"[";
                if (0x40..0x7F).contains(&byte) && !(byte == b'[' && seen.is_empty()) {
                    return match byte {
                        b'A'..=b'E' if linux => Some(Key::Function(byte - b'A' + 1)),
                        b'~' => tilde(&seen),
                        // `ESC [ 1 ; 3 R` is an answer, not F3.
                        b'P'..=b'S' => None,
                        _ => letter(byte),
                    };
                }
                if seen.len() < MAX_SEQUENCE {
                    seen.push(byte);
                    self.0 = State::Sequence(seen);
                }
                None
            }
        }
    }
}

fn control(byte: u8) -> Option<Key> {
    match byte {
        b'\r' | b'\n' => Some(Key::Enter),
        b'\t' => Some(Key::Tab),
        0x08 => Some(Key::Backspace),
        0 => None,
        _ => Some(Key::Ctrl(byte + 0x40)),
    }
}

fn letter(byte: u8) -> Option<Key> {
    match byte {
        b'A' => Some(Key::Up),
        b'B' => Some(Key::Down),
        b'C' => Some(Key::Right),
        b'D' => Some(Key::Left),
        b'H' => Some(Key::Home),
        b'F' => Some(Key::End),
        b'P'..=b'S' => Some(Key::Function(byte - b'P' + 1)),
        _ => None,
    }
}

fn tilde(parameters: &[u8]) -> Option<Key> {
    match parameters {
        b"1" | b"7" => Some(Key::Home),
        b"4" | b"8" => Some(Key::End),
        b"3" => Some(Key::Delete),
        [b'1', digit @ b'1'..=b'5'] => Some(Key::Function(digit - b'0')),
        [b'1', digit @ b'7'..=b'9'] => Some(Key::Function(digit - b'0' - 1)),
        b"20" => Some(Key::Function(9)),
        b"21" => Some(Key::Function(10)),
        b"23" => Some(Key::Function(11)),
        b"24" => Some(Key::Function(12)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(bytes: &[u8]) -> Vec<Key> {
        let mut decoder = Decoder::default();
        bytes.iter().filter_map(|byte| decoder.feed(*byte)).collect()
    }

    #[test]
    fn sequences_become_keys() {
        assert_eq!(
            keys(b"\x1b[A\x1bOB\x1b[3~\x1bOP\x1b[11~\x1b[[B\x1b[18~"),
            [Key::Up, Key::Down, Key::Delete, Key::Function(1), Key::Function(1), Key::Function(2), Key::Function(7),]
        );
        assert_eq!(
            keys(b"a\r\n\t\x08\x7f\x03"),
            [Key::Text(b'a'), Key::Enter, Key::Enter, Key::Tab, Key::Backspace, Key::Backspace, Key::Ctrl(b'C')]
        );
    }

    #[test]
    fn late_answers_vanish_and_controls_cut_sequences() {
        assert_eq!(keys(b"\x1b[24;80R\x1b[?1;0c\x1b/Zx"), [Key::Text(b'x')]);
        assert_eq!(keys(b"\x1b[12\x03y"), [Key::Ctrl(b'C'), Key::Text(b'y')]);
        assert_eq!(keys(&[b"\x1b[".as_slice(), &[b'1'; 99], b"R"].concat()).len(), 99 - MAX_SEQUENCE);
    }
}
