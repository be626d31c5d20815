//! Statements and commands.

use std::sync::Arc;

use crate::ast::{Arg, Block, Call, Command, Expr, ExprKind, Prefix, Script, Statement, Word};
use crate::commands::{self, Builtin};
use crate::error::{ParseError, ParseErrorKind};
use crate::expression::Mode;
use crate::lexer::{Lexer, is_bare};
use crate::literal::Literal;
use crate::span::Span;
use crate::version::Version;

/// How deep brackets of all kinds may nest. A router's own limit is not known; this one keeps the parser's and the
/// evaluator's stacks small, and is far above what scripts use.
pub const MAX_NESTING: usize = 64;

/// Reads a whole text with the grammar of `version`. The first error ends it, as on a router: nothing of it runs.
pub fn parse(src: &[u8], version: Version) -> Result<Script, ParseError> {
    parse_in(src, version, true)
}

/// The same for a text that begins in another menu than the root, where `find` is the menu's own.
pub fn parse_in(src: &[u8], version: Version, root: bool) -> Result<Script, ParseError> {
    let mut parser = Parser { lex: Lexer::new(src, version), depth: 0, root };
    let body = parser.statements(None, ParseErrorKind::Syntax)?;
    Ok(Script { src: Arc::from(src), version, body: Arc::new(body) })
}

pub(crate) struct Parser<'a> {
    pub(crate) lex: Lexer<'a>,
    depth: usize,
    /// The current menu is the root for sure. Whether a path without arguments is a menu or a command is not known here.
    root: bool,
}

/// What a command's name tells about how its arguments read.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Shape {
    /// The language's own command, if it is one.
    builtin: Option<&'static Builtin>,
    /// May hold `where`, or is `find`.
    menu: bool,
}

/// Which of a builtin's arguments that need no name have their value.
struct Filled {
    builtin: Option<&'static Builtin>,
    /// A bit for each.
    taken: u32,
}

impl Filled {
    fn of(shape: Shape) -> Self {
        Self { builtin: shape.builtin, taken: 0 }
    }

    /// A value stands without a name.
    fn unnamed(&mut self, text: Option<&str>) {
        if text.and_then(|text| self.builtin?.flag(text)).is_none() {
            // The first that is free.
            self.taken |= self.taken.wrapping_add(1);
        }
    }

    /// A value has this name.
    fn named(&mut self, name: &str) {
        if let Some(at) = self.builtin.and_then(|builtin| builtin.unnamed.iter().position(|unnamed| *unnamed == name)) {
            self.taken |= 1 << at;
        }
    }

    fn all(&self) -> bool {
        self.builtin.is_some_and(|builtin| (0..builtin.unnamed.len()).all(|at| self.taken >> at & 1 == 1))
    }
}

impl Shape {
    /// An unnamed `{ }` is code.
    fn code(self) -> bool {
        self.builtin.is_some_and(|builtin| builtin.code)
    }

    /// Whether `{ }` as the value of that argument is code.
    fn takes_code(self, name: &str) -> bool {
        commands::takes_code(name) || (name == "in" && self.builtin.is_some_and(|builtin| builtin.name == "onerror"))
    }
}

impl<'a> Parser<'a> {
    /// A parser of one string literal; see `quote`.
    pub(crate) fn of(src: &'a [u8], version: Version) -> Self {
        Self { lex: Lexer::new(src, version), depth: 0, root: true }
    }

    /// Runs `inner` one level deeper.
    pub(crate) fn nested<T>(
        &mut self,
        inner: impl FnOnce(&mut Self) -> Result<T, ParseError>,
    ) -> Result<T, ParseError> {
        if self.depth >= MAX_NESTING {
            return Err(self.lex.error(ParseErrorKind::TooDeep));
        }
        self.depth += 1;
        let result = inner(self);
        self.depth -= 1;
        result
    }

    /// Statements up to `close` (taken) or the end of the text, which is the error `unclosed` where `close` is wanted.
    fn statements(&mut self, close: Option<u8>, unclosed: ParseErrorKind) -> Result<Block, ParseError> {
        let start = self.lex.pos;
        let mut statements = Vec::new();
        loop {
            self.lex.blank_lines();
            let end = self.lex.pos;
            match self.lex.peek() {
                None if close.is_none() => return Ok(Block { statements, span: Span::new(start, end) }),
                None => return Err(self.lex.error(unclosed)),
                byte if byte == close => {
                    self.lex.pos += 1;
                    return Ok(Block { statements, span: Span::new(start, end) });
                }
                Some(b';') => self.lex.pos += 1,
                Some(b'#') => self.lex.comment(),
                Some(_) => {
                    statements.push(self.statement()?);
                    self.lex.blanks();
                    let ended = matches!(self.lex.peek(), None | Some(b'\n' | b';')) || self.lex.peek() == close;
                    if !ended {
                        return Err(self.lex.error(ParseErrorKind::ExpectedEndOfCommand));
                    }
                }
            }
        }
    }

    fn statement(&mut self) -> Result<Statement, ParseError> {
        match self.lex.peek() {
            Some(b'{') => self.block(ParseErrorKind::MissingClosingBrace).map(Statement::Block),
            Some(b'[') => match self.bracket()?.kind {
                ExprKind::Bracket(block) => Ok(Statement::Bracket(block, self.call_arguments()?.0)),
                _ => Err(self.lex.error(ParseErrorKind::Syntax)),
            },
            Some(b'(') => {
                let expr = self.paren()?;
                Ok(Statement::Paren(expr, self.call_arguments()?.0))
            }
            Some(b'$') if self.lex.peek_at(1) == Some(b'(') => {
                self.lex.pos += 1;
                self.statement()
            }
            Some(b'$') => {
                let name = self.variable_name()?;
                let start = name.span.start;
                let (args, end) = self.call_arguments()?;
                Ok(Statement::Call(Call { name, args, span: Span::new(start, end) }))
            }
            _ => {
                let root = self.root;
                let command = self.command()?;
                // A path alone may have changed the menu.
                let path = command.args.is_empty() && self.shape(command.prefix, command.words.first()).menu;
                self.root = if command.words.is_empty() { true } else { root && !path };
                Ok(Statement::Command(command))
            }
        }
    }

    /// What a call is given, and the offset behind it.
    fn call_arguments(&mut self) -> Result<(Vec<Arg>, usize), ParseError> {
        let mut args = Vec::new();
        let shape = Shape { builtin: None, menu: false };
        let end = self.arguments(None, &mut args, shape, Filled::of(shape), self.lex.pos)?;
        Ok((args, end))
    }

    /// Statements in brackets; the menu is as before behind them.
    fn inner_statements(&mut self, close: u8, unclosed: ParseErrorKind) -> Result<Arc<Block>, ParseError> {
        let root = self.root;
        let block = self.statements(Some(close), unclosed);
        self.root = root;
        block.map(Arc::new)
    }

    /// `{ ... }` as code.
    fn block(&mut self, unclosed: ParseErrorKind) -> Result<Arc<Block>, ParseError> {
        self.nested(|parser| {
            parser.lex.pos += 1;
            parser.inner_statements(b'}', unclosed)
        })
    }

    /// `[ ... ]`.
    pub(crate) fn bracket(&mut self) -> Result<Expr, ParseError> {
        self.nested(|parser| {
            let start = parser.lex.pos;
            parser.lex.pos += 1;
            let block = parser.inner_statements(b']', ParseErrorKind::Syntax)?;
            Ok(Expr { kind: ExprKind::Bracket(block), span: Span::new(start, parser.lex.pos) })
        })
    }

    fn command(&mut self) -> Result<Command, ParseError> {
        let start = self.lex.pos;
        let prefix = match self.lex.peek() {
            Some(b':') => Prefix::Colon,
            Some(b'/') => Prefix::Slash,
            _ => Prefix::None,
        };
        if prefix != Prefix::None {
            self.lex.pos += 1;
        }
        let mut words = Vec::new();
        self.lex.blanks();
        let mut end = self.lex.pos;
        let mut shape = Shape { builtin: None, menu: true };
        let mut filled = Filled::of(shape);
        let mut args = Vec::new();
        // Menus, the command and plain values, until something else comes.
        while let Some((text, span)) = self.lex.bare() {
            if self.lex.peek() == Some(b'=') && !words.is_empty() {
                self.lex.pos = span.start;
                break;
            }
            if words.is_empty() {
                if !text.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '.') {
                    return Err(self.lex.error_at(ParseErrorKind::ExpectedCommandName, span));
                }
                if self.lex.peek() == Some(b'=') {
                    return Err(self.lex.error(ParseErrorKind::ExpectedEndOfCommand));
                }
                shape = self.shape_of(prefix, &text);
                filled = Filled::of(shape);
                // What is in brackets behind it belongs to its menu.
                self.root &= !shape.menu;
            }
            if shape.menu && text == "where" && !words.is_empty() {
                self.lex.pos = span.start;
                break;
            }
            if !words.is_empty() {
                if self.value_follows(shape, &text, &filled) {
                    self.lex.pos = span.start;
                    break;
                }
                filled.unnamed(Some(&text));
            }
            let is_find = shape.menu && text.rsplit('/').next() == Some("find");
            words.push(Word { text, span });
            end = span.end;
            self.lex.blanks();
            if is_find {
                let filter = self.filter(&mut end, false)?;
                args.push(Arg::Where(filter));
                return Ok(Command { prefix, words, args, span: Span::new(start, end) });
            }
        }
        if words.is_empty() && (prefix != Prefix::Slash || !self.at_end()) {
            return Err(self.lex.error(ParseErrorKind::ExpectedCommandName));
        }
        end = self.arguments(Some(&words), &mut args, shape, filled, end)?;
        Ok(Command { prefix, words, args, span: Span::new(start, end) })
    }

    fn shape(&self, prefix: Prefix, first: Option<&Word>) -> Shape {
        first.map_or(Shape { builtin: None, menu: true }, |first| self.shape_of(prefix, &first.text))
    }

    fn shape_of(&self, prefix: Prefix, first: &str) -> Shape {
        let menu = Shape { builtin: None, menu: true };
        let Some(builtin) = commands::find(first, self.lex.version) else { return menu };
        // Without a colon these are a menu's own commands at least as often.
        let at_root = builtin.name == "find" && self.root;
        if prefix == Prefix::None && matches!(builtin.name, "find" | "set" | "import" | "export") && !at_root {
            return menu;
        }
        Shape { builtin: Some(builtin), menu: false }
    }

    /// Whether a command ends here.
    pub(crate) fn at_end(&self) -> bool {
        matches!(self.lex.peek(), None | Some(b'\n' | b';' | b']' | b'}'))
    }

    /// Arguments up to the end of the command; the offset behind the last one.
    fn arguments(
        &mut self,
        words: Option<&[Word]>,
        args: &mut Vec<Arg>,
        shape: Shape,
        mut filled: Filled,
        mut end: usize,
    ) -> Result<usize, ParseError> {
        loop {
            let before = self.lex.pos;
            self.lex.blanks();
            if self.at_end() {
                return Ok(end);
            }
            if before == self.lex.pos && before == end {
                // `$` and `\` have no meaning inside an unquoted value.
                let inside = matches!(self.lex.peek(), Some(b'$' | b'\\'));
                // A value may touch the command's name (`:put[...]`), but no other value. How many words a menu's
                // command has is not known here: `check` looks again.
                let value = matches!(self.lex.peek(), Some(b'"' | b'[' | b'(' | b'{'));
                let inner = inside || (value && shape.builtin.is_some());
                let touches_name = args.is_empty() && words.is_some_and(|words| words.len() == 1 || !inner);
                if !touches_name {
                    let kind = if inside { ParseErrorKind::Syntax } else { ParseErrorKind::ExpectedEndOfCommand };
                    return Err(self.lex.error(kind));
                }
            }
            let start = self.lex.pos;
            if let Some((text, span)) = self.lex.bare() {
                if self.lex.peek() == Some(b'=') {
                    filled.named(&text);
                    args.push(self.named(Word { text, span }, shape)?);
                } else if self.value_follows(shape, &text, &filled) {
                    self.lex.blanks();
                    let code = shape.takes_code(&text);
                    filled.named(&text);
                    args.push(Arg::Named(Word { text, span }, Some(self.value(code)?)));
                } else if shape.menu && text == "where" {
                    self.lex.blanks();
                    end = self.lex.pos;
                    let filter = self.filter(&mut end, true)?;
                    args.push(Arg::Where(filter));
                    return Ok(end);
                } else {
                    filled.unnamed(Some(&text));
                    args.push(Arg::Unnamed(Expr { kind: ExprKind::Literal(Literal::of(&text), text), span }));
                }
            } else {
                if !matches!(self.lex.peek(), Some(b'"' | b'$' | b'[' | b'(' | b'{')) {
                    let kind = if self.lex.peek() == Some(b'#') {
                        ParseErrorKind::ExpectedEndOfCommand
                    } else {
                        ParseErrorKind::Syntax
                    };
                    return Err(self.lex.error(kind));
                }
                // Behind a menu's path stand statements that run in it.
                let in_menu = shape.menu && args.is_empty() && words.is_some() && self.lex.version.is_v7();
                filled.unnamed(None);
                args.push(Arg::Unnamed(self.value(shape.code() || in_menu)?));
            }
            end = self.lex.pos;
            debug_assert!(end > start, "every argument takes bytes");
        }
    }

    /// Whether the value of an argument stands behind its name without `=`: `do {` means `do={`, and `in $x` means `in=$x`
    /// where nothing is wanted any more that needs no name. On 6.x, too: public scripts for it are written so.
    fn value_follows(&mut self, shape: Shape, name: &str, filled: &Filled) -> bool {
        let Some(builtin) = shape.builtin.filter(|builtin| builtin.has(name)) else { return false };
        let before = self.lex.pos;
        self.lex.blanks();
        let follows = match self.lex.peek() {
            Some(b'{') if shape.takes_code(name) => true,
            _ if shape.takes_code(name) || builtin.unnamed.contains(&name) || self.lex.pos == before => false,
            Some(b'"' | b'$' | b'[' | b'(' | b'{') => filled.all(),
            Some(byte) => filled.all() && is_bare(byte),
            None => false,
        };
        self.lex.pos = before;
        follows
    }

    /// What `find` or `where` looks for.
    fn filter(&mut self, end: &mut usize, wanted: bool) -> Result<Option<Arc<Expr>>, ParseError> {
        if self.at_end() {
            return if wanted { Err(self.lex.error(ParseErrorKind::MissingValueForWhere)) } else { Ok(None) };
        }
        if !wanted && self.lex.starts_with(b"where") && !self.lex.peek_at(5).is_some_and(crate::lexer::is_bare) {
            self.lex.pos += 5;
            if self.lex.peek() != Some(b'=') {
                self.lex.blanks();
                return self.filter(end, true);
            }
            self.lex.pos -= 5;
        }
        let filter = self.expression(Mode::Where, 0)?;
        *end = filter.span.end;
        self.lex.blanks();
        if self.at_end() { Ok(Some(Arc::new(filter))) } else { Err(self.lex.error(ParseErrorKind::Syntax)) }
    }

    fn named(&mut self, name: Word, shape: Shape) -> Result<Arg, ParseError> {
        if !name.text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._".contains(&byte)) {
            return Err(self.lex.error_at(ParseErrorKind::Syntax, name.span));
        }
        self.lex.pos += 1;
        self.lex.join();
        // A known command's value may stand behind blanks, a call's not (captures of 7.x; nothing is known of 6.x).
        if (shape.menu || shape.builtin.is_some()) && self.lex.version.is_v7() {
            self.lex.blanks();
        }
        if matches!(self.lex.peek(), None | Some(b' ' | b'\t' | b'\r' | b'\n' | b';' | b']' | b'}')) {
            // An empty value can only be the last thing.
            self.lex.blanks();
            if !self.at_end() {
                return Err(self.lex.error(ParseErrorKind::ExpectedValue(name.text)));
            }
            return Ok(Arg::Named(name, None));
        }
        let code = shape.takes_code(&name.text);
        let value = self.value(code)?;
        Ok(Arg::Named(name, Some(value)))
    }

    /// One value of a command or an array. `code`: `{ }` holds statements, not elements.
    pub(crate) fn value(&mut self, code: bool) -> Result<Expr, ParseError> {
        match self.lex.peek() {
            Some(b'"') => self.string(),
            Some(b'$') => self.variable(),
            Some(b'[') => self.bracket(),
            Some(b'(') => self.paren(),
            Some(b'{') if code => {
                let start = self.lex.pos;
                let block = self.block(ParseErrorKind::ExpectedClosingBrace)?;
                Ok(Expr { kind: ExprKind::Block(block), span: Span::new(start, self.lex.pos) })
            }
            Some(b'{') => self.array(),
            _ => match self.lex.bare() {
                Some((text, span)) => Ok(Expr { kind: ExprKind::Literal(Literal::of(&text), text), span }),
                None => Err(self.lex.error(ParseErrorKind::Syntax)),
            },
        }
    }
}
