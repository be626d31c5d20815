//! The terminal probe at login: where does the cursor go when it is sent far away?
//!
//! The first question is T20's, the rounds are T22's. An answer that no terminal with a true cursor gives
//! is wrong, and the same question comes again; when the patience is over the terminal has 80 columns.

use std::future::poll_fn;
use std::pin::Pin;
use std::task::Poll;
use std::time::Duration;

use crate::kernel::Sleep;

use super::wire::{Size, Wire};

/// Time between a wrong answer and the next try. Sources only say that the router "keeps probing" \[I\].
const RETRY: Duration = Duration::from_secs(1);

/// Wider answers count as this \[S1\].
const MAX_COLUMNS: u16 = 10_000;

/// Bytes typed into the probe that are kept; the rest is lost.
const MAX_TYPED: usize = 1024;

/// Longest answer looked at.
const MAX_ANSWER: usize = 32;

/// What the probe asks, in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    /// Is there a terminal? (DECID and a cursor report)
    Hello,
    /// Rows.
    Height,
    /// Rows, checked.
    Check,
    /// Columns.
    Width,
    /// Does a letter of two bytes take one column?
    Utf8,
}

impl Step {
    fn question(self) -> &'static [u8] {
        match self {
            Self::Hello => b"\r\x1b[9999B\r\x1b[9999B\x1bZ  \x1b[6n",
            Self::Height => b"\x1b[H\x1b[9999B\x1bZ\x1b[6n",
            Self::Check => b"\x1b[H\x1b[9999B\x1bD\x1b[9999A\x1b[6n",
            Self::Width => b"\x1b[H\x1b[9999C\x1b[6n",
            Self::Utf8 => b"\x1b[H\xC3\xA9H\x1b[6n",
        }
    }

    /// Whether the question holds `ESC Z`, to be answered beside the cursor report.
    fn wants_identity(self) -> bool {
        matches!(self, Self::Hello | Self::Height)
    }

    fn next(self) -> Option<Self> {
        match self {
            Self::Hello => Some(Self::Height),
            Self::Height => Some(Self::Check),
            Self::Check => Some(Self::Width),
            Self::Width => Some(Self::Utf8),
            Self::Utf8 => None,
        }
    }
}

/// What came back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Answer {
    /// `ESC [ row ; column R`
    Cursor(u16, u16),
    /// `ESC [ ? ... c` or `ESC / Z`
    Identity,
}

/// Takes answers out of what is typed.
#[derive(Debug, Default)]
struct Answers {
    partial: Vec<u8>,
    /// What was no answer. Line ends are lost, so that commands sent too early are glued together \[T21\].
    typed: Vec<u8>,
}

impl Answers {
    fn feed(&mut self, byte: u8) -> Option<Answer> {
        match (self.partial.as_slice(), byte) {
            (_, 0x1B) => {
                self.give_up();
                self.partial.push(byte);
            }
            ([], _) => self.keep(byte),
            ([_], b'[' | b'/') => self.partial.push(byte),
            ([_], _) => self.reject(byte),
            ([_, b'/'], b'Z') => {
                self.partial.clear();
                return Some(Answer::Identity);
            }
            ([_, b'/'], _) => self.reject(byte),
            (_, b'R' | b'c') => {
                let answer = parse(self.partial.get(2..).unwrap_or_default(), byte);
                if answer.is_none() {
                    self.reject(byte);
                }
                self.partial.clear();
                return answer;
            }
            (partial, b'0'..=b'9' | b';' | b'?' | b'>') if partial.len() < MAX_ANSWER => self.partial.push(byte),
            _ => self.reject(byte),
        }
        None
    }

    fn keep(&mut self, byte: u8) {
        if !matches!(byte, b'\r' | b'\n') && self.typed.len() < MAX_TYPED {
            self.typed.push(byte);
        }
    }

    fn give_up(&mut self) {
        for byte in std::mem::take(&mut self.partial) {
            self.keep(byte);
        }
    }

    fn reject(&mut self, byte: u8) {
        self.give_up();
        self.keep(byte);
    }
}

fn parse(parameters: &[u8], last: u8) -> Option<Answer> {
    if last == b'c' {
        return Some(Answer::Identity);
    }
    let (row, column) = std::str::from_utf8(parameters).ok()?.split_once(';')?;
    Some(Answer::Cursor(row.parse().ok()?, column.parse().ok()?))
}

/// The dialogue's state.
#[derive(Debug)]
struct Probe {
    step: Step,
    identified: bool,
    cursor: Option<(u16, u16)>,
    rows: u16,
    columns: u16,
    utf8: bool,
}

#[derive(Debug, PartialEq, Eq)]
enum Progress {
    Waiting,
    Next,
    Wrong,
    Done,
}

impl Probe {
    fn new() -> Self {
        Self { step: Step::Hello, identified: false, cursor: None, rows: 0, columns: 0, utf8: false }
    }

    fn answer(&mut self, answer: Answer) -> Progress {
        match answer {
            Answer::Identity => self.identified = true,
            Answer::Cursor(row, column) => self.cursor = Some((row, column)),
        }
        let Some((row, column)) = self.cursor else { return Progress::Waiting };
        if self.step.wants_identity() && !self.identified {
            return Progress::Waiting;
        }
        self.reset();
        // All questions but the first put the cursor home before they send it away.
        let right = match self.step {
            Step::Hello => true,
            Step::Height => {
                self.rows = row;
                row > 0 && column == 1
            }
            // The true position is the first row; an emulator that works with RouterOS says the last [T22].
            Step::Check => (row == 1 || row == self.rows) && column == 1,
            Step::Width => {
                self.columns = column.min(MAX_COLUMNS);
                row == 1 && column > 0
            }
            Step::Utf8 => {
                self.utf8 = column == 3;
                row == 1
            }
        };
        if !right {
            return Progress::Wrong;
        }
        match self.step.next() {
            Some(step) => {
                self.step = step;
                Progress::Next
            }
            None => Progress::Done,
        }
    }

    fn reset(&mut self) {
        self.cursor = None;
        self.identified = false;
    }
}

/// Asks until the terminal is known or the patience is over. `None`: nobody answered rightly. What was
/// typed meanwhile goes back to the type-ahead.
pub(super) async fn probe(wire: &Wire, patience: Duration) -> Option<(Size, bool)> {
    let mut probe = Probe::new();
    let mut answers = Answers::default();
    let mut deadline = wire.sleep(patience);
    let mut retry: Option<Sleep> = None;
    wire.put(probe.step.question());
    let found = poll_fn(|cx| {
        loop {
            if Pin::new(&mut deadline).poll(cx).is_ready() {
                return Poll::Ready(None);
            }
            if let Some(sleep) = retry.as_mut()
                && Pin::new(sleep).poll(cx).is_ready()
            {
                retry = None;
                probe.reset();
                wire.put(probe.step.question());
            }
            let byte = match wire.poll_byte(cx) {
                Poll::Ready(Some(byte)) => byte,
                Poll::Ready(None) => return Poll::Ready(None),
                Poll::Pending => return Poll::Pending,
            };
            match answers.feed(byte).map(|answer| probe.answer(answer)) {
                Some(Progress::Next) => wire.put(probe.step.question()),
                Some(Progress::Wrong) if retry.is_none() => retry = Some(wire.sleep(RETRY)),
                Some(Progress::Done) => {
                    return Poll::Ready(Some((Size { columns: probe.columns, rows: probe.rows }, probe.utf8)));
                }
                None | Some(Progress::Waiting | Progress::Wrong) => {}
            }
        }
    })
    .await;
    answers.give_up();
    wire.unread(&answers.typed);
    match found {
        // Modes [T22]; then blanks over the test letters, which is inferred.
        Some(_) => wire.put(b"\x1b[4l\x1b[20l\x1b[?7h\x1b[?5l\x1b[?25h\x1b[r\x1b[H  \r\x1b[9999B"),
        None => wire.put(b"\x1b[9999B"),
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_told_from_typing() {
        let mut answers = Answers::default();
        let found: Vec<_> =
            b"qu\x1b[25;1Ri\rt\x1b[?1;0c\x1b/Z\x1b[A\x1b[1".iter().filter_map(|byte| answers.feed(*byte)).collect();
        assert_eq!(found, [Answer::Cursor(25, 1), Answer::Identity, Answer::Identity]);
        answers.give_up();
        assert_eq!(answers.typed, b"quit\x1b[A\x1b[1");
    }

    #[test]
    fn a_fixed_report_is_wrong_in_the_second_round_but_1_1_passes() {
        let mut fixed = Probe::new();
        assert_eq!(fixed.answer(Answer::Identity), Progress::Waiting);
        assert_eq!(fixed.answer(Answer::Cursor(24, 80)), Progress::Next);
        fixed.answer(Answer::Identity);
        assert_eq!(fixed.answer(Answer::Cursor(24, 80)), Progress::Wrong);
        let mut one = Probe::new();
        for progress in [Progress::Next, Progress::Next] {
            one.answer(Answer::Identity);
            assert_eq!(one.answer(Answer::Cursor(1, 1)), progress);
        }
        assert_eq!(one.answer(Answer::Cursor(1, 1)), Progress::Next);
        assert_eq!(one.answer(Answer::Cursor(1, 1)), Progress::Next);
        assert_eq!(one.answer(Answer::Cursor(1, 1)), Progress::Done);
        assert_eq!((one.columns, one.rows, one.utf8), (1, 1, false));
    }
}
