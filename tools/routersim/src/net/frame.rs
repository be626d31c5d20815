//! The few header fields that are looked at before a frame reaches a protocol.

use std::net::Ipv4Addr;

use mactelnet::MacAddr;
use smoltcp::wire::{
    ArpOperation, ArpPacket, ArpRepr, EthernetAddress, EthernetFrame, EthernetProtocol, Icmpv4Message, Icmpv4Packet,
    IpProtocol, Ipv4Packet, UdpPacket,
};

/// Ethernet header: two addresses and a type.
pub(super) const ETHERNET_HEADER: usize = 14;

/// The longest frame that is sent: 1500 bytes of IP.
pub(super) const MTU_FRAME: usize = 1514;

/// The longest frame that is taken: on a veth pair the host's kernel hands over unsegmented TCP of up to 64 KB.
pub(super) const MAX_FRAME: usize = ETHERNET_HEADER + 65_535;

/// Source and destination of a frame; `None` if it is too short or too long for one.
pub(super) fn addresses(frame: &[u8]) -> Option<(MacAddr, MacAddr)> {
    if frame.len() > MAX_FRAME {
        return None;
    }
    let frame = EthernetFrame::new_checked(frame).ok()?;
    Some((MacAddr(frame.src_addr().0), MacAddr(frame.dst_addr().0)))
}

/// Writes another destination into a frame.
pub(super) fn set_destination(frame: &mut [u8], to: MacAddr) {
    if let Some(field) = frame.get_mut(..6) {
        field.copy_from_slice(&to.octets());
    }
}

/// What a frame is, as far as the router treats it apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// UDP to this port; MAC-Telnet, MAC-Ping and MNDP are picked by it.
    Udp(u16),
    /// A VRRP advertisement.
    Vrrp,
    /// An echo reply with this identifier and remaining time to live.
    EchoReply {
        /// Identifier.
        ident: u16,
        /// Time to live.
        ttl: u8,
    },
    /// Anything else.
    Other,
}

/// The protocol number of VRRP.
pub(super) const PROTOCOL_VRRP: u8 = 112;

/// Looks into a frame.
pub(super) fn kind(frame: &[u8]) -> Kind {
    inspect(frame).unwrap_or(Kind::Other)
}

fn inspect(frame: &[u8]) -> Option<Kind> {
    let frame = EthernetFrame::new_checked(frame).ok()?;
    if frame.ethertype() != EthernetProtocol::Ipv4 {
        return None;
    }
    let packet = Ipv4Packet::new_checked(frame.payload()).ok()?;
    if packet.version() != 4 || packet.frag_offset() != 0 || packet.more_frags() {
        return None;
    }
    match packet.next_header() {
        IpProtocol::Udp => Some(Kind::Udp(UdpPacket::new_checked(packet.payload()).ok()?.dst_port())),
        IpProtocol::Icmp => {
            let icmp = Icmpv4Packet::new_checked(packet.payload()).ok()?;
            (icmp.msg_type() == Icmpv4Message::EchoReply)
                .then(|| Kind::EchoReply { ident: icmp.echo_ident(), ttl: packet.hop_limit() })
        }
        other if u8::from(other) == PROTOCOL_VRRP => Some(Kind::Vrrp),
        _ => None,
    }
}

/// An unasked-for ARP request that names its own sender, so that switches and hosts learn who has `address` now.
pub(super) fn gratuitous_arp(mac: MacAddr, address: Ipv4Addr) -> Vec<u8> {
    let sender = EthernetAddress(mac.octets());
    let arp = ArpRepr::EthernetIpv4 {
        operation: ArpOperation::Request,
        source_hardware_addr: sender,
        source_protocol_addr: address,
        target_hardware_addr: EthernetAddress([0; 6]),
        target_protocol_addr: address,
    };
    let mut bytes = vec![0; ETHERNET_HEADER + arp.buffer_len()];
    let mut frame = EthernetFrame::new_unchecked(&mut bytes[..]);
    frame.set_src_addr(sender);
    frame.set_dst_addr(EthernetAddress::BROADCAST);
    frame.set_ethertype(EthernetProtocol::Arp);
    arp.emit(&mut ArpPacket::new_unchecked(frame.payload_mut()));
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gratuitous_arp_bytes() {
        let bytes = gratuitous_arp(MacAddr([0, 0, 0x5E, 0, 1, 1]), Ipv4Addr::new(169, 254, 23, 10));
        let mut expected = vec![0xff; 6];
        expected.extend([0, 0, 0x5E, 0, 1, 1, 0x08, 0x06, 0, 1, 8, 0, 6, 4, 0, 1]);
        expected.extend([0, 0, 0x5E, 0, 1, 1, 169, 254, 23, 10, 0, 0, 0, 0, 0, 0, 169, 254, 23, 10]);
        assert_eq!(bytes, expected);
    }

    #[test]
    fn short_and_foreign_frames_are_other() {
        assert_eq!(addresses(&[0; 13]), None);
        assert_eq!(kind(&[0; 60]), Kind::Other);
        let mut seed = 1_u64;
        for len in 0..200 {
            let bytes: Vec<u8> = (0..len)
                .map(|_| {
                    seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                    (seed >> 33) as u8
                })
                .collect();
            let _ = (addresses(&bytes), kind(&bytes));
        }
    }
}
