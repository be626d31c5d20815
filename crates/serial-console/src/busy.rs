//! The words with which console servers say that somebody else has the line.

/// Bytes of a connection's beginning in which the words are looked for: a server says them instead of data, then closes.
pub const LOOK: usize = 512;

/// Phrases, in lower case. ser2net's two were measured (routeros-console.md section 9.3); the others are what vendors'
/// manuals show, inferred.
pub const PHRASES: &[&str] = &[
    "port already in use",
    "port's device already in use",
    "already in use",
    "is being used",
    "port is busy",
    "port busy",
    "line is busy",
    "all ports busy",
];

/// The line that says so, if the beginning of a connection that was closed holds one.
pub fn said(beginning: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(beginning);
    let line = text.lines().find(|line| {
        let lower = line.to_ascii_lowercase();
        PHRASES.iter().any(|phrase| lower.contains(phrase))
    })?;
    // Words about options may stand in front of it: no letters but `,`, which is the number of COM-PORT.
    let words = line.rsplit(|c: char| !(c.is_ascii_graphic() || c == ' ')).find(|part| part.len() > 3)?;
    Some(words.trim_start_matches(|c: char| !c.is_ascii_alphanumeric()).trim().chars().take(120).collect())
}

#[cfg(test)]
mod tests {
    use super::said;

    #[test]
    fn what_ser2net_says() {
        assert_eq!(said(b"Port already in use\r\n").as_deref(), Some("Port already in use"));
        assert_eq!(
            said(b"\xff\xfb\x03Port's device already in use\r\n")
                .as_deref()
                .map(|text| text.contains("device already")),
            Some(true)
        );
        assert_eq!(said(b"MikroTik 7.18.2 (stable)\r\nMikroTik Login: "), None);
        let behind_options = b"\xff\xfd\x2c\xff\xfa\x2c\x6b\x00\xff\xf0\xff\xfd\x2cPort already in use\r\n";
        assert_eq!(said(behind_options).as_deref(), Some("Port already in use"));
        assert_eq!(said(b""), None);
    }
}
