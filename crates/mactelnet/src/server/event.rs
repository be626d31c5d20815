//! What a server tells.

use std::fmt;

use crate::auth::Method;
use crate::wire::Text;
use crate::{MacAddr, Terminal};

/// One session, for as long as the server lives: numbers are not used again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SessionId(pub u64);

impl fmt::Display for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{}", self.0)
    }
}

/// Something that happened in a session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// Which session.
    pub session: SessionId,
    /// What.
    pub kind: EventKind,
}

/// What happened.
#[derive(Clone, PartialEq, Eq)]
pub enum EventKind {
    /// A client opened a session. Nobody is logged in yet.
    Opened {
        /// The client, as it says.
        client: MacAddr,
        /// The MAC of ours that it speaks to.
        local: MacAddr,
        /// The link that it came in on.
        link: usize,
    },
    /// The login was right.
    Login {
        /// The user's name as it is known here.
        user: Text,
        /// Console parameters: what followed the `+` in the login name.
        suffix: Option<Text>,
        /// By which login.
        method: Method,
        /// The client's terminal.
        terminal: Terminal,
    },
    /// The login was wrong. The session goes on until the client has been told so.
    Refused {
        /// The name that was given.
        user: Text,
    },
    /// Typed bytes.
    Data(Vec<u8>),
    /// There is room again after a [`write`](super::Server::write) that took less than it was given.
    Writable,
    /// The terminal's size changed.
    Resized {
        /// Columns.
        columns: u16,
        /// Rows.
        rows: u16,
    },
    /// The session is over. Always the last event of a session, also after `close`.
    Closed(CloseReason),
}

impl fmt::Debug for EventKind {
    /// Without what was typed: it may be a password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Opened { client, local, link } => write!(f, "Opened({client} -> {local} on {link})"),
            Self::Login { user, suffix, .. } => write!(f, "Login({user}, {suffix:?})"),
            Self::Refused { user } => write!(f, "Refused({user})"),
            Self::Data(data) => write!(f, "Data({} bytes)", data.len()),
            Self::Writable => f.write_str("Writable"),
            Self::Resized { columns, rows } => write!(f, "Resized({columns}x{rows})"),
            Self::Closed(reason) => write!(f, "Closed({reason:?})"),
        }
    }
}

/// Why a session ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CloseReason {
    /// The client sent END.
    Client,
    /// We closed it.
    Server,
    /// The login was refused.
    Refused,
    /// Nothing heard for the idle timeout.
    Idle,
    /// The client acknowledged nothing for its patience.
    Stalled,
    /// A gap in the client's stream did not close.
    Gap,
    /// It never logged in.
    NoLogin,
    /// Given up in favour of newer ones that are not logged in either.
    Evicted,
    /// A throw-away session for a proof, see [`crate::proof`].
    Proof,
}
