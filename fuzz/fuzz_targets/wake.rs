//! What a line shows of which nothing is known: boot loaders, menus, garbage.

#![no_main]

use libfuzzer_sys::fuzz_target;
use routeros::wake::{Legibility, classify};

fuzz_target!(|bytes: &[u8]| {
    let text = String::from_utf8_lossy(bytes);
    let lines: Vec<&str> = text.split('\n').collect();
    let (current, recent) = lines.split_last().unwrap_or((&"", &[]));
    if let Some(state) = classify(recent, current) {
        let _ = (state.name(), state.to_string());
    }
    for line in &lines {
        let _ = (routeros::boot::sign(line), routeros::boot::phase(line));
    }
    // However it was cut.
    let (mut whole, mut cut) = (Legibility::default(), Legibility::default());
    whole.on_bytes(bytes);
    bytes.chunks(3).for_each(|piece| cut.on_bytes(piece));
    assert_eq!(whole, cut);
});
