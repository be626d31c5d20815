//! The router's verdict on a text.

use super::absent::Absent;
use super::reader::Reader;
use crate::error::{ParseError, ParseErrorKind};
use crate::span::Span;
use crate::version::Version;

/// An error that the router only meets when it runs the text: a name that the menu or the command doesn't have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Late {
    /// What is wrong, and where, in the router's words.
    pub error: ParseError,
}

/// A command of the text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Used {
    /// Its whole path, `/ip/address/print`.
    pub path: String,
    /// Where it stands, up to its name.
    pub span: Span,
}

/// What `:parse` makes of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It reads the text: the intermediate form, and the names in it that don't exist.
    Accepted {
        /// As `:put [:parse ...]` prints it, but for the list of a menu's properties before a condition, which is left out.
        form: String,
        /// In order of their place; empty for a text without faults.
        late: Vec<Late>,
        /// Every command of a menu that it uses, in the order of their place.
        commands: Vec<Used>,
        /// Statements that were not read, and arguments that were read unchecked: they are there on some boards or with some
        /// package only. Empty for `judge`.
        absent: Vec<Absent>,
    },
    /// It refuses the text: nothing of it would run.
    Refused(ParseError),
}

impl Outcome {
    /// What the router prints: the form, or the error.
    pub fn text(&self) -> &str {
        match self {
            Self::Accepted { form, .. } => form,
            Self::Refused(error) => &error.message,
        }
    }
}

/// The commands of a text up to where the tree refuses it: all of them, where it does not.
pub(crate) fn commands_of(src: &[u8], version: Version) -> Vec<Used> {
    let mut reader = Reader::new(src, version);
    // how it ends is the business of who judges it
    let _ = reader.whole();
    std::mem::take(&mut reader.commands)
}

/// What stands behind a word that is no command's, up to the end of its statement: read as a router reads it, which then
/// only says so when it gets there.
pub(crate) fn behind_unknown(src: &[u8], span: Span, version: Version) -> Result<(), ParseError> {
    let mut reader = Reader::new(span.of(src), version);
    reader.rest_of_unknown().map_err(|fatal| {
        let at = span.start + fatal.at;
        ParseError::new(src, fatal.kind, Span::new(at, (at + 1).min(src.len()).max(at)))
    })
}

/// Reads `src` as `:parse` of a router of `version` does, from the root menu.
pub fn judge(src: &[u8], version: Version) -> Outcome {
    outcome(Reader::new(src, version), src)
}

/// The same, but of menus that the trees lack because of the board or the packages that they were made with nothing is said.
pub(crate) fn judge_any_board(src: &[u8], version: Version) -> Outcome {
    let mut reader = Reader::new(src, version);
    reader.boards = true;
    outcome(reader, src)
}

fn outcome(mut reader: Reader<'_>, src: &[u8]) -> Outcome {
    match reader.whole() {
        Ok(form) => {
            let found: Vec<(ParseErrorKind, Span)> = std::mem::take(&mut reader.late);
            let late = found.into_iter().map(|(kind, span)| Late { error: reader.error_of(kind, span) }).collect();
            Outcome::Accepted {
                form,
                late,
                commands: std::mem::take(&mut reader.commands),
                absent: std::mem::take(&mut reader.absent),
            }
        }
        Err(fatal) => {
            let end = (fatal.at + 1).min(src.len());
            Outcome::Refused(ParseError::new(src, fatal.kind, Span::new(fatal.at.min(end), end)))
        }
    }
}
