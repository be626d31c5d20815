//! The server machine: many sessions, each known by (client MAC, key).
//!
//! Fed with [`Server::handle_datagram`] and [`Server::handle_timeout`]; after each, and after every call that
//! writes or closes, drain [`Server::poll_transmit`] and [`Server::poll_event`], and ask
//! [`Server::poll_timeout`] when to come back.

mod backoff;
pub mod config;
pub mod event;
mod login;
mod machine;
mod session;

pub use config::{AuthScheme, Config, Credential, UnknownUser, Users};
pub use event::{CloseReason, Event, EventKind, SessionId};
pub use machine::Server;
