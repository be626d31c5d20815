//! What holds for any text.

use proptest::prelude::*;
use routeros_script::ast::{Arg, ExprKind, Script, Statement, StrPart};
use routeros_script::{Literal, Outcome, Version, incomplete, judge, lint, parse, quote};

const VERSIONS: [Version; 2] = [Version::new(6, 44, 6), Version::new(7, 18, 2)];

/// Texts that get far into the grammar.
fn script_like() -> impl Strategy<Value = Vec<u8>> {
    let pieces = prop::sample::select(vec![
        ":put ",
        ":local a ",
        "/ip/address/add ",
        "find ",
        "where ",
        "name=",
        "a",
        "$a",
        "$\"b c\"",
        "\"",
        "\\",
        "\\\n",
        "\\41",
        "$(",
        "$[",
        "(",
        ")",
        "[",
        "]",
        "{",
        "}",
        ";",
        "\n",
        " ",
        "#",
        "=",
        "!=",
        "~",
        "->",
        "<%%",
        " and ",
        "!",
        "1.2.3.4/24",
        "10m",
        "*1",
        "do={",
        "in={",
        ",",
        ".",
        "..",
        "-",
        "0x1F",
        "\t",
        "\r\n",
        "any ",
        ":if (",
        "\u{e4}",
    ]);
    prop::collection::vec(pieces, 0..40).prop_map(|pieces| pieces.concat().into_bytes())
}

/// What is open, but for a joined line end at the very end: with nothing behind it that is complete to a script.
fn open(src: &[u8]) -> Option<Vec<char>> {
    incomplete(src).filter(|open| open.as_slice() != ['\\'])
}

/// The bytes that the only argument of the only command stands for.
fn only_argument(script: &Script) -> Option<Vec<u8>> {
    let [Statement::Command(command)] = script.body.statements.as_slice() else { return None };
    match (command.words.as_slice(), command.args.as_slice()) {
        ([_, word], []) => match Literal::of(&word.text) {
            Literal::Str(text) => Some(text.into_bytes()),
            _ => None,
        },
        ([_], [Arg::Unnamed(value)]) => match &value.kind {
            ExprKind::Str(parts) => match parts.as_slice() {
                [] => Some(Vec::new()),
                [StrPart::Text(text)] => Some(text.clone()),
                _ => None,
            },
            _ => None,
        },
        _ => None,
    }
}

/// The judge comes back, and what it says lies inside the text.
fn judged(text: &[u8]) {
    for version in [Version::new(6, 44, 6), Version::new(7, 22, 1), Version::new(7, 24, 0)] {
        let report = lint(text, version);
        assert!(report.findings.iter().all(|finding| finding.span.end <= text.len()));
        match report.outcome {
            Outcome::Refused(error) => assert!(error.span.start <= error.span.end && error.span.end <= text.len()),
            // RouterOS 6 has no command tree, and so not always a form.
            Outcome::Accepted { form, .. } => assert!(!version.is_v7() || form.is_empty() == text.is_empty()),
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_are_a_script_or_an_error_inside_the_text(src in prop::collection::vec(any::<u8>(), 0..400)) {
        judged(&src);
        for version in VERSIONS {
            if let Err(error) = parse(&src, version) {
                prop_assert!(error.span.start <= src.len() && error.span.end <= src.len());
                prop_assert!(error.message.ends_with(&error.position.to_string()));
            }
        }
    }

    #[test]
    fn what_is_a_script_leaves_nothing_open(src in script_like()) {
        judged(&src);
        for version in VERSIONS {
            match parse(&src, version) {
                Ok(script) => {
                    prop_assert_eq!(open(&src), None);
                    for statement in &script.body.statements {
                        let span = statement.span();
                        prop_assert!(span.start <= span.end && span.end <= src.len());
                    }
                    // Line ends around it change nothing.
                    let padded = [b"\n", src.as_slice(), b"\n"].concat();
                    prop_assert!(parse(&padded, version).is_ok());
                }
                Err(error) => prop_assert!(error.span.end <= src.len()),
            }
        }
    }

    #[test]
    fn what_is_open_is_no_script(src in script_like()) {
        if open(&src).is_some() {
            prop_assert!(parse(&src, VERSIONS[1]).is_err());
        }
    }

    #[test]
    fn literals_read_back_as_the_same_bytes(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let literal = quote::literal(&bytes);
        // Typable at a console: no key with a meaning, and no help key of RouterOS 6.
        prop_assert!(literal.bytes().all(|byte| (b' '..=b'~').contains(&byte) && byte != b'?'));
        for version in VERSIONS {
            prop_assert_eq!(quote::unquote(literal.as_bytes(), version), Some(bytes.clone()));
            for text in [quote::literal(&bytes), quote::word(&bytes)] {
                let script = parse(format!(":put {text}").as_bytes(), version).unwrap();
                prop_assert_eq!(only_argument(&script), Some(bytes.clone()), "{}", text);
                let judged = judge(format!(":put {text}").as_bytes(), VERSIONS[1]);
                prop_assert!(matches!(judged, Outcome::Accepted { .. }), "{}: {:?}", text, judged);
            }
        }
    }

    #[test]
    fn words_read_back_as_the_same_text(text in "[a-z0-9.:*/_-]{0,12}") {
        let word = quote::word(text.as_bytes());
        let script = parse(format!(":put {word}").as_bytes(), VERSIONS[1]).unwrap();
        prop_assert_eq!(only_argument(&script), Some(text.into_bytes()));
    }

    #[test]
    fn literals_nest(bytes in prop::collection::vec(any::<u8>(), 0..60)) {
        // A literal in a script in a literal, as a scheduler's event that is added by a script.
        let inner = format!(":put {}", quote::literal(&bytes));
        let outer = quote::literal(inner.as_bytes());
        for version in VERSIONS {
            let again = quote::unquote(outer.as_bytes(), version).unwrap();
            prop_assert_eq!(&again, inner.as_bytes());
            prop_assert_eq!(only_argument(&parse(&again, version).unwrap()), Some(bytes.clone()));
        }
    }

    #[test]
    fn typed_values_never_panic(text in "\\PC{0,40}") {
        let _ = Literal::of(&text);
    }

    #[test]
    fn times_read_back(nanoseconds in 0..i64::MAX) {
        use routeros_script::literal::{time, time_text};
        prop_assert_eq!(time(&time_text(nanoseconds)), Some(nanoseconds));
    }
}
