//! A router that asks what terminal it talks to.
//!
//! RouterOS measures a terminal at every login, and part of it is `ESC Z` (DECID). A router whose questions are not all
//! answered waits about ten seconds (routeros-console.md section 1 and 3; that this one is needed as well is inferred),
//! and not every terminal answers it: tmux does not. So it is answered here, and the terminal never sees it.

use std::borrow::Cow;

/// A VT100 with advanced video, which is what most terminals say that they are.
pub const ANSWER: &[u8] = b"\x1b[?1;2c";

/// Takes the question out of what a router sends.
#[derive(Debug, Default)]
pub struct Asked {
    /// A piece ended with ESC.
    held: bool,
}

impl Asked {
    /// What the terminal is shown of a piece, and how many answers the router gets.
    pub fn take<'a>(&mut self, piece: &'a [u8]) -> (Cow<'a, [u8]>, usize) {
        if !self.held && !piece.contains(&0x1b) {
            return (Cow::Borrowed(piece), 0);
        }
        let (mut shown, mut answers) = (Vec::with_capacity(piece.len() + 1), 0);
        for byte in piece {
            match (std::mem::take(&mut self.held), *byte) {
                (true, b'Z') => answers += 1,
                (before, byte) => {
                    if before {
                        shown.push(0x1b);
                    }
                    if byte == 0x1b {
                        self.held = true;
                    } else {
                        shown.push(byte);
                    }
                }
            }
        }
        (Cow::Owned(shown), answers)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// However it is cut: the question is taken out and counted, everything else is shown as it came.
    #[test]
    fn the_question_is_taken_out_wherever_it_is_cut() {
        let said = b"a\x1bZ\r\x1b[9999B\x1b\x1bZ\x1b[6nZ \x1bZ\x1bc.";
        let wanted = b"a\r\x1b[9999B\x1b\x1b[6nZ \x1bc.";
        for first in 0..=said.len() {
            for second in first..=said.len() {
                let (mut asked, mut shown, mut answers) = (Asked::default(), Vec::new(), 0);
                for piece in [&said[..first], &said[first..second], &said[second..]] {
                    let (piece, count) = asked.take(piece);
                    shown.extend_from_slice(&piece);
                    answers += count;
                }
                assert_eq!((shown.as_slice(), answers), (wanted.as_slice(), 3), "cut at {first} and {second}");
            }
        }
    }
}
