//! The client machine: one session with one router.
//!
//! Fed with [`Client::handle_datagram`] and [`Client::handle_timeout`]; after each, and after every call that writes
//! or closes, drain [`Client::poll_transmit`] and [`Client::poll_event`], and ask [`Client::poll_timeout`] when to
//! come back.

mod answers;
pub mod config;
mod echo;
pub mod error;
mod event;
mod greeting;
mod login;
mod machine;
mod start;

pub use answers::Answerers;
pub use config::{Config, GapPolicy, LoginPolicy};
pub use error::Error;
pub use event::Event;
pub use machine::Client;
