//! The tree of a script. Every node knows its place; nothing is resolved or evaluated.

use std::sync::Arc;

use crate::literal::Literal;
use crate::span::Span;
use crate::version::Version;

/// A whole parsed text.
#[derive(Debug, Clone, PartialEq)]
pub struct Script {
    /// The text itself; every span counts in it.
    pub src: Arc<[u8]>,
    /// The version whose grammar it was read with.
    pub version: Version,
    /// Its statements.
    pub body: Arc<Block>,
}

/// Statements; the whole text, or what stands between `{ }` or `[ ]`.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Block {
    /// In order; empty statements and comments leave nothing.
    pub statements: Vec<Statement>,
    /// What lies between the brackets, without them.
    pub span: Span,
}

/// One statement.
#[derive(Debug, Clone, PartialEq)]
pub enum Statement {
    /// `:put x`, `/ip address add ...`, or a bare menu path.
    Command(Command),
    /// `$function arguments`.
    Call(Call),
    /// `{ ... }`: a scope of its own.
    Block(Arc<Block>),
    /// `[ ... ]` as a statement: what it declares is visible behind it. Code that it gives is called with the arguments.
    Bracket(Arc<Block>, Vec<Arg>),
    /// `( ... )` as a statement, or `$( ... )`: code is called, `($functions->"name") arguments`.
    Paren(Expr, Vec<Arg>),
}

impl Statement {
    /// Its place.
    pub fn span(&self) -> Span {
        match self {
            Self::Command(command) => command.span,
            Self::Call(call) => call.span,
            Self::Block(block) => block.span,
            Self::Bracket(block, args) => with_args(block.span, args),
            Self::Paren(expr, args) => with_args(expr.span, args),
        }
    }
}

fn with_args(span: Span, args: &[Arg]) -> Span {
    args.last().map_or(span, |last| Span::new(span.start, last.span().end))
}

/// What stands before the first word of a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Prefix {
    /// Nothing: relative to the current menu.
    None,
    /// `:`, from the root.
    Colon,
    /// `/`, from the root.
    Slash,
}

/// A command, or a bare menu path (no arguments, every word a menu).
#[derive(Debug, Clone, PartialEq)]
pub struct Command {
    /// What stands before the words.
    pub prefix: Prefix,
    /// The leading unquoted words as written; one may hold several names joined by `/`. The
    /// first ones are menus and the command, the rest unnamed arguments: [`crate::resolve`].
    pub words: Vec<Word>,
    /// What follows the first thing that is no plain word.
    pub args: Vec<Arg>,
    /// From the prefix to the end of the last argument.
    pub span: Span,
}

impl Command {
    /// The statements behind a menu's path, which run in it: `/ip address { print; add ... }`.
    pub fn block(&self) -> Option<&Arc<Block>> {
        match self.args.as_slice() {
            [Arg::Unnamed(Expr { kind: ExprKind::Block(block), .. })] => Some(block),
            _ => None,
        }
    }
}

/// `$name arguments`.
#[derive(Debug, Clone, PartialEq)]
pub struct Call {
    /// The variable that holds the function.
    pub name: Name,
    /// Arguments.
    pub args: Vec<Arg>,
    /// From the `$` to the end of the last argument.
    pub span: Span,
}

/// A word of a command as written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Word {
    /// Its text; printable ASCII.
    pub text: String,
    /// Its place.
    pub span: Span,
}

/// The name of a variable. `$"any text"` may hold any bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Name {
    /// Without `$` and quotes.
    pub text: Vec<u8>,
    /// Its place, the `$` included.
    pub span: Span,
}

/// One argument.
#[derive(Debug, Clone, PartialEq)]
pub enum Arg {
    /// `name=value`; `None` for an empty one at the end of a command.
    Named(Word, Option<Expr>),
    /// A value alone.
    Unnamed(Expr),
    /// What `find` or `where` looks for, `None` for everything. Always the last.
    Where(Option<Arc<Expr>>),
}

impl Arg {
    /// Its place.
    pub fn span(&self) -> Span {
        match self {
            Self::Named(name, value) => {
                Span::new(name.span.start, value.as_ref().map_or(name.span.end + 1, |value| value.span.end))
            }
            Self::Unnamed(value) => value.span,
            Self::Where(Some(value)) => value.span,
            Self::Where(None) => Span::default(),
        }
    }
}

/// An expression.
#[derive(Debug, Clone, PartialEq)]
pub struct Expr {
    /// What it is.
    pub kind: ExprKind,
    /// Its place.
    pub span: Span,
}

/// The kinds of expressions.
#[derive(Debug, Clone, PartialEq)]
pub enum ExprKind {
    /// An unquoted value with the type that it reads as, and its text (joined line ends left out).
    Literal(Literal, String),
    /// A bare word inside an expression: a variable, an item's property, or a text.
    Word(String),
    /// `"..."`.
    Str(Vec<StrPart>),
    /// `$name`.
    Var(Name),
    /// `[ ... ]`: the value of its last command.
    Bracket(Arc<Block>),
    /// `{ ... }` where code is expected.
    Block(Arc<Block>),
    /// `{ a; b; key=c }`.
    Array(Vec<ArrayItem>),
    /// `( ... )`.
    Paren(Box<Expr>),
    /// `!x`, `-x`, `~x`, `>x`.
    Unary(UnaryOp, Box<Expr>),
    /// `x + y`.
    Binary(BinaryOp, Box<Expr>, Box<Expr>),
}

/// A piece of a quoted string.
#[derive(Debug, Clone, PartialEq)]
pub enum StrPart {
    /// Bytes, escapes resolved.
    Text(Vec<u8>),
    /// `$name`, `$(...)` or `$[...]`.
    Value(Expr),
}

/// One element of an array.
#[derive(Debug, Clone, PartialEq)]
pub struct ArrayItem {
    /// `key=` if it has one.
    pub key: Option<Expr>,
    /// Its value.
    pub value: Expr,
}

/// Operators before their operand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UnaryOp {
    /// `!`
    Not,
    /// `-`
    Neg,
    /// `~`
    BitNot,
    /// `>`: keeps a `[...]` as a value to be evaluated later.
    Quote,
    /// `any`: whether there is a value.
    Any,
}

/// Operators between their operands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum BinaryOp {
    Or,
    And,
    Eq,
    Ne,
    Less,
    Greater,
    LessEq,
    GreaterEq,
    In,
    Match,
    Concat,
    Join,
    BitOr,
    BitXor,
    BitAnd,
    ShiftLeft,
    ShiftRight,
    Add,
    Sub,
    Mul,
    Div,
    Mod,
    Element,
    /// `<%%`: runs code with an array of arguments.
    Activate,
    /// Values side by side: conditions behind `where` that all must hold.
    Beside,
}

impl BinaryOp {
    /// As the intermediate form writes it.
    pub fn symbol(self) -> &'static str {
        match self {
            Self::Or => "or",
            Self::And => "and",
            Self::Eq => "=",
            Self::Ne => "!=",
            Self::Less => "<",
            Self::Greater => ">",
            Self::LessEq => "<=",
            Self::GreaterEq => ">=",
            Self::In => "in",
            Self::Match => "~",
            Self::Concat => ".",
            Self::Join => ",",
            Self::BitOr => "|",
            Self::BitXor => "^",
            Self::BitAnd => "&",
            Self::ShiftLeft => "<<",
            Self::ShiftRight => ">>",
            Self::Add => "+",
            Self::Sub => "-",
            Self::Mul => "*",
            Self::Div => "/",
            Self::Mod => "%",
            Self::Element => "->",
            Self::Activate => "<%%",
            Self::Beside => " ",
        }
    }

    /// How tightly it binds, 1 loosest. Levels as the intermediate forms of 7.23 and 7.24 routers show them; prefix
    /// operators bind tighter than all.
    pub fn precedence(self) -> u8 {
        match self {
            Self::Join => 1,
            Self::Or => 2,
            Self::And | Self::Beside => 3,
            Self::In => 4,
            Self::Eq | Self::Ne | Self::Less | Self::Greater | Self::LessEq | Self::GreaterEq | Self::Match => 5,
            Self::Concat => 6,
            Self::ShiftLeft | Self::ShiftRight => 7,
            Self::BitOr => 8,
            Self::BitXor => 9,
            Self::BitAnd => 10,
            Self::Add | Self::Sub => 11,
            Self::Mul | Self::Div | Self::Mod => 12,
            Self::Activate => 13,
            Self::Element => 14,
        }
    }

    /// Whether `a op b op c` is `a op (b op c)`.
    pub fn binds_right(self) -> bool {
        matches!(self, Self::ShiftLeft | Self::ShiftRight | Self::Activate)
    }

    /// Whether `a op b op c` is one node of three operands in the intermediate form.
    pub fn is_variadic(self) -> bool {
        matches!(
            self,
            Self::Join
                | Self::Or
                | Self::And
                | Self::Beside
                | Self::Concat
                | Self::BitOr
                | Self::BitXor
                | Self::BitAnd
                | Self::Add
                | Self::Mul
        )
    }
}
