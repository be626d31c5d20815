//! The shell: a handle to the task that owns a link.

use crate::error::Error;
use crate::link::ByteLink;
use crate::options::LoginOptions;
use crate::outcome::{Outcome, Output};
use crate::proof::Proof;
use crate::secret::Secret;
use crate::version::Version;
use std::time::Duration;

/// A logged-in console.
#[derive(Debug)]
pub struct Shell(());

/// A command and how to run it. `"...".into()` is the plain form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Command {
    /// One line, one or more statements, absolute paths.
    pub text: String,
    /// Instead of the session's.
    pub timeout: Option<Duration>,
    /// Keeps both directions out of the transcript while it runs: its line or its output holds a part of a secret.
    pub private: bool,
}

impl Command {
    /// A command with the session's timeout.
    pub fn new(text: impl Into<String>) -> Self {
        Self { text: text.into(), timeout: None, private: false }
    }
}

impl<T: Into<String>> From<T> for Command {
    fn from(text: T) -> Self {
        Self::new(text)
    }
}

/// An exact value, read out of the router.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Value {
    /// What `:typeof` says: `str`, `num`, `bool`, `nil`, `nothing`, `array`, ...
    pub kind: String,
    /// The bytes of `:tostr`.
    pub bytes: Vec<u8>,
}

/// A destructive act, wrapped so that no part of its line can act on another router.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Destructive {
    /// Whom it is meant for.
    pub proof: Proof,
    /// The act.
    pub body: String,
}

/// A file that this project may write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileName(String);

impl FileName {
    /// One of ours: `HA_jumplead_...`, also below `flash/`.
    ///
    /// # Errors
    /// [`Error::FileName`] for any other name.
    pub fn ours(name: &str) -> Result<Self, Error> {
        Ok(Self(name.into()))
    }

    /// Another name that the caller's plan names.
    ///
    /// # Errors
    /// [`Error::FileName`] for names that a console can't carry.
    pub fn explicit(name: &str) -> Result<Self, Error> {
        Ok(Self(name.into()))
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// How to hop: from a logged-in router to its neighbour by `/tool mac-telnet`.
#[derive(Debug, Clone)]
pub struct HopOptions {
    /// The neighbour's address on the shared cable.
    pub host: String,
    /// The near router's interface, by its current name.
    pub interface: String,
    /// The login at the far router; its proof is needed.
    pub login: LoginOptions,
}

/// How a session ended that was expected to.
#[derive(Debug)]
pub enum Gone {
    /// The link itself ended.
    LinkClosed,
    /// The far session ended; this is the near router's shell, proved.
    BackAt(Shell),
    /// Nothing came for the given time. The link is dropped.
    Silent,
}

/// A hop that failed, with the near shell where it could be kept.
#[derive(Debug)]
pub struct HopFailed {
    /// Why.
    pub error: Error,
    /// The near router's shell, proved and usable, unless the link went too.
    pub near: Option<Shell>,
}

#[expect(clippy::unused_async, reason = "the shape that others build on, before its body")]
impl Shell {
    /// Logs in on `link`, which has authenticated already (MAC-Telnet, SSH) or will ask `Login:` and `Password:`.
    ///
    /// # Errors
    /// [`Error::LoginRejected`], [`Error::NewPassword`], [`Error::WrongRouter`], [`Error::LinkClosed`], [`Error::Timeout`].
    pub async fn login(_link: impl ByteLink + 'static, _options: LoginOptions) -> Result<Self, Error> {
        Err(Error::Closed)
    }

    /// The exact prompt, as learned after login.
    pub fn prompt(&self) -> String {
        String::new()
    }

    /// Runs one line. `Err` means that it certainly did not run.
    ///
    /// # Errors
    /// [`Error::WrongRouter`], [`Error::HopLost`], [`Error::LinkClosed`], [`Error::Unsendable`], [`Error::Closed`].
    pub async fn exec(&self, _command: impl Into<Command>) -> Result<Outcome, Error> {
        Err(Error::Closed)
    }

    /// Runs one line that must succeed.
    ///
    /// # Errors
    /// As [`Self::exec`], and [`Error::Refused`], [`Error::Unknown`].
    pub async fn run(&self, command: impl Into<Command>) -> Result<Output, Error> {
        self.exec(command).await?.done()
    }

    /// The exact value of an expression such as `[/system identity get name]`.
    ///
    /// # Errors
    /// As [`Self::run`], and [`Error::Garbled`].
    pub async fn value(&self, _expression: &str) -> Result<Value, Error> {
        Err(Error::Closed)
    }

    /// The router's version.
    ///
    /// # Errors
    /// As [`Self::value`].
    pub async fn version(&self) -> Result<Version, Error> {
        Err(Error::Closed)
    }

    /// Checks who this is now, and guards every later command with it.
    ///
    /// # Errors
    /// [`Error::WrongRouter`] and those of [`Self::run`].
    pub async fn prove(&self, _proof: Proof) -> Result<(), Error> {
        Err(Error::Closed)
    }

    /// Masks one more secret from here on.
    pub fn mask(&self, _secret: &Secret) {}

    /// Runs a destructive act. Nothing is sent behind its line.
    ///
    /// # Errors
    /// As [`Self::exec`].
    pub async fn destroy(&self, _act: &Destructive) -> Result<Outcome, Error> {
        Err(Error::Closed)
    }

    /// Writes a file and reads it back.
    ///
    /// # Errors
    /// The `File*` errors and those of [`Self::run`].
    pub async fn put_file(&self, _name: &FileName, _content: &[u8]) -> Result<(), Error> {
        Err(Error::Closed)
    }

    /// Reads a file's exact content.
    ///
    /// # Errors
    /// [`Error::NoFile`] and those of [`Self::value`].
    pub async fn read_file(&self, _name: &str) -> Result<Vec<u8>, Error> {
        Err(Error::Closed)
    }

    /// Removes a file; no error where there is none.
    ///
    /// # Errors
    /// As [`Self::run`].
    pub async fn remove_file(&self, _name: &FileName) -> Result<(), Error> {
        Err(Error::Closed)
    }

    /// From here to a neighbour. This shell becomes the far one's near end.
    ///
    /// # Errors
    /// [`HopFailed`], with this shell back where possible.
    pub async fn hop(self, _options: HopOptions) -> Result<Self, HopFailed> {
        Err(HopFailed { error: Error::Closed, near: Some(self) })
    }

    /// Ends the hop and proves that the console is the near router's again.
    ///
    /// # Errors
    /// [`HopFailed`].
    pub async fn unhop(self) -> Result<Self, HopFailed> {
        Err(HopFailed { error: Error::NotAHop, near: Some(self) })
    }

    /// Sends nothing and waits until the session ends: after a reboot was ordered.
    ///
    /// # Errors
    /// [`Error::Timeout`] when the session is still alive after `limit`.
    pub async fn wait_gone(self, _silence: Duration, _limit: Duration) -> Result<Gone, Error> {
        Err(Error::Closed)
    }

    /// `/quit`, through every hop, and drops the link.
    ///
    /// # Errors
    /// [`Error::Timeout`] when the router does not let go.
    pub async fn close(self) -> Result<(), Error> {
        Ok(())
    }
}
