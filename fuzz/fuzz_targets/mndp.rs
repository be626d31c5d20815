//! MNDP packets.

#![no_main]

use libfuzzer_sys::fuzz_target;
use mactelnet::wire::mndp::{Announcement, MAX_UNKNOWN, Packet, emit_tlv};

fuzz_target!(|bytes: &[u8]| {
    let Ok(packet) = Packet::new_checked(bytes) else { return };
    let mut again = packet.header().to_vec();
    let mut tlvs = packet.tlvs();
    for tlv in tlvs.by_ref() {
        emit_tlv(tlv.kind, tlv.value, &mut again).expect("it came from a TLV");
    }
    again.extend_from_slice(tlvs.rest());
    assert_eq!(again, bytes);

    let Some(said) = Announcement::from_packet(&packet) else { return };
    assert!(!packet.is_request() && said.unknown.len() <= MAX_UNKNOWN);
    assert!(!said.to_string().chars().any(char::is_control));
    if let Ok(made) = said.to_vec(packet.header()) {
        let heard = Announcement::parse(&made).expect("a header is there").unwrap_or_default();
        assert_eq!(heard, said);
    }
});
