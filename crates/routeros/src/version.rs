//! RouterOS versions, as `/system resource get version` writes them.

use std::fmt;
use std::str::FromStr;

/// `7.18.2 (stable)`: major, minor, patch; betas and candidates count as the release that they lead to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Version {
    /// 6 or 7.
    pub major: u16,
    /// The number after the first dot.
    pub minor: u16,
    /// The number after the second dot, 0 where there is none.
    pub patch: u16,
}

impl Version {
    /// A version by its numbers.
    pub const fn new(major: u16, minor: u16, patch: u16) -> Self {
        Self { major, minor, patch }
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)?;
        if self.patch != 0 {
            write!(f, ".{}", self.patch)?;
        }
        Ok(())
    }
}

/// Text that is no RouterOS version.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no RouterOS version")]
pub struct ParseVersionError(String);

impl FromStr for Version {
    type Err = ParseVersionError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let bad = || ParseVersionError(text.chars().take(64).collect());
        let word = text.split_whitespace().next().ok_or_else(bad)?;
        let mut numbers = word.split('.').map(|part| {
            let digits: String = part.chars().take_while(char::is_ascii_digit).collect();
            digits.parse::<u16>().map_err(|_| bad())
        });
        let major = numbers.next().ok_or_else(bad)??;
        let minor = numbers.next().ok_or_else(bad)??;
        let patch = numbers.next().transpose()?.unwrap_or(0);
        Ok(Self { major, minor, patch })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_as_routers_write_them() {
        for (text, version) in [
            ("7.18.2 (stable)", Version::new(7, 18, 2)),
            ("6.44.6 (long-term)", Version::new(6, 44, 6)),
            ("7.1rc7 (development)", Version::new(7, 1, 0)),
            ("7.9", Version::new(7, 9, 0)),
        ] {
            assert_eq!(text.parse::<Version>().unwrap(), version);
        }
        for bad in ["", "seven", "7", "7.", "99999999.1"] {
            assert!(bad.parse::<Version>().is_err(), "{bad}");
        }
        assert!(Version::new(7, 9, 0) < Version::new(7, 13, 0));
    }
}
