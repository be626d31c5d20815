//! What a client tells.

use std::fmt;
use std::time::Duration;

use super::error::Error;
use crate::auth::Method;
use crate::proof::PeerTrait;

/// Something that happened in the session.
#[derive(Clone, PartialEq, Eq)]
pub enum Event {
    /// The router answered START: it is there.
    Answered {
        /// The round trip, if it was measured.
        rtt: Option<Duration>,
    },
    /// What the throw-away session found out ([`super::GapPolicy::Prove`] only). Worth remembering.
    Proved(PeerTrait),
    /// The login exchange is over (END_AUTH). **Not yet a success**: a refusal comes as text after it, and then as
    /// [`Error::Rejected`].
    LoggedIn {
        /// By which login.
        method: Method,
    },
    /// Terminal bytes from the router.
    Data(Vec<u8>),
    /// There is room again after a [`write`](super::Client::write) that took less than it was given.
    Writable,
    /// The session is over, as one side wished. The last event.
    Closed {
        /// Whether the router ended it.
        by_peer: bool,
    },
    /// The session failed. The last event.
    Failed(Error),
}

impl fmt::Debug for Event {
    /// Without terminal bytes: they may hold a secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Answered { rtt } => write!(f, "Answered({rtt:?})"),
            Self::Proved(found) => write!(f, "Proved({:?})", found.holds_ack_at_gap),
            Self::LoggedIn { method } => write!(f, "LoggedIn({method})"),
            Self::Data(data) => write!(f, "Data({} bytes)", data.len()),
            Self::Writable => f.write_str("Writable"),
            Self::Closed { by_peer } => write!(f, "Closed(by_peer: {by_peer})"),
            Self::Failed(error) => write!(f, "Failed({error:?})"),
        }
    }
}
