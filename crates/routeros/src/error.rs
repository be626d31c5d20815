//! Everything that can go wrong at a router's console.

use crate::outcome::{Refusal, Unknown};
use std::time::Duration;

/// What a caller can do about an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Class {
    /// The same again, later or after a reconnect, may work.
    Transient,
    /// A person has to change something: a password, a name, a cable.
    Operator,
    /// It can't work this way.
    Fatal,
    /// Our own mistake.
    Bug,
}

/// How else it gets there.
fn ways(script: bool) -> &'static str {
    if script {
        "as the source of a script"
    } else {
        "from a console; to its address: `scp FILE USER@ROUTER:`, or on it, from the other member over the HA cable: \
         `/tool fetch mode=ftp address=OTHER user=USER password=.. src-path=FILE dst-path=FILE`"
    }
}

/// What went wrong. Secrets are masked in every text that an error carries.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The byte link ended or failed.
    #[error("the link ended while {waiting}: {why}")]
    LinkClosed {
        /// What was being waited for.
        waiting: String,
        /// The link's own words.
        why: String,
        /// The last of what was seen, escaped.
        seen: String,
    },
    /// The router was silent, or said what was not understood, for too long.
    #[error("no answer after {elapsed:.1?} while {waiting}; last seen: {seen}")]
    Timeout {
        /// What was being waited for.
        waiting: String,
        /// How long.
        elapsed: Duration,
        /// The last of what was seen, escaped.
        seen: String,
    },
    /// User or password refused, each password of the ladder.
    #[error("login as {user} refused ({tried} passwords tried)")]
    LoginRejected {
        /// The user, without suffix.
        user: String,
        /// How many passwords were tried.
        tried: usize,
    },
    /// The router insists on a new password and none may be set.
    #[error("the router's new-password question could not be left: {why}")]
    NewPassword {
        /// The router's words.
        why: String,
    },
    /// Another router answered. Nothing was run there.
    #[error("wrong router: expected {expected}, this is {found}")]
    WrongRouter {
        /// What the proof expects.
        expected: String,
        /// What the console's router says.
        found: String,
    },
    /// The far session of a hop ended; the console is the near router's again. Nothing was run there.
    #[error("the hop ended while {waiting}; the console is {near} again")]
    HopLost {
        /// What was being waited for.
        waiting: String,
        /// The near router's prompt.
        near: String,
    },
    /// The near router could not open the far session.
    #[error("the near router could not hop: {why}")]
    HopRefused {
        /// The near router's words.
        why: String,
    },
    /// Somebody's terminal has the near router's serial port; one whose host has died keeps it for a while.
    #[error("the near router could not hop: its port {port} is used by {user}")]
    PortInUse {
        /// The port.
        port: String,
        /// The near router's word for who has it.
        user: String,
    },
    /// The near router has no such serial port.
    #[error("there is no serial port {port}, but {}", if .has.is_empty() { "none at all".to_owned() } else { .has.join(", ") })]
    NoPort {
        /// The port.
        port: String,
        /// Those that it has.
        has: Vec<String>,
    },
    /// The router refused a command; it changed nothing that the command was to change.
    #[error("refused: {0}")]
    Refused(Refusal),
    /// A command was sent, its result is not known. Look at the router before doing anything again.
    #[error("result unknown: {0}")]
    Unknown(Unknown),
    /// Text that can't be typed at a console.
    #[error("this can't be typed: {why}")]
    Unsendable {
        /// Where and what.
        why: String,
    },
    /// A file name that is not ours and was not given explicitly, or that this version can't make.
    #[error("file name {name:?}: {why}")]
    FileName {
        /// The name.
        name: String,
        /// What is wrong with it.
        why: String,
    },
    /// More than this version's `contents`, or the source of a script, holds.
    #[error("{name}: {size} bytes are more than the {limit} that this RouterOS takes {}", ways(*.script))]
    FileTooLarge {
        /// The file.
        name: String,
        /// Its size in bytes.
        size: usize,
        /// The most in bytes.
        limit: usize,
        /// It is a script's source.
        script: bool,
    },
    /// What was read back is not what was written.
    #[error("{name}: read back {got} bytes that differ from the {wanted} written, first at offset {offset}")]
    FileMismatch {
        /// The file.
        name: String,
        /// Bytes written.
        wanted: usize,
        /// Bytes read.
        got: usize,
        /// First difference.
        offset: usize,
    },
    /// No such file on the router.
    #[error("{name}: no such file on the router")]
    NoFile {
        /// The file.
        name: String,
    },
    /// An answer of the router that does not parse.
    #[error("the router's answer to {what} makes no sense: {seen}")]
    Garbled {
        /// What was asked.
        what: String,
        /// The answer, escaped.
        seen: String,
    },
    /// Somebody else is logged in on the line, or something of his runs there. Nothing was typed but keys that show it.
    #[error("somebody is at work on this line: {who}; it was left as it is")]
    Session {
        /// What stands there.
        who: String,
    },
    /// The boot loader's menu is open. Nothing was typed into it.
    #[error("the boot loader's menu is open and waits for a key; last seen: {seen}")]
    BootLoader {
        /// The last of what was seen, escaped.
        seen: String,
    },
    /// The boot loader's menu is not as it should be. It is open; nothing was typed that was not allowed.
    #[error("the boot loader's menu was left as it is: {why}; last seen: {seen}")]
    BootMenu {
        /// What is wrong.
        why: String,
        /// The last of what was seen, escaped.
        seen: String,
    },
    /// The router began to boot and will not end it by itself. Nothing was typed.
    #[error("the router does not come up: {why}; last seen: {seen}")]
    NotBooting {
        /// What stopped it.
        why: String,
        /// The last of what was seen, escaped.
        seen: String,
    },
    /// The router starts again and again. Nothing was typed.
    #[error("{starts}; last seen: {seen}")]
    BootLoop {
        /// How often, and what was said.
        starts: crate::boot::BootLoop,
        /// The last of what was seen, escaped.
        seen: String,
    },
    /// What comes is garbage at every speed that could be tried. Nothing is known of the router.
    #[error("the line has another speed: what comes is garbage; last seen: {seen}")]
    WrongSpeed {
        /// The last of what was seen, escaped.
        seen: String,
    },
    /// What comes is no console's text, whatever the speed. Nothing is known of the router.
    #[error("{why}")]
    UnfitLink {
        /// The link's own words.
        why: String,
    },
    /// The session's task is gone; the shell was closed or handed on.
    #[error("this shell is closed")]
    Closed,
    /// This shell is no hop.
    #[error("this shell is not a hop")]
    NotAHop,
}

impl Error {
    /// The stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::LinkClosed { .. } => "routeros.link.closed",
            Self::Timeout { .. } => "routeros.timeout",
            Self::LoginRejected { .. } => "routeros.login.rejected",
            Self::NewPassword { .. } => "routeros.login.new-password",
            Self::WrongRouter { .. } => "routeros.proof.wrong-router",
            Self::HopLost { .. } => "routeros.hop.lost",
            Self::HopRefused { .. } => "routeros.hop.refused",
            Self::PortInUse { .. } => "routeros.port.in-use",
            Self::NoPort { .. } => "routeros.port.absent",
            Self::Refused(_) => "routeros.exec.refused",
            Self::Unknown(_) => "routeros.exec.unknown",
            Self::Unsendable { .. } => "routeros.exec.unsendable",
            Self::FileName { .. } => "routeros.file.name",
            Self::FileTooLarge { .. } => "routeros.file.too-large",
            Self::FileMismatch { .. } => "routeros.file.mismatch",
            Self::NoFile { .. } => "routeros.file.absent",
            Self::Garbled { .. } => "routeros.exec.garbled",
            Self::BootLoader { .. } => "routeros.boot.loader",
            Self::BootMenu { .. } => "routeros.boot.menu",
            Self::NotBooting { .. } => "routeros.boot.stuck",
            Self::BootLoop { .. } => "routeros.boot.loop",
            Self::Session { .. } => "routeros.line.session",
            Self::WrongSpeed { .. } => "routeros.line.speed",
            Self::UnfitLink { .. } => "routeros.line.unfit",
            Self::Closed => "routeros.shell.closed",
            Self::NotAHop => "routeros.shell.not-a-hop",
        }
    }

    /// What a caller can do.
    pub fn class(&self) -> Class {
        match self {
            Self::LinkClosed { .. }
            | Self::Timeout { .. }
            | Self::HopLost { .. }
            | Self::HopRefused { .. }
            | Self::PortInUse { .. }
            | Self::FileMismatch { .. }
            | Self::Garbled { .. } => Class::Transient,
            Self::LoginRejected { .. }
            | Self::NewPassword { .. }
            | Self::WrongRouter { .. }
            | Self::BootLoader { .. }
            | Self::BootMenu { .. }
            | Self::NotBooting { .. }
            | Self::BootLoop { .. }
            | Self::Session { .. }
            | Self::WrongSpeed { .. }
            | Self::UnfitLink { .. }
            | Self::NoPort { .. }
            | Self::Unknown(_) => Class::Operator,
            Self::Refused(_)
            | Self::Unsendable { .. }
            | Self::FileName { .. }
            | Self::FileTooLarge { .. }
            | Self::NoFile { .. } => Class::Fatal,
            Self::Closed | Self::NotAHop => Class::Bug,
        }
    }
}
