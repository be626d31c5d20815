//! A file typed at the pace at which the router answers.
//!
//! A serial line has no flow control, and a router that is busy loses what does not fit into its 4 KB: so one line is on its
//! way at a time, and the next one follows when the router has been quiet. Nothing is proved by that: a file that must
//! arrive whole is put by `bootstrap`'s way.

use std::time::{Duration, Instant};

/// Quiet behind a line's last echo after which the next one is typed.
const QUIET: Duration = Duration::from_millis(60);
/// A router that says nothing at all is typed at nevertheless.
const SILENT: Duration = Duration::from_millis(600);
/// One that never stops talking is waited for so long.
const PATIENCE: Duration = Duration::from_secs(15);
/// Bytes of a line that go at once; a longer one goes in pieces, each awaited.
const PIECE: usize = 512;
/// What is told of the progress: every so many parts of a hundred.
const TELL: usize = 10;
/// Files that are larger are not typed.
pub const MAX_FILE: u64 = 4 << 20;

/// One file on its way.
#[derive(Debug)]
pub struct Paste {
    pieces: Vec<Vec<u8>>,
    next: usize,
    sent: Instant,
    heard: Option<Instant>,
    told: usize,
}

impl Paste {
    /// Line ends of every kind become Enter.
    pub fn new(now: Instant, file: &[u8]) -> Self {
        let mut pieces = Vec::new();
        let mut piece = Vec::new();
        let mut bytes = file.iter().copied().peekable();
        while let Some(byte) = bytes.next() {
            if byte == b'\r' && bytes.peek() == Some(&b'\n') {
                continue;
            }
            let end = matches!(byte, b'\r' | b'\n');
            piece.push(if end { b'\r' } else { byte });
            if end || piece.len() == PIECE {
                pieces.push(std::mem::take(&mut piece));
            }
        }
        if !piece.is_empty() {
            pieces.push(piece);
        }
        Self { pieces, next: 0, sent: now, heard: Some(now), told: 0 }
    }

    /// The router said something.
    pub fn heard(&mut self, now: Instant) {
        self.heard = Some(now);
    }

    /// When [`Paste::poll`] is wanted next; `None`: all was sent.
    pub fn due(&self) -> Option<Instant> {
        if self.next >= self.pieces.len() {
            return None;
        }
        let quiet = self.heard.map_or(self.sent + SILENT, |heard| heard + QUIET);
        Some(quiet.min(self.sent + PATIENCE))
    }

    /// What to type now.
    pub fn poll(&mut self, now: Instant) -> Option<Vec<u8>> {
        if self.due().is_none_or(|due| due > now) {
            return None;
        }
        let piece = self.pieces.get(self.next)?.clone();
        self.next += 1;
        (self.sent, self.heard) = (now, None);
        Some(piece)
    }

    /// How far it is, of how much, in pieces.
    pub fn progress(&self) -> (usize, usize) {
        (self.next, self.pieces.len())
    }

    /// Parts of a hundred, when there is something to tell.
    pub fn news(&mut self) -> Option<usize> {
        let percent = self.next * 100 / self.pieces.len().max(1);
        (percent >= self.told + TELL || self.next == self.pieces.len()).then(|| {
            self.told = percent;
            percent
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_line_at_a_time_and_none_into_a_talking_router() {
        let start = Instant::now();
        let at = |millis: u64| start + Duration::from_millis(millis);
        let mut paste = Paste::new(start, b"one\r\ntwo\nthree\rrest");
        assert_eq!(paste.poll(at(10)), None, "it may still be talking");
        assert_eq!(paste.poll(at(60)).as_deref(), Some(&b"one\r"[..]));
        paste.heard(at(70));
        paste.heard(at(120));
        assert_eq!(paste.poll(at(150)), None);
        assert_eq!(paste.poll(at(180)).as_deref(), Some(&b"two\r"[..]));
        assert_eq!(paste.poll(at(700)), None, "no echo yet");
        assert_eq!(paste.poll(at(780)).as_deref(), Some(&b"three\r"[..]));
        for millis in (800..20_000).step_by(20) {
            paste.heard(at(millis));
        }
        assert_eq!(paste.due(), Some(at(15_780)), "a router that never stops is not waited for for ever");
        assert_eq!(paste.poll(at(15_780)).as_deref(), Some(&b"rest"[..]));
        assert_eq!((paste.due(), paste.progress()), (None, (4, 4)));
    }

    #[test]
    fn long_lines_go_in_pieces_and_progress_is_told_now_and_then() {
        let start = Instant::now();
        let mut paste = Paste::new(start, &[b'x'; 100 * PIECE]);
        let (mut now, mut told) = (start, 0);
        while let Some(due) = paste.due() {
            now = now.max(due);
            assert_eq!(paste.poll(now).map(|piece| piece.len()), Some(PIECE));
            told += usize::from(paste.news().is_some());
        }
        assert_eq!(told, 10);
        assert!(Paste::new(start, b"").due().is_none());
    }
}
