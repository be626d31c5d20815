//! MAC-Ping: a request and a reply that echoes its data.
//!
//! The header is that of MAC-Telnet without a counter: version, type 4 or 5, two MACs, four zero bytes. Both ports
//! are [`PORT`](super::packet::PORT). RouterOS answers only frames sent to its own MAC, never broadcast.

use super::error::{Error, Kind};
use super::packet::{self, Direction, Packet, PacketType};
use crate::MacAddr;

/// Length of the header.
pub const HEADER_LEN: usize = packet::COMMON_LEN;
/// Data bytes that the C tool sends when not told otherwise; 56 in all.
pub const DEFAULT_DATA: usize = 38;
/// The most data that fits an unfragmented packet.
pub const MAX_DATA: usize = super::frame::MAX_PAYLOAD - HEADER_LEN;

/// A MAC-Ping packet's header.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Repr {
    /// Whether it is the answer.
    pub reply: bool,
    /// The sender.
    pub src: MacAddr,
    /// The receiver.
    pub dst: MacAddr,
}

impl Repr {
    /// The header, and the data after it.
    ///
    /// # Errors
    /// As [`Packet::new_checked`], and [`Kind::PacketType`] if it is no MAC-Ping.
    pub fn parse(payload: &[u8]) -> Result<(Self, &[u8]), Error> {
        let packet = Packet::new_checked(payload)?;
        let reply = match packet.kind() {
            PacketType::Ping => false,
            PacketType::Pong => true,
            other => return Err(Error::new(Kind::PacketType(other.into()), 1)),
        };
        Ok((Self { reply, src: packet.src(), dst: packet.dst() }, packet.data()))
    }

    /// The header of the answer: MACs swapped. Its data is the request's, unchanged.
    pub fn to_reply(self) -> Self {
        Self { reply: true, src: self.dst, dst: self.src }
    }

    /// Appends the packet with `data`.
    pub fn emit(&self, data: &[u8], out: &mut Vec<u8>) {
        let header = packet::Repr {
            kind: if self.reply { PacketType::Pong } else { PacketType::Ping },
            direction: Direction::ToServer,
            src: self.src,
            dst: self.dst,
            session_key: 0,
            client_type: 0,
            counter: 0,
        };
        header.emit(data, out);
    }

    /// The packet with `data`.
    pub fn to_vec(&self, data: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        self.emit(data, &mut out);
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn request_and_reply() {
        let request = Repr { reply: false, src: MacAddr([2, 0, 0, 0, 0, 2]), dst: MacAddr([2, 0, 0, 0, 0, 1]) };
        let bytes = [1, 4, 2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0xaa, 0xbb];
        assert_eq!(request.to_vec(&[0xaa, 0xbb]), bytes);
        assert_eq!(Repr::parse(&bytes), Ok((request, &[0xaa, 0xbb][..])));
        let bytes = [1, 5, 2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0xaa, 0xbb];
        assert_eq!(request.to_reply().to_vec(&[0xaa, 0xbb]), bytes);
        let end = [1, 255, 2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0];
        assert_eq!(Repr::parse(&end), Err(Error::new(Kind::PacketType(255), 1)));
    }
}
