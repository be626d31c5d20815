//! The data of DATA packets, and terminal data split so that it never looks like a control packet.

#![no_main]

use libfuzzer_sys::fuzz_target;
use mactelnet::auth::{Answer, Offer};
use mactelnet::wire::control::{self, Element, MAGIC};

fuzz_target!(|bytes: &[u8]| {
    let Some((max, bytes)) = bytes.split_first() else { return };
    let mut again = Vec::new();
    let mut cut = false;
    for element in control::elements(bytes) {
        match element {
            Element::Control(control) => {
                cut |= control.is_cut();
                let _ = (control.as_size(), control.to_string());
                if let Ok(offer) = Offer::parse(control.value) {
                    assert_eq!(offer.to_vec(), control.value);
                }
                let _ = Answer::parse(control.value);
                control::emit(control.kind, control.value, &mut again);
            }
            Element::Plain(plain) => again.extend_from_slice(plain),
        }
    }
    assert_eq!(again.len(), bytes.len());
    assert!(cut || again == bytes);

    let max = usize::from(*max).max(1);
    let (mut rest, mut arrived) = (bytes, Vec::new());
    while !rest.is_empty() {
        let (packet, next) = rest.split_at(control::plain_len(rest, max));
        assert!(!packet.is_empty() && packet.len() <= max && !packet.starts_with(&MAGIC));
        arrived.extend_from_slice(packet);
        rest = next;
    }
    assert_eq!(arrived, bytes);
});
