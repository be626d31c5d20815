//! Checksums that the host's kernel left to a network card that isn't there.
//!
//! What a local program sends over a veth pair arrives on a packet socket with a partial checksum: the field
//! holds the sum of the pseudo-header and nothing else (20 of 20 UDP frames, deps.md section 1). The simulated
//! router's stack checks every checksum, so that faults on simulated wires are caught; here they are completed.

const ETHERNET: usize = 14;
const TCP: u8 = 6;
const UDP: u8 = 17;

fn add(sum: u32, bytes: &[u8]) -> u32 {
    bytes.chunks(2).fold(sum, |sum, pair| match pair {
        [high, low] => sum + u32::from(u16::from_be_bytes([*high, *low])),
        [high] => sum + (u32::from(*high) << 8),
        _ => sum,
    })
}

fn fold(mut sum: u32) -> u16 {
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    sum as u16
}

/// Completes the TCP or UDP checksum of an IPv4 frame if it is partial; all else stays as it is.
pub(super) fn complete(frame: &mut [u8]) {
    // A frame that is no IPv4 with a whole TCP or UDP header has nothing to complete.
    let _ = try_complete(frame);
}

fn try_complete(frame: &mut [u8]) -> Option<()> {
    let (ethernet, packet) = frame.split_at_mut_checked(ETHERNET)?;
    if ethernet.get(12..14)? != [0x08, 0x00] || packet.first()? >> 4 != 4 {
        return None;
    }
    let header = usize::from(packet.first()? & 0x0f) * 4;
    let total = usize::from(u16::from_be_bytes([*packet.get(2)?, *packet.get(3)?]));
    let fragment = u16::from_be_bytes([*packet.get(6)?, *packet.get(7)?]) & 0x3fff;
    let protocol = *packet.get(9)?;
    let place = match protocol {
        TCP => 16,
        UDP => 6,
        _ => return None,
    };
    if fragment != 0 || header < 20 || total > packet.len() || total < header {
        return None;
    }
    let addresses = add(0, packet.get(12..20)?);
    let segment = packet.get_mut(header..total)?;
    let length = u32::try_from(segment.len()).ok()?;
    let pseudo = addresses + u32::from(protocol) + length;
    let field = u16::from_be_bytes([*segment.get(place)?, *segment.get(place + 1)?]);
    if field != fold(pseudo) {
        return None;
    }
    // The field holds the pseudo-header's sum, so the sum over the segment is the sum over both.
    let checksum = match !fold(add(0, segment)) {
        // In UDP a sum of zero is sent as its other form: zero says that there is none.
        0 if protocol == UDP => 0xffff,
        sum => sum,
    };
    segment.get_mut(place..place + 2)?.copy_from_slice(&checksum.to_be_bytes());
    Some(())
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use mactelnet::MacAddr;
    use mactelnet::wire::frame::{Frame, Repr, UdpChecksum};

    use super::*;

    fn frame(payload: &[u8]) -> Vec<u8> {
        let mut repr = Repr::new(MacAddr([2; 6]), MacAddr::BROADCAST, 20561, 20561, 1);
        repr.src_ip = Ipv4Addr::new(10, 0, 0, 1);
        repr.to_vec(payload).unwrap()
    }

    #[test]
    fn a_partial_checksum_becomes_whole() {
        for payload in [&b"hello"[..], b"even", b""] {
            let whole = frame(payload);
            let mut partial = whole.clone();
            let length = 8 + payload.len() as u32;
            let pseudo = fold(add(0, &whole[26..34]) + u32::from(UDP) + length);
            partial[40..42].copy_from_slice(&pseudo.to_be_bytes());
            assert_ne!(partial, whole);
            complete(&mut partial);
            assert_eq!(partial, whole);
            assert_eq!(Frame::new_checked(&partial).unwrap().udp_checksum(), UdpChecksum::Right);
        }
    }

    #[test]
    fn whole_wrong_and_short_ones_stay() {
        let whole = frame(b"hello");
        let mut wrong = whole.clone();
        wrong[45] ^= 1;
        for original in [whole.clone(), wrong] {
            let mut copy = original.clone();
            complete(&mut copy);
            assert_eq!(copy, original);
        }
        for length in 0..whole.len() {
            let mut short = whole[..length].to_vec();
            complete(&mut short);
            assert_eq!(short, whole[..length]);
        }
    }
}
