//! SSH, server side, as a machine without I/O: bytes in, bytes and events out, all randomness from a seed.
//!
//! What RouterOS's own server (`SSH-2.0-ROSSSH`) speaks, by version: the old algorithms of 6.x, newer ones of 7.x.
//! It is written from the RFCs for the simulator alone, so that a client proved against it is proved against
//! somebody else's code, and so that a simulated world with SSH in it repeats byte for byte.
//!
//! | module | idea |
//! |---|---|
//! | `wire` | the data types of RFC 4251 |
//! | `algorithms` | what is offered by version, and what both sides choose |
//! | `random`, `number` | bytes from a seed; groups, primes |
//! | `keys` | host keys: RSA and DSA, made from the text that the configuration holds |
//! | `cipher` | AES and HMAC |
//! | `packet` | the binary packet protocol (RFC 4253 section 6) |
//! | `exchange` | Diffie-Hellman and Curve25519, the exchange hash, the keys from it |
//! | `transport` | versions, key exchange, keys anew when the client wants them |
//! | `user_key` | public keys of users: RSA, Ed25519 |
//! | `server` | logins (RFC 4252) and sessions (RFC 4254) |
//!
//! Inferred, to be verified on real routers: the lists of algorithms (known is the list of MACs of 6.49.18:
//! `hmac-sha1,hmac-md5`); that an empty password is taken without being asked for; that a session ends with
//! exit status 0. Not built: port forwarding.

mod algorithms;
mod cipher;
mod exchange;
mod keys;
mod number;
mod packet;
mod random;
mod server;
mod transport;
mod user_key;
mod wire;

#[cfg(test)]
mod tests;

pub use algorithms::Offer;
pub use keys::HostKeys;
pub use server::{ChannelId, Event, Proof, Server};
pub use transport::{Broken, VERSION};
