//! The terminal that we claim to be: a true cursor for the router's questions, and the text that passed by.
//!
//! RouterOS measures its terminal at every login by sending the cursor to the far ends and asking where it is. Fixed
//! answers cost ten seconds or give a terminal of one cell, so the cursor here is a real one. The text is not a screen
//! but a list of lines in the order in which they were finished: what is matched and returned must not depend on how
//! high a screen is.

use crate::options::TermSize;
use crate::question;
use std::collections::VecDeque;
use std::fmt;
use vte::{Params, Perform};

/// Longest line that is kept, in characters. The longest that a router sends in one go is a file's 60 KB.
pub const MAX_LINE_CHARS: usize = 256 * 1024;
/// Finished text that is kept, in bytes; the oldest lines go first. Far above an export of a big router.
pub const MAX_KEPT_BYTES: usize = 4 * 1024 * 1024;
/// Finished lines that are kept: empty ones cost memory too.
pub const MAX_KEPT_LINES: usize = 128 * 1024;
/// Answers that wait to be sent, in bytes. A router asks a few questions at a time; a flood of them is not answered.
pub const MAX_REPLIES: usize = 4 * 1024;
/// How much of the line at the cursor is looked at for a password question, in characters: the longest such question.
const PASSWORD_TAIL: usize = 160;

/// One finished line.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Line {
    /// What was visible when the line ended, a line broken by the terminal's own wrap in one piece.
    pub text: String,
    /// Nothing but printable characters from left to right, each once: the text is exactly what was sent.
    pub clean: bool,
    /// Nothing but the learned prompt, overwritten by what came after.
    pub prompt: bool,
}

/// Cursor and text.
pub struct Terminal {
    parser: vte::Parser,
    state: State,
}

impl fmt::Debug for Terminal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = &self.state;
        f.debug_struct("Terminal").field("size", &state.size).field("row", &state.row).field("col", &state.col).finish()
    }
}

impl Terminal {
    /// An empty terminal with the cursor at home.
    pub fn new(size: TermSize) -> Self {
        let size = TermSize { cols: size.cols.max(1), rows: size.rows.max(1) };
        Self { parser: vte::Parser::new(), state: State { size, clean: true, ..State::default() } }
    }

    /// Takes bytes as they came; an escape or a character may be split over several calls.
    pub fn on_bytes(&mut self, bytes: &[u8]) {
        // One at a time: how many replacement characters the parser makes of broken UTF-8 depends on where a slice
        // ends, and what is shown must not depend on packets.
        for byte in bytes {
            self.parser.advance(&mut self.state, std::slice::from_ref(byte));
        }
    }

    /// Answers to the router's questions about the terminal.
    pub fn take_replies(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.state.replies)
    }

    /// The line at the cursor, not finished yet.
    pub fn current(&self) -> String {
        self.state.line.iter().collect()
    }

    /// Number of the line at the cursor: finished lines have smaller ones.
    pub fn line_number(&self) -> u64 {
        self.state.first + self.state.lines.len() as u64
    }

    /// Number of the oldest line that is still kept.
    pub fn oldest(&self) -> u64 {
        self.state.first
    }

    /// A finished line that is still kept.
    pub fn line(&self, number: u64) -> Option<&Line> {
        usize::try_from(number.checked_sub(self.state.first)?).ok().and_then(|at| self.state.lines.get(at))
    }

    /// Forgets finished lines before `number`.
    pub fn forget_before(&mut self, number: u64) {
        while self.state.first < number {
            let Some(line) = self.state.lines.pop_front() else { break };
            self.state.kept -= line.text.len();
            self.state.first += 1;
        }
    }

    /// The prompt to recognise when it is painted over.
    pub fn set_prompt(&mut self, prompt: &str) {
        self.state.prompt = Some(prompt.trim_end().to_owned());
        self.state.painted = None;
    }

    /// How wide the router's own idea of this terminal is, where it has painted its prompt since it is known: the prompt is
    /// padded to one column less (transcripts 18 to 20).
    pub fn painted(&self) -> Option<usize> {
        self.state.painted.map(|columns| columns + 1)
    }

    /// Row and column of the cursor, from 1.
    pub fn cursor(&self) -> (u16, u16) {
        (self.state.row + 1, self.state.col + 1)
    }
}

struct State {
    size: TermSize,
    /// Cursor, from 0.
    row: u16,
    col: u16,
    /// The last column was printed to; the next character wraps.
    wrap_pending: bool,
    saved: (u16, u16),
    /// The line at the cursor, all rows of a wrapped one.
    line: Vec<char>,
    /// Where in `line` the cursor's row begins.
    base: usize,
    clean: bool,
    /// A carriage return on a line with text: clean only if the line ends here.
    returned: bool,
    lines: VecDeque<Line>,
    first: u64,
    kept: usize,
    replies: Vec<u8>,
    prompt: Option<String>,
    /// Characters of the prompt as it was painted last, with what it is padded with.
    painted: Option<usize>,
}

impl Default for State {
    fn default() -> Self {
        Self {
            size: TermSize { cols: 80, rows: 24 },
            row: 0,
            col: 0,
            wrap_pending: false,
            saved: (0, 0),
            line: Vec::new(),
            base: 0,
            clean: true,
            returned: false,
            lines: VecDeque::new(),
            first: 0,
            kept: 0,
            replies: Vec::new(),
            prompt: None,
            painted: None,
        }
    }
}

impl State {
    fn finish_line(&mut self, prompt: bool) {
        let text: String = self.line.drain(..).collect();
        self.kept += text.len();
        self.lines.push_back(Line { text, clean: self.clean && !prompt, prompt });
        self.base = 0;
        self.clean = true;
        self.returned = false;
        while self.kept > MAX_KEPT_BYTES || self.lines.len() > MAX_KEPT_LINES {
            let Some(oldest) = self.lines.pop_front() else { break };
            self.kept -= oldest.text.len();
            self.first += 1;
        }
    }

    /// Any control that is not the end of the line: what is on the line may not be what was sent.
    fn disturb(&mut self) {
        if !self.line.is_empty() {
            self.clean = false;
        }
    }

    /// Moves to another row: within a wrapped line that is the same line, else the line has ended.
    fn go_to_row(&mut self, row: u16) {
        self.wrap_pending = false;
        if row == self.row {
            return;
        }
        let cols = usize::from(self.size.cols);
        let base = if row < self.row {
            self.base.checked_sub(usize::from(self.row - row) * cols)
        } else {
            Some(self.base + usize::from(row - self.row) * cols).filter(|base| *base < self.line.len())
        };
        match base {
            Some(base) => {
                self.base = base;
                self.disturb();
            }
            None if self.line.is_empty() => self.base = 0,
            None => self.finish_line(false),
        }
        self.row = row;
    }

    fn up(&mut self, by: u16) {
        self.go_to_row(self.row.saturating_sub(by));
    }

    fn down(&mut self, by: u16) {
        self.go_to_row(self.row.saturating_add(by).min(self.size.rows - 1));
    }

    fn go_to_col(&mut self, col: u16) {
        self.disturb();
        self.wrap_pending = false;
        self.col = col.min(self.size.cols - 1);
    }

    fn line_feed(&mut self) {
        self.finish_line(false);
        self.wrap_pending = false;
        self.row = (self.row + 1).min(self.size.rows - 1);
    }

    fn carriage_return(&mut self) {
        self.wrap_pending = false;
        let over_prompt = !self.line.is_empty()
            && self.prompt.as_deref().is_some_and(|prompt| {
                // A painted prompt is padded to the width at most; longer lines are not looked at.
                self.line.len() <= prompt.len() + usize::from(self.size.cols)
                    && self.line.iter().collect::<String>().trim_end() == prompt
            });
        if over_prompt {
            // Bare, it is one that was painted over its padding.
            let padded = self.line.ends_with(&[' ', ' ']);
            self.painted = padded.then_some(self.line.len()).or(self.painted);
            self.finish_line(true);
        } else if !self.line.is_empty() {
            self.returned = true;
        }
        self.col = 0;
    }

    fn position(&self) -> usize {
        self.base + usize::from(self.col)
    }

    fn put(&mut self, c: char) {
        if self.wrap_pending {
            self.wrap_pending = false;
            self.col = 0;
            self.base += usize::from(self.size.cols);
            self.row = (self.row + 1).min(self.size.rows - 1);
        }
        if self.position() >= MAX_LINE_CHARS {
            self.clean = false;
            self.finish_line(false);
        }
        let at = self.position();
        if self.returned || at != self.line.len() {
            self.clean = false;
        }
        if at < self.line.len() {
            self.line[at] = c;
        } else {
            self.line.resize(at, ' ');
            self.line.push(c);
        }
        if self.col + 1 < self.size.cols {
            self.col += 1;
        } else {
            self.wrap_pending = true;
        }
    }

    fn erase_line(&mut self, how: u16) {
        self.disturb();
        let at = self.position();
        match how {
            0 => self.line.truncate(at),
            1 => {
                let end = self.line.len().min(at + 1);
                self.line[..end].fill(' ');
            }
            _ => self.line.clear(),
        }
    }

    fn reply(&mut self, answer: &str) {
        // An answer typed at `new password>` has become a router's admin password once: while such a question is
        // at the cursor nothing is answered.
        if self.replies.len() + answer.len() > MAX_REPLIES {
            return;
        }
        let tail = self.line.len().saturating_sub(PASSWORD_TAIL);
        let current: String = self.line[tail..].iter().collect();
        if question::asks_password(&current) {
            return;
        }
        self.replies.extend_from_slice(answer.as_bytes());
    }

    fn identify(&mut self) {
        self.reply("\x1b[?1;0c");
    }
}

impl Perform for State {
    fn print(&mut self, c: char) {
        self.put(c);
    }

    fn execute(&mut self, byte: u8) {
        match byte {
            b'\r' => self.carriage_return(),
            b'\n' | 0x0b | 0x0c => self.line_feed(),
            0x08 => {
                self.disturb();
                self.wrap_pending = false;
                self.col = self.col.saturating_sub(1);
            }
            b'\t' => {
                self.clean = false;
                let stop = (self.col / 8 + 1).saturating_mul(8).min(self.size.cols - 1);
                while self.col < stop {
                    self.put(' ');
                }
                self.clean = false;
            }
            _ => self.clean = false,
        }
    }

    fn csi_dispatch(&mut self, params: &Params, intermediates: &[u8], _ignore: bool, action: char) {
        let mut numbers = params.iter().map(|param| param.first().copied().unwrap_or(0));
        let first = numbers.next().unwrap_or(0);
        let second = numbers.next().unwrap_or(0);
        let count = first.max(1);
        if !intermediates.is_empty() {
            return;
        }
        match action {
            'A' => self.up(count),
            'B' | 'e' => self.down(count),
            'C' | 'a' => self.go_to_col(self.col.saturating_add(count)),
            'D' => self.go_to_col(self.col.saturating_sub(count)),
            'E' => {
                self.down(count);
                self.go_to_col(0);
            }
            'F' => {
                self.up(count);
                self.go_to_col(0);
            }
            'G' | '`' => self.go_to_col(count - 1),
            'H' | 'f' => {
                self.go_to_row((count - 1).min(self.size.rows - 1));
                self.go_to_col(second.max(1) - 1);
            }
            'd' => self.go_to_row((count - 1).min(self.size.rows - 1)),
            'J' => {
                if first == 0 {
                    self.erase_line(0);
                } else if !self.line.is_empty() {
                    self.finish_line(false);
                }
            }
            'K' => self.erase_line(first),
            'P' => {
                self.disturb();
                let at = self.position();
                if at < self.line.len() {
                    let end = (at + usize::from(count)).min(self.line.len());
                    self.line.drain(at..end);
                }
            }
            '@' => {
                self.disturb();
                let at = self.position();
                if at < self.line.len() && self.line.len() + usize::from(count) < MAX_LINE_CHARS {
                    self.line.splice(at..at, std::iter::repeat_n(' ', usize::from(count)));
                }
            }
            'X' => {
                self.disturb();
                let at = self.position();
                if at < self.line.len() {
                    let end = (at + usize::from(count)).min(self.line.len());
                    self.line[at..end].fill(' ');
                }
            }
            'n' if first == 5 => self.reply("\x1b[0n"),
            'n' if first == 6 => {
                let answer = format!("\x1b[{};{}R", self.row + 1, self.col + 1);
                self.reply(&answer);
            }
            'c' if first == 0 => self.identify(),
            'r' => {
                self.go_to_row(0);
                self.go_to_col(0);
            }
            's' => self.saved = (self.row, self.col),
            'u' => {
                let (row, col) = self.saved;
                self.go_to_row(row);
                self.go_to_col(col);
            }
            _ => self.disturb(),
        }
    }

    fn esc_dispatch(&mut self, intermediates: &[u8], _ignore: bool, byte: u8) {
        if !intermediates.is_empty() {
            return;
        }
        match byte {
            b'Z' => self.identify(),
            b'D' => {
                if self.row + 1 < self.size.rows {
                    self.down(1);
                } else if !self.line.is_empty() {
                    self.finish_line(false);
                }
            }
            b'M' => self.up(1),
            b'E' => {
                self.line_feed();
                self.col = 0;
            }
            b'7' => self.saved = (self.row, self.col),
            b'8' => {
                let (row, col) = self.saved;
                self.go_to_row(row);
                self.go_to_col(col);
            }
            b'c' => {
                self.go_to_row(0);
                self.go_to_col(0);
            }
            _ => self.disturb(),
        }
    }

    fn osc_dispatch(&mut self, _params: &[&[u8]], _bell_terminated: bool) {
        self.disturb();
    }

    fn hook(&mut self, _params: &Params, _intermediates: &[u8], _ignore: bool, _action: char) {
        self.disturb();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn terminal(cols: u16, rows: u16) -> Terminal {
        Terminal::new(TermSize { cols, rows })
    }

    fn texts(t: &Terminal) -> Vec<String> {
        (t.oldest()..t.line_number()).filter_map(|n| t.line(n)).map(|line| line.text.clone()).collect()
    }

    /// The probe as measured on 7.2x: two heights, then the width, then one two-byte letter.
    #[test]
    fn probe_answers_are_true_positions() {
        let mut t = terminal(132, 50);
        t.on_bytes(b"\r\x1b[9999B\r\x1b[9999B\x1bZ  \x1b[6n");
        assert_eq!(t.take_replies(), b"\x1b[?1;0c\x1b[50;3R");
        t.on_bytes(b"\x1b[H\x1b[9999B\x1bZ\x1b[6n");
        assert_eq!(t.take_replies(), b"\x1b[?1;0c\x1b[50;1R");
        t.on_bytes(b"\x1b[H\x1b[9999B\x1bD\x1b[9999A\x1b[6n");
        assert_eq!(t.take_replies(), b"\x1b[1;1R");
        t.on_bytes(b"\x1b[H\x1b[9999C\x1b[6n");
        assert_eq!(t.take_replies(), b"\x1b[1;132R");
        t.on_bytes("\x1b[H\u{e9}H\x1b[6n".as_bytes());
        assert_eq!(t.take_replies(), b"\x1b[1;3R");
    }

    #[test]
    fn no_answer_is_typed_into_a_password() {
        let mut t = terminal(80, 24);
        t.on_bytes(b"new password> \x1b[6n\x1bZ\x1b[c");
        assert!(t.take_replies().is_empty());
        t.on_bytes(b"\r\n\x1b[6n");
        assert_eq!(t.take_replies(), b"\x1b[2;1R");
    }

    #[test]
    fn echo_and_repaint_are_one_line() {
        let mut t = terminal(80, 24);
        let prompt = "[admin@MikroTik] > ";
        t.set_prompt(prompt);
        t.on_bytes(prompt.as_bytes());
        t.on_bytes(b":put \"hello\"\r[admin@MikroTik] > :put \"hello\"\r\n\rhello\r\n\r\r\r\r[admin@MikroTik] >");
        t.on_bytes(format!("{}\r{prompt}", " ".repeat(61)).as_bytes());
        let lines: Vec<_> = (0..t.line_number()).filter_map(|n| t.line(n)).filter(|line| !line.prompt).collect();
        assert_eq!(lines.len(), 2);
        assert_eq!(lines[0].text, "[admin@MikroTik] > :put \"hello\"");
        assert!(!lines[0].clean);
        assert_eq!((lines[1].text.as_str(), lines[1].clean), ("hello", true));
        assert_eq!(t.current(), prompt);
    }

    #[test]
    fn a_log_line_over_the_prompt_leaves_nothing_of_it() {
        let mut t = terminal(80, 24);
        t.set_prompt("[admin@CHR] > ");
        t.on_bytes(b"[admin@CHR] > \r12:00:01 echo: x\x1b[K\r\n\r\x1b[9999B[admin@CHR] > \rok\r\n");
        assert_eq!(texts(&t), ["[admin@CHR] > ", "12:00:01 echo: x", "[admin@CHR] > ", "ok"]);
    }

    #[test]
    fn wrapped_lines_are_whole() {
        let mut t = terminal(10, 5);
        t.on_bytes(b"0123456789");
        assert_eq!(t.cursor(), (1, 10), "the wrap is pending, as on a real terminal");
        t.on_bytes(b"abc\r\nnext\r\n");
        assert_eq!(texts(&t), ["0123456789abc", "next"]);
        assert!(t.line(0).unwrap().clean);
        assert_eq!(t.cursor(), (4, 1));
    }

    #[test]
    fn broken_characters_are_the_same_in_any_packets() {
        let bytes = b"\xdd\xa4F\xa4\xcf\x90\xb3\xf6,\xe2\x82\r\n";
        let mut whole = terminal(80, 24);
        whole.on_bytes(bytes);
        for size in 1..bytes.len() {
            let mut pieces = terminal(80, 24);
            bytes.chunks(size).for_each(|piece| pieces.on_bytes(piece));
            assert_eq!(texts(&pieces), texts(&whole));
        }
    }

    #[test]
    fn clean_means_exactly_what_was_sent() {
        for (bytes, clean) in [
            (&b"plain\r\n"[..], true),
            (b"\rplain\r\n", true),
            (b"a\tb\r\n", false),
            (b"a\x08b\r\n", false),
            (b"ab\rc\r\n", false),
            (b"a\x1b[mb\r\n", false),
            (b"a\x07b\r\n", false),
            (b"a\x1b[2Cb\r\n", false),
        ] {
            let mut t = terminal(80, 24);
            t.on_bytes(bytes);
            assert_eq!(t.line(0).unwrap().clean, clean, "{bytes:?}");
        }
    }

    #[test]
    fn memory_is_bounded() {
        let mut t = terminal(80, 24);
        let chunk = [b'x'; 4096];
        for _ in 0..2 * MAX_KEPT_BYTES / chunk.len() {
            t.on_bytes(&chunk);
        }
        assert!(t.state.kept + t.state.line.len() <= MAX_KEPT_BYTES + MAX_LINE_CHARS);
        for _ in 0..40 {
            t.on_bytes(&[b'\n'; 4096]);
        }
        assert!(t.state.lines.len() <= MAX_KEPT_LINES);
        for _ in 0..4096 {
            t.on_bytes(b"\x1b[6n\x1bZ");
        }
        assert!(t.take_replies().len() <= MAX_REPLIES);
    }
}
