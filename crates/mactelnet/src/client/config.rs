//! What a client is told before it starts.

use std::fmt;
use std::time::Duration;

use crate::auth::{Method, Password};
use crate::proof::PeerTrait;
use crate::stream::rtt::PATIENCE;
use crate::wire::{Text, packet};
use crate::{MacAddr, Meta, Terminal};

/// How long START is repeated before there is no such router.
pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(8);
/// Ports that clients choose from, as the C client does: 1024 to 2047. \[S\]
pub const FIRST_PORT: u16 = 1024;
/// How many ports there are to choose from.
pub const PORTS: u16 = 1024;

/// Which login is used, and what is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LoginPolicy {
    /// EC-SRP5 is offered; an answer that wants MD5 is taken only if allowed. It can be guessed offline, and who stands
    /// on the wire can ask for it in a router's place.
    Auto {
        /// Whether MD5 is taken.
        md5_allowed: bool,
        /// Why, or why not: for messages ("it has logged in by EC-SRP5 before").
        reason: String,
    },
    /// MD5 is asked for. Routers from 6.45.1 on do not accept it.
    Md5,
    /// EC-SRP5 or nothing.
    EcSrp5,
}

impl LoginPolicy {
    /// The login that is asked for; the answer may want another.
    pub const fn asks_for(&self) -> Method {
        match self {
            Self::Md5 => Method::Md5,
            Self::Auto { .. } | Self::EcSrp5 => Method::EcSrp5,
        }
    }
}

/// Whether more than one packet may be outstanding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum GapPolicy {
    /// One packet, whatever the router is.
    #[default]
    OneOutstanding,
    /// Find out in a throw-away session before the login, see [`crate::proof`].
    Prove,
    /// What was found out before, or what the operator says.
    Trust(PeerTrait),
}

/// How a client behaves.
#[derive(Clone)]
pub struct Config {
    /// MAC of the interface that it speaks through. RouterOS does not answer an invented one. \[R\]
    pub local: MacAddr,
    /// The router's MAC.
    pub peer: MacAddr,
    /// Which link its datagrams leave by.
    pub link: usize,
    /// UDP port; `None` chooses one from `opening` or the seed. Two clients on one host need two.
    pub port: Option<u16>,
    /// Random bytes for the port and the first START's session key; `None` takes them from the seed, for which START
    /// waits for a hash.
    pub opening: Option<[u8; 4]>,
    /// Whether all frames go to the broadcast address instead of the router's MAC. RouterOS takes both. \[R\] Those that
    /// open a session always do.
    pub broadcast: bool,
    /// Whether a session is wanted though two routers answer to the address. Then nothing is broadcast: a switch leads
    /// all of it to one of them. Where both hear it, on a hub, the login at one fails or not, as it comes.
    pub either: bool,
    /// Login name, console parameters included (`admin+ct`).
    pub user: Text,
    /// The password, perhaps empty.
    pub password: Password,
    /// Which login.
    pub login: LoginPolicy,
    /// The terminal. Always sent: RouterOS hangs up on a login without a size (issue 44 of the C tools). \[R\]
    pub terminal: Terminal,
    /// Whether a window may open.
    pub gap: GapPolicy,
    /// Data bytes in a packet to a proved router, at most: what the interface carries, see [`packet::data_within`].
    pub max_data: usize,
    /// How long START is repeated.
    pub connect_timeout: Duration,
    /// How long the router may acknowledge nothing.
    pub patience: Duration,
    /// Source of keys and secrets: the same seed gives the same session. From the system in the real world, fresh for
    /// every session.
    pub seed: [u8; 32],
}

impl Config {
    /// From `local` to `peer`, as `user`, EC-SRP5 only, everything else at its default.
    pub fn new(local: MacAddr, peer: MacAddr, user: impl Into<Text>, password: Password, seed: [u8; 32]) -> Self {
        Self {
            local,
            peer,
            link: 0,
            port: None,
            opening: None,
            broadcast: false,
            either: false,
            user: user.into(),
            password,
            login: LoginPolicy::EcSrp5,
            terminal: Terminal::default(),
            gap: GapPolicy::default(),
            max_data: packet::MAX_DATA,
            connect_timeout: CONNECT_TIMEOUT,
            patience: PATIENCE,
            seed,
        }
    }

    /// How its datagrams are addressed, from `port`.
    pub(super) fn meta(&self, port: u16) -> Meta {
        Meta {
            link: self.link,
            src_mac: self.local,
            dst_mac: if self.broadcast { MacAddr::BROADCAST } else { self.peer },
            src_port: port,
            dst_port: crate::wire::packet::PORT,
        }
    }
}

impl fmt::Debug for Config {
    /// Without the seed, which is as good as the session's secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Config")
            .field("local", &self.local)
            .field("peer", &self.peer)
            .field("user", &self.user)
            .field("login", &self.login)
            .finish_non_exhaustive()
    }
}
