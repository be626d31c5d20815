//! Why a menu command failed, in RouterOS's words (routeros-console.md section 4).

use std::fmt;

/// A refusal. Its `Display` is what a console prints.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refused {
    /// The item named by id, number or name is not there.
    NoSuchItem,
    /// `failure: TEXT`
    Failure(String),
    /// A value of the wrong form.
    InvalidValue(String),
    /// A value that names nothing (an enumeration, a reference).
    NoMatch(String),
    /// A number out of range.
    OutOfRange(String, i64, i64),
    /// Arguments that must be given.
    Missing(Vec<&'static str>),
    /// A property that may not be set.
    ReadOnly(String),
    /// An argument that the command does not have.
    BadParameter(String),
    /// No such menu or command.
    BadCommand(String),
    /// The user's policies are not enough.
    NotPermitted,
    /// Several items match a name.
    Ambiguous(String),
    /// Words of a command of its own.
    Text(String),
}

impl Refused {
    /// `failure: TEXT`
    pub fn failure(text: impl Into<String>) -> Self {
        Self::Failure(text.into())
    }

    /// Words of a command of its own.
    pub fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoSuchItem => f.write_str("no such item"),
            Self::Failure(text) => write!(f, "failure: {text}"),
            Self::InvalidValue(name) => write!(f, "invalid value for argument {name}"),
            Self::NoMatch(name) => write!(f, "input does not match any value of {name}"),
            Self::OutOfRange(name, low, high) => write!(f, "value of {name} out of range ({low}..{high})"),
            Self::Missing(names) => write!(f, "missing value(s) of argument(s) {}", names.join(" ")),
            Self::ReadOnly(name) | Self::BadParameter(name) => write!(f, "bad parameter {name}"),
            Self::BadCommand(name) => write!(f, "bad command name {name}"),
            Self::NotPermitted => f.write_str("not enough permissions (9)"),
            Self::Ambiguous(name) => {
                write!(f, "ambiguous value of {name}, more than one possible value matches input")
            }
            Self::Text(text) => f.write_str(text),
        }
    }
}

impl std::error::Error for Refused {}
