//! Operators on values.

use std::cmp::Ordering;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::rc::Rc;

use regex::bytes::RegexBuilder;
use routeros_script::ast::{BinaryOp, UnaryOp};

use super::array::Array;
use super::error::Error;
use super::value::Value;

/// The biggest compiled regular expression: scripts come from outside, and a router's memory is small too.
const REGEX_LIMIT: usize = 1 << 20;
/// The longest string that a script makes; a router would be out of memory long before.
const VALUE_LIMIT: usize = 16 << 20;

const SECOND: i64 = 1_000_000_000;

/// Whether a condition holds. Nothing and nil don't, numbers but 0 do; anything else is an error.
pub(super) fn truth(value: &Value) -> Result<bool, Error> {
    match value {
        Value::Nothing | Value::Nil => Ok(false),
        Value::Bool(value) => Ok(*value),
        Value::Num(number) => Ok(*number != 0),
        _ => Err(Error::new("conditional not boolean")),
    }
}

/// Whether a property is set, as in `where comment`.
pub(super) fn is_set(value: &Value) -> bool {
    match value {
        Value::Nothing | Value::Nil => false,
        Value::Str(text) => value.as_bool().unwrap_or(!text.is_empty()),
        Value::Array(array) => !array.is_empty(),
        other => other.as_bool().unwrap_or(true),
    }
}

pub(super) fn unary(op: UnaryOp, value: &Value) -> Result<Value, Error> {
    match (op, value) {
        (UnaryOp::Not, value) => truth(value).map(|value| Value::Bool(!value)),
        (UnaryOp::Neg, Value::Num(n)) => Ok(Value::Num(n.wrapping_neg())),
        (UnaryOp::Neg, Value::Time(t)) => Ok(Value::Time(t.wrapping_neg())),
        (UnaryOp::BitNot, Value::Ip(ip)) => Ok(Value::Ip((!u32::from(*ip)).into())),
        (UnaryOp::BitNot, Value::Ip6(ip)) => Ok(Value::Ip6((!ip.to_bits()).into())),
        (UnaryOp::Neg | UnaryOp::BitNot, value) => match (op, value.as_num()) {
            (UnaryOp::Neg, Some(n)) => Ok(Value::Num(n.wrapping_neg())),
            (_, Some(n)) => Ok(Value::Num(!n)),
            (_, None) => Err(Error::new(format!("cannot negate {}", value.long_type_name()))),
        },
        (UnaryOp::Quote, value) => Ok(value.clone()),
        (UnaryOp::Any, value) => Ok(Value::Bool(!value.is_none())),
    }
}

pub(super) fn binary(op: BinaryOp, left: &Value, right: &Value) -> Result<Value, Error> {
    use BinaryOp::*;
    match op {
        // Both sides have been evaluated: routers don't stop at the first one that decides.
        Or => Ok(Value::Bool(truth(left)? | truth(right)?)),
        And | Beside => Ok(Value::Bool(truth(left)? & truth(right)?)),
        Eq => Ok(Value::Bool(equal(left, right))),
        Ne => Ok(Value::Bool(!equal(left, right))),
        Less | Greater | LessEq | GreaterEq => compare(op, left, right),
        In => contained(left, right),
        Match => Ok(Value::Bool(matches(&left.text(), &right.text())?)),
        Concat => concat(left, right),
        Join => join(left, right),
        Element => Ok(match left {
            Value::Array(array) => array.get(right).cloned().unwrap_or_default(),
            _ => Value::Nothing,
        }),
        BitOr | BitXor | BitAnd | ShiftLeft | ShiftRight => bits(op, left, right),
        Add | Sub | Mul | Div | Mod => arithmetic(op, left, right),
        Activate => Ok(left.clone()),
    }
}

/// Two texts in one; an array's elements each with the other side (the manual shows it for a list on the right; that keys stay
/// and that the left side does the same is inferred).
fn concat(left: &Value, right: &Value) -> Result<Value, Error> {
    let (array, on_left) = match (left, right) {
        (Value::Array(array), _) => (array, true),
        (_, Value::Array(array)) => (array, false),
        _ => {
            let mut text = left.text();
            text.extend(right.text());
            sized(text.len())?;
            return Ok(Value::str(text));
        }
    };
    let mut joined = Array::default();
    for (key, element) in array.pairs() {
        let value = if on_left { concat(element, right)? } else { concat(left, element)? };
        match key {
            Value::Str(key) => joined.insert(key.to_vec(), value),
            _ => joined.push(value),
        }
        joined = joined.checked()?;
    }
    Ok(Value::Array(Rc::new(joined)))
}

pub(super) fn sized(len: usize) -> Result<(), Error> {
    if len > VALUE_LIMIT { Err(Error::limit("value too long")) } else { Ok(()) }
}

/// Equality: of the same type by value, of different types by text. A missing value equals an empty text.
pub(super) fn equal(left: &Value, right: &Value) -> bool {
    match (left, right) {
        (Value::Num(n), Value::Time(t)) | (Value::Time(t), Value::Num(n)) => n.checked_mul(SECOND) == Some(*t),
        (Value::Array(a), Value::Array(b)) => {
            a.len() == b.len() && a.pairs().zip(b.pairs()).all(|((k, v), (l, w))| equal(&k, &l) && equal(v, w))
        }
        (Value::Code(a), Value::Code(b)) => Rc::ptr_eq(a, b) || a == b,
        _ => left.text() == right.text(),
    }
}

fn order(left: &Value, right: &Value) -> Option<Ordering> {
    match (left, right) {
        (Value::Ip(a), Value::Ip(b)) => Some(a.cmp(b)),
        (Value::Ip6(a), Value::Ip6(b)) => Some(a.cmp(b)),
        (Value::Id(a), Value::Id(b)) => Some(a.cmp(b)),
        (Value::Bool(a), Value::Bool(b)) => Some(a.cmp(b)),
        (Value::Time(_), _) | (_, Value::Time(_)) => Some(left.as_time()?.cmp(&right.as_time()?)),
        (Value::Num(_), _) | (_, Value::Num(_)) => Some(left.as_num()?.cmp(&right.as_num()?)),
        _ => None,
    }
}

fn compare(op: BinaryOp, left: &Value, right: &Value) -> Result<Value, Error> {
    if left.is_none() || right.is_none() {
        return Ok(Value::Bool(false));
    }
    let Some(order) = order(left, right) else {
        let how = match op {
            BinaryOp::Less | BinaryOp::LessEq => "less",
            _ => "more",
        };
        let (left, right) = (left.long_type_name(), right.long_type_name());
        return Err(Error::new(format!("cannot compare if {left} is {how} than {right}")));
    };
    Ok(Value::Bool(match op {
        BinaryOp::Less => order.is_lt(),
        BinaryOp::Greater => order.is_gt(),
        BinaryOp::LessEq => order.is_le(),
        _ => order.is_ge(),
    }))
}

fn mask(len: u8) -> u32 {
    u32::MAX.checked_shl(32 - u32::from(len.min(32))).unwrap_or(0)
}

fn mask6(len: u8) -> u128 {
    u128::MAX.checked_shl(128 - u32::from(len.min(128))).unwrap_or(0)
}

fn contained(left: &Value, right: &Value) -> Result<Value, Error> {
    let inside = match (left, right) {
        (Value::Ip(ip), Value::IpPrefix(net, len)) => (u32::from(*ip) ^ u32::from(*net)) & mask(*len) == 0,
        (Value::IpPrefix(ip, longer), Value::IpPrefix(net, len)) => {
            longer >= len && (u32::from(*ip) ^ u32::from(*net)) & mask(*len) == 0
        }
        // The manual shows it of IPv4 only [verify].
        (Value::Ip6(ip), Value::Ip6Prefix(net, len)) => (ip.to_bits() ^ net.to_bits()) & mask6(*len) == 0,
        (Value::Ip6Prefix(ip, longer), Value::Ip6Prefix(net, len)) => {
            longer >= len && (ip.to_bits() ^ net.to_bits()) & mask6(*len) == 0
        }
        (value, Value::Array(array)) => array.values().any(|element| equal(value, element)),
        _ => {
            let (left, right) = (left.long_type_name(), right.long_type_name());
            return Err(Error::new(format!("cannot check if {left} is in {right}")));
        }
    };
    Ok(Value::Bool(inside))
}

/// Whether a regular expression is found in a text.
pub fn matches(text: &[u8], pattern: &[u8]) -> Result<bool, Error> {
    let invalid = || Error::new("invalid regular expression");
    // Bytes that are no UTF-8 are themselves, as everywhere.
    let mut readable = String::new();
    for chunk in pattern.utf8_chunks() {
        readable.push_str(chunk.valid());
        chunk.invalid().iter().for_each(|byte| readable.push_str(&format!("\\x{byte:02X}")));
    }
    let regex = RegexBuilder::new(&posix_brackets(&readable))
        .unicode(false)
        .size_limit(REGEX_LIMIT)
        .dfa_size_limit(REGEX_LIMIT)
        .build()
        .map_err(|_| invalid())?;
    Ok(regex.is_match(text))
}

/// The pattern with its `[...]` read as POSIX does: a backslash and a bracket there are themselves. Published scripts depend
/// on it.
fn posix_brackets(pattern: &str) -> String {
    let mut out = String::with_capacity(pattern.len());
    let mut rest = pattern.chars().peekable();
    while let Some(char) = rest.next() {
        out.push(char);
        match char {
            '\\' => out.extend(rest.next()),
            '[' => {
                out.extend(rest.next_if_eq(&'^'));
                // The first one closes nothing.
                if rest.next_if_eq(&']').is_some() {
                    out.push_str("\\]");
                }
                let mut before = ' ';
                while let Some(char) = rest.next() {
                    match char {
                        ']' => {
                            out.push(']');
                            break;
                        }
                        // `[:alpha:]`; of `[.x.]` and `[=x=]` nothing is known, and they are refused.
                        '[' if matches!(rest.peek(), Some(':' | '.' | '=')) => {
                            out.push('[');
                            for char in rest.by_ref() {
                                out.push(char);
                                if char == ']' {
                                    break;
                                }
                            }
                        }
                        '\\' | '[' | '&' | '~' => out.extend(['\\', char]),
                        '-' if before == '-' => out.push_str("\\-"),
                        other => out.push(other),
                    }
                    before = char;
                }
            }
            _ => {}
        }
    }
    out
}

fn join(left: &Value, right: &Value) -> Result<Value, Error> {
    let part = |value: &Value| match value {
        Value::Array(array) => (**array).clone(),
        Value::Nothing => Array::default(),
        other => [other.clone()].into_iter().collect(),
    };
    let mut all = part(left);
    all.extend(&part(right));
    Ok(Value::Array(Rc::new(all.checked()?)))
}

fn cannot(op: BinaryOp, left: &Value, right: &Value) -> Error {
    let (left, right) = (left.long_type_name(), right.long_type_name());
    Error::new(match op {
        BinaryOp::Add => format!("cannot add {right} to {left}"),
        BinaryOp::Sub => format!("cannot subtract {right} from {left}"),
        BinaryOp::Mul => format!("cannot multiply {left} by {right}"),
        BinaryOp::Div | BinaryOp::Mod => format!("cannot divide {left} by {right}"),
        _ => format!("cannot apply {} to {left} and {right}", op.symbol()),
    })
}

/// Bitwise operators. The manual knows them for addresses only, and no shifts for those of IPv6; numbers are taken too, as
/// working scripts need.
fn bits(op: BinaryOp, left: &Value, right: &Value) -> Result<Value, Error> {
    let on = |a: i64, b: i64| match op {
        BinaryOp::BitOr => a | b,
        BinaryOp::BitXor => a ^ b,
        BinaryOp::BitAnd => a & b,
        BinaryOp::ShiftLeft => u32::try_from(b).ok().and_then(|b| a.checked_shl(b)).unwrap_or(0),
        _ => u32::try_from(b).ok().and_then(|b| a.checked_shr(b)).unwrap_or(0),
    };
    match (left, right) {
        (Value::Ip6(a), Value::Ip6(b)) if !matches!(op, BinaryOp::ShiftLeft | BinaryOp::ShiftRight) => {
            let (a, b) = (a.to_bits(), b.to_bits());
            Ok(Value::Ip6(Ipv6Addr::from_bits(match op {
                BinaryOp::BitOr => a | b,
                BinaryOp::BitXor => a ^ b,
                _ => a & b,
            })))
        }
        (Value::Ip(a), Value::Ip(b)) => Ok(address(on(u32::from(*a).into(), u32::from(*b).into()))),
        (Value::Ip(a), b) => {
            b.as_num().map(|b| address(on(u32::from(*a).into(), b))).ok_or_else(|| cannot(op, left, right))
        }
        _ => match (left.as_num(), right.as_num()) {
            (Some(a), Some(b)) => Ok(Value::Num(on(a, b))),
            _ => Err(cannot(op, left, right)),
        },
    }
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
fn address(bits: i64) -> Value {
    // Addresses wrap around at 32 bits.
    Value::Ip(Ipv4Addr::from(bits as u32))
}

fn arithmetic(op: BinaryOp, left: &Value, right: &Value) -> Result<Value, Error> {
    use BinaryOp::{Add, Div, Mod, Mul, Sub};
    let error = || cannot(op, left, right);
    // What has no value counts as 0.
    let or_zero = |value: &Value| if value.is_none() { Value::Num(0) } else { value.clone() };
    let (left, right) = (&or_zero(left), &or_zero(right));
    if matches!(op, Div | Mod) && matches!(right.as_num().or(right.as_time()), Some(0)) {
        return Err(Error::new("divide by zero"));
    }
    match (op, left, right) {
        (Add | Sub, Value::Ip(a), b) => {
            let a = i64::from(u32::from(*a));
            match b {
                Value::Ip(b) if op == Sub => Ok(Value::Num(a - i64::from(u32::from(*b)))),
                b => {
                    let b = b.as_num().ok_or_else(error)?;
                    Ok(address(if op == Add { a.wrapping_add(b) } else { a.wrapping_sub(b) }))
                }
            }
        }
        (Add, _, Value::Ip(_) | Value::Ip6(_)) => arithmetic(op, right, left),
        // As of IPv4; nobody has shown it [verify].
        (Add | Sub, Value::Ip6(a), b) => {
            let b = i128::from(b.as_num().ok_or_else(error)?);
            let b = if op == Add { b } else { -b };
            Ok(Value::Ip6(Ipv6Addr::from_bits(a.to_bits().wrapping_add_signed(b))))
        }
        (Add | Sub, Value::Time(_), _) | (Add | Sub, _, Value::Time(_)) => {
            let (a, b) = (left.as_time().ok_or_else(error)?, right.as_time().ok_or_else(error)?);
            Ok(Value::Time(if op == Add { a.wrapping_add(b) } else { a.wrapping_sub(b) }))
        }
        (Div, Value::Time(a), Value::Time(b)) => Ok(Value::Num(a.wrapping_div(*b))),
        (Mod, Value::Time(a), Value::Time(b)) => Ok(Value::Time(a.wrapping_rem(*b))),
        (Mul, Value::Time(a), b) | (Mul, b, Value::Time(a)) => {
            b.as_num().map(|b| Value::Time(a.wrapping_mul(b))).ok_or_else(error)
        }
        (Div, Value::Time(a), b) => b.as_num().map(|b| Value::Time(a.wrapping_div(b))).ok_or_else(error),
        _ => match (left.as_num(), right.as_num()) {
            (Some(a), Some(b)) => Ok(Value::Num(match op {
                Add => a.wrapping_add(b),
                Sub => a.wrapping_sub(b),
                Mul => a.wrapping_mul(b),
                Div => a.wrapping_div(b),
                _ => a.wrapping_rem(b),
            })),
            _ => Err(error()),
        },
    }
}
