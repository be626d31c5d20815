//! Between stored text and the values of scripts.

use std::net::IpAddr;

use super::def::Menu;
use super::kind::{Kind, parse_cidr};
use super::row::Row;
use super::time::parse_duration;
use crate::raw;
use crate::script::{Arg, Value};
use crate::system::System;

/// Stored text as a string of scripts.
fn string(text: &str) -> Value {
    Value::str(raw::bytes(text))
}

/// A stored value as a script sees it.
pub fn value_of(kind: Kind, text: &str) -> Value {
    match kind {
        Kind::Bool => Value::Bool(text == "yes"),
        Kind::Any if matches!(text, "yes" | "no") => Value::Bool(text == "yes"),
        Kind::Any => text.parse().map_or_else(|_| string(text), Value::Num),
        Kind::Num(..) | Kind::NumOr(..) | Kind::Bytes | Kind::Unit(_) => {
            text.parse().map_or_else(|_| string(text), Value::Num)
        }
        Kind::Time | Kind::TimeOr(_) => parse_duration(text).map_or_else(|| string(text), Value::time),
        Kind::Ip => text.parse().map_or_else(|_| string(text), Value::Ip),
        Kind::Host => match text.parse::<IpAddr>() {
            Ok(IpAddr::V4(ip)) => Value::Ip(ip),
            Ok(IpAddr::V6(ip)) => Value::Ip6(ip),
            Err(_) => string(text),
        },
        Kind::Str => string(text),
        // `/ip address get address` is a text with the host's bits.
        Kind::Cidr | Kind::Word | Kind::Enum(_) | Kind::Mac | Kind::Iface(_) | Kind::Ref(..) | Kind::Date => {
            string(text)
        }
        Kind::Offset => offset(text).map_or_else(|| string(text), Value::Num),
        Kind::Net => match parse_cidr(text) {
            Some((ip, length)) if text.contains('/') => Value::IpPrefix(ip, length),
            Some((ip, _)) => Value::Ip(ip),
            None => string(text),
        },
        Kind::List(Kind::Net) => Value::list(text.split(',').filter(|part| !part.is_empty()).map(|part| {
            // A host in a list of networks is a prefix too.
            parse_cidr(part).map_or_else(|| string(part), |(ip, length)| Value::IpPrefix(ip, length))
        })),
        Kind::List(inner) => {
            Value::list(text.split(',').filter(|part| !part.is_empty()).map(|part| value_of(*inner, part)))
        }
        Kind::Not(inner) => value_of(*inner, text),
        Kind::Id => {
            text.strip_prefix('*').and_then(|hex| u64::from_str_radix(hex, 16).ok()).map_or(Value::Nil, Value::Id)
        }
    }
}

/// The seconds of `+01:30`.
fn offset(text: &str) -> Option<i64> {
    let (sign, rest) = (if text.starts_with('-') { -1 } else { 1 }, text.strip_prefix(['+', '-'])?);
    let (hours, minutes) = rest.split_once(':')?;
    Some(sign * (hours.parse::<i64>().ok()?.checked_mul(3600)? + minutes.parse::<i64>().ok()?.checked_mul(60)?))
}

/// A stored value as `print` shows it: `get` gives the same as a plain number or text.
pub fn shown(kind: Kind, text: &str) -> String {
    const KIB: f64 = 1024.0;
    match (kind, text.parse::<u64>()) {
        (Kind::Bytes, Ok(bytes)) if bytes >= 1 << 20 => format!("{:.1}MiB", bytes as f64 / KIB / KIB),
        (Kind::Bytes, Ok(bytes)) if bytes >= 1 << 10 => format!("{:.1}KiB", bytes as f64 / KIB),
        (Kind::Unit(unit), _) => format!("{text}{unit}"),
        _ => text.to_owned(),
    }
}

/// A value that a script gives, as text: lists with commas, bools as `yes` and `no`.
pub fn text_of(arg: &Arg) -> String {
    match (&arg.literal, &arg.value) {
        (None, value) => value_text(value),
        (Some(_), _) => raw::text(&arg.text()),
    }
}

/// The same for a bare value.
pub fn value_text(value: &Value) -> String {
    match value {
        Value::Bool(on) => if *on { "yes" } else { "no" }.to_owned(),
        Value::Array(array) => array.values().map(value_text).collect::<Vec<_>>().join(","),
        Value::Code(code) => raw::text(code.source()),
        other => raw::text(&other.text()),
    }
}

impl System {
    /// A property of a row as a script sees it: nothing without a value; `None` for what the menu does not have.
    pub fn row_value(&self, menu: &'static Menu, row: &Row, name: &str) -> Option<Value> {
        if name == ".id" {
            return Some(Value::Id(u64::from(row.id)));
        }
        let flag = menu.is_flag(name) || name == "disabled" && menu.can_disable();
        if flag {
            return Some(row.get(name).map_or(Value::Nothing, |text| Value::Bool(text == "yes")));
        }
        if name == "comment" {
            // An item without a comment compares unequal to every text.
            return Some(row.get(name).map_or(Value::Nothing, string));
        }
        let prop = self.prop(menu, name)?;
        Some(row.get(name).map_or(Value::Nothing, |text| value_of(prop.kind, text)))
    }

    /// All of a row's values, as `print as-value` gives them.
    pub fn row_record(&self, menu: &'static Menu, row: &Row) -> Value {
        let mut list = vec![(".id".to_owned(), Value::Id(u64::from(row.id)))];
        for name in row.values.keys() {
            if let Some(value) = self.row_value(menu, row, name)
                && !(value.is_none())
            {
                list.push((name.clone(), value));
            }
        }
        if menu.shape == super::def::Shape::Single {
            list.remove(0);
        }
        Value::record(list)
    }
}
