//! Why a network call failed.

use std::net::Ipv4Addr;

/// Why a ping, a connection or a transfer failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NetError {
    /// Neither a connected network nor a route leads there.
    #[error("no route to host")]
    NoRoute,
    /// Named interface doesn't exist, is disabled, or has no carrier.
    #[error("interface {0} is not usable")]
    NoInterface(String),
    /// Nobody answered in time.
    #[error("connection timeout")]
    Timeout,
    /// The peer answered with a reset.
    #[error("connection refused")]
    Refused,
    /// The connection broke after it was made.
    #[error("connection reset")]
    Reset,
    /// The other end closed before the exchange was over.
    #[error("connection closed")]
    Closed,
    /// User or password not accepted.
    #[error("login failed")]
    Login,
    /// The FTP server answered with a code that ends the transfer.
    #[error("ftp: {code} {text}")]
    Ftp {
        /// Three digits of the reply.
        code: u16,
        /// The rest of its line.
        text: String,
    },
    /// Something answered that is no FTP server.
    #[error("not an ftp reply")]
    Protocol,
    /// Too many sockets, sessions or ports are in use.
    #[error("no more {0}")]
    Limit(&'static str),
    /// A gateway said that the address can't be reached.
    #[error("host unreachable, says {0}")]
    Unreachable(Ipv4Addr),
}

impl NetError {
    /// The stable name of this error.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NoRoute => "routersim.net.no-route",
            Self::NoInterface(_) => "routersim.net.no-interface",
            Self::Timeout => "routersim.net.timeout",
            Self::Refused => "routersim.net.refused",
            Self::Reset => "routersim.net.reset",
            Self::Closed => "routersim.net.closed",
            Self::Login => "routersim.net.login",
            Self::Ftp { .. } => "routersim.net.ftp",
            Self::Protocol => "routersim.net.protocol",
            Self::Limit(_) => "routersim.net.limit",
            Self::Unreachable(_) => "routersim.net.unreachable",
        }
    }
}

/// Why the router's disk refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FileError {
    /// No such file, or no such directory on the way.
    #[error("no such file or directory")]
    NotFound,
    /// The name is a directory, or not a name at all.
    #[error("not a plain file")]
    NotAFile,
    /// The user may not.
    #[error("permission denied")]
    Denied,
    /// The disk is full.
    #[error("no space left")]
    NoSpace,
}
