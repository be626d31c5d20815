//! COM-PORT-OPTION (RFC 2217): a serial line behind telnet, with its speed, framing, break and wires.

mod client;
mod request;
mod server;

#[cfg(test)]
mod tests;

pub use client::{Client, ClientConfig, Event, Setting, State};
pub use request::{Purge, Request};
pub use server::{Server, ServerConfig, ServerEvent};
