//! Byte links to a serial console: a local port, RFC 2217, telnet and raw TCP.
//!
//! | module | what it does |
//! |---|---|
//! | `settings` | speed and framing of a line, modem and line state |
//! | `telnet` | bytes to items and back, and who may use which option (RFC 854, 856, 858, 1143) |
//! | `rfc2217` | COM-PORT-OPTION: its commands, the client's machine, the server's machine |
//! | `busy` | the words with which console servers say that a line is taken |
//! | `io` | feature `io`: local ports, sockets, and the ports of this host |
//!
//! The machines are fed `now` (time since an epoch of the caller) and bytes, and asked what to send, what happened and
//! when to wake. Nothing here knows a router, a prompt or a shell.

pub mod busy;
#[cfg(feature = "io")]
pub mod io;
pub mod rfc2217;
pub mod settings;
pub mod telnet;

pub use settings::{BadFraming, DataBits, Flow, LineSettings, LineState, ModemState, Parity, StopBits, Wires};
