//! Any text: the parser comes back, errors lie inside the text, literals read back as the same bytes.
#![no_main]

use libfuzzer_sys::fuzz_target;
use routeros_script::{Version, incomplete, parse, quote};

fuzz_target!(|data: &[u8]| {
    for version in [Version::new(6, 44, 6), Version::new(7, 18, 2)] {
        match parse(data, version) {
            Ok(_) => assert!(incomplete(data).is_none_or(|open| open == ['\\'])),
            Err(error) => assert!(error.span.end <= data.len() && error.span.start <= error.span.end),
        }
        let literal = quote::literal(data);
        assert_eq!(quote::unquote(literal.as_bytes(), version).as_deref(), Some(data));
    }
});
