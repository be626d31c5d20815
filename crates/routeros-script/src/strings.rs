//! Quoted strings: escapes, `$name`, `$"name"`, `$(expression)`, `$[command]`.

use crate::ast::{Expr, ExprKind, StrPart};
use crate::error::{ParseError, ParseErrorKind};
use crate::parser::Parser;
use crate::span::Span;

impl Parser<'_> {
    /// A string from its opening to its closing quote.
    pub(crate) fn string(&mut self) -> Result<Expr, ParseError> {
        let start = self.lex.pos;
        self.lex.pos += 1;
        let mut parts = Vec::new();
        let mut text = Vec::new();
        loop {
            let Some(byte) = self.lex.peek() else {
                return Err(self.lex.error(ParseErrorKind::Syntax));
            };
            match byte {
                b'"' => {
                    self.lex.pos += 1;
                    break;
                }
                b'\\' => {
                    if !self.lex.join() {
                        text.push(self.escape()?);
                    }
                }
                b'$' => match self.interpolation()? {
                    Some(value) => {
                        if !text.is_empty() {
                            parts.push(StrPart::Text(std::mem::take(&mut text)));
                        }
                        parts.push(StrPart::Value(value));
                    }
                    None => {
                        text.push(b'$');
                        self.lex.pos += 1;
                    }
                },
                _ => {
                    text.push(byte);
                    self.lex.pos += 1;
                }
            }
        }
        if !text.is_empty() {
            parts.push(StrPart::Text(text));
        }
        Ok(Expr { kind: ExprKind::Str(parts), span: Span::new(start, self.lex.pos) })
    }

    /// What an escape stands for. One that doesn't exist is a syntax error.
    fn escape(&mut self) -> Result<u8, ParseError> {
        self.lex.pos += 1;
        match self.lex.peek().map(|byte| escaped(byte, self.lex.peek_at(1))) {
            Some(Ok((byte, taken))) => {
                self.lex.pos += taken;
                Ok(byte)
            }
            _ => Err(self.lex.error(ParseErrorKind::Syntax)),
        }
    }

    /// `$name`, `$"name"`, `$(...)`, `$[...]` inside a string; `None` for a `$` that stands for itself.
    fn interpolation(&mut self) -> Result<Option<Expr>, ParseError> {
        match self.lex.peek_at(1) {
            Some(b'(') => {
                self.lex.pos += 1;
                self.paren().map(Some)
            }
            Some(b'[') => {
                self.lex.pos += 1;
                self.bracket().map(Some)
            }
            Some(b'"') => self.nested(Self::variable).map(Some),
            Some(byte) if crate::lexer::is_name(byte) => self.variable().map(Some),
            _ => Ok(None),
        }
    }
}

/// What the bytes behind a backslash stand for and how many they are, or how far ahead the wrong one is. `\?` is one on
/// RouterOS 7 too: routers of 7.20 to 7.23 read it.
pub(crate) fn escaped(first: u8, second: Option<u8>) -> Result<(u8, usize), usize> {
    let hex = |byte: u8| match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'A'..=b'F' => Some(byte - b'A' + 10),
        _ => None,
    };
    if let Some(high) = hex(first) {
        return second.and_then(hex).map(|low| (high << 4 | low, 2)).ok_or(1);
    }
    let byte = match first {
        b'"' | b'\\' | b'$' | b'?' => first,
        b'n' => b'\n',
        b'r' => b'\r',
        b't' => b'\t',
        b'_' => b' ',
        b'a' => 7,
        b'b' => 8,
        b'f' => 12,
        b'v' => 11,
        _ => return Err(0),
    };
    Ok((byte, 1))
}
