//! Values as `export` and the history write them, and how `export` folds long lines.

/// Columns of an exported line, the backslash included.
const COLUMNS: usize = 80;
/// What a folded line goes on with.
const INDENT: &str = "    ";

/// A value that reads back as the same text: plain where that is safe, quoted where it is not.
pub fn quote_word(value: &str) -> String {
    let plain = !value.is_empty()
        && value.bytes().all(|b| {
            b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.' | b':' | b'/' | b',' | b'*' | b'!' | b'+')
        });
    if plain { value.to_owned() } else { quoted(value) }
}

/// As the language's own literals, but for `?`, which routers write as `\?` in every version.
fn quoted(value: &str) -> String {
    let parts = value.split('?').map(|part| {
        let part = routeros_script::quote::literal(&crate::raw::bytes(part));
        part.get(1..part.len() - 1).unwrap_or_default().to_owned()
    });
    format!("\"{}\"", parts.collect::<Vec<_>>().join("\\?"))
}

/// One command on as many lines as it takes: broken between words, behind a `=`, and inside quotes, where a line
/// also ends before each `\n`.
pub fn folded(verb: &str, words: &[String]) -> Vec<String> {
    in_columns(verb, words, COLUMNS)
}

/// One command on one line, but that a text's own lines are lines here too.
pub fn terse(verb: &str, words: &[String]) -> Vec<String> {
    in_columns(verb, words, usize::MAX)
}

fn in_columns(verb: &str, words: &[String], columns: usize) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = verb.to_owned();
    for word in words {
        let (name, value) = word.split_once('=').map_or(("", word.as_str()), |(name, value)| (name, value));
        // The blank, and the backslash or the blank and backslash of the next fold.
        let fits = |line: &str, text: &str| line.chars().count() + text.chars().count() < columns - 2;
        let long = value.contains("\\n");
        if !long && fits(&line, &format!(" {word}")) {
            line.push_str(&format!(" {word}"));
            continue;
        }
        if name.is_empty() {
            // A name alone.
            lines.push(format!("{} \\", std::mem::take(&mut line)));
            line = format!("{INDENT}{word}");
            continue;
        }
        if fits(&line, &format!(" {name}=")) {
            line.push_str(&format!(" {name}="));
        } else {
            lines.push(format!("{} \\", std::mem::take(&mut line)));
            line = format!("{INDENT}{name}=");
        }
        if !long && fits(&line, value) {
            line.push_str(value);
        } else if value.starts_with('"') {
            // A text that would fit stays whole as far as its own lines go.
            if !fits(&line, value) && fits(INDENT, value) {
                break_line(&mut lines, &mut line);
            }
            fold_text(&mut lines, &mut line, value, columns);
        } else {
            lines.push(format!("{}\\", std::mem::take(&mut line)));
            line = format!("{INDENT}{value}");
        }
    }
    lines.push(line);
    lines
}

fn break_line(lines: &mut Vec<String>, line: &mut String) {
    lines.push(format!("{}\\", std::mem::take(line)));
    INDENT.clone_into(line);
}

/// A quoted text in pieces.
fn fold_text(lines: &mut Vec<String>, line: &mut String, text: &str, columns: usize) {
    let mut rest = text;
    while !rest.is_empty() {
        // An escape stays whole: two characters, or three of `\41`.
        let mut chars = rest.chars();
        let len = match (chars.next(), chars.next()) {
            (Some('\\'), Some(c)) if c.is_ascii_digit() || c.is_ascii_uppercase() => 3.min(rest.len()),
            (Some('\\'), Some(c)) => 1 + c.len_utf8(),
            (Some(c), _) => c.len_utf8(),
            (None, _) => break,
        };
        let (piece, tail) = rest.split_at_checked(len).unwrap_or((rest, ""));
        let full = line.chars().count() + piece.chars().count() > columns - 2;
        if full || (piece == "\\n" && line.trim() != "") {
            break_line(lines, line);
        }
        // A blank at the beginning of a line is dropped when it is read.
        line.push_str(if full && piece == " " { "\\_" } else { piece });
        rest = tail;
    }
}

#[cfg(test)]
mod tests {
    use routeros_script::Version;
    use routeros_script::quote::unquote;

    use super::*;

    #[test]
    fn only_what_needs_it_is_quoted() {
        assert_eq!(quote_word("10.0.0.0/8,ether1"), "10.0.0.0/8,ether1");
        assert_eq!(quote_word(""), "\"\"");
        assert_eq!(quote_word("a b$c"), "\"a b\\$c\"");
    }

    #[test]
    fn long_lines_are_folded_as_routers_do() {
        let words = |list: &[&str]| list.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
        let rule = words(&[
            "action=accept",
            "chain=input",
            "comment=\"defconf: accept established,related,untracked\"",
            "connection-state=established,related,untracked",
        ]);
        assert_eq!(
            folded("add", &rule),
            [
                "add action=accept chain=input comment=\\",
                "    \"defconf: accept established,related,untracked\" connection-state=\\",
                "    established,related,untracked",
            ]
        );
        let rule =
            words(&["action=drop", "chain=input", "comment=\"defconf: drop invalid\"", "connection-state=invalid"]);
        assert_eq!(
            folded("add", &rule),
            ["add action=drop chain=input comment=\"defconf: drop invalid\" connection-state=\\", "    invalid"]
        );
        let script = words(&["name=x", "source=\":put 1\\r\\n:put 2\""]);
        assert_eq!(folded("add", &script), ["add name=x source=\":put 1\\r\\", "    \\n:put 2\""]);
        assert_eq!(terse("/system script add", &script)[1..], ["    \\n:put 2\""]);
        // As exports of 6.49 and 7.16 are: up to 79 columns, a text that fits on a line begins on its own.
        let policy = "policy=ftp,reboot,read,write,policy,test,password,sniff,sensitive,romon";
        let text = format!("source={}", quote_word("system reboot\r\ny?"));
        let lines = folded("add dont-require-permissions=no name=again owner=admin", &words(&[policy, &text]));
        assert_eq!(
            lines,
            [
                "add dont-require-permissions=no name=again owner=admin policy=\\",
                "    ftp,reboot,read,write,policy,test,password,sniff,sensitive,romon source=\\",
                "    \"system reboot\\r\\",
                "    \\ny\\?\"",
            ]
        );
        let text = format!("source={}", quote_word(&"abcd efgh ".repeat(9)));
        let lines = folded("add dont-require-permissions=no name=again owner=admin", &words(&[policy, &text]));
        assert_eq!(lines[1], "    ftp,reboot,read,write,policy,test,password,sniff,sensitive,romon source=\"a\\");
        assert_eq!(lines[2], "    bcd efgh abcd efgh abcd efgh abcd efgh abcd efgh abcd efgh abcd efgh abcd \\");
        let text = format!("source={}", quote_word(&"abcd efghi".repeat(9)));
        let lines = folded("add dont-require-permissions=no name=again owner=admin", &words(&[policy, &text]));
        assert!(lines[1].len() == 79 && lines[2].len() == 79, "{lines:?}");
        let text = format!("source={}", quote_word(&format!("{} {}", "x".repeat(66), "y".repeat(9))));
        assert_eq!(folded("add", &words(&[&text]))[1], "    \\_yyyyyyyyy\"");
    }

    #[test]
    fn folded_lines_read_back() {
        for seed in 0..200_u32 {
            // Words of all lengths, blanks in runs, escapes.
            let mut text = String::new();
            let mut state = seed.wrapping_mul(2_654_435_761).wrapping_add(1);
            for _ in 0..seed % 90 + 60 {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                let choices = ["a", "B7", " ", "  ", "\n", "\"", "$x", "\\", "\t", "é"];
                text.push_str(choices[(state >> 16) as usize % choices.len()]);
            }
            let lines = folded("add name=x", &[format!("source={}", quote_word(&text))]);
            assert!(lines.iter().all(|line| line.chars().count() <= COLUMNS + 2), "{lines:?}");
            let script = lines.join("\r\n");
            let (_, rest) = script.split_once("source=").unwrap();
            let read = unquote(rest.trim_start_matches("\\\r\n    ").as_bytes(), Version::new(7, 18, 2));
            let read = read.unwrap_or_else(|| panic!("{script}"));
            assert_eq!(String::from_utf8_lossy(&read), text);
        }
    }
}
