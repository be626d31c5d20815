//! The expect engine: bytes and time in, answers and events out. It does no I/O and reads no clock.
//!
//! Lines are matched when they are finished, in their order, so that the earliest match wins however the bytes were
//! cut into packets. Prompts and questions are matched at the cursor, after a silence that the pattern names.

use crate::options::TermSize;
use crate::prompt::Prompt;
use crate::question::{Question, Tail};
use crate::terminal::{Line, Terminal};
use regex::Regex;
use std::fmt::Write as _;
use std::mem::{Discriminant, discriminant};
use std::time::Duration;

/// How much of the last text an error shows, in characters.
pub const EXCERPT: usize = 240;

/// What to wait for.
#[derive(Debug, Clone)]
pub enum Pattern {
    /// A finished line that holds this text.
    Line(String),
    /// A finished line of this form.
    LineRegex(Regex),
    /// Any prompt at the cursor, and then silence for that long.
    Prompt(Duration),
    /// Any question at the cursor, and then silence: the first for plain ones, the second for those that are doubtful.
    Question(Duration, Duration),
    /// The line at the cursor ends with this text.
    Cursor(String),
    /// Silence for that long, counted from the last byte or from the start of the wait.
    Quiet(Duration),
}

/// What was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// A finished line.
    Line(Line),
    /// A prompt at the cursor.
    Prompt(Prompt),
    /// A question at the cursor.
    Question(Question),
    /// The text at the cursor.
    Cursor,
    /// Silence.
    Quiet,
}

/// How a wait ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// A pattern matched.
    Matched {
        /// Its place in the list.
        pattern: usize,
        /// What it matched.
        found: Found,
        /// The finished lines between the last match and this one.
        before: Vec<Line>,
    },
    /// The deadline passed. Nothing is consumed.
    Timeout,
    /// The stream ended and nothing that had come matched. Nothing is consumed.
    Eof,
}

#[derive(Debug)]
struct Wait {
    patterns: Vec<Pattern>,
    since: Duration,
    deadline: Duration,
    /// Lines before this have been looked at.
    scanned: u64,
}

/// The engine. Times are counted from an epoch of the caller's choice.
#[derive(Debug)]
pub struct Expect {
    terminal: Terminal,
    /// Lines before this are consumed.
    next_line: u64,
    /// What is at the cursor was matched, or something was sent since: it counts again only after new bytes.
    tail_used: bool,
    last_byte: Duration,
    eof: bool,
    wait: Option<Wait>,
    event: Option<Event>,
    /// The question that was matched last, by line and kind: it stands there until its line is over.
    asked: Option<(u64, Discriminant<Question>)>,
    /// Kept lines were lost to the limits before they were consumed.
    lost: bool,
}

/// What is at the cursor, or the last line above it.
struct Seen<'a> {
    current: String,
    previous: Option<&'a Line>,
    /// The number of the line that counts: the previous one where nothing is at the cursor.
    number: u64,
}

impl Expect {
    /// An engine whose terminal has this size.
    pub fn new(size: TermSize) -> Self {
        Self {
            terminal: Terminal::new(size),
            next_line: 0,
            tail_used: true,
            last_byte: Duration::ZERO,
            eof: false,
            wait: None,
            event: None,
            asked: None,
            lost: false,
        }
    }

    /// Bytes came.
    pub fn on_bytes(&mut self, now: Duration, bytes: &[u8]) {
        if bytes.is_empty() {
            return;
        }
        self.terminal.on_bytes(bytes);
        self.last_byte = now;
        self.tail_used = false;
        if self.terminal.oldest() > self.next_line {
            self.next_line = self.terminal.oldest();
            self.lost = true;
        }
        self.advance(now);
    }

    /// The stream ended.
    pub fn on_eof(&mut self, now: Duration) {
        self.eof = true;
        self.advance(now);
    }

    /// Time passed.
    pub fn handle_timeout(&mut self, now: Duration) {
        self.advance(now);
    }

    /// Answers to the router's questions about its terminal.
    pub fn poll_transmit(&mut self) -> Option<Vec<u8>> {
        let replies = self.terminal.take_replies();
        (!replies.is_empty()).then_some(replies)
    }

    /// How the wait ended, once.
    pub fn poll_event(&mut self) -> Option<Event> {
        self.event.take()
    }

    /// When to call [`Self::handle_timeout`] if nothing comes before.
    pub fn poll_timeout(&self) -> Option<Duration> {
        let wait = self.wait.as_ref()?;
        let tail = self.tail();
        wait.patterns.iter().filter_map(|pattern| self.ripe_at(pattern, wait, &tail)).chain([wait.deadline]).min()
    }

    /// Starts a wait; a wait before it is forgotten. With `now` past the deadline only what has come already matches.
    pub fn expect(&mut self, now: Duration, patterns: Vec<Pattern>, deadline: Duration) {
        self.event = None;
        self.wait = Some(Wait { patterns, since: now, deadline, scanned: self.next_line });
        self.advance(now);
    }

    /// Something is about to be sent: what is at the cursor now is no answer to it. Lines finished until now stay.
    pub fn sending(&mut self) {
        self.tail_used = true;
    }

    /// Forgets every finished line: a new exchange begins.
    pub fn discard(&mut self) {
        self.next_line = self.terminal.line_number();
        self.terminal.forget_before(self.next_line);
        self.lost = false;
    }

    /// The prompt to recognise when it is painted over.
    pub fn set_prompt(&mut self, prompt: &Prompt) {
        self.terminal.set_prompt(&prompt.text);
    }

    /// How wide the router paints its prompt; see [`Terminal::painted`].
    pub(crate) fn painted(&self) -> Option<usize> {
        self.terminal.painted()
    }

    /// What is at the cursor.
    pub fn current(&self) -> String {
        self.terminal.current()
    }

    /// The number of the line at the cursor.
    pub(crate) fn line_number(&self) -> u64 {
        self.terminal.line_number()
    }

    /// Finished lines from this number on that are no prompt, as far as they are still kept.
    pub(crate) fn finished_since(&self, from: u64) -> impl Iterator<Item = &str> {
        let kept = from.max(self.terminal.oldest())..self.terminal.line_number();
        kept.filter_map(|number| self.terminal.line(number)).filter(|line| !line.prompt).map(|line| line.text.as_str())
    }

    /// Whether lines were lost to the limits since [`Self::discard`].
    pub fn lost(&self) -> bool {
        self.lost
    }

    /// Whether the stream has ended.
    pub fn at_eof(&self) -> bool {
        self.eof
    }

    /// The last of what was seen, control characters escaped, for errors.
    pub fn excerpt(&self) -> String {
        let mut text = String::new();
        let end = self.terminal.line_number();
        for line in (end.saturating_sub(8)..end).filter_map(|number| self.terminal.line(number)) {
            if !line.prompt && !line.text.trim().is_empty() {
                text.push_str(line.text.trim_end());
                text.push('\n');
            }
        }
        text.push_str(self.terminal.current().trim_end());
        escape_tail(&text, EXCERPT)
    }

    /// Consumed lines are forgotten at the next discard, so `before` can be shown again in an error.
    fn take_before(&mut self, end: u64) -> Vec<Line> {
        let lines = (self.next_line..end).filter_map(|number| self.terminal.line(number)).cloned().collect::<Vec<_>>();
        self.next_line = end;
        lines
    }

    /// The finished lines behind the last match, which stay to be matched.
    pub(crate) fn unmatched(&self) -> impl Iterator<Item = &Line> {
        (self.next_line..self.terminal.line_number()).filter_map(|number| self.terminal.line(number))
    }

    fn tail(&self) -> Seen<'_> {
        let current = self.terminal.current();
        let mut previous = None;
        let mut number = self.terminal.line_number();
        if current.trim().is_empty() {
            let end = self.terminal.line_number();
            let last = (self.next_line.max(end.saturating_sub(4))..end)
                .rev()
                .filter_map(|number| Some((number, self.terminal.line(number)?)))
                .find(|(_, line)| !line.prompt && !line.text.trim().is_empty());
            if let Some((at, line)) = last {
                previous = Some(line);
                number = at;
            }
        }
        Seen { current, previous, number }
    }

    fn tail_match(&self, pattern: &Pattern, tail: &Seen<'_>) -> Option<(Found, Duration)> {
        if self.tail_used {
            return None;
        }
        match pattern {
            Pattern::Prompt(settle) => Prompt::parse(&tail.current).map(|prompt| (Found::Prompt(prompt), *settle)),
            Pattern::Cursor(text) => {
                tail.current.trim_end().ends_with(text.trim_end()).then_some((Found::Cursor, Duration::ZERO))
            }
            Pattern::Question(plain, doubtful) => {
                let previous = tail.previous.map(|line| line.text.as_str());
                let question = Question::at(Tail { current: &tail.current, previous })?;
                if self.asked == Some((tail.number, discriminant(&question))) {
                    return None;
                }
                let settle = if question.is_doubtful() { *doubtful } else { *plain };
                Some((Found::Question(question), settle))
            }
            _ => None,
        }
    }

    fn ripe_at(&self, pattern: &Pattern, wait: &Wait, tail: &Seen<'_>) -> Option<Duration> {
        match pattern {
            Pattern::Quiet(silence) => Some(self.last_byte.max(wait.since) + *silence),
            _ => self.tail_match(pattern, tail).map(|(_, settle)| self.last_byte + settle),
        }
    }

    fn advance(&mut self, now: Duration) {
        let Some(mut wait) = self.wait.take() else { return };
        self.event = self.look(now, &mut wait);
        if self.event.is_none() {
            self.wait = Some(wait);
        }
    }

    fn look(&mut self, now: Duration, wait: &mut Wait) -> Option<Event> {
        let end = self.terminal.line_number();
        for number in wait.scanned.max(self.next_line)..end {
            let Some(line) = self.terminal.line(number) else { continue };
            let hit = wait.patterns.iter().position(|pattern| match pattern {
                Pattern::Line(text) => line.text.contains(text.as_str()),
                Pattern::LineRegex(regex) => regex.is_match(&line.text),
                _ => false,
            });
            if let Some(pattern) = hit {
                let found = Found::Line(line.clone());
                let before = self.take_before(number);
                self.next_line = number + 1;
                return Some(Event::Matched { pattern, found, before });
            }
        }
        wait.scanned = end;
        let wait = &*wait;
        let ripe = {
            let tail = self.tail();
            wait.patterns.iter().enumerate().find_map(|(at, pattern)| {
                // A stream that has ended can't add anything: what is at the cursor has settled.
                let due = self.ripe_at(pattern, wait, &tail)?;
                let quiet = matches!(pattern, Pattern::Quiet(_));
                if due > now && (quiet || !self.eof) {
                    return None;
                }
                let found = self.tail_match(pattern, &tail).map_or(Found::Quiet, |(found, _)| found);
                Some((at, found, tail.number))
            })
        };
        if let Some((pattern, found, number)) = ripe {
            if let Found::Question(question) = &found {
                self.asked = Some((number, discriminant(question)));
            }
            let before = self.take_before(end);
            if found != Found::Quiet {
                self.tail_used = true;
            }
            return Some(Event::Matched { pattern, found, before });
        }
        if self.eof {
            return Some(Event::Eof);
        }
        (now >= wait.deadline).then_some(Event::Timeout)
    }
}

/// The last `limit` characters, controls escaped.
pub(crate) fn escape_tail(text: &str, limit: usize) -> String {
    let skip = text.chars().count().saturating_sub(limit);
    let mut out = String::new();
    if skip > 0 {
        out.push_str("...");
    }
    for c in text.chars().skip(skip) {
        match c {
            '\n' => out.push_str("\\n"),
            c if c.is_control() => {
                let _ = write!(out, "\\x{:02x}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const SIZE: TermSize = TermSize { cols: 80, rows: 24 };
    const SETTLE: Duration = Duration::from_millis(100);

    fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    fn waiting(patterns: Vec<Pattern>) -> Expect {
        let mut e = Expect::new(SIZE);
        e.expect(ms(0), patterns, ms(1000));
        e
    }

    #[test]
    fn the_earliest_line_wins_not_the_first_pattern() {
        let mut e = waiting(vec![Pattern::Line("late".into()), Pattern::Line("early".into())]);
        e.on_bytes(ms(1), b"x\r\nearly\r\nlate\r\n");
        let Some(Event::Matched { pattern: 1, before, .. }) = e.poll_event() else { panic!() };
        assert_eq!(before.len(), 1);
        e.expect(ms(2), vec![Pattern::Line("late".into())], ms(3));
        assert!(matches!(e.poll_event(), Some(Event::Matched { pattern: 0, .. })), "lines that came already count");
    }

    #[test]
    fn prompts_settle() {
        let mut e = waiting(vec![Pattern::Prompt(SETTLE)]);
        e.on_bytes(ms(10), b"[a@b] > ");
        assert_eq!(e.poll_event(), None);
        assert_eq!(e.poll_timeout(), Some(ms(110)));
        e.on_bytes(ms(60), b"print");
        assert_eq!(e.poll_timeout(), Some(ms(1000)));
        e.on_bytes(ms(70), b"\r\n[a@b] > ");
        e.handle_timeout(ms(169));
        assert_eq!(e.poll_event(), None);
        e.handle_timeout(ms(170));
        let Some(Event::Matched { found: Found::Prompt(prompt), before, .. }) = e.poll_event() else { panic!() };
        assert_eq!((prompt.identity.as_str(), before.len()), ("b", 1));
        e.expect(ms(200), vec![Pattern::Prompt(Duration::ZERO)], ms(300));
        assert_eq!(e.poll_event(), None, "the same prompt does not count twice");
    }

    #[test]
    fn a_question_may_end_its_line() {
        let mut e = waiting(vec![Pattern::Question(ms(0), ms(0))]);
        e.on_bytes(ms(1), b"Reboot, yes? [y/N]: ");
        assert!(matches!(e.poll_event(), Some(Event::Matched { found: Found::Question(Question::YesNo(_)), .. })));
        e.expect(ms(2), vec![Pattern::Question(ms(0), ms(0))], ms(10));
        e.on_bytes(ms(3), b"\r\n");
        assert_eq!(e.poll_event(), None, "the same question, now that its line is finished");
        e.expect(ms(4), vec![Pattern::Question(ms(0), ms(0))], ms(10));
        e.on_bytes(ms(5), b"Really? [y/N]: \r\n");
        assert!(matches!(e.poll_event(), Some(Event::Matched { .. })), "another");
    }

    #[test]
    fn ends_of_waits() {
        let mut e = waiting(vec![Pattern::Line("x".into())]);
        e.on_bytes(ms(1), b"seen\x07 this\r\nand [that");
        e.handle_timeout(ms(1000));
        assert_eq!(e.poll_event(), Some(Event::Timeout));
        assert_eq!(e.excerpt(), "seen this\\nand [that");
        e.expect(ms(1001), vec![Pattern::Line("x".into())], ms(2000));
        e.on_eof(ms(1002));
        assert_eq!(e.poll_event(), Some(Event::Eof));
        e.expect(ms(1003), vec![Pattern::Line("seen".into())], ms(2000));
        assert!(matches!(e.poll_event(), Some(Event::Matched { .. })), "what came before the end still counts");
    }

    #[test]
    fn quiet_counts_from_the_last_byte() {
        let mut e = waiting(vec![Pattern::Quiet(ms(50))]);
        e.on_bytes(ms(40), b"x");
        assert_eq!(e.poll_timeout(), Some(ms(90)));
        e.handle_timeout(ms(90));
        assert!(matches!(e.poll_event(), Some(Event::Matched { found: Found::Quiet, .. })));
    }

    type Seen = (Vec<(String, bool)>, String, Vec<u8>, Option<Event>);

    fn chunked(bytes: &[u8], cuts: &[usize]) -> Seen {
        let mut e = waiting(vec![Pattern::Line("QZ".into()), Pattern::Line("QA".into())]);
        let mut answers = Vec::new();
        let mut rest = bytes;
        for cut in cuts {
            let (head, tail) = rest.split_at((*cut).min(rest.len()));
            e.on_bytes(ms(1), head);
            answers.extend(e.poll_transmit().unwrap_or_default());
            rest = tail;
        }
        e.on_bytes(ms(1), rest);
        answers.extend(e.poll_transmit().unwrap_or_default());
        let lines = (0..e.terminal.line_number()).filter_map(|n| e.terminal.line(n));
        (lines.map(|line| (line.text.clone(), line.clean)).collect(), e.current(), answers, e.poll_event())
    }

    /// Bytes that make the emulator work: text, controls, sequences, broken sequences.
    fn console_bytes() -> impl Strategy<Value = Vec<u8>> {
        let piece = prop_oneof![
            4 => "[ -~]{0,12}".prop_map(String::into_bytes),
            2 => Just(b"\r\n".to_vec()),
            1 => Just(b"\r".to_vec()),
            1 => Just(b"QA".to_vec()),
            1 => Just(b"QZ\r\n".to_vec()),
            2 => (0u16..12000, prop::sample::select(b"ABCDEFGHJKPX@dnrsu".to_vec()))
                .prop_map(|(n, c)| format!("\x1b[{n}{}", char::from(c)).into_bytes()),
            1 => Just(b"\x1b[6n\x1bZ\x1b[c".to_vec()),
            1 => Just(b"\x1bD\x1bM\x1bE\x1b7\x1b8".to_vec()),
            1 => Just("\u{e9}\u{20ac}".as_bytes().to_vec()),
            1 => prop::collection::vec(any::<u8>(), 0..8),
        ];
        prop::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
    }

    proptest! {
        #[test]
        fn packets_do_not_matter(bytes in console_bytes(), cuts in prop::collection::vec(0usize..16, 0..60)) {
            prop_assert_eq!(chunked(&bytes, &cuts), chunked(&bytes, &[]));
        }

        #[test]
        fn positions_are_on_the_terminal(bytes in console_bytes()) {
            let mut t = Terminal::new(SIZE);
            t.on_bytes(&bytes);
            let (row, col) = t.cursor();
            prop_assert!((1..=SIZE.rows).contains(&row) && (1..=SIZE.cols).contains(&col));
        }
    }
}
