//! MAC-Telnet and MAC-Ping packets.

#![no_main]

use libfuzzer_sys::fuzz_target;
use mactelnet::wire::packet::{Direction, Packet, Repr};
use mactelnet::wire::ping;

fuzz_target!(|bytes: &[u8]| {
    for direction in [Direction::ToServer, Direction::ToClient] {
        if let Ok((repr, data)) = Repr::parse(bytes, direction) {
            assert_eq!(repr.to_vec(data), bytes);
        }
    }
    if let Ok(packet) = Packet::new_checked(bytes) {
        let _ = packet.to_string();
    }
    if let Ok((repr, data)) = ping::Repr::parse(bytes) {
        let again = repr.to_vec(data);
        // The four bytes that are zero are not looked at when received.
        assert_eq!((&again[..14], &again[18..]), (&bytes[..14], &bytes[18..]));
        assert_eq!(ping::Repr::parse(&repr.to_reply().to_vec(data)), Ok((repr.to_reply(), data)));
    }
});
