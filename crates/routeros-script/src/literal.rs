//! What an unquoted value reads as: a number, a time, an address, or plain text.

use std::net::{Ipv4Addr, Ipv6Addr};

/// An unquoted value with its type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Literal {
    /// Anything else: its text.
    Str(String),
    /// `yes`, `no`, `true`, `false`.
    Bool(bool),
    /// `10`, `-3`, `0x1F`.
    Num(i64),
    /// `10m`, `1d02:03:04.5`, in nanoseconds.
    Time(i64),
    /// `10.1.2.3`; also `10.1`, which is `10.0.0.1`.
    Ip(Ipv4Addr),
    /// `10.1.2.0/24`.
    IpPrefix(Ipv4Addr, u8),
    /// `fe80::1`.
    Ip6(Ipv6Addr),
    /// `fe80::/64`.
    Ip6Prefix(Ipv6Addr, u8),
    /// `*1F`.
    Id(u64),
    /// `a,b,c`.
    List(Vec<Literal>),
}

impl Literal {
    /// The type of `text` as an unquoted value of a command.
    pub fn of(text: &str) -> Self {
        if text.contains(',') {
            return Self::List(text.split(',').map(Self::single).collect());
        }
        Self::single(text)
    }

    /// As [`Literal::of`], for a text that is no list.
    pub fn single(text: &str) -> Self {
        match text {
            "yes" | "true" => return Self::Bool(true),
            "no" | "false" => return Self::Bool(false),
            _ => {}
        }
        // Addresses before times: `10:20` is a time, `::10:20` is not.
        None.or_else(|| number(text).or_else(|| clamped(text)).map(Self::Num))
            .or_else(|| ip(text).map(Self::Ip))
            .or_else(|| prefix(text, ip, 32).map(|(ip, len)| Self::IpPrefix(ip, len)))
            .or_else(|| text.strip_prefix('*').and_then(hex).map(Self::Id))
            .or_else(|| time(text).or_else(|| decimal_seconds(text)).map(Self::Time))
            .or_else(|| ip6(text).map(Self::Ip6))
            .or_else(|| prefix(text, ip6, 128).map(|(ip, len)| Self::Ip6Prefix(ip, len)))
            .unwrap_or_else(|| Self::Str(text.to_owned()))
    }
}

impl std::fmt::Display for Literal {
    /// As scripts print it.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Str(text) => f.write_str(text),
            Self::Bool(value) => write!(f, "{value}"),
            Self::Num(value) => write!(f, "{value}"),
            Self::Time(value) => f.write_str(&time_text(*value)),
            Self::Ip(ip) => write!(f, "{ip}"),
            Self::IpPrefix(ip, length) => write!(f, "{ip}/{length}"),
            Self::Ip6(ip) => write!(f, "{ip}"),
            Self::Ip6Prefix(ip, length) => {
                let mask = u128::MAX.checked_shl(u32::from(128 - length.min(&128))).unwrap_or(0);
                write!(f, "{}/{length}", Ipv6Addr::from_bits(ip.to_bits() & mask))
            }
            Self::Id(id) => write!(f, "*{id:X}"),
            Self::List(items) => {
                for (at, item) in items.iter().enumerate() {
                    write!(f, "{}{item}", if at == 0 { "" } else { ";" })?;
                }
                Ok(())
            }
        }
    }
}

fn digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn hex(text: &str) -> Option<u64> {
    let valid = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    if valid { u64::from_str_radix(text, 16).ok() } else { None }
}

/// A decimal or `0x` number of 64 bits; `None` if it doesn't fit.
pub fn number(text: &str) -> Option<i64> {
    let (sign, rest) = text.strip_prefix('-').map_or((1, text), |rest| (-1, rest));
    if let Some(rest) = rest.strip_prefix("0x") {
        return hex(rest).and_then(|value| i64::try_from(value).ok()).map(|value| sign * value);
    }
    if digits(rest) { text.parse().ok() } else { None }
}

/// A decimal number that doesn't fit into 64 bits reads as the largest that does.
fn clamped(text: &str) -> Option<i64> {
    let rest = text.strip_prefix('-').unwrap_or(text);
    if digits(rest) { Some(if rest.len() < text.len() { -i64::MAX } else { i64::MAX }) } else { None }
}

/// Seconds with a fraction that are no address: `256.1`, `.5`; in nanoseconds.
pub fn decimal_seconds(text: &str) -> Option<i64> {
    let (whole, fraction) = text.split_once('.')?;
    if whole.is_empty() {
        time(text)
    } else if digits(whole) && digits(fraction) {
        scaled(text, SECOND)
    } else {
        None
    }
}

/// An IPv4 address of two to four numbers; missing ones are zeros before the last.
pub fn ip(text: &str) -> Option<Ipv4Addr> {
    let mut octets = [0_u8; 4];
    let parts: Vec<&str> = text.split('.').take(5).collect();
    let [head @ .., last] = parts.as_slice() else { return None };
    if head.is_empty() || head.len() > 3 || !parts.iter().all(|part| digits(part) && part.len() <= 3) {
        return None;
    }
    for (octet, part) in octets.iter_mut().zip(head) {
        *octet = part.parse().ok()?;
    }
    octets[3] = last.parse().ok()?;
    Some(octets.into())
}

fn ip6(text: &str) -> Option<Ipv6Addr> {
    if text.contains(':') { text.parse().ok() } else { None }
}

fn prefix<A>(text: &str, address: fn(&str) -> Option<A>, max: u8) -> Option<(A, u8)> {
    let (head, len) = text.split_once('/')?;
    let len: u8 = if digits(len) { len.parse().ok()? } else { return None };
    if len <= max { Some((address(head)?, len)) } else { None }
}

const SECOND: i64 = 1_000_000_000;
/// The units of a time, longest name first so that `ms` is not read as `m`.
const UNITS: [(&str, i64); 8] = [
    ("ms", SECOND / 1000),
    ("us", 1000),
    ("ns", 1),
    ("w", 7 * 86_400 * SECOND),
    ("d", 86_400 * SECOND),
    ("h", 3600 * SECOND),
    ("m", 60 * SECOND),
    ("s", SECOND),
];

/// A time in nanoseconds: `1w2d3h4m5s6ms`, `02:03:04.5`, `1d02:03`, `1.5s`, `.5`. A number alone is none.
pub fn time(text: &str) -> Option<i64> {
    let (sign, mut rest) = text.strip_prefix('-').map_or((1, text), |rest| (-1, rest));
    if let Some(fraction) = rest.strip_prefix('.') {
        return if digits(fraction) { scaled(&format!("0.{fraction}"), sign * SECOND) } else { None };
    }
    if !rest.starts_with(|c: char| c.is_ascii_digit()) {
        return None;
    }
    let mut total = 0_i64;
    while !rest.is_empty() {
        let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let (number, behind) = rest.split_at(end);
        if behind.starts_with(':') {
            total = total.checked_add(clock(rest)?)?;
            break;
        }
        let (name, unit) = UNITS.iter().find(|(name, _)| behind.starts_with(name))?;
        total = total.checked_add(scaled(number, *unit)?)?;
        rest = behind.strip_prefix(name)?;
    }
    Some(sign * total)
}

/// `HH:MM` or `HH:MM:SS[.fraction]`.
fn clock(text: &str) -> Option<i64> {
    let parts: Vec<&str> = text.split(':').take(4).collect();
    let (hours, minutes, seconds) = match parts.as_slice() {
        [hours, minutes] => (hours, minutes, "0"),
        [hours, minutes, seconds] => (hours, minutes, *seconds),
        _ => return None,
    };
    if !digits(hours) || !digits(minutes) || minutes.len() > 2 {
        return None;
    }
    let hours = scaled(hours, 3600 * SECOND)?;
    let minutes = scaled(minutes, 60 * SECOND)?;
    hours.checked_add(minutes)?.checked_add(scaled(seconds, SECOND)?)
}

/// `number` (with an optional fraction) times `unit`.
fn scaled(number: &str, unit: i64) -> Option<i64> {
    let (whole, fraction) = number.split_once('.').unwrap_or((number, "0"));
    if !digits(whole) || !digits(fraction) || fraction.len() > 9 {
        return None;
    }
    let whole = whole.parse::<i64>().ok()?.checked_mul(unit)?;
    let divisor = 10_i128.pow(u32::try_from(fraction.len()).ok()?);
    let part = fraction.parse::<i128>().ok()? * i128::from(unit) / divisor;
    whole.checked_add(i64::try_from(part).ok()?)
}

/// A time as scripts print it: `00:10:00`, `1w2d03:04:05.200`.
pub fn time_text(nanoseconds: i64) -> String {
    let rest = nanoseconds.unsigned_abs();
    let seconds = rest / SECOND.unsigned_abs();
    let (weeks, days) = (seconds / 604_800, seconds / 86_400 % 7);
    let mut text = String::from(if nanoseconds < 0 { "-" } else { "" });
    for (count, unit) in [(weeks, 'w'), (days, 'd')] {
        if count > 0 {
            text.push_str(&format!("{count}{unit}"));
        }
    }
    text.push_str(&format!("{:02}:{:02}:{:02}", seconds / 3600 % 24, seconds / 60 % 60, seconds % 60));
    let fraction = rest % SECOND.unsigned_abs();
    if fraction > 0 {
        let digits = format!("{fraction:09}");
        // Three digits at a time: `.200`, `.000500`.
        let keep = if fraction.is_multiple_of(1_000_000) {
            3
        } else if fraction.is_multiple_of(1000) {
            6
        } else {
            9
        };
        text.push('.');
        text.push_str(digits.get(..keep).unwrap_or(&digits));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    const S: i64 = SECOND;

    #[test]
    fn unquoted_values_have_types() {
        let str = |text: &str| Literal::Str(text.to_owned());
        for (text, literal) in [
            ("10", Literal::Num(10)),
            ("-3", Literal::Num(-3)),
            ("0x1F", Literal::Num(31)),
            ("9223372036854775808", Literal::Num(i64::MAX)),
            ("256.1", Literal::Time(256 * S + S / 10)),
            ("yes", Literal::Bool(true)),
            ("10m", Literal::Time(600 * S)),
            ("1d02:03:04.5", Literal::Time((86_400 + 2 * 3600 + 184) * S + S / 2)),
            ("00:10:00", Literal::Time(600 * S)),
            ("1h30m", Literal::Time(5400 * S)),
            ("200ms", Literal::Time(S / 5)),
            ("10.1", Literal::Ip(Ipv4Addr::new(10, 0, 0, 1))),
            ("10.1.2.3", Literal::Ip(Ipv4Addr::new(10, 1, 2, 3))),
            ("2.2/24", Literal::IpPrefix(Ipv4Addr::new(2, 0, 0, 2), 24)),
            ("1.2.3.4/33", str("1.2.3.4/33")),
            ("1.2.3.4.5", str("1.2.3.4.5")),
            ("*1F", Literal::Id(31)),
            ("fe80::1", Literal::Ip6(Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 1))),
            ("74:4D:28:00:00:0A", str("74:4D:28:00:00:0A")),
            ("ether8", str("ether8")),
            ("Jan/01/1970", str("Jan/01/1970")),
            (".05", Literal::Time(S / 20)),
            (".", str(".")),
            ("a,1", Literal::List(vec![str("a"), Literal::Num(1)])),
            ("m", str("m")),
            ("5mx", str("5mx")),
        ] {
            assert_eq!(Literal::of(text), literal, "{text}");
        }
    }

    #[test]
    fn times_print_as_scripts_print_them() {
        for (text, printed) in [
            ("200ms", "00:00:00.200"),
            ("10m", "00:10:00"),
            ("9d3h4m5s", "1w2d03:04:05"),
            ("500us", "00:00:00.000500"),
            ("1d", "1d00:00:00"),
        ] {
            assert_eq!(time(text).map(time_text).as_deref(), Some(printed));
        }
    }
}
