//! Expressions: what stands in `( )`, and what `find` and `where` look for.

use crate::ast::{ArrayItem, BinaryOp, Expr, ExprKind, Name, UnaryOp};
use crate::error::{ParseError, ParseErrorKind};
use crate::lexer::Lexer;
use crate::literal::Literal;
use crate::parser::Parser;
use crate::span::Span;

/// How many operators of one precedence may follow each other. They make a tree that deep on its left side.
const MAX_OPERATORS: usize = 2000;

/// What ends an expression and what a line end means in it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    /// In parentheses: no line end stands there on 7.x (seen on 7.20); on 6.x they are blanks \[verify\].
    Paren,
    /// Behind `where`: a line end ends it, and conditions side by side mean `and`.
    Where,
}

impl Parser<'_> {
    /// `( ... )`.
    pub(crate) fn paren(&mut self) -> Result<Expr, ParseError> {
        self.nested(|parser| {
            let start = parser.lex.pos;
            parser.lex.pos += 1;
            let inner = parser.expression(Mode::Paren, 0)?;
            parser.gap(Mode::Paren);
            if !parser.lex.eat(b')') {
                return Err(parser.lex.error(ParseErrorKind::Syntax));
            }
            Ok(Expr { kind: ExprKind::Paren(Box::new(inner)), span: Span::new(start, parser.lex.pos) })
        })
    }

    fn gap(&mut self, mode: Mode) {
        match mode {
            Mode::Paren if !self.lex.version.is_v7() => self.lex.blank_lines(),
            Mode::Paren | Mode::Where => self.lex.blanks(),
        }
    }

    /// An expression whose operators bind at least as tightly as `lowest`.
    pub(crate) fn expression(&mut self, mode: Mode, lowest: u8) -> Result<Expr, ParseError> {
        self.gap(mode);
        let left = self.operand(mode)?;
        self.operators(left, mode, lowest)
    }

    /// What follows the operand `left`.
    fn operators(&mut self, mut left: Expr, mode: Mode, lowest: u8) -> Result<Expr, ParseError> {
        let mut operators = 0;
        loop {
            self.gap(mode);
            let (op, len) = match self.operator() {
                Some(found) => found,
                None if self.at_operand() => (BinaryOp::Beside, 0),
                None => return Ok(left),
            };
            if op.precedence() < lowest.max(1) {
                return Ok(left);
            }
            operators += 1;
            if operators > MAX_OPERATORS {
                return Err(self.lex.error(ParseErrorKind::TooDeep));
            }
            self.lex.pos += len;
            let property = mode == Mode::Where && matches!(left.kind, ExprKind::Word(_));
            let text = matches!(op, BinaryOp::Eq | BinaryOp::Ne).then(|| self.lex.unquoted()).flatten();
            let right = match text.filter(|_| property) {
                Some((text, span)) => {
                    self.lex.pos = span.end;
                    Expr { kind: ExprKind::Literal(Literal::Str(text.clone()), text), span }
                }
                None => self.expression(mode, op.precedence() + u8::from(!op.binds_right()))?,
            };
            let span = Span::new(left.span.start, right.span.end);
            left = Expr { kind: ExprKind::Binary(op, Box::new(left), Box::new(right)), span };
        }
    }

    fn operator(&self) -> Option<(BinaryOp, usize)> {
        operator(&self.lex)
    }

    /// Whether another operand begins here, behind a complete one.
    fn at_operand(&self) -> bool {
        matches!(
            self.lex.peek(),
            Some(b'!' | b'(' | b'[' | b'{' | b'"' | b'$' | b'_' | b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z')
        )
    }

    fn operand(&mut self, mode: Mode) -> Result<Expr, ParseError> {
        let start = self.lex.pos;
        let Some(byte) = self.lex.peek() else {
            return Err(self.lex.error(ParseErrorKind::Syntax));
        };
        let unary = match byte {
            b'!' => Some(UnaryOp::Not),
            b'~' => Some(UnaryOp::BitNot),
            b'>' => Some(UnaryOp::Quote),
            b'-' => Some(UnaryOp::Neg),
            b'a' if at_keyword(&self.lex, b"any") => Some(UnaryOp::Any),
            _ => None,
        };
        if let Some(op) = unary {
            return self.nested(|parser| {
                parser.lex.pos += if op == UnaryOp::Any { 3 } else { 1 };
                parser.gap(mode);
                // Binds tighter than everything between operands.
                let inner = parser.expression(mode, BinaryOp::Element.precedence() + 1)?;
                let span = Span::new(start, inner.span.end);
                Ok(Expr { kind: ExprKind::Unary(op, Box::new(inner)), span })
            });
        }
        match byte {
            b'(' => self.paren(),
            b'[' => self.bracket(),
            b'{' => self.array(),
            b'"' => self.string(),
            b'$' => self.variable(),
            // No command: a variable of that very name, which nobody has (captures of 7.22; \[verify\] on 6.x).
            b':' if mode == Mode::Paren && self.lex.peek_at(1).is_some_and(|byte| byte.is_ascii_alphabetic()) => {
                self.lex.pos += 1;
                let name = [b":", self.lex.name()].concat();
                let span = Span::new(start, self.lex.pos);
                Ok(Expr { kind: ExprKind::Var(Name { text: name, span }), span })
            }
            b'*' => match self.lex.id() {
                Some((literal, span)) => Ok(self.literal(literal, span)),
                None => Err(self.lex.error(ParseErrorKind::Syntax)),
            },
            _ => {
                if let Some((literal, span)) = self.lex.typed() {
                    return Ok(self.literal(literal, span));
                }
                let Some((text, span)) = self.lex.word() else {
                    return Err(self.lex.error(ParseErrorKind::Syntax));
                };
                let kind = match Literal::single(&text) {
                    literal @ Literal::Bool(_) => ExprKind::Literal(literal, text),
                    _ => ExprKind::Word(text),
                };
                Ok(Expr { kind, span })
            }
        }
    }

    fn literal(&self, literal: Literal, span: Span) -> Expr {
        let text = String::from_utf8_lossy(span.of(self.lex.src)).into_owned();
        Expr { kind: ExprKind::Literal(literal, text), span }
    }

    /// `$name` or `$"name"`.
    pub(crate) fn variable(&mut self) -> Result<Expr, ParseError> {
        let name = self.variable_name()?;
        let span = name.span;
        Ok(Expr { kind: ExprKind::Var(name), span })
    }

    pub(crate) fn variable_name(&mut self) -> Result<Name, ParseError> {
        let start = self.lex.pos;
        self.lex.pos += 1;
        let text = if self.lex.peek() == Some(b'"') {
            let quoted = self.string()?;
            match constant(&quoted) {
                Some(text) => text,
                None => return Err(self.lex.error_at(ParseErrorKind::Syntax, quoted.span)),
            }
        } else {
            self.lex.name().to_vec()
        };
        if text.is_empty() {
            return Err(self.lex.error(ParseErrorKind::Syntax));
        }
        Ok(Name { text, span: Span::new(start, self.lex.pos) })
    }

    /// `{ a; b; key=c }`.
    pub(crate) fn array(&mut self) -> Result<Expr, ParseError> {
        self.nested(|parser| {
            let start = parser.lex.pos;
            parser.lex.pos += 1;
            let mut items = Vec::new();
            loop {
                parser.lex.blank_lines();
                match parser.lex.peek() {
                    Some(b'}') => {
                        parser.lex.pos += 1;
                        break;
                    }
                    Some(b';') => parser.lex.pos += 1,
                    Some(_) => {
                        items.push(parser.array_item()?);
                        parser.lex.blanks();
                        // A line end parts items, too, on 7.x; nothing is known of 6.x.
                        let parted = parser.lex.version.is_v7() && parser.lex.peek() == Some(b'\n');
                        parser.lex.blank_lines();
                        if !parted && !matches!(parser.lex.peek(), Some(b';' | b'}')) {
                            return Err(parser.array_error());
                        }
                    }
                    None => return Err(parser.array_error()),
                }
            }
            Ok(Expr { kind: ExprKind::Array(items), span: Span::new(start, parser.lex.pos) })
        })
    }

    fn array_error(&self) -> ParseError {
        let kind =
            if self.lex.peek().is_none() { ParseErrorKind::ExpectedClosingBrace } else { ParseErrorKind::Syntax };
        self.lex.error(kind)
    }

    fn array_item(&mut self) -> Result<ArrayItem, ParseError> {
        let first = self.value(false)?;
        if !self.lex.eat(b'=') {
            let value = self.operators(first, Mode::Paren, 0)?;
            return Ok(ArrayItem { key: None, value });
        }
        self.lex.join();
        let value = if matches!(self.lex.peek(), Some(b';' | b'}')) {
            let at = Span::new(self.lex.pos, self.lex.pos);
            Expr { kind: ExprKind::Str(Vec::new()), span: at }
        } else {
            self.value(false)?
        };
        Ok(ArrayItem { key: Some(first), value })
    }
}

/// The bytes of a string without interpolation.
pub(crate) fn constant(expr: &Expr) -> Option<Vec<u8>> {
    use crate::ast::StrPart;
    match &expr.kind {
        ExprKind::Str(parts) => match parts.as_slice() {
            [] => Some(Vec::new()),
            [StrPart::Text(text)] => Some(text.clone()),
            _ => None,
        },
        _ => None,
    }
}

/// The operator that stands here, and its length.
pub(crate) fn operator(lex: &Lexer<'_>) -> Option<(BinaryOp, usize)> {
    use BinaryOp::*;
    let next = lex.peek_at(1);
    let found = match lex.peek()? {
        b'<' if lex.starts_with(b"<%%") => (Activate, 3),
        b'<' if next == Some(b'<') => (ShiftLeft, 2),
        b'<' if next == Some(b'=') => (LessEq, 2),
        b'<' => (Less, 1),
        b'>' if next == Some(b'>') => (ShiftRight, 2),
        b'>' if next == Some(b'=') => (GreaterEq, 2),
        b'>' => (Greater, 1),
        b'&' if next == Some(b'&') => (And, 2),
        b'&' => (BitAnd, 1),
        b'|' if next == Some(b'|') => (Or, 2),
        b'|' => (BitOr, 1),
        b'!' if next == Some(b'=') => (Ne, 2),
        b'-' if next == Some(b'>') => (Element, 2),
        b'-' => (Sub, 1),
        b'=' => (Eq, 1),
        b'~' => (Match, 1),
        b'.' => (Concat, 1),
        b',' => (Join, 1),
        b'^' => (BitXor, 1),
        b'+' => (Add, 1),
        b'*' => (Mul, 1),
        b'/' => (Div, 1),
        b'%' => (Mod, 1),
        b'a' if at_keyword(lex, b"and") => (And, 3),
        b'o' if at_keyword(lex, b"or") => (Or, 2),
        b'i' if at_keyword(lex, b"in") => (In, 2),
        _ => return None,
    };
    Some(found)
}

/// Whether the operator's name `word` stands here.
pub(crate) fn at_keyword(lex: &Lexer<'_>, word: &[u8]) -> bool {
    let behind = lex.peek_at(word.len());
    lex.starts_with(word) && behind.is_none_or(|byte| !byte.is_ascii_alphanumeric() && !b"-_".contains(&byte))
}
