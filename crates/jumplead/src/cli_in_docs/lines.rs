//! Command lines in a document; tests that run them take them from here, too.

/// Words of a command line, quotes taken off; a comment behind it is left out.
pub fn words(line: &str) -> Vec<String> {
    let (mut words, mut word, mut quote, mut begun) = (Vec::new(), String::new(), None, false);
    for c in line.chars() {
        match (quote, c) {
            (Some(open), c) if c == open => quote = None,
            (None, '"' | '\'') => (quote, begun) = (Some(c), true),
            (None, '#') if word.is_empty() => break,
            (None, ' ') => {
                if begun {
                    words.push(std::mem::take(&mut word));
                }
                begun = false;
            }
            (_, c) => {
                word.push(c);
                begun = true;
            }
        }
    }
    if begun {
        words.push(word);
    }
    words
}

/// Command lines in a document: behind a shell's prompt, and in the running text.
pub fn commands(text: &str) -> Vec<&str> {
    let mut found = Vec::new();
    for line in text.lines() {
        if let Some(command) = line.strip_prefix("$ ") {
            found.extend(command.starts_with("jumplead ").then_some(command));
        } else {
            found.extend(line.split('`').skip(1).step_by(2).filter(|span| span.starts_with("jumplead ")));
        }
    }
    found
}
