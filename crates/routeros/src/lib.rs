//! What RouterOS says on a console: prompts, questions, an expect engine, the shell driver and file transfer.
//!
//! Nothing here names a transport: a [`Shell`] runs on any [`ByteLink`]. Results of commands are matched by markers
//! that the router itself assembles, never by a prompt; see [`Outcome`] for the three ways a command can end.

pub mod error;
pub mod link;
pub mod options;
pub mod outcome;
pub mod proof;
pub mod secret;
pub mod shell;
pub mod text;
pub mod transcript;
pub mod version;

pub use error::{Class, Error};
pub use link::{BoxLink, ByteLink};
pub use options::{LoginOptions, NewPassword, Suffix, TermSize, Timeouts};
pub use outcome::{Outcome, Output, Refusal, RefusalClass, Stage, Unknown};
pub use proof::Proof;
pub use secret::Secret;
pub use shell::{Command, Destructive, FileName, Gone, HopFailed, HopOptions, Shell, Value};
pub use transcript::{Direction, Transcript};
pub use version::Version;
