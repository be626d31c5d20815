//! Whether a console needs more lines before it can run what was typed.

/// The brackets and quotes that `src` leaves open, outermost first, as the continuation prompt lists them: `{`, `(`, `[`,
/// `"`, and `\` if the last line ends with a backslash. `None` if nothing is open.
///
/// A closing bracket that closes nothing ends the look: the parser will say what is wrong.
pub fn incomplete(src: &[u8]) -> Option<Vec<char>> {
    let mut open: Vec<char> = Vec::new();
    // Whether a `#` here begins a comment.
    let mut at_start = true;
    let mut bytes = src.iter().copied().peekable();
    let mut joined = false;
    while let Some(byte) = bytes.next() {
        joined = false;
        if open.last() == Some(&'"') {
            match byte {
                b'"' => {
                    open.pop();
                }
                b'\\' => joined = skip_escaped(&mut bytes) == Covered::End,
                b'$' => match bytes.peek() {
                    // A name in quotes.
                    Some(b'"') => {
                        bytes.next();
                        open.push('"');
                    }
                    Some(b'(') => {
                        bytes.next();
                        open.push('(');
                        at_start = false;
                    }
                    Some(b'[') => {
                        bytes.next();
                        open.push('[');
                        at_start = true;
                    }
                    _ => {}
                },
                _ => {}
            }
            continue;
        }
        let closes = match byte {
            b'}' => Some('{'),
            b')' => Some('('),
            b']' => Some('['),
            _ => None,
        };
        match byte {
            b'"' => open.push('"'),
            b'{' | b'(' | b'[' => open.push(char::from(byte)),
            b'\\' => {
                let covered = skip_escaped(&mut bytes);
                joined = covered == Covered::End;
                // A comment may begin the joined line.
                while covered == Covered::Line && bytes.next_if_eq(&b'#').is_some() {
                    while bytes.next_if(|byte| *byte != b'\n').is_some() {}
                    bytes.next();
                }
                // A joined line end is a blank; anything else behind a backslash is an error.
                continue;
            }
            b'#' if at_start => while bytes.next_if(|byte| *byte != b'\n').is_some() {},
            _ if closes.is_some() && open.pop() != closes => return None,
            _ => {}
        }
        let blank = matches!(byte, b' ' | b'\t' | b'\r');
        at_start = matches!(byte, b'\n' | b';' | b'{' | b'[') || (at_start && (blank || byte == b'#'));
    }
    if joined {
        open.push('\\');
    }
    if open.is_empty() { None } else { Some(open) }
}

/// What a backslash covers.
#[derive(PartialEq, Eq)]
enum Covered {
    /// The end of the text, right behind it or behind its line end.
    End,
    Line,
    Byte,
}

fn skip_escaped(bytes: &mut std::iter::Peekable<impl Iterator<Item = u8>>) -> Covered {
    // Alone it is a blank.
    if bytes.next_if_eq(&b'\r').is_some() && bytes.peek().is_some_and(|byte| *byte != b'\n') {
        return Covered::Byte;
    }
    match bytes.next() {
        None => Covered::End,
        Some(b'\n') => bytes.peek().map_or(Covered::End, |_| Covered::Line),
        Some(_) => Covered::Byte,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_what_is_open() {
        for (text, open) in [
            (":put 1", ""),
            ("{", "{"),
            (":if (1) do={", "{"),
            ("{:put (\\", "{(\\"),
            ("{:put (\\\n", "{(\\"),
            (":put \"a", "\""),
            (":put \"a $[:len (", "\"[("),
            (":put \"\\\"", "\""),
            (":put \"$\"a(\"b\"", ""),
            (":put \"a$\"", "\"\""),
            ("# {", ""),
            (":put {\n  # \"\n", "{"),
            (":put a\\", "\\"),
            (":put \\\n# {\n# (\na", ""),
            (":put \\\n # {", "{"),
            ("}", ""),
            ("{)", ""),
        ] {
            let found: String = incomplete(text.as_bytes()).unwrap_or_default().into_iter().collect();
            assert_eq!(found, open, "{text}");
        }
    }
}
