//! The words with which console servers say why there is no line: somebody else has it, or they can't open it themselves.

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

/// Phrases of a server whose own port is not there, in lower case: ser2net 4's, measured with an adapter that is not plugged
/// in and with a lock file that another ser2net left behind empty.
pub const NO_DEVICE: &[&str] = &["device open failure"];

/// Why a server has no line to give.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Said {
    /// Somebody else has it.
    InUse(String),
    /// The server can't open it.
    NoDevice(String),
}

/// The line that says so, if the beginning of a connection that was closed holds one.
pub fn said(beginning: &[u8]) -> Option<Said> {
    let words = |phrases| line_with(beginning, phrases);
    words(NO_DEVICE).map(Said::NoDevice).or_else(|| words(PHRASES).map(Said::InUse))
}

fn line_with(beginning: &[u8], phrases: &[&str]) -> Option<String> {
    let text = String::from_utf8_lossy(beginning);
    let line = text.lines().find(|line| {
        let lower = line.to_ascii_lowercase();
        phrases.iter().any(|phrase| lower.contains(phrase))
    })?;
    // Words about options may stand in front of it: no letters but `,`, which is the number of COM-PORT.
    let words = line.rsplit(|c: char| !(c.is_ascii_graphic() || c == ' ')).find(|part| part.len() > 3)?;
    Some(words.trim_start_matches(|c: char| !c.is_ascii_alphanumeric()).trim().chars().take(120).collect())
}

#[cfg(test)]
mod tests {
    use super::{Said, said};

    #[test]
    fn what_ser2net_says() {
        let in_use = Some(Said::InUse("Port already in use".into()));
        assert_eq!(said(b"Port already in use\r\n"), in_use);
        let device = said(b"\xff\xfb\x03Port's device already in use\r\n");
        assert!(matches!(&device, Some(Said::InUse(text)) if text.contains("device already")), "{device:?}");
        assert_eq!(said(b"MikroTik 7.18.2 (stable)\r\nMikroTik Login: "), None);
        let behind_options = b"\xff\xfd\x2c\xff\xfa\x2c\x6b\x00\xff\xf0\xff\xfd\x2cPort already in use\r\n";
        assert_eq!(said(behind_options), in_use);
        let failure = "Device open failure: Value or file not found";
        assert_eq!(said(format!("{failure}\r\n").as_bytes()), Some(Said::NoDevice(failure.into())));
        assert_eq!(said(b""), None);
    }
}
