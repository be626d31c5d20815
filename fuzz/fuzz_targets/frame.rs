//! Ethernet frames: any bytes, and the same with the IPv4 header checksum mended, which chance would hardly find.

#![no_main]

use libfuzzer_sys::fuzz_target;
use mactelnet::wire::frame::{Frame, MAX_PAYLOAD, UdpChecksum};

const HEADER: std::ops::Range<usize> = 14..34;

fuzz_target!(|bytes: &[u8]| {
    look(bytes);
    let mut mended = bytes.to_vec();
    if let Some(header) = mended.get_mut(HEADER) {
        (header[0], header[10], header[11]) = (0x45, 0, 0);
        let mut total: u32 = header.chunks(2).map(|word| u32::from(word[0]) << 8 | u32::from(word[1])).sum();
        while total > 0xffff {
            total = (total & 0xffff) + (total >> 16);
        }
        header[10..12].copy_from_slice(&(!(total as u16)).to_be_bytes());
        look(&mended);
    }
});

fn look(bytes: &[u8]) {
    let Ok(frame) = Frame::new_checked(bytes) else { return };
    let _ = (frame.udp_checksum(), frame.to_string());
    let repr = frame.to_repr();
    match repr.to_vec(frame.payload()) {
        Ok(again) => {
            let again = Frame::new_checked(&again).expect("what was made is right");
            assert_eq!((again.to_repr(), again.payload()), (repr, frame.payload()));
            assert_eq!(again.udp_checksum(), UdpChecksum::Right);
        }
        Err(_) => assert!(frame.payload().len() > MAX_PAYLOAD),
    }
}
