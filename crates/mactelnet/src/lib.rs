//! MAC-Telnet, MAC-Ping and MNDP: wire formats, both logins, client and server.
//!
//! Without the feature `io` this crate opens no socket, reads no clock and draws from no
//! global source of randomness: every machine is fed `now` and bytes, and is asked what to
//! send, what happened and when to wake.

pub mod addr;
pub mod auth;
pub mod client;
pub mod datagram;
pub mod discovery;
pub mod faults;
#[cfg(feature = "io")]
pub mod io;
pub mod macping;
pub mod pcap;
pub mod proof;
pub mod redact;
pub mod rng;
pub mod server;
pub mod stream;
pub mod terminal;
pub mod time;
pub mod wire;

pub use addr::MacAddr;
pub use datagram::{Meta, Transmit};
pub use proof::PeerTrait;
pub use terminal::Terminal;
pub use time::Instant;
