//! Quoted strings: every escape, every value in them and every joined line begins a new piece.

use super::reader::{Read, Reader};
use super::render::{Form, Node, shown};
use crate::error::ParseErrorKind;

impl Reader<'_> {
    /// A string from quote to quote. `argument`: of a command, whose value it is: errors name it. `single`: only one piece is
    /// allowed, as in arguments of a command that doesn't exist.
    pub(super) fn string(&mut self, argument: Option<&str>, single: bool) -> Read<Form> {
        let wrong = || argument.map_or(ParseErrorKind::Syntax, |name| ParseErrorKind::ExpectedValue(name.to_owned()));
        self.lex.pos += 1;
        let mut pieces: Vec<String> = Vec::new();
        let mut text: Vec<u8> = Vec::new();
        let mut piece = self.lex.pos;
        let flush = |text: &mut Vec<u8>, pieces: &mut Vec<String>| {
            if !text.is_empty() {
                pieces.push(shown(&std::mem::take(text)));
            }
        };
        loop {
            let at = self.lex.pos;
            let second = single && !(pieces.is_empty() && text.is_empty());
            match self.lex.peek() {
                Some(b'"') => {
                    self.lex.pos += 1;
                    flush(&mut text, &mut pieces);
                    break;
                }
                // A text that never ends is none: the error is where it began.
                None => return self.fail_at(ParseErrorKind::Syntax, if text.is_empty() { at } else { piece }),
                Some(b'\\') => {
                    flush(&mut text, &mut pieces);
                    if self.lex.join() {
                        continue;
                    }
                    if second {
                        return self.fail_at(ParseErrorKind::Syntax, at);
                    }
                    match self.escape() {
                        Some(byte) => pieces.push(shown(&[byte])),
                        None => return self.fail(wrong()),
                    }
                }
                Some(b'$') => {
                    match self.lex.peek_at(1) {
                        Some(b'(' | b'[') => {}
                        Some(byte) if byte.is_ascii_alphanumeric() => {}
                        // A name in quotes. Just before the last quote of a text it is none.
                        Some(b'"') => {
                            if second {
                                return self.fail_at(ParseErrorKind::Syntax, at);
                            }
                            flush(&mut text, &mut pieces);
                            let name = self.nested(Self::variable).ok().filter(|name| name.len() > 1);
                            let Some(name) = name else { return self.fail_at(wrong(), at + 1) };
                            pieces.push(name);
                            continue;
                        }
                        None => {
                            self.lex.pos += 1;
                            return self.fail(wrong());
                        }
                        Some(_) => {
                            if text.is_empty() {
                                piece = at;
                            }
                            text.push(b'$');
                            self.lex.pos += 1;
                            continue;
                        }
                    }
                    if second {
                        return self.fail_at(ParseErrorKind::Syntax, at);
                    }
                    flush(&mut text, &mut pieces);
                    let value = self.dollar()?.text();
                    pieces.push(value);
                }
                Some(byte) => {
                    if single && !pieces.is_empty() {
                        return self.fail_at(ParseErrorKind::Syntax, at);
                    }
                    if text.is_empty() {
                        piece = at;
                    }
                    text.push(byte);
                    self.lex.pos += 1;
                }
            }
        }
        let mut pieces = pieces.into_iter();
        let first = Form::Atom(pieces.next().unwrap_or_default());
        Ok(match pieces.next() {
            None => first,
            Some(second) => {
                let mut node = Node::new(".", first);
                std::iter::once(second).chain(pieces).for_each(|piece| node.push(&piece));
                Form::Node(node)
            }
        })
    }

    /// What an escape stands for; `None` at the byte that is none.
    fn escape(&mut self) -> Option<u8> {
        self.lex.pos += 1;
        let byte = crate::strings::escaped(self.lex.peek()?, self.lex.peek_at(1));
        match byte {
            Ok((byte, taken)) => {
                self.lex.pos += taken;
                Some(byte)
            }
            Err(ahead) => {
                self.lex.pos += ahead;
                None
            }
        }
    }

    /// `$name`, `$"name"`, `$(...)`, `$[...]`.
    pub(super) fn dollar(&mut self) -> Read<Form> {
        match self.lex.peek_at(1) {
            Some(b'(') => {
                self.lex.pos += 1;
                self.paren()
            }
            Some(b'[') => {
                self.lex.pos += 1;
                self.bracket()
            }
            _ => self.variable().map(Form::Atom),
        }
    }

    /// `$name` or `$"name"`, with its `$`.
    pub(super) fn variable(&mut self) -> Read<String> {
        self.lex.pos += 1;
        if self.lex.peek() == Some(b'"') {
            let name = self.string(None, false)?.text();
            return Ok(format!("${name}"));
        }
        let name = self.lex.name();
        if name.is_empty() {
            return self.fail(ParseErrorKind::Syntax);
        }
        Ok(format!("${}", String::from_utf8_lossy(name)))
    }
}
