//! `:serialize` and `:deserialize`: JSON, and values separated by a delimiter.

use std::rc::Rc;

use super::array::Array;
use super::builtins::{Args, decimal, list};
use super::error::Error;
use super::value::Value;
use crate::raw;

/// How deep JSON may nest, so that reading and printing it stay within the stack.
const MAX_DEPTH: usize = 64;

pub(super) fn serialize(args: &Args) -> Result<Value, Error> {
    let value = args.need("value")?;
    let options = args.text("options").unwrap_or_default();
    match args.text("to").as_deref() {
        Some("json") => {
            let json = to_json(value, !options.contains("json.no-string-conversion"), 0)?;
            let text = if options.contains("json.pretty") {
                serde_json::to_string_pretty(&json)
            } else {
                serde_json::to_string(&json)
            };
            text.map(|text| Value::str(raw::bytes(&text))).map_err(|error| Error::failure(&error.to_string()))
        }
        Some("dsv") => {
            let delimiter = args.get("delimiter").ok_or_else(|| Error::missing("delimiter"))?.text();
            let Value::Array(rows) = value else { return Ok(Value::str(value.text())) };
            let mut text = Vec::new();
            for row in rows.values() {
                if !text.is_empty() {
                    text.push(b'\n');
                }
                match row {
                    Value::Array(row) => {
                        let fields: Vec<Vec<u8>> = row.values().map(Value::text).collect();
                        text.extend(fields.join(delimiter.as_slice()));
                    }
                    other => text.extend(other.text()),
                }
            }
            Ok(Value::str(text))
        }
        Some(_) => Err(Error::no_match("to")),
        None => Err(Error::missing("to")),
    }
}

/// Strings that look like numbers become numbers unless told otherwise, as on routers.
fn to_json(value: &Value, numbers: bool, depth: usize) -> Result<serde_json::Value, Error> {
    if depth > MAX_DEPTH {
        return Err(Error::limit("nested too deep"));
    }
    Ok(match value {
        Value::Nothing | Value::Nil => serde_json::Value::Null,
        Value::Bool(value) => (*value).into(),
        Value::Num(value) => (*value).into(),
        Value::Array(array) if array.is_list() => {
            let items = array.values().map(|value| to_json(value, numbers, depth + 1));
            serde_json::Value::Array(items.collect::<Result<_, _>>()?)
        }
        Value::Array(array) => {
            let mut map = serde_json::Map::new();
            for (key, value) in array.pairs() {
                map.insert(key.to_text(), to_json(value, numbers, depth + 1)?);
            }
            serde_json::Value::Object(map)
        }
        Value::Str(text) if numbers => match decimal(text) {
            Some(number) => number.into(),
            None => value.to_text().into(),
        },
        other => other.to_text().into(),
    })
}

pub(super) fn deserialize(args: &Args) -> Result<Value, Error> {
    let text = args.need("value")?.text();
    match args.text("from").as_deref() {
        Some("json") => {
            let json: serde_json::Value =
                serde_json::from_str(&raw::text(&text)).map_err(|_| Error::failure("invalid json"))?;
            from_json(&json, 0)
        }
        Some("dsv") => {
            let delimiter = args.text("delimiter").ok_or_else(|| Error::missing("delimiter"))?;
            let text = raw::text(&text);
            if delimiter.is_empty() {
                return Err(Error::invalid_value("delimiter"));
            }
            Ok(list(
                text.lines()
                    .map(|line| list(line.split(&delimiter).map(|part| Value::str(raw::bytes(part))).collect()))
                    .collect(),
            ))
        }
        Some(_) => Err(Error::no_match("from")),
        None => Err(Error::missing("from")),
    }
}

fn from_json(json: &serde_json::Value, depth: usize) -> Result<Value, Error> {
    if depth > MAX_DEPTH {
        return Err(Error::limit("nested too deep"));
    }
    Ok(match json {
        serde_json::Value::Null => Value::Nil,
        serde_json::Value::Bool(value) => Value::Bool(*value),
        serde_json::Value::Number(number) => match number.as_i64() {
            Some(number) => Value::Num(number),
            // The language has no fractions.
            None => Value::str(number.to_string()),
        },
        serde_json::Value::String(text) => Value::str(raw::bytes(text)),
        serde_json::Value::Array(items) => {
            list(items.iter().map(|item| from_json(item, depth + 1)).collect::<Result<_, _>>()?)
        }
        serde_json::Value::Object(map) => {
            let mut array = Array::default();
            for (key, value) in map {
                array.insert(raw::bytes(key), from_json(value, depth + 1)?);
            }
            Value::Array(Rc::new(array))
        }
    })
}
