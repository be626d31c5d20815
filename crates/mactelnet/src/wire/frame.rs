//! Ethernet, IPv4 and UDP around a payload, for hosts that have no address.
//!
//! What is sent is what the C tools send in raw mode: source 0.0.0.0 unless the interface has an address,
//! destination 255.255.255.255, TOS 0x10, don't fragment, TTL 64. The real addressing is the MACs inside.
//!
//! What is received:
//! - the payload's length is that of the UDP header, never of the frame: Ethernet pads to 60 bytes;
//! - a wrong **UDP** checksum is no reason to drop: frames of a kernel's own socket reach a packet socket of the
//!   same host with the sum left to the hardware. [`Frame::udp_checksum`] tells those from damage, for who counts;
//! - a wrong **IPv4 header** checksum is refused: no kernel leaves that one to the hardware for a packet of this
//!   size, every IP stack drops it, and lengths that cannot be trusted are worse than a packet resent;
//! - a fragment is refused: nothing of these protocols is sent in fragments;
//! - a tag of VLAN 0 (priority only) is passed over; of any other VLAN it is refused, because a VLAN is an
//!   interface of its own and an answer from here would go out untagged.

use std::fmt;
use std::net::Ipv4Addr;

use super::error::{Error, Kind};
use crate::MacAddr;

/// The largest UDP payload that an MTU of 1500 carries unfragmented.
pub const MAX_PAYLOAD: usize = 1500 - IPV4_LEN - UDP_LEN;
/// Length of all headers that [`Repr::emit`] writes.
pub const HEADERS_LEN: usize = ETHERNET_LEN + IPV4_LEN + UDP_LEN;
/// The shortest frame on a wire, without its check sequence; interfaces pad to it.
pub const MIN_FRAME: usize = 60;

const ETHERNET_LEN: usize = 14;
const TAG_LEN: usize = 4;
const IPV4_LEN: usize = 20;
const UDP_LEN: usize = 8;

const ETHERTYPE_IPV4: u16 = 0x0800;
const ETHERTYPE_VLAN: u16 = 0x8100;
const VLAN_ID_MASK: u16 = 0x0fff;
const PROTOCOL_UDP: u8 = 17;
const MORE_FRAGMENTS: u16 = 0x2000;
const DONT_FRAGMENT: u16 = 0x4000;
const FRAGMENT_OFFSET_MASK: u16 = 0x1fff;
/// Low delay, as the C tools set it.
const TOS: u8 = 0x10;
const TTL: u8 = 64;

/// A view over an Ethernet frame that carries a whole UDP datagram.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Frame<'a> {
    ethernet: &'a [u8; ETHERNET_LEN],
    ipv4: &'a [u8; IPV4_LEN],
    udp: &'a [u8; UDP_LEN],
    payload: &'a [u8],
}

impl<'a> Frame<'a> {
    /// Checks everything up to the payload.
    ///
    /// # Errors
    /// [`Kind::Truncated`], [`Kind::EtherType`], [`Kind::Tagged`], [`Kind::Length`], [`Kind::HeaderChecksum`],
    /// [`Kind::Fragment`] and [`Kind::Protocol`], with the offset in the frame. For frames of other protocols the
    /// first difference is found after a few comparisons.
    pub fn new_checked(frame: &'a [u8]) -> Result<Self, Error> {
        let truncated = Error::new(Kind::Truncated, frame.len());
        let (ethernet, mut rest) = frame.split_first_chunk::<ETHERNET_LEN>().ok_or(truncated)?;
        let mut ethertype = u16::from_be_bytes([ethernet[12], ethernet[13]]);
        let mut at = ETHERNET_LEN;
        if ethertype == ETHERTYPE_VLAN {
            let ([t0, t1, e0, e1], inner) = rest.split_first_chunk::<TAG_LEN>().ok_or(truncated)?;
            let vlan = u16::from_be_bytes([*t0, *t1]) & VLAN_ID_MASK;
            if vlan != 0 {
                return Err(Error::new(Kind::Tagged(vlan), at));
            }
            ethertype = u16::from_be_bytes([*e0, *e1]);
            rest = inner;
            at += TAG_LEN;
        }
        if ethertype != ETHERTYPE_IPV4 {
            return Err(Error::new(Kind::EtherType(ethertype), at - 2));
        }
        let (ipv4, udp) = checked_ipv4(rest, at, truncated)?;
        let at = at + (rest.len() - udp.len());
        let total = usize::from(u16::from_be_bytes([ipv4[2], ipv4[3]]));
        let carried = total.saturating_sub(rest.len() - udp.len());
        let (udp, rest) = udp.split_first_chunk::<UDP_LEN>().ok_or(truncated)?;
        let length = u16::from_be_bytes([udp[4], udp[5]]);
        let len = usize::from(length);
        if len < UDP_LEN || len > carried {
            return Err(Error::new(Kind::Length(length), at + 4));
        }
        let payload = rest.get(..len - UDP_LEN).ok_or(truncated)?;
        Ok(Self { ethernet, ipv4, udp, payload })
    }

    /// The Ethernet destination.
    pub fn dst_mac(&self) -> MacAddr {
        let [a, b, c, d, e, f, ..] = *self.ethernet;
        MacAddr([a, b, c, d, e, f])
    }

    /// The Ethernet source.
    pub fn src_mac(&self) -> MacAddr {
        let [_, _, _, _, _, _, a, b, c, d, e, f, ..] = *self.ethernet;
        MacAddr([a, b, c, d, e, f])
    }

    /// The IPv4 source; 0.0.0.0 of a host without an address.
    pub fn src_ip(&self) -> Ipv4Addr {
        Ipv4Addr::new(self.ipv4[12], self.ipv4[13], self.ipv4[14], self.ipv4[15])
    }

    /// The IPv4 destination.
    pub fn dst_ip(&self) -> Ipv4Addr {
        Ipv4Addr::new(self.ipv4[16], self.ipv4[17], self.ipv4[18], self.ipv4[19])
    }

    /// The UDP source port.
    pub fn src_port(&self) -> u16 {
        u16::from_be_bytes([self.udp[0], self.udp[1]])
    }

    /// The UDP destination port.
    pub fn dst_port(&self) -> u16 {
        u16::from_be_bytes([self.udp[2], self.udp[3]])
    }

    /// The UDP payload, without padding.
    pub fn payload(&self) -> &'a [u8] {
        self.payload
    }

    /// Sums the datagram up and says what its checksum is. Not done by [`new_checked`](Self::new_checked).
    pub fn udp_checksum(&self) -> UdpChecksum {
        let sent = u16::from_be_bytes([self.udp[6], self.udp[7]]);
        if sent == 0 {
            return UdpChecksum::Absent;
        }
        let pseudo = pseudo_sum(self.src_ip(), self.dst_ip(), u16::from_be_bytes([self.udp[4], self.udp[5]]));
        let whole = sum(self.payload, sum(self.udp, pseudo));
        if fold(whole) == 0xffff {
            UdpChecksum::Right
        } else if sent == fold(pseudo) {
            UdpChecksum::Offloaded
        } else {
            UdpChecksum::Wrong
        }
    }

    /// The headers, owned.
    pub fn to_repr(&self) -> Repr {
        Repr {
            src_mac: self.src_mac(),
            dst_mac: self.dst_mac(),
            src_ip: self.src_ip(),
            dst_ip: self.dst_ip(),
            src_port: self.src_port(),
            dst_port: self.dst_port(),
            ip_id: u16::from_be_bytes([self.ipv4[4], self.ipv4[5]]),
        }
    }
}

/// Splits an IPv4 packet, which begins at `at` of the frame, into its fixed header and what follows all its options.
fn checked_ipv4(packet: &[u8], at: usize, truncated: Error) -> Result<(&[u8; IPV4_LEN], &[u8]), Error> {
    let (ipv4, _) = packet.split_first_chunk::<IPV4_LEN>().ok_or(truncated)?;
    let header_len = usize::from(ipv4[0] & 0x0f) * 4;
    if ipv4[0] >> 4 != 4 || header_len < IPV4_LEN {
        return Err(Error::new(Kind::Length(u16::from(ipv4[0])), at));
    }
    if ipv4[9] != PROTOCOL_UDP {
        return Err(Error::new(Kind::Protocol(ipv4[9]), at + 9));
    }
    let fragment = u16::from_be_bytes([ipv4[6], ipv4[7]]);
    if fragment & (MORE_FRAGMENTS | FRAGMENT_OFFSET_MASK) != 0 {
        return Err(Error::new(Kind::Fragment, at + 6));
    }
    let (header, rest) = packet.split_at_checked(header_len).ok_or(truncated)?;
    if fold(sum(header, 0)) != 0xffff {
        return Err(Error::new(Kind::HeaderChecksum, at + 10));
    }
    Ok((ipv4, rest))
}

impl fmt::Display for Frame<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} > {}", self.src_mac(), self.dst_mac())?;
        write!(f, " {}:{} > {}:{}", self.src_ip(), self.src_port(), self.dst_ip(), self.dst_port())?;
        write!(f, " len {}", self.payload.len())
    }
}

impl fmt::Debug for Frame<'_> {
    /// The headers alone: payloads carry proofs of passwords.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Frame({self})")
    }
}

/// What a UDP checksum is worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UdpChecksum {
    /// The sender made none.
    Absent,
    /// It fits.
    Right,
    /// It covers the pseudo header only: left to hardware that the frame never met.
    Offloaded,
    /// The datagram is damaged, or its sender cannot count.
    Wrong,
}

/// The headers around a payload, owned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Repr {
    /// The MAC of the interface it leaves by.
    pub src_mac: MacAddr,
    /// The peer's MAC, or broadcast.
    pub dst_mac: MacAddr,
    /// The interface's address, or 0.0.0.0.
    pub src_ip: Ipv4Addr,
    /// 255.255.255.255.
    pub dst_ip: Ipv4Addr,
    /// UDP source port.
    pub src_port: u16,
    /// UDP destination port.
    pub dst_port: u16,
    /// IPv4 identification; the C tools count from 1.
    pub ip_id: u16,
}

impl Repr {
    /// Between hosts without addresses: 0.0.0.0 to 255.255.255.255.
    pub const fn new(src_mac: MacAddr, dst_mac: MacAddr, src_port: u16, dst_port: u16, ip_id: u16) -> Self {
        let (src_ip, dst_ip) = (Ipv4Addr::UNSPECIFIED, Ipv4Addr::BROADCAST);
        Self { src_mac, dst_mac, src_ip, dst_ip, src_port, dst_port, ip_id }
    }

    /// Appends the frame with `payload`, both checksums filled in. Not padded: interfaces do that.
    ///
    /// # Errors
    /// [`Kind::TooLong`] if `payload` is longer than [`MAX_PAYLOAD`]; nothing is appended then.
    pub fn emit(&self, payload: &[u8], out: &mut Vec<u8>) -> Result<(), Error> {
        let too_long = Error::new(Kind::TooLong, payload.len());
        if payload.len() > MAX_PAYLOAD {
            return Err(too_long);
        }
        let udp_len = u16::try_from(UDP_LEN + payload.len()).map_err(|_| too_long)?;
        let total = u16::try_from(IPV4_LEN + UDP_LEN + payload.len()).map_err(|_| too_long)?;
        out.reserve(HEADERS_LEN + payload.len());
        out.extend_from_slice(&self.dst_mac.octets());
        out.extend_from_slice(&self.src_mac.octets());
        out.extend_from_slice(&ETHERTYPE_IPV4.to_be_bytes());

        let mut ipv4 = [0; IPV4_LEN];
        ipv4[0] = 0x45;
        ipv4[1] = TOS;
        ipv4[2..4].copy_from_slice(&total.to_be_bytes());
        ipv4[4..6].copy_from_slice(&self.ip_id.to_be_bytes());
        ipv4[6..8].copy_from_slice(&DONT_FRAGMENT.to_be_bytes());
        ipv4[8] = TTL;
        ipv4[9] = PROTOCOL_UDP;
        ipv4[12..16].copy_from_slice(&self.src_ip.octets());
        ipv4[16..20].copy_from_slice(&self.dst_ip.octets());
        let checksum = !fold(sum(&ipv4, 0));
        ipv4[10..12].copy_from_slice(&checksum.to_be_bytes());
        out.extend_from_slice(&ipv4);

        let mut udp = [0; UDP_LEN];
        udp[0..2].copy_from_slice(&self.src_port.to_be_bytes());
        udp[2..4].copy_from_slice(&self.dst_port.to_be_bytes());
        udp[4..6].copy_from_slice(&udp_len.to_be_bytes());
        let checksum = !fold(sum(payload, sum(&udp, pseudo_sum(self.src_ip, self.dst_ip, udp_len))));
        // Zero would say that there is none.
        let checksum = if checksum == 0 { 0xffff } else { checksum };
        udp[6..8].copy_from_slice(&checksum.to_be_bytes());
        out.extend_from_slice(&udp);
        out.extend_from_slice(payload);
        Ok(())
    }

    /// The frame with `payload`, see [`emit`](Self::emit).
    ///
    /// # Errors
    /// As [`emit`](Self::emit).
    pub fn to_vec(&self, payload: &[u8]) -> Result<Vec<u8>, Error> {
        let mut out = Vec::new();
        self.emit(payload, &mut out)?;
        Ok(out)
    }
}

/// Adds `bytes` as big-endian words; an odd last byte is the high half of a word. A frame's worth cannot overflow.
fn sum(bytes: &[u8], start: u32) -> u32 {
    let mut words = bytes.chunks_exact(2);
    let mut total = start;
    for word in &mut words {
        total = total.wrapping_add(u32::from(u16::from_be_bytes([word[0], word[1]])));
    }
    match words.remainder() {
        [last] => total.wrapping_add(u32::from(*last) << 8),
        _ => total,
    }
}

fn pseudo_sum(src: Ipv4Addr, dst: Ipv4Addr, udp_len: u16) -> u32 {
    sum(&dst.octets(), sum(&src.octets(), u32::from(PROTOCOL_UDP) + u32::from(udp_len)))
}

/// Ones' complement sum of the two halves.
fn fold(total: u32) -> u16 {
    let total = (total & 0xffff) + (total >> 16);
    // The second time cannot carry.
    (((total & 0xffff) + (total >> 16)) & 0xffff) as u16
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const CLIENT: MacAddr = MacAddr([2, 0, 0, 0, 0, 2]);
    const SERVER: MacAddr = MacAddr([2, 0, 0, 0, 0, 1]);

    fn frame() -> Vec<u8> {
        Repr::new(CLIENT, SERVER, 1365, 20561, 1).to_vec(&[0xaa, 0xbb, 0xcc]).unwrap()
    }

    #[test]
    fn between_hosts_without_addresses() {
        #[rustfmt::skip]
        let bytes = [
            2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 0x08, 0x00,
            0x45, 0x10, 0, 31, 0, 1, 0x40, 0, 64, 17, 0x3a, 0xbe, 0, 0, 0, 0, 255, 255, 255, 255,
            0x05, 0x55, 0x50, 0x51, 0, 11, 0x33, 0x76, 0xaa, 0xbb, 0xcc,
        ];
        assert_eq!(frame(), bytes);
        let view = Frame::new_checked(&bytes).unwrap();
        assert_eq!(view.to_repr(), Repr::new(CLIENT, SERVER, 1365, 20561, 1));
        assert_eq!((view.payload(), view.udp_checksum()), (&[0xaa, 0xbb, 0xcc][..], UdpChecksum::Right));
    }

    #[test]
    fn padding_is_no_payload() {
        let mut bytes = frame();
        bytes.resize(MIN_FRAME, 0xee);
        assert_eq!(Frame::new_checked(&bytes).unwrap().payload(), [0xaa, 0xbb, 0xcc]);
    }

    #[test]
    fn udp_checksums_are_told_apart_and_never_a_reason_to_drop() {
        let mut bytes = frame();
        let with = |bytes: &mut [u8], checksum: u16| {
            bytes[40..42].copy_from_slice(&checksum.to_be_bytes());
            Frame::new_checked(bytes).unwrap().udp_checksum()
        };
        assert_eq!(with(&mut bytes, 0), UdpChecksum::Absent);
        assert_eq!(with(&mut bytes, 0x1234), UdpChecksum::Wrong);
        let partial = fold(pseudo_sum(Ipv4Addr::UNSPECIFIED, Ipv4Addr::BROADCAST, 11));
        assert_eq!(with(&mut bytes, partial), UdpChecksum::Offloaded);
    }

    /// Changes a frame and mends the header checksum.
    fn changed(change: impl FnOnce(&mut Vec<u8>)) -> Result<(), Error> {
        let mut bytes = frame();
        change(&mut bytes);
        bytes[24..26].fill(0);
        let checksum = !fold(sum(&bytes[14..34], 0));
        bytes[24..26].copy_from_slice(&checksum.to_be_bytes());
        Frame::new_checked(&bytes).map(|_| ())
    }

    #[test]
    fn what_is_refused_and_where() {
        assert_eq!(changed(|_| {}), Ok(()));
        let refused = |kind, offset| Err(Error::new(kind, offset));
        assert_eq!(changed(|b| b[13] = 6), refused(Kind::EtherType(0x0806), 12));
        assert_eq!(changed(|b| b[14] = 0x65), refused(Kind::Length(0x65), 14));
        assert_eq!(changed(|b| b[14] = 0x44), refused(Kind::Length(0x44), 14));
        assert_eq!(changed(|b| b[20] = 0x20), refused(Kind::Fragment, 20));
        assert_eq!(changed(|b| b[21] = 1), refused(Kind::Fragment, 20));
        assert_eq!(changed(|b| b[23] = 6), refused(Kind::Protocol(6), 23));
        assert_eq!(changed(|b| b[39] = 7), refused(Kind::Length(7), 38));
        assert_eq!(changed(|b| b[39] = 12), refused(Kind::Length(12), 38));
        assert_eq!(changed(|b| b[17] = 30), refused(Kind::Length(11), 38));
        assert_eq!(changed(|b| b.truncate(44)), refused(Kind::Truncated, 44));
        let mut bytes = frame();
        bytes[15] ^= 1;
        assert_eq!(Frame::new_checked(&bytes).unwrap_err(), Error::new(Kind::HeaderChecksum, 24));
        assert_eq!(frame().len(), 45);
        for len in 0..45 {
            assert_eq!(Frame::new_checked(&frame()[..len]).unwrap_err(), Error::new(Kind::Truncated, len));
        }
        let long = [0; MAX_PAYLOAD + 1];
        assert_eq!(Repr::new(CLIENT, SERVER, 1, 2, 3).to_vec(&long).unwrap_err().kind, Kind::TooLong);
    }

    #[test]
    fn only_a_priority_tag_is_passed_over() {
        let mut bytes = frame();
        bytes.splice(12..12, [0x81, 0, 0xe0, 0]);
        assert_eq!(Frame::new_checked(&bytes).unwrap().payload(), [0xaa, 0xbb, 0xcc]);
        bytes[15] = 9;
        assert_eq!(Frame::new_checked(&bytes).unwrap_err(), Error::new(Kind::Tagged(9), 14));
    }

    #[test]
    fn ip_options_are_passed_over() {
        let mut bytes = frame();
        bytes.splice(34..34, [1; 4]);
        bytes[14] = 0x46;
        bytes[17] += 4;
        bytes[24..26].fill(0);
        let checksum = !fold(sum(&bytes[14..38], 0));
        bytes[24..26].copy_from_slice(&checksum.to_be_bytes());
        assert_eq!(Frame::new_checked(&bytes).unwrap().payload(), [0xaa, 0xbb, 0xcc]);
    }

    proptest! {
        #[test]
        fn what_was_emitted_is_parsed(
            src: [u8; 6], dst: [u8; 6], src_ip: [u8; 4], dst_ip: [u8; 4], src_port: u16, dst_port: u16, ip_id: u16,
            payload in prop::collection::vec(any::<u8>(), 0..MAX_PAYLOAD), padding in 0usize..60,
        ) {
            let repr = Repr {
                src_mac: src.into(), dst_mac: dst.into(), src_ip: src_ip.into(), dst_ip: dst_ip.into(), src_port, dst_port, ip_id,
            };
            let mut bytes = repr.to_vec(&payload).unwrap();
            bytes.resize(bytes.len() + padding, 0x5a);
            let view = Frame::new_checked(&bytes).unwrap();
            prop_assert_eq!(view.to_repr(), repr);
            prop_assert_eq!(view.payload(), &payload);
            prop_assert_eq!(view.udp_checksum(), UdpChecksum::Right);
        }

        #[test]
        fn any_bytes_are_survived(mut bytes: Vec<u8>, damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..4)) {
            if let Ok(view) = Frame::new_checked(&bytes) { let _ = view.udp_checksum(); }
            let mut near = frame();
            near.append(&mut bytes);
            for (at, byte) in damage { let at = at.index(near.len()); near[at] = byte; }
            if let Ok(view) = Frame::new_checked(&near) { let _ = (view.udp_checksum(), view.to_string()); }
        }
    }
}
