//! Why a script stopped, in RouterOS's words.

use routeros_script::ParseError;

use super::value::Value;

/// What kind of end it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorKind {
    /// The text is no script: nothing of it ran.
    Parse,
    /// A command failed.
    Run,
    /// `:error`.
    Raised,
    /// A limit of the simulator's own.
    Limit,
    /// Ctrl-C, or the job was ended. `on-error` doesn't catch it.
    Interrupted,
}

/// Why a script stopped. Displays as RouterOS prints it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Error {
    /// What kind of end it was.
    pub kind: ErrorKind,
    /// RouterOS's words.
    pub message: String,
}

impl Error {
    /// A command failed with these words.
    pub fn new(message: impl Into<String>) -> Self {
        Self { kind: ErrorKind::Run, message: message.into() }
    }

    /// `failure: TEXT`.
    pub fn failure(text: &str) -> Self {
        Self::new(format!("failure: {text}"))
    }

    /// `no such item`.
    pub fn no_such_item() -> Self {
        Self::new("no such item")
    }

    /// `invalid value for argument NAME`.
    pub fn invalid_value(argument: &str) -> Self {
        Self::new(format!("invalid value for argument {argument}"))
    }

    /// `input does not match any value of NAME`.
    pub fn no_match(argument: &str) -> Self {
        Self::new(format!("input does not match any value of {argument}"))
    }

    /// `missing value(s) of argument(s) NAME`.
    pub fn missing(argument: &str) -> Self {
        Self::new(format!("missing value(s) of argument(s) {argument}"))
    }

    /// `not enough permissions (9)`.
    pub fn permissions() -> Self {
        Self::new("not enough permissions (9)")
    }

    /// `interrupted`.
    pub fn interrupted() -> Self {
        Self { kind: ErrorKind::Interrupted, message: "interrupted".to_owned() }
    }

    pub(super) fn raised(message: &Value) -> Self {
        Self { kind: ErrorKind::Raised, message: message.to_text() }
    }

    pub(super) fn limit(message: &str) -> Self {
        Self { kind: ErrorKind::Limit, message: message.to_owned() }
    }

    /// The stable code of this error.
    pub fn code(&self) -> &'static str {
        match self.kind {
            ErrorKind::Parse => "sim.script.parse",
            ErrorKind::Run => "sim.script.run",
            ErrorKind::Raised => "sim.script.raised",
            ErrorKind::Limit => "sim.script.limit",
            ErrorKind::Interrupted => "sim.script.interrupted",
        }
    }
}

impl From<ParseError> for Error {
    fn from(error: ParseError) -> Self {
        Self { kind: ErrorKind::Parse, message: error.message }
    }
}

/// What ends a statement before its end.
#[derive(Debug)]
pub(super) enum Flow {
    Error(Error),
    Return(Value),
    Break,
    Continue,
    Exit,
}

impl From<Error> for Flow {
    fn from(error: Error) -> Self {
        Self::Error(error)
    }
}

pub(super) type Run<T> = Result<T, Flow>;
