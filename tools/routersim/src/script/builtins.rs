//! The commands that only compute a value.

use std::rc::Rc;

use routeros_script::Version;
use routeros_script::literal::{self, Literal};

use super::array::Array;
use super::convert;
use super::error::Error;
use super::json;
use super::ops;
use super::value::Value;
use crate::kernel::Kernel;

/// The longest string that `:rndstr` makes.
const MAX_RANDOM: i64 = 65_536;

/// Evaluated arguments by parameter name.
#[derive(Debug, Default)]
pub(super) struct Args(Vec<(String, Value, Option<String>)>);

impl Args {
    pub(super) fn push(&mut self, name: &str, value: Value, literal: Option<String>) {
        self.0.push((name.to_owned(), value, literal));
    }

    pub(super) fn get(&self, name: &str) -> Option<&Value> {
        self.0.iter().find(|(given, ..)| given == name).map(|(_, value, _)| value)
    }

    pub(super) fn need(&self, name: &str) -> Result<&Value, Error> {
        self.get(name).ok_or_else(|| Error::missing(name))
    }

    /// The text of an argument as written.
    pub(super) fn text(&self, name: &str) -> Option<String> {
        let (_, value, literal) = self.0.iter().find(|(given, ..)| given == name)?;
        Some(literal.clone().unwrap_or_else(|| value.to_text()))
    }

    fn num(&self, name: &str) -> Result<Option<i64>, Error> {
        match self.get(name) {
            None => Ok(None),
            Some(value) => value.as_num().map(Some).ok_or_else(|| Error::invalid_value(name)),
        }
    }
}

fn count(len: usize) -> Value {
    Value::Num(i64::try_from(len).unwrap_or(i64::MAX))
}

pub(super) fn run(name: &str, args: &Args, kernel: &Kernel, version: Version) -> Result<Value, Error> {
    match name {
        "nothing" => Ok(Value::Nothing),
        "len" if matches!(args.get("value"), Some(Value::Code(code)) if code.function) => Ok(Value::Num(2)),
        "len" => Ok(match args.need("value")? {
            Value::Array(array) => count(array.len()),
            other => count(other.text().len()),
        }),
        "typeof" => Ok(Value::str(args.need("value")?.type_name())),
        "tostr" => Ok(Value::str(args.need("value")?.text())),
        "tonum" => Ok(to_num(args.need("value")?)),
        "tobool" => Ok(to_bool(args.need("value")?)),
        "totime" => Ok(args.need("value")?.as_time().map_or(Value::Nil, Value::Time)),
        "toip" | "toip6" => Ok(to_address(args.need("value")?, name == "toip6")),
        "toid" => Ok(to_id(args.need("value")?)),
        "tonsec" => Ok(args.need("value")?.as_time().map_or(Value::Nil, Value::Num)),
        "toarray" => {
            let delimiter = args.get("delimiter").map_or_else(|| b",".to_vec(), Value::text);
            Ok(to_array(args.need("value")?, &delimiter))
        }
        "pick" => pick(args),
        "find" => find(args),
        "rndnum" => {
            let (from, to) = (args.num("from")?.unwrap_or(0), args.num("to")?.unwrap_or(i64::from(u32::MAX)));
            let width = u64::try_from(to.wrapping_sub(from)).map_err(|_| Error::invalid_value("to"))?;
            let random = width.checked_add(1).map_or_else(|| kernel.random(), |width| kernel.random() % width);
            Ok(Value::Num(from.wrapping_add_unsigned(random)))
        }
        "rndstr" => random_string(args, kernel),
        "tocrlf" | "tolf" => {
            let lf: Vec<u8> = args.need("input")?.text().into_iter().filter(|byte| *byte != b'\r').collect();
            Ok(Value::str(if name == "tolf" { lf } else { convert::crlf(&lf) }))
        }
        "convert" => convert::run(args),
        "serialize" => json::serialize(args),
        "deserialize" => json::deserialize(args),
        name => Err(Error::new(format!("bad command name {name} ({version})"))),
    }
}

fn to_num(value: &Value) -> Value {
    let number = match value {
        Value::Bool(_) => None,
        Value::Time(time) => Some(time / 1_000_000_000),
        Value::Ip(ip) => Some(i64::from(u32::from(*ip))),
        Value::Id(id) => i64::try_from(*id).ok(),
        other => other.as_num(),
    };
    number.map_or(Value::Nil, Value::Num)
}

fn to_bool(value: &Value) -> Value {
    match value {
        Value::Num(number) => Value::Bool(*number != 0),
        Value::Bool(_) => value.clone(),
        // Not even "yes".
        _ => Value::Nil,
    }
}

fn to_address(value: &Value, six: bool) -> Value {
    match (value, Literal::single(&value.to_text())) {
        (Value::IpPrefix(ip, _), _) if !six => Value::Ip(*ip),
        (Value::Ip6Prefix(ip, _), _) if six => Value::Ip6(*ip),
        (Value::Num(number), _) if !six => u32::try_from(*number).map_or(Value::Nil, |bits| Value::Ip(bits.into())),
        (_, Literal::Ip(ip)) if !six => Value::Ip(ip),
        (_, Literal::Ip6(ip)) if six => Value::Ip6(ip),
        _ => Value::Nil,
    }
}

fn to_id(value: &Value) -> Value {
    match (value, Literal::single(&value.to_text())) {
        (Value::Num(number), _) => u64::try_from(*number).map_or(Value::Nil, Value::Id),
        (_, Literal::Id(id)) => Value::Id(id),
        _ => Value::Nil,
    }
}

/// Splits a text; an empty element in front is left out (`",a,b"` has two; to be verified).
fn to_array(value: &Value, delimiter: &[u8]) -> Value {
    match value {
        Value::Array(_) => value.clone(),
        Value::Nothing | Value::Nil => Value::list([]),
        Value::Str(text) => {
            let mut parts = Vec::new();
            let mut start = 0;
            while let Some(at) = position(text, delimiter, start) {
                parts.push(Value::str(text.get(start..at).unwrap_or_default()));
                start = at + delimiter.len();
            }
            parts.push(Value::str(text.get(start..).unwrap_or_default()));
            if text.is_empty() || (parts.len() > 1 && parts.first() == Some(&Value::str(""))) {
                parts.remove(0);
            }
            Value::list(parts)
        }
        other => Value::list([other.clone()]),
    }
}

/// Where `needle` begins in `text`, at or behind `start`.
fn position(text: &[u8], needle: &[u8], start: usize) -> Option<usize> {
    if needle.is_empty() {
        return None;
    }
    let rest = text.get(start..)?;
    rest.windows(needle.len()).position(|window| window == needle).map(|at| start + at)
}

/// `:pick value begin [end]`: the end is exclusive; without one, a single element.
fn pick(args: &Args) -> Result<Value, Error> {
    let value = args.need("counter")?;
    let begin = args.num("begin")?.ok_or_else(|| Error::missing("begin"))?;
    let begin = usize::try_from(begin).unwrap_or(0);
    let end = args.num("end")?;
    let clamp = |end: i64| usize::try_from(end).unwrap_or(0);
    match (value, end) {
        (Value::Array(array), None) => Ok(array.values().nth(begin).cloned().unwrap_or_default()),
        (Value::Array(array), Some(end)) => Ok(Value::Array(Rc::new(array.slice(begin, clamp(end))))),
        (value, end) => {
            let text = value.text();
            let end = end.map_or(begin.saturating_add(1), clamp).min(text.len());
            Ok(text.get(begin..end.max(begin)).map_or(Value::Nil, |part| {
                if part.is_empty() && begin >= text.len() { Value::Nil } else { Value::str(part) }
            }))
        }
    }
}

/// `:find in key [from]`: the place behind `from` where `key` is, or nil.
fn find(args: &Args) -> Result<Value, Error> {
    let (hay, key) = (args.need("in")?, args.need("key")?);
    // The search begins behind the given place, so that the last find can be given as it is.
    let start = args.num("from")?.and_then(|from| usize::try_from(from.saturating_add(1)).ok()).unwrap_or(0);
    let found = match hay {
        Value::Array(array) => {
            array.values().enumerate().skip(start).find(|(_, value)| ops::equal(value, key)).map(|(at, _)| at)
        }
        other => position(&other.text(), &key.text(), start),
    };
    Ok(found.map_or(Value::Nil, count))
}

fn random_string(args: &Args, kernel: &Kernel) -> Result<Value, Error> {
    let length = args.num("length")?.unwrap_or(16);
    if !(0..=MAX_RANDOM).contains(&length) {
        return Err(Error::invalid_value("length"));
    }
    let from = args
        .get("from")
        .map_or_else(|| b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz".to_vec(), Value::text);
    let mut text = Vec::new();
    for _ in 0..length {
        let at = kernel.random().checked_rem(from.len() as u64).and_then(|at| usize::try_from(at).ok());
        text.extend(at.and_then(|at| from.get(at)));
    }
    Ok(Value::str(text))
}

/// An array of what a list of unquoted texts reads as; for `:deserialize`.
pub(super) fn list(values: Vec<Value>) -> Value {
    let array: Array = values.into_iter().collect();
    Value::Array(Rc::new(array))
}

/// Whether a text reads as a decimal number.
pub(super) fn decimal(text: &[u8]) -> Option<i64> {
    let text = std::str::from_utf8(text).ok()?;
    let plain = !text.contains('x') && text.trim_start_matches('-').len() <= 18;
    let canonical = text == "0" || !text.trim_start_matches('-').starts_with('0');
    if plain && canonical { literal::number(text) } else { None }
}
