//! The line being typed, and what each change of it shows.
//!
//! Pure: keys in, bytes out. Three ways to show a line:
//! * *single*: one screen line, scrolled sideways, repainted with blanks to the width less one \[T19 T20\];
//! * *dumb*: the same, repainted whole at every key \[T18\];
//! * *multi*: a probed terminal; the line wraps, and repaints move the cursor (prompt as in T22; wrapping inferred).

use super::wire::{Size, is_continuation};

/// How a line is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Style {
    Single,
    Dumb,
    Multi,
}

/// Longest line taken; further text is not taken and not echoed. The real limit is not known
/// (routeros-console.md section 11); this one is above any command of a 60 KB `contents=`.
const MAX_LINE: usize = 128 * 1024;

/// A line, its prompt, its cursor and its view. A *cell* is one character of prompt or line.
#[derive(Debug, Clone)]
pub(super) struct Editor {
    style: Style,
    columns: usize,
    utf8: bool,
    masked: bool,
    echo: bool,
    prompt: Vec<Vec<u8>>,
    text: Vec<u8>,
    /// Where each character of the text begins.
    starts: Vec<usize>,
    /// In characters of the text.
    cursor: usize,
    /// The first cell in view.
    offset: usize,
    /// The next prompt of dumb mode is painted once only.
    plainly: bool,
}

impl Editor {
    pub(super) fn new(style: Style, size: Size, utf8: bool) -> Self {
        Self {
            style,
            columns: usize::from(size.columns),
            utf8,
            masked: false,
            echo: true,
            prompt: Vec::new(),
            text: Vec::new(),
            starts: Vec::new(),
            cursor: 0,
            offset: 0,
            plainly: false,
        }
    }

    /// Shows `*` for each character.
    pub(super) fn masked(mut self) -> Self {
        self.masked = true;
        self
    }

    /// Shows no character when it is typed, only at repaints.
    pub(super) fn without_echo(mut self, without: bool) -> Self {
        self.echo = !without;
        self
    }

    pub(super) fn set_prompt(&mut self, prompt: &[u8]) {
        self.prompt = prompt_cells(prompt, self.utf8);
    }

    /// The text before the cursor.
    pub(super) fn before_cursor(&self) -> &[u8] {
        &self.text[..self.byte_of(self.cursor)]
    }

    pub(super) fn text(&self) -> &[u8] {
        &self.text
    }

    pub(super) fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    // ---- painting

    /// Paints prompt and line afresh, below whatever stands on the screen.
    pub(super) fn paint(&mut self, out: &mut Vec<u8>) {
        self.offset = 0;
        out.extend(b"\r\r\r\r");
        self.paint_here(out);
    }

    /// As [`Editor::paint`] without the four CR.
    pub(super) fn paint_here(&mut self, out: &mut Vec<u8>) {
        self.scroll_to_cursor();
        if self.shows_nothing() {
            // What a 1x1 terminal shows of `[admin@R] > ` [S1].
            let tail = self.prompt.len().saturating_sub(4);
            out.extend(self.prompt[tail..].concat());
            return;
        }
        match self.style {
            Style::Single => self.repaint_single(out),
            Style::Dumb => {
                self.repaint_single(out);
                if !std::mem::take(&mut self.plainly) {
                    out.push(b'\r');
                    self.repaint_dumb(out);
                }
            }
            Style::Multi => {
                out.extend(b"\x1b[9999B");
                self.paint_multi(out, false);
            }
        }
    }

    /// Lets the next painting of dumb mode do without its repaint.
    pub(super) fn paint_plainly(&mut self) {
        self.plainly = true;
    }

    /// Paints the line as it stands after a change; `before`: the cursor's cell before it (its row
    /// decides how far up a multi-line repaint begins).
    fn repaint(&mut self, before: usize, out: &mut Vec<u8>) {
        self.scroll_to_cursor();
        if self.shows_nothing() {
            return;
        }
        match self.style {
            Style::Single => {
                out.push(b'\r');
                self.repaint_single(out);
            }
            Style::Dumb => {
                out.push(b'\r');
                self.repaint_dumb(out);
            }
            Style::Multi => {
                self.to_first_row(before, out);
                self.paint_multi(out, true);
            }
        }
    }

    /// Window padded to the width less one, CR, window up to the cursor.
    fn repaint_single(&self, out: &mut Vec<u8>) {
        self.window(out, self.cells(), true);
        out.push(b'\r');
        self.window(out, self.position(), false);
    }

    fn repaint_dumb(&self, out: &mut Vec<u8>) {
        out.push(b'\r');
        self.window(out, self.cells(), true);
        out.extend(b"\x1b[K\r");
        self.window(out, self.position(), false);
    }

    fn paint_multi(&self, out: &mut Vec<u8>, erase: bool) {
        self.all(out);
        if erase {
            out.extend(b"\x1b[J");
        }
        let (end, at) = (self.cells(), self.position());
        if end > 0 && end.is_multiple_of(self.columns) {
            out.extend(b"\r\n");
        }
        let up = end / self.columns - at / self.columns;
        if up > 0 {
            out.extend(format!("\x1b[{up}A").as_bytes());
        }
        if at < end {
            out.push(b'\r');
            let right = at % self.columns;
            if right > 0 {
                out.extend(format!("\x1b[{right}C").as_bytes());
            }
        }
    }

    fn to_first_row(&self, position: usize, out: &mut Vec<u8>) {
        let row = position / self.columns;
        if row > 0 {
            out.extend(format!("\x1b[{row}A").as_bytes());
        }
        out.push(b'\r');
    }

    // ---- keys

    /// Types one byte.
    pub(super) fn insert(&mut self, byte: u8, out: &mut Vec<u8>) {
        if self.text.len() >= MAX_LINE {
            return;
        }
        let before = self.position();
        let at = self.byte_of(self.cursor);
        let at_end = at == self.text.len();
        self.text.insert(at, byte);
        let joins = self.utf8 && is_continuation(byte) && self.cursor > 0;
        if at_end && !joins {
            self.starts.push(at);
        } else if !at_end {
            self.index();
        }
        self.cursor += usize::from(!joins);
        if self.shows_nothing() {
            self.echo_byte(byte, joins, out);
        } else if !at_end {
            self.repaint(before, out);
        } else {
            self.appended(byte, joins, out);
        }
    }

    fn appended(&mut self, byte: u8, joins: bool, out: &mut Vec<u8>) {
        let position = self.position();
        match self.style {
            Style::Multi => {
                self.echo_byte(byte, joins, out);
                if !joins && position.is_multiple_of(self.columns) {
                    out.extend(b"\r\n");
                }
            }
            Style::Single if position <= self.offset + self.view() => self.echo_byte(byte, joins, out),
            // The line has outgrown its view: once as it is, cut by `>`, then scrolled and cleaned [T19, 3].
            Style::Single => {
                out.push(b'\r');
                self.window(out, self.cells(), false);
                self.scroll_to_cursor();
                out.push(b'\r');
                self.repaint_single(out);
            }
            Style::Dumb => {
                self.echo_byte(byte, joins, out);
                self.repaint(position, out);
            }
        }
    }

    fn echo_byte(&self, byte: u8, joins: bool, out: &mut Vec<u8>) {
        if self.echo && !(self.masked && joins) {
            out.push(if self.masked { b'*' } else { byte });
        }
    }

    /// Types several bytes.
    pub(super) fn insert_all(&mut self, bytes: &[u8], out: &mut Vec<u8>) {
        for byte in bytes {
            self.insert(*byte, out);
        }
    }

    /// Enter: paints the line a last time, ends it and gives it away.
    pub(super) fn enter(&mut self, out: &mut Vec<u8>) -> Vec<u8> {
        self.finish(out);
        self.clear()
    }

    /// Paints the line a last time and leaves it; what follows stands below.
    pub(super) fn finish(&mut self, out: &mut Vec<u8>) {
        if !self.shows_nothing() {
            match self.style {
                Style::Single | Style::Dumb => {
                    out.push(b'\r');
                    self.window(out, self.cells(), false);
                }
                Style::Multi => {
                    self.to_first_row(self.position(), out);
                    self.all(out);
                }
            }
        }
        out.extend(b"\r\n");
    }

    /// Empties the line without a trace on the screen.
    pub(super) fn clear(&mut self) -> Vec<u8> {
        self.starts.clear();
        self.cursor = 0;
        self.offset = 0;
        std::mem::take(&mut self.text)
    }

    /// Puts other text in the line, the cursor behind it.
    pub(super) fn replace(&mut self, text: &[u8], out: &mut Vec<u8>) {
        let before = self.position();
        self.load(text);
        self.repaint(before, out);
    }

    /// As [`Editor::replace`], to be painted later.
    pub(super) fn load(&mut self, text: &[u8]) {
        self.text = text[..text.len().min(MAX_LINE)].to_vec();
        self.offset = 0;
        self.index();
        self.cursor = self.starts.len();
    }

    pub(super) fn backspace(&mut self, out: &mut Vec<u8>) {
        if self.cursor == 0 {
            return;
        }
        let before = self.position();
        let at_end = self.cursor == self.starts.len();
        self.remove(self.cursor - 1, self.cursor);
        let plain = self.style == Style::Single && (self.offset == 0 || self.position() > self.offset);
        if at_end && plain && !self.shows_nothing() {
            out.extend(b"\x08 \x08");
        } else {
            self.repaint(before, out);
        }
    }

    pub(super) fn delete(&mut self, out: &mut Vec<u8>) {
        if self.cursor < self.starts.len() {
            self.remove(self.cursor, self.cursor + 1);
            self.repaint(self.position(), out);
        }
    }

    pub(super) fn kill_to_start(&mut self, out: &mut Vec<u8>) {
        if self.cursor > 0 {
            let before = self.position();
            self.remove(0, self.cursor);
            self.repaint(before, out);
        }
    }

    pub(super) fn kill_to_end(&mut self, out: &mut Vec<u8>) {
        if self.cursor < self.starts.len() {
            self.remove(self.cursor, self.starts.len());
            self.repaint(self.position(), out);
        }
    }

    /// Moves the cursor to a character of the text (its end, if beyond).
    fn go(&mut self, to: usize, out: &mut Vec<u8>) {
        let before = self.position();
        let to = to.min(self.starts.len());
        if to != self.cursor {
            self.cursor = to;
            self.repaint(before, out);
        }
    }

    pub(super) fn left(&mut self, out: &mut Vec<u8>) {
        self.go(self.cursor.saturating_sub(1), out);
    }

    pub(super) fn right(&mut self, out: &mut Vec<u8>) {
        self.go(self.cursor + 1, out);
    }

    pub(super) fn home(&mut self, out: &mut Vec<u8>) {
        self.go(0, out);
    }

    pub(super) fn end(&mut self, out: &mut Vec<u8>) {
        self.go(self.starts.len(), out);
    }

    // ---- cells and view

    /// Removes characters `from..to`; the cursor goes to `from`.
    fn remove(&mut self, from: usize, to: usize) {
        let bytes = self.byte_of(from)..self.byte_of(to);
        self.text.drain(bytes);
        self.index();
        self.cursor = from;
    }

    fn index(&mut self) {
        let utf8 = self.utf8;
        let starts = self.text.iter().enumerate();
        self.starts =
            starts.filter(|(at, byte)| *at == 0 || !(utf8 && is_continuation(**byte))).map(|(at, _)| at).collect();
    }

    fn byte_of(&self, character: usize) -> usize {
        self.starts.get(character).copied().unwrap_or(self.text.len())
    }

    /// Cells of prompt and line.
    fn cells(&self) -> usize {
        self.prompt.len() + self.starts.len()
    }

    /// The cell that the cursor stands on.
    fn position(&self) -> usize {
        self.prompt.len() + self.cursor
    }

    /// Columns used of a single line: all but the last.
    fn view(&self) -> usize {
        self.columns.saturating_sub(1)
    }

    fn shows_nothing(&self) -> bool {
        self.columns <= 1
    }

    fn cell(&self, index: usize, out: &mut Vec<u8>) {
        match index.checked_sub(self.prompt.len()) {
            None => out.extend(&self.prompt[index]),
            Some(_) if self.masked => out.push(b'*'),
            Some(character) => out.extend(&self.text[self.byte_of(character)..self.byte_of(character + 1)]),
        }
    }

    fn all(&self, out: &mut Vec<u8>) {
        for index in 0..self.cells() {
            self.cell(index, out);
        }
    }

    /// The cells in view before `end`, with `<` and `>` where text is hidden; padded if asked for.
    fn window(&self, out: &mut Vec<u8>, end: usize, padded: bool) {
        let view = self.view();
        let limit = self.offset + view;
        let end = end.min(limit);
        for index in self.offset..end {
            if index == self.offset && self.offset > 0 {
                out.push(b'<');
            } else if index + 1 == limit && self.cells() > limit {
                out.push(b'>');
            } else {
                self.cell(index, out);
            }
        }
        if padded {
            let shown = end.saturating_sub(self.offset);
            out.resize(out.len() + view.saturating_sub(shown), b' ');
        }
    }

    /// Scrolls in steps of half the view, as T19 does (39 of 79), until the cursor is in view and not on `<`.
    fn scroll_to_cursor(&mut self) {
        if self.style == Style::Multi {
            return;
        }
        let (position, view) = (self.position(), self.view());
        let step = (view / 2).max(1);
        if position > self.offset + view {
            self.offset += (position - self.offset - view).div_ceil(step) * step;
        }
        if self.offset > 0 && position <= self.offset {
            let back = (self.offset - position + 1).div_ceil(step) * step;
            self.offset = self.offset.saturating_sub(back);
        }
    }
}

/// One cell for each character; escape sequences (colours) belong to the character behind them.
fn prompt_cells(prompt: &[u8], utf8: bool) -> Vec<Vec<u8>> {
    let mut cells: Vec<Vec<u8>> = Vec::new();
    let mut held: Vec<u8> = Vec::new();
    let mut in_sequence = false;
    for byte in prompt {
        match cells.last_mut() {
            Some(last) if utf8 && is_continuation(*byte) && held.is_empty() => {
                last.push(*byte);
                continue;
            }
            _ => held.push(*byte),
        }
        if *byte == 0x1B {
            in_sequence = true;
        } else if in_sequence {
            in_sequence = !byte.is_ascii_alphabetic();
        } else {
            cells.push(std::mem::take(&mut held));
        }
    }
    match cells.last_mut() {
        Some(last) => last.extend(held),
        None if held.is_empty() => {}
        None => cells.push(held),
    }
    cells
}
