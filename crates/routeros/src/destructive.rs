//! Acts that must not happen on the wrong router, whichever part of their line reaches it.
//!
//! The far session of a hop can end at any byte, and the rest of the line is then typed at the near router: the active
//! one. So what counts is not the line but each of its ends:
//!
//! * the condition that proves the router stands *inside* what is run, not only around it;
//! * the act itself is never on the line in plain words. It stands in a string, every byte of it escaped as `\HH`, and
//!   `:execute` runs that string. An end of the line that begins in the string begins with hex digits or a backslash,
//!   which is no command; an end that holds all of the string holds the condition.
//!
//! Run by `:execute`, RouterOS asks no `[y/N]` question.

use crate::error::Error;
use crate::outcome::Outcome;
use crate::proof::Proof;
use crate::shell::{Command, Shell};
use crate::text::check_sendable;
use std::fmt::Write as _;
use std::time::Duration;

/// Until `:execute` has taken the order; the act itself comes behind.
const ORDER: Duration = Duration::from_secs(15);

/// A destructive act, wrapped so that no part of its line can act on another router.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Destructive {
    proof: Proof,
    act: String,
    line: String,
}

impl Destructive {
    /// `act` is a command such as `/system reset-configuration no-defaults=yes skip-backup=yes`, run in the background:
    /// `Done` means that the router has taken the order, not that it has finished.
    ///
    /// # Errors
    /// [`Error::Unsendable`] for an act that is too long or holds control characters.
    pub fn new(proof: Proof, act: impl Into<String>) -> Result<Self, Error> {
        let act = act.into();
        check_sendable(&act)?;
        let script = format!(":if ({}) do={{{act}}}", proof.condition());
        let mut line = String::from(":execute \"");
        for byte in script.bytes() {
            let _ = write!(line, "\\{byte:02X}");
        }
        line.push('"');
        check_sendable(&line)?;
        Ok(Self { proof, act, line })
    }

    /// Whom it is meant for.
    pub fn proof(&self) -> &Proof {
        &self.proof
    }

    /// The act in plain words, for plans and logs.
    pub fn act(&self) -> &str {
        &self.act
    }

    /// The statement that is sent, inside the guard that every line of a proved shell has.
    pub fn statement(&self) -> &str {
        &self.line
    }
}

impl Shell {
    /// Runs a destructive act. Nothing is sent behind its line; what becomes of the router is the caller's to watch
    /// ([`Shell::wait_gone`]).
    ///
    /// # Errors
    /// As [`Shell::exec`].
    pub async fn destroy(&self, act: &Destructive) -> Result<Outcome, Error> {
        let command = Command { timeout: Some(ORDER), ..Command::new(act.statement()) };
        self.exec_destructive(command, act.proof.clone()).await
    }
}
