//! RouterOS versions, as `/system resource get version` writes them.

use std::fmt;
use std::ops::Deref;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A version that there is a simulated router of: 6.x or 7.x, ordered by its numbers, which are the language's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Version(routeros_script::Version);

impl Deref for Version {
    type Target = routeros_script::Version;

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

impl Version {
    /// `major.minor.patch`
    pub const fn new(major: u16, minor: u16, patch: u16) -> Self {
        Self(routeros_script::Version::new(major, minor, patch))
    }

    /// The release channel that RouterOS names in brackets after the number.
    pub const fn channel(self) -> &'static str {
        match (self.0.major, self.0.minor) {
            (6, 42..=44) | (6, 48) => "long-term",
            _ => "stable",
        }
    }

    /// As `/system resource get build-time` writes it. The days of single releases are not kept here: one for all
    /// of 6.x and one for all of 7.x.
    pub const fn build_time(self) -> &'static str {
        if self.0.is_v7() { "2025-02-26 12:31:05" } else { "Oct/28/2019 12:31:05" }
    }

    /// As `/system resource get version` says it, e.g. `6.44.6 (long-term)`.
    pub fn with_channel(self) -> String {
        format!("{self} ({})", self.channel())
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
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
        // A release's number alone: neither channel nor beta, which routers print behind it.
        let release = text.split('.').count() <= 3 && text.chars().all(|c| c.is_ascii_digit() || c == '.');
        match text.parse() {
            Ok(version @ routeros_script::Version { major: 6..=7, .. }) if release => Ok(Self(version)),
            _ => Err(bad()),
        }
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
