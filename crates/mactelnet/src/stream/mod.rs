//! One session's two byte streams: what is sent until it is acknowledged, what arrives until it is in order.
//!
//! Counters are offsets modulo 2^32 in each direction's stream. Everything in a DATA packet counts, control
//! packets included; START, ACK and END take no room. See [`sender`] for resending and [`receiver`] for gaps.

pub mod duplex;
pub mod receiver;
pub mod rtt;
pub mod sender;

pub use duplex::{Duplex, Limits};
pub use receiver::{Arrival, Receiver};
pub use rtt::Rtt;
pub use sender::{Outgoing, Sender, Stalled, Stats};

/// How far `a` lies past `b`, by serial-number arithmetic: negative if it lies before.
pub const fn distance(a: u32, b: u32) -> i32 {
    a.wrapping_sub(b).cast_signed()
}

/// `counter` moved on by `len` bytes.
pub fn advance(counter: u32, len: usize) -> u32 {
    // Lengths are those of single packets; the wrap is the protocol's own.
    counter.wrapping_add(u32::try_from(len).unwrap_or(u32::MAX))
}
