//! Redactors: no secret comes out, whatever stands around it, and nothing that a terminal acts on.

#![no_main]

use bootstrap::evidence::Redactor;
use libfuzzer_sys::fuzz_target;
use routeros::Secret;

const SECRET: &str = "N0t-For_Your.Eyes";

fuzz_target!(|bytes: &[u8]| {
    // A frame: what is left is as long, and every byte of it is the frame's own or nothing.
    let frame = mactelnet::redact::redact(bytes);
    assert_eq!(frame.len(), bytes.len());
    assert!(frame.iter().zip(bytes).all(|(left, was)| left == was || *left == 0));
    // A text with the secret in the middle of it, folded as an export folds, or not.
    let Some((choice, rest)) = bytes.split_first() else { return };
    let (before, after) = rest.split_at(rest.len() / 2);
    let (first, second) = SECRET.split_at(usize::from(choice >> 2) % SECRET.len());
    let fold = match choice & 3 {
        0 => "",
        1 => "\\\n    ",
        2 => "\\\r\n    ",
        _ => "\\\n    \\\n    ",
    };
    let text = [
        &String::from_utf8_lossy(before),
        first,
        fold,
        second,
        &String::from_utf8_lossy(after),
    ]
    .concat();
    let redactor = Redactor::new(&[Secret::new(SECRET)]);
    let shown = redactor.text(&text);
    assert!(!shown.contains(SECRET), "{text:?} -> {shown:?}");
    assert!(!redactor.finds(shown.as_bytes()), "{text:?} -> {shown:?}");
    assert!(shown.chars().all(|c| !c.is_control() || matches!(c, '\n' | '\t')), "{shown:?}");
    // `finds` sees it in any bytes.
    assert!(redactor.finds(&[before, SECRET.as_bytes(), after].concat()));
});
