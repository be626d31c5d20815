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
                b'\\' => joined = skip_escaped(&mut bytes),
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
                joined = skip_escaped(&mut bytes);
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

/// Skips what a backslash covers; whether the text ends right behind it.
fn skip_escaped(bytes: &mut std::iter::Peekable<impl Iterator<Item = u8>>) -> bool {
    // Alone it is a blank.
    if bytes.next_if(|byte| *byte == b'\r').is_some() && bytes.peek().is_some_and(|byte| *byte != b'\n') {
        return false;
    }
    match bytes.next() {
        None => true,
        Some(b'\n') => bytes.peek().is_none(),
        Some(_) => false,
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
            ("}", ""),
            ("{)", ""),
        ] {
            let found: String = incomplete(text.as_bytes()).unwrap_or_default().into_iter().collect();
            assert_eq!(found, open, "{text}");
        }
    }
}
