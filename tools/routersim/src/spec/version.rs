//! RouterOS versions, as `/system resource get version` writes them.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A RouterOS version, ordered by its numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Version {
    /// 6 or 7.
    pub major: u16,
    /// The second number.
    pub minor: u16,
    /// The third number, zero when not written (`7.24`).
    pub patch: u16,
}

impl Version {
    /// `major.minor.patch`
    pub const fn new(major: u16, minor: u16, patch: u16) -> Self {
        Self { major, minor, patch }
    }

    /// Whether this is RouterOS 7 or later.
    pub const fn is_v7(self) -> bool {
        self.major >= 7
    }

    /// Whether this is at least `major.minor` (any patch).
    pub const fn at_least(self, major: u16, minor: u16) -> bool {
        self.major > major || (self.major == major && self.minor >= minor)
    }

    /// The release channel that RouterOS names in brackets after the number.
    pub const fn channel(self) -> &'static str {
        match (self.major, self.minor) {
            (6, 42..=44) | (6, 48) => "long-term",
            _ => "stable",
        }
    }

    /// As `/system resource get build-time` writes it. The days of single releases are not kept here: one for all
    /// of 6.x and one for all of 7.x.
    pub const fn build_time(self) -> &'static str {
        if self.is_v7() { "2025-02-26 12:31:05" } else { "Oct/28/2019 12:31:05" }
    }

    /// As `/system resource get version` says it, e.g. `6.44.6 (long-term)`.
    pub fn with_channel(self) -> String {
        format!("{self} ({})", self.channel())
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
#[error("`{0}` is not a RouterOS version (as in 7.18.2)")]
pub struct ParseVersionError(String);

impl FromStr for Version {
    type Err = ParseVersionError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let bad = || ParseVersionError(text.chars().take(32).collect());
        let mut parts = text.split('.').map(|part| part.parse::<u16>().map_err(|_| bad()));
        let major = parts.next().ok_or_else(bad)??;
        let minor = parts.next().ok_or_else(bad)??;
        let patch = parts.next().transpose()?.unwrap_or(0);
        if parts.next().is_some() || !(6..=7).contains(&major) {
            return Err(bad());
        }
        Ok(Self { major, minor, patch })
    }
}

impl TryFrom<String> for Version {
    type Error = ParseVersionError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<Version> for String {
    fn from(version: Version) -> Self {
        version.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_compare_by_number() {
        let v = |text: &str| text.parse::<Version>().unwrap();
        assert!(v("6.44.6") < v("6.45") && v("6.49.19") < v("7.1") && v("7.9") < v("7.18.2"));
        assert_eq!(v("6.44.6").with_channel(), "6.44.6 (long-term)");
        assert_eq!(v("7.18.2").with_channel(), "7.18.2 (stable)");
        for bad in ["", "7", "7.x", "5.26", "7.1.2.3", "8.0"] {
            assert!(bad.parse::<Version>().is_err(), "{bad}");
        }
    }
}
