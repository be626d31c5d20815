//! Texts, blocks and statements.

use std::collections::BTreeSet;

use super::absent::Absent;
use super::items::Items;
use super::outcome::Used;
use super::render::Form;
use crate::error::{ParseError, ParseErrorKind};
use crate::lexer::Lexer;
use crate::parser::MAX_NESTING;
use crate::span::{Lines, Span};
use crate::tree::{MenuId, ROOT, View};
use crate::version::Version;

/// Why a text is refused.
pub(super) struct Fatal {
    pub(super) kind: ParseErrorKind,
    pub(super) at: usize,
}

pub(super) type Read<T> = Result<T, Fatal>;

/// What an end of a statement that isn't one is called.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Rest {
    /// Behind a command or a block.
    Command,
    /// Behind a call or an unknown command.
    Call,
}

/// What ends statements before the text does.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Close {
    /// The `}` of a block that is a statement.
    Block,
    /// The `}` of code that is a value.
    Code,
    /// `]`.
    Bracket,
}

impl Close {
    fn byte(self) -> u8 {
        if self == Self::Bracket { b']' } else { b'}' }
    }
}

/// What is known of the properties of the menu that a condition looks at. The tree has only those that can be set, so a
/// word is taken for one but where it is sure that it isn't.
#[derive(Clone, Copy, Default)]
pub(super) struct Properties {
    /// Names that are properties elsewhere, and not of it.
    pub(super) lacking: &'static [&'static str],
    /// The condition names one of those.
    pub(super) missed: bool,
    /// The condition names another.
    pub(super) found: bool,
}

pub(super) struct Reader<'a> {
    pub(super) lex: Lexer<'a>,
    pub(super) view: View,
    pub(super) menu: MenuId,
    /// Names of variables, innermost block last.
    pub(super) scopes: Vec<BTreeSet<Vec<u8>>>,
    pub(super) late: Vec<(ParseErrorKind, Span)>,
    pub(super) commands: Vec<Used>,
    /// Menus that only some boards have are no mistakes.
    pub(super) boards: bool,
    pub(super) absent: Vec<Absent>,
    /// The current menu, where it is such a one.
    pub(super) nowhere: Option<String>,
    /// Inside a condition: words are properties, in its parentheses too.
    pub(super) condition: bool,
    pub(super) properties: Properties,
    lines: Lines,
    depth: usize,
}

impl<'a> Reader<'a> {
    pub(super) fn new(src: &'a [u8], version: Version) -> Self {
        Self {
            lex: Lexer::new(src, version),
            view: View::of(version),
            menu: ROOT,
            scopes: vec![BTreeSet::new()],
            late: Vec::new(),
            commands: Vec::new(),
            boards: false,
            absent: Vec::new(),
            nowhere: None,
            condition: false,
            properties: Properties::default(),
            lines: Lines::of(src),
            depth: 0,
        }
    }

    pub(super) fn error_of(&self, kind: ParseErrorKind, span: Span) -> ParseError {
        let position = self.lines.position(span.start);
        ParseError { message: format!("{kind} {position}"), kind, position, span }
    }

    pub(super) fn fail<T>(&self, kind: ParseErrorKind) -> Read<T> {
        Err(Fatal { kind, at: self.lex.pos })
    }

    pub(super) fn fail_at<T>(&self, kind: ParseErrorKind, at: usize) -> Read<T> {
        Err(Fatal { kind, at })
    }

    pub(super) fn nested<T>(&mut self, inner: impl FnOnce(&mut Self) -> Read<T>) -> Read<T> {
        if self.depth >= MAX_NESTING {
            return self.fail(ParseErrorKind::TooDeep);
        }
        self.depth += 1;
        let result = inner(self);
        self.depth -= 1;
        result
    }

    /// The whole text.
    pub(super) fn whole(&mut self) -> Read<String> {
        if self.lex.src.is_empty() {
            return Ok(String::new());
        }
        let mut items = Items::default();
        self.statements(None, &mut items)?;
        Ok(items.join(";"))
    }

    /// Whether a command ends here.
    pub(super) fn at_end(&self) -> bool {
        matches!(self.lex.peek(), None | Some(b'\n' | b';' | b'}' | b']')) || self.lex.starts_with(b"\r\n")
    }

    /// The current menu as an item of its own: what an empty statement shows as.
    fn here(&self) -> String {
        self.view.path(self.menu)
    }

    /// Blanks, line ends and joined lines.
    fn blank_lines(&mut self) {
        loop {
            match self.lex.peek() {
                Some(b' ' | b'\t' | b'\r' | b'\n') => self.lex.pos += 1,
                _ if self.lex.join_lines() => {}
                _ => return,
            }
        }
    }

    /// What a line end between statements takes along: a comment in the first column goes with its whole line.
    fn line_ends(&mut self) {
        self.blank_lines();
        while self.lex.peek() == Some(b'#') && self.lex.src.get(self.lex.pos.wrapping_sub(1)) == Some(&b'\n') {
            self.lex.comment();
            self.blank_lines();
        }
    }

    /// Statements up to `close` (taken) or the end of the text.
    ///
    /// A line end takes all blanks and line ends behind it, a `;` only those that begin with a line end; what is left
    /// between two ends is an empty statement, and shows. An indented comment is a blank, its line end included, but what
    /// follows it is a statement again, if an empty one. At the top only an empty statement at the very beginning, or one
    /// before a `;`, shows.
    fn statements(&mut self, ends: Option<Close>, items: &mut Items) -> Read<()> {
        let close = ends.map(Close::byte);
        let mut first = true;
        loop {
            self.lex.blanks();
            // An indented comment at the very end is a statement of its own (seen once).
            let mut indented = false;
            while self.lex.peek() == Some(b'#') {
                indented = matches!(self.lex.src.get(self.lex.pos.wrapping_sub(1)), Some(b' ' | b'\t'));
                self.lex.comment();
                self.lex.eat(b'\n');
                self.lex.blanks();
            }
            let mut rest = Rest::Command;
            let closed = self.lex.peek().is_none() || (close.is_some() && self.lex.peek() == close);
            if closed || matches!(self.lex.peek(), Some(b'\n' | b';')) {
                let explicit = self.lex.peek() == Some(b';');
                if close.is_some() || first || explicit || (indented && self.lex.peek().is_none()) {
                    items.push(self.here());
                }
            } else {
                rest = self.statement(items)?;
            }
            first = false;
            self.lex.blanks();
            match self.lex.peek() {
                None => return self.ended(ends),
                byte if byte == close => {
                    self.lex.pos += 1;
                    return Ok(());
                }
                Some(b';') => {
                    self.lex.pos += 1;
                    if self.lex.peek() == Some(b'\n') || self.lex.starts_with(b"\r\n") {
                        self.line_ends();
                    }
                }
                Some(b'\n') => self.line_ends(),
                Some(_) if rest == Rest::Call => return self.fail(ParseErrorKind::Syntax),
                Some(_) => return self.fail(ParseErrorKind::ExpectedEndOfCommand),
            }
            if close.is_some() && self.lex.peek() == close {
                self.lex.pos += 1;
                return Ok(());
            }
            if self.lex.peek().is_none() {
                return self.ended(ends);
            }
        }
    }

    /// The text ends here.
    fn ended(&self, close: Option<Close>) -> Read<()> {
        match close {
            None => Ok(()),
            Some(Close::Block) => self.fail(ParseErrorKind::MissingClosingBrace),
            Some(Close::Code) => self.fail(ParseErrorKind::ExpectedClosingBrace),
            Some(Close::Bracket) => self.fail(ParseErrorKind::Syntax),
        }
    }

    fn statement(&mut self, items: &mut Items) -> Read<Rest> {
        match self.lex.peek() {
            Some(b'{') => {
                let block = self.block(Close::Block)?;
                items.push(block);
                Ok(Rest::Command)
            }
            Some(b'[') => {
                let mut inner = Items::default();
                self.nested(|reader| {
                    reader.lex.pos += 1;
                    reader.statements(Some(Close::Bracket), &mut inner)
                })?;
                // What stands before it in its block becomes part of it.
                items.append(inner);
                let args = self.call_args(false)?;
                items.call(&args);
                Ok(Rest::Call)
            }
            Some(b'(') => {
                let what = self.paren()?.text();
                let args = self.call_args(false)?;
                items.push(format!("(<%% {what}{args}"));
                Ok(Rest::Call)
            }
            Some(b'$') => {
                let call = self.variable_call()?;
                items.push(call);
                Ok(Rest::Call)
            }
            _ => self.command(items),
        }
    }

    fn variable_call(&mut self) -> Read<String> {
        match self.lex.peek_at(1) {
            Some(b'(') => {
                self.lex.pos += 1;
                let what = self.paren()?.text();
                let args = self.call_args(false)?;
                Ok(format!("(<%% {what}{args}"))
            }
            _ => {
                let name = self.variable()?;
                let args = self.call_args(true)?;
                Ok(format!("(<%% {name} (> {name}){args}"))
            }
        }
    }

    /// `{ ... }` as code, in a scope of its own; the menu is as before behind it.
    pub(super) fn code(&mut self) -> Read<String> {
        self.block(Close::Code)
    }

    /// `[ ... ]` as a value.
    pub(super) fn bracket(&mut self) -> Read<Form> {
        self.block(Close::Bracket).map(Form::Atom)
    }

    fn block(&mut self, close: Close) -> Read<String> {
        self.nested(|reader| {
            reader.lex.pos += 1;
            let (menu, nowhere) = (reader.menu, reader.nowhere.clone());
            let condition = std::mem::replace(&mut reader.condition, false);
            reader.scopes.push(BTreeSet::new());
            let mut items = Items::default();
            reader.statements(Some(close), &mut items)?;
            reader.scopes.pop();
            reader.menu = menu;
            reader.nowhere = nowhere;
            reader.condition = condition;
            Ok(format!("(evl {})", items.join(" ")))
        })
    }

    /// A block behind a menu's path.
    pub(super) fn block_in(&mut self, menu: MenuId) -> Read<String> {
        let before = std::mem::replace(&mut self.menu, menu);
        let nowhere = self.nowhere.take();
        let block = self.code();
        self.menu = before;
        self.nowhere = nowhere;
        block
    }

    pub(super) fn declare(&mut self, name: &[u8]) {
        if let Some(scope) = self.scopes.last_mut() {
            scope.insert(name.to_vec());
        }
    }

    pub(super) fn declared(&self, name: &[u8]) -> bool {
        self.scopes.iter().any(|scope| scope.contains(name))
    }
}
