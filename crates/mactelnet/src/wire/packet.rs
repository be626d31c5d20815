//! The MAC-Telnet packet: header of 22 bytes, then data.
//!
//! | offset | size | client to server | server to client |
//! |---|---|---|---|
//! | 0 | 1 | version, 1 | version, 1 |
//! | 1 | 1 | type | type |
//! | 2 | 6 | source MAC | source MAC |
//! | 8 | 6 | destination MAC | destination MAC |
//! | 14 | 2 | **session key** | **client type** |
//! | 16 | 2 | **client type** | **session key** |
//! | 18 | 4 | counter | counter |
//!
//! All big-endian. PING and PONG have no counter: their header ends at 18, and the four bytes before are zero.

use std::fmt;

use super::error::{Error, Kind};
use crate::MacAddr;

/// The UDP port of MAC-Telnet servers and of both ends of MAC-Ping.
pub const PORT: u16 = 20561;
/// The only version there is. The C tools do not check it; a packet of another version is none of ours.
pub const VERSION: u8 = 1;
/// The client type of MAC-Telnet.
pub const CLIENT_TYPE_MAC_TELNET: u16 = 0x0015;
/// The client type of MAC-WinBox: same framing, another protocol inside. A MAC-Telnet server does not answer it.
pub const CLIENT_TYPE_MAC_WINBOX: u16 = 0x0f90;
/// Length of the header of every packet but PING and PONG.
pub const HEADER_LEN: usize = 22;
/// Length of the part that all packets have, which is the whole header of PING and PONG.
pub const COMMON_LEN: usize = 18;
/// The most data that one packet carries: a UDP payload of 1472 still fits an MTU of 1500 unfragmented.
pub const MAX_DATA: usize = super::frame::MAX_PAYLOAD - HEADER_LEN;

/// IPv4 and UDP before it.
const BEFORE: usize = 20 + 8;

/// The most data that a packet may carry where `mtu` bytes pass, headers of IP and above included.
pub const fn data_within(mtu: usize) -> usize {
    let room = mtu.saturating_sub(BEFORE + HEADER_LEN);
    if room > MAX_DATA {
        MAX_DATA
    } else if room == 0 {
        1
    } else {
        room
    }
}

/// What a packet is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PacketType {
    /// Opens a session. Counter 0, no data.
    Start,
    /// Bytes of the sender's stream; the counter is the offset of the first.
    Data,
    /// Counter: how much of the other direction's stream has been received without a gap.
    Ack,
    /// MAC-Ping request, echoed by a PONG.
    Ping,
    /// MAC-Ping reply.
    Pong,
    /// Closes a session; answered by an END with counter 0.
    End,
    /// Any other; ignored without an answer.
    Unknown(u8),
}

impl From<u8> for PacketType {
    fn from(value: u8) -> Self {
        match value {
            0 => Self::Start,
            1 => Self::Data,
            2 => Self::Ack,
            4 => Self::Ping,
            5 => Self::Pong,
            255 => Self::End,
            other => Self::Unknown(other),
        }
    }
}

impl From<PacketType> for u8 {
    fn from(value: PacketType) -> Self {
        match value {
            PacketType::Start => 0,
            PacketType::Data => 1,
            PacketType::Ack => 2,
            PacketType::Ping => 4,
            PacketType::Pong => 5,
            PacketType::End => 255,
            PacketType::Unknown(other) => other,
        }
    }
}

impl PacketType {
    /// Length of the header that a packet of this type has.
    pub const fn header_len(self) -> usize {
        match self {
            Self::Ping | Self::Pong => COMMON_LEN,
            _ => HEADER_LEN,
        }
    }
}

impl fmt::Display for PacketType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Start => "START",
            Self::Data => "DATA",
            Self::Ack => "ACK",
            Self::Ping => "PING",
            Self::Pong => "PONG",
            Self::End => "END",
            Self::Unknown(other) => return write!(f, "TYPE-{other}"),
        })
    }
}

/// Which end sent a packet. The bytes themselves do not tell; the ports and the receiver's role do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Direction {
    /// From the client.
    ToServer,
    /// From the server.
    ToClient,
}

/// A view over a UDP payload that is a MAC-Telnet or MAC-Ping packet.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Packet<'a> {
    common: &'a [u8; COMMON_LEN],
    counter: u32,
    data: &'a [u8],
}

impl<'a> Packet<'a> {
    /// Checks version and length.
    ///
    /// # Errors
    /// [`Kind::Truncated`] if the header is not all there, [`Kind::Version`].
    pub fn new_checked(payload: &'a [u8]) -> Result<Self, Error> {
        let truncated = Error::new(Kind::Truncated, payload.len());
        let (common, rest) = payload.split_first_chunk::<COMMON_LEN>().ok_or(truncated)?;
        if common[0] != VERSION {
            return Err(Error::new(Kind::Version(common[0]), 0));
        }
        match PacketType::from(common[1]) {
            PacketType::Ping | PacketType::Pong => Ok(Self { common, counter: 0, data: rest }),
            _ => {
                let (counter, data) = rest.split_first_chunk::<4>().ok_or(truncated)?;
                Ok(Self { common, counter: u32::from_be_bytes(*counter), data })
            }
        }
    }

    /// What it is.
    pub fn kind(&self) -> PacketType {
        PacketType::from(self.common[1])
    }

    /// The sender, as it says. Nothing proves it.
    pub fn src(&self) -> MacAddr {
        mac(self.common, 2)
    }

    /// The receiver.
    pub fn dst(&self) -> MacAddr {
        mac(self.common, 8)
    }

    /// The session's key, which the client chose.
    pub fn session_key(&self, direction: Direction) -> u16 {
        match direction {
            Direction::ToServer => self.word(14),
            Direction::ToClient => self.word(16),
        }
    }

    /// What the session carries, see [`CLIENT_TYPE_MAC_TELNET`].
    pub fn client_type(&self, direction: Direction) -> u16 {
        match direction {
            Direction::ToServer => self.word(16),
            Direction::ToClient => self.word(14),
        }
    }

    /// Offset in a stream (see [`PacketType`]), modulo 2^32; 0 for PING and PONG, which have none.
    pub fn counter(&self) -> u32 {
        self.counter
    }

    /// What follows the header.
    pub fn data(&self) -> &'a [u8] {
        self.data
    }

    fn word(&self, at: usize) -> u16 {
        u16::from_be_bytes([self.common[at], self.common[at + 1]])
    }
}

/// The six bytes at `at`, which the caller has as a constant that fits.
fn mac(common: &[u8; COMMON_LEN], at: usize) -> MacAddr {
    let mut octets = [0; 6];
    octets.copy_from_slice(&common[at..at + 6]);
    MacAddr(octets)
}

impl fmt::Display for Packet<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (a, b) = (self.word(14), self.word(16));
        write!(f, "{} {} > {} {a:04x}/{b:04x}", self.kind(), self.src(), self.dst())?;
        write!(f, " ctr {} len {}", self.counter, self.data.len())
    }
}

impl fmt::Debug for Packet<'_> {
    /// The header alone: data can be a password's proof.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Packet({self})")
    }
}

/// The header of a packet, owned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Repr {
    /// What it is.
    pub kind: PacketType,
    /// Who sends it; decides where key and client type stand.
    pub direction: Direction,
    /// The MAC of the interface it leaves by. RouterOS does not answer an invented one (7.24beta1, reported).
    pub src: MacAddr,
    /// The peer's MAC.
    pub dst: MacAddr,
    /// The session's key. 0 for PING and PONG.
    pub session_key: u16,
    /// [`CLIENT_TYPE_MAC_TELNET`]. 0 for PING and PONG.
    pub client_type: u16,
    /// See [`PacketType`]. Not sent with PING and PONG.
    pub counter: u32,
}

impl Repr {
    /// The header, and the data after it.
    ///
    /// # Errors
    /// As [`Packet::new_checked`].
    pub fn parse(payload: &[u8], direction: Direction) -> Result<(Self, &[u8]), Error> {
        let packet = Packet::new_checked(payload)?;
        Ok((Self::from_packet(&packet, direction), packet.data()))
    }

    /// The header of `packet`, sent in `direction`.
    pub fn from_packet(packet: &Packet<'_>, direction: Direction) -> Self {
        Self {
            kind: packet.kind(),
            direction,
            src: packet.src(),
            dst: packet.dst(),
            session_key: packet.session_key(direction),
            client_type: packet.client_type(direction),
            counter: packet.counter(),
        }
    }

    /// Appends the packet with `data`, which may be empty. The caller keeps `data` within [`MAX_DATA`].
    pub fn emit(&self, data: &[u8], out: &mut Vec<u8>) {
        out.reserve(HEADER_LEN + data.len());
        out.extend_from_slice(&[VERSION, self.kind.into()]);
        out.extend_from_slice(&self.src.octets());
        out.extend_from_slice(&self.dst.octets());
        let (first, second) = match self.direction {
            Direction::ToServer => (self.session_key, self.client_type),
            Direction::ToClient => (self.client_type, self.session_key),
        };
        out.extend_from_slice(&first.to_be_bytes());
        out.extend_from_slice(&second.to_be_bytes());
        if self.kind.header_len() == HEADER_LEN {
            out.extend_from_slice(&self.counter.to_be_bytes());
        }
        out.extend_from_slice(data);
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
    use proptest::prelude::*;

    use super::*;

    const CLIENT: MacAddr = MacAddr([2, 0, 0, 0, 0, 2]);
    const SERVER: MacAddr = MacAddr([2, 0, 0, 0, 0, 1]);

    #[test]
    fn key_and_client_type_swap_with_the_direction() {
        let ack = Repr {
            kind: PacketType::Ack,
            direction: Direction::ToClient,
            src: SERVER,
            dst: CLIENT,
            session_key: 0xbeef,
            client_type: CLIENT_TYPE_MAC_TELNET,
            counter: 57,
        };
        let bytes = [1, 2, 2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 0x00, 0x15, 0xbe, 0xef, 0, 0, 0, 57];
        assert_eq!(ack.to_vec(&[]), bytes);
        assert_eq!(Repr::parse(&bytes, Direction::ToClient), Ok((ack, &[][..])));
        let back = Repr { direction: Direction::ToServer, src: CLIENT, dst: SERVER, kind: PacketType::Data, ..ack };
        let bytes = [1, 1, 2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 0xbe, 0xef, 0x00, 0x15, 0, 0, 0, 57, b'x'];
        assert_eq!(back.to_vec(b"x"), bytes);
        assert_eq!(Repr::parse(&bytes, Direction::ToServer), Ok((back, &b"x"[..])));
        let view = Packet::new_checked(&bytes).unwrap();
        assert_eq!(view.to_string(), "DATA 02:00:00:00:00:02 > 02:00:00:00:00:01 beef/0015 ctr 57 len 1");
    }

    #[test]
    fn what_is_short_or_of_another_version_is_refused() {
        let mut bytes = [1, 2, 2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 0, 0x15, 0xbe, 0xef, 0, 0, 0, 57];
        for len in 0..22 {
            assert_eq!(Packet::new_checked(&bytes[..len]), Err(Error::new(Kind::Truncated, len)));
        }
        bytes[1] = 4;
        assert_eq!(Packet::new_checked(&bytes).unwrap().data(), [0, 0, 0, 57]);
        assert_eq!(Packet::new_checked(&bytes[..18]).unwrap().data(), []);
        bytes[0] = 2;
        assert_eq!(Packet::new_checked(&bytes), Err(Error::new(Kind::Version(2), 0)));
    }

    proptest! {
        #[test]
        fn what_was_emitted_is_parsed(kind: u8, src: [u8; 6], dst: [u8; 6], key: u16, client_type: u16,
                                      counter: u32, up: bool, data: Vec<u8>) {
            let kind = PacketType::from(kind);
            let counter = if kind.header_len() == HEADER_LEN { counter } else { 0 };
            let direction = if up { Direction::ToServer } else { Direction::ToClient };
            let repr = Repr { kind, direction, src: src.into(), dst: dst.into(), session_key: key, client_type, counter };
            let bytes = repr.to_vec(&data);
            prop_assert_eq!(Repr::parse(&bytes, direction), Ok((repr, &data[..])));
        }

        #[test]
        fn what_was_parsed_is_emitted_the_same(mut bytes: Vec<u8>, up: bool) {
            if let Some(first) = bytes.first_mut() { *first = VERSION; }
            let direction = if up { Direction::ToServer } else { Direction::ToClient };
            if let Ok((repr, data)) = Repr::parse(&bytes, direction) {
                prop_assert_eq!(repr.to_vec(data), bytes);
            }
        }
    }
}
