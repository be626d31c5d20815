//! Expressions: what stands in `( )`, in arrays, and behind `find` and `where`.

use super::reader::{Read, Reader};
use super::render::{Form, Node};
use crate::ast::BinaryOp;
use crate::error::ParseErrorKind;
use crate::expression::{at_keyword, operator};
use crate::literal::Literal;

/// How many operators of one level may follow each other.
const MAX_OPERATORS: usize = 20_000;

/// Where an expression stands.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    /// In `( )`.
    Paren,
    /// An element of an array.
    Element,
    /// A condition behind `find` or `where`: words are properties, and what they are compared with is text.
    Where,
}

/// Tighter than every operator between operands.
const TIGHTEST: u8 = 15;

impl Reader<'_> {
    /// `( ... )`: what is in it.
    pub(super) fn paren(&mut self) -> Read<Form> {
        self.nested(|reader| {
            reader.lex.pos += 1;
            reader.lex.blanks();
            let condition = reader.condition;
            // `where topics=({"script"; "warning"})`: an array, and no condition in it.
            reader.condition &= reader.lex.peek() != Some(b'{');
            let mode = if reader.condition { Mode::Where } else { Mode::Paren };
            let inner = reader.expression(mode, 1);
            reader.condition = condition;
            let inner = inner?;
            reader.lex.blanks();
            if !reader.lex.eat(b')') {
                return reader.fail(ParseErrorKind::Syntax);
            }
            Ok(inner)
        })
    }

    /// Whether another operand can begin here.
    fn at_operand(&self, mode: Mode) -> bool {
        match self.lex.peek() {
            Some(b'!' | b'(' | b'[' | b'"' | b'$' | b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z') => true,
            Some(b'{') => !self.condition,
            Some(b'_') => mode != Mode::Where,
            _ => false,
        }
    }

    /// An expression of operators that bind at least as tightly as `lowest`.
    pub(super) fn expression(&mut self, mode: Mode, lowest: u8) -> Read<Form> {
        self.nested(|reader| {
            reader.lex.blanks();
            let start = reader.lex.pos;
            let mut left = reader.operand(mode)?;
            let mut alone = mode == Mode::Where && reader.is_word(start);
            for _ in 0..MAX_OPERATORS {
                reader.lex.blanks();
                let (op, length) = match operator(&reader.lex) {
                    Some(found) => found,
                    None if reader.at_operand(mode) => (BinaryOp::Beside, 0),
                    None => return Ok(left),
                };
                if op.precedence() < lowest {
                    return Ok(left);
                }
                reader.lex.pos += length;
                let compares = op.precedence() == BinaryOp::Eq.precedence();
                let right = match (compares && alone).then(|| reader.compared()).flatten() {
                    Some(text) => Form::Atom(text),
                    None => reader.expression(mode, op.precedence() + u8::from(!op.binds_right()))?,
                };
                alone = false;
                let mut node = match left {
                    Form::Node(node) if node.is(op.symbol()) && op.is_variadic() => node,
                    left => Node::new(op.symbol(), left),
                };
                match right {
                    // The same operator again, in `( )` too, and the pieces of a quoted string: operands like any other.
                    Form::Node(same) if op.is_variadic() && same.is(op.symbol()) => node.push(&same.operands()),
                    right => node.push(&right.text()),
                }
                left = Form::Node(node);
            }
            reader.fail(ParseErrorKind::TooDeep)
        })
    }

    /// Whether what began at `start` was a plain word.
    fn is_word(&self, start: usize) -> bool {
        let text = self.lex.src.get(start..self.lex.pos).unwrap_or_default();
        text.first().is_some_and(|byte| byte.is_ascii_lowercase() || *byte == b'.')
            && text.iter().all(|byte| byte.is_ascii_alphanumeric() || b"-.".contains(byte))
    }

    /// The text that a property is compared with; `None` for other operands.
    fn compared(&mut self) -> Option<String> {
        self.lex.blanks();
        let text = self.bare_text(|byte| byte != b'!' && super::value::is_bare(byte))?;
        Some(match Literal::single(&text) {
            literal @ (Literal::Bool(_) | Literal::Time(_)) => literal.to_string(),
            _ => text.replace(',', ";"),
        })
    }

    fn operand(&mut self, mode: Mode) -> Read<Form> {
        let unary = match self.lex.peek() {
            Some(b'!') => Some(("!", 1)),
            Some(b'~') => Some(("~", 1)),
            Some(b'>') => Some((">", 1)),
            // A number with a minus is an operator and a number.
            Some(b'-') => Some(("-", 1)),
            Some(b'a') if at_keyword(&self.lex, b"any") => Some(("any", 3)),
            _ => None,
        };
        if let Some((symbol, length)) = unary {
            self.lex.pos += length;
            let value = self.expression(mode, TIGHTEST)?;
            return Ok(Form::Node(Node::new(symbol, value)));
        }
        match self.lex.peek() {
            Some(b'(') => self.paren(),
            Some(b'[') => self.bracket(),
            // A condition compares with no arrays.
            Some(b'{') if !self.condition => self.array(true),
            Some(b'"') => self.string(None, false),
            Some(b'$') => self.dollar(),
            // A closing bracket is read before it is found to be none.
            Some(b')' | b']' | b'}') => self.fail_at(ParseErrorKind::Syntax, self.lex.pos + 1),
            Some(b'*') if mode != Mode::Element => match self.lex.id() {
                Some((literal, _)) => Ok(Form::Atom(literal.to_string())),
                None => self.fail(ParseErrorKind::Syntax),
            },
            _ => self.word(mode),
        }
    }

    fn word(&mut self, mode: Mode) -> Read<Form> {
        if let Some((literal, span)) = self.lex.typed() {
            return Ok(Form::Atom(match literal {
                Literal::Str(_) => String::from_utf8_lossy(span.of(self.lex.src)).into_owned(),
                literal => literal.to_string(),
            }));
        }
        let start = self.lex.pos;
        // A property that the menu lacks is none: its words are variables with a minus between.
        let lacking =
            mode == Mode::Where && self.properties.lacking.iter().any(|name| at_keyword(&self.lex, name.as_bytes()));
        self.properties.missed |= lacking;
        // The second word of such a name, or what is compared with it.
        let behind = start > 0 && self.lex.src.get(start - 1).is_some_and(|byte| b"-=~<>".contains(byte));
        // Where a value is wanted, dots and slashes are no operators.
        let dotted = matches!(self.lex.peek(), Some(b'.' | b'/'));
        let accept = |byte: u8| {
            byte.is_ascii_alphanumeric()
                || matches!(byte, b'_' | b':')
                || (dotted && matches!(byte, b'.' | b'/'))
                || (mode == Mode::Where && !lacking && b"-.".contains(&byte))
        };
        while self.lex.peek().is_some_and(accept) {
            self.lex.pos += 1;
        }
        let text = String::from_utf8_lossy(self.lex.src.get(start..self.lex.pos).unwrap_or_default()).into_owned();
        self.properties.found |= mode == Mode::Where && !lacking && !behind;
        match text.as_str() {
            "" => self.fail(ParseErrorKind::Syntax),
            "yes" | "true" => Ok(Form::Atom("true".to_owned())),
            "no" | "false" => Ok(Form::Atom("false".to_owned())),
            _ => Ok(Form::Atom(format!("${text}"))),
        }
    }
}
