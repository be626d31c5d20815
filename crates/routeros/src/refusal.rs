//! RouterOS's words for "no", which have no numbers.

use crate::frame::join;
use crate::outcome::{Refusal, RefusalClass, Stage};
use crate::terminal::Line;
use regex::Regex;
use std::sync::LazyLock;

/// Longest text of a refusal that is kept, in characters.
const MAX_TEXT: usize = 2000;

const CLASSES: &[(&str, RefusalClass)] = &[
    ("bad command name", RefusalClass::BadCommand),
    ("no such command", RefusalClass::BadCommand),
    ("bad parameter", RefusalClass::BadParameter),
    ("unknown parameter", RefusalClass::BadParameter),
    ("syntax error", RefusalClass::Syntax),
    ("expected item id", RefusalClass::NoItem),
    ("expected ", RefusalClass::Syntax),
    ("ambiguous ", RefusalClass::Ambiguous),
    ("input does not match", RefusalClass::BadValue),
    ("invalid value", RefusalClass::BadValue),
    ("value of ", RefusalClass::BadValue),
    ("missing value", RefusalClass::MissingValue),
    ("no such item", RefusalClass::NoItem),
    ("failure: already have", RefusalClass::Duplicate),
    ("failure: duplicate", RefusalClass::Duplicate),
    ("item with such name already exists", RefusalClass::Duplicate),
    ("not enough permissions", RefusalClass::NotPermitted),
    ("failure: not allowed by device-mode", RefusalClass::NotPermitted),
    ("failure:", RefusalClass::Failure),
    ("interrupted", RefusalClass::Interrupted),
    ("action timed out", RefusalClass::Interrupted),
];

/// Lines that are a refusal beyond doubt; used to hurry, never to decide.
pub(crate) static LOOKS_REFUSED: LazyLock<Regex> = LazyLock::new(|| {
    #[expect(clippy::expect_used, reason = "a constant pattern, compiled by a test")]
    Regex::new(concat!(
        r"^(?:Script Error: )?(?:failure: |no such item|input does not match|invalid value|missing value|",
        r"not enough permissions)|^(?:bad command name|bad parameter|syntax error|expected |ambiguous ).*",
        r"\(line \d+ column \d+\)",
    ))
    .expect("constant")
});

static POSITION: LazyLock<Regex> = LazyLock::new(|| {
    #[expect(clippy::expect_used, reason = "a constant pattern, compiled by a test")]
    Regex::new(r"\(line (\d+) column (\d+)\)").expect("constant")
});

/// The class of one line of words, where it has one.
fn class_of(line: &str) -> Option<RefusalClass> {
    let line = line.trim();
    let line = line.strip_prefix("Script Error: ").unwrap_or(line);
    CLASSES.iter().find(|(words, _)| line.starts_with(words)).map(|(_, class)| *class)
}

/// A refusal from the lines that the router printed instead of a result. Of a command that ran, they begin with the last that
/// is known for such words, else they are the last line: `:error` says anything. What stands before is output.
///
/// Columns are counted in bytes of the line that was typed; `own` says which column of the caller's command one is. Both the
/// position and the words are put right.
pub(crate) fn classify(lines: &[&Line], stage: Stage, own: impl Fn(u32) -> u32) -> Refusal {
    let known = lines.iter().rposition(|line| class_of(&line.text).is_some());
    let class = known.and_then(|at| class_of(&lines[at].text)).unwrap_or(RefusalClass::Other);
    let said = match stage {
        Stage::Run => known.or_else(|| lines.iter().rposition(|line| !line.text.trim().is_empty())).unwrap_or(0),
        Stage::Parse => 0,
    };
    let (output, lines) = lines.split_at(said);
    let words: Vec<&str> = lines.iter().map(|line| line.text.trim()).filter(|line| !line.is_empty()).collect();
    let words = words.join("\n");
    let mut position = None;
    let text = POSITION.replace_all(&words, |found: &regex::Captures<'_>| {
        let number = |at: usize| found.get(at).and_then(|digits| digits.as_str().parse::<u32>().ok());
        let (Some(line), Some(column)) = (number(1), number(2)) else { return found[0].to_owned() };
        let column = if line == 1 { own(column) } else { column };
        position = Some((line, column));
        format!("(line {line} column {column})")
    });
    Refusal { class, stage, text: text.chars().take(MAX_TEXT).collect(), output: join(output), position }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ten_before(column: u32) -> u32 {
        if column > 10 { column - 10 } else { column }
    }

    fn refusal(text: &str) -> Refusal {
        let line = Line { text: text.into(), clean: true, prompt: false };
        classify(&[&line], Stage::Parse, ten_before)
    }

    #[test]
    fn words_seen_in_the_field() {
        for (words, class) in [
            ("bad command name zzz (line 1 column 12)", RefusalClass::BadCommand),
            ("bad parameter no-such-arg (line 1 column 65)", RefusalClass::BadParameter),
            ("syntax error (line 1 column 17)", RefusalClass::Syntax),
            ("expected end of command (line 1 column 15)", RefusalClass::Syntax),
            ("expected item id (line 1 column 30)", RefusalClass::NoItem),
            ("ambiguous value of X, more than one possible value matches input", RefusalClass::Ambiguous),
            ("invalid value for argument address", RefusalClass::BadValue),
            ("input does not match any value of interface", RefusalClass::BadValue),
            ("value of range must have ip address before '-' (/ip/pool/add (range); line 1)", RefusalClass::BadValue),
            ("Script Error: missing value(s) of argument(s) value", RefusalClass::MissingValue),
            ("no such item (4)", RefusalClass::NoItem),
            ("failure: already have such address", RefusalClass::Duplicate),
            ("failure: resolve failed", RefusalClass::Failure),
            ("not enough permissions (9)", RefusalClass::NotPermitted),
            ("interrupted", RefusalClass::Interrupted),
            ("wrong router", RefusalClass::Other),
        ] {
            assert_eq!(refusal(words).class, class, "{words}");
        }
        assert!(LOOKS_REFUSED.is_match("syntax error (line 1 column 7)"));
        assert!(!LOOKS_REFUSED.is_match("expected delivery tomorrow"));
    }

    #[test]
    fn what_was_printed_before_is_output() {
        let line = |text: &str| Line { text: text.into(), clean: true, prompt: false };
        for (lines, output, text) in [
            (&["a", "b", "x"][..], "a\nb", "x"),
            (&["a", "failure: no", "more of it"][..], "a", "failure: no\nmore of it"),
            (&["no such item"][..], "", "no such item"),
            (&["a", "x", ""][..], "a", "x"),
            (&[][..], "", ""),
        ] {
            let lines: Vec<Line> = lines.iter().map(|text| line(text)).collect();
            let lines: Vec<&Line> = lines.iter().collect();
            let found = classify(&lines, Stage::Run, ten_before);
            assert_eq!((found.output.trim_end(), found.text.as_str()), (output, text));
            // before the line ran nothing was output
            let found = classify(&lines, Stage::Parse, ten_before);
            assert_eq!(found.output, "");
        }
    }

    #[test]
    fn columns_are_those_of_the_command() {
        let found = refusal("bad command name zzz (line 1 column 12)");
        assert_eq!(found.position, Some((1, 2)));
        assert_eq!(found.text, "bad command name zzz (line 1 column 2)");
        assert_eq!(refusal("syntax error (line 3 column 12)").position, Some((3, 12)));
    }
}
