//! A file typed at the pace at which the router answers.
//!
//! A serial line has no flow control, and a router that is busy loses what does not fit into its 4 KB: so one line is on its
//! way at a time, and the next one follows when the router has been quiet. Nothing is proved by that: a file that must
//! arrive whole is put by `bootstrap`'s way.

use std::time::{Duration, Instant};

use routeros::boot;

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
/// Of the line that stands there, so many bytes are looked at.
const LINE: usize = 256;
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
    /// The line that the router is saying.
    line: Vec<u8>,
}

/// A file to be typed, or why it is none.
pub fn read_file(path: &str) -> Result<Vec<u8>, String> {
    let data = std::fs::metadata(path).map_err(|error| error.to_string())?;
    if !data.is_file() || data.len() > MAX_FILE {
        return Err("it is no file of at most 4 MiB".into());
    }
    std::fs::read(path).map_err(|error| error.to_string())
}

/// Why no line of a file may be typed at what stands on this line: each of its characters would be a key to a boot loader, and
/// a login would take it for a name.
pub fn stops(line: &str) -> Option<&'static str> {
    let line = line.trim();
    // The echo of a line of the file, behind a prompt.
    let typed = line.starts_with('{') || line.starts_with('[') && line.contains("] ");
    if boot::sign(line).is_some() || line.starts_with("your choice:") {
        Some("the router starts, or its boot loader listens")
    } else if line.ends_with("Login:") && !typed || line == "Password:" {
        Some("the router asks who logs in")
    } else {
        None
    }
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
        Self { pieces, next: 0, sent: now, heard: Some(now), told: 0, line: Vec::new() }
    }

    /// The router said something; why nothing more is to be typed, where it says so.
    pub fn heard(&mut self, now: Instant, bytes: &[u8]) -> Option<&'static str> {
        self.heard = Some(now);
        let mut why = None;
        for byte in bytes {
            match byte {
                b'\r' | b'\n' => {
                    why = why.or_else(|| stops(&String::from_utf8_lossy(&self.line)));
                    self.line.clear();
                }
                byte if self.line.len() < LINE => self.line.push(*byte),
                _ => {}
            }
        }
        why.or_else(|| stops(&String::from_utf8_lossy(&self.line)))
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
        assert_eq!(paste.heard(at(70), b"[admin@R] > one\r\n"), None);
        paste.heard(at(120), b"x");
        assert_eq!(paste.poll(at(150)), None);
        assert_eq!(paste.poll(at(180)).as_deref(), Some(&b"two\r"[..]));
        assert_eq!(paste.poll(at(700)), None, "no echo yet");
        assert_eq!(paste.poll(at(780)).as_deref(), Some(&b"three\r"[..]));
        for millis in (800..20_000).step_by(20) {
            paste.heard(at(millis), b"y");
        }
        assert_eq!(paste.due(), Some(at(15_780)), "a router that never stops is not waited for for ever");
        assert_eq!(paste.poll(at(15_780)).as_deref(), Some(&b"rest"[..]));
        assert_eq!((paste.due(), paste.progress()), (None, (4, 4)));
    }

    /// From the first sign of a boot on nothing is typed, however it is cut.
    #[test]
    fn a_boot_or_a_login_stops_it() {
        let now = Instant::now();
        for (said, stopped) in [
            ("system will reboot shortly\r\nRebooting...\r\n", true),
            ("\r\nRouterBOOT booter 7.18.2\r\n", true),
            ("RouterBOOT-7.18.2\r\nWhat do you want to configure?\r\nyour choice: ", true),
            ("\r\nMikroTik Login: ", true),
            ("Password: ", true),
            ("[admin@R] > /system note set note=\"Login: no RouterBOOT booter here\"\r\n[admin@R] > ", false),
        ] {
            let mut paste = Paste::new(now, b"x\n");
            let why: Vec<&str> = said.as_bytes().chunks(7).filter_map(|piece| paste.heard(now, piece)).collect();
            assert_eq!(!why.is_empty(), stopped, "{said:?}: {why:?}");
        }
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
