//! A Unix shell at the other end: what the C tools' server gives after a MAC-Telnet login.
//!
//! Commands are framed as on a router, by markers that the shell puts together; the exit status is the command's own,
//! and the output is exact bytes (both of its streams: a terminal has but one).

use crate::error::Error;
use crate::expect::escape_tail;
use crate::frame::Nonces;
use crate::link::{BoxLink, ByteLink};
use crate::options::TermSize;
use crate::secret::Secret;
use crate::transcript::{Direction, Masked, Transcript};
use memchr::memmem;
use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, ReadHalf, WriteHalf};
use tokio::time::Instant;

/// Longest line that is typed: a terminal in canonical mode cuts lines at 4096 bytes \[measured\].
const MAX_LINE: usize = 4000;
/// Output that is kept, in bytes; of more the first part is returned and said to be cut.
const MAX_OUTPUT: usize = 16 * 1024 * 1024;
/// A login may throw away what was typed before its shell ran: the first line is typed again.
const FIRST_TRIES: u32 = 4;
/// The size that the terminal is given.
const SIZE: TermSize = TermSize { cols: 511, rows: 4098 };

/// How to use a Unix shell.
#[derive(Debug, Clone)]
pub struct PosixOptions {
    /// For the shell to be ready.
    pub login: Duration,
    /// For one command.
    pub command: Duration,
    /// Makes the markers of this session unlike those of others.
    pub seed: u64,
    /// The user, for errors.
    pub user: String,
    /// Gets the masked bytes of both directions.
    pub transcript: Option<Arc<dyn Transcript>>,
    /// What to mask.
    pub secrets: Vec<Secret>,
}

impl Default for PosixOptions {
    fn default() -> Self {
        Self {
            login: Duration::from_secs(20),
            command: Duration::from_secs(60),
            seed: 0,
            user: String::new(),
            transcript: None,
            secrets: Vec::new(),
        }
    }
}

/// What a command left.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PosixOutput {
    /// Both streams, as they came.
    pub bytes: Vec<u8>,
    /// The exit status, 128 and the signal's number for one that was killed.
    pub status: u8,
    /// There was more.
    pub truncated: bool,
}

/// A logged-in Unix shell.
#[derive(Debug)]
pub struct PosixShell {
    reader: ReadHalf<BoxLink>,
    writer: WriteHalf<BoxLink>,
    /// Typed, not yet written; a request that was dropped leaves its rest here, so that lines stay whole.
    out: Vec<u8>,
    seen: Vec<u8>,
    /// What came of a command whose end did not.
    cut_off: Vec<u8>,
    log: Masked,
    nonces: Nonces,
    options: PosixOptions,
}

/// The part of the output before the end marker, while it comes.
#[derive(Debug, Default)]
struct Kept {
    bytes: Vec<u8>,
    truncated: bool,
}

fn single_quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

/// The command as one line without keys: what a line editor would act on goes through `printf`.
fn evaluated(command: &str) -> String {
    if command.bytes().all(|byte| (0x20..0x7f).contains(&byte)) {
        return format!("eval {}", single_quoted(command));
    }
    let mut octal = String::new();
    for byte in command.bytes() {
        match byte {
            b'\\' | b'\'' | ..=0x1f | 0x7f.. => {
                let _ = write!(octal, "\\0{byte:03o}");
            }
            _ => octal.push(char::from(byte)),
        }
    }
    format!("eval \"$(printf %b '{octal}')\"")
}

impl PosixShell {
    /// Gets the shell on `link`, which has authenticated already, ready for [`Self::exec`].
    ///
    /// # Errors
    /// [`Error::LoginRejected`], [`Error::LinkClosed`], [`Error::Timeout`].
    pub async fn login(link: impl ByteLink + 'static, options: PosixOptions) -> Result<Self, Error> {
        let mut link: BoxLink = Box::new(link);
        link.resize(SIZE.cols, SIZE.rows);
        let (reader, writer) = tokio::io::split(link);
        let mut log = Masked::new(options.transcript.clone());
        for secret in &options.secrets {
            log.masker.add(secret);
        }
        let nonces = Nonces::new(options.seed);
        let mut shell =
            Self { reader, writer, out: Vec::new(), seen: Vec::new(), cut_off: Vec::new(), log, nonces, options };
        let nonce = shell.nonces.next();
        let each = shell.options.login / FIRST_TRIES;
        for attempt in 1.. {
            // No echo, no prompts, no translation of line ends.
            let setup = format!(
                "stty -echo -opost 2>/dev/null; unset PROMPT_COMMAND; PS1= PS2=; printf 'QA%sR\\n' {}",
                nonce.as_str()
            );
            shell.type_line(&setup);
            let ready = format!("QA{}R", nonce.as_str());
            let refused = b"Login failed, incorrect";
            let found = shell
                .until(each, "waiting for the shell", |seen| {
                    if let Some(at) = memmem::find(seen, ready.as_bytes()) {
                        seen.drain(..at + ready.len());
                        return Some(true);
                    }
                    memmem::find(seen, refused).map(|_| false)
                })
                .await;
            match found {
                Ok(true) => return Ok(shell),
                Ok(false) => return Err(Error::LoginRejected { user: shell.options.user.clone(), tried: 1 }),
                Err(Error::Timeout { .. }) if attempt < FIRST_TRIES => {}
                Err(error) => return Err(error),
            }
        }
        Err(Error::Closed)
    }

    /// Runs a command in a shell of its own, without input.
    ///
    /// # Errors
    /// [`Error::Unsendable`] for commands that a terminal would cut; after [`Error::Timeout`] and [`Error::LinkClosed`]
    /// what the command did is not known.
    pub async fn exec(&mut self, command: &str) -> Result<PosixOutput, Error> {
        let nonce = self.nonces.next();
        let name = nonce.as_str();
        let line =
            format!("printf 'QA%sB\\n' {name}; ({}) </dev/null; printf '\\nQA%sE%d\\n' {name} $?", evaluated(command));
        if line.len() > MAX_LINE {
            return Err(Error::Unsendable {
                why: format!("{} bytes are more than a terminal's line holds", line.len()),
            });
        }
        self.type_line(&line);
        let began = format!("QA{name}B");
        let end = format!("\nQA{name}E");
        let limit = self.options.command;
        let deadline = Instant::now() + limit;
        let crlf = self
            .until(limit, "waiting for a command to begin", |seen| {
                let at = memmem::find(seen, began.as_bytes())? + began.len();
                let line_end = memchr::memchr(b'\n', seen.get(at..)?)?;
                let crlf = seen.get(at) == Some(&b'\r');
                seen.drain(..=at + line_end);
                Some(crlf)
            })
            .await?;
        let mut kept = Kept::default();
        let left = deadline.saturating_duration_since(Instant::now());
        let status = self
            .until(left, "running a command", |seen| {
                let Some(at) = memmem::find(seen, end.as_bytes()) else {
                    // All but what may be the beginning of the marker is output.
                    let sure = seen.len().saturating_sub(end.len());
                    kept.take(seen, sure);
                    return None;
                };
                let digits_at = at + end.len();
                let line_end = memchr::memchr(b'\n', seen.get(digits_at..)?)?;
                let digits = String::from_utf8_lossy(&seen[digits_at..digits_at + line_end]).trim().parse::<u8>();
                kept.take(seen, at);
                seen.drain(..end.len() + line_end + 1);
                Some(digits)
            })
            .await;
        let status = match status {
            Ok(status) => status,
            Err(error) => {
                kept.bytes.append(&mut self.seen);
                self.cut_off = kept.bytes;
                return Err(error);
            }
        };
        let status = status.map_err(|_| Error::Garbled { what: "an exit status".into(), seen: String::new() })?;
        let mut bytes = kept.bytes;
        if crlf {
            // `stty` was not there to turn the translation off.
            let mut plain = Vec::with_capacity(bytes.len());
            for (at, byte) in bytes.iter().enumerate() {
                let next = bytes.get(at + 1);
                if !(*byte == b'\r' && (next == Some(&b'\n') || next.is_none())) {
                    plain.push(*byte);
                }
            }
            bytes = plain;
        }
        Ok(PosixOutput { bytes, status, truncated: kept.truncated })
    }

    /// What the last command had printed whose end did not come.
    pub fn cut_off(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.cut_off)
    }

    /// Ends the shell.
    ///
    /// # Errors
    /// [`Error::Timeout`] when it does not end.
    pub async fn close(mut self) -> Result<(), Error> {
        self.type_line("exit");
        match self.until(Duration::from_secs(5), "leaving the shell", |_| None::<()>).await {
            Ok(()) | Err(Error::LinkClosed { .. }) => Ok(()),
            Err(error) => Err(error),
        }
    }

    fn type_line(&mut self, line: &str) {
        self.log.record(Direction::Sent, line.as_bytes());
        self.log.record(Direction::Sent, b"\r");
        self.out.extend_from_slice(line.as_bytes());
        self.out.push(b'\r');
    }

    /// Reads and writes until `look` finds something in what was seen.
    async fn until<T>(
        &mut self,
        limit: Duration,
        waiting: &str,
        mut look: impl FnMut(&mut Vec<u8>) -> Option<T>,
    ) -> Result<T, Error> {
        let start = Instant::now();
        let deadline = start + limit;
        let mut chunk = vec![0; 16 * 1024];
        loop {
            if let Some(found) = look(&mut self.seen) {
                return Ok(found);
            }
            let ended = tokio::select! {
                biased;
                read = self.reader.read(&mut chunk) => match read {
                    Ok(0) => Some("end of stream".to_owned()),
                    Ok(count) => {
                        self.log.record(Direction::Received, &chunk[..count]);
                        self.seen.extend_from_slice(&chunk[..count]);
                        None
                    }
                    Err(error) => Some(error.to_string()),
                },
                written = self.writer.write(&self.out), if !self.out.is_empty() => match written {
                    Ok(0) => Some("nothing can be written".to_owned()),
                    Ok(count) => {
                        self.out.drain(..count);
                        None
                    }
                    Err(error) => Some(error.to_string()),
                },
                () = tokio::time::sleep_until(deadline) => {
                    let (waiting, seen) = (waiting.to_owned(), self.excerpt());
                    return Err(Error::Timeout { waiting, elapsed: start.elapsed(), seen });
                }
            };
            if let Some(why) = ended {
                if let Some(found) = look(&mut self.seen) {
                    return Ok(found);
                }
                return Err(Error::LinkClosed { waiting: waiting.to_owned(), why, seen: self.excerpt() });
            }
        }
    }

    fn excerpt(&self) -> String {
        let tail = &self.seen[self.seen.len().saturating_sub(1024)..];
        escape_tail(&self.log.masker.mask_text(&String::from_utf8_lossy(tail)), 240)
    }
}

impl Kept {
    /// Moves the first `count` bytes of `seen` here, as far as there is room.
    fn take(&mut self, seen: &mut Vec<u8>, count: usize) {
        let room = MAX_OUTPUT.saturating_sub(self.bytes.len());
        self.truncated |= count > room;
        self.bytes.extend(seen.drain(..count).take(room));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_lines_without_keys() {
        assert_eq!(evaluated("echo it's"), r"eval 'echo it'\''s'");
        assert_eq!(evaluated("a\tb\n'\\"), r#"eval "$(printf %b 'a\0011b\0012\0047\0134')""#);
    }

    #[test]
    fn output_is_bounded() {
        let mut kept = Kept::default();
        for _ in 0..20 {
            kept.take(&mut vec![b'x'; 1024 * 1024], 1024 * 1024);
        }
        assert!(kept.truncated && kept.bytes.len() == MAX_OUTPUT);
    }
}
