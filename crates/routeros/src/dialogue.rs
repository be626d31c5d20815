//! The tokio side of the expect engine: pumps a byte link, keeps the transcript.

use crate::boot::{self, Boot};
use crate::error::Error;
use crate::expect::{Event, Expect, Found, Pattern};
use crate::link::{BoxLink, ByteLink as _};
use crate::options::TermSize;
use crate::prompt::Prompt;
use crate::secret::Secret;
use crate::terminal::Line;
use crate::transcript::{Direction, Masked, Transcript};
use crate::wake::Legibility;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncRead as _, AsyncWrite as _, ReadBuf};
use tokio::time::Instant;

/// Bytes that are read in one go.
const READ: usize = 16 * 1024;
/// Bytes that wait to be written before answers to the router's questions are left out: it asks without listening.
const MAX_OUT: usize = 64 * 1024;

/// A line that reads like one of a boot is one, unless an answer comes behind it within this time: a command may print
/// anything.
const RESTARTS: Duration = Duration::from_secs(1);

/// A match, as [`Event::Matched`].
#[derive(Debug)]
pub(crate) struct Match {
    pub(crate) pattern: usize,
    pub(crate) found: Found,
    pub(crate) before: Vec<Line>,
}

#[derive(Debug)]
pub(crate) struct Dialogue {
    link: BoxLink,
    pub(crate) expect: Expect,
    pub(crate) log: Masked,
    out: Vec<u8>,
    epoch: Instant,
    /// The link's error, where it ended by one.
    fault: Option<String>,
    /// Of what came since it was last looked at.
    pub(crate) legibility: Legibility,
    size: TermSize,
    /// Lines that no key was typed behind: what a wake saw is not forgotten by the next one.
    pub(crate) standing: Vec<Line>,
    /// Boots that were waited for.
    pub(crate) boots: Vec<Boot>,
    /// On a serial line, whose session says nothing of its end: the line up to which a boot was looked for.
    guard: Option<u64>,
    /// When the router was last seen to go down or to start, with no answer of the session behind it.
    restart: Option<Duration>,
    /// A program of the router takes this byte for itself, unless it comes twice.
    prefix: Option<u8>,
}

impl Dialogue {
    pub(crate) fn new(mut link: BoxLink, size: TermSize, transcript: Option<Arc<dyn Transcript>>) -> Self {
        link.resize(size.cols, size.rows);
        Self {
            link,
            expect: Expect::new(size),
            log: Masked::new(transcript),
            out: Vec::new(),
            epoch: Instant::now(),
            fault: None,
            legibility: Legibility::default(),
            size,
            standing: Vec::new(),
            boots: Vec::new(),
            guard: None,
            restart: None,
            prefix: None,
        }
    }

    /// The link again; what was read from it and not looked at is lost.
    pub(crate) fn into_link(self) -> BoxLink {
        self.link
    }

    /// The link's speed, where it has one that can be set.
    pub(crate) fn speed(&self) -> Option<u32> {
        self.link.speed()
    }

    /// Why the link shows garbage, where it knows.
    pub(crate) fn unfit(&self) -> Option<String> {
        self.link.unfit()
    }

    /// Another speed, where the link has one.
    pub(crate) fn set_speed(&mut self, baud: u32) -> bool {
        self.link.set_speed(baud)
    }

    /// Forgets what came: it was read at another speed.
    pub(crate) fn forget(&mut self) {
        self.expect = Expect::new(self.size);
        self.legibility = Legibility::default();
    }

    pub(crate) fn describe(&self) -> String {
        self.link.describe()
    }

    /// The prompt of the router on the way, where the link leads through one.
    pub(crate) fn near_prompt(&self) -> Option<&str> {
        self.link.near_prompt()
    }

    /// Tells the link whose prompt is to be expected.
    pub(crate) fn far_prompt(&mut self, prompt: &str) {
        self.link.far_prompt(prompt);
    }

    /// From now on that byte is doubled in what somebody else types; see [`Self::poll_type`].
    pub(crate) fn set_prefix(&mut self, prefix: Option<u8>) {
        self.prefix = prefix;
    }

    /// Takes back what has not left yet.
    pub(crate) fn take_back(&mut self) {
        self.out.clear();
    }

    fn now(&self) -> Duration {
        self.epoch.elapsed()
    }

    /// Queues bytes; they leave during the next wait, or while the session is idle.
    pub(crate) fn send(&mut self, bytes: &[u8]) {
        self.expect.sending();
        self.log.record(Direction::Sent, bytes);
        self.out.extend_from_slice(bytes);
    }

    /// Queues a secret and Enter.
    pub(crate) fn send_secret(&mut self, secret: &Secret) {
        self.expect.sending();
        self.log.record_masked();
        self.log.record(Direction::Sent, b"\r");
        self.out.extend_from_slice(secret.reveal().as_bytes());
        self.out.push(b'\r');
    }

    /// The last that was seen, fit to be shown.
    pub(crate) fn seen(&self) -> String {
        if self.log.is_private() { "[withheld]".into() } else { self.log.masker.mask_text(&self.expect.excerpt()) }
    }

    pub(crate) fn closed(&self, waiting: &str) -> Error {
        Error::LinkClosed {
            waiting: waiting.to_owned(),
            why: self.fault.clone().unwrap_or_else(|| "end of stream".into()),
            seen: self.seen(),
        }
    }

    /// From now on a boot that shows on the line is the end of the session: nothing is typed into one.
    pub(crate) fn guard(&mut self) {
        self.guard = Some(self.expect.line_number());
        self.restart = None;
    }

    /// Whether this is a serial line, whose session has begun: nothing proves what it carries, and its end is said by nobody.
    pub(crate) fn is_line(&self) -> bool {
        self.guard.is_some()
    }

    /// Boots are no end any more: they are what is waited for.
    pub(crate) fn unguard(&mut self) {
        self.guard = None;
    }

    /// Whether a boot was seen, with no answer of the session behind it.
    pub(crate) fn restarts(&self) -> bool {
        self.restart.is_some()
    }

    fn look_for_boot(&mut self, now: Duration) {
        let Some(from) = self.guard else { return };
        if self.expect.finished_since(from).any(|line| boot::sign(line) == Some(boot::Sign::Booting)) {
            self.restart.get_or_insert(now);
        }
        self.guard = Some(self.expect.line_number());
    }

    /// Waits until a pattern matches.
    pub(crate) async fn wait(
        &mut self,
        patterns: Vec<Pattern>,
        limit: Duration,
        waiting: &str,
    ) -> Result<Match, Error> {
        let start = self.now();
        self.expect.expect(start, patterns, start + limit);
        loop {
            match self.expect.poll_event() {
                Some(Event::Matched { pattern, found, before }) => {
                    if found != Found::Quiet {
                        self.restart = None;
                    }
                    return Ok(Match { pattern, found, before });
                }
                Some(Event::Eof) => return Err(self.closed(waiting)),
                Some(Event::Timeout) => {
                    return Err(Error::Timeout {
                        waiting: waiting.to_owned(),
                        elapsed: self.now() - start,
                        seen: self.seen(),
                    });
                }
                None => {}
            }
            let restarts = self.restart.filter(|_| self.guard.is_some()).map(|at| at + RESTARTS);
            if restarts.is_some_and(|at| at <= self.now()) {
                self.fault = Some("the router restarts".into());
                return Err(self.closed(waiting));
            }
            let wake = self.expect.poll_timeout().unwrap_or(start + limit);
            let wake = self.epoch + restarts.map_or(wake, |at| at.min(wake));
            tokio::select! {
                biased;
                () = self.pump() => {}
                () = tokio::time::sleep_until(wake) => {
                    let now = self.now();
                    self.expect.handle_timeout(now);
                }
            }
        }
    }

    /// Takes in what has come already, without waiting.
    pub(crate) async fn catch_up(&mut self) {
        while !self.expect.at_eof() {
            let more = poll_fn(|cx| Poll::Ready(self.poll_pump(cx).is_ready())).await;
            if !more {
                break;
            }
        }
    }

    /// Moves bytes until some came, or the stream ended; cancel-safe. Never ends again after the stream has ended.
    pub(crate) async fn pump(&mut self) {
        poll_fn(|cx| self.poll_pump(cx)).await;
    }

    fn poll_pump(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if self.expect.at_eof() {
            return Poll::Pending;
        }
        if self.out.len() < MAX_OUT
            && let Some(answers) = self.expect.poll_transmit()
        {
            self.log.record(Direction::Sent, &answers);
            self.out.extend_from_slice(&answers);
        }
        if let Err(fault) = self.write_out(cx) {
            return self.end(Some(fault.to_string()));
        }
        let mut space = [0; READ];
        let mut buffer = ReadBuf::new(&mut space);
        match Pin::new(&mut self.link).poll_read(cx, &mut buffer) {
            Poll::Pending => Poll::Pending,
            Poll::Ready(Err(fault)) => self.end(Some(fault.to_string())),
            Poll::Ready(Ok(())) if buffer.filled().is_empty() => self.end(None),
            Poll::Ready(Ok(())) => {
                let now = self.now();
                self.log.record(Direction::Received, buffer.filled());
                self.legibility.on_bytes(buffer.filled());
                self.expect.on_bytes(now, buffer.filled());
                self.look_for_boot(now);
                Poll::Ready(())
            }
        }
    }

    /// Hands on what comes. It is looked at only to know what stands at the cursor: whoever reads answers the router.
    pub(crate) fn poll_pass(&mut self, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<std::io::Result<()>> {
        let before = buf.filled().len();
        let polled = std::task::ready!(Pin::new(&mut self.link).poll_read(cx, buf));
        let now = self.now();
        match (&polled, buf.filled().get(before..).unwrap_or_default()) {
            (Err(fault), _) => drop(self.end(Some(fault.to_string()))),
            (Ok(()), []) => drop(self.end(None)),
            (Ok(()), news) => {
                self.expect.on_bytes(now, news);
                self.look_for_boot(now);
                if Prompt::parse(&self.expect.current()).is_some() {
                    self.restart = None;
                }
            }
        }
        while self.expect.poll_transmit().is_some() {}
        Poll::Ready(polled)
    }

    /// Types what somebody else types; no transcript keeps it.
    pub(crate) fn poll_type(&mut self, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<std::io::Result<usize>> {
        let Some(prefix) = self.prefix else { return Pin::new(&mut self.link).poll_write(cx, bytes) };
        std::task::ready!(self.poll_out(cx))?;
        let taken = bytes.get(..MAX_OUT.min(bytes.len())).unwrap_or_default();
        for byte in taken {
            self.out.extend(std::iter::repeat_n(*byte, if *byte == prefix { 2 } else { 1 }));
        }
        self.write_out(cx)?;
        Poll::Ready(Ok(taken.len()))
    }

    pub(crate) fn poll_typed(&mut self, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        std::task::ready!(self.poll_out(cx))?;
        Pin::new(&mut self.link).poll_flush(cx)
    }

    /// Until all that was queued has left.
    fn poll_out(&mut self, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        self.write_out(cx)?;
        if self.out.is_empty() { Poll::Ready(Ok(())) } else { Poll::Pending }
    }

    /// Writes what the link takes now. Reading goes on meanwhile: a far side that is blocked on its own output
    /// would never read ours.
    fn write_out(&mut self, cx: &mut Context<'_>) -> std::io::Result<()> {
        let mut link = Pin::new(&mut self.link);
        while !self.out.is_empty() {
            match link.as_mut().poll_write(cx, &self.out) {
                Poll::Pending => return Ok(()),
                Poll::Ready(Ok(0)) => return Err(std::io::ErrorKind::WriteZero.into()),
                Poll::Ready(Ok(written)) => drop(self.out.drain(..written)),
                Poll::Ready(Err(fault)) => return Err(fault),
            }
        }
        match link.poll_flush(cx) {
            Poll::Ready(Err(fault)) => Err(fault),
            _ => Ok(()),
        }
    }

    fn end(&mut self, fault: Option<String>) -> Poll<()> {
        self.fault = fault;
        let now = self.now();
        self.expect.on_eof(now);
        Poll::Ready(())
    }
}
