//! What RouterOS says on a console: prompts, questions, an expect engine, the shell driver and file transfer.
//!
//! Nothing here names a transport: a [`Shell`] runs on any [`ByteLink`]. Results of commands are matched by markers
//! that the router itself assembles, never by a prompt; see [`Outcome`] for the three ways a command can end.

pub mod boot;
pub mod booter;
mod dialogue;
mod exec;
mod frame;
mod login;
mod pour;
mod put;
mod refusal;
mod session;

pub mod attach;
pub mod destructive;
pub mod error;
pub mod expect;
pub mod file;
pub mod hop;
pub mod link;
pub mod options;
pub mod outcome;
mod own_password;
pub mod posix;
pub mod prompt;
pub mod proof;
pub mod question;
pub mod secret;
pub mod serial_terminal;
pub mod shell;
pub mod terminal;
pub mod text;
pub mod transcript;
mod typed;
mod unpaged;
pub mod value;
pub mod wake;
pub mod window;

pub use attach::Attached;
pub use boot::Boot;
pub use booter::Booter;
pub use destructive::Destructive;
pub use error::{Class, Error};
pub use file::FileName;
pub use hop::HopOptions;
pub use link::{BoxLink, ByteLink};
pub use options::{LoginOptions, NewPassword, Suffix, TermSize, Timeouts};
pub use outcome::{Outcome, Output, Refusal, RefusalClass, Stage, Unknown};
pub use posix::{PosixOptions, PosixOutput, PosixShell};
pub use proof::Proof;
pub use routeros_script::Version;
pub use secret::Secret;
pub use serial_terminal::{NearShell, SerialTerminal};
pub use shell::{Command, Gone, HopFailed, Shell};
pub use transcript::{Direction, Transcript};
pub use value::Value;
pub use wake::{Waker, Woken};
