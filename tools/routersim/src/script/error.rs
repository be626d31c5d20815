//! Why a script stopped, in RouterOS's words.

use std::fmt;

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

/// Why a script stopped. Displays as RouterOS prints it: `failure: no (/ip/pool/add; line 3)`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error {
    /// What kind of end it was.
    pub kind: ErrorKind,
    /// RouterOS's words.
    pub message: String,
    /// The command that failed and its line (`:put; line 1`), on versions that print it.
    pub place: Option<String>,
}

impl std::error::Error for Error {}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        match &self.place {
            Some(place) => write!(f, " ({place})"),
            None => Ok(()),
        }
    }
}

impl Error {
    /// A command failed with these words.
    pub fn new(message: impl Into<String>) -> Self {
        Self { kind: ErrorKind::Run, message: message.into(), place: None }
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
        Self { kind: ErrorKind::Interrupted, message: "interrupted".to_owned(), place: None }
    }

    pub(super) fn raised(message: &Value) -> Self {
        Self { kind: ErrorKind::Raised, message: message.to_text(), place: None }
    }

    pub(super) fn limit(message: &str) -> Self {
        Self { kind: ErrorKind::Limit, message: message.to_owned(), place: None }
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
        Self { kind: ErrorKind::Parse, message: error.message, place: None }
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
