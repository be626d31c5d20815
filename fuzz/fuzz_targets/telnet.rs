//! Telnet, in pieces: what comes out does not depend on where the stream was cut.

#![no_main]

use libfuzzer_sys::fuzz_target;
use serial_console::telnet::{Decoder, Item};

fn items<'a>(pieces: impl Iterator<Item = &'a [u8]>, binary: bool) -> (Vec<u8>, Vec<Item>) {
    let mut decoder = Decoder::default();
    decoder.set_binary(binary);
    let (mut data, mut others) = (Vec::new(), Vec::new());
    for piece in pieces {
        let mut rest = piece;
        while let (Some(item), left) = decoder.next(rest) {
            rest = left;
            match item {
                Item::Data(bytes) => data.extend(bytes),
                other => others.push(other),
            }
        }
    }
    (data, others)
}

fuzz_target!(|bytes: &[u8]| {
    let Some((size, bytes)) = bytes.split_first() else { return };
    let pieces = items(bytes.chunks(usize::from(*size).max(1)), size % 2 == 0);
    assert_eq!(pieces, items(std::iter::once(bytes), size % 2 == 0));
    assert!(pieces.0.len() <= bytes.len());
});
