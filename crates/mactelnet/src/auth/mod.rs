//! The two logins: MD5 (RouterOS up to 6.42 and some of 6.43 to 6.44) and EC-SRP5 (since 6.43 or 6.45.1).
//!
//! The client says which it offers ([`exchange::Offer`]), the length of the server's answer decides
//! ([`exchange::Answer`]). Both sides are here; nothing here draws random numbers: keys and salts come from the
//! caller, 32 and 16 uniformly random bytes of them.
//!
//! Secrets are wiped when dropped, and never printed. Copies that a compiler leaves in registers and on the stack are
//! beyond reach. What depends on a password takes the same steps whatever the password, its length excepted.

pub mod curve;
pub mod ecsrp5;
pub mod error;
pub mod exchange;
mod field;
pub mod md5;
pub mod name;
pub mod password;

pub use ecsrp5::{Client, Server, Verifier};
pub use error::Error;
pub use exchange::{Answer, Method, Offer, PublicKey, Salt};
pub use password::Password;
