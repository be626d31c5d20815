//! Frames with the secrets taken out, for capture files that leave the house.
//!
//! Headers stay, so that a capture still shows who sent how much when and what was resent. What could hold a secret
//! is zeroed, length kept: terminal bytes, the proof of a password (an MD5 proof can be guessed offline), and the
//! payload of every other protocol.

use crate::wire::Frame;
use crate::wire::control::{self, ControlType, Element};
use crate::wire::packet::{self, HEADER_LEN, Packet, PacketType};
use crate::wire::{frame, mndp};

/// Bytes kept of a frame of some other protocol: Ethernet, IPv4 and TCP headers without options.
const KEPT_OF_OTHERS: usize = 54;

/// Where the UDP checksum stands in the eight bytes before the payload.
const CHECKSUM_BEFORE_PAYLOAD: usize = 2;

/// A copy of `frame` without what could hold a secret.
pub fn redact(frame: &[u8]) -> Vec<u8> {
    let mut copy = frame.to_vec();
    let Some((at, len, ranges)) = secret_ranges(frame) else {
        if let Some(rest) = copy.get_mut(KEPT_OF_OTHERS..) {
            rest.fill(0);
        }
        return copy;
    };
    if !ranges.is_empty() {
        // The sum would tell the zeroed bytes' own; none is a legal UDP checksum, too.
        zero(&mut copy, at - CHECKSUM_BEFORE_PAYLOAD, at);
    }
    for (start, end) in ranges {
        zero(&mut copy, at + start, at + end);
    }
    // Padding is whatever lay in the sender's memory.
    zero(&mut copy, at + len, frame.len());
    copy
}

fn zero(bytes: &mut [u8], start: usize, end: usize) {
    if let Some(range) = bytes.get_mut(start..end) {
        range.fill(0);
    }
}

/// Parts of a payload, by start and end.
type Ranges = Vec<(usize, usize)>;

/// Where the payload of a frame of ours begins, its length, and what to zero in it. `None` for other frames.
fn secret_ranges(bytes: &[u8]) -> Option<(usize, usize, Ranges)> {
    let view = Frame::new_checked(bytes).ok()?;
    let payload = view.payload();
    // The payload is a part of the frame; its offset tells where options and tags made the headers longer.
    let at = payload.as_ptr().addr().checked_sub(bytes.as_ptr().addr())?;
    debug_assert!(at >= frame::HEADERS_LEN);
    let ports = [view.src_port(), view.dst_port()];
    if ports.contains(&mndp::PORT) {
        return Some((at, payload.len(), Vec::new()));
    }
    if !ports.contains(&packet::PORT) {
        return None;
    }
    let packet = Packet::new_checked(payload).ok()?;
    let mut ranges = Vec::new();
    match packet.kind() {
        PacketType::Data => {
            let mut from = HEADER_LEN;
            for element in control::elements(packet.data()) {
                let (len, secret) = match element {
                    Element::Plain(plain) => (plain.len(), true),
                    Element::Control(control) => {
                        from += control::HEADER_LEN;
                        (control.value.len(), !is_public(control.kind))
                    }
                };
                if secret {
                    ranges.push((from, from + len));
                }
                from += len;
            }
        }
        PacketType::Start | PacketType::Ack | PacketType::End | PacketType::Ping | PacketType::Pong => {}
        PacketType::Unknown(_) => ranges.push((HEADER_LEN, payload.len())),
    }
    Some((at, payload.len(), ranges))
}

/// Controls whose values say nothing of a password.
fn is_public(kind: ControlType) -> bool {
    use ControlType::{BeginAuth, EndAuth, PassSalt, TermHeight, TermType, TermWidth, Username};
    matches!(kind, BeginAuth | EndAuth | PassSalt | TermHeight | TermType | TermWidth | Username)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::MacAddr;
    use crate::wire::packet::{CLIENT_TYPE_MAC_TELNET, Direction};

    fn framed(port: u16, payload: &[u8]) -> Vec<u8> {
        let mac = MacAddr([2, 0, 0, 0, 0, 1]);
        frame::Repr::new(mac, mac, 1024, port, 1).to_vec(payload).unwrap()
    }

    fn data(data: &[u8]) -> Vec<u8> {
        let header = packet::Repr {
            kind: PacketType::Data,
            direction: Direction::ToServer,
            src: MacAddr::ZERO,
            dst: MacAddr::ZERO,
            session_key: 1,
            client_type: CLIENT_TYPE_MAC_TELNET,
            counter: 9,
        };
        framed(packet::PORT, &header.to_vec(data))
    }

    #[test]
    fn the_login_stays_readable_and_the_proof_does_not() {
        let mut controls = Vec::new();
        control::emit(ControlType::Password, b"PROOF-PROOF-PROOF", &mut controls);
        control::emit(ControlType::Username, b"admin", &mut controls);
        control::emit_size(80, 24, &mut controls);
        controls.extend_from_slice(b"typed-secret");
        let redacted = redact(&data(&controls));
        let view = Frame::new_checked(&redacted).unwrap();
        assert_eq!(view.udp_checksum(), frame::UdpChecksum::Absent);
        let packet = Packet::new_checked(view.payload()).unwrap();
        assert_eq!(packet.counter(), 9);
        let shown: Vec<_> = control::elements(packet.data()).map(|e| format!("{e:?}")).collect();
        let original: Vec<_> = control::elements(&controls).collect();
        assert_eq!(shown.len(), original.len());
        for secret in [&b"PROOF"[..], b"secret"] {
            assert!(!redacted.windows(secret.len()).any(|w| w == secret));
        }
        assert!(redacted.windows(5).any(|w| w == b"admin"));
    }

    #[test]
    fn other_protocols_keep_their_headers_only() {
        let ftp = framed(21, &[b'x'; 100]);
        let redacted = redact(&ftp);
        assert_eq!(redacted.len(), ftp.len());
        assert_eq!(redacted[..KEPT_OF_OTHERS], ftp[..KEPT_OF_OTHERS]);
        assert!(redacted[KEPT_OF_OTHERS..].iter().all(|b| *b == 0));
        let request = framed(mndp::PORT, &mndp::REQUEST);
        assert_eq!(redact(&request), request);
    }

    proptest! {
        #[test]
        fn no_typed_byte_survives(typed in prop::collection::vec(1u8.., 1..200), noise: Vec<u8>) {
            let redacted = redact(&data(&typed));
            prop_assume!(control::elements(&typed).all(|e| matches!(e, Element::Plain(_))));
            let view = Frame::new_checked(&redacted).unwrap();
            prop_assert!(view.payload()[HEADER_LEN..].iter().all(|b| *b == 0));
            prop_assert_eq!(redact(&noise).len(), noise.len());
        }
    }
}
