//! What was wrong with bytes, and where.

use std::fmt;

/// Bytes that are not what they should be, with the place where that shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{kind} at offset {offset}")]
pub struct Error {
    /// What was wrong.
    pub kind: Kind,
    /// Offset of the field concerned, in bytes from the start of what was parsed (frame or UDP payload).
    /// For something too short: the length that was there.
    pub offset: usize,
}

/// What can be wrong with bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Kind {
    /// It ends before its fixed part does, or before the length that it claims.
    Truncated,
    /// A protocol version that is not the one known.
    Version(u8),
    /// A packet type other than those that the parser is for.
    PacketType(u8),
    /// An Ethernet frame that carries no IPv4; the EtherType.
    EtherType(u16),
    /// A frame of a VLAN (its id); VLANs are interfaces of their own.
    Tagged(u16),
    /// An IPv4 packet that carries no UDP; the protocol number.
    Protocol(u8),
    /// A part of a fragmented IPv4 packet.
    Fragment,
    /// A length field smaller than the header that it counts, or larger than what carries it.
    Length(u16),
    /// The checksum of the IPv4 header is wrong.
    HeaderChecksum,
    /// Too long to be sent in one packet.
    TooLong,
}

impl Error {
    pub(crate) const fn new(kind: Kind, offset: usize) -> Self {
        Self { kind, offset }
    }

    /// A stable name, for logs and machine-readable output.
    pub const fn code(&self) -> &'static str {
        self.kind.code()
    }
}

impl Kind {
    /// A stable name, for logs and machine-readable output.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Truncated => "mactelnet.wire.truncated",
            Self::Version(_) => "mactelnet.wire.version",
            Self::PacketType(_) => "mactelnet.wire.packet-type",
            Self::EtherType(_) => "mactelnet.wire.ethertype",
            Self::Tagged(_) => "mactelnet.wire.tagged",
            Self::Protocol(_) => "mactelnet.wire.protocol",
            Self::Fragment => "mactelnet.wire.fragment",
            Self::Length(_) => "mactelnet.wire.length",
            Self::HeaderChecksum => "mactelnet.wire.header-checksum",
            Self::TooLong => "mactelnet.wire.too-long",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Truncated => f.write_str("truncated"),
            Self::Version(version) => write!(f, "unknown protocol version {version}"),
            Self::PacketType(kind) => write!(f, "unexpected packet type {kind}"),
            Self::EtherType(kind) => write!(f, "no IPv4 (EtherType {kind:#06x})"),
            Self::Tagged(vlan) => write!(f, "tagged for VLAN {vlan}"),
            Self::Protocol(protocol) => write!(f, "no UDP (IP protocol {protocol})"),
            Self::Fragment => f.write_str("IP fragment"),
            Self::Length(length) => write!(f, "impossible length {length}"),
            Self::HeaderChecksum => f.write_str("wrong IP header checksum"),
            Self::TooLong => f.write_str("too long for one packet"),
        }
    }
}
