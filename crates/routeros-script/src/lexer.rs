//! The bytes of a script, read in the modes that the grammar asks for: command words, expression words, blanks.

use crate::error::{ParseError, ParseErrorKind};
use crate::literal::Literal;
use crate::span::Span;
use crate::version::Version;

/// How far an address or a time can reach; keeps looking for one linear.
const LONGEST_TYPED: usize = 64;

pub(crate) struct Lexer<'a> {
    pub(crate) src: &'a [u8],
    pub(crate) pos: usize,
    pub(crate) version: Version,
}

pub(crate) fn is_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
}

/// What an unquoted value of a command may hold. Outside quotes `$` and `\` in a value are errors.
pub(crate) fn is_bare(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-_.:/,*+@%!|&^?".contains(&byte)
}

/// What a word of an expression may hold; `-` only between others.
fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

impl<'a> Lexer<'a> {
    pub(crate) fn new(src: &'a [u8], version: Version) -> Self {
        Self { src, pos: 0, version }
    }

    pub(crate) fn peek(&self) -> Option<u8> {
        self.src.get(self.pos).copied()
    }

    pub(crate) fn peek_at(&self, ahead: usize) -> Option<u8> {
        self.src.get(self.pos + ahead).copied()
    }

    pub(crate) fn starts_with(&self, text: &[u8]) -> bool {
        self.src.get(self.pos..).is_some_and(|rest| rest.starts_with(text))
    }

    /// Takes `byte` if it stands here.
    pub(crate) fn eat(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.pos += usize::from(found);
        found
    }

    pub(crate) fn error(&self, kind: ParseErrorKind) -> ParseError {
        let end = (self.pos + 1).min(self.src.len());
        ParseError::new(self.src, kind, Span::new(self.pos, end))
    }

    pub(crate) fn error_at(&self, kind: ParseErrorKind, span: Span) -> ParseError {
        ParseError::new(self.src, kind, span)
    }

    /// A backslash at the end of a line joins it with the next one, whose leading blanks vanish. Before a blank it vanishes
    /// with it: seen on 7.23, \[verify\] on 7.22.
    pub(crate) fn join(&mut self) -> bool {
        let ending: &[u8] = if self.starts_with(b"\\\r\n") {
            b"\\\r\n"
        } else if self.starts_with(b"\\\n") {
            b"\\\n"
        } else {
            let blank = matches!(self.peek_at(1), Some(b' ' | b'\t' | b'\r'));
            let vanishes = self.peek() == Some(b'\\') && blank && self.version.is_v7();
            self.pos += if vanishes { 2 } else { 0 };
            return vanishes;
        };
        self.pos += ending.len();
        while matches!(self.peek(), Some(b' ' | b'\t')) {
            self.pos += 1;
        }
        true
    }

    /// The same outside of words and strings: there a comment may begin the joined line, and the statement goes on behind
    /// its line end. Seen on 7.23 and 7.24, \[verify\] on 7.22.
    pub(crate) fn join_lines(&mut self) -> bool {
        let joined = self.join();
        while joined
            && self.version.is_v7()
            && self.peek() == Some(b'#')
            && self.src.get(self.pos.wrapping_sub(1)) == Some(&b'\n')
        {
            self.comment();
            self.eat(b'\n');
        }
        joined
    }

    /// Skips blanks and joined line ends.
    pub(crate) fn blanks(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\r')) || self.join_lines() {
            if matches!(self.peek(), Some(b' ' | b'\t' | b'\r')) {
                self.pos += 1;
            }
        }
    }

    /// Skips blanks and line ends.
    pub(crate) fn blank_lines(&mut self) {
        loop {
            self.blanks();
            if !self.eat(b'\n') {
                return;
            }
        }
    }

    /// Skips a comment up to its line end; a backslash doesn't continue it.
    pub(crate) fn comment(&mut self) {
        while self.peek().is_some_and(|byte| byte != b'\n') {
            self.pos += 1;
        }
    }

    /// An unquoted value of a command, joined line ends left out.
    pub(crate) fn bare(&mut self) -> Option<(String, Span)> {
        let start = self.pos;
        let mut text = String::new();
        loop {
            match self.peek() {
                Some(byte) if is_bare(byte) => {
                    text.push(char::from(byte));
                    self.pos += 1;
                }
                _ if !text.is_empty() && self.join() => {}
                _ => break,
            }
        }
        if text.is_empty() { None } else { Some((text, Span::new(start, self.pos))) }
    }

    /// The rest of a variable's name: letters and digits; anything else ends it.
    pub(crate) fn name(&mut self) -> &'a [u8] {
        let start = self.pos;
        while self.peek().is_some_and(is_name) {
            self.pos += 1;
        }
        Span::new(start, self.pos).of(self.src)
    }

    fn run(&self, accept: impl Fn(u8) -> bool) -> &'a str {
        let rest = self.src.get(self.pos..).unwrap_or_default();
        let end = rest.iter().take(LONGEST_TYPED).take_while(|byte| accept(**byte)).count();
        rest.get(..end).and_then(|bytes| std::str::from_utf8(bytes).ok()).unwrap_or_default()
    }

    /// A number, time, address or MAC address in an expression.
    pub(crate) fn typed(&mut self) -> Option<(Literal, Span)> {
        let run = self.run(|byte| byte.is_ascii_alphanumeric() || byte == b'.' || byte == b':');
        let text = if run.ends_with("::") { run } else { run.trim_end_matches(['.', ':']) };
        if text.is_empty() {
            return None;
        }
        let starts_with_digit = text.starts_with(|c: char| c.is_ascii_digit());
        // Words are the most of it, and only addresses begin as they do.
        if text.starts_with(|c: char| c.is_ascii_alphabetic()) && !text.contains(':') {
            return None;
        }
        let (literal, mut len) = match Literal::single(text) {
            Literal::Str(_) if is_mac(text) => (Literal::Str(text.to_owned()), text.len()),
            Literal::Str(_) | Literal::Bool(_) | Literal::Id(_) => return None,
            // A word behind it, as in `5m-backup`, makes it a word.
            _ if starts_with_digit && self.word_goes_on(text.len()) => return None,
            literal => (literal, text.len()),
        };
        let literal = match literal {
            Literal::Ip(_) | Literal::Ip6(_) => {
                let long = self.run(|byte| byte.is_ascii_alphanumeric() || b".:/".contains(&byte));
                match Literal::single(long) {
                    prefix @ (Literal::IpPrefix(..) | Literal::Ip6Prefix(..)) => {
                        len = long.len();
                        prefix
                    }
                    _ => literal,
                }
            }
            literal => literal,
        };
        let span = Span::new(self.pos, self.pos + len);
        self.pos += len;
        Some((literal, span))
    }

    /// A text that stands here as the value of a property in a condition, where it would be no operand by itself: in
    /// `name=backup.rsc` the dot joins nothing. Nothing is taken.
    pub(crate) fn unquoted(&self) -> Option<(String, Span)> {
        let text = self.run(|byte| is_word(byte) || b".:/-@".contains(&byte));
        let mut whole = Self { src: self.src, pos: self.pos, version: self.version };
        let alone = whole.typed().or_else(|| whole.word().map(|(word, span)| (Literal::Str(word), span)));
        let more = alone.is_some_and(|(_, span)| span.end < self.pos + text.len());
        // Operands behind it are joined to it.
        let joins = matches!(self.peek_at(text.len()), Some(b'$' | b'"' | b'(' | b'['));
        (more && !joins).then(|| (text.to_owned(), Span::new(self.pos, self.pos + text.len())))
    }

    fn word_goes_on(&self, ahead: usize) -> bool {
        match self.peek_at(ahead) {
            Some(b'_') => true,
            Some(b'-') => self.peek_at(ahead + 1).is_some_and(|byte| byte.is_ascii_alphabetic()),
            _ => false,
        }
    }

    /// `*1F` in an expression.
    pub(crate) fn id(&mut self) -> Option<(Literal, Span)> {
        let rest = Self { pos: self.pos + 1, ..*self }.run(|byte| byte.is_ascii_alphanumeric());
        let value = u64::from_str_radix(rest, 16).ok()?;
        let span = Span::new(self.pos, self.pos + 1 + rest.len());
        self.pos = span.end;
        Some((Literal::Id(value), span))
    }

    /// A word of an expression: `name`, `default-name`, `.id`, `/path`.
    pub(crate) fn word(&mut self) -> Option<(String, Span)> {
        let start = self.pos;
        // Where a value is wanted, these can't be operators.
        let path = matches!(self.peek(), Some(b'.' | b'/'));
        while self.peek().is_some_and(|byte| is_word(byte) || (path && matches!(byte, b'.' | b'/')))
            || (self.pos > start && self.peek() == Some(b'-') && self.peek_at(1).is_some_and(is_word))
        {
            self.pos += 1;
        }
        let text = std::str::from_utf8(Span::new(start, self.pos).of(self.src)).ok()?;
        if text.is_empty() { None } else { Some((text.to_owned(), Span::new(start, self.pos))) }
    }
}

fn is_mac(text: &str) -> bool {
    text.len() == 17 && text.split(':').all(|pair| pair.len() == 2 && pair.bytes().all(|b| b.is_ascii_hexdigit()))
}
