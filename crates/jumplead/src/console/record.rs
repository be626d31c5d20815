//! The lines that passed by: logs as they came and cleaned, and the search in them.

use std::collections::VecDeque;
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use routeros::TermSize;
use routeros::terminal::Terminal;

use super::view::Moment;

/// Lines that can be searched; older ones are in the log, where there is one.
const MAX_LINES: usize = 20_000;
/// Bytes of them.
const MAX_BYTES: usize = 8 << 20;
/// Lines that a search shows: a screenful, the newest.
const MAX_FOUND: usize = 20;

/// A log file. Who may not read it is nobody's business: what a router shows may hold passwords.
#[derive(Debug)]
struct Log {
    file: Option<File>,
    path: PathBuf,
}

impl Log {
    fn open(path: &Path) -> std::io::Result<Self> {
        let file = OpenOptions::new().append(true).create(true).mode(0o600).open(path)?;
        Ok(Self { file: Some(file), path: path.to_owned() })
    }

    /// The first failure is told, and is the last: a full disk must not end a session.
    fn write(&mut self, bytes: &[u8]) -> Option<String> {
        let error = self.file.as_mut()?.write_all(bytes).err()?;
        self.file = None;
        Some(format!("{} can't be written any more: {error}", self.path.display()))
    }
}

/// What is kept of a session.
#[derive(Debug)]
pub struct Record {
    raw: Option<Log>,
    clean: Option<Log>,
    terminal: Terminal,
    lines: VecDeque<(String, String)>,
    bytes: usize,
    seen: u64,
}

impl Record {
    /// Nothing yet; logs are appended to.
    ///
    /// # Errors
    /// A log can't be opened.
    pub fn new(raw: Option<&Path>, clean: Option<&Path>, size: TermSize) -> Result<Self, (PathBuf, std::io::Error)> {
        let open = |path: Option<&Path>| path.map(|path| Log::open(path).map_err(|e| (path.to_owned(), e))).transpose();
        Ok(Self {
            raw: open(raw)?,
            clean: open(clean)?,
            terminal: Terminal::new(size),
            lines: VecDeque::new(),
            bytes: 0,
            seen: 0,
        })
    }

    /// Bytes came. What went wrong with the logs is the answer.
    pub fn heard(&mut self, at: &Moment, bytes: &[u8]) -> Option<String> {
        let mut trouble = self.raw.as_mut().and_then(|raw| raw.write(bytes));
        self.terminal.on_bytes(bytes);
        self.terminal.take_replies();
        let (from, until) = (self.seen.max(self.terminal.oldest()), self.terminal.line_number());
        for number in from..until {
            let Some(line) = self.terminal.line(number) else { continue };
            // A prompt that was painted over is in the next line again.
            if line.prompt {
                continue;
            }
            let text = line.text.trim_end().to_owned();
            trouble = self.line(at, text).or(trouble);
        }
        self.seen = until;
        self.terminal.forget_before(until);
        trouble
    }

    /// A mark of our own: the line was lost, a break was sent.
    pub fn mark(&mut self, at: &Moment, text: &str) -> Option<String> {
        let text = format!("-- jumplead: {text}");
        let raw = self.raw.as_mut().and_then(|raw| raw.write(format!("\r\n{text}\r\n").as_bytes()));
        self.line(at, text).or(raw)
    }

    fn line(&mut self, at: &Moment, text: String) -> Option<String> {
        let time = at.wall().strftime("%Y-%m-%dT%H:%M:%S%.3f%:z").to_string();
        let trouble = self.clean.as_mut().and_then(|clean| clean.write(format!("{time} {text}\n").as_bytes()));
        self.bytes += text.len();
        self.lines.push_back((time, text));
        while self.lines.len() > MAX_LINES || self.bytes > MAX_BYTES {
            self.bytes -= self.lines.pop_front().map_or(0, |(_, text)| text.len());
        }
        trouble
    }

    /// Writes what stands in an unfinished line.
    pub fn end(&mut self, at: &Moment) {
        let text = self.terminal.current().trim_end().to_owned();
        if !text.is_empty() {
            self.line(at, text);
        }
    }

    /// The line that stands there unfinished.
    pub fn current(&self) -> String {
        self.terminal.current()
    }

    /// The newest lines that hold `wanted`, upper or lower case alike, and how many do.
    pub fn search(&self, wanted: &str) -> (usize, Vec<String>) {
        let wanted = wanted.to_lowercase();
        let found: Vec<&(String, String)> =
            self.lines.iter().filter(|(_, text)| text.to_lowercase().contains(&wanted)).collect();
        let newest = found.iter().skip(found.len().saturating_sub(MAX_FOUND));
        (found.len(), newest.map(|(time, text)| format!("{time}  {text}")).collect())
    }

    /// The newest lines.
    pub fn last(&self) -> Vec<String> {
        let newest = self.lines.iter().skip(self.lines.len().saturating_sub(MAX_FOUND));
        newest.map(|(time, text)| format!("{time}  {text}")).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> Moment {
        let time = jiff::Timestamp::from_second(1_767_323_045).unwrap();
        Moment { since: std::time::Duration::ZERO, time, zone: Some(jiff::tz::TimeZone::UTC) }
    }

    #[test]
    fn the_raw_log_is_what_came_and_the_clean_one_what_was_to_be_read() {
        let folder = tempfile::tempdir().unwrap();
        let (raw, clean) = (folder.path().join("raw"), folder.path().join("clean"));
        let size = TermSize { cols: 80, rows: 24 };
        let mut record = Record::new(Some(&raw), Some(&clean), size).unwrap();
        let came: &[u8] = b"\rab\x1b[K\x1b[31mc\x1b[m\r\nxx\rde\r\n\xff half";
        for piece in came.chunks(3) {
            assert_eq!(record.heard(&now(), piece), None);
        }
        record.mark(&now(), "the line was lost for 3 s");
        record.end(&now());
        assert!(std::fs::read(&raw).unwrap().starts_with(came));
        let text = std::fs::read_to_string(&clean).unwrap();
        let lines: Vec<&str> = text.lines().filter_map(|line| line.split_once(' ')).map(|(_, line)| line).collect();
        assert_eq!(lines, ["abc", "de", "-- jumplead: the line was lost for 3 s", "\u{fffd} half"]);
        assert!(text.starts_with("2026-01-02T03:04:05.000+00:00 "), "{text}");
        let (count, found) = record.search("ABC");
        assert_eq!((count, found.len()), (1, 1));
        use std::os::unix::fs::PermissionsExt as _;
        assert_eq!(std::fs::metadata(&raw).unwrap().permissions().mode() & 0o077, 0);
        let again = Record::new(Some(&folder.path().join("no/where")), None, size);
        assert!(again.is_err());
    }

    #[test]
    fn what_can_be_searched_has_an_end() {
        let mut record = Record::new(None, None, TermSize { cols: 80, rows: 24 }).unwrap();
        for number in 0..25_000 {
            record.heard(&now(), format!("line {number} needle\r\n").as_bytes());
        }
        let (count, found) = record.search("needle");
        assert_eq!((count, found.len()), (MAX_LINES, MAX_FOUND));
        assert!(found.last().unwrap().ends_with("line 24999 needle"));
        assert_eq!(record.last(), found);
    }

    /// A disk that is full is told of once.
    #[test]
    fn a_log_that_fails_does_not_end_a_session() {
        let mut record = Record::new(Some(Path::new("/dev/full")), None, TermSize { cols: 80, rows: 24 }).unwrap();
        assert!(record.heard(&now(), b"x").is_some());
        assert_eq!(record.heard(&now(), b"x"), None);
    }
}
