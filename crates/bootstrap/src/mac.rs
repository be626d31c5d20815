//! Hardware addresses, as RouterOS writes them.

use std::fmt;
use std::str::FromStr;

/// An Ethernet address; written `74:4D:28:00:00:0B`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Mac(pub [u8; 6]);

impl Mac {
    /// Usable as the address of a port: neither zero nor a group's.
    pub fn is_station(self) -> bool {
        self.0 != [0; 6] && self.0[0] & 1 == 0
    }
}

impl fmt::Display for Mac {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d, e, g] = self.0;
        write!(f, "{a:02X}:{b:02X}:{c:02X}:{d:02X}:{e:02X}:{g:02X}")
    }
}

impl fmt::Debug for Mac {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Text that is no hardware address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no MAC address; write it as 74:4D:28:00:00:0B")]
pub struct ParseMacError(String);

impl FromStr for Mac {
    type Err = ParseMacError;

    /// Six pairs of hex digits with `:` or `-` between them, in either case.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let bad = || ParseMacError(text.chars().take(40).collect());
        let mut bytes = [0; 6];
        let mut parts = text.split([':', '-']);
        for byte in &mut bytes {
            let part = parts.next().ok_or_else(bad)?;
            if part.len() != 2 || !part.bytes().all(|b| b.is_ascii_hexdigit()) {
                return Err(bad());
            }
            *byte = u8::from_str_radix(part, 16).map_err(|_| bad())?;
        }
        if parts.next().is_some() { Err(bad()) } else { Ok(Self(bytes)) }
    }
}

impl serde::Serialize for Mac {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> serde::Deserialize<'de> for Mac {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_forms() {
        let mac: Mac = "74:4d:28:00:00:0b".parse().unwrap();
        assert_eq!(mac.to_string(), "74:4D:28:00:00:0B");
        assert_eq!("74-4D-28-00-00-0B".parse::<Mac>().unwrap(), mac);
        for bad in ["", "74:4D:28:00:00", "74:4D:28:00:00:0B:01", "7:44:D2:80:00:00B", "+4:4D:28:00:00:0B"] {
            assert!(bad.parse::<Mac>().is_err(), "{bad}");
        }
        assert!(mac.is_station());
        assert!(!"01:00:5E:00:00:01".parse::<Mac>().unwrap().is_station());
    }
}
