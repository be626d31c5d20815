//! What a simulated router does with frames: ports, bridges, VRRP, an IPv4 stack, FTP, ping, and
//! the MAC layer (MAC-Telnet, MAC-Ping, neighbour discovery) below IP.
//!
//! One [`Net`] belongs to one powered-on router and shares its [`Kernel`](crate::kernel::Kernel).
//! Frames are handed in with [`Net::handle_frame`], the kernel is run, frames are taken out with
//! [`Net::poll_transmit`] and events with [`Net::poll_event`]; everything in between is a job of
//! the kernel, so its `poll_timeout` covers the network too.

mod config;
mod error;
mod frame;
mod ftp_client;
mod ftp_server;
mod host;
mod inner;
mod l3;
mod lines;
mod loop_protect;
mod mac_client;
mod mac_layer;
mod mac_server;
mod ping;
mod scp;
mod sftp;
mod ssh_server;
mod stack;
mod switch;
mod tcp;
mod vrrp;
mod vrrps;

#[cfg(test)]
mod tests;

pub use config::{
    Address, Allowed, Bond, BondMode, Bridge, BridgePort, Counters, Identity, LoginKind, LoopProtect, NetConfig, Port,
    PortId, Prefix, Route, Services, TcpService, Vrrp,
};
pub use error::{FileError, NetError};
pub use host::{
    Credential, FileEntry, MacTelnetCall, MacTelnetControl, MacTelnetSession, MacTelnetStream, Neighbour, NetEvent,
    NetHost, PingOptions, PingOutcome, PingReply, SshExec, SshSession, VrrpState,
};
pub use stack::Net;
