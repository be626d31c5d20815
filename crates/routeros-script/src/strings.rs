//! Quoted strings: escapes, `$name`, `$(expression)`, `$[command]`.

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

    /// What an escape stands for. One that the version doesn't know is a syntax error.
    fn escape(&mut self) -> Result<u8, ParseError> {
        self.lex.pos += 1;
        let hex = |byte: Option<u8>| match byte {
            Some(byte @ b'0'..=b'9') => Some(byte - b'0'),
            Some(byte @ b'A'..=b'F') => Some(byte - b'A' + 10),
            _ => None,
        };
        if let (Some(high), Some(low)) = (hex(self.lex.peek()), hex(self.lex.peek_at(1))) {
            self.lex.pos += 2;
            return Ok(high << 4 | low);
        }
        let byte = match self.lex.peek() {
            Some(byte @ (b'"' | b'\\' | b'$')) => byte,
            Some(b'?') if !self.lex.version.is_v7() => b'?',
            Some(b'n') => b'\n',
            Some(b'r') => b'\r',
            Some(b't') => b'\t',
            Some(b'_') => b' ',
            Some(b'a') => 7,
            Some(b'b') => 8,
            Some(b'f') => 12,
            Some(b'v') => 11,
            _ => return Err(self.lex.error(ParseErrorKind::Syntax)),
        };
        self.lex.pos += 1;
        Ok(byte)
    }

    /// `$name`, `$(...)`, `$[...]` inside a string; `None` for a `$` that stands for itself.
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
            Some(byte) if crate::lexer::is_name(byte) => self.variable().map(Some),
            _ => Ok(None),
        }
    }
}
