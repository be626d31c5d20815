//! What became of a command.

use crate::error::Error;
use std::fmt;

/// The result of a command that was sent. (A command that certainly never ran is an [`Error`] instead.)
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It ran to its end.
    Done(Output),
    /// The router refused it, when parsing or running it.
    Refused(Refusal),
    /// It was sent and the end was not seen. Never retried: look at the router first.
    Unknown(Unknown),
}

impl Outcome {
    /// The output, or the refusal or ignorance as an error.
    ///
    /// # Errors
    /// [`Error::Refused`], [`Error::Unknown`].
    pub fn done(self) -> Result<Output, Error> {
        match self {
            Self::Done(output) => Ok(output),
            Self::Refused(refusal) => Err(Error::Refused(refusal)),
            Self::Unknown(unknown) => Err(Error::Unknown(unknown)),
        }
    }
}

/// What a command printed, without echo, prompts, repaints, log lines and escapes.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Output {
    /// The lines, joined by `\n`, without a last line end.
    pub text: String,
    /// What the proof expression yielded in the same run, where the shell has a proof.
    pub identity: Option<String>,
    /// Something is missing: its beginning, where it was longer than is kept, or what [`Self::cut`] says.
    pub truncated: bool,
    /// A pager hid what stood to the right of the screen: rows lack their ends.
    pub cut: bool,
    /// Rows as wide as the terminal that others follow. The router breaks a longer line there, so these were joined with the
    /// next; a line that ends there by itself looks the same. One that ends in blanks was padded to the width and not joined.
    pub joined: usize,
    /// Every line came as plain text from left to right: the text is exactly what was sent.
    pub(crate) clean: bool,
}

/// At which point the router refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Stage {
    /// Nothing of the line ran.
    Parse,
    /// The line began to run and stopped at the error.
    Run,
}

/// The classes of refusal of RouterOS, which has no error numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RefusalClass {
    /// `bad command name X`
    BadCommand,
    /// `bad parameter X`, `unknown parameter`
    BadParameter,
    /// `syntax error`, `expected ...`
    Syntax,
    /// `ambiguous ...`
    Ambiguous,
    /// `invalid value ...`, `input does not match ...`, `value of ...`
    BadValue,
    /// `missing value(s) of argument(s) ...`
    MissingValue,
    /// `no such item`, `expected item id`
    NoItem,
    /// `failure: already have such ...`
    Duplicate,
    /// `not enough permissions`, `not allowed by device-mode`
    NotPermitted,
    /// any other `failure: ...`
    Failure,
    /// `interrupted`, `action timed out`
    Interrupted,
    /// The line was incomplete: an open bracket or quote. It was taken back.
    Incomplete,
    /// The command asked whether to go on; it was answered no.
    Question,
    /// The command asked for a value or a password; it was taken back by Ctrl-C.
    Input,
    /// Words that none of the above covers.
    Other,
}

/// A refusal in the router's words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The class of the words.
    pub class: RefusalClass,
    /// Before or after the line began to run.
    pub stage: Stage,
    /// The router's words.
    pub text: String,
    /// What the command had printed before, where it ran.
    pub output: String,
    /// Line and column of the command, both from 1, column in bytes, where the router says one.
    pub position: Option<(u32, u32)>,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.text.is_empty() { write!(f, "{:?}, without words", self.class) } else { f.write_str(&self.text) }
    }
}

/// Why a result is not known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unknown {
    /// What cut it off: the link, the hop, time.
    pub cause: Box<Error>,
    /// The line is known to have begun to run on the right router.
    pub began: bool,
    /// What was printed until then, cleaned.
    pub seen: String,
}

impl fmt::Display for Unknown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let began = if self.began { "it had begun to run" } else { "whether it began to run is not known either" };
        write!(f, "{}; {began}", self.cause)
    }
}
