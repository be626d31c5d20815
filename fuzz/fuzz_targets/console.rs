//! What a router shows on its console, whole and in pieces.

#![no_main]

use libfuzzer_sys::fuzz_target;
use routeros::TermSize;
use routeros::expect::{Event, Expect, Pattern};
use std::time::Duration;

const NOW: Duration = Duration::from_secs(1);

fn watch(pieces: &[&[u8]]) -> (Option<Event>, String, Vec<u8>) {
    let mut engine = Expect::new(TermSize { cols: 80, rows: 24 });
    engine.expect(Duration::ZERO, vec![Pattern::Line("QA".into())], Duration::from_secs(9));
    let mut answers = Vec::new();
    for piece in pieces {
        engine.on_bytes(NOW, piece);
        answers.extend(engine.poll_transmit().unwrap_or_default());
    }
    let found = engine.poll_event();
    // Whatever stands at the cursor can be looked at.
    let settle = Duration::ZERO;
    engine.expect(NOW, vec![Pattern::Prompt(settle), Pattern::Question(settle, settle)], NOW);
    engine.poll_event();
    (found, engine.current() + &engine.excerpt(), answers)
}

fuzz_target!(|bytes: &[u8]| {
    let Some((size, bytes)) = bytes.split_first() else { return };
    let pieces: Vec<&[u8]> = bytes.chunks(usize::from(*size).max(1)).collect();
    let whole: Vec<&[u8]> = bytes.chunks(256).collect();
    assert_eq!(watch(&pieces), watch(&whole));
});
