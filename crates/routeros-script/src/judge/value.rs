//! Values of arguments, and arrays.

use super::expression::Mode;
use super::reader::{Read, Reader};
use super::render::{Form, Keyed};
use crate::error::ParseErrorKind;

/// What an unquoted value of an argument may hold.
pub(super) fn is_bare(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-_.:/,*+@%!|&^?#~".contains(&byte)
}

impl Reader<'_> {
    /// The bytes that `accept` takes, joined line ends left out.
    pub(super) fn bare_text(&mut self, accept: impl Fn(u8) -> bool) -> Option<String> {
        let mut text = String::new();
        loop {
            match self.lex.peek() {
                Some(byte) if accept(byte) => {
                    text.push(char::from(byte));
                    self.lex.pos += 1;
                }
                _ if !text.is_empty() && self.lex.join() => {}
                _ => break,
            }
        }
        if text.is_empty() { None } else { Some(text) }
    }

    /// `{ a; b; key=c }`. `inside`: within another value, where it may be empty.
    pub(super) fn array(&mut self, inside: bool) -> Read<Form> {
        self.nested(|reader| {
            reader.lex.pos += 1;
            let mut items = Keyed::default();
            reader.lex.blank_lines();
            if reader.lex.eat(b'}') {
                return if inside { Ok(Form::Atom(String::new())) } else { reader.fail(ParseErrorKind::Syntax) };
            }
            loop {
                reader.element(&mut items)?;
                reader.lex.blanks();
                let line_end = matches!(reader.lex.peek(), Some(b'\n' | b'\r'));
                reader.lex.blank_lines();
                match reader.lex.peek() {
                    Some(b';') => {
                        reader.lex.pos += 1;
                        reader.lex.blank_lines();
                    }
                    Some(b'}') | None => {}
                    Some(_) if line_end => {}
                    Some(_) => return reader.fail(ParseErrorKind::Syntax),
                }
                match reader.lex.peek() {
                    Some(b'}') => break,
                    None => return reader.fail(ParseErrorKind::ExpectedClosingBrace),
                    _ => {}
                }
            }
            reader.lex.pos += 1;
            Ok(Form::Atom(items.text()))
        })
    }

    fn element(&mut self, items: &mut Keyed) -> Read<()> {
        let start = self.lex.pos;
        if let Some(key) = self.key()? {
            self.lex.blanks();
            if matches!(self.lex.peek(), Some(b';' | b'}' | b'\n')) {
                // A key without a value is a value.
                items.push(key);
                return Ok(());
            }
            let value = self.expression(Mode::Element, 1)?.text();
            items.insert(key, value);
            return Ok(());
        }
        self.lex.pos = start;
        let value = self.expression(Mode::Element, 1)?.text();
        items.push(value);
        Ok(())
    }

    /// `key=`, if one stands here: a word or a string with `=` right behind it. What else is compared is a value.
    fn key(&mut self) -> Read<Option<String>> {
        let key = match self.lex.peek() {
            Some(b'"') => {
                let late = self.late.len();
                let Ok(form) = self.string(None, false) else { return Ok(None) };
                self.late.truncate(late);
                form.text()
            }
            _ => match self.bare_text(|byte| byte.is_ascii_alphanumeric() || b"-./".contains(&byte)) {
                Some(text) => text,
                None => return Ok(None),
            },
        };
        Ok(if self.lex.eat(b'=') { Some(key) } else { None })
    }
}
