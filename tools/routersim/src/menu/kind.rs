//! What a property holds: how text is checked and brought into the one form in which it is stored.

use std::net::{IpAddr, Ipv4Addr};

use mactelnet::MacAddr;

use super::refused::Refused;
use super::time::{Calendar, format_duration, parse_duration};

/// The form of a property. Values are stored as text, in the canonical form that [`Kind::parse`] gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Any text.
    Str,
    /// A text that details show without quotes.
    Word,
    /// Whatever is given; a script sees switches and numbers as such. Of menus that are stored only.
    Any,
    /// A number of bytes, shown as `12.5KiB`.
    Bytes,
    /// A number that is shown with its unit: `1%`, `1200MHz`.
    Unit(&'static str),
    /// `yes` or `no`.
    Bool,
    /// A whole number in a range, both ends allowed.
    Num(i64, i64),
    /// A number or one of these words.
    NumOr(i64, i64, &'static [&'static str]),
    /// One of these words.
    Enum(&'static [&'static str]),
    /// A duration, stored as `1d2h3m4s`.
    Time,
    /// A duration or one of these words.
    TimeOr(&'static [&'static str]),
    /// An IPv4 address.
    Ip,
    /// An address, of IPv4 or of IPv6.
    Host,
    /// An IPv4 address with the length of its network's prefix; host bits stay.
    Cidr,
    /// An IPv4 network: host bits are cut, `/32` is written for one host only where it was.
    Net,
    /// An Ethernet address, in capitals and with colons.
    Mac,
    /// The name of an interface, or one of these words.
    Iface(&'static [&'static str]),
    /// The name of an item of that menu, or one of these words.
    Ref(&'static str, &'static [&'static str]),
    /// One of that kind, or `!` and one.
    Not(&'static Kind),
    /// Several, separated by commas; a leading comma is taken.
    List(&'static Kind),
    /// A date; stored as `2026-01-02`.
    Date,
    /// How far a clock is from UTC, shown as `+01:00`; a script sees seconds.
    Offset,
    /// An item id.
    Id,
}

/// What a [`Kind`] has to look up while it checks a value.
pub trait References {
    /// Whether there is an interface of that name.
    fn interface_exists(&self, name: &str) -> bool;
    /// Whether the menu has an item of that name.
    fn item_exists(&self, menu: &str, name: &str) -> bool;
    /// The name of the item that has an id (`*1A`) in a menu.
    fn name_of(&self, menu: &str, id: &str) -> Option<String>;
}

/// The name of what an argument refers to: itself, or the name of the item whose id it is, as `find` gives them.
fn referred(refs: &dyn References, menu: &str, text: &str) -> String {
    let named = if text.starts_with('*') { refs.name_of(menu, text) } else { None };
    named.unwrap_or_else(|| text.to_owned())
}

impl Kind {
    /// The canonical form of `text`, or the words in which RouterOS refuses it. `name` is the argument's.
    pub fn parse(self, name: &str, text: &str, refs: &dyn References) -> Result<String, Refused> {
        let invalid = || Refused::InvalidValue(name.to_owned());
        match self {
            Self::Str | Self::Word | Self::Offset | Self::Id => Ok(text.to_owned()),
            Self::Any => Ok(match text {
                "true" => "yes".to_owned(),
                "false" => "no".to_owned(),
                text => text.to_owned(),
            }),
            Self::Bytes | Self::Unit(_) => Self::Num(0, i64::MAX).parse(name, text, refs),
            Self::Bool => match text {
                "yes" | "true" => Ok("yes".to_owned()),
                "no" | "false" => Ok("no".to_owned()),
                _ => Err(Refused::NoMatch(name.to_owned())),
            },
            Self::Num(low, high) => {
                let number = parse_number(text).ok_or_else(invalid)?;
                if number < low || number > high {
                    return Err(Refused::OutOfRange(name.to_owned(), low, high));
                }
                Ok(number.to_string())
            }
            Self::NumOr(low, high, words) => {
                word(name, text, words).or_else(|_| Self::Num(low, high).parse(name, text, refs))
            }
            Self::Enum(words) => word(name, text, words),
            Self::Time => parse_duration(text).map(format_duration).ok_or_else(invalid),
            Self::TimeOr(words) => word(name, text, words).or_else(|_| Self::Time.parse(name, text, refs)),
            Self::Ip => text.parse::<Ipv4Addr>().map(|ip| ip.to_string()).map_err(|_| invalid()),
            Self::Host => text.parse::<IpAddr>().map(|ip| ip.to_string()).map_err(|_| invalid()),
            Self::Cidr => {
                let (ip, length) = parse_cidr(text).ok_or_else(invalid)?;
                Ok(format!("{ip}/{length}"))
            }
            Self::Net => {
                let (ip, length) = parse_cidr(text).ok_or_else(invalid)?;
                let network = Ipv4Addr::from(u32::from(ip) & mask(length));
                Ok(if text.contains('/') || length < 32 { format!("{network}/{length}") } else { network.to_string() })
            }
            Self::Mac => text
                .parse::<MacAddr>()
                .map(|mac| mac.to_string())
                .map_err(|_| Refused::Text(format!("invalid value of {name}, mac address required"))),
            Self::Iface(words) => {
                let named = referred(refs, "/interface", text);
                if words.contains(&text) || refs.interface_exists(&named) {
                    Ok(named)
                } else {
                    Err(Refused::NoMatch(name.to_owned()))
                }
            }
            Self::Ref(menu, words) => {
                let named = referred(refs, menu, text);
                if words.contains(&text) || refs.item_exists(menu, &named) {
                    Ok(named)
                } else {
                    Err(Refused::NoMatch(name.to_owned()))
                }
            }
            Self::Not(inner) => match text.strip_prefix('!') {
                Some(rest) => Ok(format!("!{}", inner.parse(name, rest, refs)?)),
                None => inner.parse(name, text, refs),
            },
            Self::List(inner) => {
                let parts = text.split([',', ';']).filter(|part| !part.is_empty());
                let parts: Result<Vec<_>, _> = parts.map(|part| inner.parse(name, part, refs)).collect();
                Ok(parts?.join(","))
            }
            Self::Date => Calendar::parse_date(text).map(|day| day.date(true)).ok_or_else(invalid),
        }
    }

    /// Whether tables show its values at the right.
    pub fn is_number(self) -> bool {
        matches!(self, Self::Num(..) | Self::NumOr(..) | Self::Bytes | Self::Unit(_))
    }

    /// Whether a stored value holds names of items of that menu; `interfaces`: the menu is one of interfaces.
    pub fn refers_to(self, path: &str, interfaces: bool) -> bool {
        match self {
            Self::Iface(_) => interfaces,
            Self::Ref(menu, _) => menu == path,
            Self::List(inner) | Self::Not(inner) => inner.refers_to(path, interfaces),
            _ => false,
        }
    }
}

/// A word of a fixed set; RouterOS takes its unique beginnings too.
fn word(name: &str, text: &str, words: &[&'static str]) -> Result<String, Refused> {
    if let Some(word) = words.iter().find(|word| **word == text) {
        return Ok((*word).to_owned());
    }
    let mut matching = words.iter().filter(|word| !text.is_empty() && word.starts_with(text));
    match (matching.next(), matching.next()) {
        (Some(word), None) => Ok((*word).to_owned()),
        (Some(_), Some(_)) => Err(Refused::Ambiguous(name.to_owned())),
        _ => Err(Refused::NoMatch(name.to_owned())),
    }
}

/// Decimal or `0x` number.
pub fn parse_number(text: &str) -> Option<i64> {
    let (negative, digits) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
    let value = match digits.strip_prefix("0x") {
        Some(hex) if hex.bytes().all(|b| b.is_ascii_hexdigit()) => i64::from_str_radix(hex, 16).ok()?,
        None if digits.bytes().all(|b| b.is_ascii_digit()) => digits.parse().ok()?,
        _ => return None,
    };
    Some(if negative { -value } else { value })
}

/// `10.0.0.1/24`; without a length, 32.
pub fn parse_cidr(text: &str) -> Option<(Ipv4Addr, u8)> {
    let (ip, length) = text.split_once('/').unwrap_or((text, "32"));
    let ip = ip.parse().ok()?;
    let length = match length.parse::<u8>() {
        Ok(length) if length <= 32 => length,
        Ok(_) => return None,
        Err(_) => prefix_of_netmask(length.parse().ok()?)?,
    };
    Some((ip, length))
}

/// 255.255.255.0 is 24; a mask with holes is none.
pub fn prefix_of_netmask(netmask: Ipv4Addr) -> Option<u8> {
    let bits = u32::from(netmask);
    let length = u8::try_from(bits.leading_ones()).ok()?;
    (bits == mask(length)).then_some(length)
}

/// The bits that count in a prefix of that length.
pub fn mask(length: u8) -> u32 {
    u32::MAX.checked_shl(32 - u32::from(length.min(32))).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Two;

    impl References for Two {
        fn interface_exists(&self, name: &str) -> bool {
            name == "ether1"
        }

        fn item_exists(&self, menu: &str, name: &str) -> bool {
            menu == "/user/group" && name == "full"
        }

        fn name_of(&self, menu: &str, id: &str) -> Option<String> {
            (menu == "/interface" && id == "*1").then(|| "ether1".to_owned())
        }
    }

    fn parse(kind: Kind, text: &str) -> Result<String, String> {
        kind.parse("p", text, &Two).map_err(|error| error.to_string())
    }

    #[test]
    fn values_take_their_canonical_form() {
        assert_eq!(parse(Kind::Bool, "true").as_deref(), Ok("yes"));
        assert_eq!(parse(Kind::Cidr, "10.1.2.3/255.255.255.0").as_deref(), Ok("10.1.2.3/24"));
        assert_eq!(parse(Kind::Net, "10.1.2.3/24").as_deref(), Ok("10.1.2.0/24"));
        assert_eq!(parse(Kind::List(&Kind::Net), ",10.0.0.0/8,1.1.1.1").as_deref(), Ok("10.0.0.0/8,1.1.1.1"));
        assert_eq!(parse(Kind::Mac, "74:4d:28:0:0:b").as_deref(), Ok("74:4D:28:00:00:0B"));
        assert_eq!(parse(Kind::Enum(&["accept", "drop"]), "acc").as_deref(), Ok("accept"));
        assert_eq!(parse(Kind::TimeOr(&["startup"]), "startup").as_deref(), Ok("startup"));
        assert_eq!(parse(Kind::Time, "00:10:00").as_deref(), Ok("10m"));
        assert_eq!(parse(Kind::Iface(&["all"]), "ether1").as_deref(), Ok("ether1"));
        assert_eq!(parse(Kind::Iface(&["all"]), "*1").as_deref(), Ok("ether1"));
        assert_eq!(parse(Kind::List(&Kind::Iface(&[])), "*1").as_deref(), Ok("ether1"));
        assert_eq!(parse(Kind::Iface(&[]), "*2").unwrap_err(), "input does not match any value of p");
        assert_eq!(parse(Kind::Ref("/user/group", &[]), "full").as_deref(), Ok("full"));
    }

    #[test]
    fn refusals_use_routeros_words() {
        let err = |kind, text| parse(kind, text).unwrap_err();
        assert_eq!(err(Kind::Ip, "10.0.0"), "invalid value for argument p");
        assert_eq!(err(Kind::Iface(&[]), "ether9"), "input does not match any value of p");
        assert_eq!(err(Kind::Num(1, 255), "0"), "value of p out of range (1..255)");
        assert_eq!(
            err(Kind::Enum(&["drop", "dropx2"]), "dro"),
            "ambiguous value of p, more than one possible value matches input"
        );
        assert_eq!(err(Kind::Cidr, "1.2.3.4/255.0.255.0"), "invalid value for argument p");
    }
}
