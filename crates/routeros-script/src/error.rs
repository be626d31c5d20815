//! Why a text is no script, in RouterOS's words.

use crate::span::{Position, Span};

/// What is wrong, without its place.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ParseErrorKind {
    /// Anything without better words.
    #[error("syntax error")]
    Syntax,
    /// A statement begins with something that can't be a name.
    #[error("expected command name")]
    ExpectedCommandName,
    /// Something follows a complete command.
    #[error("expected end of command")]
    ExpectedEndOfCommand,
    /// An argument, whose name this is, has no value or none that can be read.
    #[error("expected {0} value")]
    ExpectedValue(String),
    /// A `{` that is a statement and is never closed.
    #[error("missing closing brace")]
    MissingClosingBrace,
    /// A `{` that is a value, code or an array, and is never closed.
    #[error("expected closing brace")]
    ExpectedClosingBrace,
    /// `where` with nothing behind it.
    #[error("missing value for where")]
    MissingValueForWhere,
    /// A word that is neither menu nor command.
    #[error("bad command name {0}")]
    BadCommandName(String),
    /// An argument that the command doesn't know.
    #[error("bad parameter {0}")]
    BadParameter(String),
    /// A shortened name that fits more than one.
    #[error("ambiguous command name {0}")]
    AmbiguousCommandName(String),
    /// Nested deeper than [`crate::MAX_NESTING`]; a router's own limit is not known.
    #[error("syntax error: nested too deep")]
    TooDeep,
}

impl ParseErrorKind {
    /// The stable code of this error.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Syntax => "script.parse.syntax",
            Self::ExpectedCommandName => "script.parse.expected-command-name",
            Self::ExpectedEndOfCommand => "script.parse.expected-end-of-command",
            Self::ExpectedValue(_) => "script.parse.expected-value",
            Self::MissingClosingBrace => "script.parse.missing-closing-brace",
            Self::ExpectedClosingBrace => "script.parse.expected-closing-brace",
            Self::MissingValueForWhere => "script.parse.missing-value-for-where",
            Self::BadCommandName(_) => "script.parse.bad-command-name",
            Self::BadParameter(_) => "script.parse.bad-parameter",
            Self::AmbiguousCommandName(_) => "script.parse.ambiguous-command-name",
            Self::TooDeep => "script.parse.too-deep",
        }
    }
}

/// Why a text is no script. Displays as a router prints it: `syntax error (line 1 column 7)`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct ParseError {
    /// What is wrong.
    pub kind: ParseErrorKind,
    /// RouterOS's words, with `(line N column M)`.
    pub message: String,
    /// Line and column.
    pub position: Position,
    /// The bytes that are wrong; empty at the end of the text.
    pub span: Span,
}

impl ParseError {
    /// An error of `kind` about `span` of `src`.
    pub fn new(src: &[u8], kind: ParseErrorKind, span: Span) -> Self {
        let position = Position::of(src, span.start);
        Self { message: format!("{kind} {position}"), kind, position, span }
    }

    /// The stable code of this error.
    pub fn code(&self) -> &'static str {
        self.kind.code()
    }
}
