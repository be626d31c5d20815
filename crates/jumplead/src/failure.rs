//! How a command ends when it does not end well: what happened, what state things are in, what to type next.

use std::fmt;

use bootstrap::event::Changed;
use bootstrap::target::quoted;
use serde::Serialize;

/// The state of things unless somebody says another.
pub const NOTHING_CHANGED: &str = "nothing was changed";

/// The documented exit codes (docs/contract.md).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Exit {
    Done = 0,
    Bug = 1,
    Usage = 2,
    NotFound = 3,
    LoginRefused = 4,
    PreflightRefused = 5,
    TimedOut = 6,
    StepFailed = 7,
    Stuck = 8,
    EndCheckFailed = 9,
    Locked = 10,
    LacksRight = 11,
    FactsMoved = 12,
    ExecRefused = 13,
    ExecUnknown = 14,
    LintRefused = 15,
    Interrupted = 130,
}

impl Exit {
    /// The exit code with this number; anything undocumented is a bug.
    pub fn from_code(code: i32) -> Self {
        use Exit::*;
        [
            Done,
            Bug,
            Usage,
            NotFound,
            LoginRefused,
            PreflightRefused,
            TimedOut,
            StepFailed,
            Stuck,
            EndCheckFailed,
            Locked,
            LacksRight,
            FactsMoved,
            ExecRefused,
            ExecUnknown,
            LintRefused,
            Interrupted,
        ]
        .into_iter()
        .find(|exit| *exit as i32 == code)
        .unwrap_or(Bug)
    }
}

/// One failure, complete.
#[derive(Debug, Clone, Serialize)]
pub struct Failure {
    pub code: String,
    pub message: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub causes: Vec<String>,
    pub state: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub hints: Vec<String>,
    #[serde(skip)]
    pub exit: Exit,
    /// It has been told already: only the exit code is left.
    #[serde(skip)]
    pub shown: bool,
    /// The exit status of a foreign command that ours passes on.
    #[serde(skip)]
    pub status: Option<u8>,
    /// A run had begun, which can be gone on with, and may have changed this.
    #[serde(skip)]
    pub changed: Option<Changed>,
    /// What was found all the same, and its warnings: with `--json` it is part of the one object.
    #[serde(skip)]
    pub found: Option<Box<(serde_json::Value, Vec<String>)>>,
}

impl Failure {
    /// A failure of a command that changes nothing.
    pub fn new(exit: Exit, code: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            code: code.into(),
            message: message.into(),
            causes: Vec::new(),
            state: NOTHING_CHANGED.into(),
            hints: Vec::new(),
            exit,
            shown: false,
            status: None,
            changed: None,
            found: None,
        }
    }

    /// With what was found all the same.
    #[must_use]
    pub fn found(mut self, data: serde_json::Value, warnings: Vec<String>) -> Self {
        self.found = Some(Box::new((data, warnings)));
        self
    }

    /// What to do, one more line; commands stand behind two blanks so that they can be copied.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }

    /// Its hints with the target as it was typed, so that they can be copied.
    #[must_use]
    pub fn of_target(mut self, typed: &str) -> Self {
        for hint in &mut self.hints {
            *hint = hint.replace("TARGET", &quoted(typed));
        }
        self
    }

    /// What lies behind it.
    #[must_use]
    pub fn cause(mut self, cause: impl fmt::Display) -> Self {
        self.causes.push(cause.to_string());
        self
    }

    /// What state things are in.
    #[must_use]
    pub fn state(mut self, state: impl Into<String>) -> Self {
        self.state = state.into();
        self
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.message)
    }
}

impl std::error::Error for Failure {}

/// What every command returns.
pub type Result<T = ()> = std::result::Result<T, Failure>;
