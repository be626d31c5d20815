//! Values as `export` and the history write them.

/// A value that reads back as the same text: plain where that is safe, quoted where it is not.
pub fn quote_word(value: &str) -> String {
    let plain = !value.is_empty()
        && value.bytes().all(|b| {
            b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.' | b':' | b'/' | b',' | b'*' | b'!' | b'+')
        });
    if plain { value.to_owned() } else { routeros_script::quote::literal(value.as_bytes()) }
}

#[cfg(test)]
mod tests {
    use super::quote_word;

    #[test]
    fn only_what_needs_it_is_quoted() {
        assert_eq!(quote_word("10.0.0.0/8,ether1"), "10.0.0.0/8,ether1");
        assert_eq!(quote_word(""), "\"\"");
        assert_eq!(quote_word("a b$c"), "\"a b\\$c\"");
    }
}
