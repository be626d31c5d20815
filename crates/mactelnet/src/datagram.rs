//! What passes between a machine and whatever carries its datagrams.

use crate::MacAddr;

/// Where a datagram came from or goes to, besides its payload.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Meta {
    /// Which link, by a number of the caller's own. Answers leave by the link that the question came in on.
    pub link: usize,
    /// Ethernet source. Zero where the link does not show it.
    pub src_mac: MacAddr,
    /// Ethernet destination.
    pub dst_mac: MacAddr,
    /// UDP source port.
    pub src_port: u16,
    /// UDP destination port.
    pub dst_port: u16,
}

impl Meta {
    /// Where an answer goes, sent from `local`.
    pub fn reply_from(&self, local: MacAddr) -> Self {
        Self {
            link: self.link,
            src_mac: local,
            dst_mac: self.src_mac,
            src_port: self.dst_port,
            dst_port: self.src_port,
        }
    }
}

/// A datagram to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transmit {
    /// Where to. The IP destination is always 255.255.255.255.
    pub meta: Meta,
    /// The UDP payload.
    pub payload: Vec<u8>,
}
