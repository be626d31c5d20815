//! How a session fails.

use std::time::Duration;

use crate::MacAddr;
use crate::auth::{self, Method};
use crate::wire::Text;

/// Why there is no session, or no longer one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Nothing came back to any START.
    #[error("{peer} does not answer: {tries} STARTs in {waited:.1?}, nothing came back")]
    NoAnswer {
        /// The router.
        peer: MacAddr,
        /// How often it was asked.
        tries: u32,
        /// For how long.
        waited: Duration,
    },
    /// Two routers answer to the address.
    #[error("two routers answer to {peer}: they gave one session two different salts")]
    TwoRouters {
        /// The address.
        peer: MacAddr,
    },
    /// The login was refused.
    #[error("login refused ({method}){}", said.as_ref().map_or(" without a word".to_owned(), |t| format!(": {t}")))]
    Rejected {
        /// The login that was tried.
        method: Method,
        /// What the router said; `None` if it ended the session without a word, or the word was lost.
        said: Option<Text>,
    },
    /// The router sent a key without a salt: it knows no such user (RouterOS up to 7.6).
    #[error("login refused ({method}): the router knows no such user")]
    UnknownUser {
        /// The login that was asked for.
        method: Method,
    },
    /// The router wants MD5 and the policy forbids it.
    #[error("the router asks for the weak MD5 login, which is refused: {reason}")]
    Downgrade {
        /// Why MD5 is not taken.
        reason: String,
    },
    /// Asked for MD5, the router took the question and stays silent, as those do that want EC-SRP5.
    #[error("the router does not answer a request for the MD5 login: it wants EC-SRP5")]
    WantsEcSrp5,
    /// The router took the login's opening and does not go on.
    #[error("the router does not go on with the login ({waited:.1?} since the last step)")]
    LoginStalled {
        /// For how long.
        waited: Duration,
    },
    /// The router said something in the login that makes no sense, or cannot be trusted.
    #[error("login: {0}")]
    Login(auth::Error),
    /// The login was said to be over before the password was asked for.
    #[error("the router ends the login without having asked for the password: it is none that knows it")]
    Unasked,
    /// The router reported an error in the login.
    #[error("the router reports: {0}")]
    Reported(Text),
    /// The host's own interface failed: it says nothing of the router.
    #[error("the interface failed: {0}")]
    LinkLost(Text),
    /// The router ended the session before the login was over.
    #[error("the router ended the session before the login was over ({asked} was asked for)")]
    EndedInLogin {
        /// The login that was asked for.
        asked: Method,
    },
    /// Neither packets nor keepalives are answered any more.
    #[error("the router went silent: nothing heard for {waited:.1?}")]
    Silent {
        /// Since when.
        waited: Duration,
    },
    /// What was sent is not acknowledged, though the router may still be sending.
    #[error("the router acknowledges nothing: {tries} sendings in {waited:.1?}")]
    Unacknowledged {
        /// For how long.
        waited: Duration,
        /// How often.
        tries: u32,
    },
    /// Bytes of the router's output are lost for good. What was delivered is whole up to the gap.
    #[error("{missing} bytes of the router's output were lost and not sent again")]
    Gap {
        /// How many, as far as is known.
        missing: u32,
    },
}

impl Error {
    /// A stable name, for logs and machine-readable output.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NoAnswer { .. } => "mactelnet.connect.no-answer",
            Self::TwoRouters { .. } => "mactelnet.mac.conflict",
            Self::Rejected { .. } => "mactelnet.auth.rejected",
            Self::UnknownUser { .. } => "mactelnet.auth.unknown-user",
            Self::Downgrade { .. } => "mactelnet.auth.downgrade",
            Self::WantsEcSrp5 => "mactelnet.auth.wants-ec-srp5",
            Self::LoginStalled { .. } => "mactelnet.auth.stalled",
            Self::Login(error) => error.code(),
            Self::Unasked => "mactelnet.auth.unasked",
            Self::Reported(_) => "mactelnet.auth.reported",
            Self::LinkLost(_) => "host.interface.lost",
            Self::EndedInLogin { .. } => "mactelnet.auth.ended",
            Self::Silent { .. } => "mactelnet.session.silent",
            Self::Unacknowledged { .. } => "mactelnet.session.unacknowledged",
            Self::Gap { .. } => "mactelnet.session.gap",
        }
    }

    /// Whether the same attempt may well succeed later, with nothing changed.
    pub const fn is_transient(&self) -> bool {
        matches!(
            self,
            Self::NoAnswer { .. }
                | Self::LoginStalled { .. }
                | Self::LinkLost(_)
                | Self::EndedInLogin { .. }
                | Self::Silent { .. }
                | Self::Unacknowledged { .. }
                | Self::Gap { .. }
        )
    }
}
