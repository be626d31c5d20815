//! Lines that are really there: ports of this host, and sockets to console servers. Real time only.

mod error;
mod identity;
mod line;
mod list;
mod lock;
mod net;
mod port;
mod pty;
mod serve;
mod termios;

#[cfg(test)]
mod tests;

pub use error::{Error, Holder};
pub use identity::Identity;
pub use line::{Endpoint, Line, ModemLines, Outcome, Told, Transport};
pub use list::{Port, Sysfs, Usb, holders, ports};
pub use net::NetLine;
pub use port::LocalPort;
pub use pty::Pty;
pub use serve::{Offer, Offered};
