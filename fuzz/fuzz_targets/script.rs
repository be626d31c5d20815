//! Any text: parser and judge come back, errors lie inside the text, names that don't exist are found where they stand,
//! literals read back as the same bytes.
#![no_main]

use libfuzzer_sys::fuzz_target;
use routeros_script::{Outcome, Version, incomplete, lint, parse, quote};

fuzz_target!(|data: &[u8]| {
    for version in [Version::new(6, 44, 6), Version::new(7, 22, 1), Version::new(7, 24, 0)] {
        match parse(data, version) {
            Ok(_) => assert!(incomplete(data).is_none_or(|open| open == ['\\'])),
            Err(error) => assert!(error.span.end <= data.len() && error.span.start <= error.span.end),
        }
        let report = lint(data, version);
        assert!(report.findings.iter().all(|finding| finding.span.end <= data.len()));
        match report.outcome {
            Outcome::Refused(error) => assert!(error.span.end <= data.len() && error.span.start <= error.span.end),
            Outcome::Accepted { late, commands, .. } => {
                assert!(late.iter().all(|late| late.error.span.end <= data.len()));
                assert!(commands.iter().all(|command| command.path.starts_with('/') && command.span.end <= data.len()));
            }
        }
        let literal = quote::literal(data);
        assert_eq!(quote::unquote(literal.as_bytes(), version).as_deref(), Some(data));
    }
});
