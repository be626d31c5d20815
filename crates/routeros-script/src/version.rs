//! RouterOS version numbers.

use std::fmt;
use std::str::FromStr;

/// A RouterOS version: `6.44.6`, `7.18.2`. Orders by age.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Version {
    /// 6 or 7.
    pub major: u16,
    /// The number behind the first dot.
    pub minor: u16,
    /// The number behind the second dot, 0 if there is none.
    pub patch: u16,
}

impl Version {
    /// `major.minor.patch`.
    pub const fn new(major: u16, minor: u16, patch: u16) -> Self {
        Self { major, minor, patch }
    }

    /// Whether this is RouterOS 7 or newer.
    pub const fn is_v7(self) -> bool {
        self.major >= 7
    }

    /// Whether this is at least `major.minor`.
    pub fn at_least(self, major: u16, minor: u16) -> bool {
        (self.major, self.minor) >= (major, minor)
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)?;
        if self.patch != 0 { write!(f, ".{}", self.patch) } else { Ok(()) }
    }
}

/// A text that begins with no version number.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a RouterOS version: {0:?}")]
pub struct VersionError(pub String);

impl VersionError {
    /// The stable code of this error.
    pub fn code(&self) -> &'static str {
        "script.version.malformed"
    }
}

impl FromStr for Version {
    type Err = VersionError;

    /// Reads what routers print: `7.18.2`, `6.44.6 (long-term)`, `7.1beta6`, `7.19rc1`.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let error = || VersionError(text.to_owned());
        let number = text.trim().split(char::is_whitespace).next().unwrap_or_default();
        let mut parts = number.splitn(3, '.').map(|part| {
            let end = part.find(|c: char| !c.is_ascii_digit()).unwrap_or(part.len());
            part.get(..end).and_then(|digits| digits.parse::<u16>().ok())
        });
        let major = parts.next().flatten().ok_or_else(error)?;
        let minor = parts.next().flatten().ok_or_else(error)?;
        let patch = match parts.next() {
            None => 0,
            Some(part) => part.ok_or_else(error)?,
        };
        Ok(Self { major, minor, patch })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_routers_print() {
        for (text, version) in [
            ("7.18.2", Version::new(7, 18, 2)),
            ("6.44.6 (long-term)", Version::new(6, 44, 6)),
            ("7.1beta6", Version::new(7, 1, 0)),
            ("7.19rc1 (testing)", Version::new(7, 19, 0)),
            ("6.0", Version::new(6, 0, 0)),
        ] {
            assert_eq!(text.parse(), Ok(version), "{text}");
        }
        for text in ["", "7", "seven", "7.x", "7.1.", "99999.1"] {
            assert!(text.parse::<Version>().is_err(), "{text}");
        }
        assert!(Version::new(6, 49, 17) < Version::new(7, 1, 0));
    }
}
