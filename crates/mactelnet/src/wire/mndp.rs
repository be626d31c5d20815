//! MNDP, the neighbour discovery protocol: a 4-byte header, then TLVs (type and length 2 bytes each, big-endian).
//!
//! The header is a sequence number or a checksum, depending on the sender: ignored when received.
//! A request is a packet without announcement TLVs: the header alone (C tools), or with an empty refresh TLV and
//! perhaps a byte after it (WinBox).

use std::fmt;
use std::iter::FusedIterator;
use std::net::{Ipv4Addr, Ipv6Addr};

use super::error::{Error, Kind};
use super::frame::MAX_PAYLOAD;
use super::text::Text;
use crate::MacAddr;

/// The UDP port, both ends.
pub const PORT: u16 = 5678;
/// Length of the header.
pub const HEADER_LEN: usize = 4;
/// The request that every implementation answers; mactelnetd 0.6.3 answers no other form.
pub const REQUEST: [u8; 4] = [0; 4];
/// TLVs of unknown types that one announcement keeps; RouterOS 7.24 sends one. More is noise.
pub const MAX_UNKNOWN: usize = 16;

const TLV_HEADER_LEN: usize = 4;

/// What a TLV holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TlvType {
    /// MAC of the sending interface.
    Mac,
    /// The router's name.
    Identity,
    /// Refresh: empty, in requests.
    Refresh,
    /// Such as `7.18.2 (stable) 2025-03-11 11:59:04`.
    Version,
    /// `MikroTik`, or a brand.
    Platform,
    /// Seconds, 4 bytes little-endian.
    Uptime,
    /// The licence's id.
    SoftwareId,
    /// Such as `RB4011iGS+`.
    Board,
    /// Packing of packets, 1 byte.
    Unpack,
    /// 16 bytes.
    Ipv6,
    /// The sending interface, such as `bridge/ether2`.
    Interface,
    /// 4 bytes.
    Ipv4,
    /// Any other: 2, 3 and 9 belong to packing, 18 is sent by 7.24, its meaning unknown.
    Unknown(u16),
}

impl From<u16> for TlvType {
    fn from(value: u16) -> Self {
        match value {
            1 => Self::Mac,
            5 => Self::Identity,
            6 => Self::Refresh,
            7 => Self::Version,
            8 => Self::Platform,
            10 => Self::Uptime,
            11 => Self::SoftwareId,
            12 => Self::Board,
            14 => Self::Unpack,
            15 => Self::Ipv6,
            16 => Self::Interface,
            17 => Self::Ipv4,
            other => Self::Unknown(other),
        }
    }
}

impl From<TlvType> for u16 {
    fn from(value: TlvType) -> Self {
        match value {
            TlvType::Mac => 1,
            TlvType::Identity => 5,
            TlvType::Refresh => 6,
            TlvType::Version => 7,
            TlvType::Platform => 8,
            TlvType::Uptime => 10,
            TlvType::SoftwareId => 11,
            TlvType::Board => 12,
            TlvType::Unpack => 14,
            TlvType::Ipv6 => 15,
            TlvType::Interface => 16,
            TlvType::Ipv4 => 17,
            TlvType::Unknown(other) => other,
        }
    }
}

/// A view over a UDP payload that is an MNDP packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Packet<'a> {
    header: [u8; HEADER_LEN],
    body: &'a [u8],
}

impl<'a> Packet<'a> {
    /// Checks that the header is there. TLVs are checked one by one as they are read.
    ///
    /// # Errors
    /// [`Kind::Truncated`].
    pub fn new_checked(payload: &'a [u8]) -> Result<Self, Error> {
        let truncated = Error::new(Kind::Truncated, payload.len());
        let (header, body) = payload.split_first_chunk().ok_or(truncated)?;
        Ok(Self { header: *header, body })
    }

    /// The four bytes before the TLVs; they mean nothing to a receiver.
    pub fn header(&self) -> [u8; HEADER_LEN] {
        self.header
    }

    /// The TLVs that are all there, in order.
    pub fn tlvs(&self) -> Tlvs<'a> {
        Tlvs { rest: self.body }
    }

    /// Whether it asks for announcements: it holds no TLV but refresh. One whose first TLV runs past the end is
    /// damage, not a question; up to three bytes that cannot be a TLV are let pass (WinBox sends one).
    pub fn is_request(&self) -> bool {
        let mut tlvs = self.tlvs();
        tlvs.by_ref().all(|tlv| tlv.kind == TlvType::Refresh) && tlvs.rest().len() < TLV_HEADER_LEN
    }
}

/// One type-length-value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tlv<'a> {
    /// What it holds.
    pub kind: TlvType,
    /// The bytes.
    pub value: &'a [u8],
}

/// Iterator over the TLVs of a packet; ends at the first that is not all there.
#[derive(Debug, Clone)]
pub struct Tlvs<'a> {
    rest: &'a [u8],
}

impl<'a> Tlvs<'a> {
    /// What has not been read: after the end, the bytes that are no complete TLV.
    pub fn rest(&self) -> &'a [u8] {
        self.rest
    }
}

impl<'a> Iterator for Tlvs<'a> {
    type Item = Tlv<'a>;

    fn next(&mut self) -> Option<Tlv<'a>> {
        let ([t0, t1, l0, l1], rest) = self.rest.split_first_chunk::<TLV_HEADER_LEN>()?;
        let len = usize::from(u16::from_be_bytes([*l0, *l1]));
        let (value, rest) = rest.split_at_checked(len)?;
        self.rest = rest;
        Some(Tlv { kind: u16::from_be_bytes([*t0, *t1]).into(), value })
    }
}

impl FusedIterator for Tlvs<'_> {}

/// Appends one TLV.
///
/// # Errors
/// [`Kind::TooLong`] if the value does not fit; nothing is appended then.
pub fn emit_tlv(kind: TlvType, value: &[u8], out: &mut Vec<u8>) -> Result<(), Error> {
    let too_long = Error::new(Kind::TooLong, out.len());
    let len = u16::try_from(value.len()).map_err(|_| too_long)?;
    out.extend_from_slice(&u16::from(kind).to_be_bytes());
    out.extend_from_slice(&len.to_be_bytes());
    out.extend_from_slice(value);
    Ok(())
}

/// What a router says of itself. Every part may be missing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Announcement {
    /// MAC of the sending interface.
    pub mac: Option<MacAddr>,
    /// The router's name.
    pub identity: Option<Text>,
    /// Version of its system.
    pub version: Option<Text>,
    /// `MikroTik`, or a brand.
    pub platform: Option<Text>,
    /// Seconds since it started.
    pub uptime: Option<u32>,
    /// The licence's id.
    pub software_id: Option<Text>,
    /// The board's name.
    pub board: Option<Text>,
    /// How it packs packets.
    pub unpack: Option<u8>,
    /// An IPv6 address of the sending interface.
    pub ipv6: Option<Ipv6Addr>,
    /// Name of the sending interface, such as `bridge/ether2`.
    pub interface: Option<Text>,
    /// TLVs of other types, as they came: at most [`MAX_UNKNOWN`].
    pub unknown: Vec<(u16, Vec<u8>)>,
    /// An IPv4 address of the sending interface.
    pub ipv4: Option<Ipv4Addr>,
}

impl Announcement {
    /// Reads an announcement; `None` if the packet is a request, or holds nothing that could be read.
    /// A TLV of a wrong length is left out; of two of one type the first counts.
    ///
    /// # Errors
    /// As [`Packet::new_checked`].
    pub fn parse(payload: &[u8]) -> Result<Option<Self>, Error> {
        Ok(Self::from_packet(&Packet::new_checked(payload)?))
    }

    /// As [`parse`](Self::parse), of a checked packet.
    pub fn from_packet(packet: &Packet<'_>) -> Option<Self> {
        fn text(slot: &mut Option<Text>, value: &[u8]) {
            slot.get_or_insert_with(|| Text::from(value));
        }
        fn fixed<const N: usize, T>(slot: &mut Option<T>, value: &[u8], make: impl Fn([u8; N]) -> T) {
            if let (None, Ok(bytes)) = (&slot, value.try_into()) {
                *slot = Some(make(bytes));
            }
        }
        let mut found = Self::default();
        let mut any = false;
        for Tlv { kind, value } in packet.tlvs() {
            any |= kind != TlvType::Refresh;
            match kind {
                TlvType::Mac => fixed(&mut found.mac, value, MacAddr),
                TlvType::Identity => text(&mut found.identity, value),
                TlvType::Refresh => {}
                TlvType::Version => text(&mut found.version, value),
                TlvType::Platform => text(&mut found.platform, value),
                TlvType::Uptime => fixed(&mut found.uptime, value, u32::from_le_bytes),
                TlvType::SoftwareId => text(&mut found.software_id, value),
                TlvType::Board => text(&mut found.board, value),
                TlvType::Unpack => fixed(&mut found.unpack, value, |[byte]| byte),
                TlvType::Ipv6 => fixed(&mut found.ipv6, value, Ipv6Addr::from),
                TlvType::Interface => text(&mut found.interface, value),
                TlvType::Ipv4 => fixed(&mut found.ipv4, value, Ipv4Addr::from),
                TlvType::Unknown(other) => {
                    if found.unknown.len() < MAX_UNKNOWN {
                        found.unknown.push((other, value.to_vec()));
                    }
                }
            }
        }
        any.then_some(found)
    }

    /// Appends the packet: `header`, then what is there in RouterOS's order (1 5 7 8 10 11 12 14 15 16 18 17).
    ///
    /// # Errors
    /// [`Kind::TooLong`] if it would not fit [`MAX_PAYLOAD`]; `out` is left as it was.
    pub fn emit(&self, header: [u8; HEADER_LEN], out: &mut Vec<u8>) -> Result<(), Error> {
        let start = out.len();
        let result = self.emit_parts(header, out);
        let result = match result {
            Ok(()) if out.len() - start > MAX_PAYLOAD => Err(Error::new(Kind::TooLong, out.len() - start)),
            other => other,
        };
        if result.is_err() {
            out.truncate(start);
        }
        result
    }

    fn emit_parts(&self, header: [u8; HEADER_LEN], out: &mut Vec<u8>) -> Result<(), Error> {
        let text = |text: &Option<Text>, kind, out: &mut Vec<u8>| match text {
            Some(text) => emit_tlv(kind, text.as_bytes(), out),
            None => Ok(()),
        };
        out.extend_from_slice(&header);
        if let Some(mac) = self.mac {
            emit_tlv(TlvType::Mac, &mac.octets(), out)?;
        }
        text(&self.identity, TlvType::Identity, out)?;
        text(&self.version, TlvType::Version, out)?;
        text(&self.platform, TlvType::Platform, out)?;
        if let Some(uptime) = self.uptime {
            emit_tlv(TlvType::Uptime, &uptime.to_le_bytes(), out)?;
        }
        text(&self.software_id, TlvType::SoftwareId, out)?;
        text(&self.board, TlvType::Board, out)?;
        if let Some(unpack) = self.unpack {
            emit_tlv(TlvType::Unpack, &[unpack], out)?;
        }
        if let Some(ipv6) = self.ipv6 {
            emit_tlv(TlvType::Ipv6, &ipv6.octets(), out)?;
        }
        text(&self.interface, TlvType::Interface, out)?;
        for (kind, value) in &self.unknown {
            emit_tlv(TlvType::Unknown(*kind), value, out)?;
        }
        if let Some(ipv4) = self.ipv4 {
            emit_tlv(TlvType::Ipv4, &ipv4.octets(), out)?;
        }
        Ok(())
    }

    /// The packet, see [`emit`](Self::emit).
    ///
    /// # Errors
    /// As [`emit`](Self::emit).
    pub fn to_vec(&self, header: [u8; HEADER_LEN]) -> Result<Vec<u8>, Error> {
        let mut out = Vec::new();
        self.emit(header, &mut out)?;
        Ok(out)
    }
}

impl fmt::Display for Announcement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MNDP")?;
        if let Some(mac) = self.mac {
            write!(f, " {mac}")?;
        }
        for (name, text) in [
            ("identity", &self.identity),
            ("version", &self.version),
            ("platform", &self.platform),
            ("software-id", &self.software_id),
            ("board", &self.board),
            ("interface", &self.interface),
        ] {
            if let Some(text) = text {
                write!(f, " {name}={text:?}")?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn requests_of_4_8_and_9_bytes() {
        for request in [&REQUEST[..], &[0, 0, 0, 0, 0, 6, 0, 0], &[0, 0, 0, 0, 0, 6, 0, 0, 0], &[1, 2, 3, 4]] {
            assert!(Packet::new_checked(request).unwrap().is_request());
            assert_eq!(Announcement::parse(request), Ok(None));
        }
        assert_eq!(Packet::new_checked(&[0, 0]), Err(Error::new(Kind::Truncated, 2)));
    }

    #[test]
    fn damage_is_left_out_and_never_a_request() {
        // A TLV that runs past the end, alone: neither request nor announcement.
        let cut = [0, 0, 0, 0, 0, 5, 0, 10, b'a'];
        assert!(!Packet::new_checked(&cut).unwrap().is_request());
        assert_eq!(Announcement::parse(&cut), Ok(None));
        // Wrong lengths.
        let odd = [0, 0, 0, 0, 0, 1, 0, 4, 1, 2, 3, 4, 0, 10, 0, 2, 1, 0, 0, 5, 0, 0];
        let found = Announcement::parse(&odd).unwrap().unwrap();
        assert_eq!(found, Announcement { identity: Some("".into()), ..Announcement::default() });
        // The first of two counts.
        let twice = [0, 0, 0, 0, 0, 5, 0, 1, b'a', 0, 5, 0, 1, b'b'];
        assert_eq!(Announcement::parse(&twice).unwrap().unwrap().identity.unwrap(), "a");
    }

    #[test]
    fn too_long_leaves_the_buffer_alone() {
        let long = |len: usize| Announcement { identity: Some(Text::from(&vec![b'x'; len][..])), ..Default::default() };
        let mut out = vec![7];
        assert_eq!(long(70_000).emit([0; 4], &mut out).unwrap_err().kind, Kind::TooLong);
        assert_eq!(long(MAX_PAYLOAD - 7).emit([0; 4], &mut out).unwrap_err().kind, Kind::TooLong);
        assert_eq!(out, [7]);
        assert!(long(MAX_PAYLOAD - 8).emit([0; 4], &mut out).is_ok());
    }

    proptest! {
        #[test]
        fn what_was_announced_is_read(
            mac: Option<[u8; 6]>, texts in prop::collection::vec(prop::option::of(".{0,20}"), 6), uptime: Option<u32>,
            unpack: Option<u8>, ipv6: Option<[u8; 16]>, ipv4: Option<[u8; 4]>,
            unknown in prop::collection::vec((18u16.., prop::collection::vec(any::<u8>(), 0..9)), 0..4), header: [u8; 4],
        ) {
            let mut texts = texts.into_iter().map(|text| text.map(Text::from));
            let mut next = || texts.next().flatten();
            let said = Announcement {
                mac: mac.map(MacAddr), identity: next(), version: next(), platform: next(), uptime, software_id: next(),
                board: next(), unpack, ipv6: ipv6.map(Ipv6Addr::from), interface: next(), unknown, ipv4: ipv4.map(Ipv4Addr::from),
            };
            let bytes = said.to_vec(header).unwrap();
            let heard = Announcement::parse(&bytes).unwrap();
            prop_assert_eq!(heard.unwrap_or_default(), said);
        }

        #[test]
        fn any_bytes_are_survived_and_tlvs_kept(bytes: Vec<u8>) {
            if let Ok(packet) = Packet::new_checked(&bytes) {
                let mut again = packet.header().to_vec();
                let mut tlvs = packet.tlvs();
                for tlv in tlvs.by_ref() { emit_tlv(tlv.kind, tlv.value, &mut again).unwrap(); }
                again.extend_from_slice(tlvs.rest());
                prop_assert_eq!(&again, &bytes);
                let _ = (packet.is_request(), Announcement::from_packet(&packet));
            }
        }
    }
}
